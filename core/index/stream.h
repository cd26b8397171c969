/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * stream.h - a search of level 0 that can be widened: the nearest nodes, then the next nearest, without beginning again.
 *
 * What an ordinary search forgets, because it lies beyond its pool, a stream keeps for later. Each node's distance is computed once in a stream, and shown once to `visit`,
 * whatever its state and whether it gets a place in the pool.
 *
 * READERS  as search.c: wait-free. A stream lives in a scratch, one at a time, within one pinned section.
 */
#ifndef CMI_STREAM_H
#define CMI_STREAM_H

#include "index/frontier.h"

typedef struct cmi_stream {
    const cmi_hnsw_t *graph;
    cmi_scratch_t *scratch;
    cmi_query_t query;
    cmi_accept_t accept;
    cmi_visit_t *visit;
    void *visit_context;
    uint32_t ef;      /* of the last widening; 0 before the first */
    uint32_t n_slots; /* nodes at or above it are ignored */
} cmi_stream_t;

/* From the entry point down (query->vector stays valid), or from a node that is in the graph. False where the graph is empty. */
bool cmi_stream_begin(cmi_stream_t *stream);
void cmi_stream_begin_at(cmi_stream_t *stream, uint32_t slot);

/* Goes on until the pool holds the ef nearest acceptable nodes; ef is at most cmi_scratch_max_ef() and never falls. */
void cmi_stream_widen(cmi_stream_t *stream, uint32_t ef);

/* Everything reachable was visited: fewer than ef are acceptable. */
static inline bool cmi_stream_exhausted(const cmi_stream_t *stream) {
    return stream->scratch->pool.n < stream->ef;
}

/* True when the stream computed the distance of a slot. */
static inline bool cmi_stream_saw(const cmi_stream_t *stream, uint32_t slot) {
    return cmi_seen(stream->scratch, slot);
}

#endif
