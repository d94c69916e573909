# SPDX-License-Identifier: Apache-2.0
"""A follower of a table's stream: every change once, in order for each item, however shards change.

  table    counter                value

A stream is a tree of shards. A shard is closed after a while and succeeded by one or two children;
what happened to an item is in its shard, then in the shard's child, and so on. So a follower reads
a shard to its end before it begins with the children, and asks for new shards when one has ended.

STATOR_FOLLOW_SECONDS tells how long the writers write (2): with a server whose shards live for a
second, the follower meets several generations of them.
"""

import os
import threading
import time

import boto3
from shared import attributes, check, connect, key, temporary_table

DEFINITION = {
    "AttributeDefinitions": attributes(counter="S"),
    "KeySchema": key("counter"),
    "StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
}
WRITERS = 4
COUNTERS = 10  # of each writer
SECONDS = float(os.environ.get("STATOR_FOLLOW_SECONDS") or 2)
PATIENCE_S = 60


def connect_to_streams():
    return boto3.client(
        "dynamodbstreams",
        region_name="us-east-1",
        endpoint_url=os.environ.get("AWS_ENDPOINT_URL_DYNAMODB_STREAMS")
        or os.environ.get("AWS_ENDPOINT_URL_DYNAMODB")
        or "http://127.0.0.1:8000",
    )


class Follower:
    """Reads all shards of a stream, parents before children."""

    def __init__(self, stream):
        self.streams = connect_to_streams()
        self.stream = stream
        self.known = set()  # shards that were begun
        self.iterators = {}  # of shards that have not ended

    def discover(self):
        """Begins with every shard whose parent was read to its end, or is not there any more."""
        shards = self.all_shards()
        there = {shard["ShardId"] for shard in shards}
        for shard in shards:
            parent = shard.get("ParentShardId")
            is_open = parent in there and (parent not in self.known or parent in self.iterators)
            if shard["ShardId"] in self.known or is_open:
                continue
            self.known.add(shard["ShardId"])
            self.iterators[shard["ShardId"]] = self.streams.get_shard_iterator(
                StreamArn=self.stream,
                ShardId=shard["ShardId"],
                ShardIteratorType="TRIM_HORIZON",
            )["ShardIterator"]

    def all_shards(self):
        shards, start = [], {}
        while True:
            page = self.streams.describe_stream(StreamArn=self.stream, **start)
            shards += page["StreamDescription"]["Shards"]
            last = page["StreamDescription"].get("LastEvaluatedShardId")
            if not last:
                return shards
            start = {"ExclusiveStartShardId": last}

    def poll(self):
        """The next records of every shard that has not ended."""
        records = []
        has_ended = not self.iterators
        for shard, iterator in list(self.iterators.items()):
            page = self.streams.get_records(ShardIterator=iterator)
            records += page["Records"]
            if page.get("NextShardIterator"):
                self.iterators[shard] = page["NextShardIterator"]
            else:
                del self.iterators[shard]
                has_ended = True
        if has_ended:
            self.discover()
        return records


def write(table_name, writer, until, counts):
    """Counts up counters of its own; says now and then what is already so, which is no change."""
    table = connect().Table(table_name)
    turn = 0
    while time.monotonic() < until:
        name = f"{writer}-{turn % COUNTERS}"
        turn += 1
        counts[name] = counts.get(name, 0) + 1
        for _ in range(2 if turn % 7 == 0 else 1):
            table.put_item(Item={"counter": name, "value": counts[name]})


def follow(follower, seen, is_complete):
    """Adds what happens to seen, a list of values for each counter, until it is complete."""
    deadline = time.monotonic() + SECONDS + PATIENCE_S
    while not is_complete() and time.monotonic() < deadline:
        for record in follower.poll():
            image = record["dynamodb"]["NewImage"]
            seen.setdefault(image["counter"]["S"], []).append(int(image["value"]["N"]))


def main(table):
    follower = Follower(table.latest_stream_arn)
    counts = [{} for _ in range(WRITERS)]
    until = time.monotonic() + SECONDS
    writers = [
        threading.Thread(target=write, args=(table.name, writer, until, counts[writer]))
        for writer in range(WRITERS)
    ]
    for writer in writers:
        writer.start()

    seen = {}
    follow(follower, seen, lambda: not any(writer.is_alive() for writer in writers))
    total = sum(sum(count.values()) for count in counts)
    follow(follower, seen, lambda: sum(map(len, seen.values())) >= total)
    late = follower.poll()  # a repeat would come here

    expected = {name: list(range(1, last + 1)) for count in counts for name, last in count.items()}
    check("every change came once, in order for each item", seen, expected)
    check("nothing came twice", late, [])
    print(f"ok: {total} changes in {len(follower.known)} shards")


if __name__ == "__main__":
    with temporary_table("followed", **DEFINITION) as followed:
        main(followed)
