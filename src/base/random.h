/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random — chance, injected: table ids, request ids. Seeded from the system, or by a test. Calls
 * may come from any thread.
 */
#ifndef STATOR_BASE_RANDOM_H
#define STATOR_BASE_RANDOM_H

#include "base/slice.h"
#include <stdatomic.h>

struct random {
    _Atomic uint64_t state;
};

/* seed 0: from the operating system. */
void random_open(struct random *random, uint64_t seed);

/* Begins again from this seed (0: from the operating system), also while others draw. */
void random_seed(struct random *random, uint64_t seed);

uint64_t random_next(struct random *random);

enum { RANDOM_UUID_LENGTH = 36 };

/* Writes a version 4 UUID in lower-case text, without a NUL. */
void random_uuid(struct random *random, char text[RANDOM_UUID_LENGTH]);

#endif
