# SPDX-License-Identifier: Apache-2.0
"""Random requests that have to be refused: good ones with one thing spoiled.

Each way to spoil a request gets the random generator's material and the request, which it changes
in place. One that does not apply returns False.
"""
import copy
import json

LONG = 2049  # longer than any key may be


def make_invalid(generator, t):
    kind = generator.random.choice(("put", "put", "update", "update", "get", "delete", "query",
                                    "query", "scan", "batch_get", "batch_write", "transact_write",
                                    "transact_get"))
    legacy, generator.legacy = generator.legacy, 0
    good = getattr(generator, kind)(t)
    generator.legacy = legacy
    request = copy.deepcopy(good["request"])
    operation = good["operation"]
    spoiler = Spoiler(generator, t)
    ways = spoiler.ways(operation)
    for _ in range(10):
        way = generator.random.choice(ways)
        attempt = copy.deepcopy(request)
        if way(attempt) is not False:
            break
    else:
        return None
    made = {"operation": operation, "request": attempt, "why": way.__name__, "t": t}
    if generator.chance(0.03):
        text = json.dumps(request)
        made = {"operation": operation, "raw": text[:generator.random.randrange(len(text))],
                "why": "cut off", "t": t}
    return made


class Spoiler:
    def __init__(self, generator, t):
        self.random = generator.random
        self.table = generator.tables[t]
        self.names = generator.schemas[t].names

    def ways(self, operation):
        common = [self.no_table, self.unknown_table, self.table_is_number, self.bad_enumeration]
        keyed = [self.key_missing, self.key_extra, self.key_type, self.key_empty, self.key_long]
        expression = [self.unused_name, self.unused_value, self.no_names, self.bad_name]
        condition = [self.condition_syntax, self.condition_undefined, self.condition_function,
                     self.condition_empty, self.condition_long, self.condition_operators,
                     self.condition_operands, self.condition_reserved, self.condition_parentheses,
                     self.legacy_mixed, self.legacy_bad]
        return {
            "PutItem": common + condition + expression * 2 + [
                self.item_key_missing, self.item_key_type, self.item_key_empty,
                self.item_key_long, self.put_returns] + [self.bad_value] * 8,
            "UpdateItem": common + keyed + condition + expression + [
                self.update_syntax, self.update_key, self.update_overlap, self.update_section,
                self.update_operand, self.update_undefined, self.update_add],
            "DeleteItem": common + keyed + condition + expression + [self.delete_returns],
            "GetItem": common + keyed + [self.unused_name, self.no_names, self.projection_bad],
            "Query": common + expression + [
                self.limit, self.select, self.unknown_index, self.no_key_condition,
                self.key_condition_or, self.key_condition_type, self.key_condition_extra,
                self.filter_on_key, self.start_bad, self.consistent_global, self.projection_bad],
            "Scan": common + expression + [
                self.limit, self.select, self.unknown_index, self.segments, self.start_bad,
                self.consistent_global, self.projection_bad],
            "BatchGetItem": [self.batch_unknown, self.batch_empty, self.batch_get_twice,
                             self.batch_get_many, self.batch_get_key],
            "BatchWriteItem": [self.batch_unknown, self.batch_empty, self.batch_write_twice,
                               self.batch_write_many, self.batch_write_both,
                               self.batch_write_value],
            "TransactWriteItems": [self.transact_twice, self.transact_two_in_one,
                                   self.transact_empty, self.transact_many, self.transact_unknown,
                                   self.transact_token, self.transact_key],
            "TransactGetItems": [self.transact_empty, self.transact_unknown,
                                 self.transact_get_twice, self.transact_key],
        }[operation]

    # ---- any operation on a table

    def no_table(self, request):
        del request["TableName"]

    def unknown_table(self, request):
        request["TableName"] = self.random.choice(("no-such-table", "", "x" * 300, "sp ace"))

    def table_is_number(self, request):
        request["TableName"] = self.random.choice((5, ["a"], {"S": "a"}, True))

    def bad_enumeration(self, request):
        request["ReturnConsumedCapacity"] = self.random.choice(("ALL", "", "indexes", 3))

    # ---- keys

    def key_missing(self, request):
        del request["Key"][self.random.choice(self.table.keys.names)]

    def key_extra(self, request):
        request["Key"]["surplus"] = {"S": "a"}

    def wrong_type(self, name):
        kind = dict(self.table.keys.all)[name]
        return self.random.choice([value for value in (
            {"S": "1"}, {"N": "1"}, {"B": "AA=="}, {"BOOL": True}, {"NULL": True}, {"SS": ["a"]},
            {"L": []}, {"M": {}}) if kind not in value])

    def key_type(self, request, member="Key"):
        name = self.random.choice(self.table.keys.names)
        request[member][name] = self.wrong_type(name)

    def key_empty(self, request, member="Key"):
        name, kind = self.random.choice(self.table.keys.all)
        request[member][name] = {kind: ""}

    def key_long(self, request, member="Key"):
        name, kind = self.random.choice(self.table.keys.all)
        request[member][name] = {"S": {"S": "x" * LONG}, "B": {"B": "AAAA" * LONG},
                                 "N": {"N": "1" * LONG}}[kind]

    def item_key_missing(self, request):
        del request["Item"][self.random.choice(self.table.keys.names)]

    def item_key_type(self, request):
        self.key_type(request, "Item")

    def item_key_empty(self, request):
        self.key_empty(request, "Item")

    def item_key_long(self, request):
        self.key_long(request, "Item")

    # ---- values

    BAD_VALUES = (
        {"N": "abc"}, {"N": ""}, {"N": "1e"}, {"N": "1.2.3"}, {"N": " 1"}, {"N": "1 "},
        {"N": "0x10"}, {"N": "NaN"}, {"N": "Infinity"}, {"N": "1_0"}, {"N": "--1"}, {"N": "."},
        {"N": "1E126"}, {"N": "-1E126"}, {"N": "1E-131"}, {"N": "1E999999999999999999"},
        {"N": "1" * 39}, {"N": "1." + "0" * 37 + "1"}, {"N": 5}, {"N": None},
        {"S": 5}, {"S": None}, {"B": "not base64!"}, {"B": "AAA"}, {"B": 7}, {"BOOL": 7},
        {"NULL": False}, {"SS": []}, {"NS": []}, {"BS": []}, {"SS": ["a", "a"]},
        {"NS": ["1", "1.0"]}, {"NS": ["1", "x"]}, {"BS": ["AA==", "AA=="]}, {"SS": "a"},
        {"SS": [1]}, {}, {"X": "a"}, {"S": "a", "N": "1"}, {"L": {"S": "a"}}, {"M": []},
        {"L": ["a"]}, {"L": [{}]}, {"M": {"a": {}}}, "text", 5, ["a"], None,
        {"L": [{"M": {"a": {"N": "x"}}}]}, {"L": [{"SS": []}]}, {"M": {"a": {"S": "a", "N": "1"}}})

    def bad_value(self, request):
        name = self.random.choice([name for name in self.names
                                   if name not in self.table.keys.names])
        choice = self.random.randrange(len(self.BAD_VALUES) + 2)
        if choice < len(self.BAD_VALUES):
            value = copy.deepcopy(self.BAD_VALUES[choice])
        elif choice == len(self.BAD_VALUES):
            value = {"S": "x" * (400 * 1024)}
        else:
            value = {"S": "too deep"}
            for _ in range(32):
                value = {"L": [value]}
        request["Item"][name] = value

    # ---- expressions

    def unused_name(self, request):
        request.setdefault("ExpressionAttributeNames", {})["#unused_zz"] = "a"

    def unused_value(self, request):
        request.setdefault("ExpressionAttributeValues", {})[":unused_zz"] = {"S": "a"}

    def no_names(self, request):
        request["ExpressionAttributeNames"] = {}

    def bad_name(self, request):
        member = self.random.choice(("ExpressionAttributeNames", "ExpressionAttributeValues"))
        key = self.random.choice(("zz", "", "#", ":", "#a-b", ":a b"))
        request.setdefault(member, {})[key] = "a" if member.endswith("Names") else {"S": "a"}

    def condition_of(self, request):
        """The condition that is there, or one that could be."""
        return request.get("ConditionExpression", "attribute_not_exists(zzz)")

    def condition_syntax(self, request):
        text = self.condition_of(request)
        request["ConditionExpression"] = self.random.choice((
            text + ")", "(" + text, text + " AND", "OR " + text, text + " zz", text + ";",
            "zzz = ", "zzz", "(zzz)", "zzz == zzy", "zzz = 5", "zzz = \"a\"", "zzz.[0] = zzy",
            "zzz[a] = zzy", "zzz[-1] = zzy", "zzz[] = zzy", "zzz. = zzy", "BETWEEN", "zzz IN ()",
            "size(zzz)", "NOT", "zzz BETWEEN zzy", "attribute_exists()", "zzz IN zzy"))

    def condition_undefined(self, request):
        name = self.random.choice(("attribute_exists(#zz)", "zzz = :zz", "zzz IN (:zz)"))
        request["ConditionExpression"] = self.condition_of(request) + " OR " + name

    def condition_function(self, request):
        request["ConditionExpression"] = self.random.choice((
            "nosuch(zzz)", "Attribute_exists(zzz)", "size(zzz) = nosuch(zzz)", "contains(zzz)",
            "begins_with(zzz, zzy, zzx)", "attribute_exists(zzz, zzy)", "attribute_type(zzz, zzy)",
            "size(zzz, zzy) = zzx", "list_append(zzz, zzy) = zzx", "attribute_exists(size(zzz))",
            "if_not_exists(zzz, zzy)", "contains(zzz, zzz)", "begins_with(zzz, zzz)"))

    def condition_empty(self, request):
        request["ConditionExpression"] = ""

    def condition_long(self, request):
        request["ConditionExpression"] = self.condition_of(request) + " " * 4097

    def condition_operators(self, request):
        request["ConditionExpression"] = " AND ".join(["zzz<zy"] * 151)

    def condition_operands(self, request):
        values = {f":z{i}": {"N": str(i)} for i in range(101)}
        request.setdefault("ExpressionAttributeValues", {}).update(values)
        request["ConditionExpression"] = (self.condition_of(request) + " OR zzz IN ("
                                          + ",".join(values) + ")")

    def condition_reserved(self, request):
        word = self.random.choice(("name", "Size", "data", "ZONE", "between", "abort"))
        request["ConditionExpression"] = self.condition_of(request) \
            + f" OR attribute_exists({word})"

    def condition_parentheses(self, request):
        request["ConditionExpression"] = "((attribute_exists(zzz)))"
        request.pop("ExpressionAttributeNames", None)
        request.pop("ExpressionAttributeValues", None)

    def legacy_mixed(self, request):
        request["ConditionExpression"] = self.condition_of(request)
        request["Expected"] = {"zzz": {"Exists": False}}

    def legacy_bad(self, request):
        for member in ("ConditionExpression", "UpdateExpression", "ExpressionAttributeNames",
                       "ExpressionAttributeValues"):
            request.pop(member, None)
        one, two = {"N": "1"}, {"N": "2"}
        request["Expected"] = {"zzz": self.random.choice((
            {}, {"Exists": True}, {"Exists": False, "Value": one},
            {"Value": one, "AttributeValueList": [one], "ComparisonOperator": "EQ"},
            {"Exists": True, "Value": one, "ComparisonOperator": "EQ"},
            {"AttributeValueList": [one]}, {"ComparisonOperator": "EQ"},
            {"ComparisonOperator": "EQ", "AttributeValueList": [one, two]},
            {"ComparisonOperator": "BETWEEN", "AttributeValueList": [two, one]},
            {"ComparisonOperator": "BETWEEN", "AttributeValueList": [one]},
            {"ComparisonOperator": "BETWEEN", "AttributeValueList": [one, {"S": "2"}]},
            {"ComparisonOperator": "NULL", "AttributeValueList": [one]},
            {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [one]},
            {"ComparisonOperator": "LT", "AttributeValueList": [{"BOOL": True}]},
            {"ComparisonOperator": "IN", "AttributeValueList": []},
            {"ComparisonOperator": "LIKE", "AttributeValueList": [one]}))}

    def projection_bad(self, request):
        for member in ("ExpressionAttributeNames", "Select"):
            request.pop(member, None)
        request["ProjectionExpression"] = self.random.choice((
            "", "zzz,", ",zzz", "zzz zzy", "zzz,zzz", "zzz,zzz.a", "zzz[0],zzz.a", "zzz[x]",
            ":zz", "#undefined", "size(zzz)", "zzz.", "name", "zzz,(zzy)"))

    # ---- updates

    def update_text(self, request, *texts):
        request["UpdateExpression"] = self.random.choice(texts)
        for member in ("ConditionExpression", "ExpressionAttributeNames",
                       "ExpressionAttributeValues"):
            request.pop(member, None)

    def update_syntax(self, request):
        self.update_text(request, "", "SET", "SET zzz", "SET zzz =", "REMOVE", "zzz = zzy",
                         "SET zzz = zzy,", "REMOVE zzz zzy", "ADD zzz zzy", "DELETE zzz",
                         "SET zzz = zzy + zzx + zzw", "SET (zzz) = zzy", "SET zzz = zzy * zzx",
                         "SET zzz.a[ = zzy", "SETzzz = zzy", "REMOVE zzz SET", "REMOVE size(zzz)")

    def update_key(self, request):
        name = self.random.choice(self.table.keys.names)
        self.update_text(request, "SET #zk = :zv", "REMOVE #zk", "SET #zk.a = :zv", "ADD #zk :zv")
        request["ExpressionAttributeNames"] = {"#zk": name}
        if ":zv" in request["UpdateExpression"]:
            request["ExpressionAttributeValues"] = {":zv": {"N": "1"}}

    def update_overlap(self, request):
        self.update_text(request, "REMOVE zzz, zzz", "REMOVE zzz.a SET zzz = zzy",
                         "REMOVE zzz[0], zzz[0].a", "SET zzz.a = zzy REMOVE zzz[0]")

    def update_section(self, request):
        self.update_text(request, "REMOVE zzz REMOVE zzy", "SET zzz = zzx SET zzy = zzx")

    def update_operand(self, request):
        self.update_text(request, "SET zzz = list_append(zzy, :zv)", "SET zzz = zzy + :zv",
                         "SET zzz = if_not_exists(:zv, zzy)", "SET zzz = nosuch(:zv)",
                         "SET zzz = size(zzy) + :zv", "SET zzz = list_append(zzy, zzx, :zv)")
        request["ExpressionAttributeValues"] = {":zv": {"S": "a"}}

    def update_undefined(self, request):
        self.update_text(request, "SET zzz = :zv", "REMOVE #zn", "SET #zn = zzy", "ADD zzz :zv")

    def update_add(self, request):
        self.update_text(request, "ADD zzz :zv", "DELETE zzz :zv")
        request["ExpressionAttributeValues"] = {":zv": self.random.choice((
            {"S": "a"}, {"L": []}, {"M": {}}, {"BOOL": True}, {"NULL": True}, {"B": "AA=="}))}

    # ---- members of single operations

    def put_returns(self, request):
        request["ReturnValues"] = self.random.choice(("ALL_NEW", "UPDATED_OLD", "x"))

    def delete_returns(self, request):
        request["ReturnValues"] = self.random.choice(("ALL_NEW", "UPDATED_NEW", ""))

    def limit(self, request):
        request["Limit"] = self.random.choice((0, -1, -2147483648, "x"))

    def select(self, request):
        if "IndexName" not in request and self.random.random() < 0.5:
            request["Select"] = "ALL_PROJECTED_ATTRIBUTES"
            return
        request["Select"] = "ALL" if "ProjectionExpression" in request else "SPECIFIC_ATTRIBUTES"

    def unknown_index(self, request):
        request["IndexName"] = self.random.choice(("no-such-index", "", "x" * 300))

    def no_key_condition(self, request):
        del request["KeyConditionExpression"]

    def key_condition_or(self, request):
        request["KeyConditionExpression"] = self.random.choice((
            "{} OR zzz = zzy", "NOT {}", "{} AND {}", "{} AND zzz <> zzy",
            "{} AND attribute_exists(zzz)", "{} AND size(zzz) = zzy", "({} AND zzz.a = :zz)",
        )).replace("{}", request["KeyConditionExpression"])

    def key_condition_type(self, request):
        names = self.table.keys.names
        request.pop("IndexName", None)
        for member in ("FilterExpression", "ProjectionExpression", "Select", "ExclusiveStartKey"):
            request.pop(member, None)
        request["KeyConditionExpression"] = "#zk = :zv"
        request["ExpressionAttributeNames"] = {"#zk": names[0]}
        request["ExpressionAttributeValues"] = {":zv": self.wrong_type(names[0])}

    def key_condition_extra(self, request):
        request["KeyConditionExpression"] += " AND zzz = :zzv"
        request.setdefault("ExpressionAttributeValues", {})[":zzv"] = {"S": "a"}

    def filter_on_key(self, request):
        if "IndexName" in request:
            return False
        request.setdefault("ExpressionAttributeNames", {})["#zk"] = \
            self.random.choice(self.table.keys.names)
        request["FilterExpression"] = "attribute_exists(#zk)"
        return None

    def start_bad(self, request):
        request["ExclusiveStartKey"] = self.random.choice((
            {}, {"zzz": {"S": "a"}}, {self.table.keys.names[0]: self.wrong_type(
                self.table.keys.names[0])}, "a", {"a": "b"}))

    def consistent_global(self, request):
        index = next((index for index in self.table.indexes if index.name == request.get(
            "IndexName")), None)
        if index is None or not index.is_global:
            return False
        request["ConsistentRead"] = True
        return None

    def segments(self, request):
        request.update(self.random.choice((
            {"Segment": 0}, {"TotalSegments": 3}, {"Segment": 3, "TotalSegments": 3},
            {"Segment": -1, "TotalSegments": 3}, {"Segment": 0, "TotalSegments": 0},
            {"Segment": 0, "TotalSegments": 1000001})))

    # ---- batches

    def part(self, request):
        return self.random.choice(list(request["RequestItems"].values()))

    def batch_unknown(self, request):
        name = next(iter(request["RequestItems"]))
        request["RequestItems"]["no-such-table"] = request["RequestItems"].pop(name)

    def batch_empty(self, request):
        request["RequestItems"] = {}

    def batch_get_twice(self, request):
        keys = self.part(request)["Keys"]
        keys.append(keys[0])

    def batch_get_many(self, request):
        part = self.part(request)
        (name, value), *rest = part["Keys"][0].items()
        part["Keys"] = [{name: value, "k": {"N": str(i)}, **dict(rest)} for i in range(101)]

    def batch_get_key(self, request):
        self.part(request)["Keys"].append(self.random.choice(({}, {"zzz": {"S": "a"}}, "a")))

    def batch_write_twice(self, request):
        part = self.part(request)
        part.append(copy.deepcopy(self.random.choice(part)))

    def batch_write_many(self, request):
        part = self.part(request)
        while len(part) < 26:
            part.append(copy.deepcopy(part[0]))

    def batch_write_both(self, request):
        part = self.part(request)
        part.append(self.random.choice((
            {}, {"PutRequest": {"Item": {}}, "DeleteRequest": {"Key": {}}}, {"PutRequest": {}},
            {"PutRequest": {"Item": {}}}, {"DeleteRequest": {"Key": {}}})))

    def batch_write_value(self, request):
        puts = [element["PutRequest"]["Item"] for part in request["RequestItems"].values()
                for element in part if "PutRequest" in element]
        if not puts:
            return False
        self.random.choice(puts)["zzz"] = copy.deepcopy(self.random.choice(self.BAD_VALUES))
        return None

    # ---- transactions

    def transact_twice(self, request):
        element = copy.deepcopy(self.random.choice(request["TransactItems"]))
        request["TransactItems"].append(element)

    def transact_get_twice(self, request):
        self.transact_twice(request)

    def transact_two_in_one(self, request):
        element = self.random.choice(request["TransactItems"])
        if "Delete" in element:
            return False
        table = next(iter(element.values()))["TableName"]
        element["Delete"] = {"TableName": table, "Key": {"zzz": {"S": "a"}}}
        return None

    def transact_empty(self, request):
        request["TransactItems"] = self.random.choice(([], [{}], None, "a"))

    def transact_many(self, request):
        while len(request["TransactItems"]) < 101:
            request["TransactItems"].append(copy.deepcopy(request["TransactItems"][0]))

    def transact_unknown(self, request):
        action = next(iter(self.random.choice(request["TransactItems"]).values()))
        action["TableName"] = "no-such-table"

    def transact_token(self, request):
        request["ClientRequestToken"] = "t" * 37

    def transact_key(self, request):
        action = next(iter(self.random.choice(request["TransactItems"]).values()))
        if "Key" not in action:
            return False
        action["Key"]["surplus"] = {"S": "a"}
        return None
