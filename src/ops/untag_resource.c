/* SPDX-License-Identifier: Apache-2.0 */
/* untag_resource — UntagResource: takes tags off a table; keys it does not have do no harm. */
#include "ops/table_input.h"
#include "ops/tagging.h"

enum input { INPUT_RESOURCE_ARN, INPUT_TAG_KEYS, INPUT_COUNT };

static const struct field fields[] = {
    [INPUT_RESOURCE_ARN] = {"ResourceArn", &tagging_shape_arn, false},
    [INPUT_TAG_KEYS] = {"TagKeys", &shape_string_list, true},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "UntagResourceInput", .fields = fields};

struct untagging {
    struct resource_arn arn;
    struct slice *keys;
    size_t key_count;
};

static enum error_code plan(struct request *request)
{
    struct call *call = &request->call;
    struct untagging *untagging = arena_new(call->arena, struct untagging);
    const struct json_token *list = request->input[INPUT_TAG_KEYS];
    request->plan = untagging;
    TRY(resource_arn_read(request, request->input[INPUT_RESOURCE_ARN], ARN_OF_TAGS,
                          &untagging->arn));
    if (list->length == 0) {
        return fail(call, ERROR_VALIDATION, "Atleast one Tag Key needs to be provided as Input.");
    }
    untagging->keys = arena_array(call->arena, struct slice, list->length);
    untagging->key_count = list->length;
    const struct json_token *token = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, token = json_next(token)) {
        untagging->keys[i] = input_string(request, token);
        TRY(table_input_check_tag_key(call, untagging->keys[i]));
    }
    return OK;
}

static bool is_named(const struct untagging *untagging, struct slice key)
{
    for (size_t i = 0; i < untagging->key_count; i++) {
        if (slice_equal(untagging->keys[i], key)) return true;
    }
    return false;
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    const struct untagging *untagging = request->plan;
    struct table *table;
    TRY(tagging_read_table(request, txn, &untagging->arn, &table));
    size_t kept = 0;
    for (size_t i = 0; i < table->tag_count; i++) {
        if (!is_named(untagging, table->tags[i].key)) table->tags[kept++] = table->tags[i];
    }
    const bool changes = kept != table->tag_count;
    table->tag_count = kept;
    if (changes) catalog_write(txn, request->call.arena, table);
    return OK;
}

const struct op op_untag_resource = {
    .name = "UntagResource",
    .kind = OP_CATALOG,
    .input = &input_shape,
    .plan = plan,
    .run = run,
};
