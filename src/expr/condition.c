/* SPDX-License-Identifier: Apache-2.0 */
/*
 * condition — evaluating conditions on encoded items. Nothing is copied or allocated: operands are
 * slices of the item or of the request.
 */
#include "expr/node.h"

struct operand {
    struct value value;   /* .encoded is not set for a size */
    struct number number; /* the bytes of a size */
};

static bool compare(const struct node *condition, struct slice item);
static bool is_between(const struct node *condition, struct slice item);
static bool is_in(const struct node *condition, struct slice item);
static bool has_type(const struct node *condition, struct slice item);
static bool begins_with(const struct node *condition, struct slice item);
static bool contains(const struct node *condition, struct slice item);

/* The value of an operand node; type VALUE_ABSENT when the item has none. */
static void read_operand(const struct node *node, struct slice item, struct operand *operand);

bool condition_evaluate(const struct node *condition, struct slice item, struct arena *scratch)
{
    for (;;) { /* AND and OR lean to the right: their right side is the next round */
        switch (condition->kind) {
        case NODE_AND:
            if (!condition_evaluate(condition->left, item, scratch)) return false;
            condition = condition->right;
            continue;
        case NODE_OR:
            if (condition_evaluate(condition->left, item, scratch)) return true;
            condition = condition->right;
            continue;
        case NODE_NOT:
            return !condition_evaluate(condition->left, item, scratch);
        case NODE_EQ:
        case NODE_NE:
        case NODE_LT:
        case NODE_LE:
        case NODE_GT:
        case NODE_GE:
            return compare(condition, item);
        case NODE_BETWEEN:
            return is_between(condition, item);
        case NODE_IN:
            return is_in(condition, item);
        case NODE_ATTRIBUTE_EXISTS:
            return path_find(&condition->left->path, item).type != VALUE_ABSENT;
        case NODE_ATTRIBUTE_NOT_EXISTS:
            return path_find(&condition->left->path, item).type == VALUE_ABSENT;
        case NODE_ATTRIBUTE_TYPE:
            return has_type(condition, item);
        case NODE_BEGINS_WITH:
            return begins_with(condition, item);
        case NODE_CONTAINS:
            return contains(condition, item);
        case NODE_NOT_CONTAINS: /* of what is there: unlike NE, false where there is nothing */
            return path_find(&condition->left->path, item).type != VALUE_ABSENT &&
                   !contains(condition, item);
        case NODE_PATH:
        case NODE_VALUE:
        case NODE_SIZE:
        case NODE_PLUS:
        case NODE_MINUS:
        case NODE_IF_NOT_EXISTS:
        case NODE_LIST_APPEND:
            check_failed("the node is a condition", __FILE__, __LINE__);
        }
    }
}

/* ---- operands -------------------------------------------------------------------------------- */

/* The length of a string as the service counts it: in UTF-16 units. */
static int64_t utf16_length(struct slice text)
{
    enum {
        TAIL_MASK = 0xC0,
        TAIL = 0x80,
        FOUR_BYTES = 0xF0, /* first byte of a character that takes two units */
    };
    int64_t units = 0;
    for (size_t i = 0; i < text.length; i++) {
        if ((text.data[i] & TAIL_MASK) != TAIL) units += text.data[i] >= FOUR_BYTES ? 2 : 1;
    }
    return units;
}

/* size(): of a string, binary, set, list or map; anything else has none. */
static void read_size(struct value value, struct operand *operand)
{
    int64_t size = 0;
    switch (value.type) {
    case VALUE_STRING:
        size = utf16_length(value.data);
        break;
    case VALUE_BINARY:
        size = (int64_t)value.data.length;
        break;
    case VALUE_LIST:
    case VALUE_MAP:
    case VALUE_STRING_SET:
    case VALUE_NUMBER_SET:
    case VALUE_BINARY_SET:
        size = value.count;
        break;
    default:
        operand->value = (struct value){0};
        return;
    }
    operand->number = number_from_int64(size);
    operand->value = (struct value){
        .type = VALUE_NUMBER,
        .data = number_slice(&operand->number),
    };
}

/* A condition as an operand, as PartiQL has it: attribute_exists(a) = FALSE. */
static struct value truth_value(bool truth)
{
    static const uint8_t encoded[][2] = {{VALUE_BOOLEAN, false}, {VALUE_BOOLEAN, true}};
    return value_read(slice_of(encoded[truth], sizeof encoded[truth]));
}

static void read_operand(const struct node *node, struct slice item, struct operand *operand)
{
    switch (node->kind) {
    case NODE_PATH:
        operand->value = path_find(&node->path, item);
        return;
    case NODE_VALUE:
        operand->value = node->value;
        return;
    case NODE_SIZE: {
        struct operand sized;
        read_operand(node->left, item, &sized);
        read_size(sized.value, operand);
        return;
    }
    default:
        operand->value = truth_value(condition_evaluate(node, item, NULL));
    }
}

/* ---- comparisons ----------------------------------------------------------------------------- */

static bool is_scalar(enum value_type type)
{
    return type == VALUE_STRING || type == VALUE_NUMBER || type == VALUE_BINARY;
}

static bool equal(struct value a, struct value b)
{
    if (a.type != b.type || a.type == VALUE_ABSENT) return false;
    return is_scalar(a.type) ? slice_equal(a.data, b.data) : value_equal(a, b);
}

/* True when two values have an order between them, which is then in *order. */
static bool ordered(struct value a, struct value b, int *order)
{
    if (a.type != b.type || !is_scalar(a.type)) return false;
    *order = value_compare(a, b);
    return true;
}

static bool compare(const struct node *condition, struct slice item)
{
    struct operand left;
    struct operand right;
    read_operand(condition->left, item, &left);
    read_operand(condition->right, item, &right);
    /* What is not there equals nothing, so <> is true. */
    if (condition->kind == NODE_EQ) return equal(left.value, right.value);
    if (condition->kind == NODE_NE) return !equal(left.value, right.value);
    int order = 0;
    if (!ordered(left.value, right.value, &order)) return false;
    switch (condition->kind) {
    case NODE_LT:
        return order < 0;
    case NODE_LE:
        return order <= 0;
    case NODE_GT:
        return order > 0;
    default:
        return order >= 0;
    }
}

static bool is_between(const struct node *condition, struct slice item)
{
    CHECK(condition->child_count == 1 + 2);
    struct operand operand;
    struct operand bound;
    int order = 0;
    read_operand(condition->children[0], item, &operand);
    read_operand(condition->children[1], item, &bound);
    if (!ordered(operand.value, bound.value, &order) || order < 0) return false;
    read_operand(condition->children[2], item, &bound);
    return ordered(operand.value, bound.value, &order) && order <= 0;
}

static bool is_in(const struct node *condition, struct slice item)
{
    CHECK(condition->child_count > 0);
    struct operand operand;
    read_operand(condition->children[0], item, &operand);
    for (size_t i = 1; i < condition->child_count; i++) {
        struct operand candidate;
        read_operand(condition->children[i], item, &candidate);
        if (equal(operand.value, candidate.value)) return true;
    }
    return false;
}

/* ---- functions ------------------------------------------------------------------------------- */

static bool has_type(const struct node *condition, struct slice item)
{
    struct operand operand;
    read_operand(condition->left, item, &operand);
    const struct value name = condition->right->value;
    CHECK(name.type == VALUE_STRING);
    if (operand.value.type == VALUE_ABSENT) return false;
    return slice_equal_string(name.data, value_type_name(operand.value.type));
}

static bool begins_with(const struct node *condition, struct slice item)
{
    struct operand text;
    struct operand prefix;
    read_operand(condition->left, item, &text);
    read_operand(condition->right, item, &prefix);
    const enum value_type type = text.value.type;
    if (type != prefix.value.type) return false;
    if (type != VALUE_STRING && type != VALUE_BINARY) return false;
    return slice_has_prefix(text.value.data, prefix.value.data);
}

static bool has_part(struct slice text, struct slice part)
{
    if (part.length == 0) return true;
    if (text.length < part.length) return false;
    return memmem(text.data, text.length, part.data, part.length) != NULL;
}

static bool has_element(struct value list, struct value element)
{
    struct value_walk walk = {0};
    struct value candidate;
    while (value_next(list, &walk, NULL, &candidate)) {
        if (equal(candidate, element)) return true;
    }
    return false;
}

static bool contains(const struct node *condition, struct slice item)
{
    struct operand whole;
    struct operand part;
    read_operand(condition->left, item, &whole);
    read_operand(condition->right, item, &part);
    switch (whole.value.type) {
    case VALUE_STRING:
    case VALUE_BINARY:
        return part.value.type == whole.value.type && has_part(whole.value.data, part.value.data);
    case VALUE_STRING_SET:
    case VALUE_NUMBER_SET:
    case VALUE_BINARY_SET:
        return part.value.type == value_set_member_type(whole.value.type) &&
               value_set_contains(whole.value, part.value.data);
    case VALUE_LIST:
        return has_element(whole.value, part.value);
    default:
        return false;
    }
}
