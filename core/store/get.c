/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * get.c - one memory by its id or by the handle of a hit.
 *
 * READERS  get, get_hit, contains: wait-free. access adds two CAS loops on independent numbers: lock-free.
 */
#include "store/copy.h"
#include "store/operations.h"
#include "store/record.h"

/* Pinned. `slot` was current in this section. */
static cm_status_t copy_slot(cm_thread_t *thread, uint32_t slot, cm_memory_t *out, cmi_room_t room) {
    cmi_memory_view_t view;
    cmi_store_view(thread->store, slot, &view);
    cm_status_t status = cmi_copy_measure(thread, &view, room);
    if (status == CM_OK) cmi_copy_memory(thread, &view, out, room);
    return status;
}

cm_status_t cmi_store_get(cm_thread_t *thread, cm_str_t id, cm_memory_t *out, cmi_room_t room) {
    cmi_thread_pin(thread);
    uint32_t slot = cmi_slot_of(thread->store, id);
    cm_status_t status = slot == CMI_NONE ? cmi_not_found(thread, id) : copy_slot(thread, slot, out, room);
    cmi_thread_unpin(thread);
    return status;
}

/* Stops at UINT32_MAX. Returns the count after it. */
static uint32_t count_access(cmi_record_t *record) {
    uint32_t n = plat_load_relaxed(&record->access_count);                           /* relaxed, here and below: an independent number */
    while (n < UINT32_MAX && !plat_cas_relaxed(&record->access_count, &n, n + 1)) {} /* retry: another access was counted */
    return n < UINT32_MAX ? n + 1 : n;
}

/* The latest of all accesses, in whatever order they arrive. */
static int64_t note_access(cmi_record_t *record, int64_t now_ms) {
    uint64_t latest = plat_load_relaxed(&record->accessed_ms); /* relaxed, here and below: an independent number */
    while ((int64_t)latest < now_ms)
        if (plat_cas_relaxed(&record->accessed_ms, &latest, (uint64_t)now_ms)) return now_ms; /* retry: another access was noted */
    return (int64_t)latest;
}

/* Measured before it is counted: an access that fails for want of room is none. */
static cm_status_t access_slot(cm_thread_t *thread, uint32_t slot, int64_t now_ms, cm_memory_t *out, cmi_room_t room) {
    cmi_memory_view_t view;
    cmi_store_view(thread->store, slot, &view);
    cm_status_t status = cmi_copy_measure(thread, &view, room);
    if (status != CM_OK) return status;
    cmi_record_t *record = cmi_record_at(thread->store, slot);
    view.access_count = count_access(record);
    view.accessed_ms = note_access(record, cmi_time_of(thread->store, now_ms));
    cmi_copy_memory(thread, &view, out, room);
    return CM_OK;
}

cm_status_t cmi_store_access(cm_thread_t *thread, cm_str_t id, int64_t now_ms, cm_memory_t *out, cmi_room_t room) {
    cmi_thread_pin(thread);
    uint32_t slot = cmi_slot_of(thread->store, id);
    cm_status_t status = slot == CMI_NONE ? cmi_not_found(thread, id) : access_slot(thread, slot, now_ms, out, room);
    cmi_thread_unpin(thread);
    return status;
}

/* A handle may be any two numbers. */
static bool is_memory(const cm_store_t *store, uint32_t slot, uint32_t generation) {
    if (slot >= cmi_hnsw_n_slots(&store->graph)) return false;
    uint64_t meta = cmi_hnsw_meta(&store->graph, slot);
    return cmi_meta_state(meta) == CMI_LIVE && cmi_meta_generation(meta) == generation && cmi_store_current(store, slot);
}

cm_status_t cmi_store_get_hit(cm_thread_t *thread, uint32_t slot, uint32_t generation, cm_memory_t *out, cmi_room_t room) {
    cm_status_t status;
    cmi_thread_pin(thread);
    if (is_memory(thread->store, slot, generation)) status = copy_slot(thread, slot, out, room);
    else
        status = cmi_fail(&thread->error, CM_E_STALE, "slot %u, generation %u is no memory any more: it was replaced or removed", slot,
                          generation);
    cmi_thread_unpin(thread);
    return status;
}

bool cmi_store_contains(cm_thread_t *thread, cm_str_t id) {
    cmi_thread_pin(thread);
    bool found = cmi_slot_of(thread->store, id) != CMI_NONE;
    cmi_thread_unpin(thread);
    return found;
}
