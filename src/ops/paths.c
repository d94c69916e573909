/* SPDX-License-Identifier: Apache-2.0 */
/* paths — walks over the paths of expressions, looking for keys and for what an index lacks. */
#include "ops/paths.h"

/* ---- walking --------------------------------------------------------------------------------- */

/* Called for every path; the walk stops when it returns true. */
typedef bool path_visitor(void *context, const struct path *path);

static bool visit_node(const struct node *node, path_visitor *visit, void *context)
{
    if (node == NULL) return false;
    if (node->kind == NODE_PATH) return visit(context, &node->path);
    if (visit_node(node->left, visit, context)) return true;
    if (visit_node(node->right, visit, context)) return true;
    for (size_t i = 0; i < node->child_count; i++) {
        if (visit_node(node->children[i], visit, context)) return true;
    }
    return false;
}

static bool visit_projection(const struct projection *projection, path_visitor *visit,
                             void *context)
{
    for (size_t i = 0; i < projection->count; i++) {
        if (visit(context, &projection->paths[i])) return true;
    }
    return false;
}

static bool visit_update(const struct update *update, path_visitor *visit, void *context)
{
    for (size_t i = 0; i < update->count; i++) {
        if (visit(context, &update->actions[i].path)) return true;
        if (visit_node(update->actions[i].operand, visit, context)) return true;
    }
    return false;
}

/* What to walk over: exactly one of them. */
struct paths {
    const struct node *node;
    const struct projection *projection;
    const struct update *update;
};

static bool visit(const struct paths *paths, path_visitor *visitor, void *context)
{
    if (paths->projection != NULL) return visit_projection(paths->projection, visitor, context);
    if (paths->update != NULL) return visit_update(paths->update, visitor, context);
    return visit_node(paths->node, visitor, context);
}

/* ---- keys ------------------------------------------------------------------------------------ */

static bool begins_with_name(void *context, const struct path *path)
{
    return slice_equal(*(const struct slice *)context, path->steps[0].name);
}

static bool reaches_into_name(void *context, const struct path *path)
{
    return path->count > 1 && begins_with_name(context, path);
}

static bool is_nested(void *context, const struct path *path)
{
    (void)context;
    return path->count > 1;
}

/* The first attribute of the key that a path reaches into, or NULL. */
static const struct key_attribute *key_reached(const struct key_schema *key,
                                               const struct paths *paths)
{
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        struct slice name = key->attributes[i].name;
        if (visit(paths, reaches_into_name, &name)) return &key->attributes[i];
    }
    return NULL;
}

static enum error_code fail_reached(struct call *call, const char *role,
                                    const struct key_attribute *attribute)
{
    return fail(call, ERROR_VALIDATION,
                "Key attributes must be scalars; list random access '[]' and map lookup '.' are "
                "not allowed: %s: %.*s",
                role, SLICE_ARGS(attribute->name));
}

/* Table key first, then global indexes, then local ones: the service's order. */
static enum error_code check_scalars(struct call *call, const struct table *table,
                                     const struct paths *paths)
{
    if (!visit(paths, is_nested, NULL)) return OK;
    const struct key_attribute *reached = key_reached(&table->key, paths);
    if (reached != NULL) return fail_reached(call, "Key", reached);

    const enum index_kind kinds[] = {INDEX_GLOBAL, INDEX_LOCAL};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        for (size_t i = 0; i < table->index_count; i++) {
            if (table->indexes[i].kind != kinds[k]) continue;
            reached = key_reached(&table->indexes[i].key, paths);
            if (reached != NULL) return fail_reached(call, "IndexKey", reached);
        }
    }
    return OK;
}

enum error_code paths_check_projection(struct call *call, const struct table *table,
                                       const struct projection *projection)
{
    if (projection == NULL) return OK;
    return check_scalars(call, table, &(struct paths){.projection = projection});
}

enum error_code paths_check_filter(struct call *call, const struct table *table,
                                   const struct node *filter)
{
    if (filter == NULL) return OK;
    return check_scalars(call, table, &(struct paths){.node = filter});
}

static bool update_touches(const struct update *update, struct slice name)
{
    for (size_t i = 0; i < update->count; i++) {
        if (slice_equal(update->actions[i].path.steps[0].name, name)) return true;
    }
    return false;
}

enum error_code paths_check_update(struct call *call, const struct table *table,
                                   const struct update *update)
{
    if (update == NULL) return OK;
    for (unsigned i = 0; i < key_schema_count(&table->key); i++) {
        struct slice name = table->key.attributes[i].name;
        if (!update_touches(update, name)) continue;
        return fail(call, ERROR_VALIDATION,
                    "One or more parameter values were invalid: Cannot update attribute %.*s. This "
                    "attribute is part of the key",
                    SLICE_ARGS(name));
    }
    return check_scalars(call, table, &(struct paths){.update = update});
}

enum error_code paths_check_filter_keys(struct call *call, const struct key_schema *key,
                                        const struct node *filter, const char *what)
{
    for (unsigned i = 0; i < key_schema_count(key); i++) {
        struct slice name = key->attributes[i].name;
        if (!visit_node(filter, begins_with_name, &name)) continue;
        return fail(call, ERROR_VALIDATION,
                    "%s can only contain non-primary key attributes: Primary key attribute: %.*s",
                    what, SLICE_ARGS(name));
    }
    return OK;
}

/* ---- indexes --------------------------------------------------------------------------------- */

/* The names found so far, in the order of the paths. */
struct missing {
    struct arena *arena;
    const struct index *index;
    struct slice *names;
    size_t count;
};

static bool collect_missing(void *context, const struct path *path)
{
    struct missing *missing = context;
    struct slice name = path->steps[0].name;
    if (index_projects(missing->index, name)) return false;
    for (size_t i = 0; i < missing->count; i++) {
        if (slice_equal(missing->names[i], name)) return false;
    }
    size_t size = missing->count * sizeof name;
    missing->names = arena_grow(missing->arena, missing->names, size, size + sizeof name);
    missing->names[missing->count++] = name;
    return false;
}

static struct slice unprojected(struct arena *arena, const struct index *index,
                                const struct paths *paths)
{
    struct missing missing = {.arena = arena, .index = index};
    visit(paths, collect_missing, &missing);
    struct buffer text = buffer_open(arena, 0);
    for (size_t i = 0; i < missing.count; i++) {
        if (i > 0) BUFFER_TEXT(&text, ", ");
        buffer_append(&text, missing.names[i]);
    }
    return buffer_slice(&text);
}

struct slice paths_unprojected(struct arena *arena, const struct index *index,
                               const struct projection *projection)
{
    return unprojected(arena, index, &(struct paths){.projection = projection});
}

struct slice paths_unprojected_by_filter(struct arena *arena, const struct index *index,
                                         const struct node *filter)
{
    return unprojected(arena, index, &(struct paths){.node = filter});
}
