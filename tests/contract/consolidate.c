/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * consolidate.c - what cm_consolidate() promises to one thread, against comparing all pairs in double precision, and against what the original system left.
 *
 * The oracle: memories in order of importance descending, created_ms ascending, id ascending; each that is there absorbs every later one that is there and strictly above the threshold. The
 * threshold of a test is moved until no pair is so near to it that single precision may decide otherwise.
 *
 * What others do in the middle of a consolidation is done here by a second cm_thread_t out of the progress callback: the same interleaving every time. Real threads: tests/concurrency/consolidate.c.
 */
#include "support/golden_store.h"
#include "support/strings.h"
#include "support/vectors.h"

#include <math.h>

enum { MOST = 1600, MOST_DIM = 48, MOST_RELATED = 6, N_CONTEXTS = 4, ID_ROOM = 16 };

/* What the oracle knows of a memory; its number is its place here. */
typedef struct known {
    float vector[MOST_DIM];
    double length;
    float importance;
    int64_t created_ms;
    uint32_t context, n_related;
    uint32_t related[MOST_RELATED]; /* numbers; there need not be such a memory */
    char id[ID_ROOM];
    bool there;
} known_t;

static known_t known[MOST];
static uint32_t n_known, dim;

/* ---- the oracle ------------------------------------------------------------------------------------------------------------------------ */

static double similarity(const known_t *a, const known_t *b) {
    double dot = 0;
    if (a->length == 0 || b->length == 0) return -2;
    for (uint32_t d = 0; d < dim; d++) dot += (double)a->vector[d] * (double)b->vector[d];
    return dot / (a->length * b->length);
}

static int in_order(const void *x, const void *y) {
    const known_t *a = &known[*(const uint32_t *)x], *b = &known[*(const uint32_t *)y];
    if (a->importance != b->importance) return a->importance > b->importance ? -1 : 1;
    if (a->created_ms != b->created_ms) return a->created_ms < b->created_ms ? -1 : 1;
    return strcmp(a->id, b->id);
}

static bool has_related(const known_t *k, uint32_t number) {
    for (uint32_t i = 0; i < k->n_related; i++)
        if (k->related[i] == number) return true;
    return false;
}

static void merge(known_t *to, const known_t *from, uint32_t to_number) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < to->n_related; i++)
        if (to->related[i] != to_number) to->related[n++] = to->related[i];
    to->n_related = n;
    for (uint32_t i = 0; i < from->n_related; i++)
        if (from->related[i] != to_number && !has_related(to, from->related[i]) && to->n_related < MOST_RELATED)
            to->related[to->n_related++] = from->related[i];
}

/* The order holds for the whole run, though importance rises. Takes the first `share` of the turns; returns how many were absorbed. */
static uint64_t consolidate_known(double threshold, double share) {
    static uint32_t order[MOST];
    uint32_t n = 0;
    uint64_t n_absorbed = 0;
    for (uint32_t i = 0; i < n_known; i++)
        if (known[i].there) order[n++] = i;
    qsort(order, n, sizeof *order, in_order);
    for (uint32_t i = 0; i < n && i < (uint32_t)(share * n + 0.5); i++) {
        known_t *absorber = &known[order[i]];
        if (!absorber->there) continue;
        for (uint32_t j = i + 1; j < n; j++) {
            known_t *other = &known[order[j]];
            if (!other->there || similarity(absorber, other) <= threshold) continue;
            merge(absorber, other, order[i]);
            if (other->importance > absorber->importance) absorber->importance = other->importance;
            other->there = false;
            n_absorbed++;
        }
    }
    return n_absorbed;
}

/* The next one from `wanted` on that no pair is near. */
static float clear_threshold(double wanted) {
    for (uint32_t attempt = 0; attempt < 1000; attempt++, wanted += 1.3e-5) {
        bool clear = true;
        for (uint32_t i = 0; i < n_known && clear; i++)
            for (uint32_t j = 0; j < i && clear; j++) clear = fabs(similarity(&known[i], &known[j]) - (double)(float)wanted) > 2e-6;
        if (clear) return (float)wanted;
    }
    CHECK_MSG(false, "no threshold is clear");
    return (float)wanted;
}

/* ---- memories ---------------------------------------------------------------------------------------------------------------------------- */

/* Everything but the vector. Few importances, times and contexts, so that all ties occur; relationships name each other, themselves and nobody. */
static void begin_known(uint32_t n, uint32_t dimensions, uint64_t seed) {
    rng_t rng = rng_seed(seed);
    printf("# %u memories of %u dimensions, seed %" PRIu64 "\n", n, dimensions, seed);
    memset(known, 0, sizeof known);
    n_known = n, dim = dimensions;
    for (uint32_t i = 0; i < n; i++) {
        known_t *k = &known[i];
        snprintf(k->id, sizeof k->id, "m%u", i);
        k->there = true;
        k->importance = (float)rng_below(&rng, 4) / 4;
        k->created_ms = NOW_MS - rng_below(&rng, 3) * INT64_C(1000);
        k->context = rng_below(&rng, N_CONTEXTS);
        for (uint32_t r = rng_below(&rng, MOST_RELATED + 1); r > 0; r--) {
            uint32_t number = r == 4 ? i : rng_below(&rng, 2) ? rng_below(&rng, 12) : rng_below(&rng, 2 * n);
            if (!has_related(k, number)) k->related[k->n_related++] = number;
        }
    }
}

static void set_vector(uint32_t number, const float *vector) {
    known_t *k = &known[number];
    double sum = 0;
    memcpy(k->vector, vector, dim * sizeof *vector);
    for (uint32_t d = 0; d < dim; d++) sum += (double)vector[d] * (double)vector[d];
    k->length = sqrt(sum);
}

static void set_scaled(uint32_t number, const float *vector, float scale) {
    float scaled[MOST_DIM];
    for (uint32_t d = 0; d < dim; d++) scaled[d] = scale * vector[d];
    set_vector(number, scaled);
}

static cm_str_t context_name(char out[16], uint32_t context) {
    return numbered_id(out, 16, "c", context);
}

static cm_status_t insert_known(cm_thread_t *thread, uint32_t number) {
    const known_t *k = &known[number];
    char context[16], names[MOST_RELATED][ID_ROOM];
    cm_str_t relationships[MOST_RELATED];
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = str(k->id);
    memory.context = context_name(context, k->context);
    memory.vector = k->vector, memory.dimensions = dim;
    memory.importance = k->importance, memory.created_ms = k->created_ms;
    for (uint32_t i = 0; i < k->n_related; i++) relationships[i] = numbered_id(names[i], ID_ROOM, "m", k->related[i]);
    memory.relationships = relationships, memory.n_relationships = k->n_related;
    memory.text = str(k->id);
    return cm_insert(thread, &memory);
}

static fixture_t open_with(cm_config_t config) {
    config.dimensions = dim, config.max_memories = 2 * MOST, config.max_relationships = MOST_RELATED;
    config.max_threads = 8, config.clock_ms = fixed_clock;
    fixture_t f = fixture_open(&config);
    for (uint32_t i = 0; i < n_known; i++) CHECK_STATUS(insert_known(f.thread, i), CM_OK);
    return f;
}

static fixture_t open_known(cm_metric_t metric) {
    cm_config_t config = CM_CONFIG_INIT;
    config.metric = metric;
    return open_with(config);
}

static cm_status_t consolidate(cm_thread_t *thread, float threshold, uint64_t *n_absorbed) {
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.similarity_threshold = threshold;
    return cm_consolidate(thread, &options, n_absorbed);
}

/* ---- comparing with the oracle ----------------------------------------------------------------------------------------------------------- */

static void compare_memory(fixture_t *f, uint32_t number) {
    const known_t *k = &known[number];
    char name[ID_ROOM];
    cm_memory_t memory;
    bool same = true;
    CHECK_MSG(cm_contains(f->thread, str(k->id)) == k->there, "%s is %s", k->id, k->there ? "gone" : "still there");
    cm_status_t status = cm_get(f->thread, str(k->id), &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL);
    CHECK_STATUS(status, k->there ? CM_OK : CM_E_NOT_FOUND);
    if (status != CM_OK || !k->there) return;
    CHECK_MSG(memory.importance == k->importance, "%s: importance %g, expected %g", k->id, (double)memory.importance,
              (double)k->importance);
    CHECK(memory.created_ms == k->created_ms && memcmp(memory.vector, k->vector, dim * sizeof *k->vector) == 0);
    CHECK(same_str(memory.text, str(k->id)));
    CHECK_EQ_U64(memory.n_relationships, k->n_related);
    for (uint32_t i = 0; i < k->n_related && i < memory.n_relationships; i++)
        same = same && same_str(memory.relationships[i], numbered_id(name, sizeof name, "m", k->related[i]));
    CHECK_MSG(same, "%s has other relationships than expected", k->id);
}

static void compare_context(fixture_t *f, uint32_t context) {
    double importance = 0, sum[MOST_DIM] = {0};
    float mean[MOST_DIM];
    char name[16];
    uint32_t n = 0;
    cm_context_summary_t summary;
    for (uint32_t i = 0; i < n_known; i++) {
        if (!known[i].there || known[i].context != context) continue;
        n++, importance += (double)known[i].importance;
        for (uint32_t d = 0; d < dim; d++) sum[d] += (double)known[i].vector[d];
    }
    CHECK_STATUS(cm_context_summary(f->thread, context_name(name, context), &summary, mean, dim), CM_OK);
    CHECK_EQ_U64(summary.n_memories, n);
    CHECK(fabs(summary.average_importance - (n ? importance / n : 0)) < 1e-6);
    for (uint32_t d = 0; d < dim; d++) CHECK(fabs((double)mean[d] - (n ? sum[d] / n : 0)) < 1e-4 + 1e-6 * fabs(sum[d]));
}

static void compare_counts(fixture_t *f) {
    uint64_t n = 0, n_in[N_CONTEXTS] = {0}, n_contexts = 0, n_iterated = 0, cursor = 0;
    double importance = 0;
    cm_stats_t stats;
    cm_memory_t memory;
    cm_context_stat_t context;
    for (uint32_t i = 0; i < n_known; i++)
        if (known[i].there) n++, n_in[known[i].context]++, importance += (double)known[i].importance;
    CHECK_EQ_U64(cm_len(f->store), n);
    CHECK_STATUS(cm_stats(f->thread, &stats), CM_OK);
    CHECK_EQ_U64(stats.n_memories, n);
    CHECK_EQ_U64(stats.n_components, n * dim);
    CHECK(fabs(stats.average_importance - (n ? importance / (double)n : 0)) < 1e-6);
    while (cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) n_iterated++;
    CHECK_EQ_U64(n_iterated, n);
    for (cursor = 0; cm_next_context(f->thread, &cursor, &context, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK; n_contexts++)
        CHECK_EQ_U64(context.n_memories, n_in[(context.context.data[1] - '0') % N_CONTEXTS]);
    CHECK_EQ_U64(stats.n_contexts, n_contexts);
    for (uint32_t c = 0; c < N_CONTEXTS; c++) n_contexts -= n_in[c] > 0;
    CHECK_EQ_U64(n_contexts, 0);
}

/* A search for what was absorbed finds memories that are there, each once. */
static void compare_search(fixture_t *f) {
    cm_hit_t hits[20];
    for (uint32_t i = 0; i < n_known; i += 1 + n_known / 20) {
        size_t n = 0;
        cm_memory_t memory;
        cm_search_t search = CM_SEARCH_INIT;
        search.k = 20, search.temporal_weight = 0;
        CHECK_STATUS(cm_search(f->thread, known[i].vector, dim, &search, hits, &n), CM_OK);
        CHECK_EQ_U64(n, CMI_MIN(20u, cm_len(f->store)));
        for (size_t a = 0; a < n; a++) {
            CHECK_STATUS(cm_get_hit(f->thread, hits[a].slot, hits[a].generation, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
            for (size_t b = 0; b < a; b++) CHECK(hits[a].slot != hits[b].slot);
        }
    }
}

static void compare(fixture_t *f) {
    for (uint32_t i = 0; i < n_known; i++) compare_memory(f, i);
    for (uint32_t c = 0; c < N_CONTEXTS; c++) compare_context(f, c);
    compare_counts(f);
    compare_search(f);
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
}

/* Saved and loaded it is the same, and there is nothing left to absorb. */
static void compare_loaded(fixture_t *f, float threshold) {
    uint64_t n_absorbed = 77;
    memory_file_t file = save_to_memory(f);
    fixture_t loaded = load_fixture(&file);
    compare(&loaded);
    CHECK_STATUS(consolidate(loaded.thread, threshold, &n_absorbed), CM_OK);
    CHECK_EQ_U64(n_absorbed, 0);
    compare(&loaded);
    fixture_close(&loaded);
    memory_file_free(&file);
}

/* The whole comparison of a store with the oracle, which it closes. Returns how many were absorbed. */
static uint64_t consolidate_and_compare(fixture_t *f, float threshold) {
    uint64_t n_absorbed = 77, expected = consolidate_known((double)threshold, 1);
    cm_status_t status = consolidate(f->thread, threshold, &n_absorbed);
    CHECK_MSG(status == CM_OK, "%s", cm_message(f->thread));
    CHECK_EQ_U64(n_absorbed, expected);
    compare(f);
    CHECK_STATUS(consolidate(f->thread, threshold, &n_absorbed), CM_OK);
    CHECK_EQ_U64(n_absorbed, 0);
    compare(f);
    compare_loaded(f, threshold);
    fixture_close(f);
    return expected;
}

/* ---- data of many kinds, under every metric --------------------------------------------------------------------------------------------- */

typedef void make_t(rng_t *rng);

static void make_uniform(rng_t *rng) {
    float *vectors = vectors_uniform(rng, n_known, dim);
    for (uint32_t i = 0; i < n_known; i++) set_vector(i, &vectors[(size_t)i * dim]);
    free(vectors);
}

static void make_embedding_like(rng_t *rng) {
    float *vectors = vectors_embedding_like(rng, n_known, dim);
    for (uint32_t i = 0; i < n_known; i++) set_vector(i, &vectors[(size_t)i * dim]);
    free(vectors);
}

/* A third is alone, a third a copy of one of seven, a third a multiple of one of seven; and three zero vectors. */
static void make_clusters(rng_t *rng) {
    float *vectors = vectors_uniform(rng, n_known, dim);
    const float zero[MOST_DIM] = {0};
    for (uint32_t i = 0; i < n_known; i++) {
        const float *center = &vectors[(size_t)(i % 3 == 0 ? i : rng_below(rng, 7)) * dim];
        set_scaled(i, center, i % 3 == 2 ? 0.25f + 0.5f * (float)rng_below(rng, 9) : 1);
    }
    for (uint32_t i = 10; i < 40; i += 10) set_vector(i, zero);
    free(vectors);
}

/* Rings of twenty: neighbours are similar (cosine of 10 degrees: .985), the ones after them less so (.940). */
static void make_chains(rng_t *rng) {
    float *axes = vectors_uniform(rng, 2 * n_known, dim);
    for (uint32_t i = 0; i < n_known; i++) {
        float vector[MOST_DIM];
        const float *x = &axes[(size_t)(2 * (i / 20)) * dim], *y = x + dim;
        double xx = 0, xy = 0, yy = 0, angle = i % 20 * 0.17453292519943295;
        for (uint32_t d = 0; d < dim; d++) xx += (double)x[d] * x[d], xy += (double)x[d] * y[d];
        for (uint32_t d = 0; d < dim; d++) yy += (y[d] - xy / xx * x[d]) * (y[d] - xy / xx * x[d]);
        for (uint32_t d = 0; d < dim; d++)
            vector[d] = (float)(cos(angle) * x[d] / sqrt(xx) + sin(angle) * (y[d] - xy / xx * x[d]) / sqrt(yy));
        set_vector(i, vector);
    }
    free(axes);
}

static void run_all_metrics(make_t *make, uint32_t n, uint32_t dimensions, double wanted) {
    static const cm_metric_t metrics[] = {CM_METRIC_COSINE, CM_METRIC_DOT, CM_METRIC_L2SQ};
    for (uint32_t m = 0; m < 3; m++) {
        rng_t rng = rng_seed(1000 * n + m);
        begin_known(n, dimensions, 1000 * n + m);
        make(&rng);
        float threshold = clear_threshold(wanted);
        fixture_t f = open_known(metrics[m]);
        uint64_t n_absorbed = consolidate_and_compare(&f, threshold);
        printf("# metric %u, threshold %g: %" PRIu64 " absorbed\n", (unsigned)metrics[m], (double)threshold, n_absorbed);
        CHECK(n_absorbed > 0 && n_absorbed < n);
    }
}

TEST(uniform_vectors) {
    run_all_metrics(make_uniform, 500, 8, 0.6);
    run_all_metrics(make_uniform, 501, 8, 0.9);
    run_all_metrics(make_uniform, 502, 16, 0.3);
}

TEST(embedding_like_vectors) {
    run_all_metrics(make_embedding_like, 500, 48, 0.6);
    run_all_metrics(make_embedding_like, 501, 48, 0.75);
}

TEST(clusters_of_identical_vectors_and_zeros) {
    run_all_metrics(make_clusters, 600, 12, 0.9);
    run_all_metrics(make_clusters, 1500, 6, 0.999);
}

TEST(chains_where_each_is_similar_to_the_next) {
    run_all_metrics(make_chains, 400, 8, 0.96);
    run_all_metrics(make_chains, 401, 8, 0.93);
}

/* Where more copies of one vector than ef_construction crowd a place, a starved graph does not link what else is near: next to nothing is missed, and nothing is absorbed wrongly. */
TEST(a_graph_with_few_links) {
    cm_config_t config = CM_CONFIG_INIT;
    config.m = 8, config.ef_construction = 40;
    for (uint32_t seed = 1; seed <= 8; seed++) {
        rng_t rng = rng_seed(seed);
        uint64_t n_absorbed;
        begin_known(600, 6, seed);
        make_clusters(&rng);
        float threshold = clear_threshold(0.93);
        fixture_t f = open_with(config);
        CHECK_STATUS(consolidate(f.thread, threshold, &n_absorbed), CM_OK);
        uint64_t expected = consolidate_known((double)threshold, 1);
        CHECK(n_absorbed <= expected && n_absorbed + 4 >= expected);
        CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
        fixture_close(&f);
    }
}

static float custom_distance(void *context, const float *a, float a_prepared, const float *b, float b_prepared, uint32_t dimensions) {
    float sum = 0;
    (void)context, (void)a_prepared, (void)b_prepared;
    for (uint32_t d = 0; d < dimensions; d++) sum += fabsf(a[d] - b[d]);
    return sum;
}

TEST(a_metric_of_the_callers_own) {
    rng_t rng = rng_seed(6);
    cm_config_t config = CM_CONFIG_INIT;
    config.metric = CM_METRIC_CUSTOM, config.custom.distance = custom_distance;
    begin_known(200, 8, 6);
    make_chains(&rng);
    fixture_t f = open_with(config);
    CHECK(consolidate_known(0.96, 1) > 0);
    CHECK_STATUS(consolidate(f.thread, 0.96f, NULL), CM_OK);
    compare(&f);
    fixture_close(&f);
}

/* ---- small stores by hand --------------------------------------------------------------------------------------------------------------- */

static void by_hand(uint32_t number, const char *id, float importance, int64_t created_ms, float x, float y) {
    known_t *k = &known[number];
    snprintf(k->id, sizeof k->id, "%s", id);
    k->importance = importance, k->created_ms = created_ms, k->n_related = 0;
    set_vector(number, (float[]){x, y, 0, 0});
}

TEST(importance_then_age_then_id_decide_who_absorbs) {
    for (uint32_t turn = 0; turn < 6; turn++) { /* in each order of insertion */
        for (uint32_t decides = 0; decides < 3; decides++) {
            static const uint32_t orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
            begin_known(3, 4, turn);
            const uint32_t *at = orders[turn];
            by_hand(at[0], decides == 2 ? "10" : "c", decides == 0 ? 0.75f : 0.5f, decides == 1 ? 5 : decides == 0 ? 9 : 7, 1, 0);
            by_hand(at[1], decides == 2 ? "2" : "b", decides == 0 ? 0.5f : 0.5f, decides == 1 ? 6 : 7, 2, 0);
            by_hand(at[2], decides == 2 ? "20" : "a", decides == 0 ? 0.25f : 0.5f, decides == 1 ? 7 : decides == 0 ? 5 : 7, 3, 0);
            fixture_t f = open_known(CM_METRIC_COSINE);
            CHECK_EQ_U64(consolidate_and_compare(&f, 0.5f), 2);
            CHECK(known[at[0]].there);
        }
    }
}

/* (1,0,0,0) and (1,1,1,1): 1/2, exact in every arithmetic. */
TEST(exactly_the_threshold_is_not_above_it) {
    for (uint32_t metric = 0; metric < 3; metric++) {
        uint64_t n_absorbed = 77;
        begin_known(2, 4, 1);
        set_vector(0, (float[]){1, 0, 0, 0});
        set_vector(1, (float[]){1, 1, 1, 1});
        fixture_t f = open_known((cm_metric_t)metric);
        CHECK_STATUS(consolidate(f.thread, 0.5f, &n_absorbed), CM_OK);
        CHECK_EQ_U64(n_absorbed, 0);
        compare(&f);
        CHECK_EQ_U64(consolidate_and_compare(&f, 0.49999f), 1);
    }
}

TEST(relationships_follow_up_to_the_limit_and_never_to_itself) {
    static const char *const before[] = {"9 8 7", "8 1 6 2 5 4", "6 5"}, *const after = "9 8 7 6 2 5";
    begin_known(3, 4, 1);
    for (uint32_t i = 0; i < 3; i++) {
        cm_str_t words[8];
        char id[2] = {(char)('1' + i), 0};
        by_hand(i, id, 0.5f, i, 1, 1);
        uint32_t n = split(before[i], words);
        for (uint32_t r = 0; r < n; r++) known[i].related[known[i].n_related++] = (uint32_t)(words[r].data[0] - '0');
    }
    cm_config_t config = small_config(4);
    fixture_t f = fixture_open(&config);
    for (uint32_t i = 0; i < 3; i++) { /* ids without the "m" of insert_known() */
        cm_str_t words[8];
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.id = str(known[i].id), memory.vector = known[i].vector, memory.dimensions = 4, memory.created_ms = (int64_t)i;
        memory.relationships = words, memory.n_relationships = split(before[i], words);
        CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
    }
    uint64_t n_absorbed = 77;
    cm_memory_t memory;
    cm_str_t words[8];
    CHECK_STATUS(cm_consolidate(f.thread, NULL, &n_absorbed), CM_OK);
    CHECK_EQ_U64(n_absorbed, 2);
    CHECK_STATUS(cm_get(f.thread, CM_STR("1"), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    uint32_t n = split(after, words);
    CHECK_EQ_U64(memory.n_relationships, n);
    for (uint32_t i = 0; i < n && i < memory.n_relationships; i++) CHECK(same_str(memory.relationships[i], words[i]));
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    fixture_close(&f);
}

TEST(an_empty_store_one_memory_all_identical_all_zero) {
    static const uint32_t sizes[] = {0, 1, 2, 300, 1500}; /* the last: more than a walk takes in */
    static const float ones[MOST_DIM] = {1, 1, 1, 1}, zero[MOST_DIM] = {0};
    for (uint32_t metric = 0; metric < 3; metric++)
        for (uint32_t s = 0; s < 5; s++)
            for (uint32_t zeros = 0; zeros < 2; zeros++) {
                begin_known(sizes[s], 4, s);
                for (uint32_t i = 0; i < n_known; i++) set_vector(i, zeros ? zero : ones);
                fixture_t f = open_known((cm_metric_t)metric);
                CHECK_EQ_U64(consolidate_and_compare(&f, 0.9f), zeros || n_known == 0 ? 0 : n_known - 1);
            }
}

/* Dot products, or the reciprocals of lengths, overflow in single precision, so that all look alike; the rows themselves do not. */
TEST(very_long_and_very_short_vectors_are_compared_in_double_precision) {
    static const float scales[] = {3e19f, 5e18f, 1e-18f, 1e-19f, 1e-20f, 3e-21f};
    for (uint32_t metric = 0; metric < 3; metric++)
        for (uint32_t s = 0; s < sizeof scales / sizeof *scales; s++) {
            begin_known(5, 4, s);
            set_scaled(0, (float[]){1, 0, 0, 0}, scales[s]);
            set_scaled(1, (float[]){1, 1, 0, 0}, scales[s]);      /* .71 */
            set_scaled(2, (float[]){1, 0, 0.125f, 0}, scales[s]); /* .99, .70 */
            set_scaled(3, (float[]){0, 0.5f, 1, 0}, scales[s]);   /* 0, .32, .11 */
            set_scaled(4, (float[]){1, 5, 0, 0}, scales[s]);      /* .20, .83, .19, .44 */
            fixture_t f = open_known((cm_metric_t)metric);
            CHECK_EQ_U64(consolidate_and_compare(&f, 0.9f), 1);
        }
}

/* ---- arguments -------------------------------------------------------------------------------------------------------------------------- */

TEST(thresholds_that_are_refused) {
    const float refused[] = {NAN, -0.5f, -1e-30f, 1, 1.5f, INFINITY, -INFINITY};
    begin_known(2, 4, 1);
    for (uint32_t i = 0; i < 2; i++) set_vector(i, (float[]){1, 0, 0, 0});
    fixture_t f = open_known(CM_METRIC_COSINE);
    for (uint32_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        uint64_t n_absorbed = 77;
        CHECK_STATUS(consolidate(f.thread, refused[i], &n_absorbed), CM_E_RANGE);
        CHECK_MSG(strstr(cm_message(f.thread), "similarity_threshold"), "%s", cm_message(f.thread));
        compare(&f); /* nothing has changed */
    }
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.size--;
    CHECK_STATUS(cm_consolidate(f.thread, &options, NULL), CM_E_ARGUMENT);
    compare(&f);
    CHECK_EQ_U64(consolidate_and_compare(&f, 1e-30f), 1); /* none of them holds the store */
}

TEST(zero_and_nothing_mean_the_threshold_of_the_store) {
    for (uint32_t way = 0; way < 2; way++) {
        cm_config_t config = CM_CONFIG_INIT;
        config.similarity_threshold = 0.6f;
        begin_known(3, 4, 1);
        set_vector(0, (float[]){1, 0, 0, 0});
        set_vector(1, (float[]){1, 1, 0, 0});  /* .71 */
        set_vector(2, (float[]){1, -1, 1, 1}); /* .5, 0 */
        fixture_t f = open_with(config);
        uint64_t n_absorbed = 77, expected = consolidate_known((double)0.6f, 1);
        CHECK_STATUS(way ? cm_consolidate(f.thread, NULL, &n_absorbed) : consolidate(f.thread, 0, &n_absorbed), CM_OK);
        CHECK_EQ_U64(n_absorbed, expected);
        CHECK_EQ_U64(expected, 1);
        CHECK_STATUS(cm_consolidate(f.thread, NULL, NULL), CM_OK);
        compare(&f);
        fixture_close(&f);
    }
}

/* ---- progress ---------------------------------------------------------------------------------------------------------------------------- */

/* What a callback does: notes what it is told, asks whether the store is busy, and stops, or does something, once it has come so far. */
typedef struct watch {
    cm_thread_t *mine, *second;
    uint32_t n_calls, n_falls, stop_at; /* call that stops, from 1; 0: none */
    double first, last;
    void (*meanwhile)(struct watch *); /* at the second call; NULL: nothing */
} watch_t;

static void check_busy(const watch_t *watch) {
    uint64_t n_absorbed = 77;
    CHECK_STATUS(cm_consolidate(watch->mine, NULL, NULL), CM_E_BUSY);
    CHECK_STATUS(cm_remove(watch->mine, CM_STR("m0")), CM_E_BUSY);
    CHECK_STATUS(cm_consolidate(watch->second, NULL, &n_absorbed), CM_E_BUSY);
    CHECK_EQ_U64(n_absorbed, 0);
    CHECK(cm_message(watch->second)[0] != 0);
}

static bool on_progress(void *context, double done) {
    watch_t *watch = context;
    if (watch->n_calls++ == 0) watch->first = done;
    watch->n_falls += watch->n_calls > 1 && done < watch->last;
    watch->last = done;
    CHECK(done >= 0 && done <= 1);
    check_busy(watch);
    if (watch->n_calls == 2 && watch->meanwhile) watch->meanwhile(watch);
    return watch->n_calls != watch->stop_at;
}

static cm_status_t consolidate_watched(fixture_t *f, float threshold, watch_t *watch, uint64_t *n_absorbed) {
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.similarity_threshold = threshold;
    options.progress = on_progress, options.progress_context = watch;
    watch->mine = f->thread;
    CHECK_STATUS(cm_attach(f->store, &watch->second), CM_OK);
    cm_status_t status = cm_consolidate(f->thread, &options, n_absorbed);
    cm_detach(watch->second);
    CHECK_EQ_U64(watch->n_falls, 0);
    return status;
}

TEST(progress_starts_at_0_never_falls_and_ends_at_1) {
    static const uint32_t sizes[] = {0, 1, 511, 512, 513, MOST};
    for (uint32_t s = 0; s < 6; s++) {
        rng_t rng = rng_seed(s);
        watch_t watch = {0};
        uint64_t n_absorbed = 77;
        begin_known(sizes[s], 6, s);
        if (sizes[s] > 40) make_clusters(&rng);
        else if (sizes[s] == 1) make_uniform(&rng);
        fixture_t f = open_known(CM_METRIC_COSINE);
        uint64_t expected = consolidate_known((double)0.9f, 1);
        CHECK_STATUS(consolidate_watched(&f, 0.9f, &watch, &n_absorbed), CM_OK);
        CHECK_EQ_U64(n_absorbed, expected);
        CHECK(watch.n_calls > 0 && watch.last == 1 && (watch.first == 0 || n_known == 0));
        CHECK(n_known < MOST || watch.n_calls > 3);
        compare(&f);
        fixture_close(&f);
    }
}

TEST(what_was_absorbed_before_a_stop_stays_absorbed) {
    for (uint32_t stop_at = 1; stop_at <= 5; stop_at++) {
        rng_t rng = rng_seed(7);
        watch_t watch = {.stop_at = stop_at};
        uint64_t n_absorbed = 77, rest = 77;
        begin_known(MOST, 6, 7);
        make_clusters(&rng);
        float threshold = clear_threshold(0.96);
        fixture_t f = open_known(stop_at % 2 ? CM_METRIC_COSINE : CM_METRIC_DOT);
        CHECK_STATUS(consolidate_watched(&f, threshold, &watch, &n_absorbed), CM_E_CANCELLED);
        CHECK(strstr(cm_message(f.thread), "progress"));
        CHECK_EQ_U64(watch.n_calls, stop_at);
        CHECK((n_absorbed == 0) == (stop_at == 1));
        CHECK_EQ_U64(cm_len(f.store), n_known - n_absorbed);
        uint64_t expected = consolidate_known((double)threshold, 1); /* nobody holds the store, and the rest follows */
        CHECK_STATUS(consolidate(f.thread, threshold, &rest), CM_OK);
        CHECK_EQ_U64(n_absorbed + rest, expected);
        compare(&f);
        compare_loaded(&f, threshold);
        fixture_close(&f);
    }
}

/* ---- in the middle of it: what another thread does ---------------------------------------------------------------------------------------- */

/* Memory i, in this order, from 600 on in pairs of equal vectors. All before are far from each other and from them. */
enum { PAIRED = 600, N_PAIRS = 12 };

static void make_pairs(void) {
    rng_t rng = rng_seed(5);
    begin_known(PAIRED + 2 * N_PAIRS, 40, 5);
    make_uniform(&rng);
    for (uint32_t i = 0; i < n_known; i++) {
        known_t *k = &known[i];
        k->importance = 0.9f - 0.001f * (float)i, k->n_related = 0;
        if (i >= PAIRED && (i - PAIRED) % 2) set_vector(i, known[i - 1].vector);
    }
}

static uint32_t keeper(uint32_t pair) {
    return PAIRED + 2 * pair;
}
static uint32_t absorbed(uint32_t pair) {
    return keeper(pair) + 1;
}

static void relate(watch_t *watch, uint32_t number, uint32_t to) {
    char name[ID_ROOM];
    CHECK_STATUS(cm_relate(watch->second, str(known[number].id), numbered_id(name, sizeof name, "m", to)), CM_OK);
}

static void interfere(watch_t *watch) {
    cm_thread_t *second = watch->second;
    cm_update_t update = CM_UPDATE_INIT;
    CHECK_STATUS(cm_remove(second, str(known[keeper(0)].id)), CM_OK); /* who was to absorb is gone: the other stays */
    known[keeper(0)].there = false;
    CHECK_STATUS(cm_remove(second, str(known[absorbed(1)].id)), CM_OK); /* nothing to absorb, nothing to count */
    known[absorbed(1)].there = false;
    CHECK_STATUS(insert_known(second, keeper(2)), CM_OK); /* replaced: another memory, left alone, and so is the other one */
    CHECK_STATUS(insert_known(second, absorbed(3)), CM_OK);
    CHECK_STATUS(cm_remove(second, str(known[keeper(4)].id)), CM_OK); /* removed and back again: another memory */
    CHECK_STATUS(insert_known(second, keeper(4)), CM_OK);
    CHECK_STATUS(cm_remove(second, str(known[absorbed(5)].id)), CM_OK);
    CHECK_STATUS(insert_known(second, absorbed(5)), CM_OK);
    relate(watch, absorbed(6), 1), relate(watch, absorbed(6), 2), relate(watch, keeper(6), 3); /* follow what the keeper has */
    update.fields = CM_UPDATE_IMPORTANCE, update.importance = 1;
    CHECK_STATUS(cm_update(second, str(known[absorbed(7)].id), &update), CM_OK); /* the order was fixed; the higher one is kept */
    known[n_known].there = true;                                                 /* a third of pair 8 */
    CHECK_STATUS(insert_known(second, n_known), CM_OK);
    update.fields = CM_UPDATE_CONTEXT, update.context = CM_STR("c1");
    CHECK_STATUS(cm_update(second, str(known[absorbed(9)].id), &update), CM_OK); /* counted down where it is at the end */
    CHECK_STATUS(cm_update(second, str(known[keeper(9)].id), &update), CM_OK);
    known[keeper(9)].context = 1;
}

TEST(what_others_do_meanwhile) {
    static const bool merges[N_PAIRS] = {[6] = true, [7] = true, [8] = true, [9] = true, [10] = true, [11] = true};
    for (uint32_t metric = 0; metric < 3; metric++) {
        watch_t watch = {.meanwhile = interfere};
        uint64_t n_absorbed = 77;
        make_pairs();
        known_t third = known[keeper(8)];
        snprintf(third.id, sizeof third.id, "m%u", n_known);
        third.there = false;
        known[n_known] = third; /* beyond n_known: not yet */
        fixture_t f = open_known((cm_metric_t)metric);
        CHECK_STATUS(consolidate_watched(&f, 0.95f, &watch, &n_absorbed), CM_OK);
        for (uint32_t pair = 0; pair < N_PAIRS; pair++)
            if (merges[pair]) known[absorbed(pair)].there = false;
        known_t *k = &known[keeper(6)];
        k->related[0] = 3, k->related[1] = 1, k->related[2] = 2, k->n_related = 3;
        known[keeper(7)].importance = 1;
        n_known++;
        CHECK_EQ_U64(n_absorbed, 6);
        compare(&f);
        uint64_t expected = consolidate_known((double)0.95f, 1); /* whoever was left alone is a member of the next run */
        CHECK_STATUS(consolidate(f.thread, 0.95f, &n_absorbed), CM_OK);
        CHECK_EQ_U64(n_absorbed, expected);
        CHECK_EQ_U64(expected, 5);
        compare(&f);
        compare_loaded(&f, 0.95f);
        fixture_close(&f);
    }
}

/* ---- what the original left -------------------------------------------------------------------------------------------------------------- */

/* Ids and vectors out of the store, before. */
static void know_all(fixture_t *f) {
    uint64_t cursor = 0;
    cm_memory_t memory;
    begin_known(0, 16, 0);
    while (n_known < MOST && cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) {
        known_t *k = &known[n_known++];
        memcpy(k->id, memory.id.data, CMI_MIN(memory.id.len, sizeof k->id - 1));
        k->there = true;
        k->importance = memory.importance, k->created_ms = memory.created_ms;
        set_vector(n_known - 1, memory.vector);
    }
}

/* Where all that are similar to each other are similar to one another, too, it does not matter who comes first but for the one that is most important. */
static bool in_a_chain(uint32_t number, double threshold) {
    for (uint32_t a = 0; a < n_known; a++) {
        if (a == number || similarity(&known[a], &known[number]) <= threshold) continue;
        for (uint32_t b = 0; b < n_known; b++) {
            if (b == number || b == a || similarity(&known[a], &known[b]) <= threshold) continue;
            if (similarity(&known[b], &known[number]) <= threshold) return true;
        }
    }
    return false;
}

static void compare_with_original(fixture_t *f, const json_t *golden, double threshold) {
    uint32_t n_chained = 0;
    for (uint32_t i = 0; i < n_known; i++) {
        bool there = cm_contains(f->thread, str(known[i].id)), has_keeper = false;
        for (uint32_t j = 0; j < n_known; j++) {
            if (j == i || similarity(&known[i], &known[j]) <= threshold) continue;
            bool both = there && cm_contains(f->thread, str(known[j].id));
            CHECK_MSG(!both, "%s and %s are similar and both there", known[i].id, known[j].id);
            has_keeper = has_keeper || cm_contains(f->thread, str(known[j].id));
        }
        CHECK_MSG(there || has_keeper, "%s vanished: nobody similar is there", known[i].id);
        CHECK_MSG(there == known[i].there, "%s: the oracle says otherwise", known[i].id);
        if (in_a_chain(i, threshold)) n_chained++;
        else CHECK_MSG(there == golden_survived(golden, known[i].id), "%s: the original says otherwise", known[i].id);
    }
    CHECK(n_chained < n_known / 10);
    printf("# %u of %u are parts of chains\n", n_chained, n_known);
}

TEST(what_the_original_left) {
    json_t *root = golden_load(__FILE__);
    for (uint32_t i = 0; i < root->n; i++) {
        const json_t *golden = &root->items[i];
        double threshold = (double)(float)json_at(json_at(golden, "config"), "similarity_threshold")->number;
        uint64_t n_absorbed = 77, n_original = (uint64_t)json_at(golden, "consolidated")->number;
        fixture_t f = golden_open(golden);
        CHECK_EQ_U64(cm_len(f.store), (uint64_t)json_at(golden, "len_before_consolidate")->number);
        know_all(&f);
        uint64_t expected = consolidate_known(threshold, 1);
        CHECK_STATUS(cm_consolidate(f.thread, NULL, &n_absorbed), CM_OK);
        printf("# %s: %" PRIu64 " absorbed, by the original %" PRIu64 "\n", json_at(golden, "name")->text, n_absorbed, n_original);
        CHECK_EQ_U64(n_absorbed, expected);
        CHECK_EQ_U64(cm_len(f.store), n_known - n_absorbed);
        compare_with_original(&f, golden, threshold);
        CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
        fixture_close(&f);
    }
    json_free(root);
}

int main(void) {
    RUN(uniform_vectors);
    RUN(embedding_like_vectors);
    RUN(clusters_of_identical_vectors_and_zeros);
    RUN(chains_where_each_is_similar_to_the_next);
    RUN(a_graph_with_few_links);
    RUN(a_metric_of_the_callers_own);
    RUN(importance_then_age_then_id_decide_who_absorbs);
    RUN(exactly_the_threshold_is_not_above_it);
    RUN(relationships_follow_up_to_the_limit_and_never_to_itself);
    RUN(an_empty_store_one_memory_all_identical_all_zero);
    RUN(very_long_and_very_short_vectors_are_compared_in_double_precision);
    RUN(thresholds_that_are_refused);
    RUN(zero_and_nothing_mean_the_threshold_of_the_store);
    RUN(progress_starts_at_0_never_falls_and_ends_at_1);
    RUN(what_was_absorbed_before_a_stop_stays_absorbed);
    RUN(what_others_do_meanwhile);
    RUN(what_the_original_left);
    return tap_done();
}
