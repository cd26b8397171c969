/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * churn.c - recall while the store changes. 4,000 memories stay; writers insert, replace and remove others among them all the time, until the graph holds more dead nodes than living ones; readers measure
 * recall@10 before, meanwhile and after, each at least .90.
 *
 * What is measured: the truth is found before, by a scan of our own, over those that stay; and an answer owes every one of them that is nearer than its last hit. What comes and goes may take places
 * in the answer, and is neither found nor missed. A miss lets something farther in, so this is never more than the recall among everything.
 *
 * Readers and writers wait for each other's share of the work, so that searches run through the whole of the churn on any machine. CM_TEST_LENGTH=full: thirty rounds.
 */
#include "support/crowd.h"

enum {
    DIM = 32,
    N_STAY = 4000,
    N_COME = 4200, /* ids of those that come and go */
    N_WRITERS = 3,
    N_READERS = 2,
    CHANGES = 7000,  /* of each writer */
    SEARCHES = 2000, /* of each reader */
    N_QUERIES = 250,
    K = 10,
    N_TRUTH = 100 /* nearest of those that stay, known of each query */
};

static float *stay, *come, *queries;
static uint32_t truth[N_QUERIES][N_TRUTH];
static float truth_distance[N_QUERIES][N_TRUTH];

/* ---- truth --------------------------------------------------------------------------------------------------------------------------------- */

static float distance_of(const float *a, const float *b) {
    float sum = 0;
    for (uint32_t d = 0; d < DIM; d++) sum += (a[d] - b[d]) * (a[d] - b[d]);
    return sum;
}

static void find_truth(uint32_t q) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < N_STAY; i++) {
        float distance = distance_of(queries + (size_t)q * DIM, stay + (size_t)i * DIM);
        if (n == N_TRUTH && distance >= truth_distance[q][n - 1]) continue;
        uint32_t at = n < N_TRUTH ? n++ : N_TRUTH - 1;
        for (; at > 0 && truth_distance[q][at - 1] > distance; at--)
            truth[q][at] = truth[q][at - 1], truth_distance[q][at] = truth_distance[q][at - 1];
        truth[q][at] = i, truth_distance[q][at] = distance;
    }
}

/* ---- memories: the time of creation is the number of those that stay, and in the future for the others --------------------------------------------- */

static cm_status_t put(cm_thread_t *thread, const char *kind, uint32_t number, const float *vector, int64_t created_ms) {
    char id[32];
    cm_memory_t memory = CM_MEMORY_INIT;
    memory.id = (cm_str_t){id, (size_t)snprintf(id, sizeof id, "%s-%u", kind, number)};
    memory.vector = vector, memory.dimensions = DIM, memory.created_ms = created_ms;
    return cm_insert(thread, &memory);
}

static void change(worker_t *w) {
    char id[32];
    uint32_t number = rng_below(&w->rng, N_COME / N_WRITERS) * N_WRITERS + w->name; /* its own: how many there are stays the same */
    cm_status_t status = CM_OK;
    if (rng_below(&w->rng, 2))
        status = put(w->thread, "come", number, come + (size_t)(rng_next(&w->rng) % (2 * N_COME)) * DIM, NOW_MS + (int64_t)w->n_done);
    else status = cm_remove(w->thread, (cm_str_t){id, (size_t)snprintf(id, sizeof id, "come-%u", number)});
    EXPECT(w, status == CM_OK || status == CM_E_NOT_FOUND, "change: %s", cm_message(w->thread));
}

/* ---- recall --------------------------------------------------------------------------------------------------------------------------------------- */

typedef struct measure {
    uint64_t n_found, n_missed, n_places_taken, n_searches;
} measure_t;

static bool is_hit(const cm_hit_t *hits, size_t n, uint32_t number) {
    for (size_t i = 0; i < n; i++)
        if (hits[i].created_ms == (int64_t)number) return true;
    return false;
}

/* False when the search failed. */
static bool measure(cm_thread_t *thread, uint32_t q, measure_t *m) {
    cm_hit_t hits[K];
    size_t n = 0;
    cm_search_t options = CM_SEARCH_INIT;
    cm_search_report_t report;
    options.temporal_weight = 0;
    cm_status_t status = cm_search(thread, queries + (size_t)q * DIM, DIM, &options, hits, &n);
    cm_last_search(thread, &report);
    if (status != CM_OK || n != K || report.strategy != CM_STRATEGY_GRAPH) return false;
    for (size_t i = 0; i < n; i++) m->n_places_taken += hits[i].created_ms >= NOW_MS;
    float limit = hits[n - 1].distance * 0.99999f; /* the library adds in another order */
    for (uint32_t i = 0; i < N_TRUTH && truth_distance[q][i] < limit; i++) {
        bool found = is_hit(hits, n, truth[q][i]);
        m->n_found += found, m->n_missed += !found;
    }
    m->n_searches++;
    return true;
}

static double recall_of(const measure_t *m) {
    return (double)m->n_found / (double)(m->n_found + m->n_missed);
}

static void gate(const char *when, const measure_t *m) {
    printf("# %s: recall@10 %.4f (gate .90), %llu searches, %.1f of 10 places taken by what comes and goes\n", when, recall_of(m),
           (unsigned long long)m->n_searches, (double)m->n_places_taken / (double)m->n_searches);
    CHECK_MSG(recall_of(m) >= 0.90, "recall %s: %.4f < .90", when, recall_of(m));
    CHECK(m->n_found + m->n_missed >= m->n_searches); /* otherwise next to nothing was measured */
}

static void measure_all(fixture_t *f, const char *when) {
    measure_t m = {0};
    for (uint32_t q = 0; q < N_QUERIES; q++) CHECK(measure(f->thread, q, &m));
    gate(when, &m);
}

/* ---- readers and writers ---------------------------------------------------------------------------------------------------------------------------- */

static plat_a64_t n_changes, n_searches; /* by all */
static measure_t measured[N_READERS][4]; /* in each quarter of the churn */

/* Until the others have done as large a share of their work, but for a hundredth. Bounded: one of the two is behind. */
static void keep_pace(uint64_t mine, uint64_t mine_at_all, plat_a64_t *theirs, uint64_t theirs_at_all) {
    while ((plat_load_relaxed(theirs) + theirs_at_all / 100) * mine_at_all < mine * theirs_at_all) sched_yield();
}

static void write_on(worker_t *w) {
    for (; w->n_done < CHANGES; w->n_done++) {
        change(w);
        uint64_t mine = plat_fetch_add_relaxed(&n_changes, 1);
        keep_pace(mine, N_WRITERS * CHANGES, &n_searches, N_READERS * SEARCHES);
    }
}

static void read_on(worker_t *w) {
    for (; w->n_done < SEARCHES; w->n_done++) {
        uint64_t mine = plat_fetch_add_relaxed(&n_searches, 1);
        keep_pace(mine, N_READERS * SEARCHES, &n_changes, N_WRITERS * CHANGES);
        uint64_t quarter = plat_load_relaxed(&n_changes) * 4 / (N_WRITERS * CHANGES + 1);
        bool answered = measure(w->thread, rng_below(&w->rng, N_QUERIES), &measured[w->name - N_WRITERS][quarter]);
        EXPECT(w, answered, "search: \"%s\"", cm_message(w->thread));
    }
}

static void (*role_of(uint32_t name))(worker_t *) {
    return name < N_WRITERS ? write_on : read_on;
}

static void gates_meanwhile(void) {
    for (uint32_t quarter = 0; quarter < 4; quarter++) {
        static const char *const when[] = {"first quarter", "second quarter", "third quarter", "last quarter"};
        measure_t m = {0};
        for (uint32_t r = 0; r < N_READERS; r++) {
            const measure_t *of = &measured[r][quarter];
            m.n_found += of->n_found, m.n_missed += of->n_missed, m.n_places_taken += of->n_places_taken, m.n_searches += of->n_searches;
        }
        CHECK_MSG(m.n_searches >= N_READERS * SEARCHES / 8, "only %llu searches in the %s", (unsigned long long)m.n_searches,
                  when[quarter]);
        if (m.n_searches > 0) gate(when[quarter], &m);
    }
}

/* ---- the whole ----------------------------------------------------------------------------------------------------------------------------------------- */

static fixture_t fill_store(void) {
    cm_config_t config = small_config(DIM);
    config.max_memories = 12000, config.max_threads = N_WRITERS + N_READERS + 1;
    config.m = 16, config.ef_construction = 100, config.metric = CM_METRIC_L2SQ;
    fixture_t f = fixture_open(&config);
    for (uint32_t i = 0; i < N_STAY; i++) {
        CHECK_STATUS(put(f.thread, "stay", i, stay + (size_t)i * DIM, i), CM_OK);
        if (i % 2 == 0) CHECK_STATUS(put(f.thread, "come", i, come + (size_t)i * DIM, NOW_MS), CM_OK);
    }
    return f;
}

static void one_round(uint32_t seed) {
    uint64_t n_refused;
    rng_t rng = rng_seed(seed);
    stay = vectors_uniform(&rng, N_STAY, DIM), come = vectors_uniform(&rng, 2 * N_COME, DIM);
    queries = vectors_uniform(&rng, N_QUERIES, DIM);
    for (uint32_t q = 0; q < N_QUERIES; q++) find_truth(q);
    fixture_t f = fill_store();
    crowd_t crowd = {.store = f.store};
    plat_store_relaxed(&n_changes, 0), plat_store_relaxed(&n_searches, 0);
    memset(measured, 0, sizeof measured);
    printf("# seed %u\n", seed);
    measure_all(&f, "before");
    crowd_run(&crowd, seed, N_WRITERS + N_READERS, role_of, &n_refused);
    gates_meanwhile();
    measure_all(&f, "after");
    cm_check_report_t report;
    CHECK_MSG(cm_check(f.thread, &report) == CM_OK, "%s", cm_message(f.thread));
    printf("# %llu living nodes, %llu dead\n", (unsigned long long)report.n_live, (unsigned long long)report.n_dead);
    CHECK(report.n_dead > report.n_live);
    crowd_close_without_leak(&f);
    free(stay), free(come), free(queries);
}

TEST(recall_stays_while_others_come_and_go) {
    for (uint32_t round = 0; round < (crowd_long() ? 30 : 1); round++) one_round(424242 + round);
}

int main(void) {
    RUN(recall_stays_while_others_come_and_go);
    return tap_done();
}
