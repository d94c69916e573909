/* SPDX-License-Identifier: Apache-2.0 */
/* statement — the grammar of statements; their conditions, changes and literals have files of their
 * own. */
#include "partiql/statement.h"

#include "partiql/change.h"
#include "partiql/literal.h"
#include "partiql/where.h"

static enum error_code parse_select(struct parser *parser, struct statement *statement);
static enum error_code parse_insert(struct parser *parser, struct statement *statement);
static enum error_code parse_update(struct parser *parser, struct statement *statement);
static enum error_code parse_delete(struct parser *parser, struct statement *statement);
static enum error_code parse_exists(struct parser *parser, struct statement *statement);

/* statement ::= ( select | insert | update | delete | EXISTS "(" select ")" ) [ ";" ] */
enum error_code statement_parse(struct call *call, const struct statement_input *input,
                                struct statement *statement)
{
    struct parser parser;
    *statement = (struct statement){0};
    parser_open(&parser, call, input->text);
    parser.parameters = input->parameters;
    parser.parameter_count = input->parameter_count;
    if (parser_take(&parser, "SELECT")) {
        TRY(parse_select(&parser, statement));
    } else if (parser_take(&parser, "INSERT")) {
        TRY(parse_insert(&parser, statement));
    } else if (parser_take(&parser, "UPDATE")) {
        TRY(parse_update(&parser, statement));
    } else if (parser_take(&parser, "DELETE")) {
        TRY(parse_delete(&parser, statement));
    } else if (parser_at_call(&parser, "EXISTS")) {
        TRY(parse_exists(&parser, statement));
    } else {
        return parser_malformed(&parser, "Expected data manipulation");
    }
    parser_take_kind(&parser, WORD_SEMICOLON);
    if (parser.current.kind != WORD_END)
        return parser_malformed(&parser, "Unexpected token after expression");
    if (parser.parameters_used == parser.parameter_count) return OK;
    return parser_refuse(&parser, "Number of parameters in request and statement don't match.");
}

/* ---- tables ---------------------------------------------------------------------------------- */

/* source ::= name [ "." name ] */
static enum error_code parse_source(struct parser *parser, struct statement *statement)
{
    TRY(parser_name(parser, &statement->table));
    if (!parser_take_kind(parser, WORD_DOT)) return OK;
    TRY(parser_name(parser, &statement->index));
    if (parser->current.kind != WORD_DOT) return OK;
    return parser_refuse(parser, "A path may contain at most 2 components in the FROM clause");
}

/* [ WHERE condition ] */
static enum error_code parse_where(struct parser *parser, struct statement *statement)
{
    return parser_take(parser, "WHERE") ? where_parse(parser, &statement->where) : OK;
}

/* ---- SELECT ---------------------------------------------------------------------------------- */

/* From the last name on: m.k[1] is k[1]. */
static struct slice make_label(struct arena *arena, const struct path *path)
{
    size_t first = path->count - 1;
    while (path->steps[first].name.data == NULL)
        first--;
    if (first == path->count - 1) return path->steps[first].name;
    struct buffer label = buffer_open(arena, 0);
    buffer_append(&label, path->steps[first].name);
    for (size_t i = first + 1; i < path->count; i++)
        buffer_append_format(&label, "[%u]", (unsigned)path->steps[i].index);
    return buffer_slice(&label);
}

/* What a column may not be: COUNT(*), size(a), a AS b. */
static enum error_code refuse_call(struct parser *parser)
{
    const struct slice place = parser_place(parser, &parser->current);
    return parser_refuse(parser, "Unexpected path component at %.*s", SLICE_ARGS(place));
}

static enum error_code add_column(struct parser *parser, struct statement *statement,
                                  struct statement_column **columns)
{
    enum { COLUMNS_AT_FIRST = 4 };
    struct arena *arena = parser->call->arena;
    struct statement_column column = {0};
    if (parser->current.kind == WORD_NAME && parser->next.kind == WORD_OPEN)
        return refuse_call(parser);
    if (parser->current.kind == WORD_STAR) {
        return parser_refuse(parser, "Other attributes should not be present in the projection "
                                     "when '*' is used.");
    }
    TRY(parser_path(parser, &column.path));
    if (parser_at(parser, "AS")) return parser_refuse(parser, "Aliasing is not supported");
    column.label = make_label(arena, &column.path);
    const size_t count = statement->column_count;
    for (size_t i = 0; i < count; i++) {
        if (!slice_equal((*columns)[i].label, column.label)) continue;
        return parser_refuse(parser, "Duplicate identifiers in select clause: %.*s",
                             SLICE_ARGS(column.label));
    }
    if (count == 0 || (count >= COLUMNS_AT_FIRST && (count & (count - 1)) == 0)) {
        const size_t capacity = count == 0 ? COLUMNS_AT_FIRST : 2 * count;
        *columns = arena_grow(arena, *columns, count * sizeof column, capacity * sizeof column);
    }
    (*columns)[statement->column_count++] = column;
    return OK;
}

/* columns ::= "*" | path { "," path } */
static enum error_code parse_columns(struct parser *parser, struct statement *statement)
{
    if (parser_take_kind(parser, WORD_STAR)) {
        if (parser->current.kind != WORD_COMMA) return OK;
        return parser_refuse(parser, "Other attributes should not be present in the projection "
                                     "when '*' is used.");
    }
    struct statement_column *columns = NULL;
    do {
        TRY(add_column(parser, statement, &columns));
    } while (parser_take_kind(parser, WORD_COMMA));
    statement->columns = columns;
    struct path *paths = arena_array(parser->call->arena, struct path, statement->column_count);
    for (size_t i = 0; i < statement->column_count; i++)
        paths[i] = columns[i].path;
    statement->projection = projection_new(parser->call->arena, paths, statement->column_count);
    return OK;
}

/* order ::= name [ ASC | DESC ] { "," name [ ASC | DESC ] } */
static enum error_code parse_order(struct parser *parser, struct statement *statement)
{
    enum { ORDERS_MAX = 2 * LIMIT_INDEX_KEY_ATTRIBUTES };
    struct statement_order *orders =
        arena_array(parser->call->arena, struct statement_order, ORDERS_MAX);
    TRY(parser_expect(parser, "BY"));
    do {
        if (statement->order_count == ORDERS_MAX)
            return parser_malformed(parser, "Too many keys in ORDER BY");
        struct statement_order *order = &orders[statement->order_count++];
        TRY(parser_name(parser, &order->name));
        order->descending = parser_take(parser, "DESC");
        if (!order->descending) parser_take(parser, "ASC");
    } while (parser_take_kind(parser, WORD_COMMA));
    statement->orders = orders;
    return OK;
}

/* Clauses that the language has and the service has not. */
static enum error_code refuse_clauses(struct parser *parser)
{
    static const char *const clauses[] = {"LIMIT", "OFFSET", "GROUP", "HAVING", "LET", "PIVOT"};
    for (size_t i = 0; i < sizeof clauses / sizeof clauses[0]; i++) {
        if (!parser_at(parser, clauses[i])) continue;
        const struct slice place = parser_place(parser, &parser->next);
        return parser_refuse(parser, "Unsupported clause: %s at %.*s", clauses[i],
                             SLICE_ARGS(place));
    }
    return OK;
}

/* select ::= SELECT columns FROM source [ WHERE condition ] [ ORDER BY order ] */
static enum error_code parse_select(struct parser *parser, struct statement *statement)
{
    statement->kind = STATEMENT_SELECT;
    TRY(parse_columns(parser, statement));
    TRY(parser_expect(parser, "FROM"));
    TRY(parse_source(parser, statement));
    if (parser->current.kind == WORD_COMMA || parser_at(parser, "JOIN"))
        return parser_refuse(parser, "Only select from a single table or index is supported.");
    if (parser_at(parser, "AS")) return parser_refuse(parser, "Aliasing is not supported");
    TRY(parse_where(parser, statement));
    if (parser_take(parser, "ORDER")) TRY(parse_order(parser, statement));
    return refuse_clauses(parser);
}

struct slice statement_project(const struct statement *statement, struct slice item,
                               struct arena *arena)
{
    if (statement->column_count == 0) return item;
    struct attribute *found = arena_array(arena, struct attribute, statement->column_count);
    size_t count = 0;
    for (size_t i = 0; i < statement->column_count; i++) {
        const struct value value = path_find(&statement->columns[i].path, item);
        if (value.type == VALUE_ABSENT) continue;
        found[count++] = (struct attribute){statement->columns[i].label, value.encoded};
    }
    return item_build(arena, found, count);
}

/* exists ::= EXISTS "(" SELECT … ")" */
static enum error_code parse_exists(struct parser *parser, struct statement *statement)
{
    parser_advance(parser);
    parser_advance(parser);
    TRY(parser_expect(parser, "SELECT"));
    TRY(parse_select(parser, statement));
    statement->kind = STATEMENT_EXISTS;
    return parser_expect_kind(parser, WORD_CLOSE, ")");
}

/* ---- writes ---------------------------------------------------------------------------------- */

/* insert ::= INSERT INTO name VALUE tuple */
static enum error_code parse_insert(struct parser *parser, struct statement *statement)
{
    statement->kind = STATEMENT_INSERT;
    TRY(parser_expect(parser, "INTO"));
    const struct word table = parser->current;
    TRY(parse_source(parser, statement));
    if (statement->index.data != NULL) {
        const struct slice place = parser_place(parser, &table);
        return parser_refuse(parser,
                             "FROM clause may only contain a single table name in data "
                             "manipulation statements at %.*s",
                             SLICE_ARGS(place));
    }
    TRY(parser_expect(parser, "VALUE"));
    TRY(literal_parse_item(parser, &statement->item));
    if (!parser_at(parser, "RETURNING")) return OK;
    return parser_refuse(parser, "RETURNING is not supported in INSERT");
}

/* returning ::= RETURNING ( ALL | MODIFIED ) ( OLD | NEW ) "*" */
static enum error_code parse_returning(struct parser *parser, struct statement *statement)
{
    if (!parser_take(parser, "RETURNING")) return OK;
    const bool modified = parser_take(parser, "MODIFIED");
    if (!modified) TRY(parser_expect(parser, "ALL"));
    const bool old = parser_take(parser, "OLD");
    if (!old) TRY(parser_expect(parser, "NEW"));
    TRY(parser_expect_kind(parser, WORD_STAR,
                           "'*' after ( MODIFIED | ALL ) ( NEW | OLD ) in RETURNING clause"));
    if (modified) {
        statement->returning = old ? RETURNING_MODIFIED_OLD : RETURNING_MODIFIED_NEW;
    } else {
        statement->returning = old ? RETURNING_ALL_OLD : RETURNING_ALL_NEW;
    }
    return OK;
}

static enum error_code refuse_index(struct parser *parser, const struct statement *statement)
{
    if (statement->index.data == NULL) return OK;
    return parser_refuse(parser, "This operation is not supported on an index");
}

/* update ::= UPDATE source changes [ WHERE condition ] [ returning ] */
static enum error_code parse_update(struct parser *parser, struct statement *statement)
{
    statement->kind = STATEMENT_UPDATE;
    TRY(parse_source(parser, statement));
    TRY(change_parse(parser, &statement->update));
    TRY(parse_where(parser, statement));
    TRY(parse_returning(parser, statement));
    return refuse_index(parser, statement);
}

/* delete ::= DELETE FROM source [ WHERE condition ] [ RETURNING ALL OLD "*" ] */
static enum error_code parse_delete(struct parser *parser, struct statement *statement)
{
    static const char *const words[] = {"", "ALL OLD", "ALL NEW", "MODIFIED OLD", "MODIFIED NEW"};
    statement->kind = STATEMENT_DELETE;
    TRY(parser_expect(parser, "FROM"));
    TRY(parse_source(parser, statement));
    TRY(parse_where(parser, statement));
    TRY(parse_returning(parser, statement));
    TRY(refuse_index(parser, statement));
    if (statement->returning <= RETURNING_ALL_OLD) return OK;
    return parser_refuse(parser,
                         "Invalid returning clause: RETURNING %s *. Only RETURNING ALL OLD * is "
                         "allowed in DELETE statements.",
                         words[statement->returning]);
}
