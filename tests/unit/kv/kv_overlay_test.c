/* SPDX-License-Identifier: Apache-2.0 */
/* The overlay against a model: an array indexed by the key's number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/random.h"
#include "kv/kv_overlay.h"

enum { KEYS = 200, BODIES = 2000, WRITES_MAX = 8, KEY_BYTES = 8 };

struct model {
    enum kv_overlay_state state[KEYS];
    uint64_t value[KEYS];
};

struct run {
    struct arena arena;
    struct kv_overlay overlay;
    struct model model;
    struct random random;
};

static void set_up(struct run *run)
{
    memset(run, 0, sizeof *run);
    uint64_t seed = 0;
    const char *given = getenv("TEST_SEED");
    if (given != NULL) seed = strtoull(given, NULL, 0);
    if (seed == 0) {
        struct random entropy;
        random_open(&entropy, 0);
        seed = random_next(&entropy);
    }
    print_message("TEST_SEED=%llu\n", (unsigned long long)seed);
    random_open(&run->random, seed);
    arena_open(&run->arena, 0);
    kv_overlay_clear(&run->overlay, &run->arena);
}

static struct slice key_of(int number, char text[KEY_BYTES])
{
    const int length = snprintf(text, KEY_BYTES, "k%04d", number);
    return slice_of(text, (size_t)length);
}

static int number_of(struct slice key)
{
    int number = 0;
    for (size_t i = 1; i < key.length; i++)
        number = number * 10 + (key.data[i] - '0');
    return number;
}

static int pick(struct run *run, int count)
{
    return (int)(random_next(&run->random) % (uint64_t)count);
}

/* A body of random writes, which one time in three is taken back. */
static void run_body(struct run *run)
{
    const struct model before = run->model;
    kv_overlay_begin(&run->overlay);
    for (int write = pick(run, WRITES_MAX); write > 0; write--) {
        char text[KEY_BYTES];
        const int number = pick(run, KEYS);
        const struct slice key = key_of(number, text);
        if (pick(run, 3) == 0) {
            kv_overlay_delete(&run->overlay, key);
            run->model.state[number] = KV_OVERLAY_DELETED;
        } else {
            const uint64_t value = random_next(&run->random);
            kv_overlay_put(&run->overlay, key, slice_of(&value, sizeof value));
            run->model.state[number] = KV_OVERLAY_VALUE;
            run->model.value[number] = value;
        }
    }
    if (pick(run, 3) != 0) return;
    kv_overlay_rollback(&run->overlay);
    run->model = before;
}

static void assert_finds_what_the_model_holds(struct run *run)
{
    for (int number = 0; number < KEYS; number++) {
        char text[KEY_BYTES];
        struct slice value = {NULL, 0};
        const enum kv_overlay_state state =
            kv_overlay_find(&run->overlay, key_of(number, text), &value);
        assert_int_equal(state, run->model.state[number]);
        if (state != KV_OVERLAY_VALUE) continue;
        assert_int_equal(value.length, sizeof(uint64_t));
        assert_memory_equal(value.data, &run->model.value[number], value.length);
    }
}

/* Walks from a random key to both ends, ignoring the nodes that say nothing. */
static void assert_walks_in_order(struct run *run)
{
    char text[KEY_BYTES];
    const int start = pick(run, KEYS);
    int expected = start;
    const struct kv_overlay_node *node = kv_overlay_seek(&run->overlay, key_of(start, text));
    for (; node != NULL; node = node->next[0]) {
        if (node->state == KV_OVERLAY_NOTHING) continue;
        while (run->model.state[expected] == KV_OVERLAY_NOTHING)
            expected++;
        assert_int_equal(number_of(node->key), expected++);
    }
    for (; expected < KEYS; expected++)
        assert_int_equal(run->model.state[expected], KV_OVERLAY_NOTHING);

    expected = start - 1;
    node = kv_overlay_seek_before(&run->overlay, key_of(start, text));
    for (; node != NULL; node = node->previous) {
        if (node->state == KV_OVERLAY_NOTHING) continue;
        while (run->model.state[expected] == KV_OVERLAY_NOTHING)
            expected--;
        assert_int_equal(number_of(node->key), expected--);
    }
    for (; expected >= 0; expected--)
        assert_int_equal(run->model.state[expected], KV_OVERLAY_NOTHING);
}

static void random_bodies_leave_what_a_model_says(void **state)
{
    (void)state;
    struct run run;
    set_up(&run);
    for (int body = 0; body < BODIES; body++) {
        run_body(&run);
        assert_walks_in_order(&run);
        if (body % KEYS == 0) assert_finds_what_the_model_holds(&run);
    }
    assert_finds_what_the_model_holds(&run);
    arena_close(&run.arena);
}

static void cleared_overlay_is_empty(void **state)
{
    (void)state;
    struct run run;
    set_up(&run);
    kv_overlay_begin(&run.overlay);
    kv_overlay_put(&run.overlay, SLICE("a"), SLICE("1"));
    arena_reset(&run.arena);
    kv_overlay_clear(&run.overlay, &run.arena);
    struct slice value;
    assert_int_equal(kv_overlay_find(&run.overlay, SLICE("a"), &value), KV_OVERLAY_NOTHING);
    assert_null(kv_overlay_seek(&run.overlay, SLICE("a")));
    assert_null(kv_overlay_seek_before(&run.overlay, SLICE("b")));
    assert_int_equal(run.overlay.count, 0);
    arena_close(&run.arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_bodies_leave_what_a_model_says),
        cmocka_unit_test(cleared_overlay_is_empty),
    };
    return cmocka_run_group_tests_name("kv_overlay", tests, NULL, NULL);
}
