// SPDX-License-Identifier: Apache-2.0
// A session store for a web site: look-up by token, sliding expiry, "log me out everywhere".
//
//   table   token                 user, expiresAt, cart
//   index   byUser: user, token   (keys only: a list of the user's sessions)
//
// expiresAt is in seconds, as the table's time to live wants it. The clean-up that time to live
// does may come late, so an expired session can still be found: every use says what time it is.

import { randomUUID } from "node:crypto";
import {
    BatchWriteCommand,
    DeleteCommand,
    GetCommand,
    PutCommand,
    UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { attributes, check, db, key, queryAll, withTable } from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ token: "S", user: "S" }),
    KeySchema: key("token"),
    GlobalSecondaryIndexes: [
        {
            IndexName: "byUser",
            KeySchema: key("user", "token"),
            Projection: { ProjectionType: "KEYS_ONLY" },
        },
    ],
};
const LIFETIME_S = 1800;

async function logIn(table, user, now) {
    const token = randomUUID();
    await db.send(
        new PutCommand({
            TableName: table,
            Item: { token, user, cart: [], expiresAt: now + LIFETIME_S },
            ConditionExpression: "attribute_not_exists(#token)",
            ExpressionAttributeNames: { "#token": "token" },
        }),
    );
    return token;
}

/** The session, if there is one and it has not expired. */
async function find(table, token, now) {
    const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: { token }, ConsistentRead: true }),
    );
    return Item && Item.expiresAt > now ? Item : undefined;
}

/**
 * Every request extends the session. The condition keeps an expired one expired, and keeps the
 * update from creating one that was just logged out.
 */
async function update(table, token, now, cartItem) {
    try {
        const { Attributes } = await db.send(
            new UpdateCommand({
                TableName: table,
                Key: { token },
                UpdateExpression: "SET expiresAt = :expires, cart = list_append(cart, :items)",
                ConditionExpression: "expiresAt > :now",
                ExpressionAttributeValues: {
                    ":expires": now + LIFETIME_S,
                    ":now": now,
                    ":items": cartItem === undefined ? [] : [cartItem],
                },
                ReturnValues: "ALL_NEW",
            }),
        );
        return Attributes;
    } catch (error) {
        if (error.name === "ConditionalCheckFailedException") return undefined;
        throw error;
    }
}

/** True when there was a session to end. */
async function logOut(table, token) {
    const { Attributes } = await db.send(
        new DeleteCommand({ TableName: table, Key: { token }, ReturnValues: "ALL_OLD" }),
    );
    return Attributes !== undefined;
}

const sessionsOf = (table, user) =>
    queryAll({
        TableName: table,
        IndexName: "byUser",
        KeyConditionExpression: "#user = :user",
        ExpressionAttributeNames: { "#user": "user" },
        ExpressionAttributeValues: { ":user": user },
    });

/** Ends all of a user's sessions. They fit into one batch here; see batch_load.mjs for more. */
async function logOutEverywhere(table, user) {
    const sessions = await sessionsOf(table, user);
    const deletes = sessions.map(({ token }) => ({ DeleteRequest: { Key: { token } } }));
    await db.send(new BatchWriteCommand({ RequestItems: { [table]: deletes } }));
    return sessions.length;
}

await withTable("sessions", definition, async (table) => {
    const noon = 1_780_000_000;
    const phone = await logIn(table, "ada", noon);
    const laptop = await logIn(table, "ada", noon + 60);
    const other = await logIn(table, "bob", noon);

    check("a token finds its session", (await find(table, phone, noon + 10)).user, "ada");
    check("an invented token finds nothing", await find(table, randomUUID(), noon), undefined);

    const session = await update(table, phone, noon + 1700, "lamp");
    check("use extends a session", session.expiresAt, noon + 1700 + LIFETIME_S);
    check("so it outlives its first half hour", (await find(table, phone, noon + 3000)).cart, [
        "lamp",
    ]);
    check("an unused one does not", await find(table, laptop, noon + 3000), undefined);
    check(
        "an expired session cannot be extended",
        await update(table, laptop, noon + 3000),
        undefined,
    );

    const listed = await sessionsOf(table, "ada");
    check(
        "a user sees all their sessions",
        listed.map(({ token }) => token),
        [phone, laptop].sort(),
    );
    check("the list holds keys only", Object.keys(listed[0]).sort(), ["token", "user"]);

    check("logging out ends a session", await logOut(table, other), true);
    check("only once", await logOut(table, other), false);
    check("use does not bring it back", await update(table, other, noon + 10), undefined);
    check("it is gone from the list", await sessionsOf(table, "bob"), []);

    check("logging out everywhere ends both sessions", await logOutEverywhere(table, "ada"), 2);
    check("no token is left", await find(table, phone, noon + 3000), undefined);
    check("and no entry in the list", await sessionsOf(table, "ada"), []);
});
