# SPDX-License-Identifier: Apache-2.0
"""Time to live as an application meets it: real time, restarts, streams, and a lot at once."""
import threading
import time

import pytest

from conftest import definition
from server import SLOWNESS

PATIENCE_SECONDS = 20 * SLOWNESS
# Documented as better than the service's: within a second of its time.
PROMPT_SECONDS = 1 * SLOWNESS


def wait_until(holds, seconds=PATIENCE_SECONDS):
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.01)


def enable(client, name, attribute="expires"):
    client.update_time_to_live(TableName=name, TimeToLiveSpecification={
        "Enabled": True, "AttributeName": attribute})


def status_of(client, name):
    return client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]


def count_of(client, name):
    described = client.describe_table(TableName=name)["Table"]
    return [described["ItemCount"]] + [index["ItemCount"] for index
                                       in described.get("GlobalSecondaryIndexes", [])]


@pytest.fixture
def frozen(new_server):
    """A server whose clock stands still, its client, and the time."""
    running = new_server(flags=["--admin"])
    now = running.admin("clock", freeze=True)["now"]
    return running, running.client(), int(now)


def test_items_go_within_a_second_of_their_time(dynamodb, table):
    name = table("id:S", indexes=[("by-kind", "kind:S", "ALL")])
    enable(dynamodb, name)
    expiry = int(time.time()) + 2
    dynamodb.put_item(TableName=name, Item={"id": {"S": "goes"}, "kind": {"S": "k"},
                                            "expires": {"N": str(expiry)}})
    dynamodb.put_item(TableName=name, Item={"id": {"S": "stays"}, "kind": {"S": "k"},
                                            "expires": {"N": str(expiry + 3600)}})
    seen_at = time.time()
    while "Item" in dynamodb.get_item(TableName=name, Key={"id": {"S": "goes"}}):
        seen_at = time.time()
        assert seen_at < expiry + PROMPT_SECONDS
        time.sleep(0.02)
    assert seen_at > expiry - 0.5, "it went before its time"
    assert count_of(dynamodb, name) == [1, 1]


def test_full_table_is_indexed_while_it_is_written(frozen):
    running, client, now = frozen
    client.create_table(**definition("Full", "id:S", "n:N"))
    with running.connection() as connection:
        for start in range(0, 4000, 25):
            connection.must("BatchWriteItem", {"RequestItems": {"Full": [
                {"PutRequest": {"Item": {"id": {"S": str(i % 7)}, "n": {"N": str(i)},
                                         "expires": {"N": str(now + 100 + i % 2 * 1000)}}}}
                for i in range(start, start + 25)]}})
    enable(client, "Full")

    def move(first):
        with running.connection() as connection:
            for i in range(first, 4000, 8):  # some of those that expire later will expire now
                connection.must("UpdateItem", {
                    "TableName": "Full", "Key": {"id": {"S": str(i % 7)}, "n": {"N": str(i)}},
                    "UpdateExpression": "SET expires = :e",
                    "ExpressionAttributeValues": {":e": {"N": str(now + 100)}}})

    threads = [threading.Thread(target=move, args=(first,)) for first in (1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wait_until(lambda: status_of(client, "Full")["TimeToLiveStatus"] == "ENABLED")
    running.admin("clock", advance=200)
    wait_until(lambda: count_of(client, "Full") == [1000])
    running.admin("clock", advance=1000)
    wait_until(lambda: count_of(client, "Full") == [0])


def test_expiry_goes_on_after_a_kill(new_server, tmp_path):
    running = new_server(tmp_path / "data")
    client = running.client()
    client.create_table(**definition("Kept", "id:S", indexes=[("by-kind", "kind:S", "KEYS_ONLY")]))
    expiry = int(time.time()) + 3
    with running.connection() as connection:
        for start in range(0, 2000, 25):
            connection.must("BatchWriteItem", {"RequestItems": {"Kept": [
                {"PutRequest": {"Item": {"id": {"S": str(i)}, "kind": {"S": "k"},
                                         "expires": {"N": str(expiry if i % 2 else expiry * 2)}}}}
                for i in range(start, start + 25)]}})
    enable(client, "Kept")
    running.kill()
    running.start()
    client = running.client()
    wait_until(lambda: status_of(client, "Kept") == {"TimeToLiveStatus": "ENABLED",
                                                     "AttributeName": "expires"})
    wait_until(lambda: count_of(client, "Kept") == [1000, 1000])


def test_deletions_are_told_to_streams_as_the_services(frozen):
    running, client, now = frozen
    client.create_table(**definition("Watched", "id:S", StreamSpecification={
        "StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}))
    enable(client, "Watched")
    for name, expires in (("goes", now + 1), ("deleted", now + 1000)):
        client.put_item(TableName="Watched", Item={"id": {"S": name}, "expires": {"N": str(expires)}})
    running.admin("clock", advance=2)
    wait_until(lambda: count_of(client, "Watched") == [1])
    client.delete_item(TableName="Watched", Key={"id": {"S": "deleted"}})
    removed = {record["dynamodb"]["Keys"]["id"]["S"]: record for record in records(running, client)
               if record["eventName"] == "REMOVE"}
    assert removed["goes"]["userIdentity"] == {"Type": "Service",
                                               "PrincipalId": "dynamodb.amazonaws.com"}
    assert removed["goes"]["dynamodb"]["OldImage"]["expires"] == {"N": str(now + 1)}
    assert "userIdentity" not in removed["deleted"]


def records(running, client):
    """Everything in the one shard of the stream, by the bare protocol."""
    arn = client.describe_table(TableName="Watched")["Table"]["LatestStreamArn"]

    def call(operation, request):
        with running.connection() as connection:
            status, answer = connection.call(operation, request)
            assert status == 200, answer
            return answer

    shard, = call("DescribeStream", {"StreamArn": arn})["StreamDescription"]["Shards"]
    iterator = call("GetShardIterator", {"StreamArn": arn, "ShardId": shard["ShardId"],
                                         "ShardIteratorType": "TRIM_HORIZON"})["ShardIterator"]
    return call("GetRecords", {"ShardIterator": iterator})["Records"]


def test_many_expiring_items_do_not_stop_writers(frozen):
    running, client, now = frozen
    client.create_table(**definition("Busy", "id:S", indexes=[("by-kind", "kind:S", "ALL")]))
    enable(client, "Busy")
    count = 20000 // SLOWNESS
    with running.connection() as connection:
        for start in range(0, count, 25):
            connection.must("BatchWriteItem", {"RequestItems": {"Busy": [
                {"PutRequest": {"Item": {"id": {"S": str(i)}, "kind": {"S": "k"},
                                         "expires": {"N": str(now + 10)}}}}
                for i in range(start, start + 25)]}})
        written = left_while_writing = 0
        running.admin("clock", advance=11)
        while True:
            left = count_of(client, "Busy")[0] - written
            if left == 0:
                break
            left_while_writing = left
            connection.must("PutItem", {"TableName": "Busy", "Item": {"id": {"S": f"w{written}"}}})
            written += 1
    assert written > 0 and left_while_writing < count, "nothing was written while items expired"
    assert count_of(client, "Busy") == [written, 0]


def test_item_that_is_given_more_time_in_its_last_moment_stays_or_goes_whole(frozen):
    """Writers and expiry race for the same items; what a writer was told he saved is there."""
    running, client, now = frozen
    client.create_table(**definition("Raced", "id:S"))
    enable(client, "Raced")
    count = 2000 // SLOWNESS
    with running.connection() as connection:
        for start in range(0, count, 25):
            connection.must("BatchWriteItem", {"RequestItems": {"Raced": [
                {"PutRequest": {"Item": {"id": {"S": str(i)}, "expires": {"N": str(now + 10)}}}}
                for i in range(start, start + 25)]}})
        running.admin("clock", advance=11)
        saved = set()
        for i in reversed(range(count)):
            status, _ = connection.call("UpdateItem", {
                "TableName": "Raced", "Key": {"id": {"S": str(i)}},
                "ConditionExpression": "attribute_exists(id)",
                "UpdateExpression": "SET expires = :later",
                "ExpressionAttributeValues": {":later": {"N": str(now + 10000)}}})
            if status == 200:
                saved.add(str(i))
    wait_until(lambda: count_of(client, "Raced") == [len(saved)])
    pages = client.get_paginator("scan").paginate(TableName="Raced")
    assert {item["id"]["S"] for page in pages for item in page["Items"]} == saved


def test_disabled_and_enabled_again_with_another_attribute(frozen):
    running, client, now = frozen
    client.create_table(**definition("Changed", "id:S"))
    enable(client, "Changed", "first")
    for attribute in ("first", "second"):
        client.put_item(TableName="Changed", Item={"id": {"S": attribute},
                                                   attribute: {"N": str(now + 7200)}})
    running.admin("clock", advance=3600)
    client.update_time_to_live(TableName="Changed", TimeToLiveSpecification={
        "Enabled": False, "AttributeName": "first"})
    assert status_of(client, "Changed") == {"TimeToLiveStatus": "DISABLED"}
    running.admin("clock", advance=7200)
    enable(client, "Changed", "second")
    wait_until(lambda: count_of(client, "Changed") == [1])
    assert "Item" in client.get_item(TableName="Changed", Key={"id": {"S": "first"}})
