/* SPDX-License-Identifier: Apache-2.0 */
/*
 * library — plays wire cases through the library call; driven by tests/wire/players.py.
 *
 * Opens a database in memory and answers requests until its input ends:
 *
 *     in:  <operation> <length>\n<length bytes of JSON>
 *     out: <status> <length>\n<length bytes of JSON>
 *
 * Flags of the case's "server" line that the library has an option for are taken as arguments.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stator.h"

enum {
    OPERATION_LENGTH_MAX = 100,
    BODY_LENGTH_MAX = 64 * 1024 * 1024,
};

/* The options that have no value. */
static bool read_switch(const char *argument, struct stator_options *options)
{
    if (strcmp(argument, "--admin") == 0) return options->admin = true;
    if (strcmp(argument, "--validation-envelope") == 0) return options->validation_envelope = true;
    return false;
}

static bool read_options(int count, char **arguments, struct stator_options *options);
static bool answer_one(struct stator *db, bool *at_end);
static bool answer_body(struct stator *db, const char *operation, char *body, size_t length);

int main(int count, char **arguments)
{
    struct stator_options options = {.in_memory = true};
    struct stator *db = NULL;
    char message[256] = "";
    if (!read_options(count, arguments, &options)) return 2;
    if (stator_open(&options, &db, message, sizeof message) != STATOR_OK) {
        fprintf(stderr, "library: %s\n", message);
        return 1;
    }
    bool at_end = false;
    bool is_good = true;
    while (is_good && !at_end)
        is_good = answer_one(db, &at_end);
    stator_close(db);
    return is_good ? 0 : 1;
}

static bool read_options(int count, char **arguments, struct stator_options *options)
{
    for (int i = 1; i < count; i += 2) {
        if (read_switch(arguments[i], options)) {
            i--; /* it has no value */
            continue;
        }
        if (i + 1 == count) return false;
        const char *value = arguments[i + 1];
        if (strcmp(arguments[i], "--region") == 0) {
            options->region = value;
        } else if (strcmp(arguments[i], "--account-id") == 0) {
            options->account_id = value;
        } else if (strcmp(arguments[i], "--table-delay") == 0) {
            options->table_delay_ms = strtoll(value, NULL, 10);
        } else if (strcmp(arguments[i], "--collection-limit") == 0) {
            options->collection_bytes_max = strtoll(value, NULL, 10);
        } else if (strcmp(arguments[i], "--stream-shards") == 0) {
            options->stream_shards = strtoll(value, NULL, 10);
        } else if (strcmp(arguments[i], "--stream-shard-seconds") == 0) {
            options->stream_shard_seconds = strtoll(value, NULL, 10);
        } else if (strcmp(arguments[i], "--stream-shard-bytes") == 0) {
            options->stream_shard_bytes = strtoll(value, NULL, 10);
        } else {
            fprintf(stderr, "library: there is no option for %s\n", arguments[i]);
            return false;
        }
    }
    return true;
}

static bool answer_one(struct stator *db, bool *at_end)
{
    char line[OPERATION_LENGTH_MAX + 24];
    char operation[OPERATION_LENGTH_MAX + 1];
    size_t length = 0;
    *at_end = fgets(line, sizeof line, stdin) == NULL;
    if (*at_end) return true;
    if (sscanf(line, "%100s %zu", operation, &length) != 2 || length > BODY_LENGTH_MAX) {
        fprintf(stderr, "library: not a request: %s\n", line);
        return false;
    }
    /* Exactly as long as the body, so that a sanitizer sees a byte read behind it. */
    char *body = malloc(length > 0 ? length : 1);
    bool is_good = body != NULL && fread(body, 1, length, stdin) == length &&
                   answer_body(db, operation, body, length);
    free(body);
    return is_good;
}

static bool answer_body(struct stator *db, const char *operation, char *body, size_t length)
{
    struct stator_response response;
    stator_call(db, operation, body, length, &response);
    printf("%d %zu\n", response.status, response.length);
    size_t written = fwrite(response.body, 1, response.length, stdout);
    bool is_good = written == response.length && fflush(stdout) == 0;
    stator_response_free(&response);
    return is_good;
}
