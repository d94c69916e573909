/* SPDX-License-Identifier: Apache-2.0 */
/* check — what happens when a CHECK fails. The handler is the one piece of global state there is.
 */
#include "base/check.h"

#include "base/log.h"
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

static void print(const char *condition, const char *file, int line);

/* Global because a CHECK has no context: it stands in functions that are given nothing. */
static _Atomic(check_handler *) handler = print;

void check_set_handler(check_handler *replacement)
{
    atomic_store(&handler, replacement == NULL ? print : replacement);
}

_Noreturn void check_failed(const char *condition, const char *file, int line)
{
    atomic_load (&handler)(condition, file, line);
    abort(); /* the default, and what a handler that returns deserves */
}

static void print(const char *condition, const char *file, int line)
{
    log_error("%s:%d: check failed: %s", file, line, condition);
}
