/* SPDX-License-Identifier: Apache-2.0 */
/* kv_directory — the directory a store lives in. */
#ifndef STATOR_KV_KV_DIRECTORY_H
#define STATOR_KV_KV_DIRECTORY_H

#include "kv/kv.h"

/*
 * Makes path a directory that can be written, durably; its last component may be missing.
 * KV_OPEN_OK or KV_OPEN_UNWRITABLE, with the reason in errno.
 */
enum kv_open_status kv_directory_make(const char *path) WARN_UNUSED;

/*
 * Keeps everybody else out, in this process and in others, while *lock is open. KV_OPEN_LOCKED when
 * somebody is in already.
 */
enum kv_open_status kv_directory_lock(const char *path, int *lock) WARN_UNUSED;

/*
 * False when data lies here without CURRENT, the file that says which of it counts: RocksDB would
 * take the directory for an empty one and make a new store over it.
 */
bool kv_directory_is_complete(const char *path) WARN_UNUSED;

#endif
