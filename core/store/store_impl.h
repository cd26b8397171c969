/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* store_impl.h - the two structs behind cm_store_t and cm_thread_t, and what the files of core/store share. */
#ifndef CMI_STORE_IMPL_H
#define CMI_STORE_IMPL_H

#include "memory/reclaim.h"
#include "plat_clock.h"
#include "store/idmap.h"
#include "store/store.h"

#define CMI_RETIRE_ID 1u /* kind for the reclaimer: an entry of the id map, with its id */

struct cm_store {
    cm_config_t config; /* immutable */
    uint32_t n_slots;   /* immutable: room for memories, replaced and removed ones included */
    plat_epoch_t *epoch;
    cmi_blocks_t *blocks;
    cmi_hnsw_t graph;
    cmi_arena_t records; /* cmi_record_t per slot */
    cmi_idmap_t ids;
    cmi_idmap_t contexts; /* entries are never removed: a label seldom used once is seldom used again, and memories name it by its index */
    cmi_reclaimer_t reclaimer;
    _Alignas(64) plat_a64_t n_live;      /* memories, those about to exist included; never above max_memories. Atomic, any writer */
    plat_a64_t thread_bytes;             /* of all attached threads; statistics */
    plat_a32_t n_attached;               /* atomic, any thread */
    plat_a32_t n_abandoned;              /* threads that died attached: check() allows for what each may have left behind */
    plat_aptr_t threads[CM_MAX_THREADS]; /* cm_thread_t *, NULL where the slot is free; atomic, any thread */
};

/* A candidate of a search. */
struct cmi_ranked {
    double score;
    float distance;
    uint32_t slot;
};

struct cm_thread {
    cm_store_t *store;
    uint32_t slot; /* in store->threads and of the epoch */
    cmi_scratch_t *scratch;
    cmi_retirer_t retirer;
    struct cmi_ranked *ranked; /* room for the scratch's largest pool: what a search found, as a heap */
    uint64_t last_distances;   /* of the last search */
    cm_error_t error;
};

static inline cmi_record_t *cmi_record_at(const cm_store_t *store, uint32_t slot) {
    return (cmi_record_t *)cmi_arena_at(&store->records, slot);
}

/* [S1] acquire: the entry's memory; pairs with cmi_record_set_entry(). */
static inline uint32_t cmi_record_entry(const cmi_record_t *record) {
    return plat_load_acquire((plat_a32_t *)&record->entry);
}
static inline void cmi_record_set_entry(cmi_record_t *record, uint32_t entry) {
    plat_store_release(&record->entry, entry); /* [S1] release: a searching thread may know the slot already, but not yet this entry */
}

static inline uint64_t cmi_value_for(const cm_store_t *store, uint32_t slot) {
    return cmi_value_of(slot, cmi_meta_generation(cmi_hnsw_meta(&store->graph, slot)));
}

/* What a caller's time means: the store's clock for CM_NOW. */
static inline int64_t cmi_time_of(const cm_store_t *store, int64_t time_ms) {
    if (time_ms != CM_NOW) return time_ms;
    return store->config.clock_ms ? store->config.clock_ms(store->config.clock_context) : plat_clock_now_ms();
}

static inline cm_status_t cmi_no_memory(cm_error_t *error, const char *what) {
    return cmi_fail(error, CM_E_NO_MEMORY, "the machine gave no more memory for %s: remove memories, or raise its limit", what);
}

#endif
