/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* score.c - see score.h. */
#include "store/score.h"

#include "base/base.h"

#define MS_PER_HOUR 3600000.0

double cmi_hours_between(int64_t from_ms, int64_t now_ms) {
    if (from_ms >= now_ms) return 0;
    return (double)((uint64_t)now_ms - (uint64_t)from_ms) / MS_PER_HOUR; /* unsigned: no overflow */
}

double cmi_decay_exponent(int64_t from_ms, int64_t now_ms, float rate_per_hour) {
    return (double)rate_per_hour * cmi_hours_between(from_ms, now_ms);
}

double cmi_retention(double exponent) {
    return cmi_exp(-exponent);
}

double cmi_recency_of_exponent(double exponent) {
    return 1.0 - cmi_exp(-exponent);
}

double cmi_score(float distance, double recency, float temporal_weight) {
    double weight = (double)temporal_weight;
    if (weight == 1) return recency; /* 0 times an infinite distance (dot products of enormous vectors) is no number */
    return (1.0 - weight) * ((double)distance / 2.0) + weight * recency;
}
