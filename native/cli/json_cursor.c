/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json_cursor.c - see json_cursor.h. One step per byte: inside a token the lexeme is the state, between tokens what is expected and the
 * open brackets.
 */
#include "json_cursor.h"

#include <string.h>

void json_cursor_init(json_cursor_t *cursor) {
    *cursor = (json_cursor_t){.next = {1, 1, 0}};
}

bool json_cursor_is_blank(const json_cursor_t *cursor) {
    return cursor->token.line == 0;
}

bool json_cursor_may_end(const json_cursor_t *cursor) {
    switch (cursor->lexeme) {
    case LEX_BETWEEN:
    case LEX_ZERO:
    case LEX_INTEGER:
    case LEX_FRACTION:
    case LEX_EXPONENT_DIGITS: return cursor->depth == 0;
    default: return false;
    }
}

static bool fault_at(json_cursor_t *cursor, json_fault_kind_t kind, json_position_t at) {
    cursor->fault = (json_fault_t){kind, at};
    return false;
}

static bool unexpected(json_cursor_t *cursor) {
    return fault_at(cursor, JSON_UNEXPECTED, cursor->next);
}

static bool is_digit(unsigned char c) {
    return c >= '0' && c <= '9';
}

static bool enter(json_cursor_t *cursor, json_lexeme_t lexeme) {
    cursor->lexeme = lexeme;
    return true;
}

/* ---- between tokens ---------------------------------------------------------------------------------------------------- */

static bool in_object(const json_cursor_t *cursor) {
    return cursor->depth > 0 && (cursor->objects >> (cursor->depth - 1) & 1) != 0;
}

static bool wants_key(const json_cursor_t *cursor) {
    return cursor->expected == EXPECT_KEY || cursor->expected == EXPECT_KEY_OR_END;
}

static bool wants_value(const json_cursor_t *cursor) {
    return cursor->expected == EXPECT_VALUE || cursor->expected == EXPECT_VALUE_OR_END;
}

static bool wants_end(const json_cursor_t *cursor) {
    return cursor->expected == EXPECT_KEY_OR_END || cursor->expected == EXPECT_VALUE_OR_END || cursor->expected == EXPECT_COMMA_OR_END;
}

static void after_value(json_cursor_t *cursor) {
    cursor->expected = cursor->depth == 0 ? EXPECT_VALUE : EXPECT_COMMA_OR_END;
}

static bool begin_bracket(json_cursor_t *cursor, bool object) {
    if (!wants_value(cursor)) return unexpected(cursor);
    if (cursor->depth == JSON_MAX_DEPTH) return fault_at(cursor, JSON_TOO_DEEP, cursor->next);
    const uint64_t bit = UINT64_C(1) << cursor->depth++;
    cursor->objects = object ? cursor->objects | bit : cursor->objects & ~bit;
    cursor->expected = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
    return true;
}

static bool end_bracket(json_cursor_t *cursor, bool object) {
    if (!wants_end(cursor) || in_object(cursor) != object) return unexpected(cursor);
    cursor->depth--;
    after_value(cursor);
    return true;
}

static bool take_mark(json_cursor_t *cursor, json_expected_t wanted, json_expected_t next) {
    if (cursor->expected != wanted) return unexpected(cursor);
    cursor->expected = next;
    return true;
}

static bool begin_string(json_cursor_t *cursor) {
    if (!wants_key(cursor) && !wants_value(cursor)) return unexpected(cursor);
    if (wants_key(cursor)) {
        cursor->expected = EXPECT_COLON;
    } else {
        after_value(cursor);
    }
    return enter(cursor, LEX_STRING);
}

static bool begin_scalar(json_cursor_t *cursor, json_lexeme_t lexeme, const char *rest) {
    if (!wants_value(cursor)) return unexpected(cursor);
    cursor->rest = rest;
    after_value(cursor);
    return enter(cursor, lexeme);
}

static bool begin_token(json_cursor_t *cursor, unsigned char c) {
    cursor->token_bytes = 0;
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') return true;
    cursor->token = cursor->next;
    switch (c) {
    case '{':
    case '[': return begin_bracket(cursor, c == '{');
    case '}':
    case ']': return end_bracket(cursor, c == '}');
    case ':': return take_mark(cursor, EXPECT_COLON, EXPECT_VALUE);
    case ',': return take_mark(cursor, EXPECT_COMMA_OR_END, in_object(cursor) ? EXPECT_KEY : EXPECT_VALUE);
    case '"': return begin_string(cursor);
    case 't': return begin_scalar(cursor, LEX_LITERAL, "rue");
    case 'f': return begin_scalar(cursor, LEX_LITERAL, "alse");
    case 'n': return begin_scalar(cursor, LEX_LITERAL, "ull");
    case '-': return begin_scalar(cursor, LEX_MINUS, NULL);
    case '0': return begin_scalar(cursor, LEX_ZERO, NULL);
    default: return is_digit(c) ? begin_scalar(cursor, LEX_INTEGER, NULL) : unexpected(cursor);
    }
}

/* ---- literals and numbers ---------------------------------------------------------------------------------------------- */

static bool step_literal(json_cursor_t *cursor, unsigned char c) {
    if (c != (unsigned char)*cursor->rest) return unexpected(cursor);
    cursor->rest++;
    if (!*cursor->rest) cursor->lexeme = LEX_BETWEEN;
    return true;
}

/* A number ends at the first byte that cannot belong to it, and that byte begins the next token. */
static bool end_number(json_cursor_t *cursor, unsigned char c) {
    cursor->lexeme = LEX_BETWEEN;
    return begin_token(cursor, c);
}

static bool after_integer(json_cursor_t *cursor, unsigned char c) {
    if (c == '.') return enter(cursor, LEX_POINT);
    if (c == 'e' || c == 'E') return enter(cursor, LEX_EXPONENT);
    return end_number(cursor, c);
}

static bool need_digit(json_cursor_t *cursor, unsigned char c, json_lexeme_t next) {
    return is_digit(c) ? enter(cursor, next) : unexpected(cursor);
}

static bool step_number(json_cursor_t *cursor, unsigned char c) {
    switch (cursor->lexeme) {
    case LEX_MINUS: return need_digit(cursor, c, c == '0' ? LEX_ZERO : LEX_INTEGER);
    case LEX_ZERO: return after_integer(cursor, c);
    case LEX_INTEGER: return is_digit(c) || after_integer(cursor, c);
    case LEX_POINT: return need_digit(cursor, c, LEX_FRACTION);
    case LEX_FRACTION:
        if (c == 'e' || c == 'E') return enter(cursor, LEX_EXPONENT);
        return is_digit(c) || end_number(cursor, c);
    case LEX_EXPONENT:
        if (c == '+' || c == '-') return enter(cursor, LEX_EXPONENT_SIGN);
        return need_digit(cursor, c, LEX_EXPONENT_DIGITS);
    case LEX_EXPONENT_SIGN: return need_digit(cursor, c, LEX_EXPONENT_DIGITS);
    default: return is_digit(c) || end_number(cursor, c);
    }
}

/* ---- strings ----------------------------------------------------------------------------------------------------------- */

static bool need_continuation(json_cursor_t *cursor, uint32_t n, unsigned char min, unsigned char max) {
    cursor->utf8_left = n;
    cursor->utf8_min = min;
    cursor->utf8_max = max;
    return true;
}

/* The bounds of the second byte keep out overlong forms, surrogates and what lies beyond U+10FFFF. */
static bool begin_character(json_cursor_t *cursor, unsigned char c) {
    if (c < 0x80) return true;
    if (c >= 0xC2 && c <= 0xDF) return need_continuation(cursor, 1, 0x80, 0xBF);
    if (c == 0xE0) return need_continuation(cursor, 2, 0xA0, 0xBF);
    if (c == 0xED) return need_continuation(cursor, 2, 0x80, 0x9F);
    if (c >= 0xE1 && c <= 0xEF) return need_continuation(cursor, 2, 0x80, 0xBF);
    if (c == 0xF0) return need_continuation(cursor, 3, 0x90, 0xBF);
    if (c >= 0xF1 && c <= 0xF3) return need_continuation(cursor, 3, 0x80, 0xBF);
    if (c == 0xF4) return need_continuation(cursor, 3, 0x80, 0x8F);
    return fault_at(cursor, JSON_NOT_UTF8, cursor->token);
}

static bool step_string(json_cursor_t *cursor, unsigned char c) {
    if (cursor->utf8_left > 0) {
        if (c < cursor->utf8_min || c > cursor->utf8_max) return fault_at(cursor, JSON_NOT_UTF8, cursor->token);
        return need_continuation(cursor, cursor->utf8_left - 1, 0x80, 0xBF);
    }
    if (c == '\\') return enter(cursor, LEX_ESCAPE);
    if (c < 0x20) return unexpected(cursor);
    if (cursor->half_pair) return fault_at(cursor, JSON_HALF_PAIR, cursor->token);
    return c == '"' ? enter(cursor, LEX_BETWEEN) : begin_character(cursor, c);
}

static bool step_escape(json_cursor_t *cursor, unsigned char c) {
    if (c == 'u') {
        cursor->hex_left = 4;
        cursor->code_unit = 0;
        return enter(cursor, LEX_HEX);
    }
    if (c == 0 || !strchr("\"\\/bfnrt", c)) return unexpected(cursor);
    if (cursor->half_pair) return fault_at(cursor, JSON_HALF_PAIR, cursor->token);
    return enter(cursor, LEX_STRING);
}

static int hex_value(unsigned char c) {
    if (is_digit(c)) return c - '0';
    unsigned char lower = c | 0x20;
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

static bool step_hex(json_cursor_t *cursor, unsigned char c) {
    int value = hex_value(c);
    if (value < 0) return unexpected(cursor);
    cursor->code_unit = cursor->code_unit << 4 | (uint32_t)value;
    if (--cursor->hex_left > 0) return true;
    bool first_half = (cursor->code_unit & 0xFC00) == 0xD800;
    bool second_half = (cursor->code_unit & 0xFC00) == 0xDC00;
    if (second_half != cursor->half_pair) return fault_at(cursor, JSON_HALF_PAIR, cursor->token);
    cursor->half_pair = first_half;
    return enter(cursor, LEX_STRING);
}

/* ---- the walk ---------------------------------------------------------------------------------------------------------- */

static bool step(json_cursor_t *cursor, unsigned char c) {
    switch (cursor->lexeme) {
    case LEX_BETWEEN: return begin_token(cursor, c);
    case LEX_LITERAL: return step_literal(cursor, c);
    case LEX_STRING: return step_string(cursor, c);
    case LEX_ESCAPE: return step_escape(cursor, c);
    case LEX_HEX: return step_hex(cursor, c);
    default: return step_number(cursor, c);
    }
}

size_t json_cursor_walk(json_cursor_t *cursor, const char *bytes, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i++) {
        unsigned char c = (unsigned char)bytes[i];
        cursor->next.byte = c;
        if (!step(cursor, c)) return i;
        if (++cursor->token_bytes > JSON_MAX_TOKEN_BYTES) {
            fault_at(cursor, JSON_TOO_LONG, cursor->token);
            return i;
        }
        if (c == '\n') {
            cursor->next.line++;
            cursor->next.column = 1;
        } else if ((c & 0xC0) != 0x80) {
            cursor->next.column++;
        }
    }
    return n_bytes;
}

void json_fault_append(buffer_t *out, const json_fault_t *fault) {
    const json_position_t *at = &fault->at;
    buffer_append_format(out, "line %llu, column %llu: ", (unsigned long long)at->line, (unsigned long long)at->column);
    switch (fault->kind) {
    case JSON_UNEXPECTED:
        buffer_append_format(out, at->byte > 0x20 && at->byte < 0x7F ? "unexpected '%c'" : "unexpected byte 0x%02X", at->byte);
        break;
    case JSON_TOO_DEEP: buffer_append_format(out, "nested deeper than %d levels", JSON_MAX_DEPTH); break;
    case JSON_NOT_UTF8: buffer_append_text(out, "a string is not UTF-8"); break;
    case JSON_HALF_PAIR: buffer_append_text(out, "a string holds half a surrogate pair"); break;
    case JSON_TOO_LONG: buffer_append_format(out, "a string or number is longer than %d bytes", JSON_MAX_TOKEN_BYTES); break;
    default: buffer_append_text(out, "unexpected end of input");
    }
}
