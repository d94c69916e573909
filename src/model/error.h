/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error — what a client is told when its request fails, and the call that carries it.
 *
 * A function that can fail returns enum error_code; OK is 0. The code says what happened, struct
 * call carries the rest (message, item, reasons), and only the first failure is kept.
 */
#ifndef STATOR_MODEL_ERROR_H
#define STATOR_MODEL_ERROR_H

#include "base/arena.h"

enum error_code {
    OK,
#define ERROR(name, space, type, status, member) ERROR_##name,
#include "model/errors.def"
#undef ERROR
    /* Not for clients: the plan was made against a catalog that has changed since; plan again. */
    ERROR_STALE,
    ERROR_COUNT,
};

/* One entry of a TransactionCanceledException's CancellationReasons. */
struct cancellation_reason {
    const char *code;     /* "None", "ConditionalCheckFailed", "ValidationError", … */
    struct slice message; /* empty for "None" */
    struct slice item;    /* encoded item; empty when not asked for or absent */
};

struct error {
    enum error_code code;
    struct slice message; /* in the arena; byte for byte what DynamoDB says; may be empty */
    struct slice item;    /* CONDITION_FAILED with ALL_OLD: the encoded item; else empty */
    const struct cancellation_reason *reasons; /* TRANSACTION_CANCELED: one per action */
    size_t reason_count;
};

/* What every layer of one request shares. */
struct call {
    struct arena *arena;
    int64_t now_ms; /* the time of this request; constant while it runs */
    /* PutItem and UpdateItem: some messages carry "1 validation error detected: "
     * (fail_enveloped). */
    bool enveloped;
    struct error error;
};

/* Records the call's error (none may be recorded yet) and returns its code: return fail(call, …).
 * */
enum error_code fail(struct call *call, enum error_code code, const char *format, ...)
    PRINTF_LIKE(3, 4);

/*
 * As fail with VALIDATION, for the families of messages that PutItem and UpdateItem put into the
 * envelope "1 validation error detected: " (facts/errors.md section 0): empty and duplicate sets,
 * NULL:false, everything wrong with an expression or its parameters, ReturnValues.
 */
enum error_code fail_enveloped(struct call *call, const char *format, ...) PRINTF_LIKE(2, 3);

/* Forgets a recorded error, before a body runs again. */
void call_reset(struct call *call);

/* Facts of errors.def. */
struct error_kind {
    const char *type; /* with its namespace: "com.amazon.coral.validate#ValidationException" */
    const char *name; /* without: "ValidationException" */
    const char *message_member;
    int http_status;
};

const struct error_kind *error_kind(enum error_code code);

/* The only macro that hides a jump: returns from the caller when expression is not OK. */
#define TRY(expression)                                             \
    do {                                                            \
        enum error_code try_code_ = (expression);                   \
        if (__builtin_expect(try_code_ != OK, 0)) return try_code_; \
    } while (0)

#endif
