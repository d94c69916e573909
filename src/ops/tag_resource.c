/* SPDX-License-Identifier: Apache-2.0 */
/* tag_resource — TagResource: adds tags to a table, or gives those it has new values. */
#include "ops/resource_arn.h"
#include "ops/table_input.h"
#include "ops/table_shape.h"
#include "ops/tagging.h"

enum input { INPUT_RESOURCE_ARN, INPUT_TAGS, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_RESOURCE_ARN] = {"ResourceArn", &tagging_shape_arn, false},
    [INPUT_TAGS] = {"Tags", &table_shape_tags, true},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "TagResourceInput", .fields = fields};

struct tagging {
    struct resource_arn arn;
    struct table given; /* its tags only */
};

static enum error_code plan(struct request *request)
{
    struct tagging *tagging = arena_new(request->call.arena, struct tagging);
    request->plan = tagging;
    TRY(resource_arn_read(request, request->input[INPUT_RESOURCE_ARN], ARN_OF_TAGS, &tagging->arn));
    if (request->input[INPUT_TAGS]->length == 0) {
        return fail(&request->call, ERROR_VALIDATION,
                    "Atleast one Tag needs to be provided as Input.");
    }
    return table_input_tags(request, request->input[INPUT_TAGS], &tagging->given);
}

/* True when the tag changes the list, which has room for it. */
static bool set_tag(struct table *table, const struct tag *tag)
{
    for (size_t i = 0; i < table->tag_count; i++) {
        if (!slice_equal(table->tags[i].key, tag->key)) continue;
        const bool changes = !slice_equal(table->tags[i].value, tag->value);
        table->tags[i].value = tag->value;
        return changes;
    }
    table->tags[table->tag_count++] = *tag;
    return true;
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    const struct tagging *tagging = request->plan;
    const struct table *given = &tagging->given;
    struct call *call = &request->call;
    struct table *table;
    TRY(tagging_read_table(request, txn, &tagging->arn, &table));

    struct tag *tags = arena_array(call->arena, struct tag, table->tag_count + given->tag_count);
    if (table->tag_count > 0) memcpy(tags, table->tags, table->tag_count * sizeof *tags);
    table->tags = tags;
    bool changes = false;
    for (size_t i = 0; i < given->tag_count; i++)
        changes |= set_tag(table, &given->tags[i]);
    if (table->tag_count > LIMIT_TAGS) {
        return fail(call, ERROR_VALIDATION,
                    "Number of Tags exceed the current limit for the provided ResourceArn");
    }
    if (changes) catalog_write(txn, call->arena, table);
    return OK;
}

const struct op op_tag_resource = {
    .name = "TagResource",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
};
