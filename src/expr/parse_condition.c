/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_condition — conditions, filters and key conditions.
 *
 *   condition   or
 *   or          and [OR or]
 *   and         not [AND and]
 *   not         NOT not | primary
 *   primary     operand comparator operand | operand BETWEEN operand AND operand
 *               | operand IN ( operand {, operand} ) | function | ( condition )
 *
 * A parenthesis may open an operand or a condition, and only what follows the closing one tells. So
 * what it encloses is parsed as whichever it turns out to be: the first primary behind an opening
 * parenthesis may be a bare operand when the closing one follows (struct chain's bare).
 */
#include "expr/parse.h"

#include "model/limits.h"
#include "model/value_json.h"

#define FUNCTION_NAME(literal)                          \
    {                                                   \
        (const uint8_t *)(literal), sizeof(literal) - 1 \
    }

static const struct function {
    struct slice name;
    size_t operands;
    enum node_kind kind;
} functions[] = {
    {FUNCTION_NAME("attribute_exists"), 1, NODE_ATTRIBUTE_EXISTS},
    {FUNCTION_NAME("attribute_not_exists"), 1, NODE_ATTRIBUTE_NOT_EXISTS},
    {FUNCTION_NAME("attribute_type"), 2, NODE_ATTRIBUTE_TYPE},
    {FUNCTION_NAME("begins_with"), 2, NODE_BEGINS_WITH},
    {FUNCTION_NAME("contains"), 2, NODE_CONTAINS},
    {FUNCTION_NAME("size"), 1, NODE_SIZE},
};

static enum error_code parse_or(struct parser *parser, bool bare, struct parse_part *part);
static parse_call make_call;
static void check_condition_use(struct parser *parser, const struct parse_part *part);

enum error_code parse_condition(struct call *call, const struct parse_source *source,
                                const struct node **condition)
{
    static const enum parse_error order[] = {
        PARSE_PARENTHESES, PARSE_OPERATORS, PARSE_UNKNOWN_FUNCTION, PARSE_MISUSED_FUNCTION,
        PARSE_RESERVED,    PARSE_PATH,      PARSE_CONDITION};
    struct parser parser;
    TRY(parse_start(&parser, call, source));
    parser.value_error = PARSE_NAME; /* undefined names and values: whichever comes first */
    parser.only_size_nests = true;
    struct parse_part part;
    TRY(parse_or(&parser, false, &part));
    check_condition_use(&parser, &part);
    TRY(parse_expect(&parser, TOKEN_END));
    *condition = part.node;
    return parse_report(&parser, order, sizeof order / sizeof order[0]);
}

/* ---- checks ---------------------------------------------------------------------------------- */

/* The type of an operand where the text tells, "" where it does not. */
static const char *static_type(const struct node *node)
{
    switch (node->kind) {
    case NODE_SIZE:
        return value_type_name(VALUE_NUMBER);
    case NODE_ATTRIBUTE_TYPE:
    case NODE_BEGINS_WITH:
    case NODE_CONTAINS:
        return value_type_name(VALUE_BOOLEAN);
    default:
        return value_type_name(parse_literal_type(node));
    }
}

/* Every function but size() makes a condition. */
static void check_condition_use(struct parser *parser, const struct parse_part *part)
{
    if (part->form != PARSE_CALL || !slice_equal_string(part->function, "size")) return;
    parse_note(parser, PARSE_MISUSED_FUNCTION,
               "The function is not allowed to be used this way in an expression; function: size");
}

/* After each simple condition: the first that has an error decides which is told. */
static void settle_condition(struct parser *parser)
{
    static const enum parse_error order[] = {PARSE_NAME, PARSE_OPERAND_COUNT, PARSE_DISTINCT,
                                             PARSE_FUNCTION};
    if (parser->errors[PARSE_CONDITION].length > 0) return;
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (parser->errors[order[i]].length == 0) continue;
        parser->errors[PARSE_CONDITION] = parser->errors[order[i]];
        return;
    }
}

static bool paths_equal(const struct path *a, const struct path *b)
{
    if (a->count != b->count) return false;
    for (size_t i = 0; i < a->count; i++) {
        if (a->steps[i].index != b->steps[i].index) return false;
        if (!slice_equal(a->steps[i].name, b->steps[i].name)) return false;
    }
    return true;
}

static void check_distinct(struct parser *parser, struct slice operator_name,
                           const struct node *first, const struct node *second)
{
    if (first->kind != NODE_PATH || second->kind != NODE_PATH) return;
    if (!paths_equal(&first->path, &second->path)) return;
    parse_note(parser, PARSE_DISTINCT,
               "The first operand must be distinct from the remaining operands for this operator "
               "or function; operator: %.*s, first operand: %.*s",
               SLICE_ARGS(operator_name),
               SLICE_ARGS(path_print(parser->call->arena, &first->path)));
}

static bool is_ordered(enum value_type type)
{
    return type == VALUE_STRING || type == VALUE_NUMBER || type == VALUE_BINARY;
}

/* A literal of a type that has no order cannot be compared by <, BETWEEN and the like. */
static void check_ordered(struct parser *parser, struct slice operator_name,
                          const struct node *operand)
{
    const enum value_type type = parse_literal_type(operand);
    if (type == VALUE_ABSENT || is_ordered(type)) return;
    parse_note_type(parser, operator_name, value_type_name(type));
}

static struct slice literal_text(struct parser *parser, const struct node *literal)
{
    struct buffer text = buffer_open(parser->call->arena, 0);
    value_to_text(&text, literal->value);
    return buffer_slice(&text);
}

static void check_bounds(struct parser *parser, const struct node *low, const struct node *high)
{
    const enum value_type low_type = parse_literal_type(low);
    const enum value_type high_type = parse_literal_type(high);
    if (low_type == VALUE_ABSENT || high_type == VALUE_ABSENT) return;
    const char *rule = NULL;
    if (low_type != high_type) {
        rule = "same data type for lower and upper bounds";
    } else if (is_ordered(low_type) && value_compare(low->value, high->value) > 0) {
        rule = "upper bound to be greater than or equal to lower bound";
    }
    if (rule == NULL) return;
    parse_note(parser, PARSE_FUNCTION,
               "The BETWEEN operator requires %s; lower bound operand: AttributeValue: %.*s, upper "
               "bound operand: AttributeValue: %.*s",
               rule, SLICE_ARGS(literal_text(parser, low)), SLICE_ARGS(literal_text(parser, high)));
}

/* ---- functions ------------------------------------------------------------------------------- */

static void check_type_literal(struct parser *parser, struct slice function,
                               const struct node *operand)
{
    const char *type = static_type(operand);
    if (type[0] == '\0') type = "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}";
    if (parse_literal_type(operand) != VALUE_STRING) {
        parse_note_type(parser, function, type);
        return;
    }
    const struct slice name = operand->value.data;
    if (value_type_of_name(name) != VALUE_ABSENT) return;
    parse_note(parser, PARSE_FUNCTION,
               "Invalid attribute type name found; type: %.*s, valid types: "
               "{B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
               SLICE_ARGS(name));
}

static void check_prefix_operand(struct parser *parser, struct slice function,
                                 const struct node *operand)
{
    const char *type = static_type(operand);
    if (type[0] == '\0') return;
    const enum value_type literal = parse_literal_type(operand);
    if (literal == VALUE_STRING || literal == VALUE_BINARY) return;
    parse_note_type(parser, function, type);
}

static void check_sized(struct parser *parser, struct slice function, const struct node *operand)
{
    switch (operand->kind == NODE_SIZE ? VALUE_NUMBER : parse_literal_type(operand)) {
    case VALUE_NUMBER:
    case VALUE_BOOLEAN:
    case VALUE_NULL:
        parse_note_type(parser, function, static_type(operand));
        break;
    default:
        break;
    }
}

static void check_path_operand(struct parser *parser, struct slice function,
                               const struct node *operand)
{
    if (operand->kind == NODE_PATH) return;
    parse_note(parser, PARSE_FUNCTION,
               "Operator or function requires a document path; operator or function: %.*s",
               SLICE_ARGS(function));
}

/* The operands of a function whose number is right. */
static void check_operands(struct parser *parser, struct slice function, const struct node *node)
{
    if (node->right != NULL) check_distinct(parser, function, node->left, node->right);
    switch (node->kind) {
    case NODE_ATTRIBUTE_EXISTS:
    case NODE_ATTRIBUTE_NOT_EXISTS:
        check_path_operand(parser, function, node->left);
        break;
    case NODE_ATTRIBUTE_TYPE:
        check_type_literal(parser, function, node->right);
        break;
    case NODE_BEGINS_WITH:
        check_prefix_operand(parser, function, node->left);
        check_prefix_operand(parser, function, node->right);
        break;
    case NODE_SIZE:
        check_sized(parser, function, node->left);
        break;
    default:
        break;
    }
}

static const struct function *find_function(struct slice name)
{
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        if (slice_equal(name, functions[i].name)) return &functions[i];
    }
    return NULL;
}

static const struct node *make_call(struct parser *parser, struct slice function,
                                    const struct parse_part *operands, size_t count)
{
    const struct function *found = find_function(function);
    if (found == NULL) {
        parse_note(parser, PARSE_UNKNOWN_FUNCTION, "Invalid function name; function: %.*s",
                   SLICE_ARGS(function));
        return parse_dummy(parser);
    }
    if (!parse_check_count(parser, function, count, found->operands)) return parse_dummy(parser);
    const struct node *node = parse_node(parser, found->kind, operands[0].node, operands[1].node);
    check_operands(parser, function, node);
    return node;
}

/* ---- simple conditions ----------------------------------------------------------------------- */

static void make_truth(struct parse_part *part, const struct node *node)
{
    *part = (struct parse_part){.form = PARSE_TRUTH, .node = node};
}

static enum error_code parse_comparison(struct parser *parser, struct parse_part *part)
{
    _Static_assert(NODE_GE - NODE_EQ == TOKEN_GE - TOKEN_EQ, "comparators are in step");
    const struct token comparator = parser->current;
    const enum node_kind kind = comparator.kind - TOKEN_EQ + NODE_EQ;
    parse_count_operator(parser);
    parse_advance(parser);
    struct parse_part right;
    TRY(parse_operand(parser, make_call, &right));
    parse_check_operand(parser, part);
    parse_check_operand(parser, &right);
    check_distinct(parser, comparator.text, part->node, right.node);
    if (kind != NODE_EQ && kind != NODE_NE) {
        check_ordered(parser, comparator.text, part->node);
        check_ordered(parser, comparator.text, right.node);
    }
    make_truth(part, parse_node(parser, kind, part->node, right.node));
    return OK;
}

static const struct node *make_list(struct parser *parser, enum node_kind kind,
                                    const struct node *const *children, size_t count)
{
    struct node *node = parse_node(parser, kind, NULL, NULL);
    node->children = children;
    node->child_count = count;
    return node;
}

static enum error_code parse_between(struct parser *parser, struct parse_part *part)
{
    enum { OPERANDS = 3 };
    parse_count_operator(parser);
    parse_advance(parser);
    struct parse_part low;
    struct parse_part high;
    TRY(parse_operand(parser, make_call, &low));
    TRY(parse_expect(parser, TOKEN_AND));
    TRY(parse_operand(parser, make_call, &high));
    parse_check_operand(parser, part);
    parse_check_operand(parser, &low);
    parse_check_operand(parser, &high);
    const struct node **children = arena_array(parser->call->arena, const struct node *, OPERANDS);
    children[0] = part->node;
    children[1] = low.node;
    children[2] = high.node;
    for (size_t i = 0; i < OPERANDS; i++)
        check_ordered(parser, SLICE("BETWEEN"), children[i]);
    check_bounds(parser, low.node, high.node);
    make_truth(part, make_list(parser, NODE_BETWEEN, children, OPERANDS));
    return OK;
}

static enum error_code parse_in(struct parser *parser, struct parse_part *part)
{
    parse_count_operator(parser);
    parse_advance(parser);
    TRY(parse_expect(parser, TOKEN_OPEN));
    const struct node **children =
        arena_array(parser->call->arena, const struct node *, 1 + LIMIT_IN_OPERANDS);
    children[0] = part->node;
    parse_check_operand(parser, part);
    size_t count = 0;
    for (;;) {
        struct parse_part candidate;
        TRY(parse_operand(parser, make_call, &candidate));
        parse_check_operand(parser, &candidate);
        if (++count <= LIMIT_IN_OPERANDS) children[count] = candidate.node;
        if (parser->current.kind != TOKEN_COMMA) break;
        parse_advance(parser);
    }
    TRY(parse_expect(parser, TOKEN_CLOSE));
    if (count > LIMIT_IN_OPERANDS) {
        parse_note(parser, PARSE_OPERAND_COUNT,
                   "The IN operator is provided with too many operands; number of operands: %zu",
                   count);
        count = LIMIT_IN_OPERANDS;
    }
    make_truth(part, make_list(parser, NODE_IN, children, 1 + count));
    return OK;
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* What a primary begins with: an operand, or something in parentheses. */
static enum error_code parse_first(struct parser *parser, struct parse_part *part)
{
    if (parser->current.kind != TOKEN_OPEN) return parse_simple_operand(parser, make_call, part);
    parse_advance(parser);
    TRY(parse_enter(parser));
    TRY(parse_or(parser, true, part));
    TRY(parse_expect(parser, TOKEN_CLOSE));
    parse_leave(parser);
    parse_close_part(parser, part);
    return OK;
}

static enum error_code parse_primary(struct parser *parser, bool bare, struct parse_part *part)
{
    TRY(parse_first(parser, part));
    if (part->form == PARSE_TRUTH) return OK;
    switch (parser->current.kind) {
    case TOKEN_EQ:
    case TOKEN_NE:
    case TOKEN_LT:
    case TOKEN_LE:
    case TOKEN_GT:
    case TOKEN_GE:
        TRY(parse_comparison(parser, part));
        break;
    case TOKEN_BETWEEN:
        TRY(parse_between(parser, part));
        break;
    case TOKEN_IN:
        TRY(parse_in(parser, part));
        break;
    case TOKEN_CLOSE:
        /* Still an operand or a condition: whoever opened the parenthesis will see. */
        if (bare) return OK;
        if (part->form == PARSE_OPERAND) return parse_syntax_error(parser);
        break;
    default:
        if (part->form == PARSE_OPERAND) return parse_syntax_error(parser);
        break;
    }
    settle_condition(parser);
    return OK;
}

static enum error_code parse_not(struct parser *parser, bool bare, struct parse_part *part)
{
    if (parser->current.kind != TOKEN_NOT) return parse_primary(parser, bare, part);
    parse_count_operator(parser);
    parse_advance(parser);
    TRY(parse_enter(parser));
    TRY(parse_not(parser, false, part));
    parse_leave(parser);
    check_condition_use(parser, part);
    make_truth(part, parse_node(parser, NODE_NOT, part->node, NULL));
    return OK;
}

/* One level of a chain that leans to the right: a AND (b AND (c AND …)). */
static enum error_code join(struct parser *parser, enum node_kind kind, struct parse_part *part,
                            enum error_code (*parse_rest)(struct parser *, bool,
                                                          struct parse_part *))
{
    parse_count_operator(parser);
    parse_advance(parser);
    TRY(parse_enter(parser));
    struct parse_part rest;
    TRY(parse_rest(parser, false, &rest));
    parse_leave(parser);
    check_condition_use(parser, part);
    check_condition_use(parser, &rest);
    make_truth(part, parse_node(parser, kind, part->node, rest.node));
    return OK;
}

static enum error_code parse_and(struct parser *parser, bool bare, struct parse_part *part)
{
    TRY(parse_not(parser, bare, part));
    if (parser->current.kind != TOKEN_AND) return OK;
    return join(parser, NODE_AND, part, parse_and);
}

static enum error_code parse_or(struct parser *parser, bool bare, struct parse_part *part)
{
    TRY(parse_and(parser, bare, part));
    if (parser->current.kind != TOKEN_OR) return OK;
    return join(parser, NODE_OR, part, parse_or);
}
