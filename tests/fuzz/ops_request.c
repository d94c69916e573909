/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes whole requests: the first byte picks an operation, the rest is its body, run through the
 * library on an in-memory database that holds a small table. Reaches ops, model, expr, store and
 * kv. Whatever comes in, the answer is 200 or 400, never 500: except UpdateTable's, which the
 * service itself answers so when WarmThroughput or OnDemandThroughput is empty.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/check.h"
#include "ops/dispatch.h"
#include "stator.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char table[] =
    "{\"TableName\":\"tab\",\"BillingMode\":\"PAY_PER_REQUEST\",\"AttributeDefinitions\":["
    "{\"AttributeName\":\"p\",\"AttributeType\":\"S\"},{\"AttributeName\":\"s\",\"AttributeType\":"
    "\"N\"},"
    "{\"AttributeName\":\"g\",\"AttributeType\":\"B\"}],"
    "\"KeySchema\":[{\"AttributeName\":\"p\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"s\","
    "\"KeyType\":\"RANGE\"}],"
    "\"LocalSecondaryIndexes\":[{\"IndexName\":\"lsi\",\"KeySchema\":[{\"AttributeName\":\"p\","
    "\"KeyType\":\"HASH\"},"
    "{\"AttributeName\":\"g\",\"KeyType\":\"RANGE\"}],\"Projection\":{\"ProjectionType\":\"KEYS_"
    "ONLY\"}}],"
    "\"GlobalSecondaryIndexes\":[{\"IndexName\":\"gsi\",\"KeySchema\":[{\"AttributeName\":\"g\","
    "\"KeyType\":\"HASH\"}],"
    "\"Projection\":{\"ProjectionType\":\"ALL\"}}]}";

static const char item[] = "{\"TableName\":\"tab\",\"Item\":{\"p\":{\"S\":\"a\"},\"s\":{\"N\":"
                           "\"1\"},\"g\":{\"B\":\"eHl6\"},"
                           "\"l\":{\"L\":[{\"M\":{\"x\":{\"SS\":[\"a\",\"b\"]}}}]}}}";

static int run(struct stator *db, const char *operation, const char *body, size_t length)
{
    struct stator_response response;
    int status = stator_call(db, operation, body, length, &response);
    stator_response_free(&response);
    return status;
}

/* One database for a process's whole run: opening one per input would be all the time there is. */
static struct stator *open_database(void)
{
    struct stator *db = NULL;
    enum stator_status status =
        stator_open(&(struct stator_options){.in_memory = true}, &db, NULL, 0);
    CHECK(status == STATOR_OK);
    return db;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stator *db;
    if (db == NULL) db = open_database();
    if (size == 0) return 0;
    size_t count = 0;
    while (dispatch_operation(count) != NULL)
        count++;
    /* The table may have been deleted by an earlier input; then it comes back. */
    if (run(db, "CreateTable", table, strlen(table)) == 200) run(db, "PutItem", item, strlen(item));
    const struct op *op = dispatch_operation(data[0] % count);
    int status = run(db, op->name, (const char *)data + 1, size - 1);
    CHECK(status == 200 || status == 400 || (status == 500 && op == &op_update_table));
    return 0;
}
