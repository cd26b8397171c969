/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * overtaken.c - an insert that is put aside while the graph grows many times over: its vector is found like any other.
 *
 * What such an insert knew when it searched is a small part of the graph when it links. Its neighbours of then have full lists of nearer ones by now, and refuse it: what hangs on the tree
 * alone is reachable, and no search that walks towards it comes by. Several threads on one core do this to each other in the first milliseconds of a graph.
 */
#include "chronomind.h"
#include "support/fibers.h"
#include "support/tap.h"
#include "support/vectors.h"

#define DIMENSIONS 12u
#define BEFORE 40u
#define MEANWHILE 1200u
#define POINTS 48u /* spread over the steps of the insert */
#define EF 16u     /* 64 would look at 256 of these nodes (beam.h), and find even what is badly linked */

void plat_atomic_step(void) {
    if (running_fiber) fiber_step();
}

typedef struct slow {
    cm_index_thread_t *thread;
    const float *vector;
    uint32_t id;
    cm_status_t status;
} slow_t;

static void insert_slowly(void *argument) {
    slow_t *slow = argument;
    slow->status = cm_index_insert(slow->thread, slow->vector, DIMENSIONS, &slow->id);
}

static void insert_some(cm_index_thread_t *thread, const float *vectors, uint32_t n) {
    uint32_t id;
    for (uint32_t i = 0; i < n; i++) CHECK_STATUS(cm_index_insert(thread, vectors + i * DIMENSIONS, DIMENSIONS, &id), CM_OK);
}

static bool finds(cm_index_thread_t *thread, const float *vector, uint32_t id) {
    cm_neighbor_t found;
    size_t n = 0;
    CHECK_STATUS(cm_index_search(thread, vector, DIMENSIONS, 1, EF, &found, &n), CM_OK);
    return n == 1 && found.id == id;
}

/* Freezes an insert before step `at` while MEANWHILE others come. Whether its vector is found afterwards; *n_steps says how many it took. */
static bool found_after_freeze_at(uint64_t at, const float *vectors, uint64_t *n_steps) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    config.dimensions = DIMENSIONS, config.capacity = BEFORE + MEANWHILE + 1;
    cm_index_t *index;
    cm_index_thread_t *quick;
    slow_t slow = {.vector = vectors + (BEFORE + MEANWHILE) * DIMENSIONS};
    fiber_t fiber;
    CHECK_STATUS(cm_index_open(&config, &index, NULL), CM_OK);
    CHECK_STATUS(cm_index_attach(index, &quick), CM_OK);
    CHECK_STATUS(cm_index_attach(index, &slow.thread), CM_OK);
    insert_some(quick, vectors, BEFORE);
    fiber_open(&fiber, insert_slowly, &slow);
    fiber_run(&fiber, at);
    insert_some(quick, vectors + BEFORE * DIMENSIONS, MEANWHILE);
    if (!fiber.ended) CHECK(fiber_run(&fiber, 0));
    CHECK_STATUS(slow.status, CM_OK);
    bool found = finds(quick, slow.vector, slow.id);
    cm_check_report_t report;
    CHECK_MSG(cm_index_check(quick, &report) == CM_OK, "%s", cm_index_message(quick));
    CHECK_EQ_U64(report.n_unreachable, 0);
    *n_steps = fiber.n_steps;
    fiber_close(&fiber);
    cm_index_detach(slow.thread);
    cm_index_detach(quick);
    CHECK_STATUS(cm_index_close(index), CM_OK);
    return found;
}

TEST(an_insert_that_thousands_overtake_is_found) {
    rng_t rng = rng_seed(735);
    float *vectors = vectors_uniform(&rng, BEFORE + MEANWHILE + 1, DIMENSIONS);
    uint64_t n_steps, n_ignored;
    uint32_t n_lost = 0;
    CHECK(found_after_freeze_at(0, vectors, &n_steps)); /* undisturbed */
    for (uint32_t i = 0; i < POINTS; i++) {
        uint64_t at = 1 + i * (n_steps - 1) / (POINTS - 1);
        if (found_after_freeze_at(at, vectors, &n_ignored)) continue;
        printf("# frozen before step %" PRIu64 " of %" PRIu64 ": not found\n", at, n_steps);
        n_lost++;
    }
    printf("# overtaken by %u others at %u of its %" PRIu64 " steps: %u times not found\n", MEANWHILE, POINTS, n_steps, n_lost);
    CHECK_EQ_U64(n_lost, 0);
    free(vectors);
}

int main(void) {
    RUN(an_insert_that_thousands_overtake_is_found);
    return tap_done();
}
