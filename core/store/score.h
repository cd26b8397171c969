/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* score.h - what a search ranks by: distance blended with age. In double, with our own exp: the same bits on every target. */
#ifndef CMI_SCORE_H
#define CMI_SCORE_H

#include <stdint.h>

/* 1 - exp(-rate * age in hours): 0 is fresh, towards 1 with age. A time in the future counts as age 0. */
double cmi_recency(int64_t created_ms, int64_t now_ms, float rate_per_hour);

/* (1-w) * distance/2 + w * recency; lower is better. */
double cmi_score(float distance, double recency, float temporal_weight);

#endif
