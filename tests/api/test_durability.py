# SPDX-License-Identifier: Apache-2.0
"""What was acknowledged is there after a restart and after a kill, with its indexes and counts."""
import http.client
import threading
import time

import pytest

from conftest import definition
from server import IS_SANITIZED, item_size

ROUNDS = 4 if IS_SANITIZED else 20
WRITERS = 8
KEYS = 12  # of each writer: few, so that each is put, updated and deleted many times


def test_everything_survives_a_restart(disk_server):
    with disk_server.connection() as connection:
        connection.must("CreateTable", definition(
            "Orders", "id:S", "n:N", indexes=[("by-status", "status:S", "n:N", "ALL")],
            local=[("by-total", "id:S", "total:N", "KEYS_ONLY")], DeletionProtectionEnabled=True,
            Tags=[{"Key": "team", "Value": "shop"}]))
        items = [{"id": {"S": "a"}, "n": {"N": str(n)}, "status": {"S": "open"},
                  "total": {"N": str(n * 7)}} for n in range(50)]
        for item in items:
            connection.must("PutItem", {"TableName": "Orders", "Item": item})
        write = {"ClientRequestToken": "token", "TransactItems": [{"Update": {
            "TableName": "Orders", "Key": {"id": {"S": "counter"}, "n": {"N": "0"}},
            "UpdateExpression": "ADD hits :one", "ExpressionAttributeValues": {":one": {"N": "1"}}}}]}
        connection.must("TransactWriteItems", write)
        before = connection.must("DescribeTable", {"TableName": "Orders"})
    disk_server.stop()
    disk_server.start()
    with disk_server.connection() as connection:
        assert connection.must("DescribeTable", {"TableName": "Orders"}) == before
        assert before["Table"]["ItemCount"] == 51
        query = {"TableName": "Orders", "KeyConditionExpression": "id = :id",
                 "ExpressionAttributeValues": {":id": {"S": "a"}}}
        assert connection.must("Query", query)["Items"] == items
        by_status = {"TableName": "Orders", "IndexName": "by-status", "Select": "COUNT",
                     "KeyConditionExpression": "#s = :s", "ExpressionAttributeNames": {"#s": "status"},
                     "ExpressionAttributeValues": {":s": {"S": "open"}}}
        assert connection.must("Query", by_status)["Count"] == 50
        # The token is remembered too: the update is not made again.
        connection.must("TransactWriteItems", write)
        counter = connection.must("GetItem", {"TableName": "Orders", "Key": {
            "id": {"S": "counter"}, "n": {"N": "0"}}})
        assert counter["Item"]["hits"] == {"N": "1"}


def test_a_deleted_table_stays_deleted(disk_server):
    with disk_server.connection() as connection:
        for _ in range(2):
            connection.must("CreateTable", definition("Things", "id:S"))
            wait_for_status(connection, "Things", "ACTIVE")
            connection.must("PutItem", {"TableName": "Things", "Item": {"id": {"S": "a"}}})
            connection.must("DeleteTable", {"TableName": "Things"})
            wait_for_status(connection, "Things", None)
    disk_server.kill()
    disk_server.start()
    with disk_server.connection() as connection:
        assert connection.must("ListTables", {}) == {"TableNames": []}
        connection.must("CreateTable", definition("Things", "id:S"))
        wait_for_status(connection, "Things", "ACTIVE")
        assert connection.must("Scan", {"TableName": "Things"})["Items"] == []


def wait_for_status(connection, table, status):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        code, answer = connection.call("DescribeTable", {"TableName": table})
        if (answer["Table"]["TableStatus"] if code == 200 else None) == status:
            return
        time.sleep(0.01)
    pytest.fail(f"{table} does not become {status}")


# ---- kill -9 under load -----------------------------------------------------------------------


class Writer(threading.Thread):
    """Writes to keys that are its own, and knows what each holds.

    known[key] is the item (or None) that was acknowledged last; pending is the write that was under
    way when the server died, as (key, what it would have made of the item): it may have happened.
    """

    def __init__(self, server, number, random):
        super().__init__()
        self.server = server
        self.number = number
        self.random = random
        self.known = {f"{number}-{index}": None for index in range(KEYS)}
        self.pending = None
        self.acknowledged = 0
        self.problem = None

    def run(self):
        try:
            with self.server.connection() as connection:
                while True:
                    self.write(connection)
        except (OSError, http.client.HTTPException):
            pass  # killed: what this thread knows stays as it is
        except AssertionError as error:
            self.problem = error

    def write(self, connection):
        key = self.random.choice(list(self.known))
        old = self.known[key]
        operation, request, new = self.random.choice(
            [self.put, self.put, self.update, self.delete, self.transact])(key, old)
        self.pending = (key, new)
        connection.must(operation, request)
        self.known[key] = new
        self.pending = None
        self.acknowledged += 1

    def put(self, key, _):
        item = {"id": {"S": key}, "value": {"S": "v" * self.random.randrange(1, 2000)}}
        if self.random.random() < 0.7:
            item["status"] = {"S": self.random.choice(["open", "paid", "sent"])}
        return "PutItem", {"TableName": "Base", "Item": item}, item

    def update(self, key, old):
        item = dict(old or {"id": {"S": key}})
        item["hits"] = {"N": str(int(item.get("hits", {"N": "0"})["N"]) + 1)}
        return "UpdateItem", {"TableName": "Base", "Key": {"id": {"S": key}},
                              "UpdateExpression": "ADD hits :one",
                              "ExpressionAttributeValues": {":one": {"N": "1"}}}, item

    def delete(self, key, _):
        return "DeleteItem", {"TableName": "Base", "Key": {"id": {"S": key}}}, None

    def transact(self, key, _):
        """The item and its copy in the other table, or neither."""
        item = {"id": {"S": key}, "status": {"S": "twin"},
                "stamp": {"S": str(self.random.random())}}
        return "TransactWriteItems", {"TransactItems": [
            {"Put": {"TableName": table, "Item": item}} for table in ("Base", "Twin")]}, item


@pytest.mark.slow
def test_a_kill_under_load_loses_nothing_acknowledged(disk_server, seed):
    with disk_server.connection() as connection:
        connection.must("CreateTable", definition(
            "Base", "id:S", indexes=[("by-status", "status:S", "id:S", "ALL")]))
        connection.must("CreateTable", definition("Twin", "id:S"))
        for name in ("Base", "Twin"):
            wait_for_status(connection, name, "ACTIVE")
    known = {}
    acknowledged = 0
    for _ in range(ROUNDS):
        writers = [Writer(disk_server, number, type(seed)(seed.random()))
                   for number in range(WRITERS)]
        for writer in writers:
            writer.known.update({k: v for k, v in known.items() if k in writer.known})
            writer.start()
        time.sleep(seed.uniform(0.1, 0.5))
        disk_server.kill()
        for writer in writers:
            writer.join()
            assert writer.problem is None, writer.problem
            acknowledged += writer.acknowledged
        disk_server.start()
        with disk_server.connection() as connection:
            known = check_after_kill(connection, writers)
    print(f"{acknowledged} writes acknowledged over {ROUNDS} kills")
    assert acknowledged > ROUNDS * WRITERS


def check_after_kill(connection, writers):
    """Checks what is stored against what the writers know; returns what is there now."""
    stored = {item["id"]["S"]: item for item in scan(connection, "Base")}
    for writer in writers:
        for key, item in writer.known.items():
            now = stored.get(key)
            if writer.pending is not None and writer.pending[0] == key:
                assert now in (item, writer.pending[1]), f"{key}: {item} or {writer.pending[1]}"
            else:
                assert now == item, f"{key} was acknowledged as {item}"
    check_index(connection, stored)
    check_twins(connection, stored)
    check_counts(connection, "Base", stored.values())
    return stored


def check_index(connection, stored):
    entries = {item["id"]["S"]: item for item in scan(connection, "Base", IndexName="by-status")}
    assert entries == {key: item for key, item in stored.items() if "status" in item}
    description = connection.must("DescribeTable", {"TableName": "Base"})["Table"]
    assert description["GlobalSecondaryIndexes"][0]["ItemCount"] == len(entries)


def check_twins(connection, stored):
    twins = {item["id"]["S"]: item for item in scan(connection, "Twin")}
    for key, item in stored.items():
        if "stamp" in item and "hits" not in item:
            assert twins.get(key) == item, "a transaction happened by half"
    check_counts(connection, "Twin", twins.values())


def check_counts(connection, name, items):
    description = connection.must("DescribeTable", {"TableName": name})["Table"]
    assert description["ItemCount"] == len(items)
    assert description["TableSizeBytes"] == sum(map(item_size, items))


def scan(connection, name, **more):
    items, start = [], {}
    while True:
        page = connection.must("Scan", {"TableName": name, **more, **start})
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def test_an_index_is_filled_to_the_end_after_a_kill(disk_server):
    with disk_server.connection() as connection:
        connection.must("CreateTable", definition("Things", "id:S"))
        wait_for_status(connection, "Things", "ACTIVE")
        for start in range(0, 2000, 25):
            connection.must("BatchWriteItem", {"RequestItems": {"Things": [
                {"PutRequest": {"Item": {"id": {"S": str(n)}, "kind": {"S": "x"}}}}
                for n in range(start, start + 25)]}})
        connection.must("UpdateTable", {
            "TableName": "Things",
            "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"},
                                     {"AttributeName": "kind", "AttributeType": "S"}],
            "GlobalSecondaryIndexUpdates": [{"Create": {
                "IndexName": "by-kind", "Projection": {"ProjectionType": "KEYS_ONLY"},
                "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}]}}]})
    disk_server.kill()
    disk_server.start()
    with disk_server.connection() as connection:
        deadline = time.monotonic() + 30
        while True:
            table = connection.must("DescribeTable", {"TableName": "Things"})["Table"]
            if table["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE":
                break
            assert time.monotonic() < deadline, table
            time.sleep(0.02)
        assert len(scan(connection, "Things", IndexName="by-kind")) == 2000
        table = connection.must("DescribeTable", {"TableName": "Things"})["Table"]
        assert table["GlobalSecondaryIndexes"][0]["ItemCount"] == 2000
