/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get_records: what the clock does to streams. Iterators live 15 minutes, changes, closed shards
 * and ended streams a day, open shards four hours.
 */
#include <pthread.h>
#include <time.h>

#include "ops/dispatch.h"
#include "ops/stream_iterator.h"
#include "store/background.h"
#include "store/layout.h"
#include "store/stream.h"
#include "unit/unit.h"

enum {
    MINUTE_MS = 60 * 1000,
    HOUR_MS = 60 * MINUTE_MS,
    DAY_MS = 24 * HOUR_MS,
    PATIENCE_MS = 20000,
    POLL_MS = 5,
};
static const int64_t begin_ms = 1795253049507;

static struct arena arena;
static struct database database;

static int open_database(void **state)
{
    (void)state;
    arena_open(&arena, 0);
    database = (struct database){
        .region = SLICE("us-east-1"),
        .account_id = SLICE("111122223333"),
        .collection_bytes_max = LIMIT_COLLECTION_BYTES,
        .shard_life_ms = LIMIT_SHARD_LIFE_MS,
        .shard_bytes_max = LIMIT_SHARD_BYTES,
        .stream_shards = 1,
    };
    clock_open(&database.clock);
    clock_freeze(&database.clock, begin_ms);
    random_open(&database.random, 1);
    const struct kv_options options = {.in_memory = true};
    struct slice detail;
    assert_int_equal(kv_open(&kv_rocksdb, &options, &database.kv, &arena, &detail), KV_OPEN_OK);
    assert_int_equal(catalog_open(&database), KV_OK);
    assert_int_equal(background_open(&database), KV_OK);
    return 0;
}

static int close_database(void **state)
{
    (void)state;
    background_close(database.background);
    catalog_close(database.catalog);
    kv_close(database.kv);
    arena_close(&arena);
    return 0;
}

/* ---- calling --------------------------------------------------------------------------------- */

struct waiting {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool ready;
};

static void wake(void *context)
{
    struct waiting *waiting = context;
    pthread_mutex_lock(&waiting->mutex);
    waiting->ready = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->mutex);
}

static void wait_until_ready(struct waiting *waiting)
{
    pthread_mutex_lock(&waiting->mutex);
    while (!waiting->ready)
        pthread_cond_wait(&waiting->changed, &waiting->mutex);
    waiting->ready = false;
    pthread_mutex_unlock(&waiting->mutex);
}

/* The answer's body as JSON; ' stands for " in the request. */
static const struct json_token *call(const char *operation, struct slice request, int *status)
{
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    uint8_t *body = arena_alloc(&arena, request.length);
    for (size_t i = 0; i < request.length; i++)
        body[i] = request.data[i] == '\'' ? '"' : request.data[i];
    struct dispatch *dispatch = arena_new(&arena, struct dispatch);
    dispatch->ready = wake;
    dispatch->context = &waiting;
    const struct op *op = dispatch_find(slice_of_string(operation));
    if (!dispatch_start(dispatch, &database, op, slice_of(body, request.length), &arena))
        wait_until_ready(&waiting);
    while (!dispatch_finish(dispatch, status))
        wait_until_ready(&waiting);
    dispatch_close(dispatch);
    return json_parse(&arena, buffer_slice(&dispatch->request.response), NULL);
}

static const struct json_token *must(const char *operation, struct slice request)
{
    int status;
    const struct json_token *answer = call(operation, request, &status);
    assert_int_equal(status, 200);
    return answer;
}

/* "" when the call succeeds, else the error's name. */
static struct slice failure_of(const char *operation, struct slice request)
{
    int status;
    const struct json_token *answer = call(operation, request, &status);
    if (status == 200) return SLICE("");
    const struct slice type = json_string(input_member(answer, "__type"), &arena);
    const uint8_t *name = (const uint8_t *)memchr(type.data, '#', type.length) + 1;
    return slice_of(name, type.length - (size_t)(name - type.data));
}

static struct slice text_of(const struct json_token *answer, const char *name)
{
    const struct json_token *token = input_member(answer, name);
    return token == NULL ? (struct slice){0} : json_string(token, &arena);
}

/* ---- streams --------------------------------------------------------------------------------- */

static struct slice create_table(void)
{
    const struct json_token *answer =
        must("CreateTable",
             SLICE("{'TableName':'Orders','BillingMode':'PAY_PER_REQUEST',"
                   "'AttributeDefinitions':[{'AttributeName':'pk','AttributeType':'S'}],"
                   "'KeySchema':[{'AttributeName':'pk','KeyType':'HASH'}],"
                   "'StreamSpecification':{'StreamEnabled':true,'StreamViewType':'KEYS_ONLY'}}"));
    return text_of(input_member(answer, "TableDescription"), "LatestStreamArn");
}

static void put(const char *key)
{
    must("PutItem", arena_format(&arena, "{'TableName':'Orders','Item':{'pk':{'S':'%s'}}}", key));
}

static const struct json_token *shards_of(struct slice arn)
{
    const struct json_token *answer =
        must("DescribeStream", arena_format(&arena, "{'StreamArn':'%.*s'}", SLICE_ARGS(arn)));
    return input_member(input_member(answer, "StreamDescription"), "Shards");
}

/* The ShardId of the shard at this place of the list. */
static struct slice shard_at(struct slice arn, uint32_t at)
{
    const struct json_token *shards = shards_of(arn);
    assert_true(at < shards->length);
    const struct json_token *shard = json_first(shards);
    for (uint32_t i = 0; i < at; i++)
        shard = json_next(shard);
    return text_of(shard, "ShardId");
}

static struct slice iterator_request(struct slice arn, struct slice shard, const char *rest)
{
    return arena_format(&arena, "{'StreamArn':'%.*s','ShardId':'%.*s','ShardIteratorType':%s}",
                        SLICE_ARGS(arn), SLICE_ARGS(shard), rest);
}

static struct slice iterator_of(struct slice arn, struct slice shard, const char *rest)
{
    return text_of(must("GetShardIterator", iterator_request(arn, shard, rest)), "ShardIterator");
}

static struct slice records_request(struct slice iterator)
{
    return arena_format(&arena, "{'ShardIterator':'%.*s'}", SLICE_ARGS(iterator));
}

/* The keys of the records, one after the other; *next is the iterator to go on with. */
static struct slice keys_from(struct slice iterator, struct slice *next)
{
    const struct json_token *answer = must("GetRecords", records_request(iterator));
    const struct json_token *records = input_member(answer, "Records");
    const struct json_token *record = json_first(records);
    struct buffer keys = buffer_open(&arena, 0);
    for (uint32_t i = 0; i < records->length; i++, record = json_next(record)) {
        const struct json_token *key = input_member(input_member(record, "dynamodb"), "Keys");
        buffer_append(&keys, text_of(input_member(key, "pk"), "S"));
    }
    *next = text_of(answer, "NextShardIterator");
    return buffer_slice(&keys);
}

static struct slice sequence_of_first(struct slice iterator)
{
    const struct json_token *answer = must("GetRecords", records_request(iterator));
    const struct json_token *record = json_first(input_member(answer, "Records"));
    return text_of(input_member(record, "dynamodb"), "SequenceNumber");
}

/* ---- waiting for the background -------------------------------------------------------------- */

struct counting {
    struct kv_range range;
    size_t rows;
};

static enum kv_status count_body(struct kv_txn *txn, void *context)
{
    struct counting *counting = context;
    struct kv_cursor *cursor;
    struct slice key;
    struct slice value;
    counting->rows = 0;
    assert_int_equal(kv_cursor_open(txn, counting->range, &cursor), KV_OK);
    while (kv_cursor_next(cursor, &key, &value) == KV_OK)
        counting->rows++;
    kv_cursor_close(cursor);
    return KV_OK;
}

static size_t count_rows(struct kv_range range)
{
    struct counting counting = {.range = range};
    assert_int_equal(kv_view_wait(database.kv, count_body, &counting), KV_OK);
    return counting.rows;
}

static void pause_a_moment(void)
{
    const struct timespec moment = {.tv_nsec = POLL_MS * 1000L * 1000L};
    nanosleep(&moment, NULL);
}

static void wait_for_rows(struct kv_range range, size_t rows)
{
    background_wake(database.background);
    for (int waited_ms = 0; count_rows(range) != rows; waited_ms += POLL_MS) {
        assert_true(waited_ms < PATIENCE_MS);
        pause_a_moment();
    }
}

static void wait_for_shards(struct slice arn, uint32_t count)
{
    background_wake(database.background);
    for (int waited_ms = 0; shards_of(arn)->length != count; waited_ms += POLL_MS) {
        assert_true(waited_ms < PATIENCE_MS);
        pause_a_moment();
    }
}

/* ---- claims ---------------------------------------------------------------------------------- */

static void an_iterator_lives_fifteen_minutes(void **state)
{
    (void)state;
    const struct slice arn = create_table();
    put("a");
    struct slice next;
    const struct slice iterator = iterator_of(arn, shard_at(arn, 0), "'TRIM_HORIZON'");
    clock_advance(&database.clock, 15 * MINUTE_MS - 1);
    ASSERT_SLICE(keys_from(iterator, &next), SLICE("a"));
    clock_advance(&database.clock, 1);
    ASSERT_SLICE(failure_of("GetRecords", records_request(iterator)),
                 SLICE("ExpiredIteratorException"));
    /* The one it led to was made a moment ago. */
    struct slice last;
    ASSERT_SLICE(keys_from(next, &last), SLICE(""));
}

/* Whoever makes iterators of their own may write any time into them. */
static void an_iterator_of_the_farthest_past_has_expired(void **state)
{
    (void)state;
    const struct stream_iterator iterator = {
        .name.arn = create_table(), .shard_id = 1, .created_ms = INT64_MIN};
    const struct slice text = stream_iterator_text(&arena, &iterator);
    ASSERT_SLICE(failure_of("GetRecords", records_request(text)),
                 SLICE("ExpiredIteratorException"));
}

static void a_change_is_shown_for_a_day(void **state)
{
    (void)state;
    const struct slice arn = create_table();
    const struct slice shard = shard_at(arn, 0);
    put("a");
    const struct slice first = sequence_of_first(iterator_of(arn, shard, "'TRIM_HORIZON'"));
    const struct slice at =
        arena_format(&arena, "'AT_SEQUENCE_NUMBER','SequenceNumber':'%.*s'", SLICE_ARGS(first));
    const struct slice after =
        arena_format(&arena, "'AFTER_SEQUENCE_NUMBER','SequenceNumber':'%.*s'", SLICE_ARGS(first));
    clock_advance(&database.clock, HOUR_MS);
    put("b");
    clock_advance(&database.clock, 23 * HOUR_MS - 1);
    struct slice next;
    const struct slice old = iterator_of(arn, shard, arena_string(&arena, at));
    ASSERT_SLICE(keys_from(old, &next), SLICE("ab"));

    clock_advance(&database.clock, 1);
    ASSERT_SLICE(failure_of("GetRecords", records_request(old)),
                 SLICE("TrimmedDataAccessException"));
    ASSERT_SLICE(
        failure_of("GetShardIterator", iterator_request(arn, shard, arena_string(&arena, at))),
        SLICE("TrimmedDataAccessException"));
    ASSERT_SLICE(keys_from(iterator_of(arn, shard, "'TRIM_HORIZON'"), &next), SLICE("b"));
    ASSERT_SLICE(keys_from(iterator_of(arn, shard, arena_string(&arena, after)), &next),
                 SLICE("b"));
}

static void trimming_changes_no_answer(void **state)
{
    (void)state;
    const struct slice arn = create_table();
    const struct slice shard = shard_at(arn, 0);
    put("a");
    const struct slice first = sequence_of_first(iterator_of(arn, shard, "'TRIM_HORIZON'"));
    const struct slice at =
        arena_format(&arena, "'AT_SEQUENCE_NUMBER','SequenceNumber':'%.*s'", SLICE_ARGS(first));
    clock_advance(&database.clock, 2 * HOUR_MS);
    put("b");
    const struct slice prefix = layout_change_prefix(&arena, 1, 1);
    const struct kv_range changes = layout_change_range(&arena, prefix, (struct slice){0});
    assert_int_equal(count_rows(changes), 2);
    clock_advance(&database.clock, 22 * HOUR_MS);
    wait_for_rows(changes, 1);
    struct slice next;
    ASSERT_SLICE(
        failure_of("GetShardIterator", iterator_request(arn, shard, arena_string(&arena, at))),
        SLICE("TrimmedDataAccessException"));
    ASSERT_SLICE(keys_from(iterator_of(arn, shard, "'TRIM_HORIZON'"), &next), SLICE("b"));

    clock_advance(&database.clock, 2 * HOUR_MS);
    wait_for_rows(changes, 0);
    ASSERT_SLICE(keys_from(iterator_of(arn, shard, "'TRIM_HORIZON'"), &next), SLICE(""));
    ASSERT_SLICE(keys_from(iterator_of(arn, shard, "'LATEST'"), &next), SLICE(""));
}

/* There may be very many, and large ones, until the background comes to removing them. */
static void changes_past_their_day_take_no_memory(void **state)
{
    (void)state;
    enum { PUTS = 100, KEY_BYTES = 2000, MEMORY_BYTES = 64 * 1024 };
    const struct slice arn = create_table();
    const struct slice shard = shard_at(arn, 0);
    for (int i = 0; i < PUTS; i++) {
        const struct slice key = arena_format(&arena, "%0*d", KEY_BYTES, i);
        put(arena_string(&arena, key));
    }
    background_close(database.background);
    clock_advance(&database.clock, DAY_MS);
    struct slice next;
    const struct slice iterator = iterator_of(arn, shard, "'TRIM_HORIZON'");
    const size_t before = arena_bytes(&arena);
    ASSERT_SLICE(keys_from(iterator, &next), SLICE(""));
    assert_in_range(arena_bytes(&arena), before, before + MEMORY_BYTES);
    assert_int_equal(background_open(&database), KV_OK);
}

/* There may be very many, and who stops the server does not wait for them. */
static void removing_changes_ends_when_the_store_closes(void **state)
{
    (void)state;
    create_table();
    put("a");
    background_close(database.background);
    clock_advance(&database.clock, DAY_MS);
    const struct slice prefix = layout_change_prefix(&arena, 1, 1);
    const struct kv_range changes = layout_change_range(&arena, prefix, (struct slice){0});
    atomic_bool is_closing = true;
    stream_trim(&database, &is_closing);
    assert_int_equal(count_rows(changes), 1);
    is_closing = false;
    stream_trim(&database, &is_closing);
    assert_int_equal(count_rows(changes), 0);
    assert_int_equal(background_open(&database), KV_OK);
}

static void a_shard_is_succeeded_after_four_hours_unless_it_is_empty(void **state)
{
    (void)state;
    const struct slice arn = create_table();
    struct slice next;
    clock_advance(&database.clock, 5 * HOUR_MS);
    background_wake(database.background);
    put("a"); /* the shard is old already */
    wait_for_shards(arn, 2);
    const struct slice latest = iterator_of(arn, shard_at(arn, 1), "'LATEST'");
    put("b");
    ASSERT_SLICE(keys_from(latest, &next), SLICE("b"));
    assert_true(next.length > 0);
    ASSERT_SLICE(keys_from(iterator_of(arn, shard_at(arn, 0), "'TRIM_HORIZON'"), &next),
                 SLICE("a"));
    assert_int_equal(next.length, 0);

    /* A day after its end the first is gone; the others have taken turns meanwhile. */
    const struct slice gone = shard_at(arn, 0);
    clock_advance(&database.clock, DAY_MS);
    ASSERT_SLICE(failure_of("GetShardIterator", iterator_request(arn, gone, "'TRIM_HORIZON'")),
                 SLICE("ResourceNotFoundException"));
    assert_false(slice_equal(shard_at(arn, 0), gone));
}

static void the_stream_of_a_deleted_table_leaves_after_a_day(void **state)
{
    (void)state;
    const struct slice arn = create_table();
    const struct slice shard = shard_at(arn, 0);
    put("a");
    must("DeleteTable", SLICE("{'TableName':'Orders'}"));
    struct slice next;
    clock_advance(&database.clock, DAY_MS - 1);
    ASSERT_SLICE(keys_from(iterator_of(arn, shard, "'TRIM_HORIZON'"), &next), SLICE("a"));
    clock_advance(&database.clock, 1);
    const struct slice describe = arena_format(&arena, "{'StreamArn':'%.*s'}", SLICE_ARGS(arn));
    ASSERT_SLICE(failure_of("DescribeStream", describe), SLICE("ResourceNotFoundException"));
    const struct json_token *listed = must("ListStreams", SLICE("{}"));
    assert_int_equal(input_member(listed, "Streams")->length, 0);

    clock_advance(&database.clock, MINUTE_MS); /* the background looks once in a minute */
    wait_for_rows(layout_stream_range(&arena, (struct slice){0}), 0);
    wait_for_rows(layout_shards_range(&arena, 0), 0);
    const struct slice prefix = layout_change_prefix(&arena, 1, 1);
    wait_for_rows(layout_change_range(&arena, prefix, (struct slice){0}), 0);
}

/* While time stands still, two streams of one name still have two labels. */
static void labels_differ_at_one_moment(void **state)
{
    (void)state;
    const struct slice first = create_table();
    must("DeleteTable", SLICE("{'TableName':'Orders'}"));
    const struct slice second = create_table();
    assert_false(slice_equal(first, second));
    assert_int_equal(input_member(must("ListStreams", SLICE("{}")), "Streams")->length, 2);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_database, close_database)
    const struct CMUnitTest tests[] = {
        TEST(an_iterator_lives_fifteen_minutes),
        TEST(an_iterator_of_the_farthest_past_has_expired),
        TEST(a_change_is_shown_for_a_day),
        TEST(trimming_changes_no_answer),
        TEST(changes_past_their_day_take_no_memory),
        TEST(removing_changes_ends_when_the_store_closes),
        TEST(a_shard_is_succeeded_after_four_hours_unless_it_is_empty),
        TEST(the_stream_of_a_deleted_table_leaves_after_a_day),
        TEST(labels_differ_at_one_moment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
