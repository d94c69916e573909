/* SPDX-License-Identifier: Apache-2.0 */
/* legacy_condition — from operators and lists of values to the nodes of conditions. */
#include "ops/legacy_condition.h"

#include "model/value_json.h"

#define INVALID "One or more parameter values were invalid: "

/* ---- operators ------------------------------------------------------------------------------- */

#define TYPE(type) (1U << VALUE_##type)
#define SCALARS    (TYPE(STRING) | TYPE(NUMBER) | TYPE(BINARY))
#define ALL_TYPES  ((1U << VALUE_TYPES) - 1)

struct comparison {
    const char *name;
    enum node_kind kind;
    uint32_t values_min;
    uint32_t values_max;
    unsigned types; /* that the values may have: bits 1 << enum value_type */
};

/* The types are those of the Developer Guide's "Writing conditions with legacy parameters". */
static const struct comparison comparisons[] = {
    {"EQ", NODE_EQ, 1, 1, ALL_TYPES},
    {"NE", NODE_NE, 1, 1, ALL_TYPES},
    {"LE", NODE_LE, 1, 1, SCALARS},
    {"LT", NODE_LT, 1, 1, SCALARS},
    {"GE", NODE_GE, 1, 1, SCALARS},
    {"GT", NODE_GT, 1, 1, SCALARS},
    {"NOT_NULL", NODE_ATTRIBUTE_EXISTS, 0, 0, ALL_TYPES},
    {"NULL", NODE_ATTRIBUTE_NOT_EXISTS, 0, 0, ALL_TYPES},
    {"CONTAINS", NODE_CONTAINS, 1, 1, SCALARS},
    {"NOT_CONTAINS", NODE_NOT_CONTAINS, 1, 1, SCALARS},
    {"BEGINS_WITH", NODE_BEGINS_WITH, 1, 1, TYPE(STRING) | TYPE(BINARY)},
    {"IN", NODE_IN, 1, UINT32_MAX, SCALARS},
    {"BETWEEN", NODE_BETWEEN, 2, 2, SCALARS},
};

static const struct comparison *comparison_of(struct call *call, const struct json_token *token)
{
    struct slice name = json_string(token, call->arena);
    for (size_t i = 0; i < sizeof comparisons / sizeof comparisons[0]; i++) {
        if (slice_equal_string(name, comparisons[i].name)) return &comparisons[i];
    }
    check_failed("the shape lets in known operators only", __FILE__, __LINE__);
}

/* ---- values ---------------------------------------------------------------------------------- */

struct values {
    struct value *list;
    uint32_t count;
};

/* count value tokens that follow each other. */
static enum error_code read_values(struct call *call, const struct json_token *first,
                                   uint32_t count, struct values *values)
{
    *values = (struct values){arena_array(call->arena, struct value, count), count};
    const struct json_token *token = first;
    for (uint32_t i = 0; i < count; i++, token = json_next(token)) {
        struct buffer out = buffer_open(call->arena, 0);
        TRY(value_from_json(call, token, 1, &out));
        values->list[i] = value_read(buffer_slice(&out));
    }
    return OK;
}

static enum error_code check_types(struct call *call, const struct comparison *comparison,
                                   const struct values *values)
{
    for (uint32_t i = 1; i < values->count; i++) {
        if (values->list[i].type == values->list[0].type) continue;
        return fail_enveloped(call, INVALID
                              "AttributeValues inside AttributeValueList must be of same type");
    }
    if (values->count == 0 || (comparison->types & 1U << values->list[0].type) != 0) return OK;
    return fail_enveloped(call,
                          INVALID "ComparisonOperator %s is not valid for %s AttributeValue type",
                          comparison->name, value_type_name(values->list[0].type));
}

static enum error_code check_values(struct call *call, const struct comparison *comparison,
                                    const struct values *values)
{
    if (values->count < comparison->values_min || values->count > comparison->values_max) {
        return fail_enveloped(call,
                              INVALID "Invalid number of argument(s) for the %s ComparisonOperator",
                              comparison->name);
    }
    TRY(check_types(call, comparison, values));
    if (comparison->kind != NODE_BETWEEN) return OK;
    if (value_compare(values->list[0], values->list[1]) <= 0) return OK;
    return fail_enveloped(call, "The BETWEEN condition was provided a range where the lower bound "
                                "is greater than the upper bound");
}

/* ---- nodes ----------------------------------------------------------------------------------- */

static const struct node *path_node(struct arena *arena, struct slice name)
{
    struct path_step *step = arena_new(arena, struct path_step);
    struct node *node = arena_new(arena, struct node);
    step->name = name;
    *node = (struct node){.kind = NODE_PATH, .path = {step, 1}};
    return node;
}

static const struct node *value_node(struct arena *arena, struct value value)
{
    struct node *node = arena_new(arena, struct node);
    *node = (struct node){.kind = NODE_VALUE, .value = value};
    return node;
}

static const struct node *condition_node(struct arena *arena, struct slice name,
                                         enum node_kind kind, const struct values *values)
{
    const struct node *path = path_node(arena, name);
    struct node *node = arena_new(arena, struct node);
    *node = (struct node){.kind = kind, .left = path};
    if (kind != NODE_IN && kind != NODE_BETWEEN) {
        if (values->count > 0) node->right = value_node(arena, values->list[0]);
        return node;
    }
    const struct node **children = arena_array(arena, const struct node *, values->count + 1);
    children[0] = path;
    for (uint32_t i = 0; i < values->count; i++)
        children[i + 1] = value_node(arena, values->list[i]);
    *node = (struct node){.kind = kind, .children = children, .child_count = values->count + 1};
    return node;
}

/* A balanced tree: a filter may have so many conditions that a chain would exhaust the stack. */
static const struct node *join(struct arena *arena, enum node_kind kind,
                               const struct node *const *nodes, size_t count)
{
    CHECK(count > 0);
    if (count == 1) return nodes[0];
    struct node *node = arena_new(arena, struct node);
    *node = (struct node){
        .kind = kind,
        .left = join(arena, kind, nodes, count / 2),
        .right = join(arena, kind, nodes + count / 2, count - count / 2),
    };
    return node;
}

/* Makes the node of one attribute's condition. */
typedef enum error_code condition_reader(struct call *call, const struct legacy_entry *entry,
                                         const struct node **node);

static enum error_code read_conditions(struct call *call, const struct json_token *map,
                                       const struct json_token *joiner, condition_reader *read,
                                       const struct node **condition)
{
    if (map == NULL || map->length == 0) return OK;
    struct legacy_entry *entries;
    const size_t count = legacy_entries(call->arena, map, &entries);
    const struct node **nodes = arena_array(call->arena, const struct node *, count);
    for (size_t i = 0; i < count; i++)
        TRY(read(call, &entries[i], &nodes[i]));

    bool any = joiner != NULL && slice_equal_string(json_string(joiner, call->arena), "OR");
    *condition = join(call->arena, any ? NODE_OR : NODE_AND, nodes, count);
    return OK;
}

/* ---- filters and keys ------------------------------------------------------------------------ */

static enum error_code read_condition(struct call *call, const struct legacy_entry *entry,
                                      const struct node **node)
{
    const struct json_token *list = input_member(entry->value, "AttributeValueList");
    const struct json_token *name = input_member(entry->value, "ComparisonOperator");
    const struct comparison *comparison = comparison_of(call, name);
    struct values values = {0};
    if (list != NULL) TRY(read_values(call, json_first(list), list->length, &values));
    TRY(check_values(call, comparison, &values));
    *node = condition_node(call->arena, entry->name, comparison->kind, &values);
    return OK;
}

enum error_code legacy_condition_filter(struct call *call, const struct json_token *filter,
                                        const struct json_token *joiner,
                                        const struct node **condition)
{
    return read_conditions(call, filter, joiner, read_condition, condition);
}

enum error_code legacy_condition_keys(struct call *call, const struct json_token *conditions,
                                      const struct node **condition)
{
    if (conditions == NULL) return OK;
    TRY(read_conditions(call, conditions, NULL, read_condition, condition));
    if (conditions->length == 1 || conditions->length == 2) return OK;
    return fail(call, ERROR_VALIDATION, "Conditions can be of length 1 or 2 only");
}

/* ---- Expected -------------------------------------------------------------------------------- */

struct expected {
    const struct legacy_entry *entry;
    const struct json_token *list;       /* AttributeValueList */
    const struct json_token *comparison; /* ComparisonOperator */
    const struct json_token *exists;
    const struct json_token *value;
};

static enum error_code fail_together(struct call *call, const char *what,
                                     const struct expected *expected)
{
    return fail_enveloped(call, INVALID "%s cannot be used together for Attribute: %.*s", what,
                          SLICE_ARGS(expected->entry->name));
}

/* An operator and its values; a single one may stand in Value. */
static enum error_code read_compared(struct call *call, const struct expected *expected,
                                     const struct node **node)
{
    if (expected->exists != NULL)
        return fail_together(call, "Exists and ComparisonOperator", expected);
    const struct comparison *comparison = comparison_of(call, expected->comparison);
    if (comparison->values_min > 0 && expected->list == NULL && expected->value == NULL) {
        return fail_enveloped(call,
                              INVALID "Value or AttributeValueList must be used with "
                                      "ComparisonOperator: %s for Attribute: %.*s",
                              comparison->name, SLICE_ARGS(expected->entry->name));
    }
    struct values values = {0};
    if (expected->list != NULL) {
        TRY(read_values(call, json_first(expected->list), expected->list->length, &values));
    } else if (expected->value != NULL) {
        TRY(read_values(call, expected->value, 1, &values));
    }
    TRY(check_values(call, comparison, &values));
    *node = condition_node(call->arena, expected->entry->name, comparison->kind, &values);
    return OK;
}

/* The older form: the attribute has this value, or (Exists = false) is not there. */
static enum error_code read_existing(struct call *call, const struct expected *expected,
                                     const struct node **node)
{
    struct slice name = expected->entry->name;
    const bool exists = input_boolean(expected->exists, true);
    if (exists && expected->value == NULL) {
        return fail_enveloped(
            call, INVALID "Value must be provided when Exists is %s for Attribute: %.*s",
            expected->exists == NULL ? "null" : "true", SLICE_ARGS(name));
    }
    if (!exists && expected->value != NULL) {
        return fail_enveloped(
            call, INVALID "Value cannot be used when Exists is false for Attribute: %.*s",
            SLICE_ARGS(name));
    }
    struct values values = {0};
    if (exists) TRY(read_values(call, expected->value, 1, &values));
    *node =
        condition_node(call->arena, name, exists ? NODE_EQ : NODE_ATTRIBUTE_NOT_EXISTS, &values);
    return OK;
}

static enum error_code read_expected(struct call *call, const struct legacy_entry *entry,
                                     const struct node **node)
{
    const struct expected expected = {
        .entry = entry,
        .list = input_member(entry->value, "AttributeValueList"),
        .comparison = input_member(entry->value, "ComparisonOperator"),
        .exists = input_member(entry->value, "Exists"),
        .value = input_member(entry->value, "Value"),
    };
    if (expected.list != NULL && expected.value != NULL)
        return fail_together(call, "Value and AttributeValueList", &expected);
    if (expected.comparison != NULL) return read_compared(call, &expected, node);
    if (expected.list == NULL) return read_existing(call, &expected, node);
    return fail_enveloped(call,
                          INVALID "AttributeValueList can only be used with a ComparisonOperator "
                                  "for Attribute: %.*s",
                          SLICE_ARGS(entry->name));
}

enum error_code legacy_condition_expected(struct call *call, const struct json_token *expected,
                                          const struct json_token *joiner,
                                          const struct node **condition)
{
    return read_conditions(call, expected, joiner, read_expected, condition);
}
