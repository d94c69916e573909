# SPDX-License-Identifier: Apache-2.0
"""`make run` serves, shows its sample, stays, and stops on Ctrl-C; a second time on the same data."""
import os
import re
import signal
import subprocess
import sys
import time

import pytest

from server import ROOT, START_SECONDS, STOP_SECONDS, free_port

RELEASE = os.path.join(ROOT, "build", "release", "stator")


@pytest.mark.skipif(not os.path.exists(RELEASE), reason="make run serves the release build")
@pytest.mark.slow
def test_make_run_shows_its_sample_and_stays_until_interrupted(tmp_path):
    for stock in (999, 998):
        printed = run_until_it_stays(tmp_path)
        assert "Query by key" in printed and "Index look-up" in printed
        assert f"{stock} left in stock" in printed


def hear_interrupts():
    """As under a terminal: a shell's background jobs, and so their children, ignore Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def run_until_it_stays(folder):
    environment = {**os.environ, "STATOR_PORT": str(free_port()), "STATOR_DATA": str(folder / "data")}
    with open(folder / "printed", "w+", encoding="utf-8") as printed:
        process = subprocess.Popen([sys.executable, os.path.join(ROOT, "tools", "run")],
                                   stdin=subprocess.DEVNULL, stdout=printed, stderr=printed,
                                   env=environment, preexec_fn=hear_interrupts)
        deadline = time.monotonic() + START_SECONDS + 20
        while True:
            printed.seek(0)
            text = printed.read()
            if re.search("Ctrl-C stops it", text):
                break
            assert process.poll() is None and time.monotonic() < deadline, text
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        assert process.wait(STOP_SECONDS) == 0, text
    return text
