/* SPDX-License-Identifier: Apache-2.0 */
/* error — recording a call's one failure, and the table of errors.def. */
#include "model/error.h"

#include <stdarg.h>
#include <stdio.h>

#define CORAL_VALIDATE     "com.amazon.coral.validate#"
#define CORAL_SERVICE      "com.amazon.coral.service#"
#define CORAL_AVAILABILITY "com.amazon.coral.availability#"
#define DYNAMODB           "com.amazonaws.dynamodb.v20120810#"

static const struct error_kind kinds[ERROR_COUNT] = {
#define ERROR(name, space, type, status, member) \
    [ERROR_##name] = {space type, type, member, status},
#include "model/errors.def"
#undef ERROR
};

static void record(struct call *call, struct slice prefix, const char *format, va_list arguments)
    PRINTF_LIKE(3, 0);

enum error_code fail(struct call *call, enum error_code code, const char *format, ...)
{
    CHECK(code != OK);
    CHECK(code < ERROR_COUNT);
    CHECK(call->error.code == OK);
    call->error.code = code;
    va_list arguments;
    va_start(arguments, format);
    record(call, SLICE(""), format, arguments);
    va_end(arguments);
    return code;
}

enum error_code fail_enveloped(struct call *call, const char *format, ...)
{
    CHECK(call->error.code == OK);
    call->error.code = ERROR_VALIDATION;
    const struct slice envelope = SLICE("1 validation error detected: ");
    va_list arguments;
    va_start(arguments, format);
    record(call, call->enveloped ? envelope : SLICE(""), format, arguments);
    va_end(arguments);
    return ERROR_VALIDATION;
}

static void record(struct call *call, struct slice prefix, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    CHECK(length >= 0);
    uint8_t *text = arena_alloc_raw(call->arena, prefix.length + (size_t)length + 1);
    memcpy(text, prefix.data, prefix.length);
    const int written = vsnprintf((char *)text + prefix.length, (size_t)length + 1, format, again);
    CHECK(written == length);
    va_end(again);
    call->error.message = slice_of(text, prefix.length + (size_t)length);
}

void call_reset(struct call *call)
{
    call->error = (struct error){0};
}

const struct error_kind *error_kind(enum error_code code)
{
    CHECK(code > OK);
    CHECK(code < ERROR_STALE); /* the codes after it are not for clients */
    return &kinds[code];
}
