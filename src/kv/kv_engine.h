/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_engine — what an engine implements. Included by kv.c and the engines only.
 *
 * An engine's store, transaction and cursor begin with the structs below. kv.c checks arguments and
 * forwards; an engine may rely on every promise kv.h asks of the caller.
 */
#ifndef STATOR_KV_KV_ENGINE_H
#define STATOR_KV_KV_ENGINE_H

#include "kv/kv.h"

enum {
    KV_ENGINE_BYTE = 0xFF,    /* first byte of the engine's own keys */
    KV_COUNTER_BYTES = 8,     /* a counter's value: little endian, two's complement */
    KV_APPENDS_MAX = 1 << 16, /* of one transaction: the stamp's last two bytes */
};

struct kv {
    const struct kv_engine *engine;
};

struct kv_txn {
    const struct kv_engine *engine;
    bool is_live;     /* while the body runs */
    bool is_writable; /* of kv_update */
    bool single_read; /* struct kv_work's promise */
    uint32_t read_count;
};

struct kv_cursor {
    const struct kv_engine *engine;
    const struct kv_txn *txn;
};

struct kv_engine {
    const char *name;
    enum kv_open_status (*open)(const struct kv_options *options, struct kv **kv,
                                struct arena *arena, struct slice *detail);
    void (*close)(struct kv *kv);
    enum kv_health (*health)(struct kv *kv);
    void (*view)(struct kv *kv, struct kv_work *work);
    void (*update)(struct kv *kv, struct kv_work *work);
    void (*cork)(struct kv *kv);
    void (*uncork)(struct kv *kv);

    enum kv_status (*get)(struct kv_txn *txn, struct slice key, struct arena *arena,
                          struct slice *value);
    enum kv_status (*get_counter)(struct kv_txn *txn, struct slice key, int64_t *value);
    enum kv_status (*metadata_version)(struct kv_txn *txn, uint64_t *version);
    void (*put)(struct kv_txn *txn, struct slice key, struct slice value);
    void (*remove)(struct kv_txn *txn, struct slice key);
    void (*remove_range)(struct kv_txn *txn, struct slice begin, struct slice end);
    void (*add)(struct kv_txn *txn, struct slice key, int64_t delta);
    void (*append)(struct kv_txn *txn, struct slice prefix, struct slice value);
    void (*touch_metadata)(struct kv_txn *txn);

    enum kv_status (*cursor_open)(struct kv_txn *txn, struct kv_range range,
                                  struct kv_cursor **cursor);
    enum kv_status (*cursor_next)(struct kv_cursor *cursor, struct slice *key, struct slice *value);
    void (*cursor_close)(struct kv_cursor *cursor);
};

/* Runs a body in txn, whose fields above it sets; the engine has set up its own. */
enum kv_status kv_engine_run(struct kv_txn *txn, const struct kv_work *work);

#endif
