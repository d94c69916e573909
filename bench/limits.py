# SPDX-License-Identifier: Apache-2.0
"""The limits that are no HTTP servers: a Redis that syncs every write, and RocksDB alone."""
import csv
import os
import re
import socket
import subprocess
import time

import stand
import workload
from stand import Failure
from systems import Redis

ROCKSDB_LOAD = os.path.join(stand.ROOT, "build", "release", "bench", "rocksdb_load")
TRIAL_REQUESTS = 2_000  # to learn how many fill the time: redis-benchmark has no other end
KEYS = 10**11
LOADERS = 16             # threads, as many as connections of the load by BatchWriteItem


def redis_benchmark(server, connections, requests):
    """SET of new keys with values of an item's size; what it printed, and what Redis used."""
    command = ["redis-benchmark", "-p", str(server.port), "-c", str(connections),
               "-n", str(requests), "-r", str(KEYS), "--csv", "SET", "key:__rand_int__",
               (workload.TEXT * 8)[:workload.ITEM_BYTES]]
    before = stand.cpu_seconds(server.pid)
    generator = stand.spawn(command, stand.cores()[1], stdout=subprocess.PIPE,
                            stderr=subprocess.DEVNULL, text=True)
    printed, _ = generator.communicate(timeout=300)
    used = stand.cpu_seconds(server.pid) - before
    # It quotes the command it measured as the first cell, and may print a warning before.
    lines = [line for line in printed.splitlines() if line.startswith('"')]
    if generator.returncode != 0 or len(lines) != 2:
        raise Failure(f"redis-benchmark: {printed[-500:]}")
    names, values = csv.reader(lines)
    found = dict(zip(names[1:], map(float, values[-len(names) + 1:])))
    return {"requests": requests, "rate": found["rps"], "cpu_us": used * 1e6 / requests,
            "p50_us": found["p50_latency_ms"] * 1000, "p99_us": found["p99_latency_ms"] * 1000}


def redis_sets(folder, connections, seconds):
    """One run beside one of PutItem's, on a store of its own."""
    with Redis(folder).ready() as server:
        trial = redis_benchmark(server, connections, TRIAL_REQUESTS)
        run = redis_benchmark(server, connections, max(int(trial["rate"] * seconds), connections))
        check_redis(server, run["requests"])
    return run


def check_redis(server, requests):
    """That the keys are there, and that their log is on the disk, not in memory alone."""
    with socket.create_connection(("127.0.0.1", server.port)) as connection:
        connection.sendall(b"DBSIZE\r\n")
        answer = connection.recv(100)
        connection.sendall(b"CONFIG GET appendfsync\r\n")
        time.sleep(0.01)
        setting = connection.recv(1000)
    count = re.match(rb":(\d+)", answer)
    # Random keys of so many may meet, but hardly ever.
    if not count or int(count.group(1)) < requests or b"always" not in setting:
        raise Failure(f"Redis: {answer} keys after {requests} writes, {setting}")


def rocksdb_load(folder, count):
    """The same batches to RocksDB with the server's settings; None where the program is not."""
    if not os.access(ROCKSDB_LOAD, os.X_OK):
        return None
    done = subprocess.run([ROCKSDB_LOAD, "--items", str(count), "--threads", str(LOADERS),
                           "--path", os.path.join(folder, "rocksdb")], check=False, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    found = re.search(r"items=(\d+) .*rate=(\d+) items/s cpu=([\d.]+) us/item", done.stdout)
    if done.returncode != 0 or not found or int(found.group(1)) != count:
        raise Failure(f"rocksdb_load: {done.stdout[-500:]}")
    return {"items": count, "rate": float(found.group(2)), "cpu_us": float(found.group(3)),
            "text": done.stdout.strip()}
