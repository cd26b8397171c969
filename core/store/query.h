/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * query.h - one search under way: what is asked, the best so far, and what is known about the rest. Between search.c (what is asked, hits), streams.c, scan.c and rerank.c.
 */
#ifndef CMI_STORE_QUERY_H
#define CMI_STORE_QUERY_H

#include "store/best.h"
#include "store/filter.h"
#include "store/score.h"

typedef struct cmi_search {
    cm_thread_t *thread;
    const cm_store_t *store;
    const float *vector;
    uint32_t k;
    uint32_t ef;     /* the first width of the graph's pool: max(ef, 3k) */
    uint32_t budget; /* distances; UINT32_MAX: no limit */
    float weight;
    int64_t now_ms;
    uint64_t n_distances_before; /* of the scratch, when the search began */
    cmi_filter_t filter;
    cmi_best_t best;
    /* Known about memories that were not scored: */
    double least_score;          /* none of them scores less */
    double least_score_by_graph; /* the same, if the graph missed nothing within its horizon */
    bool unsure;                 /* so many memories moved meanwhile that the recency index promises nothing */
} cmi_search_t;

/* Distances of this search so far. */
uint64_t cmi_search_distances(const cmi_search_t *search);

/* A node whose distance is known. What is no memory or passes no filter is left out, but only asked about where it would have a place. */
void cmi_search_offer(cmi_search_t *search, uint32_t slot, float distance);

/* The same for several. */
void cmi_search_offer_all(cmi_search_t *search, const uint32_t *slots, const float *distances, uint32_t n);

/* Recency of a memory; its record is complete. */
double cmi_search_recency(const cmi_search_t *search, uint32_t slot);

/* (1-w) * distance/2 + w * recency at the least: 0 * infinity counts as 0. */
static inline double cmi_search_least(const cmi_search_t *search, double distance, double recency) {
    double weight = (double)search->weight;
    return (weight < 1 ? (1 - weight) * (distance / 2) : 0) + (weight > 0 ? weight * recency : 0);
}

/* No distance is below it. */
static inline double cmi_search_least_distance(const cmi_search_t *search) {
    return search->store->config.metric == CM_METRIC_DOT ? -__builtin_inf() : 0;
}

/* ---- the strategies: each fills `best` and sets the two bounds ---- */

/* Every memory that may pass the filter. */
void cmi_search_scan(cmi_search_t *search);

/* Both streams. */
void cmi_search_streams(cmi_search_t *search);

/* The nearest by distance, ranked by score. */
void cmi_search_rerank(cmi_search_t *search);

#endif
