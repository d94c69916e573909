# SPDX-License-Identifier: Apache-2.0
"""Figures of whole servers, on all cores: durable writes, start, memory, loading, size of tables."""
import json
import os
import time

import limits
import load
import stand
import systems
import workload
from limits import LOADERS
from load import BATCH, RANDOM, SEQUENCE, Load, measure
from report import median, spread
from stand import Failure
from systems import Stator
from workload import fill, fill_items, item_of, make_table

CONNECTIONS = 32
GROUP_GOAL = 8
START_DISK_GOAL_MS, START_MEMORY_GOAL_MS = 20, 8
IDLE_GOAL_MB = 20
SIZE_GOAL = 1.5           # p50 of the largest table over that of one of 10,000
REDIS_GOALS = {64: 0.5, 256: 0.7}
ROCKSDB_GOAL = 0.5
PEER_FILL_SECONDS = 15    # a peer that has not loaded a table by then has no larger one
COMPACTION_SECONDS_MAX = 120


def sync_latencies(folder, seconds):
    """What the disk takes to append 400 bytes to a file and sync it, in seconds."""
    took = []
    with open(os.path.join(folder, "sync"), "wb", buffering=0) as file:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end or not took:
            started = time.perf_counter()
            file.write(b"x" * 400)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - started)
    return sorted(took)


def describe_sync(report, label, took):
    """How fast the disk syncs; the rate is what one writer without group commit could reach."""
    us = [t * 1e6 for t in took]
    report.line(label, f"median {median(us):,.0f} us, p90 {us[len(us) * 9 // 10]:,.0f} us, "
                f"{len(us) / sum(took):,.0f}/s", median_us=median(us), rate=len(us) / sum(took))


def figure_put(settings, report, folder):
    """Group commit: what 64 writers reach that one does not, and what Redis reaches."""
    counts = (1, 64, 256)
    report.title("put", "durable PutItem of new 300-byte items", durability="sync",
                 connections="/".join(map(str, counts)), threads="default",
                 redis="appendonly yes, appendfsync always; SET by redis-benchmark")
    runs, redis, syncs = {count: [] for count in counts}, {count: [] for count in counts}, []
    for turn in range(settings.rounds):
        for count in counts:
            place = os.path.join(folder, f"{turn}-{count}")
            runs[count].append(durable_puts(place, count, settings.seconds / 2))
            if systems.redis_is_there() and not settings.small:
                redis[count].append(limits.redis_sets(place + "-redis", count,
                                                      settings.seconds / 2))
        syncs += sync_latencies(folder, settings.seconds / 6)
    describe_sync(report, "write + fdatasync of this disk", sorted(syncs))
    for count in counts:
        label = f"{count} connection{'s' if count > 1 else ''}"
        report.rounds(label, runs[count])
        if redis[count]:
            report.rounds(f"Redis, {label}", redis[count])
    judge_puts(report, runs, redis)


def judge_puts(report, runs, redis):
    for count in (64, 256):
        ratios = [b["rate"] / a["rate"] for a, b in zip(runs[1], runs[count])]
        report.line(f"{count} over 1", spread(ratios), ratios=ratios)
        if count == 64:
            report.goal("rate, 64 connections over 1", median(ratios), "", GROUP_GOAL, False)
    for count, goal in REDIS_GOALS.items():
        ratios = [a["rate"] / b["rate"] for a, b in zip(runs[count], redis[count])]
        if ratios:
            report.line(f"{count} connections over Redis", spread(ratios), ratios=ratios)
            report.goal(f"rate over Redis's, {count} connections", median(ratios), "", goal, False)


def durable_puts(place, count, seconds):
    with Stator(place).ready() as server, server.client() as client:
        make_table(client, "items")
        run = measure(server, workload.put_load("items"), count, seconds)
        check_puts(client, run, count)
    return run


def check_puts(client, run, connections):
    """Every answered put is an item; those under way at the end may be one too."""
    count = workload.item_count(client, "items")
    if not run["requests"] <= count <= run["requests"] + connections:
        raise Failure(f"{count} items after {run['requests']} answered puts")
    # wrk keeps the first request, number 0, for itself: to see what kind of script it has.
    for number in (1, run["requests"] // 2, run["requests"] - connections):
        key = {"id": {"S": f"{max(number, 1):012}"}}
        if not workload.is_item(client.call("GetItem", TableName="items", Key=key)):
            raise Failure(f"item {number} is missing")


# ---- Start ------------------------------------------------------------------------------------


def first_answer_ms(server, operation, body):
    """From before the process is spawned to its first answer."""
    with server.wait_for_port() as connection:
        headers = load.headers_of(operation, server.port, len(body))
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        connection.sendall(f"POST / HTTP/1.1\r\n{lines}\r\n{body}".encode())
        answer = connection.recv(65536)
        took = time.perf_counter() - server.started
    if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.0 200")):
        raise Failure(f"the first answer is {answer[:200]}")
    return took * 1000


def figure_start(settings, report, folder):
    """How long a start takes, and how much memory a server holds that does nothing."""
    starts = 3 if settings.small else 40
    data = os.path.join(folder, "data")
    with Stator(data).ready() as server:
        fill_items(server, 1000)
    key = json.dumps({"TableName": "items", "Key": {"id": {"S": f"{7:012}"}}})
    report.title("start", "start to first answer, and idle memory", starts=starts,
                 data="1,000 items of 300 bytes", threads="default")
    cases = (("on disk, GetItem", data, "GetItem", key, START_DISK_GOAL_MS),
             ("in memory, ListTables", None, "ListTables", "{}", START_MEMORY_GOAL_MS))
    for label, where, operation, body, goal in cases:
        took, idle, stops = [], [], []
        for _ in range(starts):
            with Stator(where) as server:
                took.append(first_answer_ms(server, operation, body))
                idle.append(stand.resident_mb(server.pid))
                stops.append(server.stop() * 1000)
        took.sort()
        p90 = took[(len(took) * 9 - 1) // 10]
        report.line(label, f"median {median(took):.1f} ms, p90 {p90:.1f} ms; "
                    f"idle {median(idle):.1f} MB; SIGTERM to exit {median(stops):.0f} ms",
                    took_ms=took, idle_mb=idle, stop_ms=stops)
        report.goal(f"{label}, median", median(took), " ms", goal)
        report.goal(f"{label}, idle memory", median(idle), " MB", IDLE_GOAL_MB)
        used = memory_after_requests(where)
        report.line("  after 1,000 requests", f"{used:.1f} MB", mb=used)
    for column in report.columns:
        if column.family != "stator":
            start_of_peer(report, column, folder)


def start_of_peer(report, column, folder):
    """With no data: what it holds is its own."""
    took, idle = [], []
    for turn in range(3):
        place = os.path.join(folder, f"start-{turn}")
        os.makedirs(place, exist_ok=True)
        with column.start(place) as server:
            took.append(first_answer_ms(server, "ListTables", "{}"))
            idle.append(stand.resident_mb(server.pid))
    report.line(f"{column.name}, ListTables", f"{spread(took, 0)} ms; idle {median(idle):.1f} MB",
                took_ms=took, idle_mb=idle)


def memory_after_requests(where):
    """A server's memory after 500 writes and 500 reads of one client."""
    with Stator(where).ready() as server, server.client() as client:
        make_table(client, "visits")
        for number in range(500):
            item = item_of(f"{number:012}")
            client.call("PutItem", TableName="visits", Item=item)
            answer = client.call("GetItem", TableName="visits", Key={"id": item["id"]})
            if answer.get("Item") != item:
                raise Failure(f"not what was put: {answer}")
        client.call("DeleteTable", TableName="visits")
        return stand.resident_mb(server.pid)


# ---- Loading ----------------------------------------------------------------------------------


def figure_load(settings, report, folder):
    """A million items: time, memory and disk, and what the engine alone would take."""
    count = 2_000 if settings.small else 1_000_000
    report.title("load", "loading 300-byte items by BatchWriteItem", items=f"{count:,}",
                 connections=LOADERS, threads="default", durability="sync",
                 peers=f"for {settings.seconds * 2:g} s; a million in what that rate would take")
    stator = load_stator(report, folder, count)
    engine = limits.rocksdb_load(folder, count)
    if engine:
        report.line("RocksDB alone", engine.pop("text"), **engine)
        # Which is not asked for what it does after the last item.
        report.goal("items per CPU second over RocksDB's alone",
                    engine["cpu_us"] / stator["loaded_cpu_us"], "", ROCKSDB_GOAL, is_most=False)
        report.line("items per second over RocksDB's", f"{stator['rate'] / engine['rate']:.2f}")
    else:
        report.line("RocksDB alone", "left out: there is no build/release/bench/rocksdb_load")
    for column in report.columns:
        if column.family != "stator":
            load_peer(report, column, folder, settings.seconds * 2)


def load_stator(report, folder, count):
    for column in report.columns:
        if column.family != "stator":
            continue
        with column.start(folder).ready() as server:
            idle = stand.resident_mb(server.pid)
            before = stand.cpu_seconds(server.pid)
            rate = fill_items(server, count)
            loaded = stand.cpu_seconds(server.pid)
            rested = stand.wait_until_quiet(server.pid, COMPACTION_SECONDS_MAX)
            found = {"rate": rate, "cpu_us": (rested - before) * 1e6 / count, "items": count,
                     "loaded_cpu_us": (loaded - before) * 1e6 / count, "idle_mb": idle}
            describe_load(report, column, server, found)
        if column.name == "stator":
            ours = found
    return ours


def load_peer(report, column, folder, seconds):
    work = workload.batch_work("items")
    with column.start(folder).ready() as server:
        idle = stand.resident_mb(server.pid)
        with server.client() as client:
            make_table(client, "items")
        warm = measure(server, work.load, LOADERS, column.warm_seconds)
        run = measure(server, work.load, LOADERS, seconds)
        found = {"rate": run["rate"] * BATCH, "cpu_us": run["cpu_us"] / BATCH, "idle_mb": idle,
                 "items": (warm["requests"] + run["requests"]) * BATCH}
        describe_load(report, column, server, found)


def describe_load(report, column, server, found):
    found["mb"] = stand.resident_mb(server.pid)
    text = (f"{found['rate']:,.0f} items/s, {found['cpu_us']:.1f} us CPU an item"
            + (f" ({found['loaded_cpu_us']:.1f} until the last)" if "loaded_cpu_us" in found else "")
            + f", a million in {1e6 / found['rate']:,.0f} s; "
            f"with {found['items']:,} items {found['mb']:,.0f} MB")
    if server.data:
        found["disk_share"] = stand.disk_bytes(server.data) / found["items"] / workload.ITEM_BYTES
        text += f", {found['disk_share']:.2f} bytes on disk a byte of item"
    report.line(column.name, text, **found)


# ---- Size of tables ---------------------------------------------------------------------------


def figure_counts(settings, report, folder):
    """The same requests to tables of very different sizes."""
    counts = (100, 1000) if settings.small else tuple(10**power for power in range(3, 8))
    columns = [each for each in report.columns if each.name == each.family]
    report.title("counts", "GetItem and PutItem in tables of many 300-byte items",
                 sizes="/".join(f"{count:,}" for count in counts), connections=CONNECTIONS,
                 cores=1, storage="disk", latency="p50 of 1 connection",
                 peers=f"as large as they load in {PEER_FILL_SECONDS} s")
    for column in columns:
        with column.start(folder, stand.cores()[0]).ready() as server:
            if column.family == "stator":
                loaded = fill_counts(report, server, counts)
            else:
                loaded = fill_peer(report, column, server, counts)
            measure_counts(settings, report, column, server, loaded)


def fill_counts(report, server, counts):
    for count in counts:
        with server.client() as client:
            make_table(client, f"items-{count}")
        rate = fill(server, f"items-{count}", count, item_of(SEQUENCE))
        report.line(f"load of {count:,}", f"{rate:,.0f} items/s", rate=rate)
    stand.wait_until_quiet(server.pid, COMPACTION_SECONDS_MAX)
    return counts


def fill_peer(report, column, server, counts):
    """The sizes that it loads in the time."""
    done = []
    for count in counts:
        loaded = workload.make_items(server, f"items-{count}", count, seconds=PEER_FILL_SECONDS)
        if loaded < count:
            report.line(f"{column.name}, load of {count:,}",
                        f"no more than {loaded:,} in {PEER_FILL_SECONDS} s", loaded=loaded)
            break
        done.append(count)
    return done


def measure_counts(settings, report, column, server, counts):
    works = []
    for count in counts:
        table = f"items-{count}"
        works += [(("GetItem", count), workload.Work("GetItem", workload.get_load(count, table),
                                                     workload.is_item)),
                  (("PutItem", count), workload.Work("PutItem", workload.overwrite_load(
                      count, table), workload.is_done))]
    alone, many = {}, {}
    for turn in range(min(settings.rounds, 3)):
        for place, work in works:
            if turn == 0:
                work.load.try_out(server, work.check)
                measure(server, work.load, CONNECTIONS, max(column.warm_seconds, 0.1))
            many.setdefault(place, []).append(
                measure(server, work.load, CONNECTIONS, settings.seconds / 4))
            alone.setdefault(place, []).append(
                measure(server, work.load, 1, settings.seconds / 4))
    for (name, count), runs in many.items():
        p50 = [run["p50_us"] for run in alone[name, count]]
        report.line(f"{column.name}, {name} among {count:,}",
                    f"{spread([run['cpu_us'] for run in runs])} us CPU, p50 {spread(p50, 0)} us",
                    many=runs, one=alone[name, count])
    if column.family == "stator":
        judge_counts(report, alone, min(max(counts), 10**4), max(counts))


def judge_counts(report, alone, small, large):
    for name in ("GetItem", "PutItem"):
        first, last = (median([run["p50_us"] for run in alone[name, count]])
                       for count in (small, large))
        report.goal(f"{name}, p50 among {large:,} over that among {small:,}", last / first, "",
                    SIZE_GOAL)


def figure_query(settings, report, folder):
    """The same read in partitions of very different sizes."""
    sizes = (100, 1000) if settings.small else (1_000, 100_000, 1_000_000)
    core, _ = stand.cores()
    report.title("query", "Query of 10 items, and GetItem, in a partition of many 300-byte items",
                 sizes="/".join(f"{size:,}" for size in sizes), connections=CONNECTIONS, threads=1,
                 storage="disk", latency="p50 of 1 connection")
    with Stator(os.path.join(folder, "data"), core, ["--threads", "1"]).ready() as server:
        loads = {}
        for size in sizes:
            with server.client() as client:
                make_table(client, f"partition-{size}", "sort")
            rate = fill(server, f"partition-{size}", size,
                        {**item_of("all"), "sort": {"S": SEQUENCE}})
            report.line(f"load of {size:,}", f"{rate:,.0f} items/s by BatchWriteItem", rate=rate)
            loads[size] = partition_loads(size)
        for kind in (0, 1):
            measure_sizes(settings, report, server, {s: pair[kind] for s, pair in loads.items()})


def partition_loads(size):
    """What is measured, each with the check of its answers."""
    name = f"partition-{size}"
    query = Load("Query", {
        "TableName": name, "Limit": 10,
        "KeyConditionExpression": "id = :id AND sort >= :first",
        "ExpressionAttributeValues": {":id": {"S": "all"}, ":first": {"S": RANDOM}},
    }, random_max=size - 10)
    get = Load("GetItem", {"TableName": name, "Key": {"id": {"S": "all"}, "sort": {"S": RANDOM}}},
               random_max=size)
    return ((query, lambda answer: answer["Count"] == 10), (get, lambda answer: "Item" in answer))


def measure_sizes(settings, report, server, loads):
    """Alternates between the sizes, once with many connections for CPU and once with one."""
    many, one = {size: [] for size in loads}, {size: [] for size in loads}
    checksums = {size: request.try_out(server, check).checksum
                 for size, (request, check) in loads.items()}
    for _ in range(min(settings.rounds, 3)):
        for size, (request, _) in loads.items():
            many[size].append(measure(server, request, CONNECTIONS, settings.seconds / 3))
            one[size].append(measure(server, request, 1, settings.seconds / 3))
    operation = next(iter(loads.values()))[0].operation
    for size in loads:
        cpu = [run["cpu_us"] for run in many[size]]
        p50 = [run["p50_us"] for run in one[size]]
        report.line(f"{operation} among {size:,}",
                    f"{spread(cpu)} us CPU, p50 {spread(p50, 0)} us, "
                    f"{median([run['rate'] for run in many[size]]):,.0f}/s, "
                    f"checksum {checksums[size]}",
                    many=many[size], one=one[size], checksum=checksums[size])
    first, last = (median([run["cpu_us"] for run in many[size]])
                   for size in (min(loads), max(loads)))
    report.line(f"{operation}, largest over smallest", f"{last / first:.2f}", ratio=last / first)


def figure_after(settings, report, folder):
    """What a server holds, and how it ends, when a lot has gone through it."""
    count = 2_000 if settings.small else 500_000
    report.title("after", "after a heavy load: memory, and the time to stop", items=f"{count:,}",
                 bodies="16 of 12 MB", threads="default")
    with Stator(os.path.join(folder, "data")).ready() as server:
        report.line("idle", f"{stand.resident_mb(server.pid):.1f} MB")
        rate = fill_items(server, count)
        report.line("loaded", f"{stand.resident_mb(server.pid):.1f} MB, {rate:,.0f} items/s",
                    mb=stand.resident_mb(server.pid), rate=rate)
        send_large_batches(server, 2 if settings.small else 16)
        report.line("and large batches", f"{stand.resident_mb(server.pid):.1f} MB",
                    mb=stand.resident_mb(server.pid))
        measure(server, workload.get_load(count), CONNECTIONS, settings.seconds)
        time.sleep(settings.seconds)
        report.line("and reads, and a rest", f"{stand.resident_mb(server.pid):.1f} MB",
                    mb=stand.resident_mb(server.pid))
        took = server.stop() * 1000
        report.line("SIGTERM to exit", f"{took:.0f} ms", stop_ms=took)


def send_large_batches(server, count):
    """Bodies near the limit of a request, each of 25 items of nearly 400 KB and a bit more."""
    clients = [server.client() for _ in range(4)]
    text = "x" * 399_000
    for number in range(count):
        writes = [{"PutRequest": {"Item": {"id": {"S": f"large-{i}"}, "text": {"S": text}}}}
                  for i in range(BATCH)]
        answer = clients[number % len(clients)].call("BatchWriteItem",
                                                     RequestItems={"items": writes})
        if answer != {"UnprocessedItems": {}}:
            raise Failure("a large batch was not written whole")
    for client in clients:
        client.http.close()
