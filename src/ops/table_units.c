/* SPDX-License-Identifier: Apache-2.0 */
/* table_units — the wordings differ in small ways between tables, indexes, creation and update. */
#include "ops/table_units.h"

#include "model/limits.h"

#define INVALID "One or more parameter values were invalid: "

/* ---- OnDemandThroughput ---------------------------------------------------------------------- */

static const char *first_on_demand(struct unit_pair wanted)
{
    return wanted.read != UNITS_UNSET ? "MaxReadRequestUnits" : "MaxWriteRequestUnits";
}

static enum error_code check_range(struct request *request, struct unit_pair wanted,
                                   const struct units_of *of, int64_t removes)
{
    const bool read_bad = wanted.read != UNITS_UNSET && wanted.read < 1 && wanted.read != removes;
    const bool write_bad =
        wanted.write != UNITS_UNSET && wanted.write < 1 && wanted.write != removes;
    if (!read_bad && !write_bad) return OK;
    const struct slice name = of->index == NULL ? (struct slice){0} : of->index->name;
    return fail(&request->call, ERROR_VALIDATION,
                INVALID "Requested %s for OnDemandThroughput for %s%.*s is outside of valid range",
                read_bad ? "MaxReadRequestUnits" : "MaxWriteRequestUnits",
                of->index == NULL ? "table" : "index : ", SLICE_ARGS(name));
}

enum error_code table_units_create_on_demand(struct request *request, struct unit_pair wanted,
                                             const struct units_of *of)
{
    if (wanted.read == UNITS_UNSET && wanted.write == UNITS_UNSET) return OK;
    if (of->billing == BILLING_PROVISIONED) {
        const struct slice name = of->index == NULL ? (struct slice){0} : of->index->name;
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "%s for OnDemandThroughput%s%.*s cannot be specified when table "
                            "BillingMode is PROVISIONED.",
                    first_on_demand(wanted),
                    of->index == NULL ? "" : " for index: ", SLICE_ARGS(name));
    }
    return check_range(request, wanted, of, UNITS_UNSET);
}

enum error_code table_units_update_on_demand(struct request *request, struct unit_pair wanted,
                                             const struct units_of *of)
{
    if (wanted.read == UNITS_UNSET && wanted.write == UNITS_UNSET) return OK;
    if (of->billing == BILLING_PROVISIONED) {
        const struct slice name = of->index == NULL ? (struct slice){0} : of->index->name;
        return fail(&request->call, ERROR_VALIDATION,
                    INVALID "%s for OnDemandThroughput%s%.*s cannot be specified when the table "
                            "BillingMode is PROVISIONED",
                    first_on_demand(wanted),
                    of->index == NULL ? "" : " for index : ", SLICE_ARGS(name));
    }
    return check_range(request, wanted, of, UNITS_REMOVE);
}

struct unit_pair table_units_merge(struct unit_pair wanted, struct unit_pair current)
{
    return (struct unit_pair){
        .read = wanted.read != UNITS_UNSET ? wanted.read : current.read,
        .write = wanted.write != UNITS_UNSET ? wanted.write : current.write,
    };
}

struct unit_pair table_units_settle(struct unit_pair on_demand)
{
    return (struct unit_pair){
        .read = on_demand.read == UNITS_REMOVE ? UNITS_UNSET : on_demand.read,
        .write = on_demand.write == UNITS_REMOVE ? UNITS_UNSET : on_demand.write,
    };
}

/* ---- WarmThroughput -------------------------------------------------------------------------- */

/* Both members against their floors; why completes "… for table is lower than ". */
struct floor {
    struct unit_pair least;
    const char *read_why;
    const char *write_why;
};

static enum error_code check_floor(struct request *request, struct unit_pair wanted,
                                   const struct index *index, const struct floor *floor)
{
    const bool read_low = wanted.read != UNITS_UNSET && wanted.read < floor->least.read;
    const bool write_low = wanted.write != UNITS_UNSET && wanted.write < floor->least.write;
    if (!read_low && !write_low) return OK;
    const struct slice name = index == NULL ? (struct slice){0} : index->name;
    return fail(&request->call, ERROR_VALIDATION,
                INVALID "Requested %s for WarmThroughput for %s%.*s is lower than %s",
                read_low ? "ReadUnitsPerSecond" : "WriteUnitsPerSecond",
                index == NULL ? "table" : "index ", SLICE_ARGS(name),
                read_low ? floor->read_why : floor->write_why);
}

struct unit_pair table_units_initial_warm(enum billing_mode billing,
                                          const struct throughput *throughput)
{
    if (billing == BILLING_PAY_PER_REQUEST)
        return (struct unit_pair){.read = LIMIT_ON_DEMAND_READ, .write = LIMIT_ON_DEMAND_WRITE};
    return (struct unit_pair){.read = throughput->read_units, .write = throughput->write_units};
}

enum error_code table_units_create_warm(struct request *request, struct unit_pair wanted,
                                        const struct units_of *of)
{
    struct floor floor = {
        .least = table_units_initial_warm(of->billing, of->throughput),
        .read_why = "ReadCapacityUnits of ProvisionedThroughput",
        .write_why = "WriteCapacityUnits of ProvisionedThroughput",
    };
    if (of->billing == BILLING_PAY_PER_REQUEST) {
        floor.read_why = "initial throughput for OnDemand. See: "
                         "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/"
                         "on-demand-capacity-mode.html#on-demand-capacity-mode-initial";
        floor.write_why = floor.read_why;
    }
    return check_floor(request, wanted, of->index, &floor);
}

enum error_code table_units_update_warm(struct request *request, struct unit_pair wanted,
                                        const struct units_of *of)
{
    static const char why[] = "current WarmThroughput, decreasing WarmThroughput is not supported";
    const struct floor floor = {.least = of->warm, .read_why = why, .write_why = why};
    return check_floor(request, wanted, of->index, &floor);
}

struct unit_pair table_units_raise(struct unit_pair a, struct unit_pair b)
{
    return (struct unit_pair){
        .read = a.read > b.read ? a.read : b.read,
        .write = a.write > b.write ? a.write : b.write,
    };
}
