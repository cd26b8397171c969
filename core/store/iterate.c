/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * iterate.c - walking all memories, and all contexts, by the indices of their map entries.
 *
 * A cursor is `number of the scan << 32 | next entry index`. Entries that were born after the scan began are left out (idmap.h says why: one id, one visit), so
 * a memory that exists throughout is visited once, whatever is replaced, removed and inserted meanwhile.
 *
 * READERS  wait-free: an entry is looked at once.
 */
#include "store/contexts.h"
#include "store/copy.h"

static uint64_t cursor_of(uint32_t scan, uint32_t entry) {
    return (uint64_t)scan << 32 | entry;
}

/* The slot of the memory at an entry, CMI_NONE where this scan is to see none. Pinned. */
static uint32_t slot_at(const cm_store_t *store, uint32_t scan, uint32_t entry) {
    uint64_t value = cmi_idmap_value(&store->ids, entry);
    bool seen = cmi_value_is_slot(value) && cmi_idmap_born_before(&store->ids, entry, scan);
    return seen ? cmi_value_slot(value) : CMI_NONE;
}

void cmi_store_each(cm_store_t *store, void (*visit)(void *context, uint32_t slot), void *context) {
    uint32_t scan = cmi_idmap_begin_scan(&store->ids), end = cmi_idmap_end(&store->ids);
    for (uint32_t entry = 1; entry < end; entry++) {
        uint32_t slot = slot_at(store, scan, entry);
        if (slot != CMI_NONE) visit(context, slot);
    }
}

cm_status_t cmi_store_next(cm_thread_t *thread, uint64_t *cursor, cm_memory_t *out, cmi_room_t room) {
    cm_store_t *store = thread->store;
    uint32_t scan = (uint32_t)(*cursor >> 32), entry = (uint32_t)*cursor, slot = CMI_NONE;
    cm_status_t status = CM_END;
    if (scan == 0) scan = cmi_idmap_begin_scan(&store->ids), entry = 1;
    cmi_thread_pin(thread);
    uint32_t end = cmi_idmap_end(&store->ids);
    for (; entry < end; entry++)
        if ((slot = slot_at(store, scan, entry)) != CMI_NONE) break;
    if (slot != CMI_NONE) {
        cmi_memory_view_t view;
        cmi_store_view(store, slot, &view);
        status = cmi_copy_measure(thread, &view, room);
        if (status == CM_OK) cmi_copy_memory(thread, &view, out, room), entry++;
    }
    cmi_thread_unpin(thread);
    *cursor = cursor_of(scan, entry);
    return status;
}

/* Entries of contexts are never removed, so that an index is all there is to remember. */
cm_status_t cmi_store_next_context(cm_thread_t *thread, uint64_t *cursor, cm_context_stat_t *out, cmi_room_t room) {
    cm_store_t *store = thread->store;
    uint32_t entry = (uint32_t)*cursor, end = cmi_idmap_end(&store->contexts);
    entry = CMI_MAX(entry, 1);
    while (entry < end && cmi_context_count(store, entry) == 0) entry++;
    *cursor = entry;
    if (entry >= end) return CM_END;
    cm_str_t label = cmi_idmap_key(&store->contexts, entry);
    cm_status_t status = cmi_room_for(thread, label.len, room);
    if (status != CM_OK) return status;
    char *next = room.buffer;
    *out = (cm_context_stat_t){cmi_copy_str(&next, label), cmi_context_count(store, entry)};
    *cursor = entry + 1;
    return CM_OK;
}
