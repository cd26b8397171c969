/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* graph.c - see graph.h. */
#include "model/graph.h"

#include <string.h>

static void join(known_t *into, const known_t *other) {
    for (uint32_t t = 0; t < MODEL_THREADS; t++)
        if (other->n[t] > into->n[t]) into->n[t] = other->n[t];
}

/* ---- clocks --------------------------------------------------------------------------------------------------------------- */

static void read_clocks(graph_t *graph, event_t *e) {
    if (e->from == INITIAL) return;
    const event_t *write = graph_at(graph, e->from);
    join(&e->causes, &write->causes);
    join(e->orders & MODEL_ACQUIRE ? &e->hb : &e->pending, &write->message);
}

/* A release sequence is continued by read-modify-writes only, as C++20 has it. */
static void write_clocks(graph_t *graph, event_t *e, const event_t *before) {
    e->message = e->orders & MODEL_RELEASE ? e->hb : e->fence;
    if (e->paired && before->from != INITIAL) join(&e->message, &graph_at(graph, before->from)->message);
}

void graph_set_clocks(graph_t *graph, uint32_t thread) {
    static const event_t nothing;
    uint32_t index = graph->n[thread] - 1u;
    event_t *e = &graph->event[thread][index];
    const event_t *before = index > 0 ? e - 1 : &nothing;
    e->hb = before->hb, e->causes = before->causes, e->pending = before->pending, e->fence = before->fence;
    e->message = nothing.message;
    e->hb.n[thread] = e->causes.n[thread] = (count_t)(index + 1);
    if (e->kind == READ) read_clocks(graph, e);
    else if (e->kind == WRITE) write_clocks(graph, e, before);
    else if (e->orders & MODEL_FENCE) {
        join(&e->hb, &e->pending);
        e->fence = e->hb;
    }
}

/* ---- coherence --------------------------------------------------------------------------------------------------------------- */

/* What happens before a write is below it; what happens before a read is not above the write it reads from. */
static bool coherent(graph_t *graph, uint32_t thread) {
    const event_t *last = &graph->event[thread][graph->n[thread] - 1u];
    uint32_t rank = rank_of(graph, last);
    FOR_EVENTS(graph, t, i, e) {
        if (e == last || !same_place(e, last) || !clock_has(&last->hb, t, i)) continue;
        uint32_t below = rank_of(graph, e);
        if (last->kind == WRITE ? below >= rank : below > rank) return false;
    }
    return true;
}

/* Nothing between the read and the write of a read-modify-write: no two of them read from one write, and no write is put between. */
static bool atomic(graph_t *graph, const event_t *last) {
    if (last->kind != WRITE) return true;
    if (last->paired && last->rank != rank_of(graph, last - 1) + 1) return false;
    FOR_EVENTS(graph, t, i, e) {
        if (e == last || e->kind != WRITE || !e->paired || e->address != last->address) continue;
        if (e->rank != rank_of(graph, e - 1) + 1) return false;
    }
    return true;
}

uint32_t graph_top_rank(graph_t *graph, const event_t *without, uintptr_t address) {
    uint32_t top = 0;
    FOR_EVENTS(graph, t, i, e)
    if (e != without && e->kind == WRITE && e->address == address && e->rank > top) top = e->rank;
    return top;
}

uint32_t graph_write_places(graph_t *graph, uint32_t thread, uint16_t place[]) {
    const event_t *last = &graph->event[thread][graph->n[thread] - 1u];
    if (last->paired) {
        place[0] = (uint16_t)(rank_of(graph, last - 1) + 1);
        return 1;
    }
    uint32_t n = 0, lowest = 0;
    FOR_EVENTS(graph, t, i, e)
    if (e != last && same_place(e, last) && clock_has(&last->hb, t, i) && rank_of(graph, e) > lowest) lowest = rank_of(graph, e);
    for (uint32_t below = graph_top_rank(graph, last, last->address) + 1; below-- > lowest;) place[n++] = (uint16_t)(below + 1);
    return n;
}

void graph_take_rank(graph_t *graph, event_t *write, uint32_t rank) {
    FOR_EVENTS(graph, t, i, e)
    if (e != write && e->kind == WRITE && e->address == write->address && e->rank >= rank) e->rank++;
    write->rank = (uint16_t)rank;
}

/* ---- fences ----------------------------------------------------------------------------------------------------------------- */

/*
 * psc: fence f comes before fence g when f happens before g, or f happens before an access a, a is before b in the order of their location, and b happens before g.
 * It must have no cycle. Accesses of a location in order of key(): a write at twice its rank, a read of it one above; a is before b when its key is lower.
 */
#define MOST_FENCES 32u /* bits of a mask */

typedef struct fences {
    uint32_t n;
    event_t *at[MOST_FENCES];
    uint8_t thread[MOST_FENCES];
    count_t index[MOST_FENCES];
    uint32_t before[MOST_FENCES]; /* bit g: f before g */
} fences_t;

static uint32_t key(graph_t *graph, const event_t *e) {
    return 2 * rank_of(graph, e) + (e->kind == READ);
}

static uint32_t fences_before(const fences_t *fences, const event_t *e) {
    uint32_t mask = 0;
    for (uint32_t f = 0; f < fences->n; f++)
        if (clock_has(&e->hb, fences->thread[f], fences->index[f])) mask |= 1u << f;
    return mask;
}

static uint32_t fences_after(const fences_t *fences, uint32_t thread, uint32_t index) {
    uint32_t mask = 0;
    for (uint32_t g = 0; g < fences->n; g++)
        if (clock_has(&fences->at[g]->hb, thread, index)) mask |= 1u << g;
    return mask;
}

static void add_edges(fences_t *fences, uint32_t from, uint32_t to) {
    for (uint32_t f = 0; f < fences->n; f++)
        if (from >> f & 1) fences->before[f] |= to;
}

static bool has_cycle(fences_t *fences) {
    for (uint32_t k = 0; k < fences->n; k++)
        for (uint32_t f = 0; f < fences->n; f++)
            if (fences->before[f] >> k & 1) fences->before[f] |= fences->before[k];
    for (uint32_t f = 0; f < fences->n; f++)
        if (fences->before[f] >> f & 1) return true;
    return false;
}

static bool fences_in_order(graph_t *graph) {
    fences_t fences = {0};
    struct {
        const event_t *e;
        uint32_t key, before, after;
    } access[MODEL_THREADS * MOST_EVENTS];
    uint32_t n = 0;
    FOR_EVENTS(graph, t, i, e)
    if (e->kind == FENCE && e->orders & MODEL_FENCE) {
        if (fences.n == MOST_FENCES) model_fail(__FILE__, __LINE__, "an execution has more fences than the checker can order");
        fences.at[fences.n] = e, fences.thread[fences.n] = (uint8_t)t, fences.index[fences.n] = (count_t)i;
        fences.n++;
    }
    for (uint32_t f = 0; f < fences.n; f++) fences.before[f] = fences_after(&fences, fences.thread[f], fences.index[f]) & ~(1u << f);
    FOR_EVENTS(graph, t, i, e)
    if (e->kind != FENCE) {
        uint32_t before = fences_before(&fences, e), after = fences_after(&fences, t, i);
        if (!before && !after) continue;
        access[n].e = e, access[n].key = key(graph, e), access[n].before = before, access[n].after = after;
        n++;
    }
    for (uint32_t a = 0; a < n; a++)
        for (uint32_t b = 0; access[a].before && b < n; b++)
            if (access[b].after && access[a].e->address == access[b].e->address && access[a].key < access[b].key)
                add_edges(&fences, access[a].before, access[b].after);
    return !has_cycle(&fences);
}

/* A new event that is the newest of its location has nothing above it, so no edge leaves it. */
static bool is_newest(graph_t *graph, const event_t *last) {
    return rank_of(graph, last) >= graph_top_rank(graph, last, last->address);
}

bool graph_consistent(graph_t *graph, uint32_t thread) {
    const event_t *last = &graph->event[thread][graph->n[thread] - 1u];
    if (last->kind == FENCE) return true;
    if (!coherent(graph, thread) || !atomic(graph, last)) return false;
    return graph->n_fences < 2 || is_newest(graph, last) || fences_in_order(graph);
}

/* ---- copies -------------------------------------------------------------------------------------------------------------------- */

void graph_copy(graph_t *to, const graph_t *from) {
    memcpy(to, from, offsetof(graph_t, event));
    for (uint32_t t = 0; t < MODEL_THREADS; t++) memcpy(to->event[t], from->event[t], from->n[t] * sizeof(event_t));
}

void graph_restrict(graph_t *graph, const count_t n[MODEL_THREADS]) {
    memcpy(graph->n, n, sizeof graph->n);
    graph->n_fences = 0;
    FOR_EVENTS(graph, t, i, e)
    if (e->kind == FENCE) graph->n_fences++;
}
