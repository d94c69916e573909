/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table_shape — members are listed in the order in which the service names them when several are
 * wrong (facts/errors.md 3), not in the order of the model.
 */
#include "ops/table_shape.h"

#include "model/limits.h"

#define FIELDS_END        \
    {                     \
        NULL, NULL, false \
    }

const struct shape table_shape_name = {
    .kind = SHAPE_STRING,
    .table_arn = true,
    .parameter = true,
    .has_min = true,
    .min = LIMIT_TABLE_NAME_LENGTH_MIN,
    .has_max = true,
    .max = LIMIT_TABLE_ARN_LENGTH,
};

/* ---- keys ------------------------------------------------------------------------------------ */

static const struct shape key_name = {
    .kind = SHAPE_STRING, .has_min = true, .min = 1, .has_max = true, .max = LIMIT_KEY_NAME_BYTES};
static const struct shape attribute_type = {.kind = SHAPE_STRING, .values = "[B, N, S]"};
static const struct shape key_type = {.kind = SHAPE_STRING, .values = "[HASH, RANGE]"};

static const struct field definition_fields[] = {
    {"AttributeName", &key_name, true},
    {"AttributeType", &attribute_type, true},
    FIELDS_END,
};
static const struct shape definition = {
    .kind = SHAPE_STRUCT, .name = "AttributeDefinition", .fields = definition_fields};
const struct shape table_shape_definitions = {.kind = SHAPE_LIST, .element = &definition};

static const struct field key_element_fields[] = {
    {"AttributeName", &key_name, true},
    {"KeyType", &key_type, true},
    FIELDS_END,
};
static const struct shape key_element = {
    .kind = SHAPE_STRUCT, .name = "KeySchemaElement", .fields = key_element_fields};
const struct shape table_shape_key = {.kind = SHAPE_LIST,
                                      .element = &key_element,
                                      .has_min = true,
                                      .min = 1,
                                      .has_max = true,
                                      .max = 2};
/* How many of each role a global index may have is worded by a rule of its own. */
const struct shape table_shape_index_key = {
    .kind = SHAPE_LIST, .element = &key_element, .has_min = true, .min = 1};

/* ---- projections ----------------------------------------------------------------------------- */

static const struct shape projection_type = {.kind = SHAPE_STRING,
                                             .values = "[ALL, INCLUDE, KEYS_ONLY]"};
static const struct shape included = {.kind = SHAPE_LIST,
                                      .element = &key_name,
                                      .has_min = true,
                                      .min = 1,
                                      .has_max = true,
                                      .max = LIMIT_INCLUDED_ATTRIBUTES};
static const struct field projection_fields[] = {
    {"ProjectionType", &projection_type, false},
    {"NonKeyAttributes", &included, false},
    FIELDS_END,
};
const struct shape table_shape_projection = {
    .kind = SHAPE_STRUCT, .name = "Projection", .fields = projection_fields};

/* ---- capacity -------------------------------------------------------------------------------- */

static const struct shape units = {.kind = SHAPE_LONG, .has_min = true, .min = 1};
static const struct field throughput_fields[] = {
    {"WriteCapacityUnits", &units, true},
    {"ReadCapacityUnits", &units, true},
    FIELDS_END,
};
const struct shape table_shape_throughput = {
    .kind = SHAPE_STRUCT, .name = "ProvisionedThroughput", .fields = throughput_fields};

static const struct field on_demand_fields[] = {
    {"MaxReadRequestUnits", &shape_long, false},
    {"MaxWriteRequestUnits", &shape_long, false},
    FIELDS_END,
};
const struct shape table_shape_on_demand = {
    .kind = SHAPE_STRUCT, .name = "OnDemandThroughput", .fields = on_demand_fields};

static const struct field warm_fields[] = {
    {"ReadUnitsPerSecond", &shape_long, false},
    {"WriteUnitsPerSecond", &shape_long, false},
    FIELDS_END,
};
const struct shape table_shape_warm = {
    .kind = SHAPE_STRUCT, .name = "WarmThroughput", .fields = warm_fields};

const struct shape table_shape_billing_mode = {.kind = SHAPE_STRING,
                                               .values = "[PROVISIONED, PAY_PER_REQUEST]"};

/* ---- indexes --------------------------------------------------------------------------------- */

static const struct field local_index_fields[] = {
    {"IndexName", &shape_index_name, true},
    {"KeySchema", &table_shape_key, true},
    {"Projection", &table_shape_projection, true},
    FIELDS_END,
};
static const struct shape local_index = {
    .kind = SHAPE_STRUCT, .name = "LocalSecondaryIndex", .fields = local_index_fields};
const struct shape table_shape_local_indexes = {.kind = SHAPE_LIST, .element = &local_index};

static const struct field global_index_fields[] = {
    {"KeySchema", &table_shape_index_key, true},
    {"Projection", &table_shape_projection, true},
    {"IndexName", &shape_index_name, true},
    {"ProvisionedThroughput", &table_shape_throughput, false},
    {"OnDemandThroughput", &table_shape_on_demand, false},
    {"WarmThroughput", &table_shape_warm, false},
    FIELDS_END,
};
static const struct shape global_index = {
    .kind = SHAPE_STRUCT, .name = "GlobalSecondaryIndex", .fields = global_index_fields};
const struct shape table_shape_global_indexes = {.kind = SHAPE_LIST, .element = &global_index};

static const struct shape index_create = {.kind = SHAPE_STRUCT,
                                          .name = "CreateGlobalSecondaryIndexAction",
                                          .fields = global_index_fields};

static const struct field index_update_fields[] = {
    {"IndexName", &shape_index_name, true},
    {"ProvisionedThroughput", &table_shape_throughput, false},
    {"OnDemandThroughput", &table_shape_on_demand, false},
    {"WarmThroughput", &table_shape_warm, false},
    FIELDS_END,
};
static const struct shape index_update = {.kind = SHAPE_STRUCT,
                                          .name = "UpdateGlobalSecondaryIndexAction",
                                          .fields = index_update_fields};

static const struct field index_delete_fields[] = {
    {"IndexName", &shape_index_name, true},
    FIELDS_END,
};
static const struct shape index_delete = {.kind = SHAPE_STRUCT,
                                          .name = "DeleteGlobalSecondaryIndexAction",
                                          .fields = index_delete_fields};

static const struct field index_action_fields[] = {
    {"Update", &index_update, false},
    {"Create", &index_create, false},
    {"Delete", &index_delete, false},
    FIELDS_END,
};
static const struct shape index_action = {
    .kind = SHAPE_STRUCT, .name = "GlobalSecondaryIndexUpdate", .fields = index_action_fields};
const struct shape table_shape_index_updates = {.kind = SHAPE_LIST, .element = &index_action};

/* ---- settings -------------------------------------------------------------------------------- */

static const struct shape view_type = {
    .kind = SHAPE_STRING, .values = "[OLD_IMAGE, KEYS_ONLY, NEW_AND_OLD_IMAGES, NEW_IMAGE]"};
static const struct field stream_fields[] = {
    {"StreamEnabled", &shape_boolean, true},
    {"StreamViewType", &view_type, false},
    FIELDS_END,
};
const struct shape table_shape_stream = {
    .kind = SHAPE_STRUCT, .name = "StreamSpecification", .fields = stream_fields};

static const struct shape encryption_type = {.kind = SHAPE_STRING, .values = "[AES256, KMS]"};
static const struct field encryption_fields[] = {
    {"Enabled", &shape_boolean, false},
    {"SSEType", &encryption_type, false},
    {"KMSMasterKeyId", &shape_string, false},
    FIELDS_END,
};
const struct shape table_shape_encryption = {
    .kind = SHAPE_STRUCT, .name = "SSESpecification", .fields = encryption_fields};

/* Lengths of keys and values are worded by rules of their own. */
static const struct field tag_fields[] = {
    {"Key", &shape_string, true},
    {"Value", &shape_string, true},
    FIELDS_END,
};
static const struct shape tag = {.kind = SHAPE_STRUCT, .name = "Tag", .fields = tag_fields};
const struct shape table_shape_tags = {.kind = SHAPE_LIST, .element = &tag};

static const struct field no_fields[] = {FIELDS_END};
static const struct shape unbuilt = {.kind = SHAPE_STRUCT, .name = "Object", .fields = no_fields};
const struct shape table_shape_unbuilt_list = {.kind = SHAPE_LIST, .element = &unbuilt};
