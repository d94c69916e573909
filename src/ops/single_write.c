/* SPDX-License-Identifier: Apache-2.0 */
/* single_write — runs one write and answers with ReturnValues, capacity and collection metrics. */
#include "ops/single_write.h"

#include "ops/respond.h"

enum error_code single_write_run(struct request *request, struct kv_txn *txn)
{
    struct single_write *plan = request->plan;
    TRY(catalog_check(txn, request->catalog));
    return item_write(&request->call, request->database, txn, &plan->write);
}

/* What ReturnValues asks for; empty: no Attributes in the answer. */
static struct slice returned_attributes(struct request *request, const struct single_write *plan)
{
    const struct write *write = &plan->write;
    struct slice none = {0};
    struct slice wanted = input_string(request, plan->return_values);
    if (slice_equal_string(wanted, "ALL_OLD")) return write->old_item;
    if (slice_equal_string(wanted, "ALL_NEW")) return write->new_item;

    bool old = slice_equal_string(wanted, "UPDATED_OLD");
    if (!old && !slice_equal_string(wanted, "UPDATED_NEW")) return none;
    struct slice item = old ? write->old_item : write->new_item;
    if (write->update == NULL || item.length == 0) return none;
    struct slice touched = projection_apply(write->update->touched, item, request->call.arena);
    return value_read(touched).count > 0 ? touched : none;
}

static void respond_cost(struct request *request, const struct single_write *plan)
{
    enum consumption_detail detail = respond_detail(plan->return_consumed_capacity);
    if (detail == CONSUMED_NONE) return;
    struct consumption consumption;
    consumption_open(&consumption, request->call.arena, plan->write.table);
    consumption.name = input_string(request, plan->input.table_name);
    consumption_add_write(&consumption, &plan->write.cost, 1);
    respond_consumed(request, &consumption, detail);
}

static void respond_metrics(struct request *request, const struct single_write *plan)
{
    struct slice wanted = input_string(request, plan->return_item_collection_metrics);
    if (!slice_equal_string(wanted, "SIZE") || !plan->write.table->has_local_indexes) return;
    respond_member(request, "ItemCollectionMetrics");
    respond_collection_metrics(request, &plan->write);
}

enum error_code single_write_render(struct request *request)
{
    const struct single_write *plan = request->plan;
    respond_open(request);
    struct slice attributes = returned_attributes(request, plan);
    if (attributes.length > 0) respond_item(request, "Attributes", attributes);
    respond_cost(request, plan);
    respond_metrics(request, plan);
    respond_close(request);
    return OK;
}
