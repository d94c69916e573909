/* SPDX-License-Identifier: Apache-2.0 */
/* many_writes — looks for two writes of one item, and tells the sizes of item collections. */
#include "ops/many_writes.h"

#include "ops/distinct.h"
#include "store/layout.h"

struct many_writes many_writes_open(struct arena *arena, size_t capacity)
{
    return (struct many_writes){
        .writes = arena_array(arena, struct write, capacity),
        .names = arena_array(arena, struct slice, capacity),
        .capacity = capacity,
    };
}

bool many_writes_are_distinct(const struct many_writes *many, struct arena *arena)
{
    struct slice *keys = arena_array(arena, struct slice, many->count);
    size_t count = 0;
    for (size_t i = 0; i < many->count; i++) {
        if (many->writes[i].row_key.length > 0) keys[count++] = many->writes[i].row_key;
    }
    return distinct_sort(keys, count);
}

/* ---- item collections ------------------------------------------------------------------------ */

/* A ConditionCheck changes no collection. */
static bool has_collection(const struct write *write)
{
    return write->table->has_local_indexes && write->kind != WRITE_CHECK;
}

/* A collection is told once, by its last write: that one knows its final size. */
static bool is_last_of_collection(const struct many_writes *many, struct arena *arena, size_t index)
{
    const struct write *write = &many->writes[index];
    struct slice collection = layout_collection_key(arena, write->table, write->key);
    for (size_t i = index + 1; i < many->count; i++) {
        const struct write *later = &many->writes[i];
        if (later->table != write->table || !has_collection(later)) continue;
        if (slice_equal(collection, layout_collection_key(arena, write->table, later->key)))
            return false;
    }
    return true;
}

static bool is_first_of_table(const struct many_writes *many, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        const struct write *earlier = &many->writes[i];
        if (earlier->table == many->writes[index].table && has_collection(earlier)) return false;
    }
    return true;
}

static void respond_table(struct request *request, const struct many_writes *many, size_t first)
{
    struct buffer *out = &request->response;
    bool any = false;
    json_append_string(out, many->names[first]);
    BUFFER_TEXT(out, ":[");
    for (size_t i = first; i < many->count; i++) {
        const struct write *write = &many->writes[i];
        if (write->table != many->writes[first].table || !has_collection(write)) continue;
        if (!is_last_of_collection(many, request->call.arena, i)) continue;
        if (any) BUFFER_TEXT(out, ",");
        respond_collection_metrics(request, write);
        any = true;
    }
    BUFFER_TEXT(out, "]");
}

void many_writes_respond_metrics(struct request *request, const struct many_writes *many)
{
    bool any = false;
    for (size_t i = 0; i < many->count; i++) {
        if (!has_collection(&many->writes[i]) || !is_first_of_table(many, i)) continue;
        if (any) {
            BUFFER_TEXT(&request->response, ",");
        } else {
            respond_member(request, "ItemCollectionMetrics");
            BUFFER_TEXT(&request->response, "{");
        }
        any = true;
        respond_table(request, many, i);
    }
    if (any) BUFFER_TEXT(&request->response, "}");
}
