/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rescore.c - what a walk over codes found, in full precision. The walk's order is almost right, so few more than are wanted need it. */
#include "base/heap.h"
#include "index/metric.h"

static bool is_farther(const cmi_found_t *a, const cmi_found_t *b) {
    return a->distance != b->distance ? a->distance > b->distance : a->slot > b->slot;
}
CMI_HEAP(cmi_found_t, is_farther)

/* The heap takes the last off first, and fills the array from its end. */
static void sort(cmi_found_t *found, size_t n) {
    cmi_found_t_heap_make(found, n);
    while (n > 0) {
        cmi_found_t last = cmi_found_t_heap_pop(found, &n);
        found[n] = last;
    }
}

void cmi_hnsw_rescore(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *vector, cmi_found_t *found, uint32_t n) {
    cmi_query_t query = cmi_query_of(graph, vector);
    for (uint32_t i = 0; i < n; i++) cmi_prefetch_row(query.rows, found[i].slot);
    for (uint32_t i = 0; i < n; i++) found[i].distance = cmi_distance(graph, &query, found[i].slot);
    scratch->n_distances += n;
    sort(found, n);
}
