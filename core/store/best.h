/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * best.h - the best candidates of a search so far, in order: k of them are the answer; where there is room for more, they stand by for hits that cease to exist before the search ends.
 *
 * Owner thread only. Offering costs a comparison where the candidate is too bad, which most are.
 */
#ifndef CMI_BEST_H
#define CMI_BEST_H

#include "base/base.h"

typedef struct cmi_ranked {
    double score;
    float distance;
    uint32_t slot;
} cmi_ranked_t;

typedef struct cmi_best {
    cmi_ranked_t *at; /* best first */
    uint32_t n, limit, k;
} cmi_best_t;

/* Score, then distance, then age of the slot, so that the order is the same on every target. */
static inline bool cmi_ranked_before(const cmi_ranked_t *a, const cmi_ranked_t *b) {
    if (a->score != b->score) return a->score < b->score;
    if (a->distance != b->distance) return a->distance < b->distance;
    return a->slot < b->slot;
}

/* The score of the k-th, infinity while there are fewer. */
static inline double cmi_best_kth(const cmi_best_t *best) {
    return best->n >= best->k ? best->at[best->k - 1].score : __builtin_inf();
}

/* A candidate that scores more is of no use. */
static inline double cmi_best_limit(const cmi_best_t *best) {
    return best->n == best->limit ? best->at[best->n - 1].score : __builtin_inf();
}

/* Where a candidate belongs; CMI_BEST_NOWHERE where it is too bad, or there already. */
#define CMI_BEST_NOWHERE UINT32_MAX
static inline uint32_t cmi_best_place(const cmi_best_t *best, const cmi_ranked_t *ranked) {
    uint32_t low = 0, high = best->n;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (cmi_ranked_before(&best->at[middle], ranked)) low = middle + 1;
        else high = middle;
    }
    if (low == best->limit || (low < best->n && best->at[low].slot == ranked->slot && best->at[low].score == ranked->score))
        return CMI_BEST_NOWHERE;
    return low;
}

static inline void cmi_best_put(cmi_best_t *best, uint32_t place, cmi_ranked_t ranked) {
    uint32_t n_after = best->n < best->limit ? best->n + 1 : best->limit;
    memmove(&best->at[place + 1], &best->at[place], (size_t)(n_after - 1 - place) * sizeof *best->at);
    best->at[place] = ranked;
    best->n = n_after;
}

#endif
