# SPDX-License-Identifier: Apache-2.0
"""Values as the model sees them: a pair of the type's name and plain Python data.

    ("S", str)  ("N", Decimal)  ("B", bytes)  ("BOOL", bool)  ("NULL", True)
    ("SS" | "NS" | "BS", frozenset)  ("L", tuple of values)  ("M", dict of values)

Two values are equal exactly when DynamoDB calls them equal, so == is all the model needs.
"""
import base64
import decimal
import re

# Sums are exact before they are checked: the widest is 9.99E125 + 1E-130 with 38 more digits.
decimal.getcontext().prec = 400
Decimal = decimal.Decimal

SETS = {"SS": "S", "NS": "N", "BS": "B"}
ORDERED = ("S", "N", "B")
TYPES = ("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M")

DIGITS_MAX = 38
EXPONENT_MIN, EXPONENT_MAX = -130, 125
LEVELS_MAX = 32
ITEM_BYTES_MAX = 400 * 1024

# How the service writes a number: no exponent, no needless zeros, no "-0".
CANONICAL = re.compile(r"-?(?:[1-9]\d*|0(?=\.))(?:\.\d*[1-9])?|0")


class WireError(Exception):
    """The server sent a value that is none, or not in the service's form."""


def decode(wire):
    """The value of an AttributeValue that the server sent; it has to be in canonical form."""
    if len(wire) != 1:
        raise WireError(f"not one type: {wire}")
    (kind, data), = wire.items()
    if kind == "S":
        return "S", data
    if kind == "N":
        return "N", decode_number(data)
    if kind == "M":
        return "M", {name: decode(value) for name, value in data.items()}
    if kind == "L":
        return "L", tuple(decode(value) for value in data)
    if kind == "B":
        return "B", base64.b64decode(data, validate=True)
    if kind in ("BOOL", "NULL"):
        if not isinstance(data, bool):
            raise WireError(f"not a boolean: {wire}")
        return kind, data
    if kind in SETS:
        members = frozenset(decode({SETS[kind]: member})[1] for member in data)
        if len(members) != len(data) or not data:
            raise WireError(f"a set with duplicates, or an empty one: {wire}")
        return kind, members
    raise WireError(f"unknown type: {wire}")


def decode_number(text):
    if not isinstance(text, str) or CANONICAL.fullmatch(text) is None:
        raise WireError(f"not in canonical form: {text!r}")
    return Decimal(text)


def decode_item(wire):
    return {name: decode(value) for name, value in wire.items()}


def read(wire):
    """The value of an AttributeValue that the test itself wrote, in any form of its numbers."""
    (kind, data), = wire.items()
    if kind == "N":
        return "N", +Decimal(data)  # plus makes 0 of -0
    if kind == "NS":
        return "NS", frozenset(+Decimal(member) for member in data)
    if kind == "L":
        return "L", tuple(read(value) for value in data)
    if kind == "M":
        return "M", {name: read(value) for name, value in data.items()}
    return decode(wire)


def read_item(wire):
    return {name: read(value) for name, value in wire.items()}


def number_text(number):
    text = format(number, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def encode(value):
    """The AttributeValue of a value, as the service would write it."""
    kind, data = value
    if kind == "N":
        return {"N": number_text(data)}
    if kind == "B":
        return {"B": base64.b64encode(data).decode()}
    if kind in SETS:
        return {kind: [encode((SETS[kind], member))[SETS[kind]] for member in sorted(data)]}
    if kind == "L":
        return {"L": [encode(element) for element in data]}
    if kind == "M":
        return {"M": {name: encode(element) for name, element in data.items()}}
    return {kind: data}


def encode_item(item):
    return {name: encode(value) for name, value in item.items()}


# ---- Order ------------------------------------------------------------------------------------


def sort_key(value):
    """Orders values of one ordered type: strings and binaries by bytes, numbers by magnitude."""
    kind, data = value
    return data.encode() if kind == "S" else data


# ---- Sizes ------------------------------------------------------------------------------------


def number_size(number):
    """One byte, one for each pair of digits aligned at the point, one for the sign."""
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    exponent += len(text) - len(text.rstrip("0"))
    text = text.rstrip("0")
    if not text:
        return 1
    pairs = (len(text) + exponent % 2 + 1) // 2
    return 1 + pairs + sign


def value_size(value):
    kind, data = value
    if kind == "S":
        return len(data.encode())
    if kind == "N":
        return number_size(data)
    if kind == "B":
        return len(data)
    if kind in SETS:
        return sum(value_size((SETS[kind], member)) for member in data)
    if kind == "L":
        return 3 + sum(1 + value_size(element) for element in data)
    if kind == "M":
        return 3 + sum(1 + len(name.encode()) + value_size(element)
                       for name, element in data.items())
    return 1


def item_size(item):
    return sum(len(name.encode()) + value_size(value) for name, value in item.items())


# ---- Limits -----------------------------------------------------------------------------------


def number_fits(number):
    """Is it one that DynamoDB can store?"""
    if number == 0:
        return True
    digits = "".join(map(str, number.as_tuple().digits)).strip("0")
    return (len(digits) <= DIGITS_MAX
            and EXPONENT_MIN <= number.adjusted() <= EXPONENT_MAX)


def levels(value):
    """How many levels a value has, itself counted."""
    kind, data = value
    if kind == "L":
        return 1 + max(map(levels, data), default=0)
    if kind == "M":
        return 1 + max(map(levels, data.values()), default=0)
    return 1
