# SPDX-License-Identifier: Apache-2.0
"""Faults of the disk under a running server: writes, syncs, space, slowness."""
import os
import threading
import time

from fault_tools import CREATE, TABLE, Disk, Ledger, errors_logged, health, percentile, start
from fault_tools import try_start, wait_healthy
from torture import Lost, say

WRITERS = 8
REFUSALS = 40
SLOW_MS = 200
FULL_SECONDS = 30
INTERNAL = {(500, "InternalServerError")}


def expect_refusing(torture, name, server, ledger, words):
    """The server says that it takes no writes, and serves what it acknowledged, that alone."""
    status, text = health(server)
    torture.check(f"{name}: GET / says so", status == 503 and words in text, f"{status} {text}")
    torture.check(f"{name}: refused with InternalServerError", ledger.answers == INTERNAL,
                  str(ledger.answers))
    with server.client() as client:
        lost, wrong, shown = ledger.compare(client)
    torture.check(f"{name}: what was acknowledged is read", not lost and not wrong,
                  f"{lost[:3]} {wrong[:3]}")
    torture.check(f"{name}: what was refused is not", not shown, str(shown[:3]))
    logged = errors_logged(server, words)
    torture.check(f"{name}: logged once", logged == 1, f"{logged}: {server.printed()}")


def expect_kept(torture, name, data, ledger):
    """After a restart on a good disk."""
    with start(torture, data) as server, server.client() as client:
        lost, wrong, shown = ledger.compare(client)
        torture.check(f"{name}: nothing acknowledged is lost by a restart",
                      not lost and not wrong, f"{lost[:3]} {wrong[:3]}")
        torture.check(f"{name}: writes are taken again", ledger.put(client, 10))
    say(f"{name}: {len(ledger.acknowledged)} acknowledged, {len(ledger.refused)} refused, "
        f"{len(shown)} of those there after the restart")


def fatal(torture, name, rule, size=200):
    """A failure of the log or of a table: no writes until a restart, however good the disk is."""
    disk, data = Disk(torture, "disk"), torture.directory()
    ledger = Ledger(torture.seed)
    with start(torture, data, disk) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        ledger.fill(server, 200)
        disk.fail(rule)
        ledger.write(server, WRITERS, lambda it: len(it.refused) >= REFUSALS or it.next > 5000,
                     size)
        torture.check(f"{name}: writes are refused", ledger.refused)
        expect_refusing(torture, name, server, ledger, "until a restart")
        disk.heal()
        with server.client() as client:
            torture.check(f"{name}: nor taken when the disk is well", not ledger.put(client, 10))
        before = server.cpu_seconds()
        time.sleep(1)
        used = server.cpu_seconds() - before
        torture.check(f"{name}: idle meanwhile", used < 0.3, f"{used:.2f} s of CPU in a second")
        seconds = server.stop()
        torture.check(f"{name}: SIGTERM ends it", seconds < 10, f"{seconds:.1f} s")
    expect_kept(torture, name, data, ledger)


def failed_sync(torture):
    fatal(torture, "failed sync", "sync .log EIO")


def failed_write(torture):
    fatal(torture, "failed write", "write .log EIO")


def short_write(torture):
    fatal(torture, "short write", "write .log EIO 100")


def no_space_in_log(torture):
    fatal(torture, "no space in the log", "write .log ENOSPC 64")


def failed_table(torture):
    fatal(torture, "failed table", "write .sst EIO", 300000)


def failed_table_sync(torture):
    fatal(torture, "failed table's sync", "sync .sst EIO", 300000)


def failed_manifest(torture):
    fatal(torture, "failed manifest", "sync MANIFEST EIO", 300000)


def failed_sync_killed(torture):
    """As above, but killed: the log ends in what was refused."""
    name = "failed sync, then killed"
    disk, data = Disk(torture, "killed"), torture.directory("killed-data")
    ledger = Ledger(torture.seed)
    with start(torture, data, disk) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        ledger.fill(server, 100)
        disk.fail("sync .log EIO")
        ledger.write(server, WRITERS, lambda it: len(it.refused) >= REFUSALS)
        expect_refusing(torture, name, server, ledger, "until a restart")
        server.kill()
    expect_kept(torture, name, data, ledger)


def no_space_in_table(torture):
    """RocksDB goes on by itself when there is some."""
    name = "no space in a table"
    disk, data = Disk(torture, "disk"), torture.directory()
    ledger = Ledger(torture.seed)
    with start(torture, data, disk) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        ledger.fill(server, 100)
        disk.fail("write .sst ENOSPC")
        ledger.write(server, WRITERS, lambda it: len(it.refused) >= REFUSALS or it.next > 2000,
                     300000)
        torture.check(f"{name}: writes are refused", ledger.refused)
        expect_refusing(torture, name, server, ledger, "until there is space")
        disk.heal()
        seconds = wait_healthy(server, FULL_SECONDS)
        if torture.check(f"{name}: it recovers by itself", seconds is not None, health(server)[1]):
            say(f"{name}: healthy {seconds:.1f} s after there was space")
        with server.client() as client:
            torture.check(f"{name}: writes are taken", ledger.put(client, 10))
            lost, wrong, shown = ledger.compare(client)
            torture.check(f"{name}: nothing lost, nothing refused shown",
                          not lost and not wrong and not shown, f"{lost[:3]} {shown[:3]}")
        server.kill()
    expect_kept(torture, name, data, ledger)


def no_space_in_manifest(torture):
    fatal(torture, "no space in the manifest", "write MANIFEST ENOSPC", 300000)


def full_disk(torture, mount):
    """A file system that somebody else fills, twice, and clears again."""
    name = "full disk"
    data, ballast = os.path.join(mount, "data"), os.path.join(mount, "ballast")
    ledger = Ledger(torture.seed)
    with start(torture, data) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        for turn, left in enumerate((0, 300000)):
            ledger.fill(server, 300, 2000)
            ledger.refused, before = {}, errors_logged(server)
            free = os.statvfs(mount)
            with open(ballast, "wb") as file:
                file.write(bytes(free.f_bavail * free.f_frsize - left))
            ledger.write(server, WRITERS, lambda it: len(it.refused) >= REFUSALS)
            status, text = health(server)
            torture.check(f"{name}: GET / says so", status == 503 and "is full" in text, text)
            torture.check(f"{name}: InternalServerError", ledger.answers == INTERNAL)
            torture.check(f"{name}: logged once", errors_logged(server) == before + 1,
                          server.printed())
            if turn:
                server.kill()
                os.unlink(ballast)
                server.start()
            else:
                os.unlink(ballast)
            seconds = wait_healthy(server, FULL_SECONDS)
            torture.check(f"{name}: it recovers by itself", seconds is not None, health(server)[1])
            with server.client() as client:
                lost, wrong, shown = ledger.compare(client)
            torture.check(f"{name}: nothing lost, nothing refused shown",
                          not lost and not wrong and not shown, f"{lost[:3]} {shown[:3]}")
            say(f"{name}: healthy {seconds or -1:.2f} s after there was space")
        full_start(torture, server, mount, ledger)


def full_start(torture, server, mount, ledger):
    """A start needs a little space: without it is refused, and costs nothing."""
    server.kill()
    ballast = os.path.join(mount, "ballast")
    free = os.statvfs(mount)
    with open(ballast, "wb") as file:
        file.write(bytes(free.f_bavail * free.f_frsize))
    status, output = try_start(torture, server.data)
    torture.check("full disk: a start on it is refused, and why", status == 1 and
                  "cannot be created or written" in output and "No space left" in output,
                  f"{status} {output}")
    os.unlink(ballast)
    server.start()
    with server.client() as client:
        lost, wrong, _ = ledger.compare(client)
        torture.check("full disk: it costs nothing", not lost and not wrong, f"{lost[:3]}")
        torture.check("full disk: writes are taken after it", ledger.put(client, 100))


def slow_disk(torture):
    """Each sync takes 200 ms longer: reads do not notice, writes share it, SIGTERM ends."""
    name = "slow disk"
    disk, data = Disk(torture, "slow"), torture.directory("slow-data")
    ledger = Ledger(torture.seed)
    with start(torture, data, disk) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        ledger.fill(server, 200)
        fast = read_waits(server, 0.5)
        disk.fail(f"sync .log {SLOW_MS}")
        deadline = time.monotonic() + (3 if torture.short else 10)
        waits, first = [], ledger.next
        reader = threading.Thread(target=lambda: waits.extend(read_waits(
            server, deadline - time.monotonic())))
        reader.start()
        ledger.write(server, 64, lambda it: time.monotonic() > deadline)
        reader.join()
        written = ledger.next - first
        syncs = (3 if torture.short else 10) * 1000 / SLOW_MS + 2
        say(f"{name}: {written} writes by 64 clients in at most {syncs:.0f} syncs; read p50/p99 "
            f"{percentile(fast, .5) * 1000:.2f}/{percentile(fast, .99) * 1000:.2f} ms before, "
            f"{percentile(waits, .5) * 1000:.2f}/{percentile(waits, .99) * 1000:.2f} ms beside")
        torture.check(f"{name}: nothing is refused", not ledger.refused and not ledger.unanswered)
        torture.check(f"{name}: writes share a sync", written >= 16 * syncs, str(written))
        torture.check(f"{name}: reads do not wait for it",
                      percentile(waits, .5) < SLOW_MS / 4000 and len(waits) > 20,
                      f"{percentile(waits, .5):.3f} s")
        seconds = stop_amid_writes(server, ledger)
        torture.check(f"{name}: SIGTERM ends it", seconds < 10, f"{seconds:.1f} s")
        disk.heal()
    expect_kept(torture, name, data, ledger)


def read_waits(server, seconds):
    waits, deadline = [], time.monotonic() + seconds
    with server.client() as client:
        while time.monotonic() < deadline:
            began = time.monotonic()
            client.must("GetItem", {"TableName": TABLE, "Key": {"id": {"S": "item-1"}},
                                    "ConsistentRead": True})
            waits.append(time.monotonic() - began)
            time.sleep(0.002)
    return waits


def stop_amid_writes(server, ledger):
    """SIGTERM while writes wait for a sync; returns how long it took."""
    def write():
        with server.client() as client:
            try:
                while ledger.put(client, 50):
                    pass
            except Lost:
                pass
    writers = [threading.Thread(target=write) for _ in range(WRITERS)]
    for writer in writers:
        writer.start()
    time.sleep(0.3)
    seconds = server.stop()
    for writer in writers:
        writer.join()
    return seconds
