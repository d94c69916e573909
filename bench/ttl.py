#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long writers wait while items expire: bench/ttl.py [--items N] [--writers N] [--seconds S]

Loads N items that have one expiry time into a table with a global index, measures PutItem of other
items for a while, then moves the server's clock past that time and goes on measuring until the
last expired item is gone. Prints latencies before and meanwhile, the rate of expiry, and whether
the counts of the table and its index are exact at the end. Fails when they are not, never because
something is slow.
"""
import argparse
import json
import os
import statistics
import sys
import tempfile
import threading
import time
import urllib.request

import stand
import systems

BATCH = 25
LOADERS = 4
HOURS = 3600


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=1_000_000)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=5, help="of the measurement before")
    parser.add_argument("--folder", help="where data goes (build/): choose a disk")
    settings = parser.parse_args()
    parent = settings.folder or os.path.join(stand.ROOT, "build")
    with tempfile.TemporaryDirectory(prefix="bench-", dir=parent) as folder:
        try:
            run(settings, os.path.join(folder, "data"))
        except stand.Failure as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 1
    return 0


def run(settings, data):
    with systems.Stator(data, flags=["--admin"]).ready() as server:
        now = move_clock(server, freeze=True)
        expiry = int(now) + HOURS
        create_table(server)
        rate = load_items(server, settings.items, expiry)
        print(f"{settings.items:,} items of one expiry time, one global index, "
              f"{settings.writers} writers; loaded at {rate:,.0f} items/s")

        writers = Writers(server, settings.writers, expiry + 1000 * HOURS)
        time.sleep(settings.seconds)
        show("before", writers.take())

        started = time.monotonic()
        move_clock(server, advance=HOURS + 1)
        watch = server.client()
        while counts_of(watch)[0] > sum(writers.written) + settings.writers:
            time.sleep(0.1)
        took = time.monotonic() - started
        show("while expiring", writers.take())
        print(f"  expired          {settings.items / took:,.0f} items/s, {took:.1f} s")
        time.sleep(settings.seconds)
        show("after", writers.take())
        check_counts(watch, writers.stop())


def show(name, latencies):
    if len(latencies) < 2:
        raise stand.Failure(f"{name}: nothing was written")
    ordered = sorted(latencies)
    at = {name: ordered[int(len(ordered) * share)] * 1000
          for name, share in (("p50", .5), ("p99", .99), ("p99.9", .999))}
    print(f"  {name:<16} {len(ordered):>8,} puts, mean {statistics.mean(ordered) * 1000:.2f} ms, "
          + ", ".join(f"{name} {value:.2f} ms" for name, value in at.items())
          + f", max {ordered[-1] * 1000:.1f} ms")


def move_clock(server, **members):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/_stator/clock",
                                     json.dumps(members).encode(), method="POST")
    with urllib.request.urlopen(request) as response:
        return json.load(response)["now"]


def create_table(server):
    with server.client() as client:
        client.call("CreateTable", TableName="items", BillingMode="PAY_PER_REQUEST",
                    AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"}
                                          for name in ("id", "kind")],
                    KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
                    GlobalSecondaryIndexes=[{
                        "IndexName": "by-kind", "Projection": {"ProjectionType": "KEYS_ONLY"},
                        "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}]}])
        client.call("UpdateTimeToLive", TableName="items",
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})


def item(name, expiry):
    return {"id": {"S": name}, "kind": {"S": name.partition("-")[0]}, "text": {"S": "x" * 100},
            "expires": {"N": str(expiry)}}


def load_items(server, count, expiry):
    def load(first):
        with server.client() as client:
            for start in range(first * BATCH, count, LOADERS * BATCH):
                writes = [{"PutRequest": {"Item": item(f"expires-{i}", expiry)}}
                          for i in range(start, min(start + BATCH, count))]
                client.call("BatchWriteItem", RequestItems={"items": writes})

    started = time.monotonic()
    threads = [threading.Thread(target=load, args=(first,)) for first in range(LOADERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return count / (time.monotonic() - started)


class Writers:
    """Threads that put one item after another and note how long each took."""

    def __init__(self, server, count, expiry):
        self.stopping = False
        self.latencies = [[] for _ in range(count)]
        self.written = [0] * count
        self.threads = [threading.Thread(target=self.write, args=(server, number, expiry))
                        for number in range(count)]
        for thread in self.threads:
            thread.start()

    def write(self, server, number, expiry):
        with server.client() as client:
            while not self.stopping:
                name = f"stays-{number}-{self.written[number]}"
                started = time.monotonic()
                client.call("PutItem", TableName="items", Item=item(name, expiry))
                self.latencies[number].append(time.monotonic() - started)
                self.written[number] += 1

    def take(self):
        taken, self.latencies = self.latencies, [[] for _ in self.threads]
        time.sleep(0.1)  # those that were under way
        return [latency for each in taken for latency in each]

    def stop(self):
        self.stopping = True
        for thread in self.threads:
            thread.join()
        return sum(self.written)


def counts_of(client):
    """Of the table and of its index."""
    table = client.call("DescribeTable", TableName="items")["Table"]
    return table["ItemCount"], table["GlobalSecondaryIndexes"][0]["ItemCount"]


def check_counts(client, expected):
    counts = counts_of(client)
    if counts != (expected, expected):
        raise stand.Failure(f"{expected} items are left, the counts say {counts}")
    print(f"  counts exact     {expected:,} items in table and index")


if __name__ == "__main__":
    sys.exit(main())
