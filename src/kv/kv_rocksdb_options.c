/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_rocksdb_options — the settings: quick to start, small when idle, and never silently wrong.
 *
 * Corruption is reported, never served: every block read is checked against its checksum. Of the
 * write-ahead log nothing is forgiven: what a crash leaves behind has been cut off before
 * (kv_wal.h), so any damage that RocksDB meets is real. Its own default would silently drop
 * everything after the damage, acknowledged writes included. Tables that are missing or cut short
 * are noticed at the start.
 */
#include "kv/kv_rocksdb_options.h"

#include <sys/resource.h>

enum {
    CACHE_BYTES = 64 * 1024 * 1024, /* one that held all saved a twentieth (docs/performance.md) */
    CACHE_SHARD_BITS = 4,           /* shards of 4 MB: a block with the largest value fits any */
    MEMTABLE_BYTES = 32 * 1024 * 1024,
    MEMTABLE_COUNT_MAX = 3,
    MEMTABLE_ARENA_BYTES = 256 * 1024, /* how memory grows from nothing */
    MEMTABLE_FILTER_PART = 128,        /* of a memtable, for a filter of its keys */
    LEVEL_BASE_BYTES = 128 * 1024 * 1024,
    OPEN_FILES_MAX = 512,
    OPEN_FILES_PART = 4, /* of the process's descriptors, at most */
    BACKGROUND_JOBS = 2,
    SYNC_STEP_BYTES = 1024 * 1024, /* background writes reach the disk in such steps */
    FILTER_BITS_PER_KEY = 10,      /* one in a hundred absent keys costs a read */
    TABLE_FORMAT = 5,
    INFO_LOGS_MAX = 2,

    INFO_LOG_FATAL = 4,       /* rocksdb::FATAL_LEVEL */
    WAL_TOLERATE_NOTHING = 1, /* WALRecoveryMode::kAbsoluteConsistency */
};

static int open_files_max(void);
static void set_tables(rocksdb_options_t *options, size_t cache_bytes);

rocksdb_options_t *kv_rocksdb_options_create(const struct kv_options *options)
{
    /*
     * What the C interface has no function for. Replaying a small log is faster than writing it out
     * as a table at every start, and a closed store's log is complete.
     */
    rocksdb_options_t *plain = rocksdb_options_create();
    rocksdb_options_t *result = rocksdb_options_create();
    char *error = NULL;
    rocksdb_get_options_from_string(plain,
                                    "avoid_flush_during_recovery=true;"
                                    "avoid_flush_during_shutdown=true;"
                                    "track_and_verify_wals_in_manifest=true",
                                    result, &error);
    CHECK(error == NULL);
    rocksdb_options_destroy(plain);

    rocksdb_options_set_create_if_missing(result, true);
    rocksdb_options_set_paranoid_checks(result, true);
    rocksdb_options_set_wal_recovery_mode(result, WAL_TOLERATE_NOTHING);
    rocksdb_options_set_compression(result, rocksdb_lz4_compression);
    rocksdb_options_set_write_buffer_size(result, MEMTABLE_BYTES);
    rocksdb_options_set_max_write_buffer_number(result, MEMTABLE_COUNT_MAX);
    rocksdb_options_set_arena_block_size(result, MEMTABLE_ARENA_BYTES);
    /* A write reads the old item first: of a new key, the filter spares the search in vain. */
    rocksdb_options_set_memtable_prefix_bloom_size_ratio(result, 1.0 / MEMTABLE_FILTER_PART);
    rocksdb_options_set_memtable_whole_key_filtering(result, true);
    rocksdb_options_set_max_bytes_for_level_base(result, LEVEL_BASE_BYTES);
    rocksdb_options_set_level_compaction_dynamic_level_bytes(result, true);
    rocksdb_options_set_max_background_jobs(result, BACKGROUND_JOBS);
    rocksdb_options_set_bytes_per_sync(result, SYNC_STEP_BYTES);

    /* A start reads no more than it must, on one thread. */
    rocksdb_options_set_skip_stats_update_on_db_open(result, true);
    rocksdb_options_set_max_file_opening_threads(result, 1);
    rocksdb_options_set_max_open_files(result, open_files_max());

    /*
     * RocksDB ends the process when it cannot write its own log file, which on a full or failing
     * disk is what it wants to report. Its statuses say the same, and go to our log.
     */
    rocksdb_options_set_info_log_level(result, INFO_LOG_FATAL);
    rocksdb_options_set_keep_log_file_num(result, INFO_LOGS_MAX);
    rocksdb_options_set_stats_dump_period_sec(result, 0);
    rocksdb_options_set_stats_persist_period_sec(result, 0);
    set_tables(result, options->cache_bytes > 0 ? options->cache_bytes : CACHE_BYTES);
    return result;
}

/* The rest of the descriptors is for connections. */
static int open_files_max(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return OPEN_FILES_MAX;
    const rlim_t part = limit.rlim_cur / OPEN_FILES_PART;
    return part < OPEN_FILES_MAX ? (int)part : OPEN_FILES_MAX;
}

static void set_tables(rocksdb_options_t *options, size_t cache_bytes)
{
    rocksdb_lru_cache_options_t *cache_options = rocksdb_lru_cache_options_create();
    rocksdb_lru_cache_options_set_capacity(cache_options, cache_bytes);
    rocksdb_lru_cache_options_set_num_shard_bits(cache_options, CACHE_SHARD_BITS);
    rocksdb_cache_t *cache = rocksdb_cache_create_lru_opts(cache_options);
    rocksdb_lru_cache_options_destroy(cache_options);

    rocksdb_block_based_table_options_t *tables = rocksdb_block_based_options_create();
    rocksdb_block_based_options_set_block_cache(tables, cache);
    rocksdb_block_based_options_set_format_version(tables, TABLE_FORMAT);
    rocksdb_block_based_options_set_whole_key_filtering(tables, true);
    rocksdb_block_based_options_set_filter_policy(
        tables, rocksdb_filterpolicy_create_bloom_full(FILTER_BITS_PER_KEY));
    rocksdb_options_set_block_based_table_factory(options, tables);
    rocksdb_block_based_options_destroy(tables);
    rocksdb_cache_destroy(cache); /* our reference; the tables keep theirs */
}

/* The C interface gives an error as text only; these are the texts of RocksDB and of strerror. */
enum kv_open_status kv_rocksdb_options_failure(const char *error)
{
    static const struct {
        const char *text;
        enum kv_open_status status;
    } known[] = {
        {"Corruption: ", KV_OPEN_CORRUPT},
        {"Resource temporarily unavailable", KV_OPEN_LOCKED}, /* by another process */
        {"lock hold by current process", KV_OPEN_LOCKED},
        {"Permission denied", KV_OPEN_UNWRITABLE},
        {"Read-only file system", KV_OPEN_UNWRITABLE},
        {"No space left on device", KV_OPEN_UNWRITABLE},
        {"Disk quota exceeded", KV_OPEN_UNWRITABLE},
        {"No such file or directory", KV_OPEN_CORRUPT}, /* a file that the others name */
        {"Not implemented: ", KV_OPEN_NEWER},           /* files of a RocksDB newer than ours */
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strstr(error, known[i].text) != NULL) return known[i].status;
    return KV_OPEN_FAILED;
}
