# SPDX-License-Identifier: Apache-2.0
"""A view counter that many visitors increment at once: the count is spread over shards.

  PK page    SK shard#n    views

ADD increments in the server, so no increment is lost. But one item is one place on one partition:
a popular page needs several, and its count is their sum. A page's shards share a partition key
here to keep the reading to one Query; for more writes than one partition takes, put the shard's
number into the partition key, as time_series.py does.
"""

import random
from concurrent.futures import ThreadPoolExecutor

from boto3.dynamodb.conditions import Key
from shared import attributes, check, connect, key, query_all, temporary_table

DEFINITION = {
    "AttributeDefinitions": attributes(page="S", shard="S"),
    "KeySchema": key("page", "shard"),
}
SHARDS = 10
VISITORS = 16
VIEWS = 25


def count_view(table, page):
    """Counts one view. ADD creates the shard when it is not there. Returns its new count."""
    answer = table.update_item(
        Key={"page": page, "shard": f"shard#{random.randrange(SHARDS)}"},
        UpdateExpression="ADD #views :one",
        ExpressionAttributeNames={"#views": "views"},
        ExpressionAttributeValues={":one": 1},
        ReturnValues="UPDATED_NEW",
    )
    return answer["Attributes"]["views"]


def shards_of(table, page):
    return query_all(table, KeyConditionExpression=Key("page").eq(page), ConsistentRead=True)


def views(table, page):
    return sum(shard["views"] for shard in shards_of(table, page))


def visit(table):
    for _ in range(VIEWS):
        count_view(table, "/")


def main(table):
    check("a page nobody saw has no views", views(table, "/about"), 0)
    check("the first view is number one", count_view(table, "/about"), 1)

    tables = [connect().Table(table.name) for _ in range(VISITORS)]
    with ThreadPoolExecutor(VISITORS) as threads:
        list(threads.map(visit, tables))

    shards = shards_of(table, "/")
    print("views a shard:", *(shard["views"] for shard in shards))
    check("no view is lost", views(table, "/"), VISITORS * VIEWS)
    check("the views are spread over the shards", len(shards), SHARDS)
    check("other pages are counted apart", views(table, "/about"), 1)


if __name__ == "__main__":
    with temporary_table("views", **DEFINITION) as table:
        main(table)
