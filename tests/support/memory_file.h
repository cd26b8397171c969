/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * memory_file.h - a file in memory as cm_sink_t and cm_source_t, which fails at the call it is told to fail at.
 *
 *     memory_file_t file = {0};
 *     cm_save(thread, &MEMORY_SINK(&file));
 *     cm_load(&MEMORY_SOURCE(&file), NULL, &store, &error);
 *     memory_file_free(&file);
 */
#ifndef MEMORY_FILE_H
#define MEMORY_FILE_H

#include "chronomind.h"

#include <stdlib.h>
#include <string.h>

typedef struct memory_file {
    uint8_t *bytes;
    size_t n_bytes, capacity;
    uint32_t n_calls; /* writes and reads so far */
    uint32_t fail_at; /* the call that returns 28; 0: none */
} memory_file_t;

static inline int memory_file_write(void *context, const void *bytes, size_t n_bytes) {
    memory_file_t *file = (memory_file_t *)context;
    if (++file->n_calls == file->fail_at) return 28;
    if (n_bytes > file->capacity - file->n_bytes) {
        file->capacity = (file->n_bytes + n_bytes) * 2;
        file->bytes = (uint8_t *)realloc(file->bytes, file->capacity);
        if (!file->bytes) abort();
    }
    if (n_bytes > 0) memcpy(file->bytes + file->n_bytes, bytes, n_bytes);
    file->n_bytes += n_bytes;
    return 0;
}

/* Reading past the end is a mistake of the caller, not an I/O error: it has n_bytes. */
static inline int memory_file_read(void *context, uint64_t offset, void *bytes, size_t n_bytes) {
    memory_file_t *file = (memory_file_t *)context;
    if (++file->n_calls == file->fail_at) return 28;
    if (offset > file->n_bytes || n_bytes > file->n_bytes - offset) abort();
    memcpy(bytes, file->bytes + offset, n_bytes);
    return 0;
}

static inline void memory_file_free(memory_file_t *file) {
    free(file->bytes);
    *file = (memory_file_t){0};
}

static inline memory_file_t memory_file_copy(const memory_file_t *file) {
    memory_file_t copy = {0};
    memory_file_write(&copy, file->bytes, file->n_bytes);
    return copy;
}

#define MEMORY_SINK(file) ((cm_sink_t){(file), memory_file_write})
#define MEMORY_SOURCE(file) ((cm_source_t){(file), (file)->n_bytes, memory_file_read})

#endif
