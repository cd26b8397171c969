/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * explore.c - optimal dynamic partial-order reduction by execution graphs, after Kokologiannakis, Marmanis, Gladstein and Vafeiadis, "Truly stateless, optimal dynamic
 * partial order reduction" (POPL 2022).
 *
 * A graph grows by one event at a time, always of the first thread that can go on. A new read may read from any write that is there: the newest is tried first, a copy of
 * the graph is kept for each of the others. A new write may take any place in the coherence order, likewise. And a new write may be what a read that is already
 * there reads (a revisit): then everything that was added after that read and does not lead to the write is forgotten, which is tried only if all of it was
 * the newest possible when it was added: so each graph is reached in one way only.
 * The graphs that are kept are a stack of things to try. A trial runs the threads anew, feeding them the values of the graph's reads, until the graph is reached;
 * then it grows on.
 */
#include "model/explore.h"

#include "model/fibers.h"
#include "model/plain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static graph_t graph;
static graph_t scratch;
static const model_shape_t *shape;
static explored_t result;

/* A thread within a trial. */
typedef struct runner {
    bool waits;       /* has a request */
    bool writes_next; /* its read-modify-write has read */
    uint32_t n_done;  /* events of the graph that it has executed */
} runner_t;
static runner_t runners[MODEL_THREADS];

typedef enum verdict { GOES_ON, ENDS, FAILS } verdict_t;

/* ---- graphs to try ------------------------------------------------------------------------------------------------------------ */

static uint8_t *kept;
static size_t kept_bytes, kept_capacity;

static void append_bytes(const void *bytes, size_t n) {
    if (kept_bytes + n > kept_capacity) {
        kept_capacity = 2 * (kept_bytes + n);
        kept = realloc(kept, kept_capacity);
        if (!kept) abort();
    }
    memcpy(kept + kept_bytes, bytes, n);
    kept_bytes += n;
}

/* Events, then the head, then the length of both: to be taken from the end. */
static void keep(const graph_t *g) {
    size_t start = kept_bytes;
    for (uint32_t t = 0; t < MODEL_THREADS; t++) append_bytes(g->event[t], g->n[t] * sizeof(event_t));
    append_bytes(g, offsetof(graph_t, event));
    size_t n = kept_bytes - start;
    append_bytes(&n, sizeof n);
}

static bool take(graph_t *g) {
    if (kept_bytes == 0) return false;
    size_t n;
    memcpy(&n, kept + kept_bytes - sizeof n, sizeof n);
    kept_bytes -= sizeof n + n;
    memcpy(g, kept + kept_bytes + n - offsetof(graph_t, event), offsetof(graph_t, event));
    const uint8_t *at = kept + kept_bytes;
    for (uint32_t t = 0; t < MODEL_THREADS; t++) {
        memcpy(g->event[t], at, g->n[t] * sizeof(event_t));
        at += g->n[t] * sizeof(event_t);
    }
    return true;
}

/* ---- running threads ------------------------------------------------------------------------------------------------------------- */

static const known_t *knowledge(uint32_t thread) {
    static const known_t nothing;
    uint32_t n = runners[thread].n_done;
    return n > 0 ? &graph.event[thread][n - 1].hb : &nothing;
}

static verdict_t run_on(uint32_t thread, uint64_t value) {
    plain_enter(thread, knowledge(thread));
    fiber_state_t state = fiber_run(thread, value);
    runners[thread].waits = state == FIBER_WAITS;
    if (state == FIBER_ABANDONED) result.n_abandoned++;
    return state == FIBER_FAILED ? FAILS : state == FIBER_ABANDONED ? ENDS : GOES_ON;
}

static bool succeeds(const request_t *request, uint64_t read) {
    return request->access == ACCESS_RMW || (request->access == ACCESS_CAS && read == request->expected);
}

static uint64_t written(const request_t *request, const event_t *read) {
    return request->access == ACCESS_RMW ? request_result(request->op, request->n_bytes, read->value, request->value) : request->value;
}

/* plain_atomic() may fail, outside of any thread. */
static uint32_t watched_thread;
static event_t *watched;
static void watch(void) {
    plain_atomic(watched_thread, watched);
}

/* The thread's next event, which is in the graph with all that it needs, has happened. */
static verdict_t execute(uint32_t thread) {
    runner_t *runner = &runners[thread];
    event_t *e = &graph.event[thread][runner->n_done++];
    const request_t *request = fiber_request(thread);
    if (e->kind == FENCE) return run_on(thread, 0);
    watched_thread = thread, watched = e;
    if (!fiber_guarded(watch)) return FAILS;
    if (e->kind == READ) {
        e->paired = succeeds(request, e->value);
        runner->writes_next = e->paired;
        return e->paired ? GOES_ON : run_on(thread, e->value);
    }
    runner->writes_next = false;
    return run_on(thread, e->paired ? (e - 1)->value : 0);
}

static uint64_t value_from(const event_t *read) {
    return read->from == INITIAL ? plain_initial(read->address, read->n_bytes) : graph_at(&graph, read->from)->value;
}

/* ---- replaying ------------------------------------------------------------------------------------------------------------------- */

static bool can_replay(uint32_t thread) {
    const runner_t *runner = &runners[thread];
    if (!runner->waits || runner->n_done >= graph.n[thread]) return false;
    const event_t *e = &graph.event[thread][runner->n_done];
    return e->kind != READ || e->from == INITIAL || runners[ref_thread(e->from)].n_done > ref_index(e->from);
}

static bool is_the_same(const event_t *e, uint32_t thread) {
    const request_t *request = fiber_request(thread);
    if (e->kind == FENCE) return e->site == request->site;
    if (e->address != request->address || e->site != request->site) return false;
    return e->value == (e->kind == READ ? value_from(e) : written(request, e - 1));
}

static verdict_t replay_one(uint32_t thread) {
    event_t *e = &graph.event[thread][runners[thread].n_done];
    if (!is_the_same(e, thread)) model_fail("explore", 0, "a thread did not do the same again: it depends on more than what it reads");
    return execute(thread);
}

static verdict_t replay(void) {
    memset(runners, 0, sizeof runners);
    plain_rewind();
    for (uint32_t t = 0; t < MODEL_THREADS && shape->thread[t]; t++) {
        fiber_start(t, shape->thread[t]);
        verdict_t verdict = run_on(t, 0);
        if (verdict != GOES_ON) return verdict;
    }
    for (bool moved = true; moved;) {
        moved = false;
        for (uint32_t t = 0; t < MODEL_THREADS; t++) {
            while (can_replay(t)) {
                moved = true;
                verdict_t verdict = replay_one(t);
                if (verdict != GOES_ON) return verdict;
            }
        }
    }
    return GOES_ON;
}

/* ---- growing ----------------------------------------------------------------------------------------------------------------------- */

static event_t *add_event(uint32_t thread, kind_t kind) {
    const request_t *request = fiber_request(thread);
    event_t *e = &graph.event[thread][graph.n[thread]++];
    *e = (event_t){.address = request->address,
                   .site = request->site,
                   .stamp = graph.next_stamp++,
                   .from = INITIAL,
                   .kind = (uint8_t)kind,
                   .n_bytes = (uint8_t)request->n_bytes,
                   .orders = (uint8_t)request->site->orders};
    return e;
}

static verdict_t add_fence(uint32_t thread) {
    add_event(thread, FENCE);
    graph.n_fences++;
    graph_set_clocks(&graph, thread);
    return execute(thread);
}

static bool may_read(uint32_t thread, event_t *read, ref_t from) {
    read->from = from;
    graph_set_clocks(&graph, thread);
    return graph_consistent(&graph, thread);
}

/* Reads the newest write; what else it may read is kept for later. */
static verdict_t add_read(uint32_t thread) {
    event_t *read = add_event(thread, READ);
    uint32_t top = 0;
    ref_t newest = INITIAL;
    FOR_EVENTS(&graph, t, i, e)
    if (e->kind == WRITE && e->address == read->address && e->rank > top) top = e->rank, newest = ref_of(t, i);
    if (newest != INITIAL && may_read(thread, read, INITIAL)) read->value = value_from(read), keep(&graph);
    FOR_EVENTS(&graph, t, i, e)
    if (e->kind == WRITE && e->address == read->address && ref_of(t, i) != newest && may_read(thread, read, ref_of(t, i)))
        read->value = value_from(read), keep(&graph);
    if (!may_read(thread, read, newest)) return ENDS;
    read->value = value_from(read);
    return execute(thread);
}

/* Gives the last write of `thread` each place that it may have: one copy kept for each, but for the first when `stay`: that is where `g` is then. False when there is none. */
static bool place_write(graph_t *g, uint32_t thread, uint32_t revisited, bool stay) {
    uint16_t place[2 * MOST_EVENTS];
    uint32_t n = graph_write_places(g, thread, place);
    bool stayed = false;
    static graph_t trial;
    for (uint32_t p = n; p-- > 0;) { /* the newest place last: that is where we stay */
        graph_copy(&trial, g);
        graph_take_rank(&trial, &trial.event[thread][trial.n[thread] - 1u], place[p]);
        if (!graph_consistent(&trial, thread)) continue;
        if (revisited < MODEL_THREADS && !graph_consistent(&trial, revisited)) continue;
        if (stay && p == 0) {
            graph_copy(g, &trial);
            stayed = true;
        } else {
            keep(&trial);
        }
    }
    return stayed;
}

/* ---- revisits ------------------------------------------------------------------------------------------------------------------- */

/* Was there when e was added, or leads to the write. */
static bool precedes(const event_t *other, uint32_t thread, uint32_t index, const event_t *e, const event_t *write) {
    return other != write && (other->stamp <= e->stamp || clock_has(&write->causes, thread, index));
}

/* e was the newest possible when it was added, not counting what the write does not need. */
static bool was_newest(const event_t *e, ref_t self, const event_t *write) {
    if (e->kind == FENCE) return true;
    if (e->kind == READ && e->from != INITIAL && !precedes(graph_at(&graph, e->from), ref_thread(e->from), ref_index(e->from), e, write))
        return false;
    uint32_t rank = rank_of(&graph, e);
    FOR_EVENTS(&graph, t, i, other) {
        if (!same_place(other, e) || other == e || !precedes(other, t, i, e, write)) continue;
        if (other->kind == WRITE && other->rank > rank) return false;
        if (e->kind == WRITE && other->kind == READ && other->from == self) return false;
    }
    return true;
}

/* How much of each thread stays when `read` is to read from the new write: what was there before the read, and what leads to the write. */
static void staying(const event_t *read, const event_t *write, uint32_t write_thread, count_t n[MODEL_THREADS]) {
    for (uint32_t t = 0; t < MODEL_THREADS; t++) {
        n[t] = t == write_thread ? graph.n[t] : write->causes.n[t];
        while (n[t] < graph.n[t] && graph.event[t][n[t]].stamp <= read->stamp) n[t]++;
    }
}

static void revisit(ref_t ref, event_t *write, uint32_t writer) {
    const event_t *read = graph_at(&graph, ref);
    uint32_t reader = ref_thread(ref);
    count_t n[MODEL_THREADS];
    staying(read, write, writer, n);
    if (!was_newest(read, ref, write)) return;
    FOR_EVENTS(&graph, t, i, e)
    if (i >= n[t] && !was_newest(e, ref_of(t, i), write)) return;
    graph_copy(&scratch, &graph);
    graph_restrict(&scratch, n);
    event_t *again = &scratch.event[reader][n[reader] - 1u];
    again->from = ref_of(writer, graph.n[writer] - 1u);
    again->value = write->value;
    graph_set_clocks(&scratch, reader);
    place_write(&scratch, writer, reader, false);
}

static verdict_t add_write(uint32_t thread) {
    const request_t *request = fiber_request(thread);
    bool paired = runners[thread].writes_next;
    event_t *write = add_event(thread, WRITE);
    write->paired = paired;
    write->value = paired ? written(request, write - 1) : request->value;
    graph_set_clocks(&graph, thread);
    FOR_EVENTS(&graph, t, i, e)
    if (e->kind == READ && e->address == write->address && !clock_has(&write->causes, t, i)) revisit(ref_of(t, i), write, thread);
    return place_write(&graph, thread, MODEL_THREADS, true) ? execute(thread) : ENDS;
}

/* A thread in the middle of a read-modify-write, else the first that waits; MODEL_THREADS: all have ended. */
static uint32_t next_thread(void) {
    for (uint32_t t = 0; t < MODEL_THREADS; t++)
        if (runners[t].writes_next) return t;
    for (uint32_t t = 0; t < MODEL_THREADS; t++)
        if (runners[t].waits) return t;
    return MODEL_THREADS;
}

/* Retries that are not paid for by another thread's progress end up here: a loop that waits, or one that reads the same old value for ever. */
static void go_on_and_on(void) {
    model_fail("explore", 0, "a thread takes more steps than the checker has room for: it may go on for ever");
}

static verdict_t grow(uint32_t thread) {
    if (graph.n[thread] + 2u > MOST_EVENTS) {
        fiber_guarded(go_on_and_on);
        return FAILS;
    }
    if (runners[thread].writes_next) return add_write(thread);
    switch (fiber_request(thread)->access) {
    case ACCESS_FENCE: return add_fence(thread);
    case ACCESS_STORE: return add_write(thread);
    default: return add_read(thread);
    }
}

/* ---- one execution --------------------------------------------------------------------------------------------------------------- */

#define MOST_OUTCOMES 64u
static uint64_t outcomes[MOST_OUTCOMES];

void model_outcome(uint64_t outcome) {
    for (uint32_t i = 0; i < result.n_outcomes; i++)
        if (outcomes[i] == outcome) return;
    if (result.n_outcomes < MOST_OUTCOMES) outcomes[result.n_outcomes++] = outcome;
}

static void settle_memory(void) {
    FOR_EVENTS(&graph, t, i, e)
    if (e->kind == WRITE && e->rank == graph_top_rank(&graph, NULL, e->address)) plain_poke(e->address, e->n_bytes, e->value);
}

static verdict_t complete(void) {
    uint32_t n = 0;
    for (uint32_t t = 0; t < MODEL_THREADS; t++) n += graph.n[t];
    if (n > result.most_events) result.most_events = n;
    result.n_complete++;
    plain_enter(0, NULL);
    settle_memory();
    return fiber_guarded(shape->finish) ? GOES_ON : FAILS;
}

static verdict_t run_one(void) {
    verdict_t verdict = replay();
    while (verdict == GOES_ON) {
        uint32_t thread = next_thread();
        if (thread == MODEL_THREADS) return complete();
        verdict = grow(thread);
        if (verdict == ENDS) result.n_dead++;
    }
    return verdict;
}

/* ---- telling -------------------------------------------------------------------------------------------------------------------- */

static void print_event(const event_t *e, uint32_t t, uint32_t i) {
    const char *file = strrchr(e->site->file, '/');
    printf("#   %u.%-3u %-5s %-18s %s:%u", t, i,
           e->kind == READ    ? "read"
           : e->kind == WRITE ? "write"
                              : "fence",
           e->site->name, file ? file + 1 : e->site->file, e->site->line);
    if (e->kind != FENCE) printf("  %p = %llx", (void *)e->address, (unsigned long long)e->value);
    if (e->kind == READ && e->from == INITIAL) printf("  from the beginning");
    else if (e->kind == READ) printf("  from %u.%u", ref_thread(e->from), ref_index(e->from));
    if (e->kind == WRITE) printf("  rank %u", e->rank);
    printf("\n");
}

static void print_execution(void) {
    printf("# %s/%s: %s\n# the execution, in the order in which it was built:\n", shape->group, shape->name, fiber_failure());
    for (uint32_t stamp = 0; stamp < graph.next_stamp; stamp++) FOR_EVENTS(&graph, t, i, e)
    if (e->stamp == stamp) print_event(e, t, i);
}

const char *explore_failure(void) {
    return fiber_failure();
}

explored_t explore(const model_shape_t *shape_, uint64_t limit, bool verbose) {
    shape = shape_;
    result = (explored_t){0};
    kept_bytes = 0;
    plain_reset();
    if (shape->setup) shape->setup();
    plain_freeze();
    memset(&graph, 0, offsetof(graph_t, event));
    graph.next_stamp = 1;
    keep(&graph);
    while (take(&graph)) {
        if (limit > 0 && result.n_complete + result.n_dead >= limit) {
            result.bounded = true;
            break;
        }
        if (run_one() != FAILS) continue;
        result.failed = true;
        if (verbose) print_execution();
        break;
    }
    plain_rewind();
    return result;
}
