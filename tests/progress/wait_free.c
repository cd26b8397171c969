/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * wait_free.c - reads take a bounded number of atomic accesses, whatever three writers do meanwhile; the bounds are those of the code, not of the clock.
 *
 *   get, contains, access   walk one bucket's run of the id map, of which every entry is met once: at most READ_FIXED + 3 per entry there is
 *   search                  every slot below the n_slots read at the beginning is expanded once per level it is on and scored once by the graph, and once per node that it has in the
 *                           time lists; an expansion reads the list's places and the state of each member:
 *                           SEARCH_FIXED + n_slots * (levels * 2 * cap0 + SCORE * (1 + nodes))
 *                           where SCORE is what one candidate's record, id map word and posting cost. No compare-and-swap is in it, so nothing is ever repeated.
 *
 * Loose on purpose, and still bounds: a read that retried while it is overtaken would have none.
 */
#include "chronomind.h"
#include "plat_thread.h"
#include "support/tap.h"

#include <stdatomic.h>

#define DIMENSIONS 8u
#define N_IDS 400u
#define N_READS 4000
#define M 8u
#define READ_FIXED 64u
#define SEARCH_FIXED 2000u
#define LEVELS 4u /* 400 memories reach no further */
#define SCORE 24u

static _Thread_local uint64_t n_steps;

void plat_atomic_step(void) {
    n_steps++;
}

static cm_store_t *store;
static atomic_bool is_over;
static atomic_uint n_writes;

static uint32_t random_below(uint64_t *state, uint32_t n) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % n;
}

static void random_vector(uint64_t *state, float *vector) {
    for (uint32_t i = 0; i < DIMENSIONS; i++) vector[i] = (float)random_below(state, 1000) / 500.0f - 1.0f;
}

static void write_one(cm_thread_t *thread, uint64_t *state) {
    char id[16];
    float vector[DIMENSIONS];
    cm_memory_t memory = CM_MEMORY_INIT;
    snprintf(id, sizeof id, "m%u", random_below(state, N_IDS));
    random_vector(state, vector);
    memory.id = (cm_str_t){id, strlen(id)};
    memory.vector = vector;
    memory.dimensions = DIMENSIONS;
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_DECAY_RATE;
    update.decay_rate = (float)(1 + random_below(state, 1000)) / 1000.0f;
    switch (random_below(state, 8)) {
    case 0: cm_insert(thread, &memory); break;
    case 1: cm_remove(thread, memory.id); break;
    default: cm_update(thread, memory.id, &update); break;
    }
    atomic_fetch_add(&n_writes, 1);
}

static void hammer(void *seed) {
    cm_thread_t *thread;
    uint64_t state = (uintptr_t)seed;
    if (cm_attach(store, &thread) != CM_OK) return;
    while (!atomic_load(&is_over)) write_one(thread, &state);
    cm_detach(thread);
}

static uint64_t n_slots_now(cm_thread_t *thread) {
    cm_stats_t stats;
    CHECK_STATUS(cm_stats(thread, &stats), CM_OK);
    return stats.n_slots_used;
}

/* A rate moves: every update leaves another node in the time lists until its grace period; they are among what waits. */
static uint64_t search_bound(cm_thread_t *thread) {
    cm_stats_t stats;
    CHECK_STATUS(cm_stats(thread, &stats), CM_OK);
    uint64_t nodes = stats.n_memories + stats.n_retired + N_IDS;
    return SEARCH_FIXED + stats.n_slots_used * (LEVELS * 2 * 2 * M + SCORE) + SCORE * nodes;
}

TEST(reads_stay_within_their_bounds_while_three_writers_hammer) {
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = DIMENSIONS;
    config.max_memories = 20000;
    config.m = M;
    config.ef_construction = 16;
    CHECK_STATUS(cm_open(&config, &store, NULL), CM_OK);
    cm_thread_t *thread;
    CHECK_STATUS(cm_attach(store, &thread), CM_OK);
    uint64_t state = 99;
    for (uint32_t i = 0; i < 4 * N_IDS; i++) write_one(thread, &state);
    plat_thread_t *writers[3];
    for (uintptr_t i = 0; i < 3; i++) CHECK((writers[i] = plat_thread_spawn(hammer, (void *)(i + 1))) != NULL);

    uint64_t worst_search = 0, worst_get = 0, least_bound = UINT64_MAX;
    for (int i = 0; i < N_READS && n_slots_now(thread) < 18000; i++) {
        float vector[DIMENSIONS];
        cm_hit_t hits[10];
        size_t n;
        random_vector(&state, vector);
        n_steps = 0;
        CHECK_STATUS(cm_search(thread, vector, DIMENSIONS, NULL, hits, &n), CM_OK);
        uint64_t steps = n_steps, bound = search_bound(thread);
        CHECK_MSG(steps <= bound, "search %d took %" PRIu64 " steps, the bound is %" PRIu64, i, steps, bound);
        if (steps > worst_search) worst_search = steps;
        if (bound < least_bound) least_bound = bound;

        char id[16];
        uint8_t buffer[4096];
        cm_memory_t out;
        snprintf(id, sizeof id, "m%u", random_below(&state, N_IDS));
        n_steps = 0;
        cm_get(thread, (cm_str_t){id, strlen(id)}, &out, buffer, sizeof buffer, NULL);
        steps = n_steps;
        CHECK_MSG(steps <= READ_FIXED + 3 * N_IDS, "get %d took %" PRIu64 " steps", i, steps);
        if (steps > worst_get) worst_get = steps;
    }
    atomic_store(&is_over, true);
    for (int i = 0; i < 3; i++) plat_thread_join(writers[i]);
    printf("# %u writes meanwhile; search: at most %" PRIu64 " steps, the bound was never below %" PRIu64 "; get: at most %" PRIu64
           ", bound %u\n",
           atomic_load(&n_writes), worst_search, least_bound, worst_get, READ_FIXED + 3 * N_IDS);
    CHECK(atomic_load(&n_writes) > 5 * N_IDS);
    cm_check_report_t report;
    CHECK_MSG(cm_check(thread, &report) == CM_OK, "%s", cm_message(thread));
    cm_detach(thread);
    CHECK_STATUS(cm_close(store), CM_OK);
}

int main(void) {
    RUN(reads_stay_within_their_bounds_while_three_writers_hammer);
    return tap_done();
}
