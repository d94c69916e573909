/* SPDX-License-Identifier: Apache-2.0 */
/*
 * literal — PartiQL's literals to encoded values.
 *
 * Within a list, a tuple or a set a parameter is refused, as the service does; messages name the
 * place from "root" down, as a chain of frames that is printed only when something is wrong.
 */
#include "partiql/literal.h"

#include "model/limits.h"
#include <stdlib.h>

/* A member of a literal container. */
struct place {
    const struct place *outer; /* NULL: the container is the literal itself */
    struct slice name;         /* of a tuple's member; data == NULL: of a list's, or a set's */
    size_t index;
    bool in_set; /* a set's members have no place of their own */
    unsigned depth;
};

/* Encoded elements, collected until their container is complete. */
struct elements {
    struct attribute *list;
    size_t count;
    size_t capacity;
};

static enum error_code parse_value(struct parser *parser, const struct place *place,
                                   struct slice *encoded);
static enum error_code parse_list(struct parser *parser, const struct place *place,
                                  struct slice *encoded);
static enum error_code parse_tuple(struct parser *parser, const struct place *place, bool is_item,
                                   struct slice *encoded);
static enum error_code parse_bag(struct parser *parser, const struct place *place,
                                 struct slice *encoded);

bool literal_begins(const struct parser *parser)
{
    switch (parser->current.kind) {
    case WORD_STRING:
    case WORD_NUMBER:
    case WORD_PARAMETER:
    case WORD_OPEN_BRACKET:
    case WORD_OPEN_BRACE:
    case WORD_OPEN_BAG:
    case WORD_PLUS:
    case WORD_MINUS:
        return true;
    default:
        return parser_at(parser, "TRUE") || parser_at(parser, "FALSE") ||
               parser_at(parser, "NULL") || parser_at(parser, "MISSING");
    }
}

enum error_code literal_parse(struct parser *parser, struct value *value)
{
    if (parser->current.kind == WORD_PARAMETER) return parser_parameter(parser, value);
    struct slice encoded;
    TRY(parse_value(parser, NULL, &encoded));
    *value = value_read(encoded);
    return OK;
}

enum error_code literal_parse_item(struct parser *parser, struct slice *item)
{
    if (parser->current.kind != WORD_OPEN_BRACE) {
        return parser_refuse(parser, "Unsupported format in item expression. Please use struct "
                                     "format {...} to express item values for insert statement.");
    }
    return parse_tuple(parser, NULL, true, item);
}

/* ---- places ---------------------------------------------------------------------------------- */

static void print_place(struct buffer *out, const struct place *place)
{
    if (place == NULL) {
        BUFFER_TEXT(out, "root");
        return;
    }
    print_place(out, place->outer);
    if (place->in_set) return;
    if (place->name.data == NULL) {
        buffer_append_format(out, "[%zu]", place->index);
        return;
    }
    BUFFER_TEXT(out, ".");
    buffer_append(out, place->name);
}

static struct slice place_text(struct parser *parser, const struct place *place)
{
    struct buffer out = buffer_open(parser->call->arena, 0);
    print_place(&out, place);
    return buffer_slice(&out);
}

/* ---- scalars --------------------------------------------------------------------------------- */

static enum error_code fail_number(struct parser *parser, enum number_status status)
{
    switch (status) {
    case NUMBER_OVERFLOW:
        return parser_refuse(parser, "Number overflow. Attempting to store a number with magnitude "
                                     "larger than supported range");
    case NUMBER_UNDERFLOW:
        return parser_refuse(parser, "Number underflow. Attempting to store a number with "
                                     "magnitude smaller than supported range");
    case NUMBER_PRECISION:
        return parser_refuse(parser,
                             "Attempting to store more than 38 significant digits in a Number");
    case NUMBER_OK:
    case NUMBER_MALFORMED:
        break;
    }
    return parser_malformed(parser, "Invalid number");
}

/* number ::= { "+" | "-" } digits */
static enum error_code parse_number(struct parser *parser, struct slice *encoded)
{
    bool negative = false;
    const struct word sign = parser->current;
    while (parser->current.kind == WORD_PLUS || parser->current.kind == WORD_MINUS) {
        if (parser->current.kind == WORD_MINUS) negative = !negative;
        parser_advance(parser);
    }
    if (parser->current.kind != WORD_NUMBER) {
        return parser_refuse(parser, "Unsupported operator in Condition Expression. Operator: %.*s",
                             SLICE_ARGS(sign.raw));
    }
    const struct slice text = arena_format(parser->call->arena, "%s%.*s", negative ? "-" : "",
                                           SLICE_ARGS(parser->current.raw));
    struct number number;
    const enum number_status status = number_parse(text, &number);
    if (status != NUMBER_OK) return fail_number(parser, status);
    parser_advance(parser);
    *encoded = value_scalar(parser->call->arena, VALUE_NUMBER, number_slice(&number)).encoded;
    return OK;
}

static enum error_code parse_keyword(struct parser *parser, struct slice *encoded)
{
    struct buffer out = buffer_open(parser->call->arena, 2);
    if (parser_at(parser, "MISSING"))
        return parser_refuse(parser, "MISSING must be compared using IS operator");
    if (parser_take(parser, "NULL")) {
        value_write_null(&out);
    } else if (parser_take(parser, "TRUE")) {
        value_write_boolean(&out, true);
    } else if (parser_take(parser, "FALSE")) {
        value_write_boolean(&out, false);
    } else {
        return parser_malformed(parser, "Expected a value");
    }
    *encoded = buffer_slice(&out);
    return OK;
}

static enum error_code refuse_parameter(struct parser *parser, const struct place *place)
{
    const struct slice where = place_text(parser, place);
    const struct slice at = parser_place(parser, &parser->current);
    return parser_refuse(parser, "Unsupported data type: Parameter under key %.*s at %.*s",
                         SLICE_ARGS(where), SLICE_ARGS(at));
}

/* value ::= string | number | TRUE | FALSE | NULL | list | tuple | bag */
static enum error_code parse_value(struct parser *parser, const struct place *place,
                                   struct slice *encoded)
{
    if (place != NULL && place->depth >= LIMIT_NESTING_LEVELS) {
        const struct slice where = place_text(parser, place);
        return parser_refuse(parser, "Nesting Levels have exceeded supported limits under %.*s",
                             SLICE_ARGS(where));
    }
    switch (parser->current.kind) {
    case WORD_STRING:
        *encoded = value_scalar(parser->call->arena, VALUE_STRING, parser->current.text).encoded;
        parser_advance(parser);
        return OK;
    case WORD_NUMBER:
    case WORD_PLUS:
    case WORD_MINUS:
        return parse_number(parser, encoded);
    case WORD_OPEN_BRACKET:
        return parse_list(parser, place, encoded);
    case WORD_OPEN_BRACE:
        return parse_tuple(parser, place, false, encoded);
    case WORD_OPEN_BAG:
        return parse_bag(parser, place, encoded);
    case WORD_PARAMETER:
        return refuse_parameter(parser, place);
    default:
        return parse_keyword(parser, encoded);
    }
}

/* ---- containers ------------------------------------------------------------------------------ */

static struct attribute *add_element(struct parser *parser, struct elements *elements)
{
    enum { ELEMENTS_AT_FIRST = 8 };
    if (elements->count == elements->capacity) {
        const size_t capacity =
            elements->capacity == 0 ? ELEMENTS_AT_FIRST : 2 * elements->capacity;
        elements->list =
            arena_grow(parser->call->arena, elements->list,
                       elements->count * sizeof *elements->list, capacity * sizeof *elements->list);
        elements->capacity = capacity;
    }
    struct attribute *added = &elements->list[elements->count++];
    *added = (struct attribute){0};
    return added;
}

static struct place inner_place(const struct place *place)
{
    return (struct place){.outer = place, .depth = place == NULL ? 1 : place->depth + 1};
}

/* list ::= "[" [ value { "," value } ] "]" */
static enum error_code parse_list(struct parser *parser, const struct place *place,
                                  struct slice *encoded)
{
    struct place inner = inner_place(place);
    struct buffer out = buffer_open(parser->call->arena, 0);
    const size_t mark = value_begin(&out, VALUE_LIST);
    parser_advance(parser);
    while (parser->current.kind != WORD_CLOSE_BRACKET) {
        if (inner.index > 0) TRY(parser_expect_kind(parser, WORD_COMMA, ", or ]"));
        struct slice element;
        TRY(parse_value(parser, &inner, &element));
        value_write_encoded(&out, element);
        inner.index++;
    }
    parser_advance(parser);
    value_end(&out, mark, (uint32_t)inner.index);
    *encoded = buffer_slice(&out);
    return OK;
}

static enum error_code parse_member(struct parser *parser, const struct place *place, bool is_item,
                                    struct slice *encoded)
{
    if (!is_item || parser->current.kind != WORD_PARAMETER)
        return parse_value(parser, is_item ? NULL : place, encoded);
    struct value value;
    TRY(parser_parameter(parser, &value));
    *encoded = value.encoded;
    return OK;
}

static int compare_names(const void *a, const void *b)
{
    return slice_compare(((const struct attribute *)a)->name, ((const struct attribute *)b)->name);
}

static enum error_code check_distinct_names(struct parser *parser, struct elements *members)
{
    if (members->count > 1)
        qsort(members->list, members->count, sizeof *members->list, compare_names);
    for (size_t i = 1; i < members->count; i++) {
        if (!slice_equal(members->list[i - 1].name, members->list[i].name)) continue;
        return parser_malformed(parser, "Duplicate key in struct: %.*s",
                                SLICE_ARGS(members->list[i].name));
    }
    return OK;
}

/* tuple ::= "{" [ member { "," member } ] "}"; member ::= (string | name) ":" value */
static enum error_code parse_tuple(struct parser *parser, const struct place *place, bool is_item,
                                   struct slice *encoded)
{
    struct elements members = {0};
    parser_advance(parser);
    while (parser->current.kind != WORD_CLOSE_BRACE) {
        if (members.count > 0) TRY(parser_expect_kind(parser, WORD_COMMA, ", or }"));
        const struct word key = parser->current;
        if (key.kind != WORD_STRING && key.kind != WORD_QUOTED && key.kind != WORD_NAME)
            return parser_malformed(parser, "Expected an attribute name");
        if (is_item && key.text.length == 0)
            return parser_refuse(parser, "Path component cannot be an empty string");
        parser_advance(parser);
        TRY(parser_expect_kind(parser, WORD_COLON, ":"));
        struct place inner = inner_place(place);
        inner.name = key.text;
        struct slice value;
        TRY(parse_member(parser, &inner, is_item, &value));
        *add_element(parser, &members) = (struct attribute){key.text, value};
    }
    parser_advance(parser);
    TRY(check_distinct_names(parser, &members));
    *encoded = members.count == 0 ? item_empty()
                                  : item_build(parser->call->arena, members.list, members.count);
    return OK;
}

/* ---- sets ------------------------------------------------------------------------------------ */

static int compare_members(const void *a, const void *b)
{
    return value_compare(value_read(((const struct attribute *)a)->value),
                         value_read(((const struct attribute *)b)->value));
}

/* The members as they are written, for the message. */
static enum error_code fail_duplicates(struct parser *parser, const struct elements *written,
                                       bool numbers)
{
    struct buffer text = buffer_open(parser->call->arena, 0);
    for (size_t i = 0; i < written->count; i++) {
        if (i > 0) BUFFER_TEXT(&text, ", ");
        buffer_append(&text, written->list[i].name);
    }
    return parser_refuse(parser,
                         "One or more parameter values were invalid: Input collection [%.*s] "
                         "contains duplicates%s",
                         SLICE_ARGS(buffer_slice(&text)), numbers ? "! under root" : ".");
}

/* Members stand in order and differ, then the set is written. */
static enum error_code write_set(struct parser *parser, const struct elements *written,
                                 struct slice *encoded)
{
    struct arena *arena = parser->call->arena;
    const enum value_type type = value_read(written->list[0].value).type;
    struct attribute *sorted = arena_array(arena, struct attribute, written->count);
    memcpy(sorted, written->list, written->count * sizeof *sorted);
    qsort(sorted, written->count, sizeof *sorted, compare_members);
    struct buffer out = buffer_open(arena, 0);
    const size_t mark =
        value_begin(&out, type == VALUE_NUMBER ? VALUE_NUMBER_SET : VALUE_STRING_SET);
    for (size_t i = 0; i < written->count; i++) {
        if (i > 0 && compare_members(&sorted[i - 1], &sorted[i]) == 0)
            return fail_duplicates(parser, written, type == VALUE_NUMBER);
        value_write_member(&out, value_read(sorted[i].value).data);
    }
    value_end(&out, mark, (uint32_t)written->count);
    *encoded = buffer_slice(&out);
    return OK;
}

/* The words from first up to the current one, as they are written. */
static struct slice text_since(const struct parser *parser, const struct word *first)
{
    if (first->kind == WORD_STRING) return first->text;
    size_t length = (size_t)(parser->current.raw.data - first->raw.data);
    while (length > 0 &&
           (first->raw.data[length - 1] == ' ' || first->raw.data[length - 1] == '\n'))
        length--;
    return slice_of(first->raw.data, length);
}

/* bag ::= "<<" value { "," value } ">>": strings or numbers */
static enum error_code parse_bag(struct parser *parser, const struct place *place,
                                 struct slice *encoded)
{
    struct place inner = inner_place(place);
    inner.in_set = true;
    struct elements members = {0};
    bool uniform = true;
    parser_advance(parser);
    while (parser->current.kind != WORD_CLOSE_BAG) {
        if (members.count > 0) TRY(parser_expect_kind(parser, WORD_COMMA, ", or >>"));
        const struct word first = parser->current;
        struct slice member;
        TRY(parse_value(parser, &inner, &member));
        *add_element(parser, &members) = (struct attribute){text_since(parser, &first), member};
        const enum value_type type = value_read(member).type;
        uniform = uniform && (type == VALUE_STRING || type == VALUE_NUMBER) &&
                  type == value_read(members.list[0].value).type;
    }
    parser_advance(parser);
    if (members.count == 0) return parser_refuse(parser, "Empty bags are not supported");
    if (uniform) return write_set(parser, &members, encoded);
    return parser_refuse(parser, "Unsupported data type in Bag. DynamoDB only supports either "
                                 "numbers or strings in bags");
}
