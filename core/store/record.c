/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * record.c - the attributes of a slot, as pieces.
 *
 * Payload block: u32 text bytes | text | metadata.
 */
#include "store/record.h"

#include "store/contexts.h"
#include "store/relationships.h"

bool cmi_payload_make(cmi_blocks_t *blocks, cm_str_t text, cm_str_t metadata, uint32_t *block) {
    *block = CMI_NO_BLOCK;
    if (text.len + metadata.len == 0) return true;
    uint32_t text_bytes = (uint32_t)text.len, metadata_bytes = (uint32_t)metadata.len;
    *block = cmi_blocks_alloc(blocks, (uint32_t)sizeof text_bytes + text_bytes + metadata_bytes);
    if (*block == CMI_NO_BLOCK) return false;
    uint8_t *bytes = cmi_blocks_at(blocks, *block);
    memcpy(bytes, &text_bytes, sizeof text_bytes);
    if (text_bytes) memcpy(bytes + sizeof text_bytes, text.data, text_bytes);
    if (metadata_bytes) memcpy(bytes + sizeof text_bytes + text_bytes, metadata.data, metadata_bytes);
    return true;
}

static void view_payload(const cmi_blocks_t *blocks, uint32_t block, cm_str_t *text, cm_str_t *metadata) {
    *text = *metadata = (cm_str_t){NULL, 0};
    if (block == CMI_NO_BLOCK) return;
    const char *bytes = cmi_blocks_at(blocks, block);
    uint32_t text_bytes, n_bytes = cmi_blocks_len(blocks, block);
    memcpy(&text_bytes, bytes, sizeof text_bytes);
    *text = (cm_str_t){bytes + sizeof text_bytes, text_bytes};
    *metadata = (cm_str_t){text->data + text_bytes, n_bytes - sizeof text_bytes - text_bytes};
}

bool cmi_store_current(const cm_store_t *store, uint32_t slot) {
    return cmi_idmap_value(&store->ids, cmi_record_entry(cmi_record_at(store, slot))) == cmi_value_for(store, slot);
}

void cmi_store_view(const cm_store_t *store, uint32_t slot, cmi_memory_view_t *out) {
    const cmi_record_t *record = cmi_record_at(store, slot);
    /* relaxed, all of them: what was set before publish came with the id map's word [M3]; the others are independent numbers */
    cmi_relationships_t list = cmi_relationships_at(store->blocks, plat_load_relaxed((plat_a32_t *)&record->relationships));
    *out = (cmi_memory_view_t){
        .id = cmi_idmap_key(&store->ids, cmi_record_entry(record)),
        .context = cmi_idmap_key(&store->contexts, record->context),
        .vector = cmi_hnsw_row(&store->graph, slot),
        .created_ms = record->created_ms,
        .accessed_ms = (int64_t)plat_load_relaxed((plat_a64_t *)&record->accessed_ms),
        .importance = cmi_bits_float(plat_load_relaxed((plat_a32_t *)&record->importance)),
        .decay_rate = record->decay_rate,
        .access_count = plat_load_relaxed((plat_a32_t *)&record->access_count),
        .n_relationships = list.n,
        .relationships = list.bytes,
        .relationships_bytes = list.n_bytes,
    };
    view_payload(store->blocks, record->payload, &out->text, &out->metadata);
}

static void retire_block(cm_thread_t *thread, uint32_t block) {
    if (block != CMI_NO_BLOCK) cmi_retire(&thread->retirer, CMI_RETIRE_BLOCK, block);
}

void cmi_record_take_out(cm_thread_t *thread, uint32_t slot) {
    cm_store_t *store = thread->store;
    cmi_record_t *record = cmi_record_at(store, slot);
    cmi_hnsw_kill(&store->graph, slot);
    retire_block(thread, plat_load_relaxed(&record->relationships)); /* relaxed: the CAS that took the slot out acquired it [M3] */
    retire_block(thread, record->payload);
    cmi_context_count_down(store, record->context);
}

uint32_t cmi_slot_of(const cm_store_t *store, cm_str_t id) {
    if (id.len == 0 || id.len > CM_MAX_ID_BYTES || !id.data) return CMI_NONE; /* cannot exist */
    uint32_t entry = cmi_idmap_find(&store->ids, id);
    if (entry == CMI_NO_ENTRY_INDEX) return CMI_NONE;
    uint64_t value = cmi_idmap_value(&store->ids, entry);
    return cmi_value_is_slot(value) ? cmi_value_slot(value) : CMI_NONE;
}

cm_status_t cmi_not_found(cm_thread_t *thread, cm_str_t id) {
    if (!id.data) id.len = 0; /* nothing to show */
    return cmi_fail(&thread->error, CM_E_NOT_FOUND, "no memory has the id \"%S\"", &id);
}
