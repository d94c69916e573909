/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_input — reads what CreateTable and UpdateTable say about a table or an index, part by part,
 * and checks each part by itself.
 */
#ifndef STATOR_OPS_TABLE_INPUT_H
#define STATOR_OPS_TABLE_INPUT_H

#include "ops/op.h"

/* Fails when a member is given whose feature is not built; place is its name. */
enum error_code table_input_unbuilt(struct request *request, const struct json_token *token,
                                    const char *name) WARN_UNUSED;

/* ---- capacity -------------------------------------------------------------------------------- */

enum billing_mode table_input_billing(struct request *request, const struct json_token *token,
                                      enum billing_mode absent);

/* ProvisionedThroughput; index: its name, or empty for the table. */
enum error_code table_input_throughput(struct request *request, const struct json_token *token,
                                       struct slice index,
                                       struct throughput *throughput) WARN_UNUSED;

/* OnDemandThroughput and WarmThroughput; what is absent is UNITS_UNSET. */
struct unit_pair table_input_on_demand(const struct json_token *token);
struct unit_pair table_input_warm(const struct json_token *token);

static inline bool unit_pair_is_empty(struct unit_pair pair)
{
    return pair.read == UNITS_UNSET && pair.write == UNITS_UNSET;
}

/* ---- indexes --------------------------------------------------------------------------------- */

/* Projection of an index, by itself. */
enum error_code table_input_projection(struct request *request, const struct json_token *token,
                                       struct index *index) WARN_UNUSED;

/* Projected attributes of all indexes together, as many as one table may have. */
enum error_code table_input_check_included(struct request *request,
                                           const struct table *table) WARN_UNUSED;

/* ---- settings -------------------------------------------------------------------------------- */

/* StreamViewType; STREAM_OFF when it is absent. */
enum stream_view table_input_view(struct request *request, const struct json_token *stream);

/* CLASS_UNSET when absent. */
enum error_code table_input_class(struct request *request, const struct json_token *token,
                                  enum table_class *class) WARN_UNUSED;

struct encryption {
    bool enabled;
    bool key_is_arn;      /* KMSMasterKeyId was given as the ARN of a key */
    struct slice key_arn; /* when enabled */
};

/* SSESpecification, not NULL. */
enum error_code table_input_encryption(struct request *request, const struct json_token *token,
                                       struct encryption *encryption) WARN_UNUSED;

enum error_code table_input_tags(struct request *request, const struct json_token *token,
                                 struct table *table) WARN_UNUSED;

/* A tag's key alone. */
enum error_code table_input_check_tag_key(struct call *call, struct slice key) WARN_UNUSED;

/* ResourcePolicy, brought into the form of policy_document.h; empty when absent. */
enum error_code table_input_policy(struct request *request, const struct json_token *token,
                                   struct slice *policy) WARN_UNUSED;

#endif
