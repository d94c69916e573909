// SPDX-License-Identifier: Apache-2.0
// Transfers between accounts: money moves in transactions, raced by many clients, and is conserved.
//
// A transfer is three writes that happen together or not at all: the record that it happened, the
// debit, and the credit. The record lies with the account that paid:
//
//   account   PK ACCOUNT#name   SK BALANCE          balance
//   transfer  PK ACCOUNT#name   SK TRANSFER#id      to, amount
//
// The record's key makes a transfer happen once: a second try with the same id finds it there. The
// ClientRequestToken does the same for ten minutes, and answers the retry with success.

import { randomUUID } from "node:crypto";
import { GetCommand, PutCommand, TransactWriteCommand } from "@aws-sdk/lib-dynamodb";
import {
    attributes,
    check,
    checkFails,
    connect,
    db,
    key,
    queryAll,
    sleep,
    withTable,
} from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ PK: "S", SK: "S" }),
    KeySchema: key("PK", "SK"),
};
const ACCOUNTS = ["ann", "ben", "cem", "dee", "eli", "fay"];
const OPENING_BALANCE = 100;
const CLIENTS = 12;
const TRANSFERS = 10;

const balanceKey = (account) => ({ PK: `ACCOUNT#${account}`, SK: "BALANCE" });

function transfer(client, table, { id, from, to, amount }, token = id) {
    return client.send(
        new TransactWriteCommand({
            ClientRequestToken: token,
            TransactItems: [
                {
                    Put: {
                        TableName: table,
                        Item: { PK: `ACCOUNT#${from}`, SK: `TRANSFER#${id}`, to, amount },
                        ConditionExpression: "attribute_not_exists(PK)",
                    },
                },
                {
                    Update: {
                        TableName: table,
                        Key: balanceKey(from),
                        UpdateExpression: "SET balance = balance - :amount",
                        ConditionExpression: "balance >= :amount",
                        ExpressionAttributeValues: { ":amount": amount },
                    },
                },
                {
                    Update: {
                        TableName: table,
                        Key: balanceKey(to),
                        UpdateExpression: "SET balance = balance + :amount",
                        ConditionExpression: "attribute_exists(PK)",
                        ExpressionAttributeValues: { ":amount": amount },
                    },
                },
            ],
        }),
    );
}

/**
 * True when the money moved, false when there was not enough of it. Tries again when another
 * transaction was in the way.
 */
async function transferOrRefuse(client, table, order) {
    for (let attempt = 0; attempt < 100; attempt++) {
        try {
            await transfer(client, table, order);
            return true;
        } catch (error) {
            if (error.name !== "TransactionCanceledException") throw error;
            const [record, debit, credit] = error.CancellationReasons.map((reason) => reason.Code);
            if (debit === "ConditionalCheckFailed") return false;
            if (![record, debit, credit].includes("TransactionConflict")) throw error;
            await sleep(Math.random() * 5 * (attempt + 1));
        }
    }
    throw new Error(`transfer ${order.id} never got its turn`);
}

async function balanceOf(table, account) {
    const { Item } = await db.send(
        new GetCommand({ TableName: table, Key: balanceKey(account), ConsistentRead: true }),
    );
    return Item.balance;
}

async function allBalances(table) {
    const balances = await Promise.all(ACCOUNTS.map((account) => balanceOf(table, account)));
    return Object.fromEntries(ACCOUNTS.map((account, index) => [account, balances[index]]));
}

const transfersOf = (table, account) =>
    queryAll({
        TableName: table,
        KeyConditionExpression: "PK = :account AND begins_with(SK, :transfer)",
        ExpressionAttributeValues: { ":account": `ACCOUNT#${account}`, ":transfer": "TRANSFER#" },
        ConsistentRead: true,
    });

/** One client's transfers: who pays whom how much follows from the numbers, the timing does not. */
async function raceTransfers(client, table, number) {
    let moved = 0;
    for (let step = 0; step < TRANSFERS; step++) {
        const from = (number + step) % ACCOUNTS.length;
        const to = (from + 1 + ((number * step) % (ACCOUNTS.length - 1))) % ACCOUNTS.length;
        const order = {
            id: randomUUID(),
            from: ACCOUNTS[from],
            to: ACCOUNTS[to],
            amount: 5 + ((number * 31 + step * 17) % 60),
        };
        if (await transferOrRefuse(client, table, order)) moved++;
    }
    return moved;
}

await withTable("bank", definition, async (table) => {
    for (const account of ACCOUNTS) {
        const Item = { ...balanceKey(account), balance: OPENING_BALANCE };
        await db.send(new PutCommand({ TableName: table, Item }));
    }

    const order = { id: randomUUID(), from: "ann", to: "ben", amount: 30 };
    await transfer(db, table, order);
    check(
        "money has moved",
        [await balanceOf(table, "ann"), await balanceOf(table, "ben")],
        [70, 130],
    );

    await transfer(db, table, order);
    check("the same request again succeeds and moves nothing", await balanceOf(table, "ann"), 70);
    await checkFails(
        "another request under the same token is a mistake",
        "IdempotentParameterMismatchException",
        transfer(db, table, { ...order, amount: 31 }),
    );
    const again = await checkFails(
        "without the token it is the record that stops the second transfer",
        "TransactionCanceledException",
        transfer(db, table, order, randomUUID()),
    );
    check(
        "and the reasons say so",
        again.CancellationReasons.map((reason) => reason.Code),
        ["ConditionalCheckFailed", "None", "None"],
    );
    const rich = { id: randomUUID(), from: "ann", to: "ben", amount: 1000 };
    check("nobody pays what they do not have", await transferOrRefuse(db, table, rich), false);
    check("a refused transfer leaves no record", (await transfersOf(table, "ann")).length, 1);

    const clients = Array.from({ length: CLIENTS }, connect);
    const moved = await Promise.all(
        clients.map((client, number) => raceTransfers(client, table, number)),
    );
    const count = moved.reduce((sum, each) => sum + each);
    console.log(`${CLIENTS * TRANSFERS} transfers tried by ${CLIENTS} clients, ${count} made`);

    // Work out every balance from the records alone, and compare.
    const expected = Object.fromEntries(ACCOUNTS.map((account) => [account, OPENING_BALANCE]));
    let records = 0;
    for (const account of ACCOUNTS) {
        for (const { to, amount } of await transfersOf(table, account)) {
            expected[account] -= amount;
            expected[to] += amount;
            records++;
        }
    }
    const balances = await allBalances(table);
    const total = Object.values(balances).reduce((sum, balance) => sum + balance);
    check("every transfer made has its record, and no other", records, count + 1);
    check("balances are what the records say", balances, expected);
    check("money is conserved", total, ACCOUNTS.length * OPENING_BALANCE);
    check(
        "no account is overdrawn",
        Object.values(balances).filter((balance) => balance < 0),
        [],
    );
});
