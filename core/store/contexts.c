/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* contexts.c - see contexts.h. */
#include "store/contexts.h"

cm_status_t cmi_context_obtain(cm_store_t *store, cm_str_t label, uint32_t *entry) {
    uint64_t count;
    bool made;
    return cmi_idmap_obtain(&store->contexts, label, entry, &count, &made);
}

void cmi_context_count_up(cm_store_t *store, uint32_t entry) {
    plat_fetch_add_release(&cmi_idmap_at(&store->contexts, entry)->value, 1); /* [M3] release: the label, for scans that see a count */
}

void cmi_context_count_down(cm_store_t *store, uint32_t entry) {
    /* relaxed: an RMW hands on what was released by counting up */
    plat_fetch_sub_relaxed(&cmi_idmap_at(&store->contexts, entry)->value, 1);
}

uint64_t cmi_context_count(const cm_store_t *store, uint32_t entry) {
    uint64_t count = cmi_idmap_value(&store->contexts, entry);
    return count == CMI_VALUE_TOMB ? 0 : count; /* a dummy */
}
