/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * scratch.h - the working memory of one thread: which slots a search has seen, its pool of candidates, and buffers of one expansion.
 *
 * Everything is allocated when the thread attaches, so that searching and inserting allocate nothing. Owner thread only; no atomics.
 */
#ifndef CMI_SCRATCH_H
#define CMI_SCRATCH_H

#include "index/hnsw.h"
#include "index/pace.h"

/* A vector in the form that the kernel of some rows takes, and what its metric needs besides. */
typedef struct cmi_query {
    const void *form;       /* floats; for coded rows int16_t */
    const cmi_rows_t *rows; /* that it is compared with */
    float factor;           /* as the factor of a row (rows.h); without a metric that needs one 0 */
    float square;           /* for coded rows: |v|^2 */
} cmi_query_t;

/* Places for forms that are not the caller's vector. */
typedef enum cmi_form { CMI_FORM_QUERY, CMI_FORM_OWNER, CMI_FORM_NEWCOMER, CMI_N_FORMS } cmi_form_t;

/* Candidates, nearest first. `slot` carries CMI_CHECKED once it was expanded. */
typedef struct cmi_pool {
    cmi_found_t *at;
    uint32_t n, capacity;
} cmi_pool_t;

#define CMI_CHECKED 0x80000000u /* slots stay below 2^31 (CM_MAX_MEMORIES) */

/* Nodes to walk through that cannot be results (dead or filtered out): a binary min-heap, so that they never take a place in the pool. When full,
 * further ones are dropped. */
typedef struct cmi_hidden {
    cmi_found_t *at;
    uint32_t n, capacity;
} cmi_hidden_t;

/* The neighbours chosen for one level. */
typedef struct cmi_chosen {
    cmi_found_t *at;
    uint32_t n;
} cmi_chosen_t;

struct cmi_scratch {
    /* per slot: == tag when this search has seen it; and one more, which stands for no slot. Bytes, which stay in the second-level cache longest */
    uint8_t *seen;
    uint8_t tag;
    cmi_pool_t pool;
    float horizon; /* of the last search: what is nearer and not in the pool was not found */
    cmi_hidden_t hidden;
    cmi_hidden_t later;                     /* of a stream: what has no place in the pool yet, expanded (CMI_CHECKED) or not */
    uint32_t *fresh;                        /* 2m: unseen neighbours of the node being expanded */
    float *fresh_distance;                  /* 2m */
    uint32_t *wanted;                       /* 2m: rows of the next expansion, to ask for */
    uint32_t *members;                      /* 2m: one list, read for pruning */
    float *member_to_owner;                 /* 2m */
    float *member_to_new;                   /* 2m */
    cmi_chosen_t chosen[CMI_MAX_LEVEL + 1]; /* m each */
    void *form[CMI_N_FORMS];                /* a vector each, decoded or coded */
    const cmi_rows_t *walked;               /* that inserts walk over: the graph's, or those that a batch made for itself (core/bulk) */
    cmi_pace_t pace;
    uint64_t n_distances;
    uint32_t n_seen_slots; /* entries of seen[] */
    uint64_t bytes;        /* of everything, as taken from the machine */
    uint64_t seen_bytes;
};

static inline const cmi_way_t *cmi_way_of(const cmi_scratch_t *scratch) {
    return &cmi_ways[scratch->pace.way];
}

/* Around a walk over level 0 or above, of any length. */
static inline void cmi_walk_begins(cmi_scratch_t *scratch) {
    if (PLAT_PREFETCH_IS_FREE) cmi_pace_begin_walk(&scratch->pace, scratch->n_distances);
}
static inline void cmi_walk_ends(cmi_scratch_t *scratch) {
    if (PLAT_PREFETCH_IS_FREE) cmi_pace_end_walk(&scratch->pace, scratch->n_distances);
}

static inline void cmi_seen_clear(cmi_scratch_t *scratch) {
    if (CMI_UNLIKELY(++scratch->tag == 0)) {
        memset(scratch->seen, 0, (size_t)scratch->n_seen_slots * sizeof *scratch->seen);
        scratch->tag = 1;
    }
}

static inline bool cmi_seen(const cmi_scratch_t *scratch, uint32_t slot) {
    return scratch->seen[slot] == scratch->tag;
}

/* True the first time. */
static inline bool cmi_seen_add(cmi_scratch_t *scratch, uint32_t slot) {
    if (cmi_seen(scratch, slot)) return false;
    scratch->seen[slot] = scratch->tag;
    return true;
}

/* Inserts in order, dropping the farthest of a pool that holds `limit` already; the caller knows that the newcomer belongs. Returns its place. The search
 * has no branch, for none of its turns can be guessed. */
static inline uint32_t cmi_pool_insert(cmi_pool_t *pool, uint32_t limit, float distance, uint32_t slot) {
    const cmi_found_t *at = pool->at;
    uint32_t low = 0;
    for (uint32_t rest = pool->n; rest > 0;) {
        uint32_t half = (rest + 1) / 2;
        low += half & (0u - (uint32_t)(at[low + half - 1].distance <= distance));
        rest -= half;
    }
    uint32_t n_after = pool->n < limit ? pool->n + 1 : limit;
    memmove(&pool->at[low + 1], &pool->at[low], (size_t)(n_after - 1 - low) * sizeof *pool->at);
    pool->at[low] = (cmi_found_t){distance, slot};
    pool->n = n_after;
    return low;
}

void cmi_hidden_push(cmi_hidden_t *hidden, float distance, uint32_t slot);
cmi_found_t cmi_hidden_pop(cmi_hidden_t *hidden); /* not empty */

#endif
