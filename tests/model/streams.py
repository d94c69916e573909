# SPDX-License-Identifier: Apache-2.0
"""Follows a table's stream and compares it with the changes that the model has seen."""
import time

from values import decode_item, item_size

VIEWS = ("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")
CLOCK_SECONDS = 900  # between the server's clock and ours, generously
PAGE_BYTES = 1024 * 1024  # of SizeBytes in one answer of GetRecords, unless its first is larger


def expected_record(change, view):
    """What a change looks like in the stream: (name, keys, new image, old image, bytes)."""
    table = change.table
    name = "INSERT" if change.old is None else "REMOVE" if change.new is None else "MODIFY"
    keys = {key: (change.new or change.old)[key] for key in table.keys.names}
    new = change.new if "NEW" in view else None
    old = change.old if "OLD" in view else None
    size = item_size(keys) + item_size(new or {}) + item_size(old or {})
    return name, keys, new, old, size


def page_of(records, limit):
    """How far one answer goes."""
    page, size = [], 0
    for record in records[:limit]:
        size += record["dynamodb"]["SizeBytes"]
        if page and size > PAGE_BYTES:
            break
        page.append(record)
    return page


def is_closed(shard):
    return "EndingSequenceNumber" in shard["SequenceNumberRange"]


class Follower:
    """Reads a stream from its beginning, a bit at a time."""

    def __init__(self, player, arn, view, differ):
        self.player = player
        self.arn = arn
        self.view = view
        self.differ = differ  # called with what the server and the model say
        self.iterators = {}
        self.records = {}  # by shard, in the order of the shards
        self.identifiers = set()

    def must(self, operation, request):
        return self.player.must(operation, request)

    def shards(self):
        """All shards, parents before children."""
        shards, request = [], {"StreamArn": self.arn}
        while True:
            described = self.must("DescribeStream", request)["StreamDescription"]
            self.differ("DescribeStream: StreamViewType", described["StreamViewType"], self.view)
            shards += described["Shards"]
            if "LastEvaluatedShardId" not in described:
                break
            request["ExclusiveStartShardId"] = described["LastEvaluatedShardId"]
        ordered, waiting = [], list(shards)
        names = {shard["ShardId"] for shard in shards}
        while waiting:
            placed = {shard["ShardId"] for shard in ordered}
            ready = [shard for shard in waiting if shard.get("ParentShardId") in placed
                     or shard.get("ParentShardId") not in names]
            ordered += ready
            waiting = [shard for shard in waiting if shard not in ready]
        return ordered

    def iterator(self, shard, kind, **more):
        return self.must("GetShardIterator", {
            "StreamArn": self.arn, "ShardId": shard, "ShardIteratorType": kind,
            **more})["ShardIterator"]

    def read_on(self):
        """What is new in all shards."""
        for shard in self.shards():
            name = shard["ShardId"]
            self.records.setdefault(name, [])
            if name not in self.iterators:
                self.iterators[name] = self.iterator(name, "TRIM_HORIZON")
            while self.iterators[name] is not None:
                answer = self.must("GetRecords", {"ShardIterator": self.iterators[name]})
                for record in answer["Records"]:
                    self.take(name, record)
                self.iterators[name] = answer.get("NextShardIterator")
                if not answer["Records"]:
                    break
            ended = self.iterators[name] is None
            if ended != is_closed(shard):  # it may have been closed since
                shard = next(one for one in self.shards() if one["ShardId"] == name)
                self.differ("GetRecords: a shard has ended", ended, is_closed(shard))

    def take(self, shard, record):
        seen = record["dynamodb"]
        number = int(seen["SequenceNumber"])
        if self.records[shard]:
            last = int(self.records[shard][-1]["dynamodb"]["SequenceNumber"])
            self.differ("GetRecords: sequence numbers grow", number > last, True)
        self.differ("GetRecords: eventID comes once", record["eventID"] in self.identifiers, False)
        self.identifiers.add(record["eventID"])
        self.differ("GetRecords: a record's frame",
                    (seen["StreamViewType"], record["eventSource"], "userIdentity" in record,
                     abs(seen["ApproximateCreationDateTime"] - time.time()) < CLOCK_SECONDS),
                    (self.view, "aws:dynamodb", False, True))
        self.records[shard].append(record)

    def compare(self, changes, key_of):
        """Of each key, all changes in their order, and nothing else."""
        seen, wanted = {}, {}
        for records in self.records.values():
            for record in records:
                content = record["dynamodb"]
                keys = decode_item(content["Keys"])
                images = [decode_item(content[member]) if member in content else None
                          for member in ("NewImage", "OldImage")]
                seen.setdefault(key_of(keys), []).append(
                    (record["eventName"], keys, *images, content["SizeBytes"]))
        for change in changes:
            expected = expected_record(change, self.view)
            wanted.setdefault(key_of(expected[1]), []).append(expected)
        self.differ("GetRecords: keys with changes", set(seen), set(wanted))
        for key, records in wanted.items():
            self.differ("GetRecords: the changes of a key", seen[key], records)

    def check_numbers(self, pick):
        """An iterator at a record begins with it, one after a record with the next."""
        shards = [(name, records) for name, records in self.records.items() if records]
        if not shards:
            return
        name, records = shards[pick % len(shards)]
        place = pick % len(records)
        number = records[place]["dynamodb"]["SequenceNumber"]
        for kind, first in (("AT_SEQUENCE_NUMBER", place), ("AFTER_SEQUENCE_NUMBER", place + 1)):
            iterator = self.iterator(name, kind, SequenceNumber=number)
            limit = 1 + pick % 3
            answer = self.must("GetRecords", {"ShardIterator": iterator, "Limit": limit})
            self.differ(f"GetRecords: {kind}", answer["Records"], page_of(records[first:], limit))
