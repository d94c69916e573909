// SPDX-License-Identifier: Apache-2.0
// A view counter that many visitors increment at once: the count is spread over shards.
//
//   PK page    SK shard#n    views
//
// ADD increments in the server, so no increment is lost. But one item is one place on one
// partition: a popular page needs several, and its count is their sum. A page's shards share a
// partition key here to keep the reading to one Query; for more writes than one partition takes,
// put the shard's number into the partition key, as time_series.mjs does.

import { UpdateCommand } from "@aws-sdk/lib-dynamodb";
import { attributes, check, connect, db, key, queryAll, withTable } from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ page: "S", shard: "S" }),
    KeySchema: key("page", "shard"),
};
const SHARDS = 10;
const VISITORS = 16;
const VIEWS = 25;

/** Counts one view. ADD creates the shard when it is not there yet. Returns its new count. */
async function countView(client, table, page) {
    const { Attributes } = await client.send(
        new UpdateCommand({
            TableName: table,
            Key: { page, shard: `shard#${Math.floor(Math.random() * SHARDS)}` },
            UpdateExpression: "ADD #views :one",
            ExpressionAttributeNames: { "#views": "views" },
            ExpressionAttributeValues: { ":one": 1 },
            ReturnValues: "UPDATED_NEW",
        }),
    );
    return Attributes.views;
}

const shardsOf = (table, page) =>
    queryAll({
        TableName: table,
        KeyConditionExpression: "#page = :page",
        ExpressionAttributeNames: { "#page": "page" },
        ExpressionAttributeValues: { ":page": page },
        ConsistentRead: true,
    });

async function views(table, page) {
    return (await shardsOf(table, page)).reduce((sum, shard) => sum + shard.views, 0);
}

await withTable("views", definition, async (table) => {
    check("a page nobody saw has no views", await views(table, "/about"), 0);
    check("the first view is number one", await countView(db, table, "/about"), 1);

    const visits = Array.from({ length: VISITORS }, async () => {
        const client = connect();
        for (let view = 0; view < VIEWS; view++) await countView(client, table, "/");
    });
    await Promise.all(visits);

    const shards = await shardsOf(table, "/");
    console.log(`views a shard: ${shards.map((shard) => shard.views).join(" ")}`);
    check("no view is lost", await views(table, "/"), VISITORS * VIEWS);
    check("the views are spread over the shards", shards.length, SHARDS);
    check("other pages are counted apart", await views(table, "/about"), 1);
});
