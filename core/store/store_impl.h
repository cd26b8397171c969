/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* store_impl.h - the two structs behind cm_store_t and cm_thread_t, and what the files of core/store share. */
#ifndef CMI_STORE_IMPL_H
#define CMI_STORE_IMPL_H

#include "memory/reclaim.h"
#include "plat_clock.h"
#include "store/idmap.h"
#include "store/postings.h"
#include "store/store.h"

/* Kinds for the reclaimer, beside blocks. */
#define CMI_RETIRE_ID 1u      /* an entry of the id map, with its id */
#define CMI_RETIRE_POSTING 2u /* a node of the postings */

struct cm_store {
    cm_config_t config; /* immutable */
    uint32_t n_slots;   /* immutable: room for memories, replaced and removed ones included */
    plat_epoch_t *epoch;
    cmi_blocks_t *blocks;
    cmi_hnsw_t graph;
    cmi_arena_t records; /* cmi_record_t per slot */
    cmi_idmap_t ids;
    cmi_idmap_t contexts; /* entries are never removed: a label seldom used once is seldom used again, and memories name it by its index */
    cmi_postings_t postings;
    cmi_reclaimer_t reclaimer;
    _Alignas(64) plat_a64_t n_live;      /* memories, those about to exist included; never above max_memories. Atomic, any writer */
    plat_a64_t thread_bytes;             /* of all attached threads; statistics */
    plat_a32_t n_attached;               /* atomic, any thread */
    plat_a32_t consolidator;             /* thread slot + 1 of the one that consolidates, 0: nobody. Atomic, any thread */
    plat_a32_t n_abandoned;              /* threads that died attached: check() allows for what each may have left behind */
    plat_aptr_t threads[CM_MAX_THREADS]; /* cm_thread_t *, NULL where the slot is free; atomic, any thread */
};

struct cm_thread {
    cm_store_t *store;
    uint32_t slot; /* in store->threads and of the epoch */
    cmi_scratch_t *scratch;
    cmi_retirer_t retirer;
    struct cmi_ranked *ranked; /* the best candidates of a search (best.h), room for the scratch's largest pool */
    bool in_callback;          /* a filter or progress function of the caller is running: the thread is not to be used */
    cm_search_report_t report; /* of the last search */
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

/* The two halves of `placed` and of `timed`: attribute and node. [S3] acquire: the label and the node; pairs with the CASes of update.c. */
static inline uint64_t cmi_record_pair(const plat_a64_t *word) {
    return plat_load_acquire((plat_a64_t *)word);
}
static inline uint64_t cmi_pair_of(uint32_t attribute, uint32_t node) {
    return (uint64_t)attribute << 32 | node;
}
static inline uint32_t cmi_pair_attribute(uint64_t pair) {
    return (uint32_t)(pair >> 32);
}
static inline uint32_t cmi_pair_node(uint64_t pair) {
    return (uint32_t)pair & ~CMI_SEALED;
}

/* Entry of the context that a memory is in, and the decay rate that it is given (0: the store's) or has in force. */
static inline uint32_t cmi_record_context(const cmi_record_t *record) {
    return cmi_pair_attribute(cmi_record_pair(&record->placed));
}
static inline float cmi_record_given_rate(const cmi_record_t *record) {
    return cmi_bits_float(cmi_pair_attribute(cmi_record_pair(&record->timed)));
}
static inline float cmi_rate_in_force(const cm_store_t *store, float given_rate) {
    return given_rate > 0 ? given_rate : store->config.base_decay_rate;
}

/* The blocks of a record. [S4] acquire: their contents; pairs with publishing [M3] and with the CASes that replace them. */
static inline uint32_t cmi_record_block(const plat_a32_t *word) {
    return plat_load_acquire((plat_a32_t *)word) & ~CMI_SEALED;
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
