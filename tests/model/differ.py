# SPDX-License-Identifier: Apache-2.0
"""Comparing what the server says with what the model says."""


class Mismatch(Exception):
    """Server and model do not agree; the first line says on what."""


def expect(what, actual, expected):
    if actual != expected:
        raise Mismatch(f"{what} differs\n  server: {actual!r}\n  model:  {expected!r}")


def expect_same(what, actual, expected):
    """The same items in any order."""
    rest = list(expected)
    for item in actual:
        if item not in rest:
            raise Mismatch(f"{what} differ\n  server: {actual!r}\n  model:  {expected!r}")
        rest.remove(item)
    expect(f"{what}: how many", len(actual), len(expected))


def repr_key(key):
    """The key as text: equal numbers have many reprs, so they are normalised."""
    return repr(tuple((kind, data.normalize() if kind == "N" else data) for kind, data in key))
