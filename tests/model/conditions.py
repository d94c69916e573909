# SPDX-License-Identifier: Apache-2.0
"""Random conditions and paths over an item: true as often as false, and never refused.

What a parser would refuse is avoided here: operands that are not distinct, literals without order,
bounds the wrong way round, paths into keys.
"""
from expressions import overlap
from values import ORDERED, TYPES, encode, read, sort_key

INDEX_MAX = 6


class Conditions:
    """For one table and one item of it, which may be None."""

    def __init__(self, generator, t, item, without=(), only=None):
        self.material = generator.material
        self.random = generator.random
        self.again = generator.again
        self.keys = generator.tables[t].key_names()
        names = [name for name in generator.schemas[t].names if name not in without]
        self.names = [name for name in names if only is None or only(name)]
        self.known = []
        for name in self.names:
            if item is not None and name in item:
                self.collect([name], item[name])

    def chance(self, probability):
        return self.random.random() < probability

    def collect(self, path, value):
        self.known.append((path, value))
        if path[0] in self.keys or len(path) > 5:
            return
        if value[0] == "M":
            for name, element in value[1].items():
                self.collect([*path, name], element)
        if value[0] == "L":
            for index, element in enumerate(value[1][:4]):
                self.collect([*path, index], element)

    # ---- paths

    def path(self):
        return self.pair()[0]

    def pair(self):
        """(path, what stands there or None)."""
        if self.known and self.chance(0.85):
            return self.random.choice(self.known)
        return self.stray(), None

    def stray(self):
        """A path that leads nowhere, or just happens to lead somewhere."""
        path = [self.random.choice(self.names)]
        while path[0] not in self.keys and self.chance(0.4) and len(path) < 35:
            path.append(self.step())
        return path

    def step(self):
        if self.chance(0.5):
            return self.random.choice(("a", "b", "k", "x y", "no"))
        return self.random.randrange(INDEX_MAX)

    def target(self, section):
        """(path, value) for an action of an update; mostly one that works."""
        wanted = {"ADD": ("N", "SS", "NS", "BS"), "DELETE": ("SS", "NS", "BS")}.get(section)
        if wanted and self.chance(0.7):
            fitting = [pair for pair in self.known if pair[1][0] in wanted]
            if fitting:
                return self.random.choice(fitting)
        choice = self.random.random()
        containers = [pair for pair in self.known if pair[1][0] in ("L", "M")
                      and pair[0][0] not in self.keys]
        if choice < 0.25 and containers:
            path, value = self.random.choice(containers)
            step = self.random.randrange(len(value[1]) + 3) if value[0] == "L" \
                else self.random.choice(("a", "b", "new", "x y"))
            return [*path, step], None
        if choice < 0.7:
            return self.pair()
        name = self.random.choice(self.names)
        return [name], next((value for path, value in self.known if path == [name]), None)

    def paths(self):
        """Some paths of which none overlaps another."""
        chosen = []
        for _ in range(self.random.choice((1, 1, 2, 3, 6))):
            path = self.path()
            if not any(overlap(path, other) for other in chosen):
                chosen.append(path)
        return chosen

    # ---- conditions

    def tree(self, depth=0):
        choice = self.random.random()
        if depth < 4 and choice < 0.3:
            return [self.random.choice(("and", "or")), self.tree(depth + 1), self.tree(depth + 1)]
        if depth < 4 and choice < 0.38:
            return ["not", self.tree(depth + 1)]
        return self.random.choice((self.comparison, self.comparison, self.comparison,
                                   self.between, self.one_of, self.exists, self.type,
                                   self.begins_with, self.contains, self.sized))()

    def literal(self, value):
        """A literal that has to do with the value: equal to it, of its type, or neither."""
        choice = self.random.random()
        if value is not None and choice < 0.45:
            return ["value", self.again(value)]
        if value is not None and choice < 0.8:
            return ["value", self.material.value(value[0])]
        return ["value", self.material.value()]

    def other_than(self, path):
        """Another path as an operand, or a literal when there is none."""
        for _ in range(4):
            other = self.path()
            if other != path:
                return ["path", other]
        return self.literal(None)

    def comparison(self):
        path, value = self.pair()
        right = self.other_than(path) if self.chance(0.2) else self.literal(value)
        operator = self.random.choice(("=", "=", "<>", "<", "<=", ">", ">="))
        if right[0] == "value" and next(iter(right[1])) not in ORDERED:
            operator = self.random.choice(("=", "<>"))
        sides = [["path", path], right]
        if self.chance(0.2):
            sides.reverse()
        return [operator, *sides]

    def between(self):
        path, value = self.pair()
        kind = value[0] if value is not None and value[0] in ORDERED else \
            self.random.choice(ORDERED)
        bounds = [self.material.value(kind), self.material.value(kind)]
        if value is not None and value[0] == kind and self.chance(0.4):
            bounds[self.random.randrange(2)] = self.again(value)
        bounds.sort(key=lambda wire: sort_key(read(wire)))
        low, high = (["value", wire] for wire in bounds)
        if self.chance(0.15):
            return ["between", low, ["path", path], high]
        if self.chance(0.1):
            low = ["path", self.path()]
        return ["between", ["path", path], low, high]

    def one_of(self):
        path, value = self.pair()
        count = self.random.choice((1, 2, 3, 8, 100 if self.chance(0.02) else 2))
        listed = [self.other_than(path) if self.chance(0.2) else self.literal(value)
                  for _ in range(count)]
        return ["in", ["path", path], listed]

    def exists(self):
        return [self.random.choice(("exists", "not_exists")), self.path()]

    def type(self):
        path, value = self.pair()
        kind = value[0] if value is not None and self.chance(0.5) else self.random.choice(TYPES)
        return ["type", ["path", path], kind]

    def begins_with(self):
        path, value = self.pair()
        if self.chance(0.1):
            return ["begins_with", ["path", path], self.path_or_text(path)]
        kind = value[0] if value is not None and value[0] in ("S", "B") else \
            self.random.choice("SB")
        prefix = self.material.value(kind)
        if value is not None and value[0] == kind and self.chance(0.6):
            prefix = encode((kind, value[1][:self.random.randrange(len(value[1]) + 1)]))
        return ["begins_with", ["path", path], ["value", prefix]]

    def path_or_text(self, path):
        other = self.other_than(path)
        return other if other[0] == "path" else ["value", {"S": "a"}]

    def contains(self):
        path, value = self.pair()
        part = self.literal(None)
        if value is not None and self.chance(0.7):
            part = ["value", self.part_of(value)]
        elif self.chance(0.3):
            part = self.other_than(path)
        return ["contains", ["path", path], part]

    def part_of(self, value):
        kind, data = value
        if kind in ("S", "B"):
            begin = self.random.randrange(len(data) + 1)
            return encode((kind, data[begin:begin + self.random.randrange(3)]))
        if kind == "L" and data:
            return self.again(self.random.choice(data))
        if kind in ("SS", "NS", "BS"):
            return self.again((kind[0], self.random.choice(sorted(data))))
        return self.again(value)

    def sized(self):
        path, value = self.pair()
        length = len(value[1]) if value is not None and hasattr(value[1], "__len__") else 1
        number = max(0, length + self.random.choice((-1, 0, 0, 0, 1)))
        operator = self.random.choice(("=", "<>", "<", "<=", ">", ">="))
        right = ["value", {"N": str(number)}]
        if self.chance(0.15):
            other = self.other_than(path)
            right = ["size", other] if other[0] == "path" else right
        return [operator, ["size", ["path", path]], right]
