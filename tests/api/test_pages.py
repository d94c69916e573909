# SPDX-License-Identifier: Apache-2.0
"""Pages: a megabyte at a time, continued without loss or repetition; segments; large batches."""
import pytest

from server import item_size

MEGABYTE = 1024 * 1024


def fill(dynamodb, name, count, length, **key):
    """Puts items with values of this length under one partition key and numbered sort keys."""
    for number in range(count):
        dynamodb.put_item(TableName=name, Item={
            **key, "n": {"N": str(number)}, "v": {"S": "x" * length}})


def pages_of(operation, **request):
    """All pages of an operation, following LastEvaluatedKey."""
    pages = [operation(**request)]
    while "LastEvaluatedKey" in pages[-1]:
        pages.append(operation(ExclusiveStartKey=pages[-1]["LastEvaluatedKey"], **request))
    return pages


@pytest.fixture
def large_table(dynamodb, table):
    """40 items of 100 KB in one partition: four megabytes."""
    name = table("p:S", "n:N")
    fill(dynamodb, name, 40, 100 * 1024, p={"S": "a"})
    return name


@pytest.mark.parametrize("forward", [True, False])
def test_query_pages_are_a_megabyte(dynamodb, large_table, forward):
    pages = pages_of(dynamodb.query, TableName=large_table, KeyConditionExpression="p = :p",
                     ExpressionAttributeValues={":p": {"S": "a"}}, ScanIndexForward=forward)
    numbers = [int(item["n"]["N"]) for page in pages for item in page["Items"]]
    assert numbers == sorted(range(40), reverse=not forward)
    for page in pages[:-1]:
        check_page_size(page)
        last = page["Items"][-1]
        assert page["LastEvaluatedKey"] == {"p": last["p"], "n": last["n"]}
    assert "LastEvaluatedKey" not in pages[-1]


def check_page_size(page):
    """About a megabyte: a page ends with the item that reaches it."""
    size = sum(map(item_size, page["Items"]))
    assert MEGABYTE - 110 * 1024 < size < MEGABYTE + 110 * 1024, size


def test_scan_pages_are_a_megabyte(dynamodb, large_table):
    pages = pages_of(dynamodb.scan, TableName=large_table)
    assert sorted(int(item["n"]["N"]) for page in pages for item in page["Items"]) == list(range(40))
    for page in pages[:-1]:
        check_page_size(page)


def test_a_page_is_measured_before_filter_and_projection(dynamodb, large_table):
    whole = pages_of(dynamodb.query, TableName=large_table, KeyConditionExpression="p = :p",
                     ExpressionAttributeValues={":p": {"S": "a"}})
    filtered = pages_of(dynamodb.query, TableName=large_table, KeyConditionExpression="p = :p",
                        FilterExpression="v = :v", ProjectionExpression="n",
                        ExpressionAttributeValues={":p": {"S": "a"}, ":v": {"S": "nothing"}})
    assert [page["ScannedCount"] for page in filtered] == [page["ScannedCount"] for page in whole]
    assert all(page["Count"] == 0 and page["Items"] == [] for page in filtered)


def test_pages_cost_what_they_read(dynamodb, large_table):
    pages = pages_of(dynamodb.query, TableName=large_table, KeyConditionExpression="p = :p",
                     ExpressionAttributeValues={":p": {"S": "a"}}, ReturnConsumedCapacity="TOTAL")
    for page in pages:
        size = sum(map(item_size, page["Items"]))
        expected = max(1, -(-size // 4096)) / 2
        assert page["ConsumedCapacity"]["CapacityUnits"] == expected


@pytest.mark.parametrize("limit", [1, 7, 40, 41])
def test_limits_page_without_loss(dynamodb, table, limit):
    name = table("p:S", "n:N", indexes=[("turned", "q:S", "n:N", "KEYS_ONLY")])
    fill(dynamodb, name, 40, 10, p={"S": "a"}, q={"S": "b"})
    for index in ({}, {"IndexName": "turned"}):
        for operation, more in ((dynamodb.scan, {}), (dynamodb.query, {
                "KeyConditionExpression": "#k = :k",
                "ExpressionAttributeNames": {"#k": "q" if index else "p"},
                "ExpressionAttributeValues": {":k": {"S": "b" if index else "a"}}})):
            pages = pages_of(operation, TableName=name, Limit=limit, **index, **more)
            numbers = [int(item["n"]["N"]) for page in pages for item in page["Items"]]
            assert numbers == list(range(40))
            # A page that its limit ended has a key, also when it was the last item.
            assert len(pages) == 40 // limit + 1


def test_segments_share_a_table_without_overlap(dynamodb, table):
    name = table("id:S")
    for start in range(0, 500, 25):
        dynamodb.batch_write_item(RequestItems={name: [
            {"PutRequest": {"Item": {"id": {"S": f"key-{n}"}}}} for n in range(start, start + 25)]})
    for total in (1, 2, 5, 16, 1000):
        seen = []
        for segment in range(total):
            pages = pages_of(dynamodb.scan, TableName=name, Segment=segment, TotalSegments=total,
                             Limit=40)
            seen.append([item["id"]["S"] for page in pages for item in page["Items"]])
        everything = [key for keys in seen for key in keys]
        assert len(everything) == 500 and len(set(everything)) == 500
        if total <= 5:
            # The hash spreads the keys: no segment has next to all or next to nothing.
            assert all(500 / total / 2 < len(keys) < 500 / total * 2 for keys in seen)


def test_a_key_of_another_segment_is_refused(dynamodb, table):
    name = table("id:S")
    for number in range(64):
        dynamodb.put_item(TableName=name, Item={"id": {"S": str(number)}})
    first = dynamodb.scan(TableName=name, Segment=0, TotalSegments=2, Limit=1)
    with pytest.raises(dynamodb.exceptions.ClientError) as error:
        dynamodb.scan(TableName=name, Segment=1, TotalSegments=2,
                      ExclusiveStartKey=first["LastEvaluatedKey"])
    assert error.value.response["Error"]["Message"] == (
        "The provided starting key is invalid: Invalid ExclusiveStartKey. Please use "
        "ExclusiveStartKey with correct Segment. TotalSegments: 2 Segment: 1")


def test_a_batch_of_more_than_16_megabytes_leaves_keys_unprocessed(dynamodb, table):
    name = table("id:S")
    length = 380 * 1024
    for number in range(60):
        dynamodb.put_item(TableName=name, Item={"id": {"S": str(number)}, "v": {"S": "x" * length}})
    request = {name: {"Keys": [{"id": {"S": str(number)}} for number in range(60)],
                      "ConsistentRead": True, "ProjectionExpression": "id, v"}}
    seen, rounds = [], 0
    while request:
        answer = dynamodb.batch_get_item(RequestItems=request)
        rounds += 1
        items = answer["Responses"].get(name, [])
        assert items, "a round has to make progress"
        assert sum(map(item_size, items)) <= 16 * MEGABYTE
        seen += [item["id"]["S"] for item in items]
        request = answer["UnprocessedKeys"]
        if request:
            # What is left is asked for in the same way.
            assert request[name]["ConsistentRead"] is True
            assert request[name]["ProjectionExpression"] == "id, v"
    assert rounds == 2
    assert sorted(seen, key=int) == [str(number) for number in range(60)]


def test_batches_have_their_limits(dynamodb, table):
    one, two = table("id:S"), table("id:S")

    def message_of(call, **request):
        with pytest.raises(dynamodb.exceptions.ClientError) as error:
            call(**request)
        assert error.value.response["Error"]["Code"] == "ValidationException"
        return error.value.response["Error"]["Message"]

    keys = [{"id": {"S": str(n)}} for n in range(101)]
    assert message_of(dynamodb.batch_get_item, RequestItems={
        one: {"Keys": keys[:60]}, two: {"Keys": keys[:60]}}) == (
            "Too many items requested for the BatchGetItem call")
    puts = [{"PutRequest": {"Item": key}} for key in keys]
    assert message_of(dynamodb.batch_write_item, RequestItems={one: puts[:20], two: puts[:20]}) == (
        "Too many items requested for the BatchWriteItem call")
    assert "less than or equal to 25" in message_of(
        dynamodb.batch_write_item, RequestItems={one: puts[:26]})
    dynamodb.batch_write_item(RequestItems={one: puts[:25]})
    assert len(dynamodb.batch_get_item(RequestItems={
        one: {"Keys": keys[:100]}})["Responses"][one]) == 25


def test_a_transaction_has_its_limits(dynamodb, table):
    name = table("id:S")
    puts = [{"Put": {"TableName": name, "Item": {"id": {"S": str(n)}}}} for n in range(101)]
    dynamodb.transact_write_items(TransactItems=puts[:100])
    assert dynamodb.describe_table(TableName=name)["Table"]["ItemCount"] == 100
    with pytest.raises(dynamodb.exceptions.ClientError) as error:
        dynamodb.transact_write_items(TransactItems=puts)
    assert "less than or equal to 100" in error.value.response["Error"]["Message"]
    large = [{"Put": {"TableName": name, "Item": {"id": {"S": str(n)}, "v": {"S": "x" * 390_000}}}}
             for n in range(12)]
    with pytest.raises(dynamodb.exceptions.ClientError) as error:
        dynamodb.transact_write_items(TransactItems=large)
    assert "4MB limit" in error.value.response["Error"]["Message"]
