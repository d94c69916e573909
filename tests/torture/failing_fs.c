/* SPDX-License-Identifier: Apache-2.0 */
/*
 * failing_fs — a library to be preloaded, which makes the file system fail when it is told to.
 *
 * While the file that FAILING_FS names is there, each of its lines is a rule: a call, part of the
 * path of the file it is made on, the name of an error or a number of milliseconds, and, after an
 * error of write, how many bytes are written before it.
 *
 *   sync .log EIO              fsync and fdatasync of a log fail
 *   sync .log 200              they take 200 ms longer
 *   write .sst ENOSPC 100      write and pwrite of a table write 100 bytes each, in the end none
 *   open .sst EMFILE           no table can be opened
 *   clock - -86400000          CLOCK_REALTIME is a day back
 *
 * Everything else is passed on.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { RULES_BYTES = 2048, WORD_BYTES = 64, MS_PER_SECOND = 1000, NS_PER_MS = 1000000 };

struct rule {
    int error; /* 0: none */
    long delay_ms;
    size_t bytes;
};

/* Without the C library's functions, some of which are ours here. */
static bool read_rules(char rules[RULES_BYTES])
{
    const char *path = getenv("FAILING_FS");
    if (path == NULL) return false;
    const int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (file < 0) return false;
    const long length = syscall(SYS_read, file, rules, RULES_BYTES - 1);
    syscall(SYS_close, file);
    rules[length > 0 ? length : 0] = '\0';
    return length > 0;
}

static int error_named(const char *name)
{
    static const struct {
        const char *name;
        int error;
    } known[] = {{"EIO", EIO}, {"ENOSPC", ENOSPC}, {"EMFILE", EMFILE}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(name, known[i].name) == 0) return known[i].error;
    return 0;
}

/* The first rule for a call on a path; false when there is none. */
static bool find_rule(const char *call, const char *path, struct rule *rule)
{
    char rules[RULES_BYTES];
    if (!read_rules(rules)) return false;
    char *rest = NULL;
    for (char *line = strtok_r(rules, "\n", &rest); line != NULL;
         line = strtok_r(NULL, "\n", &rest)) {
        char words[3][WORD_BYTES];
        *rule = (struct rule){.bytes = 0};
        if (sscanf(line, "%63s %63s %63s %zu", words[0], words[1], words[2], &rule->bytes) < 3)
            continue;
        if (strcmp(words[0], call) != 0 || strstr(path, words[1]) == NULL) continue;
        rule->error = error_named(words[2]);
        rule->delay_ms = rule->error == 0 ? strtol(words[2], NULL, 0) : 0;
        return true;
    }
    return false;
}

static bool find_descriptor_rule(const char *call, int descriptor, struct rule *rule)
{
    if (getenv("FAILING_FS") == NULL || access(getenv("FAILING_FS"), F_OK) != 0) return false;
    char link[WORD_BYTES];
    char path[PATH_MAX];
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return false;
    path[length] = '\0';
    return find_rule(call, path, rule);
}

static void delay(const struct rule *rule)
{
    const struct timespec time = {.tv_sec = rule->delay_ms / MS_PER_SECOND,
                                  .tv_nsec = rule->delay_ms % MS_PER_SECOND * NS_PER_MS};
    if (rule->delay_ms > 0) (void)nanosleep(&time, NULL);
}

static int sync_file(long call, int descriptor)
{
    struct rule rule;
    if (find_descriptor_rule("sync", descriptor, &rule)) {
        delay(&rule);
        if (rule.error != 0) {
            errno = rule.error;
            return -1;
        }
    }
    return (int)syscall(call, descriptor);
}

int fsync(int descriptor)
{
    return sync_file(SYS_fsync, descriptor);
}

int fdatasync(int descriptor)
{
    return sync_file(SYS_fdatasync, descriptor);
}

/* How many bytes to write; 0: none, with errno. */
static size_t allowed(int descriptor, size_t length)
{
    struct rule rule;
    if (!find_descriptor_rule("write", descriptor, &rule)) return length;
    delay(&rule);
    if (rule.error == 0) return length;
    errno = rule.error;
    return length > rule.bytes ? rule.bytes : 0;
}

ssize_t write(int descriptor, const void *bytes, size_t length)
{
    const size_t part = allowed(descriptor, length);
    return part == 0 && length > 0 ? -1 : syscall(SYS_write, descriptor, bytes, part);
}

ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t at)
{
    const size_t part = allowed(descriptor, length);
    return part == 0 && length > 0 ? -1 : syscall(SYS_pwrite64, descriptor, bytes, part, at);
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t at)
{
    return pwrite(descriptor, bytes, length, at);
}

static int open_file(int directory, const char *path, int flags, mode_t mode)
{
    struct rule rule;
    if (find_rule("open", path, &rule) && rule.error != 0) {
        errno = rule.error;
        return -1;
    }
    return (int)syscall(SYS_openat, directory, path, flags, mode);
}

#define MODE(mode, flags)                             \
    do {                                              \
        if (((flags) & (O_CREAT | O_TMPFILE)) != 0) { \
            va_list arguments;                        \
            va_start(arguments, flags);               \
            (mode) = (mode_t)va_arg(arguments, int);  \
            va_end(arguments);                        \
        }                                             \
    } while (0)

int open(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE(mode, flags);
    return open_file(AT_FDCWD, path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    mode_t mode = 0;
    MODE(mode, flags);
    return open_file(AT_FDCWD, path, flags, mode);
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    const int result = (int)syscall(SYS_clock_gettime, clock, now);
    struct rule rule;
    if (result == 0 && clock == CLOCK_REALTIME && find_rule("clock", "-", &rule)) {
        now->tv_sec += rule.delay_ms / MS_PER_SECOND;
    }
    return result;
}
