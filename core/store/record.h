/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* record.h - the attributes of a slot: blocks of its payload, and taking a slot out of existence. Views are declared in store.h. */
#ifndef CMI_RECORD_H
#define CMI_RECORD_H

#include "store/store_impl.h"

/* A block with text and metadata, CMI_NO_BLOCK where both are empty. False when the machine gives no memory. */
bool cmi_payload_make(cmi_blocks_t *blocks, cm_str_t text, cm_str_t metadata, uint32_t *block);

/* Text and metadata in a block. */
void cmi_payload_view(const cmi_blocks_t *blocks, uint32_t block, cm_str_t *text, cm_str_t *metadata);

/* Puts a slot that no id names yet, with its created_ms, into the postings, and sets `placed` and `timed`. The context was counted. CM_E_NO_MEMORY, CM_E_INDEX_FULL. */
cm_status_t cmi_record_place(cm_store_t *store, uint32_t slot, uint32_t context, float given_rate);

/* Seals both, takes the slot out of the postings, retires the nodes; returns the context that it was in. Once per slot. Pinned, prepared. */
uint32_t cmi_record_unplace(cm_thread_t *thread, uint32_t slot);

/* Seals the relationships of a slot that was CASed out of the id map, and returns their block: as it will be for ever. May be called more than once. */
uint32_t cmi_record_seal_relationships(cm_store_t *store, uint32_t slot);

/* The last steps of whoever CASed `slot` out of the id map: kills the node, retires postings and blocks, counts its context down. Pinned, prepared. */
void cmi_record_take_out(cm_thread_t *thread, uint32_t slot);

/* The same for whoever CASed the word of `entry` from `slot` to a tombstone: no memory has the id any more. */
void cmi_record_end(cm_thread_t *thread, uint32_t entry, uint32_t slot);

/* The slot of an id, CMI_NONE where there is none. Wait-free. Pinned. */
uint32_t cmi_slot_of(const cm_store_t *store, cm_str_t id);

/* CM_E_NOT_FOUND with its message, for an id that may be anything. */
cm_status_t cmi_not_found(cm_thread_t *thread, cm_str_t id);

#endif
