/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse — what the parsers of conditions, updates and projections share: tokens, errors, paths and
 * operands.
 *
 * A syntax error ends the parse at once. Everything else that can be wrong is noted, the first of
 * each kind, and parsing goes on: the service reports by kind, not by place. A node that could not
 * be made is replaced by a value of no type, which nobody evaluates because the parse fails in the
 * end.
 */
#ifndef STATOR_EXPR_PARSE_H
#define STATOR_EXPR_PARSE_H

#include "expr/lex.h"
#include "expr/node.h"
#include "expr/placeholders.h"

/* Kinds of errors. Each grammar reports them in an order of its own. */
enum parse_error {
    PARSE_PARENTHESES, /* redundant ones */
    PARSE_OPERATORS,   /* too many */
    PARSE_UNKNOWN_FUNCTION,
    PARSE_MISUSED_FUNCTION,
    PARSE_RESERVED, /* a reserved word as an attribute name */
    PARSE_PATH,     /* too deep, or an index beyond any list */
    PARSE_SECTION,  /* used twice */
    PARSE_NAME,     /* not defined */
    PARSE_VALUE,    /* not defined */
    PARSE_OVERLAP,  /* of paths */
    PARSE_CONFLICT,
    PARSE_OPERAND_COUNT,
    PARSE_DISTINCT,  /* the first operand from the others */
    PARSE_FUNCTION,  /* operand types and values */
    PARSE_ACTION,    /* the operand type of ADD or DELETE */
    PARSE_CONDITION, /* the first condition with any of NAME, VALUE, COUNT, DISTINCT, FUNCTION */
    PARSE_ERRORS,
};

struct parser {
    struct call *call;
    const char *parameter; /* "ConditionExpression", … */
    struct slice text;
    const struct placeholders *names;
    const struct placeholders *values;
    enum parse_error value_error; /* the kind that undefined values are noted as */
    enum parse_error count_error; /* and wrong numbers of operands */
    bool only_size_nests;         /* no other function makes an operand */
    size_t offset;                /* behind next */
    struct token previous;        /* what is consumed last; TOKEN_END before the first */
    struct token current;
    struct token next;
    unsigned depth;
    unsigned operators;
    struct slice errors[PARSE_ERRORS]; /* empty: none */
};

/* An expression's inputs. */
struct parse_source {
    const char *parameter;
    struct slice text;
    const struct placeholders *names;
    const struct placeholders *values;
};

/* How an operand may be used. */
enum parse_form {
    PARSE_OPERAND,    /* a path, a value, size() */
    PARSE_CALL,       /* a function that is a condition; also size(), before it is known */
    PARSE_TRUTH,      /* a comparison, AND, OR, NOT: no operand */
    PARSE_ARITHMETIC, /* a + b: only where SET wants a value */
};

struct parse_part {
    const struct node *node;
    enum parse_form form;
    bool parenthesised;
    struct slice function; /* of a call: its name */
};

/* The grammars. The results live in the call's arena. */
enum error_code parse_condition(struct call *call, const struct parse_source *source,
                                const struct node **condition) WARN_UNUSED;
enum error_code parse_update(struct call *call, const struct parse_source *source,
                             const struct update **update) WARN_UNUSED;
enum error_code parse_projection(struct call *call, const struct parse_source *source,
                                 const struct projection **projection) WARN_UNUSED;

/* ---- for the grammars ------------------------------------------------------------------------ */

/* Checks the size and reads the first tokens. */
enum error_code parse_start(struct parser *parser, struct call *call,
                            const struct parse_source *source) WARN_UNUSED;

/* Fails with a syntax error at the current token. */
enum error_code parse_syntax_error(struct parser *parser) WARN_UNUSED;

/* Consumes the current token. */
void parse_advance(struct parser *parser);

/* Consumes a token of this kind or fails. */
enum error_code parse_expect(struct parser *parser, enum token_kind kind) WARN_UNUSED;

/* Entering and leaving brackets and operators that nest; too deep is an error. */
enum error_code parse_enter(struct parser *parser) WARN_UNUSED;
void parse_leave(struct parser *parser);

/* Notes the first error of its kind; the prefix "Invalid …Expression: " is added when it is told.
 */
void parse_note(struct parser *parser, enum parse_error error, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* Counts an operator or function. */
void parse_count_operator(struct parser *parser);

/* Fails with the first noted error in this order; OK when there is none. */
enum error_code parse_report(struct parser *parser, const enum parse_error *order,
                             size_t count) WARN_UNUSED;

/* Notes redundant parentheses when what they enclose stands in parentheses. */
void parse_close_part(struct parser *parser, struct parse_part *part);

enum error_code parse_path(struct parser *parser, struct path *path) WARN_UNUSED;
enum error_code parse_value(struct parser *parser, const struct node **node) WARN_UNUSED;

/* What a grammar makes of a function call; of the count operands, only the first two are there. */
typedef const struct node *parse_call(struct parser *parser, struct slice function,
                                      const struct parse_part *operands, size_t count);

/* Path, value or function, in parentheses or not. */
enum error_code parse_operand(struct parser *parser, parse_call *make_call,
                              struct parse_part *part) WARN_UNUSED;
/* As parse_operand, but without parentheses. */
enum error_code parse_simple_operand(struct parser *parser, parse_call *make_call,
                                     struct parse_part *part) WARN_UNUSED;

/* The type that a literal operand has, VALUE_ABSENT when only the item will tell. */
enum value_type parse_literal_type(const struct node *node);

/* Notes a function as an operand where it cannot be one. */
void parse_check_operand(struct parser *parser, const struct parse_part *part);

/* Notes a wrong number of operands of a function. */
bool parse_check_count(struct parser *parser, struct slice function, size_t count, size_t wanted);

/* Notes "Incorrect operand type …". */
void parse_note_type(struct parser *parser, struct slice function, const char *type);

/* Notes paths that overlap or conflict with this one among the count before it. */
void parse_check_paths(struct parser *parser, const struct path *paths, size_t count,
                       const struct path *path);

struct node *parse_node(struct parser *parser, enum node_kind kind, const struct node *left,
                        const struct node *right);

/* Stands for what could not be made. */
const struct node *parse_dummy(struct parser *parser);

#endif
