/* SPDX-License-Identifier: Apache-2.0 */
/* change: what was written to the log is what is read from it, by shard and in order. */
#include "store/change.h"

#include "store/layout.h"
#include "unit/unit.h"

enum { NOW_MS = 1000, HALF = UINT32_MAX / 2 };

static struct arena arena;
static struct kv *kv;

static struct shard one_shard[] = {{.id = 7, .hash_last = UINT32_MAX}};
static struct shard two_shards[] = {
    {.id = 8, .hash_last = HALF},
    {.id = 9, .hash_first = (uint32_t)HALF + 1, .hash_last = UINT32_MAX},
};
static struct table table;

static int open_store(void **state)
{
    (void)state;
    struct slice detail;
    const struct kv_options options = {.in_memory = true};
    arena_open(&arena, 0);
    table = (struct table){
        .id = 3,
        .name = SLICE("Orders"),
        .key = {1, 0, {{SLICE("pk"), VALUE_STRING}}},
        .stream = STREAM_NEW_AND_OLD,
        .shards = one_shard,
        .shard_count = 1,
    };
    return kv_open(&kv_rocksdb, &options, &kv, &arena, &detail) == KV_OPEN_OK ? 0 : -1;
}

static int close_store(void **state)
{
    (void)state;
    kv_close(kv);
    arena_close(&arena);
    return 0;
}

/* ---- helpers --------------------------------------------------------------------------------- */

/* An item with this key and, unless it is NULL, this text. */
static struct slice make_item(const char *key, const char *text)
{
    struct attribute attributes[2] = {
        {SLICE("pk"), value_scalar(&arena, VALUE_STRING, slice_of_string(key)).encoded}};
    if (text == NULL) return item_build(&arena, attributes, 1);
    attributes[1] = (struct attribute){
        SLICE("text"), value_scalar(&arena, VALUE_STRING, slice_of_string(text)).encoded};
    return item_build(&arena, attributes, 2);
}

/* An item of this many bytes; the store takes what it is given. */
static struct slice make_large_item(char fill, size_t length)
{
    char *text = arena_alloc(&arena, length + 1);
    memset(text, fill, length);
    return make_item("large", text);
}

static struct write make_write(struct slice old_item, struct slice new_item)
{
    struct write write = {.table = &table, .old_item = old_item, .new_item = new_item};
    write.row_key = layout_item_key(&arena, &table, new_item.length > 0 ? new_item : old_item);
    return write;
}

static enum kv_status append_body(struct kv_txn *txn, void *context)
{
    change_append(txn, &arena, context, NOW_MS);
    return KV_OK;
}

static void append(struct write write)
{
    assert_int_equal(kv_update_wait(kv, append_body, &write), KV_OK);
}

struct reading {
    uint32_t shard_id;
    struct slice after;
    struct change changes[8];
    size_t count;
    enum kv_status end; /* what the walk ended with */
};

static enum kv_status read_body(struct kv_txn *txn, void *context)
{
    struct reading *reading = context;
    const struct change_place from = {table.id, reading->shard_id, reading->after};
    struct change_walk walk;
    reading->count = 0;
    assert_int_equal(change_walk_open(txn, &arena, &from, &walk), KV_OK);
    while (reading->count < COUNT_OF(reading->changes)) {
        reading->end = change_walk_next(&walk, &reading->changes[reading->count]);
        if (reading->end != KV_OK) break;
        reading->count++;
    }
    change_walk_close(&walk);
    return KV_OK;
}

static struct reading read_shard(uint32_t shard_id, struct slice after)
{
    struct reading reading = {.shard_id = shard_id, .after = after};
    assert_int_equal(kv_view_wait(kv, read_body, &reading), KV_OK);
    return reading;
}

/* ---- records --------------------------------------------------------------------------------- */

static void a_record_says_what_happened(void **state)
{
    (void)state;
    const struct slice one = make_item("a", "one");
    const struct slice two = make_item("a", "two");
    append(make_write((struct slice){0}, one));
    append(make_write(one, two));
    struct write removal = make_write(two, (struct slice){0});
    removal.expired = true;
    append(removal);

    const struct reading reading = read_shard(7, (struct slice){0});
    const struct {
        enum change_kind kind;
        struct slice old_image;
        struct slice new_image;
        bool expired;
    } expected[] = {
        {CHANGE_INSERT, {0}, one, false},
        {CHANGE_MODIFY, one, two, false},
        {CHANGE_REMOVE, two, {0}, true},
    };
    assert_int_equal(reading.end, KV_NOT_FOUND);
    assert_int_equal(reading.count, COUNT_OF(expected));
    for (size_t i = 0; i < COUNT_OF(expected); i++) {
        const struct change *change = &reading.changes[i];
        assert_int_equal(change->kind, expected[i].kind);
        assert_int_equal(change->expired, expected[i].expired);
        assert_int_equal(change->time_ms, NOW_MS);
        ASSERT_SLICE(change->key, make_item("a", NULL));
        ASSERT_SLICE(change->old_image, expected[i].old_image);
        ASSERT_SLICE(change->new_image, expected[i].new_image);
        if (i > 0) assert_true(slice_compare(reading.changes[i - 1].stamp, change->stamp) < 0);
    }
}

static void only_images_that_a_reader_wants_are_recorded(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        enum stream_view view;
        bool old_image;
        bool new_image;
    } cases[] = {
        {"KEYS_ONLY", STREAM_KEYS_ONLY, false, false},
        {"NEW_IMAGE", STREAM_NEW_IMAGE, false, true},
        {"OLD_IMAGE", STREAM_OLD_IMAGE, true, false},
        {"NEW_AND_OLD_IMAGES", STREAM_NEW_AND_OLD, true, true},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        table.stream = cases[i].view;
        append(make_write(make_item("a", "one"), make_item("a", "two")));
        const struct reading reading = read_shard(7, (struct slice){0});
        const struct change *change = &reading.changes[reading.count - 1];
        ASSERT_CASE(change->kind == CHANGE_MODIFY, cases[i].name);
        ASSERT_CASE((change->old_image.length > 0) == cases[i].old_image, cases[i].name);
        ASSERT_CASE((change->new_image.length > 0) == cases[i].new_image, cases[i].name);
    }
}

/* Two images of the largest items are more than one value holds. */
static void images_that_fill_two_values_come_back_whole(void **state)
{
    (void)state;
    const struct slice one = make_large_item('1', KV_VALUE_BYTES_MAX - 1000);
    const struct slice two = make_large_item('2', KV_VALUE_BYTES_MAX - 1000);
    append(make_write((struct slice){0}, one));
    append(make_write(one, two));
    append(make_write(make_item("a", "old"), make_item("a", "new")));

    struct reading reading = read_shard(7, (struct slice){0});
    assert_int_equal(reading.count, 3);
    ASSERT_SLICE(reading.changes[1].old_image, one);
    ASSERT_SLICE(reading.changes[1].new_image, two);
    assert_true(slice_compare(reading.changes[1].stamp, reading.changes[1].last_stamp) < 0);

    /* Behind the record's first row, and behind its last. */
    const struct slice places[] = {reading.changes[1].stamp, reading.changes[1].last_stamp};
    for (int i = 0; i < 2; i++) {
        reading = read_shard(7, places[i]);
        assert_int_equal(reading.count, 1);
        ASSERT_SLICE(reading.changes[0].new_image, make_item("a", "new"));
    }
}

/* How many changes the shard holds; each has to have a hash of its range. */
static size_t count_changes(const struct shard *shard)
{
    size_t count = 0;
    struct slice after = {0};
    for (;;) {
        const struct reading reading = read_shard(shard->id, after);
        for (size_t i = 0; i < reading.count; i++) {
            const struct slice row_key = layout_item_key(&arena, &table, reading.changes[i].key);
            assert_true(layout_item_hash(row_key) >= shard->hash_first);
            assert_true(layout_item_hash(row_key) <= shard->hash_last);
        }
        count += reading.count;
        if (reading.end == KV_NOT_FOUND) return count;
        after = reading.changes[reading.count - 1].stamp;
    }
}

static void a_change_lies_in_the_shard_of_its_hash(void **state)
{
    (void)state;
    enum { KEYS = 60 };
    table.shards = two_shards;
    table.shard_count = 2;
    for (int i = 0; i < KEYS; i++) {
        char key[8];
        snprintf(key, sizeof key, "%d", i);
        append(make_write((struct slice){0}, make_item(key, NULL)));
    }
    const size_t low = count_changes(&two_shards[0]);
    assert_int_equal(low + count_changes(&two_shards[1]), KEYS);
    assert_true(low > 0);
    assert_true(low < KEYS);
}

/* ---- what we did not write ------------------------------------------------------------------- */

struct planting {
    uint32_t shard_id;
    struct slice row;
};

static enum kv_status plant_body(struct kv_txn *txn, void *context)
{
    const struct planting *planting = context;
    kv_append(txn, layout_change_prefix(&arena, table.id, planting->shard_id), planting->row);
    return KV_OK;
}

static void damaged_records_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        struct slice row;
    } cases[] = {
        {"empty", {(const uint8_t *)"", 0}},
        {"another format", {(const uint8_t *)"\x02\x02", 2}},
        {"cut in the head", {(const uint8_t *)"\x01\x02\0\0\0\0\0\0\0\0\0\0", 12}},
        {"no key", {(const uint8_t *)"\x01\x02\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 18}},
        {"key too long", {(const uint8_t *)"\x01\x02\0\0\0\0\0\0\0\0\0\0\0\2\0\0\0\0a", 19}},
        {"image too long",
         {(const uint8_t *)"\x01\x02\0\0\0\0\0\0\0\0\0\0\0\1\xff\xff\xff\xff"
                           "a",
          19}},
        {"neither before nor after",
         {(const uint8_t *)"\x01\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0a", 19}},
        {"a key that is no item",
         {(const uint8_t *)"\x01\x02\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0a", 19}},
        {"an image that is no item",
         {(const uint8_t *)"\x01\x02\0\0\0\0\0\0\0\0\0\0\0\x09\0\0\0\1\x07\4\0\0\0\0\0\0\0a", 28}},
        {"its rest is missing", {(const uint8_t *)"\x01\x0b\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0a", 19}},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct planting planting = {(uint32_t)i + 1, cases[i].row};
        assert_int_equal(kv_update_wait(kv, plant_body, &planting), KV_OK);
        const struct reading reading = read_shard(planting.shard_id, (struct slice){0});
        ASSERT_CASE(reading.count == 0, cases[i].name);
        ASSERT_CASE(reading.end == KV_CORRUPT, cases[i].name);
    }
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, open_store, close_store)
    const struct CMUnitTest tests[] = {
        TEST(a_record_says_what_happened),
        TEST(only_images_that_a_reader_wants_are_recorded),
        TEST(images_that_fill_two_values_come_back_whole),
        TEST(a_change_lies_in_the_shard_of_its_hash),
        TEST(damaged_records_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
