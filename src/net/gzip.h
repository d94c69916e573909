/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip — compressed bodies, both ways, and their checksum, by libdeflate. One struct per thread:
 * the library's working memory is kept from body to body.
 */
#ifndef STATOR_NET_GZIP_H
#define STATOR_NET_GZIP_H

#include "base/arena.h"

struct libdeflate_compressor;
struct libdeflate_decompressor;

struct gzip {
    struct libdeflate_decompressor *inflater; /* made when first needed: they are large */
    struct libdeflate_compressor *deflater;
};

enum gzip_status {
    GZIP_OK,
    GZIP_TOO_LARGE,
    GZIP_MALFORMED,
};

void gzip_open(struct gzip *gzip);
void gzip_close(struct gzip *gzip);

/*
 * Inflates a whole gzip body (of one or more members) into the arena. Stops as soon as more than
 * length_max bytes would come out, so a small bomb costs no more than an honest body.
 */
enum gzip_status gzip_inflate(struct gzip *gzip, struct slice body, size_t length_max,
                              struct arena *arena, struct slice *inflated) WARN_UNUSED;

/* Compresses into the arena, fast rather than well; false when that would not make it smaller. */
bool gzip_deflate(struct gzip *gzip, struct slice body, struct arena *arena,
                  struct slice *deflated) WARN_UNUSED;

/* The CRC-32 that gzip and PNG use. */
uint32_t gzip_crc32(struct slice bytes);

/* Does a request with this Accept-Encoding want gzip (RFC 9110, 12.5.3)? */
bool gzip_is_accepted(struct slice accept_encoding);

/* Is this Content-Encoding one we inflate? */
bool gzip_is_named(struct slice content_encoding);

#endif
