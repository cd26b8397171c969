/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_cursor.h - where in a JSON text we are, and whether it is sound so far.
 *
 * The JSON library builds values, but says neither line nor column, and lets pass what must not reach a store: overlong UTF-8, halves of
 * surrogate pairs, vertical tabs, tokens and nesting without bound. The cursor walks over the same bytes first and stops at the first that
 * is wrong, so every fault has one exact place, whatever the library and however the text came in pieces.
 */
#ifndef CLI_JSON_CURSOR_H
#define CLI_JSON_CURSOR_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { JSON_MAX_DEPTH = 64, JSON_MAX_TOKEN_BYTES = 8 << 20 };

typedef enum json_fault_kind {
    JSON_SOUND,
    JSON_UNEXPECTED,
    JSON_END,
    JSON_TOO_DEEP,
    JSON_NOT_UTF8,
    JSON_HALF_PAIR,
    JSON_TOO_LONG
} json_fault_kind_t;

typedef struct json_position {
    uint64_t line, column; /* from 1; columns in characters */
    unsigned char byte;    /* what stands there */
} json_position_t;

typedef struct json_fault {
    json_fault_kind_t kind;
    json_position_t at;
} json_fault_t;

typedef enum json_lexeme {
    LEX_BETWEEN,
    LEX_LITERAL,
    LEX_MINUS,
    LEX_ZERO,
    LEX_INTEGER,
    LEX_POINT,
    LEX_FRACTION,
    LEX_EXPONENT,
    LEX_EXPONENT_SIGN,
    LEX_EXPONENT_DIGITS,
    LEX_STRING,
    LEX_ESCAPE,
    LEX_HEX
} json_lexeme_t;

/* What may come between tokens. At the top level: a value, any number of times. */
typedef enum json_expected {
    EXPECT_VALUE,
    EXPECT_VALUE_OR_END,
    EXPECT_KEY,
    EXPECT_KEY_OR_END,
    EXPECT_COLON,
    EXPECT_COMMA_OR_END
} json_expected_t;

typedef struct json_cursor {
    json_position_t next;  /* the byte to come */
    json_position_t token; /* the first byte of the current, or last, token; line 0 before the first */
    uint64_t token_bytes;  /* of the current token so far */
    uint32_t depth;        /* open brackets */
    uint64_t objects;      /* bit i: the bracket at depth i + 1 is { */
    json_expected_t expected;
    json_lexeme_t lexeme;
    const char *rest;                 /* of the literal */
    uint32_t hex_left, code_unit;     /* of \uXXXX */
    bool half_pair;                   /* a first surrogate waits for the second */
    uint32_t utf8_left;               /* continuation bytes to come */
    unsigned char utf8_min, utf8_max; /* bounds of the next one */
    json_fault_t fault;
} json_cursor_t;

void json_cursor_init(json_cursor_t *cursor);

/* Walks over the bytes and returns how many are sound: less than n_bytes when cursor->fault says why. */
size_t json_cursor_walk(json_cursor_t *cursor, const char *bytes, size_t n_bytes);

/* True where the text may end. */
bool json_cursor_may_end(const json_cursor_t *cursor);

/* True before the first token. */
bool json_cursor_is_blank(const json_cursor_t *cursor);

/* "line 3, column 7: unexpected '}'" */
void json_fault_append(buffer_t *out, const json_fault_t *fault);

#endif
