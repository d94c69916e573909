/* SPDX-License-Identifier: Apache-2.0 */
/*
 * projection — cutting the named parts out of an encoded item.
 *
 * The paths become a tree once. Its children are sorted as maps and lists are, so applying it is
 * one walk down the item and the tree side by side, and a part that is taken whole is one copy.
 */
#include "expr/node.h"

#include "model/limits.h"
#include <stdlib.h>

struct tree {
    struct path_step step;
    bool whole; /* a path ends here; there are no children then */
    struct tree *children;
    size_t child_count;
};

static struct tree *build(struct arena *arena, const struct path **paths, size_t count,
                          size_t depth);
static uint32_t cut(struct buffer *out, const struct tree *tree, struct value container);

/* ---- building -------------------------------------------------------------------------------- */

/* Names before indexes, in the order in which containers are walked. */
static int compare_steps(const struct path_step *a, const struct path_step *b)
{
    if (a->name.data == NULL || b->name.data == NULL) {
        if (a->name.data != b->name.data) return a->name.data == NULL ? 1 : -1;
        return (a->index > b->index) - (a->index < b->index);
    }
    return slice_compare(a->name, b->name);
}

/* A path sorts before those that it begins. */
static int compare_paths(const void *a, const void *b)
{
    const struct path *left = *(const struct path *const *)a;
    const struct path *right = *(const struct path *const *)b;
    for (size_t i = 0; i < left->count && i < right->count; i++) {
        const int order = compare_steps(&left->steps[i], &right->steps[i]);
        if (order != 0) return order;
    }
    return (left->count > right->count) - (left->count < right->count);
}

const struct projection *projection_new(struct arena *arena, const struct path *paths, size_t count)
{
    const struct path **sorted = arena_array(arena, const struct path *, count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        /* Nothing stands as deep as a longer path leads, and so the recursion is bounded. */
        if (paths[i].count <= LIMIT_NESTING_LEVELS + 1) sorted[kept++] = &paths[i];
    }
    if (kept > 1) qsort(sorted, kept, sizeof sorted[0], compare_paths);
    struct projection *projection = arena_new(arena, struct projection);
    projection->paths = paths;
    projection->count = count;
    projection->tree = build(arena, sorted, kept, 0);
    return projection;
}

/* How many of the sorted paths share the first one's step at this depth. */
static size_t group_length(const struct path **paths, size_t count, size_t depth)
{
    size_t length = 1;
    while (length < count &&
           compare_steps(&paths[0]->steps[depth], &paths[length]->steps[depth]) == 0) {
        length++;
    }
    return length;
}

/* The tree of sorted paths that agree on all steps before depth, and all go further. */
static struct tree *build(struct arena *arena, const struct path **paths, size_t count,
                          size_t depth)
{
    struct tree *tree = arena_new(arena, struct tree);
    tree->children = arena_array(arena, struct tree, count);
    for (size_t at = 0; at < count;) {
        const size_t length = group_length(paths + at, count - at, depth);
        struct tree child = {.whole = true};
        if (paths[at]->count > depth + 1) child = *build(arena, paths + at, length, depth + 1);
        child.step = paths[at]->steps[depth];
        tree->children[tree->child_count++] = child;
        at += length;
    }
    return tree;
}

/* ---- applying -------------------------------------------------------------------------------- */

struct slice projection_apply(const struct projection *projection, struct slice item,
                              struct arena *arena)
{
    if (item.length == 0) return item_empty();
    struct buffer out = buffer_open(arena, item.length);
    const size_t mark = value_begin(&out, VALUE_MAP);
    const uint32_t count = cut(&out, projection->tree, value_read(item));
    value_end(&out, mark, count);
    return buffer_slice(&out);
}

/* Writes what the tree names of a value; false, and nothing is written, when that is nothing. */
static bool write_part(struct buffer *out, const struct tree *tree, struct value value)
{
    if (tree->whole) {
        value_write_encoded(out, value.encoded);
        return true;
    }
    if (value.type != VALUE_MAP && value.type != VALUE_LIST) return false;
    const size_t mark = value_begin(out, value.type);
    const uint32_t count = cut(out, tree, value);
    if (count == 0) {
        out->length = mark;
        return false;
    }
    value_end(out, mark, count);
    return true;
}

static uint32_t cut_map(struct buffer *out, const struct tree *tree, struct value map)
{
    struct value_walk walk = {0};
    struct slice name;
    struct value value;
    uint32_t count = 0;
    size_t child = 0;
    while (value_next(map, &walk, &name, &value)) {
        int order = -1;
        for (; child < tree->child_count; child++) {
            const struct path_step *step = &tree->children[child].step;
            if (step->name.data == NULL) return count; /* only indexes follow */
            order = slice_compare(name, step->name);
            if (order <= 0) break;
        }
        if (child == tree->child_count) break;
        if (order < 0) continue;
        const size_t mark = out->length;
        value_write_name(out, name);
        if (write_part(out, &tree->children[child], value)) {
            count++;
        } else {
            out->length = mark;
        }
        child++;
    }
    return count;
}

static uint32_t cut_list(struct buffer *out, const struct tree *tree, struct value list)
{
    struct value_walk walk = {0};
    struct value value;
    uint32_t count = 0;
    uint32_t index = 0;
    size_t child = 0;
    while (child < tree->child_count && tree->children[child].step.name.data != NULL)
        child++;
    for (; child < tree->child_count && value_next(list, &walk, NULL, &value); index++) {
        if (tree->children[child].step.index != index) continue;
        if (write_part(out, &tree->children[child], value)) count++;
        child++;
    }
    return count;
}

/* Writes the parts of a container's elements and returns how many there are. */
static uint32_t cut(struct buffer *out, const struct tree *tree, struct value container)
{
    return container.type == VALUE_MAP ? cut_map(out, tree, container)
                                       : cut_list(out, tree, container);
}
