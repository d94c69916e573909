/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gzip — libdeflate knows no streams: it wants the whole input and room for the whole output, and
 * is several times as fast for it. How much room a body needs its last four bytes say; they are
 * the client's, so they are a guess, and never more than the limit is taken.
 */
#include "net/gzip.h"

#include <endian.h>
#include <libdeflate.h>
#include <strings.h>

enum {
    DEFLATE_LEVEL = 1,    /* clients are near; time is dearer than bytes */
    MEMBER_BYTES_MIN = 18 /* of header and trailer: a shorter text is no gzip */
};

static enum gzip_status inflate_members(struct gzip *gzip, struct slice body, uint8_t *out,
                                        size_t capacity, size_t *length);
static bool is_token(struct slice text, const char *token);

void gzip_open(struct gzip *gzip)
{
    *gzip = (struct gzip){0};
}

void gzip_close(struct gzip *gzip)
{
    libdeflate_free_decompressor(gzip->inflater);
    libdeflate_free_compressor(gzip->deflater);
    *gzip = (struct gzip){0};
}

/* The length that the (last) member claims, modulo 2^32; 0 where there is none. */
static size_t claimed_length(struct slice body)
{
    uint32_t length = 0;
    if (body.length < MEMBER_BYTES_MIN) return 0;
    memcpy(&length, body.data + body.length - sizeof length, sizeof length);
    return le32toh(length);
}

enum gzip_status gzip_inflate(struct gzip *gzip, struct slice body, size_t length_max,
                              struct arena *arena, struct slice *inflated)
{
    if (gzip->inflater == NULL) gzip->inflater = libdeflate_alloc_decompressor();
    CHECK(gzip->inflater != NULL);
    const size_t claimed = claimed_length(body);
    size_t capacity = claimed <= length_max ? claimed : length_max;
    uint8_t *out = arena_alloc_raw(arena, capacity);
    size_t length = 0;
    enum gzip_status status = inflate_members(gzip, body, out, capacity, &length);
    if (status == GZIP_TOO_LARGE && capacity < length_max) { /* several members, or a lie */
        out = arena_grow(arena, out, capacity, length_max);
        status = inflate_members(gzip, body, out, length_max, &length);
    }
    if (status == GZIP_OK) *inflated = slice_of(out, length);
    return status;
}

static enum gzip_status inflate_members(struct gzip *gzip, struct slice body, uint8_t *out,
                                        size_t capacity, size_t *length)
{
    size_t taken = 0;
    *length = 0;
    do {
        size_t read = 0;
        size_t written = 0;
        const enum libdeflate_result result =
            libdeflate_gzip_decompress_ex(gzip->inflater, body.data + taken, body.length - taken,
                                          out + *length, capacity - *length, &read, &written);
        if (result == LIBDEFLATE_INSUFFICIENT_SPACE) return GZIP_TOO_LARGE;
        if (result != LIBDEFLATE_SUCCESS) return GZIP_MALFORMED;
        CHECK(read > 0);
        taken += read;
        *length += written;
    } while (taken < body.length);
    return GZIP_OK;
}

bool gzip_deflate(struct gzip *gzip, struct slice body, struct arena *arena, struct slice *deflated)
{
    if (gzip->deflater == NULL) gzip->deflater = libdeflate_alloc_compressor(DEFLATE_LEVEL);
    CHECK(gzip->deflater != NULL);
    /* Not one byte more than the original: a result that does not fit is not wanted. */
    uint8_t *out = arena_alloc_raw(arena, body.length);
    const size_t length =
        libdeflate_gzip_compress(gzip->deflater, body.data, body.length, out, body.length);
    if (length == 0) return false;
    *deflated = slice_of(out, length);
    return true;
}

uint32_t gzip_crc32(struct slice bytes)
{
    return bytes.length == 0 ? 0 : libdeflate_crc32(0, bytes.data, bytes.length);
}

/* Takes the text before the separator off the front; false when nothing is left. */
static bool next_part(struct slice *rest, uint8_t separator, struct slice *part)
{
    if (rest->data == NULL) return false;
    const uint8_t *end = rest->length == 0 ? NULL : memchr(rest->data, separator, rest->length);
    const size_t length = end == NULL ? rest->length : (size_t)(end - rest->data);
    *part = slice_of(rest->data, length);
    *rest = end == NULL ? (struct slice){0} : slice_of(end + 1, rest->length - length - 1);
    return true;
}

static struct slice trimmed(struct slice text)
{
    while (text.length > 0 && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = slice_of(text.data + 1, text.length - 1);
    while (text.length > 0 &&
           (text.data[text.length - 1] == ' ' || text.data[text.length - 1] == '\t'))
        text.length--;
    return text;
}

/* Does one of the parameters say q=0, that is "not acceptable"? */
static bool is_refused(struct slice parameters)
{
    struct slice part;
    while (next_part(&parameters, ';', &part)) {
        part = trimmed(part);
        if (part.length < 2 || (part.data[0] | 0x20) != 'q' || part.data[1] != '=') continue;
        bool is_zero = part.length > 2;
        for (size_t i = 2; i < part.length; i++)
            is_zero = is_zero && (part.data[i] == '0' || part.data[i] == '.');
        return is_zero;
    }
    return false;
}

bool gzip_is_accepted(struct slice accept_encoding)
{
    bool any = false; /* what "*" says counts only when gzip is not named */
    struct slice part;
    while (next_part(&accept_encoding, ',', &part)) {
        struct slice coding;
        (void)next_part(&part, ';', &coding);
        coding = trimmed(coding);
        if (gzip_is_named(coding)) return !is_refused(part);
        if (is_token(coding, "*")) any = !is_refused(part);
    }
    return any;
}

bool gzip_is_named(struct slice content_encoding)
{
    const struct slice coding = trimmed(content_encoding);
    return is_token(coding, "gzip") || is_token(coding, "x-gzip");
}

static bool is_token(struct slice text, const char *token)
{
    return text.length == strlen(token) &&
           strncasecmp((const char *)text.data, token, text.length) == 0;
}
