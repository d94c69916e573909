/* SPDX-License-Identifier: Apache-2.0 */
/* crc32c — the checksum of iSCSI (RFC 3720, appendix B.4), with the processor's help if it has any.
 */
#ifndef STATOR_BASE_CRC32C_H
#define STATOR_BASE_CRC32C_H

#include "base/slice.h"

enum { CRC32C_TABLES = 8, CRC32C_BYTES = 256 };

struct crc32c {
    bool has_instruction;
    uint32_t tables[CRC32C_TABLES][CRC32C_BYTES];
};

/* Makes the tables. */
void crc32c_open(struct crc32c *crc);

/* The checksum of what had the checksum before, followed by bytes; begin with 0. */
uint32_t crc32c_extend(const struct crc32c *crc, uint32_t before, struct slice bytes);

#endif
