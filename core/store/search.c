/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * search.c - the k best by score: what is asked, how it is answered, and the hits.
 *
 *     check and decide -> one of three strategies (query.h) fills the list of the best -> look once more -> hits, and a report with its bounds
 *
 * WHICH STRATEGY  A walk through the graph that must find ef members of which few pass computes about D * n / members distances, where D is what it takes without a filter; a scan of the
 *          members computes as many as there are. So members are scanned below sqrt(D * n) of them, whatever the filter is, and a store of fewer than D memories always.
 * READERS  wait-free: the strategies are, and at most three of them run.
 * ONE HIT PER ID  An insert that replaces a memory may publish its new slot between our looks at the two, so that both seem to exist. Hence the second
 *          look, at all hits, after the last was taken. Say slots A and B of one id survive it, B looked at first. B existed then, and A at a later moment;
 *          a slot that lost its place never gets it back, so A came after B, and B existed no more when the second look came to A. But A was taken before
 *          the second look began, so A existed before B was looked at: B was gone by then. At most one survives.
 */
#include "store/query.h"

#include "index/scratch.h"
#include "store/attributes.h"
#include "store/contexts.h"
#include "store/operations.h"

#define STAND_BY 8u /* candidates beside the k best */

/* ---- the query ---------------------------------------------------------------------------------------------------------------- */

static cm_status_t check_importance(const cm_search_t *options, cm_error_t *error) {
    float least = options->min_importance, most = options->max_importance;
    if (!(least >= 0 && least <= 1)) return cmi_fail(error, CM_E_RANGE, "min_importance is %g: must be 0 .. 1", (double)least);
    if (!(most >= 0 && most <= 1)) return cmi_fail(error, CM_E_RANGE, "max_importance is %g: must be 0 .. 1", (double)most);
    if (least > most)
        return cmi_fail(error, CM_E_RANGE, "min_importance is %g, above max_importance, which is %g: nothing could pass", (double)least,
                        (double)most);
    return CM_OK;
}

static cm_status_t check_options(const cm_search_t *options, cm_error_t *error) {
    if (options->k == 0 || options->k > CM_MAX_K) return cmi_fail(error, CM_E_RANGE, "k is %u: must be 1 .. %u", options->k, CM_MAX_K);
    if (options->ef > CM_MAX_EF)
        return cmi_fail(error, CM_E_RANGE, "ef is %u: must be at most %u (0 is the store's ef_search)", options->ef, CM_MAX_EF);
    if (!(options->temporal_weight <= 1)) /* NaN, too. A negative one stands for the store's */
        return cmi_fail(error, CM_E_RANGE, "temporal_weight is %g: must be 0 .. 1 (negative is the store's)",
                        (double)options->temporal_weight);
    if ((uint32_t)options->mode > CM_SEARCH_EXACT)
        return cmi_fail(error, CM_E_RANGE, "mode is %u: must be 0 (best), 1 (rerank) or 2 (exact)", (uint32_t)options->mode);
    if (options->created_after_ms >= options->created_before_ms)
        return cmi_fail(error, CM_E_RANGE, "created_after_ms is %I, not before created_before_ms, which is %I: nothing could pass",
                        options->created_after_ms, options->created_before_ms);
    cm_status_t status = check_importance(options, error);
    if (status != CM_OK || options->context.len == 0) return status;
    return cmi_check_context(options->context, error);
}

static cmi_filter_t filter_of(cm_thread_t *thread, const cm_search_t *options) {
    return (cmi_filter_t){
        .thread = thread,
        .store = thread->store,
        .min_importance = options->min_importance,
        .max_importance = options->max_importance,
        .after_ms = options->created_after_ms,
        .before_ms = options->created_before_ms,
        .predicate = options->filter,
        .predicate_context = options->filter_context,
        .by_attributes = options->min_importance > 0 || options->max_importance < 1 || options->created_after_ms != INT64_MIN ||
                         options->created_before_ms != INT64_MAX,
    };
}

static cmi_search_t decide(cm_thread_t *thread, const float *vector, const cm_search_t *options) {
    const cm_config_t *config = &thread->store->config;
    uint32_t ef = options->ef ? options->ef : config->ef_search, most = cmi_scratch_max_ef(thread->scratch);
    float weight = options->temporal_weight < 0 ? config->temporal_weight : options->temporal_weight;
    /* where only distance counts the pool is in the order of the answer, and needs no more than what was asked for */
    bool nearest_only = weight == 0 && options->mode == CM_SEARCH_BEST;
    ef = CMI_MAX(ef, nearest_only ? options->k : 3 * options->k);
    return (cmi_search_t){
        .thread = thread,
        .store = thread->store,
        .vector = vector,
        .k = options->k,
        .ef = CMI_MIN(ef, most),
        .budget = options->budget ? options->budget : UINT32_MAX,
        .weight = weight,
        .now_ms = cmi_time_of(thread->store, options->now_ms),
        .filter = filter_of(thread, options),
        .n_distances_before = cmi_scratch_distances(thread->scratch),
        .best = {.at = thread->ranked, .k = options->k, .limit = CMI_MIN(options->k, most)},
    };
}

/* ---- candidates ---------------------------------------------------------------------------------------------------------------- */

uint64_t cmi_search_distances(const cmi_search_t *search) {
    return cmi_scratch_distances(search->thread->scratch) - search->n_distances_before;
}

double cmi_search_recency(const cmi_search_t *search, uint32_t slot) {
    const cmi_record_t *record = cmi_record_at(search->store, slot);
    return cmi_recency(record->created_ms, search->now_ms, cmi_rate_in_force(search->store, cmi_record_given_rate(record)));
}

static bool is_memory(const cmi_search_t *search, uint32_t slot) {
    return cmi_meta_state(cmi_hnsw_meta(&search->store->graph, slot)) == CMI_LIVE && cmi_store_current(search->store, slot) &&
           cmi_filter_passes(&search->filter, slot);
}

void cmi_search_offer(cmi_search_t *search, uint32_t slot, float distance) {
    double limit = cmi_best_limit(&search->best);
    if (cmi_search_least(search, (double)distance, 0) > limit) return;
    double recency = search->weight > 0 ? cmi_search_recency(search, slot) : 0; /* which the score then has no use for */
    cmi_ranked_t ranked = {cmi_score(distance, recency, search->weight), distance, slot};
    if (ranked.score > limit) return;
    uint32_t place = cmi_best_place(&search->best, &ranked);
    if (place != CMI_BEST_NOWHERE && is_memory(search, slot)) cmi_best_put(&search->best, place, ranked);
}

void cmi_search_offer_all(cmi_search_t *search, const uint32_t *slots, const float *distances, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) cmi_search_offer(search, slots[i], distances[i]);
}

/* ---- strategies ---------------------------------------------------------------------------------------------------------------- */

/* Distances that a walk takes where everything passes: it expands about ef nodes, and of the 2m neighbours of each somewhat more than half are new. */
static double walk_distances(const cmi_search_t *search) {
    return 1.25 * (double)search->store->config.m * (double)search->ef;
}

static bool should_scan(const cmi_search_t *search) {
    double members = (double)cmi_filter_estimate(&search->filter), n = (double)cm_len(search->store);
    return members * members <= walk_distances(search) * n && members <= (double)search->budget;
}

static void answer(cmi_search_t *search, cm_search_mode_t mode) {
    if (mode == CM_SEARCH_EXACT || (mode == CM_SEARCH_BEST && should_scan(search))) cmi_search_scan(search);
    else if (mode == CM_SEARCH_RERANK || search->weight == 0) cmi_search_rerank(search);
    else cmi_search_streams(search);
}

/* ---- hits ---------------------------------------------------------------------------------------------------------------------- */

static cm_hit_t hit_of(const cmi_search_t *search, const cmi_ranked_t *ranked) {
    cmi_record_t *record = cmi_record_at(search->store, ranked->slot);
    return (cm_hit_t){
        .slot = ranked->slot,
        .generation = cmi_meta_generation(cmi_hnsw_meta(&search->store->graph, ranked->slot)),
        .score = (float)ranked->score,
        .distance = ranked->distance,
        .recency = (float)cmi_search_recency(search, ranked->slot),
        .importance = cmi_bits_float(plat_load_relaxed(&record->importance)), /* relaxed, both: independent numbers */
        .created_ms = record->created_ms,
        .access_count = plat_load_relaxed(&record->access_count),
    };
}

/* The second look. A slot that was updated while we searched may be there twice, with the recency of before and after. */
static size_t look_again(cmi_search_t *search, cm_hit_t *hits) {
    cmi_scratch_t *scratch = search->thread->scratch;
    size_t n = 0;
    cmi_seen_clear(scratch);
    for (uint32_t i = 0; i < search->best.n && n < search->k; i++) {
        uint32_t slot = search->best.at[i].slot;
        if (cmi_store_current(search->store, slot) && cmi_seen_add(scratch, slot)) hits[n++] = hit_of(search, &search->best.at[i]);
    }
    return n;
}

/* Fewer than k, although there may be more: the walk saw no end, because the filter let fewer pass than the sample promised; or the second look lost some to replacements, and those that they had
 * kept out have their places now. Or too much moved. */
static bool came_short(const cmi_search_t *search, size_t n) {
    bool lost_some = n < CMI_MIN(search->best.n, search->k), saw_no_end = search->least_score_by_graph < __builtin_inf();
    return (search->unsure || (n < search->k && (lost_some || saw_no_end))) && search->budget == UINT32_MAX;
}

/* Once as it should suffice, once more with candidates that stand by, at last by looking at everything. */
static size_t run(cmi_search_t *search, cm_search_mode_t mode, cm_hit_t *hits) {
    answer(search, mode);
    size_t n = look_again(search, hits);
    if (!came_short(search, n)) return n;
    search->best.n = 0, search->unsure = false;
    search->best.limit = CMI_MIN(search->k + STAND_BY, cmi_scratch_max_ef(search->thread->scratch));
    answer(search, mode);
    n = look_again(search, hits);
    if (!came_short(search, n) || mode == CM_SEARCH_RERANK) return n;
    search->best.n = 0, search->unsure = false;
    cmi_search_scan(search);
    return look_again(search, hits);
}

/* How much better than the last hit something outside can be, when nothing outside scores less than `least`. */
static double bound_from(const cmi_search_t *search, const cm_hit_t *hits, size_t n, double least) {
    if (least == __builtin_inf()) return 0;
    if (n < search->k) return __builtin_inf();
    double bound = (double)hits[n - 1].score - least;
    return bound > 0 ? bound : 0;
}

static void report(const cmi_search_t *search, const cm_hit_t *hits, size_t n) {
    cm_search_report_t *out = &search->thread->report;
    out->bound = bound_from(search, hits, n, search->least_score);
    out->graph_bound = bound_from(search, hits, n, search->least_score_by_graph);
    out->n_distances = cmi_search_distances(search);
}

/* False when no memory can have the label. */
static bool find_context(cmi_search_t *search, cm_str_t label) {
    if (label.len == 0) return true;
    search->filter.context = cmi_idmap_find(&search->store->contexts, label);
    return search->filter.context != CMI_NO_ENTRY_INDEX && cmi_context_count(search->store, search->filter.context) > 0;
}

cm_status_t cmi_store_search(cm_thread_t *thread, const float *vector, uint32_t dimensions, const cm_search_t *options, cm_hit_t *hits,
                             size_t *n_hits) {
    *n_hits = 0;
    cm_status_t status = check_options(options, &thread->error);
    if (status == CM_OK) status = cmi_check_vector(vector, dimensions, thread->store->config.dimensions, &thread->error);
    if (status != CM_OK) return status;
    cmi_search_t search = decide(thread, vector, options);
    thread->report = (cm_search_report_t){.temporal_weight = search.weight, .now_ms = search.now_ms};
    search.least_score = search.least_score_by_graph = __builtin_inf();
    cmi_thread_pin(thread);
    if (find_context(&search, options->context)) *n_hits = run(&search, options->mode, hits);
    cmi_thread_unpin(thread);
    report(&search, hits, *n_hits);
    return CM_OK;
}

void cmi_store_explain(const cm_search_report_t *report, const cm_hit_t *hit, cm_why_t *out) {
    double weight = (double)report->temporal_weight;
    *out = (cm_why_t){
        .distance_part = weight < 1 ? (1 - weight) * ((double)hit->distance / 2) : 0,
        .recency_part = weight * (double)hit->recency,
        .age_hours = cmi_hours_between(hit->created_ms, report->now_ms),
    };
}
