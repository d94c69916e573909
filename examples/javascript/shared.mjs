// SPDX-License-Identifier: Apache-2.0
// What every example shares: clients, a table that lives as long as the example, and checks.

import { randomUUID } from "node:crypto";
import { inspect, isDeepStrictEqual } from "node:util";
import {
    CreateTableCommand,
    DeleteTableCommand,
    DynamoDBClient,
    waitUntilTableExists,
    waitUntilTableNotExists,
} from "@aws-sdk/client-dynamodb";
import { DynamoDBDocumentClient, paginateQuery } from "@aws-sdk/lib-dynamodb";

// The SDK signs every request, so it needs credentials even where nobody checks them.
if (!process.env.AWS_ACCESS_KEY_ID) {
    process.env.AWS_ACCESS_KEY_ID = "local";
    process.env.AWS_SECRET_ACCESS_KEY = "local";
}

/** A client of its own, with its own connections. It speaks plain JavaScript values. */
export function connect() {
    const client = new DynamoDBClient({
        region: "us-east-1",
        endpoint: process.env.AWS_ENDPOINT_URL_DYNAMODB || "http://127.0.0.1:8000",
    });
    return DynamoDBDocumentClient.from(client);
}

/** The client for everything that is not about several clients at once. */
export const db = connect();

/** attributes({ PK: "S", at: "N" }): the AttributeDefinitions of a table. */
export const attributes = (types) =>
    Object.entries(types).map(([AttributeName, AttributeType]) => ({
        AttributeName,
        AttributeType,
    }));

/** key("PK", "SK"): the KeySchema of a table or an index; the sort key is optional. */
export const key = (partition, sort) => [
    { AttributeName: partition, KeyType: "HASH" },
    ...(sort ? [{ AttributeName: sort, KeyType: "RANGE" }] : []),
];

/**
 * Creates a table, runs use(table name) when it is ACTIVE, and deletes the table whatever happens.
 * The name ends in random characters, so that examples may run side by side.
 */
export async function withTable(name, definition, use) {
    const TableName = `${name}-${randomUUID().slice(0, 8)}`;
    const waiting = { client: db, minDelay: 0.1, maxDelay: 1, maxWaitTime: 60 };
    await db.send(
        new CreateTableCommand({ BillingMode: "PAY_PER_REQUEST", ...definition, TableName }),
    );
    try {
        await waitUntilTableExists(waiting, { TableName });
        await use(TableName);
    } finally {
        await db.send(new DeleteTableCommand({ TableName }));
        await waitUntilTableNotExists(waiting, { TableName });
    }
}

/** All items of a Query, however many pages it takes. */
export async function queryAll(query) {
    const items = [];
    for await (const page of paginateQuery({ client: db }, query)) items.push(...page.Items);
    return items;
}

/** Says what holds, or stops the example saying what does not. */
export function check(claim, actual, expected) {
    if (!isDeepStrictEqual(actual, expected)) {
        const show = (value) => inspect(value, { depth: null, maxArrayLength: 20 });
        throw new Error(`not so: ${claim}\nexpected: ${show(expected)}\n  actual: ${show(actual)}`);
    }
    console.log(`ok: ${claim}`);
}

/** Checks that a promise fails with the named error, which it returns. */
export async function checkFails(claim, name, promise) {
    const error = await promise.then(
        () => undefined,
        (reason) => reason,
    );
    check(claim, error?.name, name);
    return error;
}

export const sleep = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
