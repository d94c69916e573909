// SPDX-License-Identifier: Apache-2.0
// A library instead of requests: ElectroDB keeps several kinds of entity in one table.
//
// An entity says which attributes it has and how its keys are made of them. The library writes the
// keys and the expressions, adds two attributes that name the entity, and answers with plain
// objects. Members and tasks share the partition of their team: one Query reads a whole team.
//
//   entity   PK          SK                 GSI1PK      GSI1SK
//   member   team        name
//   task     team        task               assignee    status, due

import { Entity, Service } from "electrodb";
import { attributes, check, db, key, withTable } from "./shared.mjs";

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

const Member = new Entity({
    model: { entity: "member", version: "1", service: "work" },
    attributes: {
        team: { type: "string", required: true },
        name: { type: "string", required: true },
        open: { type: "number", default: 0 },
        skills: { type: "set", items: "string" },
    },
    indexes: {
        byTeam: {
            collection: "team",
            pk: { field: "PK", composite: ["team"] },
            sk: { field: "SK", composite: ["name"] },
        },
    },
});

const Task = new Entity({
    model: { entity: "task", version: "1", service: "work" },
    attributes: {
        team: { type: "string", required: true },
        task: { type: "string", required: true },
        assignee: { type: "string", required: true },
        status: { type: ["open", "done"], default: "open", required: true },
        due: { type: "string", required: true },
        notes: { type: "list", items: { type: "string" }, default: () => [] },
    },
    indexes: {
        byTeam: {
            collection: "team",
            pk: { field: "PK", composite: ["team"] },
            sk: { field: "SK", composite: ["task"] },
        },
        byAssignee: {
            index: "GSI1",
            pk: { field: "GSI1PK", composite: ["assignee"] },
            sk: { field: "GSI1SK", composite: ["status", "due"] },
        },
    },
});

const work = new Service({ member: Member, task: Task }, { client: db });
const { member, task } = work.entities;

const tasks = (answer) => answer.data.map((found) => found.task);

/** Checks that ElectroDB's error for a request names the server's. */
async function checkRefused(claim, name, request) {
    const error = await request.then(
        () => undefined,
        (reason) => reason,
    );
    check(claim, error?.cause?.name, name);
}

/** A task is assigned together with its member's count of open ones, or not at all. */
const assign = (values) =>
    work.transaction
        .write(({ member, task }) => [
            task.create(values).commit(),
            member
                .patch({ team: values.team, name: values.assignee })
                .add({ open: 1 })
                .where(({ open }, { lt }) => lt(open, 3))
                .commit(),
        ])
        .go();

/**
 * Done once. The status is a part of the index's key, so the index entry moves; the library makes
 * the new key of what it is told about the rest, and adds the condition that the rest is so.
 */
const finish = ({ team, task: name, assignee, due }) =>
    task
        .patch({ team, task: name })
        .set({ status: "done" })
        .composite({ assignee, due })
        .append({ notes: ["finished"] })
        .where(({ status }, { eq }) => eq(status, "open"))
        .go({ response: "all_new" });

await withTable("work", definition, async (table) => {
    work.setTableName(table);
    await member
        .put([
            { team: "red", name: "ada", skills: ["c", "sql"] },
            { team: "red", name: "bob" },
            { team: "blue", name: "cem" },
        ])
        .go();
    const red = (name, assignee, due) => assign({ team: "red", task: name, assignee, due });
    check("a task is assigned", (await red("paint", "ada", "2026-03-09")).canceled, false);
    await red("build", "ada", "2026-03-02");
    await red("clean", "ada", "2026-04-01");
    await red("order", "bob", "2026-03-05");

    const full = await red("carry", "ada", "2026-03-07");
    check("three open tasks are enough", full.canceled, true);
    check(
        "it is the member's condition that did not hold",
        full.data.map(({ rejected, code }) => [rejected, code]),
        [
            [false, "None"],
            [true, "ConditionalCheckFailed"],
        ],
    );

    const team = (await work.collections.team({ team: "red" }).go()).data;
    check(
        "one query reads a team: its members",
        team.member.map(({ name, open }) => [name, open]),
        [
            ["ada", 3],
            ["bob", 1],
        ],
    );
    check("and its tasks", tasks({ data: team.task }), ["build", "clean", "order", "paint"]);
    check("a set stays one", team.member[0].skills.sort(), ["c", "sql"]);

    const open = task.query.byAssignee({ assignee: "ada", status: "open" });
    check("the index sorts by the day due", tasks(await open.go()), ["build", "paint", "clean"]);
    const march = { from: { due: "2026-03-01" }, to: { due: "2026-03-31" } };
    check(
        "a part of the sort key is a range",
        tasks(
            await task.query
                .byAssignee({ assignee: "ada", status: "open" })
                .between(march.from, march.to)
                .go(),
        ),
        ["build", "paint"],
    );
    const first = await open.go({ limit: 2 });
    const rest = await open.go({ limit: 2, cursor: first.cursor });
    check("a page of two", tasks(first), ["build", "paint"]);
    check("the next one starts at its cursor", tasks(rest), ["clean"]);
    const others = task.query
        .byTeam({ team: "red" })
        .where(({ assignee }, { ne }) => ne(assignee, "ada"));
    check("a filter keeps what it is asked to", tasks(await others.go()), ["order"]);

    const [build] = first.data;
    const done = (await finish(build)).data;
    check("a finished task says so", [done.status, done.notes], ["done", ["finished"]]);
    check("it has left the open ones", tasks(await open.go()), ["paint", "clean"]);
    await checkRefused(
        "a task is finished once",
        "ConditionalCheckFailedException",
        finish(build),
    );
    await checkRefused(
        "a task is created once",
        "ConditionalCheckFailedException",
        task.create({ team: "red", task: "paint", assignee: "bob", due: "2026-05-01" }).go(),
    );
    check(
        "and stays whose it was",
        (await task.get({ team: "red", task: "paint" }).go()).data.assignee,
        "ada",
    );
});
