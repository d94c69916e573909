# SPDX-License-Identifier: Apache-2.0
"""A time series over ten write shards: written everywhere at once, read in parallel, and merged.

With the day alone as partition key every new reading would go to one partition, and a partition
takes 1,000 writes a second. A shard number in the key spreads a day over ten partitions.

  PK day#shard    SK at (a number: seconds)

A read asks all ten shards at the same time. Each answers in order of time, so the answers only
have to be merged.
"""

import math
import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from heapq import merge
from itertools import islice

from boto3.dynamodb.conditions import Key
from shared import attributes, check, key, query_all, temporary_table

DEFINITION = {"AttributeDefinitions": attributes(PK="S", at="N"), "KeySchema": key("PK", "at")}
SHARDS = 10


def day_of(at):
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def write(table, readings):
    with table.batch_writer() as batch:
        for reading in readings:
            # Any shard will do, since reads ask them all.
            shard = random.randrange(SHARDS)
            batch.put_item({"PK": f"{day_of(reading['at'])}#{shard}", **reading})


def from_all_shards(ask):
    """What ask(shard) returns, for all shards at the same time."""
    with ThreadPoolExecutor(SHARDS) as threads:
        return list(threads.map(ask, range(SHARDS)))


def readings_between(table, day, start, end):
    """All readings of one day from start up to, but not including, end."""

    def ask(shard):
        times = Key("at").between(start, end - 1)  # between includes both ends.
        return query_all(table, KeyConditionExpression=Key("PK").eq(f"{day}#{shard}") & times)

    return list(merge(*from_all_shards(ask), key=lambda reading: reading["at"]))


def latest(table, day, count):
    """The newest readings of a day. One shard may hold them all: each is asked for that many."""

    def ask(shard):
        condition = Key("PK").eq(f"{day}#{shard}")
        page = table.meta.client.query(
            TableName=table.name,
            KeyConditionExpression=condition,
            ScanIndexForward=False,
            Limit=count,
        )
        return page["Items"]

    newest_first = merge(*from_all_shards(ask), key=lambda reading: reading["at"], reverse=True)
    return list(islice(newest_first, count))


def times(readings):
    return [reading["at"] for reading in readings]


def main(table):
    # Two days, one reading every three minutes: 480 a day.
    midnight = int(datetime(2026, 3, 1, tzinfo=UTC).timestamp())
    readings = [
        {
            "at": midnight + 180 * number,
            "celsius": Decimal(f"{12 + 8 * math.sin(number / 76):.2f}"),
        }
        for number in range(960)
    ]
    write(table, readings)

    day = readings_between(table, "2026-03-01", midnight, midnight + 86400)
    check("a day is complete and in order", times(day), times(readings[:480]))
    shards = {reading.pop("PK") for reading in day}
    check("every shard holds some of it", shards, {f"2026-03-01#{n}" for n in range(SHARDS)})
    check("readings come back as written", day, readings[:480])

    nine, ten = midnight + 9 * 3600, midnight + 10 * 3600
    hour = readings_between(table, "2026-03-01", nine, ten)
    check("an hour has its twenty readings", times(hour), list(range(nine, ten, 180)))

    newest = times(latest(table, "2026-03-02", 5))
    check("the newest five of a day", newest, times(readings[:-6:-1]))
    check("a day without readings is empty", latest(table, "2026-03-03", 5), [])


if __name__ == "__main__":
    with temporary_table("readings", **DEFINITION) as table:
        main(table)
