/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * custom.c - a metric of the caller's: cosine and L2 written as custom ones answer as the built-in ones do, L1 agrees with a scan, what prepare() said reaches distance(), answers that are no
 * distance sort last; and snapshots hold that the metric is custom, not the functions.
 */
#include "support/snapshot.h"
#include "support/strings.h"
#include "support/vectors.h"

#include <math.h>

enum { DIM = 6, N = 1500 };

/* Counts what it is asked; distances are in double, as exact as can be. */
typedef struct metric {
    uint32_t n_prepared, n_distances, n_wrong;
} metric_t;

static float norm(void *context, const float *v, uint32_t dimensions) {
    double sum = 0;
    for (uint32_t d = 0; d < dimensions; d++) sum += (double)v[d] * (double)v[d];
    ((metric_t *)context)->n_prepared++;
    return (float)sqrt(sum);
}

/* 1 - a.b / |a||b|, of numbers that the test prepared. */
static float cosine(void *context, const float *a, float a_norm, const float *b, float b_norm, uint32_t dimensions) {
    metric_t *metric = context, ignored = {0};
    double dot = 0;
    for (uint32_t d = 0; d < dimensions; d++) dot += (double)a[d] * (double)b[d];
    metric->n_distances++;
    metric->n_wrong += dimensions != DIM || a_norm != norm(&ignored, a, dimensions) || b_norm != norm(&ignored, b, dimensions);
    if (a_norm == 0 || b_norm == 0) return 2;
    double distance = 1 - dot / ((double)a_norm * (double)b_norm);
    return distance < 0 ? 0 : (float)distance;
}

static float l1(void *context, const float *a, float a_prepared, const float *b, float b_prepared, uint32_t dimensions) {
    double sum = 0;
    for (uint32_t d = 0; d < dimensions; d++) sum += fabs((double)a[d] - (double)b[d]);
    ((metric_t *)context)->n_distances++;
    ((metric_t *)context)->n_wrong += a_prepared != b_prepared; /* both from the same prepare(): none, or the constant */
    return (float)sum;
}

static float l2sq(void *context, const float *a, float a_prepared, const float *b, float b_prepared, uint32_t dimensions) {
    (void)a_prepared, (void)b_prepared, (void)context;
    double sum = 0;
    for (uint32_t d = 0; d < dimensions; d++) sum += ((double)a[d] - (double)b[d]) * ((double)a[d] - (double)b[d]);
    return (float)sum;
}

static float constant(void *context, const float *v, uint32_t dimensions) {
    (void)v, (void)dimensions;
    ((metric_t *)context)->n_prepared++;
    return 7;
}

static fixture_t open_with(cm_metric_t metric, cm_custom_metric_t custom, uint32_t n) {
    cm_config_t config = small_config(DIM);
    config.metric = metric, config.custom = custom;
    config.m = 12, config.ef_construction = 100;
    fixture_t f = fixture_open(&config);
    for (uint32_t i = 0; i < n; i++) CHECK_STATUS(insert_numbered(&f, "m", i, 0), CM_OK);
    return f;
}

/* As many hits, the same scores in the same order; where they do not tie, the same ids. */
static void same_hits(fixture_t *a, fixture_t *b, cm_search_mode_t mode) {
    uint32_t n_same = 0, n_all = 0;
    for (uint32_t q = 0; q < 60; q++) {
        cm_hit_t of_a[10], of_b[10];
        size_t n_a, n_b;
        float query[DIM];
        cm_search_t options = CM_SEARCH_INIT;
        vector_of(q, 9, DIM, query);
        options.mode = mode, options.temporal_weight = (float)(q % 3) / 2;
        if (q % 4 == 1) options.context = CM_STR("conversation 2");
        if (q % 4 == 2) options.min_importance = 0.3f;
        CHECK_STATUS(cm_search(a->thread, query, DIM, &options, of_a, &n_a), CM_OK);
        CHECK_STATUS(cm_search(b->thread, query, DIM, &options, of_b, &n_b), CM_OK);
        CHECK_EQ_U64(n_a, n_b);
        for (uint32_t i = 0; i < n_a && i < n_b; i++) {
            if (mode == CM_SEARCH_EXACT)
                CHECK(fabsf(of_a[i].score - of_b[i].score) < 2e-6f && fabsf(of_a[i].distance - of_b[i].distance) < 2e-6f);
            n_same += of_a[i].slot == of_b[i].slot, n_all++;
        }
    }
    CHECK_MSG(n_same * 100 >= n_all * 98, "mode %d: %u of %u hits are the same", (int)mode, n_same, n_all);
}

TEST(cosine_as_a_custom_metric_answers_as_the_built_in) {
    metric_t metric = {0};
    fixture_t a = open_with(CM_METRIC_COSINE, (cm_custom_metric_t){0}, N);
    fixture_t b = open_with(CM_METRIC_CUSTOM, (cm_custom_metric_t){norm, cosine, &metric}, N);
    CHECK_EQ_U64(metric.n_prepared, N); /* once when a vector is inserted */
    for (cm_search_mode_t mode = CM_SEARCH_BEST; mode <= CM_SEARCH_EXACT; mode++) same_hits(&a, &b, mode);
    CHECK(metric.n_distances > N && metric.n_wrong == 0);
    uint32_t before = metric.n_prepared;
    float query[DIM] = {1};
    cm_hit_t hits[10];
    size_t n;
    CHECK_STATUS(cm_search(b.thread, query, DIM, NULL, hits, &n), CM_OK);
    CHECK_MSG(metric.n_prepared - before <= 2, "prepared %u times for one query", metric.n_prepared - before);
    CHECK_MSG(cm_check(b.thread, NULL) == CM_OK, "%s", cm_message(b.thread));
    fixture_close(&a), fixture_close(&b);
}

TEST(l2_as_a_custom_metric_answers_as_the_built_in) {
    fixture_t a = open_with(CM_METRIC_L2SQ, (cm_custom_metric_t){0}, N);
    fixture_t b = open_with(CM_METRIC_CUSTOM, (cm_custom_metric_t){NULL, l2sq, NULL}, N);
    same_hits(&a, &b, CM_SEARCH_BEST), same_hits(&a, &b, CM_SEARCH_EXACT);
    fixture_close(&a), fixture_close(&b);
}

static void l1_agrees_with_a_scan(cm_custom_metric_t custom) {
    fixture_t f = open_with(CM_METRIC_CUSTOM, custom, N);
    uint32_t n_found = 0;
    for (uint32_t q = 0; q < 40; q++) {
        float query[DIM], vector[DIM], nearest[10];
        uint32_t n_nearest = 0;
        cm_hit_t hits[10];
        size_t n;
        metric_t ignored = {0};
        cm_search_t options = CM_SEARCH_INIT;
        vector_of(q, 5, DIM, query);
        for (uint32_t i = 0; i < N; i++) {
            vector_of(i, 0, DIM, vector);
            float distance = l1(&ignored, query, 0, vector, 0, DIM);
            if (n_nearest == 10 && distance >= nearest[9]) continue;
            uint32_t at = n_nearest < 10 ? n_nearest++ : 9;
            for (; at > 0 && nearest[at - 1] > distance; at--) nearest[at] = nearest[at - 1];
            nearest[at] = distance;
        }
        options.temporal_weight = 0;
        for (uint32_t exact = 0; exact < 2; exact++) {
            options.mode = exact ? CM_SEARCH_EXACT : CM_SEARCH_BEST;
            CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
            CHECK_EQ_U64(n, 10);
            for (uint32_t i = 0; i < n && exact; i++) CHECK(hits[i].distance == nearest[i] && hits[i].score == nearest[i] / 2);
            for (uint32_t i = 0; i < n && !exact; i++) n_found += hits[i].distance <= nearest[9];
        }
    }
    CHECK_MSG(n_found >= 385, "%u of 400 found", n_found);
    fixture_close(&f);
}

TEST(l1_agrees_with_a_scan_with_and_without_prepare) {
    metric_t metric = {0};
    l1_agrees_with_a_scan((cm_custom_metric_t){NULL, l1, &metric});
    CHECK(metric.n_wrong == 0 && metric.n_prepared == 0 && metric.n_distances > 0);
    l1_agrees_with_a_scan((cm_custom_metric_t){constant, l1, &metric});
    CHECK(metric.n_wrong == 0 && metric.n_prepared >= N);
}

/* NaN and infinity for some pairs: never a NaN in a score, and behind all others. */
static float moody(void *context, const float *a, float a_prepared, const float *b, float b_prepared, uint32_t dimensions) {
    float distance = l2sq(context, a, a_prepared, b, b_prepared, dimensions);
    uint32_t mood = (cmi_float_bits(a[0]) ^ cmi_float_bits(b[0])) % 7; /* symmetric */
    return mood == 3 ? NAN : mood == 5 ? INFINITY : distance;
}

TEST(what_is_no_distance_sorts_last) {
    fixture_t f = open_with(CM_METRIC_CUSTOM, (cm_custom_metric_t){NULL, moody, NULL}, 300);
    static cm_hit_t hits[300];
    for (uint32_t q = 0; q < 20; q++)
        for (cm_search_mode_t mode = CM_SEARCH_BEST; mode <= CM_SEARCH_EXACT; mode++) {
            float query[DIM];
            size_t n;
            uint32_t n_last = 0;
            cm_search_t options = CM_SEARCH_INIT;
            vector_of(q, 5, DIM, query);
            options.k = 300, options.mode = mode, options.temporal_weight = (float)(q % 3) / 2;
            CHECK_STATUS(cm_search(f.thread, query, DIM, &options, hits, &n), CM_OK);
            CHECK(n == 300 || mode == CM_SEARCH_RERANK);
            for (uint32_t i = 0; i < n; i++) {
                CHECK(!isnan(hits[i].score) && (i == 0 || hits[i - 1].score <= hits[i].score));
                n_last += hits[i].distance > 1e30f;
            }
            CHECK_MSG(n_last > 20 || mode == CM_SEARCH_RERANK, "%u", n_last);
        }
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    fixture_close(&f);
}

/* ---- snapshots ------------------------------------------------------------------------------------------------------------------------------------ */

TEST(a_snapshot_wants_the_functions_again) {
    metric_t metric = {0};
    cm_custom_metric_t custom = {norm, cosine, &metric};
    fixture_t f = open_with(CM_METRIC_CUSTOM, custom, 600);
    memory_file_t file = save_to_memory(&f);
    cm_load_options_t options = CM_LOAD_INIT;
    cm_store_t *store = (cm_store_t *)&metric;
    cm_error_t error = {CM_OK, ""};
    options.clock_ms = fixed_clock;
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), &options, &store, &error), CM_E_CONFIG);
    CHECK_MSG(!store && strstr(error.message, "custom"), "%s", error.message);
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), NULL, &store, &error), CM_E_CONFIG);
    options.custom = (cm_custom_metric_t){norm, NULL, &metric}; /* prepare alone is not enough */
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), &options, &store, &error), CM_E_CONFIG);
    options.custom = custom;
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), &options, &store, &error), CM_OK);
    fixture_t loaded = fixture_of(store);
    check_same_memories(&f, &loaded);
    check_same_answers(&f, &loaded, 30);
    check_same_stats(&f, &loaded);
    CHECK_STATUS(insert_numbered(&loaded, "new", 1, 3), CM_OK);
    CHECK_EQ_U64(metric.n_wrong, 0);
    cm_config_t config;
    cm_config_of(loaded.store, &config);
    CHECK(config.metric == CM_METRIC_CUSTOM && config.custom.distance == cosine && config.custom.context == &metric);
    memory_file_free(&file);
    fixture_close(&loaded), fixture_close(&f);
}

/* Functions that are given and not needed change nothing. */
TEST(a_built_in_metric_ignores_the_functions) {
    metric_t metric = {0};
    fixture_t f = open_with(CM_METRIC_COSINE, (cm_custom_metric_t){norm, cosine, &metric}, 50);
    memory_file_t file = save_to_memory(&f);
    cm_load_options_t options = CM_LOAD_INIT;
    cm_store_t *store;
    options.custom = (cm_custom_metric_t){norm, cosine, &metric};
    CHECK_STATUS(cm_load(&MEMORY_SOURCE(&file), &options, &store, NULL), CM_OK);
    fixture_t loaded = fixture_of(store);
    CHECK(metric.n_distances == 0 && metric.n_prepared == 0);
    memory_file_free(&file);
    fixture_close(&loaded), fixture_close(&f);
}

TEST(a_custom_metric_without_distance_is_refused) {
    cm_config_t config = small_config(DIM);
    cm_store_t *store;
    cm_error_t error;
    config.metric = CM_METRIC_CUSTOM;
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_CONFIG);
    CHECK_MSG(strstr(error.message, "custom"), "%s", error.message);
    config.custom.prepare = norm;
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_CONFIG);
    config.metric = (cm_metric_t)4;
    CHECK_STATUS(cm_open(&config, &store, &error), CM_E_CONFIG);
}

/* The bare index takes one, too: the graph kinds agree with brute force. */
TEST(a_bare_index_takes_a_custom_metric) {
    for (cm_index_kind_t kind = CM_INDEX_LOCKFREE; kind <= CM_INDEX_BRUTE; kind++) {
        metric_t metric = {0};
        cm_index_config_t config = CM_INDEX_CONFIG_INIT;
        cm_index_t *index = NULL;
        cm_index_thread_t *thread;
        config.kind = kind, config.dimensions = DIM, config.capacity = 800, config.metric = CM_METRIC_CUSTOM;
        CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_E_CONFIG);
        config.custom = (cm_custom_metric_t){norm, cosine, &metric};
        CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_OK);
        CHECK_STATUS(cm_index_attach(index, &thread), CM_OK);
        float vector[DIM];
        uint32_t id, n_self = 0;
        for (uint32_t i = 0; i < 600; i++) {
            vector_of(i, 0, DIM, vector);
            CHECK_STATUS(cm_index_insert(thread, vector, DIM, &id), CM_OK);
        }
        for (uint32_t i = 0; i < 600; i++) {
            cm_neighbor_t nearest;
            size_t n;
            vector_of(i, 0, DIM, vector);
            CHECK_STATUS(cm_index_search(thread, vector, DIM, 1, 40, &nearest, &n), CM_OK);
            n_self += n == 1 && nearest.distance < 1e-6f;
        }
        CHECK_MSG(n_self == 600 && metric.n_wrong == 0, "kind %d: %u of 600 find themselves, %u times wrongly prepared", (int)kind, n_self,
                  metric.n_wrong);
        cm_index_detach(thread);
        CHECK_STATUS(cm_index_close(index), CM_OK);
    }
}

int main(void) {
    RUN(cosine_as_a_custom_metric_answers_as_the_built_in);
    RUN(l2_as_a_custom_metric_answers_as_the_built_in);
    RUN(l1_agrees_with_a_scan_with_and_without_prepare);
    RUN(what_is_no_distance_sorts_last);
    RUN(a_snapshot_wants_the_functions_again);
    RUN(a_built_in_metric_ignores_the_functions);
    RUN(a_custom_metric_without_distance_is_refused);
    RUN(a_bare_index_takes_a_custom_metric);
    return tap_done();
}
