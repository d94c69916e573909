/* SPDX-License-Identifier: Apache-2.0 */
/* delayed — merges two sorted lists of rows; where both have one, the past wins. */
#include "store/delayed.h"

enum kv_status delayed_open(struct kv_txn *txn, struct kv_range range, const struct past_view *view,
                            struct arena *arena, struct delayed *delayed)
{
    struct past_view past = *view;
    *delayed = (struct delayed){.is_reverse = range.reverse};
    enum kv_status status = faults_look(&past, txn, arena);
    if (status == KV_OK) status = kv_cursor_open(txn, range, &delayed->cursor);
    if (status == KV_OK) delayed->count = faults_past_rows(&past, range, arena, &delayed->rows);
    return status;
}

void delayed_close(struct delayed *delayed)
{
    kv_cursor_close(delayed->cursor);
}

static enum kv_status look_ahead(struct delayed *delayed)
{
    if (delayed->has_row || delayed->is_over) return KV_OK;
    const enum kv_status status = kv_cursor_next(delayed->cursor, &delayed->key, &delayed->value);
    delayed->has_row = status == KV_OK;
    delayed->is_over = status == KV_NOT_FOUND;
    return delayed->is_over ? KV_OK : status;
}

enum kv_status delayed_next(struct delayed *delayed, struct slice *key, struct slice *value)
{
    if (delayed->count == 0) return kv_cursor_next(delayed->cursor, key, value);
    for (;;) {
        const enum kv_status status = look_ahead(delayed);
        if (status != KV_OK) return status;
        const bool has_past = delayed->next < delayed->count;
        const struct past_row *past = has_past ? &delayed->rows[delayed->next] : NULL;
        int order = has_past ? 1 : -1;
        if (delayed->has_row && has_past) {
            order = slice_compare(delayed->key, past->key);
            if (delayed->is_reverse) order = -order;
        }
        if (order < 0) {
            if (!delayed->has_row) return KV_NOT_FOUND;
            delayed->has_row = false;
            *key = delayed->key;
            *value = delayed->value;
            return KV_OK;
        }
        delayed->next++;
        if (order == 0) delayed->has_row = false;
        if (past->value.length == 0) continue; /* it was not there yet */
        *key = past->key;
        *value = past->value;
        return KV_OK;
    }
}
