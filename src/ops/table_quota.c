/* SPDX-License-Identifier: Apache-2.0 */
/* table_quota — the quotas of facts/limits.md 3 and 5, with the service's words. */
#include "ops/table_quota.h"

#include <time.h>

#include "model/limits.h"
#include "ops/table_units.h"
#include "ops/timestamp.h"

#define GUIDE                                                                                    \
    "Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher " \
    "limits."

enum { MS_PER_SECOND = 1000, TIME_CAPACITY = 80 };
static const int64_t ms_per_day = 24LL * 3600 * MS_PER_SECOND;

enum error_code table_quota_tables(struct request *request, struct kv_txn *txn)
{
    const struct catalog_snapshot *catalog = request->catalog;
    size_t count = 0;
    for (size_t i = 0; i < catalog->table_count; i++)
        count += !table_is_gone(catalog->tables[i], request->call.now_ms);
    if (count < LIMIT_TABLES) return OK;
    /* The snapshot may be old; nobody is refused for a table that has been deleted since. */
    TRY(catalog_check(txn, catalog));
    return fail(&request->call, ERROR_LIMIT_EXCEEDED,
                "Subscriber limit exceeded: There is a limit of %d tables per subscriber",
                LIMIT_TABLES);
}

/* ---- units ----------------------------------------------------------------------------------- */

static enum error_code check_provisioned(struct request *request, int64_t units, const char *member,
                                         const struct index *index)
{
    if (units <= LIMIT_TABLE_THROUGHPUT) return OK;
    struct call *call = &request->call;
    struct slice of_index = SLICE("");
    if (index != NULL)
        of_index = arena_format(call->arena, " for index %.*s", SLICE_ARGS(index->name));
    return fail(call, ERROR_LIMIT_EXCEEDED,
                "The requested %s%.*s, %lld, is above the per %s maximum for the account in %.*s. "
                "Per table maximum: %d. " GUIDE,
                member, SLICE_ARGS(of_index), (long long)units, index == NULL ? "table" : "index",
                SLICE_ARGS(request->database->region), LIMIT_TABLE_THROUGHPUT);
}

/* A member of OnDemandThroughput or WarmThroughput. */
struct asked {
    int64_t units;
    const char *member;
    const char *structure;
    const char *most;
    const char *before_index; /* " : " or " ": how the structure's messages name an index */
};

static enum error_code check_asked(struct request *request, const struct index *index,
                                   const struct asked *asked)
{
    if (asked->units == UNITS_UNSET || asked->units <= LIMIT_TABLE_THROUGHPUT) return OK;
    const struct slice name = index == NULL ? (struct slice){0} : index->name;
    return fail(&request->call, ERROR_LIMIT_EXCEEDED,
                "Subscriber limit exceeded: Requested %s for %s for %s%s%.*s exceeds %s of the "
                "account in region %.*s",
                asked->member, asked->structure, index == NULL ? "table" : "index",
                index == NULL ? "" : asked->before_index, SLICE_ARGS(name), asked->most,
                SLICE_ARGS(request->database->region));
}

static enum error_code check_pairs(struct request *request, const struct index *index,
                                   struct unit_pair on_demand, struct unit_pair warm)
{
    static const char read_most[] = "TableMaxReadCapacityUnits";
    static const char write_most[] = "TableMaxWriteCapacityUnits";
    const struct asked asked[] = {
        {on_demand.read, "MaxReadRequestUnits", "OnDemandThroughput", read_most, " : "},
        {on_demand.write, "MaxWriteRequestUnits", "OnDemandThroughput", write_most, " : "},
        {warm.read, "ReadUnitsPerSecond", "WarmThroughput", read_most, " "},
        {warm.write, "WriteUnitsPerSecond", "WarmThroughput", write_most, " "},
    };
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++)
        TRY(check_asked(request, index, &asked[i]));
    return OK;
}

/* Provisioned units of a table with its indexes. */
static struct unit_pair total_units(const struct table *table)
{
    struct unit_pair total = {table->throughput.read_units, table->throughput.write_units};
    for (size_t i = 0; i < table->index_count; i++) {
        total.read += table->indexes[i].throughput.read_units;
        total.write += table->indexes[i].throughput.write_units;
    }
    return total;
}

static enum error_code check_reserved(struct request *request, int64_t reserved, int64_t added,
                                      const char *member)
{
    if (added <= 0 || reserved + added <= LIMIT_ACCOUNT_THROUGHPUT) return OK;
    return fail(
        &request->call, ERROR_LIMIT_EXCEEDED,
        "This request would have caused the %s limit to be exceeded for the account in "
        "%.*s. Current %s reserved by the account: %lld. Limit: %d. Requested: %lld. " GUIDE,
        member, SLICE_ARGS(request->database->region), member, (long long)reserved,
        LIMIT_ACCOUNT_THROUGHPUT, (long long)added);
}

static enum error_code check_account(struct request *request, const struct table *table)
{
    const struct catalog_snapshot *catalog = request->catalog;
    struct unit_pair reserved = {0};
    struct unit_pair before = {0};
    for (size_t i = 0; i < catalog->table_count; i++) {
        const struct table *other = catalog->tables[i];
        if (table_is_gone(other, request->call.now_ms)) continue;
        const struct unit_pair units = total_units(other);
        reserved.read += units.read;
        reserved.write += units.write;
        if (slice_equal(other->name, table->name)) before = units;
    }
    const struct unit_pair after = total_units(table);
    TRY(check_reserved(request, reserved.read, after.read - before.read, "ReadCapacityUnits"));
    return check_reserved(request, reserved.write, after.write - before.write,
                          "WriteCapacityUnits");
}

enum error_code table_quota_units(struct request *request, const struct table *table)
{
    TRY(check_provisioned(request, table->throughput.read_units, "ReadCapacityUnits", NULL));
    TRY(check_provisioned(request, table->throughput.write_units, "WriteCapacityUnits", NULL));
    TRY(check_pairs(request, NULL, table->on_demand, table->warm));
    for (size_t i = 0; i < table->index_count; i++) {
        const struct index *index = &table->indexes[i];
        TRY(check_provisioned(request, index->throughput.read_units, "ReadCapacityUnits", index));
        TRY(check_provisioned(request, index->throughput.write_units, "WriteCapacityUnits", index));
        TRY(check_pairs(request, index, index->on_demand, index->warm));
    }
    return check_account(request, table);
}

/* ---- rates ----------------------------------------------------------------------------------- */

int64_t table_quota_decreases_today(const struct throughput *throughput, int64_t now_ms)
{
    if (throughput->decrease_ms / ms_per_day != now_ms / ms_per_day) return 0;
    return throughput->decreases_today;
}

/* "Friday, October 9, 2026 at 12:21:34 AM Coordinated Universal Time" */
static struct slice print_time(struct arena *arena, int64_t time_ms)
{
    const time_t seconds = (time_t)(time_ms / MS_PER_SECOND);
    struct tm utc;
    gmtime_r(&seconds, &utc);
    char date[TIME_CAPACITY];
    char clock[TIME_CAPACITY];
    const size_t date_length = strftime(date, sizeof date, "%A, %B %-d, %Y", &utc);
    const size_t clock_length = strftime(clock, sizeof clock, "%-I:%M:%S %p", &utc);
    return arena_format(arena, "%.*s at %.*s Coordinated Universal Time", (int)date_length, date,
                        (int)clock_length, clock);
}

enum error_code table_quota_decrease(struct request *request, const struct throughput *throughput)
{
    struct call *call = &request->call;
    const int64_t today = table_quota_decreases_today(throughput, call->now_ms);
    if (today < LIMIT_DECREASES_AT_ONCE) return OK;
    int64_t next_ms = throughput->decrease_ms + LIMIT_DECREASE_INTERVAL_MS;
    const int64_t midnight_ms = (call->now_ms / ms_per_day + 1) * ms_per_day;
    if (midnight_ms < next_ms) next_ms = midnight_ms;
    if (call->now_ms >= next_ms) return OK;
    return fail(
        call, ERROR_LIMIT_EXCEEDED,
        "Subscriber limit exceeded: Provisioned throughput decreases are limited within a "
        "given UTC day. After the first %d decreases, each subsequent decrease in the same "
        "UTC day can be performed at most once every %d seconds. Number of decreases today: "
        "%lld. Last decrease at %.*s. Next decrease can be made at %.*s",
        LIMIT_DECREASES_AT_ONCE, LIMIT_DECREASE_INTERVAL_MS / MS_PER_SECOND, (long long)today,
        SLICE_ARGS(print_time(call->arena, throughput->decrease_ms)),
        SLICE_ARGS(print_time(call->arena, next_ms)));
}

enum error_code table_quota_class(struct request *request, const struct table *table)
{
    _Static_assert(LIMIT_CLASS_CHANGES == 2, "the description remembers the last two changes");
    const int64_t window_begin_ms = request->call.now_ms - LIMIT_CLASS_WINDOW_DAYS * ms_per_day;
    const int64_t oldest_ms = table->class_changed_before_ms;
    if (oldest_ms == 0 || oldest_ms < window_begin_ms) return OK;
    return fail(&request->call, ERROR_LIMIT_EXCEEDED,
                "Subscriber limit exceeded: Updates to TableClass are limited to %d times in %d "
                "day(s).",
                LIMIT_CLASS_CHANGES, LIMIT_CLASS_WINDOW_DAYS);
}

/* ---- settings -------------------------------------------------------------------------------- */

/* Going back to the service's own key is counted, but never refused. */
enum error_code table_quota_encryption(struct request *request, bool enabled, struct table *table)
{
    struct call *call = &request->call;
    if (call->now_ms >= table->sse_window_ms + LIMIT_SSE_WINDOW_MS) {
        table->sse_window_ms = call->now_ms;
        table->sse_changes = 0;
    }
    const int64_t next_ms = table->sse_changed_ms + LIMIT_SSE_INTERVAL_MS;
    if (enabled && table->sse_changes >= LIMIT_SSE_CHANGES && call->now_ms < next_ms) {
        const int64_t end_ms = table->sse_window_ms + LIMIT_SSE_WINDOW_MS;
        return fail(
            call, ERROR_LIMIT_EXCEEDED,
            "Subscriber limit exceeded: Encryption mode changes are limited in the 24h window "
            "ending at %.*sZ. After the first %d change, each subsequent change in the same window "
            "can be performed at most once every %d seconds. Number of updates today: %lld. Last "
            "change at %.*sZ. Next changes can be made at %.*sZ.",
            SLICE_ARGS(timestamp_format(call->arena, end_ms)), LIMIT_SSE_CHANGES,
            LIMIT_SSE_INTERVAL_MS / MS_PER_SECOND, (long long)table->sse_changes,
            SLICE_ARGS(timestamp_format(call->arena, table->sse_changed_ms)),
            SLICE_ARGS(timestamp_format(call->arena, next_ms)));
    }
    table->sse_changes++;
    table->sse_changed_ms = call->now_ms;
    return OK;
}

enum error_code table_quota_protection(struct request *request, const struct table *table)
{
    struct call *call = &request->call;
    const int64_t until_ms = table->protection_changed_ms + LIMIT_CHANGE_COOLDOWN_MS;
    if (table->protection_changed_ms == 0 || call->now_ms >= until_ms) return OK;
    return fail(call, ERROR_THROTTLING,
                "Deletion protection setting for table %.*s modified within the previous %d "
                "milliseconds. Please try again after %.*s",
                SLICE_ARGS(table->name), LIMIT_CHANGE_COOLDOWN_MS,
                SLICE_ARGS(timestamp_format(call->arena, until_ms)));
}

/* "Sat Feb 23 03:07:45 UTC 2019" */
static struct slice java_date(struct arena *arena, int64_t time_ms)
{
    const time_t seconds = (time_t)(time_ms / MS_PER_SECOND);
    struct tm utc;
    char text[TIME_CAPACITY];
    gmtime_r(&seconds, &utc);
    const size_t length = strftime(text, sizeof text, "%a %b %d %H:%M:%S UTC %Y", &utc);
    return arena_copy(arena, slice_of(text, length));
}

/* The words are those of the time when one switch a day was allowed; the number is today's. */
enum error_code table_quota_on_demand(struct request *request, struct table *table)
{
    enum { LAST = LIMIT_ON_DEMAND_SWITCHES - 1 };
    struct call *call = &request->call;
    int64_t *switches_ms = table->on_demand_switches_ms;
    const int64_t next_ms = switches_ms[LAST] + LIMIT_ON_DEMAND_WINDOW_MS;
    if (switches_ms[LAST] != 0 && call->now_ms < next_ms) {
        return fail(call, ERROR_LIMIT_EXCEEDED,
                    "Subscriber limit exceeded: Update to PayPerRequest mode are limited to %d "
                    "times in 1 day(s). Last update at %.*s. Next update can be made at %.*s",
                    LIMIT_ON_DEMAND_SWITCHES, SLICE_ARGS(java_date(call->arena, switches_ms[0])),
                    SLICE_ARGS(java_date(call->arena, next_ms)));
    }
    memmove(switches_ms + 1, switches_ms, LAST * sizeof *switches_ms);
    switches_ms[0] = call->now_ms;
    return OK;
}
