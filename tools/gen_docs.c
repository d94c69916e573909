/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gen_docs — prints the documents that are made from the source: "compatibility" from ops.def and
 * the operations' field tables, "limits" from limits.def, "errors" from errors.def. A test compares
 * them with docs/, so they cannot drift.
 */
#include <stdio.h>
#include <string.h>

#include "model/error.h"
#include "ops/dispatch.h"

static void print_members(const struct shape *shape)
{
    const char *comma = "";
    for (const struct field *field = shape->fields; field->name != NULL; field++) {
        printf("%s%s%s", comma, field->name, field->required ? "*" : "");
        comma = ", ";
    }
}

static void print_operations(void)
{
    printf("## Operations\n\n`*` marks members that the service model requires.\n\n"
           "| operation | request members |\n|---|---|\n");
    for (size_t i = 0; dispatch_operation(i) != NULL; i++) {
        printf("| %s | ", dispatch_operation(i)->name);
        print_members(dispatch_operation(i)->input);
        printf(" |\n");
    }
    printf(
        "\n## Not built\n\n"
        "These operations answer `UnknownOperationException` and a message that names them:\n\n");
#define OP(id)
#define OP_ABSENT(name) printf("- %s\n", name);
#include "ops/ops.def"
}

static const char compatibility_head[] =
    "# Compatibility\n\n"
    "What Stator answers of DynamoDB's API. The lists are made from the source by "
    "`tools/gen_docs.c`;\n"
    "the remarks are kept there too.\n\n"
    "## Where Stator differs on purpose\n\n"
    "- Reads are always strongly consistent; an eventually consistent read is charged as one.\n"
    "- Global secondary indexes never lag: an entry is written in the transaction of its item.\n"
    "- A page of Query or Scan, and a BatchGetItem, shows one moment, also of many items.\n"
    "- Transactions never conflict: writes run one after the other.\n"
    "- A test can have all three, and throttling, as the service has them, and move the clock: "
    "see\n"
    "  [testing-your-app.md](testing-your-app.md).\n"
    "- Items are deleted within a second of their time to live, not within days. A fraction of a\n"
    "  second in the attribute counts. ENABLING takes as long as indexing the items that are "
    "there.\n"
    "- Time to live can be changed every 30 minutes, as measured; the documentation says an hour.\n"
    "- Changes of tags and of resource policies are visible at once; there is no moment in which\n"
    "  they are being updated. The pause of 15 seconds between two changes of a policy is kept.\n"
    "- `ListTagsOfResource` has one page: a table has no more than 50 tags.\n"
    "- A new table is ACTIVE, and a deleted one gone, by the next request (`stator serve` runs "
    "with no delay).\n"
    "- `ItemCount`, `TableSizeBytes` and index sizes are exact and current.\n"
    "- While an index is being filled, its description in DescribeTable has one member more, "
    "`StatorProgress`:\n"
    "  `ItemsDone` and `ItemsTotal`, and, once known, `ItemsPerSecond` and `SecondsLeft`. "
    "DescribeTimeToLive has it\n"
    "  while enabling, or deleting what has expired, takes longer than a second. SDKs leave "
    "unknown members aside.\n"
    "- Requests must carry a well-formed AWS signature; any access key and secret are let in.\n"
    "- Provisioned throughput is stored and described; nothing is throttled.\n"
    "- Features of this list that are stored and described but have no effect yet: "
    "server-side\n"
    "  encryption, table class, resource policies, warm and on-demand throughput.\n"
    "- A new stream has one open shard. It is succeeded after four hours or 1 GiB of changes, "
    "unless "
    "it is\n"
    "  empty; `--stream-shards`, `--stream-shard-seconds` and `--stream-shard-bytes` change that. "
    "Changes are\n"
    "  in the stream when the write is answered, and past their day exactly after 24 hours.\n"
    "- A shard whose parent is past its day has no `ParentShardId`.\n"
    "- The throughput limits of DynamoDB Streams (readers per shard, calls per second) are not "
    "enforced.\n"
    "- KeyConditions hold one or two conditions; an index with more key attributes is queried with "
    "a\n"
    "  KeyConditionExpression.\n"
    "- PartiQL: what follows \"Statement wasn't well formed, can't be processed:\" is Stator's own "
    "wording, but\n"
    "  for \"Expected data manipulation\" and \"Unexpected token after expression\". Reserved "
    "words "
    "are taken as\n"
    "  names where the grammar leaves no doubt. Without ORDER BY, a SELECT of several partitions "
    "returns them in\n"
    "  the order of their keys.\n\n";

static void print_limits(void)
{
    printf("# Limits\n\nMade from `src/model/limits.def` by `tools/gen_docs.c`.\n\n"
           "| name | value | unit | source |\n|---|--:|---|---|\n");
#define LIMIT(name, value, unit, source) \
    printf("| %s | %lld | %s | %s |\n", #name, (long long)(value), unit, source);
#include "model/limits.def"
#undef LIMIT
}

static void print_errors(void)
{
    printf("# Errors\n\nMade from `src/model/errors.def` by `tools/gen_docs.c`.\n\n"
           "| `__type` | HTTP status | message member |\n|---|--:|---|\n");
    for (enum error_code code = OK + 1; code < ERROR_STALE; code++) {
        const struct error_kind *kind = error_kind(code);
        printf("| %s | %d | %s |\n", kind->type, kind->http_status, kind->message_member);
    }
}

int main(int argument_count, char **arguments)
{
    const char *document = argument_count == 2 ? arguments[1] : "";
    if (strcmp(document, "compatibility") == 0) {
        fputs(compatibility_head, stdout);
        print_operations();
    } else if (strcmp(document, "limits") == 0) {
        print_limits();
    } else if (strcmp(document, "errors") == 0) {
        print_errors();
    } else {
        fprintf(stderr, "usage: gen_docs compatibility|limits|errors\n");
        return 2;
    }
    return 0;
}
