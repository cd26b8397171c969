/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * field_bugs.c - what other vector indexes got wrong, as behaviours that this one must have. Each test names the report it comes from.
 */
#include "chronomind.h"
#include "support/tap.h"
#include "support/vectors.h"

#include "plat_thread.h"

#define DIMENSIONS 12u

static cm_index_thread_t *open_as(cm_index_config_t config, uint32_t capacity, cm_index_t **index) {
    config.dimensions = DIMENSIONS, config.capacity = capacity;
    cm_index_thread_t *thread = NULL;
    CHECK_STATUS(cm_index_open(&config, index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(*index, &thread), CM_OK);
    return thread;
}

static cm_index_thread_t *open_index(uint32_t capacity, cm_index_t **index) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.m = 8, config.ef_construction = 40;
    return open_as(config, capacity, index);
}

/* n vectors one behind the other; their ids into `id`, unless it is NULL. */
static void insert_all(cm_index_thread_t *thread, const float *vectors, uint32_t n, uint32_t *id) {
    for (uint32_t i = 0; i < n; i++) {
        uint32_t fresh;
        CHECK_STATUS(cm_index_insert(thread, vectors + i * DIMENSIONS, DIMENSIONS, &fresh), CM_OK);
        if (id) id[i] = fresh;
    }
}

static void close_index(cm_index_t *index, cm_index_thread_t *thread) {
    cm_check_report_t report;
    CHECK_MSG(cm_index_check(thread, &report) == CM_OK, "%s", cm_index_message(thread));
    CHECK_EQ_U64(report.n_unreachable, 0);
    cm_index_detach(thread);
    CHECK_STATUS(cm_index_close(index), CM_OK);
}

static bool finds(cm_index_thread_t *thread, const float *vector, uint32_t id, uint32_t ef) {
    cm_neighbor_t found[10];
    size_t n = 0;
    CHECK_STATUS(cm_index_search(thread, vector, DIMENSIONS, 10, ef, found, &n), CM_OK);
    for (size_t i = 0; i < n; i++)
        if (found[i].id == id) return true;
    return false;
}

/* Redis vector sets, issue 15424: with the entry point deleted, what hung on it was lost, or the server crashed. Everything is deleted here but the last, wherever the entry
 * point is meanwhile. */
TEST(deleting_the_entry_point_again_and_again_loses_nobody) {
    enum { N = 400 };
    cm_index_t *index;
    cm_index_thread_t *thread = open_index(2 * N, &index);
    rng_t rng = rng_seed(1);
    float *vectors = vectors_uniform(&rng, N, DIMENSIONS);
    uint32_t id[N];
    insert_all(thread, vectors, N, id);
    uint32_t n_lost = 0;
    for (uint32_t i = 0; i + 1 < N; i++) {
        CHECK_STATUS(cm_index_remove(thread, id[i]), CM_OK);
        if (i % 20 != 0) continue;
        for (uint32_t rest = i + 1; rest < N; rest += 7) n_lost += !finds(thread, vectors + rest * DIMENSIONS, id[rest], 64);
    }
    printf("# %u memories lost sight of while %u of %u were deleted\n", n_lost, N - 1, N);
    CHECK_EQ_U64(n_lost, 0);
    CHECK(finds(thread, vectors + (N - 1) * DIMENSIONS, id[N - 1], 64));
    CHECK_STATUS(cm_index_remove(thread, id[N - 1]), CM_OK);
    uint32_t fresh;
    CHECK(!finds(thread, vectors, id[0], 64));
    CHECK_STATUS(cm_index_insert(thread, vectors, DIMENSIONS, &fresh), CM_OK);
    CHECK(finds(thread, vectors, fresh, 10));
    free(vectors);
    close_index(index, thread);
}

/* usearch, issue 735: entries that were added by several threads at once could not be reached afterwards. */
typedef struct adder {
    cm_index_t *index;
    const float *vectors;
    uint32_t *id;
    uint32_t n, failed;
} adder_t;

static void add_all(void *argument) {
    adder_t *adder = argument;
    cm_index_thread_t *thread;
    if (cm_index_attach(adder->index, &thread) != CM_OK) {
        adder->failed++;
        return;
    }
    for (uint32_t i = 0; i < adder->n; i++)
        adder->failed += cm_index_insert(thread, adder->vectors + i * DIMENSIONS, DIMENSIONS, &adder->id[i]) != CM_OK;
    cm_index_detach(thread);
}

TEST(what_many_threads_add_to_an_empty_index_at_once_is_found) {
    enum { THREADS = 8, EACH = 250, ROUNDS = 5 };
    uint32_t n_lost = 0;
    for (int round = 0; round < ROUNDS; round++) {
        static uint32_t id[THREADS][EACH];
        cm_index_t *index;
        cm_index_config_t defaults = CM_INDEX_CONFIG_INIT;
        cm_index_thread_t *thread = open_as(defaults, THREADS * EACH, &index);
        rng_t rng = rng_seed(10 + (uint64_t)round);
        float *vectors = vectors_uniform(&rng, THREADS * EACH, DIMENSIONS);
        adder_t adder[THREADS];
        plat_thread_t *threads[THREADS];
        for (uint32_t t = 0; t < THREADS; t++) {
            adder[t] = (adder_t){index, vectors + t * EACH * DIMENSIONS, id[t], EACH, 0};
            threads[t] = plat_thread_spawn(add_all, &adder[t]);
        }
        for (uint32_t t = 0; t < THREADS; t++) {
            plat_thread_join(threads[t]);
            CHECK_EQ_U64(adder[t].failed, 0);
        }
        for (uint32_t t = 0; t < THREADS; t++)
            for (uint32_t i = 0; i < EACH; i++) n_lost += !finds(thread, adder[t].vectors + i * DIMENSIONS, id[t][i], 64);
        free(vectors);
        close_index(index, thread);
    }
    printf("# %u of %u vectors not found by themselves\n", n_lost, ROUNDS * THREADS * EACH);
    CHECK_EQ_U64(n_lost, 0);
}

/* usearch 2.25: after churn, ids that were removed were contained, or found, again. */
TEST(removed_ids_stay_removed_through_churn) {
    enum { IDS = 60, STEPS = 6000 };
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = DIMENSIONS, config.max_memories = 6000, config.m = 8, config.ef_construction = 32;
    cm_store_t *store;
    cm_thread_t *thread;
    CHECK_STATUS(cm_open(&config, &store, NULL), CM_OK);
    CHECK_STATUS(cm_attach(store, &thread), CM_OK);
    bool is_there[IDS] = {false};
    uint32_t n_ghosts = 0, n_there = 0;
    rng_t rng = rng_seed(3);
    for (int step = 0; step < STEPS; step++) {
        uint32_t i = rng_below(&rng, IDS);
        char text[8];
        snprintf(text, sizeof text, "id%u", i);
        cm_str_t id = {text, strlen(text)};
        if (rng_below(&rng, 2)) {
            float *vector = vectors_uniform(&rng, 1, DIMENSIONS);
            cm_memory_t memory = CM_MEMORY_INIT;
            memory.id = id, memory.vector = vector, memory.dimensions = DIMENSIONS;
            CHECK_STATUS(cm_insert(thread, &memory), CM_OK);
            free(vector);
            n_there += !is_there[i];
            is_there[i] = true;
        } else {
            CHECK_STATUS(cm_remove(thread, id), is_there[i] ? CM_OK : CM_E_NOT_FOUND);
            n_there -= is_there[i];
            is_there[i] = false;
        }
        n_ghosts += cm_contains(thread, id) != is_there[i];
        if (step % 100 != 0) continue;
        cm_hit_t hits[IDS];
        size_t n;
        cm_search_t options = CM_SEARCH_INIT;
        options.k = IDS, options.ef = 200;
        float *query = vectors_uniform(&rng, 1, DIMENSIONS);
        CHECK_STATUS(cm_search(thread, query, DIMENSIONS, &options, hits, &n), CM_OK);
        free(query);
        CHECK_EQ_U64(n, n_there);
        CHECK_EQ_U64(cm_len(store), n_there);
    }
    CHECK_EQ_U64(n_ghosts, 0);
    CHECK_MSG(cm_check(thread, NULL) == CM_OK, "%s", cm_message(thread));
    cm_detach(thread);
    CHECK_STATUS(cm_close(store), CM_OK);
}

/* hnswlib, issue 344: beside many deleted elements a search came back with fewer than k although k were there. */
TEST(k_results_come_back_however_many_are_deleted_beside_them) {
    enum { N = 3000, LEFT = 30 };
    cm_index_t *index;
    cm_index_thread_t *thread = open_index(N, &index);
    rng_t rng = rng_seed(4);
    float *vectors = vectors_embedding_like(&rng, N, DIMENSIONS);
    uint32_t id[N], n_short = 0;
    insert_all(thread, vectors, N, id);
    for (uint32_t i = LEFT; i < N; i++) CHECK_STATUS(cm_index_remove(thread, id[i]), CM_OK);
    for (uint32_t q = LEFT; q < LEFT + 300; q++) {
        cm_neighbor_t found[10];
        size_t n;
        CHECK_STATUS(cm_index_search(thread, vectors + q * DIMENSIONS, DIMENSIONS, 10, 10, found, &n), CM_OK);
        n_short += n < 10;
    }
    printf("# %u of 300 searches for 10 of %u live among %u deleted came back short\n", n_short, LEFT, N - LEFT);
    CHECK_EQ_U64(n_short, 0);
    free(vectors);
    close_index(index, thread);
}

/* Several: more results asked for than the expansion pool held. k above ef, above ef_construction, above what is there. */
TEST(the_pool_is_never_smaller_than_what_is_asked_for) {
    enum { N = 500 };
    cm_index_t *index;
    cm_index_thread_t *thread = open_index(N, &index);
    rng_t rng = rng_seed(5);
    float *vectors = vectors_uniform(&rng, N, DIMENSIONS);
    insert_all(thread, vectors, N, NULL);
    const uint32_t ks[] = {1, 10, 41, 200, 499, 500, 501, 1000};
    for (size_t i = 0; i < sizeof ks / sizeof ks[0]; i++) {
        static cm_neighbor_t found[1000];
        for (uint32_t ef = 1; ef <= 100; ef = ef * 10) {
            size_t n = 0;
            CHECK_STATUS(cm_index_search(thread, vectors, DIMENSIONS, ks[i], ef, found, &n), CM_OK);
            CHECK_EQ_U64(n, ks[i] < N ? ks[i] : N);
            for (size_t h = 1; h < n; h++) CHECK(found[h - 1].distance <= found[h].distance && found[h - 1].id != found[h].id);
        }
    }
    free(vectors);
    close_index(index, thread);
}

/* Several: the lists of a level read for a node that does not reach it. Level by level, every link of every node leads to one that is on that level. */
TEST(links_of_a_level_lead_to_nodes_of_that_level) {
    enum { N = 4000 };
    cm_index_t *index;
    cm_index_thread_t *thread = open_index(N, &index);
    rng_t rng = rng_seed(6);
    float *vectors = vectors_uniform(&rng, N, DIMENSIONS); /* the same numbers as one by one */
    insert_all(thread, vectors, N, NULL);
    free(vectors);
    cm_check_report_t report;
    CHECK_MSG(cm_index_check(thread, &report) == CM_OK, "%s", cm_index_message(thread)); /* it follows every link on its level */
    CHECK(report.top_level >= 2);
    close_index(index, thread);
}

int main(void) {
    RUN(deleting_the_entry_point_again_and_again_loses_nobody);
    RUN(what_many_threads_add_to_an_empty_index_at_once_is_found);
    RUN(removed_ids_stay_removed_through_churn);
    RUN(k_results_come_back_however_many_are_deleted_beside_them);
    RUN(the_pool_is_never_smaller_than_what_is_asked_for);
    RUN(links_of_a_level_lead_to_nodes_of_that_level);
    return tap_done();
}
