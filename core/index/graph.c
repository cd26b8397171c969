/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* graph.c - the memory of a graph: arenas, slots, levels and state words. */
#include "index/hnsw.h"

/* P(level > l) = m^-(l+1), so the mean number of upper rows per node is 1/(m-1). Levels come from the seed and the slot alone: the same
 * whatever the interleaving of inserts. Compared as integers, because logarithms differ between machines. */
static void plan_levels(cmi_hnsw_t *graph) {
    uint64_t bound = UINT64_MAX;
    for (uint32_t level = 0; level < CMI_MAX_LEVEL; level++) {
        bound /= graph->params.m;
        graph->level_bound[level] = bound;
    }
}

static uint32_t level_of(const cmi_hnsw_t *graph, uint32_t slot) {
    uint64_t draw = cmi_mix(graph->params.seed + cmi_mix((uint64_t)slot + 1));
    uint32_t level = 0;
    while (level < CMI_MAX_LEVEL && draw < graph->level_bound[level]) level++;
    return level;
}

/* Twice the mean and some; a node for which no rows are left stays on level 0. */
static uint32_t upper_capacity(const cmi_hnsw_params_t *params) {
    return 2 * (params->capacity / (params->m - 1)) + 1024;
}

bool cmi_hnsw_open(cmi_hnsw_t *graph, const cmi_hnsw_params_t *params) {
    memset(graph, 0, sizeof *graph);
    graph->params = *params;
    graph->cap0 = 2 * params->m;
    graph->most_overtakers = 16;
    graph->walked = params->vectors == CM_VECTORS_I8 ? &graph->coded : &graph->full;
    plan_levels(graph);
    plat_store_relaxed(&graph->entry, CMI_NO_ENTRY); /* relaxed: not shared yet */
    if (cmi_arena_open(&graph->nodes, sizeof(cmi_node_t), params->capacity) &&
        cmi_rows_open_full(&graph->full, params->vectors, params->metric, params->dimensions, params->capacity, params->spill_folder) &&
        (params->vectors != CM_VECTORS_I8 || cmi_rows_open_coded(&graph->coded, params->dimensions, params->capacity)) &&
        cmi_arena_open(&graph->list0, (uint64_t)graph->cap0 * sizeof(uint32_t), params->capacity) &&
        cmi_arena_open(&graph->upper, (uint64_t)params->m * sizeof(uint32_t), upper_capacity(params)))
        return true;
    cmi_hnsw_close(graph);
    return false;
}

void cmi_hnsw_close(cmi_hnsw_t *graph) {
    cmi_arena_close(&graph->nodes);
    cmi_arena_close(&graph->full.arena);
    cmi_arena_close(&graph->coded.arena);
    cmi_arena_close(&graph->list0);
    cmi_arena_close(&graph->upper);
}

static void clear_list(plat_a32_t *place, uint32_t cap) {
    for (uint32_t i = 0; i < cap; i++) plat_store_relaxed(&place[i], CMI_NONE); /* relaxed: not published */
}

/* Takes `level` rows of upper lists; returns the level that there was room for. */
static uint32_t take_upper_rows(cmi_hnsw_t *graph, uint32_t level, uint32_t *first) {
    *first = 0;
    if (level == 0) return 0;
    uint32_t row = plat_load_relaxed(&graph->n_upper); /* relaxed: only the number is shared, rows are published with their slot */
    do {
        if (row + level > graph->upper.capacity) return 0;
        for (uint32_t i = 0; i < level; i++)
            if (!cmi_arena_ensure(&graph->upper, row + i)) return 0;
    } while (!plat_cas_relaxed(&graph->n_upper, &row, row + level)); /* retry: another insert took rows */
    for (uint32_t i = 0; i < level; i++) clear_list((plat_a32_t *)cmi_arena_at(&graph->upper, row + i), graph->params.m);
    *first = row;
    return level;
}

static void prepare_slot(cmi_hnsw_t *graph, uint32_t slot, uint32_t level) {
    cmi_node_t *node = cmi_hnsw_node(graph, slot);
    level = take_upper_rows(graph, level, &node->upper_first);
    clear_list((plat_a32_t *)cmi_arena_at(&graph->list0, slot), graph->cap0);
    plat_store_relaxed(&node->parent, CMI_NONE);                               /* relaxed: published with the slot */
    plat_store_relaxed(&node->meta, cmi_meta_make(0, 0, level, CMI_BUILDING)); /* relaxed: BUILDING is private */
}

bool cmi_hnsw_ensure_slot(cmi_hnsw_t *graph, uint32_t slot) {
    return cmi_arena_ensure(&graph->nodes, slot) && cmi_arena_ensure(&graph->full.arena, slot) &&
           (!cmi_hnsw_is_coded(graph) || cmi_arena_ensure(&graph->coded.arena, slot)) && cmi_arena_ensure(&graph->list0, slot);
}

/* Memory first, number second: every slot below n_slots may be looked at. Being RMWs the CASes hand on what each of them released. */
cm_status_t cmi_hnsw_reserve(cmi_hnsw_t *graph, uint32_t *out) {
    uint32_t slot = plat_load_relaxed(&graph->n_slots); /* relaxed: re-checked by the CAS; we make sure of our own slot only */
    do {
        if (slot >= graph->params.capacity) return CM_E_INDEX_FULL;
        if (!cmi_hnsw_ensure_slot(graph, slot)) return CM_E_NO_MEMORY;
        /* [N5] release: the arenas' chunks. Retry: another insert took this slot */
    } while (!plat_cas_release(&graph->n_slots, &slot, slot + 1));
    prepare_slot(graph, slot, level_of(graph, slot));
    *out = slot;
    return CM_OK;
}

void cmi_hnsw_abandon_slot(cmi_hnsw_t *graph, uint32_t slot) {
    cmi_node_t *node = cmi_hnsw_node(graph, slot);
    uint64_t meta = plat_load_relaxed(&node->meta); /* relaxed: BUILDING is private */
    plat_store_relaxed(&node->meta, cmi_meta_make(cmi_meta_generation(meta), 0, 0, CMI_FREE));
}

uint32_t cmi_hnsw_n_slots(const cmi_hnsw_t *graph) {
    return plat_load_acquire((plat_a32_t *)&graph->n_slots); /* [N5] pairs with cmi_hnsw_reserve() */
}

uint64_t cmi_hnsw_vector_bytes(const cmi_hnsw_t *graph) {
    uint32_t n = cmi_hnsw_n_slots(graph);
    return cmi_arena_bytes(&graph->full.arena, n) + cmi_arena_bytes(&graph->coded.arena, n);
}

uint64_t cmi_hnsw_spilled_bytes(const cmi_hnsw_t *graph) {
    return cmi_arena_is_spilled(&graph->full.arena) ? cmi_arena_bytes(&graph->full.arena, cmi_hnsw_n_slots(graph)) : 0;
}

uint64_t cmi_hnsw_index_bytes(const cmi_hnsw_t *graph) {
    uint32_t n = cmi_hnsw_n_slots(graph);
    uint32_t n_upper = plat_load_relaxed((plat_a32_t *)&graph->n_upper); /* relaxed: a statistic */
    return cmi_arena_bytes(&graph->nodes, n) + cmi_arena_bytes(&graph->list0, n) + cmi_arena_bytes(&graph->upper, n_upper);
}
