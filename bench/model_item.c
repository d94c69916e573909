/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model_item — what an item costs on its way through a request, without HTTP or storage:
 * bench/model_item [--rounds N]. Reads the JSON of a 300-byte item into bytes, measures and walks
 * it, and writes it as JSON again.
 */
#include "base/random.h"
#include "model/value.h"
#include "model/value_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ROUNDS = 200000, NS_PER_SECOND = 1000000000, DECIMAL = 10 };

static const char item_text[] =
    "{\"id\":{\"S\":\"000000000042\"},\"name\":{\"S\":\"Ada Lovelace\"},"
    "\"email\":{\"S\":\"ada.lovelace@example.com\"},\"age\":{\"N\":\"36\"},"
    "\"active\":{\"BOOL\":true},\"created\":{\"S\":\"2026-01-01T00:00:00.000Z\"},"
    "\"balance\":{\"N\":\"1234.56\"},\"note\":{\"S\":\"The quick brown fox jumps over the lazy "
    "dog. The quick brown fox jumps over the lazy dog. The quick brown fox jumps over the lazy "
    "dog. The quick brown fox jumps over the lazy dog. The\"}}";

struct work {
    struct arena arena;
    struct slice item;
    struct slice text;
};

static int64_t cpu_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * NS_PER_SECOND + now.tv_nsec;
}

static void parse(struct work *work)
{
    const struct json_token *root = json_parse(&work->arena, work->text, NULL);
    CHECK(root != NULL);
    struct call call = {.arena = &work->arena};
    CHECK(item_from_json(&call, root, &work->item) == OK);
}

static size_t do_parse(struct work *work)
{
    arena_reset(&work->arena);
    struct work copy = {.arena = work->arena, .text = work->text};
    parse(&copy);
    work->arena = copy.arena;
    return copy.item.length;
}

static size_t do_size(struct work *work)
{
    return item_size(work->item);
}

static size_t do_attribute(struct work *work)
{
    return item_attribute(work->item, SLICE("note")).data.length;
}

static size_t do_write(struct work *work)
{
    arena_reset(&work->arena);
    struct buffer out = buffer_open(&work->arena, sizeof item_text);
    item_to_json(&out, work->item);
    return out.length;
}

static void measure(const char *name, size_t (*step)(struct work *), struct work *work, long rounds)
{
    size_t sum = 0;
    const int64_t start = cpu_ns();
    for (long i = 0; i < rounds; i++)
        sum += step(work);
    const int64_t took = cpu_ns() - start;
    printf("%-24s rounds=%-8ld %7.1f ns CPU each  checksum=%zu\n", name, rounds,
           (double)took / (double)rounds, sum);
}

int main(int argc, char **argv)
{
    long rounds = ROUNDS;
    if (argc > 2 && strcmp(argv[1], "--rounds") == 0) rounds = strtol(argv[2], NULL, DECIMAL);
    struct arena kept;
    arena_open(&kept, 0);
    struct work work = {.text = slice_of_string(item_text)};
    arena_open(&work.arena, 0);
    parse(&work);
    work.item = arena_copy(&kept, work.item);
    printf("model_item: stator %s, an item of %zu bytes, %zu stored, %zu of JSON\n", STATOR_VERSION,
           item_size(work.item), work.item.length, work.text.length);
    measure("JSON to item", do_parse, &work, rounds);
    measure("size of an item", do_size, &work, rounds);
    measure("one attribute", do_attribute, &work, rounds);
    measure("item to JSON", do_write, &work, rounds);
    arena_close(&work.arena);
    arena_close(&kept);
    return 0;
}
