/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_tags_of_resource — ListTagsOfResource: a table's tags, all on one page: a table has no more
 * than 50. As the service does, a NextToken that it did not give out is not looked at.
 */
#include "ops/respond.h"
#include "ops/tagging.h"

enum input { INPUT_RESOURCE_ARN, INPUT_NEXT_TOKEN, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_RESOURCE_ARN] = {"ResourceArn", &tagging_shape_arn, false},
    [INPUT_NEXT_TOKEN] = {"NextToken", &shape_string, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "ListTagsOfResourceInput", .fields = fields};

static enum error_code plan(struct request *request)
{
    struct resource_arn arn;
    TRY(resource_arn_read(request, request->input[INPUT_RESOURCE_ARN], ARN_OF_TAGS, &arn));
    const int64_t now_ms = request->call.now_ms;
    const struct table *table = catalog_find(request->catalog, arn.table, now_ms);
    if (table == NULL || table_status_at(table, now_ms) == TABLE_CREATING)
        return tagging_not_found(request, &arn);

    struct buffer *out = &request->response;
    respond_open(request);
    respond_member(request, "Tags");
    BUFFER_TEXT(out, "[");
    for (size_t i = 0; i < table->tag_count; i++) {
        if (i > 0) BUFFER_TEXT(out, ",");
        BUFFER_TEXT(out, "{\"Key\":");
        json_append_string(out, table->tags[i].key);
        BUFFER_TEXT(out, ",\"Value\":");
        json_append_string(out, table->tags[i].value);
        BUFFER_TEXT(out, "}");
    }
    BUFFER_TEXT(out, "]");
    respond_close(request);
    return OK;
}

const struct op op_list_tags_of_resource = {
    .name = "ListTagsOfResource",
    .kind = OP_LOCAL,
    .input = &input_shape,
    .plan = plan,
};
