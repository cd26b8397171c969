/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * scan.c - every memory that may pass the filter is scored: exact, and for few members faster than any walk.
 *
 * Where they come from, the narrowest that the filter names: the postings of its context, else all slots in order.
 *
 * READERS  wait-free: each node of the postings, or each slot, once.
 */
#include "index/metric.h"
#include "store/query.h"

#define BATCH 64u

/* Slots whose distances are to be computed together. */
typedef struct batch {
    cmi_search_t *search;
    cmi_query_t query;
    uint32_t n, slots[BATCH];
} batch_t;

static void flush(batch_t *batch) {
    cmi_search_t *search = batch->search;
    float distances[BATCH];
    cmi_distances(&search->store->graph, search->thread->scratch, &batch->query, batch->slots, batch->n, distances);
    cmi_search_offer_all(search, batch->slots, distances, batch->n);
    batch->n = 0;
}

/* The caller's predicate is asked last, of the few that score well. */
static void add(batch_t *batch, uint32_t slot) {
    if (!cmi_filter_attributes(&batch->search->filter, slot)) return;
    batch->slots[batch->n++] = slot;
    if (batch->n == BATCH) flush(batch);
}

static void scan_context(batch_t *batch, uint32_t context) {
    const cmi_postings_t *postings = &batch->search->store->postings;
    for (uint32_t node = cmi_postings_first_of(postings, context); node != CMI_NO_SKIP_NODE;
         node = cmi_postings_next_of(postings, context, node))
        add(batch, cmi_posting_slot(postings, node));
}

static void scan_slots(batch_t *batch) {
    const cmi_hnsw_t *graph = &batch->search->store->graph;
    uint32_t n_slots = cmi_hnsw_n_slots(graph);
    for (uint32_t slot = 0; slot < n_slots; slot++)
        if (cmi_meta_state(cmi_hnsw_meta(graph, slot)) == CMI_LIVE) add(batch, slot);
}

void cmi_search_scan(cmi_search_t *search) {
    batch_t batch = {.search = search, .query = cmi_query_of(&search->store->graph, search->vector)};
    if (search->filter.context != CMI_NO_ENTRY_INDEX) scan_context(&batch, search->filter.context);
    else scan_slots(&batch);
    flush(&batch);
    search->least_score = search->least_score_by_graph = __builtin_inf();
    search->thread->report.ef = 0;
    search->thread->report.strategy = CM_STRATEGY_SCAN;
}
