/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slice — a borrowed run of bytes: pointer and length, never NUL-terminated by assumption.
 *
 * A slice owns nothing; it is valid while what it points into is. {NULL, 0} is the empty slice and
 * is what "absent" looks like where a function says so.
 */
#ifndef STATOR_BASE_SLICE_H
#define STATOR_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const uint8_t *data;
    size_t length;
};

/* A slice of a string literal, without its NUL. */
#define SLICE(literal) ((struct slice){(const uint8_t *)("" literal), sizeof(literal) - 1})

/* For printf's "%.*s". */
#define SLICE_ARGS(slice) (int)(slice).length, (const char *)(slice).data

static inline struct slice slice_of(const void *data, size_t length)
{
    return (struct slice){(const uint8_t *)data, length};
}

static inline struct slice slice_of_string(const char *text)
{
    return slice_of(text, strlen(text));
}

static inline bool slice_equal(struct slice a, struct slice b)
{
    return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Looks no further than the first difference: what a name is searched for with among many. */
static inline bool slice_equal_string(struct slice a, const char *text)
{
    size_t i = 0;
    while (i < a.length && text[i] == (char)a.data[i] && text[i] != '\0')
        i++;
    return i == a.length && text[i] == '\0';
}

/* Unsigned byte order; a prefix sorts before what it begins. Returns < 0, 0 or > 0. */
static inline int slice_compare(struct slice a, struct slice b)
{
    size_t common = a.length < b.length ? a.length : b.length;
    int order = common == 0 ? 0 : memcmp(a.data, b.data, common);
    if (order != 0) return order;
    return (a.length > b.length) - (a.length < b.length);
}

static inline bool slice_has_prefix(struct slice text, struct slice prefix)
{
    return text.length >= prefix.length &&
           (prefix.length == 0 || memcmp(text.data, prefix.data, prefix.length) == 0);
}

#endif
