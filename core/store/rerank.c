/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * rerank.c - the nearest by distance, ranked by score: all that a search with weight 0 needs, and for other weights the method of the original.
 *
 * Its weakness there: a memory that is fresh and not quite so near is never seen. At the original's defaults it finds 4 % of the true top 10.
 */
#include "plat_prefetch.h"
#include "store/query.h"

static bool keep(void *context, uint32_t slot) {
    return cmi_filter_passes(context, slot);
}

/* Asking whether a slot is a memory takes three looks, each at a place that the one before names, and who shows the hit reads its id at a fourth. Requested for all likely hits at once
 * they cost 1.5 % of a search instead of 4 %. */
static void request(const cmi_search_t *search, const cmi_found_t *found, uint32_t n) {
    const cm_store_t *store = search->store;
    for (uint32_t i = 0; i < n; i++) plat_prefetch(cmi_record_at(store, found[i].slot));
    for (uint32_t i = 0; i < n; i++) plat_prefetch(cmi_idmap_at(&store->ids, cmi_record_entry(cmi_record_at(store, found[i].slot))));
    for (uint32_t i = 0; i < n; i++) plat_prefetch(cmi_idmap_key(&store->ids, cmi_record_entry(cmi_record_at(store, found[i].slot))).data);
}

/* With distances of full rows, nearest first. */
static void offer(cmi_search_t *search, const cmi_found_t *found, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        if (search->weight == 0 && (double)found[i].distance / 2 > cmi_best_limit(&search->best)) break; /* so are all behind it */
        cmi_search_offer(search, found[i].slot, found[i].distance);
    }
}

/* The walk was over codes: what it found is rescored, if distance decides in portions until there are k hits. */
static void offer_rescored(cmi_search_t *search, cmi_found_t *found, uint32_t n) {
    uint32_t portion = search->weight == 0 ? CMI_MIN(n, cmi_rescored_for(search->k)) : n;
    for (uint32_t from = 0; from < n && (from == 0 || search->best.n < search->k); from += portion) {
        portion = CMI_MIN(portion, n - from);
        cmi_hnsw_rescore(&search->store->graph, search->thread->scratch, search->vector, found + from, portion);
        offer(search, found + from, portion);
    }
}

void cmi_search_rerank(cmi_search_t *search) {
    const cmi_hnsw_t *graph = &search->store->graph;
    cmi_scratch_t *scratch = search->thread->scratch;
    cmi_found_t *found = cmi_scratch_results(scratch);
    cmi_wanted_t wanted = {search->k, search->ef, cmi_filter_is_open(&search->filter) ? NULL : keep, &search->filter};
    if (search->weight != 0) wanted.k = wanted.ef; /* the original ranks the ef nearest */
    uint32_t n = cmi_hnsw_search(graph, scratch, search->vector, &wanted, found);
    if (search->weight == 0) request(search, found, CMI_MIN(n, search->k));
    if (cmi_hnsw_is_coded(graph)) offer_rescored(search, found, n);
    else offer(search, found, n);
    search->least_score = cmi_search_least(search, cmi_search_least_distance(search), 0);
    search->least_score_by_graph = cmi_search_least(search, (double)cmi_scratch_horizon(scratch), 0);
    search->thread->report.ef = search->ef;
    search->thread->report.strategy = CM_STRATEGY_GRAPH;
}
