/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * vectors.c - stores whose vectors are kept in fewer bits: bf16 gives back what it rounded, i8 what was given; answers, scores, snapshots, replacing, consolidating and check() as with
 * f32; recall beside f32.
 */
#include "support/snapshot.h"
#include "support/vectors.h"

#include "distance/codes.h"

#include <math.h>

static const cm_vectors_t kinds[] = {CM_VECTORS_F32, CM_VECTORS_BF16, CM_VECTORS_I8};
static const cm_metric_t metrics[] = {CM_METRIC_COSINE, CM_METRIC_DOT, CM_METRIC_L2SQ};

#define FOR_EACH_KIND(k, m)          \
    for (uint32_t k = 0; k < 3; k++) \
        for (uint32_t m = 0; m < 3; m++)

static cm_config_t config_of(uint32_t dimensions, cm_vectors_t vectors, cm_metric_t metric) {
    cm_config_t config = small_config(dimensions);
    config.vectors = vectors, config.metric = metric;
    return config;
}

static void insert_rows(fixture_t *f, const float *rows, uint32_t n, uint32_t dimensions) {
    char id[64];
    for (uint32_t i = 0; i < n; i++) {
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.id = numbered_id(id, sizeof id, "memory-", i);
        memory.vector = rows + (size_t)i * dimensions, memory.dimensions = dimensions;
        memory.created_ms = NOW_MS - (int64_t)i * 60000;
        CHECK_STATUS(cm_insert(f->thread, &memory), CM_OK);
    }
}

static void check_whole(fixture_t *f) {
    cm_check_report_t report;
    cm_status_t status = cm_check(f->thread, &report);
    CHECK_MSG(status == CM_OK, "check: %s", cm_message(f->thread));
    CHECK_EQ_U64(report.n_unreachable, 0);
}

/* Under the definition, in double, of the vector as it is stored. */
static double distance_of(cm_metric_t metric, const float *a, const float *b, uint32_t dimensions) {
    double ab = 0, aa = 0, bb = 0, square = 0;
    for (uint32_t d = 0; d < dimensions; d++) {
        double x = (double)a[d], y = (double)b[d];
        ab += x * y, aa += x * x, bb += y * y, square += (x - y) * (x - y);
    }
    return metric == CM_METRIC_COSINE ? 1 - ab / sqrt(aa * bb) : metric == CM_METRIC_DOT ? 1 - ab : square;
}

TEST(what_is_stored_comes_back) {
    enum { DIM = 37, N = 50 };
    FOR_EACH_KIND(k, m) {
        cm_config_t config = config_of(DIM, kinds[k], metrics[m]);
        rng_t rng = rng_seed(5);
        float *rows = vectors_uniform(&rng, N, DIM);
        fixture_t f = fixture_open(&config);
        insert_rows(&f, rows, N, DIM);
        for (uint32_t i = 0; i < N; i++) {
            char id[64];
            cm_memory_t memory;
            CHECK_STATUS(cm_get(f.thread, numbered_id(id, sizeof id, "memory-", i), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
            for (uint32_t d = 0; d < DIM; d++) {
                float given = rows[i * DIM + d], wanted = kinds[k] == CM_VECTORS_BF16 ? cmi_bf16_float(cmi_bf16_of(given)) : given;
                CHECK(memory.vector[d] == wanted && fabsf(memory.vector[d] - given) <= fabsf(given) / 256);
            }
        }
        check_whole(&f);
        fixture_close(&f);
        free(rows);
    }
}

/* Every hit's distance is that of the stored vector, however it was found: graph, two streams, scan, the original's way. */
static void check_distances(fixture_t *f, cm_metric_t metric, const float *query, uint32_t dimensions, cm_search_mode_t mode,
                            float weight) {
    cm_search_t search = CM_SEARCH_INIT;
    cm_hit_t hits[10];
    cm_memory_t memory;
    size_t n = 0;
    search.k = 10, search.mode = mode, search.temporal_weight = weight;
    CHECK_STATUS(cm_search(f->thread, query, dimensions, &search, hits, &n), CM_OK);
    CHECK_EQ_U64(n, 10);
    for (size_t i = 0; i < n; i++) {
        CHECK(i == 0 || hits[i].score >= hits[i - 1].score);
        CHECK_STATUS(cm_get_hit(f->thread, hits[i].slot, hits[i].generation, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        double wanted = distance_of(metric, query, memory.vector, dimensions), tolerance = 1e-5 * (1 + fabs(wanted));
        CHECK_MSG(fabs((double)hits[i].distance - wanted) < tolerance, "%.9g, wanted %.9g", (double)hits[i].distance, wanted);
    }
}

TEST(distances_of_hits_are_exact) {
    enum { DIM = 40, N = 1900 };
    FOR_EACH_KIND(k, m) {
        cm_config_t config = config_of(DIM, kinds[k], metrics[m]);
        config.ef_search = 10;
        rng_t rng = rng_seed(6);
        float *rows = vectors_embedding_like(&rng, N, DIM), *queries = vectors_embedding_like(&rng, 20, DIM);
        fixture_t f = fixture_open(&config);
        insert_rows(&f, rows, N, DIM);
        for (uint32_t q = 0; q < 20; q++) {
            for (uint32_t weight = 0; weight < 3; weight++) {
                check_distances(&f, metrics[m], queries + q * DIM, DIM, CM_SEARCH_BEST, (float)weight / 2);
                check_distances(&f, metrics[m], queries + q * DIM, DIM, CM_SEARCH_RERANK, (float)weight / 2);
                check_distances(&f, metrics[m], queries + q * DIM, DIM, CM_SEARCH_EXACT, (float)weight / 2);
            }
        }
        fixture_close(&f);
        free(rows), free(queries);
    }
}

/* Share of the true ten, by a scan of the same store. */
static double recall_of(cm_vectors_t vectors, cm_metric_t metric, uint32_t ef) {
    enum { DIM = 64, N = 6000, N_QUERIES = 100 };
    cm_config_t config = config_of(DIM, vectors, metric);
    config.max_memories = N, config.m = 16, config.ef_construction = 100;
    rng_t rng = rng_seed(7);
    float *rows = vectors_uniform(&rng, N, DIM), *queries = vectors_uniform(&rng, N_QUERIES, DIM);
    fixture_t f = fixture_open(&config);
    insert_rows(&f, rows, N, DIM);
    check_whole(&f);
    uint32_t found = 0;
    for (uint32_t q = 0; q < N_QUERIES; q++) {
        cm_search_t search = CM_SEARCH_INIT;
        cm_hit_t hits[10], truth[10];
        size_t n = 0, n_true = 0;
        search.k = 10, search.temporal_weight = 0, search.ef = ef;
        CHECK_STATUS(cm_search(f.thread, queries + q * DIM, DIM, &search, hits, &n), CM_OK);
        search.mode = CM_SEARCH_EXACT;
        CHECK_STATUS(cm_search(f.thread, queries + q * DIM, DIM, &search, truth, &n_true), CM_OK);
        for (size_t i = 0; i < n; i++)
            for (size_t j = 0; j < n_true; j++) found += hits[i].slot == truth[j].slot;
    }
    fixture_close(&f);
    free(rows), free(queries);
    return found / (10.0 * N_QUERIES);
}

TEST(recall_is_that_of_f32) {
    for (uint32_t m = 0; m < 3; m++) {
        double f32 = recall_of(CM_VECTORS_F32, metrics[m], 60);
        for (uint32_t k = 1; k < 3; k++) {
            double recall = recall_of(kinds[k], metrics[m], 60);
            CHECK_MSG(recall > f32 - .012, "metric %u, vectors %u: recall %.4f, with f32 %.4f", m, k, recall, f32);
            printf("# metric %u, vectors %u: recall %.4f, with f32 %.4f\n", m, k, recall, f32);
        }
    }
}

TEST(snapshots_hold_them_as_they_are) {
    size_t bytes[3] = {0};
    FOR_EACH_KIND(k, m) {
        cm_config_t config = config_of(24, kinds[k], metrics[m]), back;
        fixture_t f = fixture_open(&config);
        fill(&f, 400);
        memory_file_t file = save_to_memory(&f);
        fixture_t loaded = load_fixture(&file);
        cm_config_of(loaded.store, &back);
        CHECK_EQ_U64(back.vectors, kinds[k]);
        check_same_memories(&f, &loaded);
        check_same_answers(&f, &loaded, 40);
        check_same_stats(&f, &loaded);
        memory_file_t again = save_to_memory(&loaded);
        check_same_bytes(&file, &again);
        bytes[k] = file.n_bytes;
        memory_file_free(&again);
        fixture_close(&loaded);
        memory_file_free(&file);
        fixture_close(&f);
    }
    CHECK(bytes[2] == bytes[0] && bytes[1] < bytes[0]);
}

TEST(the_greatest_float_survives_rounding) {
    cm_config_t config = small_config(8);
    config.vectors = CM_VECTORS_BF16;
    fixture_t f = fixture_open(&config);
    float row[8] = {1, 2, 3, 4, 5, 6, 7, 3.402823466e+38f}; /* rounds to the greatest finite half, not to infinity */
    insert_rows(&f, row, 1, 8);
    memory_file_t file = save_to_memory(&f);
    fixture_t loaded = load_fixture(&file);
    check_same_memories(&f, &loaded);
    fixture_close(&loaded);
    memory_file_free(&file);
    fixture_close(&f);
}

TEST(consolidation_compares_what_is_stored) {
    enum { DIM = 32, N = 600 };
    FOR_EACH_KIND(k, m) {
        cm_config_t config = config_of(DIM, kinds[k], metrics[m]);
        rng_t rng = rng_seed(8);
        float *rows = vectors_uniform(&rng, N, DIM);
        for (uint32_t i = 10; i < N; i += 20) /* a copy, a little off */
            for (uint32_t d = 0; d < DIM; d++) rows[i * DIM + d] = rows[(i - 10) * DIM + d] * 1.01f;
        fixture_t f = fixture_open(&config);
        insert_rows(&f, rows, N, DIM);
        cm_consolidate_t options = CM_CONSOLIDATE_INIT;
        uint64_t n_absorbed;
        CHECK_STATUS(cm_consolidate(f.thread, &options, &n_absorbed), CM_OK);
        CHECK_EQ_U64(cm_len(f.store), N - N / 20);
        check_whole(&f);
        fixture_close(&f);
        free(rows);
    }
}

/* Zero vectors, huge and tiny ones: codes have a step of zero, infinite products sort last, nothing traps. */
TEST(extreme_vectors_are_borne) {
    enum { DIM = 5 };
    static const float rows[][DIM] = {
        {0, 0, 0, 0, 0}, {3e38f, -3e38f, 3e38f, 0, 1}, {1e-45f, 0, 0, 0, 0}, {1, 1, 1, 1, 1}, {-1, 2, -3, 4, -5}};
    FOR_EACH_KIND(k, m) {
        cm_config_t config = config_of(DIM, kinds[k], metrics[m]);
        fixture_t f = fixture_open(&config);
        insert_rows(&f, rows[0], 5, DIM);
        for (uint32_t q = 0; q < 5; q++) {
            for (uint32_t mode = 0; mode < 3; mode++) {
                cm_search_t search = CM_SEARCH_INIT;
                cm_hit_t hits[5];
                size_t n = 0;
                search.k = 5, search.mode = (cm_search_mode_t)mode, search.temporal_weight = 0;
                CHECK_STATUS(cm_search(f.thread, rows[q], DIM, &search, hits, &n), CM_OK);
                CHECK_EQ_U64(n, 5);
                for (size_t i = 0; i < n; i++) CHECK(hits[i].distance == hits[i].distance);
            }
        }
        check_whole(&f);
        fixture_close(&f);
    }
}

TEST(what_cannot_be_is_refused) {
    cm_config_t config = small_config(4);
    cm_store_t *store;
    cm_error_t error;
    config.vectors = (cm_vectors_t)3;
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_CONFIG);
    CHECK(strcmp(error.message, "vectors is 3: must be 0 (f32), 1 (bf16) or 2 (i8)") == 0);
    config.vectors = CM_VECTORS_I8, config.metric = CM_METRIC_CUSTOM;
    config.custom.distance = (float (*)(void *, const float *, float, const float *, float, uint32_t))(uintptr_t)1; /* never called */
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_CONFIG);
    CHECK(strcmp(error.message, "vectors is 2, but a custom metric sees floats: use 0 (f32)") == 0);
}

#if defined(__wasm__)
TEST(no_file_can_stand_for_memory_here) {
    cm_config_t config = small_config(8);
    cm_store_t *store;
    cm_error_t error;
    config.spill_folder = "/tmp";
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_IO);
    CHECK_MSG(strstr(error.message, "spill_folder \"/tmp\": WebAssembly cannot map files"), "%s", error.message);
}
#endif

int main(void) {
    RUN(what_is_stored_comes_back);
    RUN(distances_of_hits_are_exact);
    RUN(recall_is_that_of_f32);
    RUN(snapshots_hold_them_as_they_are);
    RUN(the_greatest_float_survives_rounding);
    RUN(consolidation_compares_what_is_stored);
    RUN(extreme_vectors_are_borne);
    RUN(what_cannot_be_is_refused);
#if defined(__wasm__)
    RUN(no_file_can_stand_for_memory_here);
#endif
    return tap_done();
}
