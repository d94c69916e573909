/* SPDX-License-Identifier: Apache-2.0 */
/* kv_rocksdb_options — how RocksDB is set up, and what its words mean. For kv_rocksdb.c only. */
#ifndef STATOR_KV_KV_ROCKSDB_OPTIONS_H
#define STATOR_KV_KV_ROCKSDB_OPTIONS_H

#include "kv/kv.h"

#include <rocksdb/c.h>

/* To be destroyed by the caller, after the database is closed. */
rocksdb_options_t *kv_rocksdb_options_create(const struct kv_options *options);

/* What an error of rocksdb_open says. */
enum kv_open_status kv_rocksdb_options_failure(const char *error);

#endif
