# SPDX-License-Identifier: Apache-2.0
"""The mixed load of the soak: a bounded data set, and everything that clients do to it.

Writers are the sessions of crash_load.py, which know their items and look at them. Everybody plays
until the stop flag is up; a wrong answer is a problem, and so is any status of 500 and above.
"""
import collections
import json
import socket
import time

from crash_load import Outcome, Session, begin, key_item, number, put, text
from crash_roles import STANDING, VIEW, IndexMover, StreamReader, TableMaker
from torture import Client, Refused, kind_of

LARGE_ITEMS = 16
LARGE_BYTES = 390_000
VISITORS = 40
PAUSE_SECONDS = 0.002
# What a reader of a stream meets when the day goes by faster than it reads.
LEFT_BEHIND = ("TrimmedDataAccessException", "ExpiredIteratorException",
               "ResourceNotFoundException")
MISTAKES = [
    ("GetItem", {"TableName": "Base", "Key": {"wrong": text("x")}}),
    ("GetItem", {"TableName": "Nowhere", "Key": {"id": text("x")}}),
    ("PutItem", {"TableName": "Base", "Item": {"id": text("")}}),
    ("PutItem", {"TableName": "Base", "Item": {"id": text("x"), "a": {"N": "one"}}}),
    ("UpdateItem", {"TableName": "Base", "Key": {"id": text("x")}, "UpdateExpression": "SET"}),
    ("Query", {"TableName": "Base", "KeyConditionExpression": "id > :a"}),
    ("Scan", {"TableName": "Base", "Limit": 0}),
    ("Scan", {"TableName": "Base", "FilterExpression": "a = :missing"}),
    ("ExecuteStatement", {"Statement": "SELECT FROM WHERE"}),
    ("Fly", {}),
]
NONSENSE = [b"GET /\r\n\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"]
# Requests that do not end. When their client goes at the same moment, libmicrohttpd does not see it
# go, and closes the connection when it has been silent for 75 seconds. So many of them are sent in
# any 80 seconds, on quick machines and on slow ones.
HALVES_MOST = 60
HALVES_SECONDS = 80
HALVES = [
    b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", b"\x00\xff" * 50, b"POST / HT",
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
]


class Stop:
    """Ends a loop: the flag is in memory that all processes share."""

    def __init__(self, flag):
        self.flag = flag

    def __bool__(self):
        return bool(self.flag.value)


class Told:
    """What a process of the load tells at its end."""

    def __init__(self):
        self.problems = []
        self.requests = 0

    def expect(self, client, operation, request, allowed=()):
        """The answer; a problem when it is an error that is not allowed."""
        status, answer = client.call(operation, request)
        self.requests += 1
        if status != 200 and (status >= 500 or kind_of(answer) not in allowed):
            self.problems.append(f"{operation}: {status} {json.dumps(answer)[:300]} of "
                                 f"{json.dumps(request)[:300]}")
        return answer


# ---- Writers ----------------------------------------------------------------------------------


def write(sessions, clients, stop, told):
    """Like crash_load.play, but it ends when it is told to, and forgets what is past."""
    while not stop:
        outcome = Outcome()
        made = [session.make() for session in sessions]
        for client, one in zip(clients, made):
            begin(client, one)
        for session, client, one in zip(sessions, clients, made):
            outcome.take(session, one, *client.receive())
        told.problems += outcome.problems
        told.requests += len(made)
        time.sleep(PAUSE_SECONDS)


def make_sessions(randoms, first, size, clock):
    nothing = {table: {} for table in STANDING}
    sessions = [Session(first + at, random, nothing, size) for at, random in enumerate(randoms)]
    for session in sessions:
        session.clock = clock
    return sessions


# ---- Readers ----------------------------------------------------------------------------------


class Reads:
    """Every way of reading, at random."""

    def __init__(self, random, sessions, size):
        self.random = random
        self.sessions = sessions
        self.size = size
        self.makers = [self.get, self.get, self.get, self.batch, self.transaction, self.query,
                       self.query_index, self.scan, self.scan_segment, self.statement,
                       self.describe, self.list, self.mistake]

    def key(self, table):
        session, index = self.random.randrange(self.sessions), self.random.randrange(self.size)
        return key_item(table, (f"{session}-{index // 10}", str(index % 10 - 5))
                        if table == "Orders" else f"{session}-{index}")

    def make(self):
        """(operation, request, errors that are right)"""
        return self.random.choice(self.makers)()

    def get(self):
        table = self.random.choice(("Base", "Orders", "Twin"))
        return "GetItem", {"TableName": table, "Key": self.key(table),
                           "ConsistentRead": self.random.random() < 0.5}, ()

    def batch(self):
        keys = {key["id"]["S"]: key for key in (self.key("Base") for _ in range(50))}
        return "BatchGetItem", {"RequestItems": {"Base": {"Keys": list(keys.values())}}}, ()

    def transaction(self):
        keys = {key["id"]["S"]: key for key in (self.key("Twin") for _ in range(10))}
        return "TransactGetItems", {"TransactItems": [
            {"Get": {"TableName": "Twin", "Key": key}} for key in keys.values()]}, ()

    def query(self):
        return "Query", {
            "TableName": "Orders", "KeyConditionExpression": "id = :id AND n BETWEEN :a AND :b",
            "ExpressionAttributeValues": {":id": self.key("Orders")["id"], ":a": number(-4),
                                          ":b": number(3)},
            "ScanIndexForward": self.random.random() < 0.5}, ()

    def query_index(self):
        return "Query", {
            "TableName": "Base", "IndexName": "by-status", "Limit": 50,
            "KeyConditionExpression": "#s = :s", "ExpressionAttributeNames": {"#s": "status"},
            "FilterExpression": "attribute_exists(body) AND size(body) < :most",
            "ExpressionAttributeValues": {":s": text("open"), ":most": number(100)}}, ()

    def scan(self):
        return "Scan", {
            "TableName": "Base", "Limit": 200, "ProjectionExpression": "id, #d.#l[0], tags",
            "ExpressionAttributeNames": {"#d": "data", "#l": "list"}}, ()

    def scan_segment(self):
        return "Scan", {"TableName": "Twin", "TotalSegments": 16, "Limit": 100,
                        "Segment": self.random.randrange(16)}, ()

    def statement(self):
        return "ExecuteStatement", {
            "Statement": 'SELECT * FROM "Base" WHERE "id" = ?',
            "Parameters": [self.key("Base")["id"]]}, ()

    def describe(self):
        return self.random.choice((
            ("DescribeTable", {"TableName": "Base"}, ()),
            ("DescribeTimeToLive", {"TableName": "Expiring"}, ()),
            ("DescribeLimits", {}, ()), ("DescribeEndpoints", {}, ())))

    def list(self):
        return self.random.choice((("ListTables", {}, ()), ("ListStreams", {"Limit": 20}, ())))

    def mistake(self):
        operation, request = self.random.choice(MISTAKES)
        return operation, request, (
            "ValidationException", "ResourceNotFoundException", "UnknownOperationException")


def read(reads, client, stop, told, pause=PAUSE_SECONDS):
    while not stop:
        told.expect(client, *reads.make())
        time.sleep(pause)


def read_streams(arns, client, stop, told):
    """Follows streams; goes back to their beginning when left behind, and now and then."""
    readers = {}
    while not stop:
        for table, arn in arns.items():
            reader = readers.setdefault(table, StreamReader(table, arn))
            try:
                reader.read_on(client, lambda *_: None)
                told.requests += 1
            except Refused as refused:
                readers.pop(table)
                if refused.kind not in LEFT_BEHIND:
                    told.problems.append(str(refused)[:500])
            if len(reader.order) > 500:
                readers.pop(table, None)
            told.problems += reader.problems
        time.sleep(0.05)


# ---- Large items, tables, indexes, connections ------------------------------------------------


def prepare_large(client):
    client.must("CreateTable", {
        "TableName": "Large", "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]})


def fill_caches(client, count):
    """Ballast: more than the block cache holds, and read once. From then on the cache is full."""
    for index in range(count):
        client.must("PutItem", put("Large", {
            "id": text(f"ballast {index}"), "body": text(f"{index:06d}" * (LARGE_BYTES // 6))}))
    for index in range(count):
        client.must("GetItem", {"TableName": "Large", "Key": {"id": text(f"ballast {index}")}})


def move_large(random, client, stop, told):
    """Items of almost 400 KB, written and read in answers of many megabytes."""
    keys = [{"id": text(f"large {index}")} for index in range(LARGE_ITEMS)]
    while not stop:
        for key in random.sample(keys, 4):
            body = text(random.choice("abc") * random.randrange(LARGE_BYTES))
            told.expect(client, "PutItem", put("Large", {**key, "body": body}))
            time.sleep(0.05)
        told.expect(client, "BatchGetItem", {"RequestItems": {"Large": {"Keys": keys}}})
        told.expect(client, "Scan", {"TableName": "Large", "Limit": LARGE_ITEMS})
        told.expect(client, "DeleteItem", {"TableName": "Large", "Key": random.choice(keys)})
        time.sleep(0.2)


def move_tables(random, client, stop, told):
    """Tables come and go, with streams, tags and time to live."""
    maker = TableMaker(random, {})
    mover = IndexMover(random, {"Base": (), "Orders": ()})
    while not stop:
        name = random.choice(("Passing-0", "Passing-1"))
        if name not in maker.present:
            maker.make(client, name)
            described = told.expect(client, "DescribeTable", {"TableName": name},
                                    ("ResourceNotFoundException",))
            adorn(random, client, told, described)
        elif random.random() < 0.5:
            maker.remove(client, name)
        else:
            maker.write(client, name)
        mover.move(client)
        time.sleep(0.1)
    told.problems += maker.problems + mover.problems


def adorn(random, client, told, described):
    if "Table" not in described:
        return
    name, arn = described["Table"]["TableName"], described["Table"]["TableArn"]
    tags = [{"Key": "team", "Value": str(random.randrange(100))}]
    told.expect(client, "TagResource", {"ResourceArn": arn, "Tags": tags})
    told.expect(client, "ListTagsOfResource", {"ResourceArn": arn})
    told.expect(client, "UpdateTimeToLive", {
        "TableName": name,
        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": "expires"}})
    if "StreamSpecification" not in described["Table"]:
        told.expect(client, "UpdateTable", {"TableName": name, "StreamSpecification": VIEW},
                    ("ResourceInUseException",))


def visit(random, port, stop, told, halves):
    """Connections that come for one request, half a one, nonsense or nothing, and go."""
    sent = collections.deque()
    while not stop:
        while sent and sent[0] < time.monotonic() - HALVES_SECONDS:
            sent.popleft()
        visitors = [Client(port) for _ in range(random.randrange(1, VISITORS))]
        for visitor in visitors:
            dice = random.random()
            if dice < 0.6:
                told.expect(visitor, "ListTables", {})
            elif dice < 0.7:
                send_bytes(port, random.choice(NONSENSE), random.random() < 0.5)
            elif dice < 0.8 and halves and len(sent) < HALVES_MOST:
                sent.append(time.monotonic())
                send_bytes(port, random.choice(HALVES), random.random() < 0.5)
            else:
                visitor.send(b"")  # connects, and says nothing
        for visitor in visitors:
            visitor.close()
        time.sleep(0.05)


def send_bytes(port, message, waits):
    """Sends them, perhaps waits for an answer, and goes."""
    with socket.create_connection(("127.0.0.1", port), timeout=0.05) as connection:
        try:
            connection.sendall(message)
            if waits:
                connection.recv(1000)
        except OSError:
            pass  # it was only nonsense


# ---- The probe --------------------------------------------------------------------------------


def probe(client, stop, told, seconds=0.02):
    """A client of its own asks for one item again and again: [(when, how long)]."""
    request = {"TableName": "Base", "Key": {"id": text("probe")}, "ConsistentRead": True}
    told.samples = []
    while not stop:
        began = time.monotonic()
        told.expect(client, "GetItem", request)
        told.samples.append((began, time.monotonic() - began))
        time.sleep(seconds)
