/* SPDX-License-Identifier: Apache-2.0 */
/*
 * net_gzip — any bytes are a gzip body or are refused, never above the limit; what we compress
 * comes back; any Accept-Encoding has an answer, and one that refuses gzip by name is heard.
 */
#include "base/buffer.h"
#include "net/gzip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum { LIMIT = 64 * 1024 };

static void check_bodies(struct gzip *gzip, struct arena *arena, struct slice input)
{
    struct slice out = {0};
    if (gzip_inflate(gzip, input, LIMIT, arena, &out) == GZIP_OK) CHECK(out.length <= LIMIT);
    struct slice deflated = {0};
    if (!gzip_deflate(gzip, input, arena, &deflated)) return;
    CHECK(deflated.length <= input.length);
    if (input.length > LIMIT) return;
    CHECK(gzip_inflate(gzip, deflated, LIMIT, arena, &out) == GZIP_OK);
    CHECK(slice_equal(out, input));
}

static void check_header(struct arena *arena, struct slice input)
{
    (void)gzip_is_accepted(input);
    (void)gzip_is_named(input);
    struct buffer refused = buffer_open(arena, 0);
    BUFFER_TEXT(&refused, "gzip;q=0,");
    buffer_append(&refused, input);
    CHECK(!gzip_is_accepted(buffer_slice(&refused)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct arena arena;
    struct gzip gzip;
    arena_open(&arena, 0);
    gzip_open(&gzip);
    check_bodies(&gzip, &arena, slice_of(data, length));
    check_header(&arena, slice_of(data, length));
    gzip_close(&gzip);
    arena_close(&arena);
    return 0;
}
