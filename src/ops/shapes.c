/* SPDX-License-Identifier: Apache-2.0 */
/* shapes — the shapes that many operations share, as the service model has them. */
#include "model/limits.h"
#include "ops/shape.h"

const struct shape shape_string = {.kind = SHAPE_STRING};
const struct shape shape_boolean = {.kind = SHAPE_BOOLEAN};
const struct shape shape_integer = {.kind = SHAPE_INTEGER};
const struct shape shape_long = {.kind = SHAPE_LONG};

static const struct shape blob = {.kind = SHAPE_BLOB};
static const struct shape blob_list = {.kind = SHAPE_LIST, .element = &blob};
static const struct shape value_list = {.kind = SHAPE_LIST, .element = &shape_value};
static const struct shape value_map = {.kind = SHAPE_MAP, .element = &shape_value};

static const struct field value_fields[] = {
    {"S", &shape_string, false},
    {"N", &shape_string, false},
    {"B", &blob, false},
    {"M", &value_map, false},
    {"BOOL", &shape_boolean, false},
    {"NULL", &shape_boolean, false},
    {"L", &value_list, false},
    {"SS", &shape_string_list, false},
    {"NS", &shape_string_list, false},
    {"BS", &blob_list, false},
    {0},
};

const struct shape shape_value = {
    .kind = SHAPE_VALUE, .name = "AttributeValue", .fields = value_fields};

const struct shape shape_table_name = {.kind = SHAPE_STRING,
                                       .table_arn = true,
                                       .has_min = true,
                                       .min = 1,
                                       .has_max = true,
                                       .max = LIMIT_TABLE_ARN_LENGTH};
const struct shape shape_index_name = {.kind = SHAPE_STRING,
                                       .name_pattern = true,
                                       .has_min = true,
                                       .min = LIMIT_TABLE_NAME_LENGTH_MIN,
                                       .has_max = true,
                                       .max = LIMIT_TABLE_NAME_LENGTH};
const struct shape shape_item = {.kind = SHAPE_MAP,
                                 .element = &shape_value,
                                 .has_key_limits = true,
                                 .key_max = LIMIT_ATTRIBUTE_NAME_BYTES};
const struct shape shape_key = {.kind = SHAPE_MAP,
                                .element = &shape_value,
                                .has_key_limits = true,
                                .key_max = LIMIT_ATTRIBUTE_NAME_BYTES};
const struct shape shape_names = {.kind = SHAPE_MAP, .element = &shape_string};
const struct shape shape_values = {.kind = SHAPE_MAP, .element = &shape_value};
const struct shape shape_string_list = {.kind = SHAPE_LIST, .element = &shape_string};

const struct shape shape_return_consumed_capacity = {.kind = SHAPE_STRING,
                                                     .values = "[INDEXES, TOTAL, NONE]"};
const struct shape shape_return_item_collection_metrics = {.kind = SHAPE_STRING,
                                                           .values = "[SIZE, NONE]"};
const struct shape shape_return_values = {
    .kind = SHAPE_STRING, .values = "[ALL_NEW, UPDATED_OLD, ALL_OLD, NONE, UPDATED_NEW]"};
const struct shape shape_return_values_on_failure = {.kind = SHAPE_STRING,
                                                     .values = "[ALL_OLD, NONE]"};
const struct shape shape_select = {
    .kind = SHAPE_STRING,
    .values = "[SPECIFIC_ATTRIBUTES, COUNT, ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]"};
