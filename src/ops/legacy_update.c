/* SPDX-License-Identifier: Apache-2.0 */
/* legacy_update — from AttributeUpdates to the actions of an update. */
#include "ops/legacy_update.h"

#include "model/value_json.h"

#define INVALID "One or more parameter values were invalid: "

/* ---- actions --------------------------------------------------------------------------------- */

static enum error_code read_value(struct call *call, const struct json_token *token,
                                  struct value *value)
{
    if (token == NULL) return OK;
    struct buffer out = buffer_open(call->arena, 0);
    TRY(value_from_json(call, token, 1, &out));
    *value = value_read(buffer_slice(&out));
    return OK;
}

static enum action_kind action_of(struct arena *arena, const struct json_token *token,
                                  bool has_value)
{
    struct slice name = token == NULL ? SLICE("PUT") : json_string(token, arena);
    if (slice_equal_string(name, "ADD")) return ACTION_ADD;
    if (!slice_equal_string(name, "DELETE")) return ACTION_SET;
    return has_value ? ACTION_DELETE : ACTION_REMOVE;
}

static enum error_code check_action(struct call *call, enum action_kind kind, enum value_type type)
{
    if (kind == ACTION_REMOVE) return OK;
    if (type == VALUE_ABSENT) {
        return fail_enveloped(call, INVALID
                              "Only DELETE action is allowed when no attribute value is specified");
    }
    if (kind == ACTION_SET || value_is_set(type)) return OK;
    if (kind == ACTION_DELETE) {
        return fail_enveloped(call,
                              INVALID "DELETE action with value is not supported for the type %s",
                              value_type_name(type));
    }
    if (type == VALUE_NUMBER || type == VALUE_LIST) return OK;
    return fail_enveloped(call, INVALID "ADD action is not supported for the type %s",
                          value_type_name(type));
}

static enum error_code read_action(struct call *call, const struct legacy_entry *entry,
                                   struct action *action)
{
    struct value value = {0};
    TRY(read_value(call, input_member(entry->value, "Value"), &value));
    action->kind =
        action_of(call->arena, input_member(entry->value, "Action"), value.type != VALUE_ABSENT);
    TRY(check_action(call, action->kind, value.type));

    struct path_step *step = arena_new(call->arena, struct path_step);
    step->name = entry->name;
    action->path = (struct path){step, 1};
    if (action->kind == ACTION_REMOVE) return OK;
    struct node *operand = arena_new(call->arena, struct node);
    *operand = (struct node){.kind = NODE_VALUE, .value = value};
    action->operand = operand;
    return OK;
}

enum error_code legacy_update_read(struct call *call, const struct json_token *updates,
                                   const struct update **update)
{
    if (updates == NULL || updates->length == 0) return OK;
    struct legacy_entry *entries;
    const size_t count = legacy_entries(call->arena, updates, &entries);
    struct action *actions = arena_array(call->arena, struct action, count);
    struct path *paths = arena_array(call->arena, struct path, count);
    for (size_t i = 0; i < count; i++) {
        TRY(read_action(call, &entries[i], &actions[i]));
        paths[i] = actions[i].path;
    }
    struct update *made = arena_new(call->arena, struct update);
    *made = (struct update){
        .actions = actions,
        .count = count,
        .touched = projection_new(call->arena, paths, count),
        .legacy = true,
    };
    *update = made;
    return OK;
}

/* ---- keys of indexes ------------------------------------------------------------------------- */

static enum error_code check_index(struct call *call, const struct index *index,
                                   const struct action *action)
{
    const int at = key_schema_find(&index->key, action->path.steps[0].name);
    if (at < 0) return OK;
    const struct key_attribute *attribute = &index->key.attributes[at];
    const enum value_type type = action->operand->value.type;
    if (type == attribute->type) return OK;
    return fail(call, ERROR_VALIDATION,
                INVALID "Type mismatch for Index Key %.*s Expected: %s Actual: %s IndexName: %.*s",
                SLICE_ARGS(attribute->name), value_type_name(attribute->type),
                value_type_name(type), SLICE_ARGS(index->name));
}

enum error_code legacy_update_check(struct call *call, const struct table *table,
                                    const struct update *update)
{
    if (update == NULL || !update->legacy) return OK;
    for (size_t i = 0; i < update->count; i++) {
        if (update->actions[i].kind == ACTION_REMOVE) continue;
        for (size_t at = 0; at < table->index_count; at++)
            TRY(check_index(call, &table->indexes[at], &update->actions[i]));
    }
    return OK;
}
