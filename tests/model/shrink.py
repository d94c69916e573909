# SPDX-License-Identifier: Apache-2.0
"""Makes a failing run short: leaves out operations, then attributes, as long as it still fails."""
import copy
import json
import os
import re
import time

from differ import Mismatch
from material import read_schema
from play import Player
from wire import Lost

SHRINK_SECONDS = 120
# What is printed of a failure at most; the file holds it all.
SHOWN_MAX, LINE_MAX, TEXT_MAX = 12, 1500, 3000


def replay(connect, failure, operations):
    """Plays operations on fresh tables: what does not agree, or None."""
    player = Player(connect(), [read_schema(schema) for schema in failure["schemas"]],
                    f"replay{os.getpid()}")
    try:
        player.create()
        for operation in operations:
            player.play(operation)
        player.check_all()
        return None
    except Mismatch as mismatch:
        return str(mismatch)
    except Lost as lost:
        return f"the server went away\n  {lost}"
    finally:
        drop(player)


def drop(player):
    for name in player.names:
        try:
            player.connection.call("DeleteTable", {"TableName": name})
        except Lost:
            pass


class Shrinker:
    def __init__(self, connect, failure):
        self.connect = connect
        self.failure = failure
        self.topic = failure["text"].splitlines()[0]
        self.deadline = time.monotonic() + SHRINK_SECONDS

    def fails(self, operations):
        text = replay(self.connect, self.failure, operations)
        if text is None or text.splitlines()[0] != self.topic:
            return False
        self.failure["text"] = text
        return True

    def run(self):
        """The shortest list of operations found that fails on the same thing."""
        # As a file would hold it: no part of an operation is another part too.
        operations = json.loads(json.dumps(self.failure["operations"]))
        self.failure["reproduced"] = self.fails(operations)
        if not self.failure["reproduced"]:
            return operations
        return self.without_attributes(self.without_operations(operations))

    def without_operations(self, operations):
        size = max(1, len(operations) // 2)
        while time.monotonic() < self.deadline:
            shorter = self.one_round(operations, size)
            if size == 1 and len(shorter) == len(operations):
                break
            operations = shorter
            size = max(1, size // 2)
        return operations

    def one_round(self, operations, size):
        """Tries to leave out every run of so many operations, from the end."""
        begin = len(operations)
        while begin > 0 and time.monotonic() < self.deadline:
            begin = max(0, begin - size)
            rest = operations[:begin] + operations[begin + size:]
            if self.fails(rest):
                operations = rest
        return operations

    def without_attributes(self, operations):
        for position, operation in enumerate(operations):
            if operation["kind"] != "put":
                continue
            for name in list(operation["plan"]["item"]):
                if time.monotonic() > self.deadline:
                    return operations
                attempt = copy.deepcopy(operations)
                del attempt[position]["plan"]["item"][name]
                del attempt[position]["request"]["Item"][name]
                if self.fails(attempt):
                    operations = attempt
        return operations


def shortened(text):
    """Without the middle of what is long: the file has it all."""
    text = re.sub(r"f{30,}", lambda match: f"f…({len(match.group(0))})", text)
    return text if len(text) <= LINE_MAX else f"{text[:LINE_MAX]}… ({len(text)} characters)"


def script(failure):
    """The failure as text: its tables, its last requests, and what does not agree."""
    lines = [f"seed {failure['seed']}: {failure['text'][:TEXT_MAX]}", ""]
    for number, schema in enumerate(failure["schemas"]):
        lines.append(f"table @{number} {json.dumps(schema, ensure_ascii=False)}")
    operations = failure["operations"]
    if len(operations) > SHOWN_MAX:
        lines.append(f"… {len(operations) - SHOWN_MAX} more before")
    for operation in operations[-SHOWN_MAX:]:
        what = operation.get("raw") or json.dumps(operation["request"], ensure_ascii=False)
        if operation["kind"] in ("create_index", "delete_index"):
            what += " " + json.dumps(operation["index"], ensure_ascii=False)
        lines.append(f"{operation['operation']} {shortened(what)}")
    return "\n".join(lines)
