/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * store.c - the store under threads that share its ids. Whatever the interleaving:
 *   - a memory is whole: vector, text, context and numbers all of one version, and so it stays while a reader is pinned;
 *   - what exists throughout is iterated exactly once, everything else at most once; one search has no two hits of one id;
 *   - what was removed before a call began is not in its answer;
 *   - merging loses no relationship; the store never holds more than max_memories, and replacing is never refused;
 *   - in the end check() finds nothing, every way to count agrees, and once all memories are removed every block has come back.
 *
 * Slots are used once, so that a long run in one store would measure tombstones: the tests run many short rounds instead. CM_TEST_LENGTH=full: ten times
 * as many.
 */
#include "support/snapshot.h"
#include "support/vectors.h"

#include "plat_atomic.h"
#include "plat_clock.h"
#include "plat_thread.h"
#include "store/store_impl.h"

enum { DIM = 8, MOST_THREADS = 4, VERSIONS = 1000 };

static uint32_t rounds(uint32_t normal) {
    const char *length = getenv("CM_TEST_LENGTH");
    return length && strcmp(length, "full") == 0 ? 10 * normal : normal;
}

/* ---- workers ----------------------------------------------------------------------------------------------------------------------------- */

typedef struct shared {
    cm_store_t *store;
    plat_a32_t n_ready, n_running;
    plat_a32_t *gone; /* "gone-i": 1 once its removal has returned */
    uint32_t n_threads;
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
    plat_fetch_sub_relaxed(&w->shared->n_running, 1);
}

/* Runs bodies[i] on thread i, and reports what they found. Returns what they did. */
static uint32_t run_all(shared_t *shared, uint32_t seed, uint32_t n, void (*const bodies[])(worker_t *)) {
    static worker_t workers[MOST_THREADS];
    uint32_t n_done = 0;
    shared->n_threads = n;
    plat_store_relaxed(&shared->n_ready, 0);
    plat_store_relaxed(&shared->n_running, n);
    for (uint32_t i = 0; i < n; i++) {
        workers[i] = (worker_t){.shared = shared, .name = i, .rng = rng_seed(seed * 97 + i), .body = bodies[i]};
        workers[i].buffer = malloc(MEMORY_BUFFER_BYTES);
        workers[i].handle = plat_thread_spawn(run_worker, &workers[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        plat_thread_join(workers[i].handle);
        CHECK_MSG(workers[i].n_bad == 0, "round %u, thread %u: %u times wrong, first: %s", seed, i, workers[i].n_bad, workers[i].first);
        n_done += workers[i].n_done;
        free(workers[i].buffer);
    }
    return n_done;
}

static fixture_t open_for(uint32_t max_memories, uint32_t max_relationships) {
    cm_config_t config = small_config(DIM);
    config.max_memories = max_memories;
    config.max_relationships = max_relationships;
    return fixture_open(&config);
}

/* ---- memories of which everything follows from id and version ------------------------------------------------------------------------------ */

/* "kind-number"; `kind` is a word. */
static cm_status_t put(worker_t *w, const char *kind, uint32_t number, uint32_t version) {
    char id[32], text[64], context[16];
    float vector[DIM];
    vector_of(number, version, DIM, vector);
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = (cm_str_t){id, (size_t)snprintf(id, sizeof id, "%s-%u", kind, number)};
    memory.text = (cm_str_t){text, (size_t)snprintf(text, sizeof text, "%s %u", id, version)};
    memory.context = (cm_str_t){context, (size_t)snprintf(context, sizeof context, "c%u", version % 7)};
    memory.metadata = memory.text;
    memory.vector = vector, memory.dimensions = DIM;
    memory.relationships = &memory.text, memory.n_relationships = 1;
    memory.importance = (float)version / VERSIONS;
    memory.created_ms = NOW_MS - (int64_t)version;
    return cm_insert(w->thread, &memory);
}

typedef struct parsed {
    char kind[16];
    uint32_t number, version;
} parsed_t;

/* Reads "kind-number version"; false when the text is not the id's. */
static bool parse(cm_str_t id, cm_str_t text, parsed_t *out) {
    char copy[64] = "";
    if (text.len >= sizeof copy || text.len <= id.len || memcmp(text.data, id.data, id.len) != 0) return false;
    memcpy(copy, text.data, text.len);
    return sscanf(copy, "%15[a-z]-%u %u", out->kind, &out->number, &out->version) == 3;
}

/* The pieces of one memory, copied or seen in place. */
static bool check_whole(worker_t *w, const char *where, cm_str_t id, cm_str_t text, cm_str_t context, cm_str_t metadata,
                        const float *vector, float importance, int64_t created_ms, cm_str_t relationship, parsed_t *out) {
    float expected[DIM];
    char label[16];
    bool read = parse(id, text, out);
    EXPECT(w, read, "%s: \"%.*s\" has the text \"%.*s\"", where, (int)id.len, id.data, (int)text.len, text.data);
    if (!read) return false;
    vector_of(out->number, out->version, DIM, expected);
    snprintf(label, sizeof label, "c%u", out->version % 7);
    bool whole = memcmp(vector, expected, sizeof expected) == 0 && same_str(context, (cm_str_t){label, strlen(label)}) &&
                 same_str(metadata, text) && same_str(relationship, text) && importance == (float)out->version / VERSIONS &&
                 created_ms == NOW_MS - (int64_t)out->version;
    EXPECT(w, whole, "%s: %s-%u is not version %u as a whole", where, out->kind, out->number, out->version);
    return whole;
}

static bool check_memory(worker_t *w, const char *where, const cm_memory_t *m, parsed_t *out) {
    return check_whole(w, where, m->id, m->text, m->context, m->metadata, m->vector, m->importance, m->created_ms,
                       m->n_relationships ? m->relationships[0] : (cm_str_t){0}, out);
}

static bool check_view(worker_t *w, const char *where, const cmi_memory_view_t *v, parsed_t *out) {
    cm_str_t first = {0};
    if (v->n_relationships) {
        uint32_t len;
        memcpy(&len, v->relationships, sizeof len);
        first = (cm_str_t){(const char *)v->relationships + sizeof len, len};
    }
    return check_whole(w, where, v->id, v->text, v->context, v->metadata, v->row, v->importance, v->created_ms, first, out);
}

/* ---- the operations of the mixed test ------------------------------------------------------------------------------------------------------- */

enum {
    N_FIXED = 60,
    N_SHARED = 30,
    N_OWN = 20,
    N_GONE = 120,
    OPERATIONS = 1500,
    N_SEEN = N_FIXED + N_SHARED + N_OWN * MOST_THREADS + N_GONE
};

/* A place for each id, so that duplicates show. */
static uint32_t place_of(const parsed_t *p) {
    if (strcmp(p->kind, "fixed") == 0) return p->number % N_FIXED;
    if (strcmp(p->kind, "shared") == 0) return N_FIXED + p->number % N_SHARED;
    if (strcmp(p->kind, "own") == 0) return N_FIXED + N_SHARED + p->number % (N_OWN * MOST_THREADS);
    return N_SEEN - N_GONE + p->number % N_GONE;
}

static cm_str_t id_of(char out[32], const char *kind, uint32_t number) {
    return (cm_str_t){out, (size_t)snprintf(out, 32, "%s-%u", kind, number)};
}

/* What had been removed before an answer was asked for. */
static void note_gone(worker_t *w, uint8_t *gone) {
    for (uint32_t i = 0; i < N_GONE; i++) gone[i] = (uint8_t)plat_load_acquire(&w->shared->gone[i]);
}

static void check_not_gone(worker_t *w, const char *where, const parsed_t *p, const uint8_t *gone) {
    EXPECT(w, strcmp(p->kind, "gone") != 0 || !gone[p->number % N_GONE], "%s: gone-%u was removed before", where, p->number);
}

/* Pinned: every hit's memory stays as it was when it was a hit, whatever happens to it meanwhile. */
static void search_pinned(worker_t *w) {
    static const float weights[] = {0, 0.3f, 1};
    float query[DIM];
    uint8_t gone[N_GONE], seen[N_SEEN] = {0};
    cm_hit_t hits[20];
    cmi_memory_view_t views[20];
    parsed_t parsed;
    size_t n = 0;
    char label[16];
    cm_search_t options = CM_SEARCH_INIT;
    options.k = 1 + rng_below(&w->rng, 20), options.temporal_weight = weights[rng_below(&w->rng, 3)];
    if (rng_below(&w->rng, 4) == 0)
        options.context = (cm_str_t){label, (size_t)snprintf(label, sizeof label, "c%u", rng_below(&w->rng, 7))};
    vector_of(rng_below(&w->rng, N_GONE), rng_below(&w->rng, 3), DIM, query);
    note_gone(w, gone);
    cmi_thread_pin(w->thread);
    cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
    EXPECT(w, status == CM_OK, "search: %s", cm_message(w->thread));
    for (uint32_t pass = 0; pass < 2; pass++)
        for (uint32_t i = 0; i < n; i++) {
            if (pass == 0) cmi_store_view(w->shared->store, hits[i].slot, &views[i]);
            if (!check_view(w, pass == 0 ? "a hit" : "a hit, later", &views[i], &parsed) || pass > 0) continue;
            check_not_gone(w, "search", &parsed, gone);
            EXPECT(w, seen[place_of(&parsed)]++ == 0, "search: two hits are %s-%u", parsed.kind, parsed.number);
            EXPECT(w, i == 0 || hits[i - 1].score <= hits[i].score, "search: hit %u is better than hit %u", i, i - 1);
            EXPECT(w, options.context.len == 0 || same_str(views[i].context, options.context), "search: a hit of another context");
        }
    cmi_thread_unpin(w->thread);
}

static void search_and_fetch(worker_t *w) {
    float query[DIM];
    cm_hit_t hits[10];
    cm_memory_t memory;
    parsed_t parsed;
    size_t n = 0;
    vector_of(rng_below(&w->rng, N_SHARED), rng_below(&w->rng, 3), DIM, query);
    cm_status_t status = cm_search(w->thread, query, DIM, NULL, hits, &n);
    EXPECT(w, status == CM_OK && n > 0, "search: %zu hits, \"%s\"", n, cm_message(w->thread));
    for (uint32_t i = 0; i < n; i++) {
        status = cm_get_hit(w->thread, hits[i].slot, hits[i].generation, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
        EXPECT(w, status == CM_OK || status == CM_E_STALE, "get_hit: %d", (int)status);
        if (status == CM_OK && check_memory(w, "get_hit", &memory, &parsed))
            EXPECT(w, memory.created_ms == hits[i].created_ms, "get_hit: another memory than the hit");
    }
}

static void iterate(worker_t *w) {
    uint32_t seen[N_SEEN] = {0}, n_fixed = 0;
    uint8_t gone[N_GONE];
    uint64_t cursor = 0;
    cm_memory_t memory;
    parsed_t parsed;
    note_gone(w, gone);
    while (cm_next(w->thread, &cursor, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) {
        if (!check_memory(w, "iteration", &memory, &parsed)) continue;
        check_not_gone(w, "iteration", &parsed, gone);
        EXPECT(w, seen[place_of(&parsed)]++ == 0, "iteration: %s-%u was seen twice", parsed.kind, parsed.number);
        n_fixed += strcmp(parsed.kind, "fixed") == 0;
    }
    EXPECT(w, n_fixed == N_FIXED, "iteration: %u of %u memories that exist throughout", n_fixed, N_FIXED);
}

/* Copying one that others replace and remove. `must` be there. */
static void look_up(worker_t *w, const char *kind, uint32_t number, bool must) {
    char id[32];
    cm_memory_t memory;
    parsed_t parsed;
    bool access = rng_below(&w->rng, 2);
    cm_str_t name = id_of(id, kind, number);
    cm_status_t status = access ? cm_access(w->thread, name, NOW_MS + w->n_done, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL)
                                : cm_get(w->thread, name, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
    EXPECT(w, status == CM_OK || (!must && status == CM_E_NOT_FOUND), "%s: %s", access ? "access" : "get", cm_message(w->thread));
    if (status != CM_OK || !check_memory(w, access ? "access" : "get", &memory, &parsed)) return;
    EXPECT(w, same_str(memory.id, name), "get: asked for %s, got %s-%u", id, parsed.kind, parsed.number);
    EXPECT(w, !access || memory.access_count > 0, "access: it was not counted");
}

static void remove_one(worker_t *w, const char *kind, uint32_t number, bool must) {
    char id[32];
    cm_status_t status = cm_remove(w->thread, id_of(id, kind, number));
    EXPECT(w, status == CM_OK || (!must && status == CM_E_NOT_FOUND), "remove: %s", cm_message(w->thread));
}

/* Ids that nobody else writes: the thread knows what they hold. */
static void check_own(worker_t *w, uint32_t number, uint32_t version) {
    char id[32];
    cm_memory_t memory;
    parsed_t parsed = {.version = VERSIONS};
    cm_status_t status = cm_get(w->thread, id_of(id, "own", number), &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
    EXPECT(w, (status == CM_OK) == (version > 0) && cm_contains(w->thread, id_of(id, "own", number)) == (version > 0),
           "own-%u: %d, version %u", number, (int)status, version);
    if (status == CM_OK && check_memory(w, "own", &memory, &parsed))
        EXPECT(w, parsed.version == version, "own-%u: version %u, not %u", number, parsed.version, version);
}

static void change_own(worker_t *w, uint32_t *versions) {
    uint32_t i = rng_below(&w->rng, N_OWN), number = w->name * N_OWN + i;
    if (versions[i] > 0 && rng_below(&w->rng, 3) == 0) {
        remove_one(w, "own", number, true);
        versions[i] = 0;
    } else {
        versions[i] = 1 + rng_below(&w->rng, VERSIONS - 1);
        EXPECT(w, put(w, "own", number, versions[i]) == CM_OK, "insert: %s", cm_message(w->thread));
    }
    check_own(w, number, versions[i]);
}

static void mixed_work(worker_t *w) {
    uint32_t versions[N_OWN] = {0}, n_gone = 0;
    for (uint32_t i = 0; i < OPERATIONS; i++, w->n_done++) {
        uint32_t dice = rng_below(&w->rng, 100), version = rng_below(&w->rng, VERSIONS);
        uint32_t shared = rng_below(&w->rng, N_SHARED), fixed = rng_below(&w->rng, N_FIXED), gone = w->name + MOST_THREADS * n_gone;
        if (dice < 15) EXPECT(w, put(w, "shared", shared, version) == CM_OK, "insert: %s", cm_message(w->thread));
        else if (dice < 25) remove_one(w, "shared", shared, false);
        else if (dice < 32) EXPECT(w, put(w, "fixed", fixed, version) == CM_OK, "replace: %s", cm_message(w->thread));
        else if (dice < 45) look_up(w, "shared", shared, false);
        else if (dice < 55) look_up(w, "fixed", fixed, true);
        else if (dice < 65) change_own(w, versions);
        else if (dice < 80) search_pinned(w);
        else if (dice < 90) search_and_fetch(w);
        else if (dice < 95) iterate(w);
        else if (gone < N_GONE) {
            remove_one(w, "gone", gone, true);
            plat_store_release(&w->shared->gone[gone], 1u);
            n_gone++;
        }
    }
    for (uint32_t i = 0; i < N_OWN; i++) check_own(w, w->name * N_OWN + i, versions[i]);
}

/* Nobody writes any more: every way to count gives one number. */
static void check_counts(fixture_t *f) {
    uint64_t cursor = 0, n_iterated = 0, n_in_contexts = 0;
    cm_memory_t memory;
    cm_context_stat_t context;
    cm_stats_t stats;
    cm_check_report_t report;
    while (cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) n_iterated++;
    cursor = 0;
    while (cm_next_context(f->thread, &cursor, &context, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK)
        n_in_contexts += context.n_memories;
    CHECK_STATUS(cm_stats(f->thread, &stats), CM_OK);
    CHECK_MSG(cm_check(f->thread, &report) == CM_OK, "%s", cm_message(f->thread));
    CHECK_EQ_U64(n_iterated, cm_len(f->store));
    CHECK_EQ_U64(n_in_contexts, cm_len(f->store));
    CHECK_EQ_U64(stats.n_memories, cm_len(f->store));
    CHECK_EQ_U64(report.n_live, cm_len(f->store));
    CHECK_EQ_U64(report.n_unreachable, 0);
}

/* What is left when all is removed and the grace periods are over: one block for each context label, of the smallest size. */
static void close_without_leak(fixture_t *f) {
    static uint64_t patience_ns = 20000000000u; /* none any more once it was in vain */
    uint64_t start = plat_clock_monotonic_ns();
    cm_store_t *store = f->store;
    cm_memory_t memory;
    uint64_t cursor = 0;
    check_counts(f);
    while (cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK)
        CHECK_STATUS(cm_remove(f->thread, memory.id), CM_OK);
    CHECK_EQ_U64(cm_len(store), 0);
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

static uint64_t count_contained(fixture_t *f, const char *kind, uint32_t n) {
    uint64_t n_contained = 0;
    char id[32];
    for (uint32_t i = 0; i < n; i++) n_contained += cm_contains(f->thread, id_of(id, kind, i));
    return n_contained;
}

TEST(everything_at_once_keeps_every_promise) {
    static plat_a32_t gone[N_GONE];
    for (uint32_t round = 0; round < rounds(9); round++) {
        fixture_t f = open_for(20000, 50);
        worker_t filler = {.thread = f.thread};
        for (uint32_t i = 0; i < N_FIXED; i++) CHECK_STATUS(put(&filler, "fixed", i, i), CM_OK);
        for (uint32_t i = 0; i < N_SHARED; i += 2) CHECK_STATUS(put(&filler, "shared", i, i), CM_OK);
        for (uint32_t i = 0; i < N_GONE; i++) CHECK_STATUS(put(&filler, "gone", i, i % 3), CM_OK);
        for (uint32_t i = 0; i < N_GONE; i++) plat_store_relaxed(&gone[i], 0);
        shared_t shared = {.store = f.store, .gone = gone};
        uint32_t n_threads = 2 + round % 3;
        uint32_t n_done = run_all(&shared, round, n_threads, (void (*const[])(worker_t *)){mixed_work, mixed_work, mixed_work, mixed_work});
        CHECK_EQ_U64(n_done, n_threads * OPERATIONS);
        uint64_t n_left = 0;
        for (uint32_t i = 0; i < N_GONE; i++) n_left += !plat_load_relaxed(&gone[i]);
        CHECK_EQ_U64(count_contained(&f, "gone", N_GONE), n_left);
        CHECK_EQ_U64(count_contained(&f, "fixed", N_FIXED), N_FIXED);
        CHECK_EQ_U64(cm_len(f.store),
                     N_FIXED + n_left + count_contained(&f, "shared", N_SHARED) + count_contained(&f, "own", N_OWN * MOST_THREADS));
        close_without_leak(&f);
    }
}

/* ---- merging ------------------------------------------------------------------------------------------------------------------------------- */

enum { N_MERGED = 2, PER_THREAD = 120 };

/* Each thread puts the same ids, with a relationship of its own every time. */
static void add_relationships(worker_t *w) {
    for (uint32_t i = 0; i < PER_THREAD; i++)
        for (uint32_t id = 0; id < N_MERGED; id++) {
            char name[32], of_mine[32];
            float vector[DIM];
            cm_str_t relationship = {of_mine, (size_t)snprintf(of_mine, sizeof of_mine, "%u-%u", w->name, i)};
            cm_memory_t memory = CM_MEMORY_INIT;
            vector_of(id, i, DIM, vector);
            memory.id = id_of(name, "merged", id);
            memory.vector = vector, memory.dimensions = DIM;
            memory.relationships = &relationship, memory.n_relationships = 1;
            EXPECT(w, cm_insert(w->thread, &memory) == CM_OK, "insert: %s", cm_message(w->thread));
        }
}

TEST(merging_loses_no_relationship) {
    for (uint32_t round = 0; round < rounds(12); round++) {
        fixture_t f = open_for(2000, CM_MAX_RELATIONSHIPS);
        shared_t shared = {.store = f.store};
        uint32_t n_threads = 2 + round % 3;
        run_all(&shared, round, n_threads,
                (void (*const[])(worker_t *)){add_relationships, add_relationships, add_relationships, add_relationships});
        for (uint32_t id = 0; id < N_MERGED; id++) {
            static bool there[MOST_THREADS][PER_THREAD];
            char name[32];
            cm_memory_t memory;
            uint32_t n_lost = 0;
            memset(there, 0, sizeof there);
            CHECK_STATUS(cm_get(f.thread, id_of(name, "merged", id), &memory, f.buffer, MEMORY_BUFFER_BYTES, NULL), CM_OK);
            CHECK_EQ_U64(memory.n_relationships, n_threads * PER_THREAD);
            for (uint32_t i = 0; i < memory.n_relationships; i++) {
                char text[32] = "";
                uint32_t by = 0, number = 0;
                memcpy(text, memory.relationships[i].data, memory.relationships[i].len % sizeof text);
                CHECK(sscanf(text, "%u-%u", &by, &number) == 2 && by < n_threads && number < PER_THREAD);
                there[by % MOST_THREADS][number % PER_THREAD] = true;
            }
            for (uint32_t t = 0; t < n_threads; t++)
                for (uint32_t i = 0; i < PER_THREAD; i++) n_lost += !there[t][i];
            CHECK_MSG(n_lost == 0, "round %u: %u relationships of merged-%u were lost", round, n_lost, id);
        }
        CHECK_EQ_U64(cm_len(f.store), N_MERGED);
        close_without_leak(&f);
    }
}

/* ---- removing and inserting again, under an iterator ------------------------------------------------------------------------------------------ */

enum { N_FLIPS = 3000 };

/* The ids of "shared" vanish and come back, into other entries of the id map. */
static void flip(worker_t *w) {
    for (uint32_t i = 0; i < N_FLIPS / 2; i++, w->n_done++) {
        uint32_t number = rng_below(&w->rng, N_SHARED);
        remove_one(w, "shared", number, false);
        EXPECT(w, put(w, "shared", number, i % VERSIONS) == CM_OK, "insert: %s", cm_message(w->thread));
    }
}

static void iterate_meanwhile(worker_t *w) {
    while (plat_load_relaxed(&w->shared->n_running) > 1 || w->n_done < 3) { /* bounded: the flippers' loops are */
        iterate(w);
        w->n_done++;
    }
}

TEST(iteration_sees_nothing_twice_and_misses_nothing) {
    static plat_a32_t gone[N_GONE];
    uint32_t n_iterations = 0;
    for (uint32_t round = 0; round < rounds(6); round++) {
        fixture_t f = open_for(6000, 4);
        worker_t filler = {.thread = f.thread};
        for (uint32_t i = 0; i < N_FIXED; i++) CHECK_STATUS(put(&filler, "fixed", i, i), CM_OK);
        shared_t shared = {.store = f.store, .gone = gone};
        n_iterations += run_all(&shared, round, 3, (void (*const[])(worker_t *)){flip, flip, iterate_meanwhile}) - N_FLIPS;
        CHECK_EQ_U64(cm_len(f.store), N_FIXED + count_contained(&f, "shared", N_SHARED));
        close_without_leak(&f);
    }
    printf("# %u iterations\n", n_iterations);
}

/* ---- one id, many hands ---------------------------------------------------------------------------------------------------------------------- */

enum { N_LONG = 80, HOT = 150, N_AROUND = 400 };

/* Replaces one memory over and over. Its long list of relationships must be merged anew whenever another replacement came first, which is the time in which its
 * new node is in the graph and the memory is still the old one. */
static void replace_hot(worker_t *w) {
    char names[N_LONG][8];
    cm_str_t relationships[N_LONG];
    for (uint32_t i = 0; i < HOT; i++) {
        float vector[DIM];
        cm_memory_t memory = CM_MEMORY_INIT;
        vector_of(i, w->name, DIM, vector);
        memory.id = CM_STR("hot");
        memory.vector = vector, memory.dimensions = DIM;
        for (uint32_t j = 0; j < N_LONG; j++)
            relationships[j] = (cm_str_t){names[j], (size_t)snprintf(names[j], 8, "%u", (j * 37 + i) % 500)};
        memory.relationships = relationships, memory.n_relationships = N_LONG;
        EXPECT(w, cm_insert(w->thread, &memory) == CM_OK, "insert: %s", cm_message(w->thread));
    }
}

/* Every memory of the store is a hit, so that old and new of the hot one are looked at long after one another. */
static void search_hot(worker_t *w) {
    static cm_hit_t hits[2 * N_AROUND];                    /* one searcher */
    while (plat_load_relaxed(&w->shared->n_running) > 1) { /* bounded: the replacers' loops are */
        float query[DIM];
        size_t n = 0;
        uint32_t n_hot = 0;
        cm_search_t options = CM_SEARCH_INIT;
        options.k = 2 * N_AROUND;
        vector_of(rng_below(&w->rng, HOT), rng_below(&w->rng, 3), DIM, query);
        cmi_thread_pin(w->thread);
        cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
        EXPECT(w, status == CM_OK, "search: %s", cm_message(w->thread));
        for (uint32_t i = 0; i < n; i++) {
            cmi_memory_view_t view;
            cmi_store_view(w->shared->store, hits[i].slot, &view);
            n_hot += same_str(view.id, CM_STR("hot"));
        }
        cmi_thread_unpin(w->thread);
        EXPECT(w, n_hot <= 1, "%u hits of one id", n_hot);
        w->n_done++;
    }
}

TEST(one_search_has_one_hit_of_an_id) {
    for (uint32_t round = 0; round < rounds(15); round++) {
        fixture_t f = open_for(2000, 160);
        worker_t filler = {.thread = f.thread};
        for (uint32_t i = 0; i < N_AROUND; i++) CHECK_STATUS(put(&filler, "fixed", i, i), CM_OK);
        shared_t shared = {.store = f.store};
        uint32_t n_searches = run_all(&shared, round, 4, (void (*const[])(worker_t *)){replace_hot, replace_hot, replace_hot, search_hot});
        CHECK_MSG(n_searches > 0, "no search came between");
        CHECK_EQ_U64(cm_len(f.store), 1 + N_AROUND);
        close_without_leak(&f);
    }
}

static void insert_hot(worker_t *w) {
    for (uint32_t i = 0; i < 3 * HOT; i++) EXPECT(w, put(w, "shared", i % 2, i % VERSIONS) == CM_OK, "insert: %s", cm_message(w->thread));
}

static void remove_hot(worker_t *w) {
    while (plat_load_relaxed(&w->shared->n_running) > 2) { /* bounded: the inserters' loops are */
        remove_one(w, "shared", w->n_done % 2, false);
        look_up(w, "shared", w->n_done % 2, false);
        w->n_done++;
    }
}

TEST(two_ids_are_inserted_and_removed_by_many) {
    for (uint32_t round = 0; round < rounds(6); round++) {
        fixture_t f = open_for(4000, 8);
        shared_t shared = {.store = f.store};
        run_all(&shared, round, 4, (void (*const[])(worker_t *)){insert_hot, insert_hot, remove_hot, remove_hot});
        CHECK_EQ_U64(cm_len(f.store), count_contained(&f, "shared", 2));
        close_without_leak(&f);
    }
}

/* ---- the order of time ------------------------------------------------------------------------------------------------------------------------- */

enum { N_CLOCKS = 4, LAST_VERSION = 200 };

static plat_a32_t acknowledged[N_CLOCKS]; /* the version whose insert has returned */

/* One writer, whose versions only grow. */
static void write_in_order(worker_t *w) {
    for (uint32_t version = 1; version <= LAST_VERSION; version++)
        for (uint32_t i = 0; i < N_CLOCKS; i++) {
            EXPECT(w, put(w, "fixed", i, version) == CM_OK, "insert: %s", cm_message(w->thread));
            plat_store_release(&acknowledged[i], version);
        }
}

/* What a reader saw of each, by whichever way; and what had been acknowledged before it asked. */
typedef struct history {
    uint32_t seen[N_CLOCKS], acknowledged[N_CLOCKS];
} history_t;

static void remember(worker_t *w, const char *where, history_t *history, const parsed_t *parsed, bool must_be_new) {
    uint32_t i = parsed->number % N_CLOCKS;
    EXPECT(w, parsed->version >= history->seen[i], "%s: fixed-%u is version %u, after version %u was seen", where, i, parsed->version,
           history->seen[i]);
    EXPECT(w, !must_be_new || parsed->version >= history->acknowledged[i],
           "%s: fixed-%u is version %u, although version %u had been inserted", where, i, parsed->version, history->acknowledged[i]);
    if (parsed->version > history->seen[i]) history->seen[i] = parsed->version;
}

/* A slot that may be in the graph, and whose memory may not exist yet, or no more. */
static void guess_a_handle(worker_t *w, history_t *history) {
    cm_memory_t memory;
    parsed_t parsed;
    uint32_t n_slots = cmi_hnsw_n_slots(&w->shared->store->graph), back = 1 + rng_below(&w->rng, N_CLOCKS + 1);
    if (n_slots < back) return;
    cm_status_t status = cm_get_hit(w->thread, n_slots - back, 0, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
    EXPECT(w, status == CM_OK || status == CM_E_STALE, "get_hit: %d", (int)status);
    if (status == CM_OK && check_memory(w, "get_hit", &memory, &parsed)) remember(w, "get_hit", history, &parsed, true);
}

static void read_in_order(worker_t *w) {
    history_t history = {{0}, {0}};
    char id[32];
    cm_memory_t memory;
    parsed_t parsed;
    for (; plat_load_relaxed(&w->shared->n_running) > 2; w->n_done++) { /* bounded: the writer's loop is */
        for (uint32_t i = 0; i < N_CLOCKS; i++) history.acknowledged[i] = plat_load_acquire(&acknowledged[i]);
        guess_a_handle(w, &history);
        for (uint32_t i = 0; i < N_CLOCKS; i++) {
            cm_status_t status = cm_get(w->thread, id_of(id, "fixed", i), &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL);
            EXPECT(w, status == CM_OK, "get: %s", cm_message(w->thread));
            if (status == CM_OK && check_memory(w, "get", &memory, &parsed)) remember(w, "get", &history, &parsed, true);
        }
        if (w->n_done % 4) continue;
        uint64_t cursor = 0;
        while (cm_next(w->thread, &cursor, &memory, w->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK)
            if (check_memory(w, "iteration", &memory, &parsed)) remember(w, "iteration", &history, &parsed, true);
    }
}

TEST(time_does_not_run_backwards) {
    for (uint32_t round = 0; round < rounds(6); round++) {
        fixture_t f = open_for(4000, 8);
        worker_t filler = {.thread = f.thread};
        for (uint32_t i = 0; i < N_CLOCKS; i++) {
            CHECK_STATUS(put(&filler, "fixed", i, 0), CM_OK);
            plat_store_relaxed(&acknowledged[i], 0);
        }
        shared_t shared = {.store = f.store};
        uint32_t n_reads = run_all(&shared, round, 3, (void (*const[])(worker_t *)){write_in_order, read_in_order, read_in_order});
        CHECK_MSG(n_reads > 0, "no read came between");
        CHECK_EQ_U64(cm_len(f.store), N_CLOCKS);
        close_without_leak(&f);
    }
}

/* ---- the limit --------------------------------------------------------------------------------------------------------------------------------- */

enum { ROOM = 40 };

/* More ids than there is room for; and one of the thread's own, which is there already. */
static void crowd(worker_t *w) {
    uint32_t n_refused = 0;
    for (uint32_t i = 0; i < 1500; i++) {
        uint32_t number = rng_below(&w->rng, 2 * ROOM);
        if (rng_below(&w->rng, 3) == 0) {
            remove_one(w, "crowd", number, false);
        } else {
            cm_status_t status = put(w, "crowd", number, i % VERSIONS);
            EXPECT(w, status == CM_OK || status == CM_E_CAPACITY, "insert: %s", cm_message(w->thread));
            n_refused += status == CM_E_CAPACITY;
        }
        if (i % 8 == 0) EXPECT(w, put(w, "own", w->name, i % VERSIONS) == CM_OK, "replacing was refused: %s", cm_message(w->thread));
        EXPECT(w, cm_len(w->shared->store) <= ROOM, "%u memories, room for %u", (unsigned)cm_len(w->shared->store), ROOM);
    }
    EXPECT(w, n_refused > 0, "no insert was refused");
}

TEST(a_full_store_is_never_overfull) {
    for (uint32_t round = 0; round < rounds(3); round++) {
        cm_config_t config = small_config(DIM);
        config.max_memories = ROOM;
        cm_store_t *store;
        CHECK_STATUS(cmi_store_open(&config, 20000, &store, NULL), CM_OK); /* room for 40, slots for many replacements */
        fixture_t f = fixture_of(store);
        worker_t filler = {.thread = f.thread};
        for (uint32_t i = 0; i < MOST_THREADS; i++) CHECK_STATUS(put(&filler, "own", i, 0), CM_OK);
        shared_t shared = {.store = f.store};
        run_all(&shared, round, MOST_THREADS, (void (*const[])(worker_t *)){crowd, crowd, crowd, crowd});
        CHECK_EQ_U64(cm_len(f.store), MOST_THREADS + count_contained(&f, "crowd", 2 * ROOM));
        close_without_leak(&f);
    }
}

/* ---- beginnings, comings and goings -------------------------------------------------------------------------------------------------------------- */

static void begin(worker_t *w) {
    for (uint32_t i = 0; i < 3; i++)
        EXPECT(w, put(w, "own", w->name, i) == CM_OK && put(w, "fixed", i, w->name) == CM_OK, "insert: %s", cm_message(w->thread));
    remove_one(w, "fixed", w->name, false);
}

/* First node, first entry, first bucket, first context: of all at once. */
TEST(an_empty_store_is_begun_by_many) {
    for (uint32_t round = 0; round < rounds(40); round++) {
        fixture_t f = open_for(100, 4);
        shared_t shared = {.store = f.store};
        run_all(&shared, round, MOST_THREADS, (void (*const[])(worker_t *)){begin, begin, begin, begin});
        CHECK_EQ_U64(cm_len(f.store), MOST_THREADS + count_contained(&f, "fixed", MOST_THREADS));
        close_without_leak(&f);
    }
}

/* A worker that leaves and comes back, its bag of retired blocks always half full. */
static void come_and_go(worker_t *w) {
    for (uint32_t visit = 0; visit < 60; visit++) {
        cm_thread_t *mine = w->thread, *visitor = NULL;
        cm_status_t status = cm_attach(w->shared->store, &visitor);
        EXPECT(w, status == CM_OK, "attach: %d", (int)status);
        if (status != CM_OK) return;
        w->thread = visitor;
        for (uint32_t i = 0; i < 10; i++) {
            uint32_t number = rng_below(&w->rng, N_SHARED);
            EXPECT(w, put(w, "shared", number, visit) == CM_OK, "insert: %s", cm_message(w->thread));
            look_up(w, "shared", rng_below(&w->rng, N_SHARED), false);
            remove_one(w, "shared", rng_below(&w->rng, N_SHARED), false);
        }
        cm_detach(visitor);
        w->thread = mine;
    }
}

TEST(threads_come_and_go) {
    for (uint32_t round = 0; round < rounds(2); round++) {
        cm_config_t config = small_config(DIM);
        config.max_memories = 4000, config.max_threads = 1 + 2 * MOST_THREADS;
        fixture_t f = fixture_open(&config);
        shared_t shared = {.store = f.store};
        run_all(&shared, round, MOST_THREADS, (void (*const[])(worker_t *)){come_and_go, come_and_go, come_and_go, come_and_go});
        CHECK_EQ_U64(cm_len(f.store), count_contained(&f, "shared", N_SHARED));
        close_without_leak(&f);
    }
}

int main(void) {
    RUN(everything_at_once_keeps_every_promise);
    RUN(merging_loses_no_relationship);
    RUN(iteration_sees_nothing_twice_and_misses_nothing);
    RUN(one_search_has_one_hit_of_an_id);
    RUN(two_ids_are_inserted_and_removed_by_many);
    RUN(time_does_not_run_backwards);
    RUN(a_full_store_is_never_overfull);
    RUN(an_empty_store_is_begun_by_many);
    RUN(threads_come_and_go);
    return tap_done();
}
