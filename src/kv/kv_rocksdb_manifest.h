/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_rocksdb_manifest — what RocksDB's manifest says of the logs, before the database is opened to
 * be written. For kv_rocksdb.c only.
 */
#ifndef STATOR_KV_KV_ROCKSDB_MANIFEST_H
#define STATOR_KV_KV_ROCKSDB_MANIFEST_H

#include "kv/kv.h"

#include <rocksdb/c.h>

/*
 * The number of the oldest log that the database in this directory needs: all of what lies in older
 * ones is in tables. Changes nothing. Takes as long as reading all logs. When the database cannot
 * be opened it is 1, every log, and error, to be freed with rocksdb_free, says why.
 */
uint64_t kv_rocksdb_manifest_oldest_log(rocksdb_options_t *options, const char *path, char **error);

/* The same of an open database. */
uint64_t kv_rocksdb_manifest_oldest(rocksdb_t *db);

#endif
