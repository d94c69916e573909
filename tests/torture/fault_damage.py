# SPDX-License-Identifier: Apache-2.0
"""Damage to the files at rest, directories that cannot be used, descriptors, and clocks."""
import os
import random
import shutil
import socket
import time

from fault_tools import CREATE, TABLE, Disk, Ledger, contents, files, start, try_start
from torture import pages, say, wait_for_status

ITEMS = 170
ITEM_BYTES = 300000
DESCRIPTORS = 128
CONNECTIONS = 200
BACK_MS = 6 * 3600 * 1000


# ---- Damage -----------------------------------------------------------------------------------


def make_store(torture):
    """A store with tables and a log, killed; returns its directory and its ledger."""
    data, ledger = torture.directory("whole"), Ledger(torture.seed)
    with start(torture, data) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        ledger.fill(server, ITEMS, ITEM_BYTES)
        deadline = time.monotonic() + 20
        while not files(data, ".sst") and time.monotonic() < deadline:
            time.sleep(0.05)
        ledger.fill(server, 200, 300)
        time.sleep(0.2)
        server.kill()
    return data, ledger


def rewrite(change):
    """A change of a file's bytes, as a function of its path."""
    def apply(path, chance):
        with open(path, "rb") as file:
            data = bytearray(file.read())
        data = change(data, chance)
        with open(path, "wb") as file:
            file.write(data)
    return apply


def flipped(begin, end):
    """Flips a bit between two parts of a file's length; negative numbers are bytes from its end."""
    def change(data, chance):
        low, high = (round(len(data) * at) if at >= 0 else max(0, len(data) + at)
                     for at in (begin, end))
        data[chance.randrange(low, max(high, low + 1))] ^= 1 << chance.randrange(8)
        return data
    return rewrite(change)


def cut(part):
    return rewrite(lambda data, _: data[:int(len(data) * part)])


def remove(path, _):
    os.unlink(path)


# What is damaged, how, and whether the start has to be refused (None: reading may tell).
DAMAGES = {
    "table: data": (".sst", flipped(0.0, 0.5), None),
    "table: late data": (".sst", flipped(0.5, 0.95), None),
    "table: index and properties": (".sst", flipped(-2000, -53), None),
    "table: footer": (".sst", flipped(-8, -1), None),
    "table: cut": (".sst", cut(0.5), True),
    "table: empty": (".sst", cut(0), True),
    "table: gone": (".sst", remove, True),
    "log: early": (".log", flipped(0.02, 0.2), True),
    "log: middle": (".log", flipped(0.4, 0.6), True),
    "manifest: a bit": ("MANIFEST", flipped(0.1, 0.9), True),
    "manifest: the last record": ("MANIFEST", flipped(-8, -1), True),
    "manifest: cut": ("MANIFEST", cut(0.6), True),
    "manifest: empty": ("MANIFEST", cut(0), True),
    "manifest: gone": ("MANIFEST", remove, True),
    "CURRENT: a bit": ("CURRENT", flipped(0.0, 0.9), True),
    "CURRENT: empty": ("CURRENT", cut(0), True),
    "CURRENT: gone": ("CURRENT", remove, True),
}


def find(data, kind):
    """The largest file of a kind."""
    names = [name for name in os.listdir(data) if kind in name and not name.startswith("LOG")]
    return max((os.path.join(data, name) for name in names), key=os.path.getsize)


def damaged_files(torture):
    whole, ledger = make_store(torture)
    copy = os.path.join(torture.directory("damaged"), "data")
    served = refused = 0
    for name, (kind, damage, must_refuse) in DAMAGES.items():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(whole, copy)
        path = find(copy, kind)
        damage(path, random.Random(torture.seed))
        before = contents(copy)
        status, output = try_start(torture, copy)
        if status is None:
            torture.check(f"{name}: start is refused", must_refuse is None, output[-300:])
            served += expect_true_answers(torture, name, copy, ledger, os.path.basename(path))
            continue
        refused += 1
        torture.check(f"{name}: exit status 1, said what is damaged",
                      status == 1 and "is damaged" in output, f"{status} {output[-300:]}")
        torture.check(f"{name}: no file is changed", contents(copy) == before)
    say(f"damaged files: {refused} starts refused, {served} times an answer refused")


def expect_true_answers(torture, name, data, ledger, file):
    """Everything is right or refused; returns how many were refused."""
    refused = wrong = 0
    with start(torture, data) as server, server.client() as client:
        for key, value in ledger.acknowledged.items():
            status, answer = client.call("GetItem", {"TableName": TABLE,
                                                     "Key": {"id": {"S": key}}})
            if status == 500:
                refused += 1
            elif answer.get("Item", {}).get("v", {}).get("S") != value:
                wrong += 1
        try:
            found = pages(client, "Scan", {"TableName": TABLE})
            scan_is_right = len(found) == len(ledger.acknowledged) and not refused
        except Exception as problem:  # Refused: then it has not left anything out
            scan_is_right = "InternalServerError" in str(problem)
        torture.check(f"{name}: nothing wrong or missing is served", not wrong and scan_is_right,
                      f"{wrong} of {len(ledger.acknowledged)}")
        torture.check(f"{name}: the damage is met, and its file named",
                      refused and file in server.printed(1 << 20), f"{refused} {server.printed()}")
        server.kill()
    return refused


def torn_log(torture):
    """What no power cut acknowledged is dropped, and that is said."""
    whole, ledger = torture.directory("torn"), Ledger(torture.seed)
    with start(torture, whole) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        for turn in range(4):
            ledger.fill(server, 30)
            server.kill()
            junk = [bytes(9000), random.Random(torture.seed + turn).randbytes(9000)][turn % 2]
            with open(files(whole, ".log")[-1], "ab") as file:
                file.write(junk)
            server.start()
            with server.client() as client:
                lost, wrong, _ = ledger.compare(client)
            torture.check("torn log: everything acknowledged is there", not lost and not wrong)
        torture.check("torn log: each is said", server.printed(1 << 20).count("are dropped") == 4,
                      server.printed())


# ---- Directories ------------------------------------------------------------------------------


def directories(torture):
    data = torture.directory("directory")
    with start(torture, data) as server:
        with server.client() as client:
            client.must("CreateTable", CREATE)
        before = contents(data)
        expect_no_start(torture, "data in use", data, "in use by another process", before)
        with server.client() as client:
            client.must("DescribeTable", {"TableName": TABLE})
    for name, path, words in (
            ("parent missing", os.path.join(data, "no", "such"), "cannot be created or written"),
            ("a file", os.path.join(data, "CURRENT"), "cannot be created or written")):
        expect_no_start(torture, name, path, words, None)
    read_only = ["unshare", "-m", "sh", "-c",
                 f'mount --bind {data} {data} && mount -o remount,bind,ro {data} && exec "$0" "$@"']
    if os.geteuid() == 0:
        before = contents(data)
        expect_no_start(torture, "read-only", data, "cannot be created or written", before,
                        read_only)
    else:
        torture.skip("read-only", "mounting needs root")


def expect_no_start(torture, name, data, words, before, wrap=()):
    status, output = try_start(torture, data, wrap=wrap)
    torture.check(f"{name}: exit status 1, and why", status == 1 and words in output,
                  f"{status} {output}")
    if before is not None:
        torture.check(f"{name}: nothing is changed", contents(data) == before)


# ---- Descriptors ------------------------------------------------------------------------------


def descriptors(torture):
    """More connections than descriptors: those there go on, others wait, nothing spins."""
    data, ledger = torture.directory("descriptors"), Ledger(torture.seed)
    wrap = ["prlimit", f"--nofile={DESCRIPTORS}:{DESCRIPTORS}"]
    with start(torture, data, wrap=wrap) as server, server.client() as client:
        client.must("CreateTable", CREATE)
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(CONNECTIONS)]
        time.sleep(0.5)
        began = server.cpu_seconds()
        time.sleep(2)
        used = server.cpu_seconds() - began
        torture.check("descriptors: nothing spins", used < 0.5, f"{used:.2f} s in 2 s")
        open_now = server.descriptors()
        torture.check("descriptors: some are left", open_now <= DESCRIPTORS - 8, str(open_now))
        for _ in range(150):  # more than a memtable: the engine opens files
            torture.check("descriptors: a connection there goes on",
                          ledger.put(client, ITEM_BYTES), str(ledger.answers))
        for connection in idle:
            connection.close()
        began = time.monotonic()
        with server.client() as late:
            torture.check("descriptors: connections are taken again", ledger.put(late, 100))
            lost, wrong, _ = ledger.compare(late)
        torture.check("descriptors: at once", time.monotonic() - began < 10)
        torture.check("descriptors: nothing lost", not lost and not wrong)
        say(f"descriptors: {open_now} of {DESCRIPTORS} open beside {CONNECTIONS} connections, "
            f"{used:.2f} s of CPU in 2 s")


# ---- Clocks -----------------------------------------------------------------------------------


def clocks(torture):
    """The system's clock jumps six hours back and two on: order stays, nothing sleeps on."""
    disk, data = Disk(torture, "clock"), torture.directory("clock-data")
    with start(torture, data, disk) as server, server.client() as client:
        client.must("CreateTable", {**CREATE, "StreamSpecification": {
            "StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}})
        client.must("UpdateTimeToLive", {"TableName": TABLE, "TimeToLiveSpecification": {
            "Enabled": True, "AttributeName": "until"}})
        wait_for_status(client, TABLE, "ACTIVE")
        put_numbered(client, 0, 30)
        put_expiring(client, "soon", time.time() + 3600)
        disk.fail(f"clock - {-BACK_MS}")
        put_numbered(client, 30, 60)
        put_expiring(client, "past", time.time() - BACK_MS / 1000 + 3600)
        time.sleep(1.5)
        torture.check("clock set back: nothing expires early",
                      is_there(client, "soon") and is_there(client, "past"))
        disk.fail("clock - 7200000")
        put_numbered(client, 60, 90)
        torture.check("clock set on: what has expired goes",
                      wait_until_gone(client, "soon") and wait_until_gone(client, "past"))
        numbers = [number for number in stream_numbers(client) if number is not None]
        torture.check("clocks: the stream is in the order of writing", numbers == list(range(90)),
                      str(numbers))
        began = server.cpu_seconds()
        time.sleep(1)
        torture.check("clocks: nothing spins", server.cpu_seconds() - began < 0.5)


def put_numbered(client, begin, end):
    for number in range(begin, end):
        client.must("PutItem", {"TableName": TABLE, "Item": {"id": {"S": f"number-{number}"}}})


def put_expiring(client, key, at):
    client.must("PutItem", {"TableName": TABLE,
                            "Item": {"id": {"S": key}, "until": {"N": str(int(at))}}})


def is_there(client, key):
    return "Item" in client.must("GetItem", {"TableName": TABLE, "Key": {"id": {"S": key}},
                                             "ConsistentRead": True})


def wait_until_gone(client, key, seconds=10):
    deadline = time.monotonic() + seconds
    while is_there(client, key):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def stream_numbers(client):
    """The numbers of the items in the stream's records of writes; None for other items."""
    arn = client.must("DescribeTable", {"TableName": TABLE})["Table"]["LatestStreamArn"]
    shards = client.must("DescribeStream", {"StreamArn": arn})["StreamDescription"]["Shards"]
    numbers = []
    for shard in shards:
        iterator = client.must("GetShardIterator", {
            "StreamArn": arn, "ShardId": shard["ShardId"],
            "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"]
        while iterator:
            answer = client.must("GetRecords", {"ShardIterator": iterator})
            for record in answer["Records"]:
                key = record["dynamodb"]["Keys"]["id"]["S"]
                if record["eventName"] == "INSERT" and key.startswith("number-"):
                    numbers.append(int(key.removeprefix("number-")))
            iterator = answer.get("NextShardIterator") if answer["Records"] else None
    return numbers
