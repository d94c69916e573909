/* SPDX-License-Identifier: Apache-2.0 */
/*
 * units — what a request consumes, by facts/capacity.md. Figures are counted in half units, so that
 * eventually consistent reads are whole numbers; json_append_halves prints them.
 */
#ifndef STATOR_CAPACITY_UNITS_H
#define STATOR_CAPACITY_UNITS_H

#include "model/schema.h"

/* What one write did to one index's entry, sizes as DynamoDB counts them; 0 = no entry. */
struct index_cost {
    size_t old_bytes;
    size_t new_bytes;
    bool moved;   /* both exist, and the entry's key changed */
    bool changed; /* both exist under one key, and the content changed */
};

struct write_cost {
    size_t old_bytes;           /* the item before, 0 = none */
    size_t new_bytes;           /* after, or as attempted when the condition failed; 0 = none */
    struct index_cost *indexes; /* one per index of the table, or NULL: none was touched */
};

/* Half units. factor is 2 in transactions, else 1: it applies to the table, not to its indexes. */
int64_t units_of_read(size_t bytes, bool consistent);
int64_t units_of_write(size_t old_bytes, size_t new_bytes);
int64_t units_of_index_write(const struct index_cost *cost);

/*
 * Consumption of one table within a request, built up over its items. Half units; UNITS_NONE where
 * an arm was not touched and is left out of the answer.
 */
struct consumption {
    const struct table *table;
    struct slice name; /* as the answer shows it: the table's name, or the ARN that was asked for */
    int64_t table_units;
    int64_t *index_units; /* one per index of the table */
    int64_t
        armless_units; /* in the total, but in no arm: failed members of a batch of statements */
};
#define UNITS_NONE (-1)

/* Nothing consumed yet; the name is the table's. */
void consumption_open(struct consumption *consumption, struct arena *arena,
                      const struct table *table);
void consumption_add_table(struct consumption *consumption, int64_t halves);
void consumption_add_index(struct consumption *consumption, size_t index, int64_t halves);

/* Adds a write: the table's arm times factor, and each touched index's arm. */
void consumption_add_write(struct consumption *consumption, const struct write_cost *cost,
                           int factor);

enum consumption_detail { CONSUMED_NONE, CONSUMED_TOTAL, CONSUMED_INDEXES };

/* Which mirror of CapacityUnits is shown too: transactions only. */
enum consumption_mirror { MIRROR_NONE, MIRROR_READ, MIRROR_WRITE };

/* Appends {"TableName":…,"CapacityUnits":…,…}. */
void consumption_write(struct buffer *out, const struct consumption *consumption,
                       enum consumption_detail detail, enum consumption_mirror mirror);

/* The consumption of several tables: an entry for each, in the order they were first asked for. */
struct consumption_list {
    struct arena *arena;
    struct consumption *entries;
    size_t count;
    size_t capacity;
};

/* An empty list for at most capacity tables. */
struct consumption_list consumption_list_open(struct arena *arena, size_t capacity);

/* The table's entry, opened under this name when it is the first time. */
struct consumption *consumption_list_find(struct consumption_list *list, const struct table *table,
                                          struct slice name);

/* Appends [{…},…]. */
void consumption_list_write(struct buffer *out, const struct consumption_list *list,
                            enum consumption_detail detail, enum consumption_mirror mirror);

#endif
