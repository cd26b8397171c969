/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* text.h - how text and numbers are printed and read (docs/CLI.md, sections 1 and 4). */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SIZE_OF_TEXT ((size_t)-1) /* "it ends with a NUL" */

/* For terminals: control characters (C0, DEL, C1) become escapes. */
void text_append_safe(buffer_t *out, const char *bytes, size_t n_bytes);

/* The inside of a JSON string: the same, and quotes and backslashes. */
void text_append_json(buffer_t *out, const char *bytes, size_t n_bytes);

/* Safe text of at most 64 characters, "..." after them when there are more. */
void text_append_short(buffer_t *out, const char *bytes, size_t n_bytes);

/* `decimals` digits after the point, halves away from zero. */
void text_append_fixed(buffer_t *out, double x, int decimals);

/* "Saved 3 memories to PATH" and the end of the line. */
void text_append_saved(buffer_t *out, uint64_t n_memories, const char *path);

/* A JSON number: at most 7 decimals, no trailing zeros; null when not finite. */
void text_append_number(buffer_t *out, double x);

/* The fewest digits that read back as the same 32-bit float, as JavaScript writes numbers. */
void text_append_float(buffer_t *out, float x);

/* Only digits, at most 16, a number from min to max. */
bool text_parse_whole(const char *text, uint64_t min, uint64_t max, uint64_t *out);

/* Reads all of bytes as a decimal number; the result may be infinite. False when it is none. */
bool text_parse_number(const char *bytes, size_t n_bytes, double *out);

/* Well-formed UTF-8: no overlong forms, no surrogates. */
bool text_is_utf8(const char *bytes, size_t n_bytes);

#endif
