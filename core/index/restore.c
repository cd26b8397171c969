/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* restore.c - a graph out of and into snapshots. */
#include "index/links.h"

void cmi_hnsw_copy_list(const cmi_hnsw_t *graph, uint32_t slot, uint32_t level, uint32_t *out) {
    cmi_list_t list = cmi_list_of(graph, slot, level);
    for (uint32_t i = 0; i < list.cap; i++) out[i] = cmi_list_read(&list, i);
}

cm_status_t cmi_hnsw_restore_begin(cmi_hnsw_t *graph, uint32_t n_slots) {
    if (n_slots > graph->params.capacity) return CM_E_INDEX_FULL;
    for (uint32_t slot = 0; slot < n_slots; slot++) {
        if (!cmi_hnsw_ensure_slot(graph, slot)) return CM_E_NO_MEMORY;
        plat_store_relaxed(&cmi_hnsw_node(graph, slot)->parent, CMI_NONE); /* relaxed, here and below: the graph is not shared yet */
    }
    plat_store_relaxed(&graph->n_slots, n_slots);
    return CM_OK;
}

static void restore_list(plat_a32_t *place, const uint32_t *ids, uint32_t cap) {
    for (uint32_t i = 0; i < cap; i++) plat_store_relaxed(&place[i], ids[i]);
}

cm_status_t cmi_hnsw_restore_slot(cmi_hnsw_t *graph, uint32_t slot, uint64_t meta, uint32_t parent, const uint32_t *lists) {
    cmi_node_t *node = cmi_hnsw_node(graph, slot);
    uint32_t n_levels = cmi_meta_level(meta), first = plat_load_relaxed(&graph->n_upper), m = graph->params.m;
    if (n_levels > graph->upper.capacity - first) return CM_E_CORRUPT; /* levels that no generator draws */
    restore_list((plat_a32_t *)cmi_arena_at(&graph->list0, slot), lists, graph->cap0);
    lists += graph->cap0;
    for (uint32_t i = 0; i < n_levels; i++, lists += m) {
        if (!cmi_arena_ensure(&graph->upper, first + i)) return CM_E_NO_MEMORY;
        restore_list((plat_a32_t *)cmi_arena_at(&graph->upper, first + i), lists, m);
    }
    plat_store_relaxed(&graph->n_upper, first + n_levels);
    node->upper_first = first;
    plat_store_relaxed(&node->parent, parent);
    plat_store_relaxed(&node->meta, meta);
    return CM_OK;
}

void cmi_hnsw_restore_end(cmi_hnsw_t *graph, uint64_t entry, uint64_t beams) {
    plat_store_relaxed(&graph->entry, entry);
    plat_store_relaxed(&graph->beams, beams);
}
