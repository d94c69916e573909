/* SPDX-License-Identifier: Apache-2.0 */
/* kv_rocksdb_flush — the two moments at which memtables are written out before they are full. */
#include "kv/kv_rocksdb_flush.h"

#include "base/log.h"

#include <dirent.h>
#include <string.h>

enum {
    REPLAYED_ROWS_MAX = 1000,                  /* 2 ms of a start */
    REPLAYED_LOGS_MAX = 8,                     /* each start adds one, also an empty one */
    UNFLUSHED_BYTES_MAX = 1024 * 1024 * 3 / 2, /* of memtables, of which 0.5 MB when empty */
};

static uint64_t property(rocksdb_t *db, const char *name)
{
    uint64_t value = 0;
    (void)rocksdb_property_int(db, name, &value);
    return value;
}

static int count_logs(const char *path)
{
    DIR *directory = opendir(path);
    if (directory == NULL) return 0;
    int count = 0;
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        const char *ending = strrchr(entry->d_name, '.');
        if (ending != NULL && strcmp(ending, ".log") == 0) count++;
    }
    closedir(directory);
    return count;
}

static void flush(rocksdb_t *db, bool waits)
{
    rocksdb_flushoptions_t *options = rocksdb_flushoptions_create();
    rocksdb_flushoptions_set_wait(options, waits);
    char *error = NULL;
    rocksdb_flush(db, options, &error);
    if (error != NULL) log_error("storage: the next start will take longer: %s", error);
    rocksdb_free(error);
    rocksdb_flushoptions_destroy(options);
}

/* A flush of nothing is none, and would leave the logs where they are. */
static void rewrite(rocksdb_t *db, struct slice row)
{
    const char *key = (const char *)row.data;
    rocksdb_readoptions_t *read_options = rocksdb_readoptions_create();
    rocksdb_writeoptions_t *past_log = rocksdb_writeoptions_create();
    rocksdb_writeoptions_disable_WAL(past_log, true);
    char *error = NULL;
    size_t length = 0;
    char *value = rocksdb_get(db, read_options, key, row.length, &length, &error);
    if (value != NULL) rocksdb_put(db, past_log, key, row.length, value, length, &error);
    rocksdb_free(value);
    rocksdb_free(error);
    rocksdb_writeoptions_destroy(past_log);
    rocksdb_readoptions_destroy(read_options);
}

bool kv_rocksdb_flush_opened(rocksdb_t *db, const char *path, struct slice key)
{
    const uint64_t rows = property(db, "rocksdb.num-entries-active-mem-table");
    if (rows <= REPLAYED_ROWS_MAX && count_logs(path) <= REPLAYED_LOGS_MAX) return false;
    if (rows == 0) rewrite(db, key);
    flush(db, false);
    return rows == 0;
}

void kv_rocksdb_flush_closing(rocksdb_t *db)
{
    if (property(db, "rocksdb.cur-size-all-mem-tables") > UNFLUSHED_BYTES_MAX) flush(db, true);
}
