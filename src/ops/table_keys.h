/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_keys — AttributeDefinitions and KeySchema: read, and held against each other in the order
 * in which the service does it (facts/errors.md 8, CreateTable).
 */
#ifndef STATOR_OPS_TABLE_KEYS_H
#define STATOR_OPS_TABLE_KEYS_H

#include "ops/op.h"

struct definitions {
    struct key_attribute *list; /* as given */
    size_t count;
};

/* Fails when a name comes twice. token NULL: none. */
enum error_code table_keys_definitions(struct request *request, const struct json_token *token,
                                       struct definitions *definitions) WARN_UNUSED;

/* A copy sorted by name, as descriptions have it. */
struct definitions table_keys_sorted(struct arena *arena, const struct definitions *definitions);

/* The key of a table. */
enum error_code table_keys_of_table(struct request *request, const struct json_token *token,
                                    const struct definitions *definitions,
                                    struct key_schema *key) WARN_UNUSED;

/* The key of an index, checked by itself. */
enum error_code table_keys_of_index(struct request *request, const struct json_token *token,
                                    enum index_kind kind, const struct definitions *definitions,
                                    struct key_schema *key) WARN_UNUSED;

/*
 * Fails when a definition is used by no key: the table's, nor any of these index lists (NULL where
 * the request has none), whose own keys need not be checked yet.
 */
struct key_lists {
    const struct json_token *table;
    const struct json_token *local;
    const struct json_token *global;
};
enum error_code table_keys_all_used(struct request *request, const struct definitions *definitions,
                                    const struct key_lists *lists) WARN_UNUSED;

#endif
