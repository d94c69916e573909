# SPDX-License-Identifier: Apache-2.0
"""Plays operations against the server and the model at once, and compares every answer."""
import itertools
import time

from differ import Mismatch, expect, expect_same, repr_key
from expressions import Refusal, project
from material import read_index
from model import Consumption, matches, pages_of, read_units, returned_attributes, start_key
from play_statements import StatementPlayer
from reads import after_start
from streams import Follower
from values import WireError, decode_item, encode_item, item_size, read, read_item

INDEX_SECONDS = 60
BATCH_BYTES_MAX = 16 * 1024 * 1024
WRITES = ("put", "update", "delete")


def rename(value, names):
    """The request with tables' names in place of "@0", "@1"…"""
    def bound(name):
        return names[int(name[1:])] if isinstance(name, str) and name[:1] == "@" else name

    request = dict(value)
    if "TableName" in request:
        request["TableName"] = bound(request["TableName"])
    if isinstance(request.get("RequestItems"), dict):
        request["RequestItems"] = {bound(name): part
                                   for name, part in request["RequestItems"].items()}
    if isinstance(request.get("TransactItems"), list):
        request["TransactItems"] = [
            {member: rename(action, names) for member, action in element.items()}
            for element in request["TransactItems"]]
    for member in ("Statements", "TransactStatements"):
        if member in request:
            request[member] = [rename(statement, names) for statement in request[member]]
    if isinstance(request.get("Statement"), str):
        for number, name in enumerate(names):
            request["Statement"] = request["Statement"].replace(f'"@{number}"', f'"{name}"')
    return request


class Player(StatementPlayer):
    """The tables of one run: on the server under names of their own, and in the model."""

    serial = itertools.count(1)

    def __init__(self, connection, tables, prefix):
        self.connection = connection
        self.tables = tables
        number = next(self.serial)
        self.names = [f"{prefix}.{number}.{t}" for t in range(len(tables))]
        self.pending = []  # writes of the request that is on its way
        self.followers = {}  # of the tables that have a stream

    # ---- talking

    def call(self, operation, request):
        return self.connection.call(operation, rename(request, self.names))

    def must(self, operation, request):
        status, answer = self.call(operation, request)
        if status != 200:
            raise Mismatch(f"{operation} was refused\n  server: {status} {answer}")
        return answer

    def refused(self, operation, request, refusal):
        """The request has to be refused with this code."""
        status, answer = self.call(operation, request)
        if status == 200:
            raise Mismatch(f"{operation} was let through\n  server: {answer}\n"
                           f"  model:  {refusal}")
        code = answer.get("__type", "").split("#")[-1]
        expect(f"{operation}: the error", (status, code), (400, refusal.code))
        return answer

    # ---- tables

    def create(self):
        for t, table in enumerate(self.tables):
            request = {"TableName": f"@{t}", "BillingMode": "PAY_PER_REQUEST",
                       "KeySchema": table.keys.schema(),
                       "AttributeDefinitions": table.definitions()}
            for member, is_global in (("GlobalSecondaryIndexes", True),
                                      ("LocalSecondaryIndexes", False)):
                indexes = [index.described() for index in table.indexes
                           if index.is_global == is_global]
                if indexes:
                    request[member] = indexes
            if table.stream:
                request["StreamSpecification"] = {"StreamEnabled": True,
                                                  "StreamViewType": table.stream}
            self.must("CreateTable", request)
            self.follow(t, self.await_active(t))

    def drop(self):
        for t in range(len(self.tables)):
            self.settle(t)
            self.must("DeleteTable", {"TableName": f"@{t}"})

    def await_active(self, t):
        """Waits until neither the table nor one of its indexes is on its way to something."""
        deadline = time.monotonic() + INDEX_SECONDS
        while True:
            described = self.must("DescribeTable", {"TableName": f"@{t}"})["Table"]
            states = [described["TableStatus"]]
            states += [index["IndexStatus"]
                       for index in described.get("GlobalSecondaryIndexes", ())]
            if set(states) == {"ACTIVE"}:
                return described
            if time.monotonic() > deadline:
                raise Mismatch(f"the table stays {states}")
            time.sleep(0.001)

    def settle(self, t):
        """Indexes that were on their way have come, or are gone."""
        table = self.tables[t]
        if all(index.state == "ACTIVE" for index in table.indexes):
            return
        self.await_active(t)
        table.indexes = [index for index in table.indexes if index.state != "DELETING"]
        for index in table.indexes:
            index.state = "ACTIVE"

    def is_moving(self):
        return any(index.state != "ACTIVE" for table in self.tables for index in table.indexes)

    def settle_all(self):
        for t in range(len(self.tables)):
            self.settle(t)

    # ---- streams

    def follow(self, t, described):
        """A new follower of the table's stream; it begins at the beginning."""
        table = self.tables[t]
        self.followers.pop(t, None)
        if table.stream:
            self.followers[t] = Follower(self, described["LatestStreamArn"], table.stream, expect)

    def check_stream(self, t):
        table = self.tables[t]
        if t not in self.followers:
            return
        self.followers[t].read_on()
        self.followers[t].compare(table.changes,
                                  lambda keys: repr_key(table.keys.values(keys)))

    def play_stream(self, operation):
        t = operation["t"]
        self.check_stream(t)
        if t in self.followers:
            self.followers[t].check_numbers(operation["pick"])

    def play_switch_stream(self, operation):
        """Turns the stream off, which can be read to its end all the same, or a new one on."""
        t, view = operation["t"], operation["view"]
        table = self.tables[t]
        if bool(view) == bool(table.stream):
            return  # possible in a shortened run only
        wanted = {"StreamEnabled": bool(view), **({"StreamViewType": view} if view else {})}
        self.must("UpdateTable", {**operation["request"], "StreamSpecification": wanted})
        described = self.await_active(t)
        if not view:
            self.check_stream(t)
        table.stream, table.changes = view, []
        self.follow(t, described)

    # ---- playing

    def play(self, operation):
        if not operation.get("during") or self.is_uncertain(operation):
            self.settle_all()
        self.pending = []
        try:
            getattr(self, "play_" + (
                "single" if operation["kind"] in WRITES else operation["kind"]))(operation)
        except (WireError, KeyError, TypeError, ValueError) as problem:
            raise Mismatch(f"{operation['operation']}: the answer has another shape: "
                           f"{type(problem).__name__} {problem}") from problem
        self.pending = []

    def is_uncertain(self, operation):
        """Does it depend on whether an index is still on its way out?"""
        parts = operation.get("writes", [operation] if "plan" in operation else [])
        for part in parts:
            table, plan = self.tables[part["t"]], self.understood(part["plan"])
            everything = table.indexes
            outcomes = [outcome(table, plan)]
            table.indexes = [index for index in everything if index.state != "DELETING"]
            outcomes.append(outcome(table, plan))
            table.indexes = everything
            if outcomes[0] != outcomes[1]:
                return True
        return False

    def apply(self, writes):
        for write in writes:
            write.apply()
        self.pending = []

    def check_capacity(self, what, request, answer, consumptions, mirror=None):
        """consumptions: one or a list; ConsumedCapacity has to be just that."""
        detail = request.get("ReturnConsumedCapacity", "NONE")
        if detail == "NONE":
            expect(f"{what}: ConsumedCapacity", "ConsumedCapacity" in answer, False)
            return
        shown = answer["ConsumedCapacity"]
        several = isinstance(consumptions, list)
        wanted = consumptions if several else [consumptions]
        actual = [self.without_moving(entry, consumption.table)
                  for entry, consumption in zip(shown if several else [shown], wanted)]
        expected = [self.without_moving(consumption.shown(detail, mirror), consumption.table)
                    for consumption in wanted]
        if several:
            expect(f"{what}: tables in ConsumedCapacity", len(shown), len(wanted))
        expect(f"{what}: ConsumedCapacity", actual, expected)

    @staticmethod
    def without_moving(shown, table):
        """Nobody can say when an index that comes or goes is written; its arm is left out."""
        moving = {index.name for index in table.indexes if index.state != "ACTIVE"}
        if not moving:
            return shown
        arms = {name: arm for name, arm in shown.get("GlobalSecondaryIndexes", {}).items()
                if name not in moving}
        left = {member: value for member, value in shown.items()
                if member in ("TableName", "Table", "LocalSecondaryIndexes")}
        return {**left, "GlobalSecondaryIndexes": arms}

    def consumption_list(self, writes, mirror_factor):
        """The consumption of several writes, a table at a time."""
        found = {}
        for t, write in writes:
            consumption = found.setdefault(t, Consumption(self.tables[t], self.names[t]))
            consumption.add_write(write, mirror_factor)
        return list(found.values())

    # ---- single writes

    def play_single(self, operation):
        plan, request = operation["plan"], operation["request"]
        table = self.tables[operation["t"]]
        what = operation["operation"]
        try:
            write = table.plan_write(self.understood(plan))
        except Refusal as refusal:
            answer = self.refused(what, request, refusal)
            shown = decode_item(answer["Item"]) if "Item" in answer else None
            expect(f"{what}: the item with the error", shown, refusal.item)
            return
        self.pending = [write]
        answer = self.must(what, request)
        self.apply([write])
        shown = decode_item(answer["Attributes"]) if "Attributes" in answer else None
        expect(f"{what}: Attributes", shown,
               returned_attributes(write, plan, request.get("ReturnValues")))
        consumption = Consumption(table, self.names[operation["t"]])
        consumption.add_write(write)
        self.check_capacity(what, request, answer, consumption)
        metrics = self.metrics(write) if request.get("ReturnItemCollectionMetrics") == "SIZE" \
            and table.locals() else None
        expect(f"{what}: ItemCollectionMetrics", self.seen_metrics(
            answer.get("ItemCollectionMetrics")), metrics)

    @staticmethod
    def understood(plan):
        """The plan with the model's values in place of wire values."""
        read_ = dict(plan)
        for member in ("item", "key"):
            if member in plan:
                read_[member] = read_item(plan[member])
        return read_

    def metrics(self, write):
        (name, _), = write.table.keys.partition
        return {name: write.key[0]}, [0.0, 1.0]

    @staticmethod
    def seen_metrics(shown):
        if shown is None:
            return None
        return decode_item(shown["ItemCollectionKey"]), shown["SizeEstimateRangeGB"]

    # ---- several writes

    def check_metrics(self, what, operation, answer, writes):
        wanted = {}
        if operation["request"].get("ReturnItemCollectionMetrics") == "SIZE":
            for t, write in writes:
                if write.table.locals():
                    entries = wanted.setdefault(self.names[t], [])
                    if self.metrics(write) not in entries:
                        entries.append(self.metrics(write))
        shown = {name: [self.seen_metrics(entry) for entry in entries]
                 for name, entries in answer.get("ItemCollectionMetrics", {}).items()}

        def ordered(metrics):
            return {name: sorted(entries, key=lambda entry: repr(encode_item(entry[0])))
                    for name, entries in metrics.items()}

        expect(f"{what}: ItemCollectionMetrics", ordered(shown), ordered(wanted))

    def play_batch_write(self, operation):
        what = "BatchWriteItem"
        try:
            writes = [(part["t"], self.tables[part["t"]].plan_write(self.understood(part["plan"])))
                      for part in operation["writes"]]
        except Refusal as refusal:
            self.refused(what, operation["request"], refusal)
            return
        self.pending = [write for _, write in writes]
        answer = self.must(what, operation["request"])
        self.apply([write for _, write in writes])
        expect(f"{what}: UnprocessedItems", answer["UnprocessedItems"], {})
        self.check_capacity(what, operation["request"], answer, self.consumption_list(writes, 1))
        self.check_metrics(what, operation, answer, writes)

    def play_transact_write(self, operation):
        what = "TransactWriteItems"
        request = operation["request"]
        if operation.get("token"):
            request = {**request, "ClientRequestToken": f"token-{next(self.serial)}-"
                                                        f"{time.time_ns() % 10**12}"}
        writes, reasons, is_static = self.planned(operation)
        if any(reasons):
            self.check_cancelled(what, request, (reasons, is_static))
            return
        self.pending = [write for _, write in writes]
        answer = self.must(what, request)
        self.apply([write for _, write in writes])
        self.check_capacity(what, request, answer, self.consumption_list(writes, 2),
                            "WriteCapacityUnits")
        changing = [(t, write) for (t, write), part in zip(writes, operation["writes"])
                    if part["plan"]["kind"] != "check"]
        self.check_metrics(what, operation, answer, changing)
        if operation.get("token") == "again":
            self.check_replay(what, request, writes)
        elif operation.get("token") == "other":
            other = {**request, "TransactItems": request["TransactItems"][:1] + [
                {"Delete": {"TableName": "@0", "Key": self.unused_key(0)}}]}
            self.refused(what, other, Refusal("IdempotentParameterMismatchException", "token"))

    def unused_key(self, t):
        values = {"S": {"S": "no item"}, "N": {"N": "-77.125"}, "B": {"B": "bm8gaXRlbQ=="}}
        return {name: values[kind] for name, kind in self.tables[t].keys.all}

    def planned(self, operation, in_transaction=True):
        """(writes, a Refusal or None for each, whether one of them is for the request's form)."""
        writes, reasons, is_static = [], [], False
        for part in operation["writes"]:
            table, plan = self.tables[part["t"]], self.understood(part["plan"])
            try:
                table.check_static(plan)
            except Refusal:
                is_static = True
            try:
                writes.append((part["t"], table.plan_write(plan, in_transaction)))
                reasons.append(None)
            except Refusal as refusal:
                reasons.append(refusal)
        return writes, reasons, is_static

    def check_cancelled(self, what, request, refusals):
        """Each action's reason in order; what is wrong in form may also refuse the whole."""
        reasons, is_static = refusals
        status, answer = self.call(what, request)
        code = answer.get("__type", "").split("#")[-1]
        if status == 200:
            raise Mismatch(f"{what} was let through\n  server: {answer}\n"
                           f"  model:  {[str(reason) for reason in reasons]}")
        is_empty = any("empty" in str(reason) or "large" in str(reason) for reason in reasons)
        if code == "ValidationException" and (is_static or is_empty):
            return
        expect(f"{what}: the error", (status, code), (400, "TransactionCanceledException"))
        names = {"ValidationException": "ValidationError",
                 "ConditionalCheckFailedException": "ConditionalCheckFailed",
                 "DuplicateItemException": "DuplicateItem"}
        shown = [(reason["Code"], decode_item(reason["Item"]) if "Item" in reason else None)
                 for reason in answer["CancellationReasons"]]
        wanted = [("None", None) if reason is None else (names[reason.code], reason.item)
                  for reason in reasons]
        if is_static:  # then the others are not looked at
            shown = [one for one in shown if one[0] == "ValidationError"]
            wanted = [one for one in wanted if one[0] == "ValidationError"]
            expect(f"{what}: ValidationErrors", bool(shown), bool(wanted))
            return
        expect(f"{what}: CancellationReasons", shown, wanted)
        text = "[" + ", ".join(code for code, _ in wanted) + "]"
        expect(f"{what}: the reasons in the message", answer["Message"].endswith(text), True)

    def check_replay(self, what, request, writes):
        """The same token again: nothing is written, and it costs what reading would."""
        answer = self.must(what, request)
        found = {}
        for t, write in writes:
            consumption = found.setdefault(t, Consumption(self.tables[t], self.names[t]))
            larger = max(item_size(write.old or {}), item_size(write.new or {}))
            consumption.units += 2 * read_units(larger, True)
        self.check_capacity(f"{what} again", request, answer, list(found.values()),
                            "ReadCapacityUnits")

    # ---- reads of single items

    def stored(self, t, key):
        table = self.tables[t]
        return table.items.get(table.keys.values(read_item(key)))

    @staticmethod
    def cut(item, paths):
        return item if item is None or paths is None else project(item, paths)

    def play_get(self, operation):
        request, t = operation["request"], operation["t"]
        answer = self.must("GetItem", request)
        item = self.stored(t, request["Key"])
        shown = decode_item(answer["Item"]) if "Item" in answer else None
        expect("GetItem: Item", shown, self.cut(item, operation["paths"]))
        consumption = Consumption(self.tables[t], self.names[t])
        consumption.units = read_units(item_size(item or {}),
                                       request.get("ConsistentRead", False))
        self.check_capacity("GetItem", request, answer, consumption)

    def play_batch_get(self, operation):
        request = operation["request"]
        answer = self.must("BatchGetItem", request)
        rest = self.unprocessed(request, answer)
        consumptions = []
        wanted = {}
        bytes_ = 0
        for part in operation["parts"]:
            t = part["t"]
            asked = request["RequestItems"][f"@{t}"]
            consumption = Consumption(self.tables[t], self.names[t])
            items = [self.stored(t, key) for key in asked["Keys"]
                     if read_item(key) not in rest.get(t, [])]
            bytes_ += sum(item_size(item or {}) for item in items)
            consistent = asked.get("ConsistentRead", False)
            consumption.units = sum(read_units(item_size(item or {}), consistent)
                                    for item in items)
            consumptions.append(consumption)
            wanted[self.names[t]] = [self.cut(item, part["paths"]) for item in items if item]
        shown = {name: [decode_item(item) for item in items]
                 for name, items in answer["Responses"].items()}
        expect("BatchGetItem: tables", set(shown), set(wanted))
        for name, items in wanted.items():
            expect_same("BatchGetItem: items", shown[name], items)
        expect("BatchGetItem: it fits", bytes_ <= BATCH_BYTES_MAX, True)
        self.check_capacity("BatchGetItem", request, answer, consumptions)

    def unprocessed(self, request, answer):
        """The keys that come back, by table: only where all of it would be too much."""
        rest, bytes_ = {}, 0
        for t, name in enumerate(self.names):
            if f"@{t}" not in request["RequestItems"]:
                continue
            asked = request["RequestItems"][f"@{t}"]
            bytes_ += sum(item_size(self.stored(t, key) or {}) for key in asked["Keys"])
            if name in answer["UnprocessedKeys"]:
                again = answer["UnprocessedKeys"][name]
                rest[t] = [decode_item(key) for key in again["Keys"]]
                expect("BatchGetItem: UnprocessedKeys' options",
                       {**again, "Keys": None}, {**asked, "Keys": None})
        expect("BatchGetItem: has UnprocessedKeys", bool(rest), bytes_ > BATCH_BYTES_MAX)
        return rest

    def play_transact_get(self, operation):
        request = operation["request"]
        answer = self.must("TransactGetItems", request)
        found, wanted = {}, []
        for get, element in zip(operation["gets"], request["TransactItems"]):
            t = get["t"]
            item = self.stored(t, element["Get"]["Key"])
            wanted.append(self.cut(item, get["paths"]) or None)
            consumption = found.setdefault(t, Consumption(self.tables[t], self.names[t]))
            consumption.units += 2 * read_units(item_size(item or {}), True)
        shown = [decode_item(response["Item"]) if "Item" in response else None
                 for response in answer["Responses"]]
        expect("TransactGetItems: Responses", shown, wanted)
        self.check_capacity("TransactGetItems", request, answer, list(found.values()),
                            "ReadCapacityUnits")

    # ---- pages

    def rows_of(self, table, index, conditions):
        """The model's rows, in the order of their keys within a partition."""
        keys = index.keys if index else table.keys
        understood = {name: [operator, *map(read, values)]
                      for name, (operator, *values) in conditions.items()}
        rows = [row for row in table.entries(index) if matches(keys, understood, row[0])]
        return sorted(rows, key=lambda row: keys.order(row[0]))

    def whole(self, operation, request, table, index):
        """Every row of a read without filter or limit, as (entry, item) in the server's order."""
        request = {member: value for member, value in request.items()
                   if member in ("TableName", "IndexName", "ConsistentRead", "Segment",
                                 "TotalSegments")}
        shown = []
        while True:
            answer = self.must(operation, request)
            shown += [decode_item(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        rows = []
        for entry in shown:
            item = table.items.get(table.keys.values(entry))
            expected = item if index is None else table.entry(index, item)
            expect(f"{operation}: an item", entry, expected)
            rows.append((entry, item))
        return rows

    def check_order(self, what, rows, keys):
        """Items of one partition lie together, in the order of their sort keys."""
        seen = set()
        last = None
        for entry, _ in rows:
            partition = repr_key(keys.partition_of(entry))
            if last is None or partition != last[0]:
                expect(f"{what}: a partition comes once", partition in seen, False)
                seen.add(partition)
            elif keys.order(entry) < last[1]:
                raise Mismatch(f"{what}: the order of sort keys differs\n  server: {entry}")
            last = partition, keys.order(entry)

    def play_query(self, operation):
        request, read_ = operation["request"], operation["read"]
        table = self.tables[operation["t"]]
        if not table.has_index(read_["index"]):
            return  # possible in a shortened run only
        index = table.index(read_["index"]) if read_["index"] else None
        keys = index.keys if index else table.keys
        rows = self.rows_of(table, index, read_["conditions"])
        orders = [keys.order(entry) for entry, _ in rows]
        if any(a == b for a, b in zip(orders, orders[1:])):
            rows = self.tied_rows(operation, rows)
        if not read_["forward"]:
            rows = rows[::-1]
        rows = after_start(rows, read_, table)
        self.check_pages("Query", operation, request, (rows, table, index))

    def tied_rows(self, operation, rows):
        """Items with equal keys of an index have no order, but they keep the one they have."""
        plain = {member: operation["request"][member] for member in ("TableName", "IndexName")}
        table = self.tables[operation["t"]]
        index = table.index(operation["read"]["index"])
        conditions = operation["read"]["conditions"]
        names, values, texts = {}, {}, []
        for number, (name, (operator, value, *more)) in enumerate(conditions.items()):
            if operator != "=" and name not in [pair[0] for pair in index.keys.partition]:
                break
            names[f"#k{number}"], values[f":k{number}"] = name, value
            texts.append(f"#k{number} = :k{number}")
        plain = {**plain, "KeyConditionExpression": " AND ".join(texts)}
        shown, start = [], {}
        while True:
            answer = self.must("Query", {**plain, **start, "ExpressionAttributeNames": names,
                                         "ExpressionAttributeValues": values})
            shown += [decode_item(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                break
            start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}
        places = {repr_key(table.keys.values(entry)): place for place, entry in enumerate(shown)}
        wanted = {repr_key(table.keys.values(entry)) for entry, _ in rows}
        expect("Query: items missing", wanted - set(places), set())
        found = sorted(rows, key=lambda row: places[repr_key(table.keys.values(row[0]))])
        self.check_order("Query", found, index.keys)
        return found

    def play_scan(self, operation):
        request, read_ = operation["request"], operation["read"]
        table = self.tables[operation["t"]]
        if not table.has_index(read_["index"]):
            return  # possible in a shortened run only
        index = table.index(read_["index"]) if read_["index"] else None
        if "segments" not in read_:
            rows = self.whole("Scan", request, table, index)
            self.check_whole(rows, table, index)
            self.check_pages("Scan", operation, request, (rows, table, index))
            return
        total = read_["segments"]
        segments = range(total) if total < 10 else ()
        everything = []
        for segment in segments:
            part = {**request, "Segment": segment, "TotalSegments": total}
            rows = self.whole("Scan", part, table, index)
            everything += rows
            if segment == total // 2:
                self.check_pages("Scan", operation, part, (rows, table, index))
        if segments:
            self.check_whole(everything, table, index)
        else:
            part = {**request, "Segment": total - 1, "TotalSegments": total}
            rows = self.whole("Scan", part, table, index)
            self.check_pages("Scan", operation, part, (rows, table, index))

    def check_whole(self, rows, table, index):
        keys = index.keys if index else table.keys
        shown = [repr_key(table.keys.values(entry)) for entry, _ in rows]
        wanted = [repr_key(table.keys.values(entry)) for entry, _ in table.entries(index)]
        expect("Scan: the items", sorted(shown), sorted(wanted))
        self.check_order("Scan", rows, keys)

    def check_pages(self, what, operation, request, expected):
        """Reads to the end; each page has to be just what the model says."""
        rows, table, index = expected
        read_ = operation["read"]
        request = dict(request)
        for page in pages_of(rows, read_):
            answer = self.must(what, request)
            if read_["counts"]:
                expect(f"{what}: Items with COUNT", "Items" in answer, False)
            else:
                expect(f"{what}: Items", [decode_item(item) for item in answer["Items"]],
                       page.items)
            expect(f"{what}: counts", (answer["Count"], answer["ScannedCount"]),
                   (len(page.items), page.scanned))
            self.check_capacity(what, request, answer, self.page_consumption(
                operation, page, index))
            last = page.last and start_key(table, index, page.last)
            shown = answer.get("LastEvaluatedKey")
            expect(f"{what}: LastEvaluatedKey", shown and decode_item(shown), last)
            request["ExclusiveStartKey"] = shown

    def page_consumption(self, operation, page, index):
        read_, t = operation["read"], operation["t"]
        consumption = Consumption(self.tables[t], self.names[t])
        units = read_units(page.bytes, read_["consistent"])
        if index is None:
            consumption.units = units
        else:
            consumption.add_index(index, units)
            consumption.units = page.fetched_units
        return consumption

    # ---- tables and indexes

    def play_describe(self, operation):
        self.check_description(operation["t"])

    def check_description(self, t):
        table = self.tables[t]
        described = self.must("DescribeTable", {"TableName": f"@{t}"})["Table"]
        expect("DescribeTable: ItemCount, TableSizeBytes",
               (described["ItemCount"], described["TableSizeBytes"]), table.counts())
        indexes = {index["IndexName"]: (index["ItemCount"], index["IndexSizeBytes"])
                   for member in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
                   for index in described.get(member, ())}
        expect("DescribeTable: indexes", indexes,
               {index.name: table.counts(index) for index in table.indexes})
        definitions = sorted(described["AttributeDefinitions"], key=repr)
        expect("DescribeTable: AttributeDefinitions",
               {entry["AttributeName"] for entry in table.definitions()}
               - {entry["AttributeName"] for entry in definitions}, set())

    def play_create_index(self, operation):
        t = operation["t"]
        table = self.tables[t]
        index = read_index(operation["index"])
        kinds = {name: kind for keys in table.all_keys() for name, kind in keys.all}
        if any(index.name == other.name for other in table.indexes) or any(
                kinds.get(name, kind) != kind for name, kind in index.keys.all):
            return  # possible in a shortened run only
        table.indexes.append(index)
        index.state = "CREATING"
        self.must("UpdateTable", {
            **operation["request"], "AttributeDefinitions": table.definitions(),
            "GlobalSecondaryIndexUpdates": [{"Create": index.described()}]})

    def play_delete_index(self, operation):
        table = self.tables[operation["t"]]
        found = [index for index in table.indexes if index.name == operation["index"]]
        if not found:
            return  # possible in a shortened run only
        found[0].state = "DELETING"
        self.must("UpdateTable", {
            **operation["request"],
            "GlobalSecondaryIndexUpdates": [{"Delete": {"IndexName": found[0].name}}]})

    # ---- what has to be refused

    def play_invalid(self, operation):
        what = f"{operation['operation']} ({operation['why']})"
        if "raw" in operation:
            status, answer = self.connection.send(operation["operation"],
                                                  operation["raw"].encode())
        else:
            status, answer = self.call(operation["operation"], operation["request"])
        if not 400 <= status < 500:
            raise Mismatch(f"{what} was not refused\n  server: {status} {answer}")
        if status != 413:  # too long a body is refused before anybody reads it
            expect(f"{what}: the error has a type", bool(answer.get("__type")), True)
        self.check_description(operation["t"])

    # ---- after the server has gone away

    def reconcile(self):
        """The request that got no answer was either carried out whole or not at all."""
        for t, table in enumerate(self.tables):
            described = self.await_active(t)
            names = {index["IndexName"] for index in described.get("GlobalSecondaryIndexes", ())}
            table.indexes = [index for index in table.indexes
                             if not index.is_global or index.name in names]
            for index in table.indexes:
                index.state = "ACTIVE"
            self.restream(t, described)
        pending, self.pending = self.pending, []
        try:
            self.check_all()
        except Mismatch:
            if not pending:
                raise
            self.apply(pending)
            self.check_all()

    def restream(self, t, described):
        """The table's stream as it is now; a switch that got no answer may have happened."""
        table = self.tables[t]
        shown = described.get("StreamSpecification", {})
        view = shown.get("StreamViewType") if shown.get("StreamEnabled") else None
        if bool(view) != bool(table.stream):
            table.stream, table.changes = view, []
        self.follow(t, described)

    # ---- everything

    def check_all(self):
        """Each table, each index and each stream, whole."""
        for t, table in enumerate(self.tables):
            self.settle(t)
            self.check_description(t)
            for index in [None, *table.indexes]:
                request = {"TableName": f"@{t}"}
                if index is not None:
                    request["IndexName"] = index.name
                self.check_whole(self.whole("Scan", request, table, index), table, index)
            self.check_stream(t)


def outcome(table, plan):
    """What refuses the write, or None."""
    try:
        table.plan_write(plan)
        return None
    except Refusal as refusal:
        return str(refusal)
