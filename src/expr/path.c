/* SPDX-License-Identifier: Apache-2.0 */
/* path — following a document path through an encoded item. */
#include "expr/node.h"

static struct value step_into(struct value container, const struct path_step *step)
{
    if (step->name.data != NULL) {
        if (container.type == VALUE_MAP) return value_member(container, step->name);
    } else if (container.type == VALUE_LIST) {
        return value_element(container, step->index);
    }
    return (struct value){0};
}

struct value path_find(const struct path *path, struct slice item)
{
    CHECK(path->count > 0);
    struct value found = item_attribute(item, path->steps[0].name);
    for (size_t i = 1; i < path->count && found.type != VALUE_ABSENT; i++) {
        found = step_into(found, &path->steps[i]);
    }
    return found;
}

struct slice path_print(struct arena *arena, const struct path *path)
{
    struct buffer out = buffer_open(arena, 0);
    BUFFER_TEXT(&out, "[");
    for (size_t i = 0; i < path->count; i++) {
        if (i > 0) BUFFER_TEXT(&out, ", ");
        const struct path_step *step = &path->steps[i];
        if (step->name.data != NULL) {
            buffer_append(&out, step->name);
        } else {
            buffer_append_format(&out, "[%u]", (unsigned)step->index);
        }
    }
    BUFFER_TEXT(&out, "]");
    return buffer_slice(&out);
}

enum path_relation path_relate(const struct path *a, const struct path *b)
{
    const size_t common = a->count < b->count ? a->count : b->count;
    for (size_t i = 0; i < common; i++) {
        const struct path_step *left = &a->steps[i];
        const struct path_step *right = &b->steps[i];
        if ((left->name.data == NULL) != (right->name.data == NULL)) return PATHS_CONFLICT;
        if (left->index != right->index) return PATHS_APART;
        if (!slice_equal(left->name, right->name)) return PATHS_APART;
    }
    return PATHS_OVERLAP;
}
