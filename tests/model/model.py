# SPDX-License-Identifier: Apache-2.0
"""What DynamoDB does, written to be read: tables are dicts of items, nothing is stored twice.

Index entries, counts, sizes and units are computed from the items whenever somebody asks. The
rules are those of the Developer Guide; what it leaves open is decided in one place each.
"""
import math

from expressions import Refusal, apply_update, holds, invalid, project, touched, update_overhead
from values import ITEM_BYTES_MAX, item_size, sort_key, value_size

PARTITION_KEY_BYTES_MAX = 2048
SORT_KEY_BYTES_MAX = 1024
PAGE_BYTES = 1024 * 1024


class Keys:
    """Of a table or an index: the attributes that spread items and those that order them."""

    def __init__(self, partition, sort):
        self.partition = partition  # [(name, type)…]
        self.sort = sort
        self.all = [*partition, *sort]
        self.names = [name for name, _ in self.all]

    def schema(self):
        roles = ["HASH"] * len(self.partition) + ["RANGE"] * len(self.sort)
        return [{"AttributeName": name, "KeyType": role} for name, role in zip(self.names, roles)]

    def values(self, item):
        """The key as something that can be looked up; None when the item lacks a part of it."""
        if any(name not in item for name in self.names):
            return None
        return tuple(item[name] for name in self.names)

    def partition_of(self, item):
        return tuple(item[name] for name, _ in self.partition)

    def order(self, item):
        return tuple(sort_key(item[name]) for name, _ in self.sort)

    def problem(self, item, names):
        """What is wrong with these key attributes of the item, or None."""
        for name, kind in self.all:
            if name in item and name in names:
                if item[name][0] != kind:
                    return "type"
                if kind != "N" and not item[name][1]:
                    return "empty"
        for part, bytes_max in ((self.partition, PARTITION_KEY_BYTES_MAX),
                                (self.sort, SORT_KEY_BYTES_MAX)):
            sizes = [value_size(item[name]) for name, kind in part
                     if name in item and item[name][0] == kind]
            if sum(sizes) > bytes_max and any(name in item and name in names for name, _ in part):
                return "size"
        return None


class Index:
    def __init__(self, name, keys, is_global, projection, included=()):
        self.name = name
        self.keys = keys
        self.is_global = is_global
        self.projection = projection
        self.included = list(included)
        self.state = "ACTIVE"

    def described(self):
        projection = {"ProjectionType": self.projection}
        if self.projection == "INCLUDE":
            projection["NonKeyAttributes"] = self.included
        return {"IndexName": self.name, "KeySchema": self.keys.schema(), "Projection": projection}


class Write:
    """One write that was let through: the item before and after, None where there is none."""

    def __init__(self, table, key, old, new):
        self.table = table
        self.key = key
        self.old = old
        self.new = new

    def apply(self):
        if self.table.stream and self.old != self.new:
            self.table.changes.append(self)
        if self.new is None:
            self.table.items.pop(self.key, None)
        else:
            self.table.items[self.key] = self.new


class Table:
    def __init__(self, keys):
        self.keys = keys
        self.indexes = []
        self.items = {}  # the key's values -> {attribute: value}
        self.stream = None  # the view type while there is a stream
        self.changes = []  # writes since then that changed something

    # ---- schema

    def index(self, name):
        return next(index for index in self.indexes if index.name == name)

    def has_index(self, name):
        return name is None or any(index.name == name for index in self.indexes)

    def key_names(self):
        """Every attribute that is a key somewhere."""
        return {name for keys in self.all_keys() for name in keys.names}

    def all_keys(self):
        return [self.keys, *(index.keys for index in self.indexes)]

    def definitions(self):
        kinds = {name: kind for keys in self.all_keys() for name, kind in keys.all}
        return [{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()]

    def locals(self):
        return [index for index in self.indexes if not index.is_global]

    # ---- index entries

    def projects(self, index, name):
        return (index.projection == "ALL" or name in index.included
                or name in self.keys.names or name in index.keys.names)

    def entry(self, index, item):
        """What the index holds of an item, or None: an index is sparse."""
        if item is None or index.keys.values(item) is None:
            return None
        if index.keys.problem(item, index.keys.names) is not None:
            return None  # only of items that were there before the index
        return {name: value for name, value in item.items() if self.projects(index, name)}

    def entries(self, index):
        """[(entry, item)…] of an index; of the table when it is None."""
        if index is None:
            return [(item, item) for item in self.items.values()]
        both = ((self.entry(index, item), item) for item in self.items.values())
        return [(entry, item) for entry, item in both if entry is not None]

    # ---- writes

    def check_key(self, key):
        if set(key) != set(self.keys.names):
            raise invalid("not the schema's attributes")
        if self.keys.problem(key, self.keys.names) is not None:
            raise invalid("a bad key")

    def check_item(self, item):
        if self.keys.values(item) is None or self.keys.problem(item, self.keys.names):
            raise invalid("a bad key")
        for index in self.indexes:
            problem = index.keys.problem(item, index.keys.names)
            if problem is not None:
                raise invalid(f"an index key: {problem}")

    def check_updated(self, old, new):
        for index in self.indexes:
            changed = {name for name in index.keys.names
                       if name in new and new[name] != (old or {}).get(name)}
            problem = index.keys.problem(new, changed)
            if problem is not None:
                raise invalid(f"an index key: {problem}")

    def check_size(self, item, update, in_transaction):
        bytes_ = item_size(item)
        local = sum(item_size(self.entry(index, item) or {}) for index in self.locals())
        if bytes_ + local > ITEM_BYTES_MAX:
            raise invalid("too large")
        if update and not in_transaction:
            key = {name: item[name] for name in self.keys.names}
            if bytes_ - item_size(key) + update_overhead(update) > ITEM_BYTES_MAX:
                raise invalid("too large for this update")

    def check_static(self, plan):
        """Everything that can be refused without looking at what is stored."""
        if plan["kind"] == "put":
            if item_size(plan["item"]) > ITEM_BYTES_MAX:
                raise invalid("too large")
            self.check_item(plan["item"])
        else:
            self.check_key(plan["key"])
        if plan.get("legacy"):
            self.check_attribute_updates(plan["update"])

    def check_attribute_updates(self, update):
        """AttributeUpdates show which types they would give to the keys of indexes."""
        kinds = dict(pair for index in self.indexes for pair in index.keys.all)
        named = [(path[0], node[1]) for path, node in update.get("SET", ())]
        named += [(path[0], wire) for path, wire in [*update.get("ADD", ()),
                                                     *update.get("DELETE", ())]]
        if any(name in kinds and kinds[name] not in wire for name, wire in named):
            raise invalid("an index key: type")

    def plan_write(self, plan, in_transaction=False):
        """The write that a put, update, delete or check comes to; raises Refusal.

        plan: kind, key or item, and if given condition, update, show_old.
        """
        self.check_static(plan)
        key = self.keys.values(plan["item"] if plan["kind"] == "put" else plan["key"])
        old = self.items.get(key)
        if plan.get("new") and old is not None:
            raise Refusal("DuplicateItemException", "there is one already")
        if plan.get("condition") and not holds(plan["condition"], old or {}):
            raise Refusal("ConditionalCheckFailedException", "the condition",
                          old if plan.get("show_old") else None)
        if plan["kind"] == "check":
            return Write(self, key, old, old)
        if plan["kind"] == "delete":
            return Write(self, key, old, None)
        new = plan.get("item")
        if plan["kind"] == "update":
            update = plan.get("update")
            new = apply_update(update or {}, old, plan["key"])
            if old is None and update is not None and not {"SET", "ADD"} & set(update):
                return Write(self, key, None, None)  # it only takes away: there is nothing to keep
            self.check_updated(old, new)
        self.check_size(new, plan.get("update"), in_transaction or plan.get("flat"))
        return Write(self, key, old, new)

    # ---- descriptions

    def counts(self, index=None):
        """(items, bytes) of the table or an index."""
        entries = [entry for entry, _ in self.entries(index)]
        return len(entries), sum(map(item_size, entries))


# ---- Units ------------------------------------------------------------------------------------


def read_units(bytes_, consistent):
    units = max(1, math.ceil(bytes_ / 4096))
    return units if consistent else units / 2


def write_units(*items):
    return max(1, math.ceil(max(item_size(item or {}) for item in items) / 1024))


def index_write_units(table, index, old, new):
    """What a write costs in an index; 0: nothing, and the index is not mentioned."""
    before, after = table.entry(index, old), table.entry(index, new)
    if before is None and after is None:
        return 0
    if before is None or after is None:
        return write_units(before or after)
    if index.keys.values(before) != index.keys.values(after):
        return write_units(before) + write_units(after)
    return 0 if before == after else write_units(before, after)


class Consumption:
    """Units of one table's arms within a request."""

    def __init__(self, table, name):
        self.table = table
        self.name = name
        self.units = 0
        self.arms = {}

    def add_write(self, write, factor=1):
        self.units += write_units(write.old, write.new) * factor
        for index in self.table.indexes:
            if index.state == "ACTIVE":
                self.add_index(index, index_write_units(self.table, index, write.old, write.new))

    def add_index(self, index, units):
        if units:
            self.arms[index.name] = self.arms.get(index.name, 0) + units

    def shown(self, detail, mirror=None):
        """ConsumedCapacity as TOTAL or INDEXES shows it."""
        def arm(units):
            return {"CapacityUnits": units, **({mirror: units} if mirror else {})}

        shown = {"TableName": self.name, **arm(self.units + sum(self.arms.values()))}
        if detail == "INDEXES":
            shown["Table"] = arm(self.units)
            for member, is_global in (("GlobalSecondaryIndexes", True),
                                      ("LocalSecondaryIndexes", False)):
                arms = {index.name: arm(self.arms[index.name]) for index in self.table.indexes
                        if index.is_global == is_global and index.name in self.arms}
                if arms:
                    shown[member] = arms
        return shown


# ---- Answers of single writes -----------------------------------------------------------------


def returned_attributes(write, plan, wanted):
    """What ReturnValues shows, or None for no Attributes at all."""
    item = write.old if wanted in ("ALL_OLD", "UPDATED_OLD") else write.new
    if wanted in (None, "NONE") or item is None:
        return None
    if wanted in ("ALL_OLD", "ALL_NEW"):
        return item
    paths = touched(plan.get("update") or {})
    return (project(item, paths) or None) if paths else None


# ---- Pages ------------------------------------------------------------------------------------


class Page:
    """What one page of a Query or Scan has to be, and where the next one begins."""

    def __init__(self):
        self.items = []
        self.scanned = 0
        self.bytes = 0
        self.fetched_units = 0
        self.last = None  # the row that ended it


def pages_of(rows, read):
    """The pages of these rows, [(entry, item)…] in the order in which they are read.

    read: limit, filter, paths, fetch (items behind a local index), consistent.
    """
    page = Page()
    for entry, item in rows:
        page.scanned += 1
        page.bytes += item_size(entry)
        row = entry
        if read["fetch"]:
            row = item
            page.fetched_units += read_units(item_size(item), read["consistent"])
        if read["filter"] is None or holds(read["filter"], row):
            page.items.append(row if read["paths"] is None else project(row, read["paths"]))
        if page.scanned == read["limit"] or page.bytes >= PAGE_BYTES:
            page.last = entry
            yield page
            page = Page()
    yield page


def matches(keys, conditions, entry):
    """conditions: {attribute: (operator, values…)}, all of which have to be true."""
    for name, (operator, *bounds) in conditions.items():
        value = entry[name]
        if operator == "begins_with":
            if not value[1].startswith(bounds[0][1]):
                return False
            continue
        here, low = sort_key(value), sort_key(bounds[0])
        truth = {"=": here == low, "<": here < low, "<=": here <= low, ">": here > low,
                 ">=": here >= low}
        if operator == "between":
            if not low <= here <= sort_key(bounds[1]):
                return False
        elif not truth[operator]:
            return False
    return True


def start_key(table, index, entry):
    """The LastEvaluatedKey of a page that ends at this entry."""
    names = dict.fromkeys([*table.keys.names, *(index.keys.names if index else ())])
    return {name: entry[name] for name in names}
