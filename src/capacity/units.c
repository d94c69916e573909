/* SPDX-License-Identifier: Apache-2.0 */
/* units — sizes to capacity units, and the ConsumedCapacity that shows them. */
#include "capacity/units.h"

#include "base/json.h"

enum {
    READ_UNIT_BYTES = 4 * 1024,
    WRITE_UNIT_BYTES = 1024,
    UNIT = 2, /* half units */
};

/* ---- sizes to units -------------------------------------------------------------------------- */

/* Even nothing costs one unit. */
static int64_t rounded_units(size_t bytes, size_t unit_bytes)
{
    return bytes == 0 ? 1 : (int64_t)((bytes + unit_bytes - 1) / unit_bytes);
}

int64_t units_of_read(size_t bytes, bool consistent)
{
    int64_t units = rounded_units(bytes, READ_UNIT_BYTES);
    return consistent ? units * UNIT : units;
}

int64_t units_of_write(size_t old_bytes, size_t new_bytes)
{
    size_t larger = old_bytes > new_bytes ? old_bytes : new_bytes;
    return rounded_units(larger, WRITE_UNIT_BYTES) * UNIT;
}

int64_t units_of_index_write(const struct index_cost *cost)
{
    bool had = cost->old_bytes > 0;
    bool has = cost->new_bytes > 0;
    if (!had && !has) return UNITS_NONE;
    if (had && has && !cost->moved && !cost->changed) return UNITS_NONE;
    /* A moved entry is two writes: one to delete, one to put, each rounded by itself. */
    if (had && has && cost->moved)
        return units_of_write(cost->old_bytes, 0) + units_of_write(0, cost->new_bytes);
    return units_of_write(cost->old_bytes, cost->new_bytes);
}

/* ---- adding up ------------------------------------------------------------------------------- */

void consumption_open(struct consumption *consumption, struct arena *arena,
                      const struct table *table)
{
    *consumption = (struct consumption){
        .table = table,
        .name = table->name,
        .table_units = UNITS_NONE,
        .index_units = arena_array(arena, int64_t, table->index_count),
    };
    for (size_t i = 0; i < table->index_count; i++)
        consumption->index_units[i] = UNITS_NONE;
}

static void add(int64_t *arm, int64_t halves)
{
    CHECK(halves >= 0);
    *arm = *arm == UNITS_NONE ? halves : *arm + halves;
}

void consumption_add_table(struct consumption *consumption, int64_t halves)
{
    add(&consumption->table_units, halves);
}

void consumption_add_index(struct consumption *consumption, size_t index, int64_t halves)
{
    CHECK(index < consumption->table->index_count);
    add(&consumption->index_units[index], halves);
}

void consumption_add_write(struct consumption *consumption, const struct write_cost *cost,
                           int factor)
{
    consumption_add_table(consumption, units_of_write(cost->old_bytes, cost->new_bytes) * factor);
    if (cost->indexes == NULL) return;
    for (size_t i = 0; i < consumption->table->index_count; i++) {
        int64_t units = units_of_index_write(&cost->indexes[i]);
        if (units != UNITS_NONE) consumption_add_index(consumption, i, units);
    }
}

/* ---- ConsumedCapacity ------------------------------------------------------------------------ */

static int64_t total_units(const struct consumption *consumption)
{
    int64_t total = consumption->armless_units;
    if (consumption->table_units != UNITS_NONE) total += consumption->table_units;
    for (size_t i = 0; i < consumption->table->index_count; i++) {
        if (consumption->index_units[i] != UNITS_NONE) total += consumption->index_units[i];
    }
    return total;
}

/* "CapacityUnits":1.0, and its mirror. */
static void write_units(struct buffer *out, int64_t halves, enum consumption_mirror mirror)
{
    BUFFER_TEXT(out, "\"CapacityUnits\":");
    json_append_halves(out, halves);
    if (mirror == MIRROR_NONE) return;
    if (mirror == MIRROR_READ) {
        BUFFER_TEXT(out, ",\"ReadCapacityUnits\":");
    } else {
        BUFFER_TEXT(out, ",\"WriteCapacityUnits\":");
    }
    json_append_halves(out, halves);
}

/* ,"GlobalSecondaryIndexes":{"name":{…},…}, unless no index of this kind was touched. */
static void write_arms(struct buffer *out, const struct consumption *consumption,
                       enum index_kind kind, enum consumption_mirror mirror)
{
    const struct table *table = consumption->table;
    bool any = false;
    for (size_t i = 0; i < table->index_count; i++) {
        if (table->indexes[i].kind != kind || consumption->index_units[i] == UNITS_NONE) continue;
        if (any) {
            BUFFER_TEXT(out, ",");
        } else if (kind == INDEX_LOCAL) {
            BUFFER_TEXT(out, ",\"LocalSecondaryIndexes\":{");
        } else {
            BUFFER_TEXT(out, ",\"GlobalSecondaryIndexes\":{");
        }
        any = true;
        json_append_string(out, table->indexes[i].name);
        BUFFER_TEXT(out, ":{");
        write_units(out, consumption->index_units[i], mirror);
        BUFFER_TEXT(out, "}");
    }
    if (any) BUFFER_TEXT(out, "}");
}

void consumption_write(struct buffer *out, const struct consumption *consumption,
                       enum consumption_detail detail, enum consumption_mirror mirror)
{
    CHECK(detail != CONSUMED_NONE);
    BUFFER_TEXT(out, "{\"TableName\":");
    json_append_string(out, consumption->name);
    BUFFER_TEXT(out, ",");
    write_units(out, total_units(consumption), mirror);
    if (detail == CONSUMED_INDEXES) {
        /* The table's arm is shown also where only an index was read. */
        BUFFER_TEXT(out, ",\"Table\":{");
        int64_t units = consumption->table_units;
        write_units(out, units == UNITS_NONE ? 0 : units, mirror);
        BUFFER_TEXT(out, "}");
        write_arms(out, consumption, INDEX_LOCAL, mirror);
        write_arms(out, consumption, INDEX_GLOBAL, mirror);
    }
    BUFFER_TEXT(out, "}");
}

/* ---- several tables -------------------------------------------------------------------------- */

struct consumption_list consumption_list_open(struct arena *arena, size_t capacity)
{
    return (struct consumption_list){
        .arena = arena,
        .entries = arena_array(arena, struct consumption, capacity),
        .capacity = capacity,
    };
}

struct consumption *consumption_list_find(struct consumption_list *list, const struct table *table,
                                          struct slice name)
{
    for (size_t i = 0; i < list->count; i++) {
        if (list->entries[i].table == table) return &list->entries[i];
    }
    CHECK(list->count < list->capacity);
    struct consumption *entry = &list->entries[list->count++];
    consumption_open(entry, list->arena, table);
    entry->name = name;
    return entry;
}

void consumption_list_write(struct buffer *out, const struct consumption_list *list,
                            enum consumption_detail detail, enum consumption_mirror mirror)
{
    BUFFER_TEXT(out, "[");
    for (size_t i = 0; i < list->count; i++) {
        if (i > 0) BUFFER_TEXT(out, ",");
        consumption_write(out, &list->entries[i], detail, mirror);
    }
    BUFFER_TEXT(out, "]");
}
