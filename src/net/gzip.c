/* SPDX-License-Identifier: Apache-2.0 */
/* gzip — zlib streams kept per thread, because setting one up costs more than a small body. */
#include "net/gzip.h"

#include <strings.h>

enum {
    WINDOW_GZIP = MAX_WBITS + 16, /* zlib's way to say: gzip header and trailer */
    DEFLATE_LEVEL = 1,            /* clients are near; time is dearer than bytes */
    DEFLATE_MEMORY = 8,           /* zlib's default */
    INFLATE_GUESS = 4,            /* JSON often shrinks so much, the first guess of its size */
    INFLATE_BYTES_MIN = 1024,
};

static enum gzip_status inflate_members(z_stream *stream, struct arena *arena, size_t length_max,
                                        struct slice *inflated);
static bool is_token(struct slice text, const char *token);

void gzip_open(struct gzip *gzip)
{
    *gzip = (struct gzip){0};
}

void gzip_close(struct gzip *gzip)
{
    if (gzip->has_inflater) (void)inflateEnd(&gzip->inflater);
    if (gzip->has_deflater) (void)deflateEnd(&gzip->deflater);
    *gzip = (struct gzip){0};
}

enum gzip_status gzip_inflate(struct gzip *gzip, struct slice body, size_t length_max,
                              struct arena *arena, struct slice *inflated)
{
    z_stream *stream = &gzip->inflater;
    CHECK(body.length <= UINT_MAX);
    if (gzip->has_inflater) {
        CHECK(inflateReset(stream) == Z_OK);
    } else {
        CHECK(inflateInit2(stream, WINDOW_GZIP) == Z_OK);
        gzip->has_inflater = true;
    }
    stream->next_in = (z_const Bytef *)body.data;
    stream->avail_in = (uInt)body.length;
    return inflate_members(stream, arena, length_max, inflated);
}

/* Room for one byte more than allowed tells a body that fits exactly from one that does not. */
static enum gzip_status inflate_members(z_stream *stream, struct arena *arena, size_t length_max,
                                        struct slice *inflated)
{
    const size_t capacity_max = length_max + 1;
    size_t capacity = (size_t)stream->avail_in * INFLATE_GUESS + INFLATE_BYTES_MIN;
    if (capacity > capacity_max) capacity = capacity_max;
    uint8_t *out = arena_alloc_raw(arena, capacity);
    size_t length = 0;
    for (;;) {
        stream->next_out = out + length;
        stream->avail_out = (uInt)(capacity - length);
        const int result = inflate(stream, Z_NO_FLUSH);
        length = capacity - stream->avail_out;
        if (length > length_max) return GZIP_TOO_LARGE;
        if (result == Z_STREAM_END) {
            if (stream->avail_in == 0) break;
            CHECK(inflateReset(stream) == Z_OK); /* another member follows */
        } else if (result != Z_OK && result != Z_BUF_ERROR) {
            return GZIP_MALFORMED;
        } else if (stream->avail_out != 0) {
            return GZIP_MALFORMED; /* the input has ended, the stream has not */
        }
        if (length == capacity) {
            const size_t grown = capacity < capacity_max / 2 ? capacity * 2 : capacity_max;
            out = arena_grow(arena, out, capacity, grown);
            capacity = grown;
        }
    }
    *inflated = slice_of(out, length);
    return GZIP_OK;
}

bool gzip_deflate(struct gzip *gzip, struct slice body, struct arena *arena, struct slice *deflated)
{
    z_stream *stream = &gzip->deflater;
    if (body.length > UINT_MAX / 2) return false;
    if (gzip->has_deflater) {
        CHECK(deflateReset(stream) == Z_OK);
    } else {
        CHECK(deflateInit2(stream, DEFLATE_LEVEL, Z_DEFLATED, WINDOW_GZIP, DEFLATE_MEMORY,
                           Z_DEFAULT_STRATEGY) == Z_OK);
        gzip->has_deflater = true;
    }
    /* Not one byte more than the original: a result that does not fit is not wanted. */
    uint8_t *out = arena_alloc_raw(arena, body.length);
    stream->next_in = (z_const Bytef *)body.data;
    stream->avail_in = (uInt)body.length;
    stream->next_out = out;
    stream->avail_out = (uInt)body.length;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END) return false;
    *deflated = slice_of(out, body.length - stream->avail_out);
    return true;
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
