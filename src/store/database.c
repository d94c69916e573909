/* SPDX-License-Identifier: Apache-2.0 */
/* database — where the engine's trouble becomes the client's. */
#include "store/database.h"

#include "base/log.h"

static const char *const status_words[] = {
    [KV_OK] = "ok",
    [KV_NOT_FOUND] = "not found",
    [KV_ABORTED] = "declined",
    [KV_CONFLICT] = "conflict",
    [KV_MAYBE_COMMITTED] = "outcome unknown",
    [KV_UNAVAILABLE] = "the storage engine does not answer or no longer writes",
    [KV_CORRUPT] = "stored data is corrupt",
};

enum error_code database_status(struct call *call, enum kv_status status)
{
    if (status == KV_OK) return OK;
    if (status == KV_ABORTED && call->error.code != OK) return call->error.code;
    /* The engine has said why it takes no writes, once; a line for each refusal says no more. */
    if (status != KV_UNAVAILABLE) log_error("storage: %s", status_words[status]);
    return fail(call, ERROR_INTERNAL, "Internal server error: %s", status_words[status]);
}
