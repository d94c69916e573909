/* SPDX-License-Identifier: Apache-2.0 */
/* contract_threads — what holds while several threads read and write at once. */
#include "unit/kv/contract.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    PRODUCERS = 4,
    UPDATES_EACH = 200,
    OUTSTANDING = 16, /* of a producer */
    TRANSFERS = 300,
    TOUCHES = 100,
    QUEUED = 200,
    TOTAL = 1000,
    WIDTH = 8, /* bytes of a stored number */
};

static struct slice number_slice(const uint64_t *number)
{
    return slice_of(number, WIDTH);
}

static enum kv_status get_number(struct kv_txn *txn, struct slice key, uint64_t *number)
{
    struct arena arena;
    arena_open(&arena, 0);
    struct slice value;
    const enum kv_status status = kv_get(txn, key, &arena, &value);
    *number = 0;
    if (status == KV_OK && value.length == WIDTH) memcpy(number, value.data, WIDTH);
    arena_close(&arena);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

/* ---- producers ------------------------------------------------------------------------------- */

struct producer {
    struct kv *kv;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int outstanding;
    int succeeded;
};

struct increment {
    struct kv_work work;
    struct producer *producer;
};

/* Reads a number, writes it one higher, and counts along with kv_add. */
static enum kv_status increment_body(struct kv_txn *txn, void *context)
{
    (void)context;
    uint64_t number = 0;
    const enum kv_status status = get_number(txn, SLICE("shared"), &number);
    if (status != KV_OK) return status;
    number++;
    kv_put(txn, SLICE("shared"), number_slice(&number));
    kv_add(txn, SLICE("counted"), 1);
    return KV_OK;
}

static void increment_done(void *context, enum kv_status status)
{
    struct increment *increment = context;
    struct producer *producer = increment->producer;
    free(increment);
    pthread_mutex_lock(&producer->mutex);
    producer->outstanding--;
    if (status == KV_OK) producer->succeeded++;
    pthread_cond_signal(&producer->changed);
    pthread_mutex_unlock(&producer->mutex);
}

static void wait_until(struct producer *producer, int outstanding_max)
{
    pthread_mutex_lock(&producer->mutex);
    while (producer->outstanding > outstanding_max)
        pthread_cond_wait(&producer->changed, &producer->mutex);
    pthread_mutex_unlock(&producer->mutex);
}

static void *produce(void *context)
{
    struct producer *producer = context;
    for (int i = 0; i < UPDATES_EACH; i++) {
        wait_until(producer, OUTSTANDING - 1);
        struct increment *increment = calloc(1, sizeof *increment);
        CHECK(increment != NULL);
        increment->producer = producer;
        increment->work.body = increment_body;
        increment->work.done = increment_done;
        increment->work.context = increment;
        pthread_mutex_lock(&producer->mutex);
        producer->outstanding++;
        pthread_mutex_unlock(&producer->mutex);
        kv_update(producer->kv, &increment->work);
    }
    wait_until(producer, 0);
    return NULL;
}

struct totals {
    uint64_t shared;
    int64_t counted;
};

static enum kv_status totals_body(struct kv_txn *txn, void *context)
{
    struct totals *totals = context;
    const enum kv_status status = get_number(txn, SLICE("shared"), &totals->shared);
    return status != KV_OK ? status : kv_get_counter(txn, SLICE("counted"), &totals->counted);
}

static void concurrent_increments_are_all_counted(void **state)
{
    struct fixture *fixture = *state;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){.kv = fixture->kv,
                                         .mutex = PTHREAD_MUTEX_INITIALIZER,
                                         .changed = PTHREAD_COND_INITIALIZER};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (int i = 0; i < PRODUCERS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(producers[i].succeeded, UPDATES_EACH);
    }
    struct totals totals;
    assert_int_equal(kv_view_wait(fixture->kv, totals_body, &totals), KV_OK);
    assert_int_equal(totals.shared, PRODUCERS * UPDATES_EACH);
    assert_int_equal(totals.counted, PRODUCERS * UPDATES_EACH);
}

static void closing_first_runs_what_is_queued(void **state)
{
    struct fixture *fixture = *state;
    struct producer producer = {.kv = fixture->kv,
                                .mutex = PTHREAD_MUTEX_INITIALIZER,
                                .changed = PTHREAD_COND_INITIALIZER,
                                .outstanding = QUEUED};
    for (int i = 0; i < QUEUED; i++) {
        struct increment *increment = calloc(1, sizeof *increment);
        CHECK(increment != NULL);
        increment->producer = &producer;
        increment->work.body = increment_body;
        increment->work.done = increment_done;
        increment->work.context = increment;
        kv_update(fixture->kv, &increment->work);
    }
    fixture_reopen(fixture);
    assert_int_equal(producer.succeeded, QUEUED);
}

/* ---- readers beside a writer ----------------------------------------------------------------- */

struct writer {
    struct kv *kv;
    kv_body *body;
    int count;
    atomic_bool is_finished;
    bool is_ok;
};

static void *write_on(void *context)
{
    struct writer *writer = context;
    writer->is_ok = true;
    for (int i = 0; i < writer->count; i++)
        if (kv_update_wait(writer->kv, writer->body, NULL) != KV_OK) writer->is_ok = false;
    atomic_store(&writer->is_finished, true);
    return NULL;
}

/* Moves one from a to b, or all back when a is empty. The first time a has TOTAL. */
static enum kv_status transfer_body(struct kv_txn *txn, void *context)
{
    (void)context;
    uint64_t a = 0;
    uint64_t b = 0;
    enum kv_status status = get_number(txn, SLICE("a"), &a);
    if (status == KV_OK) status = get_number(txn, SLICE("b"), &b);
    if (status != KV_OK) return status;
    if (a == 0) {
        a = TOTAL;
        b = 0;
    } else {
        a--;
        b++;
    }
    kv_put(txn, SLICE("a"), number_slice(&a));
    kv_put(txn, SLICE("b"), number_slice(&b));
    return KV_OK;
}

/* Sums a and b by gets and by a cursor opened after them. */
static enum kv_status sums_body(struct kv_txn *txn, void *context)
{
    uint64_t *sums = context;
    uint64_t a = 0;
    uint64_t b = 0;
    enum kv_status status = get_number(txn, SLICE("a"), &a);
    if (status == KV_OK) status = get_number(txn, SLICE("b"), &b);
    if (status != KV_OK) return status;
    sums[0] = a + b;
    sums[1] = 0;
    struct kv_cursor *cursor = NULL;
    status =
        kv_cursor_open(txn, (struct kv_range){.begin = SLICE("a"), .end = SLICE("c")}, &cursor);
    struct slice key;
    struct slice value;
    while (status == KV_OK && (status = kv_cursor_next(cursor, &key, &value)) == KV_OK) {
        uint64_t number = 0;
        memcpy(&number, value.data, WIDTH);
        sums[1] += number;
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static void view_sees_one_state_while_updates_run(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(kv_update_wait(fixture->kv, transfer_body, NULL), KV_OK);
    struct writer writer = {.kv = fixture->kv, .body = transfer_body, .count = TRANSFERS};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
    int wrong = 0;
    while (!atomic_load(&writer.is_finished)) {
        uint64_t sums[2] = {0, 0};
        if (kv_view_wait(fixture->kv, sums_body, sums) != KV_OK) wrong++;
        if (sums[0] != TOTAL || sums[1] != TOTAL) wrong++;
    }
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_true(writer.is_ok);
}

/* Stores the version that its own touch will make. */
static enum kv_status touch_body(struct kv_txn *txn, void *context)
{
    (void)context;
    uint64_t version = 0;
    const enum kv_status status = kv_metadata_version(txn, &version);
    if (status != KV_OK) return status;
    version++;
    kv_put(txn, SLICE("version"), number_slice(&version));
    kv_touch_metadata(txn);
    return KV_OK;
}

struct versions {
    struct kv_work work;
    bool is_data_first;
    uint64_t told;
    uint64_t stored;
    enum kv_status status;
};

static enum kv_status versions_body(struct kv_txn *txn, void *context)
{
    struct versions *versions = context;
    enum kv_status status = KV_OK;
    if (!versions->is_data_first) status = kv_metadata_version(txn, &versions->told);
    if (status == KV_OK) status = get_number(txn, SLICE("version"), &versions->stored);
    if (status == KV_OK && versions->is_data_first)
        status = kv_metadata_version(txn, &versions->told);
    return status;
}

static void versions_done(void *context, enum kv_status status)
{
    ((struct versions *)context)->status = status;
}

static void metadata_version_belongs_to_the_data_read_with_it(void **state)
{
    struct fixture *fixture = *state;
    assert_int_equal(kv_update_wait(fixture->kv, touch_body, NULL), KV_OK);
    struct writer writer = {.kv = fixture->kv, .body = touch_body, .count = TOUCHES};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, write_on, &writer), 0);
    int wrong = 0;
    for (int round = 0; !atomic_load(&writer.is_finished); round++) {
        struct versions versions = {.is_data_first = (round & 1) != 0};
        versions.work = (struct kv_work){.body = versions_body,
                                         .done = versions_done,
                                         .context = &versions,
                                         .single_read = (round & 2) != 0};
        kv_view(fixture->kv, &versions.work);
        if (versions.status != KV_OK || versions.told != versions.stored) wrong++;
    }
    pthread_join(thread, NULL);
    assert_int_equal(wrong, 0);
    assert_true(writer.is_ok);
}

int contract_threads_run(struct fixture_setup *setup)
{
    struct CMUnitTest tests[] = {
        CONTRACT_TEST(concurrent_increments_are_all_counted),
        CONTRACT_TEST(closing_first_runs_what_is_queued),
        CONTRACT_TEST(view_sees_one_state_while_updates_run),
        CONTRACT_TEST(metadata_version_belongs_to_the_data_read_with_it),
    };
    return contract_run_tests(tests, sizeof tests / sizeof tests[0], setup);
}
