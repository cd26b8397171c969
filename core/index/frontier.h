/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * frontier.h - the inner loop of best-first search on one level, for search.c and stream.c: which node to expand next, and where its neighbours go.
 *
 *     unseen neighbours --consider()--> pool     the ef nearest acceptable ones
 *                                   --> hidden   near, but no result: walked through, at no cost to ef
 *                                   --> later    of a stream: too far for now
 */
#ifndef CMI_FRONTIER_H
#define CMI_FRONTIER_H

#include "index/links.h"
#include "index/search.h"

/* The unseen neighbours of `slot` below `n_slots`, into out[0 .. cap-1]; seen from now on, if `take`. Without a branch per place: half of them are seen already, and no processor
 * guesses which. */
static inline uint32_t cmi_unseen(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, uint32_t slot, uint32_t level, uint32_t n_slots,
                                  bool take, uint32_t *out) {
    cmi_list_t list = cmi_list_of(graph, slot, level);
    uint8_t *seen = scratch->seen, tag = scratch->tag;
    uint32_t nobody = scratch->n_seen_slots, n = 0;
    for (uint32_t i = 0; i < list.cap; i++) {
        uint32_t id = cmi_list_read(&list, i);
        uint32_t at = id < n_slots ? id : nobody; /* CMI_NONE is above every n_slots */
        out[n] = id;
        n += (uint32_t)(at != nobody) & (uint32_t)(seen[at] != tag);
        if (take) seen[at] = tag;
    }
    return n;
}

/* The unseen neighbours of `slot` below `n_slots`, into scratch->fresh. */
static inline uint32_t cmi_gather_fresh(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t level, uint32_t n_slots) {
    return cmi_unseen(graph, scratch, slot, level, n_slots, true, scratch->fresh);
}

static inline bool cmi_acceptable(const cmi_hnsw_t *graph, const cmi_accept_t *accept, uint32_t slot) {
    cmi_state_t state = cmi_meta_state(cmi_hnsw_meta(graph, slot));
    if (state != CMI_LIVE && !(accept->dead_too && state == CMI_DEAD)) return false;
    return !accept->keep || accept->keep(accept->context, slot);
}

/* Where the search stands: pool, the first place in it that may be unexpanded, and the distance beyond which nothing matters. */
typedef struct cmi_frontier {
    cmi_pool_t *pool;
    cmi_hidden_t *later; /* of a stream; NULL: what does not matter is forgotten */
    uint32_t ef, cursor;
} cmi_frontier_t;

static inline bool cmi_useful(const cmi_frontier_t *frontier, float distance) {
    return frontier->pool->n < frontier->ef || distance < frontier->pool->at[frontier->ef - 1].distance;
}

static inline void cmi_put_off(const cmi_frontier_t *frontier, float distance, uint32_t slot) {
    if (frontier->later) cmi_hidden_push(frontier->later, distance, slot);
}

/* `slot` may carry CMI_CHECKED. */
static inline void cmi_take_in(cmi_frontier_t *frontier, float distance, uint32_t slot) {
    cmi_pool_t *pool = frontier->pool;
    if (pool->n == frontier->ef) cmi_put_off(frontier, pool->at[pool->n - 1].distance, pool->at[pool->n - 1].slot);
    uint32_t place = cmi_pool_insert(pool, frontier->ef, distance, slot);
    if (place < frontier->cursor) frontier->cursor = place;
}

static inline void cmi_consider(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_frontier_t *frontier, const cmi_accept_t *accept,
                                float distance, uint32_t slot) {
    if (!cmi_useful(frontier, distance)) {
        cmi_put_off(frontier, distance, slot);
        return;
    }
    if (CMI_UNLIKELY(!cmi_acceptable(graph, accept, slot))) cmi_hidden_push(&scratch->hidden, distance, slot);
    else cmi_take_in(frontier, distance, slot);
}

/* Asks for what the next expansion will most likely read: the rows of the unseen neighbours of the nearest node in the pool that is not expanded. It is right as often as an expansion finds
 * nothing nearer, and else early. Only the next node: asking for two loses again (docs/BENCHMARKS.md). */
static inline void cmi_request_next(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, const cmi_frontier_t *frontier,
                                    const cmi_query_t *query, uint32_t level, uint32_t n_slots) {
    const cmi_way_t *way = cmi_way_of(scratch);
    if (!PLAT_PREFETCH_IS_FREE || !way->next) return;
    const cmi_pool_t *pool = frontier->pool;
    uint32_t next = frontier->cursor;
    while (next < pool->n && (pool->at[next].slot & CMI_CHECKED)) next++;
    if (next == pool->n) return;
    uint32_t n = cmi_unseen(graph, scratch, pool->at[next].slot, level, n_slots, false, scratch->wanted);
    for (uint32_t i = 0; i < n; i++) cmi_prefetch_row(query->rows, scratch->wanted[i], way);
}

/* Their lists and states are read soon: all at once, before the first is. */
static inline void cmi_request_useful(const cmi_hnsw_t *graph, const cmi_scratch_t *scratch, const cmi_frontier_t *frontier, uint32_t level,
                                      uint32_t n) {
    if (!PLAT_PREFETCH_IS_FREE) return;
    for (uint32_t i = 0; i < n; i++) {
        if (!cmi_useful(frontier, scratch->fresh_distance[i])) continue;
        const char *places = (const char *)cmi_list_of(graph, scratch->fresh[i], level).place;
        plat_prefetch(cmi_hnsw_node(graph, scratch->fresh[i]));
        plat_prefetch(places);
        plat_prefetch(places + 64);
    }
}

/* The unseen neighbours of `slot` and their distances, into scratch->fresh and fresh_distance; returns how many. */
static inline uint32_t cmi_expand(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, const cmi_frontier_t *frontier, const cmi_query_t *query,
                                  uint32_t slot, uint32_t level, uint32_t n_slots) {
    uint32_t n = cmi_gather_fresh(graph, scratch, slot, level, n_slots);
    cmi_request_next(graph, scratch, frontier, query, level, n_slots);
    cmi_distances(graph, scratch, query, scratch->fresh, n, scratch->fresh_distance);
    cmi_request_useful(graph, scratch, frontier, level, n);
    return n;
}

/* The nearest node that is not expanded yet, from the pool or from the hidden heap; false when none can matter any more. */
static inline bool cmi_next_to_expand(cmi_scratch_t *scratch, cmi_frontier_t *frontier, uint32_t *slot) {
    cmi_pool_t *pool = frontier->pool;
    while (frontier->cursor < pool->n && (pool->at[frontier->cursor].slot & CMI_CHECKED)) frontier->cursor++;
    bool pooled = frontier->cursor < pool->n;
    if (scratch->hidden.n > 0 && (!pooled || scratch->hidden.at[0].distance < pool->at[frontier->cursor].distance)) {
        if (cmi_useful(frontier, scratch->hidden.at[0].distance)) {
            *slot = cmi_hidden_pop(&scratch->hidden).slot;
            return true;
        }
        if (!frontier->later) scratch->hidden.n = 0; /* all others are farther still */
        if (!pooled) return false;
    }
    if (!pooled) return false;
    *slot = pool->at[frontier->cursor].slot;
    pool->at[frontier->cursor].slot |= CMI_CHECKED;
    return true;
}

#endif
