/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp — ISO 8601 with milliseconds. */
#include "ops/timestamp.h"

#include <time.h>

enum {
    CAPACITY = 40, /* "2026-10-08T23:07:31" and then some */
    MS_PER_SECOND = 1000,
};

struct slice timestamp_format(struct arena *arena, int64_t time_ms)
{
    const time_t seconds = (time_t)(time_ms / MS_PER_SECOND);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char text[CAPACITY];
    const size_t length = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    return arena_format(arena, "%.*s.%03d", (int)length, text, (int)(time_ms % MS_PER_SECOND));
}
