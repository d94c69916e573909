/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value — reading and writing the bytes of value.h.
 *
 * Readers trust the bytes: they were written here and came back from storage under a checksum. Only
 * value_is_valid (at the end) does not. Depth is bounded by LIMIT_NESTING_LEVELS, so recursion is.
 */
#include "model/value.h"

#include "base/utf8.h"
#include "model/limits.h"
#include "model/value_bytes.h"
#include <stdlib.h>

enum {
    SCALAR_HEAD_BYTES_MAX = TYPE_BYTES + VARINT_BYTES_MAX,
    SORT_BY_INSERTION_MAX = 24, /* attributes; above it, qsort */
    CONTAINER_OVERHEAD = 3,     /* what a list or map weighs, and … */
    ELEMENT_OVERHEAD = 1,       /* … each of its elements */
};

static const char *const names[VALUE_TYPES] = {"",  "S", "N",  "B",  "BOOL", "NULL",
                                               "L", "M", "SS", "NS", "BS"};
static const char *const words[VALUE_TYPES] = {"",           "STRING",     "NUMBER",    "BINARY",
                                               "BOOLEAN",    "NULL",       "LIST",      "MAP",
                                               "STRING_SET", "NUMBER_SET", "BINARY_SET"};

const char *value_type_name(enum value_type type)
{
    CHECK(type < VALUE_TYPES);
    return names[type];
}

const char *value_type_word(enum value_type type)
{
    CHECK(type < VALUE_TYPES);
    return words[type];
}

enum value_type value_type_of_name(struct slice name)
{
    for (enum value_type type = VALUE_STRING; type < VALUE_TYPES; type++) {
        const char *known = names[type];
        if (name.length == 0 || name.data[0] != (uint8_t)known[0]) continue;
        if (slice_equal_string(name, known)) return type;
    }
    return VALUE_ABSENT;
}

enum value_type value_set_member_type(enum value_type set)
{
    CHECK(value_is_set(set));
    _Static_assert(VALUE_NUMBER_SET - VALUE_STRING_SET == VALUE_NUMBER - VALUE_STRING, "in step");
    _Static_assert(VALUE_BINARY_SET - VALUE_STRING_SET == VALUE_BINARY - VALUE_STRING, "in step");
    return set - VALUE_STRING_SET + VALUE_STRING;
}

/* ---- reading --------------------------------------------------------------------------------- */

static inline void store_u32(uint8_t *to, uint32_t value)
{
    to[0] = (uint8_t)value;
    to[1] = (uint8_t)(value >> 8);
    to[2] = (uint8_t)(value >> 16);
    to[3] = (uint8_t)(value >> 24);
}

struct slice value_bytes_long_text(const uint8_t *from)
{
    size_t length = 0;
    for (unsigned shift = 0;; shift += VARINT_BITS) {
        CHECK(shift < VARINT_BYTES_MAX * VARINT_BITS);
        const uint8_t byte = *from++;
        length |= (size_t)(byte & ~VARINT_MORE) << shift;
        if ((byte & VARINT_MORE) == 0) break;
    }
    return slice_of(from, length);
}

static inline void read_scalar(const uint8_t *from, struct slice data, struct value *value)
{
    value->type = (enum value_type) * from;
    value->count = 0;
    value->data = data;
    value->encoded = slice_of(from, (size_t)(data.data + data.length - from));
}

static inline void read_container(const uint8_t *from, struct value *value)
{
    const size_t body = value_bytes_u32(from + TYPE_BYTES);
    CHECK(body >= U32_BYTES);
    value->type = (enum value_type) * from;
    value->count = value_bytes_u32(from + TYPE_BYTES + U32_BYTES);
    value->data = slice_of(from + CONTAINER_HEAD_BYTES, body - U32_BYTES);
    value->encoded = slice_of(from, TYPE_BYTES + U32_BYTES + body);
}

/*
 * As value_read, without a bound to check against. It fills in the caller's value member by member:
 * a value that is returned is copied, in halves that the processor has to wait for.
 */
static inline void read_value(const uint8_t *from, struct value *value)
{
    switch ((enum value_type) * from) {
    case VALUE_STRING:
    case VALUE_BINARY:
        read_scalar(from, value_bytes_text(from + TYPE_BYTES), value);
        return;
    case VALUE_NUMBER:
        read_scalar(from, slice_of(from + TYPE_BYTES + 1, from[TYPE_BYTES]), value);
        return;
    case VALUE_BOOLEAN:
        read_scalar(from, slice_of(from + TYPE_BYTES, 1), value);
        return;
    case VALUE_NULL:
        read_scalar(from, slice_of(from + TYPE_BYTES, 0), value);
        return;
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_STRING_SET:
    case VALUE_NUMBER_SET:
    case VALUE_BINARY_SET:
        read_container(from, value);
        return;
    case VALUE_ABSENT:
    case VALUE_TYPES:
        break;
    }
    check_failed("a value begins with its type", __FILE__, __LINE__);
}

struct value value_read(struct slice encoded)
{
    CHECK(encoded.length > 0);
    struct value value;
    read_value(encoded.data, &value);
    CHECK(value.encoded.length <= encoded.length);
    return value;
}

/* As value_next, inlined where it matters: a value handed over by value is copied first. */
static inline bool next(const struct value *container, struct value_walk *walk, struct slice *name,
                        struct value *value)
{
    if (walk->offset >= container->data.length) return false;
    const uint8_t *from = container->data.data + walk->offset;
    if (value_is_set(container->type)) {
        const struct slice member = value_bytes_text(from);
        *value = (struct value){.type = value_set_member_type(container->type), .data = member};
        walk->offset = (size_t)(member.data + member.length - container->data.data);
        return true;
    }
    if (container->type == VALUE_MAP) {
        const struct slice read = value_bytes_text(from);
        if (name != NULL) *name = read;
        from = read.data + read.length;
    }
    read_value(from, value);
    walk->offset = (size_t)(from - container->data.data) + value->encoded.length;
    CHECK(walk->offset <= container->data.length);
    return true;
}

bool value_next(struct value container, struct value_walk *walk, struct slice *name,
                struct value *value)
{
    return next(&container, walk, name, value);
}

struct value value_member(struct value map, struct slice name)
{
    CHECK(map.type == VALUE_MAP);
    const uint8_t *at = map.data.data;
    const uint8_t *const end = at + map.data.length;
    struct value value = {0};
    while (at < end) {
        const struct slice entry = value_bytes_text(at);
        at = entry.data + entry.length;
        const int order = slice_compare(entry, name);
        if (order == 0) read_value(at, &value);
        if (order >= 0) break; /* the names are sorted */
        at = value_bytes_end(at);
    }
    return value;
}

struct value value_element(struct value list, size_t index)
{
    CHECK(list.type == VALUE_LIST);
    struct value value = {0};
    if (index >= list.count) return value;
    const uint8_t *at = list.data.data;
    for (size_t i = 0; i < index; i++)
        at = value_bytes_end(at);
    read_value(at, &value);
    return value;
}

bool value_set_contains(struct value set, struct slice member)
{
    CHECK(value_is_set(set.type));
    const uint8_t *at = set.data.data;
    const uint8_t *const end = at + set.data.length;
    while (at < end) {
        const struct slice present = value_bytes_text(at);
        const int order = slice_compare(present, member);
        if (order >= 0) return order == 0; /* the members are sorted */
        at = present.data + present.length;
    }
    return false;
}

struct value item_attribute(struct slice item, struct slice name)
{
    if (item.length == 0) return (struct value){0};
    return value_member(value_read(item), name);
}

/* ---- sizes ----------------------------------------------------------------------------------- */

static size_t elements_size(const struct value *container)
{
    struct value_walk walk = {0};
    struct slice name = {0};
    struct value element;
    size_t size = CONTAINER_OVERHEAD;
    while (next(container, &walk, &name, &element))
        size += name.length + ELEMENT_OVERHEAD + value_size(element);
    return size;
}

static size_t members_size(const struct value *set)
{
    struct value_walk walk = {0};
    struct value member;
    size_t size = 0;
    while (next(set, &walk, NULL, &member))
        size += member.data.length;
    return size;
}

static inline size_t size_of(const struct value *value)
{
    switch (value->type) {
    case VALUE_STRING:
    case VALUE_NUMBER:
    case VALUE_BINARY:
        return value->data.length;
    case VALUE_BOOLEAN:
    case VALUE_NULL:
        return 1;
    case VALUE_LIST:
    case VALUE_MAP:
        return elements_size(value);
    case VALUE_STRING_SET:
    case VALUE_NUMBER_SET:
    case VALUE_BINARY_SET:
        return members_size(value);
    case VALUE_ABSENT:
    case VALUE_TYPES:
        break;
    }
    return 0;
}

size_t value_size(struct value value)
{
    return size_of(&value);
}

/* Every row of a page is measured: what it consists of as a rule is not taken apart first. */
size_t item_size(struct slice item)
{
    if (item.length == 0) return 0;
    const struct value map = value_read(item);
    CHECK(map.type == VALUE_MAP);
    const uint8_t *at = map.data.data;
    const uint8_t *const end = at + map.data.length;
    size_t size = 0;
    while (at < end) {
        struct slice data = value_bytes_text(at);
        size += data.length;
        at = data.data + data.length;
        if (*at == VALUE_STRING || *at == VALUE_BINARY) {
            data = value_bytes_text(at + TYPE_BYTES);
            size += data.length;
            at = data.data + data.length;
        } else if (*at == VALUE_NUMBER) {
            size += at[TYPE_BYTES];
            at += TYPE_BYTES + 1 + at[TYPE_BYTES];
        } else {
            struct value value;
            read_value(at, &value);
            size += size_of(&value);
            at = value.encoded.data + value.encoded.length;
        }
    }
    CHECK(at == end);
    return size;
}

unsigned value_depth(struct value value)
{
    if (value.type != VALUE_LIST && value.type != VALUE_MAP) return 0;
    struct value_walk walk = {0};
    struct value element;
    unsigned deepest = 0;
    while (value_next(value, &walk, NULL, &element)) {
        const unsigned depth = value_depth(element);
        if (depth > deepest) deepest = depth;
    }
    return deepest + 1;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* Writes a length as a varint and returns where it ends. */
static inline uint8_t *put_length(uint8_t *to, size_t length)
{
    CHECK(length <= UINT32_MAX);
    while (length >= VARINT_MORE) {
        *to++ = (uint8_t)(length | VARINT_MORE);
        length >>= VARINT_BITS;
    }
    *to++ = (uint8_t)length;
    return to;
}

static inline uint8_t *put_bytes(uint8_t *to, struct slice bytes)
{
    to = put_length(to, bytes.length);
    if (bytes.length > 0) memcpy(to, bytes.data, bytes.length);
    return to + bytes.length;
}

void value_write_scalar(struct buffer *out, enum value_type type, struct slice data)
{
    uint8_t *const start = buffer_reserve(out, SCALAR_HEAD_BYTES_MAX + data.length);
    uint8_t *to = start;
    *to++ = (uint8_t)type;
    switch (type) {
    case VALUE_NUMBER:
        CHECK(data.length > 0);
        CHECK(data.length <= NUMBER_BYTES_MAX);
        to = put_bytes(to, data); /* a varint of one byte */
        break;
    case VALUE_STRING:
    case VALUE_BINARY:
        to = put_bytes(to, data);
        break;
    case VALUE_BOOLEAN:
        CHECK(data.length == 1);
        *to++ = data.data[0];
        break;
    default:
        CHECK(type == VALUE_NULL);
    }
    out->length += (size_t)(to - start);
}

void value_write_boolean(struct buffer *out, bool truth)
{
    uint8_t *to = buffer_reserve(out, TYPE_BYTES + 1);
    to[0] = VALUE_BOOLEAN;
    to[1] = truth;
    out->length += TYPE_BYTES + 1;
}

void value_write_null(struct buffer *out)
{
    buffer_append_byte(out, VALUE_NULL);
}

size_t value_begin(struct buffer *out, enum value_type type)
{
    CHECK(type == VALUE_LIST || type == VALUE_MAP || value_is_set(type));
    *buffer_reserve(out, CONTAINER_HEAD_BYTES) = (uint8_t)type;
    const size_t mark = out->length;
    out->length += CONTAINER_HEAD_BYTES;
    return mark;
}

void value_end(struct buffer *out, size_t mark, uint32_t count)
{
    CHECK(mark + CONTAINER_HEAD_BYTES <= out->length);
    const size_t body = out->length - mark - TYPE_BYTES - U32_BYTES;
    CHECK(body <= UINT32_MAX);
    store_u32(out->data + mark + TYPE_BYTES, (uint32_t)body);
    store_u32(out->data + mark + TYPE_BYTES + U32_BYTES, count);
}

/* A name and a member are written alike: length, bytes. */
static void write_bytes(struct buffer *out, struct slice bytes)
{
    uint8_t *const start = buffer_reserve(out, VARINT_BYTES_MAX + bytes.length);
    out->length += (size_t)(put_bytes(start, bytes) - start);
}

void value_write_name(struct buffer *out, struct slice name)
{
    write_bytes(out, name);
}

void value_write_member(struct buffer *out, struct slice member)
{
    write_bytes(out, member);
}

struct value value_scalar(struct arena *arena, enum value_type type, struct slice data)
{
    struct buffer out = buffer_open(arena, SCALAR_HEAD_BYTES_MAX + data.length);
    value_write_scalar(&out, type, data);
    return value_read(buffer_slice(&out));
}

/* ---- items ----------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b)
{
    const struct attribute *left = a;
    const struct attribute *right = b;
    return slice_compare(left->name, right->name);
}

static void sort_attributes(struct attribute *attributes, size_t count)
{
    if (count > SORT_BY_INSERTION_MAX) {
        qsort(attributes, count, sizeof *attributes, compare_names);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const struct attribute moving = attributes[i];
        size_t at = i;
        for (; at > 0 && slice_compare(attributes[at - 1].name, moving.name) > 0; at--) {
            attributes[at] = attributes[at - 1];
        }
        attributes[at] = moving;
    }
}

struct slice item_build(struct arena *arena, struct attribute *attributes, size_t count)
{
    sort_attributes(attributes, count);
    size_t capacity = CONTAINER_HEAD_BYTES;
    for (size_t i = 0; i < count; i++) {
        capacity += VARINT_BYTES_MAX + attributes[i].name.length + attributes[i].value.length;
    }
    struct buffer out = buffer_open(arena, capacity);
    const size_t mark = value_begin(&out, VALUE_MAP);
    for (size_t i = 0; i < count; i++) {
        CHECK(i == 0 || slice_compare(attributes[i - 1].name, attributes[i].name) < 0);
        value_write_name(&out, attributes[i].name);
        value_write_encoded(&out, attributes[i].value);
    }
    value_end(&out, mark, (uint32_t)count);
    CHECK(out.capacity == capacity); /* no second allocation */
    return buffer_slice(&out);
}

struct slice item_empty(void)
{
    static const uint8_t empty[CONTAINER_HEAD_BYTES] = {VALUE_MAP, U32_BYTES};
    return slice_of(empty, sizeof empty);
}

/* ---- distrust -------------------------------------------------------------------------------- */

/* What is left to check; a check that fails returns false all the way up. */
struct checker {
    const uint8_t *at;
    const uint8_t *end;
};

static bool check_value(struct checker *checker, unsigned containers);
static bool check_container(struct checker *checker, enum value_type type, unsigned containers);

bool value_is_valid(struct slice encoded)
{
    if (encoded.length == 0) return false;
    struct checker checker = {encoded.data, encoded.data + encoded.length};
    return check_value(&checker, 0) && checker.at == checker.end;
}

static bool take(struct checker *checker, size_t length, struct slice *bytes)
{
    if ((size_t)(checker->end - checker->at) < length) return false;
    *bytes = slice_of(checker->at, length);
    checker->at += length;
    return true;
}

/* Takes a length in its shortest form, and that many bytes. */
static bool take_bytes(struct checker *checker, struct slice *bytes)
{
    uint64_t length = 0;
    for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
        struct slice byte;
        if (!take(checker, 1, &byte)) return false;
        length |= (uint64_t)(byte.data[0] & ~VARINT_MORE) << (i * VARINT_BITS);
        if ((byte.data[0] & VARINT_MORE) != 0) continue;
        if (i > 0 && byte.data[0] == 0) return false;
        return length <= UINT32_MAX && take(checker, (size_t)length, bytes);
    }
    return false;
}

static bool check_data(enum value_type type, struct slice data)
{
    if (type == VALUE_STRING) return utf8_is_valid(data);
    if (type == VALUE_NUMBER) return number_is_valid(data);
    return true;
}

/* containers counts those around the value: 1 for an item's attributes, which stand at level 1. */
static bool check_value(struct checker *checker, unsigned containers)
{
    struct slice bytes;
    if (containers > LIMIT_NESTING_LEVELS) return false;
    if (!take(checker, TYPE_BYTES, &bytes)) return false;
    const enum value_type type = (enum value_type)bytes.data[0];
    switch (type) {
    case VALUE_STRING:
    case VALUE_BINARY:
    case VALUE_NUMBER: /* a valid one is so short that its length is a varint of one byte */
        return take_bytes(checker, &bytes) && check_data(type, bytes);
    case VALUE_BOOLEAN:
        return take(checker, 1, &bytes) && bytes.data[0] <= 1;
    case VALUE_NULL:
        return true;
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_STRING_SET:
    case VALUE_NUMBER_SET:
    case VALUE_BINARY_SET:
        return check_container(checker, type, containers);
    case VALUE_ABSENT:
    case VALUE_TYPES:
        break;
    }
    return false;
}

/* A name or member: well-formed, and greater than the one before it. */
static bool check_next(struct checker *checker, enum value_type type, struct slice *last,
                       bool is_first)
{
    struct slice bytes;
    if (!take_bytes(checker, &bytes) || !check_data(type, bytes)) return false;
    if (!is_first && slice_compare(*last, bytes) >= 0) return false;
    *last = bytes;
    return true;
}

static bool check_elements(struct checker *body, enum value_type type, uint32_t count,
                           unsigned containers)
{
    struct slice last = {0};
    for (uint32_t i = 0; i < count; i++) {
        if (value_is_set(type)) {
            if (!check_next(body, value_set_member_type(type), &last, i == 0)) return false;
            continue;
        }
        if (type == VALUE_MAP) {
            if (!check_next(body, VALUE_STRING, &last, i == 0)) return false;
            if (last.length > LIMIT_ATTRIBUTE_NAME_BYTES) return false;
        }
        if (!check_value(body, containers)) return false;
    }
    return body->at == body->end;
}

static bool check_container(struct checker *checker, enum value_type type, unsigned containers)
{
    struct slice head;
    struct slice body;
    if (!take(checker, U32_BYTES, &head)) return false;
    if (!take(checker, value_bytes_u32(head.data), &body)) return false;
    struct checker inner = {body.data, body.data + body.length};
    if (!take(&inner, U32_BYTES, &head)) return false;
    const uint32_t count = value_bytes_u32(head.data);
    if (value_is_set(type) && count == 0) return false;
    return check_elements(&inner, type, count, containers + 1);
}
