/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * demo.c - the main job on real data: word vectors become memories, are inserted, saved, loaded back, searched and counted, and every figure is
 * printed. demo.mjs then opens the same file through WebAssembly and must give the same answers.
 *
 * Usage: demo WORDS_FOLDER STORE_FILE ANSWERS_FILE N_WORDS (0: all)
 *
 * The rule that makes a memory of the word of frequency rank r among n words:
 *   id, text    the word
 *   context     its first letter, "a" .. "z"; "numbers" for digits; "other" for the rest
 *   importance  1 - r/n
 *   created     2026-01-01 00:00 UTC - r * 30 days / n: frequent words are fresh
 */
#include "support.h"
#include "words/words.h"

#include <unistd.h>

#define NOW_MS 1767225600000ll /* 2026-01-01T00:00:00Z */
#define THIRTY_DAYS_MS 2592000000ll
#define K 10u

typedef struct times {
    double insert, save, load; /* seconds */
} times_t;

static cm_str_t str(const char *text) {
    return (cm_str_t){text, strlen(text)};
}

static cm_str_t context_of(const char *word) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    if (*word >= 'a' && *word <= 'z') return (cm_str_t){letters + (*word - 'a'), 1};
    return *word >= '0' && *word <= '9' ? CM_STR("numbers") : CM_STR("other");
}

static void insert_word(cm_thread_t *thread, const words_t *words, uint32_t r) {
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = memory.text = str(words->text[r]);
    memory.vector = words_vector(words, r);
    memory.dimensions = WORDS_DIMENSIONS;
    memory.context = context_of(words->text[r]);
    memory.importance = 1.0f - (float)r / (float)words->n;
    memory.created_ms = NOW_MS - (int64_t)((double)r * (double)THIRTY_DAYS_MS / words->n);
    must(cm_insert(thread, &memory), words->text[r], cm_message(thread));
}

static double insert_all(cm_thread_t *thread, const words_t *words) {
    double start = seconds();
    for (uint32_t r = 0; r < words->n; r++) {
        if (!words_is_query(words->n, r)) insert_word(thread, words, r);
        if (r % 5000 == 0 && isatty(2)) fprintf(stderr, "\rinserting %3u %%", (uint32_t)(100.0 * r / words->n));
    }
    if (isatty(2)) fprintf(stderr, "\r              \r");
    return seconds() - start;
}

/* The exact ten nearest of every held-out word, by brute force. Only distances: ties may stand in any order. */
static float *exact_tenth_distances(const words_t *words) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.kind = CM_INDEX_BRUTE, config.dimensions = WORDS_DIMENSIONS, config.capacity = words->n;
    cm_index_t *index;
    cm_index_thread_t *thread;
    cm_error_t error;
    must(cm_index_open(&config, &index, &error), "brute force", error.message);
    must(cm_index_attach(index, &thread), "brute force", NULL);
    float *tenth = malloc(WORDS_QUERIES * sizeof *tenth);
    uint32_t id, q = 0;
    for (uint32_t r = 0; r < words->n; r++)
        if (!words_is_query(words->n, r))
            must(cm_index_insert(thread, words_vector(words, r), WORDS_DIMENSIONS, &id), "brute force", cm_index_message(thread));
    for (uint32_t r = 0; r < words->n; r++) {
        if (!words_is_query(words->n, r)) continue;
        cm_neighbor_t exact[K];
        size_t n;
        must(cm_index_search(thread, words_vector(words, r), WORDS_DIMENSIONS, K, 0, exact, &n), "brute force", cm_index_message(thread));
        tenth[q++] = exact[n - 1].distance;
    }
    cm_index_detach(thread);
    cm_index_close(index);
    return tenth;
}

static void print_recall(cm_thread_t *thread, const words_t *words, const float *tenth, uint32_t ef) {
    cm_search_t options = CM_SEARCH_INIT;
    options.k = K, options.ef = ef, options.temporal_weight = 0, options.now_ms = NOW_MS;
    uint32_t q = 0, n_found = 0;
    uint64_t n_distances = 0;
    double start = seconds();
    for (uint32_t r = 0; r < words->n; r++) {
        if (!words_is_query(words->n, r)) continue;
        cm_hit_t hits[K];
        size_t n;
        must(cm_search(thread, words_vector(words, r), WORDS_DIMENSIONS, &options, hits, &n), words->text[r], cm_message(thread));
        for (size_t i = 0; i < n; i++) n_found += hits[i].distance <= tenth[q];
        cm_search_report_t report;
        cm_last_search(thread, &report);
        n_distances += report.n_distances;
        q++;
    }
    double rate = q / (seconds() - start);
    printf("  %6u   %9.4f   %10.0f   %18.0f\n", ef, (double)n_found / (q * K), rate, (double)n_distances / q);
}

static void print_query(cm_thread_t *thread, const words_t *words, const char *word, const char *context, float recency) {
    uint32_t r = 0;
    while (r < words->n && strcmp(words->text[r], word) != 0) r++;
    if (r == words->n) return;
    cm_search_t options = CM_SEARCH_INIT;
    options.k = 5, options.now_ms = NOW_MS, options.context = str(context), options.temporal_weight = recency;
    cm_hit_t hits[5];
    size_t n;
    must(cm_search(thread, words_vector(words, r), WORDS_DIMENSIONS, &options, hits, &n), word, cm_message(thread));
    printf("  %-9s%-13s%6.0f %%  ", word, *context ? context : "all", 100.0 * (double)recency);
    for (size_t i = 0; i < n; i++) {
        static uint64_t buffer[1024];
        cm_memory_t memory;
        must(cm_get_hit(thread, hits[i].slot, hits[i].generation, &memory, buffer, sizeof buffer, NULL), word, cm_message(thread));
        printf("  %.*s %.3f", (int)memory.id.len, memory.id.data, (double)hits[i].score);
    }
    printf("\n");
}

/* One line per hit of every held-out query, alternately in all contexts and in one: what demo.mjs compares, down to the bits of the scores. */
static void write_answers(cm_thread_t *thread, const words_t *words, const char *path) {
    FILE *file = fopen(path, "w");
    if (!file) must(CM_E_IO, path, "cannot be written");
    uint32_t q = 0;
    for (uint32_t r = 0; r < words->n; r++) {
        if (!words_is_query(words->n, r)) continue;
        cm_search_t options = CM_SEARCH_INIT;
        options.now_ms = NOW_MS;
        if (q++ % 2) options.context = context_of(words->text[r]);
        cm_hit_t hits[K];
        size_t n;
        must(cm_search(thread, words_vector(words, r), WORDS_DIMENSIONS, &options, hits, &n), words->text[r], cm_message(thread));
        for (size_t i = 0; i < n; i++) {
            static uint64_t buffer[1024];
            cm_memory_t memory;
            uint32_t bits;
            memcpy(&bits, &hits[i].score, sizeof bits);
            must(cm_get_hit(thread, hits[i].slot, hits[i].generation, &memory, buffer, sizeof buffer, NULL), words->text[r],
                 cm_message(thread));
            fprintf(file, "%u\t%.*s\t%.*s\t%08x\n", r, (int)options.context.len, options.context.data ? options.context.data : "",
                    (int)memory.id.len, memory.id.data, bits);
        }
    }
    if (fclose(file) != 0) must(CM_E_IO, path, "cannot be written");
}

static cm_store_t *open_store(uint32_t n_words) {
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = WORDS_DIMENSIONS;
    config.max_memories = n_words;
    config.ef_construction = 100;
    cm_store_t *store;
    cm_error_t error;
    must(cm_open(&config, &store, &error), "open", error.message);
    return store;
}

/* Inserts, saves, closes: afterwards there is only the file. Returns how many memories it holds. */
static uint64_t build(const words_t *words, const char *path, times_t *times) {
    cm_store_t *store = open_store(words->n);
    cm_thread_t *thread;
    must(cm_attach(store, &thread), "attach", NULL);
    times->insert = insert_all(thread, words);
    double start = seconds();
    must(cm_save_file(thread, path), "save", cm_message(thread));
    times->save = seconds() - start;
    uint64_t n = cm_len(store);
    cm_detach(thread);
    cm_close(store);
    return n;
}

static cm_store_t *load(const char *path, times_t *times) {
    cm_store_t *store;
    cm_error_t error;
    double start = seconds();
    must(cm_load_file(path, NULL, &store, &error), "load", error.message);
    times->load = seconds() - start;
    return store;
}

static void print_store(cm_thread_t *thread, const times_t *times, uint64_t n_saved) {
    cm_stats_t stats;
    cm_check_report_t report;
    must(cm_stats(thread, &stats), "stats", cm_message(thread));
    must(cm_check(thread, &report), "check", cm_message(thread));
    if (stats.n_memories != n_saved) must(CM_E_CORRUPT, "load", "not every memory came back");
    double n = (double)stats.n_memories;
    printf("%u memories of %u dimensions, cosine, M 16, ef_construction 100, 1 thread, kernels %s, epoch %s\n\n",
           (uint32_t)stats.n_memories, WORDS_DIMENSIONS, cm_isa(), cm_epoch_name());
    printf("  inserts            %10.0f /s\n", n / times->insert);
    printf("  save               %10.3f s\n", times->save);
    printf("  load and check     %10.3f s\n", times->load);
    printf("  bytes per memory   %10.0f     vector %.0f, index %.0f, attributes and id map %.0f, strings %.0f\n",
           (double)(stats.bytes_vectors + stats.bytes_index + stats.bytes_records + stats.bytes_blocks) / n,
           (double)stats.bytes_vectors / n, (double)stats.bytes_index / n, (double)stats.bytes_records / n, (double)stats.bytes_blocks / n);
    printf("  unreachable nodes  %10u\n\n", (uint32_t)report.n_unreachable);
}

static void print_recalls(cm_thread_t *thread, const words_t *words) {
    static const uint32_t efs[] = {30, 50, 80, 200, 400}; /* a store searches max(ef, 3k) candidates: 30 is the least */
    float *tenth = exact_tenth_distances(words);
    printf("  %6s   %9s   %10s   %18s\n", "ef", "recall@10", "queries/s", "distances/query");
    for (size_t i = 0; i < sizeof efs / sizeof *efs; i++) print_recall(thread, words, tenth, efs[i]);
    free(tenth);
}

static void print_queries(cm_thread_t *thread, const words_t *words) {
    printf("\n  query    context      recency   five best by score (lower is better)\n");
    print_query(thread, words, "coffee", "", 0);
    print_query(thread, words, "king", "", 0);
    print_query(thread, words, "tuesday", "", 0);
    print_query(thread, words, "tuesday", "", 0.3f);
    print_query(thread, words, "king", "q", 0);
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "Usage: demo WORDS_FOLDER STORE_FILE ANSWERS_FILE N_WORDS (0: all)\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    words_t words = words_load(argv[1], (uint32_t)strtoul(argv[4], NULL, 10));
    if (words.n < 2 * WORDS_QUERIES) must(CM_E_ARGUMENT, "N_WORDS", "at least 2000, as 1000 of them are held out as queries");

    times_t times;
    uint64_t n_saved = build(&words, argv[2], &times);
    cm_store_t *store = load(argv[2], &times);
    cm_thread_t *thread;
    must(cm_attach(store, &thread), "attach", NULL);
    print_store(thread, &times, n_saved);
    print_recalls(thread, &words);
    print_queries(thread, &words);
    write_answers(thread, &words, argv[3]);
    words_free(&words);
    cm_detach(thread);
    cm_close(store);
    return 0;
}
