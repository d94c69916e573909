# SPDX-License-Identifier: Apache-2.0
"""Talks to the server, and starts one: a raw connection is several times as quick as an SDK."""
import json
import os
import signal
import socket
import subprocess
import tempfile
import time
import zlib

START_SECONDS = 20
STOP_SECONDS = 60
ANSWER_SECONDS = 60
STREAM_OPERATIONS = ("ListStreams", "DescribeStream", "GetShardIterator", "GetRecords")
# Shards end soon and have successors, so that readers meet them.
FLAGS = ("--stream-shards", "2", "--stream-shard-bytes", "30000")


class Lost(Exception):
    """The server went away before it answered."""


class Connection:
    """One keep-alive connection."""

    def __init__(self, host, port):
        self.address = (host, port)
        self.socket = None
        self.received = b""
        self.requests = 0
        # Any key is let in; only the form is looked at.
        self.head = (
            "POST / HTTP/1.1\r\nHost: {0}:{1}\r\nContent-Type: application/x-amz-json-1.0\r\n"
            "X-Amz-Date: 20260101T000000Z\r\nAuthorization: AWS4-HMAC-SHA256 "
            "Credential=model/20260101/us-east-1/dynamodb/aws4_request, "
            "SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=0\r\n"
            "X-Amz-Target: ").format(host, port).encode()

    def call(self, operation, request):
        """(status, answer)."""
        return self.send(operation, json.dumps(request).encode())

    def send(self, operation, body):
        """(status, answer) of a request with this body."""
        service = "DynamoDBStreams" if operation in STREAM_OPERATIONS else "DynamoDB"
        message = b"%s%s_20120810.%s\r\nContent-Length: %d\r\n\r\n%s" % (
            self.head, service.encode(), operation.encode(), len(body), body)
        self.requests += 1
        for attempt in (0, 1):
            fresh = self.socket is None
            try:
                if fresh:
                    self.socket = socket.create_connection(self.address, timeout=ANSWER_SECONDS)
                    self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.socket.sendall(message)
                return self.answer()
            except (OSError, Lost) as problem:
                self.close()
                # An idle connection may have been closed; nothing was begun on it then.
                if fresh or attempt == 1 or not isinstance(problem, (BrokenPipeError, Idle)):
                    raise Lost(f"{type(problem).__name__}: {problem}") from problem
        raise Lost("no connection")

    def answer(self):
        while (end := self.received.find(b"\r\n\r\n")) < 0:
            self.receive(idle=not self.received)
        head = self.received[:end].decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:])
        length = end + 4 + int(headers["content-length"])
        while len(self.received) < length:
            self.receive()
        body = self.received[end + 4:length]
        self.received = self.received[length:]
        if headers.get("x-amz-crc32") not in (None, str(zlib.crc32(body))):
            raise AssertionError("the checksum is not the body's")
        if headers.get("connection") == "close":
            self.close()
        return int(head[0].split(" ")[1]), json.loads(body) if body else {}

    def receive(self, idle=False):
        data = self.socket.recv(1 << 18)
        if not data:
            raise Idle("closed") if idle else Lost("closed in the middle of an answer")
        self.received += data

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None
        self.received = b""


class Idle(Lost):
    """The connection was closed before the first byte of an answer."""


class Server:
    """A server of one's own, in memory or in a directory."""

    def __init__(self, binary, data=None):
        self.binary = binary
        self.data = data
        self.process = None
        self.log = tempfile.TemporaryFile()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]

    def start(self):
        where = ["--data", self.data] if self.data else ["--in-memory"]
        self.process = subprocess.Popen(
            [self.binary, "serve", "--port", str(self.port), *where, *FLAGS],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return self
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"no server came up: {self.printed()}") from None
                time.sleep(0.01)

    def printed(self):
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), 4000, max(0, size - 4000)).decode(errors="replace")

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def stop(self):
        """Ends it as it wants to be ended; that has to go well."""
        if not self.is_running():
            raise RuntimeError(f"the server had ended ({self.process.poll()}): {self.printed()}")
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        if status != 0:
            raise RuntimeError(f"the server ended with {status}: {self.printed()}")

    def kill(self):
        """Ends it as a power cut would."""
        self.process.kill()
        self.process.wait()
