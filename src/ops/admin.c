/* SPDX-License-Identifier: Apache-2.0 */
/* admin — three commands; each reads its members, does what they say, and tells how things are. */
#include "ops/admin.h"

#include "base/json.h"
#include "model/number.h"
#include "ops/dispatch.h"
#include "store/background.h"
#include "store/faults.h"

enum {
    MS_DECIMALS = 3,   /* of seconds */
    RATE_DECIMALS = 6, /* of a rate; see FAULTS_RATE_ONE */
};

_Static_assert(FAULTS_RATE_ONE == 1000000, "a rate has RATE_DECIMALS");

static const int64_t time_max_ms = 253402300800000; /* the year 10000 */

struct command {
    struct call *call;
    struct database *database;
    const struct json_token *body; /* an object */
    struct buffer *answer;
};

/* ---- members --------------------------------------------------------------------------------- */

static const struct json_token *member(const struct command *command, const char *name)
{
    const struct json_token *token = json_member(command->body, slice_of_string(name));
    return token == NULL || token->kind == JSON_NULL ? NULL : token;
}

/* Refuses what the command does not know: a misspelt member would do nothing, unseen. */
static enum error_code check_members(const struct command *command, const char *const *known)
{
    const struct json_token *name = json_first(command->body);
    for (uint32_t i = 0; i < command->body->length; i++, name = json_next(name + 1)) {
        size_t at = 0;
        while (known[at] != NULL && !slice_equal_string(json_raw(name), known[at]))
            at++;
        if (known[at] != NULL) continue;
        return fail(command->call, ERROR_VALIDATION, "unknown member: %.*s",
                    SLICE_ARGS(json_raw(name)));
    }
    return OK;
}

/* A number with a fraction as a whole one, to so many decimals; absent: 0. */
static enum error_code read_number(const struct command *command, const char *name,
                                   unsigned decimals, int64_t *value)
{
    const struct json_token *token = member(command, name);
    struct number number;
    *value = 0;
    if (token == NULL) return OK;
    if (token->kind == JSON_NUMBER && number_parse(json_raw(token), &number) == NUMBER_OK &&
        number_to_scaled(number_slice(&number), decimals, value))
        return OK;
    return fail(command->call, ERROR_VALIDATION, "%s has to be a number", name);
}

static enum error_code read_truth(const struct command *command, const char *name, bool *truth)
{
    const struct json_token *token = member(command, name);
    *truth = token != NULL && token->kind == JSON_TRUE;
    if (token == NULL || token->kind == JSON_TRUE || token->kind == JSON_FALSE) return OK;
    return fail(command->call, ERROR_VALIDATION, "%s has to be true or false", name);
}

/* ---- clock ----------------------------------------------------------------------------------- */

static void answer_clock(const struct command *command)
{
    struct clock *clock = &command->database->clock;
    const bool is_frozen = atomic_load(&clock->frozen_ms) != CLOCK_RUNNING;
    BUFFER_TEXT(command->answer, "{\"now\":");
    json_append_seconds(command->answer, clock_now_ms(clock));
    BUFFER_TEXT(command->answer, ",\"frozen\":");
    buffer_append(command->answer, is_frozen ? SLICE("true") : SLICE("false"));
    BUFFER_TEXT(command->answer, "}");
}

static enum error_code check_time(const struct command *command, int64_t time_ms)
{
    if (time_ms >= 0 && time_ms < time_max_ms) return OK;
    return fail(command->call, ERROR_VALIDATION, "no clock shows such a time");
}

static enum error_code run_clock(const struct command *command)
{
    static const char *const known[] = {"set", "advance", "freeze", "resume", NULL};
    struct clock *clock = &command->database->clock;
    int64_t set_ms;
    int64_t advance_ms;
    bool freezes;
    bool resumes;
    TRY(check_members(command, known));
    TRY(read_number(command, "set", MS_DECIMALS, &set_ms));
    TRY(read_number(command, "advance", MS_DECIMALS, &advance_ms));
    TRY(read_truth(command, "freeze", &freezes));
    TRY(read_truth(command, "resume", &resumes));
    if (advance_ms > time_max_ms || advance_ms < -time_max_ms) return check_time(command, -1);
    TRY(check_time(command, set_ms));
    const int64_t now_ms = clock_now_ms(clock);
    const int64_t base_ms = member(command, "set") != NULL ? set_ms : now_ms;
    TRY(check_time(command, base_ms + advance_ms));

    if (freezes) clock_freeze(clock, now_ms);
    if (base_ms + advance_ms != now_ms) clock_advance(clock, base_ms + advance_ms - now_ms);
    if (resumes) clock_resume(clock);
    background_wake(command->database->background);
    answer_clock(command);
    return OK;
}

/* ---- random ---------------------------------------------------------------------------------- */

static enum error_code run_random(const struct command *command)
{
    static const char *const known[] = {"seed", NULL};
    int64_t seed;
    TRY(check_members(command, known));
    TRY(read_number(command, "seed", 0, &seed));
    if (member(command, "seed") == NULL)
        return fail(command->call, ERROR_VALIDATION, "seed has to be a number");
    random_seed(&command->database->random, (uint64_t)seed);
    faults_seed(command->database->faults, (uint64_t)seed);
    BUFFER_TEXT(command->answer, "{}");
    return OK;
}

/* ---- faults ---------------------------------------------------------------------------------- */

struct fault_member {
    const char *name;
    size_t offset;
    unsigned decimals;
};

#define SETTING(member) offsetof(struct fault_settings, member)

static const struct fault_member fault_members[] = {
    {"index_delay", SETTING(index_delay_ms), MS_DECIMALS},
    {"read_delay", SETTING(read_delay_ms), MS_DECIMALS},
    {"conflict_rate", SETTING(conflict_rate), RATE_DECIMALS},
    {"throttle_rate", SETTING(throttle_rate), RATE_DECIMALS},
    {"unprocessed_rate", SETTING(unprocessed_rate), RATE_DECIMALS},
};

enum { FAULT_MEMBERS = sizeof fault_members / sizeof fault_members[0] };

static int64_t *setting_at(struct fault_settings *settings, const struct fault_member *member)
{
    return (int64_t *)(void *)((char *)settings + member->offset);
}

static enum error_code read_settings(const struct command *command, struct fault_settings *settings)
{
    for (size_t i = 0; i < FAULT_MEMBERS; i++) {
        const struct fault_member *named = &fault_members[i];
        int64_t *value = setting_at(settings, named);
        const bool is_rate = named->decimals == RATE_DECIMALS;
        const int64_t most = is_rate ? FAULTS_RATE_ONE : time_max_ms;
        TRY(read_number(command, named->name, named->decimals, value));
        if (*value >= 0 && *value <= most) continue;
        return fail(command->call, ERROR_VALIDATION, "%s has to be %s", named->name,
                    is_rate ? "from 0 to 1" : "a number of seconds");
    }
    return OK;
}

/* A rate or a delay as it was given: 250000 to 6 decimals is 0.25. */
static void append_decimal(struct buffer *out, int64_t value, unsigned decimals)
{
    int64_t unit = 1;
    for (unsigned i = 0; i < decimals; i++)
        unit *= 10;
    json_append_int(out, value / unit);
    if (value % unit == 0) return;
    buffer_append_byte(out, '.');
    for (int64_t rest = value % unit; rest != 0; rest %= unit) {
        unit /= 10;
        buffer_append_byte(out, (uint8_t)('0' + rest / unit));
    }
}

static void answer_faults(const struct command *command)
{
    struct buffer *out = command->answer;
    struct slice table;
    struct fault_settings settings;
    BUFFER_TEXT(out, "{\"tables\":[");
    for (size_t i = 0; faults_get(command->database->faults, i, out->arena, &table, &settings);
         i++) {
        if (i > 0) BUFFER_TEXT(out, ",");
        BUFFER_TEXT(out, "{\"table\":");
        json_append_string(out, table);
        for (size_t j = 0; j < FAULT_MEMBERS; j++) {
            buffer_append_format(out, ",\"%s\":", fault_members[j].name);
            append_decimal(out, *setting_at(&settings, &fault_members[j]),
                           fault_members[j].decimals);
        }
        BUFFER_TEXT(out, "}");
    }
    BUFFER_TEXT(out, "]}");
}

static enum error_code run_faults(const struct command *command)
{
    static const char *const known[] = {
        "table",         "index_delay",      "read_delay", "conflict_rate",
        "throttle_rate", "unprocessed_rate", NULL};
    struct fault_settings settings;
    TRY(check_members(command, known));
    TRY(read_settings(command, &settings));
    const struct json_token *table = member(command, "table");
    if (table == NULL && command->body->length > 0)
        return fail(command->call, ERROR_VALIDATION, "table has to be the name of a table");
    if (table != NULL) {
        if (table->kind != JSON_STRING)
            return fail(command->call, ERROR_VALIDATION, "table has to be the name of a table");
        faults_set(command->database->faults, json_string(table, command->call->arena), &settings);
    }
    answer_faults(command);
    return OK;
}

/* ---- running --------------------------------------------------------------------------------- */

bool admin_is_on(const struct database *database)
{
    return database->faults != NULL;
}

static enum error_code run(struct command *command, struct slice name, struct slice body)
{
    static const struct {
        const char *name;
        enum error_code (*run)(const struct command *command);
    } commands[] = {{"clock", run_clock}, {"random", run_random}, {"faults", run_faults}};
    struct call *call = command->call;
    command->body = json_parse(call->arena, body.length == 0 ? SLICE("{}") : body, NULL);
    if (command->body == NULL || command->body->kind != JSON_OBJECT)
        return fail(call, ERROR_VALIDATION, "the body has to be a JSON object");
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        if (slice_equal_string(name, commands[i].name)) return commands[i].run(command);
    }
    return fail(call, ERROR_UNKNOWN_OPERATION, "there is no such command: %.*s", SLICE_ARGS(name));
}

int admin_run(struct database *database, struct slice command, struct slice body,
              struct buffer *answer)
{
    struct call call = {.arena = answer->arena};
    struct command running = {.call = &call, .database = database, .answer = answer};
    CHECK(admin_is_on(database));
    const enum error_code code = run(&running, command, body);
    if (code == OK) return 200;
    dispatch_write_error(answer, &call.error);
    return error_kind(code)->http_status;
}
