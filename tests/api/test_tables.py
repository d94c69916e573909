# SPDX-License-Identifier: Apache-2.0
"""Tables and items through boto3, as an application uses them."""
import datetime
import decimal

import boto3.dynamodb.types
import pytest

from conftest import definition
from server import item_size


def test_waiters_see_a_table_come_and_go(dynamodb):
    dynamodb.create_table(**definition("Waited", "id:S"))
    dynamodb.get_waiter("table_exists").wait(TableName="Waited", WaiterConfig={"Delay": 1})
    dynamodb.delete_table(TableName="Waited")
    dynamodb.get_waiter("table_not_exists").wait(TableName="Waited", WaiterConfig={"Delay": 1})


def test_statuses_are_shown_for_as_long_as_told(new_server):
    running = new_server(flags=["--table-delay", "2000"])
    client = running.client()
    created = client.create_table(**definition("Slow", "id:S"))["TableDescription"]
    assert created["TableStatus"] == "CREATING"
    assert client.describe_table(TableName="Slow")["Table"]["TableStatus"] == "CREATING"
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.get_item(TableName="Slow", Key={"id": {"S": "a"}})
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.delete_table(TableName="Slow")
    wait = {"Delay": 1, "MaxAttempts": 30}
    client.get_waiter("table_exists").wait(TableName="Slow", WaiterConfig=wait)
    assert client.delete_table(TableName="Slow")["TableDescription"]["TableStatus"] == "DELETING"
    assert client.describe_table(TableName="Slow")["Table"]["TableStatus"] == "DELETING"
    client.get_waiter("table_not_exists").wait(TableName="Slow", WaiterConfig=wait)


def test_creation_time_is_now(dynamodb, table):
    before = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=1)
    name = table("id:S")
    created = dynamodb.describe_table(TableName=name)["Table"]["CreationDateTime"]
    assert before <= created <= datetime.datetime.now(datetime.timezone.utc)


def test_many_tables_are_listed_in_pages(new_server):
    client = new_server().client()
    names = sorted(f"table-{n:03}" for n in range(120))
    for name in names:
        client.create_table(**definition(name, "id:S"))
    first = client.list_tables()
    assert first["TableNames"] == names[:100] and first["LastEvaluatedTableName"] == names[99]
    pages = client.get_paginator("list_tables").paginate(PaginationConfig={"PageSize": 7})
    assert [name for page in pages for name in page["TableNames"]] == names


def test_counts_and_sizes_are_exact_at_once(dynamodb, table, seed):
    name = table("id:S", indexes=[("by-kind", "kind:S", "ALL")],)
    stored = {}
    for _ in range(300):
        key = str(seed.randrange(40))
        if seed.random() < 0.3:
            dynamodb.delete_item(TableName=name, Key={"id": {"S": key}})
            stored.pop(key, None)
            continue
        item = {"id": {"S": key}, "v": {"S": "é" * seed.randrange(60)},
                "n": {"N": str(seed.randrange(-(10**seed.randrange(1, 20)), 10**9))}}
        if seed.random() < 0.5:
            item["kind"] = {"S": seed.choice("abc")}
        dynamodb.put_item(TableName=name, Item=item)
        stored[key] = item
    described = dynamodb.describe_table(TableName=name)["Table"]
    assert described["ItemCount"] == len(stored)
    assert described["TableSizeBytes"] == sum(map(item_size, stored.values()))
    indexed = [item for item in stored.values() if "kind" in item]
    index = described["GlobalSecondaryIndexes"][0]
    assert index["ItemCount"] == len(indexed)
    assert index["IndexSizeBytes"] == sum(map(item_size, indexed))


def test_python_values_come_back_as_they_went(server, table):
    name = table("id:S")
    resource = boto3.resource("dynamodb", endpoint_url=server.url, region_name="us-east-1",
                              aws_access_key_id="test", aws_secret_access_key="test")
    item = {
        "id": "a", "text": "Grüße 😀", "int": 12345678901234567890, "none": None, "yes": True,
        "decimal": decimal.Decimal("-1.2345678901234567890123456789012345678E-100"),
        "bytes": boto3.dynamodb.types.Binary(bytes(range(256))),
        "set": {"x", "y"}, "numbers": {decimal.Decimal("1.5"), decimal.Decimal(-2)},
        "list": [1, "two", [3, {"four": [None]}]], "map": {"very": {"deep": {"er": False}}},
    }
    resource.Table(name).put_item(Item=item)
    assert resource.Table(name).get_item(Key={"id": "a"})["Item"] == item


def test_numbers_order_as_numbers_and_bytes_as_bytes(dynamodb, table):
    numbers = ["-1E125", "-12345678901234567890123456789012345678", "-10", "-9.99", "-1", "-1E-130",
               "0", "1E-130", "0.001", "0.5", "1", "1.0000000000000000000000000000000000001", "2",
               "9", "10", "99.9", "100", "1E125"]
    name = table("p:S", "n:N")
    for number in reversed(numbers):
        dynamodb.put_item(TableName=name, Item={"p": {"S": "a"}, "n": {"N": number}})
    page = dynamodb.query(TableName=name, KeyConditionExpression="p = :p",
                          ExpressionAttributeValues={":p": {"S": "a"}})
    assert [decimal.Decimal(item["n"]["N"]) for item in page["Items"]] == [
        decimal.Decimal(number) for number in numbers]
    binaries = [b"\x00", b"\x00\x00", b"\x00\x01", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\x00",
                b"\xff\xff"]
    name = table("p:S", "b:B")
    for binary in reversed(binaries):
        dynamodb.put_item(TableName=name, Item={"p": {"S": "a"}, "b": {"B": binary}})
    page = dynamodb.query(TableName=name, KeyConditionExpression="p = :p",
                          ExpressionAttributeValues={":p": {"S": "a"}})
    assert [item["b"]["B"] for item in page["Items"]] == binaries
    page = dynamodb.query(TableName=name, KeyConditionExpression="p = :p AND begins_with(b, :b)",
                          ExpressionAttributeValues={":p": {"S": "a"}, ":b": {"B": b"\xff"}})
    assert [item["b"]["B"] for item in page["Items"]] == binaries[-3:]


def test_a_query_is_what_sorting_and_choosing_would_give(dynamodb, table, seed):
    """Random items against a model in memory: every comparison, both directions, with limits."""
    name = table("p:S", "s:N")
    numbers = sorted({seed.randrange(-50, 50) for _ in range(60)})
    for number in numbers:
        dynamodb.put_item(TableName=name, Item={"p": {"S": "a"}, "s": {"N": str(number)}})
    compare = {"=": lambda x, a, b: x == a, "<": lambda x, a, b: x < a,
               "<=": lambda x, a, b: x <= a, ">": lambda x, a, b: x > a,
               ">=": lambda x, a, b: x >= a, "BETWEEN": lambda x, a, b: a <= x <= b}
    for _ in range(80):
        low, high = sorted((seed.randrange(-55, 55), seed.randrange(-55, 55)))
        operator, forward = seed.choice(list(compare)), seed.random() < 0.5
        limit = seed.randrange(1, 70)
        values = {":p": {"S": "a"}, ":a": {"N": str(low)}}
        condition = f"p = :p AND s {operator} :a"
        if operator == "BETWEEN":
            condition, values[":b"] = condition + " AND :b", {"N": str(high)}
        page = dynamodb.query(TableName=name, KeyConditionExpression=condition, Limit=limit,
                              ExpressionAttributeValues=values, ScanIndexForward=forward)
        expected = [n for n in numbers if compare[operator](n, low, high)]
        expected = expected if forward else expected[::-1]
        assert [int(item["s"]["N"]) for item in page["Items"]] == expected[:limit]
        assert ("LastEvaluatedKey" in page) == (len(expected) >= limit)


def test_multi_attribute_index_keys(dynamodb, table):
    name = "multi-attribute"
    dynamodb.create_table(
        TableName=name, BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": a, "AttributeType": t} for a, t in (
            ("id", "S"), ("tenant", "S"), ("region", "S"), ("day", "N"), ("hour", "N"))],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[{
            "IndexName": "wide", "Projection": {"ProjectionType": "ALL"},
            "KeySchema": [{"AttributeName": "tenant", "KeyType": "HASH"},
                          {"AttributeName": "region", "KeyType": "HASH"},
                          {"AttributeName": "day", "KeyType": "RANGE"},
                          {"AttributeName": "hour", "KeyType": "RANGE"}]}])
    for number in range(24):
        dynamodb.put_item(TableName=name, Item={
            "id": {"S": str(number)}, "tenant": {"S": "t"}, "region": {"S": "eu" if number % 2 else "us"},
            "day": {"N": str(number % 3)}, "hour": {"N": str(-number)}})
    dynamodb.put_item(TableName=name, Item={"id": {"S": "sparse"}, "tenant": {"S": "t"}})
    page = dynamodb.query(
        TableName=name, IndexName="wide",
        KeyConditionExpression="tenant = :t AND #r = :r AND #d = :d AND #h < :h",
        ExpressionAttributeNames={"#r": "region", "#d": "day", "#h": "hour"},
        ExpressionAttributeValues={":t": {"S": "t"}, ":r": {"S": "eu"}, ":d": {"N": "1"},
                                   ":h": {"N": "-5"}})
    assert [item["id"]["S"] for item in page["Items"]] == ["19", "13", "7"]
    with pytest.raises(dynamodb.exceptions.ClientError) as error:
        dynamodb.query(TableName=name, IndexName="wide", KeyConditionExpression="tenant = :t",
                       ExpressionAttributeValues={":t": {"S": "t"}})
    assert error.value.response["Error"]["Code"] == "ValidationException"
    dynamodb.delete_table(TableName=name)


def test_an_arn_names_its_table_unless_it_is_anothers(dynamodb, table):
    name = table("id:S")
    arn = f"arn:aws:dynamodb:us-east-1:123456789012:table/{name}"
    dynamodb.put_item(TableName=arn, Item={"id": {"S": "a"}})
    assert dynamodb.get_item(TableName=name, Key={"id": {"S": "a"}})["Item"] == {"id": {"S": "a"}}
    with pytest.raises(dynamodb.exceptions.ClientError):
        dynamodb.get_item(TableName=arn.replace("123456789012", "999999999999"),
                          Key={"id": {"S": "a"}})


def test_item_collections_have_a_limit(new_server):
    client = new_server(flags=["--collection-limit", "100000"]).client()
    client.create_table(**definition("Local", "p:S", "s:N", local=[("by-l", "p:S", "l:N", "ALL")]))
    stored = 0
    with pytest.raises(client.exceptions.ItemCollectionSizeLimitExceededException):
        for number in range(100):
            client.put_item(TableName="Local", Item={
                "p": {"S": "a"}, "s": {"N": str(number)}, "l": {"N": "1"}, "v": {"S": "x" * 5000}})
            stored += 1
    # Each item is there twice, in the table and in its local index.
    assert 8 <= stored <= 10
    client.put_item(TableName="Local", Item={"p": {"S": "b"}, "s": {"N": "1"}})
    client.delete_item(TableName="Local", Key={"p": {"S": "a"}, "s": {"N": "0"}})
    assert client.describe_table(TableName="Local")["Table"]["ItemCount"] == stored
