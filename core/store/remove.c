/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * remove.c - a memory ceases to exist: the CAS of its entry's word to a tombstone. Whoever wins it takes out the slot, unlinks the entry and retires what they held.
 *
 * PROGRESS lock-free: the CAS fails only because another insert or removal of the same id succeeded.
 */
#include "store/operations.h"
#include "store/record.h"

/* False when there is no memory of this id. */
static bool end_existence(cm_store_t *store, cm_str_t id, uint32_t *entry, uint32_t *slot) {
    if (id.len == 0 || id.len > CM_MAX_ID_BYTES || !id.data) return false; /* cannot exist */
    *entry = cmi_idmap_find(&store->ids, id);
    if (*entry == CMI_NO_ENTRY_INDEX) return false;
    uint64_t value = cmi_idmap_value(&store->ids, *entry);
    while (cmi_value_is_slot(value)) {
        *slot = cmi_value_slot(value);
        if (cmi_idmap_cas(&store->ids, *entry, &value, CMI_VALUE_TOMB)) return true;
    }
    return false;
}

cm_status_t cmi_store_remove(cm_thread_t *thread, cm_str_t id) {
    cm_store_t *store = thread->store;
    if (!cmi_retirer_prepare(&thread->retirer)) return cmi_no_memory(&thread->error, "a removal");
    uint32_t entry, slot;
    cmi_thread_pin(thread);
    bool removed = end_existence(store, id, &entry, &slot);
    if (removed) cmi_record_end(thread, entry, slot);
    cmi_thread_unpin(thread);
    return removed ? CM_OK : cmi_not_found(thread, id);
}
