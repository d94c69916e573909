# SPDX-License-Identifier: Apache-2.0
"""A disk that loses what it was given: real failed writes under a real file system.

An ext4 on a loop device whose own file lies on a tmpfs that is full. A sync then fails with EIO,
and Linux keeps the pages in memory as if they had been written. A process that starts then may read
what the disk has never had, and what a power cut takes away. What the file system itself needs is
written when it is made, so that it stays whole.
"""
import contextlib
import os
import subprocess

from fault_tools import CREATE, Ledger, health, start
from torture import say

RAM_BYTES = 24 << 20
DISK_BYTES = 400 << 20  # what the file system believes to have
LEFT_BYTES = 2 << 20  # until the disk fails
ITEM_BYTES = 60000
WRITERS = 4
ITEMS_MAX = 400


def run(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          check=False)
    if done.returncode != 0:
        raise OSError(f"{' '.join(command)}: {done.stdout.strip()}")
    return done.stdout.strip()


class LossyDisk:
    """Below mount: a tmpfs "ram", and on a file of it the file system "disk"."""

    def __init__(self, mount):
        self.ram, self.disk = os.path.join(mount, "ram"), os.path.join(mount, "disk")
        self.file = os.path.join(self.ram, "file")

    def open(self):
        for folder in (self.ram, self.disk):
            os.mkdir(folder)
        run("mount", "-t", "tmpfs", "-o", f"size={RAM_BYTES}", "tmpfs", self.ram)
        with open(self.file, "wb") as file:
            file.truncate(DISK_BYTES)
        device = run("losetup", "--find", "--show", self.file)
        try:
            run("mkfs.ext4", "-q", "-N", "256", "-J", "size=4", "-O", "^metadata_csum,^uninit_bg",
                "-E", "lazy_itable_init=0,lazy_journal_init=0,nodiscard", device)
        finally:
            run("losetup", "--detach", device)
        self.plug()

    def plug(self):
        """Requests of one page: Linux takes a loop device's write that comes half true for whole."""
        run("mount", "-o", "loop,errors=continue", self.file, self.disk)
        device = os.path.basename(run("findmnt", "-no", "SOURCE", self.disk))
        with open(f"/sys/block/{device}/queue/max_sectors_kb", "w", encoding="ascii") as file:
            file.write(str(os.sysconf("SC_PAGE_SIZE") >> 10))

    def cut_power(self):
        """Whatever Linux has in memory of it is gone."""
        run("umount", self.disk)
        self.plug()

    def fail(self):
        free = os.statvfs(self.ram)
        with open(os.path.join(self.ram, "ballast"), "wb") as file:
            file.write(bytes(free.f_bavail * free.f_frsize - LEFT_BYTES))

    def heal(self):
        os.unlink(os.path.join(self.ram, "ballast"))

    def close(self):
        for folder in (self.disk, self.ram):
            with contextlib.suppress(OSError):
                run("umount", folder)


def lost_pages(torture, mount):
    name = "lost pages"
    disk, ledger = LossyDisk(mount), Ledger(torture.seed)
    try:
        disk.open()
    except OSError as problem:
        disk.close()
        torture.skip(name, str(problem))
        return
    data = os.path.join(disk.disk, "data")
    try:
        break_it(torture, name, disk, data, ledger)
        first = restart(torture, name, data, ledger)
        disk.cut_power()
        second = restart(torture, name, data, ledger)
        torture.check(f"{name}: what one start reads, a power cut does not take", first == second,
                      f"{sorted(first ^ second)[:5]}")
        say(f"{name}: {len(ledger.acknowledged)} acknowledged, {len(ledger.refused)} refused, "
            f"{len(first & set(ledger.refused))} of those there after the restart")
    finally:
        disk.close()


def break_it(torture, name, disk, data, ledger):
    with start(torture, data) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        ledger.fill(server, 10)
        disk.fail()
        ledger.write(server, WRITERS, lambda it: it.refused or it.next > ITEMS_MAX, ITEM_BYTES)
        status, text = health(server)
        torture.check(f"{name}: GET / says that no writes are taken",
                      ledger.refused and status == 503, f"{status} {text}")
        server.kill()
    disk.heal()


def restart(torture, name, data, ledger):
    """The keys there, after a start that is killed again."""
    with start(torture, data) as server:
        with server.client() as client:
            lost, wrong, shown = ledger.compare(client)
        server.kill()
    torture.check(f"{name}: nothing acknowledged is lost", not lost and not wrong,
                  f"{lost[:3]} {wrong[:3]}")
    return set(ledger.acknowledged) | set(shown)
