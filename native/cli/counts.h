/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* counts.h - names, and how often each occurs. */
#ifndef CLI_COUNTS_H
#define CLI_COUNTS_H

#include "buffer.h"
#include "chronomind.h"

typedef struct count {
    cm_str_t name; /* its bytes are for free() */
    uint64_t n;
} count_t;

typedef struct counts {
    buffer_t list; /* count_t each */
} counts_t;

size_t counts_n(const counts_t *counts);
const count_t *counts_at(const counts_t *counts, size_t i);
void counts_add(counts_t *counts, cm_str_t name, uint64_t n);
void counts_free(counts_t *counts);

/* By bytes, shorter first. */
int compare_names(cm_str_t a, cm_str_t b);

/* The contexts of a store by count descending, then name. Returns the library's status. */
cm_status_t counts_of_contexts(cm_thread_t *thread, counts_t *out);

#endif
