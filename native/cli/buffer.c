/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* buffer.c - see buffer.h. */
#include "buffer.h"

#include "report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int report_no_memory(void) {
    return report(STATUS_FAILED, "close other programs, or use a machine with more memory", "out of memory");
}

void *allocate(size_t n_bytes) {
    void *memory = calloc(1, n_bytes);
    if (!memory) exit(report_no_memory());
    return memory;
}

void *reallocate(void *memory, size_t n_bytes) {
    void *larger = realloc(memory, n_bytes);
    if (!larger) exit(report_no_memory());
    return larger;
}

void buffer_reserve(buffer_t *buffer, size_t n_bytes) {
    if (n_bytes <= buffer->capacity) return;
    size_t capacity = buffer->capacity ? buffer->capacity : 64;
    while (capacity < n_bytes) capacity *= 2;
    buffer->data = reallocate(buffer->data, capacity);
    buffer->capacity = capacity;
}

void buffer_append(buffer_t *buffer, const void *bytes, size_t n_bytes) {
    if (n_bytes == 0) return;
    buffer_reserve(buffer, buffer->len + n_bytes);
    memcpy(buffer->data + buffer->len, bytes, n_bytes);
    buffer->len += n_bytes;
}

void buffer_append_text(buffer_t *buffer, const char *text) {
    buffer_append(buffer, text, strlen(text));
}

void buffer_append_arguments(buffer_t *buffer, const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    int n = vsnprintf(NULL, 0, format, arguments);
    if (n > 0) {
        buffer_reserve(buffer, buffer->len + (size_t)n + 1);
        vsnprintf(buffer->data + buffer->len, (size_t)n + 1, format, again);
        buffer->len += (size_t)n;
    }
    va_end(again);
}

void buffer_append_format(buffer_t *buffer, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    buffer_append_arguments(buffer, format, arguments);
    va_end(arguments);
}

void buffer_clear(buffer_t *buffer) {
    buffer->len = 0;
}

void buffer_free(buffer_t *buffer) {
    free(buffer->data);
    *buffer = (buffer_t){0};
}

const char *buffer_text(buffer_t *buffer) {
    buffer_reserve(buffer, buffer->len + 1);
    buffer->data[buffer->len] = '\0';
    return buffer->data;
}
