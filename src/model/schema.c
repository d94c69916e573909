/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema — table descriptions: looking things up in them, deriving what is derived.
 * Their stored form is in schema_json.c.
 */
#include "model/schema.h"

#include <stdlib.h>

int key_schema_find(const struct key_schema *key, struct slice name)
{
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        if (slice_equal(key->attributes[i].name, name)) return (int)i;
    }
    return -1;
}

const struct index *table_index(const struct table *table, struct slice name)
{
    for (size_t i = 0; i < table->index_count; i++) {
        if (slice_equal(table->indexes[i].name, name)) return &table->indexes[i];
    }
    return NULL;
}

bool index_projects(const struct index *index, struct slice attribute)
{
    if (index->projection == PROJECT_ALL) return true;
    size_t low = 0;
    size_t high = index->projected_count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = slice_compare(index->projected[middle], attribute);
        if (order == 0) return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

static int compare_names(const void *a, const void *b)
{
    return slice_compare(*(const struct slice *)a, *(const struct slice *)b);
}

static size_t add_key_names(const struct key_schema *key, struct slice *names)
{
    for (unsigned i = 0; i < key_schema_count(key); i++)
        names[i] = key->attributes[i].name;
    return key_schema_count(key);
}

static void derive_projected(const struct table *table, struct index *index, struct arena *arena)
{
    const size_t most =
        key_schema_count(&table->key) + key_schema_count(&index->key) + index->included_count;
    struct slice *names = arena_array(arena, struct slice, most);
    size_t count = add_key_names(&table->key, names);
    count += add_key_names(&index->key, names + count);
    for (size_t i = 0; i < index->included_count; i++)
        names[count++] = index->included[i];
    CHECK(count == most);

    qsort(names, count, sizeof(*names), compare_names);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || !slice_equal(names[kept - 1], names[i])) names[kept++] = names[i];
    }
    index->projected = names;
    index->projected_count = kept;
}

void schema_finish(struct table *table, struct arena *arena)
{
    table->has_local_indexes = false;
    for (size_t i = 0; i < table->index_count; i++) {
        struct index *index = &table->indexes[i];
        if (index->kind == INDEX_LOCAL) table->has_local_indexes = true;
        index->projected = NULL;
        index->projected_count = 0;
        if (index->projection != PROJECT_ALL) derive_projected(table, index, arena);
    }
}
