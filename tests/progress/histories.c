/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * histories.c - random histories of 2 to 6 threads that take turns at any of their atomic accesses: all linearizable, id by id (support/history.h).
 *
 * Threads are fibers, and chance decides who goes on for how many steps: operations really are in the middle of each other, on however few processors and however busy they are, and a
 * seed is the same histories again. tests/concurrency/histories.c runs the same ones on real threads. CM_TEST_LENGTH=full: ten times as many. HISTORIES_SEED=n: another seed.
 */
#include "support/fibers.h"
#include "support/histories.h"

enum { PER_STORE = 10, AT_LEAST_OVERLAPPING = 90 /* per cent */ };

void plat_atomic_step(void) {
    if (running_fiber) fiber_step();
}

typedef struct player {
    histories_t *all;
    cm_thread_t *thread;
    uint32_t name;
} player_t;

static histories_t all;

static void play(void *argument) {
    player_t *player = argument;
    histories_run(player->all, player->thread, player->name);
}

/* Who may go on: whoever does not sleep; when all do, anybody. */
static uint32_t next_turn(const fiber_t *fibers, const uint64_t *sleeps_until, uint32_t n) {
    uint32_t awake[HISTORIES_MOST_THREADS], left[HISTORIES_MOST_THREADS], n_awake = 0, n_left = 0;
    for (uint32_t i = 0; i < n; i++) {
        if (fibers[i].ended) continue;
        left[n_left++] = i;
        if (sleeps_until[i] <= plat_load_relaxed(&all.moment)) awake[n_awake++] = i;
    }
    return n_awake > 0 ? awake[rng_below(&all.rng, n_awake)] : left[rng_below(&all.rng, n_left)];
}

/* Short turns reach into the middle of operations; whoever is interrupted there may sleep until others have begun and ended some of theirs. Each history has a length of turns and of sleep
 * of its own: what makes one race likely makes another one impossible. */
static void take_turns(fiber_t *fibers, uint32_t n) {
    static const uint32_t lengths[] = {4, 16, 64, 256};
    uint64_t sleeps_until[HISTORIES_MOST_THREADS] = {0};
    uint32_t length = lengths[rng_below(&all.rng, 4)], sleep = rng_below(&all.rng, 12);
    for (uint32_t n_left = n; n_left > 0;) { /* bounded: operations end */
        uint32_t i = next_turn(fibers, sleeps_until, n);
        if (fiber_run(&fibers[i], fibers[i].n_steps + 1 + rng_below(&all.rng, length))) n_left--;
        sleeps_until[i] = plat_load_relaxed(&all.moment) + rng_below(&all.rng, 1 + sleep);
    }
}

static void one_history(player_t *players, uint32_t n) {
    fiber_t fibers[HISTORIES_MOST_THREADS];
    histories_draw(&all, n);
    for (uint32_t i = 0; i < n; i++) fiber_open(&fibers[i], play, &players[i]);
    take_turns(fibers, n);
    for (uint32_t i = 0; i < n; i++) fiber_close(&fibers[i]);
    histories_judge(&all);
}

static void one_store(uint32_t n) {
    player_t players[HISTORIES_MOST_THREADS];
    cm_config_t config = small_config(HISTORIES_DIM);
    config.max_memories = 2000;
    fixture_t f = fixture_open(&config);
    all.store = f.store, all.judge = f.thread;
    for (uint32_t i = 0; i < n; i++) {
        players[i] = (player_t){.all = &all, .name = i};
        CHECK_STATUS(cm_attach(f.store, &players[i].thread), CM_OK);
    }
    for (uint32_t i = 0; i < PER_STORE && all.n_wrong < 10; i++) one_history(players, n);
    CHECK_MSG(cm_check(f.thread, NULL) == CM_OK, "%s", cm_message(f.thread));
    for (uint32_t i = 0; i < n; i++) cm_detach(players[i].thread);
    fixture_close(&f);
}

TEST(histories_of_fibers_are_linearizable) {
    const char *length = getenv("CM_TEST_LENGTH"), *seed = getenv("HISTORIES_SEED");
    uint32_t n = length && strcmp(length, "full") == 0 ? 20000 : 2000;
    histories_begin(&all, seed ? strtoull(seed, NULL, 10) : 1990);
    for (uint32_t i = 0; i < n && all.n_wrong < 10; i++) one_store(2 + i % 5);
    histories_report(&all, "fibers");
    CHECK_MSG(100 * all.n_overlapping >= AT_LEAST_OVERLAPPING * all.n_histories, "fewer than %u %% overlapped", AT_LEAST_OVERLAPPING);
}

int main(void) {
    RUN(histories_of_fibers_are_linearizable);
    return tap_done();
}
