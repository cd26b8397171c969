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

void cmi_payload_view(const cmi_blocks_t *blocks, uint32_t block, cm_str_t *text, cm_str_t *metadata) {
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
    cmi_relationships_t list = cmi_relationships_at(store->blocks, cmi_record_block(&record->relationships));
    /* relaxed, below: independent numbers */
    *out = (cmi_memory_view_t){
        .id = cmi_idmap_key(&store->ids, cmi_record_entry(record)),
        .context = cmi_idmap_key(&store->contexts, cmi_record_context(record)),
        .row = cmi_hnsw_row(&store->graph, slot),
        .created_ms = record->created_ms,
        .accessed_ms = (int64_t)plat_load_relaxed((plat_a64_t *)&record->accessed_ms),
        .decayed_ms = (int64_t)plat_load_relaxed((plat_a64_t *)&record->decayed_ms),
        .importance = cmi_bits_float(plat_load_relaxed((plat_a32_t *)&record->importance)),
        .decay_rate = cmi_record_given_rate(record),
        .access_count = plat_load_relaxed((plat_a32_t *)&record->access_count),
        .n_relationships = list.n,
        .relationships = list.bytes,
        .relationships_bytes = list.n_bytes,
    };
    cmi_payload_view(store->blocks, cmi_record_block(&record->payload), &out->text, &out->metadata);
}

/* ---- coming and going ------------------------------------------------------------------------------------------------------------ */

cm_status_t cmi_record_place(cm_store_t *store, uint32_t slot, uint32_t context, float given_rate) {
    cmi_record_t *record = cmi_record_at(store, slot);
    uint32_t placed, timed;
    cm_status_t status = cmi_postings_add_context(&store->postings, context, slot, &placed);
    if (status != CM_OK) return status;
    plat_store_relaxed(&record->placed, cmi_pair_of(context, placed)); /* relaxed, both: published with the memory, [N3] and [M3] */
    status = cmi_postings_add_time(&store->postings, cmi_rate_in_force(store, given_rate), record->created_ms, slot, &timed);
    if (status == CM_OK) {
        plat_store_relaxed(&record->timed, cmi_pair_of(cmi_float_bits(given_rate), timed));
        return CM_OK;
    }
    return status;
}

static void retire_posting(cm_thread_t *thread, uint32_t node) {
    cmi_retire(&thread->retirer, CMI_RETIRE_POSTING, node);
}

/* Either node may be missing: cmi_record_place() may have failed. */
uint32_t cmi_record_unplace(cm_thread_t *thread, uint32_t slot) {
    cm_store_t *store = thread->store;
    cmi_record_t *record = cmi_record_at(store, slot);
    uint64_t placed = plat_fetch_or_acq_rel(&record->placed, CMI_SEALED); /* [S3] acquire: the nodes as the last update left them */
    uint64_t timed = plat_fetch_or_acq_rel(&record->timed, CMI_SEALED);   /* [S3] */
    if (cmi_pair_node(placed) != CMI_NO_SKIP_NODE) {
        cmi_postings_drop_context(&store->postings, cmi_pair_node(placed));
        retire_posting(thread, cmi_pair_node(placed));
    }
    if (cmi_pair_node(timed) != CMI_NO_SKIP_NODE) {
        cmi_postings_drop_time(&store->postings, cmi_rate_in_force(store, cmi_bits_float(cmi_pair_attribute(timed))), cmi_pair_node(timed));
        retire_posting(thread, cmi_pair_node(timed));
    }
    return cmi_pair_attribute(placed);
}

static void retire_block(cm_thread_t *thread, uint32_t block) {
    if (block != CMI_NO_BLOCK) cmi_retire(&thread->retirer, CMI_RETIRE_BLOCK, block);
}

uint32_t cmi_record_seal_relationships(cm_store_t *store, uint32_t slot) {
    /* [S4] acquire: the block, as the last change left it */
    return plat_fetch_or_acq_rel(&cmi_record_at(store, slot)->relationships, CMI_SEALED) & ~CMI_SEALED;
}

void cmi_record_take_out(cm_thread_t *thread, uint32_t slot) {
    cm_store_t *store = thread->store;
    cmi_hnsw_kill(&store->graph, slot);
    uint32_t context = cmi_record_unplace(thread, slot);
    retire_block(thread, cmi_record_seal_relationships(store, slot));
    retire_block(thread, plat_fetch_or_acq_rel(&cmi_record_at(store, slot)->payload, CMI_SEALED)); /* [S4] acquire: as above; sealed once */
    cmi_context_count_down(store, context);
}

void cmi_record_end(cm_thread_t *thread, uint32_t entry, uint32_t slot) {
    cmi_record_take_out(thread, slot);
    plat_fetch_sub_relaxed(&thread->store->n_live, 1); /* relaxed: a count */
    cmi_idmap_unlink(&thread->store->ids, entry);
    cmi_retire(&thread->retirer, CMI_RETIRE_ID, entry);
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
