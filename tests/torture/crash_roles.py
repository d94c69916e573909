# SPDX-License-Identifier: Apache-2.0
"""What goes on beside the writes: indexes and tables come and go, streams are read.

Like a session, each of these does one thing at a time and knows exactly what there is but for that.
"""
import time

from crash_load import key_item, number, text
from torture import Lost, kind_of, pages, statuses_of

BATCH = 25
PASSING = [f"Passing-{index}" for index in range(4)]
VIEW = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
# Which table they may be added to: (keys, projection, attributes beside the keys).
MOVING = {
    "Base": {"moving-maybe": (["maybe:S"], "INCLUDE", ["stamp", "rank"]),
             "moving-note": (["note:S", "total:N"], "ALL", ())},
    "Orders": {"moving-kind": (["kind:S", "rank:N"], "KEYS_ONLY", ())},
}
STANDING = {
    "Base": {"by-status": (["status:S", "id:S"], "ALL", ()),
             "by-rank": (["kind:S", "rank:N"], "KEYS_ONLY", ())},
    "Orders": {"by-status": (["status:S", "n:N"], "KEYS_ONLY", ()),
               "by-total": (["id:S", "total:N"], "KEYS_ONLY", ()),
               "by-note": (["id:S", "note:S"], "INCLUDE", ["stamp"])},
    "Expiring": {"by-owner": (["owner:S", "expires:N"], "ALL", ())},
    "Twin": {}, "Shared": {},
}
# Of a change of a table's indexes while another is under way.
REFUSALS = ("ResourceInUseException", "LimitExceededException", "ValidationException")
LOCAL = ("by-total", "by-note")


# ---- Descriptions -----------------------------------------------------------------------------


def key_schema(keys):
    return [{"AttributeName": key[:-2], "KeyType": kind}
            for key, kind in zip(keys, ("HASH", "RANGE"))]


def index_description(name, definition):
    keys, projection, attributes = definition
    described = {"IndexName": name, "KeySchema": key_schema(keys),
                 "Projection": {"ProjectionType": projection}}
    if attributes:
        described["Projection"]["NonKeyAttributes"] = list(attributes)
    return described


def definitions(keys):
    return [{"AttributeName": key[:-2], "AttributeType": key[-1]} for key in sorted(set(keys))]


def creation(table, has_stream, indexes):
    """The CreateTable request of a table with these indexes."""
    keys = ["id:S", "n:N"] if table == "Orders" else ["id:S"]
    request = {"TableName": table, "BillingMode": "PAY_PER_REQUEST", "KeySchema": key_schema(keys),
               "AttributeDefinitions": definitions(
                   keys + [key for index in indexes.values() for key in index[0]])}
    for name, definition in indexes.items():
        member = "LocalSecondaryIndexes" if name in LOCAL else "GlobalSecondaryIndexes"
        request.setdefault(member, []).append(index_description(name, definition))
    if has_stream:
        request["StreamSpecification"] = VIEW
    return request


# ---- Indexes come and go ----------------------------------------------------------------------


class IndexMover:
    """Adds indexes to tables under load and removes them."""

    def __init__(self, random, present):
        self.random = random
        self.present = {table: set(names) for table, names in present.items()}
        self.pending = None  # (table, index)
        self.problems = []
        self.moved = 0

    def play(self, client):
        try:
            while True:
                self.move(client)
                time.sleep(self.random.random() ** 3 * 0.5)
        except Lost:
            pass

    def move(self, client):
        table = self.random.choice(list(MOVING))
        is_careful = self.random.random() < 0.9  # else: without looking whether it may be done
        if is_careful:
            code, answer = client.call("DescribeTable", {"TableName": table})
            if statuses_of(code, answer) != {"ACTIVE"}:
                time.sleep(0.01)
                return
        name, definition = self.random.choice(list(MOVING[table].items()))
        is_there = name in self.present[table]
        request = {"TableName": table, "GlobalSecondaryIndexUpdates": [
            {"Delete": {"IndexName": name}} if is_there
            else {"Create": index_description(name, definition)}]}
        if not is_there:
            request["AttributeDefinitions"] = definitions(definition[0])
        self.pending = (table, name)
        code, answer = client.call("UpdateTable", request)
        self.pending = None
        if code == 200:
            self.present[table] ^= {name}
            self.moved += 1
        elif is_careful or kind_of(answer) not in REFUSALS:
            self.problems.append(f"UpdateTable: {code} {answer} of {request}")


# ---- Tables come and go -----------------------------------------------------------------------


class TableMaker:
    """Makes tables, fills them, removes them, and takes their names again."""

    def __init__(self, random, present):
        self.random = random
        self.present = {name: dict(items) for name, items in present.items()}  # items by key
        self.pending = None  # ("create" or "delete", name) or ("write", name, items)
        self.problems = []
        self.made = 0
        self.stamp = 0

    def play(self, client):
        try:
            while True:
                name = self.random.choice(PASSING)
                if name not in self.present:
                    self.make(client, name)
                elif self.random.random() < 0.4:
                    self.remove(client, name)
                else:
                    self.write(client, name)
        except Lost:
            pass

    def must(self, client, operation, request):
        """The answer, or None: the table's status does not allow it now."""
        code, answer = client.call(operation, request)
        if code == 200:
            return answer
        if kind_of(answer) not in ("ResourceInUseException", "ResourceNotFoundException"):
            self.problems.append(f"{operation}: {code} {answer} of {request}")
        elif code != 400:
            self.problems.append(f"{operation}: {code} {answer}")
        return None

    def make(self, client, name):
        indexes = {"by-owner": STANDING["Expiring"]["by-owner"]}
        request = creation(name, self.random.random() < 0.5,
                           indexes if self.random.random() < 0.5 else {})
        self.pending = ("create", name)
        answer = self.must(client, "CreateTable", request)
        self.pending = None
        if answer is None:
            time.sleep(0.005)  # the old one is not gone yet
            return
        self.present[name] = {}
        self.made += 1
        if not self.wait(client, name):
            return
        rows = pages(client, "Scan", {"TableName": name})
        if rows:
            self.problems.append(f"{name} was just made and has {len(rows)} items: {rows[0]}")

    def wait(self, client, name):
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            code, answer = client.call("DescribeTable", {"TableName": name})
            if statuses_of(code, answer) == {"ACTIVE"}:
                return True
            time.sleep(0.005)
        self.problems.append(f"{name} does not become ACTIVE: {answer}")
        return False

    def remove(self, client, name):
        self.pending = ("delete", name)
        answer = self.must(client, "DeleteTable", {"TableName": name})
        self.pending = None
        if answer is not None:
            del self.present[name]

    def write(self, client, name):
        items = {}
        for _ in range(self.random.randrange(1, BATCH)):
            self.stamp += 1
            key = str(self.random.randrange(500))
            items[key] = {**key_item(name, key), "stamp": text(f"{self.stamp}"),
                          "owner": text(f"o{self.random.randrange(5)}"),
                          "expires": number(self.random.randrange(10**6))}
        self.pending = ("write", name, items)
        answer = self.must(client, "BatchWriteItem", {"RequestItems": {
            name: [{"PutRequest": {"Item": item}} for item in items.values()]}})
        self.pending = None
        if answer is not None:
            self.present[name].update(items)


# ---- Streams are read -------------------------------------------------------------------------


class StreamReader:
    """Reads the stream of a table from its beginning to its end, a bit at a time."""

    def __init__(self, table, arn):
        self.table = table
        self.arn = arn
        self.order = []  # shards, as they were opened
        self.parents = {}
        self.finished = set()
        self.positions = {}  # the last sequence number read, by shard
        self.problems = []

    def copy(self):
        twin = StreamReader(self.table, self.arn)
        twin.order = list(self.order)
        twin.parents = dict(self.parents)
        twin.finished = set(self.finished)
        twin.positions = dict(self.positions)
        return twin

    def list_shards(self, client):
        """Learns the shards that are new; True when there are some."""
        known = len(self.order)
        first = next((at for at, shard in enumerate(self.order) if shard not in self.finished), 0)
        request = {"StreamArn": self.arn}
        if first > 0:
            request["ExclusiveStartShardId"] = self.order[first - 1]
        while True:
            described = client.must("DescribeStream", request)["StreamDescription"]
            for shard in described["Shards"]:
                name = shard["ShardId"]
                if name not in self.parents:
                    self.order.append(name)
                    self.parents[name] = shard.get("ParentShardId")
            if "LastEvaluatedShardId" not in described:
                return len(self.order) > known
            request["ExclusiveStartShardId"] = described["LastEvaluatedShardId"]

    def read_on(self, client, take):
        """take(shard, record) for each record that is new; True when there was anything new."""
        is_new = self.list_shards(client)
        for shard in self.order:
            parent = self.parents[shard]
            if shard in self.finished or parent in self.parents and parent not in self.finished:
                continue
            is_new |= self.read_shard(client, shard, take)
        return is_new

    def read_shard(self, client, shard, take):
        request = {"StreamArn": self.arn, "ShardId": shard, "ShardIteratorType": "TRIM_HORIZON"}
        if shard in self.positions:
            request.update(ShardIteratorType="AFTER_SEQUENCE_NUMBER",
                           SequenceNumber=self.positions[shard])
        iterator = client.must("GetShardIterator", request)["ShardIterator"]
        is_new = False
        while True:
            answer = client.must("GetRecords", {"ShardIterator": iterator})
            for record in answer["Records"]:
                self.check_number(shard, record)
                take(shard, record)
                is_new = True
            iterator = answer.get("NextShardIterator")
            if iterator is None:
                self.finished.add(shard)
                return True
            if not answer["Records"]:
                return is_new

    def check_number(self, shard, record):
        sequence = record["dynamodb"]["SequenceNumber"]
        before = self.positions.get(shard)
        if before is not None and int(sequence) <= int(before):
            self.problems.append(f"{self.table}: {sequence} after {before} in {shard}")
        parent = self.parents[shard]
        if before is None and int(sequence) <= int(self.positions.get(parent, -1)):
            self.problems.append(f"{self.table}: {sequence} of {shard} is not after its parent's")
        self.positions[shard] = sequence


class LiveReader:
    """Follows streams while they grow, and notes what it saw."""

    def __init__(self, readers):
        self.readers = [reader.copy() for reader in readers.values()]
        self.seen = {}  # (table, shard): [(sequence number, event id)]
        self.problems = []

    def play(self, client):
        try:
            while True:
                for reader in self.readers:
                    self.read(client, reader)
                time.sleep(0.01)
        except Lost:
            pass
        self.problems += [problem for reader in self.readers for problem in reader.problems]
        self.readers = None

    def read(self, client, reader):
        def take(shard, record):
            self.seen.setdefault((reader.table, shard), []).append(
                (record["dynamodb"]["SequenceNumber"], record["eventID"]))
        reader.read_on(client, take)
