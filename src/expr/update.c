/* SPDX-License-Identifier: Apache-2.0 */
/*
 * update — applying updates to encoded items.
 *
 * First every action's new value is computed on the old item, in the order of the actions, so that
 * the first of several errors is the one that is told. Then the item is written once, from the old
 * bytes and the changes sorted by path: what no change touches is copied in runs, and only
 * containers on the way to a change are taken apart.
 */
#include "expr/node.h"

#include "model/limits.h"
#include <stdlib.h>

/* What the size check of UpdateItem adds to the item (facts measured at the service). */
enum {
    OVERHEAD_UPDATE = 3,
    OVERHEAD_WRITE = 19,      /* each SET and ADD */
    OVERHEAD_CLEAR = 2,       /* each REMOVE and DELETE */
    OVERHEAD_INDEX = 1,       /* and assigning through a list index */
    OVERHEAD_ARITHMETIC = 50, /* and a SET of a + b or a - b */
};

enum { SORT_BY_INSERTION_MAX = 16 };

struct change {
    const struct path *path;
    struct slice value; /* encoded; empty: the element goes */
};

/* Changes that agree on all steps before depth. */
struct changes {
    const struct change *first;
    size_t count;
    size_t depth;
};

static enum error_code compute(struct call *call, const struct update *update,
                               struct slice old_item, struct slice base, struct change *changes);
static void sort_changes(struct change *changes, size_t count);
static void write_container(struct buffer *out, struct value old, struct changes changes);

/* Such an update makes no item: there is nothing to keep, and nothing to take away. */
static bool only_takes_away(const struct update *update)
{
    for (size_t i = 0; i < update->count; i++) {
        const enum action_kind kind = update->actions[i].kind;
        if (kind != ACTION_REMOVE && kind != ACTION_DELETE) return false;
    }
    return true;
}

enum error_code update_apply(struct call *call, const struct update *update, struct slice old_item,
                             struct slice key, struct slice *new_item)
{
    const struct slice base = old_item.length > 0 ? old_item : key;
    CHECK(base.length > 0);
    struct change *changes = arena_array(call->arena, struct change, update->count);
    TRY(compute(call, update, old_item, base, changes));
    if (old_item.length == 0 && only_takes_away(update)) {
        *new_item = (struct slice){0};
        return OK;
    }
    size_t bytes = base.length;
    for (size_t i = 0; i < update->count; i++)
        bytes += changes[i].value.length;
    sort_changes(changes, update->count);
    enum { NAMES_GUESS = 128 };
    struct buffer out = buffer_open(call->arena, bytes + NAMES_GUESS);
    write_container(&out, value_read(base), (struct changes){changes, update->count, 0});
    *new_item = buffer_slice(&out);
    return OK;
}

static bool has_index(const struct path *path)
{
    for (size_t i = 0; i < path->count; i++) {
        if (path->steps[i].name.data == NULL) return true;
    }
    return false;
}

size_t update_overhead(const struct update *update)
{
    size_t bytes = OVERHEAD_UPDATE;
    for (size_t i = 0; i < update->count; i++) {
        const struct action *action = &update->actions[i];
        const bool writes = action->kind == ACTION_SET || action->kind == ACTION_ADD;
        bytes += writes ? OVERHEAD_WRITE : OVERHEAD_CLEAR;
        if (action->kind != ACTION_SET) continue;
        if (has_index(&action->path)) bytes += OVERHEAD_INDEX;
        const enum node_kind kind = action->operand->kind;
        if (kind == NODE_PLUS || kind == NODE_MINUS) bytes += OVERHEAD_ARITHMETIC;
    }
    return bytes;
}

/* ---- operands -------------------------------------------------------------------------------- */

static enum error_code fail_operand(struct call *call)
{
    return fail(call, ERROR_VALIDATION,
                "An operand in the update expression has an incorrect data type");
}

static enum error_code fail_number(struct call *call, enum number_status status)
{
    switch (status) {
    case NUMBER_OVERFLOW:
        return fail(call, ERROR_VALIDATION,
                    "Number overflow. Attempting to store a number with magnitude larger than "
                    "supported range");
    case NUMBER_UNDERFLOW:
        return fail(call, ERROR_VALIDATION,
                    "Number underflow. Attempting to store a number with magnitude smaller than "
                    "supported range");
    case NUMBER_PRECISION:
        return fail(call, ERROR_VALIDATION,
                    "Attempting to store more than 38 significant digits in a Number");
    case NUMBER_OK:
    case NUMBER_MALFORMED:
        break;
    }
    check_failed("a sum has a reason to fail", __FILE__, __LINE__);
}

static enum error_code evaluate(struct call *call, const struct node *node, struct slice item,
                                struct value *value);

/* a + b, or a - b. */
static enum error_code calculate(struct call *call, enum node_kind kind, const struct value *a,
                                 const struct value *b, struct value *result)
{
    if (a->type != VALUE_NUMBER || b->type != VALUE_NUMBER) return fail_operand(call);
    struct number number;
    const enum number_status status = kind == NODE_PLUS
                                          ? number_add(a->data, b->data, &number)
                                          : number_subtract(a->data, b->data, &number);
    if (status != NUMBER_OK) return fail_number(call, status);
    *result = value_scalar(call->arena, VALUE_NUMBER, number_slice(&number));
    return OK;
}

static enum error_code append(struct call *call, const struct value *a, const struct value *b,
                              struct value *result)
{
    if (a->type != VALUE_LIST || b->type != VALUE_LIST) return fail_operand(call);
    struct buffer out = buffer_open(call->arena, a->encoded.length + b->encoded.length);
    const size_t mark = value_begin(&out, VALUE_LIST);
    buffer_append(&out, a->data);
    buffer_append(&out, b->data);
    value_end(&out, mark, a->count + b->count);
    *result = value_read(buffer_slice(&out));
    return OK;
}

static enum error_code evaluate_pair(struct call *call, const struct node *node, struct slice item,
                                     struct value *value)
{
    struct value left;
    struct value right;
    TRY(evaluate(call, node->left, item, &left));
    TRY(evaluate(call, node->right, item, &right));
    if (node->kind == NODE_LIST_APPEND) return append(call, &left, &right, value);
    return calculate(call, node->kind, &left, &right, value);
}

static enum error_code evaluate(struct call *call, const struct node *node, struct slice item,
                                struct value *value)
{
    switch (node->kind) {
    case NODE_VALUE:
        *value = node->value;
        return OK;
    case NODE_PATH:
        *value = path_find(&node->path, item);
        if (value->type != VALUE_ABSENT) return OK;
        return fail(call, ERROR_VALIDATION,
                    "The provided expression refers to an attribute that does not exist in the "
                    "item");
    case NODE_IF_NOT_EXISTS:
        *value = path_find(&node->left->path, item);
        if (value->type != VALUE_ABSENT) return OK;
        return evaluate(call, node->right, item, value);
    case NODE_PLUS:
    case NODE_MINUS:
    case NODE_LIST_APPEND:
        return evaluate_pair(call, node, item, value);
    default:
        check_failed("the node is an operand of an update", __FILE__, __LINE__);
    }
}

/* ---- sets ------------------------------------------------------------------------------------ */

/* Walks two sets in step; a side that has ended has an absent value. */
struct set_pair {
    struct value sets[2];
    struct value_walk walks[2];
    struct value members[2];
};

static void next_member(struct set_pair *pair, size_t side)
{
    if (!value_next(pair->sets[side], &pair->walks[side], NULL, &pair->members[side])) {
        pair->members[side] = (struct value){0};
    }
}

/* < 0: the left side's member comes next; 0: both; > 0: the right side's. */
static int compare_members(const struct set_pair *pair)
{
    if (pair->members[0].type == VALUE_ABSENT) return 1;
    if (pair->members[1].type == VALUE_ABSENT) return -1;
    return value_compare(pair->members[0], pair->members[1]);
}

/* The union of two sets, or what is in the first only. Empty when no member is left. */
static struct slice merge_sets(struct arena *arena, const struct value *left,
                               const struct value *right, bool keep_right)
{
    struct set_pair pair = {.sets = {*left, *right}};
    next_member(&pair, 0);
    next_member(&pair, 1);
    struct buffer out = buffer_open(arena, left->encoded.length + right->encoded.length);
    const size_t mark = value_begin(&out, left->type);
    uint32_t count = 0;
    while (pair.members[0].type != VALUE_ABSENT || pair.members[1].type != VALUE_ABSENT) {
        const int order = compare_members(&pair);
        if (keep_right || order < 0) {
            value_write_member(&out, pair.members[order > 0].data);
            count++;
        }
        if (order <= 0) next_member(&pair, 0);
        if (order >= 0) next_member(&pair, 1);
    }
    if (count == 0) return (struct slice){0};
    value_end(&out, mark, count);
    return buffer_slice(&out);
}

/* ---- changes --------------------------------------------------------------------------------- */

/* What stands at the path; fails when there is no container for its last step. */
static enum error_code find_target(struct call *call, const struct path *path, struct slice base,
                                   struct value *target)
{
    struct value parent = value_read(base);
    if (path->count > 1) {
        parent = path_find(&(struct path){path->steps, path->count - 1}, base);
    }
    const struct path_step *last = &path->steps[path->count - 1];
    if (last->name.data != NULL && parent.type == VALUE_MAP) {
        *target = value_member(parent, last->name);
        return OK;
    }
    if (last->name.data == NULL && parent.type == VALUE_LIST) {
        *target = value_element(parent, last->index);
        return OK;
    }
    return fail(call, ERROR_VALIDATION,
                "The document path provided in the update expression is invalid for update");
}

static enum error_code add(struct call *call, const struct value *old, const struct value *operand,
                           struct slice *result)
{
    if (old->type == VALUE_ABSENT) {
        *result = operand->encoded;
        return OK;
    }
    if (operand->type == VALUE_NUMBER || operand->type == VALUE_LIST) {
        struct value sum;
        if (operand->type == VALUE_NUMBER) {
            TRY(calculate(call, NODE_PLUS, old, operand, &sum));
        } else {
            TRY(append(call, old, operand, &sum)); /* AttributeUpdates can, expressions cannot */
        }
        *result = sum.encoded;
        return OK;
    }
    CHECK(value_is_set(operand->type));
    *result = merge_sets(call->arena, old, operand, true);
    return OK;
}

static struct slice subtract(struct arena *arena, const struct value *old,
                             const struct value *operand)
{
    if (old->type == VALUE_ABSENT) return (struct slice){0};
    CHECK(value_is_set(operand->type));
    return merge_sets(arena, old, operand, false);
}

/* ADD and DELETE want what stands there to be of their operand's type. */
static enum error_code check_type(struct call *call, const struct update *update,
                                  const struct action *action, const struct value *old)
{
    if (old->type == VALUE_ABSENT || old->type == action->operand->value.type) return OK;
    if (!update->legacy) return fail_operand(call);
    return fail(call, ERROR_VALIDATION, "Type mismatch for attribute to update");
}

/* How many levels of values stand below this one; an empty container has none, unlike value_depth.
 */
static unsigned levels_below(struct value value)
{
    if (value.type != VALUE_LIST && value.type != VALUE_MAP) return 0;
    struct value_walk walk = {0};
    struct value element;
    unsigned deepest = 0;
    while (value_next(value, &walk, NULL, &element)) {
        const unsigned depth = 1 + levels_below(element);
        if (depth > deepest) deepest = depth;
    }
    return deepest;
}

/* No value stands deeper than LIMIT_NESTING_LEVELS; a top-level attribute stands at 1. */
static enum error_code check_depth(struct call *call, const struct path *path, struct slice value)
{
    if (path->count + levels_below(value_read(value)) <= LIMIT_NESTING_LEVELS) return OK;
    return fail(call, ERROR_VALIDATION, "Nesting Levels have exceeded supported limits");
}

/* Finds where the action goes, and what ADD and DELETE make of what stands there. */
static enum error_code apply_action(struct call *call, const struct update *update,
                                    const struct action *action, struct slice base,
                                    struct change *change)
{
    struct value target;
    TRY(find_target(call, &action->path, base, &target));
    if (action->kind == ACTION_ADD) {
        TRY(check_type(call, update, action, &target));
        TRY(add(call, &target, &action->operand->value, &change->value));
    } else if (action->kind == ACTION_DELETE) {
        TRY(check_type(call, update, action, &target));
        change->value = subtract(call->arena, &target, &action->operand->value);
    }
    return change->value.length == 0 ? OK : check_depth(call, change->path, change->value);
}

/* All operands first: the service looks at them before it looks at the paths. */
static enum error_code compute(struct call *call, const struct update *update,
                               struct slice old_item, struct slice base, struct change *changes)
{
    for (size_t i = 0; i < update->count; i++) {
        const struct action *action = &update->actions[i];
        changes[i] = (struct change){.path = &action->path};
        if (action->kind != ACTION_SET) continue;
        struct value value;
        TRY(evaluate(call, action->operand, old_item, &value));
        changes[i].value = value.encoded;
    }
    for (size_t i = 0; i < update->count; i++) {
        TRY(apply_action(call, update, &update->actions[i], base, &changes[i]));
    }
    return OK;
}

/* Names before indexes: which of them a container wants, find_target has seen to. */
static int compare_steps(const struct path_step *a, const struct path_step *b)
{
    if (a->name.data != NULL && b->name.data != NULL) return slice_compare(a->name, b->name);
    if (a->name.data != b->name.data) return a->name.data == NULL ? 1 : -1;
    return (a->index > b->index) - (a->index < b->index);
}

static int compare_changes(const void *a, const void *b)
{
    const struct path *left = ((const struct change *)a)->path;
    const struct path *right = ((const struct change *)b)->path;
    for (size_t i = 0; i < left->count && i < right->count; i++) {
        const int order = compare_steps(&left->steps[i], &right->steps[i]);
        if (order != 0) return order;
    }
    return (left->count > right->count) - (left->count < right->count);
}

static void sort_changes(struct change *changes, size_t count)
{
    if (count > SORT_BY_INSERTION_MAX) {
        qsort(changes, count, sizeof changes[0], compare_changes);
        return;
    }
    for (size_t i = 1; i < count; i++) {
        const struct change moving = changes[i];
        size_t at = i;
        for (; at > 0 && compare_changes(&changes[at - 1], &moving) > 0; at--) {
            changes[at] = changes[at - 1];
        }
        changes[at] = moving;
    }
}

/* ---- writing --------------------------------------------------------------------------------- */

static const struct path_step *step_of(const struct changes *changes)
{
    return &changes->first->path->steps[changes->depth];
}

/* Splits off the changes that share the first one's step. */
static struct changes take_group(struct changes *changes)
{
    const struct path_step *step = step_of(changes);
    size_t count = 1;
    while (count < changes->count &&
           compare_steps(step, &changes->first[count].path->steps[changes->depth]) == 0) {
        count++;
    }
    const struct changes group = {changes->first, count, changes->depth};
    changes->first += count;
    changes->count -= count;
    return group;
}

/* True when the group is one change of the element itself, not of something inside. */
static bool is_leaf(const struct changes *group)
{
    return group->first->path->count == group->depth + 1;
}

/* Writes the changed element; old is what stood there. It exists unless the group is a leaf. */
static void write_changed(struct buffer *out, struct value old, const struct changes *group)
{
    if (is_leaf(group)) {
        CHECK(group->count == 1); /* overlapping paths are refused before */
        value_write_encoded(out, group->first->value);
    } else {
        CHECK(old.type != VALUE_ABSENT);
        write_container(out, old, (struct changes){group->first, group->count, group->depth + 1});
    }
}

static bool is_removal(const struct changes *group)
{
    return is_leaf(group) && group->first->value.length == 0;
}

/* An element that was not there: an attribute or a list element at the end. */
static uint32_t write_new(struct buffer *out, const struct changes *group)
{
    if (is_removal(group)) return 0;
    const struct path_step *step = step_of(group);
    if (step->name.data != NULL) value_write_name(out, step->name);
    write_changed(out, (struct value){0}, group);
    return 1;
}

/* Where the walk over a container has come to. */
struct run {
    struct value container;
    size_t copied; /* elements before this offset are in the output, or gone */
};

static void copy_run(struct buffer *out, struct run *run, size_t from, size_t to)
{
    buffer_append(out, slice_of(run->container.data.data + run->copied, from - run->copied));
    run->copied = to;
}

static uint32_t write_map(struct buffer *out, struct value map, struct changes changes)
{
    struct run run = {map, 0};
    struct value_walk walk = {0};
    struct slice name;
    struct value value;
    uint32_t count = map.count;
    size_t start = 0;
    while (changes.count > 0 && value_next(map, &walk, &name, &value)) {
        while (changes.count > 0) {
            const int order = slice_compare(name, step_of(&changes)->name);
            if (order < 0) break;
            const struct changes group = take_group(&changes);
            copy_run(out, &run, start, order == 0 ? walk.offset : start);
            if (order > 0) {
                count += write_new(out, &group);
            } else if (is_removal(&group)) {
                count--;
            } else {
                value_write_name(out, name);
                write_changed(out, value, &group);
            }
            if (order == 0) break;
        }
        start = walk.offset;
    }
    copy_run(out, &run, map.data.length, map.data.length);
    while (changes.count > 0) {
        const struct changes group = take_group(&changes);
        count += write_new(out, &group);
    }
    return count;
}

static uint32_t write_list(struct buffer *out, struct value list, struct changes changes)
{
    struct run run = {list, 0};
    struct value_walk walk = {0};
    struct value value;
    uint32_t count = list.count;
    uint32_t index = 0;
    size_t start = 0;
    while (changes.count > 0 && value_next(list, &walk, NULL, &value)) {
        if (step_of(&changes)->index == index) {
            const struct changes group = take_group(&changes);
            copy_run(out, &run, start, walk.offset);
            if (is_removal(&group)) {
                count--;
            } else {
                write_changed(out, value, &group);
            }
        }
        start = walk.offset;
        index++;
    }
    copy_run(out, &run, list.data.length, list.data.length);
    while (changes.count > 0) { /* beyond the end: appended, in order */
        const struct changes group = take_group(&changes);
        count += write_new(out, &group);
    }
    return count;
}

static void write_container(struct buffer *out, struct value old, struct changes changes)
{
    const size_t mark = value_begin(out, old.type);
    const uint32_t count =
        old.type == VALUE_MAP ? write_map(out, old, changes) : write_list(out, old, changes);
    value_end(out, mark, count);
}
