# SPDX-License-Identifier: Apache-2.0
"""What bad clients do to a server: one function each, for tests/torture/clients.

Each takes the scene (server, random, how long, how many) and checks that the server treats it as it
should. Whether others were harmed is measured beside it, by the script.
"""
import contextlib
import json
import resource
import selectors
import socket
import struct
import time

from torture import Client, Lost

MEGABYTE = 1 << 20
BODY_BYTES_MAX = 16 * MEGABYTE
# A connection that is silent for so long is closed; a body may take so long to arrive.
IDLE_SECONDS = 75
# <linux/tcp.h>: a socket in repair is closed without a word to the other side.
TCP_REPAIR = 19
TABLE = "Things"
BIG_TABLE = "Big"


class Scene:
    """What the attacks have at hand."""

    def __init__(self, torture, server, slowness):
        self.check = torture.check
        self.skip = torture.skip
        self.random = torture.random
        self.short = torture.short
        self.slowness = slowness
        self.server = server
        self.port = server.port
        self.keys = 0

    def seconds(self, short, long):
        return short if self.short else long

    def message(self, operation, body, headers=b"", version=b"1.1", length=None):
        """A whole request; length overrides Content-Length, b"" leaves it out."""
        head = Client(self.port).head
        if length is None:
            length = b"Content-Length: %d\r\n" % len(body)
        return (b"POST / HTTP/%s\r\n%sX-Amz-Target: DynamoDB_20120810.%s\r\n%s%s\r\n%s" % (
            version, head, operation.encode(), headers, length, body))

    def request(self, operation, request, **more):
        return self.message(operation, json.dumps(request).encode(), **more)

    def connect(self, receive_bytes=None):
        made = socket.socket()
        if receive_bytes:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        made.settimeout(60 * self.slowness)
        made.connect(("127.0.0.1", self.port))
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    @contextlib.contextmanager
    def connections(self, count, receive_bytes=None):
        made = []
        try:
            for _ in range(count):
                made.append(self.connect(receive_bytes))
            yield made
        finally:
            for connection in made:
                connection.close()

    def client(self, connection):
        """A client that reads the answers of a socket."""
        client = Client(self.port, 60 * self.slowness)
        client.socket = connection
        return client

    def get(self, key):
        return self.request("GetItem", {"TableName": TABLE, "Key": {"id": {"S": key}}})

    def put(self, key, value):
        return self.request("PutItem", {"TableName": TABLE,
                                        "Item": {"id": {"S": key}, "v": {"S": value}}})

    def new_key(self):
        self.keys += 1
        return f"bad-{self.keys}"

    def resident_mb(self):
        return self.server.resident_bytes() / MEGABYTE


def received_until_closed(connection):
    """Everything up to the end of the connection, however it ends."""
    parts = []
    with contextlib.suppress(OSError):
        while part := connection.recv(1 << 16):
            parts.append(part)
    return b"".join(parts)


def is_closed_within(connection, seconds):
    connection.settimeout(seconds)
    try:
        while connection.recv(1 << 16):
            pass
        return True
    except TimeoutError:
        return False
    except OSError:
        return True


# ---- slow ones --------------------------------------------------------------------------------


def drip(scene, connections, messages, seconds):
    """Sends all messages byte by byte, side by side, in about so many seconds."""
    length = max(map(len, messages))
    began = time.monotonic()
    for i in range(length):
        for connection, message in zip(connections, messages):
            if i < len(message):
                connection.sendall(message[i:i + 1])
        time.sleep(max(0, began + (i + 1) * seconds / length - time.monotonic()))


def slow_headers(scene):
    """Requests come byte by byte, from their first byte on; all are answered."""
    with scene.connections(100) as connections:
        keys = [scene.new_key() for _ in connections]
        drip(scene, connections, [scene.put(key, key) for key in keys], scene.seconds(4, 60))
        answers = [scene.client(connection).receive() for connection in connections]
    scene.check("requests whose headers come slowly are answered",
                all(status == 200 for status, _ in answers), answers[:3])


def slow_bodies(scene):
    """Bodies come byte by byte; all are answered."""
    with scene.connections(100) as connections:
        bodies = []
        for connection in connections:
            head, _, body = scene.put(scene.new_key(), "x" * 100).partition(b"\r\n\r\n")
            connection.sendall(head + b"\r\n\r\n")
            bodies.append(body)
        drip(scene, connections, bodies, scene.seconds(4, 100))
        answers = [scene.client(connection).receive() for connection in connections]
    scene.check("requests whose bodies come slowly are answered",
                all(status == 200 for status, _ in answers), answers[:3])


def slow_readers(scene):
    """Answers of a megabyte are read a little at a time; they are right in the end."""
    scan = scene.request("Scan", {"TableName": BIG_TABLE})
    seconds = scene.seconds(3, 60)
    with scene.connections(32, receive_bytes=4096) as connections:
        before = scene.resident_mb()
        clients = []
        for connection in connections:
            connection.sendall(scan * 3)
            clients.append(scene.client(connection))
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for client in clients:
                client.received += client.socket.recv(256)
            time.sleep(0.05)
        grown = scene.resident_mb() - before
        print(f"    32 unread answers of 1 MB: {grown:.0f} MB more", flush=True)
        answers = [client.receive() for client in clients for _ in range(3)]
    scene.check("answers that are read slowly are whole",
                all(status == 200 and answer["Count"] > 0 for status, answer in answers))


# ---- those that go, and those that stay ---------------------------------------------------------


def vanish(scene):
    """Clients go without a word, at every stage; their connections are closed when they time out."""
    scan = scene.request("Scan", {"TableName": BIG_TABLE})
    put = scene.put(scene.new_key(), "x" * 1000)
    before = scene.server.descriptors()
    stages = (b"", put[:1], put[:200], put[:-500], put, scan)
    try:
        for stage in stages * 10:
            connection = scene.connect()
            connection.sendall(stage)
            time.sleep(0.002)
            connection.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
            connection.close()
    except PermissionError:
        scene.skip("connections of vanished clients are closed", "needs CAP_NET_ADMIN")
        return
    if scene.short:
        scene.skip("connections of vanished clients are closed", f"takes {IDLE_SECONDS} s")
        return
    deadline = time.monotonic() + IDLE_SECONDS + 30
    while scene.server.descriptors() > before and time.monotonic() < deadline:
        time.sleep(1)
    scene.check("connections of vanished clients are closed",
                scene.server.descriptors() <= before, scene.server.descriptors() - before)


def idle_connections(scene):
    """Thousands of connections that do nothing; each is served when it speaks."""
    count = scene.seconds(1000, 10000)
    before = scene.resident_mb()
    with scene.connections(count) as connections:
        # The last of them is accepted when it is answered.
        connections[-1].sendall(scene.get("fixed-1"))
        scene.client(connections[-1]).receive()
        each = (scene.resident_mb() - before) * 1024 / count
        print(f"    {count} idle connections: {each:.1f} KB each", flush=True)
        if scene.slowness == 1:
            scene.check("an idle connection takes at most 16 KB", each <= 16, f"{each:.1f} KB")
        # Among the last are those that a full thread would leave waiting.
        speaking = [*connections[:-200:20], *connections[-200:]]
        good = 0
        for connection in speaking:
            connection.sendall(scene.get("fixed-1"))
            good += scene.client(connection).receive()[0] == 200
        scene.check("idle connections are served when they speak", good == len(speaking))


def silent_body(scene):
    """A body is promised and does not come: the connection is closed in time."""
    put = scene.put(scene.new_key(), "x" * 1000)
    with scene.connections(20) as connections:
        for connection in connections:
            connection.sendall(put[:-900])
        if scene.short:
            scene.check("a body that has not come is waited for",
                        not is_closed_within(connections[0], 0.5))
            return
        scene.check("a body that never comes is given up",
                    is_closed_within(connections[0], IDLE_SECONDS + 30)
                    and all(is_closed_within(c, 5) for c in connections))


def endless_body(scene):
    """A chunked body without an end: given up, and not kept in memory."""
    head = scene.message("ListTables", b"", length=b"Transfer-Encoding: chunked\r\n")
    chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    before = scene.resident_mb()
    most = sent = 0
    with scene.connections(4) as connections:
        for connection in connections:
            connection.sendall(head)
        with contextlib.suppress(OSError):
            while sent < 200 * MEGABYTE:
                for connection in connections:
                    connection.sendall(chunk)
                sent += len(chunk)
                if sent // len(chunk) % 64 == 0:
                    most = max(most, scene.resident_mb() - before)
    print(f"    given up after {sent / MEGABYTE:.0f} MB of body; {most:.0f} MB more", flush=True)
    scene.check("a body without an end is given up", sent < 100 * MEGABYTE)


# ---- forms of HTTP ------------------------------------------------------------------------------


def large_headers(scene):
    """Headers as large as promised are read; larger ones are refused, and cost little."""
    for size, accepted in ((5500, True), (20_000, False), (64_000, False), (MEGABYTE, False)):
        with scene.connections(1) as (connection,):
            with contextlib.suppress(OSError):
                connection.sendall(scene.message(
                    "ListTables", b"{}", headers=b"X-Long: %s\r\nConnection: close\r\n" % (
                        b"x" * size)))
            answer = received_until_closed(connection)
        good = answer.startswith(b"HTTP/1.1 200") if accepted else (
            not answer or answer[9:12] in (b"413", b"414", b"431"))
        scene.check(f"headers of {size} bytes are {'read' if accepted else 'refused'}", good,
                    answer[:100])
    for count, accepted in ((50, True), (100_000, False)):
        many = b"".join(b"X-%d: y\r\n" % i for i in range(count))
        with scene.connections(1) as (connection,):
            with contextlib.suppress(OSError):
                connection.sendall(scene.message("ListTables", b"{}",
                                                 headers=many + b"Connection: close\r\n"))
            answer = received_until_closed(connection)
        good = answer.startswith(b"HTTP/1.1 200")
        scene.check(f"{count} headers are {'read' if accepted else 'refused'}", good == accepted,
                    answer[:100])


def pipelining(scene):
    """Many requests in one packet: answered in their order, each seeing the one before it."""
    key = scene.new_key()
    numbers = range(scene.seconds(100, 2000))
    requests = b"".join(scene.put(key, f"v{n}") + scene.get(key) for n in numbers)
    with scene.connections(1) as (connection,):
        client = scene.client(connection)
        connection.setblocking(False)
        view, answers = memoryview(requests), []
        selector = selectors.DefaultSelector()
        selector.register(connection, selectors.EVENT_READ | selectors.EVENT_WRITE)
        while view:
            for _, events in selector.select():
                if events & selectors.EVENT_WRITE:
                    view = view[connection.send(view):]
                if events & selectors.EVENT_READ:
                    client.received += connection.recv(1 << 16)
        connection.settimeout(60 * scene.slowness)
        answers = [client.receive() for _ in numbers for _ in range(2)]
    seen = [answer["Item"]["v"]["S"] for _, answer in answers[1::2]]
    scene.check("pipelined requests are answered in order", seen == [f"v{n}" for n in numbers],
                seen[:10])


def old_http(scene):
    """HTTP/1.0: answered, and closed unless asked to stay."""
    body = json.dumps({"TableName": TABLE, "Key": {"id": {"S": "fixed-1"}}}).encode()
    with scene.connections(1) as (connection,):
        connection.sendall(scene.message("GetItem", body, version=b"1.0"))
        answer = received_until_closed(connection)
    scene.check("HTTP/1.0 is answered and closed", b" 200 " in answer[:20], answer[:100])
    with scene.connections(1) as (connection,):
        client = scene.client(connection)
        for _ in range(3):
            connection.sendall(scene.message("GetItem", body, version=b"1.0",
                                             headers=b"Connection: Keep-Alive\r\n"))
            scene.check("HTTP/1.0 may stay", client.receive()[0] == 200)


def expect_continue(scene):
    """Expect: 100-continue: told to go on, or told at once that it is too much."""
    body = json.dumps({"TableName": TABLE, "Key": {"id": {"S": "fixed-1"}}}).encode()
    expect = b"Expect: 100-continue\r\n"
    with scene.connections(1) as (connection,):
        whole = scene.message("GetItem", body, headers=expect)
        connection.sendall(whole[:-len(body)])
        told = connection.recv(1000)
        scene.check("a client that asks is told to go on",
                    told.startswith(b"HTTP/1.1 100 ") and told.endswith(b"\r\n\r\n"), told)
        connection.sendall(body)
        scene.check("and then answered", scene.client(connection).receive()[0] == 200)
    with scene.connections(1) as (connection,):
        length = b"Content-Length: %d\r\n" % (BODY_BYTES_MAX + 1)
        connection.sendall(scene.message("GetItem", b"", headers=expect, length=length))
        answer = received_until_closed(connection)
        scene.check("a client that asks for too much is told", b" 413 " in answer[:20], answer[:99])


# ---- large ones ---------------------------------------------------------------------------------


def send_side_by_side(connections, message):
    """The same message over all connections, as fast as they take it; then the answers."""
    selector = selectors.DefaultSelector()
    for connection in connections:
        connection.setblocking(False)
        selector.register(connection, selectors.EVENT_WRITE, memoryview(message))
    while selector.get_map():
        for key, _ in selector.select():
            try:
                rest = key.data[key.fileobj.send(key.data):]
            except (BrokenPipeError, ConnectionResetError):
                rest = b""
            if rest:
                selector.modify(key.fileobj, selectors.EVENT_WRITE, rest)
            else:
                selector.unregister(key.fileobj)


def statuses(scene, connections):
    found = {}
    for connection in connections:
        connection.settimeout(120 * scene.slowness)
        try:
            status = scene.client(connection).receive()[0]
        except Lost:
            status = "lost"
        found[status] = found.get(status, 0) + 1
    return found


def large_bodies(scene):
    """Clients with bodies of 16 MB at once: answered, or asked to come again; memory bounded."""
    body = b"{" + b" " * (BODY_BYTES_MAX - 2) + b"}"
    send_large_bodies(scene, scene.message("ListTables", body))
    if not scene.short:
        send_large_bodies(scene, scene.message("ListTables", body), 200)


def large_writes(scene):
    """Clients with batches of 25 large items at once: the disk is what they wait for."""
    items = [{"PutRequest": {"Item": {"id": {"S": f"large-{n}"}, "v": {"S": "x" * 390_000}}}}
             for n in range(25)]
    send_large_bodies(scene, scene.request("BatchWriteItem",
                                           {"RequestItems": {BIG_TABLE + "-2": items}}))


def send_large_bodies(scene, message, count=None):
    count = count or scene.seconds(16, 64)
    reset_peak(scene.server)
    before = scene.resident_mb()
    with scene.connections(count) as connections:
        send_side_by_side(connections, message)
        found = statuses(scene, connections)
    peak = scene.server.status("VmHWM") / 1024 - before
    print(f"    {count} bodies of {len(message) >> 20} MB: {found}, {peak:.0f} MB more", flush=True)
    scene.check("large bodies are answered", set(found) <= {200, 503} and found.get(200, 0) > 0,
                found)
    if scene.slowness == 1:
        scene.check("memory for large bodies is bounded", peak <= PEAK_MB, f"{peak:.0f} MB")


# What large bodies may take at most, the answers of all included.
PEAK_MB = 1500


def reset_peak(server):
    """Makes VmHWM begin again (proc(5), clear_refs)."""
    with open(f"/proc/{server.process.pid}/clear_refs", "w", encoding="ascii") as file:
        file.write("5")


def too_large_bodies(scene):
    """A byte more than 16 MB: refused with 413, after it was read, so that the client sees it."""
    body = b"{" + b" " * (BODY_BYTES_MAX - 1) + b"}"
    with scene.connections(4) as connections:
        for connection in connections:
            connection.sendall(scene.message("ListTables", body))
        found = statuses(scene, connections)
    scene.check("a body of 16 MB and a byte is refused", found == {413: 4}, found)


# ---- broken ones --------------------------------------------------------------------------------


def resets(scene):
    """Connections are reset in the middle of requests and of answers."""
    scan = scene.request("Scan", {"TableName": BIG_TABLE})
    put = scene.put("reset", "x" * 5000)
    for _ in range(scene.seconds(200, 5000)):
        connection = scene.connect()
        message = scene.random.choice((put, scan))
        connection.sendall(message[:scene.random.randrange(len(message) + 1)])
        if scene.random.random() < 0.5:
            time.sleep(scene.random.random() * 0.005)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.close()


def splits(scene):
    """A request in two parts, cut at every byte in turn; and in many."""
    message = scene.get("fixed-1")
    step = scene.seconds(3, 1)
    with scene.connections(1) as (connection,):
        client = scene.client(connection)
        good = asked = 0
        for at in range(1, len(message), step):
            connection.sendall(message[:at])
            time.sleep(0.001)
            connection.sendall(message[at:])
            asked += 1
            good += client.receive()[1].get("Item", {}).get("v") == {"S": "value-1"}
        for _ in range(scene.seconds(20, 200)):
            cuts = sorted(scene.random.sample(range(1, len(message)), 8))
            for begin, end in zip([0, *cuts], [*cuts, len(message)]):
                connection.sendall(message[begin:end])
            asked += 1
            good += client.receive()[1].get("Item", {}).get("v") == {"S": "value-1"}
    scene.check("a request may come in any pieces", good == asked, f"{good} of {asked}")


def garbage(scene):
    """Random bytes, and requests with some bytes changed: refused or closed."""
    good = scene.put("garbage", "value")
    for _ in range(scene.seconds(300, 20000)):
        if scene.random.random() < 0.3:
            data = scene.random.randbytes(scene.random.randrange(1, 3000))
        else:
            data = bytearray(good)
            for _ in range(scene.random.randrange(1, 6)):
                data[scene.random.randrange(len(data))] = scene.random.randrange(256)
        with contextlib.suppress(OSError), scene.connections(1) as (connection,):
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            if scene.random.random() < 0.5:
                connection.settimeout(0.05)
                received_until_closed(connection)


ATTACKS = [slow_headers, slow_bodies, slow_readers, idle_connections, endless_body, large_headers,
           pipelining, old_http, expect_continue, large_bodies, large_writes, too_large_bodies,
           resets, splits, garbage, silent_body, vanish]


def raise_descriptor_limit():
    """For thousands of connections; the server raises its own."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


