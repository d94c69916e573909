/* SPDX-License-Identifier: Apache-2.0 */
/*
 * read_page — what Query and Scan share: expressions and the legacy parameters in their place,
 * Select, the index, ExclusiveStartKey, and a page of items written straight into the response.
 *
 * The steps are separate because the two operations put their own checks between them.
 */
#ifndef STATOR_OPS_READ_PAGE_H
#define STATOR_OPS_READ_PAGE_H

#include "expr/expressions.h"
#include "ops/legacy.h"
#include "store/page.h"

/* NULL where the request has no such member. */
struct read_page_input {
    const struct json_token *table_name;
    const struct json_token *index_name;
    const struct json_token *select;
    const struct json_token *limit;
    const struct json_token *consistent_read;
    const struct json_token *start_key;
    const struct json_token *return_consumed_capacity;
    struct expression_input expressions;
    /* Legacy parameters. */
    const struct json_token *attributes_to_get;
    const struct json_token *filter; /* QueryFilter, ScanFilter */
    const struct json_token *conditional_operator;
};

struct read_page {
    struct read_page_input input;
    struct expression_set set;
    struct expression_set legacy; /* what legacy parameters say; read_page_parse moves it to set */
    struct slice start;           /* ExclusiveStartKey as an item; empty: none */
    const struct table *table;
    const struct index *index; /* NULL: the table */
    struct request *request;
    struct page page;
};

/* Decodes ExclusiveStartKey. */
enum error_code read_page_start(struct request *request, struct read_page *read) WARN_UNUSED;

/* Turns the filter and AttributesToGet into what expressions would be. */
enum error_code read_page_lower_filter(struct call *call, struct read_page *read) WARN_UNUSED;
enum error_code read_page_lower_projection(struct call *call, struct read_page *read) WARN_UNUSED;

/* Parses the expressions, and takes what legacy parameters say in their place. */
enum error_code read_page_parse(struct call *call, struct read_page *read) WARN_UNUSED;

/* What Select may be beside a ProjectionExpression and an IndexName; texts differ by operation. */
enum error_code read_page_check_select(struct request *request, const struct read_page *read,
                                       const char *specific_envelope) WARN_UNUSED;

/* Finds the table and the index, which must be readable, consistently when that is asked for. */
enum error_code read_page_bind(struct request *request, struct read_page *read) WARN_UNUSED;

/* ExclusiveStartKey holds the keys of table and index, no more. mismatch words other attributes. */
enum error_code read_page_check_start(struct call *call, const struct read_page *read,
                                      const char *mismatch) WARN_UNUSED;

/* The key of the row that ExclusiveStartKey names. */
struct slice read_page_start_row(struct call *call, const struct read_page *read);

/* Whether the index can give what is selected, from its entries or from the table. */
enum error_code read_page_check_projection(struct request *request,
                                           struct read_page *read) WARN_UNUSED;

/* The key schema that is read: the index's or the table's. */
const struct key_schema *read_page_key(const struct read_page *read);

/* The run of op.h: reads the page and writes the response. request->plan is a struct read_page. */
enum error_code read_page_run(struct request *request, struct kv_txn *txn) WARN_UNUSED;

#endif
