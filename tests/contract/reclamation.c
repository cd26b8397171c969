/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * reclamation.c - garbage is freed: what is churned plateaus under 16 MB, and under 1 MB is left when all have left or are quiet. A reader that stays pinned delays that, and nothing else; once it
 * unpins, all of it goes. On whichever epoch was compiled in, for bare blocks and for the memories of a store.
 *
 * Nothing here waits for time, so that a loaded machine changes nothing. Threads churn in rounds; a round ends when all have met, unpinned, and then every thread gives reclamation its turn: a
 * bounded number of collections with the own epoch, two barriers with liburcu, each of which returns when the callbacks that were waiting have run. Within a round a thread that was put
 * aside, or a helper thread that was not let run, may hold up garbage; it can be no more than the round's.
 *
 * CONTROL  The same churn with a reader that never unpins misses the gate.
 */
#include "plat_epoch.h"
#include "plat_thread.h"
#include "store/store_impl.h"
#include "support/snapshot.h"

#include <sched.h>

#define PLATEAU_BYTES 16000000u
#define LEFT_BYTES 1000000u

/* liburcu's, where it is the epoch: returns when every callback that was waiting has run. Not for a thread that is pinned, or beside one. */
extern void urcu_memb_barrier(void) __attribute__((weak));

static bool full; /* CM_TEST_LENGTH=full */

static uint64_t n_churned(void) {
    return full ? 1000000 : 100000;
}

/* ---- threads that meet ----------------------------------------------------------------------------------------------------------------------- */

typedef struct meeting {
    uint32_t n_threads;
    plat_a32_t n_here, round;
} meeting_t;

static void meet(meeting_t *meeting) {
    uint32_t round = plat_load_acquire(&meeting->round);
    if (plat_fetch_add_acq_rel(&meeting->n_here, 1u) + 1 == meeting->n_threads) {
        plat_store_relaxed(&meeting->n_here, 0u);
        plat_store_release(&meeting->round, round + 1);
    }
    while (plat_load_acquire(&meeting->round) == round) sched_yield();
}

static void raise_to(plat_a64_t *most, uint64_t n) {
    uint64_t held = plat_load_relaxed(most);
    while (held < n && !plat_cas_relaxed(most, &held, n)) {}
}

static void await(plat_a32_t *flag) {
    while (!plat_load_acquire(flag)) sched_yield();
}

/* ---- blocks -------------------------------------------------------------------------------------------------------------------------------------- */

enum { BLOCK_BYTES = 256, BLOCKS_PER_ROUND = 5000, N_WRITERS = 2 };

typedef struct heap {
    plat_epoch_t *epoch;
    meeting_t meeting;
    plat_a64_t n_retired, n_freed; /* our own counts; the epoch's must agree */
    plat_a64_t most;               /* that ever waited */
    plat_a64_t most_after_turn;
    uint32_t n_rounds;
} heap_t;

typedef struct block {
    plat_epoch_node_t node; /* first: a node is its block */
    heap_t *heap;
    char payload[BLOCK_BYTES - sizeof(plat_epoch_node_t) - sizeof(heap_t *)];
} block_t;

static void free_block(plat_epoch_node_t *node) {
    block_t *block = (block_t *)node;
    plat_fetch_add_acq_rel(&block->heap->n_freed, 1);
    free(block);
}

static uint64_t n_waiting(heap_t *heap) {
    uint64_t n_freed = plat_load_acquire(&heap->n_freed);
    return plat_load_acquire(&heap->n_retired) - n_freed;
}

static void churn_blocks(heap_t *heap, uint32_t slot, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) {
        block_t *block = malloc(sizeof *block);
        block->heap = heap;
        memset(block->payload, (int)i, sizeof block->payload);
        plat_fetch_add_acq_rel(&heap->n_retired, 1);
        plat_epoch_pin(heap->epoch, slot);
        plat_epoch_retire(heap->epoch, slot, &block->node, free_block);
        plat_epoch_unpin(heap->epoch, slot);
        if (i % 64 == 0) raise_to(&heap->most, n_waiting(heap));
    }
    raise_to(&heap->most, n_waiting(heap));
}

/* Collections that empty a list of n with the own epoch: 64 callbacks each (epoch_own.c), and a few until the epoch has advanced. */
static void give_turn(heap_t *heap, uint32_t slot, uint64_t n) {
    for (uint64_t i = 0; i < n / 64 + 8; i++) plat_epoch_collect(heap->epoch, slot);
    for (int i = 0; urcu_memb_barrier && i < 2; i++) urcu_memb_barrier();
}

typedef struct worker {
    void *shared; /* heap_t or town_t */
    uint32_t slot;
    plat_thread_t *thread;
} worker_t;

static void churn_in_rounds(void *argument) {
    worker_t *worker = argument;
    heap_t *heap = worker->shared;
    plat_epoch_attach(heap->epoch, worker->slot);
    for (uint32_t round = 0; round < heap->n_rounds; round++) {
        churn_blocks(heap, worker->slot, BLOCKS_PER_ROUND);
        meet(&heap->meeting);
        give_turn(heap, worker->slot, (uint64_t)BLOCKS_PER_ROUND * N_WRITERS * (round + 1)); /* all that could be waiting */
        meet(&heap->meeting);
        raise_to(&heap->most_after_turn, n_waiting(heap));
        meet(&heap->meeting);
    }
    plat_epoch_detach(heap->epoch, worker->slot);
}

static void start(worker_t *workers, uint32_t n, void *shared, void (*body)(void *)) {
    for (uint32_t i = 0; i < n; i++) {
        workers[i] = (worker_t){.shared = shared, .slot = i};
        workers[i].thread = plat_thread_spawn(body, &workers[i]);
    }
}

static void join(worker_t *workers, uint32_t n) {
    for (uint32_t i = 0; i < n; i++) plat_thread_join(workers[i].thread);
}

static double mb(uint64_t bytes) {
    return (double)bytes / 1e6;
}

TEST(churned_blocks_plateau) {
    heap_t heap = {.epoch = plat_epoch_open(4), .meeting = {.n_threads = N_WRITERS}};
    heap.n_rounds = (uint32_t)(n_churned() / (N_WRITERS * BLOCKS_PER_ROUND));
    worker_t workers[N_WRITERS];
    start(workers, N_WRITERS, &heap, churn_in_rounds);
    join(workers, N_WRITERS);
    uint64_t peak = heap.most * BLOCK_BYTES, after = heap.most_after_turn * BLOCK_BYTES;
    printf("# %" PRIu64 " blocks, %.0f MB: at most %.2f MB waited, %.3f MB after a turn\n", (uint64_t)heap.n_retired,
           mb(heap.n_retired * BLOCK_BYTES), mb(peak), mb(after));
    CHECK_EQ_U64(heap.n_retired, n_churned());
    CHECK(peak < PLATEAU_BYTES);
    CHECK(after < LEFT_BYTES);
    CHECK_EQ_U64(n_waiting(&heap), 0);
    CHECK_EQ_U64(plat_epoch_pending(heap.epoch), 0);
    plat_epoch_close(heap.epoch);
}

static void churn_and_leave(void *argument) {
    worker_t *worker = argument;
    heap_t *heap = worker->shared;
    plat_epoch_attach(heap->epoch, worker->slot);
    churn_blocks(heap, worker->slot, BLOCKS_PER_ROUND);
    plat_epoch_detach(heap->epoch, worker->slot);
}

/* A reader that pins before anything is retired, so that nothing may be freed until it unpins. */
typedef struct reader {
    heap_t *heap;
    plat_a32_t pinned, may_unpin;
    plat_thread_t *thread;
} reader_t;

enum { READER_SLOT = 3 };

static void stay_pinned(void *argument) {
    reader_t *reader = argument;
    plat_epoch_attach(reader->heap->epoch, READER_SLOT);
    plat_epoch_pin(reader->heap->epoch, READER_SLOT);
    plat_store_release(&reader->pinned, 1u);
    await(&reader->may_unpin);
    plat_epoch_unpin(reader->heap->epoch, READER_SLOT);
    plat_epoch_detach(reader->heap->epoch, READER_SLOT);
}

/* The writers leave what they retired to whoever is there. */
static void churn_beside(heap_t *heap, uint64_t n) {
    worker_t workers[N_WRITERS];
    for (uint64_t i = 0; i < n / (N_WRITERS * BLOCKS_PER_ROUND); i++) {
        start(workers, N_WRITERS, heap, churn_and_leave);
        join(workers, N_WRITERS);
    }
}

/* The control of both gates: with a reader that does not unpin they are missed. */
TEST(a_pinned_reader_delays_and_then_all_goes) {
    heap_t heap = {.epoch = plat_epoch_open(4)};
    reader_t reader = {.heap = &heap};
    reader.thread = plat_thread_spawn(stay_pinned, &reader);
    await(&reader.pinned);
    plat_epoch_attach(heap.epoch, 0); /* slot 0 is the writers', too, in turn */
    plat_epoch_detach(heap.epoch, 0);
    churn_beside(&heap, 100000);
    plat_epoch_attach(heap.epoch, 0);
    for (uint32_t i = 0; i < 4000; i++) plat_epoch_collect(heap.epoch, 0);
    CHECK_EQ_U64(heap.n_freed, 0);
    CHECK_EQ_U64(plat_epoch_pending(heap.epoch), heap.n_retired);
    uint64_t peak = heap.most * BLOCK_BYTES, left = n_waiting(&heap) * BLOCK_BYTES;
    printf("# pinned: %.2f MB wait\n", mb(left));
    CHECK_MSG(peak >= PLATEAU_BYTES && left >= LEFT_BYTES, "control: the gates are met although a reader never unpins");
    plat_store_release(&reader.may_unpin, 1u);
    plat_thread_join(reader.thread);
    give_turn(&heap, 0, heap.n_retired);
    printf("# unpinned: %.2f MB wait\n", mb(n_waiting(&heap) * BLOCK_BYTES));
    CHECK_EQ_U64(n_waiting(&heap), 0);
    CHECK_EQ_U64(plat_epoch_pending(heap.epoch), 0);
    plat_epoch_detach(heap.epoch, 0);
    plat_epoch_close(heap.epoch);
}

/* Attached, and doing nothing: no reason for anything to wait. */
TEST(an_idle_thread_delays_nothing) {
    heap_t heap = {.epoch = plat_epoch_open(4)};
    plat_epoch_attach(heap.epoch, 2);
    churn_beside(&heap, 100000);
    give_turn(&heap, 2, heap.n_retired);
    CHECK_EQ_U64(heap.n_retired, 100000);
    CHECK_EQ_U64(n_waiting(&heap), 0);
    CHECK_MSG(heap.most * BLOCK_BYTES < PLATEAU_BYTES || urcu_memb_barrier, "%.2f MB waited", mb(heap.most * BLOCK_BYTES));
    plat_epoch_detach(heap.epoch, 2);
    plat_epoch_close(heap.epoch);
}

/* Slot 0 retires n blocks and leaves them behind, because slot 1 is pinned; then slot 1 is not any more. One thread is both. */
static void leave_behind(heap_t *heap, uint32_t n) {
    plat_epoch_attach(heap->epoch, 0);
    plat_epoch_attach(heap->epoch, 1);
    plat_epoch_pin(heap->epoch, 1);
    churn_blocks(heap, 0, n);
    plat_epoch_detach(heap->epoch, 0);
    CHECK_EQ_U64(heap->n_freed, 0);
    plat_epoch_unpin(heap->epoch, 1);
}

TEST(what_was_left_behind_goes_where_only_readers_are_left) {
    heap_t heap = {.epoch = plat_epoch_open(4)};
    leave_behind(&heap, 1000);
    for (uint32_t i = 0; i < 2048; i++) plat_epoch_pin(heap.epoch, 1), plat_epoch_unpin(heap.epoch, 1);
    for (int i = 0; urcu_memb_barrier && i < 2; i++) urcu_memb_barrier();
    CHECK_EQ_U64(n_waiting(&heap), 0);
    plat_epoch_detach(heap.epoch, 1);
    plat_epoch_close(heap.epoch);
}

TEST(the_last_to_leave_leaves_nothing) {
    heap_t heap = {.epoch = plat_epoch_open(4)};
    leave_behind(&heap, 1000);
    plat_epoch_detach(heap.epoch, 1);
    for (int i = 0; urcu_memb_barrier && i < 2; i++) urcu_memb_barrier();
    CHECK_EQ_U64(n_waiting(&heap), 0);
    plat_epoch_close(heap.epoch);
}

/* ---- memories ------------------------------------------------------------------------------------------------------------------------------------ */

enum { N_MEMORIES = 200, MEMORIES_PER_ROUND = 2500, TEXT_BYTES = 400, DIMENSIONS = 8, N_CHURNERS = 2 };

typedef struct town {
    cm_store_t *store;
    meeting_t meeting;
    uint32_t n_rounds;
    uint64_t n_bytes_live; /* blocks of what is there */
    plat_a64_t most;       /* bytes of blocks beyond that */
    plat_a64_t most_after_turn;
    plat_a64_t n_done, n_failed;
} town_t;

static cm_store_t *open_town(uint64_t n_operations) {
    cm_config_t config = small_config(DIMENSIONS);
    config.max_memories = (uint32_t)(n_operations / 5 + 2 * N_MEMORIES);
    config.ef_construction = 8;
    cm_store_t *store = NULL;
    CHECK_STATUS(cm_open(&config, &store, NULL), CM_OK);
    return store;
}

static char text[TEXT_BYTES];

static cm_status_t insert(cm_thread_t *thread, uint32_t number, uint32_t version) {
    char id[32];
    float vector[DIMENSIONS];
    cm_str_t relationships[] = {CM_STR("somebody"), CM_STR("somebody else")};
    cm_memory_t memory = CM_MEMORY_INIT;
    vector_of(number, version, DIMENSIONS, vector);
    memory.id = numbered_id(id, sizeof id, "memory-", number);
    memory.vector = vector;
    memory.dimensions = DIMENSIONS;
    memory.relationships = relationships;
    memory.n_relationships = 2;
    memory.created_ms = NOW_MS - number;
    memory.text = (cm_str_t){text, sizeof text};
    return cm_insert(thread, &memory);
}

static cm_status_t update(cm_thread_t *thread, cm_str_t id, uint32_t turn) {
    cm_update_t change = CM_UPDATE_INIT;
    change.fields = CM_UPDATE_TEXT | (turn % 3 == 0 ? CM_UPDATE_CONTEXT : 0) | (turn % 3 == 1 ? CM_UPDATE_DECAY_RATE : 0);
    change.text = (cm_str_t){text, sizeof text};
    change.context = turn % 2 ? CM_STR("one place") : CM_STR("another");
    change.decay_rate = (float)(turn % 7);
    return cm_update(thread, id, &change);
}

/* Of five: three updates, a relationship that comes and goes, a replacement or a removal that is made good. Each thread has memories of its own. */
static cm_status_t churn_one(cm_thread_t *thread, uint32_t number, uint32_t turn) {
    char buffer[32];
    cm_str_t id = numbered_id(buffer, sizeof buffer, "memory-", number);
    if (turn % 5 < 3) return update(thread, id, turn);
    if (turn % 5 == 3) {
        cm_status_t status = cm_relate(thread, id, CM_STR("for a while"));
        return status == CM_OK ? cm_unrelate(thread, id, CM_STR("for a while")) : status;
    }
    if (turn % 2 && cm_remove(thread, id) != CM_OK) return CM_E_NOT_FOUND;
    return insert(thread, number, turn);
}

static uint64_t garbage(const town_t *town) {
    uint64_t n = cmi_blocks_bytes_used(town->store->blocks); /* what cm_stats() calls bytes_blocks, without its scan */
    return n > town->n_bytes_live ? n - town->n_bytes_live : 0;
}

static void churn_memories(town_t *town, cm_thread_t *thread, uint32_t worker, uint32_t round) {
    for (uint32_t i = 0; i < MEMORIES_PER_ROUND; i++) {
        uint32_t turn = round * MEMORIES_PER_ROUND + i, number = worker * (N_MEMORIES / N_CHURNERS) + turn % (N_MEMORIES / N_CHURNERS);
        /* each memory meets every kind of turn */
        if (churn_one(thread, number, turn + turn / (N_MEMORIES / N_CHURNERS)) != CM_OK) plat_fetch_add_relaxed(&town->n_failed, 1);
        if (i % 64 == 0) raise_to(&town->most, garbage(town));
    }
    raise_to(&town->most, garbage(town));
    plat_fetch_add_relaxed(&town->n_done, MEMORIES_PER_ROUND);
}

/* A quiet thread still reads: with the own epoch it collects now and then when it unpins, bag by bag. */
static void be_quiet(cm_thread_t *thread) {
    for (uint32_t i = 0; i < 4096; i++) cm_contains(thread, CM_STR("nobody"));
    for (int i = 0; urcu_memb_barrier && i < 2; i++) urcu_memb_barrier();
}

static void live_in_town(void *argument) {
    worker_t *worker = argument;
    town_t *town = worker->shared;
    cm_thread_t *thread;
    CHECK_STATUS(cm_attach(town->store, &thread), CM_OK);
    for (uint32_t round = 0; round < town->n_rounds; round++) {
        churn_memories(town, thread, worker->slot, round);
        meet(&town->meeting);
        be_quiet(thread);
        meet(&town->meeting);
        raise_to(&town->most_after_turn, garbage(town));
        meet(&town->meeting);
    }
    cm_detach(thread);
}

/* Everybody has left; one comes back to look. */
static uint64_t look_after_all_left(town_t *town, cm_stats_t *stats) {
    cm_thread_t *thread;
    CHECK_STATUS(cm_attach(town->store, &thread), CM_OK);
    be_quiet(thread);
    CHECK_STATUS(cm_stats(thread, stats), CM_OK);
    CHECK_MSG(cm_check(thread, NULL) == CM_OK, "%s", cm_message(thread));
    cm_detach(thread);
    return garbage(town);
}

static void settle_town(town_t *town) {
    cm_thread_t *thread;
    cm_stats_t stats;
    CHECK_STATUS(cm_attach(town->store, &thread), CM_OK);
    for (uint32_t i = 0; i < N_MEMORIES; i++) CHECK_STATUS(insert(thread, i, 0), CM_OK);
    cm_detach(thread);
    look_after_all_left(town, &stats);
    town->n_bytes_live = stats.bytes_blocks;
}

TEST(churned_memories_plateau) {
    memset(text, 't', sizeof text);
    town_t town = {.store = open_town(n_churned()), .meeting = {.n_threads = N_CHURNERS}};
    town.n_rounds = (uint32_t)(n_churned() / (N_CHURNERS * MEMORIES_PER_ROUND));
    settle_town(&town);
    worker_t workers[N_CHURNERS];
    start(workers, N_CHURNERS, &town, live_in_town);
    join(workers, N_CHURNERS);
    cm_stats_t stats;
    uint64_t left = look_after_all_left(&town, &stats);
    printf("# %" PRIu64 " memories: at most %.2f MB waited, %.3f MB when all were quiet, %.3f MB when all had left; %.3f MB live\n",
           (uint64_t)town.n_done, mb(town.most), mb(town.most_after_turn), mb(left), mb(town.n_bytes_live));
    CHECK_EQ_U64(town.n_done, n_churned());
    CHECK_EQ_U64(town.n_failed, 0);
    CHECK_EQ_U64(stats.n_memories, N_MEMORIES);
    CHECK_EQ_U64(stats.n_retired, 0);
    CHECK(town.most < PLATEAU_BYTES);
    CHECK(town.most_after_turn < LEFT_BYTES);
    CHECK(left < LEFT_BYTES);
    CHECK_STATUS(cm_close(town.store), CM_OK);
}

typedef struct sleeper {
    town_t *town;
    plat_a32_t pinned, may_unpin;
    plat_thread_t *thread;
} sleeper_t;

static void sleep_pinned(void *argument) {
    sleeper_t *sleeper = argument;
    cm_thread_t *thread;
    CHECK_STATUS(cm_attach(sleeper->town->store, &thread), CM_OK);
    cmi_thread_pin(thread); /* where a search is, that was put aside */
    plat_store_release(&sleeper->pinned, 1u);
    await(&sleeper->may_unpin);
    cmi_thread_unpin(thread);
    cm_detach(thread);
}

/* The control of the store's gates. */
TEST(a_pinned_search_delays_and_then_all_goes) {
    enum { N_ROUNDS = 20 };
    memset(text, 't', sizeof text);
    town_t town = {.store = open_town((uint64_t)N_ROUNDS * MEMORIES_PER_ROUND)};
    settle_town(&town);
    sleeper_t sleeper = {.town = &town};
    sleeper.thread = plat_thread_spawn(sleep_pinned, &sleeper);
    await(&sleeper.pinned);
    cm_thread_t *thread;
    cm_stats_t stats;
    CHECK_STATUS(cm_attach(town.store, &thread), CM_OK);
    for (uint32_t round = 0; round < N_ROUNDS; round++) churn_memories(&town, thread, 0, round);
    CHECK_STATUS(cm_stats(thread, &stats), CM_OK);
    uint64_t pinned = garbage(&town);
    printf("# pinned: %.2f MB in %" PRIu64 " retired handles wait\n", mb(pinned), stats.n_retired);
    CHECK_MSG(town.most >= PLATEAU_BYTES && pinned >= LEFT_BYTES, "control: the gates are met although a search never ends");
    CHECK(stats.n_retired > (uint64_t)N_ROUNDS * MEMORIES_PER_ROUND);
    cm_detach(thread);
    plat_store_release(&sleeper.may_unpin, 1u);
    plat_thread_join(sleeper.thread);
    uint64_t left = look_after_all_left(&town, &stats);
    printf("# unpinned: %.3f MB\n", mb(left));
    CHECK_EQ_U64(stats.n_retired, 0);
    CHECK(left < LEFT_BYTES);
    CHECK_EQ_U64(town.n_failed, 0);
    CHECK_STATUS(cm_close(town.store), CM_OK);
}

int main(void) {
    full = getenv("CM_TEST_LENGTH") && strcmp(getenv("CM_TEST_LENGTH"), "full") == 0;
    printf("# %s epoch\n", plat_epoch_name());
    RUN(churned_blocks_plateau);
    RUN(a_pinned_reader_delays_and_then_all_goes);
    RUN(an_idle_thread_delays_nothing);
    RUN(what_was_left_behind_goes_where_only_readers_are_left);
    RUN(the_last_to_leave_leaves_nothing);
    RUN(churned_memories_plateau);
    RUN(a_pinned_search_delays_and_then_all_goes);
    return tap_done();
}
