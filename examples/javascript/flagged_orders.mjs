// SPDX-License-Identifier: Apache-2.0
// A sparse index: of many orders it holds only the few that somebody must look at.
//
// An item without the index's key attributes is not in the index. So "needs attention" is an
// attribute that most orders do not have; setting it puts an order on the list, removing it takes
// the order off. Reading the list costs what the list weighs, not what the table weighs.

import { BatchWriteCommand, QueryCommand, ScanCommand, UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { attributes, check, db, key, withTable } from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ orderId: "S", flag: "S", flaggedAt: "S" }),
    KeySchema: key("orderId"),
    GlobalSecondaryIndexes: [
        {
            IndexName: "flagged",
            KeySchema: key("flag", "flaggedAt"),
            // The list shows the customer and the total; the rest stays in the table.
            Projection: { ProjectionType: "INCLUDE", NonKeyAttributes: ["customer", "total"] },
        },
    ],
};

const orderId = (number) => `order-${String(number).padStart(4, "0")}`;

async function loadOrders(table, count) {
    const puts = Array.from({ length: count }, (_, number) => ({
        PutRequest: {
            Item: {
                orderId: orderId(number),
                customer: `customer-${number % 17}`,
                total: 100 + number,
                notes: "Leave it with the neighbours. ".repeat(10),
            },
        },
    }));
    // 25 is the most that one BatchWriteItem takes; batch_load.mjs shows how to retry.
    for (let start = 0; start < count; start += 25) {
        const { UnprocessedItems } = await db.send(
            new BatchWriteCommand({ RequestItems: { [table]: puts.slice(start, start + 25) } }),
        );
        if (Object.keys(UnprocessedItems ?? {}).length) throw new Error("the server is overloaded");
    }
}

const flagOrder = (table, number, flag, flaggedAt) =>
    db.send(
        new UpdateCommand({
            TableName: table,
            Key: { orderId: orderId(number) },
            UpdateExpression: "SET flag = :flag, flaggedAt = :at",
            ConditionExpression: "attribute_exists(orderId)",
            ExpressionAttributeValues: { ":flag": flag, ":at": flaggedAt },
        }),
    );

const clearFlag = (table, number) =>
    db.send(
        new UpdateCommand({
            TableName: table,
            Key: { orderId: orderId(number) },
            UpdateExpression: "REMOVE flag, flaggedAt",
        }),
    );

const flaggedOrders = (table, flag) =>
    db.send(
        new QueryCommand({
            TableName: table,
            IndexName: "flagged",
            KeyConditionExpression: "flag = :flag",
            ExpressionAttributeValues: { ":flag": flag },
            ReturnConsumedCapacity: "TOTAL",
        }),
    );

const ids = (page) => page.Items.map((item) => item.orderId);

await withTable("flagged-orders", definition, async (table) => {
    await loadOrders(table, 200);
    check("no order is flagged at first", (await flaggedOrders(table, "fraud")).Items, []);

    await flagOrder(table, 150, "fraud", "2026-05-02T10:00:00Z");
    await flagOrder(table, 7, "address", "2026-05-02T11:00:00Z");
    await flagOrder(table, 42, "fraud", "2026-05-01T08:00:00Z");
    await flagOrder(table, 99, "fraud", "2026-05-03T09:30:00Z");

    const frauds = await flaggedOrders(table, "fraud");
    check("the longest waiting comes first", ids(frauds), [42, 150, 99].map(orderId));
    check("the index has what was projected, and no notes", frauds.Items[0], {
        orderId: orderId(42),
        flag: "fraud",
        flaggedAt: "2026-05-01T08:00:00Z",
        customer: "customer-8",
        total: 142,
    });

    await clearFlag(table, 150);
    check(
        "a cleared order leaves the list",
        ids(await flaggedOrders(table, "fraud")),
        [42, 99].map(orderId),
    );
    await flagOrder(table, 42, "address", "2026-05-04T12:00:00Z");
    check(
        "a changed flag moves it",
        ids(await flaggedOrders(table, "address")),
        [7, 42].map(orderId),
    );

    // The other way to the same orders, shown for its price: read everything, keep two.
    const scan = await db.send(
        new ScanCommand({
            TableName: table,
            FilterExpression: "flag = :flag",
            ExpressionAttributeValues: { ":flag": "address" },
            ReturnConsumedCapacity: "TOTAL",
        }),
    );
    const query = await flaggedOrders(table, "address");
    check("a scan finds the same", ids(scan).sort(), ids(query).sort());
    check("having read the whole table", [scan.ScannedCount, query.ScannedCount], [200, 2]);
    check("the index costs half a unit", query.ConsumedCapacity.CapacityUnits, 0.5);
    check("the scan costs over ten times that", scan.ConsumedCapacity.CapacityUnits > 5, true);
});
