/* SPDX-License-Identifier: Apache-2.0 */
/* single_write — what PutItem, UpdateItem and DeleteItem share: one write, and what it returns. */
#ifndef STATOR_OPS_SINGLE_WRITE_H
#define STATOR_OPS_SINGLE_WRITE_H

#include "ops/write_input.h"

struct single_write {
    struct write_input input;
    const struct json_token *return_values;
    const struct json_token *return_consumed_capacity;
    const struct json_token *return_item_collection_metrics;
    struct write write;
};

/* The members of op.h, for a plan that is a struct single_write. */
enum error_code single_write_run(struct request *request, struct kv_txn *txn) WARN_UNUSED;
enum error_code single_write_render(struct request *request) WARN_UNUSED;

#endif
