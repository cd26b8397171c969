/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * contexts.c - search within a context of 1, 10, 1,000, 10,000, 50,000 or 100,000 of 200,000 memories: which strategy is chosen, what it finds, and what the other one would have cost.
 *
 * Usage: contexts WORDS_FOLDER N_MEMORIES [gate]
 *
 * Words are dealt to contexts by a hash, so that members lie everywhere in space. Per context and weight (0 and the default .3), over 200 queries, medians of rounds that alternate:
 *   chosen    the default search: recall@10 by the score against brute force, microseconds, distances
 *   scan      mode exact: every member is scored
 *   graph     a walk through the graph in which only members take a place, at weight .3 with the recency stream beside it: what the default search does when a budget forbids the scan.
 *             (The budget ends it early where there are few members: then it is a lower limit.)
 * With `gate` it fails where a scanned context is not exact, another one's recall is below .98 at the default weight. A choice that takes more than 1.2 times the better one's time is
 * marked: machines are too noisy for a gate.
 */
#include "support.h"
#include "words/words.h"

#include <math.h>
#include <unistd.h>

#define NOW_MS 1767225600000ll
#define HOUR_MS 3600000ll
#define K 10u
#define N_QUERIES 200u
#define ROUNDS 5u

static const uint32_t sizes[] = {1, 10, 1000, 10000, 50000, 100000};
#define N_SIZES (sizeof sizes / sizeof sizes[0])

static words_t words;
static uint32_t n_memories, *rows, queries[N_QUERIES];
static uint8_t *context_of; /* index into sizes; N_SIZES: none of them */
static int64_t *created;

/* Members are dealt by walking the memories in the order of a hash: exact sizes, no pattern. */
static int by_hash(const void *a, const void *b) {
    uint64_t x = mix(*(const uint32_t *)a + 99), y = mix(*(const uint32_t *)b + 99);
    return x < y ? -1 : x > y;
}

static void deal(void) {
    uint32_t *order = malloc(n_memories * sizeof *order), at = 0;
    for (uint32_t i = 0; i < n_memories; i++) order[i] = i, context_of[i] = N_SIZES;
    qsort(order, n_memories, sizeof *order, by_hash);
    for (uint32_t s = 0; s < N_SIZES; s++)
        for (uint32_t i = 0; i < sizes[s] && at < n_memories; i++) context_of[order[at++]] = (uint8_t)s;
    free(order);
}

static void choose_words(void) {
    rows = malloc(n_memories * sizeof *rows);
    n_memories = words_split(&words, n_memories, rows, N_QUERIES, queries);
    context_of = malloc(n_memories);
    created = malloc(n_memories * sizeof *created);
    for (uint32_t i = 0; i < n_memories; i++) created[i] = NOW_MS - (int64_t)(unit(i) * 720 * HOUR_MS);
    deal();
}

static cm_str_t label(uint32_t s) {
    static char text[N_SIZES + 1][16];
    snprintf(text[s], sizeof text[s], "context-%u", s);
    return (cm_str_t){text[s], strlen(text[s])};
}

static cm_store_t *open_store(const char *folder) {
    char path[4096];
    cm_config_t config = CM_CONFIG_INIT;
    cm_store_t *store;
    cm_thread_t *thread;
    cm_error_t error;
    snprintf(path, sizeof path, "%s/contexts-%u.chrono", folder, n_memories);
    if (cm_load_file(path, NULL, &store, NULL) == CM_OK) return store;
    config.dimensions = WORDS_DIMENSIONS, config.max_memories = n_memories;
    must(cm_open(&config, &store, &error), "opening", error.message);
    must(cm_attach(store, &thread), "attaching", NULL);
    for (uint32_t i = 0; i < n_memories; i++) {
        cm_memory_t memory = CM_MEMORY_INIT;
        memory.id = (cm_str_t){words.text[rows[i]], strlen(words.text[rows[i]])};
        memory.vector = words_vector(&words, rows[i]), memory.dimensions = WORDS_DIMENSIONS;
        memory.context = label(context_of[i]), memory.created_ms = created[i];
        must(cm_insert(thread, &memory), "inserting", cm_message(thread));
        if (i % 5000 == 0 && isatty(2)) fprintf(stderr, "\rbuilding %3u %%", (uint32_t)(100.0 * i / n_memories));
    }
    if (isatty(2)) fprintf(stderr, "\r              \r");
    must(cm_save_file(thread, path), "saving", cm_message(thread));
    cm_detach(thread);
    return store;
}

/* ---- measuring ---------------------------------------------------------------------------------------------------------------------- */

typedef struct run {
    double rounds[ROUNDS]; /* seconds */
    double distances;
    cm_strategy_t strategy;
    cm_hit_t hits[N_QUERIES][K];
    size_t n[N_QUERIES];
} run_t;

static void search_all(cm_thread_t *thread, const cm_search_t *options, run_t *run, uint32_t round) {
    double start = seconds();
    run->distances = 0;
    for (uint32_t q = 0; q < N_QUERIES; q++) {
        cm_search_report_t report;
        const float *query = words_vector(&words, queries[q]);
        must(cm_search(thread, query, WORDS_DIMENSIONS, options, run->hits[q], &run->n[q]), "searching", cm_message(thread));
        cm_last_search(thread, &report);
        run->distances += (double)report.n_distances / N_QUERIES;
        run->strategy = report.strategy;
    }
    run->rounds[round] = seconds() - start;
}

static double median_us(run_t *run) {
    return median(run->rounds, ROUNDS) / N_QUERIES * 1e6;
}

/* Against mode exact, whose scores are compared with an oracle in tests/contract. */
static double recall_of(const run_t *run, const run_t *exact) {
    uint32_t n_right = 0, n_all = 0;
    for (uint32_t q = 0; q < N_QUERIES; q++) {
        n_all += (uint32_t)exact->n[q];
        for (size_t i = 0; i < run->n[q]; i++) n_right += run->hits[q][i].score <= exact->hits[q][exact->n[q] - 1].score + 1e-6f;
    }
    return (double)n_right / n_all;
}

static bool run_cell(cm_thread_t *thread, uint32_t s, float weight) {
    static run_t chosen, scan, graph;
    static const char *const names[] = {"none", "graph", "streams", "scan"};
    cm_search_t options = CM_SEARCH_INIT;
    options.k = K, options.now_ms = NOW_MS, options.temporal_weight = weight, options.context = label(s);
    for (uint32_t round = 0; round < ROUNDS; round++) {
        options.mode = CM_SEARCH_BEST, search_all(thread, &options, &chosen, round);
        options.mode = CM_SEARCH_EXACT, search_all(thread, &options, &scan, round);
        options.mode = weight == 0 || sizes[s] == 1 ? CM_SEARCH_RERANK : CM_SEARCH_BEST;
        options.budget = options.mode == CM_SEARCH_BEST ? sizes[s] - 1 : 0;     /* fewer than it has members: no scan */
        if (sizes[s] < 100 && round > 0) graph.rounds[round] = graph.rounds[0]; /* walks for a handful see everything: once is enough */
        else search_all(thread, &options, &graph, round);
        options.budget = 0;
    }
    double recall = recall_of(&chosen, &scan), us = median_us(&chosen), scan_us = median_us(&scan), graph_us = median_us(&graph);
    bool exact = chosen.strategy == CM_STRATEGY_SCAN;
    bool passed = exact ? recall == 1 : weight == 0 || recall >= 0.98, slow = us > 1.2 * fmin(scan_us, graph_us);
    printf("%7u members, w %.1f | %-7s recall %.4f %9.1f us %8.0f distances | scan %9.1f us | graph %9.1f us, recall %.4f%s\n", sizes[s],
           (double)weight, names[chosen.strategy], recall, us, chosen.distances, scan_us, graph_us, recall_of(&graph, &scan),
           !passed ? "  MISSED"
           : slow  ? "  (slower than 1.2 times the better)"
                   : "");
    fflush(stdout);
    return passed;
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "Usage: contexts WORDS_FOLDER N_MEMORIES [gate]\n");
        return 2;
    }
    bool gate = argc > 3 && strcmp(argv[3], "gate") == 0, passed = true;
    words = words_load(argv[1], 0);
    n_memories = (uint32_t)strtoul(argv[2], NULL, 10);
    choose_words();
    cm_store_t *store = open_store(argv[1]);
    cm_thread_t *thread;
    must(cm_attach(store, &thread), "attaching", NULL);
    for (uint32_t w = 0; w < 2; w++)
        for (uint32_t s = 0; s < N_SIZES; s++) passed &= run_cell(thread, s, w ? 0.3f : 0.0f);
    cm_detach(thread);
    cm_close(store);
    if (gate) printf("%d passed, %d failed\n", passed, !passed);
    return gate && !passed;
}
