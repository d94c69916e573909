/* SPDX-License-Identifier: Apache-2.0 */
/*
 * write_input — from the members that every write has, wherever it stands (PutItem, UpdateItem,
 * DeleteItem, an action of TransactWriteItems), to the plan of one write.
 *
 * The steps are separate because operations put checks of their own between them:
 * compile (values, expressions), lower (legacy parameters), measure (a put's size), bind (the
 * table), check (keys).
 */
#ifndef STATOR_OPS_WRITE_INPUT_H
#define STATOR_OPS_WRITE_INPUT_H

#include "ops/legacy.h"
#include "store/item.h"

/* NULL where the request has no such member. */
struct write_input {
    enum write_kind kind;
    bool in_transaction;
    const struct json_token *table_name;
    const struct json_token *subject; /* Item of a put, Key of the others */
    const struct json_token *update;
    const struct json_token *condition;
    const struct json_token *names;
    const struct json_token *values;
    const struct json_token *return_on_failure;
    /* Legacy parameters. */
    const struct json_token *attribute_updates;
    const struct json_token *expected;
    const struct json_token *conditional_operator;
};

/*
 * Decodes the item or key, checks the parameters and parses the expressions: everything that needs
 * no table, in the order of the kind.
 */
enum error_code write_input_compile(struct request *request, const struct write_input *input,
                                    struct write *write) WARN_UNUSED;

/* Turns AttributeUpdates and Expected into the update and condition that expressions would be. */
enum error_code write_input_lower(struct call *call, const struct write_input *input,
                                  struct write *write) WARN_UNUSED;

/* A put's item fits 400 KB. */
enum error_code write_input_measure(struct call *call, const struct write *write) WARN_UNUSED;

/* Finds the table. */
enum error_code write_input_bind(struct request *request, const struct write_input *input,
                                 struct write *write) WARN_UNUSED;

/* Checks the item or key, and an update's paths, against the table's keys. Sets write->row_key. */
enum error_code write_input_check(struct call *call, struct write *write,
                                  enum key_role role) WARN_UNUSED;

#endif
