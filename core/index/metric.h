/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * metric.h - from kernel results to distances: one vector against rows of the graph, singly and four at a time.
 *
 * cosine 1 - dot * (inv_a * inv_b), within [0,2]; dot 1 - dot; l2sq as it is. Overflow to infinity sorts last; a NaN (infinity minus infinity
 * inside a dot product of enormous vectors) counts as the farthest, so that every order below is total. A custom metric is the caller's function, with what its prepare() said
 * of a vector in place of the inverse norm.
 */
#ifndef CMI_METRIC_H
#define CMI_METRIC_H

#include "index/scratch.h"
#include "plat_prefetch.h"

#define CMI_FARTHEST 3.402823466e+38f

/* 1/|v|, 0 for the zero vector. */
float cmi_inverse_norm(const float *vector, uint32_t n);

/* The query form of a vector that the caller keeps alive. */
cmi_query_t cmi_query_of(const cmi_hnsw_t *graph, const float *vector);

/* The query form of a row: its norm is known. */
static inline cmi_query_t cmi_query_of_row(const cmi_hnsw_t *graph, const float *row) {
    return (cmi_query_t){row, row[graph->row_floats - 1]};
}

static inline float cmi_metric_finish(const cmi_hnsw_t *graph, const cmi_query_t *query, const float *row, float kernel) {
    if (graph->params.metric == CM_METRIC_COSINE) {
        float row_inverse = row[graph->row_floats - 1];
        if (row_inverse == 0 || query->inverse_norm == 0) return 2.0f; /* the zero vector is as far as can be from everything */
        float distance = 1.0f - kernel * (query->inverse_norm * row_inverse);
        if (CMI_LIKELY(distance >= 0 && distance <= 2.0f)) return distance;
        return distance < 0 ? 0.0f : 2.0f;
    }
    float distance = graph->params.metric == CM_METRIC_DOT ? 1.0f - kernel : kernel;
    return distance <= CMI_FARTHEST ? distance : CMI_FARTHEST;
}

float cmi_custom_distance(const cmi_hnsw_t *graph, const cmi_query_t *query, const float *row);

static inline float cmi_distance(const cmi_hnsw_t *graph, const cmi_query_t *query, const float *row) {
    if (CMI_UNLIKELY(graph->params.metric == CM_METRIC_CUSTOM)) return cmi_custom_distance(graph, query, row);
    cmi_kernel_t *kernel = graph->params.metric == CM_METRIC_L2SQ ? graph->kernels->l2sq : graph->kernels->dot;
    return cmi_metric_finish(graph, query, row, kernel(query->vector, row, graph->params.dimensions));
}

/* Most lines of a row to ask for; all of 3 KiB where that is free: with 8 lines searches are 1.3 x slower at 256 dimensions and 1.1 x at 768, inserts 1.2 and 1.1 x. */
enum { CMI_LINES_ASKED = PLAT_PREFETCH_IS_FREE ? 48 : 8 };

static inline void cmi_prefetch_row(const cmi_hnsw_t *graph, uint32_t slot) {
    const char *row = (const char *)cmi_hnsw_row(graph, slot);
    uint32_t bytes = graph->row_floats * (uint32_t)sizeof(float);
    uint32_t n_lines = CMI_MIN(bytes / 64u, (uint32_t)CMI_LINES_ASKED),
             n_first = CMI_MIN(n_lines, 8u); /* a bound that compilers unroll: most rows are short */
    for (uint32_t line = 0; line < n_first; line++) plat_prefetch(row + 64u * line);
    for (uint32_t line = 8; line < n_lines; line++) plat_prefetch(row + 64u * line);
}

/* Distances of the query to n slots, in order. Where the rows are not `at_hand`, the next ones are requested while four are computed. */
static inline void cmi_distances_of(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots,
                                    uint32_t n, bool at_hand, float *out) {
    cmi_kernel4_t *kernel4 = graph->params.metric == CM_METRIC_L2SQ ? graph->kernels->l2sq4 : graph->kernels->dot4;
    uint32_t dimensions = graph->params.dimensions, i = 0;
    for (uint32_t ahead = 0; !at_hand && ahead < CMI_MIN(n, 4u); ahead++) cmi_prefetch_row(graph, slots[ahead]);
    for (; i + 4 <= n && CMI_LIKELY(graph->params.metric != CM_METRIC_CUSTOM); i += 4) {
        for (uint32_t ahead = i + 4; !at_hand && ahead < CMI_MIN(n, i + 8); ahead++) cmi_prefetch_row(graph, slots[ahead]);
        const float *rows[4] = {cmi_hnsw_row(graph, slots[i]), cmi_hnsw_row(graph, slots[i + 1]), cmi_hnsw_row(graph, slots[i + 2]),
                                cmi_hnsw_row(graph, slots[i + 3])};
        float raw[4];
        kernel4(query->vector, rows, dimensions, raw);
        for (uint32_t j = 0; j < 4; j++) out[i + j] = cmi_metric_finish(graph, query, rows[j], raw[j]);
    }
    for (; i < n; i++) out[i] = cmi_distance(graph, query, cmi_hnsw_row(graph, slots[i]));
    scratch->n_distances += n;
}

static inline void cmi_distances(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots,
                                 uint32_t n, float *out) {
    cmi_distances_of(graph, scratch, query, slots, n, false, out);
}

/* The same for rows that were read a moment ago. */
static inline void cmi_distances_at_hand(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots,
                                         uint32_t n, float *out) {
    cmi_distances_of(graph, scratch, query, slots, n, true, out);
}

#endif
