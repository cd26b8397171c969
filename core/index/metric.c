/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* metric.c - vectors into rows, and into the forms of queries; see rows.h and metric.h. */
#include "index/metric.h"

/* ---- norms ---- */

/* In double, so that no finite vector overflows; the same bits everywhere. */
static inline float inverse_norm(const cmi_rows_t *rows, const void *row, uint32_t n) {
    double sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        double element = (double)cmi_row_element(rows, row, i);
        sum += element * element;
    }
    if (sum == 0) return 0;
    double inverse = 1.0 / __builtin_sqrt(sum);
    return inverse > 3.0e38 ? 3.0e38f : (float)inverse;
}

float cmi_inverse_norm(const float *vector, uint32_t n) {
    static const cmi_rows_t floats = {.element = CMI_ELEMENT_FLOAT};
    return inverse_norm(&floats, vector, n);
}

static float prepared(const cmi_hnsw_t *graph, const float *vector) {
    const cmi_hnsw_params_t *params = &graph->params;
    if (params->metric != CM_METRIC_CUSTOM) return cmi_inverse_norm(vector, params->dimensions);
    return params->custom.prepare ? params->custom.prepare(params->custom.context, vector, params->dimensions) : 0;
}

/* ---- rows ---- */

/* Of a coded vector whose factor for full rows is `full`. */
static float coded_factor(const cmi_hnsw_t *graph, const cmi_coded_t *made, float full) {
    return (float)(graph->params.metric == CM_METRIC_COSINE ? made->step * (double)full : made->step);
}

static float coded_square(const cmi_coded_t *made) {
    return (float)(made->step * made->step * made->squares);
}

void cmi_hnsw_code_row(const cmi_hnsw_t *graph, const cmi_rows_t *coded, uint32_t slot, const float *vector) {
    void *row = cmi_row_at(coded, slot);
    cmi_coded_t made = cmi_code_row(vector, graph->params.dimensions, row);
    float *end = cmi_row_end(coded, row);
    end[-2] = coded_square(&made);
    end[-1] = coded_factor(graph, &made, cmi_row_factor(&graph->full, cmi_hnsw_row(graph, slot)));
}

/* What follows from the elements of a full row. */
static void complete_row(cmi_hnsw_t *graph, uint32_t slot) {
    const cmi_rows_t *full = &graph->full;
    void *row = cmi_row_at(full, slot);
    cmi_row_end(full, row)[-1] = full->element == CMI_ELEMENT_FLOAT ? prepared(graph, row) : inverse_norm(full, row, full->n);
    if (cmi_hnsw_is_coded(graph)) cmi_hnsw_code_row(graph, &graph->coded, slot, row);
}

void cmi_hnsw_set_vector(cmi_hnsw_t *graph, uint32_t slot, const float *vector) {
    cmi_row_write(&graph->full, cmi_hnsw_row(graph, slot), vector);
    complete_row(graph, slot);
}

bool cmi_hnsw_set_stored(cmi_hnsw_t *graph, uint32_t slot, const void *bytes, uint32_t *bad) {
    void *row = cmi_hnsw_row(graph, slot);
    memcpy(row, bytes, (size_t)cmi_row_vector_bytes(graph->params.vectors, graph->params.dimensions));
    if (!cmi_row_is_finite(&graph->full, row, bad)) return false;
    complete_row(graph, slot);
    return true;
}

/* ---- queries ---- */

cmi_query_t cmi_query_of(const cmi_hnsw_t *graph, const float *vector) {
    bool needs_factor = graph->params.metric == CM_METRIC_COSINE || graph->params.metric == CM_METRIC_CUSTOM;
    return (cmi_query_t){vector, &graph->full, needs_factor ? prepared(graph, vector) : 0, 0};
}

/* `full`: the same vector's query for full rows. */
static cmi_query_t coded_query(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_form_t form, const cmi_query_t *full) {
    cmi_coded_t made = cmi_code_query(full->form, graph->params.dimensions, scratch->form[form]);
    return (cmi_query_t){scratch->form[form], &graph->coded, coded_factor(graph, &made, full->factor), coded_square(&made)};
}

cmi_query_t cmi_walking_query_of(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_form_t form, const float *vector) {
    cmi_query_t full = cmi_query_of(graph, vector);
    return cmi_hnsw_is_coded(graph) ? coded_query(graph, scratch, form, &full) : full;
}

cmi_query_t cmi_query_of_slot(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_form_t form, uint32_t slot) {
    const cmi_rows_t *full = &graph->full;
    const void *row = cmi_row_at(full, slot);
    return (cmi_query_t){cmi_row_floats(full, row, scratch->form[form]), full, cmi_row_factor(full, row), 0};
}

static const int16_t *widen(const int8_t *codes, uint32_t n, int16_t *out) {
    for (uint32_t i = 0; i < n; i++) out[i] = codes[i];
    return out;
}

cmi_query_t cmi_walking_query_of_slot(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_form_t form, uint32_t slot) {
    const cmi_rows_t *coded = scratch->walked;
    if (coded->element != CMI_ELEMENT_CODE) return cmi_query_of_slot(graph, scratch, form, slot);
    const void *row = cmi_row_at(coded, slot);
    return (cmi_query_t){widen(row, coded->n, scratch->form[form]), coded, cmi_row_factor(coded, row), cmi_row_square(coded, row)};
}

/* ---- distances ---- */

float cmi_custom_distance(const cmi_hnsw_t *graph, const cmi_query_t *query, const void *row) {
    const cm_custom_metric_t *custom = &graph->params.custom;
    return cmi_bounded(
        custom->distance(custom->context, query->form, query->factor, row, cmi_row_factor(query->rows, row), graph->params.dimensions));
}

float cmi_hnsw_distance(const cmi_hnsw_t *graph, const float *vector, uint32_t slot) {
    cmi_query_t query = cmi_query_of(graph, vector);
    return cmi_distance(graph, &query, slot);
}
