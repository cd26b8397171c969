/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* beam.c - how wide a search looks: what inserts learn, what searches make of it, and what the frontier does with that. */
#include "index/beam.h"

#include "index/frontier.h"
#include "support/tap.h"
#include "support/vectors.h"

#include <math.h>

enum { DIM = 24, MOST = 6000, EF = 100, LESSON = 100 };

static cmi_hnsw_t graph;
static cmi_scratch_t *scratch;

static void open_graph(cm_metric_t metric) {
    cmi_hnsw_params_t params = {.dimensions = DIM, .capacity = MOST, .m = 8, .ef_construction = EF, .metric = metric, .seed = 42};
    CHECK(cmi_hnsw_open(&graph, &params));
    scratch = cmi_scratch_open(&graph, MOST);
    CHECK(scratch != NULL);
}

static void close_graph(void) {
    cmi_scratch_close(scratch);
    cmi_hnsw_close(&graph);
}

/* Distances that grow with that power of the rank. */
static void teach(uint32_t n, double exponent) {
    cmi_found_t found[LESSON];
    for (uint32_t i = 0; i < n; i++) found[i] = (cmi_found_t){(float)pow((double)(i + 1) / n, exponent), i};
    cmi_beam_learn(&graph, found, n);
}

static void check_plain(cmi_beam_t beam, uint32_t ef) {
    CHECK_EQ_U64(beam.k, ef);
    CHECK_EQ_U64(beam.least, ef);
    CHECK_EQ_U64(beam.most, ef);
    CHECK(beam.slack == 1);
}

TEST(who_has_learned_nothing_looks_for_ef) {
    open_graph(CM_METRIC_COSINE);
    check_plain(cmi_beam_for(&graph, 10, 50, 1000), 50);
    check_plain(cmi_beam_for(&graph, 10, 5000, 1000), 1000);
    teach(LESSON, 0.1);
    check_plain(cmi_beam_for(&graph, 50, 50, 1000), 50); /* nor who wants these ef */
    close_graph();
}

TEST(the_exponent_of_lessons_that_are_all_alike_is_theirs) {
    for (uint32_t n = LESSON / 2; n <= LESSON; n += LESSON / 2) {
        open_graph(CM_METRIC_L2SQ);
        for (uint32_t i = 0; i < 10; i++) teach(n, 0.08);
        cmi_beam_t beam = cmi_beam_for(&graph, 10, 200, 100000);
        CHECK_EQ_U64(beam.k, 10);
        CHECK_EQ_U64(beam.least, 50);
        CHECK_EQ_U64(beam.most, 800);
        CHECK_MSG(fabs((double)beam.slack - pow(20, 0.08)) < 1e-4, "slack %.5f", (double)beam.slack);
        beam = cmi_beam_for(&graph, 40, 60, 100);
        CHECK(beam.least == 40 && beam.most == 100);
        beam = cmi_beam_for(&graph, 4, 60, 10);
        CHECK(beam.least == 10 && beam.most == 10);
        close_graph();
    }
}

static double bounded_share(double exponent, double own) {
    return fmin(fmax(pow(10, exponent / own - 1), 0.25), 4);
}

/* Two kinds in turn: on average as many nodes lie within the slack as were looked for. */
TEST(of_lessons_that_differ_the_mean_decides) {
    open_graph(CM_METRIC_COSINE);
    for (uint32_t i = 0; i < 4000; i++) teach(LESSON, i % 2 ? 0.05 : 0.12);
    double exponent = log((double)cmi_beam_for(&graph, 10, 100, MOST).slack) / log(10);
    double mean = (bounded_share(exponent, 0.05) + bounded_share(exponent, 0.12)) / 2;
    CHECK_MSG(exponent > 0.05 && exponent < 0.12 && fabs(mean - 1) < 0.02, "exponent %.4f: mean share %.4f", exponent, mean);

    for (uint32_t i = 0; i < 8000; i++) teach(LESSON, 0.2); /* and what was learned last counts most */
    exponent = log((double)cmi_beam_for(&graph, 10, 100, MOST).slack) / log(10);
    CHECK_MSG(exponent > 0.15, "exponent %.4f", exponent);
    close_graph();
}

TEST(copies_small_pools_and_metrics_without_proportion_teach_nothing) {
    cmi_found_t same[LESSON] = {{0}}, tied[LESSON];
    for (uint32_t i = 0; i < LESSON; i++) tied[i] = (cmi_found_t){0.5f, i};
    open_graph(CM_METRIC_COSINE);
    cmi_beam_learn(&graph, same, LESSON);
    cmi_beam_learn(&graph, tied, LESSON);
    cmi_beam_learn(&graph, NULL, 0);
    teach(19, 0.1);
    check_plain(cmi_beam_for(&graph, 10, 50, 1000), 50);
    teach(20, 0.1);
    CHECK(cmi_beam_for(&graph, 10, 50, 1000).slack > 1);
    close_graph();
    open_graph(CM_METRIC_DOT);
    teach(LESSON, 0.1);
    check_plain(cmi_beam_for(&graph, 10, 50, 1000), 50);
    close_graph();
}

TEST(no_lesson_leads_out_of_bounds) {
    static const cmi_found_t steepest[20] = {{1e-45f, 0}, {1e-45f, 1}, [19] = {3.4e38f, 19}};
    static const cmi_found_t flattest[20] = {{1, 0}, {1, 1}, [19] = {1.0000001f, 19}};
    open_graph(CM_METRIC_L2SQ);
    for (uint32_t i = 0; i < 2000; i++) {
        cmi_beam_learn(&graph, i < 1000 ? steepest : flattest, 20);
        CHECK(cmi_beams_are_valid(plat_load_relaxed(&graph.beams)));
        CHECK(cmi_beam_for(&graph, 1, 50, 1000).slack >= 1);
    }
    close_graph();
}

TEST(what_a_file_says_of_beams_is_not_believed) {
    static const float bad[] = {0, -0.1f, 8.5f, INFINITY, NAN};
    CHECK(cmi_beams_are_valid(0));
    CHECK(cmi_beams_are_valid(1ull << 32 | cmi_float_bits(0.1f)));
    CHECK(cmi_beams_are_valid(0xFFFFFFFFull << 32 | cmi_float_bits(8)));
    CHECK(!cmi_beams_are_valid(cmi_float_bits(0.1f))); /* out of no lesson */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) CHECK(!cmi_beams_are_valid(1ull << 32 | cmi_float_bits(bad[i])));
}

/* ---- the frontier ------------------------------------------------------------------------------------------------------------------- */

typedef struct walk_state {
    cmi_found_t room[64];
    cmi_pool_t pool;
    cmi_frontier_t frontier;
} walk_state_t;

static void start(walk_state_t *w, cmi_beam_t beam) {
    w->pool = (cmi_pool_t){w->room, 0, 64};
    w->frontier = (cmi_frontier_t){.pool = &w->pool, .beam = beam, .horizon = INFINITY, .foreseen = CMI_NONE};
}

TEST(the_pool_holds_what_is_within_the_slack_and_the_least) {
    walk_state_t w;
    start(&w, (cmi_beam_t){2, 4, 8, 1.5f});
    for (uint32_t i = 0; i < 4; i++) {
        CHECK(cmi_useful(&w.frontier, 1e30f));
        cmi_take_in(&w.frontier, 4.0f + (float)i, i);
    }
    CHECK(w.frontier.horizon == 7.5f && w.pool.n == 4); /* 1.5 times the second */
    cmi_take_in(&w.frontier, 7.25f, 4);
    CHECK(w.pool.n == 5);
    cmi_take_in(&w.frontier, 1.0f, 5); /* the second is 4 now: within 6 are 1, 4 and 5, and the least is four */
    CHECK_EQ_U64(w.pool.n, 4);
    CHECK(w.frontier.horizon == 6.0f && w.pool.at[3].distance == 6.0f);
    CHECK(!cmi_useful(&w.frontier, 6.0f) && cmi_useful(&w.frontier, 5.9f));
    for (uint32_t i = 6; i < 12; i++) cmi_take_in(&w.frontier, 3.0f, i);
    CHECK(w.pool.n == 8 && w.frontier.horizon == 4.0f); /* within 4.5, and not more than eight */
    cmi_take_in(&w.frontier, 2.0f, 12);
    CHECK(w.pool.n == 4 && w.frontier.horizon == 3.0f);
    for (uint32_t i = 1; i < w.pool.n; i++) CHECK(w.pool.at[i - 1].distance <= w.pool.at[i].distance);
}

TEST(a_plain_beam_holds_the_ef_nearest) {
    walk_state_t w;
    rng_t rng = rng_seed(3);
    float all[200];
    start(&w, cmi_beam_of(16));
    for (uint32_t i = 0; i < 200; i++) {
        all[i] = rng_float(&rng);
        if (cmi_useful(&w.frontier, all[i])) cmi_take_in(&w.frontier, all[i], i);
    }
    CHECK_EQ_U64(w.pool.n, 16);
    for (uint32_t i = 0; i < 200; i++) {
        bool within = all[i] <= w.pool.at[15].distance, found = false;
        for (uint32_t j = 0; j < 16; j++) found |= w.pool.at[j].slot == i;
        CHECK(found == within);
    }
}

/* ---- on a graph --------------------------------------------------------------------------------------------------------------------- */

/* Every other vector lies in three dimensions, where few are equally near, the others in all. */
static void draw(rng_t *rng, uint32_t i, float *out) {
    for (uint32_t d = 0; d < DIM; d++) out[d] = rng_float(rng) * (i % 2 && d >= 3 ? 0.001f : 1.0f) + (i % 2 && d < 3 ? 4.0f : 0.0f);
}

typedef struct quality {
    double recall, distances;
} quality_t;

static quality_t quality_at(uint32_t ef) {
    enum { QUERIES = 200, K = 10 };
    rng_t rng = rng_seed(9);
    uint64_t before = cmi_scratch_distances(scratch);
    uint32_t n_hits = 0;
    static float exact[MOST];
    for (uint32_t q = 0; q < QUERIES; q++) {
        float query[DIM];
        draw(&rng, q, query);
        cmi_wanted_t wanted = {.k = K, .ef = ef};
        cmi_found_t *found = cmi_scratch_results(scratch);
        uint32_t n = cmi_hnsw_search(&graph, scratch, query, &wanted, found);
        CHECK(n >= K);
        for (uint32_t i = 0; i < n; i++) CHECK(i == 0 || found[i - 1].distance <= found[i].distance);
        for (uint32_t slot = 0; slot < MOST; slot++) exact[slot] = cmi_hnsw_distance(&graph, query, slot);
        for (uint32_t i = 0; i < K; i++) {
            uint32_t n_nearer = 0;
            for (uint32_t slot = 0; slot < MOST; slot++) n_nearer += exact[slot] < found[i].distance;
            n_hits += n_nearer < K;
        }
    }
    return (quality_t){n_hits / (double)(QUERIES * K), (double)(cmi_scratch_distances(scratch) - before) / QUERIES};
}

static void fill_graph(void) {
    open_graph(CM_METRIC_L2SQ);
    rng_t rng = rng_seed(7);
    for (uint32_t i = 0; i < MOST; i++) {
        float vector[DIM];
        uint32_t slot;
        draw(&rng, i, vector);
        CHECK_STATUS(cmi_hnsw_reserve(&graph, &slot), CM_OK);
        cmi_hnsw_set_vector(&graph, slot, vector);
        cmi_hnsw_link(&graph, scratch, slot);
    }
}

TEST(crowds_are_searched_for_longer_at_no_cost_on_average) {
    fill_graph();
    uint64_t beams = plat_load_relaxed(&graph.beams);
    CHECK_MSG(beams >> 32 >= MOST - EF, "%u lessons", (unsigned)(beams >> 32));
    quality_t adaptive = quality_at(60);
    plat_store_relaxed(&graph.beams, 0);
    quality_t plain = quality_at(60);
    printf("# recall %.4f with %.0f distances, plain %.4f with %.0f\n", adaptive.recall, adaptive.distances, plain.recall, plain.distances);
    CHECK(1 - adaptive.recall < (1 - plain.recall) / 2);
    CHECK(adaptive.distances < 1.25 * plain.distances);
    close_graph();
}

/* Where nine of ten are dead, most of what a search walks through is hidden. */
TEST(the_living_are_found_among_the_dead) {
    enum { QUERIES = 400, K = 10 };
    fill_graph();
    for (uint32_t slot = 0; slot < MOST; slot++)
        if (slot % 20 > 1) CHECK(cmi_hnsw_kill(&graph, slot));
    rng_t rng = rng_seed(11);
    for (uint32_t q = 0; q < QUERIES; q++) {
        float query[DIM];
        draw(&rng, q, query);
        cmi_wanted_t wanted = {.k = K, .ef = 12 + q % 40};
        cmi_found_t *found = cmi_scratch_results(scratch);
        uint32_t n = cmi_hnsw_search(&graph, scratch, query, &wanted, found);
        CHECK(n >= K);
        for (uint32_t i = 0; i < n; i++)
            CHECK(found[i].slot % 20 <= 1 && (i == 0 || found[i].distance < cmi_scratch_horizon(scratch) || i < CMI_MAX(K, wanted.ef / 4)));
    }
    close_graph();
}

int main(void) {
    RUN(who_has_learned_nothing_looks_for_ef);
    RUN(the_exponent_of_lessons_that_are_all_alike_is_theirs);
    RUN(of_lessons_that_differ_the_mean_decides);
    RUN(copies_small_pools_and_metrics_without_proportion_teach_nothing);
    RUN(no_lesson_leads_out_of_bounds);
    RUN(what_a_file_says_of_beams_is_not_believed);
    RUN(the_pool_holds_what_is_within_the_slack_and_the_least);
    RUN(a_plain_beam_holds_the_ef_nearest);
    RUN(crowds_are_searched_for_longer_at_no_cost_on_average);
    RUN(the_living_are_found_among_the_dead);
    return tap_done();
}
