/* SPDX-License-Identifier: Apache-2.0 */
/* signature — which parts of an Authorization header are there, and nothing behind it is read. */
#include "ops/signature.h"

#include "unit/unit.h"
#include <stdlib.h>

struct headers {
    struct slice authorization;
};

static struct slice header(void *context, const char *name)
{
    const struct headers *headers = context;
    if (strcmp(name, "Authorization") == 0) return headers->authorization;
    if (strcmp(name, "X-Amz-Date") == 0) return SLICE("20260101T000000Z");
    return (struct slice){0};
}

static struct slice query(void *context, const char *name)
{
    (void)context;
    (void)name;
    return (struct slice){0};
}

/* The header lies in memory of its own, so that a sanitizer sees what is read behind it. */
static enum error_code check(struct call *call, const char *text)
{
    const size_t length = strlen(text);
    uint8_t *copy = malloc(length);
    assert_non_null(copy);
    memcpy(copy, text, length);
    struct headers headers = {slice_of(copy, length)};
    const struct endpoint_request request = {.header = header, .query = query, .context = &headers};
    const enum error_code code = signature_check(call, &request);
    free(copy);
    return code;
}

static void every_part_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        enum error_code code;
    } cases[] = {
        {"AWS4-HMAC-SHA256 Credential=k, SignedHeaders=h, Signature=0", OK},
        {"AWS4-HMAC-SHA256 Credential=k,SignedHeaders=h,Signature=", OK},
        {"AWS4-HMAC-SHA256 Credential=k, SignedHeaders=h, Signature", ERROR_INCOMPLETE_SIGNATURE},
        {"AWS4-HMAC-SHA256 Credential=k, SignedHeaders=h", ERROR_INCOMPLETE_SIGNATURE},
        {"AWS4-HMAC-SHA256 Credential=k, XSignedHeaders=h, Signature=0",
         ERROR_INCOMPLETE_SIGNATURE},
        {"AWS4-Credential=k, SignedHeaders=h, Signature=0", ERROR_INCOMPLETE_SIGNATURE},
        {"AWS4-", ERROR_INCOMPLETE_SIGNATURE},
        {"AWS3 Credential=k, SignedHeaders=h, Signature=0", ERROR_MISSING_AUTHENTICATION},
        {"=", ERROR_MISSING_AUTHENTICATION},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct arena arena;
        arena_open(&arena, 0);
        struct call call = {.arena = &arena};
        assert_int_equal(check(&call, cases[i].header), cases[i].code);
        arena_close(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_part_is_asked_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
