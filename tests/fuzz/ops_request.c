/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ops_request — requests: each line is an operation's name, a blank and its body, run through the
 * library on a database in memory that holds a small table. Reaches ops, model, expr, store and kv.
 * Whatever comes in, the answer is 200 or 400, never 500: except UpdateTable's, which the service
 * itself answers so when WarmThroughput or OnDemandThroughput is empty.
 *
 * The names of streams hold the time of their making: $stream and $shard stand for what there is.
 */
#include "ops/dispatch.h"

#include "fuzz.h"

enum { REQUESTS_MAX = 8 };

static const struct op *op_of(struct slice name)
{
    const struct op *op = dispatch_find(name);
    if (op != NULL || name.length == 0) return op;
    size_t count = 0;
    while (dispatch_operation(count) != NULL)
        count++;
    return dispatch_operation(name.data[0] % count);
}

static void append_name(struct buffer *out, struct stator *db, bool is_stream)
{
    const struct fuzz_stream found = fuzz_find_stream(db, out->arena);
    buffer_append(out, is_stream ? found.arn : found.shard);
}

static struct slice fill_in(struct arena *arena, struct stator *db, struct slice text)
{
    struct buffer out = buffer_open(arena, text.length);
    for (size_t i = 0; i < text.length; i++) {
        const struct slice rest = slice_of(text.data + i, text.length - i);
        const bool is_stream = slice_has_prefix(rest, SLICE("$stream"));
        if (is_stream || slice_has_prefix(rest, SLICE("$shard"))) {
            append_name(&out, db, is_stream);
            i += (is_stream ? sizeof "$stream" : sizeof "$shard") - 2;
        } else {
            buffer_append_byte(&out, text.data[i]);
        }
    }
    return buffer_slice(&out);
}

static size_t position(struct slice text, uint8_t byte)
{
    const void *found = text.length == 0 ? NULL : memchr(text.data, byte, text.length);
    return found == NULL ? text.length : (size_t)((const uint8_t *)found - text.data);
}

static void run_line(struct arena *arena, struct stator *db, struct slice line)
{
    const size_t blank = position(line, ' ');
    const struct op *op = op_of(slice_of(line.data, blank));
    if (op == NULL) return;
    const size_t skipped = blank < line.length ? blank + 1 : blank;
    const struct slice body =
        fill_in(arena, db, slice_of(line.data + skipped, line.length - skipped));
    const int status = fuzz_call(db, op->name, body);
    CHECK(status == 200 || status == 400 || (status == 500 && op == &op_update_table));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    struct stator *db = fuzz_database();
    struct slice rest = slice_of(data, length);
    for (int i = 0; i < REQUESTS_MAX && rest.length > 0; i++) {
        struct arena arena;
        arena_open(&arena, 0);
        const size_t end = position(rest, '\n');
        run_line(&arena, db, slice_of(rest.data, end));
        const size_t used = end < rest.length ? end + 1 : end;
        rest = slice_of(rest.data + used, rest.length - used);
        arena_close(&arena);
    }
    return 0;
}
