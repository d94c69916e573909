/* SPDX-License-Identifier: Apache-2.0 */
/* item_check — does a key or an item fit the table's schema; facts/errors.md section 5. */
#include "store/item.h"

static const char no_match[] = "The provided key element does not match the schema";

static enum error_code check_key_sizes(struct call *call, const struct key_schema *key,
                                       struct slice item)
{
    size_t partition_bytes = 0;
    size_t sort_bytes = 0;
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        struct value value = item_attribute(item, key->attributes[i].name);
        *(i < key->partition_count ? &partition_bytes : &sort_bytes) += value.data.length;
    }
    if (partition_bytes > LIMIT_PARTITION_KEY_BYTES) {
        return fail(
            call, ERROR_VALIDATION,
            "One or more parameter values were invalid: Size of hashkey has exceeded the maximum "
            "size limit of%d bytes",
            LIMIT_PARTITION_KEY_BYTES);
    }
    if (sort_bytes > LIMIT_SORT_KEY_BYTES) {
        return fail(
            call, ERROR_VALIDATION,
            "One or more parameter values were invalid: Aggregated size of all range keys has "
            "exceeded the size limit of %d bytes",
            LIMIT_SORT_KEY_BYTES);
    }
    return OK;
}

static const char *empty_word(enum value_type type)
{
    return type == VALUE_STRING ? "string" : "binary";
}

static enum error_code check_not_empty(struct call *call, const struct key_attribute *attribute,
                                       struct value value)
{
    if (value.data.length > 0) return OK;
    return fail(
        call, ERROR_VALIDATION,
        "One or more parameter values are not valid. The AttributeValue for a key attribute "
        "cannot contain an empty %s value. Key: %.*s",
        empty_word(value.type), SLICE_ARGS(attribute->name));
}

/* A key attribute that is there and of its type. */
static enum error_code check_present(struct call *call, const struct key_attribute *attribute,
                                     struct value value, enum key_role role)
{
    if (value.type == attribute->type) return OK;
    if (role == KEY_OF_READ) return fail(call, ERROR_VALIDATION, no_match);
    if (value.type == VALUE_ABSENT) {
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Missing the key %.*s in the item",
                    SLICE_ARGS(attribute->name));
    }
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values were invalid: Type mismatch for key %.*s expected: "
                "%s actual: %s",
                SLICE_ARGS(attribute->name), value_type_name(attribute->type),
                value_type_name(value.type));
}

static enum error_code check_table_key(struct call *call, const struct key_schema *key,
                                       struct slice item, enum key_role role)
{
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        struct value value = item_attribute(item, key->attributes[i].name);
        TRY(check_present(call, &key->attributes[i], value, role));
    }
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        struct value value = item_attribute(item, key->attributes[i].name);
        TRY(check_not_empty(call, &key->attributes[i], value));
    }
    return check_key_sizes(call, key, item);
}

enum error_code key_check(struct call *call, const struct table *table, struct slice key)
{
    if (value_read(key).count != key_schema_count(&table->key))
        return fail(call, ERROR_VALIDATION, no_match);
    return check_table_key(call, &table->key, key, KEY_OF_READ);
}

static enum error_code check_index_attribute(struct call *call, const struct index *index,
                                             const struct key_attribute *attribute,
                                             struct value value)
{
    if (value.type == VALUE_ABSENT) return OK;
    if (value.type != attribute->type) {
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Type mismatch for Index Key %.*s "
                    "Expected: %s Actual: %s IndexName: %.*s",
                    SLICE_ARGS(attribute->name), value_type_name(attribute->type),
                    value_type_name(value.type), SLICE_ARGS(index->name));
    }
    if (value.data.length > 0) return OK;
    return fail(
        call, ERROR_VALIDATION,
        "One or more parameter values are not valid. A value specified for a secondary index key "
        "is not supported. The AttributeValue for a key attribute cannot contain an empty %s "
        "value. IndexName: %.*s, IndexKey: %.*s",
        empty_word(value.type), SLICE_ARGS(index->name), SLICE_ARGS(attribute->name));
}

static enum error_code check_index_key(struct call *call, const struct index *index,
                                       struct slice item)
{
    for (unsigned i = 0; i < key_schema_count(&index->key); i++) {
        const struct key_attribute *attribute = &index->key.attributes[i];
        struct value value = item_attribute(item, attribute->name);
        TRY(check_index_attribute(call, index, attribute, value));
    }
    return check_key_sizes(call, &index->key, item);
}

enum error_code item_check(struct call *call, const struct table *table, struct slice item,
                           enum key_role role)
{
    TRY(check_table_key(call, &table->key, item, role));
    for (size_t i = 0; i < table->index_count; i++)
        TRY(check_index_key(call, &table->indexes[i], item));
    return OK;
}

struct slice item_key(struct arena *arena, const struct table *table, const struct index *index,
                      struct slice item)
{
    struct attribute attributes[3 * LIMIT_INDEX_KEY_ATTRIBUTES];
    size_t count = 0;
    const struct key_schema *keys[2] = {&table->key, index == NULL ? NULL : &index->key};
    for (int k = 0; k < 2 && keys[k] != NULL; k++) {
        for (unsigned i = 0; i < key_schema_count(keys[k]); i++) {
            struct slice name = keys[k]->attributes[i].name;
            struct value value = item_attribute(item, name);
            if (value.type == VALUE_ABSENT) continue;
            if (k == 1 && key_schema_find(&table->key, name) >= 0) continue;
            attributes[count++] = (struct attribute){name, value.encoded};
        }
    }
    return item_build(arena, attributes, count);
}
