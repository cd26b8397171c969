/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * consolidate.c - consolidation while others read and write. Whatever the interleaving:
 *   - who finds an absorbed memory gone finds its absorber, and in it what the absorbed one was related to; absorbers stay;
 *   - no search has two hits of one id;
 *   - a relationship that cm_relate() acknowledged, to either of a pair, is the absorber's in the end;
 *   - so is an importance that cm_update() acknowledged, if it is the higher one;
 *   - a replacement that cm_insert() acknowledged is there in the end: it is another memory, and left alone;
 *   - a removed absorber absorbs nothing more, but for what it was about to;
 *   - of two consolidations one runs and the other is told CM_E_BUSY;
 *   - in the end check() finds nothing, every way to count agrees, and no block is lost.
 *
 * Members are absorbed in a known order, so that writers can follow the consolidation and act on whatever it is about to absorb ("chasing"): races that would be rare between random operations happen
 * all the time. Slots are used once: many short rounds. CM_TEST_LENGTH=full: ten times as many.
 */
#include "support/snapshot.h"
#include "support/vectors.h"

#include "plat_atomic.h"
#include "plat_clock.h"
#include "plat_thread.h"
#include "store/store_impl.h"

#include <setjmp.h>

enum { DIM = 32, MOST_THREADS = 5, N_PAIRS = 240 };

static uint32_t rounds(uint32_t normal) {
    const char *length = getenv("CM_TEST_LENGTH");
    return length && strcmp(length, "full") == 0 ? 10 * normal : normal;
}

/* ---- workers ----------------------------------------------------------------------------------------------------------------------------- */

typedef struct shared {
    cm_store_t *store;
    plat_a32_t n_ready;
    plat_a32_t done; /* 1: the consolidation is over */
    uint32_t n_threads;
    uint64_t n_absorbed;
} shared_t;

typedef struct worker {
    shared_t *shared;
    cm_thread_t *thread;
    uint32_t name;
    rng_t rng;
    void *buffer;
    uint32_t n_bad, n_done;
    char first[200]; /* of what was bad */
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
    if (status == CM_OK) w->body(w);
    if (status == CM_OK) cm_detach(w->thread);
}

/* Runs bodies[i] on thread i, and reports what they found. Returns what all did, but for the first. */
static uint32_t run_all(fixture_t *f, shared_t *shared, uint32_t seed, uint32_t n, void (*const bodies[])(worker_t *)) {
    static worker_t workers[MOST_THREADS];
    uint32_t n_done = 0;
    *shared = (shared_t){.store = f->store, .n_threads = n};
    for (uint32_t i = 0; i < n; i++) {
        workers[i] = (worker_t){.shared = shared, .name = i, .rng = rng_seed(seed * 97 + i), .body = bodies[i]};
        workers[i].buffer = malloc(MEMORY_BUFFER_BYTES);
        workers[i].handle = plat_thread_spawn(run_worker, &workers[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        plat_thread_join(workers[i].handle);
        CHECK_MSG(workers[i].n_bad == 0, "round %u, thread %u: %u times wrong, first: %s", seed, i, workers[i].n_bad, workers[i].first);
        n_done += i > 0 ? workers[i].n_done : 0;
        free(workers[i].buffer);
    }
    return n_done;
}

static bool is_over(const worker_t *w) {
    return plat_load_acquire(&w->shared->done) != 0;
}

/* The first thread of every round. */
static void consolidate_once(worker_t *w) {
    cm_status_t status = cm_consolidate(w->thread, NULL, &w->shared->n_absorbed);
    EXPECT(w, status == CM_OK, "consolidate: %s", cm_message(w->thread));
    plat_store_release(&w->shared->done, 1u);
}

/* ---- pairs: "k-i" and its near-duplicate "o-i", far from all others ----------------------------------------------------------------------------- */

static cm_str_t id_of(char out[32], const char *kind, uint32_t number) {
    return (cm_str_t){out, (size_t)snprintf(out, 32, "%s-%u", kind, number)};
}

static void vector_of_pair(uint32_t pair, uint32_t version, float *out) {
    vector_of(pair, 0, DIM, out);
    out[0] += 0.001f * (float)version;
}

/* Members come in the order of their numbers, keepers first. Every one is related to "of-<kind>-<number>" and to `n_more` others. */
static cm_status_t put(cm_thread_t *thread, const char *kind, uint32_t number, const float *vector, float importance, uint32_t n_more) {
    char id[32], names[64][32];
    cm_str_t relationships[64];
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = id_of(id, kind, number);
    memory.vector = vector, memory.dimensions = DIM;
    memory.importance = importance, memory.created_ms = NOW_MS + number;
    relationships[0] = (cm_str_t){names[0], (size_t)snprintf(names[0], 32, "of-%s", id)};
    for (uint32_t i = 1; i <= n_more; i++) relationships[i] = (cm_str_t){names[i], (size_t)snprintf(names[i], 32, "more-%u-%s", i, id)};
    memory.relationships = relationships, memory.n_relationships = 1 + n_more;
    return cm_insert(thread, &memory);
}

static fixture_t open_store(void) {
    cm_config_t config = small_config(DIM);
    config.max_memories = 6000;
    config.max_relationships = CM_MAX_RELATIONSHIPS;
    config.m = 16, config.ef_construction = 100;
    return fixture_open(&config);
}

static fixture_t open_pairs(uint32_t n_more) {
    fixture_t f = open_store();
    float vector[DIM];
    for (uint32_t i = 0; i < N_PAIRS; i++) {
        vector_of_pair(i, 0, vector);
        CHECK_STATUS(put(f.thread, "k", i, vector, 0.75f, n_more), CM_OK);
        vector_of_pair(i, 1, vector);
        CHECK_STATUS(put(f.thread, "o", i, vector, 0.25f, n_more), CM_OK);
    }
    return f;
}

static bool is_there(worker_t *w, const char *kind, uint32_t number) {
    char id[32];
    return cm_contains(w->thread, id_of(id, kind, number));
}

static bool is_related(const cm_memory_t *memory, const char *to) {
    for (uint32_t i = 0; i < memory->n_relationships; i++)
        if (same_str(memory->relationships[i], (cm_str_t){to, strlen(to)})) return true;
    return false;
}

static uint32_t count_there(fixture_t *f, const char *kind) {
    uint32_t n = 0;
    char id[32];
    for (uint32_t i = 0; i < N_PAIRS; i++) n += cm_contains(f->thread, id_of(id, kind, i));
    return n;
}

/* ---- at the end ------------------------------------------------------------------------------------------------------------------------------ */

/* Nobody writes any more: every way to count gives one number. */
static void check_counts(fixture_t *f) {
    uint64_t cursor = 0, n_iterated = 0;
    cm_memory_t memory;
    cm_stats_t stats;
    cm_check_report_t report;
    while (cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) n_iterated++;
    CHECK_STATUS(cm_stats(f->thread, &stats), CM_OK);
    CHECK_MSG(cm_check(f->thread, &report) == CM_OK, "%s", cm_message(f->thread));
    CHECK_EQ_U64(n_iterated, cm_len(f->store));
    CHECK_EQ_U64(stats.n_memories, cm_len(f->store));
    CHECK_EQ_U64(report.n_live, cm_len(f->store));
}

/* What is left when all is removed and the grace periods are over: one block for each context label, of the smallest size. */
static void close_without_leak(fixture_t *f) {
    static uint64_t patience_ns = 20000000000u; /* none any more once it was in vain */
    uint64_t start = plat_clock_monotonic_ns(), cursor = 0;
    cm_store_t *store = f->store;
    cm_memory_t memory;
    check_counts(f);
    while (cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK)
        CHECK_STATUS(cm_remove(f->thread, memory.id), CM_OK);
    check_counts(f);
    cm_detach(f->thread); /* hands over what it had retired */
    CHECK_STATUS(cm_attach(store, &f->thread), CM_OK);
    uint64_t expected = 16 * (uint64_t)plat_load_relaxed(&store->contexts.n_keys);
    while (cmi_blocks_bytes_used(store->blocks) != expected && plat_clock_monotonic_ns() - start < patience_ns)
        plat_epoch_collect(store->epoch, cm_thread_slot(f->thread));
    CHECK_EQ_U64(cmi_blocks_bytes_used(store->blocks), expected);
    if (cmi_blocks_bytes_used(store->blocks) != expected) patience_ns = 0;
    CHECK_EQ_U64(plat_load_relaxed(&store->ids.n_keys), 0);
    fixture_close(f);
}

/* ---- readers ------------------------------------------------------------------------------------------------------------------------------------ */

/* The absorbed one first: it does not come back, and its absorber never goes. */
static void look_at_pair(worker_t *w, uint32_t pair) {
    char id[32], of[48];
    cm_memory_t memory = CM_MEMORY_INIT;
    bool other = is_there(w, "o", pair);
    cm_status_t status = cm_get(w->thread, id_of(id, "k", pair), &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
    EXPECT(w, status == CM_OK, "k-%u is gone%s", pair, other ? "" : ", and o-, too");
    if (status != CM_OK || other) return;
    snprintf(of, sizeof of, "of-o-%u", pair);
    EXPECT(w, is_related(&memory, of), "o-%u is gone, and k- has not what it was related to", pair);
    EXPECT(w, !is_there(w, "o", pair), "o-%u came back", pair);
}

static void search_pair(worker_t *w, uint32_t pair) {
    float query[DIM];
    cm_hit_t hits[10];
    cm_str_t ids[10];
    size_t n = 0;
    cm_search_t options = CM_SEARCH_INIT;
    options.temporal_weight = (float)rng_below(&w->rng, 3) / 4;
    vector_of_pair(pair, 0, query);
    cmi_thread_pin(w->thread); /* so that ids can be looked at in place */
    cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
    EXPECT(w, status == CM_OK && n > 0, "search: %zu hits, \"%s\"", n, cm_message(w->thread)); /* fewer than 10: found, and absorbed */
    for (size_t a = 0; a < n; a++) {
        cmi_memory_view_t view;
        cmi_store_view(w->shared->store, hits[a].slot, &view);
        ids[a] = view.id;
        for (size_t b = 0; b < a; b++) EXPECT(w, !same_str(ids[a], ids[b]), "two hits are %.*s", (int)view.id.len, view.id.data);
    }
    cmi_thread_unpin(w->thread);
}

static void read_pairs(worker_t *w) {
    for (; !is_over(w) || w->n_done < 2; w->n_done++) { /* bounded: the consolidation is */
        look_at_pair(w, rng_below(&w->rng, N_PAIRS));
        if (w->n_done % 8 == 0) search_pair(w, rng_below(&w->rng, N_PAIRS));
    }
}

/* The pair that is absorbed next. */
static void follow_pairs(worker_t *w) {
    for (uint32_t pair = 0; pair < N_PAIRS && (!is_over(w) || w->n_done < 2); w->n_done++) { /* bounded, as above */
        look_at_pair(w, pair);
        if (!is_there(w, "o", pair)) pair++;
    }
}

/* Memories of their own, far from every pair. */
static void write_beside(worker_t *w) {
    for (; (!is_over(w) || w->n_done < 2) && w->n_done < 900; w->n_done++) { /* bounded, as above */
        char id[32];
        float vector[DIM];
        uint32_t number = rng_below(&w->rng, 40) * MOST_THREADS + w->name;
        vector_of(number, 1 + w->n_done, DIM, vector);
        if (w->n_done % 4 == 3) cm_remove(w->thread, id_of(id, "beside", number));
        else EXPECT(w, put(w->thread, "beside", number, vector, 0.5f, 0) == CM_OK, "insert: %s", cm_message(w->thread));
    }
}

TEST(one_of_each_pair_is_always_there) {
    uint32_t n_done = 0;
    for (uint32_t round = 0; round < rounds(30); round++) {
        shared_t shared;
        fixture_t f = open_pairs(round % 2 ? 8 : 0);
        n_done += run_all(&f, &shared, round, 5,
                          (void (*const[])(worker_t *)){consolidate_once, read_pairs, follow_pairs, write_beside, write_beside});
        CHECK_EQ_U64(shared.n_absorbed, N_PAIRS);
        CHECK_EQ_U64(count_there(&f, "k"), N_PAIRS);
        CHECK_EQ_U64(count_there(&f, "o"), 0);
        close_without_leak(&f);
    }
    printf("# %u looks and writes\n", n_done);
}

/* ---- relating ------------------------------------------------------------------------------------------------------------------------------------ */

enum { MOST_LATE = 12, N_RELATERS = 2 };

static uint32_t n_late[N_RELATERS][N_PAIRS], n_late_to_keeper[N_RELATERS][N_PAIRS]; /* acknowledged */

static bool relate(worker_t *w, const char *kind, uint32_t pair, uint32_t number) {
    char id[32], to[48];
    cm_str_t link = {to, (size_t)snprintf(to, sizeof to, "late-%s-%u-%u", kind, w->name, number)};
    cm_status_t status = cm_relate(w->thread, id_of(id, kind, pair), link);
    EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "relate: %s", cm_message(w->thread));
    return status == CM_OK;
}

/* Chases: to whatever is absorbed next, and now and then to its absorber. A full share of a pair waits until it is absorbed. */
static void relate_next(worker_t *w) {
    uint32_t r = w->name - 1;
    for (uint32_t pair = 0; pair < N_PAIRS && !is_over(w); w->n_done++) { /* bounded: the consolidation is */
        if (n_late[r][pair] < MOST_LATE && relate(w, "o", pair, n_late[r][pair])) n_late[r][pair]++;
        if (n_late_to_keeper[r][pair] < 3 && relate(w, "k", pair, n_late_to_keeper[r][pair])) n_late_to_keeper[r][pair]++;
        if (!is_there(w, "o", pair)) pair++;
    }
}

static void check_late(fixture_t *f, uint32_t pair, uint32_t *n_lost, uint32_t *n_acknowledged) {
    char id[32], to[48];
    cm_memory_t memory = CM_MEMORY_INIT;
    CHECK_STATUS(cm_get(f->thread, id_of(id, "k", pair), &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
    for (uint32_t r = 0; r < N_RELATERS; r++)
        for (uint32_t of = 0; of < 2; of++)
            for (uint32_t i = 0; i < (of ? n_late : n_late_to_keeper)[r][pair]; i++) {
                snprintf(to, sizeof to, "late-%s-%u-%u", of ? "o" : "k", r + 1, i);
                *n_lost += !is_related(&memory, to);
                ++*n_acknowledged;
            }
    snprintf(to, sizeof to, "k-%u", pair);
    CHECK_MSG(!is_related(&memory, to), "%s is related to itself", to);
}

TEST(no_relationship_is_lost) {
    uint32_t n_acknowledged = 0;
    for (uint32_t round = 0; round < rounds(60); round++) {
        shared_t shared;
        uint32_t n_lost = 0;
        fixture_t f = open_pairs(40); /* long lists: merging takes its time */
        memset(n_late, 0, sizeof n_late), memset(n_late_to_keeper, 0, sizeof n_late_to_keeper);
        run_all(&f, &shared, round, 1 + N_RELATERS, (void (*const[])(worker_t *)){consolidate_once, relate_next, relate_next});
        CHECK_EQ_U64(shared.n_absorbed, N_PAIRS);
        for (uint32_t pair = 0; pair < N_PAIRS; pair++) check_late(&f, pair, &n_lost, &n_acknowledged);
        CHECK_MSG(n_lost == 0, "round %u: %u relationships were lost", round, n_lost);
        close_without_leak(&f);
    }
    CHECK(n_acknowledged > 0);
    printf("# %u relationships\n", n_acknowledged);
}

/* ---- importance ---------------------------------------------------------------------------------------------------------------------------------- */

static float acknowledged[N_PAIRS]; /* the last importance of an "o-" whose update has returned; it only rises */

static void raise_next(worker_t *w) {
    while (!is_over(w) && is_there(w, "o", 0)) {} /* bounded: the consolidation is. From then on its order is fixed */
    for (uint32_t pair = 1; pair < N_PAIRS && !is_over(w); w->n_done++) { /* bounded: the consolidation is */
        char id[32];
        cm_update_t update = CM_UPDATE_INIT;
        update.fields = CM_UPDATE_IMPORTANCE, update.importance = CMI_MIN(1.0f, CMI_MAX(0.76f, acknowledged[pair] + 0x1p-12f));
        cm_status_t status = cm_update(w->thread, id_of(id, "o", pair), &update);
        EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "update: %s", cm_message(w->thread));
        if (status == CM_OK) acknowledged[pair] = update.importance;
        if (status != CM_OK) pair++;
    }
}

/* The order is fixed when a consolidation begins, so that an "o-" that became more important than its absorber is absorbed nevertheless, and the higher importance kept. */
TEST(no_importance_is_lost) {
    uint32_t n_raised = 0;
    for (uint32_t round = 0; round < rounds(40) || (n_raised == 0 && round < 10 * rounds(40));
         round++) { /* more where a busy machine let no update in */
        shared_t shared;
        uint32_t n_lost = 0;
        fixture_t f = open_pairs(20);
        memset(acknowledged, 0, sizeof acknowledged);
        run_all(&f, &shared, round, 2, (void (*const[])(worker_t *)){consolidate_once, raise_next});
        for (uint32_t pair = 0; pair < N_PAIRS; pair++) {
            char id[32];
            cm_memory_t keeper = CM_MEMORY_INIT;
            CHECK_STATUS(cm_get(f.thread, id_of(id, "k", pair), &keeper, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
            n_lost += keeper.importance < CMI_MAX(acknowledged[pair], 0.75f);
            n_raised += acknowledged[pair] > 0;
        }
        CHECK_MSG(n_lost == 0, "round %u: %u absorbers are less important than they must be", round, n_lost);
        CHECK_EQ_U64(shared.n_absorbed, N_PAIRS);
        close_without_leak(&f);
    }
    CHECK_MSG(n_raised > 0, "no update came in time");
    printf("# %u raised\n", n_raised);
}

/* ---- replacing, removing ------------------------------------------------------------------------------------------------------------------------ */

/* A vector far from all others. */
static void far_vector(uint32_t number, float *out) {
    vector_of(number, 1000000, DIM, out);
}

/* Each "o-" is replaced once, when it is next, or nearly. */
static void replace_next(worker_t *w) {
    float vector[DIM];
    for (uint32_t pair = w->name - 1; pair < N_PAIRS; pair += 2, w->n_done++) {
        uint32_t ahead = 1 + rng_below(&w->rng, 3);
        while (!is_over(w) && pair >= ahead && is_there(w, "o", pair - ahead)) {} /* bounded: the consolidation is */
        far_vector(pair, vector);
        EXPECT(w, put(w->thread, "o", pair, vector, 0.25f, 0) == CM_OK, "insert: %s", cm_message(w->thread));
    }
}

/* Those that came too late are new memories; those that came in time were never absorbed: all are there. A replaced one that was absorbed nevertheless is lost. */
TEST(a_replacement_is_never_absorbed) {
    for (uint32_t round = 0; round < rounds(30); round++) {
        shared_t shared;
        float expected[DIM];
        uint32_t n_lost = 0, n_other = 0;
        fixture_t f = open_pairs(60); /* long lists: the moment between looking at an "o-" and taking it out lasts */
        run_all(&f, &shared, round, 3, (void (*const[])(worker_t *)){consolidate_once, replace_next, replace_next});
        for (uint32_t pair = 0; pair < N_PAIRS; pair++) {
            char id[32];
            cm_memory_t memory = CM_MEMORY_INIT;
            cm_status_t status = cm_get(f.thread, id_of(id, "o", pair), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL);
            far_vector(pair, expected);
            n_lost += status != CM_OK;
            n_other += status == CM_OK && memcmp(memory.vector, expected, sizeof expected) != 0;
        }
        CHECK_MSG(n_lost == 0 && n_other == 0, "round %u: %u replacements are gone, %u are the old ones", round, n_lost, n_other);
        CHECK_EQ_U64(count_there(&f, "k"), N_PAIRS);
        CHECK_EQ_U64(cm_len(f.store), 2 * N_PAIRS);
        close_without_leak(&f);
    }
}

/* One absorber "k-0" and many that are similar to it, but not to each other: .94 and .88, with a threshold of .9. */
enum { N_AROUND = 2 * (DIM - 1) };

static fixture_t open_star(void) {
    cm_config_t config = small_config(DIM);
    config.similarity_threshold = 0.9f, config.max_relationships = CM_MAX_RELATIONSHIPS;
    config.m = 32, config.ef_construction = 200;
    fixture_t f = fixture_open(&config);
    float vector[DIM] = {1};
    CHECK_STATUS(put(f.thread, "k", 0, vector, 0.75f, 0), CM_OK);
    for (uint32_t i = 0; i < N_AROUND; i++) {
        memset(vector, 0, sizeof vector);
        vector[0] = 0.94f;
        vector[1 + i / 2] = i % 2 ? 0.3412f : -0.3412f;
        CHECK_STATUS(put(f.thread, "o", i, vector, 0.25f, 20), CM_OK);
    }
    return f;
}

static uint32_t n_left_at_removal;

/* As soon as the first was absorbed, its absorber is removed. */
static void remove_absorber(worker_t *w) {
    char id[32];
    uint32_t when = rng_below(&w->rng, N_AROUND / 2);
    while (!is_over(w) && is_there(w, "o", when)) {} /* bounded: the consolidation is */
    EXPECT(w, cm_remove(w->thread, id_of(id, "k", 0)) == CM_OK, "remove: %s", cm_message(w->thread));
    n_left_at_removal = 0;
    for (uint32_t i = when; i < N_AROUND; i++) n_left_at_removal += is_there(w, "o", i); /* at once: the next one first */
}

TEST(a_removed_absorber_absorbs_no_more) {
    uint32_t n_in_time = 0, n_on_their_way = 0;
    for (uint32_t round = 0; round < rounds(200); round++) {
        shared_t shared;
        fixture_t f = open_star();
        run_all(&f, &shared, round, 2, (void (*const[])(worker_t *)){consolidate_once, remove_absorber});
        uint64_t n_left = cm_len(f.store);
        /* one may have been on its way: absorbed right after its absorber was seen there, for the last time; only in that moment, not while relationships are merged */
        CHECK_MSG(n_left + 1 >= n_left_at_removal && n_left <= n_left_at_removal, "round %u: %u were left at the removal, %u in the end",
                  round, n_left_at_removal, (uint32_t)n_left);
        CHECK_EQ_U64(shared.n_absorbed + n_left, N_AROUND);
        n_in_time += n_left > 0, n_on_their_way += n_left < n_left_at_removal;
        close_without_leak(&f);
    }
    CHECK_MSG(n_in_time > 0, "no removal came in time");
    CHECK_MSG(n_on_their_way <= rounds(200) / 20, "%u of %u were absorbed by nobody", n_on_their_way, n_in_time);
    printf("# %u removals in time, %u on their way\n", n_in_time, n_on_their_way);
}

/* ---- many at once ------------------------------------------------------------------------------------------------------------------------------ */

enum { TURNS = 25 };

static plat_a32_t n_busy, n_ran, n_running;

static void consolidate_again_and_again(worker_t *w) {
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        uint64_t n = 99;
        cm_status_t status = cm_consolidate(w->thread, NULL, &n);
        EXPECT(w, status == CM_OK || (status == CM_E_BUSY && n == 0), "consolidate: %d, %s", (int)status, cm_message(w->thread));
        plat_fetch_add_relaxed(status == CM_OK ? &n_ran : &n_busy, 1);
    }
    if (plat_fetch_sub_relaxed(&n_running, 1) == 1) plat_store_release(&w->shared->done, 1u);
}

/* Absorbers are replaced by themselves and never go; the others come, go, and change sides in importance below their absorber. */
static void write_pairs(worker_t *w) {
    for (uint32_t i = 0; i < 1200 && (!is_over(w) || i < 100); i++, w->n_done++) {
        char id[32];
        float vector[DIM];
        uint32_t pair = rng_below(&w->rng, N_PAIRS), dice = rng_below(&w->rng, 10);
        vector_of_pair(pair, dice < 2 ? 0 : 1 + rng_below(&w->rng, 5), vector);
        if (dice < 2) EXPECT(w, put(w->thread, "k", pair, vector, 0.75f, 0) == CM_OK, "replace: %s", cm_message(w->thread));
        else if (dice < 8)
            EXPECT(w, put(w->thread, dice < 5 ? "o" : "p", pair, vector, (float)dice / 16, 0) == CM_OK, "insert: %s",
                   cm_message(w->thread));
        else cm_remove(w->thread, id_of(id, dice < 9 ? "o" : "p", pair));
    }
}

static void look_for_absorbers(worker_t *w) {
    for (; !is_over(w); w->n_done++) { /* bounded: the consolidations are */
        uint32_t pair = rng_below(&w->rng, N_PAIRS);
        EXPECT(w, is_there(w, "k", pair), "k-%u is gone", pair);
        if (w->n_done % 8 == 0) search_pair(w, pair);
    }
}

TEST(consolidations_race_with_each_other_and_with_the_same_ids) {
    plat_store_relaxed(&n_busy, 0), plat_store_relaxed(&n_ran, 0);
    for (uint32_t round = 0; round < rounds(12); round++) {
        shared_t shared;
        fixture_t f = open_pairs(0);
        plat_store_relaxed(&n_running, 2);
        run_all(&f, &shared, round, 5,
                (void (*const[])(worker_t *)){consolidate_again_and_again, consolidate_again_and_again, write_pairs, write_pairs,
                                              look_for_absorbers});
        CHECK_STATUS(cm_consolidate(f.thread, NULL, NULL), CM_OK); /* given back */
        CHECK_EQ_U64(count_there(&f, "k"), N_PAIRS);
        CHECK_EQ_U64(count_there(&f, "o") + count_there(&f, "p"), 0);
        CHECK_EQ_U64(cm_len(f.store), N_PAIRS);
        close_without_leak(&f);
    }
    CHECK(plat_load_relaxed(&n_ran) > 0 && plat_load_relaxed(&n_busy) > 0);
    printf("# %u ran, %u were told to wait\n", plat_load_relaxed(&n_ran), plat_load_relaxed(&n_busy));
}

/* ---- before it comes to them ------------------------------------------------------------------------------------------------------------------- */

/* In the first call of the progress callback, when the order is fixed: every second "o-" goes, of the others every second is replaced by something far. */
static bool change_others(void *context, double done) {
    cm_thread_t *thread = context;
    float vector[DIM];
    char id[32];
    if (done > 0) return true;
    for (uint32_t pair = 0; pair < N_PAIRS; pair++) {
        far_vector(pair, vector);
        if (pair % 2) cm_remove(thread, id_of(id, "o", pair));
        else if (pair % 4) put(thread, "o", pair, vector, 0.25f, 0);
    }
    for (uint32_t pair = 0; pair < N_PAIRS; pair++) { /* their entries and blocks are used again, where grace periods have passed */
        vector_of(pair, 2000000, DIM, vector);
        put(thread, "new", pair, vector, 0.5f, 8);
    }
    return true;
}

TEST(what_is_gone_leaves_nothing_to_its_absorber) {
    fixture_t f = open_pairs(8);
    cm_thread_t *second;
    uint64_t n = 0;
    CHECK_STATUS(cm_attach(f.store, &second), CM_OK);
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.progress = change_others, options.progress_context = second;
    CHECK_STATUS(cm_consolidate(f.thread, &options, &n), CM_OK);
    CHECK_EQ_U64(n, N_PAIRS / 4);
    for (uint32_t pair = 0; pair < N_PAIRS; pair++) {
        char id[32];
        cm_memory_t memory = CM_MEMORY_INIT;
        CHECK_STATUS(cm_get(f.thread, id_of(id, "k", pair), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        CHECK_EQ_U64(memory.n_relationships, pair % 4 ? 9 : 18);
        CHECK_STATUS(cm_get(f.thread, id_of(id, "new", pair), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
        CHECK_EQ_U64(memory.n_relationships, 9);
    }
    cm_detach(second);
    close_without_leak(&f);
}

/* ---- a dead one --------------------------------------------------------------------------------------------------------------------------------- */

static bool leave(void *context, double done) {
    (void)done;
    longjmp(*(jmp_buf *)context, 1);
}

/* A thread that ends inside its progress callback, as a Worker does that is terminated. It leaves nothing behind but its scratch pages. */
TEST(a_dead_consolidator_keeps_nobody_from_consolidating) {
    fixture_t f = open_pairs(0);
    jmp_buf away;
    cm_thread_t *dead;
    uint64_t n = 0;
    CHECK_STATUS(cm_attach(f.store, &dead), CM_OK);
    cm_consolidate_t options = CM_CONSOLIDATE_INIT;
    options.progress = leave, options.progress_context = &away;
    if (setjmp(away) == 0) cm_consolidate(dead, &options, NULL);
    CHECK_STATUS(cm_consolidate(f.thread, NULL, &n), CM_E_BUSY);
    if (cm_thread_abandon(f.store, cm_thread_slot(dead)) == CM_OK) {
        CHECK_STATUS(cm_consolidate(f.thread, NULL, &n), CM_OK);
        CHECK_EQ_U64(n, N_PAIRS);
    } else {
        CHECK(strcmp(plat_epoch_name(), "urcu") == 0); /* which buries nobody */
        cm_detach(dead);
    }
    close_without_leak(&f);
}

int main(void) {
    RUN(one_of_each_pair_is_always_there);
    RUN(no_relationship_is_lost);
    RUN(no_importance_is_lost);
    RUN(a_replacement_is_never_absorbed);
    RUN(a_removed_absorber_absorbs_no_more);
    RUN(consolidations_race_with_each_other_and_with_the_same_ids);
    RUN(what_is_gone_leaves_nothing_to_its_absorber);
    RUN(a_dead_consolidator_keeps_nobody_from_consolidating);
    return tap_done();
}
