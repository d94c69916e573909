/* SPDX-License-Identifier: Apache-2.0 */
/* update_index — GlobalSecondaryIndexUpdates of an UpdateTable. */
#ifndef STATOR_OPS_UPDATE_INDEX_H
#define STATOR_OPS_UPDATE_INDEX_H

#include "ops/table_update.h"

/* Reads GlobalSecondaryIndexUpdates and checks each entry by itself. */
enum error_code update_index_plan(struct request *request, const struct json_token *list,
                                  struct table_update *update) WARN_UNUSED;

/* Carries out all index actions on update->table. */
enum error_code update_index_run(struct request *request, struct table_update *update) WARN_UNUSED;

bool update_index_creates_or_deletes(const struct table_update *update);

/* The action on an index, or NULL. */
const struct index_action *update_index_find(const struct table_update *update, struct slice name);

#endif
