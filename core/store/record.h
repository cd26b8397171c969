/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* record.h - the attributes of a slot: blocks of its payload, and taking a slot out of existence. Views are declared in store.h. */
#ifndef CMI_RECORD_H
#define CMI_RECORD_H

#include "store/store_impl.h"

/* A block with text and metadata, CMI_NO_BLOCK where both are empty. False when the machine gives no memory. */
bool cmi_payload_make(cmi_blocks_t *blocks, cm_str_t text, cm_str_t metadata, uint32_t *block);

/* The last steps of whoever CASed `slot` out of the id map: kills the node, retires the blocks, counts its context down. Pinned, prepared. */
void cmi_record_take_out(cm_thread_t *thread, uint32_t slot);

/* The slot of an id, CMI_NONE where there is none. Wait-free. Pinned. */
uint32_t cmi_slot_of(const cm_store_t *store, cm_str_t id);

/* CM_E_NOT_FOUND with its message, for an id that may be anything. */
cm_status_t cmi_not_found(cm_thread_t *thread, cm_str_t id);

#endif
