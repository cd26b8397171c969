/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * gates.c - graph quality against brute force, with fixed seeds, for the three graph implementations. Each gate prints what it measured.
 *
 * Proves: recall@10 >= .95 at the defaults (embedding-like 768-d, uniform 32-d), >= .95 at ef 200 on uniform 768-d (a connectivity gate), every
 * inserted vector is its own nearest neighbour at ef 64, and no live node is unreachable. Does not prove anything about other data.
 */
#include "chronomind.h"
#include "support/tap.h"
#include "support/vectors.h"

#define N_QUERIES 200u
#define K 10u

typedef float *make_vectors_t(rng_t *rng, uint32_t n, uint32_t dimensions);

typedef struct open_index {
    cm_index_t *index;
    cm_index_thread_t *thread;
} open_index_t;

static open_index_t build(cm_index_kind_t kind, const float *vectors, uint32_t n, uint32_t dimensions) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.kind = kind, config.dimensions = dimensions, config.capacity = n;
    open_index_t o = {NULL, NULL};
    CHECK_STATUS(cm_index_open(&config, &o.index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(o.index, &o.thread), CM_OK);
    uint32_t id;
    for (uint32_t i = 0; i < n; i++) CHECK_STATUS(cm_index_insert(o.thread, vectors + (size_t)i * dimensions, dimensions, &id), CM_OK);
    return o;
}

static void close_index(open_index_t o) {
    cm_check_report_t report;
    CHECK_MSG(cm_index_check(o.thread, &report) == CM_OK, "%s", cm_index_message(o.thread));
    CHECK_EQ_U64(report.n_unreachable, 0);
    cm_index_detach(o.thread);
    CHECK_STATUS(cm_index_close(o.index), CM_OK);
}

/* Recall by distance, so that ties count whichever id stands for them. */
static double recall(open_index_t graph, open_index_t truth, const float *queries, uint32_t dimensions, uint32_t ef) {
    uint32_t found = 0;
    for (uint32_t q = 0; q < N_QUERIES; q++) {
        cm_neighbor_t mine[K], exact[K];
        size_t n_mine, n_exact;
        const float *query = queries + (size_t)q * dimensions;
        CHECK_STATUS(cm_index_search(graph.thread, query, dimensions, K, ef, mine, &n_mine), CM_OK);
        CHECK_STATUS(cm_index_search(truth.thread, query, dimensions, K, 0, exact, &n_exact), CM_OK);
        CHECK_EQ_U64(n_mine, K);
        for (size_t i = 0; i < n_mine; i++) found += mine[i].distance <= exact[K - 1].distance;
    }
    return (double)found / (N_QUERIES * K);
}

static void gate(const char *name, make_vectors_t *make, uint32_t dimensions, uint32_t ef, double at_least) {
    static const char *const kinds[] = {"lock-free", "one rwlock", "16 shards"};
    const uint32_t n = 2000;
    rng_t rng = rng_seed(20240607);
    float *vectors = make(&rng, n, dimensions), *queries = make(&rng, N_QUERIES, dimensions);
    open_index_t truth = build(CM_INDEX_BRUTE, vectors, n, dimensions);
    for (cm_index_kind_t kind = CM_INDEX_LOCKFREE; kind <= CM_INDEX_SHARDED; kind++) {
        open_index_t graph = build(kind, vectors, n, dimensions);
        double r = recall(graph, truth, queries, dimensions, ef);
        printf("# %s, %s, ef %u: recall@10 %.4f (gate %.2f)\n", name, kinds[kind], ef, r, at_least);
        CHECK_MSG(r >= at_least, "recall %.4f < %.2f", r, at_least);
        close_index(graph);
    }
    close_index(truth);
    free(vectors);
    free(queries);
}

TEST(embedding_like_768d_at_the_defaults) {
    gate("2,000 embedding-like 768-d", vectors_embedding_like, 768, 50, 0.95);
}

TEST(uniform_32d_at_the_defaults) {
    gate("2,000 uniform 32-d", vectors_uniform, 32, 50, 0.95);
}

TEST(uniform_768d_at_ef_200) {
    gate("2,000 uniform 768-d", vectors_uniform, 768, 200, 0.95);
}

static void self_gate(const char *name, make_vectors_t *make, uint32_t dimensions) {
    const uint32_t n = 10000;
    rng_t rng = rng_seed(4711);
    float *vectors = make(&rng, n, dimensions);
    open_index_t graph = build(CM_INDEX_LOCKFREE, vectors, n, dimensions);
    uint32_t missed = 0;
    for (uint32_t i = 0; i < n; i++) {
        cm_neighbor_t nearest;
        size_t found;
        CHECK_STATUS(cm_index_search(graph.thread, vectors + (size_t)i * dimensions, dimensions, 1, 64, &nearest, &found), CM_OK);
        missed += found != 1 || nearest.id != i || nearest.distance >= 1e-5f;
    }
    printf("# 10,000 %s: %u vectors did not find themselves at ef 64 (gate 0)\n", name, missed);
    CHECK_EQ_U64(missed, 0);
    close_index(graph);
    free(vectors);
}

TEST(every_uniform_32d_vector_finds_itself) {
    self_gate("uniform 32-d", vectors_uniform, 32);
}

TEST(every_embedding_like_768d_vector_finds_itself) {
    self_gate("embedding-like 768-d", vectors_embedding_like, 768);
}

/* The gate can fail: with hardly any links and candidates the same code stays far below it. */
TEST(control_a_starved_graph_fails_the_gate) {
    const uint32_t n = 2000, dimensions = 768;
    rng_t rng = rng_seed(20240607);
    float *vectors = vectors_uniform(&rng, n, dimensions), *queries = vectors_uniform(&rng, N_QUERIES, dimensions);
    open_index_t truth = build(CM_INDEX_BRUTE, vectors, n, dimensions), graph;
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.dimensions = dimensions, config.capacity = n, config.m = 2, config.ef_construction = 2;
    CHECK_STATUS(cm_index_open(&config, &graph.index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(graph.index, &graph.thread), CM_OK);
    uint32_t id;
    for (uint32_t i = 0; i < n; i++) CHECK_STATUS(cm_index_insert(graph.thread, vectors + (size_t)i * dimensions, dimensions, &id), CM_OK);
    double r = recall(graph, truth, queries, dimensions, 200);
    printf("# control, M 2 and ef_construction 2: recall@10 %.4f (must miss .95)\n", r);
    CHECK(r < 0.95);
    close_index(graph);
    close_index(truth);
    free(vectors);
    free(queries);
}

int main(void) {
    RUN(embedding_like_768d_at_the_defaults);
    RUN(uniform_32d_at_the_defaults);
    RUN(uniform_768d_at_ef_200);
    RUN(every_uniform_32d_vector_finds_itself);
    RUN(every_embedding_like_768d_vector_finds_itself);
    RUN(control_a_starved_graph_fails_the_gate);
    return tap_done();
}
