/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_commit — what a durable update and a read cost at the bottom of the house, without HTTP, JSON
 * or items: bench/kv_commit [--updates N] [--reads N] [--rows N] [--path DIR | --memory] [--async].
 *
 * An update does what a PutItem does: it reads the old value of a random row, puts 400 bytes and
 * adds to two counters. A producer thread has a number of them outstanding, as that many
 * connections would; it is woken when some are done and queues as many again.
 */
#include "base/random.h"
#include "kv/kv.h"
#include "usage.h"

#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    VALUE_BYTES = 400,
    KEY_BYTES = 40,
    ROWS_PER_CURSOR = 10,
    LOAD_OUTSTANDING = 256,
    SEED = 42,
    DECIMAL = 10,
};

struct options {
    struct kv_options kv;
    long updates;
    long reads;
    long rows;
};

struct slot {
    struct kv_work work;
    struct run *run;
    struct slot *next;
    struct arena arena;
    long row;
};

/* One measurement: updates left to queue, and the slots that are done. */
struct run {
    struct kv *kv;
    struct random random;
    long rows;
    bool is_loading; /* rows one after the other, not at random */
    long queued;
    long done_count;
    long failed_count;
    long updates;
    uint64_t checksum;
    pthread_mutex_t mutex;
    pthread_cond_t is_done;
    struct slot *done;
};

static struct slice row_key(long row, char key[KEY_BYTES + 1])
{
    snprintf(key, KEY_BYTES + 1, "table/items/%028ld", row);
    return slice_of(key, KEY_BYTES);
}

/* ---- updates --------------------------------------------------------------------------------- */

/* Half of it cannot be compressed, as in many real items. */
static void fill_value(long row, uint8_t value[VALUE_BYTES])
{
    struct random random;
    random_open(&random, (uint64_t)row + 1);
    memset(value, 'v', VALUE_BYTES);
    for (size_t at = 0; at < VALUE_BYTES / 2; at += sizeof(uint64_t)) {
        const uint64_t bits = random_next(&random);
        memcpy(value + at, &bits, sizeof bits);
    }
}

static enum kv_status update_body(struct kv_txn *txn, void *context)
{
    struct slot *slot = context;
    arena_reset(&slot->arena);
    char key[KEY_BYTES + 1];
    const struct slice row = row_key(slot->row, key);
    struct slice old;
    const enum kv_status status = kv_get(txn, row, &slot->arena, &old);
    if (status != KV_OK && status != KV_NOT_FOUND) return status;
    uint8_t value[VALUE_BYTES];
    fill_value(slot->row, value);
    kv_put(txn, row, slice_of(value, sizeof value));
    kv_add(txn, SLICE("table/count"), status == KV_NOT_FOUND ? 1 : 0);
    kv_add(txn, SLICE("table/bytes"), (int64_t)VALUE_BYTES - (int64_t)old.length);
    return KV_OK;
}

static void update_done(void *context, enum kv_status status)
{
    struct slot *slot = context;
    struct run *run = slot->run;
    pthread_mutex_lock(&run->mutex);
    if (status != KV_OK) run->failed_count++;
    run->done_count++;
    slot->next = run->done;
    run->done = slot;
    if (slot->next == NULL) pthread_cond_signal(&run->is_done);
    pthread_mutex_unlock(&run->mutex);
}

static void queue_slot(struct run *run, struct slot *slot)
{
    slot->row =
        run->is_loading ? run->queued : (long)(random_next(&run->random) % (uint64_t)run->rows);
    run->checksum = (run->checksum ^ (uint64_t)slot->row) * 0x100000001b3ULL;
    run->queued++;
    kv_update(run->kv, &slot->work);
}

static struct slot *take_done(struct run *run)
{
    pthread_mutex_lock(&run->mutex);
    while (run->done == NULL)
        pthread_cond_wait(&run->is_done, &run->mutex);
    struct slot *done = run->done;
    run->done = NULL;
    pthread_mutex_unlock(&run->mutex);
    return done;
}

static void run_updates(struct run *run, int outstanding)
{
    struct slot *slots = calloc((size_t)outstanding, sizeof *slots);
    CHECK(slots != NULL);
    long returned = 0;
    for (int i = 0; i < outstanding && run->queued < run->updates; i++) {
        slots[i].run = run;
        slots[i].work =
            (struct kv_work){.body = update_body, .done = update_done, .context = &slots[i]};
        arena_open(&slots[i].arena, 0);
        queue_slot(run, &slots[i]);
    }
    while (returned < run->updates) {
        struct slot *slot = take_done(run);
        while (slot != NULL) {
            struct slot *next = slot->next;
            returned++;
            if (run->queued < run->updates) queue_slot(run, slot);
            slot = next;
        }
    }
    for (int i = 0; i < outstanding; i++)
        if (slots[i].run != NULL) arena_close(&slots[i].arena);
    free(slots);
    CHECK(run->failed_count == 0);
}

static void measure_updates(struct kv *kv, const struct options *options, int outstanding,
                            bool is_loading)
{
    struct run run = {.kv = kv,
                      .rows = options->rows,
                      .is_loading = is_loading,
                      .updates = is_loading ? options->rows : options->updates,
                      .mutex = PTHREAD_MUTEX_INITIALIZER,
                      .is_done = PTHREAD_COND_INITIALIZER};
    random_open(&run.random, SEED);
    const struct usage before = usage_now();
    run_updates(&run, outstanding);
    const struct usage after = usage_now();
    const double wall_us = (double)(after.wall_us - before.wall_us);
    printf("%-8s outstanding=%-4d updates=%-8ld %9.0f per second  %7.2f us CPU each  "
           "checksum=%016llx\n",
           is_loading ? "load" : "update", outstanding, run.updates,
           (double)run.updates * US_PER_SECOND / wall_us,
           (double)(after.cpu_us - before.cpu_us) / (double)run.updates,
           (unsigned long long)run.checksum);
}

/* ---- reads ----------------------------------------------------------------------------------- */

struct reader {
    struct arena arena;
    long row;
    long rows;
    uint64_t bytes; /* read so far: the checksum */
    enum kv_status status;
};

static enum kv_status get_body(struct kv_txn *txn, void *context)
{
    struct reader *reader = context;
    char key[KEY_BYTES + 1];
    struct slice value;
    const enum kv_status status = kv_get(txn, row_key(reader->row, key), &reader->arena, &value);
    reader->bytes += value.length;
    return status;
}

static enum kv_status cursor_body(struct kv_txn *txn, void *context)
{
    struct reader *reader = context;
    char key[KEY_BYTES + 1];
    struct kv_cursor *cursor = NULL;
    enum kv_status status = kv_cursor_open(txn,
                                           (struct kv_range){.begin = row_key(reader->row, key),
                                                             .end = SLICE("table/j"),
                                                             .expected = ROWS_PER_CURSOR},
                                           &cursor);
    struct slice found;
    struct slice value;
    for (int i = 0; i < ROWS_PER_CURSOR && status == KV_OK; i++) {
        status = kv_cursor_next(cursor, &found, &value);
        reader->bytes += value.length;
    }
    kv_cursor_close(cursor);
    return status == KV_NOT_FOUND ? KV_OK : status;
}

static void read_done(void *context, enum kv_status status)
{
    ((struct reader *)context)->status = status;
}

struct reading {
    const char *name;
    kv_body *body;
    bool single_read;
};

static void measure_reads(struct kv *kv, const struct options *options,
                          const struct reading *reading)
{
    struct reader reader = {.rows = options->rows};
    arena_open(&reader.arena, 0);
    struct random random;
    random_open(&random, SEED);
    struct kv_work work = {.body = reading->body,
                           .done = read_done,
                           .context = &reader,
                           .single_read = reading->single_read};
    const struct usage before = usage_now();
    for (long i = 0; i < options->reads; i++) {
        arena_reset(&reader.arena);
        reader.row = (long)(random_next(&random) % (uint64_t)options->rows);
        kv_view(kv, &work);
        CHECK(reader.status == KV_OK);
    }
    const struct usage after = usage_now();
    arena_close(&reader.arena);
    printf("%-32s reads=%-8ld %7.2f us CPU each  checksum=%llu\n", reading->name, options->reads,
           (double)(after.cpu_us - before.cpu_us) / (double)options->reads,
           (unsigned long long)reader.bytes);
}

/* ---- the program ----------------------------------------------------------------------------- */

static struct kv *open_store(const struct options *options)
{
    struct kv *kv = NULL;
    struct arena arena;
    arena_open(&arena, 0);
    struct slice detail;
    const struct usage before = usage_now();
    if (kv_open(&kv_rocksdb, &options->kv, &kv, &arena, &detail) != KV_OPEN_OK) {
        fprintf(stderr, "kv_commit: cannot open the store: %.*s\n", SLICE_ARGS(detail));
        exit(1);
    }
    printf("open  %.1f ms\n", (double)(usage_now().wall_us - before.wall_us) / NS_PER_US);
    arena_close(&arena);
    return kv;
}

static void close_store(struct kv *kv)
{
    const struct usage before = usage_now();
    kv_close(kv);
    printf("close %.1f ms\n", (double)(usage_now().wall_us - before.wall_us) / NS_PER_US);
}

static void parse(int argc, char **argv, struct options *options)
{
    static const struct option known[] = {{"updates", required_argument, NULL, 'u'},
                                          {"reads", required_argument, NULL, 'r'},
                                          {"rows", required_argument, NULL, 'n'},
                                          {"path", required_argument, NULL, 'p'},
                                          {"memory", no_argument, NULL, 'm'},
                                          {"async", no_argument, NULL, 'a'},
                                          {NULL, 0, NULL, 0}};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'u':
            options->updates = strtol(optarg, NULL, DECIMAL);
            break;
        case 'r':
            options->reads = strtol(optarg, NULL, DECIMAL);
            break;
        case 'n':
            options->rows = strtol(optarg, NULL, DECIMAL);
            break;
        case 'p':
            options->kv.path = optarg;
            break;
        case 'm':
            options->kv.in_memory = true;
            break;
        case 'a':
            options->kv.durability = KV_ASYNC;
            break;
        default:
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    struct options options = {.updates = 20000, .reads = 200000, .rows = 20000};
    parse(argc, argv, &options);
    char scratch[] = "kv_commit.XXXXXX";
    if (!options.kv.in_memory && options.kv.path == NULL) {
        CHECK(mkdtemp(scratch) != NULL);
        options.kv.path = scratch;
    }
    printf("kv_commit: stator %s, %s, %s; rows=%ld, %d + %d bytes each\n", STATOR_VERSION,
           options.kv.in_memory ? "in memory" : options.kv.path,
           options.kv.durability == KV_SYNC ? "synced" : "not synced", options.rows, (int)KEY_BYTES,
           (int)VALUE_BYTES);

    struct kv *kv = open_store(&options);
    measure_updates(kv, &options, LOAD_OUTSTANDING, true);
    static const int outstanding[] = {1, 8, 64};
    for (size_t i = 0; i < sizeof outstanding / sizeof outstanding[0]; i++)
        measure_updates(kv, &options, outstanding[i], false);
    static const struct reading readings[] = {
        {"get, promised to be the only one", get_body, true},
        {"get on a snapshot", get_body, false},
        {"cursor of 10 rows, only one", cursor_body, true},
        {"cursor of 10 rows on a snapshot", cursor_body, false}};
    for (size_t i = 0; i < sizeof readings / sizeof readings[0]; i++)
        measure_reads(kv, &options, &readings[i]);
    close_store(kv);
    if (!options.kv.in_memory) close_store(open_store(&options));
    if (options.kv.path == scratch) usage_remove_directory(scratch);
    return 0;
}
