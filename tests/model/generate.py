# SPDX-License-Identifier: Apache-2.0
"""Random operations, as JSON that can be kept and replayed.

    {"kind", "operation", "request": with "@0" for the first table's name, and so on,
     what the model has to know: "t" the table, "plan" of a write, "read" of a read, …}

A generator looks at the model's items, so that keys hit, conditions hold and paths lead somewhere
often enough.
"""
import os
import re

from conditions import Conditions
from expressions import Refusal, Writer, apply_update, overlap, update_overhead
from legacy import Legacy
from material import NUMBERS, describe_index
from reads import make_query, make_scan
from refused import make_invalid
from statements import make_batch, make_statement, make_transaction
from streams import VIEWS
from values import (ITEM_BYTES_MAX, Decimal, encode, item_size, number_fits, number_text,
                    read_item)

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

WEIGHTS = {"put": 18, "update": 24, "get": 8, "delete": 6, "query": 14, "scan": 5, "batch_get": 3,
           "batch_write": 4, "transact_write": 6, "transact_get": 2, "invalid": 7, "describe": 2,
           "create_index": 0.5, "delete_index": 0.5, "stream": 1, "switch_stream": 0.2,
           "statement": 14, "batch_statement": 2, "transact_statement": 2}
# Sizes of heavy items: four of the most frequent fill a page exactly.
HEAVY_BYTES = (4096, 65536, 131072, 262144, 262144, 262144, 262144, 380000)
LEGACY = 0.12
CAUTIOUS = ("put", "update", "delete", "batch_write", "get")


def reserved_words():
    """The words that no expression may use as names."""
    path = os.path.join(ROOT, "src", "expr", "reserved.def")
    with open(path, encoding="utf-8") as file:
        return set(re.findall(r"\((?:\")?(\w+)(?:\")?\)", file.read()))


class Generator:
    def __init__(self, material, schemas, tables, heavy=False):
        self.heavy = heavy  # items of many kilobytes
        self.material = material
        self.random = material.random
        self.schemas = schemas
        self.tables = tables
        self.reserved = reserved_words()
        self.cautious = False
        self.legacy = LEGACY

    def chance(self, probability):
        return self.random.random() < probability

    def operation(self, cautious=False):
        """The next one; a cautious one may be played while an index comes or goes."""
        self.cautious = cautious
        kinds = [kind for kind in WEIGHTS if not cautious or kind in CAUTIOUS]
        kind = self.random.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0]
        operation = getattr(self, kind)(self.random.randrange(len(self.tables)))
        if operation is None:
            return self.operation(cautious)
        operation["kind"] = kind
        if cautious:
            operation["during"] = True
        return operation

    def filling(self, t, count):
        """A batch of puts, to begin with."""
        items = {}
        while len(items) < count:
            item = self.item(t, hit=0)
            items[self.tables[t].keys.values(read_item(item))] = item
        request = {"RequestItems": {f"@{t}": [{"PutRequest": {"Item": item}}
                                              for item in items.values()]}}
        writes = [{"t": t, "plan": {"kind": "put", "item": item}} for item in items.values()]
        return {"operation": "BatchWriteItem", "kind": "batch_write", "request": request,
                "writes": writes}

    def writer(self, legacy=True):
        """Of one request; sometimes it has the parameters from before expressions."""
        return Writer(self.random, self.reserved, legacy and self.chance(self.legacy))

    def older(self, t, item):
        return Legacy(self, t, item)

    def conditions(self, t, item, without=(), only=None):
        return Conditions(self, t, item, without, only)

    # ---- items

    def some_item(self, t):
        """An item that is there, or None."""
        items = self.tables[t].items
        return self.random.choice(list(items.values())) if items else None

    def key(self, t, hit=0.7):
        """(key in wire form, the item that has it or None)."""
        item = self.some_item(t) if self.chance(hit) else None
        table, schema = self.tables[t], self.schemas[t]
        if item is not None:
            return {name: self.again(item[name]) for name in table.keys.names}, item
        return {name: schema.key_value(name) for name in table.keys.names}, None

    def again(self, value):
        """A value of the model in some wire form."""
        if value[0] == "N":
            return self.material.scalar("N", value[1])
        return encode(value)

    def item(self, t, hit=0.4):
        key, _ = self.key(t, hit)
        names = [name for name in self.schemas[t].names if name not in key]
        item = {name: self.attribute(t, name) for name in names if self.chance(0.45)}
        item = {**item, **key}
        if self.heavy and self.chance(0.7):
            self.pad(item, self.random.choice(HEAVY_BYTES))
        elif self.chance(0.05):
            self.pad(item, 1024 * self.random.choice((1, 2, 3, 4, 8)) + self.edge())
        elif self.chance(0.05 if self.heavy else 0.0005):
            self.pad(item, ITEM_BYTES_MAX + self.edge())
        if self.chance(0.1):  # order must not matter
            pairs = list(item.items())
            self.random.shuffle(pairs)
            item = dict(pairs)
        return item

    def edge(self):
        """A little less, just as much, a little more."""
        return self.random.choice((-1, 0, 0, 1, -20))

    @staticmethod
    def pad(item, size):
        """Brings the item to a size, if it is not larger already."""
        item["filler"] = {"S": ""}
        item["filler"] = {"S": "f" * (size - item_size(read_item(item)))}

    def attribute(self, t, name):
        """A value for an attribute; keys of indexes get their type, nearly always."""
        schema = self.schemas[t]
        if name in self.tables[t].key_names():
            if self.cautious or self.chance(0.985):
                return schema.key_value(name)
            return self.random.choice(({"S": ""}, {"B": ""}, self.material.value()))
        if self.chance(0.6) and schema.kinds[name] is not None:
            if schema.pools[name]:
                return schema.key_value(name)
            return self.material.value(schema.kinds[name])
        return self.material.value()

    # ---- parameters

    def consumed(self, request):
        if self.chance(0.7):
            request["ReturnConsumedCapacity"] = self.random.choice(("INDEXES", "INDEXES", "TOTAL",
                                                                    "NONE"))

    def metrics(self, request):
        if self.chance(0.3):
            request["ReturnItemCollectionMetrics"] = self.random.choice(("SIZE", "SIZE", "NONE"))

    def add_condition(self, t, plan, item, writer, chance=0.4):
        """Some writes have a condition; returns the members that it needs."""
        if not self.chance(chance):
            return {}
        if writer.legacy:
            members, plan["condition"] = self.older(t, item).condition("Expected")
        else:
            plan["condition"] = self.conditions(t, item).tree()
            members = {"ConditionExpression": writer.condition(plan["condition"])}
        if self.chance(0.5):
            plan["show_old"] = self.chance(0.7)
            members["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD" if plan["show_old"] \
                else "NONE"
        return members

    # ---- single writes

    def put(self, t):
        plan = {"kind": "put", "item": self.item(t)}
        writer = self.writer()
        request = {"TableName": f"@{t}", "Item": plan["item"]}
        request.update(self.add_condition(t, plan, self.some_item(t), writer))
        return self.single("PutItem", t, plan, request, writer, ("NONE", "ALL_OLD", "ALL_OLD"))

    def update(self, t):
        key, item = self.key(t)
        plan = {"kind": "update", "key": key}
        writer = self.writer()
        request = {"TableName": f"@{t}", "Key": key}
        if writer.legacy:
            plan["legacy"] = True
            request["AttributeUpdates"], plan["update"] = self.older(t, item).update()
        elif self.chance(0.97):
            plan["update"] = self.update_tree(t, item)
            if self.chance(0.5 if self.heavy else 0.03):
                self.pad_update(plan["update"], item, read_item(key))
            request["UpdateExpression"] = writer.update(plan["update"])
        request.update(self.add_condition(t, plan, item, writer))
        return self.single("UpdateItem", t, plan, request, writer,
                           ("NONE", "ALL_OLD", "ALL_NEW", "UPDATED_OLD", "UPDATED_NEW"))

    def delete(self, t):
        key, item = self.key(t, hit=0.8)
        plan = {"kind": "delete", "key": key}
        writer = self.writer()
        request = {"TableName": f"@{t}", "Key": key}
        request.update(self.add_condition(t, plan, item, writer))
        return self.single("DeleteItem", t, plan, request, writer, ("NONE", "ALL_OLD", "ALL_OLD"))

    def single(self, operation, t, plan, request, writer, returns):
        request.update(writer.parameters())
        if self.chance(0.7):
            request["ReturnValues"] = self.random.choice(returns)
        self.consumed(request)
        self.metrics(request)
        return {"operation": operation, "t": t, "plan": plan, "request": request}

    # ---- updates

    def pad_update(self, tree, item, key):
        """Lets the update bring the item to a size at which something happens."""
        tree.setdefault("SET", []).append([["filler"], ["value", {"S": ""}]])
        try:
            bytes_ = item_size(apply_update(tree, item, key))
        except Refusal:
            return
        target = 1024 * self.random.choice((1, 2, 4)) + self.edge()
        if self.chance(0.4 if self.heavy else 0.01):
            target = ITEM_BYTES_MAX + self.edge()
            if self.chance(0.5):
                target += item_size(key) - update_overhead(tree)
        tree["SET"][-1][1] = ["value", {"S": "f" * (target - bytes_)}]

    def update_tree(self, t, item):
        conditions = self.conditions(t, item, without=self.tables[t].keys.names)
        tree = {}
        used = []
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3, 5))):
            section = self.random.choice(("SET", "SET", "SET", "REMOVE", "ADD", "DELETE"))
            path, value = conditions.target(section)
            if self.cautious and path[0] in self.tables[t].key_names():
                section = "SET"
            if any(overlap(path, other) for other in used):
                continue
            used.append(path)
            action = path
            if section == "SET":
                action = [path, self.set_value(t, path, value, conditions)]
            elif section != "REMOVE":
                action = [path, self.operand_of(section, value)]
            tree.setdefault(section, []).append(action)
        return tree

    def operand_of(self, section, value):
        """What ADD or DELETE is given: mostly of the type that stands there."""
        if value is not None and self.chance(0.9):
            if value[0] in ("SS", "NS", "BS"):
                members = encode(value)[value[0]]
                if section == "DELETE" and self.chance(0.7):
                    count = self.random.randrange(1, len(members) + 1)
                    return {value[0]: self.random.sample(members, count)}
                return self.material.value(value[0])
            if value[0] == "N" and section == "ADD":
                return self.material.value("N")
        kinds = ("N", "SS", "NS", "BS") if section == "ADD" else ("SS", "NS", "BS")
        return self.material.value(self.random.choice(kinds))

    def set_value(self, t, path, value, conditions):
        """A new value; what stands at the path hints at what would work."""
        is_key = path[0] in self.tables[t].key_names()
        literal = ["value", self.attribute(t, path[0]) if len(path) == 1
                   else self.material.value()]
        if is_key and self.cautious:
            return literal
        if value is not None and value[0] == "N" and self.chance(0.6):
            if self.chance(0.3):
                return self.precise(path, value[1])
            return self.arithmetic(path, conditions)
        if value is not None and value[0] == "L" and self.chance(0.5):
            return self.append(path)
        choice = self.random.random()
        if choice < 0.55:
            return literal
        if choice < 0.7:
            return ["path", conditions.path()]
        if choice < 0.9:
            return ["if_not_exists", conditions.path() if self.chance(0.5) else path, literal]
        if choice < 0.95:
            return self.append(path)
        return self.arithmetic(path, conditions)

    def arithmetic(self, path, conditions):
        sides = [["path", path], ["value", self.material.value("N")]]
        if self.chance(0.3):
            sides[0] = ["if_not_exists", path, ["value", self.material.value("N")]]
        if self.chance(0.2):
            sides[1] = ["path", conditions.path()]
        self.random.shuffle(sides)
        return [self.random.choice("+-"), *sides]

    def precise(self, path, number):
        """A sum or difference that comes to a number at an edge, or just beyond."""
        target = Decimal(self.random.choice(NUMBERS)) * self.random.choice((1, 1, 1, 10))
        sign = self.random.choice("+-")
        literal = target - number if sign == "+" else number - target
        if not number_fits(literal):
            literal = target
        return [sign, ["path", path], ["value", {"N": number_text(literal)}]] \
            if number_fits(literal) else ["path", path]

    def append(self, path):
        sides = [["path", path], ["value", self.material.value("L")]]
        if self.chance(0.4):
            sides[0] = ["if_not_exists", path, ["value", {"L": []}]]
        self.random.shuffle(sides)
        return ["list_append", *sides]

    # ---- reads of single items

    def projection(self, t, item, members, writer, only=None):
        """Sometimes a projection: its paths, or None."""
        if not self.chance(0.35):
            return None
        if writer.legacy:
            members["AttributesToGet"], paths = self.older(t, item).attributes(only)
            return paths
        paths = self.conditions(t, item, only=only).paths()
        members["ProjectionExpression"] = writer.projection(paths)
        return paths

    def get(self, t):
        key, item = self.key(t, hit=0.85)
        writer = self.writer()
        request = {"TableName": f"@{t}", "Key": key}
        paths = self.projection(t, item, request, writer)
        request.update(writer.parameters())
        if self.chance(0.4):
            request["ConsistentRead"] = self.chance(0.7)
        self.consumed(request)
        return {"operation": "GetItem", "t": t, "request": request, "paths": paths}

    def distinct_keys(self, t, count, hit=0.8):
        keys = {}
        for _ in range(count):
            wire, item = self.key(t, hit)
            keys[self.tables[t].keys.values(read_item(wire))] = (wire, item)
        return list(keys.values())

    def some_tables(self, t):
        chosen = {t}
        if self.chance(0.5):
            chosen.add(self.random.randrange(len(self.tables)))
        return self.random.sample(sorted(chosen), len(chosen))

    def batch_get(self, t):
        request = {"RequestItems": {}}
        legacy = self.chance(self.legacy)
        parts = []
        for table in self.some_tables(t):
            counts = (1, 2, 4, 10, 100 if self.heavy else 5)
            keys = self.distinct_keys(table, self.random.choice(counts))
            writer = self.writer()
            writer.legacy = legacy  # one request, one way to say it
            part = {"Keys": [wire for wire, _ in keys]}
            paths = self.projection(table, keys[0][1], part, writer)
            part.update(writer.parameters())
            if self.chance(0.4):
                part["ConsistentRead"] = self.chance(0.7)
            request["RequestItems"][f"@{table}"] = part
            parts.append({"t": table, "paths": paths})
        self.consumed(request)
        return {"operation": "BatchGetItem", "request": request, "parts": parts}

    def transact_get(self, t):
        items = []
        gets = []
        for table in self.some_tables(t):
            for key, item in self.distinct_keys(table, self.random.choice((1, 2, 4))):
                writer = self.writer(legacy=False)
                get = {"TableName": f"@{table}", "Key": key}
                paths = self.projection(table, item, get, writer)
                get.update(writer.parameters())
                items.append({"Get": get})
                gets.append({"t": table, "paths": paths})
        request = {"TransactItems": items}
        self.consumed(request)
        return {"operation": "TransactGetItems", "request": request, "gets": gets}

    # ---- several writes

    def batch_write(self, t):
        request = {"RequestItems": {}}
        writes = []
        for table in self.some_tables(t):
            elements = []
            for key, _ in self.distinct_keys(table, self.random.choice((1, 2, 5, 12)), hit=0.5):
                if self.chance(0.7):
                    item = {**self.item(table), **key}
                    elements.append({"PutRequest": {"Item": item}})
                    writes.append({"t": table, "plan": {"kind": "put", "item": item}})
                else:
                    elements.append({"DeleteRequest": {"Key": key}})
                    writes.append({"t": table, "plan": {"kind": "delete", "key": key}})
            request["RequestItems"][f"@{table}"] = elements
        self.consumed(request)
        self.metrics(request)
        return {"operation": "BatchWriteItem", "request": request, "writes": writes}

    def transact_write(self, t):
        items = []
        writes = []
        for table in self.some_tables(t):
            for key, item in self.distinct_keys(table, self.random.choice((1, 2, 4))):
                member, action, plan = self.action(table, key, item)
                items.append({member: {"TableName": f"@{table}", **action}})
                writes.append({"t": table, "plan": plan})
        request = {"TransactItems": items}
        self.consumed(request)
        self.metrics(request)
        operation = {"operation": "TransactWriteItems", "request": request, "writes": writes}
        if self.chance(0.2):
            operation["token"] = self.random.choice(("once", "again", "other"))
        return operation

    def action(self, t, key, item):
        """(member, its content, plan) of one action of a transaction."""
        kind = self.random.choice(("put", "update", "update", "delete", "check"))
        writer = self.writer(legacy=False)
        plan = {"kind": kind, "key": key}
        action = {"Key": key}
        if kind == "put":
            whole = {**self.item(t), **key}
            plan, action = {"kind": "put", "item": whole}, {"Item": whole}
        if kind == "update":
            plan["update"] = {}
            while not plan["update"]:
                plan["update"] = self.update_tree(t, item)
            action["UpdateExpression"] = writer.update(plan["update"])
        members = self.add_condition(t, plan, item, writer, 1 if kind == "check" else 0.3)
        action.update(members)
        action.update(writer.parameters())
        member = {"put": "Put", "update": "Update", "delete": "Delete", "check": "ConditionCheck"}
        return member[kind], action, plan

    # ---- tables

    def describe(self, t):
        return {"operation": "DescribeTable", "t": t, "request": {"TableName": f"@{t}"}}

    def create_index(self, t):
        table = self.tables[t]
        if sum(index.is_global for index in table.indexes) >= 5:
            return None
        index = self.schemas[t].global_index(table)
        while any(index.name == other.name for other in table.indexes):
            index.name += "x"
        return {"operation": "UpdateTable", "t": t, "index": describe_index(index),
                "request": {"TableName": f"@{t}"}}

    def delete_index(self, t):
        names = [index.name for index in self.tables[t].indexes if index.is_global]
        if not names:
            return None
        return {"operation": "UpdateTable", "t": t, "index": self.random.choice(names),
                "request": {"TableName": f"@{t}"}}

    def stream(self, t):
        return {"operation": "GetRecords", "t": t, "request": {"TableName": f"@{t}"},
                "pick": self.random.randrange(1000)}

    def switch_stream(self, t):
        view = None if self.tables[t].stream else self.random.choice(VIEWS)
        return {"operation": "UpdateTable", "t": t, "view": view,
                "request": {"TableName": f"@{t}"}}

    # ---- in files of their own

    def query(self, t):
        return make_query(self, t)

    def scan(self, t):
        return make_scan(self, t)

    def statement(self, t):
        return make_statement(self, t)

    def batch_statement(self, t):
        return make_batch(self, t)

    def transact_statement(self, t):
        return make_transaction(self, t)

    def invalid(self, t):
        return make_invalid(self, t)
