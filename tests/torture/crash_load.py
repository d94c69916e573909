# SPDX-License-Identifier: Apache-2.0
"""The load that a server is killed under: sessions that write items of their own and know them.

A session does one operation at a time, on keys that no other session writes. What it knows of them
is therefore exact but for the operation that was under way when the server died. All choices come
from the session's own seed.
"""
import base64
import collections
import json
import time

from torture import Lost, kind_of

STATUSES = ("open", "paid", "sent", "späť")
KINDS = ("red", "green", "blue")
HOT_KEYS = 20
HOT_SHARE = 0.4
COUNTERS = 4
ACCOUNTS = 8
FAR_SECONDS = 100_000
NEAR_SECONDS = 2
MANY_LONG = 0.003
MANY_MIDDLE = 0.05
OF_STREAMS = ("Base", "Orders", "Expiring", "Shared")

# What one operation does: effects are (table, key, the item afterwards or None). All effects happen
# or none when it is atomic. refusal is the error it has to meet, tolerated those that it may meet;
# added are counters that it adds 1 to, read is (table, key) of a GetItem.
Operation = collections.namedtuple(
    "Operation", "name request effects atomic refusal tolerated added token read")
MISFITS = ("ValidationException", "TransactionCanceledException")


def operation(name, request, effects=(), atomic=True, **more):
    return Operation(name, request, list(effects), atomic, more.get("refusal"),
                     MISFITS if has_maybe(effects) else more.get("tolerated", ()), more.get("added", ()),
                     more.get("token"), more.get("read"))


def text(value):
    return {"S": value}


def number(value):
    return {"N": str(value)}


def key_of(table, item):
    """The key as sessions write it down; tables that come and go have the form of Base."""
    return (item["id"]["S"], item["n"]["N"]) if table == "Orders" else item["id"]["S"]


def key_item(table, key):
    return {"id": text(key[0]), "n": number(key[1])} if table == "Orders" else {"id": text(key)}


def put(table, item):
    return {"TableName": table, "Item": item}


class Known:
    """What a session knows: the items of before the round, and its own changes since."""

    def __init__(self, items):
        self.before = items
        self.changes = {}

    def get(self, table, key):
        if (table, key) in self.changes:
            return self.changes[table, key]
        return self.before[table].get(key)

    def apply(self, effects):
        for table, key, item in effects:
            self.changes[table, key] = item


class Session:
    """Makes operations one after the other, and is told what became of each."""

    def __init__(self, number_, random, known, size):
        self.number = number_
        self.random = random
        self.known = Known(known)
        self.size = size
        self.stamp = 0
        self.label = f"{random.randrange(16**8):08x}"
        self.clock = time.time  # as the server has it
        self.makers = [(20, self.make_put), (20, self.make_update), (8, self.make_delete),
                       (6, self.make_conditional_put), (4, self.make_refused_put),
                       (6, self.make_conditional_update), (10, self.make_batch),
                       (14, self.make_transaction), (3, self.make_refused_transaction),
                       (6, self.make_transfer), (6, self.make_count), (9, self.make_statement),
                       (3, self.make_statements), (6, self.make_get)]

    def make(self):
        weights = [weight for weight, _ in self.makers]
        while True:
            made = self.random.choices(self.makers, weights)[0][1]()
            if made is not None:
                return made

    # Keys and items.

    def key(self, table):
        hot = self.random.random() < HOT_SHARE
        index = self.random.randrange(min(HOT_KEYS, self.size) if hot else self.size)
        if table == "Orders":
            return f"{self.number}-{index // 10}", str(index % 10 - 5)
        return f"{self.number}-{index}"

    def keys(self, count):
        """Different ones, of several tables, without those that expire."""
        found = {(table, self.key(table))
                 for table in self.random.choices(("Base", "Twin", "Orders"), k=count)}
        return sorted(found)

    def next_stamp(self):
        self.stamp += 1
        return text(f"{self.label}.{self.number}.{self.stamp}")

    def body(self):
        dice = self.random.random()
        length = self.random.randrange(1, 200)
        if dice < MANY_LONG:
            length = self.random.randrange(20_000, 120_000)
        elif dice < MANY_MIDDLE:
            length = self.random.randrange(200, 5000)
        return text(self.random.choice("abcdé") * length)

    def attributes(self):
        """Some attributes, keys of indexes among them."""
        random = self.random
        every = {"status": lambda: text(random.choice(STATUSES)),
                 "kind": lambda: text(random.choice(KINDS)),
                 "rank": lambda: number(random.randrange(-1000, 1000) * 10 ** random.randrange(3)),
                 "total": lambda: number(random.randrange(-10**9, 10**9)),
                 "note": lambda: text(f"note {random.randrange(50)}"),
                 "maybe": lambda: text(f"m{random.randrange(20)}") if random.random() < 0.9
                 else number(random.randrange(20)),
                 "body": self.body, "tags": lambda: {"SS": sorted(random.sample(KINDS, 2))},
                 "data": lambda: {"M": {"list": {"L": [number(random.randrange(9)), {"NULL": True}]},
                                        "yes": {"BOOL": random.random() < 0.5}}},
                 "bytes": lambda: {"B": base64.b64encode(random.randbytes(9)).decode()}}
        return {name: make() for name, make in every.items() if random.random() < 0.55}

    def item(self, table, key):
        item = {**key_item(table, key), "stamp": self.next_stamp()}
        if table == "Expiring":
            return {**item, "owner": text(f"o{self.random.randrange(9)}"), "expires": self.expiry()}
        return {**item, **self.attributes()}

    def expiry(self):
        near = self.random.random() < 0.5
        return number(int(self.clock()) + (self.random.randrange(-1, NEAR_SECONDS + 1) if near
                                          else FAR_SECONDS))

    def table(self):
        return self.random.choices(("Base", "Orders", "Twin", "Expiring"), (8, 4, 2, 2))[0]

    # Single items.

    def make_put(self):
        table = self.table()
        key = self.key(table)
        item = self.item(table, key)
        return operation("PutItem", put(table, item), [(table, key, item)])

    def make_delete(self):
        table = self.table()
        key = self.key(table)
        return operation("DeleteItem", {"TableName": table, "Key": key_item(table, key)},
                         [(table, key, None)])

    def make_conditional_put(self):
        """One whose condition holds."""
        table = self.random.choice(("Base", "Orders"))
        key = self.key(table)
        item = self.item(table, key)
        return operation("PutItem", {**put(table, item), **self.condition(table, key)},
                         [(table, key, item)])

    def condition(self, table, key):
        old = self.known.get(table, key)
        if old is None:
            return {"ConditionExpression": "attribute_not_exists(id)"}
        return {"ConditionExpression": "stamp = :before AND attribute_exists(id)",
                "ExpressionAttributeValues": {":before": old["stamp"]}}

    def make_refused_put(self):
        table = self.random.choice(("Base", "Orders"))
        key = self.key(table)
        item = self.item(table, key)
        item.pop("maybe", None)
        return operation("PutItem", {
            **put(table, item), "ConditionExpression": "stamp = :never",
            "ExpressionAttributeValues": {":never": text("never")}},
            refusal="ConditionalCheckFailedException")

    def change(self, table, key):
        """An update: (members of the request, the item afterwards)."""
        new = dict(self.known.get(table, key) or key_item(table, key))
        setting = {"stamp": self.next_stamp(), **self.attributes()}
        removing = [name for name in ("status", "rank", "note", "body")
                    if name not in setting and self.random.random() < 0.3]
        new.update(setting)
        for name in removing:
            new.pop(name, None)
        names = {f"#{name}": name for name in (*setting, *removing)}
        expression = "SET " + ", ".join(f"#{name} = :{name}" for name in setting)
        if removing:
            expression += " REMOVE " + ", ".join(f"#{name}" for name in removing)
        values = {f":{name}": value for name, value in setting.items()}
        if self.random.random() < 0.5:
            expression += " ADD hits :one"
            values[":one"] = number(1)
            new["hits"] = number(int(new.get("hits", number(0))["N"]) + 1)
        return {"TableName": table, "Key": key_item(table, key), "UpdateExpression": expression,
                "ExpressionAttributeNames": names, "ExpressionAttributeValues": values}, new

    def make_update(self):
        table = self.random.choice(("Base", "Base", "Orders", "Twin"))
        key = self.key(table)
        request, new = self.change(table, key)
        return operation("UpdateItem", request, [(table, key, new)])

    def make_conditional_update(self):
        table = self.random.choice(("Base", "Orders"))
        key = self.key(table)
        request, new = self.change(table, key)
        condition = self.condition(table, key)
        request["ConditionExpression"] = condition["ConditionExpression"]
        request["ExpressionAttributeValues"].update(condition.get("ExpressionAttributeValues", {}))
        return operation("UpdateItem", request, [(table, key, new)])

    def make_get(self):
        table = self.random.choice(("Base", "Orders", "Twin"))
        key = self.key(table)
        return operation("GetItem", {"TableName": table, "Key": key_item(table, key),
                                     "ConsistentRead": True}, read=(table, key))

    # Several items.

    def make_batch(self):
        """Up to 25 puts and deletes of different items; each may happen without the others."""
        keys = sorted({(table, self.key(table)) for table in
                       (self.table() for _ in range(self.random.randrange(5, 26)))})
        requests, effects = collections.defaultdict(list), []
        for table, key in keys:
            if self.random.random() < 0.2:
                effects.append((table, key, None))
                requests[table].append({"DeleteRequest": {"Key": key_item(table, key)}})
            else:
                item = self.item(table, key)
                item.pop("maybe", None)
                effects.append((table, key, item))
                requests[table].append({"PutRequest": {"Item": item}})
        return operation("BatchWriteItem", {"RequestItems": requests}, effects, atomic=False)

    def actions(self, count):
        """(actions of a transaction, effects)"""
        actions, effects = [], []
        for table, key in self.keys(count):
            dice = self.random.random()
            if dice < 0.4:
                item = self.item(table, key)
                actions.append({"Put": put(table, item)})
            elif dice < 0.75:
                request, item = self.change(table, key)
                actions.append({"Update": request})
            elif dice < 0.9:
                item = None
                actions.append({"Delete": {"TableName": table, "Key": key_item(table, key)}})
            else:
                actions.append({"ConditionCheck": {
                    "TableName": table, "Key": key_item(table, key),
                    **self.condition(table, key)}})
                continue
            effects.append((table, key, item))
        return actions, effects

    def make_transaction(self):
        actions, effects = self.actions(self.random.randrange(1, 9))
        return self.transaction(actions, effects)

    def transaction(self, actions, effects):
        request = {"TransactItems": actions}
        token = None
        if self.random.random() < 0.5:
            token = f"{self.label}{self.number}-{self.stamp}-{self.random.randrange(16**8):08x}"
            request["ClientRequestToken"] = token
        return operation("TransactWriteItems", request, effects, token=token)

    def make_refused_transaction(self):
        """All its actions are fine but one."""
        actions, _ = self.actions(self.random.randrange(2, 6))
        key = key_item("Base", f"{self.number}-never")
        check = {"ConditionCheck": {"TableName": "Base", "Key": key,
                                    "ConditionExpression": "attribute_exists(id)"}}
        actions.insert(self.random.randrange(len(actions) + 1), check)
        return operation("TransactWriteItems", {"TransactItems": actions},
                         refusal="TransactionCanceledException", tolerated=MISFITS)

    def make_transfer(self):
        """Between accounts that all sessions use: their sum stays 0."""
        amount = self.random.randrange(1, 100)
        accounts = self.random.sample(range(ACCOUNTS), 2)
        actions = [add_to("Shared", f"account-{account}", "balance", change)
                   for account, change in zip(accounts, (-amount, amount))]
        return self.transaction([{"Update": action} for action in actions], [])

    def make_count(self):
        """Of counters that all sessions use."""
        name = f"counter-{self.random.randrange(COUNTERS)}"
        return operation("UpdateItem", add_to("Shared", name, "hits", 1), added=[name])

    # PartiQL.

    def statement(self, table, key):
        """(statement with parameters, the item afterwards)"""
        old = self.known.get(table, key)
        where = [key_item(table, key)[name] for name in ("id", "n") if name in key_item(table, key)]
        names = ' AND '.join(f'"{name}" = ?' for name in ("id", "n")[:len(where)])
        if old is None:
            item = self.item(table, key)
            pairs = ", ".join(f"'{name}': ?" for name in item)
            return {"Statement": f'INSERT INTO "{table}" VALUE {{{pairs}}}',
                    "Parameters": list(item.values())}, item
        if self.random.random() < 0.3:
            return {"Statement": f'DELETE FROM "{table}" WHERE {names}', "Parameters": where}, None
        setting = {"stamp": self.next_stamp(), **self.attributes()}
        sets = " ".join(f'SET "{name}" = ?' for name in setting)
        return {"Statement": f'UPDATE "{table}" {sets} WHERE {names}',
                "Parameters": [*setting.values(), *where]}, {**old, **setting}

    def make_statement(self):
        table = self.random.choice(("Base", "Orders", "Twin"))
        key = self.key(table)
        request, new = self.statement(table, key)
        return operation("ExecuteStatement", request, [(table, key, new)])

    def make_statements(self):
        """A transaction of statements, or a batch of them."""
        keys = self.keys(self.random.randrange(2, 7))
        made = [(table, key, self.statement(table, key)) for table, key in keys]
        effects = [(table, key, new) for table, key, (_, new) in made]
        statements = [statement for _, _, (statement, _) in made]
        if self.random.random() < 0.5:
            return operation("ExecuteTransaction", {"TransactStatements": statements}, effects)
        if has_maybe(effects):
            return None  # some of them might be refused, which a batch tells one by one
        return operation("BatchExecuteStatement", {"Statements": statements}, effects, atomic=False)


def add_to(table, name, attribute, amount):
    return {"TableName": table, "Key": {"id": text(name)},
            "UpdateExpression": f"ADD {attribute} :amount",
            "ExpressionAttributeValues": {":amount": number(amount)}}


def has_maybe(effects):
    """Could one of the items be refused as it does not fit an index that comes and goes?"""
    return any(item and "N" in item.get("maybe", {}) for _, _, item in effects)


# ---- What became of it ------------------------------------------------------------------------


class Outcome:
    """What a load process tells when the server has died."""

    def __init__(self):
        self.acknowledged = []  # effects, in order
        self.pending = []  # operations that may have happened
        self.added = collections.Counter()  # acknowledged, by counter
        self.tokens = []  # (time, request) acknowledged
        self.problems = []
        self.operations = collections.Counter()
        self.refused = 0

    def take(self, session, done, status, answer):
        """An operation was answered."""
        self.operations[done.name] += 1
        kind = kind_of(answer) if status != 200 else None
        if done.name == "GetItem":
            self.take_read(session, done, status, answer)
        elif kind is None and done.refusal is None:
            self.take_success(session, done, answer)
        elif kind is None or kind not in (done.refusal, *done.tolerated):
            self.problems.append(f"{done.name}: {status} {json.dumps(answer)[:500]}"
                                 f" of {json.dumps(done.request)[:2000]}")
        else:
            self.refused += 1

    def take_success(self, session, done, answer):
        left = answer.get("UnprocessedItems") or [
            one for one in answer.get("Responses", ()) if "Error" in one]
        if left:
            self.problems.append(f"{done.name}: left undone: {json.dumps(left)[:500]}")
        self.acknowledged += done.effects
        session.known.apply(done.effects)
        self.added.update(done.added)
        if done.token:
            self.tokens.append((time.time(), done.request))

    def take_read(self, session, done, status, answer):
        wanted = session.known.get(*done.read)
        if status != 200 or answer.get("Item") != wanted:
            self.problems.append(f"GetItem: {status} {json.dumps(answer)[:500]}, not {wanted}")


def play(sessions, clients, outcome, done):
    """Each session has one operation under way, until the server dies; done counts the writes."""
    lost = False
    while not lost:
        under_way = []
        for session, client in zip(sessions, clients):
            made = session.make()
            try:
                begin(client, made)
                under_way.append((session, client, made))
            except Lost:
                # Part of it may have been sent; of a part nothing is done, but who knows.
                outcome.pending.append(made)
                lost = True
        for session, client, made in under_way:
            try:
                outcome.take(session, made, *client.receive())
            except Lost:
                outcome.pending.append(made)
                lost = True
        done.value = len(outcome.acknowledged)


def begin(client, made):
    body = json.dumps(made.request).encode()
    client.send(b"POST / HTTP/1.1\r\n%sX-Amz-Target: DynamoDB_20120810.%s\r\n"
                b"Content-Length: %d\r\n\r\n%s" % (
                    client.head, made.name.encode(), len(body), body))
