/* SPDX-License-Identifier: Apache-2.0 */
/*
 * java_set — some messages of the service list names in the order in which a Java HashSet of them
 * iterates; this prints them in that order.
 */
#ifndef STATOR_OPS_JAVA_SET_H
#define STATOR_OPS_JAVA_SET_H

#include "base/buffer.h"

enum java_set_kind {
    JAVA_SET_SIZED,   /* made for exactly this many names */
    JAVA_SET_GROWING, /* made empty, grown as names were added */
};

/* Appends "[a, b]". The names differ from each other and come in the order in which they were
 * added. */
void java_set_append(struct buffer *out, const struct slice *names, size_t count,
                     enum java_set_kind kind);

#endif
