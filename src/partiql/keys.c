/* SPDX-License-Identifier: Apache-2.0 */
/* keys — multiplies a WHERE clause out over its key conditions. */
#include "partiql/keys.h"

#include "model/limits.h"

/* One alternative: key conditions and filters, the newest first. */
struct conjunct {
    const struct node *node;
    bool is_key;
    const struct conjunct *next;
};

struct alternatives {
    const struct conjunct **list;
    size_t count;
};

struct splitting {
    struct call *call;
    const struct key_schema *schema;
    bool overflows; /* more alternatives than are read one by one */
};

static enum error_code spread(struct splitting *s, const struct node *node,
                              struct alternatives *out);
static void make_branch(struct splitting *s, const struct conjunct *conjunct,
                        struct keys_branch *branch);
static enum error_code check_overlaps(struct call *call, const struct keys *keys);
static bool pins_partition(const struct splitting *s, const struct node *node);

static bool names_its_partition(const struct keys *keys, const struct keys_branch *branch)
{
    if (branch->torn) return false;
    for (unsigned i = 0; i < keys->schema->partition_count; i++) {
        if (branch->partition[i].type == VALUE_ABSENT) return false;
    }
    return true;
}

enum error_code keys_split(struct call *call, const struct node *where,
                           const struct key_schema *schema, struct keys *keys)
{
    struct splitting s = {.call = call, .schema = schema};
    struct alternatives alternatives;
    *keys = (struct keys){.schema = schema};
    if (where == NULL) return OK;
    TRY(spread(&s, where, &alternatives));
    if (s.overflows) {
        if (!pins_partition(&s, where)) return OK;
        return fail(call, ERROR_VALIDATION,
                    "Too many decomposed read operations for a given query.");
    }
    keys->branches = arena_array(call->arena, struct keys_branch, alternatives.count);
    keys->count = alternatives.count;
    keys->keyed = true;
    for (size_t i = 0; i < keys->count; i++) {
        make_branch(&s, alternatives.list[i], &keys->branches[i]);
        if (!names_its_partition(keys, &keys->branches[i])) keys->keyed = false;
    }
    return keys->keyed ? check_overlaps(call, keys) : OK;
}

/* ---- key conditions -------------------------------------------------------------------------- */

/* The path that a condition is about, when it is one attribute. */
static const struct slice *subject(const struct node *node)
{
    const struct node *operand = node->left;
    if (node->kind == NODE_BETWEEN || node->kind == NODE_IN) operand = node->children[0];
    if (operand == NULL || operand->kind != NODE_PATH || operand->path.count != 1) return NULL;
    return &operand->path.steps[0].name;
}

static bool compares_with_values(const struct node *node)
{
    if (node->kind != NODE_BETWEEN && node->kind != NODE_IN)
        return node->right != NULL && node->right->kind == NODE_VALUE;
    for (size_t i = 1; i < node->child_count; i++) {
        if (node->children[i]->kind != NODE_VALUE) return false;
    }
    return true;
}

static bool is_partition_operator(enum node_kind kind)
{
    return kind == NODE_EQ || kind == NODE_IN;
}

static bool is_sort_operator(enum node_kind kind)
{
    switch (kind) {
    case NODE_EQ:
    case NODE_IN:
    case NODE_LT:
    case NODE_LE:
    case NODE_GT:
    case NODE_GE:
    case NODE_BETWEEN:
    case NODE_BEGINS_WITH:
        return true;
    default:
        return false;
    }
}

/* The position in the key of the attribute that this key condition is about, or -1. */
static int key_position(const struct key_schema *schema, const struct node *node)
{
    if (!is_sort_operator(node->kind) || !compares_with_values(node)) return -1;
    const struct slice *name = subject(node);
    if (name == NULL) return -1;
    const int position = key_schema_find(schema, *name);
    const bool is_partition = position >= 0 && position < schema->partition_count;
    return is_partition && !is_partition_operator(node->kind) ? -1 : position;
}

bool keys_is_equality(const struct node *condition, struct slice name)
{
    if (condition->kind != NODE_EQ || !compares_with_values(condition)) return false;
    const struct slice *found = subject(condition);
    return found != NULL && slice_equal(*found, name);
}

static enum error_code check_value(struct splitting *s, int position, const struct value *value)
{
    struct call *call = s->call;
    const struct key_attribute *attribute = &s->schema->attributes[position];
    const enum value_type type = value->type;
    if (type != VALUE_STRING && type != VALUE_NUMBER && type != VALUE_BINARY) {
        return fail(call, ERROR_VALIDATION,
                    "Key value must be of type S, N, or B. Key name: %.*s, Key type: %s",
                    SLICE_ARGS(attribute->name), value_type_name(type));
    }
    if (type != attribute->type) {
        return fail(call, ERROR_VALIDATION,
                    "Key attribute's data type should match its data type in table's schema: Key "
                    "%.*s",
                    SLICE_ARGS(attribute->name));
    }
    if (value->data.length > 0) {
        const bool is_partition = position < s->schema->partition_count;
        return key_condition_check_length(call, is_partition, value->data.length);
    }
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values are not valid. The AttributeValue for a key "
                "attribute cannot contain an empty %s value. Key: %.*s",
                type == VALUE_BINARY ? "binary" : "string", SLICE_ARGS(attribute->name));
}

static enum error_code check_values(struct splitting *s, int position, const struct node *node)
{
    if (node->kind != NODE_BETWEEN && node->kind != NODE_IN)
        return check_value(s, position, &node->right->value);
    for (size_t i = 1; i < node->child_count; i++)
        TRY(check_value(s, position, &node->children[i]->value));
    return OK;
}

/* ---- multiplying out ------------------------------------------------------------------------- */

static const struct conjunct *add_conjunct(struct splitting *s, const struct node *node,
                                           bool is_key, const struct conjunct *next)
{
    struct conjunct *conjunct = arena_new(s->call->arena, struct conjunct);
    *conjunct = (struct conjunct){node, is_key, next};
    return conjunct;
}

static struct alternatives alternatives_open(struct splitting *s)
{
    return (struct alternatives){
        arena_array(s->call->arena, const struct conjunct *, LIMIT_STATEMENT_READS), 0};
}

static void add_alternative(struct splitting *s, struct alternatives *out,
                            const struct conjunct *conjunct)
{
    if (out->count == LIMIT_STATEMENT_READS) {
        s->overflows = true;
    } else {
        out->list[out->count++] = conjunct;
    }
}

/* One alternative per candidate. */
static void spread_in(struct splitting *s, const struct node *in, struct alternatives *out)
{
    for (size_t i = 1; i < in->child_count; i++) {
        struct node *equal = arena_new(s->call->arena, struct node);
        *equal = (struct node){.kind = NODE_EQ, .left = in->children[0], .right = in->children[i]};
        add_alternative(s, out, add_conjunct(s, equal, true, NULL));
    }
}

static const struct conjunct *join(struct splitting *s, const struct conjunct *a,
                                   const struct conjunct *b)
{
    for (; a != NULL; a = a->next)
        b = add_conjunct(s, a->node, a->is_key, b);
    return b;
}

static enum error_code spread_and(struct splitting *s, const struct node *node,
                                  struct alternatives *out)
{
    struct alternatives left;
    struct alternatives right;
    TRY(spread(s, node->left, &left));
    TRY(spread(s, node->right, &right));
    for (size_t i = 0; i < left.count && !s->overflows; i++) {
        for (size_t j = 0; j < right.count && !s->overflows; j++)
            add_alternative(s, out, join(s, left.list[i], right.list[j]));
    }
    return OK;
}

static enum error_code spread_or(struct splitting *s, const struct node *node,
                                 struct alternatives *out)
{
    const struct node *sides[] = {node->left, node->right};
    for (size_t i = 0; i < 2; i++) {
        struct alternatives side;
        TRY(spread(s, sides[i], &side));
        for (size_t j = 0; j < side.count; j++)
            add_alternative(s, out, side.list[j]);
    }
    return OK;
}

static bool names_key(const struct splitting *s, const struct node *node)
{
    if (node->kind == NODE_AND || node->kind == NODE_OR)
        return names_key(s, node->left) || names_key(s, node->right);
    return key_position(s->schema, node) >= 0;
}

static enum error_code spread(struct splitting *s, const struct node *node,
                              struct alternatives *out)
{
    *out = alternatives_open(s);
    if (node->kind == NODE_AND) return spread_and(s, node, out);
    if (node->kind == NODE_OR && names_key(s, node)) return spread_or(s, node, out);
    const int position = key_position(s->schema, node);
    if (position >= 0) TRY(check_values(s, position, node));
    if (position >= 0 && node->kind == NODE_IN) {
        spread_in(s, node, out);
    } else {
        add_alternative(s, out, add_conjunct(s, node, position >= 0, NULL));
    }
    return OK;
}

/* Every alternative names a partition, however many there are. */
static bool pins_partition(const struct splitting *s, const struct node *node)
{
    if (node->kind == NODE_AND)
        return pins_partition(s, node->left) || pins_partition(s, node->right);
    if (node->kind == NODE_OR)
        return pins_partition(s, node->left) && pins_partition(s, node->right);
    const int position = key_position(s->schema, node);
    return position >= 0 && position < s->schema->partition_count;
}

/* ---- intervals ------------------------------------------------------------------------------- */

/* The smallest value above all that begin so; absent when there is none. */
static struct value prefix_end(struct arena *arena, const struct value *prefix)
{
    enum { LAST = 0xFF };
    size_t length = prefix->data.length;
    while (length > 0 && prefix->data.data[length - 1] == LAST)
        length--;
    if (length == 0) return (struct value){0};
    uint8_t *end = arena_alloc(arena, length);
    memcpy(end, prefix->data.data, length);
    end[length - 1]++;
    return value_scalar(arena, prefix->type, slice_of(end, length));
}

static struct keys_interval interval_of(struct arena *arena, const struct node *node)
{
    if (node->kind == NODE_BETWEEN) {
        return (struct keys_interval){.low = node->children[1]->value,
                                      .high = node->children[2]->value};
    }
    const struct value value = node->right->value;
    switch (node->kind) {
    case NODE_EQ:
        return (struct keys_interval){.low = value, .high = value};
    case NODE_LT:
        return (struct keys_interval){.high = value, .high_open = true};
    case NODE_LE:
        return (struct keys_interval){.high = value};
    case NODE_GT:
        return (struct keys_interval){.low = value, .low_open = true};
    case NODE_GE:
        return (struct keys_interval){.low = value};
    default:
        CHECK(node->kind == NODE_BEGINS_WITH);
        return (struct keys_interval){
            .low = value, .high = prefix_end(arena, &value), .high_open = true, .is_prefix = true};
    }
}

static bool is_unbounded(const struct keys_interval *interval)
{
    return interval->low.type == VALUE_ABSENT && interval->high.type == VALUE_ABSENT;
}

static struct keys_interval intersect(const struct keys_interval *a, const struct keys_interval *b)
{
    if (is_unbounded(a)) return *b;
    if (is_unbounded(b)) return *a;
    struct keys_interval both = *a;
    both.is_prefix = false;
    if (b->low.type != VALUE_ABSENT) {
        const int order = a->low.type == VALUE_ABSENT ? 1 : value_compare(b->low, a->low);
        if (order > 0 || (order == 0 && b->low_open)) {
            both.low = b->low;
            both.low_open = b->low_open;
        }
    }
    if (b->high.type != VALUE_ABSENT) {
        const int order = a->high.type == VALUE_ABSENT ? -1 : value_compare(b->high, a->high);
        if (order < 0 || (order == 0 && b->high_open)) {
            both.high = b->high;
            both.high_open = b->high_open;
        }
    }
    return both;
}

static bool is_empty(const struct keys_interval *interval)
{
    if (interval->low.type == VALUE_ABSENT || interval->high.type == VALUE_ABSENT) return false;
    const int order = value_compare(interval->low, interval->high);
    return order > 0 || (order == 0 && (interval->low_open || interval->high_open));
}

static bool is_point(const struct keys_interval *interval)
{
    return interval->low.type != VALUE_ABSENT && interval->high.type != VALUE_ABSENT &&
           !interval->low_open && !interval->high_open &&
           value_compare(interval->low, interval->high) == 0;
}

/* ---- branches -------------------------------------------------------------------------------- */

static void take_key(struct splitting *s, struct keys_branch *branch, const struct node *node)
{
    const unsigned position = (unsigned)key_position(s->schema, node);
    const unsigned partitions = s->schema->partition_count;
    if (position >= partitions) {
        struct keys_interval *interval = &branch->sort[position - partitions];
        const struct keys_interval other = interval_of(s->call->arena, node);
        *interval = intersect(interval, &other);
        return;
    }
    struct value *known = &branch->partition[position];
    if (known->type != VALUE_ABSENT && value_compare(*known, node->right->value) != 0)
        branch->torn = true;
    *known = node->right->value;
}

static void make_branch(struct splitting *s, const struct conjunct *conjunct,
                        struct keys_branch *branch)
{
    size_t filters = 0;
    for (const struct conjunct *c = conjunct; c != NULL; c = c->next)
        filters += !c->is_key;
    branch->filters = arena_array(s->call->arena, const struct node *, filters);
    for (const struct conjunct *c = conjunct; c != NULL; c = c->next) {
        if (c->is_key) {
            take_key(s, branch, c->node);
        } else {
            branch->filters[branch->filter_count++] = c->node;
        }
    }
}

bool keys_same_partition(const struct keys *keys, const struct keys_branch *a,
                         const struct keys_branch *b)
{
    for (unsigned i = 0; i < keys->schema->partition_count; i++) {
        if (value_compare(a->partition[i], b->partition[i]) != 0) return false;
    }
    return true;
}

static bool do_overlap(const struct keys *keys, const struct keys_branch *a,
                       const struct keys_branch *b)
{
    if (!keys_same_partition(keys, a, b)) return false;
    for (unsigned i = 0; i < keys->schema->sort_count; i++) {
        const struct keys_interval both = intersect(&a->sort[i], &b->sort[i]);
        if (is_empty(&both)) return false;
    }
    return true;
}

static enum error_code check_overlaps(struct call *call, const struct keys *keys)
{
    for (size_t i = 0; i < keys->count; i++) {
        for (size_t j = i + 1; j < keys->count; j++) {
            if (!do_overlap(keys, &keys->branches[i], &keys->branches[j])) continue;
            return fail(call, ERROR_VALIDATION,
                        "Overlapping conditions with range keys are not supported in where "
                        "clause");
        }
    }
    return OK;
}

bool keys_is_point(const struct keys *keys, const struct keys_branch *branch)
{
    for (unsigned i = 0; i < keys->schema->sort_count; i++) {
        if (!is_point(&branch->sort[i])) return false;
    }
    return names_its_partition(keys, branch);
}

/* ---- order ----------------------------------------------------------------------------------- */

static int compare_lows(const struct value *a, const struct value *b)
{
    if (a->type == VALUE_ABSENT || b->type == VALUE_ABSENT)
        return (a->type != VALUE_ABSENT) - (b->type != VALUE_ABSENT);
    return value_compare(*a, *b);
}

static int compare_branches(const struct keys *keys, const struct keys_branch *a,
                            const struct keys_branch *b, const bool descending[2])
{
    for (unsigned i = 0; i < keys->schema->partition_count; i++) {
        const int order = value_compare(a->partition[i], b->partition[i]);
        if (order != 0) return descending[0] ? -order : order;
    }
    for (unsigned i = 0; i < keys->schema->sort_count; i++) {
        const int order = compare_lows(&a->sort[i].low, &b->sort[i].low);
        if (order != 0) return descending[1] ? -order : order;
    }
    return 0;
}

/* By insertion: there are at most LIMIT_STATEMENT_READS. */
void keys_sort(struct keys *keys, bool partitions_descending, bool sort_descending)
{
    const bool descending[2] = {partitions_descending, sort_descending};
    CHECK(keys->keyed);
    for (size_t i = 1; i < keys->count; i++) {
        const struct keys_branch moving = keys->branches[i];
        size_t at = i;
        for (; at > 0; at--) {
            if (compare_branches(keys, &keys->branches[at - 1], &moving, descending) <= 0) break;
            keys->branches[at] = keys->branches[at - 1];
        }
        keys->branches[at] = moving;
    }
}

/* ---- conditions ------------------------------------------------------------------------------ */

/* One range of a sort attribute; both of its ends are in it where there are two. */
static bool set_range(const struct keys_interval *interval, struct key_condition *condition)
{
    const bool has_low = interval->low.type != VALUE_ABSENT;
    const bool has_high = interval->high.type != VALUE_ABSENT;
    condition->low = has_low ? interval->low : interval->high;
    condition->high = interval->high;
    if (interval->is_prefix) {
        condition->op = SORT_BEGINS_WITH;
    } else if (has_low && has_high) {
        condition->op = SORT_BETWEEN;
        return !interval->low_open && !interval->high_open;
    } else if (has_low) {
        condition->op = interval->low_open ? SORT_GT : SORT_GE;
    } else {
        condition->op = interval->high_open ? SORT_LT : SORT_LE;
    }
    return true;
}

bool keys_condition(const struct keys *keys, const struct keys_branch *branch,
                    struct key_condition *condition)
{
    *condition = (struct key_condition){.op = SORT_ANY};
    for (unsigned i = 0; i < keys->schema->partition_count; i++)
        condition->partition[i] = branch->partition[i];
    for (unsigned i = 0; i < keys->schema->sort_count; i++) {
        const struct keys_interval *interval = &branch->sort[i];
        const bool bounded = !is_unbounded(interval);
        /* A range ends what an index can find by its order; what follows is left to the filter. */
        if (condition->op != SORT_ANY || condition->sort_count < i) {
            if (bounded) return false;
        } else if (is_point(interval)) {
            condition->sort[condition->sort_count++] = interval->low;
        } else if (bounded && !set_range(interval, condition)) {
            return false;
        }
    }
    return true;
}
