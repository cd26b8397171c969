/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * range.h - the nodes within a radius of a node, by the links of level 0.
 *
 * Neighbours are chosen so that a node which does not link to another one links to a third, nearer to both. So nearly every node within a radius is reached over nodes within
 * it: those are all expanded, in the order found. Where lists were too short or a search of an insert missed something, the way leads through the surroundings: the nearest nodes outside are
 * expanded, too. A few where nothing is within, which is the usual case and then costs a few lists. More where something is: among many that are alike several may link to one that
 * links to none of them, least of all when it is a tombstone.
 *
 * READERS  as search.c: wait-free, each node is expanded at most once.
 */
#ifndef CMI_RANGE_H
#define CMI_RANGE_H

#include "index/metric.h"

typedef struct cmi_range {
    const cmi_hnsw_t *graph;
    cmi_scratch_t *scratch;
    double radius;          /* within: a distance less than this */
    uint32_t patience;      /* nodes outside that are expanded where nothing is within; at least 1 */
    uint32_t patience_near; /* where something is; at least `patience`, at most the capacity of the scratch's pool */
    uint32_t n_slots;       /* nodes at or above it are ignored */
    uint32_t *found;        /* room for `capacity` slots */
    uint32_t capacity;      /* at least 1 */
} cmi_range_t;

/* Slots within the radius of `slot`, a node of the graph, itself first, whatever state they are in; returns how many, and CMI_NONE when there are more than `capacity`. Pinned. */
uint32_t cmi_range_walk(const cmi_range_t *range, uint32_t slot);

#endif
