/* SPDX-License-Identifier: Apache-2.0 */
/* get_records — GetRecords: what was changed since, and the iterator to go on with. */
#include <openssl/evp.h>

#include "model/limits.h"
#include "model/value_json.h"
#include "ops/stream_iterator.h"

enum {
    SKIPPED_MAX = 10000, /* changes past their day that one request passes over */
    EVENT_ID_BYTES = 16,
    MS_PER_SECOND = 1000,
};

enum input { INPUT_ITERATOR, INPUT_LIMIT, INPUT_COUNT };

static const struct shape iterator_shape = {
    .kind = SHAPE_STRING,
    .has_min = true,
    .min = 1,
    .has_max = true,
    .max = LIMIT_ITERATOR_LENGTH,
};
static const struct shape limit_shape = {
    .kind = SHAPE_INTEGER, .has_min = true, .min = 1, .has_max = true, .max = LIMIT_STREAM_RECORDS};

static const struct field fields[] = {
    [INPUT_ITERATOR] = {"ShardIterator", &iterator_shape, true},
    [INPUT_LIMIT] = {"Limit", &limit_shape, false},
    [INPUT_COUNT] = {NULL, NULL, false},
};
static const struct shape input_shape = {
    .kind = SHAPE_STRUCT, .name = "GetRecordsInput", .fields = fields};

/* One page of records while it is read and written. */
struct page {
    struct stream_iterator iterator; /* where the page begins; moves on with it */
    struct stream stream;
    struct shard_state shard;
    size_t bytes;
    int64_t count;
    bool at_end; /* there are no further records for now */
};

static enum error_code plan(struct request *request)
{
    struct stream_iterator *iterator = arena_new(request->call.arena, struct stream_iterator);
    request->plan = iterator;
    return stream_iterator_read(request, input_string(request, request->input[INPUT_ITERATOR]),
                                iterator);
}

/* ---- one record ------------------------------------------------------------------------------ */

/* The log may hold more than this stream shows. */
static void project(enum stream_view view, struct change *change)
{
    const bool shows_old = view == STREAM_OLD_IMAGE || view == STREAM_NEW_AND_OLD;
    const bool shows_new = view == STREAM_NEW_IMAGE || view == STREAM_NEW_AND_OLD;
    if (!shows_old) change->old_image = (struct slice){0};
    if (!shows_new) change->new_image = (struct slice){0};
}

static size_t size_of(const struct change *change)
{
    size_t size = item_size(change->key);
    if (change->old_image.length > 0) size += item_size(change->old_image);
    if (change->new_image.length > 0) size += item_size(change->new_image);
    return size;
}

static void write_item(struct buffer *out, const char *name, struct slice item)
{
    if (item.length == 0) return;
    buffer_append_format(out, ",\"%s\":", name);
    item_to_json(out, item);
}

/* A record is told from all others by its stream and its sequence number: always the same id. */
static void write_event_id(struct buffer *out, const struct page *page, const struct change *change)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(context != NULL);
    CHECK(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    CHECK(EVP_DigestUpdate(context, page->iterator.name.arn.data, page->iterator.name.arn.length) ==
          1);
    CHECK(EVP_DigestUpdate(context, change->stamp.data, change->stamp.length) == 1);
    CHECK(EVP_DigestFinal_ex(context, digest, &length) == 1);
    EVP_MD_CTX_free(context);
    CHECK(length >= EVENT_ID_BYTES);
    BUFFER_TEXT(out, ",\"eventID\":\"");
    for (int i = 0; i < EVENT_ID_BYTES; i++) {
        static const char digits[] = "0123456789abcdef";
        buffer_append_byte(out, (uint8_t)digits[digest[i] >> 4]);
        buffer_append_byte(out, (uint8_t)digits[digest[i] & 15]);
    }
    BUFFER_TEXT(out, "\"");
}

static void write_record(struct request *request, const struct page *page,
                         const struct change *change)
{
    static const char *const names[] = {
        [CHANGE_INSERT] = "INSERT", [CHANGE_MODIFY] = "MODIFY", [CHANGE_REMOVE] = "REMOVE"};
    struct buffer *out = &request->response;
    if (page->count > 0) buffer_append_byte(out, ',');
    BUFFER_TEXT(out, "{\"awsRegion\":");
    json_append_string(out, request->database->region);
    BUFFER_TEXT(out, ",\"dynamodb\":{\"ApproximateCreationDateTime\":");
    json_append_seconds(out, change->time_ms / MS_PER_SECOND * MS_PER_SECOND);
    write_item(out, "Keys", change->key);
    write_item(out, "NewImage", change->new_image);
    write_item(out, "OldImage", change->old_image);
    BUFFER_TEXT(out, ",\"SequenceNumber\":");
    json_append_string(out, stream_sequence_text(request->call.arena, change->stamp));
    BUFFER_TEXT(out, ",\"SizeBytes\":");
    json_append_int(out, (int64_t)size_of(change));
    buffer_append_format(out, ",\"StreamViewType\":\"%s\"}", stream_view_word(page->stream.view));
    write_event_id(out, page, change);
    buffer_append_format(out, ",\"eventName\":\"%s\"", names[change->kind]);
    BUFFER_TEXT(out, ",\"eventSource\":\"aws:dynamodb\",\"eventVersion\":\"1.1\"");
    if (change->expired) {
        BUFFER_TEXT(out, ",\"userIdentity\":{\"PrincipalId\":\"dynamodb.amazonaws.com\","
                         "\"Type\":\"Service\"}");
    }
    buffer_append_byte(out, '}');
}

/* ---- the page -------------------------------------------------------------------------------- */

static enum kv_status write_page(struct request *request, struct change_walk *walk,
                                 struct page *page)
{
    const int64_t most = input_integer(request->input[INPUT_LIMIT], LIMIT_STREAM_RECORDS);
    for (int64_t skipped = 0; page->count < most && skipped < SKIPPED_MAX;) {
        const struct arena_mark mark = arena_mark(request->call.arena);
        struct change change;
        const enum kv_status status = change_walk_next(walk, &change);
        page->at_end = status == KV_NOT_FOUND;
        if (page->at_end) return KV_OK;
        if (status != KV_OK) return status;
        if (stream_is_over(change.time_ms, request->call.now_ms)) {
            skipped++;
            memcpy(page->iterator.after, change.last_stamp.data, KV_STAMP_BYTES);
            arena_rewind(request->call.arena, mark); /* the answer has not grown meanwhile */
            continue;
        }
        project(page->stream.view, &change);
        const size_t bytes = page->bytes + size_of(&change);
        if (page->count > 0 && bytes > LIMIT_STREAM_BYTES) return KV_OK;
        write_record(request, page, &change);
        page->bytes = bytes;
        page->count++;
        memcpy(page->iterator.after, change.last_stamp.data, KV_STAMP_BYTES);
    }
    return KV_OK;
}

static enum error_code write_records(struct request *request, struct kv_txn *txn, struct page *page)
{
    struct call *call = &request->call;
    struct change_place from = {.table_id = page->shard.table_id, .shard_id = page->shard.id};
    if (!stream_iterator_is_at_horizon(&page->iterator))
        from.after = arena_copy(call->arena, slice_of(page->iterator.after, KV_STAMP_BYTES));
    struct change_walk walk;
    TRY(database_status(call, change_walk_open(txn, call->arena, &from, &walk)));
    BUFFER_TEXT(&request->response, "{\"Records\":[");
    const enum kv_status status = write_page(request, &walk, page);
    change_walk_close(&walk);
    BUFFER_TEXT(&request->response, "]");
    return database_status(call, status);
}

static enum error_code run(struct request *request, struct kv_txn *txn)
{
    struct call *call = &request->call;
    struct buffer *out = &request->response;
    struct page page = {.iterator = *(const struct stream_iterator *)request->plan};
    TRY(stream_input_find(request, txn, &page.iterator.name, &page.stream));
    const enum kv_status status =
        stream_find_shard(call, txn, &page.stream, page.iterator.shard_id, &page.shard);
    if (status == KV_NOT_FOUND) return stream_input_no_shard(request);
    TRY(database_status(call, status));
    TRY(stream_iterator_check(request, txn, &page.shard, &page.iterator));
    TRY(write_records(request, txn, &page));
    if (!page.at_end || !page.shard.is_closed) {
        page.iterator.created_ms = call->now_ms;
        BUFFER_TEXT(out, ",\"NextShardIterator\":");
        json_append_string(out, stream_iterator_text(call->arena, &page.iterator));
    }
    buffer_append_byte(out, '}');
    return OK;
}

const struct op op_get_records = {
    .name = "GetRecords",
    .kind = OP_READ,
    .is_of_streams = true,
    .input = &input_shape,
    .plan = plan,
    .run = run,
};
