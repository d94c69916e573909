# SPDX-License-Identifier: Apache-2.0
"""The program's flags, and its one-line errors."""
import ctypes
import ctypes.util
import os
import re
import socket
import struct

import pytest

from server import IS_SANITIZED, free_port, run_stator


def assert_refused(result, *words):
    """Not zero, nothing on standard output, one line on standard error that has these words."""
    status, output, errors = result
    assert status not in (0, None) and status > 0, errors
    assert output == ""
    assert errors.count("\n") == 1 and errors.endswith("\n"), errors
    for word in words:
        assert word.lower() in errors.lower(), errors


def test_version():
    status, output, _ = run_stator("--version")
    assert status == 0
    assert re.search(r"\b\d+\.\d+\.\d+\b", output)


def test_help_names_every_flag():
    status, output, _ = run_stator("--help")
    assert status == 0 and "serve" in output
    status, output, _ = run_stator("serve", "--help")
    assert status == 0
    for flag in ("--host", "--port", "--data", "--in-memory", "--threads", "--durability",
                 "--cache", "--region", "--account-id"):
        assert flag in output


@pytest.mark.parametrize("arguments,word", [
    (["serve", "--no-such-flag"], "--no-such-flag"),
    (["no-such-command"], "no-such-command"),
    (["serve", "--port", "port"], "port"),
    (["serve", "--port", "65536"], "65536"),
    (["serve", "--port", "-1"], "-1"),
    (["serve", "--port"], "--port"),
    (["serve", "--threads", "0"], "threads"),
    (["serve", "--durability", "perhaps"], "perhaps"),
])
def test_bad_arguments_are_refused(arguments, word):
    assert_refused(run_stator(*arguments), word)


def test_port_taken():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert_refused(run_stator("serve", "--in-memory", "--port", port), port, "taken")


def test_host_that_is_not_ours():
    assert_refused(run_stator("serve", "--in-memory", "--port", str(free_port()),
                              "--host", "192.0.2.1"), "192.0.2.1")


def test_locked_directory(disk_server):
    data = str(disk_server.data)
    assert_refused(run_stator("serve", "--port", str(free_port()), "--data", data), data, "in use")


def test_unwritable_directory(tmp_path):
    # Below a file nothing can be created, not even by root.
    (tmp_path / "file").write_text("")
    data = str(tmp_path / "file" / "data")
    assert_refused(run_stator("serve", "--port", str(free_port()), "--data", data), data)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_read_only_directory(tmp_path):
    tmp_path.chmod(0o500)
    data = str(tmp_path / "data")
    assert_refused(run_stator("serve", "--port", str(free_port()), "--data", data), data)


def test_directory_of_a_newer_version(disk_server):
    disk_server.stop()
    write_format(str(disk_server.data), 1000)
    assert_refused(run_stator("serve", "--port", str(free_port()), "--data", str(disk_server.data)),
                   str(disk_server.data), "newer version")


def write_format(directory, number):
    """Stores another format number under the engine's format key, past the program."""
    rocks = ctypes.CDLL(ctypes.util.find_library("rocksdb"))
    for name in ("rocksdb_options_create", "rocksdb_open", "rocksdb_writeoptions_create"):
        getattr(rocks, name).restype = ctypes.c_void_p
    error = ctypes.c_char_p()
    options = ctypes.c_void_p(rocks.rocksdb_options_create())
    database = rocks.rocksdb_open(options, directory.encode(), ctypes.byref(error))
    assert database, error.value
    key, value = b"\xffformat", struct.pack("<Q", number)
    rocks.rocksdb_put(ctypes.c_void_p(database),
                      ctypes.c_void_p(rocks.rocksdb_writeoptions_create()), key,
                      ctypes.c_size_t(len(key)), value, ctypes.c_size_t(len(value)),
                      ctypes.byref(error))
    assert not error.value
    rocks.rocksdb_close(ctypes.c_void_p(database))


def test_environment_does_what_flags_do(tmp_path, new_server):
    environment = {"STATOR_REGION": "eu-west-2", "STATOR_ACCOUNT_ID": "111122223333"}
    running = new_server(tmp_path / "data", environment=environment)
    with running.connection() as connection:
        answer = connection.must("CreateTable", {
            "TableName": "Things", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})
    arn = answer["TableDescription"]["TableArn"]
    assert arn == "arn:aws:dynamodb:eu-west-2:111122223333:table/Things"


def test_flags_win_over_environment(new_server):
    running = new_server(flags=["--region", "eu-west-1"], environment={"STATOR_REGION": "eu-west-2"})
    with running.connection() as connection:
        answer = connection.must("CreateTable", {
            "TableName": "Things", "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})
    assert ":eu-west-1:" in answer["TableDescription"]["TableArn"]


def test_one_thread_and_async_durability_serve(new_server, tmp_path):
    running = new_server(tmp_path / "data", ["--threads", "1", "--durability", "async"])
    assert running.client().list_tables()["TableNames"] == []
    running.stop()


def test_memory_leaves_nothing(new_server, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    running = new_server()
    running.client().list_tables()
    running.stop()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(IS_SANITIZED, reason="a sanitizer's own memory is counted too")
def test_idle_memory_is_small(new_server):
    running = new_server()
    running.client().list_tables()
    with open(f"/proc/{running.process.pid}/status", encoding="ascii") as file:
        kilobytes = int(re.search(r"VmRSS:\s+(\d+) kB", file.read()).group(1))
    assert kilobytes < 25 * 1024
