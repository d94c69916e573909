# SPDX-License-Identifier: Apache-2.0
"""What has to be true of a server that was killed and started again, given what clients know."""
import collections
import json
import time

from crash_load import NEAR_SECONDS, OF_STREAMS, key_item, key_of, number
from crash_roles import MOVING, STANDING, StreamReader
from torture import item_size, kind_of, pages, wait_for_status

SHOWN = 3
TOKENS_REPLAYED = 40
TOKEN_SECONDS = 400  # they are remembered for 600
GONE_SECONDS = 20
SERVICE = {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}


class World:
    """All that clients know between the rounds."""

    def __init__(self):
        self.items = {table: {} for table in STANDING}  # by key; as of the last check
        self.indexes = {table: set() for table in MOVING}
        self.passing = {}  # tables that come and go: their items by key
        self.tokens = collections.deque()  # (time, request) of acknowledged transactions
        self.counted = collections.Counter()  # of the counters: at the last check
        self.readers = {}  # of streams, by table

    def follow_streams(self, client):
        for table in OF_STREAMS:
            arn = client.must("DescribeTable", {"TableName": table})["Table"]["LatestStreamArn"]
            self.readers[table] = StreamReader(table, arn)


class Round:
    """What clients did since the last check: their outcomes joined."""

    def __init__(self, world, outcomes, mover, maker, live):
        self.world = world
        self.acknowledged = collections.defaultdict(list)  # items by (table, key), in order
        self.pending = []
        self.added = collections.Counter()
        self.problems = [*mover.problems, *maker.problems, *live.problems]
        self.operations = collections.Counter()
        self.mover, self.maker, self.live = mover, maker, live
        self.records = 0
        tokens = []
        for outcome in outcomes:
            for table, key, item in outcome.acknowledged:
                self.acknowledged[table, key].append(item)
            self.pending += outcome.pending
            self.added += outcome.added
            self.problems += outcome.problems
            self.operations += outcome.operations
            tokens += outcome.tokens
        world.tokens.extend(sorted(tokens, key=lambda entry: entry[0]))
        self.writes = sum(map(len, self.acknowledged.values())) + sum(self.added.values())

    def last(self, table, key):
        """The item as acknowledged last, or as it was before."""
        acknowledged = self.acknowledged.get((table, key))
        return acknowledged[-1] if acknowledged else self.world.items[table].get(key)


class Checker:
    """Checks one round against a server that has come up again, and brings the world up to date."""

    def __init__(self, torture, client, world, played):
        self.torture = torture
        self.client = client
        self.world = world
        self.played = played
        self.stored = {}

    def check(self, claim, problems):
        problems = list(problems)
        shown = "\n    ".join(str(problem)[:1500] for problem in problems[:SHOWN])
        if len(problems) > SHOWN:
            shown += f"\n    and {len(problems) - SHOWN} more"
        return self.torture.check(claim, not problems, shown)

    def check_all(self):
        self.check("no answer was wrong", self.played.problems)
        self.check_tables()
        self.check_passing()
        self.replay_tokens()
        for table in ("Base", "Orders", "Twin"):
            self.scan(table)
            self.check(f"{table}: what was acknowledged is there", self.wrong_items(table))
        self.check("no transaction is half there", self.half_done())
        self.scan("Shared")
        self.check("counters and accounts add up", self.wrong_sums())
        self.wait_for_expiry()
        self.check("Expiring: what was acknowledged is there until its time",
                   self.wrong_expiring())
        for table in STANDING:
            self.check_indexes_and_counts(table)
        self.check_streams()
        self.world.items = self.stored

    # Tables and indexes.

    def check_tables(self):
        """The tables that there have to be, all of them at rest."""
        for table, standing in STANDING.items():
            described = wait_for_status(self.client, table, "ACTIVE")
            moving = {index["IndexName"] for index in described.get("GlobalSecondaryIndexes", ())}
            moving -= set(standing)
            if table not in MOVING:
                continue
            wanted = self.played.mover.present[table]
            allowed = [wanted]
            if self.played.mover.pending and self.played.mover.pending[0] == table:
                allowed.append(wanted ^ {self.played.mover.pending[1]})
            self.torture.check(f"{table}: indexes are those that were acknowledged",
                               moving in allowed, f"{moving}, not {allowed}")
            self.world.indexes[table] = moving

    def check_passing(self):
        """Tables that came and went: those acknowledged are there, the deleted ones are not."""
        maker = self.played.maker
        pending = maker.pending or (None, None)
        for name, items in maker.present.items():
            if pending == ("delete", name) and not self.may_exist(name):
                continue
            table = wait_for_status(self.client, name, "ACTIVE", seconds=30)
            rows = {key_of(name, row): row for row in
                    pages(self.client, "Scan", {"TableName": name})}
            allowed = [items]
            if pending[:2] == ("write", name):
                # A batch: each of its items may be there without the others.
                allowed = [{**items, **{key: item for key, item in pending[2].items()
                                        if rows.get(key) == item}}]
            self.torture.check(f"{name}: what was acknowledged is there", rows in allowed,
                               f"{len(rows)} items, not {len(items)}; pending {pending[:2]}")
            self.check(f"{name}: counts are exact", wrong_counts(name, table, rows.values()))
        names = set(pages(self.client, "ListTables", {}, "TableNames"))
        allowed = set(STANDING) | set(maker.present)
        if pending[0] in ("create", "delete"):
            allowed |= {pending[1]}
        names -= {name for name in names - allowed if not self.may_exist(name)}
        self.check("deleted tables stay deleted", names - allowed)
        missing = allowed - names - {pending[1]}
        self.check("tables whose creation was acknowledged are there", missing)
        self.world.passing = {
            name: {key_of(name, row): row for row in
                   pages(self.client, "Scan", {"TableName": name})}
            for name in names - set(STANDING)}

    def may_exist(self, name):
        """Whether the table is there, once it is no longer DELETING."""
        deadline = time.monotonic() + 30
        while True:
            code, answer = self.client.call("DescribeTable", {"TableName": name})
            if code != 200:
                return False
            if answer["Table"]["TableStatus"] != "DELETING" or time.monotonic() > deadline:
                return True
            time.sleep(0.01)

    # Items.

    def scan(self, table):
        rows = pages(self.client, "Scan", {"TableName": table, "ConsistentRead": True})
        self.stored[table] = {key_of(table, row): row for row in rows}
        self.torture.check(f"{table}: no item comes twice", len(rows) == len(self.stored[table]))

    def replay_tokens(self):
        """Requests that were acknowledged change nothing when they come again; those that may have
        happened have happened exactly once after they have come again."""
        world, random = self.world, self.torture.random
        while world.tokens and world.tokens[0][0] < time.time() - TOKEN_SECONDS:
            world.tokens.popleft()
        old = random.sample(list(world.tokens), min(TOKENS_REPLAYED, len(world.tokens)))
        wrong = []
        for _, request in old:
            code, answer = self.client.call("TransactWriteItems", request)
            if code != 200:
                wrong.append(f"{code} {answer} of {json.dumps(request)}")
        again = [made for made in self.played.pending if made.token and random.random() < 0.5]
        for made in again:
            code, answer = self.client.call(made.name, made.request)
            if code == 200:
                self.played.pending.remove(made)
                for table, key, item in made.effects:
                    self.played.acknowledged[table, key].append(item)
            elif kind_of(answer) not in made.tolerated:
                wrong.append(f"{code} {answer} of {json.dumps(made.request)}")
        self.check("tokens are remembered", wrong)

    def wrong_items(self, table):
        """Whatever is neither as acknowledged nor as a request under way would have left it."""
        possible = collections.defaultdict(list)
        for made in self.played.pending:
            for name, key, item in made.effects:
                if name == table:
                    possible[key].append(item)
        stored = self.stored[table]
        keys = set(self.world.items[table]) | set(stored)
        keys |= {key for name, key in self.played.acknowledged if name == table}
        for key in keys:
            wanted = self.played.last(table, key)
            if stored.get(key) != wanted and stored.get(key) not in possible.get(key, ()):
                yield f"{key}: {shorten(stored.get(key))}, not {shorten(wanted)}"

    def half_done(self):
        for made in self.played.pending:
            if not made.atomic or len(made.effects) < 2:
                continue
            done = {self.stored[table].get(key) == item for table, key, item in made.effects
                    if self.played.last(table, key) != item}
            if len(done) > 1:
                yield made

    def wrong_sums(self):
        shared, world = self.stored["Shared"], self.world
        balance = sum(int(item["balance"]["N"]) for item in shared.values() if "balance" in item)
        if balance != 0:
            yield f"the accounts' sum is {balance}"
        pending = collections.Counter(
            name for made in self.played.pending for name in made.added)
        for name in {*shared, *self.played.added, *world.counted}:
            if not name.startswith("counter"):
                continue
            hits = int(shared.get(name, {"hits": number(0)})["hits"]["N"])
            least = world.counted[name] + self.played.added[name]
            if not least <= hits <= least + pending[name]:
                yield f"{name}: {hits}, of {least} acknowledged and {pending[name]} under way"
            world.counted[name] = hits

    # What expires.

    def wait_for_expiry(self):
        """Until everything near its time is past it, and gone."""
        deadline = time.monotonic() + GONE_SECONDS + NEAR_SECONDS
        while True:
            self.scan("Expiring")
            near = [item for item in self.stored["Expiring"].values()
                    if int(item["expires"]["N"]) < time.time() + 3 * NEAR_SECONDS]
            if not near or time.monotonic() > deadline:
                break
            time.sleep(0.1)
        self.check("what has expired is gone", near)

    def wrong_expiring(self):
        """As wrong_items, but that items go at their time."""
        now = time.time()

        def left(item):
            return None if item is None or int(item["expires"]["N"]) <= now else item

        possible = collections.defaultdict(list)
        for made in self.played.pending:
            for name, key, item in made.effects:
                if name == "Expiring":
                    possible[key].append(left(item))
        stored = self.stored["Expiring"]
        keys = set(self.world.items["Expiring"]) | set(stored)
        keys |= {key for name, key in self.played.acknowledged if name == "Expiring"}
        for key in keys:
            wanted = left(self.played.last("Expiring", key))
            if stored.get(key) != wanted and stored.get(key) not in possible.get(key, ()):
                yield f"{key}: {shorten(stored.get(key))}, not {shorten(wanted)}"

    # Indexes and counts.

    def check_indexes_and_counts(self, table):
        described = self.client.must("DescribeTable", {"TableName": table})["Table"]
        items = self.stored[table].values()
        self.check(f"{table}: counts are exact", wrong_counts(table, described, items))
        present = {**STANDING[table], **{name: MOVING[table][name]
                                         for name in self.world.indexes.get(table, ())}}
        for index in (*described.get("GlobalSecondaryIndexes", ()),
                      *described.get("LocalSecondaryIndexes", ())):
            name = index["IndexName"]
            wanted = {key_of(table, item): entry for item in items
                      if (entry := entry_of(table, item, present[name])) is not None}
            rows = pages(self.client, "Scan", {"TableName": table, "IndexName": name})
            found = {key_of(table, row): row for row in rows}
            self.check(f"{table}: {name} is what the table implies",
                       differences(found, wanted, len(rows)))
            size = sum(map(item_size, wanted.values()))
            self.check(f"{table}: {name}'s counts are exact",
                       [] if (index["ItemCount"], index["IndexSizeBytes"]) == (len(wanted), size)
                       else [f"{index['ItemCount']} items, {index['IndexSizeBytes']} bytes, "
                             f"not {len(wanted)}, {size}"])

    # Streams.

    def check_streams(self):
        for table, reader in self.world.readers.items():
            records = []  # (shard, record)
            while reader.read_on(self.client, lambda *entry, into=records: into.append(entry)):
                pass
            self.played.records += len(records)
            self.check(f"{table}: the stream's numbers grow", reader.problems)
            self.check(f"{table}: what readers saw is still there, and was all",
                       self.not_as_seen(table, records))
            self.check(f"{table}: each record goes on where the last one ended",
                       self.broken_chain(table, records))
            self.check(f"{table}: the stream has each write once",
                       self.wrong_history(table, records))

    def not_as_seen(self, table, records):
        """What a reader saw before the kill is the beginning of what there is now."""
        now = collections.defaultdict(list)
        for shard, record in records:
            now[shard].append((record["dynamodb"]["SequenceNumber"], record["eventID"]))
        for (name, shard), seen in self.played.live.seen.items():
            if name == table and now[shard][:len(seen)] != seen:
                yield f"{shard}: {len(seen)} seen, now {len(now[shard])}"
        identifiers = [record["eventID"] for _, record in records]
        if len(set(identifiers)) < len(identifiers):
            yield "an eventID comes twice"

    def broken_chain(self, table, records):
        """Each old image is the last new image, and the last of all is what is stored."""
        current = dict(self.world.items[table])
        for _, record in records:
            seen = record["dynamodb"]
            key = key_of(table, seen["Keys"])
            old, new = seen.get("OldImage"), seen.get("NewImage")
            if old != current.get(key):
                yield (f"{key} at {seen['SequenceNumber']}: old image {shorten(old)}, "
                       f"not {shorten(current.get(key))}")
            name = "INSERT" if old is None else "REMOVE" if new is None else "MODIFY"
            if record["eventName"] != name or seen["Keys"] != key_item(table, key):
                yield f"{key} at {seen['SequenceNumber']}: {record['eventName']} {seen['Keys']}"
            if new is None:
                current.pop(key, None)
            else:
                current[key] = new
        yield from differences(current, self.stored[table], len(current))

    def wrong_history(self, table, records):
        """Every acknowledged write of a session is there, in its order, and nothing else is."""
        if table == "Shared":
            return  # its chain and sums say it
        seen = collections.defaultdict(list)
        deleted = collections.Counter()
        for _, record in records:
            key = key_of(table, record["dynamodb"]["Keys"])
            new = record["dynamodb"].get("NewImage")
            if "userIdentity" in record:
                yield from wrong_removal(table, record)
            elif new is not None or table != "Expiring":
                seen[key].append(new)
            else:
                deleted[key] += 1
        under_way = collections.defaultdict(list)
        for made in self.played.pending:
            for name, key, item in made.effects:
                if name == table:
                    under_way[key].append(item)
        keys = {key for name, key in self.played.acknowledged if name == table}
        for key in keys | set(seen) | set(deleted):
            asked = [*self.played.acknowledged.get((table, key), ()), *under_way[key]]
            if deleted[key] > asked.count(None):
                yield f"{key}: {deleted[key]} deletions by clients, of {asked.count(None)} asked"
            wanted = self.history(table, key)
            possible = [wanted] + [[*wanted, item] for item in under_way[key]]
            if seen.get(key, []) not in possible:
                yield (f"{key}: {[stamp_of(item) for item in seen.get(key, [])]}, not "
                       f"{[stamp_of(item) for item in wanted]}")

    def history(self, table, key):
        """The images that acknowledged writes left, without writes that changed nothing."""
        before = self.world.items[table].get(key)
        images = []
        for item in self.played.acknowledged.get((table, key), ()):
            if item != before and (item is not None or table != "Expiring"):
                images.append(item)
            before = item
        return images


def wrong_removal(table, record):
    """A record that says the service removed an item: the item had to have expired."""
    seen = record["dynamodb"]
    if table != "Expiring" or record["userIdentity"] != SERVICE or record["eventName"] != "REMOVE":
        yield f"{table}: {record}"
    elif int(seen["OldImage"]["expires"]["N"]) > seen["ApproximateCreationDateTime"] + 1:
        yield f"removed before its time: {record}"


def wrong_counts(table, described, items):
    wanted = (len(items), sum(map(item_size, items)))
    found = (described["ItemCount"], described["TableSizeBytes"])
    if found != wanted:
        yield f"{table}: {found[0]} items, {found[1]} bytes, not {wanted[0]}, {wanted[1]}"


def entry_of(table, item, definition):
    """The item as an index shows it; None when it is not in the index."""
    keys, projection, attributes = definition
    for key in keys:
        if key[-1] not in item.get(key[:-2], ()):
            return None
    if projection == "ALL":
        return item
    names = {*key_item(table, key_of(table, item)), *(key[:-2] for key in keys), *attributes}
    return {name: value for name, value in item.items() if name in names}


def differences(found, wanted, rows):
    if rows != len(found):
        yield f"{rows} rows of {len(found)} items"
    if found == wanted:
        return
    for key in found.keys() | wanted.keys():
        if found.get(key) != wanted.get(key):
            yield f"{key}: {shorten(found.get(key))}, not {shorten(wanted.get(key))}"


def shorten(item):
    """An item for a message: its long values cut."""
    if item is None:
        return "nothing"
    return {name: value if len(str(value)) < 80 else str(value)[:60] + "…"
            for name, value in item.items()}


def stamp_of(item):
    return item["stamp"]["S"] if item else None
