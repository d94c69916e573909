# SPDX-License-Identifier: Apache-2.0
"""Stator beside its peers: every operation, and one dimension after the other.

All systems run at once and are measured in turns, each kept on the first core. The floor of an
operation is nginx, answering the same request with the same bytes out of memory.
"""
import contextlib
import time

import load
import stand
import systems
import table
import workload
from report import median
from systems import Nginx, running
from workload import ITEMS, Work

CONNECTIONS = 32
TURNS, DIMENSION_TURNS = 3, 2
ANSWERS_MIN = 10     # on each connection, for how many were under way not to matter
LONGER_MAX = 4       # times the seconds of a run, for that
LOOK_SECONDS = 2     # of looking at a slow peer's answers
SPARE = 1.5          # more items than a load that takes them away is thought to need
FLOOR_GOALS = {"GetItem": 1.7, "Query of 10": 2.5}
SIZES = (100, 1_000, 10_000, 100_000)
CONNECTION_COUNTS = (1, 8, 64, 512)


class Stage:
    """Servers that run and how long each is measured."""

    def __init__(self, settings, columns, servers, folder):
        self.settings = settings
        self.columns = columns
        self.servers = servers
        self.folder = folder
        self.rounds = min(settings.rounds, TURNS)
        self.seconds = settings.seconds / 4

    def cells(self, work, connections=CONNECTIONS):
        """One row: the runs of each system by name, or why it has none."""
        row = {"name": work.name, "connections": connections, "cells": {}}
        started = time.monotonic()
        answer = None
        for column in self.columns:
            cell = row["cells"][column.name] = {"runs": [], "is_ours": column.family == "stator"}
            try:
                first = self.look(work, column, cell)
            except (stand.Failure, KeyError, TypeError) as failure:
                give_up(column, cell, table.NOT_SUPPORTED, failure)
                continue
            answer = answer or first
        if systems.nginx_binary():
            with Nginx([answer], self.folder, stand.cores()[0]) as nginx:
                nginx.ready()
                row["cells"]["nginx"] = {"runs": [], "bytes": len(answer)}
                self.run_rounds(work, connections, row["cells"], nginx)
        else:
            self.run_rounds(work, connections, row["cells"], None)
        row["seconds"] = time.monotonic() - started
        return row

    def look(self, work, column, cell):
        """Checks answers; returns the first."""
        server = self.servers[column.name]
        if work.is_consuming:
            workload.prepare_deletes(server, load.SAMPLES)
        patience = float("inf") if column.family == "stator" else LOOK_SECONDS
        look = work.load.try_out(server, work.check, patience)
        cell["checksum"], cell["bytes"] = look.checksum, len(look.first)
        # What is compiled while it runs becomes faster than this.
        if column.warm_seconds == 0:
            cell["rate"] = look.count / max(look.cpu, 1e-9)
        return look.first

    def run_rounds(self, work, connections, cells, nginx):
        for turn in range(self.rounds):
            for column in self.columns:
                cell = cells[column.name]
                if "failure" in cell:
                    continue
                try:
                    server = self.servers[column.name]
                    if turn == 0:
                        self.warm(work, connections, column, cell)
                    cell["runs"].append(self.run(work, connections, server, cell))
                except stand.Failure as failure:
                    give_up(column, cell, table.FAILED, failure)
            if nginx:
                cell = cells["nginx"]
                cell["runs"].append(load.measure(nginx, work.load, connections, self.seconds))
                load.expect_bodies(cell["runs"][-1], cell["bytes"])

    def warm(self, work, connections, column, cell):
        """As long as it needs to become fast; tells about how fast that is."""
        is_needed = not self.settings.small or work.is_consuming or column.warm_seconds > 0
        if not is_needed or self.is_slow(cell, connections):
            return
        seconds = max(column.warm_seconds, self.seconds / 4)
        try:
            server = self.servers[column.name]
            cell["rate"] = load.measure(server, work.load, connections, seconds)["rate"]
        except load.NoAnswer:
            cell["rate"] = 1 / seconds

    def is_slow(self, cell, connections):
        """Whether so little would be answered that it would matter how much of what is under way at
        the end of a run is done, which is paid for but only guessed. Stator never is."""
        return (not cell["is_ours"] and cell.get("rate", float("inf")) * LONGER_MAX * self.seconds
                < ANSWERS_MIN * connections)

    def run(self, work, connections, server, cell):
        """One turn, for longer where little is answered; one request at a time for the slowest."""
        rate = cell.get("rate", float("inf"))
        if self.is_slow(cell, connections):
            cell["is_alone"] = True
            if work.is_consuming:
                workload.prepare_deletes(server, int(rate * LONGER_MAX * self.seconds * 2) + 1)
            return load.measure_alone(server, work.load, LONGER_MAX * self.seconds)
        seconds = max(self.seconds, min(ANSWERS_MIN * connections / rate,
                                        LONGER_MAX * self.seconds))
        if not work.is_consuming:
            result = load.measure(server, work.load, connections, seconds)
        else:
            result = self.run_consuming(work, connections, server, rate)
        load.expect_bodies(result, cell["bytes"])
        return result

    def run_consuming(self, work, connections, server, rate):
        """Every request has to find its item: a run that outlasts them is repeated with more."""
        for _ in range(load.TRIES):
            count = int(rate * self.seconds * SPARE) + connections
            workload.prepare_deletes(server, count)
            result = load.measure(server, work.load, connections, self.seconds)
            if result["requests"] <= count:
                return result
            rate = result["rate"] * SPARE
        raise stand.Failure(f"{work.name}: no run was short enough for its items")


def give_up(column, cell, word, failure):
    """A peer may lack an operation, answer it wrongly or fail under load; Stator may not."""
    if column.family == "stator":
        raise stand.Failure(f"{column.name}: {failure}")
    cell.update(failure=str(failure), word=word, runs=[])


@contextlib.contextmanager
def stage_of(settings, columns, folder, prepare):
    """The columns' servers, with tables in them."""
    with running(columns, folder, stand.cores()[0], prepare) as servers:
        there = [column for column in columns if column.name in servers]
        yield Stage(settings, there, servers, folder)


# ---- The figures ------------------------------------------------------------------------------


def items_of(settings):
    return 1_000 if settings.small else ITEMS


def title_of(report, name, text, stage):
    report.title(name, text, connections=CONNECTIONS, items=f"{items_of(stage.settings):,}",
                 item_bytes=300, keys="uniform", cores=1, rounds=stage.rounds,
                 seconds=stage.seconds)
    for column in stage.columns:
        print(f"   {column.name:22}{column.durability}")


def say(report, row):
    """One line for what is known as soon as it is."""
    cells = table.cpu_medians(row)
    floor = f", {cells['nginx']:.1f} nginx" if "nginx" in cells else ""
    peers = "".join(f", {name} {cells[name]:.0f}" if name in cells else f", {name} -"
                    for name in row["cells"] if name not in ("stator", "nginx"))
    report.line(row["name"], f"{cells['stator']:.1f} us{floor}{peers}; {row['seconds']:.0f} s")


def figure_operations(settings, report, folder):
    """The table of ratios."""
    count = items_of(settings)
    with stage_of(settings, report.columns, folder,
                  lambda server: workload.make_all(server, count)) as stage:
        title_of(report, "operations", "CPU of one request, operation by operation", stage)
        rows = []
        for work in workload.operations(count):
            rows.append(stage.cells(work))
            say(report, rows[-1])
    report.compare("operations", rows)
    judge(report, rows, report.columns)


def judge(report, rows, columns):
    for row in rows:
        if row["name"] in FLOOR_GOALS and table.over_floor(row):
            report.goal(f"{row['name']}, CPU over nginx's", median(table.over_floor(row)), "",
                        FLOOR_GOALS[row["name"]])
    for comparison, judged in table.verdicts(rows, columns).items():
        whose = f"of the {comparison.best}'s CPU"
        shares, hopeless, above = table.counted(judged)
        report.goal(f"{comparison.ours}: operations of {shares[1]} at a quarter {whose} or less, "
                    f"{hopeless} being out of reach", shares[0], "", shares[1], is_most=False)
        if above[1]:
            report.goal(f"{comparison.ours}: operations of {above[1]} at a tenth {whose} above "
                        "the floor or less", above[0], "", above[1], is_most=False)


def figure_sizes(settings, report, folder):
    """Items of very different sizes."""
    sizes = SIZES[::3] if settings.small else SIZES

    def count_of(size):
        return min(items_of(settings),
                   (1 if settings.small else 10) * workload.LARGE_BYTES // size)

    def prepare(server):
        for size in sizes:
            workload.make_items(server, f"sized-{size}", count_of(size),
                                lambda key: workload.sized_item(key, size))

    works = []
    for size in sizes:
        def is_sized(answer, size=size):
            item = answer["Item"]
            return item == workload.sized_item(item["id"]["S"], size, workload.mark_of(item))
        name = f"sized-{size}"
        works += [Work(f"GetItem, {size:,} bytes", workload.get_load(count_of(size), name),
                       is_sized),
                  Work(f"PutItem, {size:,} bytes", workload.overwrite_load(
                      count_of(size), name,
                      workload.sized_item(load.RANDOM, size, load.SEQUENCE)),
                       workload.is_done)]
    dimension(settings, report, folder, "sizes", works, prepare=prepare)


def figure_connections(settings, report, folder):
    """One connection, and many."""
    works = [(Work(f"{name}, {count} connection{'s' * (count > 1)}", request, check), count)
             for name, request, check in pair(items_of(settings))
             for count in (CONNECTION_COUNTS[::3] if settings.small else CONNECTION_COUNTS)]
    dimension(settings, report, folder, "connections", *zip(*works))


def figure_keys(settings, report, folder):
    """Keys that are asked for equally often, and by Zipf's law."""
    works = []
    for is_zipf in (True,) if settings.small else (False, True):
        for name, request, check in pair(items_of(settings)):
            request.is_zipf = is_zipf
            works.append(Work(f"{name}, {'Zipf' if is_zipf else 'uniform'} keys", request, check))
    dimension(settings, report, folder, "keys", works)


def pair(count):
    return (("GetItem", workload.get_load(count), workload.is_item),
            ("PutItem", workload.overwrite_load(count), workload.is_done))


def dimension(settings, report, folder, name, works, counts=None, prepare=None):
    """Some works, on both Stators and the peers in memory, where they are fastest."""
    def make_items(server):
        workload.make_items(server, "items", items_of(settings))

    columns = [each for each in report.columns
               if each.family == "stator" or each.name == each.family]
    with stage_of(settings, columns, folder, prepare or make_items) as stage:
        stage.rounds = min(stage.rounds, DIMENSION_TURNS)
        title_of(report, name, f"CPU of one request, {name} varied", stage)
        rows = []
        for work, count in zip(works, counts or [CONNECTIONS] * len(works)):
            rows.append(stage.cells(work, count))
            say(report, rows[-1])
    report.compare(name, rows)
