/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * insert_batch.c - cm_insert_batch(): the same snapshot bytes for any number of threads, a graph in which check() finds nothing and that finds as much as one of single inserts, memories as if they
 * were inserted one after the other; and whatever ends a batch early leaves a prefix of it. Single-threaded beside the team; tests/concurrency/insert_batch.c does the rest.
 *
 * plat_pages_alloc() is wrapped when linking, so that memory can be refused.
 */
#include "plat_atomic.h"
#include "plat_pages.h"
#include "support/snapshot.h"
#include "support/vectors.h"

enum { DIM = 16, MOST = 6000 };

static plat_a32_t n_requests, refused_from; /* 0: none is refused */
static uint32_t refused_to = UINT32_MAX;    /* from that on they are granted again; set before helpers ask */
static bool in_chunks;                      /* address space cannot be reserved: a store that grows asks for pages */

void *__real_plat_pages_alloc(size_t bytes);
void *__wrap_plat_pages_alloc(size_t bytes) {
    uint32_t n = plat_fetch_add_relaxed(&n_requests, 1) + 1, from = plat_load_relaxed(&refused_from);
    return from && n >= from && n < refused_to ? NULL : __real_plat_pages_alloc(bytes);
}

static plat_pages_caps_t chunks; /* what it says then; set before helpers ask */
const plat_pages_caps_t *__real_plat_pages_caps(void);
const plat_pages_caps_t *__wrap_plat_pages_caps(void) {
    return in_chunks ? &chunks : __real_plat_pages_caps();
}

/* ---- batches ------------------------------------------------------------------------------------------------------------------------------ */

typedef struct words {
    float *vectors;
    char (*ids)[16];
    cm_memory_t *memories;
} words_t;

/* Clusters of 50, one after the other, as real data comes: neighbours are in the same round. */
static words_t words_of(uint32_t n) {
    words_t w = {malloc(n * DIM * sizeof(float)), calloc(n, 16), malloc(n * sizeof(cm_memory_t))};
    rng_t rng = rng_seed(31);
    float *noise = vectors_uniform(&rng, n, DIM), *centres = vectors_uniform(&rng, n / 50 + 1, DIM);
    for (uint32_t i = 0; i < n * DIM; i++) w.vectors[i] = centres[i / (50 * DIM) * DIM + i % DIM] + 0.5f * noise[i];
    for (uint32_t i = 0; i < n; i++) {
        w.memories[i] = (cm_memory_t)CM_MEMORY_INIT;
        w.memories[i].id = (cm_str_t){w.ids[i], (size_t)snprintf(w.ids[i], 16, "id-%u", i)};
        w.memories[i].vector = w.vectors + i * DIM, w.memories[i].dimensions = DIM;
        w.memories[i].created_ms = NOW_MS - (int64_t)i;
    }
    free(noise), free(centres);
    return w;
}

static void words_free(words_t *w) {
    free(w->vectors), free(w->ids), free(w->memories);
}

static cm_config_t config_of(uint32_t max_memories, uint32_t max_threads) {
    cm_config_t config = small_config(DIM);
    config.max_memories = max_memories, config.max_threads = max_threads, config.m = 8, config.ef_construction = 40;
    return config;
}

static cm_status_t insert_with(fixture_t *f, const words_t *w, uint32_t n, uint32_t threads, size_t *n_done) {
    cm_batch_t options = CM_BATCH_INIT;
    options.threads = threads;
    return cm_insert_batch(f->thread, w->memories, n, &options, n_done);
}

static void check_clean(fixture_t *f) {
    cm_check_report_t report;
    CHECK_MSG(cm_check(f->thread, &report) == CM_OK, "%s", cm_message(f->thread));
    CHECK_EQ_U64(report.n_unreachable, 0);
}

/* The first n_done are there, and no other. */
static void check_prefix(fixture_t *f, const words_t *w, uint32_t n, size_t n_done) {
    check_clean(f);
    CHECK_EQ_U64(cm_len(f->store), n_done);
    uint32_t n_wrong = 0;
    for (uint32_t i = 0; i < n; i++) n_wrong += cm_contains(f->thread, w->memories[i].id) != (i < n_done);
    CHECK_EQ_U64(n_wrong, 0);
}

/* ---- the graph ---------------------------------------------------------------------------------------------------------------------------- */

static memory_file_t batch_of(const words_t *w, const cm_config_t *config, uint32_t threads) {
    fixture_t f = fixture_open(config);
    size_t n_done = 0;
    CHECK_STATUS(insert_with(&f, w, MOST, threads, &n_done), CM_OK);
    CHECK_EQ_U64(n_done, MOST);
    check_prefix(&f, w, MOST, MOST);
    memory_file_t file = save_to_memory(&f);
    fixture_close(&f);
    return file;
}

static void check_any_number_of_threads(const words_t *w, cm_vectors_t vectors, cm_metric_t metric) {
    static const uint32_t threads[] = {2, 3, 8, 8};
    cm_config_t config = config_of(MOST, 16);
    config.vectors = vectors, config.metric = metric;
    memory_file_t first = batch_of(w, &config, 1);
    for (uint32_t i = 0; i < 4; i++) {
        if (i == 3) config.max_threads = 1; /* no place for helpers */
        memory_file_t file = batch_of(w, &config, threads[i]);
        check_same_bytes(&first, &file);
        memory_file_free(&file);
    }
    memory_file_free(&first);
}

TEST(any_number_of_threads_gives_the_same_bytes) {
    words_t w = words_of(MOST);
    check_any_number_of_threads(&w, CM_VECTORS_F32, CM_METRIC_COSINE);
    check_any_number_of_threads(&w, CM_VECTORS_BF16, CM_METRIC_COSINE);
    check_any_number_of_threads(&w, CM_VECTORS_I8, CM_METRIC_COSINE);
    check_any_number_of_threads(&w, CM_VECTORS_F32, CM_METRIC_DOT);
    check_any_number_of_threads(&w, CM_VECTORS_F32, CM_METRIC_L2SQ);
    words_free(&w);
}

/* The requests of a batch before its threads start: drafts, round, marks, and then the codes, here in chunks. */
static memory_file_t batch_without_codes(const words_t *w, uint32_t threads) {
    enum { FIRST_OF_CODES = 4 };
    cm_config_t config = config_of(MOST, 16);
    fixture_t f = fixture_open(&config);
    chunks.page_bytes = __real_plat_pages_caps()->page_bytes;
    in_chunks = true, refused_to = FIRST_OF_CODES + 1;
    plat_store_relaxed(&n_requests, 0);
    plat_store_relaxed(&refused_from, FIRST_OF_CODES);
    CHECK_STATUS(insert_with(&f, w, MOST, threads, NULL), CM_OK);
    plat_store_relaxed(&refused_from, 0);
    in_chunks = false, refused_to = UINT32_MAX;
    check_prefix(&f, w, MOST, MOST);
    memory_file_t file = save_to_memory(&f);
    fixture_close(&f);
    return file;
}

static bool are_same_bytes(const memory_file_t *a, const memory_file_t *b) {
    return a->n_bytes == b->n_bytes && memcmp(a->bytes, b->bytes, a->n_bytes) == 0;
}

TEST(without_memory_for_codes_another_graph_and_the_same_for_any_number_of_threads) {
    static const uint32_t threads[] = {2, 3, 8};
    words_t w = words_of(MOST);
    cm_config_t config = config_of(MOST, 16);
    memory_file_t with = batch_of(&w, &config, 2), first = batch_without_codes(&w, 1);
    CHECK(!are_same_bytes(&with, &first));
    for (uint32_t i = 0; i < 3; i++) {
        memory_file_t file = batch_without_codes(&w, threads[i]);
        check_same_bytes(&first, &file);
        memory_file_free(&file);
    }
    memory_file_free(&with), memory_file_free(&first);
    words_free(&w);
}

static double recall_of(fixture_t *f, const float *queries, uint32_t n, uint32_t ef) {
    uint32_t n_found = 0;
    for (uint32_t q = 0; q < n; q++) {
        cm_hit_t exact[10], found[10];
        size_t n_exact = 0, n_hits = 0;
        cm_search_t search = CM_SEARCH_INIT;
        search.temporal_weight = 0, search.mode = CM_SEARCH_EXACT;
        CHECK_STATUS(cm_search(f->thread, queries + q * DIM, DIM, &search, exact, &n_exact), CM_OK);
        search.mode = CM_SEARCH_RERANK, search.ef = ef;
        CHECK_STATUS(cm_search(f->thread, queries + q * DIM, DIM, &search, found, &n_hits), CM_OK);
        for (size_t i = 0; i < n_exact; i++)
            for (size_t j = 0; j < n_hits; j++) n_found += exact[i].slot == found[j].slot;
    }
    return n_found / (10.0 * n);
}

static void insert_singly(fixture_t *f, const words_t *w, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) CHECK_STATUS(cm_insert(f->thread, &w->memories[i]), CM_OK);
}

/* The batch in the middle: before it are nodes that it has to code, after it inserts on the same thread, which do not know of its codes. */
static void check_recall(const words_t *w, cm_vectors_t vectors, cm_metric_t metric, uint32_t from, uint32_t to, double most_lost) {
    enum { QUERIES = 300 };
    cm_config_t config = config_of(MOST, 8);
    config.vectors = vectors, config.metric = metric;
    fixture_t bulk = fixture_open(&config), single = fixture_open(&config);
    rng_t rng = rng_seed(5);
    float *queries = vectors_uniform(&rng, QUERIES, DIM);
    cm_batch_t options = CM_BATCH_INIT;
    options.threads = 2;
    insert_singly(&bulk, w, 0, from);
    CHECK_STATUS(cm_insert_batch(bulk.thread, w->memories + from, to - from, &options, NULL), CM_OK);
    insert_singly(&bulk, w, to, MOST);
    insert_singly(&single, w, 0, MOST);
    check_prefix(&bulk, w, MOST, MOST);
    for (uint32_t ef = 30; ef <= 120; ef *= 2) {
        double of_bulk = recall_of(&bulk, queries, QUERIES, ef), of_single = recall_of(&single, queries, QUERIES, ef);
        printf("# vectors %u, metric %u, %u to %u, ef %u: recall %.4f, of single inserts %.4f\n", (unsigned)vectors, (unsigned)metric, from,
               to, ef, of_bulk, of_single);
        CHECK_MSG(of_bulk > of_single - most_lost, "ef %u: recall %.4f, of single inserts %.4f", ef, of_bulk, of_single);
    }
    free(queries);
    fixture_close(&bulk), fixture_close(&single);
}

TEST(finds_as_much_as_single_inserts) {
    words_t w = words_of(MOST);
    for (uint32_t vectors = CM_VECTORS_F32; vectors <= CM_VECTORS_I8; vectors++)
        check_recall(&w, (cm_vectors_t)vectors, CM_METRIC_COSINE, 0, MOST, 0.002);
    check_recall(&w, CM_VECTORS_F32, CM_METRIC_DOT, 0, MOST, 0.002);
    check_recall(&w, CM_VECTORS_F32, CM_METRIC_L2SQ, 0, MOST, 0.002);
    words_free(&w);
}

TEST(finds_as_much_between_single_inserts) {
    words_t w = words_of(MOST);
    check_recall(&w, CM_VECTORS_F32, CM_METRIC_COSINE, MOST / 2, MOST - 500, 0.015);
    check_recall(&w, CM_VECTORS_BF16, CM_METRIC_L2SQ, MOST / 2, MOST - 500, 0.015);
    words_free(&w);
}

/* ---- memories ------------------------------------------------------------------------------------------------------------------------------- */

TEST(ids_that_come_again_replace_in_order) {
    enum { N = 3000 };
    words_t w = words_of(N);
    static const cm_str_t relations[2] = {{"one", 3}, {"two", 3}};
    uint32_t n_ids = 0;
    for (uint32_t i = 0; i < N; i++) {
        w.memories[i].relationships = &relations[i % 2], w.memories[i].n_relationships = 1;
        if (i % 7 == 3) w.memories[i].id = w.memories[i / 2].id; /* in another round, or in the same */
        if (i % 100 == 50) w.memories[i].id = w.memories[i - 1].id;
        n_ids += w.memories[i].id.data == w.ids[i];
    }
    cm_config_t config = config_of(n_ids, 8); /* not room for one id more, not even for a moment */
    fixture_t bulk = fixture_open(&config), single = fixture_open(&config);
    for (uint32_t i = 0; i < 40; i++) {
        CHECK_STATUS(cm_insert(bulk.thread, &w.memories[i * 70]), CM_OK);
        CHECK_STATUS(cm_insert(single.thread, &w.memories[i * 70]), CM_OK);
    }
    size_t n_done = 0;
    CHECK_STATUS(insert_with(&bulk, &w, N, 3, &n_done), CM_OK);
    CHECK_EQ_U64(n_done, N);
    for (uint32_t i = 0; i < N; i++) CHECK_STATUS(cm_insert(single.thread, &w.memories[i]), CM_OK);
    check_clean(&bulk);
    check_same_memories(&bulk, &single);
    fixture_close(&bulk), fixture_close(&single);
    words_free(&w);
}

TEST(nothing_is_inserted_when_an_element_is_wrong) {
    enum { N = 500 };
    words_t w = words_of(N);
    cm_config_t config = config_of(N, 8);
    fixture_t f = fixture_open(&config);
    size_t n_done = 7;
    w.memories[17].importance = 2;
    CHECK_STATUS(insert_with(&f, &w, N, 2, &n_done), CM_E_RANGE);
    CHECK_MSG(strncmp(cm_message(f.thread), "memories[17]: ", 14) == 0, "%s", cm_message(f.thread));
    CHECK_EQ_U64(n_done, 0);
    check_prefix(&f, &w, N, 0);
    w.memories[17].importance = 1, w.memories[499].size = 3;
    CHECK_STATUS(insert_with(&f, &w, N, 2, &n_done), CM_E_ARGUMENT);
    CHECK_MSG(strncmp(cm_message(f.thread), "memories[499]: ", 15) == 0, "%s", cm_message(f.thread));
    cm_batch_t options = {.size = 1};
    CHECK_STATUS(cm_insert_batch(f.thread, w.memories, 1, &options, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_insert_batch(f.thread, NULL, 1, NULL, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_insert_batch(NULL, w.memories, 1, NULL, NULL), CM_E_ARGUMENT);
    CHECK_STATUS(cm_insert_batch(f.thread, NULL, 0, NULL, &n_done), CM_OK);
    check_prefix(&f, &w, N, 0);
    fixture_close(&f);
    words_free(&w);
}

/* ---- early ends ------------------------------------------------------------------------------------------------------------------------------- */

typedef struct stopper {
    fixture_t *f;
    double last, stop_at;
} stopper_t;

static bool until(void *context, double done) {
    stopper_t *s = context;
    CHECK_MSG(done >= s->last && done <= 1, "%g after %g", done, s->last);
    CHECK_STATUS(cm_remove(s->f->thread, CM_STR("id-0")), CM_E_BUSY);
    CHECK_STATUS(cm_insert_batch(s->f->thread, NULL, 0, NULL, NULL), CM_E_BUSY);
    s->last = done;
    return done < s->stop_at;
}

TEST(cancelled_in_the_middle) {
    enum { N = 40000 }; /* more than a round */
    words_t w = words_of(N);
    cm_config_t config = config_of(N, 8);
    fixture_t f = fixture_open(&config);
    stopper_t stopper = {&f, 0, 0.4};
    cm_batch_t options = CM_BATCH_INIT;
    options.threads = 2, options.progress = until, options.progress_context = &stopper;
    size_t n_done = 0;
    CHECK_STATUS(cm_insert_batch(f.thread, w.memories, N, &options, &n_done), CM_E_CANCELLED);
    CHECK_MSG(n_done >= N * 4 / 10 && n_done < N, "%zu", n_done);
    check_prefix(&f, &w, N, n_done);
    CHECK_STATUS(cm_insert_batch(f.thread, w.memories + n_done, N - n_done, NULL, NULL), CM_OK); /* the rest */
    check_prefix(&f, &w, N, N);
    fixture_close(&f);
    words_free(&w);
}

TEST(full_in_the_middle) {
    enum { ROOM = 3210 };
    words_t w = words_of(MOST);
    cm_config_t config = config_of(ROOM, 8);
    fixture_t f = fixture_open(&config);
    size_t n_done = 0;
    CHECK_STATUS(insert_with(&f, &w, MOST, 2, &n_done), CM_E_CAPACITY);
    CHECK_MSG(strncmp(cm_message(f.thread), "memories[3210]: ", 16) == 0, "%s", cm_message(f.thread));
    CHECK_EQ_U64(n_done, ROOM);
    check_prefix(&f, &w, MOST, ROOM);
    /* replacing uses up the slots */
    while (insert_with(&f, &w, ROOM, 2, &n_done) == CM_OK) {}
    CHECK_MSG(strstr(cm_message(f.thread), "index slots are used up") != NULL, "%s", cm_message(f.thread));
    check_prefix(&f, &w, MOST, ROOM);
    fixture_close(&f);
    words_free(&w);
}

TEST(memory_refused_from_any_request_on) {
    enum { N = 2500 };
    words_t w = words_of(N);
    cm_config_t config = config_of(N, 8);
    uint32_t n_failed = 0;
    chunks.page_bytes = __real_plat_pages_caps()->page_bytes;
    in_chunks = true;
    for (uint32_t from = 1; from < 60; from++) {
        fixture_t f = fixture_open(&config);
        size_t n_done = 0;
        plat_store_relaxed(&n_requests, 0);
        plat_store_relaxed(&refused_from, from);
        cm_status_t status = insert_with(&f, &w, N, 3, &n_done);
        plat_store_relaxed(&refused_from, 0);
        CHECK_MSG(status == CM_OK || status == CM_E_NO_MEMORY, "from %u: %d", from, (int)status);
        CHECK_EQ_U64(status == CM_OK, n_done == N);
        n_failed += status != CM_OK;
        check_prefix(&f, &w, N, n_done);
        fixture_close(&f);
    }
    in_chunks = false;
    printf("# %u of 59 batches ended early\n", n_failed);
    CHECK(n_failed > 0);
    words_free(&w);
}

int main(void) {
    RUN(any_number_of_threads_gives_the_same_bytes);
    RUN(without_memory_for_codes_another_graph_and_the_same_for_any_number_of_threads);
    RUN(finds_as_much_as_single_inserts);
    RUN(finds_as_much_between_single_inserts);
    RUN(ids_that_come_again_replace_in_order);
    RUN(nothing_is_inserted_when_an_element_is_wrong);
    RUN(cancelled_in_the_middle);
    RUN(full_in_the_middle);
    RUN(memory_refused_from_any_request_on);
    return tap_done();
}
