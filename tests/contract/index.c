/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * index.c - one suite over the four implementations of the bare index.
 *
 * Proves: exact agreement with brute force where ef covers everything, removals never returned, tombstones carry later inserts, every argument
 * error typed and harmless. Single-threaded; tests/concurrency/index.c does the rest.
 */
#include "chronomind.h"
#include "support/tap.h"
#include "support/vectors.h"

#include <math.h>

static const char *const kind_names[] = {"lock-free", "one rwlock", "16 shards", "brute force"};
#define FOR_EACH_KIND(kind) for (cm_index_kind_t kind = CM_INDEX_LOCKFREE; kind <= CM_INDEX_BRUTE; kind++)

static cm_index_thread_t *open_small(cm_index_kind_t kind, uint32_t dimensions, uint32_t capacity, cm_metric_t metric, cm_index_t **index) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.kind = kind, config.dimensions = dimensions, config.capacity = capacity, config.metric = metric;
    cm_index_thread_t *thread = NULL;
    CHECK_STATUS(cm_index_open(&config, index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(*index, &thread), CM_OK);
    return thread;
}

static void close_checked(cm_index_t *index, cm_index_thread_t *thread) {
    CHECK_MSG(cm_index_check(thread, NULL) == CM_OK, "%s", cm_index_message(thread));
    cm_index_detach(thread);
    CHECK_STATUS(cm_index_close(index), CM_OK);
}

/* Random inserts and removals; after each round every kind must give brute force's distances when ef covers the whole index. */
static void agree_with_the_oracle(cm_metric_t metric) {
    enum { DIM = 12, CAPACITY = 700, ROUNDS = 6 };
    cm_index_t *index[4];
    cm_index_thread_t *thread[4];
    uint32_t id_of[4][CAPACITY], n = 0;
    uint8_t removed[CAPACITY] = {0};
    FOR_EACH_KIND(kind) thread[kind] = open_small(kind, DIM, CAPACITY, metric, &index[kind]);
    rng_t rng = rng_seed(5 + metric);
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < 100; i++, n++) {
            float *v = vectors_uniform(&rng, 1, DIM);
            FOR_EACH_KIND(kind) CHECK_STATUS(cm_index_insert(thread[kind], v, DIM, &id_of[kind][n]), CM_OK);
            free(v);
        }
        for (int i = 0; i < 30; i++) {
            uint32_t victim = rng_below(&rng, n);
            cm_status_t expected = removed[victim] ? CM_E_NOT_FOUND : CM_OK;
            FOR_EACH_KIND(kind) CHECK_STATUS(cm_index_remove(thread[kind], id_of[kind][victim]), expected);
            removed[victim] = 1;
        }
        for (int q = 0; q < 20; q++) {
            float *v = vectors_uniform(&rng, 1, DIM);
            cm_neighbor_t exact[10], mine[10];
            size_t n_exact, n_mine;
            CHECK_STATUS(cm_index_search(thread[CM_INDEX_BRUTE], v, DIM, 10, 0, exact, &n_exact), CM_OK);
            FOR_EACH_KIND(kind) {
                CHECK_STATUS(cm_index_search(thread[kind], v, DIM, 10, CAPACITY, mine, &n_mine), CM_OK);
                CHECK_EQ_U64(n_mine, n_exact);
                for (size_t i = 0; i < n_mine; i++)
                    CHECK_MSG(mine[i].distance == exact[i].distance, "%s, result %zu: distance %g, brute force %g", kind_names[kind], i,
                              (double)mine[i].distance, (double)exact[i].distance);
            }
            free(v);
        }
    }
    FOR_EACH_KIND(kind) {
        CHECK_EQ_U64(cm_index_len(index[kind]), cm_index_len(index[CM_INDEX_BRUTE]));
        CHECK_EQ_U64(cm_index_distances(thread[kind]) > 0, 1);
    }
    FOR_EACH_KIND(kind) close_checked(index[kind], thread[kind]);
}

TEST(exhaustive_search_equals_brute_force_cosine) {
    agree_with_the_oracle(CM_METRIC_COSINE);
}
TEST(exhaustive_search_equals_brute_force_dot) {
    agree_with_the_oracle(CM_METRIC_DOT);
}
TEST(exhaustive_search_equals_brute_force_l2sq) {
    agree_with_the_oracle(CM_METRIC_L2SQ);
}

/* hnswlib #344 and kin: when everything near is dead, results must still come, and later inserts must still connect. */
TEST(tombstones_carry_traffic) {
    enum { DIM = 8, N = 300 };
    rng_t rng = rng_seed(9);
    float *vectors = vectors_uniform(&rng, N, DIM);
    FOR_EACH_KIND(kind) {
        cm_index_t *index;
        cm_index_thread_t *thread = open_small(kind, DIM, 2 * N, CM_METRIC_COSINE, &index);
        uint32_t ids[N], last;
        cm_neighbor_t found[5];
        size_t n;
        for (int i = 0; i < N; i++) CHECK_STATUS(cm_index_insert(thread, vectors + i * DIM, DIM, &ids[i]), CM_OK);
        for (int i = 0; i < N - 5; i++) CHECK_STATUS(cm_index_remove(thread, ids[i]), CM_OK);
        CHECK_STATUS(cm_index_search(thread, vectors, DIM, 5, 5, found, &n), CM_OK);
        CHECK_MSG(n == 5, "%s: %zu of the 5 survivors found", kind_names[kind], n);
        for (int i = N - 5; i < N; i++) CHECK_STATUS(cm_index_remove(thread, ids[i]), CM_OK);
        CHECK_STATUS(cm_index_search(thread, vectors, DIM, 5, 50, found, &n), CM_OK);
        CHECK_EQ_U64(n, 0);
        for (int i = 0; i < N; i++) CHECK_STATUS(cm_index_insert(thread, vectors + i * DIM, DIM, &last), CM_OK);
        CHECK_STATUS(cm_index_search(thread, vectors + (N - 1) * DIM, DIM, 1, 50, found, &n), CM_OK);
        CHECK_MSG(n == 1 && found[0].id == last, "%s: the newest vector is not its own nearest", kind_names[kind]);
        close_checked(index, thread);
    }
    free(vectors);
}

TEST(zero_vectors_are_as_far_as_can_be) {
    const float zero[4] = {0}, one[4] = {1, 0, 0, 0};
    FOR_EACH_KIND(kind) {
        cm_index_t *index;
        cm_index_thread_t *thread = open_small(kind, 4, 16, CM_METRIC_COSINE, &index);
        uint32_t id;
        cm_neighbor_t found[2];
        size_t n;
        CHECK_STATUS(cm_index_insert(thread, zero, 4, &id), CM_OK);
        CHECK_STATUS(cm_index_insert(thread, one, 4, &id), CM_OK);
        CHECK_STATUS(cm_index_search(thread, one, 4, 2, 10, found, &n), CM_OK);
        CHECK_EQ_U64(n, 2);
        CHECK(n == 2 && found[0].distance == 0.0f && found[1].distance == 2.0f);
        close_checked(index, thread);
    }
}

/* Finite, but their squares are not: the order of results must stay total. */
TEST(enormous_and_tiny_vectors_do_no_harm) {
    const float huge = 3e38f, tiny = 1e-38f;
    for (cm_metric_t metric = CM_METRIC_COSINE; metric <= CM_METRIC_L2SQ; metric++) {
        FOR_EACH_KIND(kind) {
            cm_index_t *index;
            cm_index_thread_t *thread = open_small(kind, 3, 64, metric, &index);
            uint32_t id;
            for (uint32_t i = 0; i < 27; i++) {
                float scale[3] = {huge, -huge, tiny}, v[3] = {scale[i % 3], scale[i / 3 % 3], scale[i / 9]};
                CHECK_STATUS(cm_index_insert(thread, v, 3, &id), CM_OK);
            }
            const float query[3] = {huge, huge, huge};
            cm_neighbor_t found[27];
            size_t n;
            CHECK_STATUS(cm_index_search(thread, query, 3, 27, 64, found, &n), CM_OK);
            CHECK_EQ_U64(n, 27);
            for (size_t i = 0; i < n; i++) CHECK(!isnan(found[i].distance) && (i == 0 || found[i - 1].distance <= found[i].distance));
            close_checked(index, thread);
        }
    }
}

TEST(bad_arguments_are_named_and_harmless) {
    const float good[3] = {1, 2, 3}, nan[3] = {1, NAN, 3}, inf[3] = {1, 2, INFINITY};
    FOR_EACH_KIND(kind) {
        cm_index_t *index;
        cm_index_thread_t *thread = open_small(kind, 3, 32, CM_METRIC_COSINE, &index);
        uint32_t id;
        cm_neighbor_t found[4];
        size_t n;
        CHECK_STATUS(cm_index_insert(thread, good, 2, &id), CM_E_DIMENSION);
        CHECK(strstr(cm_index_message(thread), "2") && strstr(cm_index_message(thread), "3"));
        CHECK_STATUS(cm_index_insert(thread, nan, 3, &id), CM_E_NOT_FINITE);
        CHECK(strstr(cm_index_message(thread), "[1]") && strstr(cm_index_message(thread), "NaN"));
        CHECK_STATUS(cm_index_insert(thread, inf, 3, &id), CM_E_NOT_FINITE);
        CHECK_STATUS(cm_index_insert(thread, NULL, 3, &id), CM_E_ARGUMENT);
        CHECK_STATUS(cm_index_insert(thread, good, 3, NULL), CM_E_ARGUMENT);
        CHECK_STATUS(cm_index_search(thread, good, 3, 0, 10, found, &n), CM_E_RANGE);
        CHECK_STATUS(cm_index_search(thread, nan, 3, 1, 10, found, &n), CM_E_NOT_FINITE);
        CHECK_STATUS(cm_index_search(thread, good, 3, 1, CM_MAX_EF + 1, found, &n), CM_E_RANGE);
        CHECK_STATUS(cm_index_remove(thread, 0), CM_E_NOT_FOUND);
        CHECK_STATUS(cm_index_remove(thread, UINT32_MAX), CM_E_NOT_FOUND);
        CHECK_EQ_U64(cm_index_len(index), 0);
        CHECK_STATUS(cm_index_search(thread, good, 3, 4, 10, found, &n), CM_OK);
        CHECK_EQ_U64(n, 0);
        CHECK_STATUS(cm_index_close(index), CM_E_BUSY);
        close_checked(index, thread);
    }
}

TEST(a_full_index_says_so) {
    const float v[2] = {1, 2};
    FOR_EACH_KIND(kind) {
        cm_index_t *index;
        cm_index_thread_t *thread = open_small(kind, 2, 32, CM_METRIC_COSINE, &index);
        uint32_t id, n_inserted = 0;
        while (n_inserted < 100 && cm_index_insert(thread, v, 2, &id) == CM_OK) n_inserted++;
        CHECK_EQ_U64(n_inserted, 32);
        CHECK_STATUS(cm_index_insert(thread, v, 2, &id), CM_E_INDEX_FULL);
        CHECK(strstr(cm_index_message(thread), "32"));
        close_checked(index, thread);
    }
}

TEST(more_threads_than_slots_is_a_typed_error) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.dimensions = 2, config.capacity = 16, config.max_threads = 2;
    cm_index_t *index;
    cm_index_thread_t *a, *b, *c;
    CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(index, &a), CM_OK);
    CHECK_STATUS(cm_index_attach(index, &b), CM_OK);
    CHECK_STATUS(cm_index_attach(index, &c), CM_E_THREADS);
    cm_index_detach(a);
    CHECK_STATUS(cm_index_attach(index, &c), CM_OK);
    cm_index_detach(b);
    cm_index_detach(c);
    CHECK_STATUS(cm_index_close(index), CM_OK);
}

TEST(every_config_rule_has_its_message) {
    struct {
        const char *field;
        cm_index_config_t config;
    } bad[7];
    cm_index_config_t good = CM_INDEX_CONFIG_INIT;
    for (int i = 0; i < 7; i++) bad[i].config = good;
    bad[0].field = "kind", bad[0].config.kind = (cm_index_kind_t)9;
    bad[1].field = "dimensions", bad[1].config.dimensions = 0;
    bad[2].field = "capacity", bad[2].config.capacity = 0;
    bad[3].field = "metric", bad[3].config.metric = (cm_metric_t)9;
    bad[4].field = "m ", bad[4].config.m = 1;
    bad[5].field = "ef_construction", bad[5].config.ef_construction = 3;
    bad[6].field = "max_threads", bad[6].config.max_threads = 0;
    for (int i = 0; i < 7; i++) {
        cm_index_t *index;
        cm_error_t error;
        CHECK_STATUS(cm_index_open(&bad[i].config, &index, &error), CM_E_CONFIG);
        CHECK_MSG(strstr(error.message, bad[i].field), "\"%s\" does not name %s", error.message, bad[i].field);
        CHECK(index == NULL);
    }
    good.size = 0;
    cm_index_t *index;
    CHECK_STATUS(cm_index_open(&good, &index, NULL), CM_E_ARGUMENT);
}

/* Many copies of one vector: the tree rule's worst case, lists full of ties. */
TEST(ten_thousand_equal_vectors_stay_reachable) {
    const float v[4] = {1, 2, 3, 4};
    cm_index_t *index;
    cm_index_thread_t *thread = open_small(CM_INDEX_LOCKFREE, 4, 10000, CM_METRIC_COSINE, &index);
    uint32_t id;
    for (int i = 0; i < 10000; i++) CHECK_STATUS(cm_index_insert(thread, v, 4, &id), CM_OK);
    close_checked(index, thread);
}

/* Hubs: points on a circle around a centre that is everybody's nearest, with the smallest M, so that tree edges fill whole lists. */
TEST(hubs_with_the_smallest_m_stay_reachable) {
    enum { DIM = 64, N = 3000 };
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.dimensions = DIM, config.capacity = N, config.m = 2, config.ef_construction = 8, config.metric = CM_METRIC_L2SQ;
    cm_index_t *index;
    cm_index_thread_t *thread;
    CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(index, &thread), CM_OK);
    rng_t rng = rng_seed(3);
    for (uint32_t i = 0; i < N; i++) {
        float v[DIM] = {0};
        if (i > 0) v[rng_below(&rng, DIM)] = 1.0f + 0.001f * rng_float(&rng);
        uint32_t id;
        CHECK_STATUS(cm_index_insert(thread, v, DIM, &id), CM_OK);
    }
    close_checked(index, thread);
}

int main(void) {
    RUN(exhaustive_search_equals_brute_force_cosine);
    RUN(exhaustive_search_equals_brute_force_dot);
    RUN(exhaustive_search_equals_brute_force_l2sq);
    RUN(tombstones_carry_traffic);
    RUN(zero_vectors_are_as_far_as_can_be);
    RUN(enormous_and_tiny_vectors_do_no_harm);
    RUN(bad_arguments_are_named_and_harmless);
    RUN(a_full_index_says_so);
    RUN(more_threads_than_slots_is_a_typed_error);
    RUN(every_config_rule_has_its_message);
    RUN(ten_thousand_equal_vectors_stay_reachable);
    RUN(hubs_with_the_smallest_m_stay_reachable);
    return tap_done();
}
