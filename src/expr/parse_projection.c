/* SPDX-License-Identifier: Apache-2.0 */
/* parse_projection — projection expressions: path {, path}. */
#include "expr/parse.h"

enum { PATHS_GUESS = 8 };

enum error_code parse_projection(struct call *call, const struct parse_source *source,
                                 const struct projection **projection)
{
    static const enum parse_error order[] = {PARSE_OPERATORS, PARSE_RESERVED, PARSE_PATH,
                                             PARSE_NAME,      PARSE_OVERLAP,  PARSE_CONFLICT};
    struct parser parser;
    TRY(parse_start(&parser, call, source));
    size_t capacity = PATHS_GUESS;
    size_t count = 0;
    struct path *paths = arena_array(call->arena, struct path, capacity);
    for (;;) {
        if (count == capacity) {
            paths = arena_grow(call->arena, paths, capacity * sizeof *paths,
                               2 * capacity * sizeof *paths);
            capacity *= 2;
        }
        TRY(parse_path(&parser, &paths[count]));
        parse_check_paths(&parser, paths, count, &paths[count]);
        count++;
        if (parser.current.kind != TOKEN_COMMA) break;
        parse_advance(&parser);
    }
    TRY(parse_expect(&parser, TOKEN_END));
    TRY(parse_report(&parser, order, sizeof order / sizeof order[0]));
    *projection = projection_new(call->arena, paths, count);
    return OK;
}
