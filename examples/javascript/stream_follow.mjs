// SPDX-License-Identifier: Apache-2.0
// A follower of a table's stream: every change once, in order for each item, however shards change.
//
//   table   counter               value
//
// A stream is a tree of shards. A shard is closed after a while and succeeded by one or two
// children; what happened to an item is in its shard, then in the shard's child, and so on. So a
// follower reads a shard to its end before it begins with the children, and asks for new shards
// when one has ended.
//
// STATOR_FOLLOW_SECONDS tells how long the writers write (2): with a server whose shards live for a
// second, the follower meets several generations of them.

import {
    DescribeStreamCommand,
    DynamoDBStreamsClient,
    GetRecordsCommand,
    GetShardIteratorCommand,
} from "@aws-sdk/client-dynamodb-streams";
import { DescribeTableCommand } from "@aws-sdk/client-dynamodb";
import { PutCommand } from "@aws-sdk/lib-dynamodb";
import { attributes, check, connect, db, key, withTable } from "./shared.mjs";

const definition = {
    AttributeDefinitions: attributes({ counter: "S" }),
    KeySchema: key("counter"),
    StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
};
const WRITERS = 4;
const COUNTERS = 10; // of each writer
const MILLISECONDS = 1000 * Number(process.env.STATOR_FOLLOW_SECONDS || 2);
const PATIENCE_MS = 60_000;

/** Reads all shards of a stream, parents before children. */
class Follower {
    streams = new DynamoDBStreamsClient({
        region: "us-east-1",
        endpoint:
            process.env.AWS_ENDPOINT_URL_DYNAMODB_STREAMS ||
            process.env.AWS_ENDPOINT_URL_DYNAMODB ||
            "http://127.0.0.1:8000",
    });
    known = new Set(); // shards that were begun
    iterators = new Map(); // of shards that have not ended

    constructor(stream) {
        this.stream = stream;
    }

    /** Begins with every shard whose parent was read to its end, or is not there any more. */
    async discover() {
        const shards = await this.allShards();
        const there = new Set(shards.map(({ ShardId }) => ShardId));
        for (const { ShardId, ParentShardId: parent } of shards) {
            const isParentOpen =
                there.has(parent) && (!this.known.has(parent) || this.iterators.has(parent));
            if (this.known.has(ShardId) || isParentOpen) continue;
            const { ShardIterator } = await this.streams.send(
                new GetShardIteratorCommand({
                    StreamArn: this.stream,
                    ShardId,
                    ShardIteratorType: "TRIM_HORIZON",
                }),
            );
            this.known.add(ShardId);
            this.iterators.set(ShardId, ShardIterator);
        }
    }

    async allShards() {
        const shards = [];
        let last;
        do {
            const { StreamDescription: page } = await this.streams.send(
                new DescribeStreamCommand({
                    StreamArn: this.stream,
                    ExclusiveStartShardId: last,
                }),
            );
            shards.push(...page.Shards);
            last = page.LastEvaluatedShardId;
        } while (last);
        return shards;
    }

    /** The next records of every shard that has not ended. */
    async poll() {
        const records = [];
        let hasEnded = this.iterators.size === 0;
        for (const [shard, ShardIterator] of [...this.iterators]) {
            const page = await this.streams.send(new GetRecordsCommand({ ShardIterator }));
            records.push(...page.Records);
            if (page.NextShardIterator) {
                this.iterators.set(shard, page.NextShardIterator);
            } else {
                this.iterators.delete(shard);
                hasEnded = true;
            }
        }
        if (hasEnded) await this.discover();
        return records;
    }
}

/** Counts up counters of its own; says now and then what is already so, which is no change. */
async function write(table, writer, until, counts) {
    const client = connect();
    for (let turn = 1; Date.now() < until; turn++) {
        const counter = `${writer}-${turn % COUNTERS}`;
        counts.set(counter, (counts.get(counter) ?? 0) + 1);
        const Item = { counter, value: counts.get(counter) };
        for (let times = turn % 7 === 0 ? 2 : 1; times > 0; times--)
            await client.send(new PutCommand({ TableName: table, Item }));
    }
}

/** Adds what happens to seen, a list of values for each counter, until it is complete. */
async function follow(follower, seen, isComplete) {
    const deadline = Date.now() + MILLISECONDS + PATIENCE_MS;
    while (!isComplete() && Date.now() < deadline) {
        for (const { dynamodb } of await follower.poll()) {
            const { counter, value } = dynamodb.NewImage;
            if (!seen.has(counter.S)) seen.set(counter.S, []);
            seen.get(counter.S).push(Number(value.N));
        }
    }
}

await withTable("followed", definition, async (table) => {
    const { Table } = await db.send(new DescribeTableCommand({ TableName: table }));
    const follower = new Follower(Table.LatestStreamArn);
    const counts = new Map();
    const seen = new Map();
    const sum = (numbers) => [...numbers].reduce((total, number) => total + number, 0);

    let isWriting = true;
    const until = Date.now() + MILLISECONDS;
    const writers = Array.from({ length: WRITERS }, (_, writer) =>
        write(table, writer, until, counts),
    );
    const written = Promise.all(writers).finally(() => (isWriting = false));
    await follow(follower, seen, () => !isWriting);
    await written;
    const total = sum(counts.values());
    await follow(
        follower,
        seen,
        () => sum([...seen.values()].map(({ length }) => length)) >= total,
    );
    const late = await follower.poll(); // a repeat would come here

    const upTo = (last) => Array.from({ length: last }, (_, index) => index + 1);
    const expected = new Map([...counts].map(([counter, last]) => [counter, upTo(last)]));
    check("every change came once, in order for each item", seen, expected);
    check("nothing came twice", late, []);
    console.log(`ok: ${total} changes in ${follower.known.size} shards`);
});
