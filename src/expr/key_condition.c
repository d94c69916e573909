/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_condition — from the nodes of a KeyConditionExpression to equalities on the partition key and
 * a range of the sort key. KeyConditions become such nodes too, with any operator: what no key can
 * do is refused here, when it stands on a key.
 */
#include "expr/node.h"

enum {
    TERMS_MAX = 2 * LIMIT_INDEX_KEY_ATTRIBUTES,
    OPERANDS_MAX = 3, /* of BETWEEN */
};

/* One condition on one attribute, the attribute on the left. */
struct term {
    struct slice name;
    enum node_kind kind;
    struct value values[2];
};

/* The names that conditions were on so far. */
struct seen {
    struct slice *names;
    size_t count;
};

/* ---- form ------------------------------------------------------------------------------------ */

static const char *operator_name(enum node_kind kind)
{
    switch (kind) {
    case NODE_OR:
        return "OR";
    case NODE_NOT:
        return "NOT";
    case NODE_IN:
        return "IN";
    case NODE_NE:
        return "<>";
    case NODE_ATTRIBUTE_EXISTS:
        return "attribute_exists";
    case NODE_ATTRIBUTE_NOT_EXISTS:
        return "attribute_not_exists";
    case NODE_ATTRIBUTE_TYPE:
        return "attribute_type";
    case NODE_CONTAINS:
        return "contains";
    default:
        return NULL;
    }
}

/* The operands of a simple condition, of IN the first; returns how many. */
static size_t operands_of(const struct node *node, const struct node *operands[OPERANDS_MAX])
{
    if (node->kind == NODE_BETWEEN || node->kind == NODE_IN) {
        size_t count = 0;
        for (; count < node->child_count && count < OPERANDS_MAX; count++)
            operands[count] = node->children[count];
        return count;
    }
    operands[0] = node->left;
    operands[1] = node->right;
    return node->right == NULL ? 1 : 2;
}

static enum error_code check_operands(struct call *call, const struct node *condition,
                                      struct slice *name)
{
    const struct node *operands[OPERANDS_MAX];
    const size_t count = operands_of(condition, operands);
    for (size_t i = 0; i < count; i++) {
        if (operands[i]->kind == NODE_SIZE) {
            return fail(call, ERROR_VALIDATION,
                        "KeyConditionExpressions cannot contain nested operations");
        }
        if (operands[i]->kind != NODE_PATH) continue;
        if (name->data != NULL) {
            return fail(call, ERROR_VALIDATION,
                        "Invalid condition in KeyConditionExpression: Multiple attribute names "
                        "used in one condition");
        }
        if (operands[i]->path.count > 1) {
            return fail(call, ERROR_VALIDATION,
                        "Invalid KeyConditionExpression: KeyConditionExpressions cannot have "
                        "conditions on nested attributes");
        }
        *name = operands[i]->path.steps[0].name;
    }
    if (name->data != NULL) return OK;
    return fail(call, ERROR_VALIDATION,
                "Invalid condition in KeyConditionExpression: No key attribute specified");
}

static enum error_code check_simple(struct call *call, const struct node *condition,
                                    struct seen *seen)
{
    const char *wrong = operator_name(condition->kind);
    if (wrong != NULL) {
        return fail(call, ERROR_VALIDATION, "Invalid operator used in KeyConditionExpression: %s",
                    wrong);
    }
    const bool is_between = condition->kind == NODE_BETWEEN;
    if (is_between || condition->kind == NODE_BEGINS_WITH) {
        const struct node *first = is_between ? condition->children[0] : condition->left;
        if (first->kind != NODE_PATH) {
            return fail(call, ERROR_VALIDATION,
                        "Invalid condition in KeyConditionExpression: %s operator must have the "
                        "key attribute as its first operand",
                        is_between ? "BETWEEN" : "begins_with");
        }
    }
    struct slice name = {0};
    TRY(check_operands(call, condition, &name));
    for (size_t i = 0; i < seen->count; i++) {
        if (!slice_equal(seen->names[i], name)) continue;
        return fail(call, ERROR_VALIDATION,
                    "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one "
                    "condition per key");
    }
    seen->names[seen->count++] = name;
    return OK;
}

static enum error_code check(struct call *call, const struct node *condition, struct seen *seen)
{
    if (condition->kind != NODE_AND) return check_simple(call, condition, seen);
    TRY(check(call, condition->left, seen));
    return check(call, condition->right, seen);
}

static size_t count_simple(const struct node *condition)
{
    if (condition->kind != NODE_AND) return 1;
    return count_simple(condition->left) + count_simple(condition->right);
}

enum error_code key_condition_check(struct call *call, const struct node *expression)
{
    struct seen seen = {0};
    seen.names = arena_array(call->arena, struct slice, count_simple(expression));
    return check(call, expression, &seen);
}

/* ---- terms ----------------------------------------------------------------------------------- */

/* a < b is b > a. */
static enum node_kind mirror(enum node_kind kind)
{
    switch (kind) {
    case NODE_LT:
        return NODE_GT;
    case NODE_LE:
        return NODE_GE;
    case NODE_GT:
        return NODE_LT;
    case NODE_GE:
        return NODE_LE;
    default:
        return kind;
    }
}

static struct term term_of(const struct node *condition)
{
    struct term term = {.kind = condition->kind};
    const struct node *operands[OPERANDS_MAX];
    const size_t count = operands_of(condition, operands);
    size_t value = 0;
    for (size_t i = 0; i < count; i++) {
        if (operands[i]->kind == NODE_PATH) {
            term.name = operands[i]->path.steps[0].name;
            if (i > 0) term.kind = mirror(term.kind);
        } else {
            CHECK(operands[i]->kind == NODE_VALUE);
            term.values[value++] = operands[i]->value;
        }
    }
    return term;
}

struct terms {
    struct term list[TERMS_MAX];
    size_t count; /* may exceed TERMS_MAX: then the rest is not in the list */
};

static void collect(const struct node *condition, struct terms *terms)
{
    if (condition->kind == NODE_AND) {
        collect(condition->left, terms);
        collect(condition->right, terms);
        return;
    }
    if (terms->count < TERMS_MAX) terms->list[terms->count] = term_of(condition);
    terms->count++;
}

static const struct term *find_term(const struct terms *terms, struct slice name)
{
    for (size_t i = 0; i < terms->count && i < TERMS_MAX; i++) {
        if (slice_equal(terms->list[i].name, name)) return &terms->list[i];
    }
    return NULL;
}

/* ---- against the key ------------------------------------------------------------------------- */

static enum error_code fail_missed(struct call *call, struct slice name)
{
    return fail(call, ERROR_VALIDATION, "Query condition missed key schema element: %.*s",
                SLICE_ARGS(name));
}

static enum error_code fail_unsupported(struct call *call)
{
    return fail(call, ERROR_VALIDATION, "Query key condition not supported");
}

enum error_code key_condition_check_length(struct call *call, bool is_partition, size_t length)
{
    if (length <= (is_partition ? LIMIT_PARTITION_KEY_BYTES : LIMIT_SORT_KEY_BYTES)) return OK;
    if (is_partition) {
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Size of hashkey has exceeded the "
                    "maximum size limit of%d bytes",
                    LIMIT_PARTITION_KEY_BYTES);
    }
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values were invalid: Aggregated size of all range keys has "
                "exceeded the size limit of %d bytes",
                LIMIT_SORT_KEY_BYTES);
}

/* The whole of a partition key, and the whole of what is known of a sort key. */
static enum error_code check_lengths(struct call *call, const struct key_schema *key,
                                     const struct key_condition *condition)
{
    size_t partition = 0;
    size_t sort = 0;
    for (unsigned i = 0; i < key->partition_count; i++)
        partition += condition->partition[i].data.length;
    for (unsigned i = 0; i < condition->sort_count; i++)
        sort += condition->sort[i].data.length;
    TRY(key_condition_check_length(call, true, partition));
    TRY(key_condition_check_length(call, false, sort + condition->low.data.length));
    return key_condition_check_length(call, false, sort + condition->high.data.length);
}

static enum error_code check_value(struct call *call, const struct key_attribute *attribute,
                                   struct value value)
{
    if (value.type != attribute->type) {
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Condition parameter type does not "
                    "match schema type");
    }
    if (value.data.length > 0) return OK;
    return fail(call, ERROR_VALIDATION,
                "One or more parameter values are not valid. The AttributeValue for a key "
                "attribute cannot contain an empty %s value. Key: %.*s",
                attribute->type == VALUE_BINARY ? "binary" : "string", SLICE_ARGS(attribute->name));
}

/* Expressions with other operators have been refused by key_condition_check. */
static bool is_indexable(enum node_kind kind)
{
    switch (kind) {
    case NODE_EQ:
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

static enum error_code check_term(struct call *call, const struct key_attribute *attribute,
                                  const struct term *term)
{
    if (!is_indexable(term->kind)) {
        return fail(call, ERROR_VALIDATION,
                    "Attempted conditional constraint is not an indexable operation");
    }
    TRY(check_value(call, attribute, term->values[0]));
    if (term->kind == NODE_BETWEEN) return check_value(call, attribute, term->values[1]);
    return OK;
}

static enum sort_operator sort_operator(enum node_kind kind)
{
    switch (kind) {
    case NODE_LT:
        return SORT_LT;
    case NODE_LE:
        return SORT_LE;
    case NODE_GT:
        return SORT_GT;
    case NODE_GE:
        return SORT_GE;
    case NODE_BETWEEN:
        return SORT_BETWEEN;
    case NODE_BEGINS_WITH:
        return SORT_BEGINS_WITH;
    default:
        check_failed("the operator is one of a range", __FILE__, __LINE__);
    }
}

static enum error_code resolve_partition(struct call *call, const struct terms *terms,
                                         const struct key_schema *key, struct key_condition *out)
{
    for (unsigned i = 0; i < key->partition_count; i++) {
        const struct key_attribute *attribute = &key->attributes[i];
        const struct term *term = find_term(terms, attribute->name);
        if (term == NULL) return fail_missed(call, attribute->name);
        TRY(check_term(call, attribute, term));
        if (term->kind != NODE_EQ) return fail_unsupported(call);
        out->partition[i] = term->values[0];
    }
    return OK;
}

/* Takes the sort attributes' terms from the left; returns how many there are in *used. */
static enum error_code resolve_sort(struct call *call, const struct terms *terms,
                                    const struct key_schema *key, struct key_condition *out,
                                    size_t *used)
{
    *used = 0;
    for (unsigned i = 0; i < key->sort_count; i++) {
        const struct key_attribute *attribute = &key->attributes[key->partition_count + i];
        const struct term *term = find_term(terms, attribute->name);
        if (term == NULL) break;
        TRY(check_term(call, attribute, term));
        if (out->op != SORT_ANY) return fail_unsupported(call); /* a range is the last */
        ++*used;
        if (term->kind == NODE_EQ) {
            out->sort[out->sort_count++] = term->values[0];
        } else {
            if (term->kind == NODE_BEGINS_WITH && attribute->type == VALUE_NUMBER) {
                return fail_unsupported(call);
            }
            out->op = sort_operator(term->kind);
            out->low = term->values[0];
            out->high = term->values[term->kind == NODE_BETWEEN];
        }
    }
    return OK;
}

enum error_code key_condition_resolve(struct call *call, const struct node *expression,
                                      const struct key_schema *key, struct key_condition *out)
{
    *out = (struct key_condition){.op = SORT_ANY};
    struct terms terms = {.count = 0};
    collect(expression, &terms);
    if (terms.count > key->partition_count && key->sort_count == 0) {
        /* Too many conditions, unless one of the needed is not among them. */
        if (key->partition_count == 1) return fail_unsupported(call);
    }
    TRY(resolve_partition(call, &terms, key, out));
    size_t used = 0;
    TRY(resolve_sort(call, &terms, key, out, &used));
    if (terms.count == key->partition_count + used) return check_lengths(call, key, out);
    /* A condition is left over. On a key of two, it should have been on the sort attribute. */
    if (key->partition_count == 1 && key->sort_count == 1 && used == 0) {
        return fail_missed(call, key->attributes[1].name);
    }
    return fail_unsupported(call);
}
