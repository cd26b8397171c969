/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * filters.c - searches with filters, in all modes, over 20,000 memories, against a scan in the test: whatever passes is found however few they are, boundaries are where the header says, the
 * certificate holds for every query, and the parts of a score add up.
 */
#include "support/snapshot.h"
#include "support/strings.h"
#include "support/vectors.h"

#include <math.h>

#define HOUR_MS INT64_C(3600000)

enum { DIM = 8, N = 20000 };

typedef struct known {
    float vector[DIM];
    int64_t created_ms;
    float decay_rate, importance;
    uint32_t context; /* "c0" .. "c9", sizes from 1 to thousands */
    uint32_t slot, generation;
} known_t;

static known_t *known;
static fixture_t big;

static uint32_t draw_context(rng_t *rng) {
    static const uint32_t below[] = {1, 4, 24, 124, 624, 2000, 4000, 8000, 14000, N};
    uint32_t draw = rng_below(rng, N), c = 0;
    while (draw >= below[c]) c++;
    return c;
}

static void open_big(void) {
    cm_config_t config = small_config(DIM);
    config.max_memories = N, config.m = 6, config.ef_construction = 30;
    big = fixture_open(&config);
    known = calloc(N, sizeof *known);
    rng_t rng = rng_seed(11);
    for (uint32_t i = 0; i < N; i++) {
        known_t *k = &known[i];
        char id[16], context[8];
        for (uint32_t d = 0; d < DIM; d++) k->vector[d] = rng_float(&rng);
        k->created_ms = NOW_MS - (int64_t)(rng_next(&rng) % (720ull * HOUR_MS));
        k->decay_rate = rng_below(&rng, 2) ? 0 : 0.01f * (float)(1 + rng_below(&rng, 30));
        k->importance = (float)rng_below(&rng, 1001) / 1000;
        k->context = draw_context(&rng);
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.id = numbered_id(id, sizeof id, "m", i), memory.context = numbered_id(context, sizeof context, "c", k->context);
        memory.vector = k->vector, memory.dimensions = DIM;
        memory.created_ms = k->created_ms, memory.decay_rate = k->decay_rate, memory.importance = k->importance;
        memory.text = memory.id;
        CHECK_STATUS(cm_insert(big.thread, &memory), CM_OK);
    }
}

/* ---- the scan ---------------------------------------------------------------------------------------------------------------------------------- */

typedef struct ranked {
    double score;
    uint32_t number;
} ranked_t;

static int by_score(const void *a, const void *b) {
    const ranked_t *x = a, *y = b;
    return x->score != y->score ? (x->score > y->score) - (x->score < y->score) : (x->number > y->number) - (x->number < y->number);
}

static double score_of(const known_t *k, const float *query, const cm_search_t *options) {
    double dot = 0, aa = 0, bb = 0, weight = options->temporal_weight < 0 ? (double)0.3f : (double)options->temporal_weight;
    for (uint32_t d = 0; d < DIM; d++) {
        double x = (double)query[d], y = (double)k->vector[d];
        dot += x * y, aa += x * x, bb += y * y;
    }
    double rate = k->decay_rate > 0 ? (double)k->decay_rate : (double)0.1f,
           hours = (double)(options->now_ms - k->created_ms) / (double)HOUR_MS;
    return (1 - weight) * (1 - dot / sqrt(aa * bb)) / 2 + weight * (hours > 0 ? 1 - exp(-rate * hours) : 0);
}

/* What a predicate of these tests lets pass, by the memory's number. */
typedef struct predicate {
    bool (*passes)(uint32_t number);
    uint32_t n_calls, n_wrong;
} predicate_t;

static bool passes(const known_t *k, const cm_search_t *options) {
    if (options->context.len && options->context.data[1] != (char)('0' + k->context)) return false;
    if (k->importance < options->min_importance || k->importance > options->max_importance) return false;
    if (k->created_ms < options->created_after_ms) return false;
    if (k->created_ms >= options->created_before_ms && options->created_before_ms != INT64_MAX) return false;
    return !options->filter || ((predicate_t *)options->filter_context)->passes((uint32_t)(k - known));
}

/* All that pass, best first. */
static uint32_t scan(const float *query, const cm_search_t *options, ranked_t *out) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < N; i++)
        if (passes(&known[i], options)) out[n++] = (ranked_t){score_of(&known[i], query, options), i};
    qsort(out, n, sizeof *out, by_score);
    return n;
}

/* ---- one search, compared ------------------------------------------------------------------------------------------------------------------------ */

static uint32_t number_of(const cm_hit_t *hit) {
    cm_memory_t memory = {0};
    CHECK_STATUS(cm_get_hit(big.thread, hit->slot, hit->generation, &memory, big.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    return CMI_MIN(number_behind(memory.id, 1), N - 1);
}

typedef struct tally {
    uint32_t n_searches, n_hits, n_true, n_by[4];
    uint64_t n_distances;
} tally_t;

/* Every promise that holds whatever the mode; how many of the true best were found. */
static void compare(const float *query, const cm_search_t *options, const char *what, tally_t *tally) {
    static ranked_t truth[N];
    static cm_hit_t hits[N];
    cm_search_report_t report;
    static bool seen[N];
    size_t n = 0;
    memset(seen, 0, sizeof seen);
    uint32_t n_passing = scan(query, options, truth), n_expected = CMI_MIN(n_passing, options->k);
    CHECK_STATUS(cm_search(big.thread, query, DIM, options, hits, &n), CM_OK);
    cm_last_search(big.thread, &report);
    CHECK_MSG(n == n_expected || (options->budget && n < n_expected), "%s: %zu hits, %u pass, k is %u", what, n, n_passing, options->k);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t number = number_of(&hits[i]);
        const known_t *k = &known[number];
        cm_why_t why;
        CHECK_MSG(passes(k, options), "%s: hit %u does not pass", what, i);
        CHECK_MSG(!seen[number], "%s: two hits of one memory", what);
        seen[number] = true;
        CHECK(fabs((double)hits[i].score - score_of(k, query, options)) < 1e-5);
        CHECK(i == 0 || hits[i - 1].score <= hits[i].score);
        CHECK(hits[i].created_ms == k->created_ms && hits[i].importance == k->importance);
        cm_explain(&report, &hits[i], &why);
        CHECK(fabs(why.distance_part + why.recency_part - (double)hits[i].score) < 1e-6);
        tally->n_true += i < n_expected && (double)hits[i].score <= truth[n_expected - 1].score + 1e-6;
    }
    CHECK(report.bound >= 0 && report.graph_bound >= 0 && report.graph_bound <= report.bound && report.now_ms == options->now_ms);
    if (n == options->k && n > 0) { /* the certificate */
        double least =
            truth[n - 1].score; /* something outside scores at least what is outside of the true best; or is one of these, not found */
        for (uint32_t i = 0; i < n_passing; i++)
            if (!seen[truth[i].number]) {
                least = truth[i].score;
                break;
            }
        CHECK_MSG((double)hits[n - 1].score - report.bound <= least + 1e-6,
                  "%s: the last hit scores %.7f, the bound is %.7f, but outside is %.7f", what, (double)hits[n - 1].score, report.bound,
                  least);
        CHECK((double)hits[n - 1].score - report.bound <= truth[n - 1].score + 1e-6);
    } else
        CHECK_MSG(n == n_passing ? report.bound == 0 || report.bound == (double)INFINITY : report.bound == (double)INFINITY, "%s: bound %g",
                  what, report.bound);
    if (options->mode == CM_SEARCH_EXACT) CHECK(report.bound == 0 && report.graph_bound == 0 && report.strategy != CM_STRATEGY_GRAPH);
    if (report.bound == 0)
        for (uint32_t i = 0; i < n; i++)
            CHECK_MSG(fabs((double)hits[i].score - truth[i].score) < 1e-5, "%s: bound 0, but hit %u is not the true one", what, i);
    CHECK(report.n_recency_distances <= report.n_distances);
    tally->n_searches++, tally->n_hits += n_expected, tally->n_by[report.strategy]++, tally->n_distances += report.n_distances;
}

static void print(const char *what, const tally_t *t) {
    printf("# %s: %u searches (graph %u, streams %u, scan %u), %.4f of the true hits, %u distances each\n", what, t->n_searches, t->n_by[1],
           t->n_by[2], t->n_by[3], (double)t->n_true / (double)CMI_MAX(t->n_hits, 1),
           (unsigned)(t->n_distances / CMI_MAX(t->n_searches, 1)));
}

static cm_search_t plain(void) {
    cm_search_t options = CM_SEARCH_INIT;
    options.now_ms = NOW_MS;
    return options;
}

static void draw_query(rng_t *rng, float *query) {
    for (uint32_t d = 0; d < DIM; d++) query[d] = rng_float(rng);
}

/* ---- predicates ---------------------------------------------------------------------------------------------------------------------------------------- */

static bool every_third(uint32_t number) {
    return number % 3 == 1;
}
static bool one(uint32_t number) {
    return number == 12345;
}
static bool three(uint32_t number) {
    return number % 7000 == 17;
}
static bool twenty(uint32_t number) {
    return number % 1000 == 999;
}
static bool three_hundred(uint32_t number) {
    return number % 66 == 0;
}
static bool none(uint32_t number) {
    (void)number;
    return false;
}
/* Those that the estimate looks at, and nobody else: it takes the filter for an open one. Slots are numbers here: nothing was replaced. */
static bool sampled(uint32_t number) {
    for (uint32_t i = 0; i < 64; i++)
        if (cmi_mix(i + 1) % N == number) return true;
    return false;
}
static bool not_sampled(uint32_t number) {
    return !sampled(number);
}

static bool ask(void *context, const cm_candidate_t *candidate) {
    predicate_t *predicate = context;
    uint32_t number = number_behind(candidate->id, 1);
    predicate->n_calls++;
    if (number >= N) {
        predicate->n_wrong++;
        return false;
    }
    const known_t *k = &known[number];
    char label[8];
    predicate->n_wrong += candidate->importance != k->importance || candidate->created_ms != k->created_ms ||
                          candidate->access_count != 0 || candidate->accessed_ms != k->created_ms ||
                          !same_str(candidate->text, candidate->id) || candidate->metadata.len != 0 ||
                          !same_str(candidate->context, numbered_id(label, sizeof label, "c", k->context)) || candidate->slot != number;
    return predicate->passes(number);
}

/* ---- filters in all modes ---------------------------------------------------------------------------------------------------------------------------------- */

/* Random combinations. */
static void search_all(cm_search_mode_t mode, uint32_t n_queries, double least_share, const char *what) {
    rng_t rng = rng_seed(20 + mode);
    tally_t tally = {0};
    predicate_t predicates[] = {{.passes = every_third}, {.passes = twenty}, {.passes = three_hundred}, {.passes = not_sampled}};
    for (uint32_t q = 0; q < n_queries; q++) {
        static const float weights[] = {-1, 0, 0.3f, 0.75f, 1};
        float query[DIM];
        char label[8];
        cm_search_t options = plain();
        draw_query(&rng, query);
        options.mode = mode, options.k = 1 + rng_below(&rng, 20), options.temporal_weight = weights[rng_below(&rng, 5)];
        options.now_ms = NOW_MS - (int64_t)rng_below(&rng, 5) * 100 * HOUR_MS;
        if (rng_below(&rng, 3) == 0) options.context = numbered_id(label, sizeof label, "c", rng_below(&rng, 10));
        float least = (float)rng_below(&rng, 1001) / 1000, most = (float)rng_below(&rng, 1001) / 1000;
        int64_t after = known[rng_below(&rng, N)].created_ms, before = known[rng_below(&rng, N)].created_ms;
        if (rng_below(&rng, 3) == 0) options.min_importance = least;
        if (rng_below(&rng, 3) == 0) options.max_importance = CMI_MAX(options.min_importance, most);
        if (rng_below(&rng, 3) == 0) options.created_after_ms = after;
        if (rng_below(&rng, 3) == 0) options.created_before_ms = CMI_MAX(before, options.created_after_ms + 1);
        if (rng_below(&rng, 3) == 0) options.filter = ask, options.filter_context = &predicates[rng_below(&rng, 4)];
        compare(query, &options, what, &tally);
    }
    print(what, &tally);
    for (uint32_t i = 0; i < 4; i++)
        CHECK_MSG(predicates[i].n_wrong == 0, "predicate %u was shown %u wrong candidates", i, predicates[i].n_wrong);
    double share = (double)tally.n_true / (double)tally.n_hits;
    CHECK_MSG(share >= least_share, "%s: %g of the true hits", what, share);
}

TEST(filtered_searches_keep_their_promises_best) {
    search_all(CM_SEARCH_BEST, 250, 0.97, "best");
}
TEST(filtered_searches_keep_their_promises_rerank) {
    search_all(CM_SEARCH_RERANK, 80, 0.3, "rerank");
}
TEST(filtered_searches_keep_their_promises_exact) {
    search_all(CM_SEARCH_EXACT, 80, 1, "exact");
}

/* 1, 3, 20 and none of 20,000, by each kind of filter, for each weight and mode. */
TEST(sparse_filters_never_come_back_short) {
    static bool (*const few[])(uint32_t) = {one, three, twenty, none, three_hundred, sampled};
    rng_t rng = rng_seed(31);
    tally_t tally = {0}, by_distance = {0}; /* best and exact; rerank, which may miss the better ones, but none of these few */
    for (uint32_t p = 0; p < 6; p++)
        for (uint32_t q = 0; q < 24; q++) {
            float query[DIM];
            predicate_t predicate = {.passes = few[p]};
            cm_search_t options = plain();
            draw_query(&rng, query);
            options.filter = ask, options.filter_context = &predicate;
            options.k = q % 3 ? 10 : 40, options.mode = (cm_search_mode_t)(q % 8 < 6 ? 0 : q % 8 - 5),
            options.temporal_weight = (float)(q % 4) / 3;
            compare(query, &options, "sparse predicate", options.mode == CM_SEARCH_RERANK ? &by_distance : &tally);
            CHECK_EQ_U64(predicate.n_wrong, 0);
        }
    for (uint32_t q = 0; q < 60; q++) { /* three attributes; the freshest and the oldest are found by time */
        float query[DIM];
        cm_search_t options = plain();
        draw_query(&rng, query);
        options.k = 30, options.mode = q % 10 == 9 ? CM_SEARCH_RERANK : CM_SEARCH_BEST, options.temporal_weight = (float)(q % 4) / 3;
        if (q % 3 == 0) options.min_importance = 1;
        else if (q % 3 == 1) options.created_after_ms = NOW_MS - HOUR_MS / 2;
        else options.created_before_ms = NOW_MS - 719 * HOUR_MS;
        compare(query, &options, "sparse attribute", options.mode == CM_SEARCH_RERANK ? &by_distance : &tally);
    }
    for (uint32_t q = 0; q < 50; q++) {
        float query[DIM];
        char label[8];
        cm_search_t options = plain();
        draw_query(&rng, query);
        options.context = numbered_id(label, sizeof label, "c", q % 5), options.k = 30;
        options.mode = q % 10 == 9 ? CM_SEARCH_RERANK : CM_SEARCH_BEST, options.temporal_weight = (float)(q / 10 % 4) / 3;
        compare(query, &options, "sparse context", options.mode == CM_SEARCH_RERANK ? &by_distance : &tally);
    }
    print("sparse", &tally), print("sparse, rerank", &by_distance);
    CHECK_EQ_U64(tally.n_true, tally.n_hits);
    CHECK(by_distance.n_searches >= 20);
}

TEST(a_larger_k_than_what_passes_gives_all_that_pass) {
    static const uint32_t ks[] = {100, 700, 5000, CM_MAX_K};
    rng_t rng = rng_seed(32);
    for (uint32_t i = 0; i < 8; i++) {
        float query[DIM];
        tally_t tally = {0};
        predicate_t predicate = {.passes = three_hundred};
        cm_search_t options = plain();
        draw_query(&rng, query);
        options.k = ks[i % 4];
        if (i < 4) options.filter = ask, options.filter_context = &predicate;
        else options.context = CM_STR("c4");
        compare(query, &options, "large k", &tally);
        CHECK(options.k < 700 || tally.n_true == tally.n_hits);
    }
}

TEST(boundaries_are_where_the_header_says) {
    fixture_t f;
    cm_config_t config = small_config(DIM);
    f = fixture_open(&config);
    for (uint32_t i = 0; i < 9; i++) {
        char id[16];
        float vector[DIM] = {1, (float)i};
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.id = numbered_id(id, sizeof id, "", i), memory.vector = vector, memory.dimensions = DIM;
        memory.importance = (float)i / 8;
        memory.created_ms = i == 7 ? INT64_MAX : i == 8 ? INT64_MIN + 1 : NOW_MS + i;
        CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
    }
    static const struct {
        float least, most;
        int64_t after, before;
        uint32_t n;
    } cases[] = {
        {0, 1, INT64_MIN, INT64_MAX, 9},         {0.25f, 0.5f, INT64_MIN, INT64_MAX, 3}, /* both ends pass */
        {0.25f, 0.25f, INT64_MIN, INT64_MAX, 1}, {0.26f, 0.27f, INT64_MIN, INT64_MAX, 0}, {1, 1, INT64_MIN, INT64_MAX, 1},
        {0, 0, INT64_MIN, INT64_MAX, 1},         {0, 1, NOW_MS + 2, NOW_MS + 5, 3}, /* the first passes, the last does not */
        {0, 1, NOW_MS + 2, NOW_MS + 3, 1},       {0, 1, NOW_MS + 2, INT64_MAX, 6},  /* no limit: the end of time, too */
        {0, 1, INT64_MIN, NOW_MS + 1, 2},        {0, 1, INT64_MIN + 1, NOW_MS + 1, 2},    {0, 1, INT64_MIN + 2, NOW_MS + 1, 1},
        {0, 1, INT64_MAX - 1, INT64_MAX, 1},     {0.5f, 1, NOW_MS, NOW_MS + 6, 2},
    };
    for (uint32_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (cm_search_mode_t mode = CM_SEARCH_BEST; mode <= CM_SEARCH_EXACT; mode++) {
            float query[DIM] = {1};
            cm_hit_t hits[10];
            size_t n;
            cm_search_t options = plain();
            options.mode = mode, options.min_importance = cases[c].least, options.max_importance = cases[c].most;
            options.created_after_ms = cases[c].after, options.created_before_ms = cases[c].before;
            CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
            CHECK_MSG(n == cases[c].n, "case %u, mode %d: %zu hits, expected %u", c, (int)mode, n, cases[c].n);
        }
    cm_search_t options = plain();
    float query[DIM] = {1};
    cm_hit_t hits[10];
    size_t n;
    options.created_after_ms = INT64_MAX; /* nothing is before no limit: refused rather than empty */
    CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_E_RANGE);
    fixture_close(&f);
}

/* ---- the predicate and its thread ----------------------------------------------------------------------------------------------------------------------------- */

typedef struct meddler {
    cm_thread_t *thread;
    const int *here;
    uint32_t n_calls, n_elsewhere, n_not_busy;
} meddler_t;

static _Thread_local int this_thread;

static bool meddle(void *context, const cm_candidate_t *candidate) {
    meddler_t *m = context;
    float query[DIM] = {1};
    cm_hit_t hits[10];
    cm_memory_t memory = CM_MEMORY_INIT;
    cm_update_t update = CM_UPDATE_INIT;
    cm_stats_t stats;
    size_t n;
    uint32_t n_related;
    char buffer[256];
    memory.id = CM_STR("new"), memory.vector = query, memory.dimensions = DIM;
    update.fields = CM_UPDATE_IMPORTANCE;
    m->n_calls++;
    m->n_elsewhere += &this_thread != m->here;
    m->n_not_busy += cm_search(m->thread, query, DIM, NULL, hits, &n) != CM_E_BUSY;
    m->n_not_busy += cm_insert(m->thread, &memory) != CM_E_BUSY;
    m->n_not_busy += cm_remove(m->thread, candidate->id) != CM_E_BUSY;
    m->n_not_busy += cm_get(m->thread, candidate->id, &memory, buffer, sizeof buffer, NULL) != CM_E_BUSY;
    m->n_not_busy += cm_update(m->thread, candidate->id, &update) != CM_E_BUSY;
    m->n_not_busy += cm_relate(m->thread, candidate->id, CM_STR("x")) != CM_E_BUSY;
    m->n_not_busy += cm_related(m->thread, candidate->id, 1, NULL, 0, &n_related) != CM_E_BUSY;
    m->n_not_busy += cm_apply_decay(m->thread, CM_NOW, NULL) != CM_E_BUSY;
    m->n_not_busy += cm_stats(m->thread, &stats) != CM_E_BUSY;
    m->n_not_busy += cm_check(m->thread, NULL) != CM_E_BUSY;
    return candidate->slot % 3 == 1;
}

TEST(the_thread_is_busy_inside_its_predicate_and_the_search_is_right) {
    rng_t rng = rng_seed(40);
    meddler_t meddler = {.thread = big.thread, .here = &this_thread};
    predicate_t quiet = {.passes = every_third};
    for (uint32_t q = 0; q < 40; q++) {
        float query[DIM];
        cm_hit_t a[20], b[20];
        size_t n_a, n_b;
        cm_search_t options = plain();
        draw_query(&rng, query);
        options.k = 20, options.mode = (cm_search_mode_t)(q % 3), options.temporal_weight = (float)(q / 3 % 4) / 3;
        options.filter = meddle, options.filter_context = &meddler;
        CHECK_STATUS(cm_search(big.thread, query, DIM, &options, a, &n_a), CM_OK);
        options.filter = ask, options.filter_context = &quiet;
        CHECK_STATUS(cm_search(big.thread, query, DIM, &options, b, &n_b), CM_OK);
        CHECK(n_a == 20 && n_b == 20 && memcmp(a, b, sizeof a) == 0);
    }
    CHECK_MSG(meddler.n_calls > 100 && meddler.n_elsewhere == 0 && meddler.n_not_busy == 0,
              "%u calls, %u on another thread, %u answers were not CM_E_BUSY", meddler.n_calls, meddler.n_elsewhere, meddler.n_not_busy);
    CHECK_EQ_U64(cm_len(big.store), N);
    CHECK_MSG(cm_check(big.thread, NULL) == CM_OK, "%s", cm_message(big.thread));
}

/* ---- bounds and budgets ------------------------------------------------------------------------------------------------------------------------------------------ */

TEST(the_bound_is_never_wrong) {
    static const uint32_t budgets[] = {0, 1, 200, 2000, 8000};
    static const float weights[] = {0, 0.05f, 0.3f, 0.7f, 1};
    rng_t rng = rng_seed(50);
    for (uint32_t b = 0; b < 5; b++) {
        tally_t tally = {0};
        char what[32];
        snprintf(what, sizeof what, "budget %u", budgets[b]);
        for (uint32_t q = 0; q < 60; q++) {
            float query[DIM];
            cm_search_t options = plain();
            cm_search_report_t report;
            draw_query(&rng, query);
            options.k = q % 2 ? 10 : 1, options.temporal_weight = weights[q % 5], options.budget = budgets[b];
            options.ef = q % 7 == 0 ? 1 : 0;
            options.now_ms = NOW_MS - (int64_t)(q % 3) * 300 * HOUR_MS;
            compare(query, &options, what, &tally);
            cm_last_search(big.thread, &report);
            CHECK(report.strategy == (options.temporal_weight == 0 ? CM_STRATEGY_GRAPH : CM_STRATEGY_STREAMS));
            if (budgets[b] == 0 && report.strategy == CM_STRATEGY_STREAMS) CHECK(report.graph_bound < 1e-6);
            if (options.temporal_weight == 1) CHECK(report.ef == 0 && (budgets[b] > 0 || report.bound < 1e-6));
        }
        print(what, &tally);
        if (budgets[b] == 0) CHECK_MSG(100 * tally.n_true >= 99 * tally.n_hits, "without a budget: %u of %u", tally.n_true, tally.n_hits);
    }
}

TEST(too_few_for_want_of_budget_say_so) {
    rng_t rng = rng_seed(52);
    tally_t tally = {0};
    uint32_t n_short = 0;
    for (uint32_t q = 0; q < 20; q++) {
        float query[DIM];
        cm_search_t options = plain();
        cm_search_report_t report;
        draw_query(&rng, query);
        options.k = 60, options.temporal_weight = 1, options.budget = 5, options.min_importance = 0.95f;
        compare(query, &options, "no budget", &tally);
        cm_last_search(big.thread, &report);
        n_short += report.bound == (double)INFINITY && report.strategy == CM_STRATEGY_STREAMS;
    }
    CHECK_MSG(n_short == 20, "%u of 20", n_short);
}

/* "Roughly": a step that was begun is finished. The first pool is the least that a search does, and one step doubles the pool. */
TEST(a_budget_is_kept_roughly) {
    rng_t rng = rng_seed(51);
    for (uint32_t budget = 1; budget <= 4096; budget *= 4) {
        uint64_t most = 0;
        for (uint32_t q = 0; q < 60; q++) {
            float query[DIM];
            cm_hit_t hits[10];
            size_t n;
            cm_search_t options = plain();
            cm_search_report_t report;
            draw_query(&rng, query);
            options.budget = budget, options.temporal_weight = (float)(1 + q % 4) / 4;
            CHECK_STATUS(cm_search(big.thread, query, DIM, &options, hits, &n), CM_OK);
            cm_last_search(big.thread, &report);
            CHECK_EQ_U64(n, 10);
            most = CMI_MAX(most, report.n_distances);
        }
        CHECK_MSG(most <= 1500 + 3 * budget, "budget %u: %u distances", budget, (unsigned)most);
        printf("# budget %u: at most %u distances\n", budget, (unsigned)most);
    }
}

TEST(nothing_to_search_is_said) {
    cm_config_t config = small_config(DIM);
    fixture_t f = fixture_open(&config);
    float query[DIM] = {1};
    cm_hit_t hits[10];
    size_t n;
    cm_search_report_t report;
    cm_search_t options = plain();
    CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
    cm_last_search(f.thread, &report);
    CHECK(n == 0 && report.bound == 0 && report.n_distances == 0);
    options.context = CM_STR("unknown");
    CHECK_STATUS(cm_search(big.thread, query, DIM, &options, hits, &n), CM_OK);
    cm_last_search(big.thread, &report);
    CHECK(n == 0 && report.bound == 0 && report.strategy == CM_STRATEGY_NONE && report.temporal_weight == 0.3f && report.now_ms == NOW_MS);
    fixture_close(&f);
}

static void refused(void (*spoil)(cm_search_t *), const char *words) {
    float query[DIM] = {1};
    cm_hit_t hits[10];
    size_t n = 7;
    cm_search_t options = plain();
    spoil(&options);
    CHECK_STATUS(cm_search(big.thread, query, DIM, &options, hits, &n), CM_E_RANGE);
    CHECK_MSG(n == 0 && strstr(cm_message(big.thread), words), "\"%s\" does not say \"%s\"", cm_message(big.thread), words);
}
static void low(cm_search_t *o) {
    o->min_importance = -0.1f;
}
static void high(cm_search_t *o) {
    o->max_importance = 1.1f;
}
static void nan_low(cm_search_t *o) {
    o->min_importance = NAN;
}
static void crossed(cm_search_t *o) {
    o->min_importance = 0.6f, o->max_importance = 0.5f;
}
static void same_time(cm_search_t *o) {
    o->created_after_ms = o->created_before_ms = NOW_MS;
}
static void bad_mode(cm_search_t *o) {
    o->mode = (cm_search_mode_t)3;
}

TEST(filters_that_nothing_could_pass_are_refused) {
    refused(low, "min_importance"), refused(high, "max_importance"), refused(nan_low, "min_importance"),
        refused(crossed, "nothing could pass");
    refused(same_time, "nothing could pass"), refused(bad_mode, "mode");
}

int main(void) {
    open_big();
    RUN(filtered_searches_keep_their_promises_best);
    RUN(filtered_searches_keep_their_promises_rerank);
    RUN(filtered_searches_keep_their_promises_exact);
    RUN(sparse_filters_never_come_back_short);
    RUN(a_larger_k_than_what_passes_gives_all_that_pass);
    RUN(boundaries_are_where_the_header_says);
    RUN(the_thread_is_busy_inside_its_predicate_and_the_search_is_right);
    RUN(the_bound_is_never_wrong);
    RUN(too_few_for_want_of_budget_say_so);
    RUN(a_budget_is_kept_roughly);
    RUN(nothing_to_search_is_said);
    RUN(filters_that_nothing_could_pass_are_refused);
    fixture_close(&big);
    free(known);
    return tap_done();
}
