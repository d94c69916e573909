/* SPDX-License-Identifier: Apache-2.0 */
/* table_update — what changing provisioned throughput does to its bookkeeping. */
#include "ops/table_update.h"

#include "ops/table_quota.h"
#include "ops/table_units.h"

enum error_code table_update_units(struct request *request, const struct throughput *wanted,
                                   struct throughput *throughput, struct unit_pair *warm)
{
    const int64_t now_ms = request->call.now_ms;
    const bool is_increase = wanted->read_units > throughput->read_units ||
                             wanted->write_units > throughput->write_units;
    const bool is_decrease = wanted->read_units < throughput->read_units ||
                             wanted->write_units < throughput->write_units;
    if (is_decrease) {
        TRY(table_quota_decrease(request, throughput));
        throughput->decreases_today = table_quota_decreases_today(throughput, now_ms) + 1;
        throughput->decrease_ms = now_ms;
    }
    if (is_increase) throughput->increase_ms = now_ms;
    throughput->read_units = wanted->read_units;
    throughput->write_units = wanted->write_units;
    *warm = table_units_raise(*warm,
                              (struct unit_pair){throughput->read_units, throughput->write_units});
    return OK;
}
