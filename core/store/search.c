/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * search.c - the k best by score among the max(ef, 3k) nearest by distance.
 *
 *     graph search -> score every candidate -> take the best off a heap, as long as they are memories -> look once more
 *
 * READERS  wait-free: the graph search is; behind it at most MOST_ROUNDS passes over k hits, and each candidate is taken off the heap once.
 * ONE HIT PER ID  An insert that replaces a memory may publish its new slot between our looks at the two, so that both seem to exist. Hence the second
 *          look, at all hits, after the last was taken. Say slots A and B of one id survive it, B looked at first. B existed then, and A at a later moment;
 *          a slot that lost its place never gets it back, so A came after B, and B existed no more when the second look came to A. But A was taken before
 *          the second look began, so A existed before B was looked at: B was gone by then. At most one survives.
 */
#include "store/operations.h"

#include "base/heap.h"
#include "store/attributes.h"
#include "store/contexts.h"
#include "store/score.h"
#include "store/store_impl.h"

#define MOST_ROUNDS 4u

typedef struct cmi_ranked ranked_t;

/* Best first: score, then distance, then age of the slot, so that the order is the same on every target. */
static bool comes_before(const ranked_t *a, const ranked_t *b) {
    if (a->score != b->score) return a->score < b->score;
    if (a->distance != b->distance) return a->distance < b->distance;
    return a->slot < b->slot;
}
CMI_HEAP(ranked_t, comes_before)

/* The query with everything decided. */
typedef struct search {
    cm_thread_t *thread;
    const cm_store_t *store;
    uint32_t k, pool;
    float weight;
    int64_t now_ms;
    uint32_t context; /* entry of the label; CMI_NO_ENTRY_INDEX: all contexts */
} search_t;

/* ---- the query ---------------------------------------------------------------------------------------------------------------- */

static cm_status_t check_options(const cm_search_t *options, cm_error_t *error) {
    if (options->k == 0 || options->k > CM_MAX_K) return cmi_fail(error, CM_E_RANGE, "k is %u: must be 1 .. %u", options->k, CM_MAX_K);
    if (options->ef > CM_MAX_EF)
        return cmi_fail(error, CM_E_RANGE, "ef is %u: must be at most %u (0 is the store's ef_search)", options->ef, CM_MAX_EF);
    if (!(options->temporal_weight <= 1)) /* NaN, too. A negative one stands for the store's */
        return cmi_fail(error, CM_E_RANGE, "temporal_weight is %g: must be 0 .. 1 (negative is the store's)",
                        (double)options->temporal_weight);
    return options->context.len == 0 ? CM_OK : cmi_check_context(options->context, error);
}

static search_t decide(cm_thread_t *thread, const cm_search_t *options) {
    const cm_config_t *config = &thread->store->config;
    uint32_t ef = options->ef ? options->ef : config->ef_search, three_k = 3 * options->k;
    return (search_t){
        .thread = thread,
        .store = thread->store,
        .k = options->k,
        .pool = CMI_MAX(ef, three_k),
        .weight = options->temporal_weight < 0 ? config->temporal_weight : options->temporal_weight,
        .now_ms = cmi_time_of(thread->store, options->now_ms),
    };
}

/* ---- candidates ---------------------------------------------------------------------------------------------------------------- */

/* A LIVE node's record is complete [N3]. Whether it is a memory is asked of the few that are taken off the heap. */
static bool has_context(void *context, uint32_t slot) {
    const search_t *s = context;
    return cmi_record_at(s->store, slot)->context == s->context;
}

static double recency_of(const search_t *s, const cmi_record_t *record) {
    float rate = record->decay_rate > 0 ? record->decay_rate : s->store->config.base_decay_rate;
    return cmi_recency(record->created_ms, s->now_ms, rate);
}

static size_t rank(const search_t *s, const float *vector) {
    cmi_scratch_t *scratch = s->thread->scratch;
    cmi_found_t *found = cmi_scratch_results(scratch);
    uint64_t before = cmi_scratch_distances(scratch);
    cmi_keep_t *keep = s->context == CMI_NO_ENTRY_INDEX ? NULL : has_context;
    size_t n = cmi_hnsw_search(&s->store->graph, scratch, vector, s->pool, keep, (void *)s, found);
    s->thread->last_distances = cmi_scratch_distances(scratch) - before;
    for (size_t i = 0; i < n; i++) {
        double recency = recency_of(s, cmi_record_at(s->store, found[i].slot));
        s->thread->ranked[i] = (ranked_t){cmi_score(found[i].distance, recency, s->weight), found[i].distance, found[i].slot};
    }
    ranked_t_heap_make(s->thread->ranked, n);
    return n;
}

/* ---- hits ---------------------------------------------------------------------------------------------------------------------- */

static cm_hit_t hit_of(const search_t *s, const ranked_t *ranked) {
    cmi_record_t *record = cmi_record_at(s->store, ranked->slot);
    return (cm_hit_t){
        .slot = ranked->slot,
        .generation = cmi_meta_generation(cmi_hnsw_meta(&s->store->graph, ranked->slot)),
        .score = (float)ranked->score,
        .distance = ranked->distance,
        .recency = (float)recency_of(s, record),
        .importance = cmi_bits_float(plat_load_relaxed(&record->importance)), /* relaxed, both: independent numbers */
        .created_ms = record->created_ms,
        .access_count = plat_load_relaxed(&record->access_count),
    };
}

static size_t take_best(const search_t *s, size_t *n_ranked, cm_hit_t *hits, size_t n) {
    while (n < s->k && *n_ranked > 0) {
        ranked_t best = ranked_t_heap_pop(s->thread->ranked, n_ranked);
        if (cmi_store_current(s->store, best.slot)) hits[n++] = hit_of(s, &best);
    }
    return n;
}

static size_t look_again(const search_t *s, cm_hit_t *hits, size_t n) {
    size_t n_kept = 0;
    for (size_t i = 0; i < n; i++)
        if (cmi_store_current(s->store, hits[i].slot)) hits[n_kept++] = hits[i];
    return n_kept;
}

static size_t run(const search_t *s, const float *vector, cm_hit_t *hits) {
    size_t n_ranked = rank(s, vector), n = 0;
    for (uint32_t round = 0; round < MOST_ROUNDS; round++) {
        size_t n_taken = take_best(s, &n_ranked, hits, n);
        n = look_again(s, hits, n_taken);
        if (n == n_taken) break;
    }
    return n;
}

/* False when no memory can have the label. */
static bool find_context(search_t *s, cm_str_t label) {
    if (label.len == 0) return true;
    s->context = cmi_idmap_find(&s->store->contexts, label);
    return s->context != CMI_NO_ENTRY_INDEX && cmi_context_count(s->store, s->context) > 0;
}

cm_status_t cmi_store_search(cm_thread_t *thread, const float *vector, uint32_t dimensions, const cm_search_t *options, cm_hit_t *hits,
                             size_t *n_hits) {
    *n_hits = 0;
    cm_status_t status = check_options(options, &thread->error);
    if (status == CM_OK) status = cmi_check_vector(vector, dimensions, thread->store->config.dimensions, &thread->error);
    if (status != CM_OK) return status;
    search_t s = decide(thread, options);
    thread->last_distances = 0;
    cmi_thread_pin(thread);
    if (find_context(&s, options->context)) *n_hits = run(&s, vector, hits);
    cmi_thread_unpin(thread);
    return CM_OK;
}
