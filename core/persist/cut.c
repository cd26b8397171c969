/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cut.c - a consistent cut through a store that others write to; what and why are in cut.h. */
#include "persist/cut.h"

#include "plat_pages.h"

static void set_bit(uint64_t *bitmap, uint32_t slot) {
    bitmap[slot / 64] |= (uint64_t)1 << (slot % 64);
}

/* Of a present node. Relaxed: the parent was final before what told us of the node, which we read with acquire (C1, C2). */
static uint32_t parent_of(const cmi_cut_t *cut, uint32_t slot) {
    return plat_load_relaxed(&cmi_hnsw_node(cut->graph, slot)->parent);
}

static void collect(void *context, uint32_t slot) {
    cmi_cut_t *cut = (cmi_cut_t *)context;
    set_bit(cut->current, slot);
    set_bit(cut->present, slot);
    cut->header.n_memories++;
}

/* Returns the highest slot among `slot` and its ancestors: those of a tombstone may be newer than the n_slots that was read. */
static uint32_t add_ancestors(cmi_cut_t *cut, uint32_t slot) {
    uint32_t highest = slot;
    for (uint32_t parent = parent_of(cut, slot); parent != CMI_NONE && !cmi_cut_bit(cut->present, parent);
         parent = parent_of(cut, parent)) {
        set_bit(cut->present, parent);
        highest = CMI_MAX(highest, parent);
    }
    return highest;
}

static void choose_present(cmi_cut_t *cut, uint64_t entry, uint32_t n_slots) {
    if (entry != CMI_NO_ENTRY) set_bit(cut->present, (uint32_t)entry);
    for (uint32_t slot = 0; slot < n_slots; slot++)
        if (cmi_meta_state(cmi_hnsw_meta(cut->graph, slot)) == CMI_DEAD) set_bit(cut->present, slot);
    cut->header.n_slots = n_slots;
    for (uint32_t slot = 0; slot < n_slots; slot++) {
        if (!cmi_cut_bit(cut->present, slot)) continue;
        uint32_t highest = add_ancestors(cut, slot);
        cut->header.n_slots = CMI_MAX(cut->header.n_slots, highest + 1);
    }
}

/* Also counts the upper rows. */
static void choose_entry(cmi_cut_t *cut, uint64_t entry) {
    cmi_header_t *header = &cut->header;
    header->entry_slot = entry == CMI_NO_ENTRY ? CMI_NONE : (uint32_t)entry;
    header->entry_level = entry == CMI_NO_ENTRY ? 0 : (uint32_t)(entry >> 32);
    for (uint32_t slot = 0; slot < header->n_slots; slot++) {
        if (!cmi_cut_bit(cut->present, slot)) continue;
        uint32_t level = cmi_meta_level(cmi_hnsw_meta(cut->graph, slot));
        header->n_upper += level;
        if (header->entry_slot != CMI_NONE && level <= header->entry_level) continue;
        header->entry_slot = slot; /* (C6) */
        header->entry_level = level;
    }
}

cm_status_t cmi_cut_open(cmi_cut_t *cut, cm_store_t *store, cm_error_t *error) {
    memset(cut, 0, sizeof *cut);
    cut->graph = cmi_store_graph(store);
    cut->bitmap_bytes = ((uint64_t)cut->graph->params.capacity + 63) / 64 * sizeof *cut->current;
    cut->current = (uint64_t *)plat_pages_alloc((size_t)cut->bitmap_bytes);
    cut->present = (uint64_t *)plat_pages_alloc((size_t)cut->bitmap_bytes);
    if (!cut->current || !cut->present)
        return cmi_fail(error, CM_E_NO_MEMORY, "the machine gave no 2 x %U bytes to mark the slots of a snapshot", cut->bitmap_bytes);
    cmi_store_each(store, collect, cut);
    uint64_t entry = plat_load_acquire(&cut->graph->entry); /* [N6] acquire: the node. Before n_slots, which then counts it */
    uint32_t n_slots = cmi_hnsw_n_slots(cut->graph);
    choose_present(cut, entry, n_slots);
    choose_entry(cut, entry);
    cut->header.beams = plat_load_relaxed((plat_a64_t *)&cut->graph->beams); /* relaxed: any lesson will do */
    return CM_OK;
}

void cmi_cut_close(cmi_cut_t *cut) {
    plat_pages_free(cut->current, (size_t)cut->bitmap_bytes);
    plat_pages_free(cut->present, (size_t)cut->bitmap_bytes);
}

uint64_t cmi_cut_meta(const cmi_cut_t *cut, uint32_t slot, uint32_t *parent) {
    *parent = CMI_NONE;
    if (!cmi_cut_bit(cut->present, slot)) return cmi_meta_make(0, 0, 0, CMI_FREE);
    *parent = parent_of(cut, slot);
    uint64_t meta = cmi_hnsw_meta(cut->graph, slot);
    return cmi_meta_make(cmi_meta_generation(meta), CMI_FLAG_LINKED, cmi_meta_level(meta),
                         cmi_cut_bit(cut->current, slot) ? CMI_LIVE : CMI_DEAD);
}

/* ---- lists ---- */

static bool holds(const uint32_t *list, uint32_t n, uint32_t slot) {
    for (uint32_t i = 0; i < n; i++)
        if (list[i] == slot) return true;
    return false;
}

static bool is_present(const cmi_cut_t *cut, uint32_t slot) {
    return slot < cut->header.n_slots && cmi_cut_bit(cut->present, slot);
}

/* A link that the copy keeps. An id may come twice, though hardly: evicted from one place and appended at another while we read. */
static bool keeps(const cmi_cut_t *cut, const uint32_t *list, uint32_t place, uint32_t slot) {
    return list[place] != slot && is_present(cut, list[place]) && !holds(list, place, list[place]);
}

/* (C3): the link from a node to its parent, in a place that is EMPTY or holds no child of the node. */
static bool add_parent(const cmi_cut_t *cut, uint32_t slot, uint32_t parent, uint32_t *list, uint32_t n) {
    uint32_t place = n;
    for (uint32_t i = 0; i < n && (place == n || list[place] != CMI_NONE); i++)
        if (list[i] == CMI_NONE || parent_of(cut, list[i]) != slot) place = i;
    if (place == n) return false;
    list[place] = parent;
    return true;
}

uint32_t cmi_cut_list(const cmi_cut_t *cut, uint32_t slot, uint32_t level, uint32_t *out, cm_status_t *status) {
    uint32_t n = level == 0 ? cut->graph->cap0 : cut->graph->params.m;
    if (!cmi_cut_bit(cut->present, slot)) {
        memset(out, 0xFF, n * sizeof *out); /* CMI_NONE */
        return n;
    }
    cmi_hnsw_copy_list(cut->graph, slot, level, out);
    for (uint32_t i = 0; i < n; i++)
        if (!keeps(cut, out, i, slot)) out[i] = CMI_NONE;
    uint32_t parent = level == 0 ? parent_of(cut, slot) : CMI_NONE;
    if (parent != CMI_NONE && !holds(out, n, parent) && !add_parent(cut, slot, parent, out, n)) *status = CM_E_INVARIANT;
    return n;
}
