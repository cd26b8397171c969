/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * histories.c - random histories of 2 to 6 threads: all linearizable, id by id (support/history.h). Both epochs, weak memory and the sanitizers as they are; tests/progress/histories.c has
 * the same ones on fibers, interrupted at every atomic access.
 *
 * A machine that is busy, or small, runs threads one after the other, and then a history shows nothing. So threads give their processor away in the middle of operations: in the distance
 * function of a metric of our own, which inserts and searches call, and in the store's clock, which updates and accesses ask. How many histories overlapped is a gate. CM_TEST_LENGTH=full: ten times as many.
 */
#include "support/histories.h"

#include "plat_thread.h"

#include <pthread.h>
#include <sched.h>

enum { PER_STORE = 50, AT_LEAST_OVERLAPPING = 50 /* per cent */ };

static histories_t all;
static pthread_barrier_t barrier;
static plat_a32_t n_started; /* ever, in this store */
static _Thread_local rng_t dice;

/* ---- giving the processor away -------------------------------------------------------------------------------------------------------- */

static void perhaps_yield(uint32_t one_in) {
    if (dice.state && rng_below(&dice, one_in) == 0) sched_yield();
}

static float yielding_distance(void *context, const float *a, float a_prepared, const float *b, float b_prepared, uint32_t dimensions) {
    float sum = 0;
    (void)context, (void)a_prepared, (void)b_prepared;
    perhaps_yield(16);
    for (uint32_t i = 0; i < dimensions; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static int64_t yielding_clock(void *context) {
    (void)context;
    perhaps_yield(2);
    return NOW_MS;
}

/* ---- threads ---------------------------------------------------------------------------------------------------------------------------- */

typedef struct player {
    plat_thread_t *handle;
    uint32_t name, n;
    uint64_t seed;
} player_t;

/* All are awake before the first begins, or those whom the barrier woke first would be done before the last. */
static void start_together(uint32_t history, uint32_t n) {
    plat_fetch_add_relaxed(&n_started, 1);
    while (plat_load_relaxed(&n_started) < (history + 1) * n) sched_yield(); /* bounded: the others are on their way */
}

static void play(void *argument) {
    player_t *player = argument;
    cm_thread_t *thread = NULL;
    dice = rng_seed(player->seed);
    cm_status_t status = cm_attach(all.store, &thread);
    if (status != CM_OK) histories_fail(&all, "attach", status);
    for (uint32_t i = 0; i < PER_STORE; i++) {
        if (player->name == 0) histories_draw(&all, player->n);
        pthread_barrier_wait(&barrier);
        start_together(i, player->n);
        if (thread) histories_run(&all, thread, player->name);
        pthread_barrier_wait(&barrier);
        if (player->name == 0) histories_judge(&all);
    }
    if (thread) cm_detach(thread);
}

static void one_store(uint32_t number, uint32_t n) {
    player_t players[HISTORIES_MOST_THREADS];
    cm_config_t config = small_config(HISTORIES_DIM);
    config.metric = CM_METRIC_CUSTOM, config.custom.distance = yielding_distance;
    config.clock_ms = yielding_clock;
    fixture_t f = fixture_open(&config);
    all.store = f.store, all.judge = f.thread;
    pthread_barrier_init(&barrier, NULL, n);
    plat_store_relaxed(&n_started, 0);
    for (uint32_t i = 0; i < n; i++) {
        players[i] = (player_t){.name = i, .n = n, .seed = all.seed * 1000003 + number * HISTORIES_MOST_THREADS + i};
        players[i].handle = plat_thread_spawn(play, &players[i]);
    }
    for (uint32_t i = 0; i < n; i++) plat_thread_join(players[i].handle);
    pthread_barrier_destroy(&barrier);
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    fixture_close(&f);
}

TEST(histories_of_threads_are_linearizable) {
    const char *length = getenv("CM_TEST_LENGTH"), *seed = getenv("HISTORIES_SEED");
    uint32_t n = length && strcmp(length, "full") == 0 ? 1000 : 100;
    histories_begin(&all, seed ? strtoull(seed, NULL, 10) : 1990);
    for (uint32_t i = 0; i < n && all.n_wrong < 10; i++) one_store(i, 2 + i % 5);
    histories_report(&all, "threads");
    CHECK_MSG(100 * all.n_overlapping >= AT_LEAST_OVERLAPPING * all.n_histories, "fewer than %u %% overlapped", AT_LEAST_OVERLAPPING);
}

int main(void) {
    RUN(histories_of_threads_are_linearizable);
    return tap_done();
}
