/* SPDX-License-Identifier: Apache-2.0 */
/*
 * operations — runs fixed numbers of every operation, so that callgrind can count instructions.
 *
 * tests/instructions/run starts it under callgrind and compares the counts with recorded ones.
 * What could make two runs differ is fixed: the requests are the same, they are written before
 * counting begins, and one is under way at a time. Clock and chance decide nothing here; they are
 * not frozen, because a database that is open for administration takes longer ways. What is counted
 * are the calls themselves, on all threads: the caller's, the committer's, RocksDB's.
 *
 * Each operation prints "name times"; the counts are in the dump that callgrind writes after it.
 *     instructions SEED              the operations without streams
 *     instructions SEED streams      the others
 *     instructions --versions        what the counts depend on
 */
#include <gnu/libc-version.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <valgrind/callgrind.h>

#include "stator.h"

enum {
    SHOPS = 8,           /* tables of single items … */
    ITEMS = 2000,        /* … with so many together */
    ORDER_TABLES = 4,    /* tables with a sort key and an index … */
    ORDERS = 1000,       /* … and so many items each … */
    CUSTOMERS = 5,       /* … under so many partition keys */
    INDEXED = 4,         /* tables with five indexes and a stream … */
    CHANGES = 100,       /* … and so many items each before anything is counted */
    WARM_TIMES = 8,      /* calls before the counted ones: caches and buffers get their sizes */
    MANY = 48,           /* counted calls of an operation that is small … */
    FEW = 8,             /* … and of one that is large */
    GET_BATCH = 100,     /* BatchGetItem's limit */
    BATCH = 25,          /* BatchWriteItem's */
    STEP = 797,          /* a prime: keys that follow each other lie apart */
    SEED_PUTS = 7,       /* another seed puts so many more items before the others */
    DELETED = 1000,      /* the first item that DeleteItem deletes */
    BODY_BYTES = 262144, /* of the longest request */
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/*
 * How deep a key lies in RocksDB's memtable is partly chance, and so is what finding it costs. One
 * put more or less anywhere throws other dice for all. So the counts of several seeds are averaged,
 * and there are several tables, because writing an item finds its table's counters.
 */
static unsigned seed;

struct text {
    char *data;
    size_t length;
};

/* Writes the request number i. */
typedef void body_writer(struct text *body, unsigned i);

struct operation {
    const char *name; /* in the recorded file */
    const char *call; /* the API's */
    int status;
    const char *expects; /* what a right answer contains */
    unsigned times;
    body_writer *write;
};

static void add(struct text *text, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const size_t room = BODY_BYTES - text->length;
    const int length = vsnprintf(text->data + text->length, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length >= room) abort();
    text->length += (size_t)length;
}

/* ---- items ----------------------------------------------------------------------------------- */

static unsigned any_item(unsigned i)
{
    return i * STEP % ITEMS;
}

/* Everything of an item but its key: with it about 300 bytes by DynamoDB's formula. */
static void add_attributes(struct text *text, unsigned i)
{
    add(text,
        "\"name\":{\"S\":\"Name of item %u\"},\"owner\":{\"S\":\"owner-%u\"},"
        "\"status\":{\"S\":\"status-%u\"},\"count\":{\"N\":\"%u\"},\"price\":{\"N\":\"%u.25\"},"
        "\"active\":{\"BOOL\":true},\"note\":{\"S\":\"%0180u\"}",
        i, i % 100, i % CUSTOMERS, i % 1000, i % 500, i);
}

static void add_id(struct text *text, unsigned i)
{
    add(text, "{\"S\":\"item-%u-%06u\"}", seed, i);
}

static void add_item(struct text *text, unsigned i)
{
    add(text, "{\"id\":");
    add_id(text, i);
    add(text, ",");
    add_attributes(text, i);
    add(text, "}");
}

static void add_key(struct text *text, unsigned i)
{
    add(text, "{\"id\":");
    add_id(text, i);
    add(text, "}");
}

/* Successive orders are of different customers; the index has them by another attribute. */
static void add_order(struct text *text, unsigned i)
{
    add(text, "{\"customer\":{\"S\":\"customer-%u\"},\"number\":{\"N\":\"%u\"},", i % CUSTOMERS, i);
    add_attributes(text, i);
    add(text, "}");
}

/* ---- requests -------------------------------------------------------------------------------- */

static void add_place(struct text *body, unsigned item)
{
    add(body, "{\"TableName\":\"shop-%u\",\"Key\":", item % SHOPS);
    add_key(body, item);
    add(body, "}");
}

static void get_hit(struct text *body, unsigned i)
{
    add_place(body, any_item(i));
}

static void get_miss(struct text *body, unsigned i)
{
    add_place(body, 500000 + any_item(i));
}

static void put(struct text *body, unsigned item, const char *rest)
{
    add(body, "{\"TableName\":\"shop-%u\",\"Item\":", item % SHOPS);
    add_item(body, item);
    add(body, "%s}", rest);
}

static void put_new(struct text *body, unsigned i)
{
    put(body, 100000 + i, "");
}

static void put_overwrite(struct text *body, unsigned i)
{
    put(body, any_item(i), "");
}

static void put_conditional(struct text *body, unsigned i)
{
    put(body, 200000 + i, ",\"ConditionExpression\":\"attribute_not_exists(id)\"");
}

static void put_refused(struct text *body, unsigned i)
{
    put(body, any_item(i), ",\"ConditionExpression\":\"attribute_not_exists(id)\"");
}

static void put_indexed(struct text *body, unsigned i)
{
    add(body, "{\"TableName\":\"indexed-%u\",\"Item\":", i % INDEXED);
    add_item(body, 300000 + i);
    add(body, "}");
}

static void update(struct text *body, unsigned i)
{
    get_hit(body, i);
    body->length--;
    add(body,
        ",\"UpdateExpression\":\"SET #c = #c + :one\",\"ConditionExpression\":\"#c >= :zero\","
        "\"ExpressionAttributeNames\":{\"#c\":\"count\"},\"ExpressionAttributeValues\":"
        "{\":one\":{\"N\":\"1\"},\":zero\":{\"N\":\"0\"}},\"ReturnValues\":\"UPDATED_NEW\"}");
}

static void delete_item(struct text *body, unsigned i)
{
    add_place(body, DELETED + i);
    body->length--;
    add(body, ",\"ReturnValues\":\"ALL_OLD\"}");
}

static void query(struct text *body, unsigned i, unsigned limit)
{
    add(body,
        "{\"TableName\":\"orders-%u\",\"KeyConditionExpression\":\"customer = :c AND #n > :n\","
        "\"ExpressionAttributeNames\":{\"#n\":\"number\"},\"ExpressionAttributeValues\":"
        "{\":c\":{\"S\":\"customer-%u\"},\":n\":{\"N\":\"%u\"}},\"Limit\":%u}",
        i % ORDER_TABLES, i % CUSTOMERS, any_item(i) / CUSTOMERS, limit);
}

static void query_index(struct text *body, unsigned i, unsigned limit)
{
    add(body,
        "{\"TableName\":\"orders-%u\",\"IndexName\":\"by_status\",\"KeyConditionExpression\":"
        "\"#s = :s AND #n > "
        ":n\",\"ExpressionAttributeNames\":{\"#n\":\"number\",\"#s\":\"status\"},"
        "\"ExpressionAttributeValues\":{\":s\":{\"S\":\"status-%u\"},\":n\":{\"N\":\"%u\"}},"
        "\"Limit\":%u}",
        i % ORDER_TABLES, i % CUSTOMERS, any_item(i) / CUSTOMERS, limit);
}

static void query_1(struct text *body, unsigned i)
{
    query(body, i, 1);
}

static void query_10(struct text *body, unsigned i)
{
    query(body, i, 10);
}

static void query_100(struct text *body, unsigned i)
{
    query(body, i, 100);
}

static void query_index_1(struct text *body, unsigned i)
{
    query_index(body, i, 1);
}

static void query_index_10(struct text *body, unsigned i)
{
    query_index(body, i, 10);
}

static void query_index_100(struct text *body, unsigned i)
{
    query_index(body, i, 100);
}

static void scan(struct text *body, unsigned i)
{
    add(body,
        "{\"TableName\":\"orders-%u\",\"Limit\":200,\"FilterExpression\":\"#c < :c AND active = "
        ":a\","
        "\"ExpressionAttributeNames\":{\"#c\":\"count\"},\"ExpressionAttributeValues\":"
        "{\":c\":{\"N\":\"%u\"},\":a\":{\"BOOL\":true}}}",
        i % ORDER_TABLES, ORDERS / 2 + i);
}

/* The item number i of one shop. */
static unsigned shop_item(unsigned shop, unsigned i)
{
    return i * STEP % (ITEMS / SHOPS) * SHOPS + shop;
}

static void batch_get(struct text *body, unsigned i)
{
    add(body, "{\"RequestItems\":{\"shop-%u\":{\"Keys\":[", i % SHOPS);
    for (unsigned j = 0; j < GET_BATCH; j++) {
        if (j > 0) add(body, ",");
        add_key(body, shop_item(i % SHOPS, i * GET_BATCH + j));
    }
    add(body, "]}}}");
}

struct batch {
    const char *table;
    unsigned first; /* the items are this one … */
    unsigned step;  /* … and those at this distance */
    void (*add_one)(struct text *text, unsigned i);
};

static void put_batch(struct text *body, const struct batch *batch)
{
    add(body, "{\"RequestItems\":{\"%s\":[", batch->table);
    for (unsigned i = 0; i < BATCH; i++) {
        add(body, "%s{\"PutRequest\":{\"Item\":", i > 0 ? "," : "");
        batch->add_one(body, batch->first + i * batch->step);
        add(body, "}}");
    }
    add(body, "]}}");
}

/* The batch number i of new items. */
static void put_shop_batch(struct text *body, unsigned i, unsigned first)
{
    char table[16];
    snprintf(table, sizeof table, "shop-%u", i % SHOPS);
    const struct batch batch = {table, first + i / SHOPS * BATCH * SHOPS + i % SHOPS, SHOPS,
                                add_item};
    put_batch(body, &batch);
}

static void batch_write(struct text *body, unsigned i)
{
    put_shop_batch(body, i, 400000);
}

static void transact_get(struct text *body, unsigned i)
{
    add(body, "{\"TransactItems\":[");
    for (unsigned j = 0; j < BATCH; j++) {
        add(body, "%s{\"Get\":", j > 0 ? "," : "");
        get_hit(body, i * BATCH + j);
        add(body, "}");
    }
    add(body, "]}");
}

static void transact_write(struct text *body, unsigned i, unsigned members)
{
    add(body, "{\"TransactItems\":[");
    for (unsigned j = 0; j < members; j++) {
        if (j > 0) add(body, ",");
        if (j % 2 == 0) {
            add(body, "{\"Put\":");
            put_overwrite(body, i * members + j);
        } else {
            add(body, "{\"Update\":");
            get_hit(body, i * members + j);
            body->length--;
            add(body, ",\"UpdateExpression\":\"SET #c = #c + :one\",\"ExpressionAttributeNames\":"
                      "{\"#c\":\"count\"},\"ExpressionAttributeValues\":{\":one\":{\"N\":\"1\"}}}");
        }
        add(body, "}");
    }
    add(body, "]}");
}

static void transact_write_2(struct text *body, unsigned i)
{
    transact_write(body, i, 2);
}

static void transact_write_25(struct text *body, unsigned i)
{
    transact_write(body, i, BATCH);
}

static void partiql_select(struct text *body, unsigned i)
{
    add(body, "{\"Statement\":\"SELECT * FROM \\\"shop-%u\\\" WHERE id = ?\",\"Parameters\":[",
        any_item(i) % SHOPS);
    add_id(body, any_item(i));
    add(body, "]}");
}

static void partiql_insert(struct text *body, unsigned i)
{
    add(body,
        "{\"Statement\":\"INSERT INTO \\\"shop-%u\\\" VALUE {'id': ?, 'name': 'inserted', "
        "'count': 7}\",\"Parameters\":[",
        i % SHOPS);
    add_id(body, 800000 + i);
    add(body, "]}");
}

/* Filled in by set_up_streams, once there is an iterator. */
static char get_records_body[4096];

static void get_records(struct text *body, unsigned i)
{
    (void)i;
    add(body, "%s", get_records_body);
}

/* DeleteItem runs after whatever expects all items to be there. */
static const struct operation operations[] = {
    {"GetItem", "GetItem", 200, "\"note\"", MANY, get_hit},
    {"GetItem of an absent item", "GetItem", 200, "{}", MANY, get_miss},
    {"PutItem of a new item", "PutItem", 200, "{}", MANY, put_new},
    {"PutItem over an item", "PutItem", 200, "{}", MANY, put_overwrite},
    {"PutItem with a condition", "PutItem", 200, "{}", MANY, put_conditional},
    {"PutItem with a condition that fails", "PutItem", 400, "conditional request", MANY,
     put_refused},
    {"UpdateItem adding to a number", "UpdateItem", 200, "\"count\"", MANY, update},
    {"Query of 1 item", "Query", 200, "\"Count\":1,", MANY, query_1},
    {"Query of 10 items", "Query", 200, "\"Count\":10,", MANY, query_10},
    {"Query of 100 items", "Query", 200, "\"Count\":100,", FEW, query_100},
    {"Query of 1 item of an index", "Query", 200, "\"Count\":1,", MANY, query_index_1},
    {"Query of 10 items of an index", "Query", 200, "\"Count\":10,", MANY, query_index_10},
    {"Query of 100 items of an index", "Query", 200, "\"Count\":100,", FEW, query_index_100},
    {"Scan of 200 items with a filter", "Scan", 200, "\"ScannedCount\":200", FEW, scan},
    {"BatchGetItem of 100 items", "BatchGetItem", 200, "\"note\"", FEW, batch_get},
    {"BatchWriteItem of 25 items", "BatchWriteItem", 200, "\"UnprocessedItems\":{}", FEW,
     batch_write},
    {"TransactGetItems of 25 items", "TransactGetItems", 200, "\"note\"", FEW, transact_get},
    {"TransactWriteItems of 2 items", "TransactWriteItems", 200, "{}", MANY, transact_write_2},
    {"TransactWriteItems of 25 items", "TransactWriteItems", 200, "{}", FEW, transact_write_25},
    {"PartiQL SELECT by key", "ExecuteStatement", 200, "\"note\"", MANY, partiql_select},
    {"PartiQL INSERT", "ExecuteStatement", 200, "\"Items\":[]", MANY, partiql_insert},
    {"DeleteItem", "DeleteItem", 200, "\"note\"", MANY, delete_item},
};

/*
 * These are a run of their own: while there is a stream, the background looks at it ten times a
 * second, and how often that is in the time of a cheap operation depends on what else the machine
 * does.
 */
static const struct operation stream_operations[] = {
    {"PutItem with 5 indexes and a stream", "PutItem", 200, "{}", MANY, put_indexed},
    {"GetRecords of 100 changes", "GetRecords", 200, "\"NewImage\"", FEW, get_records},
};

/* ---- setting up ------------------------------------------------------------------------------ */

static void fail(const char *what, const struct stator_response *response)
{
    fprintf(stderr, "operations: %s: %d %.500s\n", what, response->status, response->body);
    exit(1);
}

/* Calls and insists on success; the answer is to be freed. */
static struct stator_response ask(struct stator *db, const char *call, const char *body)
{
    struct stator_response response;
    if (stator_call(db, call, body, strlen(body), &response) != 200) fail(call, &response);
    return response;
}

static void tell(struct stator *db, const char *call, const char *body)
{
    struct stator_response response = ask(db, call, body);
    stator_response_free(&response);
}

static void create_tables(struct stator *db, struct text *text)
{
    for (unsigned i = 0; i < SHOPS; i++) {
        text->length = 0;
        add(text,
            "{\"TableName\":\"shop-%u\",\"BillingMode\":\"PAY_PER_REQUEST\","
            "\"AttributeDefinitions\":"
            "[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"
            "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]}",
            i);
        tell(db, "CreateTable", text->data);
    }
    for (unsigned i = 0; i < ORDER_TABLES; i++) {
        text->length = 0;
        add(text,
            "{\"TableName\":\"orders-%u\",\"BillingMode\":\"PAY_PER_REQUEST\","
            "\"AttributeDefinitions\":"
            "[{\"AttributeName\":\"customer\",\"AttributeType\":\"S\"},"
            "{\"AttributeName\":\"number\",\"AttributeType\":\"N\"},"
            "{\"AttributeName\":\"status\",\"AttributeType\":\"S\"}],"
            "\"KeySchema\":[{\"AttributeName\":\"customer\",\"KeyType\":\"HASH\"},"
            "{\"AttributeName\":\"number\",\"KeyType\":\"RANGE\"}],"
            "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"by_status\",\"KeySchema\":"
            "[{\"AttributeName\":\"status\",\"KeyType\":\"HASH\"},"
            "{\"AttributeName\":\"number\",\"KeyType\":\"RANGE\"}],"
            "\"Projection\":{\"ProjectionType\":\"ALL\"}}]}",
            i);
        tell(db, "CreateTable", text->data);
    }
}

/* Five indexes, one of each kind of key that items have, and a stream of both images. */
static void create_indexed(struct stator *db, struct text *text, unsigned number)
{
    static const char *const keys[] = {"name:S", "owner:S", "status:S", "count:N", "price:N"};
    text->length = 0;
    add(text,
        "{\"TableName\":\"indexed-%u\",\"BillingMode\":\"PAY_PER_REQUEST\",\"KeySchema\":"
        "[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}],\"StreamSpecification\":"
        "{\"StreamEnabled\":true,\"StreamViewType\":\"NEW_AND_OLD_IMAGES\"},"
        "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}",
        number);
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const int length = (int)strcspn(keys[i], ":");
        add(text, ",{\"AttributeName\":\"%.*s\",\"AttributeType\":\"%s\"}", length, keys[i],
            keys[i] + length + 1);
    }
    add(text, "],\"GlobalSecondaryIndexes\":[");
    for (size_t i = 0; i < COUNT_OF(keys); i++) {
        const int length = (int)strcspn(keys[i], ":");
        add(text,
            "%s{\"IndexName\":\"by_%.*s\",\"KeySchema\":[{\"AttributeName\":\"%.*s\","
            "\"KeyType\":\"HASH\"}],\"Projection\":{\"ProjectionType\":\"ALL\"}}",
            i > 0 ? "," : "", length, keys[i], length, keys[i]);
    }
    add(text, "]}");
    tell(db, "CreateTable", text->data);
}

static void load(struct stator *db, struct text *text)
{
    for (unsigned i = 0; i < seed * SEED_PUTS; i++) {
        text->length = 0;
        put(text, 900000 + i, "");
        tell(db, "PutItem", text->data);
    }
    for (unsigned i = 0; i < ITEMS / BATCH; i++) {
        text->length = 0;
        put_shop_batch(text, i, 0);
        tell(db, "BatchWriteItem", text->data);
    }
    for (unsigned i = 0; i < ORDER_TABLES * ORDERS / BATCH; i++) {
        char table[16];
        snprintf(table, sizeof table, "orders-%u", i % ORDER_TABLES);
        text->length = 0;
        put_batch(text, &(struct batch){table, i / ORDER_TABLES * BATCH, 1, add_order});
        tell(db, "BatchWriteItem", text->data);
    }
}

/* Adds ,"name":"value" with the value that the answer has there, and frees the answer. */
static void copy_member(struct text *text, const char *name, struct stator_response response)
{
    char begin[64];
    snprintf(begin, sizeof begin, "\"%s\":\"", name);
    const char *value = strstr(response.body, begin);
    if (value == NULL) fail(name, &response);
    value += strlen(begin);
    add(text, ",\"%s\":\"%.*s\"", name, (int)strcspn(value, "\""), value);
    stator_response_free(&response);
}

/* An iterator at the beginning of the changes of the first of these tables. */
static void find_changes(struct stator *db, struct text *text)
{
    text->length = 0;
    add(text, "{\"TableName\":\"indexed-0\"");
    copy_member(text, "StreamArn", ask(db, "ListStreams", "{\"TableName\":\"indexed-0\"}"));
    add(text, "}");
    char *description = strchr(text->data, ',');
    *description = '{';
    struct stator_response shards = ask(db, "DescribeStream", description);
    *description = ',';
    memmove(text->data, description, strlen(description) + 1);
    text->data[0] = '{';
    text->length = strlen(text->data) - 1;
    copy_member(text, "ShardId", shards);
    add(text, ",\"ShardIteratorType\":\"TRIM_HORIZON\"}");

    struct stator_response iterator = ask(db, "GetShardIterator", text->data);
    text->length = 0;
    add(text, "{\"Limit\":100");
    copy_member(text, "ShardIterator", iterator);
    add(text, "}");
    if (text->length >= sizeof get_records_body) abort();
    memcpy(get_records_body, text->data, text->length + 1);
}

static void set_up_streams(struct stator *db, struct text *text)
{
    for (unsigned i = 0; i < INDEXED; i++)
        create_indexed(db, text, i);
    for (unsigned i = 0; i < INDEXED * CHANGES / BATCH; i++) {
        char table[16];
        snprintf(table, sizeof table, "indexed-%u", i % INDEXED);
        text->length = 0;
        put_batch(text, &(struct batch){table, i * BATCH, 1, add_item});
        tell(db, "BatchWriteItem", text->data);
    }
    find_changes(db, text);
}

/* ---- counting -------------------------------------------------------------------------------- */

static void call_once(struct stator *db, const struct operation *operation, const struct text *body,
                      bool is_looked_at)
{
    struct stator_response response;
    stator_call(db, operation->call, body->data, body->length, &response);
    if (response.status != operation->status) fail(operation->name, &response);
    if (is_looked_at && strstr(response.body, operation->expects) == NULL)
        fail(operation->name, &response);
    stator_response_free(&response);
}

static void count(struct stator *db, const struct operation *operation, struct text *scratch)
{
    static struct text bodies[WARM_TIMES + MANY];
    const unsigned calls = WARM_TIMES + operation->times;
    if (operation->times > MANY) abort();
    for (unsigned i = 0; i < calls; i++) {
        scratch->length = 0;
        operation->write(scratch, i);
        bodies[i].data = strdup(scratch->data);
        bodies[i].length = scratch->length;
    }
    for (unsigned i = 0; i < WARM_TIMES; i++)
        call_once(db, operation, &bodies[i], true);
    CALLGRIND_ZERO_STATS;
    for (unsigned i = WARM_TIMES; i < calls; i++)
        call_once(db, operation, &bodies[i], false);
    CALLGRIND_DUMP_STATS_AT(operation->name);
    printf("%u %s\n", operation->times, operation->name);
    for (unsigned i = 0; i < calls; i++)
        free(bodies[i].data);
}

/* What the counts depend on, besides our own source. */
static void print_versions(void)
{
#if defined(__clang__)
    printf("compiler clang %s\n", __clang_version__);
#else
    printf("compiler gcc %s\n", __VERSION__);
#endif
    printf("libc glibc %s\n", gnu_get_libc_version());
    printf("rocksdb %s\n", ROCKSDB_VERSION);
#if defined(__x86_64__)
    /* libc chooses its copying and searching by it. */
    printf("machine x86_64 %s AVX2\n", __builtin_cpu_supports("avx2") ? "with" : "without");
#else
    printf("machine another\n");
#endif
}

int main(int argument_count, char **arguments)
{
    if (argument_count > 1 && strcmp(arguments[1], "--versions") == 0) {
        print_versions();
        return 0;
    }
    if (argument_count > 1) seed = (unsigned)strtoul(arguments[1], NULL, 10);
    const bool with_streams = argument_count > 2 && strcmp(arguments[2], "streams") == 0;
    const struct operation *first = with_streams ? stream_operations : operations;
    const size_t number = with_streams ? COUNT_OF(stream_operations) : COUNT_OF(operations);
    struct stator *db;
    char message[256] = "";
    const struct stator_options options = {.in_memory = true};
    if (stator_open(&options, &db, message, sizeof message) != STATOR_OK) {
        fprintf(stderr, "operations: %s\n", message);
        return 1;
    }
    struct text scratch = {calloc(1, BODY_BYTES), 0};
    if (scratch.data == NULL) abort();
    create_tables(db, &scratch);
    load(db, &scratch);
    if (with_streams) set_up_streams(db, &scratch);

    /* Callgrind would lose count if it were stopped for something, and started again. */
    CALLGRIND_START_INSTRUMENTATION;
    for (size_t i = 0; i < number; i++)
        count(db, &first[i], &scratch);
    free(scratch.data);
    stator_close(db);
    return 0;
}
