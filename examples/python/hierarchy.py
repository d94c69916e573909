# SPDX-License-Identifier: Apache-2.0
"""A tree of folders: each node is stored under its parent's path.

  PK parent path    SK name        the node /music/jazz/1959 is PK "/music/jazz", SK "1959"

The children of a folder are one Query. The ancestors of a node need no search at all: its path
spells out the keys of every one of them, and one BatchGetItem fetches them together.
"""

from boto3.dynamodb.conditions import Key
from shared import attributes, check, check_fails, key, query_all, temporary_table

DEFINITION = {"AttributeDefinitions": attributes(PK="S", SK="S"), "KeySchema": key("PK", "SK")}


def key_of(path):
    """ "/music/jazz/1959" is under "/music/jazz"; a top folder's parent is "/"."""
    parent, _, name = path.rpartition("/")
    return {"PK": parent or "/", "SK": name}


def ancestor_paths(path):
    """ "/music/jazz/1959" has the ancestors "/music" and "/music/jazz"."""
    names = path.split("/")[1:-1]
    return ["/" + "/".join(names[: depth + 1]) for depth in range(len(names))]


def add(table, path, file_size=None):
    """Adds a node. The parent must exist, and is checked in the same transaction: no orphans."""
    item = {**key_of(path), "path": path}
    if file_size is not None:
        item["file_size"] = file_size
    put = {
        "TableName": table.name,
        "Item": item,
        "ConditionExpression": "attribute_not_exists(PK)",
    }
    actions = [{"Put": put}]
    for parent in ancestor_paths(path)[-1:]:
        check_parent = {
            "TableName": table.name,
            "Key": key_of(parent),
            # A file has a size and no children.
            "ConditionExpression": "attribute_exists(PK) AND attribute_not_exists(file_size)",
        }
        actions.append({"ConditionCheck": check_parent})
    table.meta.client.transact_write_items(TransactItems=actions)


def children(table, path):
    return query_all(table, KeyConditionExpression=Key("PK").eq(path))


def children_named(table, path, prefix):
    condition = Key("PK").eq(path) & Key("SK").begins_with(prefix)
    return query_all(table, KeyConditionExpression=condition)


def ancestors(table, path):
    """From the top down. BatchGetItem keeps no order; the length of the path gives it back."""
    keys = [key_of(ancestor) for ancestor in ancestor_paths(path)]
    if not keys:
        return []
    answer = table.meta.client.batch_get_item(RequestItems={table.name: {"Keys": keys}})
    return sorted(answer["Responses"][table.name], key=lambda node: len(node["path"]))


def total_size(table, path):
    """The size of everything below a folder: one Query a folder."""
    return sum(
        node["file_size"] if "file_size" in node else total_size(table, node["path"])
        for node in children(table, path)
    )


def paths(nodes):
    return [node["path"] for node in nodes]


def main(table):
    add(table, "/music")
    add(table, "/music/jazz")
    add(table, "/music/jazz/1959")
    add(table, "/music/jazz/1959/so-what.flac", 540)
    add(table, "/music/jazz/1959/take-five.flac", 320)
    add(table, "/music/jazz/readme.txt", 2)
    add(table, "/music/folk")
    add(table, "/photos")
    add(table, "/photos/2025-winter", 77)

    in_music = ["/music/folk", "/music/jazz"]
    check("children come by name", paths(children(table, "/music")), in_music)
    check("the top has children too", paths(children(table, "/")), ["/music", "/photos"])
    check("an empty folder has none", children(table, "/music/folk"), [])
    check(
        "children can be found by the start of their name",
        paths(children_named(table, "/music/jazz/1959", "take")),
        ["/music/jazz/1959/take-five.flac"],
    )
    check(
        "ancestors come from the top down",
        paths(ancestors(table, "/music/jazz/1959/so-what.flac")),
        ["/music", "/music/jazz", "/music/jazz/1959"],
    )
    check("a top folder has no ancestors", ancestors(table, "/photos"), [])
    check("sizes add up", total_size(table, "/music"), 862)
    check("for the whole tree as well", total_size(table, "/"), 939)

    canceled = "TransactionCanceledException"
    orphan = check_fails(
        "a node needs its parent", canceled, add, table, "/music/blues/lonesome.flac", 1
    )
    codes = [reason["Code"] for reason in orphan["CancellationReasons"]]
    check("it is the parent that is missing", codes, ["None", "ConditionalCheckFailed"])
    check_fails("a file has no children", canceled, add, table, "/music/jazz/readme.txt/x")
    check_fails("a path is taken once", canceled, add, table, "/music/jazz")
    check("nothing came of these", paths(children(table, "/music")), in_music)


if __name__ == "__main__":
    with temporary_table("tree", **DEFINITION) as tree:
        main(tree)
