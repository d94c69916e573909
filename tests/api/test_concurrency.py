# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: nothing is lost, nothing is seen by half."""
import threading
import time

import pytest

from conftest import definition
from server import IS_SANITIZED

pytestmark = pytest.mark.concurrency

THREADS = 8
ROUNDS = 10 if IS_SANITIZED else 50


def run_in_threads(count, work):
    """Runs work(number) in so many threads; the first failure is raised."""
    failures = []

    def guarded(number):
        try:
            work(number)
        except BaseException as error:  # whatever it is, the test has to see it
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


def get(connection, table, key):
    return connection.must("GetItem", {"TableName": table, "Key": {"id": {"S": key}},
                                       "ConsistentRead": True})["Item"]


def test_an_optimistic_counter_loses_no_increment(server, dynamodb, table):
    name = table("id:S")
    dynamodb.put_item(TableName=name, Item={"id": {"S": "c"}, "n": {"N": "0"}})
    conflicts = []

    def increment(_):
        with server.connection() as connection:
            done = 0
            while done < ROUNDS:
                now = int(get(connection, name, "c")["n"]["N"])
                status, answer = connection.call("PutItem", {
                    "TableName": name, "Item": {"id": {"S": "c"}, "n": {"N": str(now + 1)}},
                    "ConditionExpression": "n = :now",
                    "ExpressionAttributeValues": {":now": {"N": str(now)}}})
                if status == 200:
                    done += 1
                else:
                    assert answer["__type"].endswith("#ConditionalCheckFailedException"), answer
                    conflicts.append(1)

    run_in_threads(THREADS, increment)
    with server.connection() as connection:
        assert get(connection, name, "c")["n"] == {"N": str(THREADS * ROUNDS)}
    assert conflicts, "nobody met anybody: this tested nothing"


def test_an_atomic_counter_hands_out_each_number_once(server, table):
    name = table("id:S")
    numbers = []

    def increment(_):
        with server.connection() as connection:
            for _ in range(ROUNDS):
                answer = connection.must("UpdateItem", {
                    "TableName": name, "Key": {"id": {"S": "c"}}, "ReturnValues": "UPDATED_NEW",
                    "UpdateExpression": "ADD n :one", "ExpressionAttributeValues": {":one": {"N": "1"}}})
                numbers.append(int(answer["Attributes"]["n"]["N"]))

    run_in_threads(THREADS, increment)
    assert sorted(numbers) == list(range(1, THREADS * ROUNDS + 1))


def test_one_of_many_creates_the_item(server, table):
    name = table("id:S")
    winners = []

    def create(number):
        with server.connection() as connection:
            for index in range(ROUNDS):
                status, _ = connection.call("PutItem", {
                    "TableName": name, "Item": {"id": {"S": str(index)}, "by": {"N": str(number)}},
                    "ConditionExpression": "attribute_not_exists(id)"})
                if status == 200:
                    winners.append(index)

    run_in_threads(THREADS, create)
    assert sorted(winners) == list(range(ROUNDS))


def test_money_is_conserved_and_never_seen_in_flight(server, table):
    name = table("id:S")
    accounts = [f"account-{n}" for n in range(4)]
    with server.connection() as connection:
        for account in accounts:
            connection.must("PutItem", {"TableName": name,
                                        "Item": {"id": {"S": account}, "money": {"N": "100"}}})
    writing = [THREADS - 2]

    def transfer(number):
        with server.connection() as connection:
            for index in range(ROUNDS):
                source = accounts[(number + index) % 4]
                target = accounts[(number * 3 + index + 1) % 4]
                if source == target:
                    continue
                status, answer = connection.call("TransactWriteItems", {"TransactItems": [
                    move(name, source, "money - :n", "money >= :n"),
                    move(name, target, "money + :n", "attribute_exists(id)")]})
                if status != 200:
                    assert answer["__type"].endswith("#TransactionCanceledException"), answer
        writing[0] -= 1

    def watch(_):
        with server.connection() as connection:
            while writing[0] > 0:
                answer = connection.must("TransactGetItems", {"TransactItems": [
                    {"Get": {"TableName": name, "Key": {"id": {"S": account}}}}
                    for account in accounts]})
                money = [int(r["Item"]["money"]["N"]) for r in answer["Responses"]]
                assert sum(money) == 400 and min(money) >= 0

    run_in_threads(THREADS, lambda number: (transfer if number < THREADS - 2 else watch)(number))


def move(table, account, amount, condition):
    return {"Update": {"TableName": table, "Key": {"id": {"S": account}},
                       "UpdateExpression": f"SET money = {amount}", "ConditionExpression": condition,
                       "ExpressionAttributeValues": {":n": {"N": "7"}}}}


def test_an_index_is_filled_while_everybody_writes(server, table):
    name = table("id:S")
    count = 400
    with server.connection() as connection:
        for start in range(0, count, 25):
            connection.must("BatchWriteItem", {"RequestItems": {name: [
                {"PutRequest": {"Item": {"id": {"S": str(n)}, "kind": {"S": "old"}}}}
                for n in range(start, start + 25)]}})
    finished = threading.Event()

    def write(number):
        """Changes, deletes and adds items of its own until the index is there."""
        with server.connection() as connection:
            for index in range(1_000_000):
                key = {"id": {"S": str(number + THREADS * (index % (count // THREADS)))}}
                kind = "new" if index % 2 else "other"
                if index % 5 == 4:
                    connection.must("DeleteItem", {"TableName": name, "Key": key})
                else:
                    connection.must("PutItem", {"TableName": name,
                                                "Item": {**key, "kind": {"S": kind}}})
                if finished.is_set() and index > count // THREADS:
                    return

    def create_index(_):
        with server.connection() as connection:
            time.sleep(0.05)
            connection.must("UpdateTable", {
                "TableName": name,
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"},
                                         {"AttributeName": "kind", "AttributeType": "S"}],
                "GlobalSecondaryIndexUpdates": [{"Create": {
                    "IndexName": "by-kind", "Projection": {"ProjectionType": "ALL"},
                    "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}]}}]})
            try:
                wait_for_index(connection, name)
            finally:
                finished.set()

    run_in_threads(THREADS + 1, lambda n: (write if n < THREADS else create_index)(n))
    with server.connection() as connection:
        items = scan_all(connection, name)
        entries = scan_all(connection, name, IndexName="by-kind")
        assert sorted(map(str, entries)) == sorted(map(str, items))
        described = connection.must("DescribeTable", {"TableName": name})["Table"]
        assert described["ItemCount"] == len(items)
        assert described["GlobalSecondaryIndexes"][0]["ItemCount"] == len(items)
        assert described["GlobalSecondaryIndexes"][0]["IndexSizeBytes"] == described["TableSizeBytes"]


def wait_for_index(connection, name):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        described = connection.must("DescribeTable", {"TableName": name})["Table"]
        index = described["GlobalSecondaryIndexes"][0]
        if index["IndexStatus"] == "ACTIVE":
            assert "Backfilling" not in index
            return
        assert index["IndexStatus"] == "CREATING"
        time.sleep(0.005)
    pytest.fail("the index does not become ACTIVE")


def scan_all(connection, name, **more):
    items, start = [], {}
    while True:
        page = connection.must("Scan", {"TableName": name, **more, **start})
        items += page["Items"]
        if "LastEvaluatedKey" not in page:
            return items
        start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


def test_readers_see_whole_items_while_they_are_replaced(server, table):
    name = table("id:S", indexes=[("by-kind", "kind:S", "ALL")])
    writing = [2]

    def replace(number):
        with server.connection() as connection:
            for index in range(ROUNDS):
                value = {"S": f"{number}-{index}" * 200}
                connection.must("PutItem", {"TableName": name, "Item": {
                    "id": {"S": "a"}, "kind": {"S": "k"}, "left": value, "right": value}})
        writing[0] -= 1

    def read(number):
        with server.connection() as connection:
            while writing[0] > 0:
                index = {"IndexName": "by-kind"} if number % 2 else {}
                for item in connection.must("Scan", {"TableName": name, **index})["Items"]:
                    assert item["left"] == item["right"]

    run_in_threads(6, lambda number: (replace if number < 2 else read)(number))


def test_tables_come_and_go_under_load(server):
    """Writers of a table that is deleted and made again meet its absence, never anything else."""
    finished = threading.Event()

    def write(number):
        with server.connection() as connection:
            while not finished.is_set():
                status, answer = connection.call("PutItem", {
                    "TableName": "Fleeting", "Item": {"id": {"S": str(number)}}})
                if status != 200:
                    assert answer["__type"].endswith("#ResourceNotFoundException"), answer

    def make_and_delete(_):
        try:
            with server.connection() as connection:
                for _ in range(ROUNDS // 2):
                    connection.must("CreateTable", definition("Fleeting", "id:S"))
                    wait_until(connection, lambda status, _: status == 200)
                    connection.must("DeleteTable", {"TableName": "Fleeting"})
                    wait_until(connection, lambda status, _: status == 400)
        finally:
            finished.set()

    def wait_until(connection, is_so):
        deadline = time.monotonic() + 30
        while True:
            status, answer = connection.call("DescribeTable", {"TableName": "Fleeting"})
            if is_so(status, answer) and (status != 200
                                          or answer["Table"]["TableStatus"] == "ACTIVE"):
                return
            assert time.monotonic() < deadline, answer

    run_in_threads(THREADS, lambda number: (make_and_delete if number == 0 else write)(number))
