/* SPDX-License-Identifier: Apache-2.0 */
/* kv_rocksdb_group — the updates of one group: evaluated, written, told. For kv_rocksdb.c only. */
#ifndef STATOR_KV_KV_ROCKSDB_GROUP_H
#define STATOR_KV_KV_ROCKSDB_GROUP_H

#include "kv/kv_rocksdb.h"

/* A kv_committer_run, on the committer's thread; its context is the store. */
struct kv_work *kv_rocksdb_group_run(void *context, struct kv_work *works);

/* Whether a group may be written. On the committer's thread, or before there is one. */
bool kv_rocksdb_group_is_writing(struct kv_rocksdb *rocks) WARN_UNUSED;

/* kv_health. Any thread. */
enum kv_health kv_rocksdb_group_health(struct kv *kv);

#endif
