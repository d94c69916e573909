# SPDX-License-Identifier: Apache-2.0
"""Expressions as trees: what they mean, and how they may be written.

A tree is made of lists, so that an operation can be kept as JSON:

    condition  ["and", c, c] ["or", c, c] ["not", c] ["=", o, o] … ["between", o, o, o]
               ["in", o, [o…]] ["exists", path] ["not_exists", path] ["type", o, "S"]
               ["begins_with", o, o] ["contains", o, o]
    operand    ["path", path] ["value", AttributeValue] ["size", operand]
    path       [step…], a name is a string, an index a number
    new value  operand without size, ["+", o, o] ["-", o, o] ["list_append", v, v]
               ["if_not_exists", path, v]
    update     {"SET": [[path, new value]…], "REMOVE": [path…],
                "ADD": [[path, AttributeValue]…], "DELETE": [[path, AttributeValue]…]}
"""
import re

from values import ORDERED, SETS, levels, number_fits, read, sort_key, Decimal, LEVELS_MAX

SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")


class Refusal(Exception):
    """The service answers with this error and changes nothing."""

    def __init__(self, code, reason, item=None):
        super().__init__(f"{code}: {reason}")
        self.code = code
        self.reason = reason
        self.item = item


def invalid(reason):
    return Refusal("ValidationException", reason)


# ---- Paths ------------------------------------------------------------------------------------


def follow(item, path):
    """What stands at the path, or None."""
    found = ("M", item)
    for step in path:
        kind, data = found
        if isinstance(step, str) and kind == "M" and step in data:
            found = data[step]
        elif isinstance(step, int) and kind == "L" and step < len(data):
            found = data[step]
        else:
            return None
    return found


def project(item, paths):
    """The parts of an item that paths name; none leads into another."""
    return project_value(("M", item), paths)[1] if item is not None else None


def project_value(value, paths):
    """The part of a value, or None when the paths find nothing in it."""
    if [] in paths:
        return value
    kind, data = value
    parts = {}
    for step in dict.fromkeys(path[0] for path in paths):
        found = follow(data, [step]) if kind == "M" else None
        if kind == "L" and isinstance(step, int) and step < len(data):
            found = data[step]
        if found is None:
            continue
        part = project_value(found, [path[1:] for path in paths if path[0] == step])
        if part is not None and (part[0] not in "LM" or part[1] or part is found):
            parts[step] = part
    if kind == "L":
        return kind, tuple(parts[index] for index in sorted(parts))
    return (kind, parts) if kind == "M" else None


def overlap(a, b):
    """True when one update or projection may not have both paths."""
    for left, right in zip(a, b):
        if isinstance(left, str) != isinstance(right, str):
            return True
        if left != right:
            return False
    return True


# ---- Conditions -------------------------------------------------------------------------------


def operand(node, item):
    """The value of an operand, or None when there is none."""
    kind = node[0]
    if kind == "value":
        return read(node[1])
    if kind == "path":
        return follow(item, node[1])
    value = operand(node[1], item)
    if value is None or value[0] in ("N", "BOOL", "NULL"):
        return None
    # Characters outside the first plane count as two.
    length = len(value[1].encode("utf-16-le")) // 2 if value[0] == "S" else len(value[1])
    return "N", Decimal(length)


def compare(operator, left, right):
    if operator == "=":
        return left is not None and left == right
    if operator == "<>":
        return left is None or left != right
    if left is None or right is None or left[0] != right[0] or left[0] not in ORDERED:
        return False
    a, b = sort_key(left), sort_key(right)
    return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[operator]


def begins_with(text, prefix):
    if text is None or prefix is None or text[0] != prefix[0] or text[0] not in ("S", "B"):
        return False
    return text[1].startswith(prefix[1])


def contains(whole, part):
    if whole is None or part is None:
        return False
    kind, data = whole
    if kind in ("S", "B"):
        return part[0] == kind and part[1] in data
    if kind in SETS:
        return part[0] == SETS[kind] and part[1] in data
    return kind == "L" and part in data


def holds(node, item):
    """Is the condition true of the item? An item that does not exist is an empty one."""
    kind = node[0]
    if kind == "and":
        return holds(node[1], item) and holds(node[2], item)
    if kind == "or":
        return holds(node[1], item) or holds(node[2], item)
    if kind == "not":
        return not holds(node[1], item)
    if kind == "exists":
        return follow(item, node[1]) is not None
    if kind == "not_exists":
        return follow(item, node[1]) is None
    if kind == "type":
        value = operand(node[1], item)
        return value is not None and value[0] == node[2]
    if kind == "in":
        value = operand(node[1], item)
        return any(compare("=", value, operand(candidate, item)) for candidate in node[2])
    if kind == "between":
        value, low, high = (operand(part, item) for part in node[1:])
        return compare("<=", low, value) and compare("<=", value, high)
    left, right = operand(node[1], item), operand(node[2], item)
    if kind == "begins_with":
        return begins_with(left, right)
    if kind == "contains":
        return contains(left, right)
    return compare(kind, left, right)


def paths_of(node):
    """All paths in a condition, an operand or a new value."""
    if node[0] in ("path", "exists", "not_exists"):
        return [node[1]]
    if node[0] == "value":
        return []
    if node[0] == "type":
        return paths_of(node[1])
    if node[0] == "in":
        return [path for part in [node[1], *node[2]] for path in paths_of(part)]
    if node[0] == "if_not_exists":
        return [node[1], *paths_of(node[2])]
    return [path for part in node[1:] for path in paths_of(part)]


# ---- Updates ----------------------------------------------------------------------------------


def add_numbers(a, b):
    total = a + b
    if not number_fits(total):
        raise invalid("the sum does not fit")
    return "N", total


def new_value(node, item):
    kind = node[0]
    if kind == "value":
        return read(node[1])
    if kind == "path":
        value = follow(item, node[1])
        if value is None:
            raise invalid("an attribute does not exist")
        return value
    if kind == "if_not_exists":
        value = follow(item, node[1])
        return new_value(node[2], item) if value is None else value
    left, right = new_value(node[1], item), new_value(node[2], item)
    if kind == "list_append":
        if left[0] != "L" or right[0] != "L":
            raise invalid("not a list")
        return "L", left[1] + right[1]
    if left[0] != "N" or right[0] != "N":
        raise invalid("not a number")
    return add_numbers(left[1], right[1] if kind == "+" else -right[1])


def added(old, value):
    if old is None:
        return value
    if old[0] != value[0]:
        raise invalid("ADD of another type")
    if value[0] == "N":
        return add_numbers(old[1], value[1])
    if value[0] == "L":  # AttributeUpdates can, expressions cannot
        return "L", old[1] + value[1]
    return value[0], old[1] | value[1]


def deleted(old, value):
    if old is None:
        return None
    if old[0] != value[0]:
        raise invalid("DELETE of another type")
    rest = old[1] - value[1]
    return (value[0], rest) if rest else None


def changes_of(update, old, base):
    """[(path, new value or None)], computed on the item as it was before."""
    changes = [(path, new_value(node, old)) for path, node in update.get("SET", ())]
    changes += [(path, None) for path in update.get("REMOVE", ())]
    changes += [(path, added(follow(base, path), read(wire)))
                for path, wire in update.get("ADD", ())]
    changes += [(path, deleted(follow(base, path), read(wire)))
                for path, wire in update.get("DELETE", ())]
    for path, value in changes:
        parent = follow(base, path[:-1])
        if parent is None or parent[0] != ("M" if isinstance(path[-1], str) else "L"):
            raise invalid("there is no container at the path")
        if value is not None and len(path) - 1 + levels(value) > LEVELS_MAX:
            raise invalid("too many levels")
    return changes


def rewrite(value, changes):
    """The container with the changes made in it; indexes are those of before."""
    kind, data = value
    elements = dict(data) if kind == "M" else dict(enumerate(data))
    for step in dict.fromkeys(path[0] for path, _ in changes):
        inside = [(path[1:], new) for path, new in changes if path[0] == step]
        new = inside[0][1] if inside[0][0] == [] else rewrite(elements[step], inside)
        if new is None:
            elements.pop(step, None)
        else:
            elements[step] = new
    if kind == "M":
        return kind, elements
    return kind, tuple(elements[index] for index in sorted(elements))


def apply_update(update, old, key):
    """The updated item; old is None when there is none yet, and key what it begins with."""
    base = key if old is None else old
    changes = changes_of(update, old or {}, base)
    return rewrite(("M", base), changes)[1] if changes else base


def touched(update):
    """The paths whose values UPDATED_OLD and UPDATED_NEW show."""
    return [*(path for path, _ in update.get("SET", ())), *update.get("REMOVE", ()),
            *(path for path, _ in update.get("ADD", ())),
            *(path for path, _ in update.get("DELETE", ()))]


def update_overhead(update):
    """What an update's text adds to the item when its size is checked."""
    sets = update.get("SET", ())
    writes = len(sets) + len(update.get("ADD", ()))
    clears = len(update.get("REMOVE", ())) + len(update.get("DELETE", ()))
    indexed = sum(any(isinstance(step, int) for step in path) for path, _ in sets)
    arithmetic = sum(node[0] in "+-" for _, node in sets)
    return 3 + 19 * writes + 2 * clears + indexed + 50 * arithmetic


# ---- Writing ----------------------------------------------------------------------------------


class Writer:
    """Writes trees as text, with names and values behind placeholders, in one of many ways."""

    def __init__(self, random, reserved, legacy=False):
        self.legacy = legacy  # nothing is written: the request has the older parameters
        self.random = random
        self.reserved = reserved
        self.names = {}
        self.values = {}

    def parameters(self):
        """The members of a request that go with the texts."""
        members = {}
        if self.names:
            members["ExpressionAttributeNames"] = self.names
        if self.values:
            members["ExpressionAttributeValues"] = self.values
        return members

    def chance(self, probability):
        return self.random.random() < probability

    def space(self):
        """Where none is needed."""
        return self.random.choice(("", "", "", " ", " ", "\t", "\n ", "\r\n")) \
            if self.chance(0.3) else ""

    def gap(self):
        """Where one is needed."""
        return self.random.choice((" ", "  ", "\t", "\n")) if self.chance(0.1) else " "

    def word(self, text):
        """A keyword: its case means nothing."""
        if not self.chance(0.2):
            return text
        return self.random.choice((text.lower(), text.title(), text.swapcase()))

    def placeholder(self, sign, table, wanted):
        same = [key for key, value in table.items() if value == wanted]
        if same and self.chance(0.7):
            return self.random.choice(same)
        while True:
            key = sign + self.random.choice(("n", "a", "_x", "A", "9", "value", "SET"))
            key += str(self.random.randrange(100)) if self.chance(0.9) else ""
            if key not in table:
                table[key] = wanted
                return key

    def name(self, name):
        plain = re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name)
        if plain and name.upper() not in self.reserved and self.chance(0.5):
            return name
        return self.placeholder("#", self.names, name)

    def value(self, wire):
        return self.placeholder(":", self.values, wire)

    def path(self, path):
        text = self.name(path[0])
        for step in path[1:]:
            if isinstance(step, str):
                text += "." + self.name(step)
            else:
                text += f"[{step}]"
        return text

    def enclosed(self, text, needed=False):
        if needed or self.chance(0.1):
            return "(" + self.space() + text + self.space() + ")"
        return text

    def call(self, function, *arguments):
        separator = self.space() + "," + self.space() + (" " if self.chance(0.5) else "")
        return function + self.space() + "(" + self.space() + separator.join(arguments) \
            + self.space() + ")"

    def operand(self, node):
        if node[0] == "path":
            text = self.path(node[1])
        elif node[0] == "value":
            text = self.value(node[1])
        else:
            text = self.call("size", self.operand(node[1]))
        return self.enclosed(text)

    def condition(self, node, above=0):
        """above: 0 nothing, 1 an OR, 2 an AND, 3 a NOT: what binds tighter needs parentheses."""
        kind = node[0]
        if kind in ("and", "or"):
            level = 2 if kind == "and" else 1
            # To the right the grammar leans by itself.
            left = self.condition(node[1], level + (node[1][0] == kind and self.chance(0.3)))
            right = self.condition(node[2], level)
            text = left + self.gap() + self.word(kind.upper()) + self.gap() + right
            return self.enclosed(text, above > level)
        if kind == "not":
            return self.enclosed(self.word("NOT") + self.gap() + self.condition(node[1], 3))
        return self.enclosed(self.simple(node))

    def simple(self, node):
        kind = node[0]
        if kind in ("exists", "not_exists"):
            return self.call("attribute_" + kind, self.enclosed(self.path(node[1])))
        if kind == "type":
            return self.call("attribute_type", self.operand(node[1]), self.value({"S": node[2]}))
        if kind == "in":
            listed = self.call("", *map(self.operand, node[2])).lstrip()
            return self.operand(node[1]) + self.gap() + self.word("IN") + self.gap() + listed
        if kind == "between":
            value, low, high = map(self.operand, node[1:])
            return (value + self.gap() + self.word("BETWEEN") + self.gap() + low + self.gap()
                    + self.word("AND") + self.gap() + high)
        if kind in ("begins_with", "contains"):
            return self.call(kind, self.operand(node[1]), self.operand(node[2]))
        return self.operand(node[1]) + self.space() + kind + self.space() + self.operand(node[2])

    def new_value(self, node):
        kind = node[0]
        if kind in ("path", "value"):
            return self.operand(node)
        if kind == "if_not_exists":
            return self.enclosed(self.call(kind, self.path(node[1]), self.new_value(node[2])))
        left, right = self.new_value(node[1]), self.new_value(node[2])
        if kind == "list_append":
            return self.enclosed(self.call(kind, left, right))
        # Without a space "a -1" would be no difference; there are no literals, so none is needed.
        return self.enclosed(left + self.space() + kind + self.space() + right)

    def update(self, update):
        sections = [name for name in SECTIONS if update.get(name)]
        self.random.shuffle(sections)
        return self.gap().join(self.word(name) + self.gap() + self.section(name, update[name])
                               for name in sections)

    def section(self, name, actions):
        texts = []
        for action in actions:
            if name == "REMOVE":
                texts.append(self.path(action))
            elif name == "SET":
                texts.append(self.path(action[0]) + self.space() + "=" + self.space()
                             + self.new_value(action[1]))
            else:
                texts.append(self.path(action[0]) + self.gap() + self.value(action[1]))
        return (self.space() + "," + self.space()).join(texts)

    def projection(self, paths):
        return (self.space() + "," + self.space()).join(map(self.path, paths))
