/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * update.c - new attributes for a memory that keeps its slot: vector and graph are not touched.
 *
 *     check everything -> make everything that takes memory: context entry, nodes in the postings, payload -> CAS word after word -> unlink and retire the old
 *
 * The new node is linked before the word names it and the old one unlinked after, so that walks of the postings never miss the memory.
 * PROGRESS lock-free: a CAS fails only because another update succeeded, or because the memory was taken out (its words are sealed); then the id names another memory, or none, and all of
 *          it begins again there.
 */
#include "store/attributes.h"
#include "store/contexts.h"
#include "store/operations.h"
#include "store/record.h"

#define ALL_FIELDS (CM_UPDATE_IMPORTANCE | CM_UPDATE_DECAY_RATE | CM_UPDATE_CONTEXT | CM_UPDATE_TEXT | CM_UPDATE_METADATA)
#define PAYLOAD_FIELDS (CM_UPDATE_TEXT | CM_UPDATE_METADATA)

/* An update of one slot, and what has to be undone if it does not get there. */
typedef struct renewal {
    cm_thread_t *thread;
    cm_store_t *store;
    const cm_update_t *update;
    cmi_record_t *record;
    uint32_t slot;
    uint64_t placed; /* the new pairs; 0: none, or in place */
    uint64_t timed;
} renewal_t;

static bool wants(const renewal_t *r, uint32_t fields) {
    return (r->update->fields & fields) != 0;
}

static cm_status_t check(const cm_update_t *update, cm_error_t *error) {
    if (update->fields == 0 || (update->fields & ~ALL_FIELDS))
        return cmi_fail(error, CM_E_ARGUMENT, "fields is %x: must be a sum of CM_UPDATE_ values, not 0", update->fields);
    bool importance = update->fields & CM_UPDATE_IMPORTANCE, decay_rate = update->fields & CM_UPDATE_DECAY_RATE;
    cm_status_t status = cmi_check_numbers(importance ? update->importance : 0, decay_rate ? update->decay_rate : 0, error);
    if (status == CM_OK && (update->fields & CM_UPDATE_CONTEXT)) status = cmi_check_context(update->context, error);
    cm_str_t none = {NULL, 0};
    bool text = update->fields & CM_UPDATE_TEXT, metadata = update->fields & CM_UPDATE_METADATA;
    if (status == CM_OK) status = cmi_check_payload(text ? update->text : none, metadata ? update->metadata : none, error);
    return status;
}

/* ---- making ---------------------------------------------------------------------------------------------------------------------- */

static cm_status_t no_room(const renewal_t *r, cm_status_t status, const char *what) {
    if (status == CM_E_INDEX_FULL)
        return cmi_fail(&r->thread->error, status, "all %s are used up: open a store with a larger max_memories than %u", what,
                        r->store->config.max_memories);
    return cmi_no_memory(&r->thread->error, what);
}

static cm_status_t make_place(renewal_t *r) {
    uint32_t context, node;
    cm_status_t status = cmi_context_obtain(r->store, r->update->context, &context);
    if (status != CM_OK) return no_room(r, status, "context entries");
    status = cmi_postings_add_context(&r->store->postings, context, r->slot, &node);
    if (status != CM_OK) return no_room(r, status, "postings");
    cmi_context_count_up(r->store, context);
    r->placed = cmi_pair_of(context, node);
    return CM_OK;
}

static cm_status_t make_time(renewal_t *r) {
    uint32_t node;
    float rate = cmi_rate_in_force(r->store, r->update->decay_rate);
    cm_status_t status = cmi_postings_add_time(&r->store->postings, rate, r->record->created_ms, r->slot, &node);
    if (status != CM_OK) return no_room(r, status, "postings");
    r->timed = cmi_pair_of(cmi_float_bits(r->update->decay_rate), node);
    return CM_OK;
}

/* Both also for a pair that was in force and is so no more. */
static void drop_place(const renewal_t *r, uint64_t placed) {
    cmi_postings_drop_context(&r->store->postings, cmi_pair_node(placed));
    cmi_retire(&r->thread->retirer, CMI_RETIRE_POSTING, cmi_pair_node(placed));
    cmi_context_count_down(r->store, cmi_pair_attribute(placed));
}

static void drop_time(const renewal_t *r, uint64_t timed) {
    float rate = cmi_rate_in_force(r->store, cmi_bits_float(cmi_pair_attribute(timed)));
    cmi_postings_drop_time(&r->store->postings, rate, cmi_pair_node(timed));
    cmi_retire(&r->thread->retirer, CMI_RETIRE_POSTING, cmi_pair_node(timed));
}

static void give_up(renewal_t *r) {
    if (r->placed) drop_place(r, r->placed);
    if (r->timed) drop_time(r, r->timed);
}

/* ---- changing -------------------------------------------------------------------------------------------------------------------- */

/* CM_E_STALE where the words are sealed: the id names another memory by now, or none. */
static cm_status_t change_pair(plat_a64_t *word, uint64_t fresh, uint64_t *old) {
    *old = plat_load_acquire(word); /* [S3] */
    do {
        if (*old & CMI_SEALED) return CM_E_STALE;
    } while (!plat_cas_acq_rel(word, old, fresh)); /* [S3] release: the new node. Retry: another update */
    return CM_OK;
}

static cm_status_t change_place(renewal_t *r) {
    uint64_t old;
    cm_status_t status = change_pair(&r->record->placed, r->placed, &old);
    if (status != CM_OK) return status;
    r->placed = 0;
    drop_place(r, old);
    return CM_OK;
}

static cm_status_t change_time(renewal_t *r) {
    uint64_t old;
    cm_status_t status = change_pair(&r->record->timed, r->timed, &old);
    if (status != CM_OK) return status;
    r->timed = 0;
    cmi_postings_note_move(&r->store->postings, r->slot);
    drop_time(r, old);
    return CM_OK;
}

static cm_status_t make_payload(const renewal_t *r, uint32_t old, uint32_t *fresh) {
    cm_str_t text, metadata;
    cmi_payload_view(r->store->blocks, old, &text, &metadata);
    if (wants(r, CM_UPDATE_TEXT)) text = r->update->text;
    if (wants(r, CM_UPDATE_METADATA)) metadata = r->update->metadata;
    cm_status_t status = cmi_check_payload(text, metadata, &r->thread->error); /* together with what stays */
    if (status != CM_OK) return status;
    return cmi_payload_make(r->store->blocks, text, metadata, fresh) ? CM_OK : cmi_no_memory(&r->thread->error, "a payload");
}

static cm_status_t change_payload(renewal_t *r) {
    plat_a32_t *word = &r->record->payload;
    for (;;) {                                         /* retry: another update */
        uint32_t old = plat_load_acquire(word), fresh; /* [S4] acquire: the block */
        if (old & CMI_SEALED) return CM_E_STALE;
        cm_status_t status = make_payload(r, old, &fresh);
        if (status != CM_OK) return status;
        if (plat_cas_release(word, &old, fresh)) { /* [S4] release: the block */
            if (old != CMI_NO_BLOCK) cmi_retire(&r->thread->retirer, CMI_RETIRE_BLOCK, old);
            return CM_OK;
        }
        if (fresh != CMI_NO_BLOCK) cmi_blocks_free(r->store->blocks, fresh); /* nobody saw it */
    }
}

/* What was set now has not faded before now. */
static cm_status_t change_importance(renewal_t *r) {
    int64_t now_ms = cmi_time_of(r->store, r->update->now_ms);
    uint64_t mark = plat_load_relaxed(&r->record->decayed_ms); /* relaxed: an independent number */
    while ((int64_t)mark < now_ms && !plat_cas_relaxed(&r->record->decayed_ms, &mark, (uint64_t)now_ms)) {} /* retry: a sweep moved it */
    /* [S6] acquire: the memory's end, which apply() asks about next, if its consolidation read before us; if it comes after us it sees our number */
    plat_exchange_acquire(&r->record->importance, cmi_float_bits(r->update->importance));
    return CM_OK;
}

/* The payload first: it is the last that can fail for want of memory. */
static cm_status_t apply(renewal_t *r) {
    cm_status_t status = CM_OK;
    if (wants(r, CM_UPDATE_CONTEXT)) status = make_place(r);
    if (status == CM_OK && wants(r, CM_UPDATE_DECAY_RATE)) status = make_time(r);
    if (status == CM_OK && wants(r, PAYLOAD_FIELDS)) status = change_payload(r);
    if (status == CM_OK && r->placed) status = change_place(r);
    if (status == CM_OK && r->timed) status = change_time(r);
    if (status == CM_OK && wants(r, CM_UPDATE_IMPORTANCE)) status = change_importance(r);
    if (status != CM_OK) give_up(r);
    else if (!cmi_store_current(r->store, r->slot)) return CM_E_STALE;
    return status;
}

/* One pass over whatever memory the id names; CM_E_STALE when it was replaced or removed meanwhile. Retires up to 5 handles. */
static cm_status_t renew(cm_thread_t *thread, cm_str_t id, const cm_update_t *update) {
    cmi_thread_pin(thread);
    cm_store_t *store = thread->store;
    uint32_t slot = cmi_slot_of(store, id);
    cm_status_t status = CM_E_NOT_FOUND;
    if (slot != CMI_NONE) {
        renewal_t r = {.thread = thread, .store = store, .update = update, .record = cmi_record_at(store, slot), .slot = slot};
        status = apply(&r);
    }
    cmi_thread_unpin(thread);
    return status == CM_E_NOT_FOUND ? cmi_not_found(thread, id) : status;
}

cm_status_t cmi_store_update(cm_thread_t *thread, cm_str_t id, const cm_update_t *update) {
    cm_status_t status = check(update, &thread->error);
    if (status != CM_OK) return status;
    do {
        if (!cmi_retirer_prepare(&thread->retirer)) return cmi_no_memory(&thread->error, "an update");
        status = renew(thread, id, update);
    } while (status == CM_E_STALE);
    return status;
}
