/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parser — what the grammars of PartiQL share: words, errors, names, paths, parameters.
 *
 * Parameters are known when a statement is parsed, so a ? is a value like any other.
 */
#ifndef STATOR_PARTIQL_PARSER_H
#define STATOR_PARTIQL_PARSER_H

#include "expr/node.h"
#include "partiql/words.h"

struct parser {
    struct call *call;
    struct slice text;
    size_t offset; /* behind next */
    struct word current;
    struct word next;
    const struct value *parameters;
    size_t parameter_count;
    size_t parameters_used;
    unsigned depth;
    unsigned operators;
};

/* Reads the first words. */
void parser_open(struct parser *parser, struct call *call, struct slice text);

void parser_advance(struct parser *parser);

/* The current word is this keyword, in any case. */
bool parser_at(const struct parser *parser, const char *keyword);

/* The current word is this name and a parenthesis opens behind it. */
bool parser_at_call(const struct parser *parser, const char *function);

/* Consumes a keyword, a word of this kind, if it is there. */
bool parser_take(struct parser *parser, const char *keyword);
bool parser_take_kind(struct parser *parser, enum word_kind kind);

/* Consumes it or fails. */
enum error_code parser_expect(struct parser *parser, const char *keyword) WARN_UNUSED;
enum error_code parser_expect_kind(struct parser *parser, enum word_kind kind,
                                   const char *what) WARN_UNUSED;

/* Fails: "Statement wasn't well formed, can't be processed: …". */
enum error_code parser_malformed(struct parser *parser, const char *format, ...) PRINTF_LIKE(2, 3);

/* Fails in the service's own words, without that prefix. */
enum error_code parser_refuse(struct parser *parser, const char *format, ...) PRINTF_LIKE(2, 3);

/* Where a word stands, as messages say it: line:column:length. */
struct slice parser_place(const struct parser *parser, const struct word *word);

/* Entering and leaving what nests; too deep is an error. */
enum error_code parser_enter(struct parser *parser) WARN_UNUSED;
void parser_leave(struct parser *parser);

/* Counts an operator or function against the limit of expressions. */
enum error_code parser_count(struct parser *parser) WARN_UNUSED;

/* A name, quoted or not. */
enum error_code parser_name(struct parser *parser, struct slice *name) WARN_UNUSED;

enum error_code parser_path(struct parser *parser, struct path *path) WARN_UNUSED;

/* The value of the ? that is current. */
enum error_code parser_parameter(struct parser *parser, struct value *value) WARN_UNUSED;

/* True where a path may begin: at a name that is no literal and no call. */
bool parser_at_path(const struct parser *parser);

struct node *parser_node(struct parser *parser, enum node_kind kind, const struct node *left,
                         const struct node *right);
const struct node *parser_value_node(struct parser *parser, struct value value);

/* Fails: "Incorrect operand type for operator or function; …". */
enum error_code parser_wrong_type(struct parser *parser, const char *operator_name,
                                  enum value_type type);

#endif
