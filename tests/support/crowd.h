/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * crowd.h - many threads in one store at one time, each with its own random numbers, each reporting the first thing that it found wrong.
 *
 *     static void body(worker_t *w) { EXPECT(w, cm_insert(w->thread, ...) == CM_OK, "insert: %s", cm_message(w->thread)); }
 *     crowd_t crowd = {.store = f.store};
 *     crowd_run(&crowd, seed, 16, body);
 *
 * All are attached before the first begins. Whoever waits here gives the processor away: it may be the only one.
 */
#ifndef TEST_CROWD_H
#define TEST_CROWD_H

#include "support/snapshot.h"
#include "support/vectors.h"

#include "plat_atomic.h"
#include "plat_thread.h"
#include "store/store_impl.h"

#include <sched.h>

enum { CROWD_MOST = 24, CROWD_BUFFER = 16384 };

/* Under the thread sanitizer, which takes ten times as long and sees more in each operation: one in so many operations. */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define CROWD_ONE_IN 4
#endif
#endif
#ifndef CROWD_ONE_IN
#define CROWD_ONE_IN 1
#endif

typedef struct crowd {
    cm_store_t *store;
    bool attach_yourself; /* workers come without w->thread */
    plat_a32_t n_ready;
    uint32_t n;
} crowd_t;

typedef struct worker {
    crowd_t *crowd;
    cm_thread_t *thread;
    uint32_t name;
    rng_t rng;
    void (*body)(struct worker *);
    plat_thread_t *handle;
    uint32_t n_bad;
    uint64_t n_done, n_refused; /* what they stand for is the test's business */
    char first[200];            /* of what was bad */
    uint64_t buffer[CROWD_BUFFER / sizeof(uint64_t)];
} worker_t;

#define EXPECT(worker, condition, ...)                                                                             \
    do {                                                                                                           \
        if (!(condition) && (worker)->n_bad++ == 0) snprintf((worker)->first, sizeof(worker)->first, __VA_ARGS__); \
    } while (0)

static inline bool crowd_long(void) {
    const char *length = getenv("CM_TEST_LENGTH");
    return length && strcmp(length, "full") == 0;
}

static inline void crowd_worker(void *argument) {
    worker_t *w = argument;
    cm_status_t status = w->crowd->attach_yourself ? CM_OK : cm_attach(w->crowd->store, &w->thread);
    if (status != CM_OK) { /* others would wait for its share of the work */
        printf("# attach: %d\n", (int)status);
        exit(1);
    }
    plat_fetch_add_relaxed(&w->crowd->n_ready, 1);
    while (plat_load_relaxed(&w->crowd->n_ready) < w->crowd->n) sched_yield(); /* bounded: the others are on their way */
    w->body(w);
    if (w->thread) cm_detach(w->thread);
}

/* body_of(i) is what worker i does. Returns what all did, and in *n_refused what they were refused. */
static inline uint64_t crowd_run(crowd_t *crowd, uint64_t seed, uint32_t n, void (*(*body_of)(uint32_t))(worker_t *), uint64_t *n_refused) {
    static worker_t workers[CROWD_MOST];
    uint64_t n_done = 0;
    crowd->n = n, *n_refused = 0;
    plat_store_relaxed(&crowd->n_ready, 0);
    for (uint32_t i = 0; i < n; i++) {
        workers[i] = (worker_t){.crowd = crowd, .name = i, .rng = rng_seed(seed * 97 + i), .body = body_of(i)};
        workers[i].handle = plat_thread_spawn(crowd_worker, &workers[i]);
    }
    for (uint32_t i = 0; i < n; i++) {
        const worker_t *w = &workers[i];
        plat_thread_join(w->handle);
        CHECK_MSG(w->n_bad == 0, "seed %llu, thread %u: %u times wrong, first: %s", (unsigned long long)seed, i, w->n_bad, w->first);
        n_done += w->n_done, *n_refused += w->n_refused;
    }
    return n_done;
}

/* ---- at the end ------------------------------------------------------------------------------------------------------------------------------ */

/* Nobody writes any more: check() finds nothing, and every way to count gives one number. */
static inline void crowd_check(fixture_t *f) {
    uint64_t cursor = 0, n_iterated = 0, n_in_contexts = 0;
    cm_memory_t memory;
    cm_context_stat_t context;
    cm_stats_t stats;
    cm_check_report_t report;
    CHECK_MSG(cm_check(f->thread, &report) == CM_OK, "%s", cm_message(f->thread));
    while (cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK) n_iterated++;
    cursor = 0;
    while (cm_next_context(f->thread, &cursor, &context, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK)
        n_in_contexts += context.n_memories;
    CHECK_STATUS(cm_stats(f->thread, &stats), CM_OK);
    CHECK_EQ_U64(n_iterated, cm_len(f->store));
    CHECK_EQ_U64(n_in_contexts, cm_len(f->store));
    CHECK_EQ_U64(stats.n_memories, cm_len(f->store));
    CHECK_EQ_U64(report.n_live, cm_len(f->store));
    CHECK_EQ_U64(report.n_unreachable, 0);
}

/* One round of what makes grace periods pass, in either epoch: a thread comes, reads, collects what waits, and goes; then others (liburcu's helper thread) may run. */
static inline void crowd_pass(cm_store_t *store) {
    cm_thread_t *thread = NULL;
    if (cm_attach(store, &thread) != CM_OK) return;
    for (uint32_t i = 0; i < 8; i++) {
        cmi_thread_pin(thread);
        cmi_thread_unpin(thread);
        plat_epoch_collect(store->epoch, cm_thread_slot(thread));
    }
    cm_detach(thread);
    sched_yield();
}

/* Removes everything; then every block comes back but the one of each context's label, and every id entry. Waits by rounds of work, never by the clock: on a busy machine
 * a grace period takes as long as it takes. */
static inline void crowd_close_without_leak(fixture_t *f) {
    enum { MOST_ROUNDS = 200000 };
    static bool in_vain; /* no more patience once it was */
    cm_store_t *store = f->store;
    cm_memory_t memory;
    uint32_t n_rounds = 0;
    crowd_check(f);
    for (uint64_t cursor = 0; cm_next(f->thread, &cursor, &memory, f->buffer, MEMORY_BUFFER_BYTES, NULL) == CM_OK;)
        CHECK_STATUS(cm_remove(f->thread, memory.id), CM_OK);
    crowd_check(f);
    cm_detach(f->thread); /* hands over what it had retired */
    uint64_t expected = 16 * (uint64_t)plat_load_relaxed(&store->contexts.n_keys);
    while (!in_vain && cmi_blocks_bytes_used(store->blocks) != expected && n_rounds++ < MOST_ROUNDS) crowd_pass(store);
    in_vain = cmi_blocks_bytes_used(store->blocks) != expected;
    CHECK_MSG(!in_vain, "%llu bytes of blocks are used, expected %llu, after %u rounds",
              (unsigned long long)cmi_blocks_bytes_used(store->blocks), (unsigned long long)expected, n_rounds);
    CHECK_EQ_U64(plat_load_relaxed(&store->ids.n_keys), 0);
    CHECK_STATUS(cm_attach(store, &f->thread), CM_OK);
    fixture_close(f);
}

#endif
