# SPDX-License-Identifier: Apache-2.0
"""A stator process under test, and ways to talk to it: boto3, the bare protocol, a socket."""
import datetime
import hashlib
import hmac
import http.client
import json
import os
import signal
import socket
import subprocess
import tempfile
import time

import boto3
import botocore.config

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("STATOR_BINARY") or os.path.join(ROOT, "build", "release", "stator")
# Sanitizers make everything slower; what counts seconds asks how much is fair.
IS_SANITIZED = os.environ.get("STATOR_PRESET", "release") in ("asan", "tsan")
SLOWNESS = 10 if IS_SANITIZED else 1

START_SECONDS = 10 * SLOWNESS
STOP_SECONDS = 10 * SLOWNESS
ANSWER_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run_stator(*arguments, environment=None, seconds=START_SECONDS):
    """Runs the program to its end: (status, standard output, standard error)."""
    done = subprocess.run([BINARY, *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=seconds, check=False,
                          env={**os.environ, **(environment or {})})
    return done.returncode, done.stdout, done.stderr


class Server:
    """One server process; data None is --in-memory. It may be stopped, killed and started again."""

    def __init__(self, data=None, flags=(), environment=None):
        self.data = data
        self.flags = list(flags)
        self.environment = environment or {}
        self.port = free_port()
        self.process = None
        self.output = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        where = ["--data", str(self.data)] if self.data else ["--in-memory"]
        self.output = tempfile.TemporaryFile()
        self.process = subprocess.Popen(
            [BINARY, "serve", "--port", str(self.port), *where, *self.flags],
            stdin=subprocess.DEVNULL, stdout=self.output, stderr=self.output,
            env={**os.environ, **self.environment})
        deadline = time.monotonic() + START_SECONDS
        while not self.accepts():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError(f"no server came up: {self.printed()}")
            time.sleep(0.005)
        return self

    def accepts(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return True
        except OSError:
            return False

    def printed(self):
        self.output.seek(0)
        return self.output.read().decode(errors="replace")[-4000:]

    def stop(self):
        """Stops it with SIGTERM, which has to go well; returns how many seconds it took."""
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        assert status == 0, f"ended with {status}: {self.printed()}"
        return time.monotonic() - started

    def kill(self):
        """Stops it as a power cut would."""
        self.process.kill()
        self.process.wait()

    def end(self):
        """For fixtures: whatever state it is in. Sanitizers report at the end, so it has to be 0."""
        if self.process is None or self.process.poll() == -signal.SIGKILL:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"the server does not stop: {self.printed()}") from None
        assert status == 0, f"the server ended with {status}: {self.printed()}"

    def client(self, **config):
        return boto3.client(
            "dynamodb", endpoint_url=self.url, region_name="us-east-1",
            aws_access_key_id="test", aws_secret_access_key="test",
            config=botocore.config.Config(
                # Errors are to be seen, not retried away.
                **{"retries": {"total_max_attempts": 1}, "max_pool_connections": 64,
                   "read_timeout": ANSWER_SECONDS, **config}))

    def connection(self):
        return Connection(self.port)

    def admin(self, command, **members):
        """A command of administration, which has to succeed; the flags have --admin."""
        with self.connection() as connection:
            status, _, body = connection.request(path=f"/_stator/{command}",
                                                 body=json.dumps(members).encode())
        assert status == 200, body
        return json.loads(body)


class Connection:
    """One keep-alive connection that speaks the bare protocol: quicker than an SDK, and exact."""

    def __init__(self, port):
        self.port = port
        self.http = http.client.HTTPConnection("127.0.0.1", port, timeout=ANSWER_SECONDS)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.http.close()

    def request(self, method="POST", path="/", headers=None, body=b""):
        """(status, headers in lower case, body)."""
        self.http.request(method, path, body, headers or {})
        response = self.http.getresponse()
        answer = response.read()
        return response.status, {k.lower(): v for k, v in response.getheaders()}, answer

    def raw_call(self, operation, body, headers=None):
        """The operation with these bytes as its body."""
        return self.request(headers={**signed_headers(operation, body, self.port),
                                     **(headers or {})}, body=body)

    def call(self, operation, request):
        """(status, answer as Python values)."""
        status, _, body = self.raw_call(operation, json.dumps(request).encode())
        return status, json.loads(body)

    def must(self, operation, request):
        status, answer = self.call(operation, request)
        assert status == 200, answer
        return answer


def service_of(operation):
    of_streams = ("ListStreams", "DescribeStream", "GetShardIterator", "GetRecords")
    return "DynamoDBStreams" if operation in of_streams else "DynamoDB"


def signed_headers(operation, body, port, key="test", secret="test", region="us-east-1"):
    """A request's headers with a real Signature Version 4."""
    now = datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    scope = f"{day}/{region}/dynamodb/aws4_request"
    headers = {
        "content-type": "application/x-amz-json-1.0",
        "host": f"127.0.0.1:{port}",
        "x-amz-date": stamp,
        "x-amz-target": f"{service_of(operation)}_20120810.{operation}",
    }
    names = ";".join(headers)
    canonical = "\n".join(["POST", "/", "", *(f"{k}:{v}" for k, v in headers.items()), "", names,
                           hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", stamp, scope,
                         hashlib.sha256(canonical.encode()).hexdigest()])
    signing_key = f"AWS4{secret}".encode()
    for part in (day, region, "dynamodb", "aws4_request"):
        signing_key = hmac.digest(signing_key, part.encode(), "sha256")
    signature = hmac.digest(signing_key, to_sign.encode(), "sha256").hex()
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={key}/{scope}, "
                                f"SignedHeaders={names}, Signature={signature}")
    return headers


# ---- What DynamoDB computes -------------------------------------------------------------------


def item_size(item):
    """An item's size by the published formula; of numbers only what tests use: whole ones."""
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


def value_size(value):
    (kind, content), = value.items()
    if kind == "S":
        return len(content.encode())
    if kind == "N":
        digits = content.lstrip("-").strip("0")
        zeros = len(content) - len(content.rstrip("0"))
        if not digits:
            return 1
        # Pairs of digits are aligned at the decimal point.
        pairs = (len(digits) + zeros % 2 + 1) // 2
        return 1 + pairs + content.startswith("-")
    raise ValueError(f"no test needs the size of {kind}")
