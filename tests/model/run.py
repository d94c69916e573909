#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The model-based test: random operations against a server and a model that have to agree.

    tests/model/run.py [--operations N] [--seed S] [--workers W] [--endpoint URL]
    tests/model/run.py --restart term|kill|midway [--phases P]
    tests/model/run.py --replay FILE

Each worker plays runs of operations on tables of its own. A run that fails is shortened and
printed; it is kept as a file that --replay plays again. With --restart the server keeps its data on
disk and is ended between phases: by SIGTERM, by SIGKILL, or by SIGKILL while requests are going on.
"""
import argparse
import json
import multiprocessing
import os
import random
import sys
import tempfile
import time
import traceback
import urllib.parse

from differ import Mismatch
from generate import ROOT, Generator
from material import Material, Schema, describe_schema
from play import Player
from shrink import Shrinker, drop, replay, script
from wire import Connection, Lost, Server

RUN_OPERATIONS = 300
FAILURES_MAX = 3
BATCH = 25
# Kinds of runs: the sizes of the key pools, items to begin with, whether items are large, and how
# much of a run's operations there are.
KINDS = (((3, 6), 10, False, 1), ((5, 8), 25, False, 1), ((1, 12), 10, False, 1),
         ((20, 3), 25, False, 1), ((8, 40), 0, False, 1), ((2, 60), 75, False, 1),
         ((60, 60), 1000, False, 0.5), ((3, 30), 25, True, 0.15), ((20, 20), 75, True, 0.1))
KIND_WEIGHTS = (25, 25, 15, 10, 10, 10, 1, 3, 2)
FAILURES = os.path.join(ROOT, "build", "model-failures")
REPORT_SECONDS = 30


class Run:
    """Random tables and random operations on them, all from one seed."""

    def __init__(self, connection, seed):
        self.seed = seed
        self.random = random.Random(seed)
        material = Material(self.random)
        sizes, self.fill, heavy, self.share = self.random.choices(KINDS, KIND_WEIGHTS)[0]
        schemas = [Schema(material, sizes) for _ in range(self.random.choice((1, 2, 2, 3)))]
        tables = [schema.table() for schema in schemas]
        self.described = [describe_schema(table) for table in tables]
        self.player = Player(connection, tables, f"model{os.getpid()}")
        self.generator = Generator(material, schemas, tables, heavy)
        self.operations = []
        self.failure = None

    def guarded(self, step):
        """Does the step; False, and self.failure is set, when server and model do not agree."""
        try:
            step()
            return True
        except Mismatch as mismatch:
            self.fail(str(mismatch))
        except Lost as lost:
            self.fail(f"the server went away\n  {lost}")
        return False

    def fail(self, text):
        self.failure = {"seed": self.seed, "text": text, "schemas": self.described,
                        "operations": self.operations}

    def step(self):
        """One random operation; while an index comes or goes mostly one that need not wait."""
        is_moving = self.player.is_moving()
        cautious = is_moving and self.random.random() < 0.9
        if is_moving and not cautious:
            self.player.settle_all()
        self.take(self.generator.operation(cautious))

    def take(self, operation):
        self.operations.append(operation)
        self.player.play(operation)

    def begin(self):
        """The tables, with their first items."""
        self.player.create()
        for t, table in enumerate(self.player.tables):
            for _ in range(-(-self.fill // BATCH)):
                count = min(BATCH, self.fill, self.generator.schemas[t].room())
                self.take(self.generator.filling(t, count))

    def play(self, count):
        """From creation to deletion; how many operations there were."""
        if self.guarded(self.begin):
            for _ in range(max(1, int(count * self.share))):
                if not self.guarded(self.step):
                    break
            else:
                if self.guarded(self.player.check_all):
                    self.guarded(self.player.drop)
        if self.failure:
            drop(self.player)
        return len(self.operations)


def seeds_from(seed, worker):
    """The seeds of a worker's runs: each can be played alone."""
    number = 0
    while True:
        yield f"{seed}-{worker}-{number}"
        number += 1


# ---- Playing on --------------------------------------------------------------------------------


def work(settings, worker, operations, results):
    """One worker, which says so when it breaks."""
    try:
        work_on(settings, worker, operations, results)
    except BaseException:
        results.put(traceback.format_exc())
        raise


def work_on(settings, worker, operations, results):
    """Runs until so many operations have been played."""
    connection = Connection(*settings.address)
    for seed in seeds_from(settings.seed, worker):
        run = Run(connection, seed)
        requests = connection.requests
        count = run.play(min(settings.run_operations, operations))
        results.put((count, connection.requests - requests, run.failure))
        operations -= count
        if operations <= 0:
            break
        if run.failure and "went away" in run.failure["text"]:
            time.sleep(1)
    results.put(None)


class Tally:
    def __init__(self):
        self.operations = self.requests = 0
        self.started = self.reported = time.monotonic()

    def add(self, operations, requests):
        self.operations += operations
        self.requests += requests
        if time.monotonic() - self.reported > REPORT_SECONDS:
            self.reported = time.monotonic()
            print(self, flush=True)

    def __str__(self):
        seconds = max(time.monotonic() - self.started, 0.001)
        return (f"{self.operations} operations, {self.requests} requests in {seconds:.0f} s: "
                f"{self.operations / seconds:.0f} operations/s")


def play_on(settings):
    """All workers to their end; the failures, shortened."""
    results = multiprocessing.Queue()
    share = -(-settings.operations // settings.workers)
    workers = [multiprocessing.Process(target=work, args=(settings, number, share, results))
               for number in range(settings.workers)]
    for worker in workers:
        worker.start()
    tally, failures, ended = Tally(), [], 0
    while ended < len(workers) and len(failures) < settings.failures:
        result = results.get()
        if result is None:
            ended += 1
            continue
        if isinstance(result, str):
            stop(workers)
            raise RuntimeError(f"a worker broke\n{result}")
        tally.add(*result[:2])
        if result[2]:
            failures.append(result[2])
            report(settings, result[2])
    stop(workers if len(failures) >= settings.failures else [])
    for worker in workers:
        worker.join()
    print(f"{tally}, {len(failures)} failures, seed {settings.seed}")
    return failures


def stop(workers):
    for worker in workers:
        worker.terminate()


def report(settings, failure):
    """Shortens, prints and keeps a failure."""
    def connect():
        if settings.server is not None and not settings.server.is_running():
            settings.server.start()
        return Connection(*settings.address)

    before = len(failure["operations"])
    failure["operations"] = Shrinker(connect, failure).run()
    os.makedirs(FAILURES, exist_ok=True)
    path = os.path.join(FAILURES, f"{failure['seed']}.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(failure, file, ensure_ascii=True)
    print("---- FAILURE", "" if failure["reproduced"] else "(did not come again)")
    print(script(failure))
    print(f"---- {len(failure['operations'])} of {before} operations; again with:\n"
          f"tests/model/run.py --replay {os.path.relpath(path, ROOT)}", flush=True)


def play_again(settings):
    with open(settings.replay, encoding="utf-8") as file:
        failure = json.load(file)
    text = replay(lambda: Connection(*settings.address), failure, failure["operations"])
    print(text or "server and model agree")
    return [failure] if text else []


# ---- Ending the server -------------------------------------------------------------------------


def serve_phases(settings, worker, pipe):
    """One worker whose tables outlive the server: does what it is told through the pipe."""
    connection = Connection(*settings.address)
    run = Run(connection, f"{settings.seed}-{worker}-0")
    run.guarded(run.begin)
    while (order := pipe.recv()) != "end":
        before = len(run.operations)
        if order == "check":
            connection.close()
            run.guarded(run.player.reconcile)
        elif run.failure is None:
            play_phase(run, order)
        pipe.send((len(run.operations) - before, run.failure))


def play_phase(run, order):
    """So many operations; in the phase that is cut short, until the server is gone."""
    count, is_cut = order
    try:
        for _ in range(count):
            run.step()
    except Mismatch as mismatch:
        run.fail(str(mismatch))
    except Lost as lost:
        if not is_cut:
            run.fail(f"the server went away\n  {lost}")


def play_phases(settings):
    tally = Tally()
    pipes = []
    workers = []
    for number in range(settings.workers):
        ours, theirs = multiprocessing.Pipe()
        pipes.append(ours)
        workers.append(multiprocessing.Process(target=serve_phases,
                                               args=(settings, number, theirs)))
        workers[-1].start()
    failures = []
    chance = random.Random(f"{settings.seed}-phases")
    count = -(-settings.operations // settings.phases // settings.workers)
    for _ in range(settings.phases):
        failures = phase(settings, (pipes, chance, count, tally))
        if failures:
            break
    for pipe, worker in zip(pipes, workers):
        pipe.send("end")
        worker.join()
    for failure in failures:
        report(settings, failure)
    print(f"{tally}, {settings.phases} times ended by {settings.restart}, "
          f"{len(failures)} failures, seed {settings.seed}")
    return failures


def phase(settings, state):
    """Operations, the end of the server, its return, and a look at everything."""
    pipes, chance, count, tally = state
    is_cut = settings.restart == "midway"
    for pipe in pipes:
        pipe.send((10**9 if is_cut else count, is_cut))
    if is_cut:
        time.sleep(chance.uniform(0.05, 2))
        settings.server.kill()
    failures = collect(pipes, tally)
    if settings.restart == "term":
        settings.server.stop()
    elif settings.restart == "kill":
        settings.server.kill()
    settings.server.start()
    for pipe in pipes:
        pipe.send("check")
    return failures or collect(pipes, tally)


def collect(pipes, tally):
    results = [pipe.recv() for pipe in pipes]
    tally.add(sum(count for count, _ in results), 0)
    return [failure for _, failure in results if failure]


# ---- Command line ------------------------------------------------------------------------------


def read_settings():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, default=10000)
    parser.add_argument("--seed", default=str(random.SystemRandom().randrange(2**32)))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--endpoint", help="of a server that runs; without, one is started")
    parser.add_argument("--binary", default=os.environ.get("STATOR_BINARY") or os.path.join(
        ROOT, "build", "release", "stator"), help="the server to start")
    parser.add_argument("--run-operations", type=int, default=RUN_OPERATIONS,
                        help="operations on one set of tables")
    parser.add_argument("--failures", type=int, default=FAILURES_MAX, help="then it ends")
    parser.add_argument("--restart", choices=("term", "kill", "midway"))
    parser.add_argument("--phases", type=int, default=10, help="with --restart: how many times")
    parser.add_argument("--replay", metavar="FILE", help="plays a failure again")
    return parser.parse_args()


def main():
    settings = read_settings()
    print(f"seed {settings.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="stator-model-") as data:
        settings.server = None
        if settings.endpoint:
            parsed = urllib.parse.urlsplit(settings.endpoint)
            settings.address = parsed.hostname, parsed.port
        else:
            settings.server = Server(settings.binary, data if settings.restart else None).start()
            settings.address = "127.0.0.1", settings.server.port
        play = play_again if settings.replay else play_phases if settings.restart else play_on
        try:
            failures = play(settings)
            if settings.server is not None and not failures:
                settings.server.stop()
        finally:
            if settings.server is not None and settings.server.is_running():
                settings.server.kill()
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
