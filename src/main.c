/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main — the stator command: flags and environment, then the database, then the server.
 *
 * The flags are one table; parsing, environment and help are all read from it. Exit status: 0 after
 * a clean stop, 2 when the command line is wrong, 1 when anything else is.
 */
#include "serve.h"
#include "stator.h"

#include <errno.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum {
    EXIT_USAGE = 2,
    THREADS_MAX = 64,
    SHARDS_MAX = 64,
    PORT_DEFAULT = 8000,
    REGION_LENGTH_MAX = 32,
    ACCOUNT_ID_LENGTH = 12,
    MESSAGE_LENGTH = 1024,
    CONNECTIONS_PART = 2, /* of the descriptors; the others are for files */
    SPREAD_PART = 8,      /* of a thread's share: how much more than it a thread may get */
    MMAP_BYTES_MIN = 256 * 1024,
    ARENA_THREADS = 8,    /* network threads that share a heap of malloc's */
    FLAG_LENGTH_MAX = 32, /* with its dashes and a NUL */
    HELP_COLUMN = 28,
};

struct settings {
    const char *host;
    const char *data;
    const char *region;
    const char *account_id;
    int64_t port;
    int64_t threads;
    int64_t table_delay_ms;
    int64_t cache_bytes;
    int64_t collection_bytes;
    int64_t stream_shards;
    int64_t stream_shard_seconds;
    int64_t stream_shard_bytes;
    bool in_memory;
    bool async;
    bool admin;
    bool validation_envelope;
};

struct flag {
    const char *name;        /* without its dashes */
    const char *environment; /* the variable that says the same */
    const char *value;       /* what help calls the value; NULL: a switch */
    const char *help;
    const char *expected; /* what an error says a value has to be */
    bool (*read)(const char *text, void *member);
    size_t offset;
};

static bool read_text(const char *text, void *member);
static bool read_switch(const char *text, void *member);
static bool read_port(const char *text, void *member);
static bool read_threads(const char *text, void *member);
static bool read_durability(const char *text, void *member);
static bool read_region(const char *text, void *member);
static bool read_account_id(const char *text, void *member);
static bool read_count(const char *text, void *member);
static bool read_shards(const char *text, void *member);
static bool read_seconds(const char *text, void *member);

#define MEMBER(name) offsetof(struct settings, name)

static const struct flag flags[] = {
    {"host", "STATOR_HOST", "ADDRESS", "address to listen on (127.0.0.1)", "an address", read_text,
     MEMBER(host)},
    {"port", "STATOR_PORT", "PORT", "port to listen on; 0: any free one (8000)",
     "a number from 0 to 65535", read_port, MEMBER(port)},
    {"data", "STATOR_DATA", "DIR", "directory of the data, made when absent (./stator-data)",
     "a directory", read_text, MEMBER(data)},
    {"in-memory", "STATOR_IN_MEMORY", NULL, "keep nothing on disk", "true or false", read_switch,
     MEMBER(in_memory)},
    {"threads", "STATOR_THREADS", "N", "network threads (one for each core)",
     "a number from 1 to 64", read_threads, MEMBER(threads)},
    {"durability", "STATOR_DURABILITY", "sync|async",
     "answer a write after its log is synced, or before (sync)", "sync or async", read_durability,
     MEMBER(async)},
    {"cache", "STATOR_CACHE", "BYTES", "most of the data files that is held in memory (64 MiB)",
     "a number of bytes", read_count, MEMBER(cache_bytes)},
    {"region", "STATOR_REGION", "REGION", "region in every ARN (us-east-1)",
     "a region such as eu-central-1", read_region, MEMBER(region)},
    {"account-id", "STATOR_ACCOUNT_ID", "ID", "account in every ARN (123456789012)", "12 digits",
     read_account_id, MEMBER(account_id)},
    {"table-delay", "STATOR_TABLE_DELAY", "MS",
     "how long tables stay CREATING, UPDATING or DELETING (0)", "a number of milliseconds",
     read_count, MEMBER(table_delay_ms)},
    {"collection-limit", "STATOR_COLLECTION_LIMIT", "BYTES",
     "largest item collection of a table with local indexes (10 GB)", "a number of bytes",
     read_count, MEMBER(collection_bytes)},
    {"stream-shards", "STATOR_STREAM_SHARDS", "N", "open shards of a new stream (1)",
     "a number from 1 to 64", read_shards, MEMBER(stream_shards)},
    {"stream-shard-seconds", "STATOR_STREAM_SHARD_SECONDS", "S",
     "time after which a shard of a stream is succeeded (14400)", "a number of seconds",
     read_seconds, MEMBER(stream_shard_seconds)},
    {"stream-shard-bytes", "STATOR_STREAM_SHARD_BYTES", "BYTES",
     "changes after which a shard of a stream is succeeded (1 GiB)", "a number of bytes",
     read_count, MEMBER(stream_shard_bytes)},
    {"validation-envelope", "STATOR_VALIDATION_ENVELOPE", NULL,
     "word refusals of PutItem and UpdateItem as newer regions do", "true or false", read_switch,
     MEMBER(validation_envelope)},
    {"admin", "STATOR_ADMIN", NULL,
     "serve /_stator/ to this machine: clock, chance and faults for tests", "true or false",
     read_switch, MEMBER(admin)},
};

enum { FLAGS = sizeof flags / sizeof flags[0] };

static int run_command(int count, char **arguments);
static int serve(int count, char **arguments);
static bool read_settings(int count, char **arguments, struct settings *settings);
static bool read_environment(struct settings *settings);
static bool read_arguments(int count, char **arguments, struct settings *settings);
static int run_database(const struct settings *settings);
static int run_server(const struct settings *settings, struct stator *db);
static void print_help(void);
static void print_serve_help(void);

int main(int argc, char **argv)
{
    return run_command(argc - 1, argv + 1);
}

static bool is_help(const char *argument)
{
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static int run_command(int count, char **arguments)
{
    if (count == 0) {
        (void)fprintf(stderr, "stator: no command; try: stator --help\n");
        return EXIT_USAGE;
    }
    const char *command = arguments[0];
    if (strcmp(command, "serve") == 0) return serve(count - 1, arguments + 1);
    if (is_help(command)) {
        print_help();
        return EXIT_SUCCESS;
    }
    if (strcmp(command, "--version") == 0) {
        (void)printf("stator %s\n", stator_version());
        return EXIT_SUCCESS;
    }
    (void)fprintf(stderr, "stator: unknown %s %s; try: stator --help\n",
                  command[0] == '-' ? "flag" : "command", command);
    return EXIT_USAGE;
}

static int serve(int count, char **arguments)
{
    for (int i = 0; i < count; i++) {
        if (!is_help(arguments[i])) continue;
        print_serve_help();
        return EXIT_SUCCESS;
    }
    struct settings settings;
    if (!read_settings(count, arguments, &settings)) return EXIT_USAGE;
    return run_database(&settings);
}

/* ---- Settings -------------------------------------------------------------------------------- */

/* As many as this process may run on, which can be fewer than the machine has. */
static int64_t core_count(void)
{
    cpu_set_t cores;
    CPU_ZERO(&cores);
    if (sched_getaffinity(0, sizeof cores, &cores) != 0) return 1;
    const int count = CPU_COUNT(&cores);
    return count < THREADS_MAX ? count : THREADS_MAX;
}

/* False when something is wrong, which has been said on standard error. */
static bool read_settings(int count, char **arguments, struct settings *settings)
{
    *settings = (struct settings){
        .host = "127.0.0.1",
        .data = "./stator-data",
        .port = PORT_DEFAULT,
        .threads = core_count(),
    };
    return read_environment(settings) && read_arguments(count, arguments, settings);
}

/* source is what the user wrote: the flag or the variable. */
static bool read_value(const struct flag *flag, const char *source, const char *text,
                       struct settings *settings)
{
    if (flag->read(text, (char *)settings + flag->offset)) return true;
    (void)fprintf(stderr, "stator: %s: \"%s\" is not %s\n", source, text, flag->expected);
    return false;
}

static bool read_environment(struct settings *settings)
{
    for (size_t i = 0; i < FLAGS; i++) {
        const char *text = getenv(flags[i].environment);
        if (text == NULL || text[0] == '\0') continue;
        if (!read_value(&flags[i], flags[i].environment, text, settings)) return false;
    }
    return true;
}

/* The flag an argument names, "--port" or "--port=1"; NULL when there is none such. */
static const struct flag *find_flag(const char *argument)
{
    if (strncmp(argument, "--", 2) != 0) return NULL;
    const char *name = argument + 2;
    const size_t length = strcspn(name, "=");
    for (size_t i = 0; i < FLAGS; i++) {
        if (strlen(flags[i].name) == length && strncmp(flags[i].name, name, length) == 0)
            return &flags[i];
    }
    return NULL;
}

static bool read_arguments(int count, char **arguments, struct settings *settings)
{
    for (int i = 0; i < count; i++) {
        const char *argument = arguments[i];
        const struct flag *flag = find_flag(argument);
        if (flag == NULL) {
            (void)fprintf(stderr, "stator: unknown %s %s; try: stator serve --help\n",
                          argument[0] == '-' ? "flag" : "argument", argument);
            return false;
        }
        const char *equals = strchr(argument, '=');
        const char *text = equals != NULL ? equals + 1 : NULL;
        if (text == NULL && flag->value == NULL) text = "true";
        if (text == NULL && i + 1 < count) text = arguments[++i];
        if (text == NULL) {
            (void)fprintf(stderr, "stator: %s needs a value: %s\n", argument, flag->expected);
            return false;
        }
        char source[FLAG_LENGTH_MAX];
        (void)snprintf(source, sizeof source, "--%s", flag->name);
        if (!read_value(flag, source, text, settings)) return false;
    }
    return true;
}

static bool read_text(const char *text, void *member)
{
    *(const char **)member = text;
    return text[0] != '\0';
}

static bool read_switch(const char *text, void *member)
{
    const bool is_true = strcmp(text, "true") == 0 || strcmp(text, "1") == 0;
    *(bool *)member = is_true;
    return is_true || strcmp(text, "false") == 0 || strcmp(text, "0") == 0;
}

static bool read_number(const char *text, int64_t min, int64_t max, int64_t *number)
{
    char *end = NULL;
    errno = 0;
    *number = strtoll(text, &end, 10);
    return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *number >= min &&
           *number <= max;
}

static bool read_port(const char *text, void *member)
{
    return read_number(text, 0, UINT16_MAX, member);
}

static bool read_threads(const char *text, void *member)
{
    return read_number(text, 1, THREADS_MAX, member);
}

static bool read_count(const char *text, void *member)
{
    return read_number(text, 0, INT64_MAX, member);
}

static bool read_shards(const char *text, void *member)
{
    return read_number(text, 1, SHARDS_MAX, member);
}

static bool read_seconds(const char *text, void *member)
{
    return read_number(text, 0, INT32_MAX, member);
}

static bool read_durability(const char *text, void *member)
{
    *(bool *)member = strcmp(text, "async") == 0;
    return *(bool *)member || strcmp(text, "sync") == 0;
}

static bool read_region(const char *text, void *member)
{
    *(const char **)member = text;
    const size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-");
    return length > 0 && length <= REGION_LENGTH_MAX && text[length] == '\0';
}

static bool read_account_id(const char *text, void *member)
{
    *(const char **)member = text;
    return strspn(text, "0123456789") == ACCOUNT_ID_LENGTH && text[ACCOUNT_ID_LENGTH] == '\0';
}

/* ---- Running --------------------------------------------------------------------------------- */

/*
 * Bounds what malloc keeps. Large bodies, and the blocks in which RocksDB's memtables grow, get
 * mappings of their own, which go back to the system when they are freed; left alone, malloc would
 * move its threshold up to them and keep their memory for ever. And blocks read by one thread take
 * the place of another's in RocksDB's cache: a heap for each thread would grow to the cache's size.
 */
static void bound_malloc(const struct settings *settings)
{
    (void)mallopt(M_MMAP_THRESHOLD, MMAP_BYTES_MIN);
    (void)mallopt(M_ARENA_MAX, 1 + (int)settings->threads / ARENA_THREADS);
}

/* Connections are many and cheap; the usual limit of 1,024 descriptors is only a default. */
static void raise_descriptor_limit(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/*
 * For each thread, so that connections leave the engine's files their descriptors. The system does
 * not spread them evenly: without room beyond its share, one thread would let some of them wait
 * while another has place.
 */
static unsigned connection_limit(unsigned wanted, unsigned threads)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
    const rlim_t share = limit.rlim_cur / CONNECTIONS_PART / threads;
    const rlim_t part = share + share / SPREAD_PART;
    if (part >= wanted) return wanted;
    return part > 0 ? (unsigned)part : 1;
}

static int run_database(const struct settings *settings)
{
    const struct stator_options options = {
        .path = settings->data,
        .in_memory = settings->in_memory,
        .async = settings->async,
        .region = settings->region,
        .account_id = settings->account_id,
        .table_delay_ms = settings->table_delay_ms,
        .cache_bytes = settings->cache_bytes,
        .collection_bytes_max = settings->collection_bytes,
        .stream_shards = settings->stream_shards,
        .stream_shard_seconds = settings->stream_shard_seconds,
        .stream_shard_bytes = settings->stream_shard_bytes,
        .admin = settings->admin,
        .validation_envelope = settings->validation_envelope,
    };
    bound_malloc(settings);
    raise_descriptor_limit();
    /* Signals are taken by sigwait below; threads started from here on inherit the mask. */
    sigset_t stops;
    (void)sigemptyset(&stops);
    (void)sigaddset(&stops, SIGTERM);
    (void)sigaddset(&stops, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &stops, NULL);
    (void)signal(SIGPIPE, SIG_IGN);

    char message[MESSAGE_LENGTH];
    struct stator *db = NULL;
    if (stator_open(&options, &db, message, sizeof message) != STATOR_OK) {
        (void)fprintf(stderr, "stator: %s\n", message);
        return EXIT_FAILURE;
    }
    const int result = run_server(settings, db);
    stator_close(db);
    return result;
}

static void explain(enum server_status status, const struct settings *settings)
{
    const char *const host = settings->host;
    const int port = (int)settings->port;
    switch (status) {
    case SERVER_OK:
        break;
    case SERVER_PORT_TAKEN:
        (void)fprintf(stderr, "stator: port %d on %s is taken by another process\n", port, host);
        break;
    case SERVER_NO_PERMISSION:
        (void)fprintf(stderr, "stator: no permission to listen on port %d of %s\n", port, host);
        break;
    case SERVER_BAD_ADDRESS:
        (void)fprintf(stderr, "stator: %s is not an address of this machine\n", host);
        break;
    case SERVER_FAILED:
        (void)fprintf(stderr, "stator: cannot start the server: out of memory, threads or "
                              "descriptors\n");
        break;
    }
}

static void print_ready(const struct settings *settings, uint16_t port)
{
    const bool is_ipv6 = strchr(settings->host, ':') != NULL;
    (void)printf("stator %s listening on http://%s%s%s:%u, %s%s\n", stator_version(),
                 is_ipv6 ? "[" : "", settings->host, is_ipv6 ? "]" : "", (unsigned)port,
                 settings->in_memory ? "in memory" : "data in ",
                 settings->in_memory ? "" : settings->data);
    (void)fflush(stdout);
}

static int run_server(const struct settings *settings, struct stator *db)
{
    struct server_options options;
    server_defaults(&options);
    options.host = settings->host;
    options.port = (uint16_t)settings->port;
    options.threads = (unsigned)settings->threads;
    options.crc_header = "x-amz-crc32";
    options.connections = connection_limit(options.connections, options.threads);
    struct server *server = NULL;
    const enum server_status status = serve_open(&options, db, &server);
    if (status != SERVER_OK) {
        explain(status, settings);
        return EXIT_FAILURE;
    }
    print_ready(settings, server_port(server));
    sigset_t stops;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &stops);
    int stop = 0;
    (void)sigwait(&stops, &stop);
    server_close(server);
    return EXIT_SUCCESS;
}

/* ---- Help ------------------------------------------------------------------------------------ */

static void print_help(void)
{
    (void)printf("stator %s: the DynamoDB you can keep\n\n"
                 "  stator serve [flags]    start the server\n"
                 "  stator serve --help     its flags\n"
                 "  stator --version        print the version\n"
                 "  stator --help           print this\n",
                 stator_version());
}

static void print_serve_help(void)
{
    (void)printf("Usage: stator serve [flags]\n\n"
                 "Each flag has an environment variable; the flag wins. Defaults are in "
                 "parentheses.\n\n");
    for (size_t i = 0; i < FLAGS; i++) {
        const struct flag *flag = &flags[i];
        const int width = printf("  --%s%s%s", flag->name, flag->value == NULL ? "" : " ",
                                 flag->value == NULL ? "" : flag->value);
        (void)printf("%*s%s\n%*s%s\n", width < HELP_COLUMN ? HELP_COLUMN - width : 1, "",
                     flag->help, HELP_COLUMN, "", flag->environment);
    }
}
