# SPDX-License-Identifier: Apache-2.0
"""The systems that are measured: Stator, its peers, and the limits of this machine.

tools/install_deps peers puts the peers into build/peers; one that is not there is left out.
"""
import contextlib
import os
import re
import shutil
import signal

import stand
from load import Client

BINARY = os.environ.get("STATOR_BINARY") or os.path.join(stand.ROOT, "build", "release", "stator")
PEERS = os.path.join(stand.ROOT, "build", "peers")
DYNAMODB_LOCAL = os.path.join(PEERS, "dynamodb-local", "lib")
DYNOXIDE = os.path.join(PEERS, "dynoxide", "bin", "dynoxide")
DYNALITE = os.path.join(PEERS, "dynalite", "node_modules", "dynalite", "cli.js")
MOTO = os.path.join(PEERS, "moto", "bin", "moto_server")
REDIS = os.path.join(PEERS, "redis-server")
# Where tools/install_deps puts an nginx that is not to run as a service of the machine.
NGINX_UNPACKED = os.path.join(stand.ROOT, "build", "nginx", "usr", "sbin", "nginx")
NGINX_TEXT_MAX = 3000  # of one parameter in its configuration, which has to be below 4096
SLOW_START = 2         # seconds of load until a compiler at run time has seen the request


class System:
    """What is known of one column of the table; start() makes a process of it."""

    def __init__(self, name, family, durability, warm_seconds=0):
        """durability: in words, among them "sync" where an answered write survives a crash."""
        self.name = name
        self.family = family
        self.durability = durability
        self.warm_seconds = warm_seconds
        self.on_disk = name.endswith("-disk") or name == "stator"
        self.is_durable = "sync" in durability and "no sync" not in durability

    def is_there(self):
        needs = {"stator": (BINARY,), "dynoxide": (DYNOXIDE,), "moto": (MOTO,),
                 "dynamodb-local": (DYNAMODB_LOCAL, shutil.which("java")),
                 "dynalite": (DYNALITE, node_binary())}[self.family]
        return all(path and os.path.exists(path) for path in needs)

    def start(self, folder, core=None):
        """The process, which may not accept connections yet; its data are below folder."""
        data = os.path.join(folder, self.name) if self.on_disk else None
        if self.family == "stator":
            return Stator(data, core, ["--threads", "1"] if core is not None else [])
        return Peer(self.family, data, core)

    def version(self):
        """As it says itself, or as its installed package is called."""
        return {
            "stator": lambda: stand.version_of(BINARY, "--version"),
            "dynamodb-local": lambda: " ".join(
                name for name in os.listdir(DYNAMODB_LOCAL) if name.startswith("DynamoDBLocal"))
            + ", " + stand.version_of("java", "--version"),
            "dynoxide": lambda: "dynoxide-rs " + crate_version(),
            "dynalite": lambda: stand.version_of(
                node_binary(), "-p", "'dynalite ' + require('./package.json').version + "
                "', Node.js ' + process.version", cwd=os.path.dirname(DYNALITE)),
            "moto": lambda: stand.version_of(
                os.path.join(os.path.dirname(MOTO), "python"), "-c",
                "import moto, sys; print('moto', moto.__version__ + ', Python', *sys.version.split()[:1])"),
        }[self.family]()


# The first is what all others are compared with. Who syncs was seen by strace, one PutItem after
# the other.
SYSTEMS = (
    System("stator", "stator", "on disk, synced before the answer"),
    System("stator-memory", "stator", "in memory"),
    System("dynamodb-local", "dynamodb-local", "in memory (SQLite)", SLOW_START),
    System("dynamodb-local-disk", "dynamodb-local", "on disk (SQLite), 4 syncs a write", SLOW_START),
    System("dynoxide", "dynoxide", "in memory (SQLite)"),
    System("dynoxide-disk", "dynoxide", "on disk (SQLite), a sync a write"),
    System("dynalite", "dynalite", "in memory", SLOW_START / 4),
    System("dynalite-disk", "dynalite", "on disk (LevelDB), no sync", SLOW_START / 4),
    System("moto", "moto", "in memory"),
)
FAMILIES = ("dynamodb-local", "dynoxide", "dynalite", "moto")
OURS = SYSTEMS[0]


def chosen(families, of=SYSTEMS):
    """Stator and the peers of these families that are installed, and the names of those missing."""
    wanted = [each for each in of if each.family == "stator" or each.family in families]
    return ([each for each in wanted if each.is_there()],
            [each.name for each in wanted if not each.is_there()])


def crate_version():
    """As cargo noted it: what the program itself says is another number."""
    with open(os.path.join(PEERS, "dynoxide", ".crates.toml"), encoding="utf-8") as file:
        found = re.search(r"dynoxide-rs (\S+)", file.read())
    return found.group(1) if found else "of an unknown version"


def node_binary():
    """Of build/venv, where tools/install_deps puts one when the machine's is too old."""
    path = os.path.join(stand.ROOT, "build", "venv", "bin") + os.pathsep + os.environ["PATH"]
    return shutil.which("node", path=path)


class Stator(stand.Process):
    """data None: in memory."""

    def __init__(self, data=None, core=None, flags=()):
        port = stand.free_port()
        where = ["--data", data] if data else ["--in-memory"]
        super().__init__([BINARY, "serve", "--port", str(port), *where, *flags], port, core)
        self.data = data

    def client(self):
        return Client(self.port)


class Peer(stand.Process):
    """Another server of the DynamoDB API, as its authors start it. data None: in memory."""

    def __init__(self, family, data=None, core=None):
        port = stand.free_port()
        if data:
            os.makedirs(data)
        # It sends usage figures unless told not to.
        environment = {**os.environ, "DDB_LOCAL_TELEMETRY": "0"}
        super().__init__(command_of(family, str(port), data), port, core, env=environment,
                         cwd=data or PEERS)
        self.data = data

    def client(self):
        return Client(self.port)

    def stop(self):
        """Each ends with a status of its own."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(stand.STOP_SECONDS)
        except stand.subprocess.TimeoutExpired:
            self.kill()


def command_of(family, port, data):
    if family == "dynamodb-local":
        return ["java", f"-Djava.library.path={DYNAMODB_LOCAL}", "-cp", f"{DYNAMODB_LOCAL}/*",
                "com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-disableTelemetry",
                "-port", port, *(["-dbPath", data] if data else ["-inMemory"])]
    if family == "dynoxide":
        return [DYNOXIDE, "serve", "--port", port, "--log", "quiet",
                *(["--db-path", os.path.join(data, "data.db")] if data else [])]
    if family == "dynalite":
        return [node_binary(), DYNALITE, "--host", "127.0.0.1", "--port", port,
                "--createTableMs", "0", *(["--path", data] if data else [])]
    return [MOTO, "-H", "127.0.0.1", "-p", port]


@contextlib.contextmanager
def running(systems, folder, core, prepare):
    """All of them at once, ready and prepared, by name, so that they can be measured in turns. A
    peer that cannot be is left out."""
    with contextlib.ExitStack() as stack:
        servers = {}
        for system in systems:
            try:
                server = stack.enter_context(system.start(folder, core)).ready()
                prepare(server)
                servers[system.name] = server
            except stand.Failure as failure:
                if system.family == "stator":
                    raise
                print(f"   {system.name} is left out: {failure}")
        yield servers


# ---- Limits -----------------------------------------------------------------------------------


class Nginx(stand.Process):
    """An nginx that answers with static bodies, each on a port of its own."""

    has_items = False

    def __init__(self, bodies, folder, core=None):
        self.ports = [stand.free_port() for _ in bodies]
        config = os.path.join(folder, "nginx.conf")
        with open(config, "w", encoding="utf-8") as file:
            file.write(nginx_config(zip(bodies, self.ports), folder))
        super().__init__([nginx_binary(), "-c", config, "-p", folder, "-e", "stderr"],
                         self.ports[0], core)

    def at(self, index):
        """What measure() takes, of one body."""
        return PortOf(self, self.ports[index])


class PortOf:
    """One of several ports of a server."""

    has_items = False

    def __init__(self, server, port):
        self.pid = server.pid
        self.port = port
        self.sequences = {}


def nginx_binary():
    found = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    return found or (NGINX_UNPACKED if os.access(NGINX_UNPACKED, os.X_OK) else None)


def nginx_server(body, port):
    """A dollar sign would begin a variable; a long body is put together from variables."""
    if "$" in body:
        raise stand.Failure("a dollar sign in an answer, which nginx would take for a variable")
    quoted = [body[at:at + NGINX_TEXT_MAX].replace("\\", "\\\\").replace("'", "\\'")
              for at in range(0, len(body), NGINX_TEXT_MAX)]
    variables = "".join(f"set $part{number} '{text}'; " for number, text in enumerate(quoted))
    whole = "".join(f"${{part{number}}}" for number in range(len(quoted)))
    return f"""
    server {{
        listen 127.0.0.1:{port};
        location / {{
            default_type application/x-amz-json-1.0;
            {variables}return 200 '{whole}';
        }}
    }}"""


def nginx_config(bodies, folder):
    """One worker, keep-alive without an end as the other servers have it, no log."""
    temporary = "\n".join(f"    {kind}_temp_path {folder}/{kind};" for kind in (
        "client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    return f"""
daemon off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log stderr error;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 75s;
    tcp_nodelay on;
    client_max_body_size 0;
    variables_hash_max_size 4096;
{temporary}
{"".join(nginx_server(body, port) for body, port in bodies)}
}}
"""


class Redis(stand.Process):
    """A Redis that syncs its log before it answers a write."""

    def __init__(self, folder, core=None):
        port = stand.free_port()
        os.makedirs(folder)
        super().__init__([REDIS, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder,
                          "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                          "--auto-aof-rewrite-percentage", "0"], port, core)


def redis_is_there():
    return os.path.exists(REDIS) and shutil.which("redis-benchmark") is not None
