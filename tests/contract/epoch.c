/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * epoch.c - the contract of plat_epoch.h, run on whichever epoch was compiled in. Blocks are poisoned by their callback, so a callback that comes too
 * early ([A.1], [A.2]) shows as poison inside a read section; under AddressSanitizer and ThreadSanitizer it shows as a report too, for
 * the blocks of the stress tests are freed.
 */
#include "plat_atomic.h"
#include "plat_clock.h"
#include "plat_epoch.h"
#include "plat_thread.h"
#include "support/tap.h"

#include <stdlib.h>

#define PATIENCE_NS 20000000000u /* a deadline for what must happen soon, long enough for a loaded machine under a sanitizer */

typedef struct block {
    plat_epoch_node_t node; /* first: a node is its block */
    plat_a64_t *n_freed;
    uint64_t value;
    uint64_t copy; /* equal to value until the callback poisons both */
    char payload[32];
} block_t;

#define POISON 0xDEADDEADDEADDEADu

static void poison_and_free(plat_epoch_node_t *node) {
    block_t *block = (block_t *)node;
    block->value = POISON;
    block->copy = ~POISON;
    plat_fetch_add_relaxed(block->n_freed, 1);
    free(block);
}

static void count_only(plat_epoch_node_t *node) {
    block_t *block = (block_t *)node;
    block->value = POISON;
    plat_fetch_add_acq_rel(block->n_freed, 1);
}

static block_t *new_block(plat_a64_t *n_freed, uint64_t value) {
    block_t *block = malloc(sizeof *block);
    block->n_freed = n_freed;
    block->value = block->copy = value;
    memset(block->payload, (int)(value & 0x7F), sizeof block->payload);
    return block;
}

/* Polls until `count` reaches `wanted` or patience ends, giving callbacks a chance meanwhile. */
static bool reaches(plat_epoch_t *epoch, uint32_t slot, plat_a64_t *count, uint64_t wanted) {
    uint64_t start = plat_clock_monotonic_ns();
    while (plat_load_acquire(count) < wanted) {
        plat_epoch_collect(epoch, slot);
        if (plat_clock_monotonic_ns() - start > PATIENCE_NS) return false;
    }
    return true;
}

/* The count follows the callback, on another thread perhaps, by an instant. */
static bool drains(plat_epoch_t *epoch, uint32_t slot) {
    uint64_t start = plat_clock_monotonic_ns();
    while (plat_epoch_pending(epoch) > 0) {
        plat_epoch_collect(epoch, slot);
        if (plat_clock_monotonic_ns() - start > PATIENCE_NS) return false;
    }
    return true;
}

static bool passes(plat_epoch_t *epoch, uint32_t slot, plat_epoch_ticket_t ticket) {
    uint64_t start = plat_clock_monotonic_ns();
    while (!plat_epoch_passed(epoch, slot, ticket))
        if (plat_clock_monotonic_ns() - start > PATIENCE_NS) return false;
    return true;
}

/* Another thread that pins when told, and unpins when told. */
typedef struct reader {
    plat_epoch_t *epoch;
    uint32_t slot;
    uint32_t n_nested;
    plat_a32_t pinned;
    plat_a32_t may_unpin;
    plat_thread_t *thread;
} reader_t;

static void reader_body(void *argument) {
    reader_t *reader = argument;
    plat_epoch_attach(reader->epoch, reader->slot);
    for (uint32_t i = 0; i < reader->n_nested; i++) plat_epoch_pin(reader->epoch, reader->slot);
    for (uint32_t i = 1; i < reader->n_nested; i++) plat_epoch_unpin(reader->epoch, reader->slot); /* still pinned once */
    plat_store_release(&reader->pinned, 1u);
    while (!plat_load_acquire(&reader->may_unpin)) {}
    plat_epoch_unpin(reader->epoch, reader->slot);
    plat_epoch_detach(reader->epoch, reader->slot);
}

static void reader_start(reader_t *reader) {
    reader->thread = plat_thread_spawn(reader_body, reader);
    while (!plat_load_acquire(&reader->pinned)) {}
}

static void reader_stop(reader_t *reader) {
    plat_store_release(&reader->may_unpin, 1u);
    plat_thread_join(reader->thread);
}

/* ---- the life of one node ----------------------------------------------------------------------------------------------- */

TEST(a_retired_node_is_called_back_once) {
    plat_epoch_t *epoch = plat_epoch_open(4);
    plat_a64_t n_freed = 0;
    CHECK(plat_epoch_attach(epoch, 0));
    plat_epoch_pin(epoch, 0);
    plat_epoch_retire(epoch, 0, &new_block(&n_freed, 1)->node, poison_and_free);
    CHECK_EQ_U64(plat_epoch_pending(epoch), 1);
    plat_epoch_unpin(epoch, 0);
    CHECK(reaches(epoch, 0, &n_freed, 1));
    plat_epoch_detach(epoch, 0);
    plat_epoch_close(epoch);
    CHECK_EQ_U64(n_freed, 1);
}

TEST(close_runs_what_is_still_waiting) {
    plat_epoch_t *epoch = plat_epoch_open(4);
    plat_a64_t n_freed = 0;
    plat_epoch_attach(epoch, 3);
    for (uint64_t i = 0; i < 1000; i++) plat_epoch_retire(epoch, 3, &new_block(&n_freed, i)->node, poison_and_free);
    plat_epoch_detach(epoch, 3);
    plat_epoch_close(epoch);
    CHECK_EQ_U64(n_freed, 1000);
}

TEST(a_pinned_reader_delays_and_then_drains) {
    enum { N = 20000 };
    plat_epoch_t *epoch = plat_epoch_open(4);
    plat_a64_t n_freed = 0;
    plat_epoch_attach(epoch, 0);
    block_t *held = new_block(&n_freed, 7);
    reader_t reader = {.epoch = epoch, .slot = 1, .n_nested = 1};
    reader_start(&reader);
    plat_epoch_retire(epoch, 0, &held->node, count_only); /* unlinked after the reader pinned */
    for (uint64_t i = 0; i < N; i++) {
        plat_epoch_pin(epoch, 0);
        plat_epoch_retire(epoch, 0, &new_block(&n_freed, i)->node, poison_and_free);
        plat_epoch_unpin(epoch, 0);
    }
    CHECK_EQ_U64(held->value, 7);
    CHECK_MSG(plat_epoch_pending(epoch) > N / 2, "only %" PRIu64 " wait for the reader", plat_epoch_pending(epoch));
    reader_stop(&reader);
    CHECK(reaches(epoch, 0, &n_freed, N + 1));
    CHECK(drains(epoch, 0));
    plat_epoch_detach(epoch, 0);
    plat_epoch_close(epoch);
    free(held);
}

TEST(nested_pins_hold_until_the_outermost_unpin) {
    plat_epoch_t *epoch = plat_epoch_open(4);
    plat_a64_t n_freed = 0;
    plat_epoch_attach(epoch, 0);
    reader_t reader = {.epoch = epoch, .slot = 1, .n_nested = 3};
    reader_start(&reader);
    block_t *held = new_block(&n_freed, 7);
    plat_epoch_retire(epoch, 0, &held->node, count_only);
    for (int i = 0; i < 1000; i++) plat_epoch_collect(epoch, 0);
    CHECK_EQ_U64(held->value, 7);
    reader_stop(&reader);
    CHECK(reaches(epoch, 0, &n_freed, 1));
    plat_epoch_detach(epoch, 0);
    plat_epoch_close(epoch);
    free(held);
}

TEST(one_thread_attaches_to_several_epochs) {
    plat_epoch_t *first = plat_epoch_open(2), *second = plat_epoch_open(2);
    plat_a64_t n_freed = 0;
    plat_epoch_attach(first, 0);
    plat_epoch_attach(second, 1);
    plat_epoch_pin(first, 0);
    plat_epoch_pin(second, 1);
    plat_epoch_retire(second, 1, &new_block(&n_freed, 1)->node, poison_and_free);
    plat_epoch_unpin(first, 0);
    plat_epoch_detach(first, 0);
    plat_epoch_close(first);
    plat_epoch_unpin(second, 1);
    CHECK(reaches(second, 1, &n_freed, 1));
    plat_epoch_detach(second, 1);
    plat_epoch_close(second);
}

/* ---- tickets ------------------------------------------------------------------------------------------------------------ */

TEST(a_ticket_waits_for_open_sections_only) {
    plat_epoch_t *epoch = plat_epoch_open(4);
    plat_epoch_attach(epoch, 0);
    CHECK(passes(epoch, 0, plat_epoch_ticket(epoch, 0)));
    reader_t reader = {.epoch = epoch, .slot = 2, .n_nested = 2};
    reader_start(&reader);
    plat_epoch_ticket_t ticket = plat_epoch_ticket(epoch, 0);
    uint64_t start = plat_clock_monotonic_ns();
    while (plat_clock_monotonic_ns() - start < 100000000) CHECK(!plat_epoch_passed(epoch, 0, ticket)); /* long enough for urcu's helper */
    reader_stop(&reader);
    CHECK(passes(epoch, 0, ticket));
    CHECK(plat_epoch_passed(epoch, 0, ticket));
    plat_epoch_detach(epoch, 0);
    plat_epoch_close(epoch);
}

TEST(tickets_pass_in_order) {
    plat_epoch_t *epoch = plat_epoch_open(2);
    plat_epoch_attach(epoch, 0);
    plat_epoch_ticket_t tickets[50];
    for (int i = 0; i < 50; i++) tickets[i] = plat_epoch_ticket(epoch, 0);
    CHECK(passes(epoch, 0, tickets[49]));
    for (int i = 0; i < 50; i++) CHECK(plat_epoch_passed(epoch, 0, tickets[i]));
    plat_epoch_detach(epoch, 0);
    plat_epoch_close(epoch);
}

/* ---- a thread that never comes back -------------------------------------------------------------------------------------- */

TEST(an_abandoned_slot_stops_nothing) {
    plat_epoch_t *epoch = plat_epoch_open(4);
    plat_a64_t n_freed = 0;
    plat_epoch_attach(epoch, 0);
    if (plat_epoch_abandon(epoch, 2)) { /* epoch_urcu cannot */
        plat_epoch_attach(epoch, 1);
        plat_epoch_pin(epoch, 1);
        for (uint64_t i = 0; i < 20; i++) plat_epoch_retire(epoch, 1, &new_block(&n_freed, i)->node, poison_and_free);
        for (int i = 0; i < 100; i++) plat_epoch_collect(epoch, 0);
        CHECK_EQ_U64(n_freed, 0);
        CHECK(plat_epoch_abandon(epoch, 1)); /* pinned, with twenty nodes waiting */
        CHECK(reaches(epoch, 0, &n_freed, 20));
        CHECK(drains(epoch, 0));
        plat_epoch_attach(epoch, 1); /* the slot can be had again */
        plat_epoch_pin(epoch, 1);
        plat_epoch_unpin(epoch, 1);
        plat_epoch_detach(epoch, 1);
    } else {
        CHECK(strcmp(plat_epoch_name(), "urcu") == 0);
    }
    plat_epoch_detach(epoch, 0);
    plat_epoch_close(epoch);
}

/* ---- many threads -------------------------------------------------------------------------------------------------------- */

enum { N_CELLS = 16, N_READERS = 3, N_WRITERS = 2, N_SWAPS = 20000, N_STORMS = 300, N_STORM_THREADS = 4 };

typedef struct arena {
    plat_epoch_t *epoch;
    plat_a64_t cells[N_CELLS]; /* block_t * */
    plat_a64_t n_freed;
    plat_a32_t n_writers_left;
    plat_a64_t n_poisoned;
    plat_a64_t n_read;
} arena_t;

typedef struct worker {
    arena_t *arena;
    uint32_t slot;
    plat_thread_t *thread;
} worker_t;

static uint64_t next_random(uint64_t *state) {
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static bool intact(const block_t *block) {
    if (block->value != block->copy) return false;
    for (size_t i = 0; i < sizeof block->payload; i++)
        if (block->payload[i] != (char)(block->value & 0x7F)) return false;
    return true;
}

static void look_around(arena_t *arena, uint32_t slot, uint64_t *random) {
    plat_epoch_pin(arena->epoch, slot);
    for (int i = 0; i < 8; i++) {
        /* acquire: pairs with the exchange in write_body() */
        const block_t *block = (const block_t *)(uintptr_t)plat_load_acquire(&arena->cells[next_random(random) % N_CELLS]);
        if (block && !intact(block)) plat_fetch_add_relaxed(&arena->n_poisoned, 1);
    }
    plat_epoch_unpin(arena->epoch, slot);
    plat_fetch_add_relaxed(&arena->n_read, 8);
}

static void read_body(void *argument) {
    worker_t *worker = argument;
    uint64_t random = worker->slot;
    plat_epoch_attach(worker->arena->epoch, worker->slot);
    while (plat_load_acquire(&worker->arena->n_writers_left)) look_around(worker->arena, worker->slot, &random);
    plat_epoch_detach(worker->arena->epoch, worker->slot);
}

static void swap(arena_t *arena, uint32_t slot, uint64_t *random) {
    block_t *fresh = new_block(&arena->n_freed, next_random(random));
    plat_epoch_pin(arena->epoch, slot);
    block_t *old = (block_t *)(uintptr_t)plat_exchange_acq_rel(&arena->cells[next_random(random) % N_CELLS], (uint64_t)(uintptr_t)fresh);
    if (old) plat_epoch_retire(arena->epoch, slot, &old->node, poison_and_free);
    plat_epoch_unpin(arena->epoch, slot);
}

static void write_body(void *argument) {
    worker_t *worker = argument;
    uint64_t random = worker->slot + 1000;
    plat_epoch_attach(worker->arena->epoch, worker->slot);
    for (int i = 0; i < N_SWAPS; i++) swap(worker->arena, worker->slot, &random);
    plat_epoch_detach(worker->arena->epoch, worker->slot);
    plat_fetch_sub_acq_rel(&worker->arena->n_writers_left, 1);
}

/* Attaches, works a little, leaves garbage behind, over and over. */
static void storm_body(void *argument) {
    worker_t *worker = argument;
    uint64_t random = worker->slot + 2000;
    for (int i = 0; i < N_STORMS; i++) {
        plat_epoch_attach(worker->arena->epoch, worker->slot);
        for (int j = 0; j < 20; j++) swap(worker->arena, worker->slot, &random);
        look_around(worker->arena, worker->slot, &random);
        plat_epoch_detach(worker->arena->epoch, worker->slot);
    }
    plat_fetch_sub_acq_rel(&worker->arena->n_writers_left, 1);
}

static uint64_t empty_cells(arena_t *arena) {
    uint64_t n = 0;
    for (int i = 0; i < N_CELLS; i++) {
        block_t *block = (block_t *)(uintptr_t)plat_load_acquire(&arena->cells[i]);
        if (!block) continue;
        free(block);
        n++;
    }
    return n;
}

static void run_arena(uint32_t n_writers, void (*writer)(void *), uint32_t n_readers, uint64_t n_swaps) {
    arena_t arena = {.epoch = plat_epoch_open(8), .n_writers_left = n_writers};
    worker_t workers[8];
    for (uint32_t i = 0; i < n_writers + n_readers; i++) {
        workers[i] = (worker_t){.arena = &arena, .slot = i};
        workers[i].thread = plat_thread_spawn(i < n_writers ? writer : read_body, &workers[i]);
    }
    for (uint32_t i = 0; i < n_writers + n_readers; i++) plat_thread_join(workers[i].thread);
    plat_epoch_close(arena.epoch);
    uint64_t n_left = empty_cells(&arena);
    printf("# %" PRIu64 " reads, %" PRIu64 " blocks freed\n", (uint64_t)arena.n_read, (uint64_t)arena.n_freed);
    CHECK_EQ_U64(arena.n_poisoned, 0);
    CHECK_EQ_U64(arena.n_freed + n_left, n_swaps);
}

TEST(readers_never_see_a_freed_block) {
    run_arena(N_WRITERS, write_body, N_READERS, (uint64_t)N_WRITERS * N_SWAPS);
}

TEST(attach_and_detach_storms_lose_nothing) {
    run_arena(N_STORM_THREADS, storm_body, 1, (uint64_t)N_STORM_THREADS * N_STORMS * 20);
}

int main(void) {
    printf("# epoch: %s\n", plat_epoch_name());
    RUN(a_retired_node_is_called_back_once);
    RUN(close_runs_what_is_still_waiting);
    RUN(a_pinned_reader_delays_and_then_drains);
    RUN(nested_pins_hold_until_the_outermost_unpin);
    RUN(one_thread_attaches_to_several_epochs);
    RUN(a_ticket_waits_for_open_sections_only);
    RUN(tickets_pass_in_order);
    RUN(an_abandoned_slot_stops_nothing);
    RUN(readers_never_see_a_freed_block);
    RUN(attach_and_detach_storms_lose_nothing);
    return tap_done();
}
