/* SPDX-License-Identifier: Apache-2.0 */
/* account — DescribeLimits and DescribeEndpoints: what is the same for every table. */
#include "model/limits.h"
#include "ops/op.h"

enum { ENDPOINT_CACHE_MINUTES = 1440 }; /* the service's own figure */

static const struct field no_fields[] = {{NULL, NULL, false}};
static const struct shape limits_shape = {
    .kind = SHAPE_STRUCT, .name = "DescribeLimitsInput", .fields = no_fields};
static const struct shape endpoints_shape = {
    .kind = SHAPE_STRUCT, .name = "DescribeEndpointsRequest", .fields = no_fields};

static enum error_code plan_limits(struct request *request)
{
    buffer_append_format(&request->response,
                         "{\"AccountMaxReadCapacityUnits\":%d,\"AccountMaxWriteCapacityUnits\":%d,"
                         "\"TableMaxReadCapacityUnits\":%d,\"TableMaxWriteCapacityUnits\":%d}",
                         LIMIT_ACCOUNT_THROUGHPUT, LIMIT_ACCOUNT_THROUGHPUT, LIMIT_TABLE_THROUGHPUT,
                         LIMIT_TABLE_THROUGHPUT);
    return OK;
}

/* A client that asks where to go stays where it is; in-process there is no such place to name. */
static enum error_code plan_endpoints(struct request *request)
{
    struct slice address = request->host;
    if (address.length == 0) {
        address = arena_format(request->call.arena, "dynamodb.%.*s.amazonaws.com",
                               SLICE_ARGS(request->database->region));
    }
    struct buffer *out = &request->response;
    BUFFER_TEXT(out, "{\"Endpoints\":[{\"Address\":");
    json_append_string(out, address);
    buffer_append_format(out, ",\"CachePeriodInMinutes\":%d}]}", ENDPOINT_CACHE_MINUTES);
    return OK;
}

const struct op op_describe_limits = {
    .name = "DescribeLimits",
    .kind = OP_LOCAL,
    .input = &limits_shape,
    .plan = plan_limits,
};

const struct op op_describe_endpoints = {
    .name = "DescribeEndpoints",
    .kind = OP_LOCAL,
    .input = &endpoints_shape,
    .plan = plan_endpoints,
};
