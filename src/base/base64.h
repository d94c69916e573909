/* SPDX-License-Identifier: Apache-2.0 */
/* base64 — RFC 4648 section 4, strict: padded, no white space, no stray bits. */
#ifndef STATOR_BASE_BASE64_H
#define STATOR_BASE_BASE64_H

#include "base/buffer.h"

enum base64_status {
    BASE64_OK,
    BASE64_BAD_CHARACTER, /* not of the alphabet */
    BASE64_BAD_LENGTH,    /* not a multiple of four */
    BASE64_BAD_TAIL,      /* the last character has bits that no byte holds */
};

/* Decodes text into the arena. */
enum base64_status base64_decode(struct slice text, struct arena *arena,
                                 struct slice *bytes) WARN_UNUSED;

void base64_append(struct buffer *buffer, struct slice bytes);

#endif
