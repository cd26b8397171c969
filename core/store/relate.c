/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * relate.c - a list of relationships is a block that a CAS replaces as a whole.
 *
 * NO CHANGE IS LOST  The word is sealed after the id map's word was CASed away from the slot. So a change that finds it sealed knows that its id names another memory by now, or none,
 *          and begins again there; and a change that succeeded on an old memory came before the seal, and whoever sealed it takes the list over (insert.c, consolidate.c).
 * PROGRESS lock-free: a repetition happens only because another change, replacement or removal succeeded.
 */
#include "store/relate.h"

#include "store/attributes.h"
#include "store/operations.h"
#include "store/record.h"

/* What becomes of a list. */
typedef struct change {
    cm_str_t add;             /* len 0: nothing */
    cm_str_t drop;            /* len 0: nothing */
    cmi_relationships_t tail; /* added, too */
} change_t;

typedef enum outcome { CHANGED, UNCHANGED, SEALED, NO_ROOM, NO_MEMORY } outcome_t;

static bool changes(const change_t *change, cmi_relationships_t list) {
    if (change->drop.len > 0 && cmi_relationships_hold(list, change->drop)) return true;
    if (change->add.len > 0 && !cmi_relationships_hold(list, change->add)) return true;
    return change->tail.n > 0;
}

static outcome_t try_change(cm_thread_t *thread, uint32_t slot, const change_t *change) {
    cm_store_t *store = thread->store;
    plat_a32_t *word = &cmi_record_at(store, slot)->relationships;
    uint32_t block = plat_load_acquire(word), fresh; /* [S4] acquire: the block */
    if (block & CMI_SEALED) return SEALED;
    cmi_relationships_t list = cmi_relationships_at(store->blocks, block);
    if (!changes(change, list)) return UNCHANGED;
    cmi_relationships_plan_t plan = {.head = list,
                                     .fresh = &change->add,
                                     .n_fresh = change->add.len > 0,
                                     .tail = change->tail,
                                     .without = change->drop,
                                     .limit = store->config.max_relationships};
    if (!cmi_relationships_make(store->blocks, &plan, &fresh)) return NO_MEMORY;
    if (change->add.len > 0 && !cmi_relationships_hold(cmi_relationships_at(store->blocks, fresh), change->add)) {
        if (fresh != CMI_NO_BLOCK) cmi_blocks_free(store->blocks, fresh); /* nobody saw it */
        return NO_ROOM;
    }
    uint32_t expected = block;
    if (!plat_cas_release(word, &expected, fresh)) { /* [S4] release: the block */
        if (fresh != CMI_NO_BLOCK) cmi_blocks_free(store->blocks, fresh);
        return SEALED; /* or changed: either way look again */
    }
    if (block != CMI_NO_BLOCK) cmi_retire(&thread->retirer, CMI_RETIRE_BLOCK, block);
    return CHANGED;
}

static bool add_list(cm_thread_t *thread, uint32_t entry, cmi_relationships_t list, bool to_itself) {
    cmi_idmap_t *ids = &thread->store->ids;
    cm_str_t none = {NULL, 0};
    for (;;) {
        uint64_t value = cmi_idmap_value(ids, entry);
        if (!cmi_value_is_slot(value)) return true;
        change_t change = {.drop = to_itself ? none : cmi_idmap_key(ids, entry), .tail = list};
        outcome_t outcome = try_change(thread, cmi_value_slot(value), &change);
        if (outcome != SEALED) return outcome != NO_MEMORY;
    }
}

bool cmi_relate_list(cm_thread_t *thread, uint32_t entry, cmi_relationships_t list) {
    return add_list(thread, entry, list, false);
}

bool cmi_relate_hand_on(cm_thread_t *thread, uint32_t entry, cmi_relationships_t list) {
    return add_list(thread, entry, list, true);
}

static cm_status_t change_list(cm_thread_t *thread, cm_str_t id, const change_t *change) {
    for (;;) {
        uint32_t slot = cmi_slot_of(thread->store, id);
        if (slot == CMI_NONE) return cmi_not_found(thread, id);
        switch (try_change(thread, slot, change)) {
        case SEALED: continue;
        case NO_MEMORY: return cmi_no_memory(&thread->error, "relationships");
        case NO_ROOM:
            return cmi_fail(&thread->error, CM_E_TOO_LARGE,
                            "the relationships of \"%S\" are full: at most max_relationships (%u), and %u bytes, are allowed", &id,
                            thread->store->config.max_relationships, CM_MAX_RELATIONSHIPS_BYTES);
        default: return CM_OK;
        }
    }
}

static cm_status_t run(cm_thread_t *thread, cm_str_t id, cm_str_t to, const change_t *change) {
    cm_status_t status = cmi_check_id(to, "relationship", &thread->error);
    if (status != CM_OK) return status;
    if (!cmi_retirer_prepare(&thread->retirer)) return cmi_no_memory(&thread->error, "relationships");
    cmi_thread_pin(thread);
    status = change_list(thread, id, change);
    cmi_thread_unpin(thread);
    return status;
}

cm_status_t cmi_store_relate(cm_thread_t *thread, cm_str_t id, cm_str_t to) {
    return run(thread, id, to, &(change_t){.add = to});
}

cm_status_t cmi_store_unrelate(cm_thread_t *thread, cm_str_t id, cm_str_t to) {
    return run(thread, id, to, &(change_t){.drop = to});
}
