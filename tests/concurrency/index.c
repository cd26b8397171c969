/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * index.c - the lock-free graph under threads: inserts, searches and removals at once, then check() and recall.
 *
 * Proves (as far as a stress run can): no torn or dangling result, no orphan, recall kept. The interleavings of the small cases belong to the model rung.
 * CM_TEST_LENGTH=short: a fifth of it, for the thread sanitizer.
 */
#include "chronomind.h"
#include "plat_atomic.h"
#include "plat_thread.h"
#include "support/tap.h"
#include "support/vectors.h"

#define DIM 16u
#define N_THREADS 8u
#define MOST_PER_THREAD 1500u

static uint32_t per_thread = MOST_PER_THREAD;

typedef struct job {
    cm_index_t *index;
    const float *vectors; /* per_thread rows */
    uint32_t *ids;
    uint32_t seed;
    uint32_t n_removed;
    uint32_t n_bad; /* results that no correct index gives */
} job_t;

/* Each thread inserts its vectors, removes a fifth of them again, and searches all the while: 75 % searches. */
static void mixed_work(void *argument) {
    job_t *job = argument;
    rng_t rng = rng_seed(job->seed);
    cm_index_thread_t *thread;
    if (cm_index_attach(job->index, &thread) != CM_OK) {
        job->n_bad++;
        return;
    }
    for (uint32_t i = 0; i < per_thread; i++) {
        job->n_bad += cm_index_insert(thread, job->vectors + i * DIM, DIM, &job->ids[i]) != CM_OK;
        if (i % 5 == 4) {
            job->n_bad += cm_index_remove(thread, job->ids[i - 2]) != CM_OK;
            job->ids[i - 2] = UINT32_MAX;
            job->n_removed++;
        }
        for (int s = 0; s < 3; s++) {
            cm_neighbor_t found[10];
            size_t n;
            uint32_t at = rng_below(&rng, i + 1);
            job->n_bad += cm_index_search(thread, job->vectors + at * DIM, DIM, 10, 40, found, &n) != CM_OK;
            for (size_t j = 0; j < n; j++) {
                job->n_bad += found[j].id >= N_THREADS * per_thread || (j > 0 && found[j].distance < found[j - 1].distance);
                for (size_t l = 0; l < j; l++) job->n_bad += found[l].id == found[j].id;
                if (i % 5 == 4) job->n_bad += job->ids[i - 2] == found[j].id; /* its own removal is visible to the thread */
            }
        }
    }
    cm_index_detach(thread);
}

static void stress(cm_index_kind_t kind, uint32_t m) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.kind = kind, config.dimensions = DIM, config.capacity = N_THREADS * per_thread, config.m = m, config.ef_construction = 60;
    cm_index_t *index;
    CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_OK);
    rng_t rng = rng_seed(m);
    float *vectors = vectors_uniform(&rng, N_THREADS * per_thread, DIM);
    static uint32_t ids[N_THREADS][MOST_PER_THREAD];
    job_t jobs[N_THREADS];
    plat_thread_t *threads[N_THREADS];
    for (uint32_t t = 0; t < N_THREADS; t++) {
        jobs[t] = (job_t){index, vectors + (size_t)t * per_thread * DIM, ids[t], t + 1, 0, 0};
        threads[t] = plat_thread_spawn(mixed_work, &jobs[t]);
        CHECK(threads[t] != NULL);
    }
    uint32_t n_removed = 0;
    for (uint32_t t = 0; t < N_THREADS; t++) {
        plat_thread_join(threads[t]);
        CHECK_EQ_U64(jobs[t].n_bad, 0);
        n_removed += jobs[t].n_removed;
    }
    CHECK_EQ_U64(cm_index_len(index), N_THREADS * per_thread - n_removed);

    cm_index_thread_t *thread;
    cm_check_report_t report;
    CHECK_STATUS(cm_index_attach(index, &thread), CM_OK);
    CHECK_MSG(cm_index_check(thread, &report) == CM_OK, "%s", cm_index_message(thread));
    CHECK_EQ_U64(report.n_unreachable, 0);
    CHECK_EQ_U64(report.n_live, N_THREADS * per_thread - n_removed);
    uint32_t found_itself = 0, n_kept = 0;
    for (uint32_t t = 0; t < N_THREADS; t++)
        for (uint32_t i = 0; i < per_thread; i++) {
            if (ids[t][i] == UINT32_MAX) continue;
            cm_neighbor_t nearest;
            size_t n;
            CHECK_STATUS(cm_index_search(thread, jobs[t].vectors + i * DIM, DIM, 1, 64, &nearest, &n), CM_OK);
            n_kept++;
            found_itself += n == 1 && nearest.id == ids[t][i];
        }
    printf("# M %u: %u of %u vectors found themselves at ef 64 after concurrent inserts\n", m, found_itself, n_kept);
    CHECK((double)found_itself >= (m < 8 ? 0.50 : 0.99) * n_kept);
    cm_index_detach(thread);
    CHECK_STATUS(cm_index_close(index), CM_OK);
    free(vectors);
}

TEST(lockfree_mixed_work_keeps_every_invariant) {
    stress(CM_INDEX_LOCKFREE, 16);
}

/* The smallest lists: every append contends, every list is full, tree edges fill whole lists. */
TEST(lockfree_with_tiny_lists_loses_nobody) {
    stress(CM_INDEX_LOCKFREE, 2);
    stress(CM_INDEX_LOCKFREE, 3);
}

TEST(the_baselines_pass_the_same_stress) {
    stress(CM_INDEX_RWLOCK, 16);
    stress(CM_INDEX_SHARDED, 16);
}

/* The first node: threads race for an empty graph, many times. */
typedef struct first_job {
    cm_index_t *index;
    plat_a32_t *gate;
    uint32_t failed;
} first_job_t;

static void insert_one(void *argument) {
    first_job_t *job = argument;
    cm_index_thread_t *thread;
    float v[2] = {1, (float)(uintptr_t)job->failed};
    uint32_t id;
    if (cm_index_attach(job->index, &thread) != CM_OK) {
        job->failed = 1;
        return;
    }
    plat_fetch_add_relaxed(job->gate, 1);
    for (uint32_t spins = 0; spins < 100000 && plat_load_relaxed(job->gate) < 4; spins++) continue;
    job->failed = cm_index_insert(thread, v, 2, &id) != CM_OK;
    cm_index_detach(thread);
}

TEST(racing_for_the_empty_graph) {
    for (int round = 0; round < 300; round++) {
        cm_index_config_t config = CM_INDEX_CONFIG_INIT;
        config.dimensions = 2, config.capacity = 8, config.max_threads = 8;
        cm_index_t *index;
        CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_OK);
        plat_a32_t gate = 0;
        first_job_t jobs[4];
        plat_thread_t *threads[4];
        for (int t = 0; t < 4; t++) {
            jobs[t] = (first_job_t){index, &gate, 0};
            threads[t] = plat_thread_spawn(insert_one, &jobs[t]);
        }
        for (int t = 0; t < 4; t++) {
            plat_thread_join(threads[t]);
            CHECK_EQ_U64(jobs[t].failed, 0);
        }
        cm_index_thread_t *thread;
        cm_check_report_t report;
        CHECK_STATUS(cm_index_attach(index, &thread), CM_OK);
        CHECK_MSG(cm_index_check(thread, &report) == CM_OK, "%s", cm_index_message(thread));
        CHECK_EQ_U64(report.n_live, 4);
        cm_index_detach(thread);
        CHECK_STATUS(cm_index_close(index), CM_OK);
    }
}

int main(void) {
    const char *length = getenv("CM_TEST_LENGTH");
    if (length && strcmp(length, "short") == 0) per_thread /= 5;
    RUN(lockfree_mixed_work_keeps_every_invariant);
    RUN(lockfree_with_tiny_lists_loses_nobody);
    RUN(the_baselines_pass_the_same_stress);
    RUN(racing_for_the_empty_graph);
    return tap_done();
}
