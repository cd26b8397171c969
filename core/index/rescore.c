/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* rescore.c - what a walk over codes found, in full precision. The walk's order is almost right, so few more than are wanted need it. */
#include "base/heap.h"
#include "index/metric.h"

static bool is_farther(const cmi_found_t *a, const cmi_found_t *b) {
    return a->distance != b->distance ? a->distance > b->distance : a->slot > b->slot;
}
CMI_HEAP(cmi_found_t, is_farther)
CMI_HEAP_SORT(cmi_found_t)

void cmi_hnsw_rescore(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const float *vector, cmi_found_t *found, uint32_t n) {
    cmi_query_t query = cmi_query_of(graph, vector);
    for (uint32_t from = 0; from < n; from += graph->cap0) { /* the room of an expansion, which nobody needs now */
        uint32_t n_now = CMI_MIN(graph->cap0, n - from);
        for (uint32_t i = 0; i < n_now; i++) scratch->fresh[i] = found[from + i].slot;
        cmi_distances(graph, scratch, &query, scratch->fresh, n_now, scratch->fresh_distance);
        for (uint32_t i = 0; i < n_now; i++) found[from + i].distance = scratch->fresh_distance[i];
    }
    cmi_found_t_heap_sort(found, n);
}
