# SPDX-License-Identifier: Apache-2.0
"""The parameters from before expressions, made together with the trees that mean the same."""
from values import ORDERED, encode, read, sort_key

# The comparators of expressions by their older names.
COMPARISONS = {"EQ": "=", "NE": "<>", "LE": "<=", "LT": "<", "GE": ">=", "GT": ">"}
OLDER = {"=": "EQ", "<=": "LE", "<": "LT", ">=": "GE", ">": "GT", "between": "BETWEEN",
         "begins_with": "BEGINS_WITH"}


class Legacy:
    """For one table and one item of it, which may be None."""

    def __init__(self, generator, t, item):
        self.generator = generator
        self.material = generator.material
        self.random = generator.random
        self.t = t
        self.item = item or {}

    def chance(self, probability):
        return self.random.random() < probability

    # ---- conditions

    def condition(self, member, without=(), only=None):
        """(members of the request, tree): Expected, or a filter."""
        names = [name for name in self.generator.schemas[self.t].names
                 if name not in without and (only is None or only(name))]
        if not names:
            return {}, None
        chosen = self.random.sample(names, min(len(names), self.random.choice((1, 1, 2, 3))))
        conditions, trees = {}, []
        for name in chosen:
            conditions[name], tree = self.one(name, member == "Expected")
            trees.append(tree)
        members = {member: conditions}
        joiner = "and"
        if len(trees) > 1 and self.chance(0.5):
            joiner = self.random.choice(("and", "or"))
            members["ConditionalOperator"] = joiner.upper()
        tree = trees[0]
        for other in trees[1:]:
            tree = [joiner, tree, other]
        return members, tree

    def one(self, name, is_expected):
        """(condition, tree) on one attribute."""
        path = [name]
        value = self.item.get(name)
        if is_expected and self.chance(0.4):
            return self.existing(path, value)
        operator = self.random.choice((*COMPARISONS, "EQ", "NOT_NULL", "NULL", "CONTAINS",
                                       "NOT_CONTAINS", "BEGINS_WITH", "IN", "BETWEEN"))
        if operator in ("NOT_NULL", "NULL"):
            tree = ["exists" if operator == "NOT_NULL" else "not_exists", path]
            return {"ComparisonOperator": operator}, tree
        values = self.values_for(operator, value)
        literals = [["value", wire] for wire in values]
        here = ["path", path]
        if operator == "IN":
            tree = ["in", here, literals]
        elif operator == "BETWEEN":
            tree = ["between", here, *literals]
        elif operator == "NOT_CONTAINS":
            # Of what is there: unlike NE it is false where there is nothing.
            tree = ["and", ["exists", path], ["not", ["contains", here, *literals]]]
        else:
            tree = [COMPARISONS.get(operator, operator.lower()), here, *literals]
        condition = {"ComparisonOperator": operator, "AttributeValueList": values}
        if is_expected and len(values) == 1 and self.chance(0.3):
            condition = {"ComparisonOperator": operator, "Value": values[0]}
        return condition, tree

    def existing(self, path, value):
        """The oldest form: the attribute has this value, or is not there."""
        if self.chance(0.4):
            return {"Exists": False}, ["not_exists", path]
        wire = self.near(value)
        condition = {"Value": wire, **({"Exists": True} if self.chance(0.5) else {})}
        return condition, ["=", ["path", path], ["value", wire]]

    def near(self, value):
        if value is not None and self.chance(0.6):
            return self.generator.again(value)
        return self.material.value(value[0] if value is not None and self.chance(0.5) else None)

    def values_for(self, operator, value):
        """Values of the types that the operator takes; all of one type."""
        if operator in ("EQ", "NE"):
            return [self.near(value)]
        kinds = ("S", "B") if operator == "BEGINS_WITH" else ORDERED
        kind = value[0] if value is not None and value[0] in kinds else self.random.choice(kinds)
        count = {"IN": self.random.choice((1, 2, 5)), "BETWEEN": 2}.get(operator, 1)
        values = [self.part_of(kind, value, operator) for _ in range(count)]
        if operator == "BETWEEN":
            values.sort(key=lambda wire: sort_key(read(wire)))
        return values

    def part_of(self, kind, value, operator):
        if value is None or self.chance(0.3):
            return self.material.value(kind)
        if operator in ("CONTAINS", "NOT_CONTAINS") and value[0] in ("SS", "NS", "BS"):
            return self.generator.again((value[0][0], self.random.choice(sorted(value[1]))))
        if value[0] in ("S", "B") and operator not in ("IN", "BETWEEN"):
            return encode((value[0], value[1][:self.random.randrange(len(value[1]) + 1)]))
        return self.generator.again(value) if value[0] == kind else self.material.value(kind)

    # ---- keys

    @staticmethod
    def key_conditions(conditions):
        return {name: {"ComparisonOperator": OLDER[operator], "AttributeValueList": values}
                for name, (operator, *values) in conditions.items()}

    # ---- updates

    def update(self):
        """(AttributeUpdates, tree)."""
        keys = self.generator.tables[self.t].keys.names
        names = [name for name in self.generator.schemas[self.t].names if name not in keys]
        updates, tree = {}, {}
        for name in self.random.sample(names, self.random.choice((1, 1, 2, 4))):
            updates[name] = self.action(name, tree)
        return updates, tree

    def action(self, name, tree):
        """The action on one attribute, which is added to the tree too."""
        value = self.item.get(name)
        action = self.random.choice(("PUT", "PUT", "DELETE", "ADD", "REMOVE"))
        is_key = name in self.generator.tables[self.t].key_names()
        if is_key and self.generator.cautious:
            action = "PUT"
        path = [name]
        if action == "REMOVE":
            tree.setdefault("REMOVE", []).append(path)
            return {"Action": "DELETE"}
        if action == "PUT":
            wire = self.generator.attribute(self.t, name)
            tree.setdefault("SET", []).append([path, ["value", wire]])
            return {"Value": wire, **({"Action": "PUT"} if self.chance(0.7) else {})}
        if action == "ADD" and (value is None or value[0] == "L") and self.chance(0.4):
            wire = self.material.value("L")
        else:
            wire = self.generator.operand_of(action, value)
        tree.setdefault(action, []).append([path, wire])
        return {"Action": action, "Value": wire}

    # ---- projections

    def attributes(self, only=None):
        """(AttributesToGet, paths)."""
        names = [name for name in self.generator.schemas[self.t].names
                 if only is None or only(name)]
        chosen = self.random.sample(names, min(len(names), self.random.choice((1, 2, 4))))
        return chosen, [[name] for name in chosen]
