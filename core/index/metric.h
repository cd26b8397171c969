/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * metric.h - from kernel results to distances: one vector against rows of the graph, singly and four at a time.
 *
 * cosine 1 - dot * (inv_a * inv_b), within [0,2]; dot 1 - dot; l2sq as it is. Overflow to infinity sorts last; a NaN (infinity minus infinity
 * inside a dot product of enormous vectors) counts as the farthest, so that every order below is total. A custom metric is the caller's function, with what its prepare() said
 * of a vector in place of the inverse norm.
 * Codes: dot = (sum of products) * (step_a * step_b), and l2sq = |a|^2 + |b|^2 - 2 dot; the cosine metric finds the norms in the factors already.
 */
#ifndef CMI_METRIC_H
#define CMI_METRIC_H

#include "index/scratch.h"
#include "plat_prefetch.h"

#define CMI_FARTHEST 3.402823466e+38f

/* 1/|v|, 0 for the zero vector. */
float cmi_inverse_norm(const float *vector, uint32_t n);

/* ---- queries ---- */

/* The query form of a vector, to compare with full rows. The caller keeps the vector alive. */
cmi_query_t cmi_query_of(const cmi_hnsw_t *graph, const float *vector);

/* To compare with the rows that searches walk over. The caller keeps the vector alive, and the form unused. */
cmi_query_t cmi_walking_query_of(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_form_t form, const float *vector);

/* The same of a slot, for inserts, which walk over scratch->walked: what its row says is not computed again. */
cmi_query_t cmi_query_of_slot(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_form_t form, uint32_t slot);
cmi_query_t cmi_walking_query_of_slot(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_form_t form, uint32_t slot);

/* ---- distances ---- */

static inline float cmi_bounded(float distance) {
    return distance <= CMI_FARTHEST ? distance : CMI_FARTHEST; /* a NaN, too */
}

static inline float cmi_cosine_finish(float factor, float row_factor, float dot) {
    if (row_factor == 0 || factor == 0) return 2.0f; /* the zero vector is as far as can be from everything */
    float distance = 1.0f - dot * (factor * row_factor);
    if (CMI_LIKELY(distance >= 0 && distance <= 2.0f)) return distance;
    return distance < 0 ? 0.0f : 2.0f;
}

static inline float cmi_coded_square_finish(const cmi_query_t *query, const void *row, float dot) {
    float distance = query->square + cmi_row_square(query->rows, row) - 2.0f * dot;
    return distance < 0 ? 0.0f : cmi_bounded(distance);
}

static inline float cmi_metric_finish(const cmi_hnsw_t *graph, const cmi_query_t *query, const void *row, float kernel) {
    cm_metric_t metric = graph->params.metric;
    float row_factor = cmi_row_factor(query->rows, row);
    if (metric == CM_METRIC_COSINE) return cmi_cosine_finish(query->factor, row_factor, kernel);
    if (query->rows->element == CMI_ELEMENT_CODE) {
        kernel *= query->factor * row_factor;
        if (metric == CM_METRIC_L2SQ) return cmi_coded_square_finish(query, row, kernel);
    }
    return cmi_bounded(metric == CM_METRIC_DOT ? 1.0f - kernel : kernel);
}

float cmi_custom_distance(const cmi_hnsw_t *graph, const cmi_query_t *query, const void *row);

static inline float cmi_distance(const cmi_hnsw_t *graph, const cmi_query_t *query, uint32_t slot) {
    const cmi_rows_t *rows = query->rows;
    const void *row = cmi_row_at(rows, slot);
    if (CMI_UNLIKELY(graph->params.metric == CM_METRIC_CUSTOM)) return cmi_custom_distance(graph, query, row);
    return cmi_metric_finish(graph, query, row, rows->kernel.one(query->form, row, rows->n));
}

static inline void cmi_prefetch_row(const cmi_rows_t *rows, uint32_t slot, const cmi_way_t *way) {
    const char *row = cmi_row_at(rows, slot);
    uint32_t n_lines = CMI_MIN((rows->row_bytes + 63) / 64u, way->n_lines),
             n_first = CMI_MIN(n_lines, 8u); /* a bound that compilers unroll: most rows are short */
    for (uint32_t line = 0; line < n_first; line++) plat_prefetch(row + 64u * line);
    for (uint32_t line = 8; line < n_lines; line++) plat_prefetch(row + 64u * line);
}

/* Distances of the query to n slots, in order. The next rows are requested while some are computed (pace.h). */
void cmi_distances(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots, uint32_t n,
                   float *out);

/* The same for rows that were read a moment ago. */
void cmi_distances_at_hand(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_query_t *query, const uint32_t *slots, uint32_t n,
                           float *out);

#endif
