/* SPDX-License-Identifier: Apache-2.0 */
/* kv_rocksdb_manifest — the manifest is RocksDB's to read: it opens the database to read only. */
#include "kv/kv_rocksdb_manifest.h"

#include <stdlib.h>

enum { DECIMAL = 10 };

uint64_t kv_rocksdb_manifest_oldest_log(rocksdb_options_t *options, const char *path, char **error)
{
    /* It replays the logs all the same, of which it is not to judge: the check has yet to do so. */
    rocksdb_options_t *lenient = rocksdb_options_create_copy(options);
    rocksdb_options_set_wal_recovery_mode(lenient, rocksdb_skip_any_corrupted_records_recovery);
    rocksdb_t *db = rocksdb_open_for_read_only(lenient, path, 0, error);
    uint64_t oldest = 1;
    if (*error == NULL) {
        oldest = kv_rocksdb_manifest_oldest(db);
        rocksdb_close(db);
    }
    rocksdb_options_destroy(lenient);
    return oldest;
}

uint64_t kv_rocksdb_manifest_oldest(rocksdb_t *db)
{
    char *oldest = rocksdb_property_value(db, "rocksdb.min-log-number-to-keep");
    const uint64_t number = oldest == NULL ? 1 : strtoull(oldest, NULL, DECIMAL);
    rocksdb_free(oldest);
    return number == 0 ? 1 : number;
}
