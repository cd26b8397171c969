/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* score.h - what a search ranks by: distance blended with age. In double, with our own exp: the same bits on every target. */
#ifndef CMI_SCORE_H
#define CMI_SCORE_H

#include <stdint.h>

/* rate * age in hours. A time in the future counts as age 0. */
double cmi_decay_exponent(int64_t from_ms, int64_t now_ms, float rate_per_hour);

/* 1 - exp(-exponent): 0 is fresh, towards 1 with age. */
double cmi_recency_of_exponent(double exponent);

static inline double cmi_recency(int64_t created_ms, int64_t now_ms, float rate_per_hour) {
    return cmi_recency_of_exponent(cmi_decay_exponent(created_ms, now_ms, rate_per_hour));
}

/* Hours from one time to a later one; 0 when it is not later. Any two times have a difference. */
double cmi_hours_between(int64_t from_ms, int64_t now_ms);

/* What is left of importance: exp(-exponent), in [0,1]. */
double cmi_retention(double exponent);

/* (1-w) * distance/2 + w * recency; lower is better. */
double cmi_score(float distance, double recency, float temporal_weight);

#endif
