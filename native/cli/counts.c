/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* counts.c - see counts.h. */
#include "counts.h"

#include <stdlib.h>
#include <string.h>

size_t counts_n(const counts_t *counts) {
    return counts->list.len / sizeof(count_t);
}

const count_t *counts_at(const counts_t *counts, size_t i) {
    return (const count_t *)(const void *)counts->list.data + i;
}

void counts_add(counts_t *counts, cm_str_t name, uint64_t n) {
    char *copy = allocate(name.len + 1);
    memcpy(copy, name.data, name.len);
    const count_t count = {{copy, name.len}, n};
    buffer_append(&counts->list, &count, sizeof count);
}

void counts_free(counts_t *counts) {
    for (size_t i = 0; i < counts_n(counts); i++) free((char *)(uintptr_t)counts_at(counts, i)->name.data);
    buffer_free(&counts->list);
}

int compare_names(cm_str_t a, cm_str_t b) {
    int order = memcmp(a.data, b.data, a.len < b.len ? a.len : b.len);
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_counts(const void *left, const void *right) {
    const count_t *a = left, *b = right;
    if (a->n != b->n) return a->n > b->n ? -1 : 1;
    return compare_names(a->name, b->name);
}

cm_status_t counts_of_contexts(cm_thread_t *thread, counts_t *out) {
    buffer_t room = {0};
    cm_context_stat_t one;
    uint64_t cursor = 0;
    size_t needed = 0;
    cm_status_t status;
    do {
        status = cm_next_context(thread, &cursor, &one, room.data, room.capacity, &needed);
        if (status == CM_E_BUFFER) buffer_reserve(&room, needed);
        if (status == CM_OK) counts_add(out, one.context, one.n_memories);
    } while (status == CM_OK || status == CM_E_BUFFER);
    buffer_free(&room);
    if (status != CM_END) return status;
    if (counts_n(out) > 0) qsort(out->list.data, counts_n(out), sizeof(count_t), compare_counts);
    return CM_OK;
}
