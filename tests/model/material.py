# SPDX-License-Identifier: Apache-2.0
"""What random operations are made of: names, values and keys, with the edges DynamoDB has."""
import base64
import math

from model import Index, Keys, Table
from streams import VIEWS
from values import DIGITS_MAX, Decimal, number_text

PLAIN_NAMES = ["a", "b", "c", "d", "e1", "Under_score", "n0", "size2", "camelCase"]
ODD_NAMES = ["name", "data", "size", "a.b", "x y", "#h", ":c", "0", "l[0]", "ключ", "日本", "😀",
             "quote\"d", "back\\slash", "SET", "nul\u0000l", "-", "é" * 40]
MEMBER_NAMES = ["a", "b", "k", "x y", "", "Ünï", "#", "a.b", "[0]", "😀"]

STRINGS = ["", "a", "ab", "abc", "b", "B", "a\u0000", "a\u0000b", "é", "e\u0301", "日本", "日", "😀",
           "😀😁", "\uffff", "\u007f", "\"\\/\b\f\n\r\t", "\u2028", "0", "10", "9", " ", "S", "NS"]
BINARIES = [b"", b"\x00", b"\x00\x00", b"a", b"a\x00", b"a\x00b", b"ab", b"\xff", b"\xff\xff",
            b"\xff\x00", b"\x01", b"\x00\x01", b"\x00\xff", bytes(range(32)), b"b"]
NINES = "9" * DIGITS_MAX
NUMBERS = ["0", "1", "-1", "2", "9", "10", "11", "99", "100", "101", "-10", "-99", "-100", "0.1",
           "-0.1", "0.01", "0.09", "0.10", "2.5", "-2.5", "1E-130", "-1E-130", "1.5E-129", "1E125",
           "-1E125", "9." + NINES[1:] + "E125", "-9." + NINES[1:] + "E125", NINES, "-" + NINES,
           "0." + NINES, "1." + "0" * 36 + "1", "12345.678", "1E-5", "1E37", "1E38", "1E40",
           "123456789012345678901234567890", "10230", "0.015", "-0.00123", "1000000"]

PARTITION_BYTES, SORT_BYTES = 2048, 1024


class Material:
    """Random values; the same random generator makes the same ones."""

    def __init__(self, random):
        self.random = random

    def chance(self, probability):
        return self.random.random() < probability

    # ---- scalars

    def string(self):
        if self.chance(0.7):
            return self.random.choice(STRINGS)
        length = self.random.choice((1, 3, 10, 100, 500 if self.chance(0.2) else 5,
                                     2000 if self.chance(0.05) else 5))
        return "".join(self.random.choice("abcxyz éß漢😀\u0000") for _ in range(length))

    def binary(self):
        if self.chance(0.7):
            return self.random.choice(BINARIES)
        return self.random.randbytes(self.random.choice((1, 2, 3, 4, 5, 20, 200)))

    def number(self):
        choice = self.random.random()
        if choice < 0.45:
            return Decimal(self.random.randrange(-3, 15))
        if choice < 0.75:
            return Decimal(self.random.choice(NUMBERS))
        count = self.random.choice((1, 2, 3, 5, 8, 17, 37, 38))
        digits = "".join(self.random.choice("0123456789") for _ in range(count))
        exponent = self.random.choice((0, 0, 0, -1, -2, -count, 1, 2, 7, -20, 60, -100))
        sign = "-" if self.chance(0.3) else ""
        return Decimal(f"{sign}{digits}E{exponent}")

    def number_form(self, number):
        """One of the texts that mean this number."""
        text = number_text(number)
        if self.chance(0.75):
            return text
        sign, digits, exponent = number.as_tuple()
        digits = "".join(map(str, digits))
        form = self.random.randrange(5)
        if form == 0:
            return f"{'-' if sign else ''}{digits}{self.random.choice('eE')}{exponent:+d}"
        if form == 1:
            return f"{'-' if sign else ''}{digits[0]}.{digits[1:]}E{exponent + len(digits) - 1}"
        if form == 2:
            return text + ("" if "." in text else ".") + "0" * self.random.randrange(3)
        if form == 3:
            return ("-" if sign else "") + "0" * self.random.randrange(3) + text.lstrip("-")
        return text if text.startswith("-") else "+" + text

    def scalar(self, kind, data):
        """The wire form of a string, number or binary."""
        if kind == "N":
            return {"N": self.number_form(data)}
        return {kind: base64.b64encode(data).decode() if kind == "B" else data}

    @staticmethod
    def plain(kind, data):
        return number_text(data) if kind == "N" else data

    # ---- values

    def value(self, kind=None, depth=0):
        """A random AttributeValue of this type, or of any."""
        if kind is None:
            kinds = ["S"] * 6 + ["N"] * 7 + ["B", "B", "BOOL", "BOOL", "NULL", "SS", "NS", "NS",
                                             "BS", "L", "L", "M", "M"]
            kind = self.random.choice(kinds if depth < 3 else kinds[:17])
        if kind == "S":
            return {"S": self.string()}
        if kind == "N":
            return self.scalar("N", self.number())
        if kind == "B":
            return self.scalar("B", self.binary())
        if kind == "BOOL":
            return {"BOOL": self.chance(0.5)}
        if kind == "NULL":
            return {"NULL": True}
        if kind in ("L", "M"):
            return self.container(kind, depth)
        return self.set_of(kind[0])

    def set_of(self, kind):
        make = {"S": self.string, "N": self.number, "B": self.binary}[kind]
        members = list(dict.fromkeys(make() for _ in range(self.random.randrange(1, 5))))
        if kind == "N":
            members = list(dict.fromkeys(number.normalize() for number in members))
        return {kind + "S": [self.scalar(kind, member)[kind] for member in members]}

    def container(self, kind, depth):
        if depth == 0 and self.chance(0.02):
            return {"L": [self.deep(30)]} if kind == "L" else {"M": {"a": self.deep(30)}}
        count = self.random.choice((0, 1, 1, 2, 2, 3, 4, 20 if self.chance(0.05) else 3))
        if kind == "L":
            return {"L": [self.value(depth=depth + 1) for _ in range(count)]}
        names = self.random.sample(MEMBER_NAMES[:4] if self.chance(0.7) else MEMBER_NAMES,
                                   min(count, 4))
        return {"M": {name: self.value(depth=depth + 1) for name in names if name}}

    def deep(self, wraps):
        """A scalar with lists and maps around it."""
        value = {"S": "deep"}
        for _ in range(wraps):
            value = {"L": [value]} if self.chance(0.5) else {"M": {"a": value}}
        return value

    # ---- keys

    def key_data(self, kind, bytes_max):
        """Data that may be a key: not empty, not too long."""
        if kind == "N":
            return self.number()
        data = (self.string() if kind == "S" else self.binary())[:bytes_max // 4]
        if self.chance(0.02):
            data = ("k" if kind == "S" else b"k") * (bytes_max - self.random.randrange(2))
        return data or ("e" if kind == "S" else b"e")


# ---- Tables -----------------------------------------------------------------------------------


class Schema:
    """A random table: its keys and indexes, and the pools its items are filled from."""

    def __init__(self, material, size):
        random = material.random
        self.material = material
        names = random.sample(PLAIN_NAMES, 7) + random.sample(ODD_NAMES, 5)
        random.shuffle(names)
        self.names = names
        self.kinds = {name: random.choice(("S", "S", "N", "N", "B", "M", "L", "SS", "NS", None))
                      for name in names}
        self.pools = {name: [] for name in names}
        has_sort = random.random() < 0.75
        self.keys = [names[0]], ([names[1]] if has_sort else [])
        for position, name in enumerate([name for part in self.keys for name in part]):
            self.kinds[name] = random.choice("SSNB")
            self.fill_pool(name, size[position], (PARTITION_BYTES, SORT_BYTES)[position])
        for name in names[1 + has_sort:1 + has_sort + 6]:
            if random.random() < 0.8:
                self.kinds[name] = random.choice("SNB")
        for name in names:
            if self.kinds[name] in ("S", "N", "B") and not self.pools[name]:
                self.fill_pool(name, random.choice((2, 3, 6)), SORT_BYTES // 4)
        self.counter = 0

    def fill_pool(self, name, count, bytes_max):
        kind = self.kinds[name]
        self.pools[name] = [self.material.key_data(kind, bytes_max) for _ in range(count)]

    def room(self):
        """How many different keys there can be, nearly."""
        names = [name for part in self.keys for name in part]
        distinct = [len({self.material.plain(self.kinds[name], data) for data in self.pools[name]})
                    for name in names]
        return max(1, math.prod(distinct) // 2)

    def key_value(self, name):
        """A value of the right type from the attribute's pool."""
        kind = self.kinds[name]
        return self.material.scalar(kind, self.material.random.choice(self.pools[name]))

    def table(self):
        partition, sort = ([(name, self.kinds[name]) for name in part] for part in self.keys)
        table = Table(Keys(partition, sort))
        random = self.material.random
        if sort:
            for _ in range(random.choice((0, 0, 1, 2, 5))):
                self.add_local(table)
        for _ in range(random.choice((0, 1, 1, 2, 3))):
            table.indexes.append(self.global_index(table))
        table.stream = random.choice((None, *VIEWS))
        return table

    def scalar_names(self, without=()):
        return [name for name in self.names
                if self.kinds[name] in ("S", "N", "B") and name not in without]

    def projection(self, keys, table):
        """(type, included attributes) of a new index."""
        random = self.material.random
        kind = random.choice(("KEYS_ONLY", "INCLUDE", "ALL"))
        taken = {*keys, *table.keys.names}
        free = [name for name in self.names if name not in taken]
        if kind == "INCLUDE" and free:
            return kind, random.sample(free, min(len(free), random.randrange(1, 4)))
        return ("ALL" if kind == "ALL" else "KEYS_ONLY"), []

    def add_local(self, table):
        name = self.material.random.choice(self.scalar_names(without=table.keys.names))
        if name in [index.keys.names[1] for index in table.locals()]:
            return
        keys = Keys(table.keys.partition, [(name, self.kinds[name])])
        projection, included = self.projection(keys.names, table)
        table.indexes.append(Index(self.index_name("local"), keys, False, projection, included))

    def global_index(self, table):
        random = self.material.random
        counts = random.choice(((1, 0), (1, 1), (1, 1), (1, 1), (2, 1), (1, 2), (2, 2), (3, 3)))
        known = {name: kind for keys in table.all_keys() for name, kind in keys.all}
        names = self.scalar_names()
        counts = counts if sum(counts) <= len(names) else (1, 0)
        chosen = random.sample(names, sum(counts))
        pairs = [(name, known.get(name, self.kinds[name])) for name in chosen]
        projection, included = self.projection(chosen, table)
        keys = Keys(pairs[:counts[0]], pairs[counts[0]:])
        return Index(self.index_name("global"), keys, True, projection, included)

    def index_name(self, word):
        self.counter += 1
        return f"{word}.{self.counter}"


def describe_schema(table):
    """The table as JSON, for scripts."""
    return {"partition": table.keys.partition, "sort": table.keys.sort,
            "indexes": [describe_index(index) for index in table.indexes],
            "stream": table.stream}


def describe_index(index):
    return {"name": index.name, "partition": index.keys.partition, "sort": index.keys.sort,
            "global": index.is_global, "projection": index.projection,
            "included": index.included}


def read_index(described):
    keys = Keys([tuple(pair) for pair in described["partition"]],
                [tuple(pair) for pair in described["sort"]])
    return Index(described["name"], keys, described["global"], described["projection"],
                 described["included"])


def read_schema(described):
    table = Table(read_index({**described, "name": "", "global": False, "projection": "",
                              "included": []}).keys)
    table.indexes = [read_index(index) for index in described["indexes"]]
    table.stream = described["stream"]
    return table
