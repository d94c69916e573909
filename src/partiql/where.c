/* SPDX-License-Identifier: Apache-2.0 */
/*
 * where — WHERE clauses to conditions.
 *
 * A parenthesis may hold an operand or a condition, and a condition may be compared with TRUE, so
 * every part says which of the two it is. A condition is an operand too: TRUE or FALSE.
 */
#include "partiql/where.h"

#include "model/limits.h"
#include "model/value_json.h"
#include "partiql/literal.h"

struct part {
    const struct node *node;
    bool is_truth; /* a condition, not an operand */
};

struct parts {
    const struct node **list;
    size_t count;
    size_t capacity;
};

static enum error_code parse_condition(struct parser *parser, struct part *part);
static enum error_code parse_comparison(struct parser *parser, struct part *part);
static enum error_code parse_term(struct parser *parser, struct part *part);

static void add_part(struct parser *parser, struct parts *parts, const struct node *node)
{
    enum { PARTS_AT_FIRST = 4 };
    if (parts->count == parts->capacity) {
        const size_t capacity = parts->capacity == 0 ? PARTS_AT_FIRST : 2 * parts->capacity;
        parts->list =
            arena_grow(parser->call->arena, parts->list, parts->count * sizeof(struct node *),
                       capacity * sizeof(struct node *));
        parts->capacity = capacity;
    }
    parts->list[parts->count++] = node;
}

static enum error_code check_truth(struct parser *parser, const struct part *part)
{
    if (part->is_truth) return OK;
    return parser_malformed(parser, "Expected a condition");
}

/* a, b, c: a op (b op c) */
static const struct node *chain(struct parser *parser, enum node_kind kind,
                                const struct parts *parts)
{
    const struct node *node = parts->list[parts->count - 1];
    for (size_t i = parts->count - 1; i > 0; i--)
        node = parser_node(parser, kind, parts->list[i - 1], node);
    return node;
}

static const struct node *negation(struct parser *parser, const struct node *node)
{
    return parser_node(parser, NODE_NOT, node, NULL);
}

enum error_code where_parse(struct parser *parser, const struct node **condition)
{
    struct part part;
    TRY(parse_condition(parser, &part));
    TRY(check_truth(parser, &part));
    *condition = part.node;
    return OK;
}

/* ---- logic ----------------------------------------------------------------------------------- */

/* negation ::= { NOT } comparison */
static enum error_code parse_negation(struct parser *parser, struct part *part)
{
    bool negated = false;
    bool any = false;
    while (parser_take(parser, "NOT")) {
        TRY(parser_count(parser));
        negated = !negated;
        any = true;
    }
    TRY(parse_comparison(parser, part));
    if (any) TRY(check_truth(parser, part));
    if (negated) part->node = negation(parser, part->node);
    return OK;
}

/* conjunction ::= negation { AND negation } */
static enum error_code parse_conjunction(struct parser *parser, struct part *part)
{
    struct parts parts = {0};
    TRY(parse_negation(parser, part));
    if (!parser_at(parser, "AND")) return OK;
    TRY(check_truth(parser, part));
    add_part(parser, &parts, part->node);
    while (parser_take(parser, "AND")) {
        TRY(parser_count(parser));
        TRY(parse_negation(parser, part));
        TRY(check_truth(parser, part));
        add_part(parser, &parts, part->node);
    }
    part->node = chain(parser, NODE_AND, &parts);
    return OK;
}

/* condition ::= conjunction { OR conjunction } */
static enum error_code parse_condition(struct parser *parser, struct part *part)
{
    struct parts parts = {0};
    TRY(parse_conjunction(parser, part));
    if (!parser_at(parser, "OR")) return OK;
    TRY(check_truth(parser, part));
    add_part(parser, &parts, part->node);
    while (parser_take(parser, "OR")) {
        TRY(parser_count(parser));
        TRY(parse_conjunction(parser, part));
        TRY(check_truth(parser, part));
        add_part(parser, &parts, part->node);
    }
    part->node = chain(parser, NODE_OR, &parts);
    return OK;
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static const struct {
    enum node_kind node;
    enum node_kind mirrored; /* a < b is b > a */
    const char *sign;
} comparators[] = {
    [WORD_EQ - WORD_EQ] = {NODE_EQ, NODE_EQ, "="}, [WORD_NE - WORD_EQ] = {NODE_NE, NODE_NE, "<>"},
    [WORD_LT - WORD_EQ] = {NODE_LT, NODE_GT, "<"}, [WORD_LE - WORD_EQ] = {NODE_LE, NODE_GE, "<="},
    [WORD_GT - WORD_EQ] = {NODE_GT, NODE_LT, ">"}, [WORD_GE - WORD_EQ] = {NODE_GE, NODE_LE, ">="},
};

static bool is_scalar(enum value_type type)
{
    return type == VALUE_STRING || type == VALUE_NUMBER || type == VALUE_BINARY;
}

/* Only strings, numbers and binaries have an order. */
static enum error_code check_ordered(struct parser *parser, const char *sign,
                                     const struct part *part)
{
    if (part->is_truth) return parser_wrong_type(parser, sign, VALUE_BOOLEAN);
    if (part->node->kind != NODE_VALUE || is_scalar(part->node->value.type)) return OK;
    return parser_wrong_type(parser, sign, part->node->value.type);
}

static enum error_code refuse_equal_paths(struct parser *parser, const char *sign,
                                          const struct node *left, const struct node *right)
{
    if (left->kind != NODE_PATH || right->kind != NODE_PATH) return OK;
    if (left->path.count != right->path.count) return OK;
    if (path_relate(&left->path, &right->path) != PATHS_OVERLAP) return OK;
    const struct slice path = path_print(parser->call->arena, &left->path);
    return parser_refuse(parser,
                         "The first operand must be distinct from the remaining operands for this "
                         "operator or function; operator: %s, first operand: %.*s",
                         sign, SLICE_ARGS(path));
}

/* term comparator term */
static enum error_code parse_compared(struct parser *parser, struct part *part)
{
    const size_t comparator = (size_t)(parser->current.kind - WORD_EQ);
    const char *const sign = comparators[comparator].sign;
    const struct part left = *part;
    struct part right;
    TRY(parser_count(parser));
    parser_advance(parser);
    TRY(parse_term(parser, &right));
    if (comparators[comparator].node != NODE_EQ && comparators[comparator].node != NODE_NE) {
        TRY(check_ordered(parser, sign, &left));
        TRY(check_ordered(parser, sign, &right));
    }
    TRY(refuse_equal_paths(parser, sign, left.node, right.node));
    const bool turned = left.node->kind == NODE_VALUE && right.node->kind != NODE_VALUE;
    const enum node_kind kind =
        turned ? comparators[comparator].mirrored : comparators[comparator].node;
    part->node =
        parser_node(parser, kind, turned ? right.node : left.node, turned ? left.node : right.node);
    part->is_truth = true;
    return OK;
}

static enum error_code parse_operand(struct parser *parser, const char *sign,
                                     const struct node **node)
{
    struct part part;
    TRY(parse_term(parser, &part));
    if (part.is_truth) return parser_wrong_type(parser, sign, VALUE_BOOLEAN);
    *node = part.node;
    return OK;
}

static enum error_code fail_bounds(struct parser *parser, const char *rule,
                                   const struct node *const *children)
{
    struct buffer low = buffer_open(parser->call->arena, 0);
    struct buffer high = buffer_open(parser->call->arena, 0);
    value_to_text(&low, children[1]->value);
    value_to_text(&high, children[2]->value);
    return parser_refuse(parser,
                         "The BETWEEN operator requires %s; lower bound operand: AttributeValue: "
                         "%.*s, upper bound operand: AttributeValue: %.*s",
                         rule, SLICE_ARGS(buffer_slice(&low)), SLICE_ARGS(buffer_slice(&high)));
}

static enum error_code check_bounds(struct parser *parser, const struct node *const *children)
{
    const struct node *low = children[1];
    const struct node *high = children[2];
    TRY(check_ordered(parser, "BETWEEN", &(struct part){low, false}));
    TRY(check_ordered(parser, "BETWEEN", &(struct part){high, false}));
    if (low->kind != NODE_VALUE || high->kind != NODE_VALUE) return OK;
    if (low->value.type != high->value.type)
        return fail_bounds(parser, "same data type for lower and upper bounds", children);
    if (value_compare(low->value, high->value) <= 0) return OK;
    return fail_bounds(parser, "upper bound to be greater than or equal to lower bound", children);
}

/* BETWEEN term AND term, behind the BETWEEN */
static enum error_code parse_between(struct parser *parser, struct part *part)
{
    enum { OPERANDS = 3 };
    if (part->is_truth) return parser_wrong_type(parser, "BETWEEN", VALUE_BOOLEAN);
    const struct node **children = arena_array(parser->call->arena, const struct node *, OPERANDS);
    children[0] = part->node;
    TRY(parser_count(parser));
    TRY(parse_operand(parser, "BETWEEN", &children[1]));
    TRY(parser_expect(parser, "AND"));
    TRY(parse_operand(parser, "BETWEEN", &children[2]));
    TRY(check_bounds(parser, children));
    struct node *node = parser_node(parser, NODE_BETWEEN, NULL, NULL);
    node->children = children;
    node->child_count = OPERANDS;
    *part = (struct part){node, true};
    return OK;
}

static enum error_code check_in(struct parser *parser, const struct parts *parts)
{
    if (parts->count < 2 || parts->list[0]->kind == NODE_VALUE) {
        return parser_refuse(parser,
                             "IN operator must have a left hand argument of type Variable "
                             "Reference and right hand argument of type Seq with at least one "
                             "member");
    }
    if (parts->count - 1 <= LIMIT_IN_OPERANDS) return OK;
    return parser_refuse(parser,
                         "The IN operator is provided with too many operands; number of operands: "
                         "%zu",
                         parts->count - 1);
}

/* IN ("[" | "(" | "<<") term { "," term } ("]" | ")" | ">>"), behind the IN */
static enum error_code parse_in(struct parser *parser, struct part *part)
{
    enum word_kind end;
    switch (parser->current.kind) {
    case WORD_OPEN_BRACKET:
    case WORD_OPEN:
    case WORD_OPEN_BAG:
        end = parser->current.kind + 1;
        break;
    default:
        return check_in(parser, &(struct parts){0});
    }
    struct parts parts = {0};
    add_part(parser, &parts, part->node);
    TRY(parser_count(parser));
    parser_advance(parser);
    while (parser->current.kind != end) {
        if (parts.count > 1) TRY(parser_expect_kind(parser, WORD_COMMA, ", in the list of IN"));
        const struct node *candidate = NULL;
        TRY(parse_operand(parser, "IN", &candidate));
        add_part(parser, &parts, candidate);
    }
    parser_advance(parser);
    TRY(check_in(parser, &parts));
    struct node *node = parser_node(parser, NODE_IN, NULL, NULL);
    node->children = parts.list;
    node->child_count = parts.count;
    *part = (struct part){node, true};
    return OK;
}

_Static_assert(WORD_CLOSE == WORD_OPEN + 1, "brackets come in pairs");
_Static_assert(WORD_CLOSE_BRACKET == WORD_OPEN_BRACKET + 1, "brackets come in pairs");
_Static_assert(WORD_CLOSE_BAG == WORD_OPEN_BAG + 1, "brackets come in pairs");

static const struct {
    const char *name;
    const char *type;
} types[] = {
    {"NULL", "NULL"}, {"BOOLEAN", "BOOL"}, {"BLOB", "B"},  {"STRING", "S"},
    {"NUMERIC", "N"}, {"STRUCT", "M"},     {"TUPLE", "M"}, {"LIST", "L"},
};

static const struct node *type_condition(struct parser *parser, const struct node *operand,
                                         const char *type)
{
    const struct value name =
        value_scalar(parser->call->arena, VALUE_STRING, slice_of_string(type));
    return parser_node(parser, NODE_ATTRIBUTE_TYPE, operand, parser_value_node(parser, name));
}

/* IS [NOT] (MISSING | type), behind the IS */
static enum error_code parse_is(struct parser *parser, struct part *part)
{
    const bool negated = parser_take(parser, "NOT");
    TRY(parser_count(parser));
    if (part->is_truth || part->node->kind != NODE_PATH)
        return parser_malformed(parser, "Expected a path before IS");
    const struct node *node = NULL;
    if (parser_take(parser, "MISSING"))
        node = parser_node(parser, NODE_ATTRIBUTE_NOT_EXISTS, part->node, NULL);
    for (size_t i = 0; node == NULL && i < sizeof types / sizeof types[0]; i++) {
        if (parser_take(parser, types[i].name))
            node = type_condition(parser, part->node, types[i].type);
    }
    if (node == NULL) {
        return parser_refuse(parser,
                             "Unsupported data type for IS operator: %.*s. Supported data types "
                             "are [MISSING, NULL, BOOLEAN, BLOB, STRING, NUMERIC, STRUCT, TUPLE, "
                             "LIST]",
                             SLICE_ARGS(parser->current.raw));
    }
    *part = (struct part){negated ? negation(parser, node) : node, true};
    return OK;
}

/* Operators that the language has and conditions of the service have not. */
static enum error_code refuse_operators(struct parser *parser)
{
    switch (parser->current.kind) {
    case WORD_PLUS:
    case WORD_MINUS:
    case WORD_STAR:
    case WORD_OTHER_OPERATOR:
        break;
    default:
        if (!parser_at(parser, "LIKE")) return OK;
    }
    return parser_refuse(parser, "Unsupported operator in Condition Expression. Operator: %.*s",
                         SLICE_ARGS(parser->current.raw));
}

/* test ::= term [ comparator term | IS … | [ NOT ] ( BETWEEN … | IN … ) ] */
static enum error_code parse_test(struct parser *parser, struct part *part)
{
    TRY(parse_term(parser, part));
    TRY(refuse_operators(parser));
    const enum word_kind kind = parser->current.kind;
    if (kind >= WORD_EQ && kind <= WORD_GE) return parse_compared(parser, part);
    if (parser_take(parser, "IS")) return parse_is(parser, part);
    const bool negated = parser_take(parser, "NOT");
    if (parser_take(parser, "BETWEEN")) {
        TRY(parse_between(parser, part));
    } else if (parser_take(parser, "IN")) {
        TRY(parse_in(parser, part));
    } else if (negated) {
        return parser_malformed(parser, "Expected BETWEEN or IN");
    }
    if (negated) part->node = negation(parser, part->node);
    return OK;
}

/* comparison ::= test, and no operator that the service does not have */
static enum error_code parse_comparison(struct parser *parser, struct part *part)
{
    TRY(parse_test(parser, part));
    return refuse_operators(parser);
}

/* ---- functions ------------------------------------------------------------------------------- */

static const struct function {
    const char *name;
    enum node_kind kind;
    size_t operands;
    bool path_only; /* the first operand */
} functions[] = {
    {"attribute_exists", NODE_ATTRIBUTE_EXISTS, 1, true},
    {"attribute_not_exists", NODE_ATTRIBUTE_NOT_EXISTS, 1, true},
    {"attribute_type", NODE_ATTRIBUTE_TYPE, 2, false},
    {"begins_with", NODE_BEGINS_WITH, 2, false},
    {"contains", NODE_CONTAINS, 2, false},
    {"size", NODE_SIZE, 1, false},
};

static enum error_code check_type_name(struct parser *parser, const struct node *node)
{
    if (node->kind != NODE_VALUE) return parser_malformed(parser, "Expected a type name");
    if (node->value.type != VALUE_STRING)
        return parser_wrong_type(parser, "attribute_type", node->value.type);
    if (value_type_of_name(node->value.data) != VALUE_ABSENT) return OK;
    return parser_refuse(parser,
                         "Invalid attribute type name found; type: %.*s, valid types: "
                         "{N,BS,L,B,NULL,M,S,SS,NS,BOOL}",
                         SLICE_ARGS(node->value.data));
}

static enum error_code check_prefix(struct parser *parser, const struct node *node)
{
    if (node->kind != NODE_VALUE) return OK;
    if (node->value.type == VALUE_STRING || node->value.type == VALUE_BINARY) return OK;
    return parser_wrong_type(parser, "begins_with", node->value.type);
}

static enum error_code check_function(struct parser *parser, const struct function *function,
                                      const struct parts *parts)
{
    if (parts->count != function->operands) {
        return parser_refuse(parser,
                             "Incorrect number of operands for operator or function; operator or "
                             "function: %s, number of operands: %zu",
                             function->name, parts->count);
    }
    const struct node *first = parts->list[0];
    if (function->path_only && first->kind != NODE_PATH) {
        return parser_refuse(parser,
                             "Operator or function requires a document path; operator or "
                             "function: %s",
                             function->name);
    }
    if (function->kind == NODE_ATTRIBUTE_TYPE) return check_type_name(parser, parts->list[1]);
    if (function->kind != NODE_BEGINS_WITH) return OK;
    TRY(check_prefix(parser, first));
    return check_prefix(parser, parts->list[1]);
}

/* call ::= function "(" [ term { "," term } ] ")" */
static enum error_code parse_call(struct parser *parser, const struct function *function,
                                  struct part *part)
{
    struct parts parts = {0};
    TRY(parser_count(parser));
    TRY(parser_enter(parser));
    parser_advance(parser);
    parser_advance(parser);
    while (parser->current.kind != WORD_CLOSE) {
        if (parts.count > 0) TRY(parser_expect_kind(parser, WORD_COMMA, ", or )"));
        const struct node *operand = NULL;
        TRY(parse_operand(parser, function->name, &operand));
        add_part(parser, &parts, operand);
    }
    parser_advance(parser);
    parser_leave(parser);
    TRY(check_function(parser, function, &parts));
    part->node =
        parser_node(parser, function->kind, parts.list[0], parts.count > 1 ? parts.list[1] : NULL);
    part->is_truth = function->kind != NODE_SIZE;
    return OK;
}

static enum error_code parse_function(struct parser *parser, struct part *part)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (parser_at_call(parser, functions[i].name))
            return parse_call(parser, &functions[i], part);
    }
    return parser_refuse(parser, "Unrecognized function: %.*s", SLICE_ARGS(parser->current.raw));
}

static enum error_code parse_parenthesis(struct parser *parser, struct part *part)
{
    TRY(parser_enter(parser));
    parser_advance(parser);
    TRY(parse_condition(parser, part));
    TRY(parser_expect_kind(parser, WORD_CLOSE, ")"));
    parser_leave(parser);
    return OK;
}

/* term ::= "(" condition ")" | literal | path | call */
static enum error_code parse_term(struct parser *parser, struct part *part)
{
    *part = (struct part){0};
    if (parser->current.kind == WORD_OPEN) return parse_parenthesis(parser, part);
    if (literal_begins(parser)) {
        struct value value;
        TRY(literal_parse(parser, &value));
        part->node = parser_value_node(parser, value);
        return OK;
    }
    if (parser_at_path(parser)) {
        struct node *node = parser_node(parser, NODE_PATH, NULL, NULL);
        TRY(parser_path(parser, &node->path));
        part->node = node;
        return OK;
    }
    if (parser->current.kind == WORD_NAME) return parse_function(parser, part);
    return parser_malformed(parser, "Expected an expression");
}
