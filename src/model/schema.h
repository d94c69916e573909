/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema — a table's description: keys, indexes, settings. Immutable once it is in the catalog; a
 * change makes a new one. The whole description lives in one arena, owned by the catalog.
 */
#ifndef STATOR_MODEL_SCHEMA_H
#define STATOR_MODEL_SCHEMA_H

#include "base/json.h"
#include "model/error.h"
#include "model/limits.h"
#include "model/value.h"

struct key_attribute {
    struct slice name;
    enum value_type type; /* STRING, NUMBER or BINARY */
};

/*
 * Partition attributes first, then sort attributes. A table has 1 + 0..1, a global index 1..4 +
 * 0..4.
 */
struct key_schema {
    uint8_t partition_count;
    uint8_t sort_count;
    struct key_attribute attributes[2 * LIMIT_INDEX_KEY_ATTRIBUTES];
};

enum projection_type { PROJECT_KEYS_ONLY, PROJECT_INCLUDE, PROJECT_ALL };
enum index_kind { INDEX_LOCAL, INDEX_GLOBAL };
enum index_status { INDEX_CREATING, INDEX_UPDATING, INDEX_DELETING, INDEX_ACTIVE };

struct throughput {
    int64_t read_units; /* 0: not provisioned */
    int64_t write_units;
    int64_t increase_ms; /* time of the last increase, 0 = never */
    int64_t decrease_ms;
    int64_t decreases_today;
};

struct unit_pair { /* OnDemandThroughput maxima, WarmThroughput; UNITS_UNSET where not given */
    int64_t read;
    int64_t write;
};
#define UNITS_UNSET INT64_MIN

struct index {
    struct slice name;
    enum index_kind kind;
    uint32_t id; /* unique in its table, never used twice */
    struct key_schema key;
    enum projection_type projection;
    struct slice *included; /* NonKeyAttributes, sorted by name, as they are described */
    size_t included_count;
    /*
     * Every attribute an entry holds when the projection is not ALL: index keys, table keys and
     * included ones; sorted by name, none twice. Derived by schema_finish.
     */
    struct slice *projected;
    size_t projected_count;
    enum index_status status;
    bool backfilling;
    int64_t updating_until_ms; /* an ACTIVE index shows as UPDATING until then */
    struct throughput throughput;
    struct unit_pair on_demand;
    struct unit_pair warm;
};

enum table_status { TABLE_CREATING, TABLE_UPDATING, TABLE_DELETING, TABLE_ACTIVE };
enum billing_mode { BILLING_PROVISIONED, BILLING_PAY_PER_REQUEST };
enum table_class { CLASS_UNSET, CLASS_STANDARD, CLASS_INFREQUENT_ACCESS };
enum table_change { CHANGE_OTHER, CHANGE_UNITS, CHANGE_STREAM, CHANGE_CLASS };
enum stream_view {
    STREAM_OFF,
    STREAM_KEYS_ONLY,
    STREAM_NEW_IMAGE,
    STREAM_OLD_IMAGE,
    STREAM_NEW_AND_OLD
};

/*
 * An open part of a table's change log: it takes the changes of the rows whose partition keys hash
 * into its range. Closed ones are known to store/stream.h only.
 */
struct shard {
    uint32_t id; /* unique in its table, never used twice, growing */
    uint32_t hash_first;
    uint32_t hash_last; /* inclusive */
    int64_t opened_ms;
};

/* Time to live: which attribute says when an item expires, and how far the change has come. */
struct ttl {
    struct slice attribute; /* empty: never enabled */
    bool enabled;
    bool filling;       /* the index of expiry times is not complete yet */
    int64_t changed_ms; /* of the last UpdateTimeToLive; 0 = never */
    int64_t settled_ms; /* ENABLING or DISABLING until then */
};

/* A resource-based policy. Its revision is the time of its last change. */
struct policy {
    struct slice text;  /* JSON; empty = none */
    int64_t changed_ms; /* also of a deletion; 0 = never */
};

struct tag {
    struct slice key;
    struct slice value;
};

struct table {
    uint64_t id;      /* in keys; never used twice */
    uint64_t version; /* of this description; grows with every change */
    struct slice name;
    struct slice uuid; /* TableId */
    struct key_schema key;
    struct index *indexes; /* local and global, in the order of creation */
    size_t index_count;
    bool has_local_indexes;
    uint32_t next_index_id;

    /* AttributeDefinitions, sorted by name, as they are described. */
    struct key_attribute *definitions;
    size_t definition_count;

    enum table_status status; /* as last recorded; see catalog.h for the time-dependent answer */
    int64_t created_ms;
    int64_t active_ms; /* when a CREATING or UPDATING table becomes ACTIVE, or a DELETING goes */
    enum table_change change; /* what an UPDATING table is being changed in */
    enum billing_mode billing;
    int64_t on_demand_since_ms; /* LastUpdateToPayPerRequestDateTime; 0 = never */
    int64_t on_demand_switches_ms[LIMIT_ON_DEMAND_SWITCHES]; /* the last ones, newest first */
    struct throughput throughput;
    struct unit_pair on_demand;
    struct unit_pair warm;
    enum table_class class;
    int64_t class_changed_ms;
    int64_t class_changed_before_ms; /* the change before that one: their rate is limited */
    bool deletion_protection;
    int64_t protection_changed_ms; /* by UpdateTable; 0 = never */
    enum stream_view stream;
    struct slice stream_label; /* LatestStreamLabel; empty = never had one */
    /* Sorted by hashes, covering them all; none when nobody reads the table's changes. */
    struct shard *shards;
    size_t shard_count;
    uint32_t next_shard_id;
    bool sse_enabled;
    struct slice sse_key_arn; /* KMSMasterKeyArn; empty when SSE is not asked for */
    int64_t sse_changed_ms;   /* of the last change; 0 = never */
    int64_t sse_window_ms;    /* of the change that began the current 24 hours */
    int64_t sse_changes;      /* in these 24 hours */
    struct policy policy;
    struct policy stream_policy; /* of the latest stream */
    struct ttl ttl;
    struct tag *tags;
    size_t tag_count;
};

/* The role of an attribute in a key: index of the attribute or -1. */
int key_schema_find(const struct key_schema *key, struct slice name);

static inline unsigned key_schema_count(const struct key_schema *key)
{
    return (unsigned)key->partition_count + key->sort_count;
}

/* NULL when there is none. */
const struct index *table_index(const struct table *table, struct slice name);

/* True when the attribute is in every entry of the index. */
bool index_projects(const struct index *index, struct slice attribute);

/* Fills what is derived: projected attributes, has_local_indexes. */
void schema_finish(struct table *table, struct arena *arena);

/* The stored form of a description (JSON text of our own, versioned), and back. */
void schema_write(struct buffer *out, const struct table *table);

/* Everything is copied into the arena. False when the bytes are not a description we wrote. */
bool schema_read(struct arena *arena, struct slice bytes, struct table *table);

#endif
