/* SPDX-License-Identifier: Apache-2.0 */
/* table_units — what OnDemandThroughput and WarmThroughput may ask for, of a table or an index. */
#ifndef STATOR_OPS_TABLE_UNITS_H
#define STATOR_OPS_TABLE_UNITS_H

#include "ops/op.h"

enum { UNITS_REMOVE = -1 }; /* UpdateTable: takes a maximum of OnDemandThroughput away */

/* Whose units they are, and what they are measured against. */
struct units_of {
    const struct index *index;           /* NULL: the table's */
    enum billing_mode billing;           /* of the table, after the request */
    const struct throughput *throughput; /* provisioned, where the billing mode is PROVISIONED */
    struct unit_pair warm;               /* update: the current WarmThroughput */
};

enum error_code table_units_create_on_demand(struct request *request, struct unit_pair wanted,
                                             const struct units_of *of) WARN_UNUSED;
enum error_code table_units_update_on_demand(struct request *request, struct unit_pair wanted,
                                             const struct units_of *of) WARN_UNUSED;

enum error_code table_units_create_warm(struct request *request, struct unit_pair wanted,
                                        const struct units_of *of) WARN_UNUSED;
enum error_code table_units_update_warm(struct request *request, struct unit_pair wanted,
                                        const struct units_of *of) WARN_UNUSED;

/* The warm throughput that a table or index with this throughput has without being asked. */
struct unit_pair table_units_initial_warm(enum billing_mode billing,
                                          const struct throughput *throughput);

/* What is wanted where it is given, else what is there. */
struct unit_pair table_units_merge(struct unit_pair wanted, struct unit_pair current);

/* The larger of each. */
struct unit_pair table_units_raise(struct unit_pair a, struct unit_pair b);

/* Without the maxima that are to be removed. */
struct unit_pair table_units_settle(struct unit_pair on_demand);

#endif
