/* SPDX-License-Identifier: Apache-2.0 */
/*
 * placeholders — ExpressionAttributeNames and ExpressionAttributeValues: what #names and :values
 * stand for, and which of them have been used.
 */
#ifndef STATOR_EXPR_PLACEHOLDERS_H
#define STATOR_EXPR_PLACEHOLDERS_H

#include "base/json.h"
#include "model/error.h"
#include "model/value.h"

struct placeholder {
    struct slice key;   /* with its '#' or ':' */
    struct slice name;  /* of a name: the attribute's */
    struct value value; /* of a value */
    bool used;
};

/* One of the two maps, in the request's order; all zero when the request has none. */
struct placeholders {
    struct placeholder *entries;
    size_t count;
    struct placeholder **sorted; /* by key; of equal keys only the last */
    size_t sorted_count;
};

/* The checks of the map itself, before anything is decoded: not empty, well-formed keys, size. */
enum error_code placeholders_check_names(struct call *call,
                                         const struct json_token *names) WARN_UNUSED;
enum error_code placeholders_check_values(struct call *call,
                                          const struct json_token *values) WARN_UNUSED;

/* Reads checked maps into the call's arena; the token may be NULL. */
void placeholders_read_names(struct call *call, const struct json_token *names,
                             struct placeholders *out);
enum error_code placeholders_read_values(struct call *call, const struct json_token *values,
                                         struct placeholders *out) WARN_UNUSED;

/* Finds a placeholder and marks it used; NULL when it is not defined. */
struct placeholder *placeholders_find(const struct placeholders *placeholders, struct slice key);

/* Fails when some placeholder was never found; map is "ExpressionAttributeNames" or "…Values". */
enum error_code placeholders_check_used(struct call *call, const struct placeholders *placeholders,
                                        const char *map) WARN_UNUSED;

#endif
