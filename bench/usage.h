/* SPDX-License-Identifier: Apache-2.0 */
/* usage — what the C programs here share: time passed, CPU used, and a directory to be removed. */
#ifndef STATOR_BENCH_USAGE_H
#define STATOR_BENCH_USAGE_H

#include "base/check.h"

#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { NS_PER_US = 1000, US_PER_SECOND = 1000000 };

struct usage {
    int64_t wall_us;
    int64_t cpu_us; /* of all threads, user and system */
};

static inline int64_t usage_us(struct timeval time)
{
    return (int64_t)time.tv_sec * US_PER_SECOND + time.tv_usec;
}

static inline struct usage usage_now(void)
{
    struct timespec wall;
    clock_gettime(CLOCK_MONOTONIC, &wall);
    struct rusage cpu;
    getrusage(RUSAGE_SELF, &cpu);
    return (struct usage){(int64_t)wall.tv_sec * US_PER_SECOND + wall.tv_nsec / NS_PER_US,
                          usage_us(cpu.ru_utime) + usage_us(cpu.ru_stime)};
}

static inline int usage_remove_entry(const char *path, const struct stat *found, int kind,
                                     struct FTW *place)
{
    (void)found;
    (void)kind;
    (void)place;
    return remove(path);
}

static inline void usage_remove_directory(const char *path)
{
    enum { DESCRIPTORS_MAX = 8 };
    CHECK(nftw(path, usage_remove_entry, DESCRIPTORS_MAX, FTW_DEPTH | FTW_PHYS) == 0);
}

#endif
