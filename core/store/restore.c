/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* restore.c - a memory out of a snapshot, which is trusted in nothing, into a store that nobody shares yet. */
#include "store/attributes.h"
#include "store/contexts.h"
#include "store/record.h"
#include "store/relationships.h"

static cm_status_t check(const cm_store_t *store, uint32_t slot, const cmi_memory_view_t *view, cm_error_t *error) {
    cmi_relationships_t list = {view->n_relationships, view->relationships_bytes, view->relationships};
    if (slot >= cmi_hnsw_n_slots(&store->graph) || cmi_meta_state(cmi_hnsw_meta(&store->graph, slot)) != CMI_LIVE)
        return cmi_fail(error, CM_E_CORRUPT, "slot %u is no live node", slot);
    cm_status_t status = cmi_check_id(view->id, "id", error);
    if (status == CM_OK) status = cmi_check_context(view->context, error);
    if (status == CM_OK) status = cmi_check_numbers(view->importance, view->decay_rate, error);
    if (status == CM_OK) status = cmi_check_payload(view->text, view->metadata, error);
    if (status == CM_OK) status = cmi_relationships_check(list, store->config.max_relationships, error);
    if (status != CM_OK && error) error->status = CM_E_CORRUPT; /* whichever rule it is, a snapshot that we wrote breaks none */
    return status == CM_OK ? CM_OK : CM_E_CORRUPT;
}

/* The entry of the id, which must be new. */
static cm_status_t take_entry(cm_store_t *store, cm_str_t id, uint32_t *entry, cm_error_t *error) {
    uint64_t value;
    bool made;
    cm_status_t status = cmi_idmap_obtain(&store->ids, id, entry, &value, &made);
    if (status == CM_E_INDEX_FULL) return cmi_fail(error, CM_E_CORRUPT, "there are more ids than slots");
    if (status != CM_OK) return cmi_no_memory(error, "ids");
    if (!made) return cmi_fail(error, CM_E_CORRUPT, "the id \"%S\" comes twice", &id);
    return CM_OK;
}

static cm_status_t take_context(cm_store_t *store, cm_str_t label, uint32_t *context, cm_error_t *error) {
    if (cmi_context_obtain(store, label, context) != CM_OK) return cmi_no_memory(error, "contexts");
    cmi_context_count_up(store, *context);
    return CM_OK;
}

/* The list was checked: alone it is copied as it is. */
static cm_status_t make_blocks(cm_store_t *store, cmi_record_t *record, const cmi_memory_view_t *view, cm_error_t *error) {
    cmi_relationships_t list = {view->n_relationships, view->relationships_bytes, view->relationships};
    cmi_relationships_plan_t plan = {.head = list, .limit = store->config.max_relationships};
    uint32_t payload, relationships;
    if (!cmi_payload_make(store->blocks, view->text, view->metadata, &payload)) return cmi_no_memory(error, "payloads");
    plat_store_relaxed(&record->payload, payload); /* relaxed, here and below: published by the CAS [M3] */
    if (!cmi_relationships_make(store->blocks, &plan, &relationships)) return cmi_no_memory(error, "relationships");
    plat_store_relaxed(&record->relationships, relationships);
    return CM_OK;
}

static void fill(cmi_record_t *record, const cmi_memory_view_t *view, uint32_t entry) {
    record->created_ms = view->created_ms;
    plat_store_relaxed(&record->accessed_ms, (uint64_t)view->accessed_ms); /* relaxed, here and below: published by the CAS [M3] */
    plat_store_relaxed(&record->decayed_ms, (uint64_t)view->decayed_ms);
    plat_store_relaxed(&record->importance, cmi_float_bits(view->importance));
    plat_store_relaxed(&record->access_count, view->access_count);
    cmi_record_set_entry(record, entry);
}

cm_status_t cmi_store_restore(cm_thread_t *thread, uint32_t slot, const cmi_memory_view_t *view, cm_error_t *error) {
    cm_store_t *store = thread->store;
    uint32_t entry, context;
    cm_status_t status = check(store, slot, view, error);
    if (status != CM_OK) return status;
    if (cm_len(store) >= store->config.max_memories)
        return cmi_fail(error, CM_E_CAPACITY, "max_memories is %u, but there are more memories", store->config.max_memories);
    if (!cmi_arena_ensure(&store->records, slot)) return cmi_no_memory(error, "records");
    status = take_entry(store, view->id, &entry, error);
    if (status == CM_OK) status = take_context(store, view->context, &context, error);
    if (status == CM_OK) status = make_blocks(store, cmi_record_at(store, slot), view, error);
    if (status != CM_OK) return status; /* the store is thrown away */
    fill(cmi_record_at(store, slot), view, entry);
    if (cmi_record_place(store, slot, context, view->decay_rate) != CM_OK) return cmi_no_memory(error, "postings");
    uint64_t none = CMI_VALUE_NONE;
    cmi_idmap_set_born(&store->ids, entry);
    cmi_idmap_cas(&store->ids, entry, &none, cmi_value_for(store, slot));
    plat_fetch_add_relaxed(&store->n_live, 1); /* relaxed: a count */
    return CM_OK;
}

void cmi_store_restore_begin(cm_thread_t *thread) {
    cmi_postings_begin_loading(&thread->store->postings);
}

cm_status_t cmi_store_restore_end(cm_thread_t *thread, cm_error_t *error) {
    return cmi_postings_end_loading(&thread->store->postings) ? CM_OK : cmi_no_memory(error, "postings");
}
