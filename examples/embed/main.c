/* SPDX-License-Identifier: Apache-2.0 */
/* embed — a DynamoDB table inside a C program: create it, put an item, read it back. */
#include <stdio.h>
#include <string.h>

#include "stator.h"

static int call(struct stator *db, const char *operation, const char *json)
{
    struct stator_response response;
    int status = stator_call(db, operation, json, strlen(json), &response);
    printf("%-12s %d %s\n", operation, status, response.body);
    stator_response_free(&response);
    return status == 200 ? 0 : 1;
}

int main(void)
{
    struct stator *db;
    if (stator_open(&(struct stator_options){.in_memory = true}, &db, NULL, 0) != STATOR_OK)
        return 1;
    int failed =
        call(db, "CreateTable",
             "{\"TableName\":\"notes\",\"BillingMode\":\"PAY_PER_REQUEST\","
             "\"AttributeDefinitions\":[{\"AttributeName\":\"id\",\"AttributeType\":\"S\"}],"
             "\"KeySchema\":[{\"AttributeName\":\"id\",\"KeyType\":\"HASH\"}]}");
    failed |=
        call(db, "PutItem",
             "{\"TableName\":\"notes\",\"Item\":{\"id\":{\"S\":\"1\"},\"n\":{\"N\":\"42\"}}}");
    failed |= call(db, "GetItem", "{\"TableName\":\"notes\",\"Key\":{\"id\":{\"S\":\"1\"}}}");
    stator_close(db);
    return failed;
}
