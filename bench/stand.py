# SPDX-License-Identifier: Apache-2.0
"""The measuring stand: servers on one core, the load on another, and what they used up."""
import http.client
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import zlib

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get("STATOR_BINARY") or os.path.join(ROOT, "build", "release", "stator")
# Where tools/install_deps puts an nginx that is not to run as a service of the machine.
NGINX_UNPACKED = os.path.join(ROOT, "build", "nginx", "usr", "sbin", "nginx")

START_SECONDS = 20
STOP_SECONDS = 20
TICKS = os.sysconf("SC_CLK_TCK")
SEQUENCE, RANDOM = "SEQUENCE____", "RANDOM______"  # see requests.lua
WIDTH = len(SEQUENCE)


class Failure(Exception):
    """A result that cannot be right, or a program that does not do its part."""


def cores():
    """The server's core and the load's: the first and the last this process may use."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[-1]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- Processes --------------------------------------------------------------------------------


def spawn(command, core=None, **options):
    """A child process, on one core if it is given one. It inherits this process's cores."""
    before = os.sched_getaffinity(0)
    if core is not None:
        os.sched_setaffinity(0, {core})
    try:
        return subprocess.Popen(command, stdin=subprocess.DEVNULL, **options)
    finally:
        os.sched_setaffinity(0, before)


TRIES = 4  # of a run in which nothing was answered


def cpu_seconds(pid):
    """CPU time of a process, all its threads together: to the nanosecond where the kernel tells."""
    try:
        total = 0
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[0])
        if total > 0:
            return total / 1e9
    except FileNotFoundError:
        pass
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def busy_seconds():
    """What all processes of the machine have used, without interrupts."""
    with open("/proc/stat", encoding="ascii") as file:
        return sum(map(int, file.readline().split()[1:4])) / TICKS


def our_seconds():
    """What this process and its ended children have used."""
    return sum(used.ru_utime + used.ru_stime for used in map(
        resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)))


def resident_mb(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(r"^VmRSS:\s+(\d+) kB", file.read(), re.MULTILINE).group(1)) / 1024


class Process:
    """A server under measurement."""

    def __init__(self, command, port, core=None):
        self.port = port
        self.log = tempfile.TemporaryFile()
        self.started = time.perf_counter()
        self.process = spawn(command, core, stdout=self.log, stderr=self.log)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            if kind is None:
                self.stop()
            else:
                self.kill()
        self.log.close()

    def ready(self):
        """Itself, when it accepts connections."""
        self.wait_for_port().close()
        return self

    def wait_for_port(self):
        """A connection, as soon as it accepts one: asked so often that it can be timed."""
        while time.perf_counter() - self.started < START_SECONDS:
            if self.process.poll() is not None:
                raise Failure(f"the server ended: {self.printed()}")
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS)
            except ConnectionRefusedError:
                time.sleep(0.0002)
        self.kill()
        raise Failure(f"the server does not listen: {self.printed()}")

    def kill(self):
        self.process.kill()
        self.process.wait()

    def printed(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-2000:]

    def stop(self):
        """SIGTERM; returns how many seconds it took to end."""
        started = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        if status != 0:
            raise Failure(f"the server ended with {status}: {self.printed()}")
        return time.perf_counter() - started


class Stator(Process):
    """data None: in memory."""

    def __init__(self, data=None, core=None, flags=()):
        port = free_port()
        where = ["--data", data] if data else ["--in-memory"]
        super().__init__([BINARY, "serve", "--port", str(port), *where, *flags], port, core)

    def client(self):
        return Client(self.port)


class Nginx(Process):
    """An nginx that answers everything with one static body."""

    def __init__(self, body, folder, core=None):
        port = free_port()
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(nginx_config(body, folder, port))
        super().__init__([nginx_binary(), "-c", config, "-p", folder, "-e", "stderr"], port, core)
        self.ready()
        # The master only watches; the worker is its one child, a little later.
        while self.pid == self.process.pid:
            with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
                self.pid = next(map(int, file.read().split()), self.pid)
            time.sleep(0.001)


def nginx_binary():
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    return found or (NGINX_UNPACKED if os.access(NGINX_UNPACKED, os.X_OK) else None)


def nginx_config(body, folder, port):
    """One worker, keep-alive without an end as the other server has it, no log."""
    quoted = body.replace("\\", "\\\\").replace("'", "\\'")
    temporary = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 75s;
    tcp_nodelay on;
{temporary}
    server {{
        listen 127.0.0.1:{port};
        location / {{ default_type application/x-amz-json-1.0; return 200 '{quoted}'; }}
    }}
}}
"""


def version_of(*command):
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=10, check=False)
    except OSError:
        return "absent"
    return next((line.strip() for line in done.stdout.splitlines() if line.strip()), "")


# ---- Requests ---------------------------------------------------------------------------------


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
        self.http.request("POST", "/", body, headers_of(operation, self.port, len(body)))
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise Failure(f"{operation}: {answer.status} {text[:300]}")
        return text

    def call(self, operation, **members):
        return json.loads(self.call_raw(operation, json.dumps(members).encode()))


class Load:
    """One request, with marks where keys vary: what a figure is measured with."""

    def __init__(self, operation, members, sequence_max=1, random_max=1):
        self.operation = operation
        self.body = json.dumps(members, separators=(",", ":"))
        self.sequence_max = sequence_max
        self.random_max = random_max

    def template(self, port):
        lines = [f"{name}: {value}"
                 for name, value in headers_of(self.operation, port, len(self.body)).items()]
        return "\r\n".join(["POST / HTTP/1.1", *lines, "", self.body])

    def samples(self, count):
        """Bodies such as the load has, the same in every run."""
        numbers = random.Random(42)
        sequence = 0
        for _ in range(count):
            def fill(mark):
                nonlocal sequence
                if mark.group() == RANDOM:
                    return f"{numbers.randrange(self.random_max):012}"
                sequence += 1
                return f"{(sequence - 1) % self.sequence_max:012}"
            yield re.sub(f"{SEQUENCE}|{RANDOM}", fill, self.body)

    def try_out(self, client, check, count=20):
        """Looks at some answers before a run: all have to pass check. Returns their checksum."""
        checksum = 0
        for body in self.samples(count):
            text = client.call_raw(self.operation, body.encode())
            if not check(json.loads(text)):
                raise Failure(f"{self.operation}: unexpected answer {text[:300]}")
            checksum = zlib.crc32(text, checksum)
        return f"{checksum:08x}"


class Wrk:
    """wrk with one thread, sending a load until it is stopped."""

    def __init__(self, load, port, connections, core=None):
        self.template = tempfile.NamedTemporaryFile(prefix="stator-bench-")
        self.template.write(load.template(port).encode())
        self.template.flush()
        # It ends when it gets SIGINT: that allows less than a second, which its flag does not.
        command = ["wrk", "-t", "1", "-c", str(connections), "-d", "3600s", "--timeout", "30s", "-s",
                   os.path.join(ROOT, "bench", "requests.lua"), f"http://127.0.0.1:{port}/", "--",
                   self.template.name, str(load.sequence_max), str(load.random_max)]
        self.process = spawn(command, core, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                             text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.template.close()

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
    raise Failure(f"no request was answered: {result}")


def measure_once(server, load, connections, seconds):
    _, core = cores()
    with Wrk(load, server.port, connections, core) as wrk:
        before = cpu_seconds(server.pid)
        wrk.wait_until_sending()
        time.sleep(seconds)
        result = wrk.finish()
    used = cpu_seconds(server.pid) - before
    if not result["requests"]:
        return result
    result["rate"] = result["requests"] * 1e6 / result["duration_us"]
    result["cpu_us"] = used * 1e6 / result["requests"]
    result["bytes_each"] = result["bytes"] / result["requests"]
    return result
