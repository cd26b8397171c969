/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * stress.c - everything together, by 16 threads:
 *   - 104,000 operations, three quarters of them searches: every hit whole, sorted and once; afterwards recall@10 of at least .90 against a scan of the survivors of our own;
 *   - wars over a handful of ids: inserted, removed and inserted again by everybody, each memory whole whoever wins;
 *   - storms of threads that come and go, more of them than there are slots: CM_E_THREADS and nothing else, no slot given to two, no bag of garbage lost.
 *
 * In the end check() finds nothing and every block has come back. Bounded by counts of operations, never by time. CM_TEST_LENGTH=full: thirty times as much; under the
 * thread sanitizer a quarter of the first.
 */
#include "support/crowd.h"
#include "support/strings.h"

enum { DIM = 16, N_THREADS = 16, OPERATIONS = 6500 / CROWD_ONE_IN /* of each */, N_AT_FIRST = 2000, N_IDS = 9000 };

static uint64_t rounds(void) {
    return crowd_long() ? 30 : 1;
}

/* ---- memories of which everything follows from id and version ------------------------------------------------------------------------------ */

typedef struct text {
    char id[24], text[40], context[8];
} text_t;

static cm_str_t id_of(text_t *text, uint32_t number) {
    return (cm_str_t){text->id, (size_t)snprintf(text->id, sizeof text->id, "m-%u", number)};
}

static cm_status_t put(cm_thread_t *thread, uint32_t number, uint32_t version) {
    text_t text;
    float vector[DIM];
    cm_memory_t memory = CM_MEMORY_INIT;
    vector_of(number, version, DIM, vector);
    memory.id = id_of(&text, number), memory.vector = vector, memory.dimensions = DIM;
    memory.context = (cm_str_t){text.context, (size_t)snprintf(text.context, sizeof text.context, "c%u", number % 5)};
    memory.text = (cm_str_t){text.text, (size_t)snprintf(text.text, sizeof text.text, "m-%u, version %u", number, version)};
    memory.relationships = &memory.id, memory.n_relationships = 1;
    memory.created_ms = NOW_MS - (int64_t)version * 1000;
    return cm_insert(thread, &memory);
}

/* Text, vector and time of one version of this id. */
static bool is_whole(cm_str_t id, cm_str_t seen, const float *vector, int64_t created_ms) {
    text_t text;
    float expected[DIM];
    uint32_t number = number_behind(id, 2), version = (uint32_t)((NOW_MS - created_ms) / 1000);
    vector_of(number, version, DIM, expected);
    cm_str_t right = {text.text, (size_t)snprintf(text.text, sizeof text.text, "m-%u, version %u", number, version)};
    return number < N_IDS && same_str(seen, right) && memcmp(vector, expected, sizeof expected) == 0;
}

/* ---- mixed operations ----------------------------------------------------------------------------------------------------------------------- */

static void look_at_hits(worker_t *w, const cm_hit_t *hits, size_t n) {
    uint32_t numbers[20];
    for (size_t i = 0; i < n; i++) {
        cmi_memory_view_t view;
        cmi_store_view(w->crowd->store, hits[i].slot, &view);
        numbers[i] = number_behind(view.id, 2);
        EXPECT(w, is_whole(view.id, view.text, view.row, view.created_ms), "a hit is not whole: %.*s", (int)view.id.len, view.id.data);
        EXPECT(w, i == 0 || hits[i - 1].score <= hits[i].score, "hit %u is better than hit %u", (unsigned)i, (unsigned)i - 1);
        for (size_t j = 0; j < i; j++) EXPECT(w, numbers[j] != numbers[i], "two hits are m-%u", numbers[i]);
    }
}

static void search(worker_t *w) {
    static const float weights[] = {0, 0, 0.3f, 1};
    float query[DIM];
    cm_hit_t hits[20];
    size_t n = 0;
    cm_search_t options = CM_SEARCH_INIT;
    vector_of(rng_below(&w->rng, N_IDS), 1u << 20, DIM, query);
    options.k = 1 + rng_below(&w->rng, 20), options.temporal_weight = weights[rng_below(&w->rng, 4)];
    if (rng_below(&w->rng, 8) == 0) options.context = CM_STR("c3");
    cmi_thread_pin(w->thread); /* so that hits can be looked at in place */
    cm_status_t status = cm_search(w->thread, query, DIM, &options, hits, &n);
    EXPECT(w, status == CM_OK, "search: %s", cm_message(w->thread));
    w->n_refused += n == 0; /* all candidates were replaced, in three attempts: only if it is put off for long in each */
    look_at_hits(w, hits, n);
    cmi_thread_unpin(w->thread);
}

/* One in twenty: a removal, or a change in place. */
static void change(worker_t *w) {
    text_t text;
    cm_memory_t memory;
    uint32_t number = rng_below(&w->rng, N_IDS), dice = rng_below(&w->rng, 5);
    cm_str_t id = id_of(&text, number);
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_IMPORTANCE | CM_UPDATE_METADATA | CM_UPDATE_CONTEXT, update.importance = (float)rng_below(&w->rng, 9) / 8;
    update.metadata = id, update.context = CM_STR("c9");
    cm_status_t status = dice < 2    ? cm_remove(w->thread, id)
                         : dice == 2 ? cm_access(w->thread, id, NOW_MS, &memory, w->buffer, sizeof w->buffer, NULL)
                         : dice == 3 ? cm_update(w->thread, id, &update)
                                     : cm_relate(w->thread, id, CM_STR("everybody"));
    EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "change %u: %s", dice, cm_message(w->thread));
    if (dice == 2 && status == CM_OK)
        EXPECT(w, is_whole(memory.id, memory.text, memory.vector, memory.created_ms), "m-%u is not whole", number);
}

static void everything(worker_t *w) {
    for (uint32_t i = 0; i < OPERATIONS; i++, w->n_done++) {
        uint32_t dice = rng_below(&w->rng, 100), number = rng_below(&w->rng, N_IDS);
        if (dice < 75) search(w);
        else if (dice < 95) EXPECT(w, put(w->thread, number, i % 1000) == CM_OK, "insert: %s", cm_message(w->thread));
        else change(w);
    }
}

/* ---- recall ------------------------------------------------------------------------------------------------------------------------------------ */

enum { N_QUERIES = 200, K = 10 };

/* The distance of the k-th nearest of n vectors, by a scan that owes the library nothing. Squared distances. */
static float kth_distance(const float *query, const float *vectors, uint32_t n) {
    float nearest[K];
    uint32_t n_nearest = 0;
    for (uint32_t i = 0; i < n; i++) {
        float sum = 0;
        for (uint32_t d = 0; d < DIM; d++) sum += (query[d] - vectors[i * DIM + d]) * (query[d] - vectors[i * DIM + d]);
        if (n_nearest == K && sum >= nearest[K - 1]) continue;
        uint32_t at = n_nearest < K ? n_nearest++ : K - 1;
        for (; at > 0 && nearest[at - 1] > sum; at--) nearest[at] = nearest[at - 1];
        nearest[at] = sum;
    }
    return nearest[K - 1];
}

static float *survivors(fixture_t *f, uint32_t *n) {
    float *out = malloc(cm_len(f->store) * DIM * sizeof *out);
    cm_memory_t memory;
    *n = 0;
    for (uint64_t cursor = 0; cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK; ++*n) {
        CHECK(is_whole(memory.id, memory.text, memory.vector, memory.created_ms));
        memcpy(out + (size_t)*n * DIM, memory.vector, DIM * sizeof(float));
    }
    return out;
}

static void check_recall(fixture_t *f) {
    uint32_t n, n_found = 0, n_by_graph = 0;
    float *vectors = survivors(f, &n);
    for (uint32_t q = 0; q < N_QUERIES; q++) {
        float query[DIM];
        cm_hit_t hits[K];
        size_t n_hits = 0;
        cm_search_report_t report;
        cm_search_t options = CM_SEARCH_INIT;
        options.temporal_weight = 0;
        vector_of(q, 1u << 21, DIM, query);
        CHECK_STATUS(cm_search(f->thread, query, DIM, &options, hits, &n_hits), CM_OK);
        cm_last_search(f->thread, &report);
        n_by_graph += report.strategy == CM_STRATEGY_GRAPH;
        float limit = kth_distance(query, vectors, n) * 1.00001f; /* the library adds in another order */
        for (size_t i = 0; i < n_hits; i++) n_found += hits[i].distance <= limit;
    }
    double recall = (double)n_found / (N_QUERIES * K);
    printf("# recall@10 over %u survivors: %.4f (gate .90), %u of %u searches by graph\n", n, recall, n_by_graph, N_QUERIES);
    CHECK_MSG(recall >= 0.90, "recall %.4f < .90", recall);
    CHECK_EQ_U64(n_by_graph, N_QUERIES);
    free(vectors);
}

static void (*everybody_does_everything(uint32_t name))(worker_t *) {
    (void)name;
    return everything;
}

static fixture_t open_store(uint32_t max_memories, uint32_t max_threads) {
    cm_config_t config = small_config(DIM);
    config.max_memories = max_memories, config.max_threads = max_threads;
    config.m = 12, config.ef_construction = 64, config.metric = CM_METRIC_L2SQ;
    return fixture_open(&config);
}

TEST(sixteen_threads_do_everything) {
    for (uint32_t round = 0; round < rounds(); round++) {
        uint64_t n_refused;
        fixture_t f = open_store(18000, N_THREADS + 1);
        crowd_t crowd = {.store = f.store};
        for (uint32_t i = 0; i < N_AT_FIRST; i++) CHECK_STATUS(put(f.thread, i * 4, 0), CM_OK);
        uint64_t n = crowd_run(&crowd, round, N_THREADS, everybody_does_everything, &n_refused);
        printf("# seed %u: %llu operations by %u threads\n", round, (unsigned long long)n, (unsigned)N_THREADS);
        CHECK_EQ_U64(n, (uint64_t)N_THREADS * OPERATIONS);
        CHECK_MSG(n_refused * 10000 <= n, "%llu searches found nothing", (unsigned long long)n_refused);
        crowd_check(&f);
        check_recall(&f);
        crowd_close_without_leak(&f);
    }
}

/* ---- wars ---------------------------------------------------------------------------------------------------------------------------------------- */

enum { N_FOUGHT_OVER = 5, BATTLES = 500 };

static plat_a64_t n_won[2]; /* inserts, removals that succeeded */

static void fight(worker_t *w) {
    text_t text;
    cm_memory_t memory;
    for (uint32_t i = 0; i < BATTLES; i++, w->n_done++) {
        uint32_t number = rng_below(&w->rng, N_FOUGHT_OVER), dice = rng_below(&w->rng, 10);
        cm_str_t id = id_of(&text, number);
        cm_status_t status = dice < 4   ? put(w->thread, number, w->name * BATTLES + i)
                             : dice < 8 ? cm_remove(w->thread, id)
                                        : cm_get(w->thread, id, &memory, w->buffer, sizeof w->buffer, NULL);
        EXPECT(w, status == CM_OK || (dice >= 4 && status == CM_E_NOT_FOUND), "battle %u: %s", dice, cm_message(w->thread));
        if (dice >= 8 && status == CM_OK)
            EXPECT(w, is_whole(memory.id, memory.text, memory.vector, memory.created_ms), "m-%u is not whole", number);
        if (dice < 8 && status == CM_OK) plat_fetch_add_relaxed(&n_won[dice >= 4], 1);
    }
}

static void (*everybody_fights(uint32_t name))(worker_t *) {
    (void)name;
    return fight;
}

TEST(wars_over_few_ids_leave_the_store_whole) {
    for (uint32_t round = 0; round < rounds(); round++) {
        uint64_t n_refused, n_there = 0;
        text_t text;
        fixture_t f = open_store(3000, N_THREADS + 1);
        crowd_t crowd = {.store = f.store};
        plat_store_relaxed(&n_won[0], 0), plat_store_relaxed(&n_won[1], 0);
        uint64_t n = crowd_run(&crowd, round, N_THREADS, everybody_fights, &n_refused);
        uint64_t n_inserted = plat_load_relaxed(&n_won[0]), n_removed = plat_load_relaxed(&n_won[1]);
        for (uint32_t i = 0; i < N_FOUGHT_OVER; i++) n_there += cm_contains(f.thread, id_of(&text, i));
        CHECK_EQ_U64(n_there, cm_len(f.store));
        CHECK(n_removed + n_there <= n_inserted && n_removed > 0); /* the rest was replaced */
        printf("# seed %u: %llu operations, %llu inserts, %llu removals, %llu there\n", round, (unsigned long long)n,
               (unsigned long long)n_inserted, (unsigned long long)n_removed, (unsigned long long)n_there);
        crowd_close_without_leak(&f);
    }
}

/* ---- storms --------------------------------------------------------------------------------------------------------------------------------------- */

enum { N_SLOTS = 6, VISITS = 150, N_STAY = 50 };

static plat_a32_t holders[N_SLOTS + 1]; /* of each thread slot: at most one */

static void visit(worker_t *w, cm_thread_t *visitor, uint32_t number) {
    text_t text;
    float query[DIM];
    cm_hit_t hits[N_STAY];
    size_t n = 0;
    uint32_t slot = cm_thread_slot(visitor), id = N_STAY + rng_below(&w->rng, 40);
    EXPECT(w, slot <= N_SLOTS && plat_fetch_add_relaxed(&holders[slot], 1) == 0, "slot %u is held by two", slot);
    cm_search_t options = CM_SEARCH_INIT;
    options.k = 5;
    vector_of(number, 1, DIM, query);
    EXPECT(w, put(visitor, id, number) == CM_OK, "insert: %s", cm_message(visitor));
    if (number % 3 == 0) sched_yield(); /* so that others come, and are refused */
    EXPECT(w, cm_search(visitor, query, DIM, &options, hits, &n) == CM_OK && n > 0, "search: %u hits", (unsigned)n);
    cm_status_t status = cm_remove(visitor, id_of(&text, id));
    EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "remove: %s", cm_message(visitor));
    plat_fetch_sub_relaxed(&holders[slot], 1);
}

static void come_and_go(worker_t *w) {
    for (uint32_t i = 0; i < VISITS; i++) {
        cm_thread_t *visitor = NULL;
        cm_status_t status = cm_attach(w->crowd->store, &visitor);
        EXPECT(w, status == CM_OK || status == CM_E_THREADS, "attach: %d", (int)status);
        EXPECT(w, (status == CM_OK) == (visitor != NULL), "attach: %d, and %p", (int)status, (void *)visitor);
        w->n_done += status == CM_OK, w->n_refused += status == CM_E_THREADS;
        if (status != CM_OK) {
            sched_yield();
            continue;
        }
        visit(w, visitor, i);
        cm_detach(visitor);
    }
}

static void (*everybody_comes_and_goes(uint32_t name))(worker_t *) {
    (void)name;
    return come_and_go;
}

TEST(storms_of_threads_that_come_and_go) {
    for (uint32_t round = 0; round < rounds(); round++) {
        uint64_t n_refused;
        text_t text;
        fixture_t f = open_store(4000, N_SLOTS + 1); /* one for ourselves */
        crowd_t crowd = {.store = f.store, .attach_yourself = true};
        for (uint32_t i = 0; i < N_STAY; i++) CHECK_STATUS(put(f.thread, i, 1), CM_OK);
        uint64_t n = crowd_run(&crowd, round, N_THREADS, everybody_comes_and_goes, &n_refused);
        CHECK_EQ_U64(n + n_refused, (uint64_t)N_THREADS * VISITS);
        CHECK(n > 0);
        for (uint32_t i = 0; i < N_STAY; i++) CHECK(cm_contains(f.thread, id_of(&text, i)));
        printf("# seed %u: %llu visits, %llu refused (%u threads, %u slots)\n", round, (unsigned long long)n, (unsigned long long)n_refused,
               (unsigned)N_THREADS, (unsigned)N_SLOTS);
        crowd_close_without_leak(&f);
    }
}

/* What a storm meets by chance only: every slot is taken, one more is refused, a slot that was given back is good again. */
TEST(one_thread_too_many_is_refused) {
    cm_thread_t *threads[N_SLOTS], *more = (cm_thread_t *)threads;
    fixture_t f = open_store(100, N_SLOTS + 1);
    for (uint32_t i = 0; i < N_SLOTS; i++) CHECK_STATUS(cm_attach(f.store, &threads[i]), CM_OK);
    for (uint32_t i = 0; i < 50; i++) {
        CHECK_STATUS(cm_attach(f.store, &more), CM_E_THREADS);
        CHECK(!more);
        CHECK_STATUS(cm_close(f.store), CM_E_BUSY);
        uint32_t given = cm_thread_slot(threads[i % N_SLOTS]);
        cm_detach(threads[i % N_SLOTS]);
        CHECK_STATUS(cm_attach(f.store, &threads[i % N_SLOTS]), CM_OK);
        CHECK_EQ_U64(cm_thread_slot(threads[i % N_SLOTS]), given);
        CHECK_STATUS(put(threads[i % N_SLOTS], i, 1), CM_OK);
    }
    for (uint32_t i = 0; i < N_SLOTS; i++) cm_detach(threads[i]);
    crowd_close_without_leak(&f);
}

int main(void) {
    RUN(sixteen_threads_do_everything);
    RUN(wars_over_few_ids_leave_the_store_whole);
    RUN(storms_of_threads_that_come_and_go);
    RUN(one_thread_too_many_is_refused);
    return tap_done();
}
