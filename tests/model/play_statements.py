# SPDX-License-Identifier: Apache-2.0
"""Plays PartiQL: a part of the player."""
from differ import Mismatch, expect, expect_same
from expressions import Refusal, follow, holds, project, touched
from model import Consumption, read_units
from values import decode_item, item_size, read

# What a clause may be refused for that names keys in ways a plan cannot follow. Whether it is, is
# the planner's business; if it answers, the answer has to be right.
PLANNING = ("Overlapping conditions", "Too many decomposed", "Key value must be of type",
            "Key attribute's data type", "cannot contain an empty", "exceeded the maximum size",
            "exceeded the size limit")


class StatementPlayer:
    """Needs the player's call, must, refused, tables and check_capacity."""

    def play_statement(self, operation):
        if operation["plan"] is None:
            self.play_select(operation)
            return
        what = "ExecuteStatement"
        table, request = self.tables[operation["t"]], operation["request"]
        try:
            write = table.plan_write(self.understood(operation["plan"]))
        except Refusal as refusal:
            answer = self.refused(what, request, refusal)
            shown = decode_item(answer["Item"]) if "Item" in answer else None
            expect(f"{what}: the item with the error", shown, refusal.item)
            return
        self.pending = [write]
        answer = self.must(what, request)
        self.apply([write])
        wanted = self.returned(write, operation)
        expect(f"{what}: RETURNING", [decode_item(item) for item in answer["Items"]],
               [wanted] if wanted else [])
        consumption = Consumption(table, self.names[operation["t"]])
        consumption.add_write(write)
        self.check_capacity(what, request, answer, consumption)

    @staticmethod
    def returned(write, operation):
        wanted = operation.get("returning")
        if wanted is None:
            return None
        item = write.old if wanted.endswith("OLD") else write.new
        if item is None or wanted.startswith("ALL"):
            return item
        return project(item, touched(operation["plan"]["update"]))

    # ---- SELECT

    def play_select(self, operation):
        table = self.tables[operation["t"]]
        if not table.has_index(operation["index"]):
            return  # possible in a shortened run only
        index = table.index(operation["index"]) if operation["index"] else None
        rows = [(entry, item) for entry, item in table.entries(index)
                if operation["where"] is None or holds(operation["where"], entry)]
        shown = self.read_select(operation)
        if shown is None:
            return
        wanted = [self.columned(entry, item, (operation["columns"], table, index))
                  for entry, item in rows]
        if operation["form"] in ("partition", "key"):
            self.check_selected_order(operation, rows, (index.keys if index else table.keys, shown))
        expect_same("ExecuteStatement: Items", shown, wanted)

    def read_select(self, operation):
        """All pages; None when the clause was refused by what plans it."""
        request, shown = dict(operation["request"]), []
        while True:
            status, answer = self.call("ExecuteStatement", request)
            if status != 200:
                if operation["form"] in ("any", "several") and any(
                        text in answer.get("message", "") for text in PLANNING):
                    return None
                raise Mismatch(f"ExecuteStatement was refused\n  server: {status} {answer}")
            shown += [decode_item(item) for item in answer["Items"]]
            if operation["form"] == "key" and operation["index"] is None:
                self.check_key_units(operation, answer)
            if "NextToken" not in answer:
                return shown
            request["NextToken"] = answer["NextToken"]

    def check_key_units(self, operation, answer):
        """A SELECT by the whole key costs what GetItem would."""
        table, t = self.tables[operation["t"]], operation["t"]
        key = dict(equalities(operation["where"], table.keys.names))
        item = table.items.get(table.keys.values(key))
        size = item_size(item or {})
        consumption = Consumption(table, self.names[t])
        consumption.units = read_units(size, operation["request"].get("ConsistentRead", False))
        self.check_capacity("ExecuteStatement", operation["request"], answer, consumption)

    @staticmethod
    def columned(entry, item, how):
        columns, table, index = how
        if columns is None:
            return entry
        lacks = index is not None and not all(table.projects(index, path[0]) for path in columns)
        source = item if lacks else entry
        found = {path[-1]: follow(source, path) for path in columns}
        return {name: value for name, value in found.items() if value is not None}

    def check_selected_order(self, operation, rows, how):
        """Of one partition: ascending, or as ORDER BY says."""
        keys, shown = how
        if operation["columns"] is not None or not keys.sort:
            return
        orders = [keys.order(entry)[0] for entry in shown]
        wanted = sorted(orders, reverse=operation["order"] == "DESC")
        if operation["order"] is None and len(keys.sort) > 1:
            return
        expect("ExecuteStatement: the order", orders, wanted)
        expect("ExecuteStatement: how many", len(shown), len(rows))

    # ---- several statements

    def play_batch_statement(self, operation):
        what = "BatchExecuteStatement"
        writes, reasons, _ = self.planned(operation, in_transaction=False)
        self.pending = [write for _, write in writes]
        answer = self.must(what, operation["request"])
        self.apply([write for _, write in writes])
        names = {"ValidationException": "ValidationError", "DuplicateItemException": "DuplicateItem",
                 "ConditionalCheckFailedException": "ConditionalCheckFailed", None: None}
        shown = [response.get("Error", {}).get("Code") for response in answer["Responses"]]
        expect(f"{what}: errors", shown, [names[reason and reason.code] for reason in reasons])

    def play_transact_statement(self, operation):
        what = "ExecuteTransaction"
        request = operation["request"]
        writes, reasons, is_static = self.planned(operation)
        if any(reasons):
            self.check_cancelled(what, request, (reasons, is_static))
            return
        self.pending = [write for _, write in writes]
        answer = self.must(what, request)
        self.apply([write for _, write in writes])
        expect(f"{what}: Responses", answer["Responses"], [])
        self.check_capacity(what, request, answer, self.consumption_list(writes, 2),
                            "WriteCapacityUnits")


def equalities(where, names):
    """[(attribute, value)…] that the terms of a clause's top demand of these attributes."""
    if where[0] == "and":
        return equalities(where[1], names) + equalities(where[2], names)
    if where[0] == "=" and where[1][0] == "path" and where[2][0] == "value" \
            and len(where[1][1]) == 1 and where[1][1][0] in names:
        return [(where[1][1][0], read(where[2][1]))]
    return []
