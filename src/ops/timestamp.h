/* SPDX-License-Identifier: Apache-2.0 */
/* timestamp — a time as messages and labels spell it. */
#ifndef STATOR_OPS_TIMESTAMP_H
#define STATOR_OPS_TIMESTAMP_H

#include "base/arena.h"

/* "2026-10-08T23:07:31.275", UTC. */
struct slice timestamp_format(struct arena *arena, int64_t time_ms);

#endif
