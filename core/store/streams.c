/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * streams.c - the true k best by score, out of two streams (Fagin's threshold algorithm, 2001, with a graph as one of its lists).
 *
 *     G  nearest first, out of the graph: every memory nearer than rho was scored
 *     R  least recency first, out of the recency index: every memory below tau was scored
 *     A memory that neither stream gave scores at least  B = (1-w) * rho/2 + w * tau.  When the k-th best so far is not above B, nothing better exists.
 *
 * Until then one of the streams goes on: the one that raises B by more per distance computed. What a block of R costs and gains is known before it is scored: the block is already
 * gathered. What doubling the pool of G costs and gains is expected to be what the last doubling did.
 *
 * tau is a promise of the postings. rho is one of the graph, as good as its recall: the nodes at the edge of a pool are those that a greedy search misses most, so the horizon is
 * taken at a part of the pool (HORIZON). Hence the two bounds of a report.
 *
 * READERS  wait-free: each stream gives each node at most once.
 */
#include "index/metric.h"
#include "index/stream.h"
#include "store/query.h"
#include "store/recency.h"

#define BLOCK 64u
#define WALK 512u /* slots of R to look through for a block, where the filter lets few pass */

/* rho is the distance at this part of the pool. */
#define HORIZON 0.33

/* A pool of ef misses about MISSED_BY_WIDTH * n^(1/3) / ef of the nearest ten. */
#define MISSED_BY_WIDTH 0.14
/* Of the hits that only the graph vouches for, this share may be missed. With .01 some mixes of 200,000 memories stayed below a recall of .99. */
#define MISSED 0.0075

/* How much wider the pool gets. */
#define STEP 2.0
#define LEAST_STEP 1.25

typedef struct streams {
    cmi_search_t *search;
    cmi_stream_t graph;
    double rho;
    uint64_t n_graph; /* distances that G computed */
    cmi_recency_t recency;
    uint32_t slots[BLOCK]; /* the next block of R, gathered but not scored */
    uint32_t n;
    uint32_t n_walked;      /* slots looked through for it */
    double tau, tau_behind; /* bounds of R before and behind that block */
    uint64_t n_moves;       /* of the postings, before R began */
} streams_t;

/* ---- R -------------------------------------------------------------------------------------------------------------------------- */

/* Slots that the graph showed already are left out, and those that are too old to get a place whatever their distance. */
static bool worth_a_distance(const streams_t *s, uint32_t slot) {
    const cmi_search_t *search = s->search;
    if (s->graph.ef > 0 && cmi_stream_saw(&s->graph, slot)) return false;
    if (!cmi_filter_attributes(&search->filter, slot)) return false;
    double least = cmi_search_least(search, cmi_search_least_distance(search), cmi_search_recency(search, slot));
    return least <= cmi_best_limit(&search->best);
}

static void gather(streams_t *s) {
    s->n = s->n_walked = 0;
    s->tau = s->tau_behind;
    while (s->n < BLOCK && s->n_walked < WALK) {
        uint32_t slot;
        if (cmi_recency_take(&s->recency, &slot, 1) == 0) break;
        s->n_walked++;
        if (worth_a_distance(s, slot)) s->slots[s->n++] = slot;
    }
    s->tau_behind = cmi_recency_bound(&s->recency);
}

static void score_block(streams_t *s) {
    float distances[BLOCK];
    cmi_distances(s->graph.graph, s->search->thread->scratch, &s->graph.query, s->slots, s->n, distances);
    cmi_search_offer_all(s->search, s->slots, distances, s->n);
    s->search->thread->report.n_recency_distances += s->n;
    s->n = 0;
}

static void go_on_in_recency(streams_t *s) {
    score_block(s);
    gather(s);
}

/* Memories whose rate was changed since R began: R may have been behind their new place already, and come to the old one when they had left it. Too many to remember, and it promises nothing. */
static void look_at_moved(streams_t *s) {
    const cmi_postings_t *postings = &s->search->store->postings;
    uint64_t end = cmi_postings_n_moves(postings);
    s->search->unsure = end - s->n_moves > CMI_MOVES;
    s->n = 0;
    for (uint64_t move = s->n_moves; move < end && !s->search->unsure; move++) {
        uint32_t slot = cmi_postings_move(postings, move);
        if (slot == CMI_MOVE_FORGOTTEN) s->search->unsure = true;
        else if (slot != CMI_MOVE_TO_COME && worth_a_distance(s, slot)) s->slots[s->n++] = slot;
        if (s->n == BLOCK) score_block(s);
    }
    if (s->n > 0) score_block(s);
    if (s->search->unsure) s->tau = 0;
}

/* ---- G -------------------------------------------------------------------------------------------------------------------------- */

static void visit(void *context, const uint32_t *slots, const float *distances, uint32_t n) {
    cmi_search_offer_all(context, slots, distances, n);
}

static bool keep(void *context, uint32_t slot) {
    return cmi_filter_passes(context, slot);
}

static double horizon(const streams_t *s, uint32_t ef) {
    uint32_t place = (uint32_t)(HORIZON * (double)ef);
    return (double)s->graph.scratch->pool.at[place > 0 ? place - 1 : 0].distance;
}

static void widen(streams_t *s, uint32_t ef) {
    uint64_t before = cmi_scratch_distances(s->graph.scratch);
    cmi_stream_widen(&s->graph, ef);
    s->n_graph += cmi_scratch_distances(s->graph.scratch) - before;
    s->rho = cmi_stream_exhausted(&s->graph) ? __builtin_inf() : horizon(s, ef);
}

static void begin_graph(streams_t *s) {
    cmi_search_t *search = s->search;
    s->graph = (cmi_stream_t){.graph = &search->store->graph,
                              .scratch = search->thread->scratch,
                              .query = cmi_query_of(&search->store->graph, search->vector),
                              .accept = {cmi_filter_is_open(&search->filter) ? NULL : keep, &search->filter, false},
                              .visit = visit,
                              .visit_context = search};
    s->rho = cmi_search_least_distance(search);
    if (search->weight < 1 && cmi_stream_begin(&s->graph)) widen(s, CMI_MIN(search->ef, cmi_scratch_max_ef(search->thread->scratch)));
}

/* ---- which one ------------------------------------------------------------------------------------------------------------------- */

/* Newton's, to a few digits. */
static double cube_root(double x) {
    double root = 1;
    for (uint32_t i = 0; i < 60 && x > 0; i++) root += (x / (root * root) - root) / 3;
    return root;
}

/* What B gains per distance. */
static double gain_of_recency(const streams_t *s) {
    double cost = 1 + (double)s->n + (double)s->n_walked / 8;
    double step = CMI_MIN(s->tau_behind, 1.0) - CMI_MIN(s->tau, 1.0);
    return (double)s->search->weight * step / cost;
}

static double gain_of_graph(const streams_t *s) {
    double step = s->rho - horizon(s, CMI_MAX(s->graph.ef / 2, 1));
    return (1 - (double)s->search->weight) * (step / 2) / (double)(s->n_graph + 1);
}

/* Hits that no promise of R stands behind: memories as old as they may be better, and only the graph can know. */
static uint32_t hits_by_graph(const streams_t *s) {
    const cmi_best_t *best = &s->search->best;
    uint32_t n = 0;
    for (uint32_t i = 0; i < CMI_MIN(best->n, best->k); i++)
        n += best->at[i].score >= cmi_search_least(s->search, (double)best->at[i].distance, s->tau);
    return n;
}

/* The pool that makes the graph miss no more than MISSED of the k hits, going by MISSED_BY_WIDTH. */
static double width_needed(const streams_t *s) {
    double n = (double)cm_len(s->search->store), share = (double)hits_by_graph(s) / s->search->k;
    return MISSED_BY_WIDTH * cube_root(n) * share / MISSED;
}

static bool can_widen(const streams_t *s) {
    return s->graph.ef > 0 && s->graph.ef < cmi_scratch_max_ef(s->graph.scratch) && !cmi_stream_exhausted(&s->graph);
}

static void widen_to(streams_t *s, double ef) {
    double most = (double)cmi_scratch_max_ef(s->graph.scratch);
    widen(s, (uint32_t)CMI_MIN(ef, most));
}

/* One step; false when the search is over. */
static bool go_on(streams_t *s) {
    if (s->tau > 1 || cmi_search_distances(s->search) >= s->search->budget) return false; /* R gave everything, or no more is wanted */
    if (cmi_best_kth(&s->search->best) <= cmi_search_least(s->search, s->rho, s->tau)) {
        double ef = (double)s->graph.ef, needed = width_needed(s);
        if (!can_widen(s) || ef >= needed) return false;
        widen_to(s, CMI_MAX(needed, LEAST_STEP * ef));
    } else if (can_widen(s) && gain_of_graph(s) > gain_of_recency(s)) widen_to(s, STEP * (double)s->graph.ef);
    else go_on_in_recency(s);
    return true;
}

void cmi_search_streams(cmi_search_t *search) {
    streams_t s = {.search = search};
    begin_graph(&s);
    s.n_moves = cmi_postings_n_moves(&search->store->postings);
    cmi_recency_begin(&s.recency, search->store, search->now_ms);
    s.tau_behind = cmi_recency_bound(&s.recency);
    gather(&s);
    while (go_on(&s)) {}
    look_at_moved(&s);
    search->least_score = cmi_search_least(search, cmi_search_least_distance(search), s.tau);
    search->least_score_by_graph = cmi_search_least(search, s.rho, s.tau);
    search->thread->report.ef = s.graph.ef;
    search->thread->report.strategy = CM_STRATEGY_STREAMS;
}
