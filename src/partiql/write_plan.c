/* SPDX-License-Identifier: Apache-2.0 */
/* write_plan — takes the key out of a WHERE clause; what is left is the write's condition. */
#include "partiql/write_plan.h"

#include "partiql/keys.h"

/* The terms of the clause's top-level AND. */
struct terms {
    struct call *call;
    const struct table *table;
    struct value key[2]; /* by position in the table's key; absent: not named yet */
    const struct node *condition;
    bool takes_in; /* IN with one candidate is an equality, to SELECT */
    bool torn;
    struct slice torn_key;
};

static const struct node *new_node(struct arena *arena, enum node_kind kind,
                                   const struct node *left, const struct node *right)
{
    struct node *node = arena_new(arena, struct node);
    *node = (struct node){.kind = kind, .left = left, .right = right};
    return node;
}

static const struct node *as_equality(const struct terms *terms, const struct node *node)
{
    if (!terms->takes_in || node->kind != NODE_IN || node->child_count != 2) return node;
    return new_node(terms->call->arena, NODE_EQ, node->children[0], node->children[1]);
}

static void take_term(struct terms *terms, const struct node *node)
{
    node = as_equality(terms, node);
    const struct key_schema *schema = &terms->table->key;
    for (unsigned i = 0; i < key_schema_count(schema); i++) {
        if (!keys_is_equality(node, schema->attributes[i].name)) continue;
        const struct value value = node->right->value;
        if (terms->key[i].type == VALUE_ABSENT) {
            terms->key[i] = value;
        } else if (!value_equal(terms->key[i], value)) {
            terms->torn = true;
            terms->torn_key = schema->attributes[i].name;
        }
        return;
    }
    terms->condition = terms->condition == NULL
                           ? node
                           : new_node(terms->call->arena, NODE_AND, node, terms->condition);
}

static void take_terms(struct terms *terms, const struct node *node)
{
    for (; node->kind == NODE_AND; node = node->right) {
        if (node->left->kind == NODE_AND) {
            take_terms(terms, node->left);
        } else {
            take_term(terms, node->left);
        }
    }
    take_term(terms, node);
}

/* attribute_exists of the partition key, or its opposite: is there an item? */
static const struct node *presence(const struct terms *terms, enum node_kind kind)
{
    struct arena *arena = terms->call->arena;
    struct path_step *step = arena_new(arena, struct path_step);
    step->name = terms->table->key.attributes[0].name;
    struct node *path = arena_new(arena, struct node);
    *path = (struct node){.kind = NODE_PATH, .path = {step, 1}};
    return new_node(arena, kind, path, NULL);
}

static enum write_plan_fault take_key(struct terms *terms, struct slice *key)
{
    const struct key_schema *schema = &terms->table->key;
    struct attribute attributes[2];
    const unsigned count = key_schema_count(schema);
    CHECK(count <= sizeof attributes / sizeof attributes[0]);
    for (unsigned i = 0; i < count; i++) {
        if (terms->key[i].type == VALUE_ABSENT) return WRITE_PLAN_KEY_MISSING;
        attributes[i] = (struct attribute){schema->attributes[i].name, terms->key[i].encoded};
    }
    *key = item_build(terms->call->arena, attributes, count);
    return terms->torn ? WRITE_PLAN_KEY_TWICE : WRITE_PLAN_FITS;
}

static void set_condition(const struct terms *terms, struct write *write)
{
    struct arena *arena = terms->call->arena;
    const struct node *condition = terms->condition;
    if (write->kind == WRITE_UPDATE) {
        const struct node *there = presence(terms, NODE_ATTRIBUTE_EXISTS);
        condition = condition == NULL ? there : new_node(arena, NODE_AND, there, condition);
    } else if (write->kind == WRITE_DELETE && condition != NULL) {
        const struct node *gone = presence(terms, NODE_ATTRIBUTE_NOT_EXISTS);
        condition = new_node(arena, NODE_OR, gone, condition);
    }
    write->condition = condition;
}

static enum write_kind kind_of(const struct statement *statement)
{
    switch (statement->kind) {
    case STATEMENT_INSERT:
        return WRITE_PUT;
    case STATEMENT_UPDATE:
        return WRITE_UPDATE;
    case STATEMENT_DELETE:
        return WRITE_DELETE;
    case STATEMENT_EXISTS:
        return WRITE_CHECK;
    case STATEMENT_SELECT:
        break;
    }
    check_failed("the statement writes", __FILE__, __LINE__);
}

enum write_plan_fault write_plan_make(struct call *call, const struct statement *statement,
                                      const struct table *table, struct write *write,
                                      struct slice *fault_key)
{
    write->kind = kind_of(statement);
    write->table = table;
    write->update = statement->update;
    write->flat_size = true;
    if (write->kind == WRITE_PUT) {
        write->item = write->key = statement->item;
        write->must_be_new = true;
        return WRITE_PLAN_FITS;
    }
    struct terms terms = {.call = call, .table = table};
    if (statement->where != NULL) take_terms(&terms, statement->where);
    const enum write_plan_fault fault = take_key(&terms, &write->key);
    *fault_key = terms.torn_key;
    if (fault != WRITE_PLAN_FITS) return fault;
    if (write->kind == WRITE_CHECK && terms.condition == NULL) return WRITE_PLAN_KEY_ALONE;
    set_condition(&terms, write);
    return WRITE_PLAN_FITS;
}

enum write_plan_fault write_plan_read_key(struct call *call, const struct statement *statement,
                                          const struct table *table, struct slice *key)
{
    struct terms terms = {.call = call, .table = table, .takes_in = true};
    if (statement->where != NULL) take_terms(&terms, statement->where);
    const enum write_plan_fault fault = take_key(&terms, key);
    return fault == WRITE_PLAN_FITS && terms.condition == NULL ? fault : WRITE_PLAN_KEY_MISSING;
}

struct slice write_plan_returned(const struct statement *statement, const struct write *write,
                                 struct arena *arena)
{
    const bool old =
        statement->returning == RETURNING_ALL_OLD || statement->returning == RETURNING_MODIFIED_OLD;
    const struct slice nothing = {0};
    const struct slice item = old ? write->old_item : write->new_item;
    switch (statement->returning) {
    case RETURNING_ALL_OLD:
    case RETURNING_ALL_NEW:
        return item;
    case RETURNING_MODIFIED_OLD:
    case RETURNING_MODIFIED_NEW: {
        const struct slice touched = projection_apply(statement->update->touched, item, arena);
        return value_read(touched).count > 0 ? touched : nothing;
    }
    case RETURNING_NOTHING:
        break;
    }
    return nothing;
}
