/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * storms.c - threads that come and go, more of them than there are slots, interrupted at any of their atomic accesses: also in the middle of attaching, of detaching, and of what they do between.
 *
 * No slot is ever held by two; one too many is refused with CM_E_THREADS and nothing else; a slot's next holder finds nothing of the last one's in it; and of all that they removed no block is
 * lost. Threads are fibers that take turns by chance, so a seed is the same storm again (STORMS_SEED=n). tests/concurrency/stress.c has storms of real threads.
 * CM_TEST_LENGTH=full: ten times as many.
 */
#include "support/fibers.h"
#include "support/snapshot.h"
#include "support/vectors.h"

#include "store/store_impl.h"

enum { DIM = 4, N_SLOTS = 2, N_FIBERS = 4, VISITS = 3 /* of each fiber */, N_IDS = 3 };

void plat_atomic_step(void) {
    if (running_fiber) fiber_step();
}

static cm_store_t *store;
static rng_t rng;
static uint32_t n_holders[N_SLOTS + 1]; /* of each slot */
static uint64_t n_visits, n_refused, n_wrong;

static void expect(bool condition, const char *what, int status) {
    if (!condition && n_wrong++ == 0) printf("# %s: %d\n", what, status);
}

static cm_str_t id_of(char out[8], uint32_t number) {
    return (cm_str_t){out, (size_t)snprintf(out, 8, "s-%u", number)};
}

/* Leaves garbage behind: what is replaced and removed. */
static void work(cm_thread_t *thread) {
    char id[8];
    float vector[DIM];
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t number = rng_below(&rng, N_IDS);
        cm_memory_t memory = CM_MEMORY_INIT;
        vector_of(number, rng_below(&rng, 9), DIM, vector);
        memory.id = id_of(id, number), memory.vector = vector, memory.dimensions = DIM, memory.text = CM_STR("some text");
        cm_status_t status = cm_insert(thread, &memory);
        expect(status == CM_OK, "insert", (int)status);
        status = cm_remove(thread, id_of(id, rng_below(&rng, N_IDS)));
        expect(status == CM_OK || status == CM_E_NOT_FOUND, "remove", (int)status);
    }
}

static void come_and_go(void *argument) {
    (void)argument;
    for (uint32_t i = 0; i < VISITS; i++) {
        cm_thread_t *thread = NULL;
        cm_status_t status = cm_attach(store, &thread);
        expect(status == CM_OK || status == CM_E_THREADS, "attach", (int)status);
        n_visits += status == CM_OK, n_refused += status == CM_E_THREADS;
        if (status != CM_OK) continue;
        uint32_t slot = cm_thread_slot(thread);
        expect(slot <= N_SLOTS && ++n_holders[slot] == 1, "two hold the slot", (int)slot);
        work(thread);
        n_holders[slot]--;
        cm_detach(thread);
    }
}

/* Turns of any length: some end within an attach, some are longer than a visit. */
static void take_turns(fiber_t *fibers) {
    static const uint32_t lengths[] = {3, 30, 300, 1500};
    for (uint32_t n_left = N_FIBERS; n_left > 0;) { /* bounded: visits end */
        fiber_t *fiber = &fibers[rng_below(&rng, N_FIBERS)];
        if (!fiber->ended && fiber_run(fiber, fiber->n_steps + 1 + rng_below(&rng, lengths[rng_below(&rng, 4)]))) n_left--;
    }
}

/* Everything removed, everybody gone: one block for the one context's label is left, after as many rounds as two grace periods take at most. */
static void check_nothing_is_left(fixture_t *f) {
    char id[8];
    for (uint32_t i = 0; i < N_IDS; i++) (void)cm_remove(f->thread, id_of(id, i));
    CHECK_MSG(cm_check(f->thread, NULL) == CM_OK, "%s", cm_message(f->thread));
    CHECK_EQ_U64(cm_len(store), 0);
    cm_detach(f->thread);
    CHECK_STATUS(cm_attach(store, &f->thread), CM_OK);
    for (uint32_t i = 0; i < 1000 && plat_epoch_pending(store->epoch) > 0; i++) plat_epoch_collect(store->epoch, cm_thread_slot(f->thread));
    CHECK_EQ_U64(plat_epoch_pending(store->epoch), 0);
    CHECK_EQ_U64(cmi_blocks_bytes_used(store->blocks), 16 * (uint64_t)plat_load_relaxed(&store->contexts.n_keys));
    CHECK_EQ_U64(plat_load_relaxed(&store->n_attached), 1);
}

static void one_storm(void) {
    fiber_t fibers[N_FIBERS];
    cm_config_t config = small_config(DIM);
    config.max_memories = 100, config.max_threads = N_SLOTS + 1; /* one for ourselves */
    fixture_t f = fixture_open(&config);
    store = f.store;
    memset(n_holders, 0, sizeof n_holders);
    for (uint32_t i = 0; i < N_FIBERS; i++) fiber_open(&fibers[i], come_and_go, NULL);
    take_turns(fibers);
    for (uint32_t i = 0; i < N_FIBERS; i++) fiber_close(&fibers[i]);
    check_nothing_is_left(&f);
    fixture_close(&f);
}

TEST(storms_of_fibers_leave_no_trace) {
    const char *length = getenv("CM_TEST_LENGTH"), *seed = getenv("STORMS_SEED");
    uint64_t number = seed ? strtoull(seed, NULL, 10) : 29;
    uint32_t n = length && strcmp(length, "full") == 0 ? 20000 : 2000;
    rng = rng_seed(number);
    for (uint32_t i = 0; i < n && n_wrong == 0 && tap_checks_failed == 0; i++) one_storm();
    printf("# seed %llu: %u storms, %llu visits, %llu refused\n", (unsigned long long)number, n, (unsigned long long)n_visits,
           (unsigned long long)n_refused);
    CHECK_EQ_U64(n_wrong, 0);
    CHECK(n_refused > n && n_visits > n);
}

int main(void) {
    RUN(storms_of_fibers_leave_no_trace);
    return tap_done();
}
