# SPDX-License-Identifier: Apache-2.0
"""The measuring stand: processes on chosen cores, and what they used up."""
import os
import re
import resource
import signal
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

START_SECONDS = 60  # a Java server's, on a machine that others use
STOP_SECONDS = 20
QUIET_SHARE = 0.05  # of a core: less is what a virtual machine does that has nothing to do
QUIET_STEP = 0.1    # seconds over which that is told
TICKS = os.sysconf("SC_CLK_TCK")
CLOCK_OF_PROCESS = 2  # CPUCLOCK_SCHED of the kernel's clock numbers


class Failure(Exception):
    """A result that cannot be right, or a program that does not do its part."""


def cores():
    """The server's core and the load's: the first and the last this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def spawn(command, core=None, **options):
    """A child process, on one core if it is given one. It inherits this process's cores."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    finally:
        os.sched_setaffinity(0, before)


# ---- What a process tree used -----------------------------------------------------------------


def tree(pid):
    """The process and all that descend from it."""
    found = [pid]
    for each in found:
        try:
            for task in os.listdir(f"/proc/{each}/task"):
                with open(f"/proc/{each}/task/{task}/children", encoding="ascii") as file:
                    found += map(int, file.read().split())
        except OSError:
            pass  # it ended meanwhile
    return found


def cpu_seconds(pid):
    """User and system time of a process tree, ended threads included, by the kernel's clock of
    each process: it counts nanoseconds where /proc/PID/stat counts hundredths of a second."""
    total = 0
    for each in tree(pid):
        try:
            total += time.clock_gettime((~each << 3) | CLOCK_OF_PROCESS)
        except OSError:
            pass  # it ended meanwhile
    return total


def wait_until_quiet(pid, seconds, step=QUIET_STEP):
    """Until a server has done what it was asked for, compactions too; or the time is over. Returns
    its CPU clock as it was when it became quiet."""
    deadline = time.monotonic() + seconds
    before = cpu_seconds(pid)
    while time.monotonic() < deadline:
        time.sleep(step)
        now = cpu_seconds(pid)
        if now - before < QUIET_SHARE * step:
            break
        before = now
    return before


def resident_mb(pid):
    """Resident memory of a process tree."""
    total = 0
    for each in tree(pid):
        try:
            with open(f"/proc/{each}/status", encoding="ascii") as file:
                found = re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE)
        except OSError:
            continue
        total += int(found.group(1)) / 1024 if found else 0
    return total


def disk_bytes(folder):
    """What the files of a folder take on the disk."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_blocks * 512
            except FileNotFoundError:
                pass  # a compaction removed it
    return total


def busy_seconds():
    """What all processes of the machine have used, without interrupts."""
    with open("/proc/stat", encoding="ascii") as file:
        return sum(map(int, file.readline().split()[1:4])) / TICKS


def our_seconds():
    """What this process and its ended children have used."""
    return sum(used.ru_utime + used.ru_stime for used in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


class Process:
    """A server under measurement."""

    has_items = True  # that requests can change

    def __init__(self, command, port, core=None, **options):
        self.port = port
        self.data = None
        self.sequences = {}  # by name: where the next load of new keys begins
        self.log = tempfile.TemporaryFile()
        self.started = time.perf_counter()
        self.process = spawn(command, core, stdout=self.log, stderr=self.log, **options)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is None:
                self.stop()
            else:
                self.kill()
        self.log.close()

    def ready(self):
        """Itself, when it accepts connections."""
        try:
            self.wait_for_port().close()
        except Failure:
            self.kill()
            raise
        return self

    def wait_for_port(self):
        """A connection, as soon as it accepts one: asked so often that it can be timed."""
        while time.perf_counter() - self.started < START_SECONDS:
            if self.process.poll() is not None:
                raise Failure(f"the server ended: {self.printed()}")
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS)
            except ConnectionRefusedError:
                time.sleep(0.0002)
        self.kill()
        raise Failure(f"the server does not listen: {self.printed()}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def printed(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-2000:]

    def stop(self):
        """SIGTERM; returns how many seconds it took to end."""
        started = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        if status != 0:
            raise Failure(f"the server ended with {status}: {self.printed()}")
        return time.perf_counter() - started


def version_of(*command, **options):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=10, check=False,
                              **options)
    except OSError:
        return "absent"
    return next((line.strip() for line in done.stdout.splitlines() if line.strip()), "")
