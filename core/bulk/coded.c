/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* coded.c - see coded.h. */
#include "bulk/coded.h"

/* Nodes of the store for each of the batch. Measured with 100,000 to 150,000 x 100, processor time of an insert by batch: 1 of 16 106 us with codes and 142 without, of 29 124 and 126, of 54 138 and 136,
 * of 104 201 and 132. */
#define MOST_PER_NEW 32u

bool cmi_coded_pays(const cmi_hnsw_t *graph, size_t n) {
    if (cmi_hnsw_is_coded(graph) || graph->params.metric == CM_METRIC_CUSTOM) return false;
    return cmi_hnsw_n_slots(graph) <= (uint64_t)n * MOST_PER_NEW;
}

/* All of them: a round may come to any slot that others publish. */
static bool ensure_all(cmi_coded_rows_t *coded) {
    for (uint32_t slot = 0; slot < coded->graph->params.capacity; slot++)
        if (!cmi_arena_ensure(&coded->rows.arena, slot)) return false;
    return true;
}

bool cmi_coded_open(cmi_coded_rows_t *coded, const cmi_hnsw_t *graph) {
    coded->graph = graph, coded->n_done = 0;
    if (cmi_rows_open_coded(&coded->rows, graph->params.dimensions, graph->params.capacity) && ensure_all(coded)) return true;
    cmi_coded_close(coded);
    return false;
}

void cmi_coded_close(cmi_coded_rows_t *coded) {
    cmi_arena_close(&coded->rows.arena);
}

void cmi_coded_write(cmi_coded_rows_t *coded, uint32_t slot, float *form) {
    const cmi_rows_t *full = &coded->graph->full;
    cmi_hnsw_code_row(coded->graph, &coded->rows, slot, cmi_row_floats(full, cmi_row_at(full, slot), form));
}

/* Acquire [N3]: its vector. */
static bool is_published(const cmi_hnsw_t *graph, uint32_t slot) {
    return cmi_meta_state(cmi_hnsw_meta(graph, slot)) >= CMI_LIVE;
}

/* The zero vector never has a row, and needs none. */
static bool has_row(const cmi_coded_rows_t *coded, uint32_t slot) {
    return cmi_row_factor(&coded->rows, cmi_row_at(&coded->rows, slot)) != 0;
}

uint32_t cmi_coded_look(const cmi_coded_rows_t *coded, uint32_t *end) {
    uint32_t slot = coded->n_done;
    *end = cmi_hnsw_n_slots(coded->graph);
    while (slot < *end && (is_published(coded->graph, slot) || has_row(coded, slot))) slot++;
    return slot;
}

void cmi_coded_catch_up(cmi_coded_rows_t *coded, uint32_t slot, float *form) {
    if (is_published(coded->graph, slot) && !has_row(coded, slot)) cmi_coded_write(coded, slot, form);
}
