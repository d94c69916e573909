# SPDX-License-Identifier: Apache-2.0
"""The work: tables, items, and the operations that are measured, each with a check of answers."""
import time

import load
from load import BATCH, RANDOM, SEQUENCE, WIDTH, Load
from stand import Failure

ITEMS = 10_000        # in the tables that most figures use
ITEM_BYTES = 300
GROUP_ITEMS = 100     # in each item collection of the table that is queried
INDEXES = 5           # of the table whose writes have most to do
LARGE_BYTES = 1_000_000   # of all items of a table of large ones, or ten times as many
FILL_SECONDS = 1200   # something is wrong when loading takes longer
TEXT = "The quick brown fox jumps over the lazy dog. "


UNMARKED = TEXT[:WIDTH]  # where a load that writes over items puts a number
WRITES = "overwrites"    # the name of the sequence of those


def item_of(key, mark=UNMARKED):
    """300 bytes by DynamoDB's formula, of several types, as an application's would be. The mark is
    what tells it from an item of the same key and size."""
    item = {
        "id": {"S": key},
        "name": {"S": "Ada Lovelace"},
        "email": {"S": "ada.lovelace@example.com"},
        "age": {"N": "36"},
        "active": {"BOOL": True},
        "created": {"S": "2026-01-01T00:00:00.000Z"},
        "balance": {"N": "1234.56"},
        "note": {"S": ""},
    }
    # Names, texts, two numbers of 2 and 4 bytes, one boolean.
    size = sum(len(name) + len(value.get("S", "")) for name, value in item.items()) + 2 + 4 + 1
    item["note"]["S"] = mark + (TEXT * 8)[WIDTH:ITEM_BYTES - size]
    return item


def mark_of(item):
    mark = item["note"]["S"][:WIDTH]
    return mark if mark.isdigit() else UNMARKED


def is_whole(item):
    """Whether it is as it was written, whichever load wrote it last."""
    return item == item_of(item["id"]["S"], mark_of(item))


def sized_item(key, size, mark=UNMARKED):
    """An item of a text and little else, of so many bytes."""
    item = {"id": {"S": key}, "age": {"N": "36"}, "note": {"S": ""}}
    rest = size - sum(map(len, item)) - WIDTH - 2
    item["note"]["S"] = mark + (TEXT * (rest // len(TEXT) + 1))[WIDTH:rest]
    return item


def group_item(number):
    """Of the table that is queried: the keys of its index are attributes of the item."""
    group, place = divmod(number, GROUP_ITEMS)
    return {**item_of(f"{group:012}"), "sort": {"S": f"{place:012}"},
            "kind": {"S": f"{group:012}"}, "rank": {"S": f"{GROUP_ITEMS - 1 - place:012}"}}


def indexed_item(key, values):
    return {**item_of(key), **{f"by{number}": {"S": value} for number, value in enumerate(values)}}


# ---- Tables -----------------------------------------------------------------------------------


def key_schema(partition, sort=None):
    schema = [{"AttributeName": partition, "KeyType": "HASH"}]
    return schema + ([{"AttributeName": sort, "KeyType": "RANGE"}] if sort else [])


def make_table(client, name, sort=None, indexes=(), **members):
    """With keys named id and sort; indexes are pairs of such names."""
    names = sorted({"id", sort, *(each for index in indexes for each in index)} - {None})
    if indexes:
        members["GlobalSecondaryIndexes"] = [
            {"IndexName": f"index-{index[0]}", "KeySchema": key_schema(*index),
             "Projection": {"ProjectionType": "ALL"}} for index in indexes]
    client.call("CreateTable", TableName=name, BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": n, "AttributeType": "S"} for n in names],
                KeySchema=key_schema("id", sort), **members)
    while client.call("DescribeTable", TableName=name)["Table"]["TableStatus"] != "ACTIVE":
        time.sleep(0.001)


def item_count(client, name):
    return client.call("DescribeTable", TableName=name)["Table"]["ItemCount"]


def fill(server, name, count, item, there=0):
    """Loads many items into Stator, of keys from 0 on, beside those that are there; returns how
    many a second."""
    writes = [{"PutRequest": {"Item": item}}] * BATCH
    # Sequences start again at the end, so that what is sent until we notice changes nothing.
    batches = Load("BatchWriteItem", {"RequestItems": {name: writes}}, sequence_max=count)
    _, core = load.stand.cores()
    with server.client() as client, load.Wrk(batches, server, 16, core) as wrk:
        started = time.perf_counter()
        wrk.wait_until_sending()
        while item_count(client, name) < there + count:
            if time.perf_counter() - started > FILL_SECONDS:
                raise Failure(f"{name}: no more than {item_count(client, name)} items come to be")
            time.sleep(0.02)
        elapsed = time.perf_counter() - started
        wrk.finish()
        if item_count(client, name) != there + count:
            raise Failure(f"{name}: {item_count(client, name)} items instead of {there + count}")
    return count / elapsed


def fill_items(server, count=ITEMS):
    with server.client() as client:
        make_table(client, "items")
    return fill(server, "items", count, item_of(SEQUENCE))


def make_items(server, name, count, item=item_of, seconds=float("inf")):
    """A table of that many items in any system; how many it has within the time."""
    with server.client() as client:
        make_table(client, name)
    return load.put_items(server, name, (item(f"{n:012}") for n in range(count)), seconds)


def make_all(server, count=ITEMS):
    """Every table that operations() work on."""
    make_items(server, "items", count)
    with server.client() as client:
        make_table(client, "groups", "sort", [("kind", "rank")])
        make_table(client, "puts")
        make_table(client, "deletes")
        make_table(client, "indexed", None, [(f"by{n}",) for n in range(INDEXES)],
                   StreamSpecification={"StreamEnabled": True,
                                        "StreamViewType": "NEW_AND_OLD_IMAGES"})
    load.put_items(server, "groups", map(group_item, range(count)))


# ---- Operations -------------------------------------------------------------------------------


class Work:
    """An operation that is measured: what is sent, and which answers are right."""

    def __init__(self, name, request, check, is_consuming=False):
        self.name = name
        self.load = request
        self.check = check
        self.is_consuming = is_consuming  # each request takes away an item it needs


def get_load(count=ITEMS, table="items", is_zipf=False):
    return Load("GetItem", {"TableName": table, "Key": {"id": {"S": RANDOM}}}, random_max=count,
                is_zipf=is_zipf)


def is_item(answer):
    return "Item" in answer and is_whole(answer["Item"])


def is_done(answer):
    """Nothing was found, or is told: some peers tell of capacity without being asked."""
    return set(answer) <= {"ConsumedCapacity", "ItemCollectionMetrics"}


def put_load(table="items"):
    """New items."""
    return Load("PutItem", {"TableName": table, "Item": item_of(SEQUENCE)}, fresh=table)


def overwrite_load(count=ITEMS, table="items", item=None, **members):
    """Items that are there, each time with a mark that none had before: writing what is there
    already would be no work for a server that notices."""
    return Load("PutItem", {"TableName": table, "Item": item or item_of(RANDOM, SEQUENCE),
                            **members}, random_max=count, fresh=WRITES, marked="note")


def get_works(count):
    keys = [{"id": {"S": SEQUENCE}}] * 100
    return [
        Work("GetItem", get_load(count), is_item),
        Work("GetItem of an absent item", get_load(10**12), is_done),
        Work("BatchGetItem of 100", Load("BatchGetItem", {
            "RequestItems": {"items": {"Keys": keys}}}, sequence_max=count),
             lambda answer: len(answer["Responses"]["items"]) == 100
             and all(map(is_whole, answer["Responses"]["items"]))),
    ]


def query_work(limit, is_index, count):
    key, sort = ("kind", "rank") if is_index else ("id", "sort")
    request = {"TableName": "groups", "Limit": limit, "KeyConditionExpression": f"{key} = :key",
               "ExpressionAttributeValues": {":key": {"S": RANDOM}}}
    if is_index:
        request["IndexName"] = "index-kind"

    def check(answer):
        items = answer["Items"]
        return (answer["Count"] == limit and len({item[key]["S"] for item in items}) == 1
                and [item[sort]["S"] for item in items] == [f"{n:012}" for n in range(limit)])
    return Work(f"Query of {limit}" + (" by index" if is_index else ""),
                Load("Query", request, random_max=count // GROUP_ITEMS), check)


def scan_work():
    """All of a page is read, nothing of it passes."""
    request = {"TableName": "items", "Limit": 100,
               "FilterExpression": "age > :age AND active = :no",
               "ExpressionAttributeValues": {":age": {"N": "30"}, ":no": {"BOOL": False}}}
    return Work("Scan of 100, filtered", Load("Scan", request),
                lambda answer: answer["Count"] == 0 and answer["ScannedCount"] == 100)


def write_works(count):
    conditional = {"ConditionExpression": "attribute_exists(id) AND age > :age",
                   "ExpressionAttributeValues": {":age": {"N": "30"}}}
    update = {"TableName": "items", "Key": {"id": {"S": RANDOM}},
              "UpdateExpression": "SET age = age + :one", "ConditionExpression": "active = :yes",
              "ExpressionAttributeValues": {":one": {"N": "1"}, ":yes": {"BOOL": True}}}
    delete = {"TableName": "deletes", "Key": {"id": {"S": SEQUENCE}}}
    return [
        Work("PutItem, new", put_load("puts"), is_done),
        Work("PutItem, overwrite", overwrite_load(count), is_done),
        Work("PutItem, condition that holds", overwrite_load(count, **conditional), is_done),
        Work("PutItem, 5 indexes and a stream", Load("PutItem", {
            "TableName": "indexed", "Item": indexed_item(SEQUENCE, [RANDOM] * INDEXES)},
            random_max=count, fresh="indexed"), is_done),
        Work("UpdateItem, arithmetic, condition", Load("UpdateItem", update, random_max=count),
             is_done),
        Work("DeleteItem", Load("DeleteItem", delete, fresh="deletes"), is_done,
             is_consuming=True),
    ]


def batch_works():
    put = {"TableName": "puts", "Item": item_of(SEQUENCE)}

    def transaction(count):
        return Work(f"TransactWriteItems of {count}", Load("TransactWriteItems", {
            "TransactItems": [{"Put": put}] * count}, fresh="puts"), is_done)
    return [batch_work("puts"), transaction(2), transaction(25)]


def batch_work(table):
    writes = [{"PutRequest": {"Item": item_of(SEQUENCE)}}] * BATCH
    return Work("BatchWriteItem of 25",
                Load("BatchWriteItem", {"RequestItems": {table: writes}}, fresh=table),
                lambda answer: answer.get("UnprocessedItems", {}) == {})


def operations(count=ITEMS):
    """All that the table of ratios has, those first that need the items as they were loaded."""
    queries = [query_work(limit, is_index, count)
               for is_index in (False, True) for limit in (1, 10, 100)]
    return get_works(count) + queries + [scan_work()] + write_works(count) + batch_works()


def prepare_deletes(server, count):
    """Puts the next items that a load of deletes will ask for."""
    first = server.sequences.get("deletes", 0)
    load.put_items(server, "deletes", (item_of(f"{n:012}") for n in range(first, first + count)))
