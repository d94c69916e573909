# SPDX-License-Identifier: Apache-2.0
"""Data models drawn in NoSQL Workbench: their tables, their sample items, and their facets.

A model file lists tables with keys, indexes and sample items. A facet is one way to look at a
table: the name of an access pattern, the attributes it shows and items it should find. Here each
facet becomes a Query, and so does each partition of each index; the answers are compared with the
same question asked of the sample items.
"""

import json
import os.path

from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from shared import check, key, query_all, shared_data, temporary_table

TYPES = {"S", "N", "B", "BOOL", "NULL", "M", "L", "SS", "NS", "BS"}


# ---- from the file to a table and its items


def key_names(schema):
    """The names of the partition key and, if there is one, the sort key."""
    parts = (schema["PartitionKey"], schema.get("SortKey"))
    return [part["AttributeName"] for part in parts if part]


def definition_of(model):
    schemas = [model["KeyAttributes"]]
    schemas += [index["KeyAttributes"] for index in model.get("GlobalSecondaryIndexes", [])]
    keys = {part["AttributeName"]: part for schema in schemas for part in schema.values()}
    definition = {
        "AttributeDefinitions": list(keys.values()),
        "KeySchema": key(*key_names(model["KeyAttributes"])),
    }
    capacity = {}
    if model.get("BillingMode") == "PROVISIONED":
        throughput = model["ProvisionedCapacitySettings"]["ProvisionedThroughput"]
        capacity = {"ProvisionedThroughput": throughput}
        definition = {**definition, **capacity, "BillingMode": "PROVISIONED"}
    indexes = [
        {
            "IndexName": index["IndexName"],
            "KeySchema": key(*key_names(index["KeyAttributes"])),
            "Projection": index["Projection"],
            **capacity,
        }
        for index in model.get("GlobalSecondaryIndexes", [])
    ]
    return {**definition, "GlobalSecondaryIndexes": indexes} if indexes else definition


def plain(value):
    """A Python value from the file's: mostly DynamoDB JSON, but inside maps often plain JSON."""
    if isinstance(value, dict):
        if len(value) == 1 and (kind := next(iter(value))) in TYPES:
            content = value[kind]
            if kind == "M":
                return {name: plain(member) for name, member in content.items()}
            if kind == "L":
                return [plain(member) for member in content]
            return TypeDeserializer().deserialize(value)
        return {name: plain(member) for name, member in value.items()}
    return [plain(member) for member in value] if isinstance(value, list) else value


def sample_items(model):
    views = [model, *model.get("TableFacets", [])]
    return [plain({"M": item}) for view in views for item in view.get("TableData", [])]


# ---- the questions


def only(items, names):
    return [{name: item[name] for name in names if name in item} for item in items]


def ask(table, schema, values, names=None, index=None):
    """Items by partition key and, when two values are given, by the start of the sort key."""
    conditions = ["#k0 = :v0", "begins_with(#k1, :v1)"]
    placeholders = {f"#k{n}": name for n, name in enumerate(schema[: len(values)])}
    query = {
        "KeyConditionExpression": " AND ".join(conditions[: len(values)]),
        "ExpressionAttributeValues": {f":v{n}": value for n, value in enumerate(values)},
    }
    if names:
        query["ProjectionExpression"] = ", ".join(f"#a{n}" for n in range(len(names)))
        placeholders |= {f"#a{n}": name for n, name in enumerate(names)}
    if index:
        query["IndexName"] = index
    return query_all(table, ExpressionAttributeNames=placeholders, **query)


def expected(items, schema, values):
    """What ask() should find, in the order of the sort key."""
    partition, sort = schema
    found = [item for item in items if item.get(partition) == values[0] and sort in item]
    found = [item for item in found if item[sort].startswith("".join(values[1:]))]
    return sorted(found, key=lambda item: item[sort].encode())


def check_facet(table, items, schema, facet):
    """A facet's items, in each partition, share the start of their sort key: that is the query."""
    shown = [plain({"M": item}) for item in facet["TableData"]]
    names = schema + facet["NonKeyAttributes"]
    partition, sort = schema
    for value in sorted({item[partition] for item in shown}):
        samples = [item for item in shown if item[partition] == value]
        # One sample says nothing about what it has in common with others: take the type's name.
        start = os.path.commonprefix([item[sort] for item in samples])
        start = start[: start.find("#", 1) + 1] if len(samples) == 1 else start
        values = [value, start] if start else [value]
        found = ask(table, schema, values, names)
        what = f"{facet['FacetName']} of {value}"
        check(what, found, only(expected(items, schema, values), names))
        lost = [item for item in only(samples, names) if item not in found]
        check(f"{what}: the samples are among the {len(found)} found", lost, [])


def check_index(table, items, schema, index):
    """Each partition of an index. Items without the index's keys are not in it."""
    index_schema = key_names(index["KeyAttributes"])
    name, projection = index["IndexName"], index["Projection"]
    projected = schema + index_schema + projection.get("NonKeyAttributes", [])
    for value in sorted({item[index_schema[0]] for item in items if index_schema[0] in item}):
        found = ask(table, index_schema, [value], index=name)
        wanted = expected(items, index_schema, [value])
        if projection["ProjectionType"] != "ALL":
            wanted = only(wanted, projected)
        # Items with equal index keys have no order among themselves.
        found, wanted = (sorted(map(describe, some)) for some in (found, wanted))
        check(f"{name} of {value}: {len(wanted)}", found, wanted)


def describe(item):
    return json.dumps(TypeSerializer().serialize(item), sort_keys=True, default=sorted)


def main(model):
    schema = key_names(model["KeyAttributes"])
    items = sample_items(model)
    with temporary_table(model["TableName"], **definition_of(model)) as table:
        with table.batch_writer() as batch:
            for item in items:
                batch.put_item(item)
        for value in sorted({item[schema[0]] for item in items}):
            found = ask(table, schema, [value])
            check(f"items of {value}", found, expected(items, schema, [value]))
        for facet in model.get("TableFacets", []):
            check_facet(table, items, schema, facet)
        for index in model.get("GlobalSecondaryIndexes", []):
            check_index(table, items, schema, index)


if __name__ == "__main__":
    for path in sorted(shared_data("workbench-models").glob("*.json")):
        for model in json.loads(path.read_text(encoding="utf-8"))["DataModel"]:
            print(f"-- {path.name}: {model['TableName']}")
            main(model)
