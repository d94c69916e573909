/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check — what must be true or the program is wrong. CHECK stays on in release builds and stops the
 * process through a handler that an embedding host may replace. Data from outside (network, disk,
 * engine) is never CHECKed: it is validated and refused.
 */
#ifndef STATOR_BASE_CHECK_H
#define STATOR_BASE_CHECK_H

#define CHECK(condition)                                                                     \
    do {                                                                                     \
        if (__builtin_expect(!(condition), 0)) check_failed(#condition, __FILE__, __LINE__); \
    } while (0)

/* Called with the failed condition and its place. It must not return. */
typedef void check_handler(const char *condition, const char *file, int line);

/* Replaces the handler (NULL restores the default: print and abort). Call before other threads
 * run. */
void check_set_handler(check_handler *handler);

_Noreturn void check_failed(const char *condition, const char *file, int line);

#define WARN_UNUSED                __attribute__((warn_unused_result))
#define PRINTF_LIKE(string, first) __attribute__((format(printf, string, first)))

#endif
