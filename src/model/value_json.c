/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_json — DynamoDB JSON to values in one pass, and back.
 *
 * Maps are written sorted by name, so their entries are visited in that order; the service reports
 * the first mistake in the order of the request. So a value that turns out wrong is read once more
 * in request order, for the sake of its error only: right requests pay nothing for the order.
 */
#include "model/value_json.h"

#include "base/base64.h"
#include "model/limits.h"
#include "model/value_bytes.h"
#include <endian.h>
#include <stdlib.h>
#include <strings.h>

enum {
    SORT_BY_INSERTION_MAX = 24, /* entries; above it, qsort */
    CAPACITY_SPARE = 32,        /* an item's head and a little more */
    BITS_PER_BYTE = 8,
};

#define INVALID "One or more parameter values were invalid: "

struct reader {
    struct call *call;
    struct buffer *out;
    bool in_request_order; /* looking for the first error; what is written is of no use */
};

/* A member of a JSON object, to be sorted. */
struct entry {
    uint64_t head; /* the name's first bytes, as a number that orders like them */
    struct slice name;
    const struct json_token *value;
};

/* The known members of one AttributeValue; NULL where absent. */
struct typed {
    const struct json_token *member[VALUE_TYPES];
    unsigned count;
    enum value_type last; /* the only one when count is 1 */
};

static enum error_code read_value(struct reader *reader, const struct json_token *token,
                                  unsigned depth);
static enum error_code read_typed(struct reader *reader, enum value_type type,
                                  const struct json_token *token, unsigned depth);
static enum error_code read_several(struct reader *reader, const struct typed *typed,
                                    unsigned depth);
static enum error_code read_map(struct reader *reader, const struct json_token *token,
                                unsigned depth);
static size_t text_length(const struct json_token *token);

enum error_code value_from_json(struct call *call, const struct json_token *token, unsigned depth,
                                struct buffer *out)
{
    const size_t length = out->length;
    struct reader reader = {call, out, false};
    const enum error_code code = read_value(&reader, token, depth);
    if (code == OK) return OK;
    out->length = length;
    call_reset(call);
    reader.in_request_order = true;
    const enum error_code again = read_value(&reader, token, depth);
    out->length = length;
    CHECK(again != OK);
    return again;
}

enum error_code item_from_json(struct call *call, const struct json_token *token,
                               struct slice *item)
{
    struct buffer out = buffer_open(call->arena, text_length(token) + CAPACITY_SPARE);
    struct reader reader = {call, &out, false};
    if (read_map(&reader, token, 1) != OK) {
        call_reset(call);
        out.length = 0;
        reader.in_request_order = true;
        const enum error_code code = read_map(&reader, token, 1);
        CHECK(code != OK);
        return code;
    }
    *item = buffer_slice(&out);
    return OK;
}

/* About as long as the value's text, which is about as long as its encoding at most. */
static size_t text_length(const struct json_token *token)
{
    const struct json_token *last = json_next(token) - 1;
    const bool container = last->kind == JSON_ARRAY || last->kind == JSON_OBJECT;
    return (size_t)(last->text - token->text) + (container ? 0 : last->length);
}

/* The shape checker has let no such thing pass; what it may let pass one day is refused all the
 * same. */
static enum error_code fail_shape(struct reader *reader)
{
    return fail(reader->call, ERROR_VALIDATION, "Unexpected value type in payload");
}

/* A string's value; inline for those without escapes, which most are. */
static inline struct slice text_of(const struct reader *reader, const struct json_token *token)
{
    return token->escaped ? json_string(token, reader->call->arena) : json_raw(token);
}

/* ---- one value ------------------------------------------------------------------------------- */

static inline enum value_type type_of_key(const struct reader *reader, const struct json_token *key)
{
    const struct slice name = text_of(reader, key);
    if (name.length != 1) return value_type_of_name(name);
    switch (name.data[0]) {
    case 'S':
        return VALUE_STRING;
    case 'N':
        return VALUE_NUMBER;
    case 'B':
        return VALUE_BINARY;
    case 'L':
        return VALUE_LIST;
    case 'M':
        return VALUE_MAP;
    default:
        return VALUE_ABSENT;
    }
}

static void collect_typed(struct reader *reader, const struct json_token *token,
                          struct typed *typed)
{
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1)) {
        const enum value_type type = type_of_key(reader, key);
        if (type == VALUE_ABSENT) continue;
        const bool present = key[1].kind != JSON_NULL;
        typed->member[type] = present ? key + 1 : NULL; /* the last of a name counts */
    }
    for (enum value_type type = VALUE_STRING; type < VALUE_TYPES; type++) {
        if (typed->member[type] == NULL) continue;
        typed->count++;
        typed->last = type;
    }
}

static enum error_code read_value(struct reader *reader, const struct json_token *token,
                                  unsigned depth)
{
    if (depth > LIMIT_NESTING_LEVELS) {
        return fail(reader->call, ERROR_VALIDATION,
                    "Nesting Levels have exceeded supported limits: Attributes in the item have "
                    "nested levels beyond supported limit");
    }
    if (token->kind != JSON_OBJECT && token->kind != JSON_NULL) return fail_shape(reader);
    if (token->kind == JSON_OBJECT && token->length == 1 && token[2].kind != JSON_NULL) {
        const enum value_type type = type_of_key(reader, token + 1);
        if (type != VALUE_ABSENT) return read_typed(reader, type, token + 2, depth);
    }
    struct typed typed = {0};
    if (token->kind == JSON_OBJECT) collect_typed(reader, token, &typed);
    if (typed.count == 1) return read_typed(reader, typed.last, typed.member[typed.last], depth);
    if (typed.count > 1) return read_several(reader, &typed, depth);
    return fail(reader->call, ERROR_VALIDATION,
                "Supplied AttributeValue is empty, must contain exactly one of the supported "
                "datatypes");
}

static enum error_code read_string(struct reader *reader, const struct json_token *token);
static enum error_code read_number(struct reader *reader, const struct json_token *token);
static enum error_code read_binary(struct reader *reader, const struct json_token *token);
static enum error_code read_boolean(struct reader *reader, const struct json_token *token);
static enum error_code read_null(struct reader *reader, const struct json_token *token);
static enum error_code read_list(struct reader *reader, const struct json_token *token,
                                 unsigned depth);
static enum error_code read_set(struct reader *reader, enum value_type type,
                                const struct json_token *token);

static enum error_code read_typed(struct reader *reader, enum value_type type,
                                  const struct json_token *token, unsigned depth)
{
    switch (type) {
    case VALUE_STRING:
        return read_string(reader, token);
    case VALUE_NUMBER:
        return read_number(reader, token);
    case VALUE_BINARY:
        return read_binary(reader, token);
    case VALUE_BOOLEAN:
        return read_boolean(reader, token);
    case VALUE_NULL:
        return read_null(reader, token);
    case VALUE_LIST:
        return read_list(reader, token, depth + 1);
    case VALUE_MAP:
        return read_map(reader, token, depth + 1);
    case VALUE_STRING_SET:
    case VALUE_NUMBER_SET:
    case VALUE_BINARY_SET:
        return read_set(reader, type, token);
    case VALUE_ABSENT:
    case VALUE_TYPES:
        break;
    }
    check_failed("a type of a member", __FILE__, __LINE__);
}

static enum error_code check_set(struct reader *reader, enum value_type type,
                                 const struct json_token *token);

/* More than one member is an error, but those of the members come first, in the service's order. */
static enum error_code read_several(struct reader *reader, const struct typed *typed,
                                    unsigned depth)
{
    static const enum value_type order[] = {
        VALUE_NUMBER,     VALUE_NULL,   VALUE_NUMBER_SET, VALUE_STRING_SET,
        VALUE_BINARY_SET, VALUE_BINARY, VALUE_MAP,        VALUE_LIST,
    };
    const struct json_token *const *member = typed->member;
    if (member[VALUE_NUMBER] != NULL) TRY(read_number(reader, member[VALUE_NUMBER]));
    if (member[VALUE_NULL] != NULL) TRY(read_null(reader, member[VALUE_NULL]));
    for (enum value_type set = VALUE_STRING_SET; set <= VALUE_BINARY_SET; set++) {
        if (member[set] != NULL) TRY(check_set(reader, set, member[set]));
    }
    for (size_t i = 0; i < sizeof order / sizeof order[0]; i++) {
        if (member[order[i]] == NULL) continue;
        TRY(read_typed(reader, order[i], member[order[i]], depth));
    }
    return fail(reader->call, ERROR_VALIDATION,
                "Supplied AttributeValue has more than one datatypes set, must contain exactly one "
                "of the supported datatypes");
}

static enum error_code read_string(struct reader *reader, const struct json_token *token)
{
    if (token->kind != JSON_STRING) return fail_shape(reader);
    const struct slice text = text_of(reader, token);
    value_write_scalar(reader->out, VALUE_STRING, text);
    return OK;
}

static enum error_code fail_number(struct call *call, enum number_status status, struct slice text)
{
    switch (status) {
    case NUMBER_OVERFLOW:
        return fail(call, ERROR_VALIDATION,
                    "Number overflow. Attempting to store a number with magnitude larger than "
                    "supported range");
    case NUMBER_UNDERFLOW:
        return fail(call, ERROR_VALIDATION,
                    "Number underflow. Attempting to store a number with magnitude smaller than "
                    "supported range");
    case NUMBER_PRECISION:
        return fail(call, ERROR_VALIDATION,
                    "Attempting to store more than 38 significant digits in a Number");
    case NUMBER_MALFORMED:
    case NUMBER_OK:
        break;
    }
    CHECK(status == NUMBER_MALFORMED);
    return fail(call, ERROR_VALIDATION,
                "The parameter cannot be converted to a numeric value%s%.*s",
                text.length == 0 ? "" : ": ", SLICE_ARGS(text));
}

static enum error_code parse_number(struct reader *reader, const struct json_token *token,
                                    struct number *number)
{
    if (token->kind != JSON_STRING) return fail_shape(reader);
    const struct slice text = text_of(reader, token);
    const enum number_status status = number_parse(text, number);
    return status == NUMBER_OK ? OK : fail_number(reader->call, status, text);
}

static enum error_code read_number(struct reader *reader, const struct json_token *token)
{
    struct number number;
    TRY(parse_number(reader, token, &number));
    value_write_scalar(reader->out, VALUE_NUMBER, number_slice(&number));
    return OK;
}

static enum error_code decode_binary(struct reader *reader, const struct json_token *token,
                                     struct slice *bytes)
{
    if (token->kind != JSON_STRING) return fail_shape(reader);
    const struct slice text = text_of(reader, token);
    switch (base64_decode(text, reader->call->arena, bytes)) {
    case BASE64_OK:
        return OK;
    case BASE64_BAD_LENGTH:
        return fail(reader->call, ERROR_VALIDATION,
                    "Base64 encoded length is expected a multiple of 4 bytes but found: %zu",
                    text.length);
    case BASE64_BAD_TAIL:
        return fail(reader->call, ERROR_VALIDATION,
                    "Invalid last non-pad Base64 character dectected");
    case BASE64_BAD_CHARACTER:
        break;
    }
    return fail(reader->call, ERROR_VALIDATION,
                "only base-64-encoded strings are convertible to bytes");
}

static enum error_code read_binary(struct reader *reader, const struct json_token *token)
{
    struct slice bytes;
    TRY(decode_binary(reader, token, &bytes));
    value_write_scalar(reader->out, VALUE_BINARY, bytes);
    return OK;
}

/* A JSON boolean, or a string that the service converts to one. */
static bool read_truth(const struct reader *reader, const struct json_token *token, bool *truth)
{
    static const char *const words[2][3] = {{"false", "0", "no"}, {"true", "1", "yes"}};
    *truth = token->kind == JSON_TRUE;
    if (token->kind == JSON_TRUE || token->kind == JSON_FALSE) return true;
    if (token->kind != JSON_STRING) return false;
    const struct slice text = text_of(reader, token);
    for (size_t i = 0; i < sizeof words / sizeof words[0][0]; i++) {
        const char *word = words[i % 2][i / 2];
        if (strlen(word) != text.length) continue;
        if (strncasecmp(word, (const char *)text.data, text.length) != 0) continue;
        *truth = i % 2 == 1;
        return true;
    }
    return false;
}

static enum error_code read_boolean(struct reader *reader, const struct json_token *token)
{
    bool truth = false;
    if (!read_truth(reader, token, &truth)) return fail_shape(reader);
    value_write_boolean(reader->out, truth);
    return OK;
}

static enum error_code read_null(struct reader *reader, const struct json_token *token)
{
    bool truth = false;
    if (!read_truth(reader, token, &truth)) return fail_shape(reader);
    if (!truth) {
        return fail_enveloped(reader->call,
                              INVALID "Null attribute value types must have the value of true");
    }
    value_write_null(reader->out);
    return OK;
}

/* ---- sets ------------------------------------------------------------------------------------ */

static int compare_slices(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static void sort_slices(struct slice *slices, size_t count)
{
    if (count > SORT_BY_INSERTION_MAX) {
        qsort(slices, count, sizeof *slices, compare_slices);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const struct slice moving = slices[i];
        size_t at = i;
        for (; at > 0 && slice_compare(slices[at - 1], moving) > 0; at--) {
            slices[at] = slices[at - 1];
        }
        slices[at] = moving;
    }
}

static enum error_code read_member(struct reader *reader, enum value_type type,
                                   const struct json_token *token, struct slice *member)
{
    if (type == VALUE_BINARY_SET) return decode_binary(reader, token, member);
    if (type == VALUE_NUMBER_SET) {
        struct number *number = arena_alloc_raw(reader->call->arena, sizeof *number);
        TRY(parse_number(reader, token, number));
        *member = number_slice(number);
        return OK;
    }
    if (token->kind != JSON_STRING) return fail_shape(reader);
    *member = text_of(reader, token);
    return OK;
}

/* Everything that is wrong with a set before its duplicates: no members, members of no number. */
static enum error_code check_set(struct reader *reader, enum value_type type,
                                 const struct json_token *token)
{
    if (token->kind != JSON_ARRAY) return fail_shape(reader);
    if (token->length > 0) return OK;
    switch (type) {
    case VALUE_STRING_SET:
        return fail_enveloped(reader->call, INVALID "An string set  may not be empty");
    case VALUE_NUMBER_SET:
        return fail_enveloped(reader->call, INVALID "An number set  may not be empty");
    default:
        return fail_enveloped(reader->call, INVALID "Binary sets should not be empty");
    }
}

/* The members are printed in the order of the request. */
static enum error_code fail_duplicates(struct reader *reader, enum value_type type,
                                       const struct json_token *token)
{
    if (type == VALUE_NUMBER_SET) {
        return fail_enveloped(reader->call, "Input collection contains duplicates");
    }
    struct buffer text = buffer_open(reader->call->arena, text_length(token));
    const struct json_token *member = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, member = json_next(member)) {
        if (i > 0) BUFFER_TEXT(&text, ", ");
        buffer_append(&text, text_of(reader, member));
    }
    return fail_enveloped(reader->call, INVALID "Input collection [%.*s]%s contains duplicates.",
                          SLICE_ARGS(buffer_slice(&text)),
                          type == VALUE_BINARY_SET ? "of type BS" : "");
}

static enum error_code read_set(struct reader *reader, enum value_type type,
                                const struct json_token *token)
{
    TRY(check_set(reader, type, token));
    const uint32_t count = token->length;
    struct slice *members = arena_alloc_raw(reader->call->arena, count * sizeof(struct slice));
    const struct json_token *member = json_first(token);
    for (uint32_t i = 0; i < count; i++, member = json_next(member)) {
        TRY(read_member(reader, type, member, &members[i]));
    }
    sort_slices(members, count);
    const size_t mark = value_begin(reader->out, type);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && slice_equal(members[i - 1], members[i])) {
            return fail_duplicates(reader, type, token);
        }
        value_write_member(reader->out, members[i]);
    }
    value_end(reader->out, mark, count);
    return OK;
}

/* ---- documents ------------------------------------------------------------------------------- */

static enum error_code read_list(struct reader *reader, const struct json_token *token,
                                 unsigned depth)
{
    if (token->kind != JSON_ARRAY) return fail_shape(reader);
    const size_t mark = value_begin(reader->out, VALUE_LIST);
    const struct json_token *element = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element)) {
        TRY(read_value(reader, element, depth));
    }
    value_end(reader->out, mark, token->length);
    return OK;
}

/* Up to eight bytes of a name, the first highest, zeros behind. */
static inline uint64_t head_of(struct slice name)
{
    uint64_t head = 0;
    if (name.length >= sizeof head) {
        memcpy(&head, name.data, sizeof head);
        return be64toh(head);
    }
    for (size_t i = 0; i < name.length; i++)
        head = head << BITS_PER_BYTE | name.data[i];
    return name.length == 0 ? 0 : head << (sizeof head - name.length) * BITS_PER_BYTE;
}

static inline int compare_names(const struct entry *a, const struct entry *b)
{
    if (a->head != b->head) return a->head < b->head ? -1 : 1;
    return slice_compare(a->name, b->name);
}

/* By name; of equal names, the one that comes first in the request. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    const int order = compare_names(left, right);
    if (order != 0) return order;
    return (left->value > right->value) - (left->value < right->value);
}

static void sort_entries(struct entry *entries, size_t count)
{
    if (count > SORT_BY_INSERTION_MAX) {
        qsort(entries, count, sizeof *entries, compare_entries);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const struct entry moving = entries[i];
        size_t at = i;
        for (; at > 0 && compare_names(&entries[at - 1], &moving) > 0; at--) {
            entries[at] = entries[at - 1];
        }
        entries[at] = moving;
    }
}

static enum error_code collect_entries(struct reader *reader, const struct json_token *token,
                                       struct entry *entries)
{
    const struct json_token *key = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, key = json_next(key + 1)) {
        const struct slice name = text_of(reader, key);
        entries[i] = (struct entry){head_of(name), name, key + 1};
        const size_t length = name.length;
        if (length > 0 && length <= LIMIT_ATTRIBUTE_NAME_BYTES) continue;
        return fail(reader->call, ERROR_VALIDATION,
                    INVALID "Map keys must satisfy constraint: [Member must have length less than "
                            "or equal to %d, Member must have length greater than or equal to 1]",
                    LIMIT_ATTRIBUTE_NAME_BYTES);
    }
    return OK;
}

static enum error_code read_map(struct reader *reader, const struct json_token *token,
                                unsigned depth)
{
    if (token->kind != JSON_OBJECT) return fail_shape(reader);
    const uint32_t count = token->length;
    struct entry *entries = arena_alloc_raw(reader->call->arena, count * sizeof(struct entry));
    TRY(collect_entries(reader, token, entries));
    if (!reader->in_request_order) sort_entries(entries, count);
    const size_t mark = value_begin(reader->out, VALUE_MAP);
    uint32_t written = 0;
    for (uint32_t i = 0; i < count; i++) {
        const bool again = i + 1 < count && compare_names(&entries[i], &entries[i + 1]) == 0;
        if (again && !reader->in_request_order) continue; /* the last of a name counts */
        value_write_name(reader->out, entries[i].name);
        TRY(read_value(reader, entries[i].value, depth));
        written++;
    }
    value_end(reader->out, mark, written);
    return OK;
}

/* ---- writing --------------------------------------------------------------------------------- */

static const uint8_t *to_json(struct buffer *out, const uint8_t *from);

static void append_number(struct buffer *out, struct slice bytes)
{
    char *text = (char *)buffer_reserve(out, NUMBER_TEXT_MAX);
    out->length += number_print(bytes, text);
}

/* Each writes a value whose bytes begin at from, and returns where they end. */

static const uint8_t *string_to_json(struct buffer *out, const uint8_t *from)
{
    const struct slice head = SLICE("{\"S\":");
    const struct slice text = value_bytes_text(from + TYPE_BYTES);
    uint8_t *to = buffer_reserve(out, head.length + text.length + sizeof "\"\"}");
    memcpy(to, head.data, head.length);
    uint8_t *const end = json_put_plain(to + head.length, text);
    if (end != NULL) {
        *end = '}';
        out->length += (size_t)(end + 1 - to);
    } else {
        out->length += head.length;
        json_append_string(out, text);
        buffer_append_byte(out, '}');
    }
    return text.data + text.length;
}

static const uint8_t *number_to_json(struct buffer *out, const uint8_t *from)
{
    const struct slice head = SLICE("{\"N\":\"");
    const struct slice tail = SLICE("\"}");
    const struct slice bytes = slice_of(from + TYPE_BYTES + 1, from[TYPE_BYTES]);
    uint8_t *const start = buffer_reserve(out, head.length + NUMBER_TEXT_MAX + tail.length);
    uint8_t *to = start;
    memcpy(to, head.data, head.length);
    to += head.length;
    to += number_print(bytes, (char *)to);
    memcpy(to, tail.data, tail.length);
    out->length += (size_t)(to + tail.length - start);
    return bytes.data + bytes.length;
}

static const uint8_t *binary_to_json(struct buffer *out, const uint8_t *from)
{
    const struct slice bytes = value_bytes_text(from + TYPE_BYTES);
    BUFFER_TEXT(out, "{\"B\":\"");
    base64_append(out, bytes);
    BUFFER_TEXT(out, "\"}");
    return bytes.data + bytes.length;
}

static void members_to_json(struct buffer *out, struct value set)
{
    struct value_walk walk = {0};
    struct value member;
    uint8_t before = '[';
    while (value_next(set, &walk, NULL, &member)) {
        buffer_append_byte(out, before);
        before = ',';
        if (member.type == VALUE_STRING) {
            json_append_string(out, member.data);
            continue;
        }
        buffer_append_byte(out, '"');
        if (member.type == VALUE_NUMBER) append_number(out, member.data);
        if (member.type == VALUE_BINARY) base64_append(out, member.data);
        buffer_append_byte(out, '"');
    }
    buffer_append_byte(out, ']');
}

static void elements_to_json(struct buffer *out, const uint8_t *at, const uint8_t *end)
{
    buffer_append_byte(out, '[');
    while (at < end) {
        at = to_json(out, at);
        if (at < end) buffer_append_byte(out, ',');
    }
    CHECK(at == end);
    buffer_append_byte(out, ']');
}

static void entries_to_json(struct buffer *out, const uint8_t *at, const uint8_t *end)
{
    buffer_append_byte(out, '{');
    while (at < end) {
        const struct slice name = value_bytes_text(at);
        uint8_t *const to = buffer_reserve(out, name.length + sizeof "\"\":");
        uint8_t *const name_end = json_put_plain(to, name);
        if (name_end != NULL) {
            *name_end = ':';
            out->length += (size_t)(name_end + 1 - to);
        } else {
            json_append_string(out, name);
            buffer_append_byte(out, ':');
        }
        at = to_json(out, name.data + name.length);
        if (at < end) buffer_append_byte(out, ',');
    }
    CHECK(at == end);
    buffer_append_byte(out, '}');
}

static const uint8_t *container_to_json(struct buffer *out, const uint8_t *from)
{
    const enum value_type type = (enum value_type) * from;
    const uint8_t *const at = from + CONTAINER_HEAD_BYTES;
    const uint8_t *const end = value_bytes_end(from);
    BUFFER_TEXT(out, "{\"");
    buffer_append(out, slice_of_string(value_type_name(type)));
    BUFFER_TEXT(out, "\":");
    if (type == VALUE_LIST) {
        elements_to_json(out, at, end);
    } else if (type == VALUE_MAP) {
        entries_to_json(out, at, end);
    } else {
        members_to_json(out, value_read(slice_of(from, (size_t)(end - from))));
    }
    buffer_append_byte(out, '}');
    return end;
}

static const uint8_t *to_json(struct buffer *out, const uint8_t *from)
{
    switch ((enum value_type) * from) {
    case VALUE_STRING:
        return string_to_json(out, from);
    case VALUE_NUMBER:
        return number_to_json(out, from);
    case VALUE_BINARY:
        return binary_to_json(out, from);
    case VALUE_BOOLEAN:
        buffer_append(out,
                      from[TYPE_BYTES] != 0 ? SLICE("{\"BOOL\":true}") : SLICE("{\"BOOL\":false}"));
        break;
    case VALUE_NULL:
        BUFFER_TEXT(out, "{\"NULL\":true}");
        break;
    default:
        return container_to_json(out, from); /* which refuses what is no type */
    }
    return value_bytes_end(from);
}

void value_to_json(struct buffer *out, struct value value)
{
    const uint8_t *const end = to_json(out, value.encoded.data);
    CHECK(end == value.encoded.data + value.encoded.length);
}

void item_to_json(struct buffer *out, struct slice item)
{
    const struct value map = value_read(item.length == 0 ? item_empty() : item);
    CHECK(map.type == VALUE_MAP);
    entries_to_json(out, map.data.data, map.data.data + map.data.length);
}

static void scalar_to_text(struct buffer *out, struct value value)
{
    if (value.type == VALUE_STRING) buffer_append(out, value.data);
    if (value.type == VALUE_NUMBER) append_number(out, value.data);
    if (value.type == VALUE_BINARY) base64_append(out, value.data);
    if (value.type == VALUE_NULL) BUFFER_TEXT(out, "true");
    if (value.type == VALUE_BOOLEAN) {
        buffer_append(out, value.data.data[0] != 0 ? SLICE("true") : SLICE("false"));
    }
}

static void container_to_text(struct buffer *out, struct value container)
{
    const bool map = container.type == VALUE_MAP;
    buffer_append_byte(out, map ? '{' : '[');
    struct value_walk walk = {0};
    struct slice name;
    struct value element;
    while (value_next(container, &walk, &name, &element)) {
        if (map) {
            buffer_append(out, name);
            buffer_append_byte(out, '=');
        }
        if (value_is_set(container.type)) {
            scalar_to_text(out, element);
        } else {
            value_to_text(out, element);
        }
        if (walk.offset < container.data.length) BUFFER_TEXT(out, ", ");
    }
    buffer_append_byte(out, map ? '}' : ']');
}

void value_to_text(struct buffer *out, struct value value)
{
    CHECK(value.type != VALUE_ABSENT);
    buffer_append_byte(out, '{');
    buffer_append(out, slice_of_string(value_type_name(value.type)));
    buffer_append_byte(out, ':');
    if (value.type == VALUE_LIST || value.type == VALUE_MAP || value_is_set(value.type)) {
        container_to_text(out, value);
    } else {
        scalar_to_text(out, value);
    }
    buffer_append_byte(out, '}');
}
