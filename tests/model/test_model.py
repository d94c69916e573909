# SPDX-License-Identifier: Apache-2.0
"""The model itself: it agrees with published figures, and a planted mistake is found and shortened."""
import os
import random
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import model  # noqa: E402
import values  # noqa: E402
from expressions import Writer, apply_update, holds, project  # noqa: E402
from run import Run  # noqa: E402
from shrink import Shrinker  # noqa: E402
from streams import page_of  # noqa: E402
from wire import Connection, Server  # noqa: E402

BINARY = os.environ.get("STATOR_BINARY") or os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "release", "stator")


@pytest.mark.parametrize("text, size", [
    ("1", 2), ("12", 2), ("123", 3), ("1234", 3), ("12345", 4), ("123456789", 6), ("0042", 2),
    ("100", 2), ("1010", 3), ("1E125", 2), ("1E-100", 2), ("0", 1), ("-0", 1), ("1.5", 3),
    ("1.200", 3), ("1.234", 4), ("3.14159", 5), ("100.5", 4), ("0.15", 2), ("-42", 3),
    ("-12345", 5), ("-0.15", 3), ("1" * 38, 20)])
def test_numbers_have_the_sizes_that_were_measured(text, size):
    assert values.value_size(values.read({"N": text})) == size


def test_an_item_has_the_size_of_the_developer_guides_example():
    item = values.read_item({"shirt-color": {"S": "R"}, "shirt-size": {"S": "M"}})
    assert values.item_size(item) == 23


@pytest.mark.parametrize("condition, truth", [
    (["=", ["path", ["n"]], ["value", {"N": "1.0"}]], True),
    (["=", ["path", ["gone"]], ["path", ["gone too"]]], False),
    (["<>", ["path", ["gone"]], ["value", {"N": "1"}]], True),
    (["<", ["path", ["n"]], ["value", {"S": "2"}]], False),
    (["between", ["path", ["n"]], ["value", {"N": "1"}], ["value", {"N": "1"}]], True),
    (["=", ["size", ["path", ["s"]]], ["value", {"N": "3"}]], True),
    (["contains", ["path", ["l"]], ["value", {"SS": ["b", "a"]}]], True),
    (["not", ["begins_with", ["path", ["s"]], ["value", {"S": "a"}]]], False),
    (["exists", ["l", 1]], False)])
def test_conditions_mean_what_the_guide_says(condition, truth):
    item = values.read_item({"n": {"N": "1"}, "s": {"S": "a😀"}, "l": {"L": [{"SS": ["a", "b"]}]}})
    assert holds(condition, item) is truth


def test_an_update_sees_the_item_as_it_was():
    item = values.read_item({"a": {"N": "1"}, "l": {"L": [{"S": "x"}, {"S": "y"}]}})
    updated = apply_update({"SET": [[["b"], ["path", ["a"]]], [["a"], ["value", {"N": "2"}]],
                                    [["l", 7], ["value", {"S": "z"}]]],
                            "REMOVE": [["l", 0]]}, item, {})
    assert values.encode_item(updated) == {"a": {"N": "2"}, "b": {"N": "1"},
                                           "l": {"L": [{"S": "y"}, {"S": "z"}]}}
    assert project(updated, [["l", 1], ["gone"]]) == {"l": ("L", (("S", "z"),))}


def test_a_tree_is_written_with_the_parentheses_it_needs():
    a, b, c = (["exists", [name]] for name in "abc")
    for seed in range(50):
        writer = Writer(random.Random(seed), {"B"})
        text = writer.condition(["and", ["or", a, b], ["not", ["or", b, c]]])
        assert text.count("(") == text.count(")") >= 6
        assert " b" not in text.lower().replace("(", " "), "a reserved word was written"


@pytest.fixture
def connect():
    server = Server(BINARY).start()
    yield lambda: Connection("127.0.0.1", server.port)
    server.stop()


@pytest.mark.parametrize("sizes, limit, count", [
    ([10, 10, 10], 2, 2),
    ([400_000] * 4, 3, 2),          # a third would pass 1 MB
    ([524_288, 524_288, 1], 3, 2),  # exactly 1 MB fits
    ([2_000_000, 1], 3, 1),         # the first is given whatever its size
])
def test_an_answer_of_get_records_ends_at_its_limit_or_at_a_megabyte(sizes, limit, count):
    records = [{"dynamodb": {"SizeBytes": size}} for size in sizes]
    assert page_of(records, limit) == records[:count]


def test_a_planted_mistake_is_found_and_shortened(connect, monkeypatch):
    right = model.index_write_units

    def wrong(table, index, old, new):
        """Moving an entry costs one write: it does not."""
        before, after = table.entry(index, old), table.entry(index, new)
        if before is not None and after is not None:
            return min(right(table, index, old, new), model.write_units(before, after))
        return right(table, index, old, new)

    monkeypatch.setattr(model, "index_write_units", wrong)
    for number in range(40):
        run = Run(connect(), f"planted-{number}")
        run.play(200)
        if run.failure:
            break
    assert run.failure, "nothing was found"
    assert "ConsumedCapacity" in run.failure["text"]
    run.failure["operations"] = Shrinker(connect, run.failure).run()
    assert run.failure["reproduced"]
    assert len(run.failure["operations"]) <= 3
