/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * bulk.c - cm_insert_batch() beside threads that insert one memory at a time: time, and what the graph finds. WORDS_FOLDER [N [THREADS]]
 *
 * Both fill a store with the same words in turn, THREADS each. Rates by the wall clock, and by the processor time of the process.
 */
#include "support.h"
#include "words/words.h"

#include "plat_atomic.h"
#include "plat_thread.h"

#include <string.h>

enum { K = 10, MOST_THREADS = 64, N_EF = 5 };
static const uint32_t efs[N_EF] = {30, 40, 80, 200, 400}; /* a search takes 3k at least */

static words_t words;
static cm_memory_t *memories;
static uint32_t n_memories, n_threads = 2;
static cm_store_t *store;
static plat_a32_t next;

static double processor_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void open_store(void) {
    cm_config_t config = CM_CONFIG_INIT;
    cm_error_t error;
    config.dimensions = WORDS_DIMENSIONS, config.max_memories = n_memories, config.m = 16, config.ef_construction = 100;
    must(cm_open(&config, &store, &error), "cm_open", error.message);
}

static void insert_singly(void *unused) {
    (void)unused;
    cm_thread_t *thread;
    must(cm_attach(store, &thread), "cm_attach", NULL);
    for (uint32_t i; (i = plat_fetch_add_relaxed(&next, 1)) < n_memories;)
        must(cm_insert(thread, &memories[i]), "cm_insert", cm_message(thread));
    cm_detach(thread);
}

static void single_inserts(void) {
    plat_thread_t *threads[MOST_THREADS];
    plat_store_relaxed(&next, 0);
    for (uint32_t t = 0; t < n_threads; t++) threads[t] = plat_thread_spawn(insert_singly, NULL);
    for (uint32_t t = 0; t < n_threads; t++) plat_thread_join(threads[t]);
}

static void batch(void) {
    cm_thread_t *thread;
    cm_batch_t options = CM_BATCH_INIT;
    options.threads = n_threads;
    must(cm_attach(store, &thread), "cm_attach", NULL);
    must(cm_insert_batch(thread, memories, n_memories, &options, NULL), "cm_insert_batch", cm_message(thread));
    cm_detach(thread);
}

static void search(cm_thread_t *thread, const float *query, cm_search_mode_t mode, uint32_t ef, cm_hit_t *hits, size_t *n) {
    cm_search_t options = CM_SEARCH_INIT;
    options.k = K, options.temporal_weight = 0, options.mode = mode, options.ef = ef;
    must(cm_search(thread, query, WORDS_DIMENSIONS, &options, hits, n), "cm_search", cm_message(thread));
}

/* Found at every ef, as good as the true ones by distance: words may be equal. */
static void show_recall(cm_thread_t *thread, const uint32_t *queries, uint32_t n_queries) {
    uint32_t n_found[N_EF] = {0};
    for (uint32_t q = 0; q < n_queries; q++) {
        const float *query = words_vector(&words, queries[q]);
        cm_hit_t exact[K], hits[K];
        size_t n = 0;
        search(thread, query, CM_SEARCH_EXACT, 0, exact, &n);
        for (uint32_t e = 0; e < N_EF; e++) {
            search(thread, query, CM_SEARCH_RERANK, efs[e], hits, &n);
            for (size_t i = 0; i < n; i++) n_found[e] += hits[i].distance <= exact[K - 1].distance;
        }
    }
    for (uint32_t e = 0; e < N_EF; e++) printf("  ef %u %.4f", efs[e], n_found[e] / (double)(K * n_queries));
    printf("\n");
}

static void measure(const char *name, void (*fill)(void), const uint32_t *queries, uint32_t n_queries) {
    cm_thread_t *thread;
    cm_check_report_t report;
    open_store();
    double wall = seconds(), processor = processor_seconds();
    fill();
    wall = seconds() - wall, processor = processor_seconds() - processor;
    must(cm_attach(store, &thread), "cm_attach", NULL);
    must(cm_check(thread, &report), "cm_check", cm_message(thread));
    printf("%-14s %u threads: %.2f s, %.0f inserts/s; %.2f processor seconds, %.0f inserts/s; unreachable %llu; recall", name, n_threads,
           wall, n_memories / wall, processor, n_memories * n_threads / processor, (unsigned long long)report.n_unreachable);
    show_recall(thread, queries, n_queries);
    cm_detach(thread);
    must(cm_close(store), "cm_close", NULL);
}

int main(int argc, char **argv) {
    uint32_t n_queries = 0;
    words = words_load(argc > 1 ? argv[1] : "build/demo", argc > 2 && atoi(argv[2]) > 0 ? (uint32_t)atoi(argv[2]) + WORDS_QUERIES : 0);
    if (argc > 3) n_threads = (uint32_t)atoi(argv[3]);
    if (n_threads < 1 || n_threads > MOST_THREADS) n_threads = 2;
    memories = malloc(words.n * sizeof *memories);
    uint32_t *queries = malloc(words.n * sizeof *queries);
    for (uint32_t i = 0; i < words.n; i++) {
        if (words_is_query(words.n, i)) queries[n_queries++] = i;
        if (words_is_query(words.n, i)) continue;
        cm_memory_t *memory = &memories[n_memories++];
        *memory = (cm_memory_t)CM_MEMORY_INIT;
        memory->id = (cm_str_t){words.text[i], strlen(words.text[i])};
        memory->vector = words_vector(&words, i), memory->dimensions = WORDS_DIMENSIONS;
    }
    printf("%u x %u words\n", n_memories, WORDS_DIMENSIONS);
    measure("single inserts", single_inserts, queries, n_queries);
    measure("batch", batch, queries, n_queries);
    free(memories), free(queries);
    words_free(&words);
    return 0;
}
