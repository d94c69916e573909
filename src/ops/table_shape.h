/* SPDX-License-Identifier: Apache-2.0 */
/* table_shape — the shapes of what CreateTable and UpdateTable say about tables and indexes. */
#ifndef STATOR_OPS_TABLE_SHAPE_H
#define STATOR_OPS_TABLE_SHAPE_H

#include "ops/shape.h"

extern const struct shape table_shape_name; /* control plane: 3..255, or an ARN */
extern const struct shape table_shape_definitions;
extern const struct shape table_shape_key; /* of a table or local index: two elements at most */
extern const struct shape table_shape_index_key; /* of a global index */
extern const struct shape table_shape_projection;
extern const struct shape table_shape_throughput;
extern const struct shape table_shape_on_demand;
extern const struct shape table_shape_warm;
extern const struct shape table_shape_local_indexes;
extern const struct shape table_shape_global_indexes;
extern const struct shape table_shape_index_updates;
extern const struct shape table_shape_billing_mode;
extern const struct shape table_shape_stream;
extern const struct shape table_shape_encryption;
extern const struct shape table_shape_tags;
extern const struct shape table_shape_unbuilt_list; /* a list of structures nobody looks into */

#endif
