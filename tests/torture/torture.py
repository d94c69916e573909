# SPDX-License-Identifier: Apache-2.0
"""What every torture needs: a server to torture, a quick client, a printed seed, and counts.

A torture is an executable script of this folder. It takes --binary B --seed S --short, prints its
seed first, ends in "N passed, M failed, K skipped", and exits non-zero when something failed:

    torture = Torture(__doc__)          # reads the arguments, prints the seed
    with Server(torture.binary, data) as server:
        with server.client() as client:
            torture.check("what is claimed", client.must("ListTables", {}) == {"TableNames": []})
    sys.exit(torture.finish())
"""
import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
START_SECONDS = 60
STOP_SECONDS = 60
ANSWER_SECONDS = 60
RECEIVE_BYTES = 1 << 18
PRINTED_BYTES = 4000
STREAM_OPERATIONS = ("ListStreams", "DescribeStream", "GetShardIterator", "GetRecords")


# ---- Arguments, seed and counts ---------------------------------------------------------------


class Torture:
    """The frame of a torture: its arguments, its seed, what passed and what failed."""

    def __init__(self, text, add_arguments=None):
        """add_arguments is called with the parser, for arguments of one's own."""
        parser = argparse.ArgumentParser(description=text.strip().splitlines()[0])
        parser.add_argument("--binary", help="the server (build/release/stator)",
                            default=os.path.join(ROOT, "build", "release", "stator"))
        parser.add_argument("--seed", type=int, help="repeats a run's choices (random)")
        parser.add_argument("--short", action="store_true", help="seconds instead of minutes")
        if add_arguments:
            add_arguments(parser)
        self.arguments = parser.parse_args()
        self.binary = os.path.abspath(self.arguments.binary)
        self.is_sanitized = has_sanitizer(self.binary)
        self.short = self.arguments.short
        self.seed = self.arguments.seed
        if self.seed is None:
            self.seed = int(os.environ.get("STATOR_SEED") or random.SystemRandom().randrange(2**31))
        self.random = random.Random(self.seed)
        self.passed = self.failed = self.skipped = 0
        self.began = time.monotonic()
        self.lock = threading.Lock()
        self.directories = []
        say(f"seed {self.seed}")

    def check(self, claim, is_true, details=""):
        """Counts; a failure is printed at once. Returns whether the claim is true."""
        with self.lock:
            if is_true:
                self.passed += 1
            else:
                self.failed += 1
                say(f"FAILED: {claim}" + (f"\n    {details}" if details else ""))
        return bool(is_true)

    def skip(self, claim, reason):
        with self.lock:
            self.skipped += 1
        say(f"skipped: {claim}: {reason}")

    def directory(self, name="data"):
        """A directory of its own under build/torture, kept when something fails."""
        parent = os.path.join(ROOT, "build", "torture")
        os.makedirs(parent, exist_ok=True)
        script = os.path.basename(sys.argv[0])
        path = tempfile.mkdtemp(prefix=f"{script}-{self.seed}-{name}-", dir=parent)
        self.directories.append(path)
        return path

    def finish(self):
        """Prints the line of counts; returns the exit status."""
        for path in self.directories:
            if self.failed:
                say(f"kept: {os.path.relpath(path, ROOT)}")
            else:
                shutil.rmtree(path, ignore_errors=True)
        seconds = time.monotonic() - self.began
        say(f"seed {self.seed}, {seconds:.0f} s" + (": passed nothing" if not self.passed else ""))
        say(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        return 1 if self.failed or not self.passed else 0


def has_sanitizer(binary):
    """Was it built with one? Then it is slow, and its memory says little."""
    with open(binary, "rb") as file:
        text = file.read()
    return b"__asan_init" in text or b"__tsan_init" in text


def say(text):
    print(text, flush=True)


# ---- The server -------------------------------------------------------------------------------


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A server process; data None is --in-memory. It may be stopped, killed and started again.

    Its output goes to the file log when one is named (appended to, over all starts), else to a
    temporary file. environment may carry LD_PRELOAD and the like; wrap is put before the command
    (["prlimit", "--nofile=64"], ["valgrind"]).
    """

    def __init__(self, binary, data=None, flags=(), **more):
        self.binary = binary
        self.data = data
        self.flags = list(flags)
        self.environment = more.pop("environment", {})
        self.wrap = list(more.pop("wrap", ()))
        log = more.pop("log", None)
        if more:
            raise TypeError(f"a server has no {', '.join(more)}")
        self.log = open(log, "ab+") if log else tempfile.TemporaryFile()
        self.port = free_port()
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, kind, *_):
        if self.is_running():
            if kind is None:
                self.stop()
            else:
                self.kill()
        self.log.close()

    def launch(self):
        """Starts the process, and waits for nothing."""
        where = ["--data", str(self.data)] if self.data else ["--in-memory"]
        self.process = subprocess.Popen(
            [*self.wrap, self.binary, "serve", "--port", str(self.port), *where,
             *map(str, self.flags)],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
            env={**os.environ, **self.environment})
        return self

    def start(self, seconds=START_SECONDS):
        self.launch()
        self.wait_until_healthy(seconds)
        return self

    def wait_until_healthy(self, seconds=START_SECONDS):
        """Until it accepts connections; it opens its data before it listens."""
        deadline = time.monotonic() + seconds
        while not self.accepts():
            if not self.is_running() or time.monotonic() > deadline:
                status = self.process.poll()
                self.process.kill()
                self.process.wait()
                raise ServerFailed(f"no server came up ({status}): {self.printed()}")
            time.sleep(0.002)

    def accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def terminate(self):
        """Asks it to end, and does not wait."""
        self.process.send_signal(signal.SIGTERM)

    def stop(self, seconds=STOP_SECONDS):
        """Ends it with SIGTERM, which has to go well; returns how many seconds it took."""
        started = time.monotonic()
        self.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerFailed(f"it did not end in {seconds} s: {self.printed()}") from None
        if status != 0:
            raise ServerFailed(f"it ended with {status}: {self.printed()}")
        return time.monotonic() - started

    def kill(self):
        """Ends it as a crash would; returns its exit status, -9 unless it had ended before."""
        self.process.kill()
        return self.process.wait()

    def printed(self, length=PRINTED_BYTES):
        """The end of what it has printed."""
        size = os.fstat(self.log.fileno()).st_size
        data = os.pread(self.log.fileno(), length, max(0, size - length))
        return data.decode(errors="replace")

    def client(self, seconds=ANSWER_SECONDS):
        return Client(self.port, seconds)

    def admin(self, command, **members):
        """A command of administration, which has to succeed; the flags have --admin."""
        with self.client() as client:
            status, answer = client.post(f"/_stator/{command}", json.dumps(members).encode())
        if status != 200:
            raise ServerFailed(f"{command}: {answer}")
        return answer

    # What Linux says about the process.

    def status(self, name):
        """A number of /proc/PID/status: VmRSS (kB), VmHWM (kB), Threads, …"""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith(name + ":"):
                    return int(line.split()[1])
        raise KeyError(name)

    def resident_bytes(self):
        return self.status("VmRSS") * 1024

    def threads(self):
        return self.status("Threads")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class ServerFailed(Exception):
    """The server did not start, did not stop, or ended by itself."""


# ---- The client -------------------------------------------------------------------------------


class Lost(Exception):
    """The connection ended before there was an answer: the request may have been carried out."""


class Refused(Exception):
    """An answer that is an error: .status, .kind ("ResourceNotFoundException"), .answer."""

    def __init__(self, operation, status, answer):
        super().__init__(f"{operation}: {status} {answer}")
        self.status = status
        self.answer = answer
        self.kind = kind_of(answer)


def kind_of(answer):
    """The name of an error; None of an answer that is none."""
    return answer["__type"].rpartition("#")[2] if "__type" in answer else None


class Client:
    """One keep-alive connection on a bare socket: several times as quick as http.client.

    Any key is let in; the server looks at the form of the signature only.
    """

    def __init__(self, port, seconds=ANSWER_SECONDS):
        self.port = port
        self.seconds = seconds
        self.socket = None
        self.received = b""
        self.head = (
            f"Host: 127.0.0.1:{port}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 "
            "Credential=torture/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0\r\n").encode()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def call(self, operation, request):
        """(status, answer); raises Lost."""
        service = "DynamoDBStreams" if operation in STREAM_OPERATIONS else "DynamoDB"
        target = f"X-Amz-Target: {service}_20120810.{operation}\r\n".encode()
        return self.post("/", json.dumps(request).encode(), target)

    def must(self, operation, request):
        """The answer; raises Refused or Lost."""
        status, answer = self.call(operation, request)
        if status != 200:
            raise Refused(operation, status, answer)
        return answer

    def post(self, path, body, headers=b""):
        """(status, answer) of a POST; headers are whole lines."""
        self.send(b"POST %s HTTP/1.1\r\n%s%sContent-Length: %d\r\n\r\n%s" % (
            path.encode(), self.head, headers, len(body), body))
        return self.receive()

    def send(self, message):
        try:
            if self.socket is None:
                self.socket = socket.create_connection(("127.0.0.1", self.port),
                                                       timeout=self.seconds)
                self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.sendall(message)
        except OSError as problem:
            self.close()
            raise Lost(f"{type(problem).__name__}: {problem}") from problem

    def receive(self):
        """(status, answer): of the next response, whose checksum has to be right."""
        while (end := self.received.find(b"\r\n\r\n")) < 0:
            self.receive_more()
        head = self.received[:end].decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:])
        length = end + 4 + int(headers.get("content-length", 0))
        parts = [self.received]
        have = len(self.received)
        while have < length:
            parts.append(self.receive_part())
            have += len(parts[-1])
        received = b"".join(parts)
        body, self.received = received[end + 4:length], received[length:]
        if headers.get("x-amz-crc32") not in (None, str(zlib.crc32(body))):
            raise AssertionError(f"the checksum is not the body's: {body[:200]}")
        if headers.get("connection") == "close":
            self.close()
        is_json = "json" in headers.get("content-type", "")
        return int(head[0].split(" ")[1]), json.loads(body) if is_json and body else {}

    def receive_more(self):
        self.received += self.receive_part()

    def receive_part(self):
        try:
            if self.socket is None:
                raise Lost("not connected")
            data = self.socket.recv(RECEIVE_BYTES)
        except OSError as problem:
            self.close()
            raise Lost(f"{type(problem).__name__}: {problem}") from problem
        if not data:
            self.close()
            raise Lost("closed before the end of an answer")
        return data

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.received = b""


def pages(client, operation, request, member="Items"):
    """All members of all pages of a Query, a Scan or a list."""
    found, request = [], dict(request)
    while True:
        answer = client.must(operation, request)
        found += answer[member]
        if "LastEvaluatedKey" in answer:
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        elif "LastEvaluatedTableName" in answer:
            request["ExclusiveStartTableName"] = answer["LastEvaluatedTableName"]
        else:
            return found


def wait_for_status(client, table, status, seconds=60):
    """Until the table and all its indexes have the status; None: until the table is gone."""
    deadline = time.monotonic() + seconds
    while True:
        code, answer = client.call("DescribeTable", {"TableName": table})
        if statuses_of(code, answer) == {status}:
            return answer.get("Table")
        if time.monotonic() > deadline:
            raise AssertionError(f"{table} does not become {status}: {answer}")
        time.sleep(0.005)


def statuses_of(code, answer):
    if code != 200:
        return {None}
    indexes = answer["Table"].get("GlobalSecondaryIndexes", ())
    return {answer["Table"]["TableStatus"], *(index["IndexStatus"] for index in indexes)}


# ---- What DynamoDB computes -------------------------------------------------------------------


def item_size(item):
    """An item's size by the published formula."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value):
    (kind, content), = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        return number_size(content)
    if kind == "B":
        return len(content) * 3 // 4 - content[-2:].count("=")
    if kind in ("BOOL", "NULL"):
        return 1
    if kind in ("SS", "NS", "BS"):
        return sum(value_size({kind[0]: member}) for member in content)
    if kind == "L":
        return 3 + sum(1 + value_size(member) for member in content)
    return 3 + sum(1 + len(name.encode()) + value_size(member)
                   for name, member in content.items())


def number_size(text):
    """Two digits a byte, aligned at the decimal point, one more, and one for a minus."""
    whole, _, fraction = text.lstrip("-").partition(".")
    if "e" in text.lower():
        raise ValueError("no torture needs exponents")
    whole, fraction = whole.lstrip("0"), fraction.rstrip("0")
    pairs = ("0" * (len(whole) % 2) + whole + fraction + "0" * (len(fraction) % 2))
    halves = [pairs[at:at + 2] for at in range(0, len(pairs), 2)]
    while halves and halves[-1] == "00":
        halves.pop()
    while halves and halves[0] == "00":
        halves.pop(0)
    return 1 + len(halves) + (text.startswith("-") and bool(halves))
