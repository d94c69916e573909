# SPDX-License-Identifier: Apache-2.0
"""Random operations against a model in memory: answers, indexes, charges and sizes agree.

The model is the simplest thing that could be DynamoDB: a dictionary of items. What it computes,
it computes from the published rules, not from the server's answers.
"""
import itertools

import pytest

from conftest import definition
from server import IS_SANITIZED, item_size

STEPS = 300 if IS_SANITIZED else 1200
PARTITIONS = ["a", "b"]
SORTS = 6


class Model:
    """A table with a local index by rank, and sparse global ones by kind and by owner and rank."""

    def __init__(self, name):
        self.name = name
        self.items = {}

    @staticmethod
    def request(name):
        request = definition(
            name, "p:S", "s:N", local=[("by-rank", "p:S", "rank:N", "KEYS_ONLY")],
            indexes=[("by-kind", "kind:S", "ALL"), ("by-owner", "owner:S", "rank:N", "INCLUDE")])
        request["GlobalSecondaryIndexes"][1]["Projection"]["NonKeyAttributes"] = ["kind"]
        return request

    # What an index holds of an item; None when nothing.
    PROJECTIONS = {
        "by-rank": (("p", "rank"), ("p", "s", "rank")),
        "by-kind": (("kind",), None),
        "by-owner": (("owner", "rank"), ("p", "s", "owner", "rank", "kind")),
    }

    def entry(self, index, item):
        keys, projected = self.PROJECTIONS[index]
        if item is None or any(key not in item for key in keys):
            return None
        return {k: v for k, v in item.items() if projected is None or k in projected}

    def entries(self, index):
        found = (self.entry(index, item) for item in self.items.values())
        return [entry for entry in found if entry is not None]

    def charge(self, old, new):
        """The ConsumedCapacity of a write that made new of old."""
        table = units(max(size_of(old), size_of(new)))
        charged = {"TableName": self.name, "Table": {"CapacityUnits": table}, "CapacityUnits": table}
        for index, (keys, _) in self.PROJECTIONS.items():
            before, after = self.entry(index, old), self.entry(index, new)
            if before == after:
                continue
            if before is None or after is None:
                cost = units(size_of(before or after))
            elif all(before[key] == after[key] for key in keys):
                cost = units(max(size_of(before), size_of(after)))
            else:
                cost = units(size_of(before)) + units(size_of(after))
            kind = "LocalSecondaryIndexes" if index == "by-rank" else "GlobalSecondaryIndexes"
            charged.setdefault(kind, {})[index] = {"CapacityUnits": cost}
            charged["CapacityUnits"] += cost
        return charged


def size_of(item):
    return item_size(item) if item else 0


def units(size):
    return max(1, -(-size // 1024))


class Walk:
    """One random walk: each step sends a request and checks the answer against the model."""

    def __init__(self, connection, model, random):
        self.connection = connection
        self.model = model
        self.random = random

    def key(self):
        return {"p": {"S": self.random.choice(PARTITIONS)},
                "s": {"N": str(self.random.randrange(SORTS))}}

    def attributes(self):
        """Some of the attributes an item may have."""
        random = self.random
        possible = {
            "rank": lambda: {"N": str(random.randrange(-3, 4))},
            "kind": lambda: {"S": random.choice(["x", "y"])},
            "owner": lambda: {"S": random.choice(["ada", "bob"])},
            "text": lambda: {"S": "t" * random.choice([0, 10, 900, 1020, 3000])},
            "hits": lambda: {"N": str(random.randrange(1000))},
        }
        return {name: make() for name, make in possible.items() if random.random() < 0.6}

    def step(self):
        key = self.key()
        identity = (key["p"]["S"], int(key["s"]["N"]))
        old = self.model.items.get(identity)
        kind = self.random.choice([self.put, self.put, self.update, self.update, self.delete])
        operation, request, new = kind(key, old)
        wanted = self.random.choice(["absent", "present", None, None])
        if wanted:
            request["ConditionExpression"] = (
                "attribute_exists(p)" if wanted == "present" else "attribute_not_exists(p)")
        request |= {"TableName": self.model.name, "ReturnConsumedCapacity": "INDEXES",
                    "ReturnValues": "ALL_OLD"}
        status, answer = self.connection.call(operation, request)
        if wanted and (wanted == "present") != (old is not None):
            assert status == 400 and answer["__type"].endswith("#ConditionalCheckFailedException")
            return
        assert status == 200, answer
        assert answer.get("Attributes") == old
        assert answer["ConsumedCapacity"] == self.model.charge(old, new), (old, new)
        if new is None:
            self.model.items.pop(identity, None)
        else:
            self.model.items[identity] = new

    def put(self, key, _):
        item = {**key, **self.attributes()}
        return "PutItem", {"Item": item}, item

    def delete(self, key, _):
        return "DeleteItem", {"Key": key}, None

    def update(self, key, old):
        """SET some attributes, REMOVE others, and count."""
        new = dict(old or key)
        changes = self.attributes()
        removed = [n for n in ("rank", "kind", "owner", "text")
                   if n not in changes and self.random.random() < 0.3]
        changes.pop("hits", None)
        names = {f"#{name}": name for name in [*changes, *removed]}
        expression = "ADD hits :one"
        if changes:
            expression += " SET " + ", ".join(f"#{name} = :{name}" for name in changes)
        if removed:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removed)
        for name in removed:
            new.pop(name, None)
        new |= changes
        new["hits"] = {"N": str(int(new.get("hits", {"N": "0"})["N"]) + 1)}
        request = {"Key": key, "UpdateExpression": expression,
                   "ExpressionAttributeValues": {":one": {"N": "1"},
                                                 **{f":{n}": v for n, v in changes.items()}}}
        if names:
            request["ExpressionAttributeNames"] = names
        return "UpdateItem", request, new

    # ---- Checks ---------------------------------------------------------------------------------

    def check_reads(self):
        model, random = self.model, self.random
        partition, forward = random.choice(PARTITIONS), random.random() < 0.5
        expected = sorted((i for i in model.items.values() if i["p"]["S"] == partition),
                          key=lambda i: int(i["s"]["N"]), reverse=not forward)
        answer = self.query(None, {"p": {"S": partition}}, forward, ConsistentRead=True)
        assert answer["Items"] == expected
        for index, hash_key, choices in (("by-rank", "p", PARTITIONS), ("by-kind", "kind", "xy"),
                                         ("by-owner", "owner", ["ada", "bob"])):
            value = {"S": random.choice(choices)}
            entries = [e for e in model.entries(index) if e[hash_key] == value]
            answer = self.query(index, {hash_key: value}, forward)
            assert by_key(answer["Items"]) == by_key(entries)
            if index != "by-kind":
                ranks = [int(entry["rank"]["N"]) for entry in answer["Items"]]
                assert ranks == sorted(ranks, reverse=not forward)
            size = sum(map(item_size, entries))
            assert answer["ConsumedCapacity"]["CapacityUnits"] == max(1, -(-size // 4096)) / 2

    def query(self, index, key, forward, **more):
        (attribute, value), = key.items()
        return self.connection.must("Query", {
            "TableName": self.model.name, **({"IndexName": index} if index else {}),
            "KeyConditionExpression": "#k = :k", "ExpressionAttributeNames": {"#k": attribute},
            "ExpressionAttributeValues": {":k": value}, "ScanIndexForward": forward,
            "ReturnConsumedCapacity": "TOTAL", **more})

    def check_pages(self):
        """Pages of a random length, of the table and of each index, miss and repeat nothing."""
        for index in (None, *self.model.PROJECTIONS):
            expected = self.model.entries(index) if index else list(self.model.items.values())
            items, start, limit = [], {}, self.random.randrange(1, 5)
            for _ in itertools.count():
                page = self.connection.must("Scan", {
                    "TableName": self.model.name, "Limit": limit, **start,
                    **({"IndexName": index} if index else {})})
                items += page["Items"]
                if "LastEvaluatedKey" not in page:
                    break
                start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}
            assert by_key(items) == by_key(expected)

    def check_description(self):
        described = self.connection.must("DescribeTable", {"TableName": self.model.name})["Table"]
        assert described["ItemCount"] == len(self.model.items)
        assert described["TableSizeBytes"] == sum(map(item_size, self.model.items.values()))
        for index in (*described["LocalSecondaryIndexes"], *described["GlobalSecondaryIndexes"]):
            entries = self.model.entries(index["IndexName"])
            assert index["ItemCount"] == len(entries)
            assert index["IndexSizeBytes"] == sum(map(item_size, entries))


def by_key(items):
    return sorted(items, key=lambda item: (item["p"]["S"], int(item["s"]["N"])))


@pytest.mark.parametrize("walk", range(3))
def test_a_random_walk_agrees_with_the_model(server, connection, seed, walk):
    model = Model(f"walk-{walk}")
    connection.must("CreateTable", Model.request(model.name))
    steps = Walk(connection, model, seed)
    for number in range(STEPS):
        steps.step()
        if number % 10 == 0:
            steps.check_reads()
        if number % 100 == 0:
            steps.check_pages()
            steps.check_description()
    connection.must("DeleteTable", {"TableName": model.name})
