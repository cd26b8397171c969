/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * frontier.h - best-first search of one level, for search.c and stream.c: which node to expand next, and where its neighbours go.
 *
 *     unseen neighbours --consider()--> pool     the nearest acceptable ones, as many as the beam wants
 *                                   --> hidden   near, but no result: walked through, at no cost to the beam
 *                                   --> later    of a stream: too far for now
 */
#ifndef CMI_FRONTIER_H
#define CMI_FRONTIER_H

#include "index/search.h"

/* Where the search stands: pool, the first place in it that may be unexpanded, and the distance from which on nothing matters. */
typedef struct cmi_frontier {
    cmi_pool_t *pool;
    cmi_hidden_t *later; /* of a stream; NULL: what does not matter is forgotten */
    cmi_beam_t beam;
    uint32_t cursor;
    float horizon;
    uint32_t foreseen;   /* the node that is probably next; CMI_NONE: nobody knows */
    uint32_t n_foreseen; /* its unseen neighbours, in scratch->wanted */
} cmi_frontier_t;

static inline cmi_frontier_t cmi_frontier_of(cmi_scratch_t *scratch, cmi_hidden_t *later, cmi_beam_t beam) {
    return (cmi_frontier_t){.pool = &scratch->pool, .later = later, .beam = beam, .horizon = __builtin_inff(), .foreseen = CMI_NONE};
}

static inline bool cmi_useful(const cmi_frontier_t *frontier, float distance) {
    return distance < frontier->horizon;
}

/* The pool holds what is nearer than the horizon, and the nearest `least` in any case. */
void cmi_look_no_farther(cmi_frontier_t *frontier);

/* Into the pool, for it is useful. `slot` may carry CMI_CHECKED. */
void cmi_take_in(cmi_frontier_t *frontier, float distance, uint32_t slot);

/* A node whose distance was just computed, to where it belongs. */
void cmi_consider(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_frontier_t *frontier, const cmi_accept_t *accept, float distance,
                  uint32_t slot);

/* The unseen neighbours of `slot` below `n_slots`, into scratch->fresh; returns how many. */
uint32_t cmi_gather_fresh(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, uint32_t slot, uint32_t level, uint32_t n_slots);

/* Nodes whose distances were just computed. */
typedef void cmi_visit_t(void *context, const uint32_t *slots, const float *distances, uint32_t n);

typedef struct cmi_walk {
    const cmi_query_t *query;
    const cmi_accept_t *accept;
    uint32_t level, n_slots; /* nodes at or above n_slots are ignored */
    cmi_visit_t *visit;      /* NULL: nobody wants to know */
    void *visit_context;
} cmi_walk_t;

/* Expands nodes until nothing unexpanded is useful. */
void cmi_walk(const cmi_hnsw_t *graph, cmi_scratch_t *scratch, cmi_frontier_t *frontier, const cmi_walk_t *walk);

#endif
