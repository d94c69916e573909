/* SPDX-License-Identifier: Apache-2.0 */
/*
 * shape — what a request may look like, as data: each operation declares its members in a table,
 * and ops/validate.c checks any request against it, types first (SerializationException), then
 * constraints ("N validation errors detected: …"). A handler starts with checked input.
 */
#ifndef STATOR_OPS_SHAPE_H
#define STATOR_OPS_SHAPE_H

#include "base/json.h"
#include "model/error.h"

enum shape_kind {
    SHAPE_STRING,
    SHAPE_BOOLEAN,
    SHAPE_INTEGER, /* 32 bits */
    SHAPE_LONG,
    SHAPE_DOUBLE,
    SHAPE_BLOB,
    SHAPE_STRUCT,
    SHAPE_LIST,
    SHAPE_MAP,
    SHAPE_VALUE, /* an AttributeValue */
};

struct shape {
    enum shape_kind kind;
    const char *name;            /* STRUCT: the model's name of it, for messages */
    const struct field *fields;  /* STRUCT: ended by a field without a name */
    const struct shape *element; /* LIST, MAP */
    bool has_min, has_max;
    int64_t min, max; /* STRING, LIST, MAP: of the length; numbers: of the value */
    /* Messages of this bound name the member as it is spelled, and leave out the value. */
    bool is_terse_min, is_terse_max;
    bool name_pattern; /* STRING: [a-zA-Z0-9_.-]+ */
    bool table_arn;    /* STRING: a table name or a table's ARN */
    bool parameter;    /* missing: "The parameter 'X' is required …", alone and before all else */
    const char *values;  /* STRING: an enum, as messages print it: "[INDEXES, TOTAL, NONE]" */
    bool has_key_limits; /* MAP: keys of 1 to key_max characters */
    int64_t key_max;
};

struct field {
    const char *name;
    const struct shape *shape;
    bool required;
};

/* Shapes that many operations share. */
extern const struct shape shape_string, shape_boolean, shape_integer, shape_long, shape_value;
extern const struct shape shape_table_name; /* data plane: 1..1024, name or ARN */
extern const struct shape shape_index_name; /* 3..255, pattern */
extern const struct shape shape_item;       /* map of attribute values */
extern const struct shape shape_key;        /* the same, as Key and ExclusiveStartKey */
extern const struct shape shape_names;      /* ExpressionAttributeNames */
extern const struct shape shape_values;     /* ExpressionAttributeValues */
extern const struct shape shape_string_list;
extern const struct shape shape_return_consumed_capacity;
extern const struct shape shape_return_item_collection_metrics;
extern const struct shape shape_return_values;
extern const struct shape shape_return_values_on_failure;
extern const struct shape shape_select;

#endif
