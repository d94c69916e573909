/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words — a PartiQL statement cut into words: names, literals, signs.
 *
 * White space and comments (-- to the end of the line, slash-star to star-slash) are passed over.
 * Keywords are names: the grammar says where a name is a keyword. There are no errors here; what no
 * grammar wants is WORD_BAD.
 */
#ifndef STATOR_PARTIQL_WORDS_H
#define STATOR_PARTIQL_WORDS_H

#include "base/arena.h"

enum word_kind {
    WORD_END,
    WORD_BAD,    /* an unknown character; a quote or comment that does not end */
    WORD_NAME,   /* unquoted: an attribute, a table, a function, a keyword */
    WORD_QUOTED, /* "name": never a keyword */
    WORD_STRING, /* 'text' */
    WORD_NUMBER, /* without a sign */
    WORD_PARAMETER,
    WORD_EQ,
    WORD_NE, /* <> or != */
    WORD_LT,
    WORD_LE,
    WORD_GT,
    WORD_GE,
    WORD_OPEN,
    WORD_CLOSE,
    WORD_OPEN_BRACKET,
    WORD_CLOSE_BRACKET,
    WORD_OPEN_BRACE,
    WORD_CLOSE_BRACE,
    WORD_OPEN_BAG, /* << */
    WORD_CLOSE_BAG,
    WORD_COMMA,
    WORD_COLON,
    WORD_SEMICOLON,
    WORD_DOT,
    WORD_STAR,
    WORD_PLUS,
    WORD_MINUS,
    WORD_OTHER_OPERATOR, /* slash, percent, two bars: the language has them, the service does not */
};

struct word {
    enum word_kind kind;
    struct slice raw;  /* in the statement; empty, and where it ends, for WORD_END */
    struct slice text; /* what stands between quotes, doubled ones made single; else raw */
};

/* The first word at or after offset, which moves behind it. */
struct word words_next(struct arena *arena, struct slice statement, size_t *offset);

#endif
