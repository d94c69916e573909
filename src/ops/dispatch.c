/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch — from body to response; the only reader of ops.def. */
#include "ops/dispatch.h"

#include "model/value_json.h"
#include "ops/constrain.h"
#include "ops/validate.h"
#include "store/background.h"

enum {
    ATTEMPTS_MAX = 100,       /* plans against a catalog that keeps changing */
    RESPONSE_CAPACITY = 1024, /* a first guess that fits most responses */
};

/* How far a request is that may be finished by another thread while start still runs. */
enum { PHASE_STARTING, PHASE_RETURNED, PHASE_DONE };

static const struct op *const ops[] = {
#define OP(id) &op_##id,
#include "ops/ops.def"
};

/* Known and not built. */
static const char *const absent[] = {
#define OP(id)
#define OP_ABSENT(name) name,
#include "ops/ops.def"
};

const struct op *dispatch_find(struct slice name)
{
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        if (slice_equal_string(name, ops[i]->name)) return ops[i];
    }
    return NULL;
}

const struct op *dispatch_find_target(struct slice target)
{
    static const struct slice prefixes[] = {
        {(const uint8_t *)"DynamoDB_20120810.", 18},
        {(const uint8_t *)"DynamoDBStreams_20120810.", 25},
    };
    for (int i = 0; i < 2; i++) {
        const struct slice prefix = prefixes[i];
        if (!slice_has_prefix(target, prefix)) continue;
        const struct op *op =
            dispatch_find(slice_of(target.data + prefix.length, target.length - prefix.length));
        return op != NULL && op->is_of_streams == (i == 1) ? op : NULL;
    }
    return NULL;
}

enum error_code dispatch_refuse(struct call *call, struct slice target)
{
    const struct slice version = SLICE("DynamoDB_20120810.");
    struct slice name = target;
    if (slice_has_prefix(target, version))
        name = slice_of(target.data + version.length, target.length - version.length);
    for (size_t i = 0; i < sizeof absent / sizeof absent[0]; i++) {
        if (!slice_equal_string(name, absent[i])) continue;
        return fail(call, ERROR_UNKNOWN_OPERATION, "Stator does not have the operation %s",
                    absent[i]);
    }
    return fail(call, ERROR_UNKNOWN_OPERATION, "%s", "");
}

const struct op *dispatch_operation(size_t index)
{
    return index < sizeof ops / sizeof ops[0] ? ops[index] : NULL;
}

/* ---- inside the transaction ------------------------------------------------------------------ */

static enum kv_status run_body(struct kv_txn *txn, void *context)
{
    struct dispatch *dispatch = context;
    struct request *request = &dispatch->request;
    call_reset(&request->call);
    request->response.length = 0;
    enum error_code code = request->op->run(request, txn);
    /* ERROR_STALE comes without a recorded failure: it is for dispatch_finish, not for clients. */
    if (code == ERROR_STALE) request->call.error.code = code;
    return code == OK ? KV_OK : KV_ABORTED;
}

static void body_done(void *context, enum kv_status status)
{
    struct dispatch *dispatch = context;
    struct database *database = dispatch->request.database;
    dispatch->status = status;
    if (status == KV_OK && dispatch->request.kind == OP_CATALOG) {
        dispatch->status = catalog_refresh(database->catalog);
        background_wake(database->background);
    }
    void (*ready)(void *) = dispatch->ready;
    void *ready_context = dispatch->context;
    /* From here on, the starting thread may finish and free the dispatch. */
    if (atomic_exchange(&dispatch->phase, PHASE_DONE) == PHASE_RETURNED) ready(ready_context);
}

/* ---- planning -------------------------------------------------------------------------------- */

static enum error_code parse_body(struct dispatch *dispatch, struct slice body)
{
    struct request *request = &dispatch->request;
    request->root = json_parse(request->call.arena, body, NULL);
    if (request->root == NULL) return fail(&request->call, ERROR_SERIALIZATION, "%s", "");
    return OK;
}

static enum error_code plan(struct dispatch *dispatch)
{
    struct request *request = &dispatch->request;
    request->catalog = catalog_pin(request->database->catalog, dispatch->version_min);
    request->response.length = 0;
    request->kind = request->op->kind;
    return request->op->plan(request);
}

/* Hands the planned request to the store. True: it is already done. */
static bool submit(struct dispatch *dispatch)
{
    struct request *request = &dispatch->request;
    enum op_kind kind = request->kind;
    if (kind == OP_LOCAL) return true;

    /* A read that may be of the past asks for more than its row. */
    const bool reads_past = request->database->faults != NULL;
    atomic_store(&dispatch->phase, PHASE_STARTING);
    dispatch->submitted = true;
    dispatch->work = (struct kv_work){.body = run_body,
                                      .done = body_done,
                                      .context = dispatch,
                                      .single_read = kind == OP_READ_ONE && !reads_past};
    if (kind == OP_READ || kind == OP_READ_ONE) {
        kv_view(request->database->kv, &dispatch->work);
    } else {
        kv_update(request->database->kv, &dispatch->work);
    }
    return atomic_exchange(&dispatch->phase, PHASE_RETURNED) == PHASE_DONE;
}

static bool begin(struct dispatch *dispatch)
{
    dispatch->submitted = false;
    if (plan(dispatch) != OK) return true;
    return submit(dispatch);
}

bool dispatch_start(struct dispatch *dispatch, struct database *database, const struct op *op,
                    struct slice body, struct arena *arena)
{
    struct request *request = &dispatch->request;
    request->call = (struct call){.arena = arena,
                                  .now_ms = clock_now_ms(&database->clock),
                                  .enveloped = op->enveloped && database->validation_envelope};
    request->database = database;
    request->op = op;
    request->catalog = NULL;
    request->plan = NULL;
    request->response = buffer_open(arena, RESPONSE_CAPACITY);
    dispatch->version_min = 0;
    dispatch->attempts = 0;
    dispatch->submitted = false;
    if (parse_body(dispatch, body) != OK) return true;
    if (validate_types(request) != OK) return true;
    if (constrain_request(request) != OK) return true;
    return begin(dispatch);
}

/* ---- finishing ------------------------------------------------------------------------------- */

static void unpin(struct request *request)
{
    if (request->catalog != NULL) catalog_unpin(request->database->catalog, request->catalog);
    request->catalog = NULL;
}

/* The plan was made against an old catalog: again, on one at least as new as what the store has. */
static bool plan_again(struct dispatch *dispatch)
{
    struct request *request = &dispatch->request;
    dispatch->version_min = request->catalog->version + 1;
    unpin(request);
    call_reset(&request->call);
    return begin(dispatch);
}

static enum error_code settle(struct dispatch *dispatch)
{
    struct request *request = &dispatch->request;
    if (!dispatch->submitted) return request->call.error.code;
    if (dispatch->status != KV_OK && dispatch->status != KV_ABORTED) call_reset(&request->call);
    TRY(database_status(&request->call, dispatch->status));
    return request->op->render == NULL ? OK : request->op->render(request);
}

bool dispatch_finish(struct dispatch *dispatch, int *http_status)
{
    struct request *request = &dispatch->request;
    enum error_code code = settle(dispatch);
    while (code == ERROR_STALE && dispatch->attempts++ < ATTEMPTS_MAX) {
        if (!plan_again(dispatch)) return false;
        code = settle(dispatch);
    }
    *http_status = 200;
    if (code == OK) return true;
    if (code == ERROR_STALE) {
        call_reset(&request->call);
        code = fail(&request->call, ERROR_INTERNAL,
                    "Internal server error: the catalog keeps changing");
    }
    *http_status = error_kind(code)->http_status;
    request->response.length = 0;
    dispatch_write_error(&request->response, &request->call.error);
    return true;
}

void dispatch_close(struct dispatch *dispatch)
{
    unpin(&dispatch->request);
}

/* ---- errors ---------------------------------------------------------------------------------- */

static void write_string_member(struct buffer *out, const char *name, struct slice value)
{
    json_append_string(out, slice_of_string(name));
    buffer_append_byte(out, ':');
    json_append_string(out, value);
}

static void write_reason(struct buffer *out, const struct cancellation_reason *reason)
{
    buffer_append_byte(out, '{');
    write_string_member(out, "Code", slice_of_string(reason->code));
    if (reason->message.length > 0) {
        buffer_append_byte(out, ',');
        write_string_member(out, "Message", reason->message);
    }
    if (reason->item.length > 0) {
        BUFFER_TEXT(out, ",\"Item\":");
        item_to_json(out, reason->item);
    }
    buffer_append_byte(out, '}');
}

void dispatch_write_error(struct buffer *out, const struct error *error)
{
    const struct error_kind *kind = error_kind(error->code);
    buffer_append_byte(out, '{');
    write_string_member(out, "__type", slice_of_string(kind->type));
    if (error->message.length > 0) {
        buffer_append_byte(out, ',');
        write_string_member(out, kind->message_member, error->message);
    }
    if (error->item.length > 0) {
        BUFFER_TEXT(out, ",\"Item\":");
        item_to_json(out, error->item);
    }
    if (error->reason_count > 0) {
        BUFFER_TEXT(out, ",\"CancellationReasons\":[");
        for (size_t i = 0; i < error->reason_count; i++) {
            if (i > 0) buffer_append_byte(out, ',');
            write_reason(out, &error->reasons[i]);
        }
        buffer_append_byte(out, ']');
    }
    buffer_append_byte(out, '}');
}
