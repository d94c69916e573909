// SPDX-License-Identifier: Apache-2.0
// A tree of folders: each node is stored under its parent's path.
//
//   PK parent path    SK name        the node /music/jazz/1959 is PK "/music/jazz", SK "1959"
//
// The children of a folder are one Query. The ancestors of a node need no search at all: its path
// spells out the keys of every one of them, and one BatchGetItem fetches them together.

import { BatchGetCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import { attributes, check, checkFails, db, key, queryAll, withTable } from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ PK: "S", SK: "S" }),
    KeySchema: key("PK", "SK"),
};

/** "/music/jazz/1959" → { PK: "/music/jazz", SK: "1959" }; a top folder's parent is "/". */
function keyOf(path) {
    const slash = path.lastIndexOf("/");
    return { PK: path.slice(0, slash) || "/", SK: path.slice(slash + 1) };
}

/** "/music/jazz/1959" → ["/music", "/music/jazz"]. */
function ancestorPaths(path) {
    const names = path.split("/").slice(1, -1);
    return names.map((_, depth) => `/${names.slice(0, depth + 1).join("/")}`);
}

/** Adds a node. The parent must exist, and is checked in the same transaction: no orphans. */
async function add(table, path, fileSize) {
    const parent = ancestorPaths(path).at(-1);
    const put = {
        Put: {
            TableName: table,
            Item: { ...keyOf(path), path, ...(fileSize === undefined ? {} : { fileSize }) },
            ConditionExpression: "attribute_not_exists(PK)",
        },
    };
    const checkParent = parent && {
        ConditionCheck: {
            TableName: table,
            Key: keyOf(parent),
            // A file has a size and no children.
            ConditionExpression: "attribute_exists(PK) AND attribute_not_exists(fileSize)",
        },
    };
    await db.send(new TransactWriteCommand({ TransactItems: parent ? [put, checkParent] : [put] }));
}

const children = (table, path) =>
    queryAll({
        TableName: table,
        KeyConditionExpression: "PK = :path",
        ExpressionAttributeValues: { ":path": path },
    });

const childrenNamed = (table, path, prefix) =>
    queryAll({
        TableName: table,
        KeyConditionExpression: "PK = :path AND begins_with(SK, :prefix)",
        ExpressionAttributeValues: { ":path": path, ":prefix": prefix },
    });

/** From the top down. BatchGetItem keeps no order, so the length of the path gives it back. */
async function ancestors(table, path) {
    const Keys = ancestorPaths(path).map(keyOf);
    if (Keys.length === 0) return [];
    const { Responses } = await db.send(
        new BatchGetCommand({ RequestItems: { [table]: { Keys } } }),
    );
    return Responses[table].sort((one, other) => one.path.length - other.path.length);
}

/** The size of everything below a folder: one Query a folder, siblings at the same time. */
async function totalSize(table, path) {
    const sizes = (await children(table, path)).map(
        (node) => node.fileSize ?? totalSize(table, node.path),
    );
    return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

const paths = (nodes) => nodes.map((node) => node.path);

await withTable("tree", definition, async (table) => {
    await add(table, "/music");
    await add(table, "/music/jazz");
    await add(table, "/music/jazz/1959");
    await add(table, "/music/jazz/1959/so-what.flac", 540);
    await add(table, "/music/jazz/1959/take-five.flac", 320);
    await add(table, "/music/jazz/readme.txt", 2);
    await add(table, "/music/folk");
    await add(table, "/photos");
    await add(table, "/photos/2025-winter", 77);

    check("children come by name", paths(await children(table, "/music")), [
        "/music/folk",
        "/music/jazz",
    ]);
    check("the top has children too", paths(await children(table, "/")), ["/music", "/photos"]);
    check("an empty folder has none", await children(table, "/music/folk"), []);
    check(
        "children can be found by the start of their name",
        paths(await childrenNamed(table, "/music/jazz/1959", "take")),
        ["/music/jazz/1959/take-five.flac"],
    );
    check(
        "ancestors come from the top down",
        paths(await ancestors(table, "/music/jazz/1959/so-what.flac")),
        ["/music", "/music/jazz", "/music/jazz/1959"],
    );
    check("a top folder has no ancestors", await ancestors(table, "/photos"), []);
    check("sizes add up", await totalSize(table, "/music"), 862);
    check("for the whole tree as well", await totalSize(table, "/"), 939);

    const orphan = await checkFails(
        "a node needs its parent",
        "TransactionCanceledException",
        add(table, "/music/blues/lonesome.flac", 1),
    );
    check(
        "it is the parent that is missing",
        orphan.CancellationReasons.map((reason) => reason.Code),
        ["None", "ConditionalCheckFailed"],
    );
    await checkFails(
        "a file has no children",
        "TransactionCanceledException",
        add(table, "/music/jazz/readme.txt/x"),
    );
    await checkFails(
        "a path is taken once",
        "TransactionCanceledException",
        add(table, "/music/jazz"),
    );
    check("nothing came of these", paths(await children(table, "/music")), [
        "/music/folk",
        "/music/jazz",
    ]);
});
