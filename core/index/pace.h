/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pace.h - how early rows are asked for before they are read, and which way of asking is the faster one here.
 *
 * That depends on the processor and on where the rows are. One that fetches the rest of a row by itself has few places for lines on their way, and a request too many makes it wait
 * (Intel Sapphire Rapids: eager is 1.3 x slower at 256 to 768 dimensions, 1.05 x at 100); another waits less the more it is told (AMD EPYC: lean is 1.1 to 1.3 x slower). So each thread
 * tries both now and then: pairs of walks, one each way, and whichever takes less time per distance in most of the pairs is used until the next trial. Majorities, not sums: one walk during
 * which the machine did something else decides no more than any other. Answers do not depend on it.
 *
 * WebAssembly has one way of asking (distances.c) and no trials.
 */
#ifndef CMI_PACE_H
#define CMI_PACE_H

#include "base/base.h"
#include "plat_prefetch.h"

typedef struct cmi_way {
    uint32_t n_lines; /* of a row, at most; the machine may fetch the others by itself */
    uint32_t n_rows;  /* that are asked for while as many before them are computed; a multiple of four */
    bool next;        /* rows of the node that is expanded next, too */
} cmi_way_t;

enum { CMI_EAGER, CMI_LEAN, CMI_N_WAYS };
enum { CMI_PAIRS = 24, CMI_WALKS_BETWEEN_TRIALS = 4096 };

/* Of one thread. All zero: eager, and a trial begins. */
typedef struct cmi_pace {
    uint32_t settled; /* the way in force between trials */
    uint32_t way;     /* the way in force now */
    uint32_t n_walks; /* since the trial began */
    uint32_t n_lean;  /* pairs that lean won */
    double first;     /* ns per distance of the first of a pair */
    uint64_t begun_ns, n_distances_before;
} cmi_pace_t;

extern const cmi_way_t cmi_ways[CMI_N_WAYS];

void cmi_pace_begin_trial_walk(cmi_pace_t *pace, uint64_t n_distances, uint64_t now_ns);
void cmi_pace_end_trial_walk(cmi_pace_t *pace, uint64_t n_distances, uint64_t now_ns);

/* Between trials a walk costs a count. n_distances: that the thread has computed so far. */
void cmi_pace_begin_walk(cmi_pace_t *pace, uint64_t n_distances);
void cmi_pace_end_walk(cmi_pace_t *pace, uint64_t n_distances);

#endif
