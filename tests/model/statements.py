# SPDX-License-Identifier: Apache-2.0
"""Random PartiQL statements, made together with the plans that mean the same.

The table's name stands in them as "@0"; a marker stands where a parameter goes, until the text is
complete and it is known which of them comes first.
"""
import re

from expressions import Writer
from reads import key_literal, near
from values import encode, read

STATEMENT_MAX = 8192
MARKER = re.compile("\x02(\\d+)\x03")
RETURNING = ("ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW")


class StatementWriter(Writer):
    """Writes trees as PartiQL."""

    def __init__(self, random, literals=0.6):
        super().__init__(random, ())
        self.literals = literals
        self.given = []

    def finish(self, text):
        """{"Statement", "Parameters"}."""
        parameters = [self.given[int(number)] for number in MARKER.findall(text)]
        statement = {"Statement": MARKER.sub("?", text)}
        if parameters:
            statement["Parameters"] = parameters
        return statement

    def name(self, name):
        if re.fullmatch(r"zz?[a-z]", name) and self.chance(0.5):
            return name
        return '"' + name.replace('"', '""') + '"'

    def value(self, wire):
        text = self.literal(wire) if self.chance(self.literals) else None
        if text is not None and len(text) < 500:
            return text
        self.given.append(wire)
        return f"\x02{len(self.given) - 1}\x03"

    def literal(self, wire):
        """None where there is no literal for it: binaries."""
        (kind, data), = wire.items()
        if kind == "S":
            return "'" + data.replace("'", "''") + "'"
        if kind == "N":
            return encode(read(wire))["N"]
        if kind == "BOOL":
            return self.word("TRUE" if data else "FALSE")
        if kind == "NULL":
            return self.word("NULL")
        if kind in ("SS", "NS"):
            return self.joined("<<", [self.literal({kind[0]: member}) for member in data], ">>")
        if kind == "L":
            return self.joined("[", [self.literal(element) for element in data], "]")
        if kind == "M":
            members = [(name, self.literal(element)) for name, element in data.items()]
            if any(text is None for _, text in members):
                return None
            return self.joined("{", [self.literal({"S": name}) + self.space() + ":" + self.space()
                                     + text for name, text in members], "}")
        return None

    def joined(self, begin, texts, end):
        if any(text is None for text in texts):
            return None
        return begin + self.space() + (self.space() + "," + self.space()).join(texts) \
            + self.space() + end

    def simple(self, node):
        """Where PartiQL has words of its own for a condition, often those."""
        kind = node[0]
        if kind in ("exists", "not_exists") and self.chance(0.7):
            words = "IS NOT MISSING" if kind == "exists" else "IS MISSING"
            return self.path(node[1]) + " " + self.word(words)
        names = {"NULL": "NULL", "BOOL": "BOOLEAN", "S": "STRING", "N": "NUMERIC", "B": "BLOB",
                 "L": "LIST", "M": "STRUCT"}
        if kind == "type" and node[1][0] == "path" and node[2] in names and self.chance(0.6):
            return self.path(node[1][1]) + " " + self.word("IS") + " " + self.word(names[node[2]])
        if kind == "in":
            begin, end = self.random.choice(("[]", "()", ("<<", ">>")))
            listed = self.joined(begin, [self.operand(one) for one in node[2]], end)
            return self.operand(node[1]) + " " + self.word("IN") + " " + listed
        return super().simple(node)

    def gap(self):
        return self.random.choice((" ", "  ", "\n", " /* and */ ", " -- so\n")) \
            if self.chance(0.1) else " "

    def change(self, node):
        """A new value of SET."""
        kind = node[0]
        if kind in ("path", "value"):
            return self.operand(node)
        left, right = self.change(node[1]), self.change(node[2])
        if kind == "list_append":
            return self.call(kind, left, right)
        # Not without the spaces: two signs begin a comment.
        return self.enclosed(f"{left} {kind} {right}")


class Statements:
    """Makes statements about one table."""

    def __init__(self, generator, t):
        self.generator = generator
        self.random = generator.random
        self.t = t
        self.table = generator.tables[t]

    def chance(self, probability):
        return self.random.random() < probability

    def writer(self):
        return StatementWriter(self.random, self.random.choice((0, 0.6, 1)))

    def written(self, text, writer, plan, **more):
        """The statement with its plan, or None when it has become too long."""
        statement = writer.finish(text)
        if len(statement["Statement"].encode()) > STATEMENT_MAX - 200:
            return None
        return {"t": self.t, "statement": statement, "plan": plan, **more}

    # ---- clauses

    def where(self, writer, key, condition):
        parts = [self.equality(writer, name, value) for name, value in key.items()]
        if condition is not None:
            parts.append(writer.condition(condition, 2))
        self.random.shuffle(parts)
        return " " + writer.word("WHERE") + " " + f" {writer.word('AND')} ".join(parts)

    def equality(self, writer, name, value):
        sides = [writer.name(name), writer.value(value)]
        if self.chance(0.1):
            sides.reverse()
        return writer.enclosed(sides[0] + writer.space() + "=" + writer.space() + sides[1])

    def condition(self, item, chance=0.4):
        """On what is no key, or None: a key would be taken for the item's own."""
        if not self.chance(chance):
            return None
        without = self.table.keys.names
        return self.generator.conditions(self.t, item, without=without).tree()

    def returning(self, writer, choices):
        if not self.chance(0.5):
            return "", None
        wanted = self.random.choice(choices)
        return f" {writer.word('RETURNING ' + wanted)} *", wanted

    # ---- writes

    def insert(self):
        item = self.generator.item(self.t)
        writer = self.writer()
        members = [writer.literal({"S": name}) + ":" + writer.space() + self.member(writer, value)
                   for name, value in item.items()]
        text = writer.word("INSERT INTO") + f' "@{self.t}" ' + writer.word("VALUE") + " " \
            + writer.joined("{", members, "}")
        return self.written(text, writer, {"kind": "put", "item": item, "new": True})

    @staticmethod
    def member(writer, wire):
        """Of the item itself parameters may be members, but not of what is inside."""
        return writer.value(wire)

    def update(self, in_transaction=False):
        key, item = self.generator.key(self.t, hit=0.85)
        tree = {}
        while not tree:
            tree = self.spoken(self.generator.update_tree(self.t, item))
        writer = self.writer()
        condition = self.condition(item)
        suffix, wanted = ("", None) if in_transaction else self.returning(writer, RETURNING)
        text = writer.word("UPDATE") + f' "@{self.t}" ' + self.changes(writer, tree) \
            + self.where(writer, key, condition) + suffix
        there = ["exists", [self.table.keys.names[0]]]
        plan = {"kind": "update", "key": key, "update": tree, "flat": True,
                "condition": ["and", there, condition] if condition else there}
        return self.written(text, writer, plan, returning=wanted)

    @staticmethod
    def spoken(tree):
        """The update in words that PartiQL has."""
        sets = []
        for path, node in tree.get("SET", ()):
            sides = [side[2] if side[0] == "if_not_exists" else side for side in node[1:]
                     if isinstance(side, list) and side and isinstance(side[0], str)]
            if node[0] == "if_not_exists":
                node = node[2]
            elif node[0] in ("+", "-", "list_append"):
                node = [node[0], *sides]
            sets.append([path, node])
        added = []
        for path, wire in tree.get("ADD", ()):
            if "N" in wire:
                sets.append([path, ["+", ["path", path], ["value", wire]]])
            else:
                added.append([path, wire])
        spoken = {"SET": sets, "REMOVE": tree.get("REMOVE", []), "ADD": added,
                  "DELETE": tree.get("DELETE", [])}
        return {section: actions for section, actions in spoken.items() if actions}

    def changes(self, writer, tree):
        texts = [writer.path(path) + " = " + writer.change(node)
                 for path, node in tree.get("SET", ())]
        for section, function in (("ADD", "set_add"), ("DELETE", "set_delete")):
            texts += [writer.path(path) + " = " + writer.call(function, writer.path(path),
                                                              writer.value(wire))
                      for path, wire in tree.get(section, ())]
        clauses = self.clauses(writer, "SET", texts)
        clauses += self.clauses(writer, "REMOVE", [writer.path(path)
                                                   for path in tree.get("REMOVE", ())])
        return " ".join(clauses)

    def clauses(self, writer, word, texts):
        """One for all of them, or one for each."""
        if texts and self.chance(0.5):
            return [writer.word(word) + " " + " , ".join(texts)]
        return [writer.word(word) + " " + text for text in texts]

    def delete(self, in_transaction=False):
        key, item = self.generator.key(self.t, hit=0.8)
        writer = self.writer()
        condition = self.condition(item)
        suffix, wanted = ("", None) if in_transaction else self.returning(writer, ("ALL OLD",))
        text = writer.word("DELETE FROM") + f' "@{self.t}"' + self.where(writer, key, condition) \
            + suffix
        gone = ["not_exists", [self.table.keys.names[0]]]
        plan = {"kind": "delete", "key": key, "condition": condition and ["or", gone, condition]}
        return self.written(text, writer, plan, returning=wanted)

    def exists(self):
        """A condition of a transaction."""
        key, item = self.generator.key(self.t, hit=0.9)
        writer = self.writer()
        condition = self.condition(item, 1)
        text = writer.word("EXISTS") + "(" + writer.word("SELECT") + f' * FROM "@{self.t}"' \
            + self.where(writer, key, condition) + ")"
        return self.written(text, writer, {"kind": "check", "key": key, "condition": condition})

    # ---- reads

    def select(self):
        index = self.random.choice([None, None, None, *self.table.indexes])
        keys = index.keys if index else self.table.keys
        entries = [entry for entry, _ in self.table.entries(index)]
        entry = self.random.choice(entries) if entries else None
        writer = self.writer()
        where, form = self.selection(keys, entry, index)
        columns = self.columns(entry, index)
        listed = ", ".join(map(writer.path, columns)) if columns else "*"
        source = f'"@{self.t}"' + (f'."{index.name}"' if index else "")
        text = writer.word("SELECT") + f" {listed} " + writer.word("FROM") + " " + source
        if where is not None:
            text += " " + writer.word("WHERE") + " " + writer.condition(where)
        order = None
        if form in ("partition", "key") and keys.sort and self.chance(0.4):
            order = self.random.choice(("ASC", "DESC"))
            text += f" {writer.word('ORDER BY')} {writer.name(keys.sort[0][0])} {order}"
        return self.written(text, writer, None, where=where, form=form, columns=columns,
                            order=order, index=index.name if index else None)

    def columns(self, entry, index):
        """Some paths whose last names differ, or None for all attributes."""
        if self.chance(0.6):
            return None

        def visible(name):
            return index is None or not index.is_global or self.table.projects(index, name)

        paths = self.generator.conditions(self.t, entry, only=visible).paths()
        chosen = {path[-1]: path for path in paths
                  if all(isinstance(step, str) for step in path)}
        return list(chosen.values()) or None

    def selection(self, keys, entry, index):
        """(condition, what is known of its form)."""
        without = keys.names if self.chance(0.8) else ()
        rest = self.generator.conditions(
            self.t, entry, without=without,
            only=lambda name: index is None or self.table.projects(index, name))
        more = rest.tree() if rest.names and self.chance(0.4) else None
        form = self.random.choice(("all", "any", "partition", "partition", "key", "several"))
        if form == "all":
            return None, form
        if form == "any":
            return (rest.tree() if rest.names else None), form
        terms = [["=", ["path", [name]], ["value", self.key_value(entry, name, kind)]]
                 for name, kind in keys.partition]
        if form == "several":
            terms = [self.several(keys, entry)]
        elif form == "key":
            terms += [["=", ["path", [name]], ["value", self.key_value(entry, name, kind)]]
                      for name, kind in keys.sort]
        elif keys.sort and self.chance(0.7):
            terms.append(self.sort_term(keys.sort[0], entry))
        if more is not None:
            terms.append(more)
        if without == ():
            form = "several"
        self.random.shuffle(terms)
        tree = terms[0]
        for term in terms[1:]:
            tree = ["and", tree, term]
        return tree, form

    def key_value(self, entry, name, kind):
        return near(self.generator, kind, entry[name]) if entry and self.chance(0.9) else \
            key_literal(self.generator, kind)

    def sort_term(self, pair, entry):
        name, kind = pair
        operator = self.random.choice(("<", "<=", ">", ">=", "between",
                                       ">" if kind == "N" else "begins_with"))
        value = ["value", self.key_value(entry, name, kind)]
        if operator == "between":
            return ["between", ["path", [name]], value, value]
        return [operator, ["path", [name]], value]

    def several(self, keys, entry):
        """Several partitions, by IN or OR."""
        name, kind = keys.partition[0]
        values = [["value", self.key_value(entry, name, kind)]
                  for _ in range(self.random.choice((1, 2, 3)))]
        if self.chance(0.5):
            return ["in", ["path", [name]], values]
        tree = ["=", ["path", [name]], values[0]]
        for value in values[1:]:
            branch = ["=", ["path", [name]], value]
            if keys.sort and self.chance(0.5):
                branch = ["and", branch, self.sort_term(keys.sort[0], entry)]
            tree = ["or", tree, branch]
        return tree


# ---- Operations -------------------------------------------------------------------------------


def make_statement(generator, t):
    statements = Statements(generator, t)
    make = generator.random.choice((statements.insert, statements.update, statements.update,
                                    statements.delete, statements.select, statements.select,
                                    statements.select))
    made = make()
    if made is None:
        return None
    request = made.pop("statement")
    generator.consumed(request)
    if made["plan"] is None:
        if generator.chance(0.4):
            request["Limit"] = generator.random.choice((1, 2, 3, 10))
        index = made["index"] and generator.tables[t].index(made["index"])
        if generator.chance(0.3) and not (index and index.is_global):
            request["ConsistentRead"] = True
    elif generator.chance(0.5):
        made["plan"]["show_old"] = generator.chance(0.7)
        request["ReturnValuesOnConditionCheckFailure"] = \
            "ALL_OLD" if made["plan"]["show_old"] else "NONE"
    return {"operation": "ExecuteStatement", "request": request, **made}


def several_writes(generator, t, is_transaction):
    """Statements that write, each about an item of its own."""
    made = {}
    for _ in range(generator.random.choice((1, 2, 3, 5))):
        table = generator.random.choice((t, generator.random.randrange(len(generator.tables))))
        statements = Statements(generator, table)
        choices = [statements.insert, lambda s=statements: s.update(True),
                   lambda s=statements: s.delete(True)]
        if is_transaction:
            choices.append(statements.exists)
        one = generator.random.choice(choices)()
        if one is not None:
            plan = one["plan"]
            wire = plan["item"] if plan["kind"] == "put" else plan["key"]
            keys = generator.tables[table].keys
            values = keys.values({name: read(wire[name]) for name in keys.names})
            made[table, values] = one
    return list(made.values())


def make_batch(generator, t):
    members = several_writes(generator, t, False)
    if not members:
        return None
    request = {"Statements": [member.pop("statement") for member in members]}
    return {"operation": "BatchExecuteStatement", "request": request, "writes": members}


def make_transaction(generator, t):
    members = several_writes(generator, t, True)
    if not members:
        return None
    request = {"TransactStatements": [member.pop("statement") for member in members]}
    generator.consumed(request)
    return {"operation": "ExecuteTransaction", "request": request, "writes": members}
