/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * graph.h - execution graphs of RC11 (Lahav et al., "Repairing sequential consistency in C/C++11", PLDI 2017), without load buffering: program order and
 * reads-from have no cycle. Accesses are relaxed, acquire, release; sequential consistency exists as a fence only.
 *
 * An execution is, for each thread, its events in program order; for each read the write it reads from; for each location an order of its writes (coherence). A
 * read-modify-write is a read and, directly behind it, a write. Happens-before is kept as vector clocks: what happens before an event is a prefix of
 * every thread.
 */
#ifndef MODEL_GRAPH_H
#define MODEL_GRAPH_H

#include "model/model.h"

#define MOST_EVENTS 250u /* per thread */

typedef enum kind { READ, WRITE, FENCE } kind_t;

/* Thread and index of an event. */
typedef uint16_t ref_t;
#define INITIAL UINT16_MAX /* the write that setup made */

static inline ref_t ref_of(uint32_t thread, uint32_t index) {
    return (ref_t)(thread << 8 | index);
}
static inline uint32_t ref_thread(ref_t ref) {
    return ref >> 8;
}
static inline uint32_t ref_index(ref_t ref) {
    return ref & 0xFFu;
}

/* How many events of each thread are included. */
typedef struct known {
    uint8_t n[MODEL_THREADS];
} known_t;

typedef struct event {
    uintptr_t address;
    uint64_t value; /* read or written */
    const model_site_t *site;
    uint32_t stamp;  /* when it was added */
    uint16_t rank;   /* writes: place in the coherence order, from 1; what is INITIAL has 0 */
    ref_t from;      /* reads */
    uint8_t kind;    /* kind_t */
    uint8_t n_bytes; /* of the access */
    uint8_t orders;  /* MODEL_ flags */
    bool paired;     /* read and write of one read-modify-write */
    known_t hb;      /* happens before it, itself included */
    known_t causes;  /* program order and reads-from into it, itself included */
    known_t pending; /* what a fence behind it would acquire */
    known_t fence;   /* what the last fence before it releases */
    known_t message; /* writes: what an acquiring reader gets */
} event_t;

typedef struct graph {
    uint32_t next_stamp;
    uint32_t n_fences;
    uint8_t n[MODEL_THREADS];
    event_t event[MODEL_THREADS][MOST_EVENTS];
} graph_t;

static inline event_t *graph_at(graph_t *graph, ref_t ref) {
    return &graph->event[ref_thread(ref)][ref_index(ref)];
}

static inline bool clock_has(const known_t *clock, uint32_t thread, uint32_t index) {
    return clock->n[thread] > index;
}

/* Every event of the graph, any order. */
#define FOR_EVENTS(graph, t, i, e)                   \
    for (uint32_t t = 0; t < MODEL_THREADS; t++)     \
        for (uint32_t i = 0; i < (graph)->n[t]; i++) \
            for (event_t *e = &(graph)->event[t][i]; e; e = NULL)

static inline bool same_place(const event_t *a, const event_t *b) {
    return a->kind != FENCE && b->kind != FENCE && a->address == b->address;
}

/* Where a read stands in the coherence order: at the write it reads from. */
static inline uint32_t rank_of(graph_t *graph, const event_t *e) {
    if (e->kind == WRITE) return e->rank;
    return e->from == INITIAL ? 0 : graph_at(graph, e->from)->rank;
}

/* Fills in the clocks of the last event of a thread. Its `from` and `paired` are set. */
void graph_set_clocks(graph_t *graph, uint32_t thread);

/* True when the last event of the thread, a read with its `from` or a write with its rank, contradicts nothing: coherence, the atomicity of read-modify-writes, the order of fences. */
bool graph_consistent(graph_t *graph, uint32_t thread);

/* Calls visit(rank) for each place in the coherence order that the last event of the thread, a write, may take by program order and happens-before; the newest first. */
uint32_t graph_write_places(graph_t *graph, uint32_t thread, uint16_t place[]);

/* Makes room at a rank and takes it. */
void graph_take_rank(graph_t *graph, event_t *write, uint32_t rank);

/* The highest rank at an address, without the event itself. */
uint32_t graph_top_rank(graph_t *graph, const event_t *without, uintptr_t address);

void graph_copy(graph_t *to, const graph_t *from);

/* Keeps the first n[t] events of each thread. */
void graph_restrict(graph_t *graph, const uint8_t n[MODEL_THREADS]);

#endif
