/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* score.c - see score.h. */
#include "store/score.h"

#include "base/base.h"

#define MS_PER_HOUR 3600000.0

double cmi_recency(int64_t created_ms, int64_t now_ms, float rate_per_hour) {
    if (created_ms >= now_ms) return 0;
    uint64_t age_ms = (uint64_t)now_ms - (uint64_t)created_ms; /* unsigned: any two int64_t have a difference */
    return 1.0 - cmi_exp(-(double)rate_per_hour * ((double)age_ms / MS_PER_HOUR));
}

double cmi_score(float distance, double recency, float temporal_weight) {
    double weight = (double)temporal_weight;
    if (weight == 1) return recency; /* 0 times an infinite distance (dot products of enormous vectors) is no number */
    return (1.0 - weight) * ((double)distance / 2.0) + weight * recency;
}
