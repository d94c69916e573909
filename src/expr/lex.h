/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lex — the tokens of expressions: one lexer for conditions, updates and projections.
 *
 * Every expression knows all keywords, whether its grammar uses them or not, and anything the lexer
 * does not know is a token of its own, so a syntax error always has a token to name. There are no
 * lexer errors.
 */
#ifndef STATOR_EXPR_LEX_H
#define STATOR_EXPR_LEX_H

#include "base/slice.h"

enum token_kind {
    TOKEN_END,
    TOKEN_UNKNOWN, /* one character, or a quoted string: nothing that any grammar wants */
    TOKEN_IDENTIFIER,
    TOKEN_NAME,  /* #name */
    TOKEN_VALUE, /* :value */
    TOKEN_INDEX, /* 0, or digits that begin with another */
    TOKEN_COMMA,
    TOKEN_DOT,
    TOKEN_OPEN,  /* ( */
    TOKEN_CLOSE, /* ) */
    TOKEN_OPEN_BRACKET,
    TOKEN_CLOSE_BRACKET,
    TOKEN_EQ,
    TOKEN_NE,
    TOKEN_LT,
    TOKEN_LE,
    TOKEN_GT,
    TOKEN_GE,
    TOKEN_PLUS,
    TOKEN_MINUS,
    /* keywords, in any case */
    TOKEN_IN,
    TOKEN_BETWEEN,
    TOKEN_NOT,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_SET,
    TOKEN_ADD,
    TOKEN_DELETE,
    TOKEN_REMOVE,
};

struct token {
    enum token_kind kind;
    struct slice text; /* in the expression; empty, and where it ends, for TOKEN_END */
};

/* The first token at or after offset, which moves behind it. */
struct token lex_next(struct slice expression, size_t *offset);

/* True for letters, digits and underscores: what identifiers and placeholders continue with. */
bool lex_is_word(uint8_t byte);

#endif
