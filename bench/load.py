# SPDX-License-Identifier: Apache-2.0
"""The load: requests as an SDK sends them, by wrk to measure and by one connection to look at."""
import collections
import functools
import http.client
import json
import os
import random
import re
import signal
import tempfile
import time
import zlib

import stand
from stand import Failure

SEQUENCE, RANDOM = "SEQUENCE____", "RANDOM______"  # see requests.lua
WIDTH = len(SEQUENCE)
MARKS = re.compile(f"{SEQUENCE}|{RANDOM}")
END = 10**12           # of a sequence of new keys
TRIES = 4              # of a run in which nothing was answered
SAMPLES = 20           # answers that are looked at before a run
READ_BACK = 100        # items that are looked at after a run that changed some of them
CHANGED_MIN = 20       # of those, for their number to tell something
BODY_SHARE_MIN = 0.95  # of a looked-at answer's length, in the mean of a run
BACKLOG_SECONDS_MAX = 10  # of requests whose client has gone
REST_SECONDS_MAX = 3   # before and after a run, for a server to become quiet
REST_PART = 5          # steps in which that is seen are at most such a part of the run
REST_STEP_MIN = 0.01   # seconds
BATCH = 25             # the most that BatchWriteItem takes
ZIPF_EXPONENT = 0.99   # YCSB's
ZIPF_DRAWS = 1 << 18


# What was seen before a run: the first answer, a checksum of all, how many, and the server's CPU.
Look = collections.namedtuple("Look", "first checksum count cpu")


class NoAnswer(Failure):
    """A run in which nothing was answered, however long it was."""


def headers_of(operation, port, length):
    """What an SDK sends: these names, values of this length. The signature has the right form."""
    credential = f"AKIAIOSFODNN7EXAMPLE/{time.strftime('%Y%m%d')}/us-east-1/dynamodb/aws4_request"
    return {
        "Host": f"127.0.0.1:{port}",
        "Accept-Encoding": "identity",
        "X-Amz-Target": f"DynamoDB_20120810.{operation}",
        "Content-Type": "application/x-amz-json-1.0",
        "User-Agent": "Boto3/1.40.0 md/Botocore#1.40.0 ua/2.1 os/linux#6.12.0 md/arch#x86_64 "
                      "lang/python#3.13.0 md/pyimpl#CPython m/Z,b,D cfg/retry-mode#standard "
                      "Botocore/1.40.0",
        "X-Amz-Date": time.strftime("%Y%m%dT%H%M%SZ"),
        "Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, "
                         "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature="
                         + 32 * "5d",
        "amz-sdk-invocation-id": "6f1c0d5e-8b0f-4a4e-9f3a-2f6f0d8c1b7a",
        "amz-sdk-request": "attempt=1",
        "Content-Length": str(length),
    }


class Client:
    """One connection that keeps alive."""

    def __init__(self, port):
        self.port = port
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def call_raw(self, operation, body):
        try:
            self.http.request("POST", "/", body, headers_of(operation, self.port, len(body)))
            answer = self.http.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self.http.close()
            raise Failure(f"{operation}: {type(error).__name__} {error}") from error
        if answer.status != 200:
            raise Failure(f"{operation}: {answer.status} {text[:300]}")
        return text

    def call(self, operation, **members):
        return json.loads(self.call_raw(operation, json.dumps(members).encode()))


# ---- Keys -------------------------------------------------------------------------------------


def zipf_rank(count, uniform):
    """The rank below count that a uniform number from 0 to 1 stands for: the distribution's
    function, taken as an integral, turned round. Rank 0 is the most frequent."""
    power = 1 - ZIPF_EXPONENT
    return min(int(((count + 1) ** power * uniform + 1 - uniform) ** (1 / power)) - 1, count - 1)


def scattered(rank, count):
    """Another number below count for each rank: frequent keys are no neighbours."""
    prime = 104729  # divides no power of ten, which tables' sizes are
    return rank * prime % count


@functools.lru_cache(maxsize=2)
def zipf_keys(count, draws=ZIPF_DRAWS):
    numbers = random.Random(42)
    return [scattered(zipf_rank(count, numbers.random()), count) for _ in range(draws)]


# ---- Requests ---------------------------------------------------------------------------------


class Load:
    """One request, with marks where keys vary: what a figure is measured with.

    A sequence is of numbers below sequence_max, over and over, or, with the name of one that all
    loads of a server share, of numbers that no load has sent before. A load of puts may name the
    attribute whose text begins with such a number: it writes over items that are there, each time
    with another item, and reading back has to prove it.
    """

    def __init__(self, operation, members, sequence_max=END, random_max=1, **options):
        self.operation = operation
        self.body = json.dumps(members, separators=(",", ":"))
        self.sequence_max = sequence_max
        self.random_max = random_max
        self.fresh = options.get("fresh")
        self.is_zipf = options.get("is_zipf", False)
        self.marked = options.get("marked")

    def template(self, port):
        lines = [f"{name}: {value}"
                 for name, value in headers_of(self.operation, port, len(self.body)).items()]
        return "\r\n".join(["POST / HTTP/1.1", *lines, "", self.body])

    def first(self, server):
        return server.sequences.get(self.fresh, 0) if self.fresh else 0

    def sent(self, server, requests):
        """Notes that this many requests, or fewer, may have been sent."""
        if self.fresh:
            marks = self.body.count(SEQUENCE)
            server.sequences[self.fresh] = self.first(server) + requests * marks

    def samples(self, count, first=0):
        """Bodies such as the load has, the same in every run."""
        numbers = random.Random(42)
        sequence = first
        for _ in range(count):
            def fill(mark):
                nonlocal sequence
                if mark.group() == RANDOM:
                    return f"{numbers.randrange(self.random_max):012}"
                sequence += 1
                return f"{(sequence - 1) % self.sequence_max:012}"
            yield MARKS.sub(fill, self.body)

    def try_out(self, server, check, seconds=float("inf")):
        """Looks at some answers before a run, as many as there are within the time: all have to
        pass check, and what they say was written has to be there."""
        checksum, answers = 0, []
        bodies = list(self.samples(SAMPLES, self.first(server)))
        with Client(server.port) as client:
            before = self.items_at(client, bodies)
            cpu, started = stand.cpu_seconds(server.pid), time.perf_counter()
            for body in bodies:
                answers.append(client.call_raw(self.operation, body.encode()))
                if not check(json.loads(answers[-1])):
                    raise Failure(f"{self.operation}: unexpected answer {answers[-1][:300]}")
                checksum = zlib.crc32(answers[-1], checksum)
                if time.perf_counter() - started > seconds:
                    break
            cpu = stand.cpu_seconds(server.pid) - cpu
            self.expect_change(client, bodies[:len(answers)], before)
        self.sent(server, SAMPLES)
        return Look(answers[0].decode(), f"{checksum:08x}", len(answers), cpu)

    # ---- Writing over what is there -----------------------------------------------------------

    def items_at(self, client, bodies):
        """The items that these requests are about to change, by key."""
        if not self.marked:
            return {}
        requests = map(json.loads, bodies)
        return {item_key(each): item_at(client, each["TableName"], item_key(each))
                for each in requests}

    def expect_change(self, client, bodies, before):
        """That each item is now what was sent last, and is not what it was."""
        if not self.marked:
            return
        last = {item_key(each): each for each in map(json.loads, bodies)}
        for key, request in last.items():
            found = item_at(client, request["TableName"], key)
            if found != request["Item"] or found == before[key]:
                raise Failure(f"{self.operation}: {found} is read where {request['Item']} was "
                              f"written over {before[key]}")

    def expect_changed(self, server, first, run):
        """That items carry marks of a run that began with this one: about as many of those that
        are looked at as keys drawn at random make likely."""
        if not self.marked or not server.has_items:
            return
        keys = range(0, self.random_max, max(self.random_max // READ_BACK, 1))
        likely = sum(map(self.odds(run["requests"]), keys))
        if likely < CHANGED_MIN:
            return
        table, found = json.loads(self.body)["TableName"], 0
        with Client(server.port) as client:
            for key in keys:
                item = item_at(client, table, self.key_of(key))
                mark = item[self.marked]["S"][:WIDTH]
                found += mark.isdigit() and first <= int(mark) < self.first(server)
        if found < likely / 2:
            raise Failure(f"{self.operation}: of {len(keys)} items {found} are changed, where "
                          f"{likely:.0f} are likely")

    def key_of(self, number):
        return json.loads(self.body)["Item"]["id"]["S"].replace(RANDOM, f"{number:012}")

    def odds(self, requests):
        """Of a key, that so many requests have it among theirs."""
        if self.is_zipf:
            drawn = set(zipf_keys(self.random_max)[:requests])
            return lambda key: key in drawn
        return lambda key: 1 - (1 - 1 / self.random_max) ** requests


def item_key(request):
    return request["Item"]["id"]["S"]


def item_at(client, table, key):
    answer = client.call("GetItem", TableName=table, Key={"id": {"S": key}}, ConsistentRead=True)
    if "Item" not in answer:
        raise Failure(f"there is no item {key} to write over")
    return answer["Item"]


class Wrk:
    """wrk with one thread, sending a load until it is stopped."""

    def __init__(self, load, server, connections, core=None):
        self.files = [self.file_of(load.template(server.port))]
        keys = "-"
        if load.is_zipf:
            drawn = zipf_keys(load.random_max)
            self.files.append(self.file_of("".join(f"{key:012}\n" for key in drawn)))
            keys = self.files[1].name
        # It ends when it gets SIGINT: that allows less than a second, which its flag does not.
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", "3600s", "--timeout", "30s", "-s",
                   os.path.join(stand.ROOT, "bench", "requests.lua"),
                   f"http://127.0.0.1:{server.port}/", "--", self.files[0].name,
                   str(load.first(server)), str(load.sequence_max), str(load.random_max), keys]
        self.process = stand.spawn(command, core, stdout=stand.subprocess.PIPE,
                                   stderr=stand.subprocess.STDOUT, text=True)

    @staticmethod
    def file_of(text):
        file = tempfile.NamedTemporaryFile(prefix="stator-bench-")
        file.write(text.encode())
        file.flush()
        return file

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for file in self.files:
            file.close()

    def wait_until_sending(self):
        """Until it listens for the signal that ends it, which is when it begins."""
        interrupt = 1 << (signal.SIGINT - 1)
        while self.process.poll() is None:
            with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
                caught = re.search(r"^SigCgt:\s+(\w+)", file.read(), re.MULTILINE)
            if caught and int(caught.group(1), 16) & interrupt:
                return
            time.sleep(0.001)

    def finish(self):
        self.process.send_signal(signal.SIGINT)
        printed, _ = self.process.communicate(timeout=60)
        line = re.search(r"^RESULT (.*)$", printed, re.MULTILINE)
        if not line:
            raise Failure(f"wrk: {printed[-500:]}")
        result = json.loads(line.group(1))
        if result["errors"] or result["refused"]:
            raise Failure(f"not every request succeeded: {result}")
        return result


def measure(server, load, connections, seconds):
    """One run: rate, CPU of the server for each request, latencies. A run too short for a single
    answer, on a machine that others use, is repeated for longer."""
    for _ in range(TRIES):
        result = measure_once(server, load, connections, seconds)
        if result["requests"]:
            return result
        seconds = max(2 * seconds, 1)
    raise NoAnswer(f"no request was answered: {result}")


def measure_once(server, load, connections, seconds):
    """A run begins when the server rests and ends when it rests again: what it does behind its
    answers (writing out memtables, compaction, collecting garbage) is paid for by who caused it."""
    _, core = stand.cores()
    first = load.first(server)
    rest(server, seconds)
    with Wrk(load, server, connections, core) as wrk:
        before = stand.cpu_seconds(server.pid)
        wrk.wait_until_sending()
        time.sleep(seconds)
        result = wrk.finish()
    answered = stand.cpu_seconds(server.pid)
    rested = rest(server, seconds)
    # Those under way at the end are served as well, though nobody counts their answers.
    served = result["requests"] + connections
    load.sent(server, served + 1)  # and one that wrk keeps, to see what kind of script it has
    if not result["requests"]:
        return result
    result["rate"] = result["requests"] * 1e6 / result["duration_us"]
    result["cpu_us"] = (rested - before) * 1e6 / served
    result["behind_us"] = max(rested - answered, 0) * 1e6 / served
    result["bytes_each"] = result["bytes"] / result["requests"]
    load.expect_changed(server, first, result)
    return result


def rest(server, seconds):
    """Waits until a server does nothing; its CPU clock when that began. A run so short that it
    only shows that all works has shorter steps."""
    if not server.has_items:
        return stand.cpu_seconds(server.pid)
    step = min(stand.QUIET_STEP, max(seconds / REST_PART, REST_STEP_MIN))
    return stand.wait_until_quiet(server.pid, REST_SECONDS_MAX, step)


def measure_alone(server, load, seconds):
    """The same of one request after the other, for a system that is too slow for wrk's many: what
    they have begun at the end of a run would be most of its CPU."""
    took, length = [], 0
    stand.wait_until_quiet(server.pid, BACKLOG_SECONDS_MAX)
    before, started = stand.cpu_seconds(server.pid), time.perf_counter()
    with Client(server.port) as client:
        for body in load.samples(10**6, load.first(server)):
            began = time.perf_counter()
            length += len(client.call_raw(load.operation, body.encode()))
            took.append((time.perf_counter() - began) * 1e6)
            if time.perf_counter() - started > seconds:
                break
    elapsed = time.perf_counter() - started
    used = rest(server, seconds) - before
    load.sent(server, len(took))
    took.sort()
    return {"requests": len(took), "rate": len(took) / elapsed,
            "cpu_us": used * 1e6 / len(took), "bytes_each": length / len(took),
            "p50_us": took[len(took) // 2], "p90_us": took[len(took) * 9 // 10],
            "p99_us": took[len(took) * 99 // 100]}


def expect_bodies(result, length):
    """That the answers of a run are about as long as the one that was looked at."""
    if result["bytes_each"] < BODY_SHARE_MIN * length:
        raise Failure(f"answers are too short, {length} bytes are expected: {result}")


# ---- Filling tables ---------------------------------------------------------------------------


def put_items(server, table, items, seconds=float("inf")):
    """Writes items by BatchWriteItem over one connection, and again those that are refused, until
    all are written or the time is over; returns how many were."""
    started, written, waiting = time.perf_counter(), 0, []
    items = iter(items)
    with Client(server.port) as client:
        while time.perf_counter() - started < seconds:
            while len(waiting) < BATCH and (item := next(items, None)) is not None:
                waiting.append({"PutRequest": {"Item": item}})
            if not waiting:
                break
            answer = client.call("BatchWriteItem", RequestItems={table: waiting})
            refused = answer.get("UnprocessedItems", {}).get(table, [])
            written += len(waiting) - len(refused)
            waiting = refused
    return written
