# SPDX-License-Identifier: Apache-2.0
"""Optimistic locking: many editors change one document, and nobody's change is lost.

Nobody holds a lock. Every document carries a version; a save says which version it started from,
as a condition. If somebody else was faster the save fails, and the editor starts over from the
new version.
"""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from boto3.dynamodb.conditions import Attr
from shared import attributes, check, check_fails, connect, key, temporary_table

DEFINITION = {"AttributeDefinitions": attributes(id="S"), "KeySchema": key("id")}
EDITORS = 8
EDITS = 10


def read(table, id):
    """The read must be consistent: an old copy would only lead to a save that fails."""
    return table.get_item(Key={"id": id}, ConsistentRead=True)["Item"]


def save(table, document):
    """Replaces the document if it is still the version that was read."""
    table.put_item(
        Item={**document, "version": document["version"] + 1},
        ConditionExpression=Attr("version").eq(document["version"]),
    )


def with_line(document, line):
    return {**document, "lines": [*document["lines"], line]}


def edit(table, id, line):
    """Read, change, save, until the save succeeds. Returns how often somebody was faster."""
    for conflicts in range(1000):
        try:
            save(table, with_line(read(table, id), line))
            return conflicts
        except table.meta.client.exceptions.ConditionalCheckFailedException:
            pass
    raise RuntimeError("the document never came to rest")


def save_at_the_same_time(table, editor, barrier):
    """Waits until everybody has read before saving. True if this editor's save succeeded."""
    document = read(table, "minutes")
    barrier.wait()
    try:
        save(table, with_line(document, f"opening by {editor}"))
        return True
    except table.meta.client.exceptions.ConditionalCheckFailedException:
        return False


def main(table):
    table.put_item(Item={"id": "minutes", "version": 1, "lines": []})
    tables = [connect().Table(table.name) for _ in range(EDITORS)]
    with ThreadPoolExecutor(EDITORS) as threads:
        barrier = Barrier(EDITORS, timeout=30)
        saved = threads.map(
            lambda editor: save_at_the_same_time(tables[editor], editor, barrier), range(EDITORS)
        )
        check("of editors with the same version one saves", sum(saved), 1)
        check("the document moved on by one version", read(table, "minutes")["version"], 2)

        # Now everybody edits as fast as they can.
        def edit_repeatedly(editor):
            lines = (f"{editor}: line {number}" for number in range(EDITS))
            return sum(edit(tables[editor], "minutes", line) for line in lines)

        conflicts = sum(threads.map(edit_repeatedly, range(EDITORS)))
    print(f"{EDITORS * EDITS} edits, {conflicts} conflicts")

    document = read(table, "minutes")
    lines = document["lines"]
    check("every edit is one version", document["version"], 2 + EDITORS * EDITS)
    check("no line is lost and none is there twice", len(set(lines)), 1 + EDITORS * EDITS)
    check(
        "every editor's lines are in the order written",
        [[line for line in lines if line.startswith(f"{editor}: ")] for editor in range(EDITORS)],
        [[f"{editor}: line {number}" for number in range(EDITS)] for editor in range(EDITORS)],
    )
    check_fails(
        "a document that does not exist has no version to start from",
        "ConditionalCheckFailedException",
        *(save, table, {"id": "nowhere", "version": 1, "lines": []}),
    )


if __name__ == "__main__":
    with temporary_table("documents", **DEFINITION) as documents:
        main(documents)
