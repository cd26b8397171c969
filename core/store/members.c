/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * members.c - see members.h. Two passes over the slots: which are memories, and how long their ids are; then, with room for just these, what is known of them.
 *
 * Sorting all of them, not only those that turn out to have duplicates, lets the consolidation go through them in order and never hold a list of pairs, which is as long as the square
 * of a cluster. 50,000 take 20 ms, of about 200 for the whole.
 */
#include "store/members.h"

#include "base/heap.h"
#include "index/metric.h"
#include "plat_pages.h"

#define BATCH 256u /* slots in one pinned section */

/* ---- order ----------------------------------------------------------------------------------------------------------------------- */

static bool comes_after(const cmi_member_t *a, const cmi_member_t *b) {
    if (a->importance != b->importance) return a->importance < b->importance;
    if (a->created_ms != b->created_ms) return a->created_ms > b->created_ms;
    return cmi_str_compare((cm_str_t){a->id, a->id_bytes}, (cm_str_t){b->id, b->id_bytes}) > 0;
}
CMI_HEAP(cmi_member_t, comes_after)
CMI_HEAP_SORT(cmi_member_t)

static void sort(cmi_members_t *members) {
    cmi_member_t_heap_sort(members->at, members->n);
    for (uint32_t i = 0; i < members->n; i++) members->place[members->at[i].slot] = i;
}

/* ---- collecting -------------------------------------------------------------------------------------------------------------------- */

static bool is_memory(const cm_store_t *store, uint32_t slot) {
    return cmi_meta_state(cmi_hnsw_meta(&store->graph, slot)) == CMI_LIVE && cmi_store_current(store, slot);
}

static cm_str_t id_of(const cm_store_t *store, uint32_t slot) {
    return cmi_idmap_key(&store->ids, cmi_record_entry(cmi_record_at(store, slot)));
}

static void count(cmi_members_t *members, cm_thread_t *thread, uint32_t slot) {
    bool is = is_memory(thread->store, slot);
    members->place[slot] = is ? 0 : CMI_NONE;
    if (!is) return;
    members->capacity++;
    members->n_id_bytes += id_of(thread->store, slot).len;
}

static float inverse_norm(const cmi_hnsw_t *graph, uint32_t slot) {
    const void *row = cmi_hnsw_row(graph, slot);
    return graph->params.metric == CM_METRIC_CUSTOM ? cmi_inverse_norm(row, graph->params.dimensions) : cmi_row_factor(&graph->full, row);
}

/* Only what was counted: it has room, and so has its id. What is gone since then is left out. */
static void read(cmi_members_t *members, cm_thread_t *thread, uint32_t slot) {
    const cm_store_t *store = thread->store;
    if (members->place[slot] == CMI_NONE) return;
    members->place[slot] = CMI_NONE;
    if (!is_memory(store, slot)) return;
    const cmi_record_t *record = cmi_record_at(store, slot);
    cm_str_t id = id_of(store, slot);
    memcpy(members->ids + members->n_id_bytes, id.data, id.len);
    members->at[members->n++] = (cmi_member_t){
        .id = members->ids + members->n_id_bytes,
        .created_ms = record->created_ms,
        .importance = cmi_bits_float(plat_load_relaxed((plat_a32_t *)&record->importance)), /* relaxed: an independent number */
        .inverse_norm = inverse_norm(&store->graph, slot),
        .slot = slot,
        .id_bytes = (uint16_t)id.len,
    };
    members->n_id_bytes += id.len;
}

static void for_each_slot(cmi_members_t *members, cm_thread_t *thread, void (*visit)(cmi_members_t *, cm_thread_t *, uint32_t slot)) {
    for (uint32_t first = 0; first < members->n_slots; first += BATCH) {
        uint32_t end = CMI_MIN(members->n_slots, first + BATCH);
        cmi_thread_pin(thread);
        for (uint32_t slot = first; slot < end; slot++) visit(members, thread, slot);
        cmi_thread_unpin(thread);
    }
}

/* One more byte each: nothing is no size. */
static size_t place_bytes(const cmi_members_t *members) {
    return (size_t)members->n_slots * sizeof *members->place + 1;
}
static size_t member_bytes(const cmi_members_t *members) {
    return (size_t)members->capacity * sizeof *members->at + 1;
}

bool cmi_members_collect(cmi_members_t *members, cm_thread_t *thread) {
    *members = (cmi_members_t){.n_slots = cmi_hnsw_n_slots(&thread->store->graph)};
    members->place = plat_pages_alloc(place_bytes(members));
    if (!members->place) return false;
    for_each_slot(members, thread, count);
    members->id_capacity = members->n_id_bytes + 1;
    members->n_id_bytes = 0;
    members->at = plat_pages_alloc(member_bytes(members));
    members->ids = plat_pages_alloc((size_t)members->id_capacity);
    if (!members->at || !members->ids) return false;
    for_each_slot(members, thread, read);
    sort(members);
    return true;
}

void cmi_members_free(cmi_members_t *members) {
    if (members->place) plat_pages_free(members->place, place_bytes(members));
    if (members->at) plat_pages_free(members->at, member_bytes(members));
    if (members->ids) plat_pages_free(members->ids, (size_t)members->id_capacity);
}
