# SPDX-License-Identifier: Apache-2.0
"""tests/instructions/run judges counts as it says, with a program that stands in for the real one."""
import importlib.machinery
import importlib.util
import os

import pytest

PATH = os.path.join(os.path.dirname(__file__), "..", "instructions", "run")


@pytest.fixture(scope="module")
def runner():
    loader = importlib.machinery.SourceFileLoader("instructions_run", PATH)
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


@pytest.mark.parametrize("recorded, measured, is_bad", [
    (1000, 1000, False),
    (1000, 1099, False),
    (1000, 1101, True),
    (1000, 901, False),
    (1000, 899, True),
    (1000, None, True),
    (None, 1000, True),
])
def test_verdict(runner, recorded, measured, is_bad):
    counts = [{} if count is None else {"GetItem": count} for count in (recorded, measured)]
    verdicts = runner.judge(*counts)
    assert [verdict.is_bad for verdict in verdicts] == [is_bad]
    assert ("FAILED" in verdicts[0].line) == is_bad


def test_recorded_counts_are_read_as_written(runner, tmp_path):
    path = tmp_path / "recorded.txt"
    versions = ["compiler gcc 12.2.0", "rocksdb 7.8.3"]
    counts = {"GetItem": 24930, "Query of 10 items": 99051}
    runner.write_recorded(path, versions, counts)
    assert runner.read_recorded(path) == (versions, counts)


def test_other_versions_are_skipped(runner, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runner.shutil, "which", lambda name: name)
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\n[ \"$1\" = --versions ] && echo compiler another\n")
    program.chmod(0o755)
    recorded = tmp_path / "recorded.txt"
    runner.write_recorded(recorded, ["compiler gcc 12.2.0"], {"GetItem": 1, "PutItem": 2})
    status = runner.main(["--program", str(program), "--recorded", str(recorded)])
    output = capsys.readouterr().out
    assert status == 0
    assert "skipped: recorded with compiler gcc 12.2.0; this is compiler another" in output
    assert output.endswith("0 passed, 0 failed, 2 skipped\n")


def test_missing_program_fails(runner, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(runner.shutil, "which", lambda name: name)
    assert runner.main(["--program", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().out.endswith("0 passed, 1 failed, 0 skipped\n")


def test_without_valgrind_all_are_skipped(runner, capsys, monkeypatch):
    monkeypatch.setattr(runner.shutil, "which", lambda name: None)
    assert runner.main([]) == 0
    _, recorded = runner.read_recorded(runner.RECORDED)
    assert capsys.readouterr().out.endswith(f"0 passed, 0 failed, {len(recorded)} skipped\n")
