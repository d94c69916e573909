/* SPDX-License-Identifier: Apache-2.0 */
/* respond — writes the members that many responses share. */
#include "ops/respond.h"

#include "model/value_json.h"

enum consumption_detail respond_detail(const struct json_token *token)
{
    if (token == NULL) return CONSUMED_NONE;
    /* The shape has checked the value; none of the three holds a character that needs escaping. */
    struct slice text = json_raw(token);
    if (slice_equal_string(text, "TOTAL")) return CONSUMED_TOTAL;
    if (slice_equal_string(text, "INDEXES")) return CONSUMED_INDEXES;
    return CONSUMED_NONE;
}

void respond_open(struct request *request)
{
    request->response.length = 0;
    BUFFER_TEXT(&request->response, "{");
}

void respond_close(struct request *request)
{
    BUFFER_TEXT(&request->response, "}");
}

void respond_member(struct request *request, const char *name)
{
    struct buffer *out = &request->response;
    CHECK(out->length > 0);
    if (out->length > 1) BUFFER_TEXT(out, ",");
    json_append_string(out, slice_of_string(name));
    BUFFER_TEXT(out, ":");
}

void respond_item(struct request *request, const char *name, struct slice item)
{
    respond_member(request, name);
    item_to_json(&request->response, item);
}

void respond_consumed(struct request *request, const struct consumption *consumption,
                      enum consumption_detail detail)
{
    if (detail == CONSUMED_NONE) return;
    respond_member(request, "ConsumedCapacity");
    consumption_write(&request->response, consumption, detail, MIRROR_NONE);
}

void respond_consumed_list(struct request *request, const struct consumption_list *list,
                           enum consumption_detail detail, enum consumption_mirror mirror)
{
    if (detail == CONSUMED_NONE) return;
    respond_member(request, "ConsumedCapacity");
    consumption_list_write(&request->response, list, detail, mirror);
}

/* The partition key's attributes, as an item. */
static struct slice collection_key(struct arena *arena, const struct table *table, struct slice key)
{
    struct attribute attributes[LIMIT_INDEX_KEY_ATTRIBUTES];
    size_t count = table->key.partition_count;
    for (size_t i = 0; i < count; i++) {
        struct slice name = table->key.attributes[i].name;
        attributes[i] = (struct attribute){name, item_attribute(key, name).encoded};
    }
    return item_build(arena, attributes, count);
}

void respond_collection_metrics(struct request *request, const struct write *write)
{
    struct buffer *out = &request->response;
    const int64_t gigabyte = 1LL << 30;
    int64_t lower = write->collection_bytes / gigabyte;

    BUFFER_TEXT(out, "{\"ItemCollectionKey\":");
    item_to_json(out, collection_key(request->call.arena, write->table, write->key));
    BUFFER_TEXT(out, ",\"SizeEstimateRangeGB\":[");
    json_append_halves(out, 2 * lower);
    BUFFER_TEXT(out, ",");
    json_append_halves(out, 2 * (lower + 1));
    BUFFER_TEXT(out, "]}");
}
