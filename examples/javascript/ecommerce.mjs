// SPDX-License-Identifier: Apache-2.0
// An online shop in a single table: users, orders, order items, products and reviews.
//
// First come the questions the shop asks, then the keys that answer each with one Query. Items
// read together share a partition; within it the sort key puts them in the order wanted.
//
//   entity      PK            SK                    GSI1PK           GSI1SK
//   user        USER#id       PROFILE               EMAIL#email      USER#id
//   order       USER#id       ORDER#date#id         STATUS#status    date#id
//   order item  ORDER#id      ITEM#product
//   product     PRODUCT#id    DETAILS               CATEGORY#name    PRICE#cents
//   review      PRODUCT#id    REVIEW#date#user
//
// GSI1 is overloaded: one index, three kinds of lookup, because each kind of item brings its own
// values for the same two attributes. Order items and reviews have none, so they stay out of it.

import {
    BatchWriteCommand,
    QueryCommand,
    TransactWriteCommand,
    UpdateCommand,
} from "@aws-sdk/lib-dynamodb";
import { attributes, check, checkFails, db, key, queryAll, withTable } from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ PK: "S", SK: "S", GSI1PK: "S", GSI1SK: "S" }),
    KeySchema: key("PK", "SK"),
    GlobalSecondaryIndexes: [
        {
            IndexName: "GSI1",
            KeySchema: key("GSI1PK", "GSI1SK"),
            Projection: { ProjectionType: "ALL" },
        },
    ],
};

// ---- the items

const user = (id, name, email) => ({
    PK: `USER#${id}`,
    SK: "PROFILE",
    GSI1PK: `EMAIL#${email}`,
    GSI1SK: `USER#${id}`,
    id,
    name,
    email,
});

// Strings sort by their bytes: a number inside a key needs leading zeros.
const priceKey = (cents) => `PRICE#${String(cents).padStart(8, "0")}`;

const product = (id, category, title, cents, stock) => ({
    PK: `PRODUCT#${id}`,
    SK: "DETAILS",
    GSI1PK: `CATEGORY#${category}`,
    GSI1SK: priceKey(cents),
    id,
    category,
    title,
    cents,
    stock,
});

const review = (productId, userId, date, stars, text) => ({
    PK: `PRODUCT#${productId}`,
    SK: `REVIEW#${date}#${userId}`,
    userId,
    date,
    stars,
    text,
});

const order = (id, userId, date, lines) => ({
    PK: `USER#${userId}`,
    SK: `ORDER#${date}#${id}`,
    GSI1PK: "STATUS#placed",
    GSI1SK: `${date}#${id}`,
    id,
    userId,
    date,
    status: "placed",
    cents: lines.reduce((sum, line) => sum + line.cents * line.quantity, 0),
});

const orderItem = (orderId, { productId, quantity, cents }) => ({
    PK: `ORDER#${orderId}`,
    SK: `ITEM#${productId}`,
    productId,
    quantity,
    cents,
});

// ---- the questions

const query = (table, condition, values, IndexName) =>
    queryAll({
        TableName: table,
        IndexName,
        KeyConditionExpression: condition,
        ExpressionAttributeValues: values,
    });

async function userByEmail(table, email) {
    const users = await query(table, "GSI1PK = :email", { ":email": `EMAIL#${email}` }, "GSI1");
    return users[0];
}

const ordersWithStatus = (table, status) =>
    query(table, "GSI1PK = :status", { ":status": `STATUS#${status}` }, "GSI1");

const productsInCategory = (table, category, centsMax) =>
    query(
        table,
        "GSI1PK = :category AND GSI1SK <= :price",
        { ":category": `CATEGORY#${category}`, ":price": priceKey(centsMax) },
        "GSI1",
    );

/** One page of a user's orders, newest first, and where the next page starts. */
async function ordersNewestFirst(table, userId, limit, start) {
    const page = await db.send(
        new QueryCommand({
            TableName: table,
            KeyConditionExpression: "PK = :user AND begins_with(SK, :order)",
            ExpressionAttributeValues: { ":user": `USER#${userId}`, ":order": "ORDER#" },
            ScanIndexForward: false,
            Limit: limit,
            ExclusiveStartKey: start,
        }),
    );
    return { orders: page.Items, next: page.LastEvaluatedKey };
}

const ordersBetween = (table, userId, from, to) =>
    query(table, "PK = :user AND SK BETWEEN :from AND :to", {
        ":user": `USER#${userId}`,
        ":from": `ORDER#${from}`,
        ":to": `ORDER#${to}`,
    });

const itemsOfOrder = (table, id) => query(table, "PK = :order", { ":order": `ORDER#${id}` });

/** A product page in one request: the product sorts before its reviews. */
async function productPage(table, id) {
    const [details, ...reviews] = await query(table, "PK = :product", {
        ":product": `PRODUCT#${id}`,
    });
    return { details, reviews };
}

// ---- the changes

/** Writes the order, its items and the new stock together, or nothing at all. */
function placeOrder(table, id, userId, date, lines) {
    const puts = [order(id, userId, date, lines), ...lines.map((line) => orderItem(id, line))];
    return db.send(
        new TransactWriteCommand({
            TransactItems: [
                ...puts.map((Item) => ({
                    Put: {
                        TableName: table,
                        Item,
                        ConditionExpression: "attribute_not_exists(PK)",
                    },
                })),
                ...lines.map(({ productId, quantity }) => ({
                    Update: {
                        TableName: table,
                        Key: { PK: `PRODUCT#${productId}`, SK: "DETAILS" },
                        UpdateExpression: "SET stock = stock - :quantity",
                        ConditionExpression: "stock >= :quantity",
                        ExpressionAttributeValues: { ":quantity": quantity },
                    },
                })),
            ],
        }),
    );
}

/** A new status is a new index key: the order moves within GSI1 in the same write. */
async function changeStatus(table, { PK, SK }, from, to) {
    const { Attributes } = await db.send(
        new UpdateCommand({
            TableName: table,
            Key: { PK, SK },
            UpdateExpression: "SET #status = :to, GSI1PK = :key",
            ConditionExpression: "#status = :from",
            ExpressionAttributeNames: { "#status": "status" },
            ExpressionAttributeValues: { ":from": from, ":to": to, ":key": `STATUS#${to}` },
            ReturnValues: "ALL_NEW",
        }),
    );
    return Attributes;
}

const ids = (items) => items.map((item) => item.id).join(" ");

await withTable("shop", definition, async (table) => {
    const catalog = [
        user("ada", "Ada", "ada@example.com"),
        user("bob", "Bob", "bob@example.com"),
        product("lamp", "home", "Desk lamp", 3900, 10),
        product("rug", "home", "Wool rug", 12900, 2),
        product("mug", "home", "Mug", 950, 100),
        product("pen", "office", "Pen", 250, 500),
        review("lamp", "ada", "2026-02-01", 5, "Bright."),
        review("lamp", "bob", "2026-03-09", 3, "Wobbles."),
    ];
    await db.send(
        new BatchWriteCommand({
            RequestItems: { [table]: catalog.map((Item) => ({ PutRequest: { Item } })) },
        }),
    );

    const lamp = { productId: "lamp", quantity: 1, cents: 3900 };
    const mugs = { productId: "mug", quantity: 4, cents: 950 };
    const rug = { productId: "rug", quantity: 2, cents: 12900 };
    await placeOrder(table, "1001", "ada", "2026-01-15", [lamp, mugs]);
    await placeOrder(table, "1002", "bob", "2026-02-20", [rug]);
    await placeOrder(table, "1003", "ada", "2026-03-02", [mugs]);
    await placeOrder(table, "1004", "ada", "2026-03-28", [lamp]);

    check(
        "an e-mail address finds its user",
        (await userByEmail(table, "bob@example.com")).name,
        "Bob",
    );
    check(
        "an unknown address finds nobody",
        await userByEmail(table, "eve@example.com"),
        undefined,
    );

    const first = await ordersNewestFirst(table, "ada", 2);
    const second = await ordersNewestFirst(table, "ada", 2, first.next);
    check("orders come newest first", ids(first.orders), "1004 1003");
    check("the next page goes on where the first ended", ids(second.orders), "1001");
    check("the last page has no next one", second.next, undefined);
    check(
        "orders of March",
        ids(await ordersBetween(table, "ada", "2026-03", "2026-04")),
        "1003 1004",
    );

    check(
        "an order has its items",
        (await itemsOfOrder(table, "1001")).map((item) => [item.productId, item.quantity]),
        [
            ["lamp", 1],
            ["mug", 4],
        ],
    );
    const { details, reviews } = await productPage(table, "lamp");
    check("orders took from the stock", details.stock, 8);
    check(
        "reviews come with their product",
        reviews.map((item) => item.stars),
        [5, 3],
    );
    check(
        "a category is sorted by price",
        ids(await productsInCategory(table, "home", 5000)),
        "mug lamp",
    );

    check(
        "four orders are placed",
        ids(await ordersWithStatus(table, "placed")),
        "1001 1002 1003 1004",
    );
    const shipped = await changeStatus(table, second.orders[0], "placed", "shipped");
    check("a shipped order keeps its total", [shipped.status, shipped.cents], ["shipped", 7700]);
    check(
        "it has left the placed ones",
        ids(await ordersWithStatus(table, "placed")),
        "1002 1003 1004",
    );
    check("it is among the shipped ones", ids(await ordersWithStatus(table, "shipped")), "1001");
    await checkFails(
        "an order is shipped once",
        "ConditionalCheckFailedException",
        changeStatus(table, shipped, "placed", "shipped"),
    );

    const refused = await checkFails(
        "what is out of stock cannot be ordered",
        "TransactionCanceledException",
        placeOrder(table, "1005", "bob", "2026-04-01", [mugs, rug]),
    );
    check(
        "the reasons name the rug, which is the last of the five actions",
        refused.CancellationReasons.map((reason) => reason.Code),
        ["None", "None", "None", "None", "ConditionalCheckFailed"],
    );
    check("nothing of the refused order was written", await itemsOfOrder(table, "1005"), []);
    check("not even the mugs were taken", (await productPage(table, "mug")).details.stock, 92);
});
