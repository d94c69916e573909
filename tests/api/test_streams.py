# SPDX-License-Identifier: Apache-2.0
"""Streams tell every change once, in order for each item: under load, over shards, after a kill."""
import http.client
import os
import re
import subprocess
import sys
import threading
import time

import pytest

from conftest import definition
from server import IS_SANITIZED, ROOT, SLOWNESS

ROUNDS = 3 if IS_SANITIZED else 8
WRITERS = 4
KEYS = 6  # of each writer
BOTH = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
FAST_SHARDS = ["--stream-shard-seconds", "1", "--stream-shards", "2"]


def make_table(connection, name="Base", **more):
    more.setdefault("StreamSpecification", BOTH)
    made = connection.must("CreateTable", definition(name, "id:S", **more))
    return made["TableDescription"].get("LatestStreamArn")


def shards_of(connection, stream, **more):
    found, start = [], {}
    while True:
        page = connection.must("DescribeStream", {"StreamArn": stream, **start, **more})
        found += page["StreamDescription"]["Shards"]
        last = page["StreamDescription"].get("LastEvaluatedShardId")
        if last is None:
            return found
        start = {"ExclusiveStartShardId": last}


def iterator_of(connection, stream, shard, kind="TRIM_HORIZON", **more):
    return connection.must("GetShardIterator", {
        "StreamArn": stream, "ShardId": shard["ShardId"], "ShardIteratorType": kind,
        **more})["ShardIterator"]


def read_from(connection, iterator, limit=1000):
    """All records from there on: until the shard's end, or until there are no more for now."""
    records = []
    while iterator is not None:
        page = connection.must("GetRecords", {"ShardIterator": iterator, "Limit": limit})
        records += page["Records"]
        if not page["Records"]:
            break
        iterator = page.get("NextShardIterator")
    return records


def read_all(connection, stream, limit=1000):
    """Every record of the stream, shard by shard in the order of their opening."""
    return [record for shard in shards_of(connection, stream)
            for record in read_from(connection, iterator_of(connection, stream, shard), limit)]


def put(connection, key, **attributes):
    connection.must("PutItem", {"TableName": "Base", "Item": {"id": {"S": key}, **attributes}})


# ---- What is told -----------------------------------------------------------------------------


def test_a_write_that_changes_nothing_is_not_told(new_server):
    item = {"id": {"S": "a"}, "n": {"N": "1"}}
    key = {"id": {"S": "a"}}
    add_zero = {"TableName": "Base", "Key": key, "UpdateExpression": "ADD n :zero",
                "ExpressionAttributeValues": {":zero": {"N": "0"}}}
    with new_server().connection() as connection:
        stream = make_table(connection)
        connection.must("PutItem", {"TableName": "Base", "Item": item})
        connection.must("PutItem", {"TableName": "Base", "Item": item})
        connection.must("UpdateItem", add_zero)
        connection.must("UpdateItem", {"TableName": "Base", "Key": key})
        connection.must("DeleteItem", {"TableName": "Base", "Key": {"id": {"S": "none"}}})
        connection.must("BatchWriteItem", {"RequestItems": {"Base": [{"PutRequest": {"Item": item}}]}})
        connection.must("TransactWriteItems", {"TransactItems": [
            {"Put": {"TableName": "Base", "Item": item}},
            {"ConditionCheck": {"TableName": "Base", "Key": {"id": {"S": "b"}},
                                "ConditionExpression": "attribute_not_exists(id)"}}]})
        refused, _ = connection.call("PutItem", {
            "TableName": "Base", "Item": {**item, "n": {"N": "2"}},
            "ConditionExpression": "attribute_not_exists(id)"})
        assert refused == 400
        records = read_all(connection, stream)
        assert [record["eventName"] for record in records] == ["INSERT"]
        # UpdateItem makes an item that has nothing but its key: that is a change.
        connection.must("UpdateItem", {"TableName": "Base", "Key": {"id": {"S": "c"}}})
        assert read_all(connection, stream)[-1]["dynamodb"]["NewImage"] == {"id": {"S": "c"}}


def test_batches_and_transactions_are_told_item_by_item(new_server):
    with new_server().connection() as connection:
        stream = make_table(connection)
        connection.must("BatchWriteItem", {"RequestItems": {"Base": [
            {"PutRequest": {"Item": {"id": {"S": f"b{n}"}}}} for n in range(25)]}})
        connection.must("TransactWriteItems", {"TransactItems": [
            {"Put": {"TableName": "Base", "Item": {"id": {"S": f"t{n}"}}}} for n in range(100)]})
        records = read_all(connection, stream)
        keys = [record["dynamodb"]["Keys"]["id"]["S"] for record in records]
        assert sorted(keys) == sorted([f"b{n}" for n in range(25)] + [f"t{n}" for n in range(100)])
        check_numbers(records)


def check_numbers(records):
    """Sequence numbers of one shard grow, and are as long as the service's; ids are all different."""
    numbers = [record["dynamodb"]["SequenceNumber"] for record in records]
    assert all(re.fullmatch("[0-9]{21,40}", number) for number in numbers)
    values = [int(number) for number in numbers]
    assert values == sorted(set(values))
    assert len({record["eventID"] for record in records}) == len(records)


def test_a_page_holds_a_thousand_records_or_a_megabyte(new_server):
    with new_server().connection() as connection:
        stream = make_table(connection)
        for n in range(1010):
            put(connection, f"{n}")
        shard, = shards_of(connection, stream)
        iterator = iterator_of(connection, stream, shard)
        page = connection.must("GetRecords", {"ShardIterator": iterator})
        assert len(page["Records"]) == 1000
        page = connection.must("GetRecords", {"ShardIterator": page["NextShardIterator"]})
        assert len(page["Records"]) == 10
        for n in range(4):
            put(connection, f"large{n}", text={"S": "x" * 300_000})
        page = connection.must("GetRecords", {"ShardIterator": page["NextShardIterator"]})
        assert len(page["Records"]) == 3  # the fourth would make it more than a megabyte
        assert sum(record["dynamodb"]["SizeBytes"] for record in page["Records"]) <= 1 << 20
        assert len(read_all(connection, stream, limit=7)) == 1014


def test_the_largest_items_change_with_both_images(new_server):
    """Empty lists take more room stored than they count: two images do not fit one stored value."""
    def item(end):
        return {"id": {"S": "a"}, "end": {"S": end},
                "l": {"L": [{"L": []}] * 100_000}}
    with new_server().connection() as connection:
        stream = make_table(connection)
        for end in ("first", "second", "third"):
            connection.must("PutItem", {"TableName": "Base", "Item": item(end)})
        put(connection, "b")
        records = read_all(connection, stream)
        ends = [(record["dynamodb"].get("OldImage", {}).get("end", {}).get("S"),
                 record["dynamodb"]["NewImage"].get("end", {}).get("S")) for record in records]
        assert ends == [(None, "first"), ("first", "second"), ("second", "third"), (None, None)]
        shard, = shards_of(connection, stream)
        # From right behind a record that was stored in two parts.
        after = iterator_of(connection, stream, shard, "AFTER_SEQUENCE_NUMBER",
                            SequenceNumber=records[1]["dynamodb"]["SequenceNumber"])
        assert read_from(connection, after) == records[2:]


def test_an_iterator_begins_where_it_says(new_server):
    with new_server().connection() as connection:
        stream = make_table(connection)
        for n in range(5):
            put(connection, f"{n}")
        shard, = shards_of(connection, stream)
        records = read_from(connection, iterator_of(connection, stream, shard))
        third = {"SequenceNumber": records[2]["dynamodb"]["SequenceNumber"]}
        first = {"SequenceNumber": shard["SequenceNumberRange"]["StartingSequenceNumber"]}
        latest = iterator_of(connection, stream, shard, "LATEST")
        at = iterator_of(connection, stream, shard, "AT_SEQUENCE_NUMBER", **third)
        after = iterator_of(connection, stream, shard, "AFTER_SEQUENCE_NUMBER", **third)
        start = iterator_of(connection, stream, shard, "AT_SEQUENCE_NUMBER", **first)
        assert read_from(connection, at) == records[2:]
        assert read_from(connection, after) == records[3:]
        assert read_from(connection, start) == records
        assert read_from(connection, latest) == []
        put(connection, "new")
        assert [record["dynamodb"]["Keys"] for record in read_from(connection, latest)] == [
            {"id": {"S": "new"}}]


def test_a_changed_iterator_is_refused(new_server, seed):
    with new_server().connection() as connection:
        stream = make_table(connection)
        shard, = shards_of(connection, stream)
        good = iterator_of(connection, stream, shard)
        for _ in range(300):
            at = seed.randrange(len(good))
            bad = good[:at] + seed.choice("aB3+/=|:-") + good[at + seed.randrange(3):]
            if bad == good:
                continue
            status, answer = connection.call("GetRecords", {"ShardIterator": bad})
            assert (status, answer["__type"].split("#")[1]) == (400, "ValidationException"), bad
        assert connection.must("GetRecords", {"ShardIterator": good})["Records"] == []


# ---- Streams come and go ----------------------------------------------------------------------


def test_a_disabled_stream_stays_readable_beside_the_next(disk_server):
    with disk_server.connection() as connection:
        first = make_table(connection)
        put(connection, "a")
        connection.must("UpdateTable", {"TableName": "Base",
                                        "StreamSpecification": {"StreamEnabled": False}})
        put(connection, "b")
        changed = connection.must("UpdateTable", {
            "TableName": "Base",
            "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "KEYS_ONLY"}})
        second = changed["TableDescription"]["LatestStreamArn"]
        put(connection, "c")
    disk_server.kill()
    disk_server.start()
    with disk_server.connection() as connection:
        listed = connection.must("ListStreams", {"TableName": "Base"})["Streams"]
        assert [stream["StreamArn"] for stream in listed] == [first, second]
        for stream, status, key in ((first, "DISABLED", "a"), (second, "ENABLED", "c")):
            described = connection.must("DescribeStream", {"StreamArn": stream})
            assert described["StreamDescription"]["StreamStatus"] == status
            records = read_all(connection, stream)
            assert [record["dynamodb"]["Keys"]["id"]["S"] for record in records] == [key]
        # The end of a closed shard is told by the absence of a further iterator.
        shard, = shards_of(connection, first)
        assert "EndingSequenceNumber" in shard["SequenceNumberRange"]
        page = connection.must("GetRecords",
                               {"ShardIterator": iterator_of(connection, first, shard)})
        assert "NextShardIterator" not in page


def test_the_stream_of_a_deleted_table_stays_readable(disk_server):
    with disk_server.connection() as connection:
        first = make_table(connection)
        put(connection, "a")
        connection.must("DeleteTable", {"TableName": "Base"})
        second = make_table(connection)
        put(connection, "b")
    disk_server.stop()
    disk_server.start()
    with disk_server.connection() as connection:
        assert first != second
        for stream, key in ((first, "a"), (second, "b")):
            records = read_all(connection, stream)
            assert [record["dynamodb"]["Keys"]["id"]["S"] for record in records] == [key]


# ---- Shards -----------------------------------------------------------------------------------


def test_shards_split_and_keep_the_order_of_each_item(new_server, tmp_path, seed):
    """A stream of one shard is opened again by a server that wants four, each of little room."""
    data = tmp_path / "data"
    small = new_server(data, ["--stream-shard-bytes", "100000000"])
    with small.connection() as connection:
        stream = make_table(connection)
        assert len(shards_of(connection, stream)) == 1
        put(connection, "0", n={"N": "0"})
    small.stop()
    server = new_server(data, ["--stream-shard-bytes", "3000", "--stream-shards", "4"])
    last = {"0": 0}
    with server.connection() as connection:
        deadline = time.monotonic() + 30 * SLOWNESS
        while True:
            for _ in range(40):
                key = str(seed.randrange(20))
                last[key] = last.get(key, -1) + 1
                put(connection, key, n={"N": str(last[key])})
            shards = shards_of(connection, stream)
            opened = [s for s in shards if "EndingSequenceNumber" not in s["SequenceNumberRange"]]
            if len(opened) == 4 and len(shards) > 10:
                break
            assert time.monotonic() < deadline, f"{len(opened)} of {len(shards)} shards are open"
    server.stop()
    # What was written last may still fill a shard: this one ends none.
    roomy = new_server(data, ["--stream-shard-bytes", "100000000"])
    with roomy.connection() as connection:
        shards = shards_of(connection, stream)
        check_lineage(connection, stream, shards)
        check_order(connection, stream, shards, last)


def check_lineage(connection, stream, shards):
    """Parents end before their children begin, and have one child or two."""
    by_id = {shard["ShardId"]: shard for shard in shards}
    assert [shard["ShardId"] for shard in shards] == sorted(by_id)
    for shard in shards:
        children = shards_of(connection, stream, ShardFilter={"Type": "CHILD_SHARDS",
                                                              "ShardId": shard["ShardId"]})
        assert children == [s for s in shards if s.get("ParentShardId") == shard["ShardId"]]
        end = shard["SequenceNumberRange"].get("EndingSequenceNumber")
        assert len(children) in ((1, 2) if end else (0,))
        for child in children:
            assert int(child["SequenceNumberRange"]["StartingSequenceNumber"]) > int(end)
    assert any("ParentShardId" not in shard for shard in shards)


def check_order(connection, stream, shards, last):
    """Read parents first, each item's numbers come one after the other, all of them."""
    seen = {}
    for shard in shards:
        records = read_from(connection, iterator_of(connection, stream, shard))
        check_numbers(records)
        bounds = shard["SequenceNumberRange"]
        for record in records:
            number = int(record["dynamodb"]["SequenceNumber"])
            assert number > int(bounds["StartingSequenceNumber"])
            assert number < int(bounds.get("EndingSequenceNumber", "9" * 40))
            image = record["dynamodb"]["NewImage"]
            seen.setdefault(image["id"]["S"], []).append(int(image["n"]["N"]))
    assert seen == {key: list(range(end + 1)) for key, end in last.items()}


@pytest.mark.parametrize("example", ["python/stream_follow", "javascript/stream_follow"])
def test_sdks_follow_through_shards_under_load(new_server, example):
    """The examples count: every change once, in order, over several generations of shards."""
    server = new_server(flags=FAST_SHARDS)
    done = subprocess.run(
        [sys.executable, os.path.join(ROOT, "examples", "run"), "--endpoint", server.url, example],
        env={**os.environ, "STATOR_FOLLOW_SECONDS": "4"}, capture_output=True, text=True,
        timeout=120 * SLOWNESS, check=False)
    if "No such file" in done.stdout or "Cannot find package" in done.stdout:
        pytest.skip("node or its packages are not installed")
    assert "1 passed" in done.stdout, done.stdout + done.stderr
    with server.connection() as connection:
        stream, = connection.must("ListStreams", {})["Streams"]  # of the deleted table
        assert len(shards_of(connection, stream["StreamArn"])) >= 6


# ---- kill -9 under load -----------------------------------------------------------------------


class Writer(threading.Thread):
    """Writes to keys that are its own until the server dies; counts what was acknowledged."""

    def __init__(self, server, number, random):
        super().__init__()
        self.server = server
        self.number = number
        self.random = random
        self.acknowledged = []  # stamps
        self.problem = None

    def run(self):
        try:
            with self.server.connection() as connection:
                while True:
                    self.write(connection)
        except (OSError, http.client.HTTPException):
            pass  # killed
        except AssertionError as error:
            self.problem = error

    def write(self, connection):
        key = {"id": {"S": f"{self.number}-{self.random.randrange(KEYS)}"}}
        stamp = str(self.random.getrandbits(64))
        item = {**key, "stamp": {"S": stamp}}
        if self.random.random() < 0.2:
            connection.must("DeleteItem", {"TableName": "Base", "Key": key})
            return
        connection.must("PutItem", {"TableName": "Base", "Item": item})
        self.acknowledged.append(stamp)


@pytest.mark.slow
def test_a_kill_leaves_no_gap_and_no_repeat(new_server, tmp_path, seed):
    server = new_server(tmp_path / "data", FAST_SHARDS)
    with server.connection() as connection:
        stream = make_table(connection)
    acknowledged = set()
    for _ in range(ROUNDS):
        writers = [Writer(server, number, type(seed)(seed.random())) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        time.sleep(seed.uniform(0.3, 1.2))
        server.kill()
        for writer in writers:
            writer.join()
            assert writer.problem is None, writer.problem
            acknowledged.update(writer.acknowledged)
        server.start()
        with server.connection() as connection:
            check_history(connection, stream, acknowledged)
    assert len(acknowledged) > ROUNDS * WRITERS


def check_history(connection, stream, acknowledged):
    """Every change begins with what the one before has left, and the last with what is there."""
    now, told = {}, []
    for record in read_all(connection, stream):
        change = record["dynamodb"]
        key = change["Keys"]["id"]["S"]
        assert change.get("OldImage") == now.get(key), f"a gap or a repeat at {change}"
        now[key] = change.get("NewImage")
        if now[key] is not None:
            told.append(now[key]["stamp"]["S"])
    scanned = connection.must("Scan", {"TableName": "Base"})["Items"]
    assert {item["id"]["S"]: item for item in scanned} == {
        key: item for key, item in now.items() if item is not None}
    assert len(set(told)) == len(told)
    assert acknowledged <= set(told)
