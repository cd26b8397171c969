/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * parked.c - nothing blocks: a thread is frozen before its i-th atomic access, for EVERY i of every operation, and the others go on as if it were not there.
 *
 * While it is frozen another thread does every operation there is, on the same memories and on new ones, and may take no more than MOST_STEPS atomic accesses for each: a
 * lock that the frozen thread holds, or a loop that waits for it, uses them up. Then the frozen thread goes on (first form) or is given up for dead (second form), and
 * check() finds the store whole.
 *
 * The control is an index behind a reader-writer lock: the same harness must catch it. Steps are counted, not time; a frozen reader delays reclamation and nothing else.
 * A new operation is a line in `operations`.
 */
#include "chronomind.h"
#include "support/fibers.h"
#include "support/spinning_lock.h"
#include "support/tap.h"

#include <setjmp.h>

#define DIMENSIONS 4u
#define MOST_STEPS 20000u /* of one operation; they take some hundreds */
#define N_MEMORIES 12

/* ---- steps ------------------------------------------------------------------------------------------------------------------ */

static uint64_t n_steps; /* of the operation that the test itself is doing */
static jmp_buf blocked;

void plat_atomic_step(void) {
    if (running_fiber) fiber_step();
    else if (++n_steps > MOST_STEPS) longjmp(blocked, 1);
}

/* ---- operations ----------------------------------------------------------------------------------------------------------------- */

static uint8_t buffer[65536];

static cm_memory_t memory_of(const char *id, float x) {
    static float vector[DIMENSIONS];
    cm_memory_t memory = CM_MEMORY_INIT;
    for (uint32_t i = 0; i < DIMENSIONS; i++) vector[i] = x + (float)i * (1.5f - x);
    memory.id = (cm_str_t){id, strlen(id)};
    memory.vector = vector;
    memory.dimensions = DIMENSIONS;
    memory.context = CM_STR("context");
    memory.text = CM_STR("text");
    memory.created_ms = 1000;
    return memory;
}

static cm_status_t insert_new(cm_thread_t *thread) {
    static uint32_t n;
    char id[16];
    snprintf(id, sizeof id, "new %u", n++);
    cm_memory_t memory = memory_of(id, 0.3f);
    return cm_insert(thread, &memory);
}
static cm_status_t replace(cm_thread_t *thread) {
    cm_memory_t memory = memory_of("m3", 0.4f);
    cm_str_t to = CM_STR("m9");
    memory.relationships = &to;
    memory.n_relationships = 1;
    return cm_insert(thread, &memory);
}
static cm_status_t remove_one(cm_thread_t *thread) {
    return cm_remove(thread, CM_STR("m5"));
}
static cm_status_t put_back(cm_thread_t *thread) {
    cm_memory_t memory = memory_of("m5", 0.6f);
    return cm_insert(thread, &memory);
}
static cm_status_t get(cm_thread_t *thread) {
    cm_memory_t out;
    return cm_get(thread, CM_STR("m3"), &out, buffer, sizeof buffer, NULL);
}
static cm_status_t access_one(cm_thread_t *thread) {
    cm_memory_t out;
    return cm_access(thread, CM_STR("m3"), 5000, &out, buffer, sizeof buffer, NULL);
}
static cm_status_t update(cm_thread_t *thread) {
    cm_update_t update = CM_UPDATE_INIT;
    update.fields = CM_UPDATE_IMPORTANCE | CM_UPDATE_DECAY_RATE | CM_UPDATE_CONTEXT | CM_UPDATE_TEXT | CM_UPDATE_METADATA;
    update.importance = 0.5f;
    update.decay_rate = 0.7f;
    update.context = CM_STR("another");
    update.text = CM_STR("new text");
    update.metadata = CM_STR("{}");
    return cm_update(thread, CM_STR("m3"), &update);
}
static cm_status_t relate(cm_thread_t *thread) {
    return cm_relate(thread, CM_STR("m3"), CM_STR("m7"));
}
static cm_status_t unrelate(cm_thread_t *thread) {
    return cm_unrelate(thread, CM_STR("m3"), CM_STR("m7"));
}
static cm_status_t decay(cm_thread_t *thread) {
    return cm_apply_decay(thread, 3600000, NULL);
}
static cm_status_t consolidate(cm_thread_t *thread) {
    return cm_consolidate(thread, NULL, NULL);
}
static cm_status_t search_with(cm_thread_t *thread, cm_search_t options) {
    cm_memory_t memory = memory_of("", 0.35f);
    cm_hit_t hits[5];
    size_t n;
    options.k = 5;
    return cm_search(thread, memory.vector, DIMENSIONS, &options, hits, &n);
}
static cm_status_t search(cm_thread_t *thread) {
    cm_search_t options = CM_SEARCH_INIT;
    options.now_ms = 10000;
    return search_with(thread, options);
}
static cm_status_t search_context(cm_thread_t *thread) {
    cm_search_t options = CM_SEARCH_INIT;
    options.context = CM_STR("context");
    return search_with(thread, options);
}
static cm_status_t iterate(cm_thread_t *thread) {
    uint64_t cursor = 0;
    cm_memory_t out;
    cm_status_t status;
    while ((status = cm_next(thread, &cursor, &out, buffer, sizeof buffer, NULL)) == CM_OK) {}
    return status == CM_END ? CM_OK : status;
}
static cm_status_t related(cm_thread_t *thread) {
    cm_related_t out[32];
    uint32_t n;
    return cm_related(thread, CM_STR("m3"), 3, out, 32, &n);
}
static cm_status_t summary(cm_thread_t *thread) {
    cm_context_summary_t out;
    return cm_context_summary(thread, CM_STR("context"), &out, NULL, 0);
}
static cm_status_t stats(cm_thread_t *thread) {
    cm_stats_t out;
    return cm_stats(thread, &out);
}
static int swallow(void *context, const void *bytes, size_t n_bytes) {
    (void)context, (void)bytes, (void)n_bytes;
    return 0;
}
static cm_status_t save(cm_thread_t *thread) {
    cm_sink_t sink = {NULL, swallow};
    return cm_save(thread, &sink);
}

static const struct operation {
    const char *name;
    cm_status_t (*perform)(cm_thread_t *thread);
} operations[] = {
    {"insert", insert_new}, {"replace", replace},         {"remove", remove_one}, {"put back", put_back},
    {"update", update},     {"relate", relate},           {"unrelate", unrelate}, {"access", access_one},
    {"decay", decay},       {"search", search},           {"get", get},           {"search in a context", search_context},
    {"iterate", iterate},   {"related", related},         {"summary", summary},   {"statistics", stats},
    {"save", save},         {"consolidate", consolidate},
};
#define N_OPERATIONS (sizeof operations / sizeof operations[0])

/* ---- a round ---------------------------------------------------------------------------------------------------------------------- */

typedef struct round {
    cm_store_t *store;
    cm_thread_t *victim, *other;
    const struct operation *operation;
    cm_status_t status; /* of the victim */
} round_t;

/* Some are alike, so that there is something to consolidate; m3 is related. */
static void open_round(round_t *round, const struct operation *operation) {
    cm_config_t config = CM_CONFIG_INIT;
    config.dimensions = DIMENSIONS;
    config.max_memories = 100;
    config.m = 4;
    config.ef_construction = 8;
    config.ef_search = 8;
    config.max_threads = 3;
    *round = (round_t){.operation = operation};
    n_steps = 0;
    if (cm_open(&config, &round->store, NULL) != CM_OK || cm_attach(round->store, &round->victim) != CM_OK ||
        cm_attach(round->store, &round->other) != CM_OK)
        abort();
    for (int i = 0; i < N_MEMORIES; i++) {
        char id[8];
        snprintf(id, sizeof id, "m%d", i);
        cm_memory_t memory = memory_of(id, (float)(i / 2) / 6.0f);
        n_steps = 0;
        CHECK_STATUS(cm_insert(round->victim, &memory), CM_OK);
    }
    n_steps = 0;
    CHECK_STATUS(relate(round->victim), CM_OK);
}

static void perform_as_victim(void *argument) {
    round_t *round = argument;
    round->status = round->operation->perform(round->victim);
}

static bool is_expected(cm_status_t status) {
    return status == CM_OK || status == CM_E_NOT_FOUND || status == CM_E_BUSY;
}

/* Every operation by the other thread. The most steps that one took; UINT64_MAX when one did not end. */
static uint64_t perform_all(round_t *round, const char **slowest) {
    static volatile uint64_t most; /* survives the jump */
    static volatile size_t i;
    most = 0;
    for (i = 0; i < N_OPERATIONS; i++) {
        n_steps = 0;
        if (setjmp(blocked)) {
            *slowest = operations[i].name;
            return UINT64_MAX;
        }
        cm_status_t status = operations[i].perform(round->other);
        CHECK_MSG(is_expected(status), "%s answered %d: %s", operations[i].name, (int)status, cm_message(round->other));
        if (n_steps > most) most = n_steps, *slowest = operations[i].name;
    }
    return most;
}

static void check_whole(round_t *round, const char *when, uint64_t step) {
    cm_check_report_t report;
    n_steps = 0;
    cm_status_t status = cm_check(round->other, &report);
    CHECK_MSG(status == CM_OK, "%s, frozen before step %" PRIu64 ", %s: %s", round->operation->name, step, when, cm_message(round->other));
}

static void close_round(round_t *round, bool victim_lives) {
    const char *slowest;
    n_steps = 0;
    if (victim_lives) {
        cm_detach(round->victim);
    } else {
        CHECK_STATUS(cm_thread_abandon(round->store, cm_thread_slot(round->victim)), CM_OK);
        CHECK(perform_all(round, &slowest) != UINT64_MAX);
    }
    check_whole(round, victim_lives ? "left" : "given up", 0);
    n_steps = 0;
    cm_detach(round->other);
    CHECK_STATUS(cm_close(round->store), CM_OK);
}

/* True while the operation has a step `at`. */
static bool freeze_at(const struct operation *operation, uint64_t at, bool lives, uint64_t *most) {
    round_t round;
    fiber_t victim;
    const char *slowest = "";
    open_round(&round, operation);
    fiber_open(&victim, perform_as_victim, &round);
    bool ended = fiber_run(&victim, at);
    if (!ended) {
        uint64_t steps = perform_all(&round, &slowest);
        CHECK_MSG(steps != UINT64_MAX, "%s does not end while %s is frozen before step %" PRIu64, slowest, operation->name, at);
        if (steps != UINT64_MAX && steps > *most) *most = steps;
        if (lives) {
            CHECK(fiber_run(&victim, 0));
            CHECK_MSG(is_expected(round.status), "%s, frozen before step %" PRIu64 ", answered %d", operation->name, at, (int)round.status);
            check_whole(&round, "resumed", at);
        }
    }
    close_round(&round, lives || ended);
    fiber_close(&victim);
    return !ended;
}

static void freeze_everywhere(bool lives) {
    round_t alone;
    const char *slowest = "";
    open_round(&alone, &operations[0]);
    uint64_t undisturbed = perform_all(&alone, &slowest);
    close_round(&alone, true);
    printf("# undisturbed, an operation takes at most %" PRIu64 " steps (%s)\n", undisturbed, slowest);
    for (size_t i = 0; i < N_OPERATIONS; i++) {
        uint64_t at = 1, most = 0;
        while (freeze_at(&operations[i], at, lives, &most) && tap_checks_failed == 0) at++;
        printf("# %-20s frozen before each of %" PRIu64 " steps; others took at most %" PRIu64 "\n", operations[i].name, at - 1, most);
        CHECK(at > 1);
    }
}

TEST(a_thread_frozen_at_any_step_holds_up_nobody) {
    freeze_everywhere(true);
}

TEST(a_thread_that_died_at_any_step_holds_up_nobody) {
    freeze_everywhere(false);
}

/* ---- readers hold back memory, and only that ------------------------------------------------------------------------------------------ */

static uint64_t n_retired(round_t *round) {
    cm_stats_t out;
    n_steps = 0;
    CHECK_STATUS(cm_stats(round->other, &out), CM_OK);
    return out.n_retired;
}

TEST(a_frozen_reader_delays_reclamation_and_nothing_else) {
    round_t round;
    fiber_t victim;
    const char *slowest;
    open_round(&round, &operations[9]);
    fiber_open(&victim, perform_as_victim, &round);
    CHECK(!fiber_run(&victim, 20));
    for (int i = 0; i < 40; i++) CHECK(perform_all(&round, &slowest) != UINT64_MAX);
    uint64_t held = n_retired(&round);
    CHECK(fiber_run(&victim, 0));
    cm_detach(round.victim);
    for (int i = 0; i < 400; i++) {
        n_steps = 0;
        access_one(round.other);
        n_steps = 0;
        relate(round.other);
        n_steps = 0;
        unrelate(round.other);
    }
    uint64_t left = n_retired(&round);
    printf("# %" PRIu64 " handles waited for the frozen reader, %" PRIu64 " wait after it went on and 800 more were retired\n", held, left);
    CHECK(held > 200);
    CHECK(left < held);
    CHECK_STATUS(cm_attach(round.store, &round.victim), CM_OK);
    close_round(&round, true);
    fiber_close(&victim);
}

/* ---- the control ------------------------------------------------------------------------------------------------------------------- */

typedef struct index_round {
    cm_index_t *index;
    cm_index_thread_t *victim, *other;
} index_round_t;

static const float a_vector[DIMENSIONS] = {1, 2, 3, 4};

static void insert_into_index(void *argument) {
    uint32_t id;
    cm_index_insert(((index_round_t *)argument)->victim, a_vector, DIMENSIONS, &id);
}

/* At how many of the steps of an insert a search by another thread does not end. */
static uint64_t count_blocking_steps(cm_index_kind_t kind, uint64_t *n_points) {
    volatile uint64_t n_blocking = 0, at = 1;
    for (;; at++) {
        index_round_t round;
        fiber_t victim;
        cm_index_config_t config = CM_INDEX_CONFIG_INIT;
        config.kind = kind;
        config.dimensions = DIMENSIONS;
        config.capacity = 50;
        n_steps = 0;
        if (cm_index_open(&config, &round.index, NULL) != CM_OK || cm_index_attach(round.index, &round.victim) != CM_OK ||
            cm_index_attach(round.index, &round.other) != CM_OK)
            abort();
        insert_into_index(&round);
        fiber_open(&victim, insert_into_index, &round);
        bool ended = fiber_run(&victim, at);
        if (!ended) {
            cm_neighbor_t found[3];
            size_t n;
            n_steps = 0;
            if (setjmp(blocked)) n_blocking++;
            else cm_index_search(round.other, a_vector, DIMENSIONS, 3, 10, found, &n);
            n_steps = 0;
            fiber_run(&victim, 0);
        }
        n_steps = 0;
        cm_index_detach(round.victim);
        cm_index_detach(round.other);
        cm_index_close(round.index);
        fiber_close(&victim);
        if (ended) break;
    }
    *n_points = at - 1;
    return n_blocking;
}

TEST(the_harness_catches_a_lock) {
    uint64_t n_points, n_blocking = count_blocking_steps(CM_INDEX_RWLOCK, &n_points);
    printf("# one rwlock: a search is held up at %" PRIu64 " of the %" PRIu64 " steps of an insert\n", n_blocking, n_points);
    CHECK(n_blocking > n_points / 2);
    n_blocking = count_blocking_steps(CM_INDEX_LOCKFREE, &n_points);
    printf("# lock-free: at %" PRIu64 " of %" PRIu64 "\n", n_blocking, n_points);
    CHECK_EQ_U64(n_blocking, 0);
    CHECK(n_points > 20);
}

int main(void) {
    RUN(a_thread_frozen_at_any_step_holds_up_nobody);
    RUN(a_thread_that_died_at_any_step_holds_up_nobody);
    RUN(a_frozen_reader_delays_reclamation_and_nothing_else);
    RUN(the_harness_catches_a_lock);
    return tap_done();
}
