# SPDX-License-Identifier: Apache-2.0
"""Batches: loading many items, and reading many, with retry of what was left unprocessed.

A batch succeeds as long as some of it does. What the server had no capacity for, or what did not
fit into a 16 MB answer, comes back as UnprocessedItems or UnprocessedKeys, and must be sent again,
after a pause that grows. Code that ignores these members loses data only under load.

For writes boto3's table.batch_writer() does all this; here it is done by hand, to be seen.
"""

import random
import time
from types import SimpleNamespace

from shared import attributes, check, key, temporary_table

DEFINITION = {"AttributeDefinitions": attributes(id="S"), "KeySchema": key("id")}
WRITES_MAX = 25
KEYS_MAX = 100
ROUNDS_MAX = 10


def back_off(round):
    """Waits about twice as long each time; the random part keeps many loaders out of step."""
    time.sleep(min(0.025 * 2**round, 2) * random.uniform(0.5, 1))


def chunks(items, size):
    return [items[start : start + size] for start in range(0, len(items), size)]


def write_all(client, table_name, items):
    """Writes all items. Returns how many requests it took."""
    requests = 0
    for chunk in chunks(items, WRITES_MAX):
        pending = {table_name: [{"PutRequest": {"Item": item}} for item in chunk]}
        for round in range(ROUNDS_MAX):
            if round > 0:
                back_off(round)
            pending = client.batch_write_item(RequestItems=pending).get("UnprocessedItems")
            requests += 1
            if not pending:
                break
        else:
            raise RuntimeError("some items stay unprocessed")
    return requests


def read_all(client, table_name, keys):
    """Reads all keys, in no particular order. Returns the items and the number of requests."""
    items, requests = [], 0
    for chunk in chunks(keys, KEYS_MAX):
        pending = {table_name: {"Keys": chunk}}
        for round in range(ROUNDS_MAX):
            if round > 0:
                back_off(round)
            answer = client.batch_get_item(RequestItems=pending)
            items += answer["Responses"].get(table_name, [])
            pending = answer.get("UnprocessedKeys")
            requests += 1
            if not pending:
                break
        else:
            raise RuntimeError("some keys stay unprocessed")
    return items, requests


def busy(client):
    """A client that plays a busy server.

    A server on an idle machine processes every write, so the retry would never run here. Of every
    other request this client sends half, and hands back the other half.
    """
    count = 0

    def batch_write_item(RequestItems):
        nonlocal count
        ((table_name, writes),) = RequestItems.items()
        half = (len(writes) + 1) // 2 if count % 2 == 0 else len(writes)
        count += 1
        client.batch_write_item(RequestItems={table_name: writes[:half]})
        return {"UnprocessedItems": {table_name: writes[half:]} if writes[half:] else {}}

    return SimpleNamespace(batch_write_item=batch_write_item)


def by_id(items):
    return sorted(items, key=lambda item: item["id"])


def keys_of(items):
    return [{"id": item["id"]} for item in items]


def main(table):
    client, name = table.meta.client, table.name

    words = [{"id": f"word-{1000 + number}", "number": number} for number in range(1000)]
    check("1,000 items are 40 batches", write_all(client, name, words), 40)
    items, requests = read_all(client, name, keys_of(words))
    check("all of them are there", by_id(items), words)
    check("and were read in ten", requests, 10)

    changed = [{**word, "number": -word["number"] - 1} for word in words[:100]]
    check("a busy server takes twice the requests", write_all(busy(client), name, changed), 8)
    items, _ = read_all(client, name, keys_of(changed))
    check("and nothing is lost", by_id(items), changed)

    # 60 items of 350 KB are 21 MB: more than one answer holds, so the server splits it.
    pictures = [
        {"id": f"picture-{100 + number}", "bytes": bytes([number]) * 350 * 1024}
        for number in range(60)
    ]
    write_all(client, name, pictures)
    items, requests = read_all(client, name, keys_of(pictures))
    check("21 MB take more than one answer", requests > 1, True)
    arrived = [{**item, "bytes": item["bytes"].value} for item in by_id(items)]
    check("and every picture arrives", arrived == pictures, True)
    nothing, _ = read_all(client, name, [{"id": "none"}])
    check("what does not exist is simply not returned", nothing, [])


if __name__ == "__main__":
    with temporary_table("batches", **DEFINITION) as batches:
        main(batches)
