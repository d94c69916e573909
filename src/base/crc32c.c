/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c — eight bytes a step: by the processor's instruction, or by eight tables. */
#include "base/crc32c.h"

#include <endian.h>

static const uint32_t POLYNOMIAL = 0x82F63B78u; /* Castagnoli's, reflected */
enum { STEP = CRC32C_TABLES, BYTE_BITS = 8, BYTE_MASK = 0xFF };

_Static_assert(STEP == sizeof(uint64_t), "a table for each byte of a step");

static uint32_t extend_by_table(const struct crc32c *crc, uint32_t value, struct slice bytes);

#ifdef __x86_64__
#include <nmmintrin.h>

static bool has_instruction(void)
{
    return __builtin_cpu_supports("sse4.2");
}

static uint32_t extend_by_instruction(uint32_t value, struct slice bytes)
    __attribute__((target("sse4.2")));

static uint32_t extend_by_instruction(uint32_t value, struct slice bytes)
{
    size_t at = 0;
    uint64_t wide = value;
    for (; bytes.length - at >= STEP; at += STEP) {
        uint64_t word;
        memcpy(&word, bytes.data + at, STEP);
        wide = _mm_crc32_u64(wide, word);
    }
    value = (uint32_t)wide;
    for (; at < bytes.length; at++)
        value = _mm_crc32_u8(value, bytes.data[at]);
    return value;
}
#else
static bool has_instruction(void)
{
    return false;
}

static uint32_t extend_by_instruction(uint32_t value, struct slice bytes)
{
    (void)bytes;
    return value;
}
#endif

void crc32c_open(struct crc32c *crc)
{
    crc->has_instruction = has_instruction();
    for (uint32_t byte = 0; byte < CRC32C_BYTES; byte++) {
        uint32_t value = byte;
        for (int bit = 0; bit < BYTE_BITS; bit++)
            value = (value >> 1) ^ ((value & 1) != 0 ? POLYNOMIAL : 0);
        crc->tables[0][byte] = value;
    }
    for (int table = 1; table < CRC32C_TABLES; table++) {
        for (uint32_t byte = 0; byte < CRC32C_BYTES; byte++) {
            const uint32_t before = crc->tables[table - 1][byte];
            crc->tables[table][byte] = (before >> BYTE_BITS) ^ crc->tables[0][before & BYTE_MASK];
        }
    }
}

uint32_t crc32c_extend(const struct crc32c *crc, uint32_t before, struct slice bytes)
{
    const uint32_t value = ~before;
    return ~(crc->has_instruction ? extend_by_instruction(value, bytes)
                                  : extend_by_table(crc, value, bytes));
}

static uint32_t extend_by_table(const struct crc32c *crc, uint32_t value, struct slice bytes)
{
    size_t at = 0;
    for (; bytes.length - at >= STEP; at += STEP) {
        uint64_t word;
        memcpy(&word, bytes.data + at, STEP);
        word = le64toh(word) ^ value;
        value = 0;
        for (int i = 0; i < STEP; i++) {
            value ^= crc->tables[STEP - 1 - i][word & BYTE_MASK];
            word >>= BYTE_BITS;
        }
    }
    for (; at < bytes.length; at++)
        value = (value >> BYTE_BITS) ^ crc->tables[0][(value ^ bytes.data[at]) & BYTE_MASK];
    return value;
}
