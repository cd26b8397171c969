/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * temporal.c - what changes memories in place, under threads. Whatever the interleaving:
 *   - racing sweeps apply each interval once: the closed form;
 *   - nothing that cm_relate() promised is lost to replacements;
 *   - what stays in a context is in every search and summary of it, and what is freshest in every search by recency, whatever is updated meanwhile;
 *   - a search finds k where k pass throughout, each id once, and nothing that does not pass;
 *   - threads come, go and die; in the end check() finds nothing.
 *
 * CM_TEST_LENGTH=full: five to ten times as long.
 */
#include "store/contexts.h"
#include "store/record.h"
#include "store/store_impl.h"
#include "support/snapshot.h"
#include "support/strings.h"
#include "support/vectors.h"

#include "plat_clock.h"
#include "plat_thread.h"

#include <math.h>

#define HOUR_MS INT64_C(3600000)

enum { DIM = 4, MOST_THREADS = 8 };

static bool full_length(void) {
    const char *length = getenv("CM_TEST_LENGTH");
    return length && strcmp(length, "full") == 0;
}
static uint32_t rounds(uint32_t normal) {
    return full_length() ? 10 * normal : normal;
}

/* ---- workers ----------------------------------------------------------------------------------------------------------------------------------- */

typedef struct shared {
    cm_store_t *store;
    plat_a32_t n_ready, n_leading; /* those whose work the others accompany */
    uint32_t n_threads, round;
} shared_t;

typedef struct worker {
    shared_t *shared;
    cm_thread_t *thread;
    uint32_t name;
    rng_t rng;
    void *buffer;
    uint32_t n_bad, n_done, n_short;
    char first[240]; /* of what was bad */
    plat_thread_t *handle;
    void (*body)(struct worker *);
} worker_t;

#define EXPECT(worker, condition, ...)                                                                             \
    do {                                                                                                           \
        if (!(condition) && (worker)->n_bad++ == 0) snprintf((worker)->first, sizeof(worker)->first, __VA_ARGS__); \
    } while (0)

static void run_worker(void *argument) {
    worker_t *w = argument;
    cm_status_t status = cm_attach(w->shared->store, &w->thread);
    EXPECT(w, status == CM_OK, "attach: %d", (int)status);
    plat_fetch_add_relaxed(&w->shared->n_ready, 1);
    while (plat_load_relaxed(&w->shared->n_ready) < w->shared->n_threads) {} /* bounded: the others are on their way */
    if (status != CM_OK) return;
    w->body(w);
    cm_detach(w->thread);
}

static bool led(worker_t *w) {
    return plat_load_relaxed(&w->shared->n_leading) > 0;
}
static void end_leading(worker_t *w) {
    plat_fetch_sub_relaxed(&w->shared->n_leading, 1);
}

/* bodies[i] on thread i; the first n_leading call end_leading() at last. Returns what they did. */
static uint32_t n_short; /* searches of the last run */

static uint32_t run_all(cm_store_t *store, uint32_t round, uint32_t n, uint32_t n_leading, void (*const bodies[])(worker_t *)) {
    static worker_t workers[MOST_THREADS];
    shared_t shared = {.store = store, .n_threads = n, .round = round};
    uint32_t n_done = 0;
    n_short = 0;
    plat_store_relaxed(&shared.n_leading, n_leading);
    for (uint32_t i = 0; i < n; i++) {
        workers[i] = (worker_t){.shared = &shared, .name = i, .rng = rng_seed(round * 97 + i), .body = bodies[i]};
        workers[i].buffer = malloc(MEMORY_BUFFER_BYTES);
        workers[i].handle = plat_thread_spawn(run_worker, &workers[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        plat_thread_join(workers[i].handle);
        CHECK_MSG(workers[i].n_bad == 0, "round %u, thread %u: %u times wrong, first: %s", round, i, workers[i].n_bad, workers[i].first);
        n_done += workers[i].n_done, n_short += workers[i].n_short;
        free(workers[i].buffer);
    }
    return n_done;
}

static fixture_t open_for(uint32_t max_memories, uint32_t n_slots, uint32_t max_relationships) {
    cm_config_t config = small_config(DIM);
    cm_store_t *store = NULL;
    config.max_memories = max_memories, config.max_relationships = max_relationships, config.max_threads = 32;
    CHECK_STATUS(cmi_store_open(&config, n_slots, &store, NULL), CM_OK);
    return fixture_of(store);
}

static void close_checked(fixture_t *f) {
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
    fixture_close(f);
}

/* "word-number"; importance and vector follow from the number. */
static cm_str_t id_of(char out[32], const char *word, uint32_t number) {
    return (cm_str_t){out, (size_t)snprintf(out, 32, "%s-%u", word, number)};
}

static float importance_of(uint32_t number) {
    return (float)(10 - number % 11) / 10;
}

static cm_status_t put(cm_thread_t *thread, const char *word, uint32_t number, const char *context, float rate, int64_t created_ms) {
    char id[32];
    float vector[DIM];
    cm_memory_t memory = CM_MEMORY_INIT;
    vector_of(number, 0, DIM, vector);
    memory.id = id_of(id, word, number), memory.vector = vector, memory.dimensions = DIM;
    memory.context = str(context), memory.decay_rate = rate, memory.created_ms = created_ms, memory.importance = importance_of(number);
    return cm_insert(thread, &memory);
}

/* ---- sweeps --------------------------------------------------------------------------------------------------------------------------------------- */

enum { SWEPT = 5, SWEEPS = 150, SPAN_H = 40, SWEEPERS = 6 };

/* Six threads, each with times of its own between those of the others; sometimes one that is past. */
static void sweep(worker_t *w) {
    for (uint32_t s = 0; s < SWEEPS; s++) {
        uint32_t part = s * SWEEPERS + w->name + 1;
        if (rng_below(&w->rng, 8) == 0) part = 1 + rng_below(&w->rng, part);
        uint64_t n;
        cm_status_t status = cm_apply_decay(w->thread, NOW_MS + SPAN_H * HOUR_MS * part / (SWEEPS * SWEEPERS), &n);
        EXPECT(w, status == CM_OK && n <= 3 * SWEPT, "sweep: %d, %u", (int)status, (unsigned)n);
        w->n_done += (uint32_t)n;
    }
    end_leading(w);
}

/* "past" at times before everything, "late" at times up to the middle of the span. */
static void access_all(worker_t *w) {
    char id[32];
    cm_memory_t memory;
    for (uint32_t i = 0; led(w); i++) {
        bool late = i % 2;
        int64_t now_ms = late ? NOW_MS + (int64_t)(rng_next(&w->rng) % (uint64_t)(SPAN_H / 2 * HOUR_MS)) : NOW_MS - i;
        cm_status_t status = cm_access(w->thread, id_of(id, late ? "late" : "past", rng_below(&w->rng, SWEPT)), now_ms, &memory, w->buffer,
                                       MEMORY_BUFFER_BYTES, NULL);
        EXPECT(w, status == CM_OK, "access: %s", cm_message(w->thread));
    }
}

static float swept_rate(uint32_t number) {
    return number % 3 == 0 ? 0 : 0.05f * (float)number;
}

TEST(racing_sweeps_apply_each_interval_once) {
    uint32_t n_intervals = 0;
    for (uint32_t round = 0; round < rounds(40); round++) {
        static const char *const words[] = {"plain", "past", "late"};
        fixture_t f = open_for(3 * SWEPT, 0, 4);
        for (uint32_t i = 0; i < 3 * SWEPT; i++)
            CHECK_STATUS(put(f.thread, words[i / SWEPT], i % SWEPT, "default", swept_rate(i % SWEPT), NOW_MS), CM_OK);
        n_intervals += run_all(f.store, round, SWEEPERS + 2, SWEEPERS,
                               (void (*const[])(worker_t *)){sweep, sweep, sweep, sweep, sweep, sweep, access_all, access_all});
        CHECK_STATUS(cm_apply_decay(f.thread, NOW_MS + SPAN_H * HOUR_MS, NULL), CM_OK);
        for (uint32_t i = 0; i < 3 * SWEPT; i++) {
            char id[32];
            cm_memory_t memory;
            double rate = swept_rate(i % SWEPT) > 0 ? (double)swept_rate(i % SWEPT) : (double)0.1f, was = (double)importance_of(i % SWEPT);
            CHECK_STATUS(cm_get(f.thread, id_of(id, words[i / SWEPT], i % SWEPT), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
            double is = (double)memory.importance, all = was * exp(-rate * SPAN_H), half = was * exp(-rate * SPAN_H / 2);
            if (i < 2 * SWEPT) CHECK_MSG(fabs(is - all) < 1e-5, "round %u, %s: %.7f, expected %.7f", round, id, is, all);
            else CHECK_MSG(is > all - 1e-5 && is < half + 1e-5, "round %u, %s: %.7f, expected %.7f to %.7f", round, id, is, all, half);
        }
        close_checked(&f);
    }
    printf("# %u intervals applied\n", n_intervals);
}

/* ---- relating while others replace ------------------------------------------------------------------------------------------------------------------- */

enum { RELATED = 120, GIVEN = 20, REPLACERS = 2 };

/* The id of the round, again and again, each time with one of the thread's own relationships. */
static void replace(worker_t *w) {
    char id[32], name[32];
    float vector[DIM];
    vector_of(w->shared->round, 0, DIM, vector);
    for (uint32_t i = 0; i < GIVEN || led(w); i++, w->n_done++) {
        cm_memory_t memory = CM_MEMORY_INIT;
        cm_str_t given = {name, (size_t)snprintf(name, sizeof name, "given-%u-%u", w->name, i % GIVEN)};
        memory.id = id_of(id, "x", w->shared->round), memory.vector = vector, memory.dimensions = DIM;
        memory.relationships = &given, memory.n_relationships = 1;
        EXPECT(w, cm_insert(w->thread, &memory) == CM_OK, "insert: %s", cm_message(w->thread));
    }
}

static void relate(worker_t *w) {
    char id[32], to[32];
    cm_str_t x = id_of(id, "x", w->shared->round);
    EXPECT(w, cm_relate(w->thread, x, x) == CM_OK, "relate to itself: %s", cm_message(w->thread));
    for (uint32_t i = 0; i < RELATED; i++)
        EXPECT(w, cm_relate(w->thread, x, id_of(to, "to", i)) == CM_OK, "relate: %s", cm_message(w->thread));
    end_leading(w);
}

static void search_for_x(worker_t *w) {
    float vector[DIM];
    cm_hit_t hits[5];
    char id[32];
    cm_str_t x = id_of(id, "x", w->shared->round);
    vector_of(w->shared->round, 0, DIM, vector);
    for (uint32_t s = 0; led(w); s++) {
        cm_search_t options = CM_SEARCH_INIT;
        size_t n = 0;
        uint32_t n_x = 0;
        options.k = 5, options.mode = (cm_search_mode_t)(s % 3), options.temporal_weight = (float)(s / 3 % 3) / 2;
        cmi_thread_pin(w->thread); /* so that a hit's id can be read whatever has become of it */
        cm_status_t status = cm_search(w->thread, vector, DIM, &options, hits, &n);
        for (size_t i = 0; i < n; i++) {
            cmi_memory_view_t view;
            cmi_store_view(w->shared->store, hits[i].slot, &view);
            n_x += same_str(view.id, x);
        }
        cmi_thread_unpin(w->thread);
        EXPECT(w, status == CM_OK && n_x <= 1, "search: %d, %u hits are the same memory", (int)status, n_x);
    }
}

static bool holds(const cm_memory_t *memory, cm_str_t id) {
    for (uint32_t i = 0; i < memory->n_relationships; i++)
        if (same_str(memory->relationships[i], id)) return true;
    return false;
}

static void check_union(fixture_t *f, uint32_t round) {
    char id[32], name[40];
    cm_memory_t memory = {0};
    uint32_t n_lost = 0;
    cm_str_t x = id_of(id, "x", round);
    CHECK_STATUS(cm_get(f->thread, x, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    for (uint32_t i = 0; i < RELATED; i++) n_lost += !holds(&memory, id_of(name, "to", i));
    for (uint32_t t = 0; t < REPLACERS; t++)
        for (uint32_t i = 0; i < GIVEN; i++)
            n_lost += !holds(&memory, (cm_str_t){name, (size_t)snprintf(name, sizeof name, "given-%u-%u", 1 + t, i)});
    CHECK_MSG(n_lost == 0, "round %u: %u relationships were lost", round, n_lost);
    CHECK_MSG(holds(&memory, x), "round %u: the relationship to itself was lost", round);
    CHECK_EQ_U64(memory.n_relationships, RELATED + REPLACERS * GIVEN + 2); /* itself, and the first that was given */
}

TEST(nothing_related_is_lost_to_a_replacement) {
    int64_t end_ms = plat_clock_now_ms() + (full_length() ? 10000 : 2000);
    uint32_t round = 0, n_replaced = 0;
    while (plat_clock_now_ms() < end_ms) {
        fixture_t f = open_for(100, 200000, RELATED + REPLACERS * GIVEN + 10);
        for (uint32_t i = 0; i < 20 && plat_clock_now_ms() < end_ms; i++, round++) {
            char id[32], name[32];
            cm_memory_t memory = CM_MEMORY_INIT;
            float vector[DIM];
            vector_of(round, 0, DIM, vector);
            cm_str_t given = {name, (size_t)snprintf(name, sizeof name, "given-0-0")};
            memory.id = id_of(id, "x", round), memory.vector = vector, memory.dimensions = DIM;
            memory.relationships = &given, memory.n_relationships = 1;
            CHECK_STATUS(cm_insert(f.thread, &memory), CM_OK);
            n_replaced += run_all(f.store, round, 4, 1, (void (*const[])(worker_t *)){relate, replace, replace, search_for_x});
            check_union(&f, round);
            CHECK_EQ_U64(cm_len(f.store), i + 1);
        }
        close_checked(&f);
    }
    printf("# %u rounds, %u replacements\n", round, n_replaced);
}

/* ---- updates under searches ------------------------------------------------------------------------------------------------------------------------------- */

enum { STAY = 24, MOVE = 30, FRESH = 4, CROWD = 1300, UPDATES = 15000 };

static const char *const labels[] = {"here", "there", "nowhere"};

/* "stay" is told to be where it is, "move" goes about, "fresh" changes its rate between classes, and is fresher than everything else whichever it has. */
static void update_all(worker_t *w) {
    char id[32];
    for (uint32_t i = 0; i < UPDATES; i++) {
        static const float rates[] = {0.001f, 0.02f, 0, 0.0011f};
        cm_update_t update = CM_UPDATE_INIT;
        uint32_t dice = rng_below(&w->rng, 6) < 4
                            ? 2
                            : rng_below(&w->rng, 2); /* a search by recency misses a memory that moves by a hair only */
        const char *word = dice == 0 ? "stay" : dice == 1 ? "move" : "fresh";
        update.fields = dice == 2 ? CM_UPDATE_DECAY_RATE : CM_UPDATE_CONTEXT;
        update.context = dice == 1 ? str(labels[rng_below(&w->rng, 3)]) : CM_STR("here");
        update.decay_rate = rates[rng_below(&w->rng, 4)];
        if (rng_below(&w->rng, 4) == 0) update.fields |= CM_UPDATE_TEXT, update.text = CM_STR("another text");
        cm_status_t status = cm_update(w->thread,
                                       id_of(id, word,
                                             rng_below(&w->rng, dice == 0   ? STAY
                                                                : dice == 1 ? MOVE
                                                                            : FRESH)),
                                       &update);
        EXPECT(w, status == CM_OK, "update: %s", cm_message(w->thread));
    }
    end_leading(w);
}

/* How many hits are of a word; no id twice. */
static uint32_t count_hits(worker_t *w, const char *word, const cm_hit_t *hits, size_t n) {
    uint32_t n_found = 0;
    size_t len = strlen(word);
    for (size_t i = 0; i < n; i++) {
        cm_memory_t memory;
        cm_status_t status = cm_get_hit(w->thread, hits[i].slot, hits[i].generation, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
        EXPECT(w, status == CM_OK, "a hit that nobody removes: %d", (int)status);
        if (status == CM_OK) n_found += memory.id.len > len && memcmp(memory.id.data, word, len) == 0;
        for (size_t j = 0; j < i; j++) EXPECT(w, hits[j].slot != hits[i].slot, "one memory comes twice");
    }
    return n_found;
}

static void walk_context(worker_t *w) {
    for (uint32_t s = 0; led(w); s++, w->n_done++) {
        cm_hit_t hits[100];
        size_t n = 0;
        float query[DIM];
        cm_context_summary_t summary;
        cm_search_t options = CM_SEARCH_INIT;
        vector_of(s, 1, DIM, query);
        options.k = 100, options.context = CM_STR("here"), options.mode = s % 2 ? CM_SEARCH_EXACT : CM_SEARCH_BEST, options.now_ms = NOW_MS;
        options.temporal_weight = (float)(s % 3) / 2;
        cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
        uint32_t n_found = count_hits(w, "stay", hits, n);
        EXPECT(w, status == CM_OK && n_found == STAY, "search: %d, %u of the %u that stay", (int)status, n_found, STAY);
        EXPECT(w, n <= STAY + MOVE, "search: %u hits", (unsigned)n);
        status = cm_context_summary(w->thread, CM_STR("here"), &summary, NULL, 0);
        EXPECT(w, status == CM_OK && summary.n_memories >= STAY && summary.n_memories <= STAY + MOVE, "summary: %d, %u memories",
               (int)status, (unsigned)summary.n_memories);
    }
}

static void search_by_recency(worker_t *w) {
    for (uint32_t s = 0; led(w); s++, w->n_done++) {
        cm_hit_t hits[FRESH];
        size_t n = 0;
        float query[DIM];
        cm_search_report_t report;
        cm_search_t options = CM_SEARCH_INIT;
        vector_of(s, 1, DIM, query);
        options.k = FRESH, options.temporal_weight = 1, options.now_ms = NOW_MS;
        cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
        cm_last_search(w->thread, &report);
        uint32_t n_found = count_hits(w, "fresh", hits, n);
        EXPECT(w, status == CM_OK && n == FRESH && n_found == FRESH, "by recency: %d, %u hits, %u of the freshest %u (bound %g)",
               (int)status, (unsigned)n, n_found, FRESH, report.bound);
    }
}

TEST(what_stays_is_seen_whatever_is_updated) {
    uint32_t n_searches = 0;
    for (uint32_t round = 0; round < rounds(2); round++) {
        fixture_t f = open_for(CROWD + 200, 0, 4);
        for (uint32_t i = 0; i < CROWD; i++)
            CHECK_STATUS(put(f.thread, "crowd", i, "crowd", (float)(i % 7) / 10, NOW_MS - 2000 * HOUR_MS - (int64_t)i * 1000), CM_OK);
        for (uint32_t i = 0; i < STAY; i++) CHECK_STATUS(put(f.thread, "stay", i, "here", 0, NOW_MS - 3000 * HOUR_MS), CM_OK);
        for (uint32_t i = 0; i < MOVE; i++) CHECK_STATUS(put(f.thread, "move", i, labels[i % 3], 0, NOW_MS - 3000 * HOUR_MS), CM_OK);
        for (uint32_t i = 0; i < FRESH; i++) CHECK_STATUS(put(f.thread, "fresh", i, "crowd", 0, NOW_MS - HOUR_MS), CM_OK);
        n_searches += run_all(f.store, round, 5, 2,
                              (void (*const[])(worker_t *)){update_all, update_all, walk_context, search_by_recency, walk_context});
        uint64_t n_in = 0;
        cm_context_stat_t stat;
        for (uint64_t cursor = 0; cm_next_context(f.thread, &cursor, &stat, f.buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK;)
            n_in += stat.n_memories;
        CHECK_EQ_U64(n_in, cm_len(f.store));
        close_checked(&f);
    }
    printf("# %u searches\n", n_searches);
}

enum { LEAVING = 600 };

static void leave_one_by_one(worker_t *w) {
    for (uint32_t i = 0; i < LEAVING; i++) {
        char id[32];
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = CM_UPDATE_CONTEXT, update.context = CM_STR("there");
        EXPECT(w, cm_update(w->thread, id_of(id, "leaving", i), &update) == CM_OK, "update: %s", cm_message(w->thread));
    }
    end_leading(w);
}

/* Whoever was seen elsewhere is in no summary or search of the old context that begins later. */
static void count_those_left(worker_t *w) {
    uint32_t n_gone = 0;
    while (led(w)) {
        char id[32];
        cm_memory_t memory;
        cm_context_summary_t summary = {0, 0};
        while (n_gone < LEAVING &&
               cm_get(w->thread, id_of(id, "leaving", n_gone), &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK &&
               same_str(memory.context, CM_STR("there")))
            n_gone++;
        cm_status_t status = cm_context_summary(w->thread, CM_STR("here"), &summary, NULL, 0);
        EXPECT(w, status == CM_OK && summary.n_memories <= LEAVING - n_gone, "summary: %d, %u, but %u of %u are gone", (int)status,
               (unsigned)summary.n_memories, n_gone, LEAVING);
        w->n_done++;
    }
}

TEST(what_left_a_context_is_in_it_no_more) {
    uint32_t n_summaries = 0;
    for (uint32_t round = 0; round < rounds(20); round++) {
        fixture_t f = open_for(LEAVING, 0, 4);
        for (uint32_t i = 0; i < LEAVING; i++) CHECK_STATUS(put(f.thread, "leaving", i, "here", 0, NOW_MS), CM_OK);
        n_summaries += run_all(f.store, round, 2, 1, (void (*const[])(worker_t *)){leave_one_by_one, count_those_left});
        close_checked(&f);
    }
    printf("# %u summaries\n", n_summaries);
}

/* ---- churn under searches ------------------------------------------------------------------------------------------------------------------------------------ */

enum { FIXED = 30, CHURN = 40, CHURNS = 2500 };

/* Replaced, removed, put back, updated: but importance and the parity of the number stay. "churn" comes and goes, "again" is only ever replaced. */
static void churn(worker_t *w) {
    char id[32];
    for (uint32_t i = 0; i < CHURNS; i++) {
        uint32_t number = rng_below(&w->rng, CHURN), dice = rng_below(&w->rng, 10);
        cm_status_t status = CM_OK;
        if (dice < 3) status = put(w->thread, "churn", number, "c", 0.1f * (float)dice, NOW_MS - (int64_t)rng_below(&w->rng, 90) * HOUR_MS);
        else if (dice < 5) status = put(w->thread, "again", number, "c", 0, NOW_MS - (int64_t)rng_below(&w->rng, 90) * HOUR_MS);
        else if (dice < 7) status = cm_remove(w->thread, id_of(id, "churn", number));
        else {
            cm_update_t update = CM_UPDATE_INIT;
            update.fields = CM_UPDATE_DECAY_RATE | CM_UPDATE_TEXT, update.decay_rate = (float)rng_below(&w->rng, 9) / 10;
            update.text = CM_STR("a text");
            status = cm_update(w->thread, id_of(id, dice == 7 ? "fixed" : "churn", number % FIXED), &update);
        }
        EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "churn: %s", cm_message(w->thread));
    }
    end_leading(w);
}

static bool even(void *context, const cm_candidate_t *candidate) {
    (void)context;
    const char *dash = memchr(candidate->id.data, '-', candidate->id.len);
    return dash && candidate->id.data[candidate->id.len - 1] % 2 == 0;
}

static void search_through_churn(worker_t *w) {
    for (uint32_t s = 0; led(w); s++, w->n_done++) {
        cm_hit_t hits[FIXED];
        size_t n = 0;
        float query[DIM];
        cmi_memory_view_t views[FIXED];
        cm_search_t options = CM_SEARCH_INIT;
        vector_of(rng_below(&w->rng, 50), 1, DIM, query);
        options.k = s % 5 == 4 ? FIXED : 8, options.mode = (cm_search_mode_t)(s % 3), options.temporal_weight = (float)(s / 3 % 3) / 2;
        options.now_ms = NOW_MS;
        if (s / 9 % 2) options.context = CM_STR("c");
        if (s / 18 % 3 == 1 && options.k == 8) options.min_importance = 0.35f;
        if (s / 18 % 3 == 2 && options.k == 8) options.filter = even;
        cmi_thread_pin(w->thread);
        cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
        for (size_t i = 0; i < n; i++) cmi_store_view(w->shared->store, hits[i].slot, &views[i]);
        EXPECT(w, status == CM_OK, "search: %s", cm_message(w->thread));
        w->n_short += n < options.k; /* although more than k pass throughout: whoever is put off for long in the middle of every attempt */
        for (size_t i = 0; i < n; i++) {
            cm_candidate_t candidate = {.id = views[i].id};
            EXPECT(w, i == 0 || hits[i - 1].score <= hits[i].score, "hit %u is better than hit %u", (unsigned)i, (unsigned)i - 1);
            EXPECT(w, views[i].importance >= options.min_importance, "a hit has importance %g", (double)views[i].importance);
            EXPECT(w, !options.filter || even(NULL, &candidate), "a hit does not pass the predicate");
            EXPECT(w, same_str(views[i].context, CM_STR("c")), "a hit of another context");
            for (size_t j = 0; j < i; j++)
                EXPECT(w, !same_str(views[i].id, views[j].id), "%.*s comes twice", (int)views[i].id.len, views[i].id.data);
        }
        cmi_thread_unpin(w->thread);
    }
}

TEST(searches_find_k_through_churn) {
    uint32_t n_searches = 0, n_all_short = 0;
    for (uint32_t round = 0; round < rounds(3); round++) {
        fixture_t f = open_for(1000, 20000, 4);
        for (uint32_t i = 0; i < FIXED; i++) CHECK_STATUS(put(f.thread, "fixed", i, "c", 0, NOW_MS - 40 * HOUR_MS), CM_OK);
        for (uint32_t i = 0; i < CHURN; i++) CHECK_STATUS(put(f.thread, "again", i, "c", 0, NOW_MS - 50 * HOUR_MS), CM_OK);
        n_searches += run_all(f.store, round, 4, 2,
                              (void (*const[])(worker_t *)){churn, churn, search_through_churn, search_through_churn});
        n_all_short += n_short;
        close_checked(&f);
    }
    CHECK_MSG(1000 * n_all_short <= n_searches, "%u of %u searches found fewer than k", n_all_short, n_searches);
    printf("# %u of %u searches came short\n", n_all_short, n_searches);
}

/* ---- updates of what is being taken out ------------------------------------------------------------------------------------------------------------------------- */

static void replace_and_remove(worker_t *w) {
    char id[32];
    for (uint32_t i = 0; i < 1500; i++) {
        cm_status_t status = i % 5 == 4 ? cm_remove(w->thread, id_of(id, "one", 0))
                                        : put(w->thread, "one", 0, labels[i % 3], (float)(i % 4), NOW_MS);
        EXPECT(w, status == CM_OK, "%s", cm_message(w->thread));
    }
    end_leading(w);
}

static void update_one(worker_t *w) {
    char id[32];
    for (uint32_t i = 0; led(w); i++) {
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = 1 + i % 31, update.context = str(labels[i % 3]), update.decay_rate = (float)(i % 5), update.importance = 0.5f;
        update.text = i % 2 ? CM_STR("a text") : CM_STR(""), update.metadata = CM_STR("{}");
        cm_status_t status = cm_update(w->thread, id_of(id, "one", 0), &update);
        EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "update: %s", cm_message(w->thread));
        w->n_done += status == CM_OK;
    }
}

/* Every node and block that an update made for a memory which was gone by then is given back, once. */
TEST(an_update_of_what_is_taken_out_leaves_nothing_behind) {
    uint32_t n_updates = 0;
    for (uint32_t round = 0; round < rounds(6); round++) {
        fixture_t f = open_for(100, 4000, 4);
        n_updates += run_all(f.store, round, 3, 1, (void (*const[])(worker_t *)){replace_and_remove, update_one, update_one});
        CHECK_EQ_U64(cm_len(f.store), 0);
        CHECK_EQ_U64(cmi_skip_first(&f.store->postings.by_context), CMI_NO_SKIP_NODE);
        close_checked(&f);
    }
    printf("# %u updates\n", n_updates);
}

/* ---- comings, goings and deaths ---------------------------------------------------------------------------------------------------------------------------------- */

static bool own_epoch(void) {
    return strcmp(cm_epoch_name(), "own") == 0;
}

/* A few operations by a thread that then leaves, or dies: between two operations, inside a read section, or with nodes that it had just linked. */
static void visit(worker_t *w, uint32_t visit_number) {
    cm_thread_t *visitor = NULL;
    char id[32], to[32];
    cm_store_t *store = w->shared->store;
    cm_status_t status = cm_attach(store, &visitor);
    EXPECT(w, status == CM_OK, "attach: %d", (int)status);
    if (status != CM_OK) return;
    for (uint32_t i = 0; i < 6; i++) {
        cm_update_t update = CM_UPDATE_INIT;
        uint32_t number = rng_below(&w->rng, FIXED);
        update.fields = CM_UPDATE_CONTEXT | CM_UPDATE_DECAY_RATE | CM_UPDATE_TEXT, update.context = str(labels[rng_below(&w->rng, 3)]);
        update.decay_rate = (float)rng_below(&w->rng, 5), update.text = CM_STR("visited");
        (void)cm_update(visitor, id_of(id, "fixed", number), &update);
        (void)cm_relate(visitor, id_of(id, "fixed", number), id_of(to, "to", rng_below(&w->rng, 9)));
        (void)cm_unrelate(visitor, id_of(id, "fixed", number), id_of(to, "to", rng_below(&w->rng, 9)));
        (void)cm_apply_decay(visitor, NOW_MS + visit_number, NULL);
        if (i == 2) (void)put(visitor, "fixed", number, "here", 1, NOW_MS);
    }
    if (!own_epoch() || visit_number % 4 == 0) {
        cm_detach(visitor);
        return;
    }
    if (visit_number % 4 >= 2) cmi_thread_pin(visitor);
    if (visit_number % 4 == 3) { /* in the middle of an update */
        uint32_t slot = cmi_slot_of(store, id_of(id, "fixed", 1)), context, node;
        if (slot != CMI_NONE && cmi_context_obtain(store, CM_STR("there"), &context) == CM_OK) {
            cmi_context_count_up(store, context);
            (void)cmi_postings_add_context(&store->postings, context, slot, &node);
            (void)cmi_postings_add_time(&store->postings, 0.7f, 5, slot, &node);
        }
    }
    status = cm_thread_abandon(store, cm_thread_slot(visitor));
    EXPECT(w, status == CM_OK, "abandon: %d", (int)status);
}

static void visit_all(worker_t *w) {
    for (uint32_t i = 0; i < 120; i++) visit(w, i);
    end_leading(w);
}

static void look_around(worker_t *w) {
    for (uint32_t s = 0; led(w); s++) {
        cm_hit_t hits[FIXED + 10];
        size_t n = 0;
        float query[DIM];
        cm_search_t options = CM_SEARCH_INIT;
        vector_of(s, 1, DIM, query);
        options.k = FIXED, options.mode = CM_SEARCH_EXACT, options.temporal_weight = (float)(s % 3) / 2;
        cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
        EXPECT(w, status == CM_OK && n <= FIXED, "search: %d, %u hits", (int)status,
               (unsigned)n); /* all of them are replaced all the time */
        cm_context_summary_t summary;
        status = cm_context_summary(w->thread, str(labels[s % 3]), &summary, NULL, 0);
        EXPECT(w, status == CM_OK && summary.n_memories <= FIXED, "summary: %d, %u", (int)status, (unsigned)summary.n_memories);
    }
}

TEST(threads_come_go_and_die) {
    for (uint32_t round = 0; round < rounds(2); round++) {
        fixture_t f = open_for(200, 4000, 6);
        for (uint32_t i = 0; i < FIXED; i++) CHECK_STATUS(put(f.thread, "fixed", i, labels[i % 3], 0, NOW_MS), CM_OK);
        run_all(f.store, round, 4, 3, (void (*const[])(worker_t *)){visit_all, visit_all, visit_all, look_around});
        CHECK_EQ_U64(cm_len(f.store), FIXED);
        if (!own_epoch()) CHECK_STATUS(cm_thread_abandon(f.store, cm_thread_slot(f.thread)), CM_E_ARGUMENT);
        close_checked(&f);
    }
    printf("# %s epoch: %s\n", cm_epoch_name(), own_epoch() ? "threads died" : "threads only left");
}

int main(void) {
    RUN(racing_sweeps_apply_each_interval_once);
    RUN(nothing_related_is_lost_to_a_replacement);
    RUN(what_stays_is_seen_whatever_is_updated);
    RUN(what_left_a_context_is_in_it_no_more);
    RUN(searches_find_k_through_churn);
    RUN(an_update_of_what_is_taken_out_leaves_nothing_behind);
    RUN(threads_come_go_and_die);
    return tap_done();
}
