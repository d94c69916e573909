/* SPDX-License-Identifier: Apache-2.0 */
/* model_schema — any bytes as a table's record: refused, or read to what writes and reads back. */
#include "model/schema.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    arena_open(&arena, 0);
    struct table table;
    if (schema_read(&arena, slice_of(data, size), &table)) {
        struct buffer once = buffer_open(&arena, 0);
        schema_write(&once, &table);
        struct table again;
        CHECK(schema_read(&arena, buffer_slice(&once), &again));
        struct buffer twice = buffer_open(&arena, 0);
        schema_write(&twice, &again);
        CHECK(slice_equal(buffer_slice(&once), buffer_slice(&twice)));
    }
    arena_close(&arena);
    return 0;
}
