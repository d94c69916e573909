/* SPDX-License-Identifier: Apache-2.0 */
/* table_update — one UpdateTable on its way, and what it does to throughput. */
#ifndef STATOR_OPS_TABLE_UPDATE_H
#define STATOR_OPS_TABLE_UPDATE_H

#include "ops/table_input.h"
#include "ops/table_keys.h"
#include "ops/table_output.h"

enum index_action_kind { INDEX_ACTION_UPDATE, INDEX_ACTION_CREATE, INDEX_ACTION_DELETE };

struct index_action {
    enum index_action_kind kind;
    struct slice name;
    const struct json_token *token;
};

struct table_update {
    /* the plan */
    struct slice name;
    bool has_billing;
    enum billing_mode billing;
    bool has_throughput;
    struct throughput throughput;
    struct unit_pair on_demand;
    struct unit_pair warm;
    bool has_stream;
    enum stream_view stream; /* STREAM_OFF: disable */
    bool has_encryption;
    struct encryption encryption;
    enum table_class class; /* CLASS_UNSET: not given */
    bool has_protection;
    bool protection;
    struct index_action *actions;
    size_t action_count;
    bool has_definitions;
    struct definitions definitions;

    /* the outcome */
    struct table *table; /* as it will be recorded */
    struct table old;    /* as it was recorded; its own array of indexes */
    struct table shown;  /* as the response shows it: the table, but for what is still as it was */
    uint64_t changed_units; /* bit per index: its throughput was changed */
    uint64_t changed_index; /* bit per index: it was updated in any way */
    bool is_changed;        /* there is something to record */
    bool is_updating; /* the response says UPDATING, also of some changes that change nothing */
    enum table_change change;
    struct table_view view;
};

/* Sets new units, within the quota of decreases, with their times; raises the warm throughput. */
enum error_code table_update_units(struct request *request, const struct throughput *wanted,
                                   struct throughput *throughput,
                                   struct unit_pair *warm) WARN_UNUSED;

#endif
