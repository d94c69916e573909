/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random — splitmix64 over an atomic counter: a number is a function of its turn, so threads need
 * no lock and a seed repeats a run. Not for secrets.
 */
#include "base/random.h"

#include "base/check.h"
#include <errno.h>
#include <sys/random.h>

/* The constants of splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number
 * generators"). */
#define SPLITMIX_STEP     UINT64_C(0x9E3779B97F4A7C15)
#define SPLITMIX_FACTOR_1 UINT64_C(0xBF58476D1CE4E5B9)
#define SPLITMIX_FACTOR_2 UINT64_C(0x94D049BB133111EB)

enum {
    UUID_BYTES = 16,
    UUID_VERSION_AT = 6, /* the byte whose high half is the version, 4 */
    UUID_VARIANT_AT = 8, /* the byte whose two high bits are the variant, binary 10 */
};

static uint64_t system_seed(void)
{
    uint64_t seed = 0;
    ssize_t length = 0;
    do {
        length = getrandom(&seed, sizeof seed, 0);
    } while (length < 0 && errno == EINTR);
    CHECK(length == (ssize_t)sizeof seed);
    return seed;
}

void random_open(struct random *random, uint64_t seed)
{
    atomic_init(&random->state, seed == 0 ? system_seed() : seed);
}

void random_seed(struct random *random, uint64_t seed)
{
    atomic_store(&random->state, seed == 0 ? system_seed() : seed);
}

uint64_t random_next(struct random *random)
{
    uint64_t z = atomic_fetch_add_explicit(&random->state, SPLITMIX_STEP, memory_order_relaxed);
    z += SPLITMIX_STEP;
    z = (z ^ (z >> 30)) * SPLITMIX_FACTOR_1;
    z = (z ^ (z >> 27)) * SPLITMIX_FACTOR_2;
    return z ^ (z >> 31);
}

void random_uuid(struct random *random, char text[RANDOM_UUID_LENGTH])
{
    static const char hex[] = "0123456789abcdef";
    uint8_t bytes[UUID_BYTES];
    const uint64_t halves[2] = {random_next(random), random_next(random)};
    memcpy(bytes, halves, sizeof bytes);
    bytes[UUID_VERSION_AT] = (uint8_t)((bytes[UUID_VERSION_AT] & 0x0F) | 0x40);
    bytes[UUID_VARIANT_AT] = (uint8_t)((bytes[UUID_VARIANT_AT] & 0x3F) | 0x80);
    size_t at = 0;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text[at++] = '-';
        text[at++] = hex[bytes[i] >> 4];
        text[at++] = hex[bytes[i] & 0x0F];
    }
    CHECK(at == RANDOM_UUID_LENGTH);
}
