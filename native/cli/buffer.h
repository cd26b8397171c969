/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* buffer.h - bytes that grow, and memory in general. When the machine has no more memory the program says so and ends. */
#ifndef CLI_BUFFER_H
#define CLI_BUFFER_H

#include <stdarg.h>
#include <stddef.h>

typedef struct buffer {
    char *data;
    size_t len, capacity;
} buffer_t;

void buffer_append(buffer_t *buffer, const void *bytes, size_t n_bytes);
void buffer_append_text(buffer_t *buffer, const char *text);
void buffer_append_format(buffer_t *buffer, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_append_arguments(buffer_t *buffer, const char *format, va_list arguments) __attribute__((format(printf, 2, 0)));
void buffer_clear(buffer_t *buffer); /* keeps the memory for the next use */
void buffer_free(buffer_t *buffer);

/* The bytes with a NUL after them; the NUL does not count. */
const char *buffer_text(buffer_t *buffer);

/* Room for n_bytes in all; the contents stay. */
void buffer_reserve(buffer_t *buffer, size_t n_bytes);

/* Zeroed memory, for free(). */
void *allocate(size_t n_bytes);

/* As realloc(); what is new is not zeroed. */
void *reallocate(void *memory, size_t n_bytes);

#endif
