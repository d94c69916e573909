// SPDX-License-Identifier: Apache-2.0
// A time series over ten write shards: written everywhere at once, read in parallel, and merged.
//
// With the day alone as partition key every new reading would go to one partition, and a partition
// takes 1,000 writes a second. A shard number in the key spreads a day over ten partitions.
//
//   PK day#shard    SK at (a number: milliseconds)
//
// A read asks all ten shards at the same time. Each answers in order of time, so the answers only
// have to be merged.

import { BatchWriteCommand, QueryCommand } from "@aws-sdk/lib-dynamodb";
import { attributes, check, db, key, queryAll, withTable } from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ PK: "S", at: "N" }),
    KeySchema: key("PK", "at"),
};
const SHARDS = 10;
const shards = Array.from({ length: SHARDS }, (_, shard) => shard);

const dayOf = (at) => new Date(at).toISOString().slice(0, 10);

async function write(table, readings) {
    for (let start = 0; start < readings.length; start += 25) {
        // Any shard will do, since reads ask them all.
        const puts = readings.slice(start, start + 25).map((reading) => ({
            PutRequest: {
                Item: {
                    PK: `${dayOf(reading.at)}#${Math.floor(Math.random() * SHARDS)}`,
                    ...reading,
                },
            },
        }));
        const { UnprocessedItems } = await db.send(
            new BatchWriteCommand({ RequestItems: { [table]: puts } }),
        );
        if (Object.keys(UnprocessedItems ?? {}).length) throw new Error("the server is overloaded");
    }
}

/** Merges lists that are sorted already, always taking the smallest head. */
function merge(lists, precedes) {
    const heads = lists.map(() => 0);
    const merged = [];
    for (;;) {
        let best = -1;
        lists.forEach((list, n) => {
            if (heads[n] === list.length) return;
            if (best < 0 || precedes(list[heads[n]], lists[best][heads[best]])) best = n;
        });
        if (best < 0) return merged;
        merged.push(lists[best][heads[best]++]);
    }
}

/** All readings of one day from `from` up to, but not including, `to`. */
async function range(table, day, from, to) {
    const lists = await Promise.all(
        shards.map((shard) =>
            queryAll({
                TableName: table,
                // BETWEEN includes both ends.
                KeyConditionExpression: "PK = :shard AND #at BETWEEN :from AND :last",
                ExpressionAttributeNames: { "#at": "at" },
                ExpressionAttributeValues: {
                    ":shard": `${day}#${shard}`,
                    ":from": from,
                    ":last": to - 1,
                },
            }),
        ),
    );
    return { lists, readings: merge(lists, (one, other) => one.at < other.at) };
}

/** The newest readings of a day. One shard may hold them all: each is asked for that many. */
async function latest(table, day, count) {
    const lists = await Promise.all(
        shards.map(async (shard) => {
            const page = await db.send(
                new QueryCommand({
                    TableName: table,
                    KeyConditionExpression: "PK = :shard",
                    ExpressionAttributeValues: { ":shard": `${day}#${shard}` },
                    ScanIndexForward: false,
                    Limit: count,
                }),
            );
            return page.Items;
        }),
    );
    return merge(lists, (one, other) => one.at > other.at).slice(0, count);
}

const times = (readings) => readings.map((reading) => reading.at);

await withTable("readings", definition, async (table) => {
    // Two days, one reading every three minutes: 480 a day.
    const midnight = Date.UTC(2026, 2, 1);
    const minutes = (count) => count * 60_000;
    const readings = Array.from({ length: 960 }, (_, n) => ({
        at: midnight + minutes(3 * n),
        celsius: Math.round(100 * (12 + 8 * Math.sin(n / 76))) / 100,
    }));
    await write(table, readings);

    const wanted = (from, to) => readings.filter(({ at }) => at >= from && at < to);
    const day = await range(table, "2026-03-01", midnight, midnight + minutes(1440));
    check(
        "a day is complete and in order",
        times(day.readings),
        times(wanted(midnight, midnight + minutes(1440))),
    );
    check("every shard holds some of it", day.lists.filter((list) => list.length === 0).length, 0);
    check(
        "readings come back as written",
        day.readings.map(({ at, celsius }) => ({ at, celsius })),
        readings.slice(0, 480),
    );

    const [nine, ten] = [midnight + minutes(540), midnight + minutes(600)];
    const hour = await range(table, "2026-03-01", nine, ten);
    check("an hour has its twenty readings", times(hour.readings), times(wanted(nine, ten)));
    check("its end is the next hour's", times(hour.readings).includes(ten), false);

    check(
        "the newest five of a day",
        times(await latest(table, "2026-03-02", 5)),
        times(readings.slice(-5).reverse()),
    );
    check("a day without readings is empty", await latest(table, "2026-03-03", 5), []);
});
