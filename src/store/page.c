/* SPDX-License-Identifier: Apache-2.0 */
/* page — walks a range of rows until Limit, 1 MB or the end. */
#include "store/page.h"

#include "capacity/units.h"
#include "store/delayed.h"
#include "store/item.h"
#include "store/layout.h"

static struct past_view view_of(const struct call *call, const struct page *page)
{
    const bool is_now = page->database == NULL || page->consistent;
    return (struct past_view){
        .faults = is_now ? NULL : page->database->faults,
        .table = page->table,
        .of_global_index = page->index != NULL && page->index->kind == INDEX_GLOBAL,
        .now_ms = call->now_ms,
    };
}

/* Reads the whole item that an index entry stands for; the index is never ahead of its table. */
static enum error_code fetch_item(struct call *call, struct kv_txn *txn, struct page *page,
                                  struct arena *scratch, struct slice *item)
{
    struct slice stored;
    struct slice row_key = layout_item_key(scratch, page->table, *item);
    enum kv_status status = kv_get(txn, row_key, scratch, &stored);
    struct past_view view = view_of(call, page);
    TRY(database_status(call, faults_look(&view, txn, scratch)));
    if (faults_past_value(&view, row_key, scratch, &stored))
        status = stored.length > 0 ? KV_OK : KV_NOT_FOUND;
    if (status == KV_OK && (stored.length < 2 || stored.data[0] != LAYOUT_FORMAT))
        status = KV_CORRUPT;
    if (status == KV_NOT_FOUND) status = KV_CORRUPT;
    TRY(database_status(call, status));
    *item = slice_of(stored.data + 1, stored.length - 1);
    page->fetch_units += units_of_read(item_size(*item), page->consistent);
    return OK;
}

static enum error_code take_row(struct call *call, struct kv_txn *txn, struct page *page,
                                struct arena *scratch, struct slice row)
{
    struct slice item = row;
    page->scanned++;
    page->bytes += item_size(row);
    if (page->fetch) TRY(fetch_item(call, txn, page, scratch, &item));
    struct slice seen = page->filter_row ? row : item;
    if (page->filter != NULL && !condition_evaluate(page->filter, seen, scratch)) return OK;
    page->count++;
    return page->row == NULL ? OK : page->row(page->context, item);
}

/* A page ends after the row that reaches its limit, whether or not another row follows. */
static bool is_full(const struct page *page)
{
    return (page->limit > 0 && page->scanned >= page->limit) ||
           page->bytes_before + page->bytes >= LIMIT_PAGE_BYTES;
}

static enum error_code walk(struct call *call, struct kv_txn *txn, struct page *page,
                            struct delayed *rows, struct arena *scratch)
{
    for (;;) {
        struct slice key;
        struct slice stored;
        enum kv_status status = delayed_next(rows, &key, &stored);
        if (status == KV_NOT_FOUND) return OK;
        if (status == KV_OK && (stored.length < 2 || stored.data[0] != LAYOUT_FORMAT))
            status = KV_CORRUPT;
        TRY(database_status(call, status));

        struct slice row = slice_of(stored.data + 1, stored.length - 1);
        TRY(take_row(call, txn, page, scratch, row));
        if (is_full(page)) {
            page->last = item_key(call->arena, page->table, page->index, row);
            return OK;
        }
        arena_reset(scratch);
    }
}

enum error_code page_read(struct call *call, struct kv_txn *txn, struct page *page)
{
    page->count = page->scanned = page->bytes = 0;
    page->fetch_units = 0;
    page->last = (struct slice){0};
    if (slice_compare(page->range.begin, page->range.end) >= 0) return OK;

    struct delayed rows;
    const struct past_view view = view_of(call, page);
    if (page->limit > 0) page->range.expected = page->limit;
    TRY(database_status(call, delayed_open(txn, page->range, &view, call->arena, &rows)));
    struct arena scratch;
    arena_open(&scratch, 0);
    enum error_code code = walk(call, txn, page, &rows, &scratch);
    arena_close(&scratch);
    delayed_close(&rows);
    return code;
}
