/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * beam.h - how wide a search looks: how many of the nearest nodes it expands before it ends.
 *
 * Malkov & Yashunin (2018) expand the ef nearest, whatever the query. That is too many for a query among few and too few for one in a crowd, in whose pool the last is hardly farther than
 * the tenth. So a search for the k nearest goes on for as long as something unexpanded is nearer than `slack` times the distance of the k-th: the distance-adaptive beam of Al-Jazzazi, Diwan,
 * Gou, Musco, Musco & Suel ("Distance Adaptive Beam Search for Provably Accurate Graph-Based Nearest Neighbor Search", 2025), who prove for navigable graphs that what it misses is farther
 * than that. ef says how wide this is on average:
 *
 *     slack = (ef / k) ^ exponent        and ef / 4 (or k) nodes at least, 4 ef at most
 *
 * The exponent is learned by inserts, which search for ef_construction nodes each: the distances of the nearest tenth and of the farthest tell how many nodes lie within a slack, and the
 * exponent goes to where that is as many as were looked for, on average. So ef costs about what it costs without all this where queries are like what is stored, and finds more; where all
 * queries are alike nothing changes. Measured in docs/BENCHMARKS.md, "How far a search looks".
 *
 * It needs distances that have a zero and a proportion, cosine and squared Euclidean. Inner products, custom metrics, inserts themselves (clusters that arrive one after the other suffer if
 * these look for less than ef_construction), and graphs that have learned nothing expand the ef nearest.
 */
#ifndef CMI_BEAM_H
#define CMI_BEAM_H

#include "index/hnsw.h"

typedef struct cmi_beam {
    uint32_t k, least, most; /* 1 <= k <= least <= most */
    float slack;             /* >= 1 */
} cmi_beam_t;

/* The ef nearest. */
static inline cmi_beam_t cmi_beam_of(uint32_t ef) {
    return (cmi_beam_t){ef, ef, ef, 1.0f};
}

/* For the k nearest, ef on average; most <= room. */
cmi_beam_t cmi_beam_for(const cmi_hnsw_t *graph, uint32_t k, uint32_t ef, uint32_t room);

/* Of an insert: the n nodes that its search found on level 0, nearest first. Wait-free; a lesson that another thread writes over is lost. */
void cmi_beam_learn(cmi_hnsw_t *graph, const cmi_found_t *found, uint32_t n);

#define CMI_MAX_EXPONENT 8

/* Whether graph.beams can be that. */
bool cmi_beams_are_valid(uint64_t beams);

#endif
