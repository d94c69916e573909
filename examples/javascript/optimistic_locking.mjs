// SPDX-License-Identifier: Apache-2.0
// Optimistic locking: many editors change one document, and nobody's change is lost.
//
// Nobody holds a lock. Every document carries a version; a save says which version it started
// from, as a condition. If somebody else was faster the save fails, and the editor starts over
// from the new version.

import { GetCommand, PutCommand } from "@aws-sdk/lib-dynamodb";
import { attributes, check, checkFails, connect, db, key, withTable } from "./shared.mjs";

const definition = { AttributeDefinitions: attributes({ id: "S" }), KeySchema: key("id") };
const EDITORS = 8;
const EDITS = 10;

/** The read must be consistent: an old copy would only lead to a save that fails. */
async function read(client, table, id) {
    const { Item } = await client.send(
        new GetCommand({ TableName: table, Key: { id }, ConsistentRead: true }),
    );
    return Item;
}

/** Replaces the document if it is still the version that was read. */
function save(client, table, document) {
    return client.send(
        new PutCommand({
            TableName: table,
            Item: { ...document, version: document.version + 1 },
            ConditionExpression: "#version = :read",
            ExpressionAttributeNames: { "#version": "version" },
            ExpressionAttributeValues: { ":read": document.version },
        }),
    );
}

/** Read, change, save, until the save succeeds. Returns how often somebody else was faster. */
async function edit(client, table, id, change) {
    for (let conflicts = 0; conflicts < 1000; conflicts++) {
        try {
            await save(client, table, change(await read(client, table, id)));
            return conflicts;
        } catch (error) {
            if (error.name !== "ConditionalCheckFailedException") throw error;
        }
    }
    throw new Error("the document never came to rest");
}

const withLine = (line) => (document) => ({ ...document, lines: [...document.lines, line] });

await withTable("documents", definition, async (table) => {
    await db.send(
        new PutCommand({ TableName: table, Item: { id: "minutes", version: 1, lines: [] } }),
    );

    // All read the same version before anyone saves: the second to arrive must already fail.
    const clients = Array.from({ length: EDITORS }, connect);
    const copies = await Promise.all(clients.map((client) => read(client, table, "minutes")));
    const saves = await Promise.allSettled(
        clients.map((client, editor) =>
            save(client, table, withLine(`opening by ${editor}`)(copies[editor])),
        ),
    );
    const failures = saves.filter((result) => result.status === "rejected");
    check("of editors with the same version one saves", EDITORS - failures.length, 1);
    check(
        "the others learn that they are too late",
        new Set(failures.map((result) => result.reason.name)),
        new Set(["ConditionalCheckFailedException"]),
    );
    check("the document moved on by one version", (await read(db, table, "minutes")).version, 2);

    // Now everybody edits as fast as they can.
    const conflicts = await Promise.all(
        clients.map(async (client, editor) => {
            let count = 0;
            for (let number = 0; number < EDITS; number++) {
                count += await edit(
                    client,
                    table,
                    "minutes",
                    withLine(`${editor}: line ${number}`),
                );
            }
            return count;
        }),
    );
    console.log(
        `${EDITORS * EDITS} edits, ${conflicts.reduce((sum, count) => sum + count)} conflicts`,
    );

    const { version, lines } = await read(db, table, "minutes");
    check("every edit is one version", version, 2 + EDITORS * EDITS);
    check("no line is lost and none is there twice", new Set(lines).size, lines.length);
    const linesOf = (editor) => lines.filter((line) => line.startsWith(`${editor}: `));
    const editors = clients.map((_, editor) => editor);
    check(
        "every editor's lines are in the order written",
        editors.map(linesOf),
        editors.map((editor) =>
            Array.from({ length: EDITS }, (_, number) => `${editor}: line ${number}`),
        ),
    );
    await checkFails(
        "a document that does not exist has no version to start from",
        "ConditionalCheckFailedException",
        save(db, table, { id: "nowhere", version: 1, lines: [] }),
    );
});
