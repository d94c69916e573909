/* SPDX-License-Identifier: Apache-2.0 */
/* fixture — stores for tests, and the interpreter of scripts. */
#include "unit/kv/fixture.h"

#include "base/buffer.h"

#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { REMOVE_DEPTH = 16, PARENT_LENGTH_MAX = 40 };

/* Holds back the updates that follow until everybody is queued, and collects the outcomes. */
struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool is_open;
    int done_count;
};

/* A script on its way through a gate. */
struct member {
    struct kv_work work;
    struct fixture_script *script;
    struct gate *gate;
};

static void open_store(struct fixture *fixture);
static bool run_step(struct kv_txn *txn, const struct fixture_step *step, struct arena *arena,
                     char *problem, size_t problem_bytes);

int fixture_open(void **state)
{
    const struct fixture_setup *setup = *state;
    struct fixture *fixture = calloc(1, sizeof *fixture);
    CHECK(fixture != NULL);
    fixture->setup = setup;
    arena_open(&fixture->arena, 0);
    fixture_make_directory(fixture->directory);
    open_store(fixture);
    *state = fixture;
    return 0;
}

int fixture_close(void **state)
{
    struct fixture *fixture = *state;
    kv_close(fixture->kv);
    fixture_remove_directory(fixture->directory);
    arena_close(&fixture->arena);
    free(fixture);
    return 0;
}

void fixture_reopen(struct fixture *fixture)
{
    kv_close(fixture->kv);
    open_store(fixture);
}

static void open_store(struct fixture *fixture)
{
    const struct fixture_setup *setup = fixture->setup;
    const struct kv_engine *engine = &kv_rocksdb;
    struct kv_options options = {
        .path = fixture->directory, .in_memory = setup->in_memory, .durability = setup->durability};
    if (setup->is_wrapped) {
        kv_fault_plan_open(&fixture->plan, engine);
        options.engine_options = &fixture->plan;
        engine = &kv_fault;
    }
    struct slice detail;
    const enum kv_open_status status =
        kv_open(engine, &options, &fixture->kv, &fixture->arena, &detail);
    if (status != KV_OPEN_OK) fail_msg("kv_open: %d %.*s", (int)status, SLICE_ARGS(detail));
}

void fixture_make_directory(char directory[64])
{
    const char *parent = getenv("TMPDIR");
    if (parent == NULL || strlen(parent) > PARENT_LENGTH_MAX) parent = "/tmp";
    snprintf(directory, 64, "%s/kv-test-XXXXXX", parent);
    CHECK(mkdtemp(directory) != NULL);
}

static int remove_entry(const char *path, const struct stat *found, int kind, struct FTW *place)
{
    (void)found;
    (void)kind;
    (void)place;
    return remove(path);
}

void fixture_remove_directory(const char *directory)
{
    CHECK(nftw(directory, remove_entry, REMOVE_DEPTH, FTW_DEPTH | FTW_PHYS) == 0);
}

/* ---- scripts --------------------------------------------------------------------------------- */

static void assert_outcome(const struct fixture_script *script, enum kv_status outcome)
{
    if (script->problem[0] != '\0') fail_msg("%s", script->problem);
    assert_int_equal(outcome, script->status);
}

void fixture_update(struct fixture *fixture, struct fixture_script script)
{
    assert_outcome(&script, kv_update_wait(fixture->kv, fixture_body, &script));
}

void fixture_view(struct fixture *fixture, struct fixture_script script)
{
    assert_outcome(&script, kv_view_wait(fixture->kv, fixture_body, &script));
}

enum kv_status fixture_body(struct kv_txn *txn, void *context)
{
    struct fixture_script *script = context;
    struct arena arena;
    arena_open(&arena, 0);
    script->problem[0] = '\0';
    for (const struct fixture_step *step = script->steps; step->kind != STEP_END; step++)
        if (!run_step(txn, step, &arena, script->problem, sizeof script->problem)) break;
    arena_close(&arena);
    return script->status;
}

static struct slice scan(struct kv_txn *txn, const struct fixture_step *step, struct arena *arena)
{
    struct buffer rows = buffer_open(arena, 0);
    struct kv_cursor *cursor = NULL;
    const struct kv_range range = {.begin = slice_of_string(step->key),
                                   .end = slice_of_string(step->end),
                                   .reverse = step->kind == STEP_SCAN_BACK};
    enum kv_status status = kv_cursor_open(txn, range, &cursor);
    struct slice key;
    struct slice value;
    while (status == KV_OK && (status = kv_cursor_next(cursor, &key, &value)) == KV_OK)
        buffer_append_format(&rows, "%.*s=%.*s ", SLICE_ARGS(key), SLICE_ARGS(value));
    if (status != KV_NOT_FOUND) buffer_append_format(&rows, "status %d", (int)status);
    if (cursor != NULL) kv_cursor_close(cursor);
    return buffer_slice(&rows);
}

/* Runs a step that reads; false, and the problem, if it finds something else than expected. */
static bool run_read(struct kv_txn *txn, const struct fixture_step *step, struct arena *arena,
                     char *problem, size_t problem_bytes)
{
    struct slice found = {NULL, 0};
    enum kv_status status = KV_OK;
    enum kv_status expected = KV_OK;
    struct slice text = step->text == NULL ? found : slice_of_string(step->text);
    int64_t number = 0;
    if (step->kind == STEP_GET) {
        status = kv_get(txn, slice_of_string(step->key), arena, &found);
        if (step->text == NULL) expected = KV_NOT_FOUND;
    } else if (step->kind == STEP_COUNTER) {
        status = kv_get_counter(txn, slice_of_string(step->key), &number);
        found = arena_format(arena, "%" PRId64, number);
        text = arena_format(arena, "%" PRId64, step->number);
    } else {
        found = scan(txn, step, arena);
    }
    if (status == expected && slice_equal(found, text)) return true;
    snprintf(problem, problem_bytes, "step %d at %s: status %d, \"%.*s\" in place of \"%.*s\"",
             (int)step->kind, step->key, (int)status, SLICE_ARGS(found), SLICE_ARGS(text));
    return false;
}

static bool run_step(struct kv_txn *txn, const struct fixture_step *step, struct arena *arena,
                     char *problem, size_t problem_bytes)
{
    const struct slice key = step->key == NULL ? SLICE("") : slice_of_string(step->key);
    const struct slice text = step->text == NULL ? SLICE("") : slice_of_string(step->text);
    switch (step->kind) {
    case STEP_PUT:
        kv_put(txn, key, text);
        return true;
    case STEP_DELETE:
        kv_delete(txn, key);
        return true;
    case STEP_RANGE:
        kv_delete_range(txn, key, text);
        return true;
    case STEP_ADD:
        kv_add(txn, key, step->number);
        return true;
    case STEP_APPEND:
        kv_append(txn, key, text);
        return true;
    case STEP_TOUCH:
        kv_touch_metadata(txn);
        return true;
    default:
        return run_read(txn, step, arena, problem, problem_bytes);
    }
}

/* ---- groups ---------------------------------------------------------------------------------- */

static enum kv_status gate_body(struct kv_txn *txn, void *context)
{
    (void)txn;
    struct member *member = context;
    pthread_mutex_lock(&member->gate->mutex);
    while (!member->gate->is_open)
        pthread_cond_wait(&member->gate->changed, &member->gate->mutex);
    pthread_mutex_unlock(&member->gate->mutex);
    return KV_OK;
}

static enum kv_status member_body(struct kv_txn *txn, void *context)
{
    return fixture_body(txn, ((struct member *)context)->script);
}

static void member_done(void *context, enum kv_status status)
{
    struct member *member = context;
    struct gate *gate = member->gate;
    pthread_mutex_lock(&gate->mutex);
    if (member->script != NULL) {
        member->script->outcome = status;
        member->script->order = gate->done_count;
    }
    gate->done_count++;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->mutex);
}

void fixture_group(struct fixture *fixture, struct fixture_script *scripts, size_t count)
{
    struct gate gate = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
    struct member *members = calloc(count + 1, sizeof *members);
    CHECK(members != NULL);
    for (size_t i = 0; i <= count; i++) {
        members[i] = (struct member){.work.body = i == 0 ? gate_body : member_body,
                                     .work.done = member_done,
                                     .work.context = &members[i],
                                     .script = i == 0 ? NULL : &scripts[i - 1],
                                     .gate = &gate};
        kv_update(fixture->kv, &members[i].work);
    }
    pthread_mutex_lock(&gate.mutex);
    gate.is_open = true;
    pthread_cond_broadcast(&gate.changed);
    while (gate.done_count <= (int)count)
        pthread_cond_wait(&gate.changed, &gate.mutex);
    pthread_mutex_unlock(&gate.mutex);
    free(members);
    for (size_t i = 0; i < count; i++) {
        assert_outcome(&scripts[i], scripts[i].outcome);
        assert_int_equal(scripts[i].order, i + 1);
    }
}
