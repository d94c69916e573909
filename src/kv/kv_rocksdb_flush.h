/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_rocksdb_flush — keeps starts quick: what lies in the logs is replayed at every opening until
 * it has been written out as a table. For kv_rocksdb.c only.
 *
 * Replaying a few hundred rows takes less than writing them out, and less than stopping should; so
 * neither an opening nor a closing waits for a small store. All of it is about time only: the logs
 * are complete, and a flush that fails or is cut short changes nothing.
 */
#ifndef STATOR_KV_KV_ROCKSDB_FLUSH_H
#define STATOR_KV_KV_ROCKSDB_FLUSH_H

#include "base/slice.h"

#include <rocksdb/c.h>

/*
 * After an opening: in the background, when there was much to replay, or from many logs. When there
 * is nothing to flush, the row at key is written again past the log, and true is returned: then the
 * next record of the log does not follow its last one by sequence number.
 */
bool kv_rocksdb_flush_opened(rocksdb_t *db, const char *path, struct slice key);

/* Before a closing: and waits, when the next opening would have much to replay. */
void kv_rocksdb_flush_closing(rocksdb_t *db);

#endif
