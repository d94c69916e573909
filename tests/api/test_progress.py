# SPDX-License-Identifier: Apache-2.0
"""Long work tells how far it has come, in descriptions and in the log."""
import re
import threading
import time

from conftest import definition
from server import SLOWNESS

ITEMS = 50_000 // SLOWNESS
FEWER = 20_000 // SLOWNESS
WAIT_SECONDS = 60 * SLOWNESS


def load(connection, name, numbers):
    numbers = list(numbers)
    for start in range(0, len(numbers), 25):
        left = {name: [{"PutRequest": {"Item": {
            "id": {"S": f"item-{n}"}, "kind": {"S": f"kind-{n % 100}"}, "text": {"S": "x" * 100}}}}
            for n in numbers[start:start + 25]]}
        assert connection.must("BatchWriteItem", {"RequestItems": left})["UnprocessedItems"] == {}


def create_index(connection, name):
    connection.must("UpdateTable", {
        "TableName": name,
        "AttributeDefinitions": [{"AttributeName": "kind", "AttributeType": "S"}],
        "GlobalSecondaryIndexUpdates": [{"Create": {
            "IndexName": "by-kind", "KeySchema": [{"AttributeName": "kind", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"}}}]})


def describe(connection, name):
    """The table's item count, and the index."""
    table = connection.must("DescribeTable", {"TableName": name})["Table"]
    return table["ItemCount"], table["GlobalSecondaryIndexes"][0]


def watch(connection, name, until=lambda index: index["IndexStatus"] == "ACTIVE"):
    """Each different progress until then, with the item count of the same answer."""
    seen = []
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        items, index = describe(connection, name)
        progress = index.get("StatorProgress")
        assert (progress is not None) == index.get("Backfilling", False), index
        if progress and (not seen or seen[-1][0] != progress):
            seen.append((progress, items))
        if until(index):
            return seen
    raise AssertionError(f"not within {WAIT_SECONDS} seconds: {seen[-3:]}")


def logged(running, pattern):
    """The line, which comes a moment after what it tells of can be seen."""
    deadline = time.monotonic() + WAIT_SECONDS
    while (found := re.search(pattern, running.printed())) is None:
        assert time.monotonic() < deadline, f"no {pattern!r} in {running.printed()!r}"
        time.sleep(0.01)
    return found


def check_members(progress, items):
    assert progress["ItemsTotal"] == items
    assert 0 <= progress["ItemsDone"] <= progress["ItemsTotal"]
    assert set(progress) <= {"ItemsDone", "ItemsTotal", "ItemsPerSecond", "SecondsLeft"}
    assert progress.get("ItemsPerSecond", 1) > 0
    assert progress.get("SecondsLeft", 0) >= 0


def test_progress_rises_to_the_end(new_server):
    running = new_server()
    with running.connection() as connection:
        connection.must("CreateTable", definition("Things", "id:S"))
        load(connection, "Things", range(ITEMS))
        create_index(connection, "Things")
        seen = watch(connection, "Things")
        items, index = describe(connection, "Things")
    for progress, count in seen:
        check_members(progress, count)
    done = [progress["ItemsDone"] for progress, _ in seen]
    assert len(set(done)) >= 3 and done == sorted(done), done
    assert {progress["ItemsTotal"] for progress, _ in seen} == {ITEMS}
    assert index["ItemCount"] == items == ITEMS and "StatorProgress" not in index
    logged(running, f"table Things: filling index by-kind begins: 0 of {ITEMS} items")
    logged(running,
           rf"table Things: filling index by-kind is finished: {ITEMS} of {ITEMS} items, \d+ ms")


def write_meanwhile(running, stop):
    """Items come and go, before the backfill's position and behind it."""
    with running.connection() as connection:
        for n in range(10**6):
            if stop.is_set():
                return
            connection.must("DeleteItem", {"TableName": "Things", "Key": {"id": {"S": f"item-{n}"}}})
            for copy in range(2):
                connection.must("PutItem", {"TableName": "Things", "Item": {
                    "id": {"S": f"new-{n}-{copy}"}, "kind": {"S": "new"}}})


def test_writes_meanwhile_are_counted(new_server):
    running = new_server()
    stop = threading.Event()
    writer = threading.Thread(target=write_meanwhile, args=(running, stop))
    with running.connection() as connection:
        connection.must("CreateTable", definition("Things", "id:S"))
        load(connection, "Things", range(FEWER))
        writer.start()
        try:
            create_index(connection, "Things")
            seen = watch(connection, "Things")
        finally:
            stop.set()
            writer.join()
        items, index = describe(connection, "Things")
    assert len(seen) >= 3
    for progress, count in seen:
        check_members(progress, count)
    assert items > FEWER and index["ItemCount"] == items
    # What is counted at the end is what there was, not what there was at the beginning.
    last = logged(running, r"is finished: (\d+) of (\d+) items")
    assert last[1] == last[2]


def test_a_restart_goes_on_counting(new_server, tmp_path):
    running = new_server(tmp_path / "data")
    with running.connection() as connection:
        connection.must("CreateTable", definition("Things", "id:S"))
        load(connection, "Things", range(FEWER))
        create_index(connection, "Things")
        seen = watch(connection, "Things", until=lambda index: index["IndexStatus"] == "ACTIVE" or
                     index.get("StatorProgress", {}).get("ItemsDone", 0) > FEWER // 10)
    running.kill()
    before = seen[-1][0]["ItemsDone"]
    running.start()
    with running.connection() as connection:
        seen = watch(connection, "Things")
        items, index = describe(connection, "Things")
    assert before < FEWER and seen, "the index was filled before the server was killed"
    assert seen[0][0]["ItemsDone"] >= before
    assert index["ItemCount"] == items == FEWER
    goes_on = logged(running, r"by-kind goes on: (\d+) of (\d+) items")
    assert int(goes_on[1]) >= before and int(goes_on[2]) == FEWER
    logged(running, f"is finished: {FEWER} of {FEWER} items")


def test_sdk_leaves_progress_aside(new_server):
    """boto3 shows what it knows, and nothing is in its way."""
    running = new_server()
    with running.connection() as connection:
        connection.must("CreateTable", definition("Things", "id:S"))
        load(connection, "Things", range(FEWER))
        create_index(connection, "Things")
        client = running.client()
        shown = client.describe_table(TableName="Things")["Table"]["GlobalSecondaryIndexes"][0]
        assert shown["IndexStatus"] in ("CREATING", "ACTIVE") and "StatorProgress" not in shown
        watch(connection, "Things")
