/* SPDX-License-Identifier: Apache-2.0 */
/* stator — the embeddable library: stator.h in terms of ops/. The only file that names engines. */
#include "stator.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "library.h"
#include "model/limits.h"
#include "ops/admin.h"
#include "ops/dispatch.h"
#include "store/background.h"
#include "store/faults.h"

enum { MS_PER_SECOND = 1000 };

struct stator {
    struct database database;
    struct arena arena; /* for as long as the database is open */
};

struct database *library_database(struct stator *db)
{
    return &db->database;
}

const char *stator_version(void)
{
    return STATOR_VERSION;
}

/* ---- opening --------------------------------------------------------------------------------- */

static enum stator_status refuse(char *message, size_t size, enum kv_open_status status,
                                 const char *path, struct slice detail)
{
    static const struct {
        enum stator_status status;
        const char *words;
    } answers[] = {
        [KV_OPEN_LOCKED] = {STATOR_LOCKED, "is in use by another process"},
        [KV_OPEN_UNWRITABLE] = {STATOR_UNWRITABLE, "cannot be created or written"},
        [KV_OPEN_NEWER] = {STATOR_NEWER, "was written by a newer version of Stator"},
        [KV_OPEN_CORRUPT] = {STATOR_CORRUPT, "is damaged"},
        [KV_OPEN_FAILED] = {STATOR_FAILED, "cannot be opened"},
    };
    if (size > 0) {
        snprintf(message, size, "data directory %s %s%s%.*s", path, answers[status].words,
                 detail.length > 0 ? ": " : "", SLICE_ARGS(detail));
    }
    return answers[status].status;
}

static void set_stream_options(struct database *database, const struct stator_options *options)
{
    const int64_t shards = options->stream_shards;
    const int64_t seconds = options->stream_shard_seconds;
    const int64_t bytes = options->stream_shard_bytes;
    database->stream_shards = shards < 1                   ? 1
                              : shards > LIMIT_OPEN_SHARDS ? LIMIT_OPEN_SHARDS
                                                           : (uint32_t)shards;
    database->shard_life_ms = seconds > 0 ? seconds * MS_PER_SECOND : LIMIT_SHARD_LIFE_MS;
    database->shard_bytes_max = bytes > 0 ? bytes : LIMIT_SHARD_BYTES;
}

static void set_options(struct stator *db, const struct stator_options *options)
{
    struct database *database = &db->database;
    const char *region = options->region != NULL ? options->region : "us-east-1";
    const char *account = options->account_id != NULL ? options->account_id : "123456789012";
    database->region = arena_copy(&db->arena, slice_of_string(region));
    database->account_id = arena_copy(&db->arena, slice_of_string(account));
    database->validation_envelope = options->validation_envelope;
    database->table_delay_ms = options->table_delay_ms;
    database->collection_bytes_max =
        options->collection_bytes_max > 0 ? options->collection_bytes_max : LIMIT_COLLECTION_BYTES;
    set_stream_options(database, options);
    clock_open(&database->clock);
    random_open(&database->random, 0);
    if (options->admin) database->faults = faults_open();
}

static enum kv_open_status open_engine(struct stator *db, const struct stator_options *options,
                                       struct slice *detail)
{
    struct kv_options engine = {
        .path = options->path,
        .in_memory = options->in_memory,
        .durability = options->async ? KV_ASYNC : KV_SYNC,
        .cache_bytes = options->cache_bytes > 0 ? (size_t)options->cache_bytes : 0,
    };
    return kv_open(&kv_rocksdb, &engine, &db->database.kv, &db->arena, detail);
}

/* Loads what is stored and starts the background. */
static bool start(struct stator *db)
{
    if (catalog_open(&db->database) != KV_OK) return false;
    if (background_open(&db->database) == KV_OK) return true;
    catalog_close(db->database.catalog);
    return false;
}

static void free_database(struct stator *db)
{
    if (db->database.faults != NULL) faults_close(db->database.faults);
    arena_close(&db->arena);
    free(db);
}

enum stator_status stator_open(const struct stator_options *options, struct stator **db,
                               char *message, size_t message_size)
{
    *db = NULL;
    struct slice detail = {0};
    const char *path = options->in_memory ? "(memory)" : options->path;
    if (path == NULL)
        return refuse(message, message_size, KV_OPEN_FAILED, "", SLICE("no path is given"));

    struct stator *opened = calloc(1, sizeof *opened);
    CHECK(opened != NULL);
    arena_open(&opened->arena, 0);
    set_options(opened, options);
    enum kv_open_status status = open_engine(opened, options, &detail);
    if (status == KV_OPEN_OK && !start(opened)) {
        kv_close(opened->database.kv);
        status = KV_OPEN_CORRUPT;
        detail = SLICE("its catalog cannot be read");
    }
    if (status != KV_OPEN_OK) {
        enum stator_status answer = refuse(message, message_size, status, path, detail);
        free_database(opened);
        return answer;
    }
    *db = opened;
    return STATOR_OK;
}

void stator_close(struct stator *db)
{
    background_close(db->database.background);
    catalog_close(db->database.catalog);
    kv_close(db->database.kv);
    free_database(db);
}

/* ---- calling --------------------------------------------------------------------------------- */

/* One waiting call. */
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

static int run(struct database *database, const struct op *op, struct slice body,
               struct arena *arena, struct slice *answer)
{
    struct waiting waiting = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false};
    struct dispatch *dispatch = arena_new(arena, struct dispatch);
    dispatch->ready = wake;
    dispatch->context = &waiting;
    if (!dispatch_start(dispatch, database, op, body, arena)) wait_until_ready(&waiting);
    int status;
    while (!dispatch_finish(dispatch, &status))
        wait_until_ready(&waiting);
    dispatch_close(dispatch);
    *answer = buffer_slice(&dispatch->request.response);
    return status;
}

static const struct op *find_operation(const char *operation)
{
    const struct slice name = slice_of_string(operation);
    const struct op *op = dispatch_find_target(name);
    return op != NULL ? op : dispatch_find(name);
}

/* What is no operation of the API: a command of administration, or refused. */
static int run_other(struct database *database, const char *operation, struct slice body,
                     struct arena *arena, struct slice *answer)
{
    const struct slice path = arena_format(arena, "/%s", operation);
    struct buffer out = buffer_open(arena, 0);
    int status;
    if (admin_is_on(database) && slice_has_prefix(path, ADMIN_PATH)) {
        const size_t skipped = ADMIN_PATH.length;
        const struct slice command = slice_of(path.data + skipped, path.length - skipped);
        status = admin_run(database, command, body, &out);
    } else {
        struct call call = {.arena = arena};
        const enum error_code code = dispatch_refuse(&call, slice_of_string(operation));
        dispatch_write_error(&out, &call.error);
        status = error_kind(code)->http_status;
    }
    *answer = buffer_slice(&out);
    return status;
}

int stator_call(struct stator *db, const char *operation, const char *json, size_t length,
                struct stator_response *response)
{
    struct arena *arena = calloc(1, sizeof *arena);
    CHECK(arena != NULL);
    arena_open(arena, 0);
    struct slice answer;
    const struct op *op = find_operation(operation);
    const struct slice body = slice_of(json, length);
    response->status = op == NULL ? run_other(&db->database, operation, body, arena, &answer)
                                  : run(&db->database, op, body, arena, &answer);
    response->body = arena_string(arena, answer);
    response->length = answer.length;
    response->memory = arena;
    return response->status;
}

void stator_response_free(struct stator_response *response)
{
    struct arena *arena = response->memory;
    if (arena == NULL) return;
    arena_close(arena);
    free(arena);
    *response = (struct stator_response){0};
}
