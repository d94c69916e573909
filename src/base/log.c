/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log — one write(2) per event, so that lines of different threads never mix. The time is the
 * system's: a log that followed an injected clock could not be compared with anything.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum {
    LOG_LINE_BYTES = 2048, /* longer events are cut */
    NS_PER_MS = 1000000,
};

static void write_line(const char *level, const char *format, va_list arguments) PRINTF_LIKE(2, 0);

void log_info(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("info", format, arguments);
    va_end(arguments);
}

void log_warning(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("warning", format, arguments);
    va_end(arguments);
}

void log_error(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_line("error", format, arguments);
    va_end(arguments);
}

/* Appends "2026-11-21T07:40:00.123Z level " and returns its length. */
static size_t write_head(char *line, const char *level)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct tm utc;
    gmtime_r(&now.tv_sec, &utc);
    const size_t length = strftime(line, LOG_LINE_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    const int rest = snprintf(line + length, LOG_LINE_BYTES - length, ".%03dZ %s ",
                              (int)(now.tv_nsec / NS_PER_MS), level);
    CHECK(rest > 0);
    return length + (size_t)rest;
}

static void write_line(const char *level, const char *format, va_list arguments)
{
    char line[LOG_LINE_BYTES];
    const size_t head = write_head(line, level);
    const int wanted = vsnprintf(line + head, sizeof line - head, format, arguments);
    CHECK(wanted >= 0);
    size_t length = head + (size_t)wanted;
    if (length > sizeof line - 1) length = sizeof line - 1; /* the NUL's place is the newline's */
    for (size_t i = head; i < length; i++) {
        if ((unsigned char)line[i] < ' ') line[i] = ' '; /* text from outside starts no new line */
    }
    line[length++] = '\n';
    /* When standard error cannot be written to, there is nobody left to tell. */
    const ssize_t written = write(STDERR_FILENO, line, length);
    (void)written;
}
