# SPDX-License-Identifier: Apache-2.0
"""Administration: who may, and that code which relies on what nobody promised fails."""
import socket
import time

import pytest

from conftest import definition
from server import SLOWNESS


@pytest.fixture
def running(new_server):
    return new_server(flags=["--admin"])


def test_without_the_flag_there_is_no_such_path(connection):
    status, _, body = connection.request(path="/_stator/clock", body=b"{}",
                                         headers={"Content-Type": "text/plain"})
    assert (status, body) == (404, b"<UnknownOperationException/>\n")


def test_variable_of_the_environment_is_as_good_as_the_flag(new_server):
    running = new_server(environment={"STATOR_ADMIN": "1"})
    assert running.admin("clock")["frozen"] is False


def test_pages_of_a_browser_are_not_answered(running):
    with running.connection() as connection:
        status, _, _ = connection.request(path="/_stator/clock", body=b'{"advance": 3600}',
                                          headers={"Origin": "http://localhost:3000"})
    assert status == 404
    assert running.admin("clock")["now"] < time.time() + 1800


def other_address():
    """An address of this machine that is not a loopback one, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # sends nothing
            return probe.getsockname()[0]
        except OSError:
            return None


def test_other_machines_are_not_answered(new_server):
    address = other_address()
    if address is None or address.startswith("127."):
        pytest.skip("this machine has no address but loopback ones")
    running = new_server(flags=["--admin", "--host", "0.0.0.0"])
    assert "now" in running.admin("clock")
    with socket.create_connection((address, running.port), timeout=10) as client:
        client.sendall(b"POST /_stator/clock HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n"
                       b"Connection: close\r\n\r\n{}")
        assert client.recv(100).startswith(b"HTTP/1.1 404 ")


def test_frozen_clock_stands_and_a_resumed_one_goes_on(running):
    running.admin("clock", freeze=True, set=1800000000)
    time.sleep(0.05)
    assert running.admin("clock") == {"now": 1800000000, "frozen": True}
    resumed = running.admin("clock", resume=True)
    assert resumed["frozen"] is False and resumed["now"] >= 1800000000
    time.sleep(0.05)
    assert 1800000000.04 < running.admin("clock")["now"] < 1800000000 + 60 * SLOWNESS


def test_tokens_are_forgotten_after_ten_minutes(running):
    client = running.client()
    client.create_table(**definition("Paid", "id:S"))
    running.admin("clock", freeze=True)

    def add():
        client.transact_write_items(ClientRequestToken="once", TransactItems=[{"Update": {
            "TableName": "Paid", "Key": {"id": {"S": "a"}}, "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}}}}])
        return client.get_item(TableName="Paid", Key={"id": {"S": "a"}})["Item"]["n"]["N"]

    assert [add(), add()] == ["1", "1"]
    running.admin("clock", advance=599)
    assert add() == "1"
    running.admin("clock", advance=2)
    assert add() == "2"


def test_waiting_tables_are_woken(new_server):
    running = new_server(flags=["--admin", "--table-delay", "3600000"])
    client = running.client()
    client.create_table(**definition("Slow", "id:S"))
    running.admin("clock", advance=3600)
    client.put_item(TableName="Slow", Item={"id": {"S": "a"}})
    client.update_table(TableName="Slow", AttributeDefinitions=[
        {"AttributeName": "id", "AttributeType": "S"}], GlobalSecondaryIndexUpdates=[{"Create": {
            "IndexName": "by-id", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}])
    running.admin("clock", advance=3600)
    deadline = time.monotonic() + 10 * SLOWNESS
    while client.describe_table(TableName="Slow")["Table"][
            "GlobalSecondaryIndexes"][0]["IndexStatus"] != "ACTIVE":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_reader_who_trusts_the_index_fails(running):
    client = running.client()
    client.create_table(**definition("Shop", "id:S", indexes=[("by-user", "user:S", "ALL")]))
    running.admin("clock", freeze=True)
    running.admin("faults", table="Shop", index_delay=2)

    def orders_of(user):
        return client.query(TableName="Shop", IndexName="by-user",
                            KeyConditionExpression="#u = :u", ExpressionAttributeNames={"#u": "user"},
                            ExpressionAttributeValues={":u": {"S": user}})["Items"]

    client.put_item(TableName="Shop", Item={"id": {"S": "1"}, "user": {"S": "ada"}})
    assert "Item" in client.get_item(TableName="Shop", Key={"id": {"S": "1"}})
    assert orders_of("ada") == []
    running.admin("clock", advance=2)
    assert len(orders_of("ada")) == 1
    client.delete_item(TableName="Shop", Key={"id": {"S": "1"}})
    assert len(orders_of("ada")) == 1
    running.admin("faults", table="Shop")
    assert orders_of("ada") == []


def test_delayed_scan_shows_one_moment_of_the_past(running, seed):
    client = running.client()
    client.create_table(**definition("Past", "id:S", "n:N"))
    running.admin("faults", table="Past", read_delay=10)
    running.admin("clock", freeze=True)
    moments = []
    present = {}
    for _ in range(8):
        for _ in range(40):
            key = (str(seed.randrange(4)), seed.randrange(20))
            if seed.random() < 0.4:
                client.delete_item(TableName="Past", Key={"id": {"S": key[0]},
                                                          "n": {"N": str(key[1])}})
                present.pop(key, None)
            else:
                present[key] = str(seed.random())
                client.put_item(TableName="Past", Item={"id": {"S": key[0]}, "n": {"N": str(key[1])},
                                                        "v": {"S": present[key]}})
        moments.append(dict(present))
        running.admin("clock", advance=1)

    def seen(**more):
        pages = client.get_paginator("scan").paginate(
            TableName="Past", PaginationConfig={"PageSize": 7}, **more)
        return {(item["id"]["S"], int(item["n"]["N"])): item["v"]["S"]
                for page in pages for item in page["Items"]}

    assert seen() == {} and seen(ConsistentRead=True) == present
    running.admin("clock", advance=2)  # ten seconds after the first moment
    for moment in moments:
        assert seen() == moment
        assert seen(ConsistentRead=True) == present
        running.admin("clock", advance=1)


def test_batches_come_back_in_part_and_end(running):
    client = running.client()
    client.create_table(**definition("Loaded", "id:S"))
    running.admin("random", seed=7)
    running.admin("faults", table="Loaded", unprocessed_rate=0.5)
    writes = [{"PutRequest": {"Item": {"id": {"S": str(i)}}}} for i in range(25)]
    rounds = 0
    while writes:
        left = client.batch_write_item(RequestItems={"Loaded": writes})["UnprocessedItems"]
        assert len(left.get("Loaded", [])) < len(writes)
        writes = left.get("Loaded", [])
        rounds += 1
    assert rounds > 1
    assert client.describe_table(TableName="Loaded")["Table"]["ItemCount"] == 25
    keys, found = {"Loaded": {"Keys": [{"id": {"S": str(i)}} for i in range(25)]}}, []
    while keys:
        answer = client.batch_get_item(RequestItems=keys)
        found += [item["id"]["S"] for item in answer["Responses"]["Loaded"]]
        keys = answer["UnprocessedKeys"]
    assert sorted(found, key=int) == [str(i) for i in range(25)]


def test_seed_repeats_which_requests_fail(running):
    client = running.client()
    client.create_table(**definition("Hot", "id:S"))
    running.admin("faults", table="Hot", throttle_rate=0.3)

    def outcomes():
        running.admin("random", seed=3)
        results = []
        for i in range(60):
            try:
                client.put_item(TableName="Hot", Item={"id": {"S": str(i)}})
                results.append(True)
            except client.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] == "ThrottlingException"
                results.append(False)
        return results

    first = outcomes()
    assert 5 < first.count(False) < 40
    assert outcomes() == first


def test_sdk_retries_throttling_away(running):
    running.client().create_table(**definition("Contended", "id:S"))
    running.admin("random", seed=5)
    running.admin("faults", table="Contended", throttle_rate=0.4)
    patient = running.client(retries={"mode": "standard", "max_attempts": 8})
    for i in range(5):
        patient.put_item(TableName="Contended", Item={"id": {"S": str(i)}})
