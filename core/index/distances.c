/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* distances.c - the distances of many slots at once: the one loop that searches, inserts and scans spend most of their time in. */
#include "index/metric.h"

/* `at_hand` is a constant at each call. */
static void distances_of(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots, uint32_t n,
                         bool at_hand, float *out) {
    const cmi_rows_t *of = query->rows;
    cmi_kernel4_t *kernel4 = of->kernel.four;
    uint32_t i = 0;
    for (uint32_t ahead = 0; !at_hand && ahead < CMI_MIN(n, 4u); ahead++) cmi_prefetch_row(of, slots[ahead]);
    for (; i + 4 <= n && CMI_LIKELY(graph->params.metric != CM_METRIC_CUSTOM); i += 4) {
        for (uint32_t ahead = i + 4; !at_hand && ahead < CMI_MIN(n, i + 8); ahead++) cmi_prefetch_row(of, slots[ahead]);
        const void *rows[4] = {cmi_row_at(of, slots[i]), cmi_row_at(of, slots[i + 1]), cmi_row_at(of, slots[i + 2]),
                               cmi_row_at(of, slots[i + 3])};
        float raw[4];
        kernel4(query->form, rows, of->n, raw);
        for (uint32_t j = 0; j < 4; j++) out[i + j] = cmi_metric_finish(graph, query, rows[j], raw[j]);
    }
    for (; i < n; i++) out[i] = cmi_distance(graph, query, slots[i]);
    scratch->n_distances += n;
}

void cmi_distances(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots, uint32_t n,
                   float *out) {
    distances_of(graph, scratch, query, slots, n, false, out);
}

void cmi_distances_at_hand(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots, uint32_t n,
                           float *out) {
    distances_of(graph, scratch, query, slots, n, true, out);
}
