/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * contexts.h - how many memories each context holds: entries of a second id map whose words are counts.
 *
 * Counted exactly once each: up by an insert before its memory exists (so that a count is never below what exists), down by whoever's CAS ended the existence,
 * or by the insert that gave up.
 */
#ifndef CMI_CONTEXTS_H
#define CMI_CONTEXTS_H

#include "store/store_impl.h"

/* Finds or makes the entry of a label. CM_E_NO_MEMORY, CM_E_INDEX_FULL. */
cm_status_t cmi_context_obtain(cm_store_t *store, cm_str_t label, uint32_t *entry);

void cmi_context_count_up(cm_store_t *store, uint32_t entry);
void cmi_context_count_down(cm_store_t *store, uint32_t entry);

/* Memories of the context at an entry; 0 for an entry that is no label's. A count above 0 makes cmi_idmap_key() valid. */
uint64_t cmi_context_count(const cm_store_t *store, uint32_t entry);

#endif
