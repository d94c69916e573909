/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transaction — all writes or none, and ten minutes' memory of ClientRequestTokens.
 *
 * A token's record holds its expiry, the digest of the request and the sizes that a replay is
 * charged for; it is written in the transaction it stands for, so a token is known exactly when its
 * writes are. Expired records are dropped a few at a time by later transactions, never by a sweep.
 */
#include "store/transaction.h"

#include "store/layout.h"

enum {
    EXPIRED_PER_TRANSACTION = 4, /* more than one, so that the records cannot pile up */
    RECORD_FORMAT = 1,
};

/* The fixed head of a token's record; the digest and one size per action follow. */
struct token_head {
    uint8_t format;
    uint8_t digest_length;
    uint16_t count;
    uint32_t reserved;
    int64_t expiry_ms;
};

_Static_assert(sizeof(struct token_head) == 16, "the record's head has no padding");

/* ---- tokens ---------------------------------------------------------------------------------- */

static size_t record_length(const struct token_head *head)
{
    return sizeof *head + head->digest_length + (size_t)head->count * sizeof(uint32_t);
}

/* A replay is charged as reads of the larger image of each action (facts/capacity.md 2). */
static void set_replayed_costs(struct transaction *transaction, const uint8_t *sizes)
{
    transaction->replayed = true;
    for (size_t i = 0; i < transaction->count; i++) {
        uint32_t size;
        memcpy(&size, sizes + i * sizeof size, sizeof size);
        transaction->writes[i].cost = (struct write_cost){.old_bytes = size, .new_bytes = size};
    }
}

static enum error_code recall(struct call *call, struct kv_txn *txn,
                              struct transaction *transaction)
{
    struct slice record;
    struct slice key = layout_token_key(call->arena, transaction->token);
    enum kv_status status = kv_get(txn, key, call->arena, &record);
    if (status == KV_NOT_FOUND) return OK;
    TRY(database_status(call, status));

    struct token_head head;
    if (record.length < sizeof head) return database_status(call, KV_CORRUPT);
    memcpy(&head, record.data, sizeof head);
    if (head.format != RECORD_FORMAT || record.length != record_length(&head))
        return database_status(call, KV_CORRUPT);
    if (head.expiry_ms <= call->now_ms) {
        /* The new record takes its place; the expiry note would otherwise drop the new one. */
        kv_delete(txn, layout_token_expiry_key(call->arena, head.expiry_ms, transaction->token));
        return OK;
    }
    struct slice digest = slice_of(record.data + sizeof head, head.digest_length);
    if (!slice_equal(digest, transaction->digest) || head.count != transaction->count)
        return fail(call, ERROR_IDEMPOTENT_MISMATCH,
                    "An error occurred (IdempotentParameterMismatchException)");
    set_replayed_costs(transaction, digest.data + digest.length);
    return OK;
}

static uint32_t larger_image(const struct write *write)
{
    size_t old_bytes = write->cost.old_bytes;
    size_t new_bytes = write->cost.new_bytes;
    return (uint32_t)(old_bytes > new_bytes ? old_bytes : new_bytes);
}

static void remember(struct call *call, struct kv_txn *txn, const struct transaction *transaction)
{
    struct token_head head = {
        .format = RECORD_FORMAT,
        .digest_length = (uint8_t)transaction->digest.length,
        .count = (uint16_t)transaction->count,
        .expiry_ms = call->now_ms + LIMIT_TOKEN_LIFE_MS,
    };
    struct buffer record = buffer_open(call->arena, record_length(&head));
    buffer_append(&record, slice_of(&head, sizeof head));
    buffer_append(&record, transaction->digest);
    for (size_t i = 0; i < transaction->count; i++) {
        uint32_t size = larger_image(&transaction->writes[i]);
        buffer_append(&record, slice_of(&size, sizeof size));
    }
    kv_put(txn, layout_token_key(call->arena, transaction->token), buffer_slice(&record));
    kv_put(txn, layout_token_expiry_key(call->arena, head.expiry_ms, transaction->token),
           (struct slice){0});
}

static enum kv_status forget_expired(struct call *call, struct kv_txn *txn)
{
    struct kv_cursor *cursor;
    struct kv_range range = layout_token_expiry_range(call->arena, call->now_ms);
    range.expected = EXPIRED_PER_TRANSACTION;
    enum kv_status status = kv_cursor_open(txn, range, &cursor);
    if (status != KV_OK) return status;

    struct slice expired[EXPIRED_PER_TRANSACTION];
    size_t count = 0;
    struct slice key;
    struct slice value;
    while (count < EXPIRED_PER_TRANSACTION &&
           (status = kv_cursor_next(cursor, &key, &value)) == KV_OK)
        expired[count++] = arena_copy(call->arena, key);
    kv_cursor_close(cursor);
    for (size_t i = 0; i < count; i++) {
        kv_delete(txn, layout_token_key(call->arena, layout_token_of_expiry_key(expired[i])));
        kv_delete(txn, expired[i]);
    }
    return status == KV_NOT_FOUND ? KV_OK : status;
}

/* ---- the writes ------------------------------------------------------------------------------ */

static const char *reason_code(enum error_code code)
{
    switch (code) {
    case ERROR_CONDITION_FAILED:
        return "ConditionalCheckFailed";
    case ERROR_DUPLICATE_ITEM:
        return "DuplicateItem";
    case ERROR_COLLECTION_SIZE:
        return "ItemCollectionSizeLimitExceeded";
    case ERROR_THROUGHPUT_EXCEEDED:
        return "ProvisionedThroughputExceeded";
    case ERROR_THROTTLING:
        return "ThrottlingError";
    case ERROR_TRANSACTION_CONFLICT:
        return "TransactionConflict";
    default:
        return "ValidationError";
    }
}

bool transaction_fails_whole(const struct error *error)
{
    /* All messages about empty key values begin so, and no others do (facts/errors.md 5). */
    return error->code == ERROR_VALIDATION &&
           slice_has_prefix(error->message, SLICE("One or more parameter values are not valid."));
}

enum error_code transaction_cancel(struct call *call, const struct cancellation_reason *reasons,
                                   size_t count)
{
    struct buffer codes = buffer_open(call->arena, 0);
    for (size_t i = 0; i < count; i++) {
        if (i > 0) BUFFER_TEXT(&codes, ", ");
        buffer_append(&codes, slice_of_string(reasons[i].code));
    }
    call->error.reasons = reasons;
    call->error.reason_count = count;
    return fail(
        call, ERROR_TRANSACTION_CANCELED,
        "Transaction cancelled, please refer cancellation reasons for specific reasons [%.*s]",
        SLICE_ARGS(buffer_slice(&codes)));
}

/*
 * Every action is tried, so that each has its reason; once one has failed the rest are only looked
 * at, since the body will decline.
 */
static enum error_code write_all(struct call *call, const struct database *database,
                                 struct kv_txn *txn, struct transaction *transaction)
{
    struct cancellation_reason *reasons =
        arena_array(call->arena, struct cancellation_reason, transaction->count);
    bool canceled = false;
    for (size_t i = 0; i < transaction->count; i++) {
        struct call single = {.arena = call->arena, .now_ms = call->now_ms};
        enum error_code code = item_write(&single, database, txn, &transaction->writes[i]);
        reasons[i].code = "None";
        if (code == OK) continue;
        if (code == ERROR_INTERNAL || transaction_fails_whole(&single.error)) {
            call->error = single.error;
            return code;
        }
        canceled = true;
        reasons[i] = (struct cancellation_reason){reason_code(code), single.error.message,
                                                  single.error.item};
    }
    return canceled ? transaction_cancel(call, reasons, transaction->count) : OK;
}

enum error_code transaction_write(struct call *call, const struct database *database,
                                  struct kv_txn *txn, struct transaction *transaction)
{
    transaction->replayed = false;
    if (transaction->token.length > 0) {
        TRY(recall(call, txn, transaction));
        if (transaction->replayed) return OK;
    }
    if (transaction->reasons != NULL)
        return transaction_cancel(call, transaction->reasons, transaction->count);
    TRY(write_all(call, database, txn, transaction));
    if (transaction->token.length > 0) {
        TRY(database_status(call, forget_expired(call, txn)));
        remember(call, txn, transaction);
    }
    return OK;
}
