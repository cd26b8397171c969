/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * consolidate.c - near-duplicates become one memory.
 *
 *     members in order (members.h) -> each that is still there: what is similar to it (duplicates.h) -> absorbs one after the other
 *
 * ABSORBING  the other's relationships are merged into the absorber's -> the absorber's importance is raised -> the absorber still exists? -> the other's word in the id map is CASed from its slot to a
 *          tombstone, the linearisation point -> its relationships are sealed, and what was added to them since follows, as does a changed importance -> it is taken out. So whoever looks for either of the two finds one at
 *          every moment: the absorber was there when the other went, and this consolidation removes no absorber that it has not handed on to another one. A member that was replaced or removed
 *          meanwhile is another memory or none, and left alone.
 * ONE AT A TIME  Two of them with different thresholds, or at different times of decay, could absorb a pair in both directions. Nobody waits: the second is told CM_E_BUSY.
 * PROGRESS lock-free: nothing is repeated but by the loops of relate.c and of raising importance. A thread that stops in here keeps others from consolidating, and from nothing else.
 */
#include "store/duplicates.h"
#include "store/operations.h"
#include "store/record.h"
#include "store/relate.h"

#include "base/heap.h"

#define REPORT_EVERY 512u /* members */

typedef struct consolidation {
    cm_thread_t *thread;
    cm_store_t *store;
    const cm_consolidate_t *options;
    cmi_members_t members;
    cmi_duplicates_t duplicates;
    uint64_t n_absorbed;
} consolidation_t;

/* ---- one absorption -------------------------------------------------------------------------------------------------------------- */

static void raise_importance(plat_a32_t *importance, uint32_t other_bits) {
    uint32_t bits = plat_load_relaxed(
        importance); /* relaxed: an independent number. Floats of 0 .. 1 are in the order of their bits, but for -0, which is 0 */
    while (cmi_bits_float(bits) < cmi_bits_float(other_bits) && !plat_cas_relaxed(importance, &bits, other_bits)) {} /* retry: it changed */
}

typedef enum outcome { ABSORBED, OTHER_GONE, ABSORBER_GONE, NO_MEMORY } outcome_t;

/* What was done to the other one after its attributes were read, and before it went: nothing that was promised is lost. Its importance only where it changed, or a decay of the absorber would be
 * undone. When the machine gives no memory the relationships are lost: there is no way back. */
static void take_over(cm_thread_t *thread, uint32_t absorber, uint32_t other, uint32_t merged, uint32_t importance) {
    cm_store_t *store = thread->store;
    cmi_record_t *record = cmi_record_at(store, absorber);
    uint32_t last = cmi_record_seal_relationships(store, other);
    if (last != merged) cmi_relate_list(thread, cmi_record_entry(record), cmi_relationships_at(store->blocks, last));
    /* [S6] release: the memory's end, for an update that comes after us; of one that came before we see the number. Changes nothing, but takes its place in the order of changes */
    uint32_t last_importance = plat_fetch_or_release(&cmi_record_at(store, other)->importance, 0u);
    if (last_importance != importance) raise_importance(&record->importance, last_importance);
}

/* Pinned, prepared: retires at most two lists, two postings, two blocks and an id. */
static outcome_t absorb_slot(cm_thread_t *thread, uint32_t absorber, uint32_t other) {
    cm_store_t *store = thread->store;
    cmi_record_t *record = cmi_record_at(store, other);
    uint32_t absorber_entry = cmi_record_entry(cmi_record_at(store, absorber)), entry = cmi_record_entry(record);
    uint64_t value = cmi_value_for(store, other);
    if (!cmi_store_current(store, absorber)) return ABSORBER_GONE;
    if (!cmi_store_current(store, other)) return OTHER_GONE;
    uint32_t merged = cmi_record_block(&record->relationships);
    uint32_t importance = plat_load_relaxed(&record->importance); /* relaxed: an independent number */
    if (!cmi_relate_list(thread, absorber_entry, cmi_relationships_at(store->blocks, merged))) return NO_MEMORY;
    raise_importance(&cmi_record_at(store, absorber)->importance, importance);
    if (!cmi_store_current(store, absorber)) return ABSORBER_GONE;
    if (!cmi_idmap_cas(&store->ids, entry, &value, CMI_VALUE_TOMB)) return OTHER_GONE;
    take_over(thread, absorber, other, merged, importance);
    cmi_record_end(thread, entry, other);
    return ABSORBED;
}

/* CM_END when the absorber is there no more. */
static cm_status_t absorb(consolidation_t *c, uint32_t absorber, uint32_t other) {
    if (!cmi_retirer_prepare(&c->thread->retirer)) return CM_E_NO_MEMORY;
    cmi_thread_pin(c->thread);
    outcome_t outcome = absorb_slot(c->thread, c->members.at[absorber].slot, c->members.at[other].slot);
    cmi_thread_unpin(c->thread);
    if (outcome == NO_MEMORY) return CM_E_NO_MEMORY;
    if (outcome == ABSORBER_GONE) return CM_END;
    c->members.at[other].absorbed = true; /* or gone: no member of this consolidation any more */
    c->members.at[other].absorber = outcome == ABSORBED ? absorber : CMI_NONE;
    c->n_absorbed += outcome == ABSORBED;
    return CM_OK;
}

/* ---- all of them ------------------------------------------------------------------------------------------------------------------ */

typedef uint32_t index_t;
static bool comes_before(const index_t *a, const index_t *b) {
    return *a < *b;
}
CMI_HEAP(index_t, comes_before)

static uint32_t find(const consolidation_t *c, uint32_t i) {
    cmi_thread_pin(c->thread);
    uint32_t n = cmi_store_current(c->store, c->members.at[i].slot) ? cmi_duplicates_of(&c->duplicates, i) : 0;
    cmi_thread_unpin(c->thread);
    return n;
}

/* One member's turn. Those similar to it come in order. One that comes before it should have absorbed it in its own turn, when the walk missed this member: it does so now. */
static cm_status_t consolidate_member(consolidation_t *c, uint32_t i) {
    size_t n = find(c, i);
    cm_status_t status = CM_OK;
    index_t_heap_make(c->duplicates.found, n);
    while (n > 0 && status == CM_OK && !c->members.at[i].absorbed) {
        uint32_t other = index_t_heap_pop(c->duplicates.found, &n);
        if (other > i) status = absorb(c, i, other);
        else if (absorb(c, other, i) == CM_E_NO_MEMORY) status = CM_E_NO_MEMORY;
    }
    return status == CM_END ? CM_OK : status;
}

static bool report(const consolidation_t *c, uint32_t n_done) {
    if (!c->options->progress) return true;
    c->thread->in_callback = true;
    bool go_on = c->options->progress(c->options->progress_context, c->members.n ? (double)n_done / c->members.n : 1);
    c->thread->in_callback = false;
    return go_on;
}

static cm_status_t run(consolidation_t *c) {
    float threshold = c->options->similarity_threshold;
    if (threshold == 0) threshold = c->store->config.similarity_threshold;
    if (!cmi_members_collect(&c->members, c->thread) || !cmi_duplicates_open(&c->duplicates, c->thread, &c->members, threshold))
        return CM_E_NO_MEMORY;
    for (uint32_t i = 0; i < c->members.n; i++) {
        if (i % REPORT_EVERY == 0 && !report(c, i)) return CM_E_CANCELLED;
        cm_status_t status = c->members.at[i].absorbed ? CM_OK : consolidate_member(c, i);
        if (status != CM_OK) return status;
    }
    return report(c, c->members.n) ? CM_OK : CM_E_CANCELLED;
}

static cm_status_t run_alone(cm_thread_t *thread, const cm_consolidate_t *options, uint64_t *n_absorbed) {
    consolidation_t c = {.thread = thread, .store = thread->store, .options = options};
    cm_status_t status = run(&c);
    cmi_duplicates_close(&c.duplicates);
    cmi_members_free(&c.members);
    *n_absorbed = c.n_absorbed;
    if (status == CM_E_NO_MEMORY) return cmi_no_memory(&thread->error, "consolidation");
    if (status == CM_E_CANCELLED)
        return cmi_fail(&thread->error, status, "consolidation was stopped by its progress callback: %U memories were absorbed before",
                        c.n_absorbed);
    return status;
}

cm_status_t cmi_store_consolidate(cm_thread_t *thread, const cm_consolidate_t *options, uint64_t *n_absorbed) {
    plat_a32_t *consolidator = &thread->store->consolidator;
    float threshold = options->similarity_threshold;
    uint32_t nobody = 0;
    *n_absorbed = 0;
    if (!(threshold >= 0 && threshold < 1))
        return cmi_fail(&thread->error, CM_E_RANGE, "similarity_threshold is %g: must be above 0 and below 1 (0 is the store's)",
                        (double)threshold);
    /* [S5] acquire: what the last one did. Held by number, so that burying its thread gives it back */
    if (!plat_cas_acquire(consolidator, &nobody, thread->slot + 1))
        return cmi_fail(&thread->error, CM_E_BUSY, "another thread consolidates this store: wait until it is done");
    cm_status_t status = run_alone(thread, options, n_absorbed);
    plat_store_release(consolidator, 0); /* [S5] release: what was done */
    return status;
}
