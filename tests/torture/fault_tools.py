# SPDX-License-Identifier: Apache-2.0
"""What the cases of tests/torture/faults share: a disk that fails, writers that keep count."""
import concurrent.futures
import http.client
import os
import re
import threading
import time

from torture import Lost, Server, pages

TABLE = "faults"
CREATE = {"TableName": TABLE, "BillingMode": "PAY_PER_REQUEST",
          "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
          "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}]}


class Disk:
    """A file system that fails by rules (failing_fs.c), while there are any."""

    def __init__(self, torture, name):
        self.library = os.path.join(os.path.dirname(torture.binary), "tests", "failing_fs.so")
        self.rules = os.path.join(torture.directory(name), "rules")
        self.environment = {"LD_PRELOAD": self.library, "FAILING_FS": self.rules}

    def exists(self):
        return os.path.exists(self.library)

    def fail(self, *rules):
        with open(self.rules + ".new", "w", encoding="ascii") as file:
            file.write("".join(rule + "\n" for rule in rules))
        os.rename(self.rules + ".new", self.rules)

    def heal(self):
        if os.path.exists(self.rules):
            os.unlink(self.rules)


class Ledger:
    """Who writes what, and what was said about it: acknowledged, refused, or never answered."""

    def __init__(self, seed):
        self.seed = seed
        self.lock = threading.Lock()
        self.acknowledged = {}
        self.refused = {}
        self.unanswered = {}
        self.answers = set()
        self.next = 0

    def put(self, client, size):
        with self.lock:
            number = self.next
            self.next += 1
        key, value = f"item-{number}", chr(97 + (self.seed + number) % 26) * size
        try:
            status, answer = client.call("PutItem", {
                "TableName": TABLE, "Item": {"id": {"S": key}, "v": {"S": value}}})
        except Lost:
            with self.lock:
                self.unanswered[key] = value
            return False
        with self.lock:
            (self.acknowledged if status == 200 else self.refused)[key] = value
            if status != 200:
                self.answers.add((status, answer.get("__type", "").rpartition("#")[2]))
        return status == 200

    def write(self, server, writers, until, size=200):
        """Writes from several connections until until(self) says enough."""
        def run():
            with server.client() as client:
                while not until(self):
                    self.put(client, size)
        with concurrent.futures.ThreadPoolExecutor(writers) as pool:
            for future in [pool.submit(run) for _ in range(writers)]:
                future.result()

    def fill(self, server, count, size=200, writers=8):
        goal = self.next + count
        self.write(server, writers, lambda ledger: ledger.next >= goal, size)

    def compare(self, client):
        """(lost, wrong, shown): acknowledged but gone, other bytes, refused but there."""
        there = {item["id"]["S"]: item["v"]["S"]
                 for item in pages(client, "Scan", {"TableName": TABLE, "ConsistentRead": True})}
        known = {**self.acknowledged, **self.refused, **self.unanswered}
        lost = [key for key in self.acknowledged if key not in there]
        wrong = [key for key, value in there.items() if known.get(key) != value]
        return lost, wrong, [key for key in self.refused if key in there]


def start(torture, data, disk=None, **more):
    """A server, for a with statement, which starts it."""
    return Server(torture.binary, data, ["--threads", "2"],
                  environment=disk.environment if disk else {}, **more)


def health(server):
    """(status, text) of GET /."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    try:
        connection.request("GET", "/")
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def wait_healthy(server, seconds):
    """How long it took; None when it did not become healthy."""
    began = time.monotonic()
    while health(server)[0] != 200:
        if time.monotonic() - began > seconds:
            return None
        time.sleep(0.02)
    return time.monotonic() - began


def errors_logged(server, text=""):
    return len(re.findall(f" error storage: .*{re.escape(text)}", server.printed(1 << 20)))


def percentile(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))] if ordered else 0


def files(data, suffix):
    """The paths of the data directory's files that end so, the oldest first."""
    return sorted(os.path.join(data, name) for name in os.listdir(data) if name.endswith(suffix))


def contents(data):
    """Every file's bytes, but for what each start makes anew."""
    found = {}
    for name in sorted(os.listdir(data)):
        if not name.startswith(("LOG", "LOCK")):
            with open(os.path.join(data, name), "rb") as file:
                found[name] = file.read()
    return found


def try_start(torture, data, environment=None, wrap=()):
    """(exit status, output) of a server that is expected not to start; None: it did."""
    server = Server(torture.binary, data, environment=environment or {}, wrap=wrap)
    server.launch()
    deadline = time.monotonic() + 20
    while server.is_running() and not server.accepts() and time.monotonic() < deadline:
        time.sleep(0.005)
    if server.is_running():
        server.kill()
        return None, server.printed()
    return server.process.returncode, server.printed()
