/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_stored — rows that we did not write, as a damaged or strange disk might hold them: the
 * input becomes the value of a table's description, a change, a stream, a shard, a transaction's
 * token, an item. Whatever reads it answers, if only that it is damaged. The first byte chooses.
 *
 * Items are trusted once they begin as they should (model/value.h): a checksum stands before them.
 * Here they are either valid or do not begin so.
 */
#include "store/catalog.h"
#include "store/layout.h"

#include "fuzz.h"
#include "library.h"
#include "model/value.h"

struct planting {
    struct slice key;
    struct slice value;
    bool is_stamped; /* the key is a prefix: the row is appended */
    bool touches;    /* the catalog has to be read again */
};

static enum kv_status plant(struct kv_txn *txn, void *context)
{
    const struct planting *planting = context;
    if (planting->is_stamped)
        kv_append(txn, planting->key, planting->value);
    else
        kv_put(txn, planting->key, planting->value);
    if (planting->touches) kv_touch_metadata(txn);
    return KV_OK;
}

static enum kv_status weed(struct kv_txn *txn, void *context)
{
    const struct planting *planting = context;
    kv_delete(txn, planting->key);
    if (planting->touches) kv_touch_metadata(txn);
    return KV_OK;
}

/* The description of the table that fuzz.h makes; its ids are in the keys of everything else. */
static const struct table *find_table(const struct catalog_snapshot *snapshot)
{
    const struct table *table = catalog_find(snapshot, SLICE("tab"), 0);
    CHECK(table != NULL);
    return table;
}

static struct slice item_row_key(struct arena *arena, const struct table *table)
{
    const struct number one = number_from_int64(1);
    struct attribute attributes[] = {
        {SLICE("p"), value_scalar(arena, VALUE_STRING, SLICE("a")).encoded},
        {SLICE("s"), value_scalar(arena, VALUE_NUMBER, number_slice(&one)).encoded},
    };
    return layout_item_key(arena, table, item_build(arena, attributes, 2));
}

static struct slice stored_item(struct arena *arena, struct slice bytes)
{
    struct buffer out = buffer_open(arena, bytes.length + 1);
    const bool is_item = value_is_valid(bytes) && value_read(bytes).type == VALUE_MAP;
    buffer_append_byte(&out, is_item ? LAYOUT_FORMAT : LAYOUT_FORMAT + 1);
    buffer_append(&out, bytes);
    return buffer_slice(&out);
}

enum { DESCRIPTION, CHANGE, STREAM, SHARD_BEGIN, SHARD_END, TRIMMED, TOKEN, ITEM, KINDS };

static struct planting make(struct arena *arena, const struct table *table, unsigned kind,
                            struct slice bytes)
{
    const uint32_t shard = table->shard_count > 0 ? table->shards[0].id : 1;
    struct planting planting = {.value = bytes};
    switch (kind) {
    case DESCRIPTION:
        planting.key = layout_table_record_key(arena, SLICE("strange"));
        planting.touches = true;
        break;
    case CHANGE:
        planting.key = layout_change_prefix(arena, table->id, shard);
        planting.is_stamped = true;
        break;
    case STREAM:
        planting.key = layout_stream_key(arena, SLICE("tab"), table->stream_label);
        break;
    case SHARD_BEGIN:
        planting.key = layout_shard_key(arena, table->id, shard, SHARD_OPENED);
        planting.is_stamped = true;
        break;
    case SHARD_END:
        planting.key = layout_shard_key(arena, table->id, shard, SHARD_CLOSED);
        planting.is_stamped = true;
        break;
    case TRIMMED:
        planting.key = layout_shard_key(arena, table->id, shard, SHARD_TRIMMED);
        break;
    case TOKEN:
        planting.key = layout_token_key(arena, SLICE("token"));
        break;
    default:
        planting.key = item_row_key(arena, table);
        planting.value = stored_item(arena, bytes);
    }
    return planting;
}

static void call(struct stator *db, const char *operation, struct slice body)
{
    const int status = fuzz_call(db, operation, body);
    CHECK(status == 200 || status == 400 || status == 500);
}

static void read_stream(struct stator *db, struct arena *arena, struct fuzz_stream stream)
{
    call(db, "ListStreams", SLICE("{}"));
    call(db, "DescribeStream",
         arena_format(arena, "{\"StreamArn\":\"%.*s\"}", SLICE_ARGS(stream.arn)));
    struct stator_response response;
    const struct slice body =
        arena_format(arena,
                     "{\"StreamArn\":\"%.*s\",\"ShardId\":\"%.*s\",\"ShardIteratorType\":"
                     "\"TRIM_HORIZON\"}",
                     SLICE_ARGS(stream.arn), SLICE_ARGS(stream.shard));
    const int status =
        stator_call(db, "GetShardIterator", (const char *)body.data, body.length, &response);
    if (status == 200)
        call(db, "GetRecords", arena_copy(arena, slice_of(response.body, response.length)));
    stator_response_free(&response);
}

static void read_everything(struct stator *db, struct arena *arena, struct fuzz_stream stream)
{
    static const char *const requests[][2] = {
        {"ListTables", "{}"},
        {"DescribeTable", "{\"TableName\":\"strange\"}"},
        {"Scan", "{\"TableName\":\"strange\"}"},
        {"Scan", "{\"TableName\":\"tab\"}"},
        {"GetItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"1\"}}}"},
        {"Query", "{\"TableName\":\"tab\",\"IndexName\":\"lsi\",\"Select\":\"ALL_ATTRIBUTES\","
                  "\"KeyConditionExpression\":\"p=:p\",\"ExpressionAttributeValues\":{\":p\":{"
                  "\"S\":\"a\"}}}"},
        {"UpdateItem",
         "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"1\"}},"
         "\"UpdateExpression\":\"SET n=:n\",\"ExpressionAttributeValues\":{\":n\":{\"N\":\"1\"}},"
         "\"ReturnValues\":\"ALL_OLD\"}"},
        {"TransactWriteItems",
         "{\"ClientRequestToken\":\"token\",\"TransactItems\":[{\"Delete\":{\"TableName\":\"tab\","
         "\"Key\":{\"p\":{\"S\":\"z\"},\"s\":{\"N\":\"1\"}}}}]}"},
        {"DeleteItem", "{\"TableName\":\"tab\",\"Key\":{\"p\":{\"S\":\"a\"},\"s\":{\"N\":\"1\"}}}"},
    };
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++)
        call(db, requests[i][0], slice_of_string(requests[i][1]));
    read_stream(db, arena, stream);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    if (length == 0 || length > KV_VALUE_BYTES_MAX) return 0;
    static struct stator *db;
    if (db == NULL) db = fuzz_open();
    fuzz_restore(db);
    struct database *database = library_database(db);
    struct arena arena;
    arena_open(&arena, 0);
    const struct fuzz_stream stream = fuzz_find_stream(db, &arena);
    const struct catalog_snapshot *snapshot = catalog_pin(database->catalog, 0);
    const unsigned kind = data[0] % KINDS;
    struct planting planting =
        make(&arena, find_table(snapshot), kind, slice_of(data + 1, length - 1));
    CHECK(kv_update_wait(database->kv, plant, &planting) == KV_OK);
    catalog_unpin(database->catalog, snapshot);
    /* A description that is none is what a start refuses; here, the tables stay as they were. */
    if (!planting.touches || catalog_refresh(database->catalog) == KV_OK)
        read_everything(db, &arena, stream);
    if (!planting.is_stamped) CHECK(kv_update_wait(database->kv, weed, &planting) == KV_OK);
    if (planting.touches) CHECK(catalog_refresh(database->catalog) == KV_OK);
    call(db, "PutItem", slice_of_string(fuzz_item));
    /* Strange changes and streams are met again by whoever reads all streams. */
    if (kind >= CHANGE && kind <= TRIMMED) {
        stator_close(db);
        db = NULL;
    }
    arena_close(&arena);
    return 0;
}
