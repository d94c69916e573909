# SPDX-License-Identifier: Apache-2.0
"""Two ways to send a request to a fresh database in memory: the library call, and a socket."""
import binascii
import datetime
import http.client
import os
import re
import socket
import subprocess
import tempfile
import time

# How much longer than usual things may take: under Valgrind, say.
SLOWNESS = int(os.environ.get("STATOR_WIRE_SLOWNESS", "1"))
START_SECONDS = 20 * SLOWNESS
ANSWER_SECONDS = 60 * SLOWNESS
JSON_TYPE = "application/x-amz-json-1.0"


class PlayerError(Exception):
    """The database did not start, ended before its time, or broke the protocol."""


class Library:
    """Speaks to tests/wire/library.c over its standard streams; the format is described there."""

    def __init__(self, program, flags):
        self.errors = tempfile.TemporaryFile()
        self.process = subprocess.Popen([program, *flags], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.errors)

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.process.stdin.close()
        status = self.process.wait(ANSWER_SECONDS)
        self.process.stdout.close()
        if status != 0 and kind is None:
            raise PlayerError(f"the library's process ended with {status}: {read_back(self.errors)}")
        self.errors.close()

    def call(self, operation, body):
        try:
            self.process.stdin.write(b"%s %d\n%s" % (operation.encode(), len(body), body))
            self.process.stdin.flush()
            head = self.process.stdout.readline()
            status, length = head.split()
            answer = self.process.stdout.read(int(length))
        except (OSError, ValueError) as error:
            raise PlayerError(f"the library broke off: {read_back(self.errors)}") from error
        return int(status), answer


class Socket:
    """Starts a server on a free port and speaks HTTP to it over one connection."""

    def __init__(self, program, flags):
        self.errors = tempfile.TemporaryFile()
        self.port = free_port()
        self.process = subprocess.Popen(
            [program, "serve", "--in-memory", "--port", str(self.port), *flags],
            stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=ANSWER_SECONDS)

    def __enter__(self):
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.connection.connect()
                return self
            except OSError as error:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.process.kill()
                    raise PlayerError(f"no server came up: {read_back(self.errors)}") from error
                time.sleep(0.003)

    def __exit__(self, kind, *_):
        self.connection.close()
        self.process.terminate()
        try:
            status = self.process.wait(START_SECONDS)
        except subprocess.TimeoutExpired as error:
            self.process.kill()
            raise PlayerError("the server does not stop") from error
        if status != 0 and kind is None:
            raise PlayerError(f"the server ended with {status}: {read_back(self.errors)}")
        self.errors.close()

    def call(self, operation, body):
        if operation.startswith("_stator/"):
            status, _, answer = self.http("POST", f"/{operation}", [], body)
            return status, answer
        status, headers, answer = self.http("POST", "/", call_headers(operation), body)
        problems = []
        if headers.get("content-type") != JSON_TYPE:
            problems.append(f"content-type is {headers.get('content-type')}")
        if not re.fullmatch("[0-9A-Z]{52}", headers.get("x-amzn-requestid", "")):
            problems.append(f"x-amzn-requestid is {headers.get('x-amzn-requestid')}")
        if headers.get("x-amz-crc32") != str(binascii.crc32(answer)):
            problems.append(f"x-amz-crc32 is {headers.get('x-amz-crc32')}")
        if problems:
            raise PlayerError(f"{operation}: " + ", ".join(problems))
        return status, answer

    def http(self, method, path, headers, body):
        names = {name.lower() for name, _ in headers}
        try:
            self.connection.putrequest(method, path, skip_accept_encoding=True,
                                       skip_host="host" in names)
            for name, value in headers:
                self.connection.putheader(name, value)
            if "content-length" not in names and (body or method == "POST"):
                self.connection.putheader("Content-Length", str(len(body)))
            self.connection.endheaders()
            try:
                self.connection.send(body)
            except (BrokenPipeError, ConnectionResetError):
                pass  # the server may answer before it has read everything
            response = self.connection.getresponse()
            answer = response.read()
        except (OSError, http.client.HTTPException) as error:
            state = self.process.poll()
            raise PlayerError(f"no answer ({error!r}, the server's state is {state}): "
                              f"{read_back(self.errors)}") from error
        return response.status, {k.lower(): v for k, v in response.getheaders()}, answer


STREAM_OPERATIONS = {"ListStreams", "DescribeStream", "GetShardIterator", "GetRecords"}


def target_of(operation):
    service = "DynamoDBStreams" if operation in STREAM_OPERATIONS else "DynamoDB"
    return f"{service}_20120810.{operation}"


def call_headers(operation):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    return [
        ("Content-Type", JSON_TYPE),
        ("X-Amz-Target", target_of(operation)),
        ("X-Amz-Date", now),
        ("Authorization", f"AWS4-HMAC-SHA256 Credential=wire/{now[:8]}/us-east-1/dynamodb/"
                          "aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature="
                          + "0" * 64),
    ]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def read_back(file):
    file.seek(0, os.SEEK_SET)
    return file.read()[-4000:].decode(errors="replace")
