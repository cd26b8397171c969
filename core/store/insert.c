/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * insert.c - a memory comes into existence, or takes the place of another.
 *
 *     check everything -> make room for what may be retired -> pin
 *       -> entry of the id -> count -> context -> slot -> payload, record, vector -> postings -> merged relationships -> link the node
 *       -> CAS the entry's word from the old slot, or none, to ours: from here on the memory exists
 *       -> seal the old relationships; what was added to them since we merged follows us -> take out the old memory
 *
 * Until the CAS nothing names the new slot but graph and postings, and searches leave out what the id map does not name. So whatever fails before is undone and leaves
 * the store as it was, but for a used slot where the node was linked or reserved already.
 *
 * PROGRESS lock-free. The CAS fails only because another insert or removal of the same id succeeded; then the relationships are merged again, from the
 *          memory that is there now, so that no merge is lost. A removal leaves a tombstone in the word: a fresh entry is needed.
 */
#include "store/attributes.h"
#include "store/contexts.h"
#include "store/draft.h"
#include "store/operations.h"
#include "store/record.h"
#include "store/relate.h"
#include "store/relationships.h"

/* ---- checks ----------------------------------------------------------------------------------------------------------------- */

cm_status_t cmi_draft_check(const cm_store_t *store, const cm_memory_t *memory, cm_error_t *error) {
    cm_status_t status = cmi_check_id(memory->id, "id", error);
    if (status == CM_OK) status = cmi_check_vector(memory->vector, memory->dimensions, store->config.dimensions, error);
    if (status == CM_OK) status = cmi_check_context(memory->context, error);
    if (status == CM_OK) status = cmi_check_numbers(memory->importance, memory->decay_rate, error);
    if (status == CM_OK) status = cmi_check_relationships(memory->relationships, memory->n_relationships, error);
    if (status == CM_OK) status = cmi_check_payload(memory->text, memory->metadata, error);
    return status;
}

static cm_status_t refuse_full(cmi_draft_t *d, cm_status_t status, const char *what) {
    const cm_config_t *config = &d->store->config;
    cm_error_t *error = &d->thread->error;
    if (status == CM_E_CAPACITY)
        return cmi_fail(error, status, "the store holds max_memories (%u) memories: remove some, or open one with a larger max_memories",
                        config->max_memories);
    if (status == CM_E_INDEX_FULL)
        return cmi_fail(
            error, status,
            "all %u %s are used up, those of replaced and removed memories included: open a store with a larger max_memories than %u",
            d->store->n_slots, what, config->max_memories);
    return cmi_no_memory(error, what);
}

/* ---- the steps ------------------------------------------------------------------------------------------------------------------ */

static cm_status_t take_entry(cmi_draft_t *d) {
    cm_status_t status = cmi_idmap_obtain(&d->store->ids, d->memory->id, &d->entry, &d->old, &d->made);
    return status == CM_OK ? CM_OK : refuse_full(d, status, "id entries");
}

/* Never above max_memories, not even for a moment: another insert must not fail because of one that fails. */
static bool count_up(cm_store_t *store) {
    uint64_t n = plat_load_relaxed(&store->n_live); /* relaxed, here and below: a count; what it counts is published by the id map */
    do {
        if (n >= store->config.max_memories) return false;
    } while (!plat_cas_relaxed(&store->n_live, &n, n + 1)); /* retry: another insert or removal was counted */
    return true;
}

static void count_down(cmi_draft_t *d) {
    if (d->counted) plat_fetch_sub_relaxed(&d->store->n_live, 1); /* relaxed: a count */
    d->counted = false;
}

/* A memory counts when its id had none. */
static cm_status_t count(cmi_draft_t *d) {
    if (d->old != CMI_VALUE_NONE) count_down(d);
    else if (!d->counted) d->counted = count_up(d->store);
    return d->old != CMI_VALUE_NONE || d->counted ? CM_OK : refuse_full(d, CM_E_CAPACITY, "");
}

static cm_status_t take_context(cmi_draft_t *d) {
    uint32_t context;
    cm_status_t status = cmi_context_obtain(d->store, d->memory->context, &context);
    if (status != CM_OK) return refuse_full(d, status, "context entries");
    cmi_context_count_up(d->store, context);
    d->context = context;
    return CM_OK;
}

static cm_status_t take_slot(cmi_draft_t *d) {
    uint32_t slot;
    cm_status_t status = cmi_hnsw_reserve(&d->store->graph, &slot);
    if (status == CM_OK && !cmi_arena_ensure(&d->store->records, slot)) {
        cmi_hnsw_abandon_slot(&d->store->graph, slot);
        status = CM_E_NO_MEMORY;
    }
    if (status == CM_E_NO_MEMORY) return cmi_no_slots(d->store, &d->thread->error);
    if (status != CM_OK) return refuse_full(d, status, "index slots");
    d->slot = slot;
    return CM_OK;
}

/* Plain and relaxed stores: linking postings [K1] and node [N3] publishes the record to searches, the CAS of the word to everybody else [M3]. */
static cm_status_t fill(cmi_draft_t *d) {
    const cm_memory_t *memory = d->memory;
    cmi_record_t *record = cmi_record_at(d->store, d->slot);
    int64_t created_ms = cmi_time_of(d->store, memory->created_ms);
    uint32_t payload = CMI_NO_BLOCK;
    plat_store_relaxed(&record->relationships, CMI_NO_BLOCK);
    if (!cmi_payload_make(d->store->blocks, memory->text, memory->metadata, &payload)) return cmi_no_memory(&d->thread->error, "a payload");
    plat_store_relaxed(&record->payload, payload);
    record->created_ms = created_ms;
    plat_store_relaxed(&record->accessed_ms, (uint64_t)created_ms);
    plat_store_relaxed(&record->decayed_ms, (uint64_t)INT64_MIN);
    plat_store_relaxed(&record->importance, cmi_float_bits(memory->importance));
    cmi_record_set_entry(record, d->entry);
    cmi_hnsw_set_vector(&d->store->graph, d->slot, memory->vector);
    return CM_OK;
}

static cm_status_t place(cmi_draft_t *d) {
    cm_status_t status = cmi_record_place(d->store, d->slot, d->context, d->memory->decay_rate);
    return status == CM_OK ? CM_OK : refuse_full(d, status, "postings");
}

static void free_relationships(cmi_draft_t *d) {
    plat_a32_t *block = &cmi_record_at(d->store, d->slot)->relationships;
    /* relaxed: ours until the CAS */
    if (plat_load_relaxed(block) != CMI_NO_BLOCK) cmi_blocks_free(d->store->blocks, plat_load_relaxed(block));
    plat_store_relaxed(block, CMI_NO_BLOCK);
}

/* The list that the memory will have if it takes the place of `old`. At once freed again if it does not: nobody looks at the block of a slot that the id map never named. */
static cm_status_t merge(cmi_draft_t *d) {
    cm_store_t *store = d->store;
    uint32_t block;
    d->merged = cmi_value_is_slot(d->old) ? cmi_record_block(&cmi_record_at(store, cmi_value_slot(d->old))->relationships) : CMI_NO_BLOCK;
    free_relationships(d);
    cmi_relationships_plan_t plan = {.fresh = d->memory->relationships,
                                     .n_fresh = d->memory->n_relationships,
                                     .tail = cmi_relationships_at(store->blocks, d->merged),
                                     .limit = store->config.max_relationships};
    if (!cmi_relationships_make(store->blocks, &plan, &block)) return cmi_no_memory(&d->thread->error, "relationships");
    plat_store_relaxed(&cmi_record_at(store, d->slot)->relationships, block); /* relaxed: published by the CAS [M3] */
    return CM_OK;
}

cm_status_t cmi_draft_prepare(cmi_draft_t *d) {
    cm_status_t status = count(d);
    if (status == CM_OK) status = take_context(d);
    if (status == CM_OK) status = take_slot(d);
    if (status == CM_OK) status = fill(d);
    if (status == CM_OK) status = place(d);
    if (status == CM_OK) status = merge(d);
    return status;
}

/* Another insert or removal of this id came first. */
static cm_status_t adapt(cmi_draft_t *d, uint64_t found) {
    cm_status_t status = CM_OK;
    d->old = found;
    if (found == CMI_VALUE_TOMB) {
        status = take_entry(d);
        if (status == CM_OK) cmi_record_set_entry(cmi_record_at(d->store, d->slot), d->entry);
        else d->made = false; /* the entry we had is gone */
    }
    if (status == CM_OK) status = count(d);
    if (status == CM_OK) status = merge(d);
    return status;
}

static cm_status_t publish(cmi_draft_t *d) {
    cmi_idmap_t *ids = &d->store->ids;
    uint64_t value = cmi_value_for(d->store, d->slot);
    for (;;) {
        uint64_t found = d->old;
        if (found == CMI_VALUE_NONE) cmi_idmap_set_born(ids, d->entry);
        if (cmi_idmap_cas(ids, d->entry, &found, value)) return CM_OK;
        cm_status_t status = adapt(d, found);
        if (status != CM_OK) return status;
    }
}

/* ---- undoing ---------------------------------------------------------------------------------------------------------------------- */

static void give_up_slot(cmi_draft_t *d) {
    uint32_t payload = plat_load_relaxed(&cmi_record_at(d->store, d->slot)->payload); /* relaxed: ours */
    cmi_record_unplace(d->thread, d->slot);
    free_relationships(d);
    if (payload != CMI_NO_BLOCK) cmi_blocks_free(d->store->blocks, payload);
    if (d->linked) cmi_hnsw_kill(&d->store->graph, d->slot);
    else cmi_hnsw_abandon_slot(&d->store->graph, d->slot);
}

/* Unless another insert has used it meanwhile. */
static void give_up_entry(cmi_draft_t *d) {
    uint64_t none = CMI_VALUE_NONE;
    if (!cmi_idmap_cas(&d->store->ids, d->entry, &none, CMI_VALUE_TOMB)) return;
    cmi_idmap_unlink(&d->store->ids, d->entry);
    cmi_retire(&d->thread->retirer, CMI_RETIRE_ID, d->entry);
}

void cmi_draft_give_up(cmi_draft_t *d) {
    if (d->slot != CMI_NONE) give_up_slot(d);
    if (d->context != CMI_NO_ENTRY_INDEX) cmi_context_count_down(d->store, d->context);
    count_down(d);
    if (d->made) give_up_entry(d);
}

/* ---- the whole ---------------------------------------------------------------------------------------------------------------------- */

/* Relationships that were added to the old memory after merge() had read them: nothing that cm_relate() promised is lost. When the machine gives no memory for
 * this, they are: the memory is there, and there is no way back. */
static void take_over(cmi_draft_t *d) {
    uint32_t slot = cmi_value_slot(d->old), last = cmi_record_seal_relationships(d->store, slot);
    if (last != d->merged) cmi_relate_hand_on(d->thread, d->entry, cmi_relationships_at(d->store->blocks, last));
    cmi_record_take_out(d->thread, slot);
}

cm_status_t cmi_draft_begin(cmi_draft_t *d, cm_thread_t *thread, const cm_memory_t *memory) {
    *d = (cmi_draft_t){.thread = thread, .store = thread->store, .memory = memory, .slot = CMI_NONE};
    return take_entry(d);
}

cm_status_t cmi_draft_publish(cmi_draft_t *d) {
    d->linked = true;
    cm_status_t status = publish(d);
    if (status == CM_OK && cmi_value_is_slot(d->old)) take_over(d);
    return status;
}

static cm_status_t insert(cm_thread_t *thread, const cm_memory_t *memory) {
    cmi_draft_t d;
    cm_status_t status = cmi_draft_begin(&d, thread, memory);
    if (status == CM_OK) status = cmi_draft_prepare(&d);
    if (status == CM_OK) {
        cmi_hnsw_link(&d.store->graph, thread->scratch, d.slot);
        status = cmi_draft_publish(&d);
    }
    if (status != CM_OK) cmi_draft_give_up(&d);
    return status;
}

cm_status_t cmi_store_insert(cm_thread_t *thread, const cm_memory_t *memory) {
    cm_status_t status = cmi_draft_check(thread->store, memory, &thread->error);
    if (status != CM_OK) return status;
    if (!cmi_retirer_prepare(&thread->retirer)) return cmi_no_memory(&thread->error, "an insert");
    cmi_thread_pin(thread);
    status = insert(thread, memory);
    cmi_thread_unpin(thread);
    return status;
}
