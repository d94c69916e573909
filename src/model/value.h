/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value — attribute values and items as bytes, in one canonical form: equal values have equal
 * bytes.
 *
 * The same bytes are stored, compared, filtered and projected. There is no document tree.
 *
 *   value    type byte (enum value_type), then
 *     STRING, BINARY   length (varint), bytes
 *     NUMBER           length (1 byte), bytes as in model/number.h
 *     BOOLEAN          1 byte, 0 or 1
 *     NULL             nothing
 *     LIST             body length (u32 LE), count (u32 LE), that many values
 *     MAP              body length, count, entries: name length (varint), name, value;
 *                      sorted by name (slice_compare), no name twice
 *     *_SET            body length, count, members: length (varint), bytes; sorted (slice_compare),
 *                      none twice; a number set's members are in the form of model/number.h
 *
 * The body length counts everything after itself, so 4 bytes of count and the elements. Varints are
 * LEB128, at most 5 bytes. An item is a value of type MAP.
 */
#ifndef STATOR_MODEL_VALUE_H
#define STATOR_MODEL_VALUE_H

#include "base/buffer.h"
#include "model/number.h"

enum value_type {
    VALUE_ABSENT, /* never stored: "no such attribute" */
    VALUE_STRING,
    VALUE_NUMBER,
    VALUE_BINARY,
    VALUE_BOOLEAN,
    VALUE_NULL,
    VALUE_LIST,
    VALUE_MAP,
    VALUE_STRING_SET,
    VALUE_NUMBER_SET,
    VALUE_BINARY_SET,
    VALUE_TYPES,
};

/* A value taken apart one level deep; borrowed from the encoded bytes. */
struct value {
    enum value_type type;
    uint32_t count;       /* LIST, MAP, sets: elements; else 0 */
    struct slice data;    /* scalars: the bytes; BOOLEAN: one byte; containers: the elements */
    struct slice encoded; /* the whole value, type byte first */
};

/* The DynamoDB name of a type: "S", "N", … "BS"; "" for VALUE_ABSENT. */
const char *value_type_name(enum value_type type);

/* "STRING", "NUMBER", … as operand-type messages of update expressions spell it. */
const char *value_type_word(enum value_type type);

/* The type of a DynamoDB name ("S" … "BS"), VALUE_ABSENT when there is none. */
enum value_type value_type_of_name(struct slice name);

/*
 * Reads the value that begins at encoded.data. The bytes are trusted (we wrote them; see
 * value_is_valid); encoded may be longer than the value.
 */
struct value value_read(struct slice encoded);

/* A map's value by name; type VALUE_ABSENT when it has none. */
struct value value_member(struct value map, struct slice name);

/* A list's element; type VALUE_ABSENT past its end. */
struct value value_element(struct value list, size_t index);

/* Walks elements: start with {0}; false at the end. name is set for maps only; for sets, value is
 * a scalar of the member type whose data is the member and whose encoded is empty. */
struct value_walk {
    size_t offset;
};
bool value_next(struct value container, struct value_walk *walk, struct slice *name,
                struct value *value);

/* Binary search or scan of a set for a member's bytes. */
bool value_set_contains(struct value set, struct slice member);

static inline bool value_equal(struct value a, struct value b)
{
    return slice_equal(a.encoded, b.encoded);
}

/* Order of two values of one scalar type (S, N, B): < 0, 0, > 0. */
static inline int value_compare(struct value a, struct value b)
{
    return slice_compare(a.data, b.data);
}

static inline bool value_is_set(enum value_type type)
{
    return type == VALUE_STRING_SET || type == VALUE_NUMBER_SET || type == VALUE_BINARY_SET;
}

/* VALUE_STRING for a string set, and so on. */
enum value_type value_set_member_type(enum value_type set);

/* The size in bytes as DynamoDB counts it: of a value without its name, of an item with names. */
size_t value_size(struct value value);
size_t item_size(struct slice item);

/* Levels of nesting: a scalar has 0, a list of scalars 1, … */
unsigned value_depth(struct value value);

/*
 * True when bytes are exactly one well-formed canonical value. For stored bytes after a checksum
 * failure elsewhere, tests and fuzzing: the hot path trusts what it wrote.
 */
bool value_is_valid(struct slice encoded);

/* ---- writing --------------------------------------------------------------------------------- */

/* Scalars. data of a NUMBER is in the form of model/number.h. */
void value_write_scalar(struct buffer *out, enum value_type type, struct slice data);
void value_write_boolean(struct buffer *out, bool truth);
void value_write_null(struct buffer *out);

/*
 * Containers: begin, then count elements in canonical order by the caller, then end. The mark is an
 * offset, so that the buffer may move. value_write_name writes a map entry's name before its value;
 * value_write_member writes a set's member.
 */
size_t value_begin(struct buffer *out, enum value_type type);
void value_end(struct buffer *out, size_t mark, uint32_t count);
void value_write_name(struct buffer *out, struct slice name);
void value_write_member(struct buffer *out, struct slice member);

/* Appends a whole encoded value. */
static inline void value_write_encoded(struct buffer *out, struct slice encoded)
{
    buffer_append(out, encoded);
}

/* ---- items ----------------------------------------------------------------------------------- */

/* An attribute for item_build. */
struct attribute {
    struct slice name;
    struct slice value; /* encoded */
};

/* Sorts attributes by name in place and writes them as an item. Names must differ. */
struct slice item_build(struct arena *arena, struct attribute *attributes, size_t count);

/* The encoded item with no attributes. */
struct slice item_empty(void);

/* A top-level attribute; type VALUE_ABSENT when the item (which may be an empty slice) has none. */
struct value item_attribute(struct slice item, struct slice name);

/* Encodes one scalar into the arena and returns it taken apart. */
struct value value_scalar(struct arena *arena, enum value_type type, struct slice data);

#endif
