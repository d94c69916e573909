# SPDX-License-Identifier: Apache-2.0
"""What writers notice of a million items that expire at once."""
import json
import os
import time
import urllib.request

import load
import stand
import workload
from load import RANDOM, SEQUENCE, Load, Wrk, measure
from stand import Failure
from systems import Stator

CONNECTIONS = 16
STAYING = 1_000        # items that do not expire: the writers', again and again
HOURS = 3600
EXPIRY_SECONDS = 1200  # something is wrong when a million items take longer
POLL_SECONDS = 0.05


def figure_ttl(settings, report, folder):
    """Latencies of PutItem before, while all other items of the table expire, and after. The time
    comes by the administrative clock."""
    count = 5_000 if settings.small else 1_000_000
    report.title("ttl", "PutItem while items expire", expiring=f"{count:,}", written=f"{STAYING:,}",
                 connections=CONNECTIONS, indexes=1, threads="default", durability="sync")
    with Stator(os.path.join(folder, "data"), flags=["--admin"]).ready() as server:
        expiry = int(move_clock(server, freeze=True)) + HOURS
        make_table(server)
        workload.load.put_items(server, "items", (
            item(f"stays-{number:012}", expiry + 1000 * HOURS) for number in range(STAYING)))
        rate = workload.fill(server, "items", count, item(SEQUENCE, expiry), STAYING)
        report.line("loaded", f"{rate:,.0f} items/s", rate=rate)
        writes = writers_load(expiry + 1000 * HOURS)
        writes.try_out(server, workload.is_done)

        before = measure(server, writes, CONNECTIONS, settings.seconds)
        expiring, took = measure_expiry(server, writes)
        after = measure(server, writes, CONNECTIONS, settings.seconds)
        describe(report, count, took, {"before": before, "while they expire": expiring,
                                       "after": after})
        expect_counts(server)


def writers_load(expiry):
    return Load("PutItem", {"TableName": "items", "Item": item(f"stays-{RANDOM}", expiry, SEQUENCE)},
                random_max=STAYING, fresh=workload.WRITES, marked="note")


def measure_expiry(server, writes):
    """A run of the load that lasts until the expired items are gone, and how long that took."""
    _, core = stand.cores()
    load.rest(server, 1)
    with server.client() as watch, Wrk(writes, server, CONNECTIONS, core) as wrk:
        wrk.wait_until_sending()
        started = time.perf_counter()
        move_clock(server, advance=HOURS + 1)
        while workload.item_count(watch, "items") > STAYING:
            if time.perf_counter() - started > EXPIRY_SECONDS:
                raise Failure(f"{workload.item_count(watch, 'items')} items do not expire")
            time.sleep(POLL_SECONDS)
        took = time.perf_counter() - started
        run = wrk.finish()
    writes.sent(server, run["requests"] + CONNECTIONS + 1)
    return {**run, "rate": run["requests"] * 1e6 / run["duration_us"]}, took


def describe(report, count, took, runs):
    for label, run in runs.items():
        report.line(f"PutItem {label}", f"{run['rate']:,.0f}/s, p50 {run['p50_us'] / 1000:.2f} ms, "
                    f"p99 {run['p99_us'] / 1000:.2f} ms, longest {run['max_us'] / 1000:.1f} ms",
                    run=run)
    report.line("expired", f"{count / took:,.0f} items/s, all in {took:.1f} s",
                rate=count / took, seconds=took)
    before, expiring, _ = runs.values()
    ratios = {name: expiring[f"{name}_us"] / before[f"{name}_us"] for name in ("p50", "p99")}
    report.line("while they expire, over before", ", ".join(
        f"{name} {ratio:.2f}" for name, ratio in ratios.items()), **ratios)


def move_clock(server, **members):
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}/_stator/clock",
                                     json.dumps(members).encode(), method="POST")
    with urllib.request.urlopen(request) as response:
        return json.load(response)["now"]


def make_table(server):
    """Its index has an entry of every item, which goes with it."""
    with server.client() as client:
        workload.make_table(client, "items", indexes=[("kind",)])
        client.call("UpdateTimeToLive", TableName="items",
                    TimeToLiveSpecification={"Enabled": True, "AttributeName": "expires"})


def item(key, expiry, mark=workload.UNMARKED):
    return {**workload.item_of(key, mark), "kind": {"S": "visit"}, "expires": {"N": str(expiry)}}


def expect_counts(server):
    """That exactly those are left that were to stay."""
    with server.client() as client:
        table = client.call("DescribeTable", TableName="items")["Table"]
        counts = (table["ItemCount"], table["GlobalSecondaryIndexes"][0]["ItemCount"])
        left = len(client.call("Scan", TableName="items", ProjectionExpression="id")["Items"])
    if counts != (STAYING, STAYING) or left != STAYING:
        raise Failure(f"{STAYING} items are to stay, {left} are left and the counts say {counts}")
