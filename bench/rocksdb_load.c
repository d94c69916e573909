/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rocksdb_load — what loading costs RocksDB alone, with the server's settings and the server's
 * batches: the limit that a load by BatchWriteItem is measured against.
 *
 * Each thread writes batches of rows as items lie in the store: 27 bytes of key (table, hash,
 * partition key) and 330 of value (a 300-byte item, encoded). Keys are new and arrive in the order
 * of their hash, that is, in none. RocksDB puts the batches of threads that wait for it into one
 * write and one sync, as the server does with those of its connections.
 */
#include "base/random.h"
#include "kv/kv_rocksdb_options.h"
#include "usage.h"

#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    KEY_BYTES = 27,
    HASH_AT = 9, /* behind the table */
    HASH_BYTES = 4,
    DIGITS_AT = 15, /* behind the hash and the length of what follows */
    DIGITS = 12,
    VALUE_BYTES = 330,
    VALUE_DIGITS_AT = 20,
    BATCH = 25, /* the most that BatchWriteItem takes */
    ITEMS = 1000000,
    THREADS = 16,
    THREADS_MAX = 256,
    DECIMAL = 10,
};

struct load {
    rocksdb_t *db;
    rocksdb_writeoptions_t *write_options;
    long items;
    long items_per_write;
    long threads;
    bool is_async;
    const char *path;
    atomic_long next; /* item to write */
};

static void require(char *error)
{
    if (error == NULL) return;
    fprintf(stderr, "rocksdb_load: %s\n", error);
    exit(1);
}

/* ---- rows ------------------------------------------------------------------------------------ */

static void write_digits(char *to, long number)
{
    for (int i = DIGITS - 1; i >= 0; i--, number /= DECIMAL)
        to[i] = (char)('0' + number % DECIMAL);
}

static void make_key(long number, char key[KEY_BYTES])
{
    memcpy(key, "t\0\0\0\0\0\0\1i", HASH_AT);
    struct random random;
    random_open(&random, (uint64_t)number);
    const uint64_t hash = random_next(&random);
    memcpy(key + HASH_AT, &hash, HASH_BYTES);
    key[HASH_AT + HASH_BYTES] = 0;
    key[HASH_AT + HASH_BYTES + 1] = DIGITS;
    write_digits(key + DIGITS_AT, number);
}

static void fill_value(char value[VALUE_BYTES])
{
    static const char text[] = "The quick brown fox jumps over the lazy dog. ";
    for (size_t i = 0; i < VALUE_BYTES; i++)
        value[i] = text[i % (sizeof text - 1)];
}

/* ---- writing --------------------------------------------------------------------------------- */

static void write_batch(const struct load *load, rocksdb_writebatch_t *batch, long first, long end)
{
    char key[KEY_BYTES];
    char value[VALUE_BYTES];
    fill_value(value);
    for (long number = first; number < end; number++) {
        make_key(number, key);
        write_digits(value + VALUE_DIGITS_AT, number);
        rocksdb_writebatch_put(batch, key, sizeof key, value, sizeof value);
    }
    char *error = NULL;
    rocksdb_write(load->db, load->write_options, batch, &error);
    require(error);
    rocksdb_writebatch_clear(batch);
}

static void *thread_main(void *context)
{
    struct load *load = context;
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    for (;;) {
        const long first = atomic_fetch_add(&load->next, load->items_per_write);
        if (first >= load->items) break;
        const long end = first + load->items_per_write;
        write_batch(load, batch, first, end < load->items ? end : load->items);
    }
    rocksdb_writebatch_destroy(batch);
    return NULL;
}

static void run(struct load *load)
{
    pthread_t threads[THREADS_MAX];
    for (long i = 0; i < load->threads; i++)
        CHECK(pthread_create(&threads[i], NULL, thread_main, load) == 0);
    for (long i = 0; i < load->threads; i++)
        CHECK(pthread_join(threads[i], NULL) == 0);
}

/* Every row is there: a load that loses some measures nothing. */
static long count_rows(const struct load *load)
{
    rocksdb_readoptions_t *read_options = rocksdb_readoptions_create();
    rocksdb_iterator_t *iterator = rocksdb_create_iterator(load->db, read_options);
    long count = 0;
    for (rocksdb_iter_seek_to_first(iterator); rocksdb_iter_valid(iterator);
         rocksdb_iter_next(iterator))
        count++;
    rocksdb_iter_destroy(iterator);
    rocksdb_readoptions_destroy(read_options);
    return count;
}

static void measure(struct load *load)
{
    const struct usage before = usage_now();
    run(load);
    const struct usage after = usage_now();
    const long count = count_rows(load);
    if (count != load->items) {
        fprintf(stderr, "rocksdb_load: %ld rows instead of %ld\n", count, load->items);
        exit(1);
    }
    printf("items=%ld threads=%ld batch=%ld rate=%.0f items/s cpu=%.2f us/item wall=%.2f s\n",
           load->items, load->threads, load->items_per_write,
           (double)load->items * US_PER_SECOND / (double)(after.wall_us - before.wall_us),
           (double)(after.cpu_us - before.cpu_us) / (double)load->items,
           (double)(after.wall_us - before.wall_us) / US_PER_SECOND);
}

/* ---- the program ----------------------------------------------------------------------------- */

static void print_help(void)
{
    puts("rocksdb_load: what a load costs RocksDB alone, with the server's settings\n\n"
         "  --items N     rows to write (1000000)\n"
         "  --threads N   that write, one batch each at a time (16)\n"
         "  --batches N   of 25 rows in one write: with one thread, the server's groups (1)\n"
         "  --async       do not sync the log\n"
         "  --path DIR    a directory that is absent or empty (one that is removed afterwards)\n");
}

static long number_of(const char *text, long max)
{
    char *end = NULL;
    const long number = strtol(text, &end, DECIMAL);
    if (*text != '\0' && *end == '\0' && number > 0 && number <= max) return number;
    fprintf(stderr, "rocksdb_load: \"%s\" is not a number from 1 to %ld\n", text, max);
    exit(2);
}

static void parse(int argc, char **argv, struct load *load)
{
    static const struct option known[] = {{"items", required_argument, NULL, 'i'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"batches", required_argument, NULL, 'b'},
                                          {"async", no_argument, NULL, 'a'},
                                          {"path", required_argument, NULL, 'p'},
                                          {"help", no_argument, NULL, 'h'},
                                          {NULL, 0, NULL, 0}};
    int option = 0;
    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        switch (option) {
        case 'i':
            load->items = number_of(optarg, INT32_MAX);
            break;
        case 't':
            load->threads = number_of(optarg, THREADS_MAX);
            break;
        case 'b':
            load->items_per_write = BATCH * number_of(optarg, ITEMS / BATCH);
            break;
        case 'a':
            load->is_async = true;
            break;
        case 'p':
            load->path = optarg;
            break;
        case 'h':
            print_help();
            exit(0);
        default:
            exit(2);
        }
    }
}

int main(int argc, char **argv)
{
    struct load load = {.items = ITEMS, .items_per_write = BATCH, .threads = THREADS};
    parse(argc, argv, &load);
    char scratch[] = "rocksdb_load.XXXXXX";
    const bool is_scratch = load.path == NULL;
    if (is_scratch) {
        CHECK(mkdtemp(scratch) != NULL);
        load.path = scratch;
    }
    rocksdb_options_t *options = kv_rocksdb_options_create(&(struct kv_options){.path = load.path});
    load.write_options = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(load.write_options, !load.is_async);
    char *error = NULL;
    load.db = rocksdb_open(options, load.path, &error);
    require(error);
    measure(&load);

    rocksdb_close(load.db);
    rocksdb_writeoptions_destroy(load.write_options);
    rocksdb_options_destroy(options);
    if (is_scratch) usage_remove_directory(scratch);
    return 0;
}
