// SPDX-License-Identifier: Apache-2.0
// Batches: loading many items, and reading many, with retry of what was left unprocessed.
//
// A batch succeeds as long as some of it does. What the server had no capacity for, or what did
// not fit into a 16 MB answer, comes back as UnprocessedItems or UnprocessedKeys, and must be sent
// again, after a pause that grows. Code that ignores these members loses data only under load.

import { BatchGetCommand, BatchWriteCommand } from "@aws-sdk/lib-dynamodb";
import { attributes, check, db, key, sleep, withTable } from "./shared.mjs";

const definition = { AttributeDefinitions: attributes({ id: "S" }), KeySchema: key("id") };
const WRITES_MAX = 25;
const KEYS_MAX = 100;
const ROUNDS_MAX = 10;

/** Waits about twice as long each time; the random part keeps many loaders out of step. */
const backOff = (round) => sleep(Math.min(25 * 2 ** round, 2000) * (0.5 + Math.random() / 2));

const chunks = (list, size) =>
    Array.from({ length: Math.ceil(list.length / size) }, (_, n) =>
        list.slice(n * size, (n + 1) * size),
    );

/** Writes all items. Returns how many requests it took. */
async function writeAll(client, table, items) {
    let requests = 0;
    for (const chunk of chunks(items, WRITES_MAX)) {
        let pending = chunk.map((Item) => ({ PutRequest: { Item } }));
        for (let round = 0; pending.length > 0; round++) {
            if (round === ROUNDS_MAX) throw new Error(`${pending.length} items stay unprocessed`);
            if (round > 0) await backOff(round);
            const answer = await client.send(
                new BatchWriteCommand({ RequestItems: { [table]: pending } }),
            );
            pending = answer.UnprocessedItems?.[table] ?? [];
            requests++;
        }
    }
    return requests;
}

/** Reads all keys; the items come in no particular order. */
async function readAll(client, table, keys) {
    const items = [];
    let requests = 0;
    for (const chunk of chunks(keys, KEYS_MAX)) {
        let pending = { [table]: { Keys: chunk } };
        for (let round = 0; Object.keys(pending).length > 0; round++) {
            if (round === ROUNDS_MAX) throw new Error("some keys stay unprocessed");
            const answer = await client.send(new BatchGetCommand({ RequestItems: pending }));
            items.push(...(answer.Responses?.[table] ?? []));
            pending = answer.UnprocessedKeys ?? {};
            requests++;
        }
    }
    return { items, requests };
}

/**
 * A server on an idle machine processes every write, so the retry would never run here. This
 * client plays a busy one: of every other request it sends half, and hands back the other half.
 */
function busy(client) {
    let count = 0;
    return {
        async send(command) {
            const [[table, writes]] = Object.entries(command.input.RequestItems);
            const half = count++ % 2 === 0 ? Math.ceil(writes.length / 2) : writes.length;
            await client.send(
                new BatchWriteCommand({ RequestItems: { [table]: writes.slice(0, half) } }),
            );
            const rest = writes.slice(half);
            return { UnprocessedItems: rest.length > 0 ? { [table]: rest } : {} };
        },
    };
}

const byId = (one, other) => (one.id < other.id ? -1 : 1);
const keysOf = (items) => items.map(({ id }) => ({ id }));

await withTable("batches", definition, async (table) => {
    const words = Array.from({ length: 1000 }, (_, n) => ({ id: `word-${1000 + n}`, number: n }));
    check("1,000 items are 40 batches", await writeAll(db, table, words), 40);
    const read = await readAll(db, table, keysOf(words));
    check("all of them are there", read.items.sort(byId), words);
    check("and were read in ten", read.requests, 10);

    const changed = words.slice(0, 100).map((word) => ({ ...word, number: -word.number - 1 }));
    check("a busy server takes twice the requests", await writeAll(busy(db), table, changed), 8);
    const reread = await readAll(db, table, keysOf(changed));
    check("and nothing is lost", reread.items.sort(byId), changed);

    // 60 items of 350 KB are 21 MB: more than one answer holds, so the server splits it.
    const pictures = Array.from({ length: 60 }, (_, n) => ({
        id: `picture-${100 + n}`,
        bytes: new Uint8Array(350 * 1024).fill(n),
    }));
    await writeAll(db, table, pictures);
    const gallery = await readAll(db, table, keysOf(pictures));
    const firstBytes = gallery.items
        .sort(byId)
        .map(({ id, bytes }) => [id, bytes.length, bytes[0]]);
    check("21 MB take more than one answer", gallery.requests > 1, true);
    check(
        "and every picture arrives",
        firstBytes,
        pictures.map(({ id, bytes }) => [id, bytes.length, bytes[0]]),
    );
    check(
        "what does not exist is simply not returned",
        (await readAll(db, table, [{ id: "none" }])).items,
        [],
    );
});
