# SPDX-License-Identifier: Apache-2.0
"""Random queries and scans, and the order in which their rows have to come."""
from material import PARTITION_BYTES
from values import encode, read, sort_key

LIMITS = (None, None, None, 1, 1, 2, 3, 5, 10)


def make_query(generator, t):
    table = generator.tables[t]
    index = generator.random.choice([None, None, *table.indexes])
    keys = index.keys if index else table.keys
    entry = entry_of(generator, t, index)
    writer = generator.writer()
    conditions = key_conditions(generator, keys, entry)
    writer.legacy = writer.legacy and len(conditions) <= 2
    request = {"TableName": f"@{t}"}
    if writer.legacy:
        request["KeyConditions"] = generator.older(t, entry).key_conditions(conditions)
    else:
        request["KeyConditionExpression"] = key_text(generator, writer, conditions)
    read_ = {"index": index.name if index else None, "conditions": conditions, "forward": True}
    if generator.chance(0.5):
        read_["forward"] = generator.chance(0.3)
        request["ScanIndexForward"] = read_["forward"]
    add_options(generator, t, index, entry, (request, read_, writer, keys.names))
    if index is None and keys.sort and generator.chance(0.1):
        add_start(generator, t, read_, request)
    return {"operation": "Query", "t": t, "request": request, "read": read_}


def make_scan(generator, t):
    table = generator.tables[t]
    index = generator.random.choice([None, None, *table.indexes])
    writer = generator.writer()
    request = {"TableName": f"@{t}"}
    read_ = {"index": index.name if index else None, "forward": True}
    add_options(generator, t, index, entry_of(generator, t, index), (request, read_, writer, ()))
    if generator.chance(0.4):
        read_["segments"] = generator.random.choice((1, 2, 3, 4, 7, 1000000))
    return {"operation": "Scan", "t": t, "request": request, "read": read_}


def entry_of(generator, t, index):
    """An entry that the read may find, or None."""
    table = generator.tables[t]
    if index is None:
        return generator.some_item(t)
    entries = [entry for entry, _ in table.entries(index)]
    return generator.random.choice(entries) if entries else None


# ---- Key conditions ---------------------------------------------------------------------------


def key_conditions(generator, keys, entry):
    """{attribute: [operator, wire value…]}."""
    conditions = {}
    for name, kind in keys.partition:
        value = generator.again(entry[name]) if entry and generator.chance(0.95) else \
            key_literal(generator, kind)
        conditions[name] = ["=", value]
    for name, kind in keys.sort:
        if generator.chance(0.4):
            break
        operators = ["=", "<", "<=", ">", ">=", "between"]
        operators += ["begins_with"] * 2 if kind != "N" else []
        operators += ["="] * 4 if len(keys.sort) > 1 else []
        operator = generator.random.choice(operators)
        values = [near(generator, kind, entry[name] if entry else None)
                  for _ in range(2 if operator == "between" else 1)]
        values.sort(key=lambda wire: sort_key(read(wire)))
        if operator == "begins_with" and entry and generator.chance(0.6):
            data = entry[name][1]
            values = [encode((kind, data[:generator.random.randrange(len(data)) + 1]))]
        conditions[name] = [operator, *values]
        if operator != "=":
            break
    return conditions


def near(generator, kind, value):
    if value is not None and generator.chance(0.5):
        return generator.again(value)
    return key_literal(generator, kind)


def key_literal(generator, kind):
    return generator.material.scalar(kind, generator.material.key_data(kind, PARTITION_BYTES // 4))


MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "=": "="}


def key_text(generator, writer, conditions):
    texts = []
    for name, (operator, *values) in conditions.items():
        written = [writer.enclosed(writer.value(value)) for value in values]
        path = writer.enclosed(writer.name(name))
        if operator == "begins_with":
            text = writer.call(operator, path, written[0])
        elif operator == "between":
            text = (path + writer.gap() + writer.word("BETWEEN") + writer.gap() + written[0]
                    + writer.gap() + writer.word("AND") + writer.gap() + written[1])
        elif generator.chance(0.1):
            text = written[0] + writer.space() + MIRRORED[operator] + writer.space() + path
        else:
            text = path + writer.space() + operator + writer.space() + written[0]
        texts.append(writer.enclosed(text))
    generator.random.shuffle(texts)
    return (writer.gap() + writer.word("AND") + writer.gap()).join(texts)


# ---- Everything else --------------------------------------------------------------------------


def add_options(generator, t, index, entry, parts):
    """Limit, filter, projection, Select, consistency and capacity."""
    request, read_, writer, filter_without = parts
    table = generator.tables[t]
    is_global = index is not None and index.is_global
    if index is not None:
        request["IndexName"] = index.name
    add_what(generator, t, index, entry, (request, read_, writer))
    if generator.chance(0.35):
        visible = None
        if index is not None and not read_["fetch"]:
            def visible(name):
                return table.projects(index, name)
        conditions = generator.conditions(t, entry, without=filter_without, only=visible)
        if writer.legacy:
            member = "QueryFilter" if filter_without else "ScanFilter"
            members, read_["filter"] = generator.older(t, entry).condition(
                member, filter_without, visible)
            request.update(members)
        elif conditions.names:
            read_["filter"] = conditions.tree()
            request["FilterExpression"] = writer.condition(read_["filter"])
    request.update(writer.parameters())
    read_.setdefault("filter", None)
    read_["limit"] = generator.random.choice(LIMITS)
    if read_["limit"] is not None:
        request["Limit"] = read_["limit"]
    if generator.chance(0.4):
        request["ConsistentRead"] = generator.chance(0.6) and not is_global
    read_["consistent"] = request.get("ConsistentRead", False)
    generator.consumed(request)


def add_what(generator, t, index, entry, parts):
    """Projection and Select, and whether whole items have to be fetched for a local index."""
    request, read_, writer = parts
    table = generator.tables[t]
    partial = index is not None and index.projection != "ALL"

    def visible(name):
        return not partial or not index.is_global or table.projects(index, name)

    read_["paths"] = generator.projection(t, entry, request, writer, visible)
    read_["fetch"] = False
    read_["counts"] = False
    if read_["paths"] is not None:
        if generator.chance(0.3):
            request["Select"] = "SPECIFIC_ATTRIBUTES"
        read_["fetch"] = partial and not all(table.projects(index, path[0])
                                             for path in read_["paths"])
        return
    if generator.chance(0.4):
        choices = ["COUNT"]
        choices += ["ALL_PROJECTED_ATTRIBUTES"] if index else []
        choices += ["ALL_ATTRIBUTES"] * 2 if not partial or not index.is_global else []
        request["Select"] = generator.random.choice(choices)
        read_["counts"] = request["Select"] == "COUNT"
        read_["fetch"] = partial and request["Select"] == "ALL_ATTRIBUTES"


def add_start(generator, t, read_, request):
    """A start key of no particular item: it has to fulfil the conditions, no more."""
    table = generator.tables[t]
    (name, _), = table.keys.sort
    if name in read_["conditions"]:
        operator, *values = read_["conditions"][name]
        if operator not in (">=", "<=", "between", "begins_with"):
            return
        value = values[0]
    else:
        value = generator.schemas[t].key_value(name)
    (partition, _), = table.keys.partition
    read_["start"] = {partition: read_["conditions"][partition][1], name: value}
    request["ExclusiveStartKey"] = read_["start"]


def after_start(rows, read_, table):
    """The rows behind an invented start key."""
    if "start" not in read_:
        return rows
    (name, _), = table.keys.sort
    start = sort_key(read(read_["start"][name]))
    if read_["forward"]:
        return [row for row in rows if sort_key(row[0][name]) > start]
    return [row for row in rows if sort_key(row[0][name]) < start]
