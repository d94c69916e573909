/* SPDX-License-Identifier: Apache-2.0 */
/* table_keys — the rules of keys, each worded as the service words it. */
#include "ops/table_keys.h"

#include <stdlib.h>

#include "ops/java_set.h"

/* ---- definitions ----------------------------------------------------------------------------- */

static const struct key_attribute *find(const struct definitions *definitions, struct slice name)
{
    for (size_t i = 0; i < definitions->count; i++) {
        if (slice_equal(definitions->list[i].name, name)) return &definitions->list[i];
    }
    return NULL;
}

enum error_code table_keys_definitions(struct request *request, const struct json_token *token,
                                       struct definitions *definitions)
{
    *definitions = (struct definitions){0};
    if (token == NULL) return OK;
    struct call *call = &request->call;
    definitions->list = arena_array(call->arena, struct key_attribute, token->length);
    const struct json_token *element = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element)) {
        const struct slice name = input_string(request, input_member(element, "AttributeName"));
        const struct slice type = input_string(request, input_member(element, "AttributeType"));
        if (find(definitions, name) != NULL) {
            return fail(call, ERROR_VALIDATION, "Attribute Name is duplicated: %.*s",
                        SLICE_ARGS(name));
        }
        definitions->list[definitions->count++] =
            (struct key_attribute){.name = name, .type = value_type_of_name(type)};
    }
    return OK;
}

static int compare_attributes(const void *a, const void *b)
{
    return slice_compare(((const struct key_attribute *)a)->name,
                         ((const struct key_attribute *)b)->name);
}

struct definitions table_keys_sorted(struct arena *arena, const struct definitions *definitions)
{
    struct definitions sorted = {
        .list = arena_array(arena, struct key_attribute, definitions->count),
        .count = definitions->count,
    };
    if (sorted.count == 0) return sorted;
    memcpy(sorted.list, definitions->list, sorted.count * sizeof *sorted.list);
    qsort(sorted.list, sorted.count, sizeof *sorted.list, compare_attributes);
    return sorted;
}

/* ---- one key --------------------------------------------------------------------------------- */

/* A KeySchema as given: the shape bounds that of a table, but not that of a global index. */
struct elements {
    struct slice *names;
    bool *is_partition;
    uint32_t count;
};

static struct elements read_elements(struct request *request, const struct json_token *token)
{
    struct arena *arena = request->call.arena;
    struct elements elements = {
        .names = arena_array(arena, struct slice, token->length),
        .is_partition = arena_array(arena, bool, token->length),
        .count = token->length,
    };
    const struct json_token *element = json_first(token);
    for (uint32_t i = 0; i < token->length; i++, element = json_next(element)) {
        elements.names[i] = input_string(request, input_member(element, "AttributeName"));
        const struct slice type = input_string(request, input_member(element, "KeyType"));
        elements.is_partition[i] = slice_equal(type, SLICE("HASH"));
    }
    return elements;
}

static struct slice print_elements(struct arena *arena, const struct elements *elements)
{
    struct buffer out = buffer_open(arena, 0);
    for (uint32_t i = 0; i < elements->count; i++) {
        if (i > 0) BUFFER_TEXT(&out, ", ");
        buffer_append(&out, elements->names[i]);
    }
    return buffer_slice(&out);
}

static struct slice print_definitions(struct arena *arena, const struct definitions *definitions)
{
    struct slice *names = arena_array(arena, struct slice, definitions->count);
    for (size_t i = 0; i < definitions->count; i++)
        names[i] = definitions->list[i].name;
    struct buffer out = buffer_open(arena, 0);
    java_set_append(&out, names, definitions->count, JAVA_SET_SIZED);
    return buffer_slice(&out);
}

static enum error_code check_defined(struct request *request, const struct elements *elements,
                                     const struct definitions *definitions)
{
    struct call *call = &request->call;
    for (uint32_t i = 0; i < elements->count; i++) {
        if (find(definitions, elements->names[i]) != NULL) continue;
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Some index key attributes are not "
                    "defined in AttributeDefinitions. Keys: [%.*s], AttributeDefinitions: %.*s",
                    SLICE_ARGS(print_elements(call->arena, elements)),
                    SLICE_ARGS(print_definitions(call->arena, definitions)));
    }
    return OK;
}

static bool has_duplicates(const struct elements *elements)
{
    for (uint32_t i = 0; i < elements->count; i++) {
        for (uint32_t j = 0; j < i; j++) {
            if (slice_equal(elements->names[i], elements->names[j])) return true;
        }
    }
    return false;
}

/* The rules of a key of one or two attributes: of a table, a local index, a plain global index. */
static enum error_code check_pair(struct request *request, const struct elements *elements)
{
    struct call *call = &request->call;
    if (has_duplicates(elements)) {
        return fail(
            call, ERROR_VALIDATION,
            "Both the Hash Key and the Range Key element in the KeySchema have the same name");
    }
    if (elements->count == 0 || !elements->is_partition[0]) {
        return fail(call, ERROR_VALIDATION,
                    "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    }
    if (elements->count > 1 && elements->is_partition[1]) {
        return fail(call, ERROR_VALIDATION,
                    "Invalid KeySchema: The second KeySchemaElement is not a RANGE key type");
    }
    return OK;
}

/* The rules of a key of several attributes in a role. */
static enum error_code check_many(struct request *request, const struct elements *elements)
{
    struct call *call = &request->call;
    if (!elements->is_partition[0]) {
        return fail(call, ERROR_VALIDATION,
                    "Invalid KeySchema: The first KeySchemaElement is not a HASH key type");
    }
    if (has_duplicates(elements)) {
        return fail(call, ERROR_VALIDATION,
                    "The KeySchema contains multiple key attributes with the same name");
    }
    uint32_t partitions = 0;
    for (uint32_t i = 0; i < elements->count; i++) {
        if (elements->is_partition[i] && partitions++ < i) {
            return fail(call, ERROR_VALIDATION,
                        "One or more parameter values were invalid: All HASH key attributes must "
                        "precede RANGE key attributes in the KeySchema");
        }
    }
    const bool too_many_partitions = partitions > LIMIT_INDEX_KEY_ATTRIBUTES;
    if (too_many_partitions || elements->count - partitions > LIMIT_INDEX_KEY_ATTRIBUTES) {
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: The KeySchema exceeds the maximum "
                    "allowed number of %s key attributes",
                    too_many_partitions ? "HASH" : "RANGE");
    }
    return OK;
}

static void make_key(const struct elements *elements, const struct definitions *definitions,
                     struct key_schema *key)
{
    *key = (struct key_schema){0};
    for (uint32_t i = 0; i < elements->count; i++) {
        key->attributes[i] = *find(definitions, elements->names[i]);
        if (elements->is_partition[i])
            key->partition_count++;
        else
            key->sort_count++;
    }
}

enum error_code table_keys_of_table(struct request *request, const struct json_token *token,
                                    const struct definitions *definitions, struct key_schema *key)
{
    const struct elements elements = read_elements(request, token);
    if (elements.count > definitions->count) {
        return fail(&request->call, ERROR_VALIDATION,
                    "Invalid KeySchema: Some index key attribute have no definition");
    }
    TRY(check_defined(request, &elements, definitions));
    TRY(check_pair(request, &elements));
    make_key(&elements, definitions, key);
    return OK;
}

enum error_code table_keys_of_index(struct request *request, const struct json_token *token,
                                    enum index_kind kind, const struct definitions *definitions,
                                    struct key_schema *key)
{
    const struct elements elements = read_elements(request, token);
    TRY(check_defined(request, &elements, definitions));
    const bool is_pair = elements.count < 2 || (elements.count == 2 && !elements.is_partition[1]);
    if (kind == INDEX_LOCAL || is_pair)
        TRY(check_pair(request, &elements));
    else
        TRY(check_many(request, &elements));
    make_key(&elements, definitions, key);
    return OK;
}

/* ---- all keys -------------------------------------------------------------------------------- */

/* Names used by keys, each once. */
struct names {
    struct slice *list;
    size_t count;
};

static void use(struct names *used, const struct elements *elements)
{
    for (uint32_t i = 0; i < elements->count; i++) {
        size_t at = 0;
        while (at < used->count && !slice_equal(used->list[at], elements->names[i]))
            at++;
        if (at == used->count) used->list[used->count++] = elements->names[i];
    }
}

static enum error_code use_indexes(struct request *request, const struct json_token *list,
                                   const struct definitions *definitions, struct names *used)
{
    if (list == NULL) return OK;
    const struct json_token *index = json_first(list);
    for (uint32_t i = 0; i < list->length; i++, index = json_next(index)) {
        const struct json_token *token = input_member(index, "KeySchema");
        if (token == NULL) continue;
        const struct elements elements = read_elements(request, token);
        TRY(check_defined(request, &elements, definitions));
        use(used, &elements);
    }
    return OK;
}

enum error_code table_keys_all_used(struct request *request, const struct definitions *definitions,
                                    const struct key_lists *lists)
{
    struct call *call = &request->call;
    const struct elements elements = read_elements(request, lists->table);
    const bool has_indexes = lists->local != NULL || lists->global != NULL;
    if (!has_indexes && elements.count != definitions->count) {
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Number of attributes in KeySchema "
                    "does not exactly match number of attributes defined in AttributeDefinitions");
    }
    struct names used = {.list = arena_array(call->arena, struct slice, definitions->count)};
    use(&used, &elements);
    TRY(use_indexes(request, lists->local, definitions, &used));
    TRY(use_indexes(request, lists->global, definitions, &used));
    if (used.count == definitions->count) return OK;

    struct buffer out = buffer_open(call->arena, 0);
    java_set_append(&out, used.list, used.count, JAVA_SET_GROWING);
    return fail(
        call, ERROR_VALIDATION,
        "One or more parameter values were invalid: Some AttributeDefinitions are not used. "
        "AttributeDefinitions: %.*s, keys used: %.*s",
        SLICE_ARGS(print_definitions(call->arena, definitions)), SLICE_ARGS(buffer_slice(&out)));
}
