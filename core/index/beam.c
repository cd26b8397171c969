/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* beam.c - see beam.h. In double, with our own exponential function: the same bits on every target. */
#include "index/beam.h"

#define TIMES 4u                /* more or fewer than ef, at most */
#define LN_4 1.3862943611198906 /* of TIMES */

#define LEARN_FROM 20u /* nodes in a pool, at least */
#define NEAR_SHARE 10u
#define LN_10 2.302585092994046 /* of NEAR_SHARE */
#define RECENT 4u               /* the last quarter of all lessons counts most */

static float exponent_in(uint64_t beams) {
    return cmi_bits_float((uint32_t)beams);
}
static uint32_t lessons_in(uint64_t beams) {
    return (uint32_t)(beams >> 32);
}

cmi_beam_t cmi_beam_for(const cmi_hnsw_t *graph, uint32_t k, uint32_t ef, uint32_t room) {
    uint64_t beams = plat_load_relaxed((plat_a64_t *)&graph->beams); /* relaxed: any lesson will do */
    if (beams == 0 || k >= ef) return cmi_beam_of(CMI_MIN(ef, room));
    cmi_beam_t beam = {.k = k, .most = (uint32_t)CMI_MIN((uint64_t)ef * TIMES, room)};
    beam.least = CMI_MIN(CMI_MAX(ef / TIMES, k), beam.most);
    beam.slack = (float)cmi_exp((double)exponent_in(beams) * cmi_log((double)ef / k));
    return beam;
}

/* Where a search looked for one node, this is for how many it would look with that exponent. `own` is the exponent at which it is one. */
static double share_within(double exponent, double own) {
    double log_share = LN_10 * (exponent / own - 1);
    return cmi_exp(log_share > LN_4 ? LN_4 : log_share < -LN_4 ? -LN_4 : log_share);
}

void cmi_beam_learn(cmi_hnsw_t *graph, const cmi_found_t *found, uint32_t n) {
    if (n < LEARN_FROM || (graph->params.metric != CM_METRIC_COSINE && graph->params.metric != CM_METRIC_L2SQ)) return;
    double near = (double)found[n / NEAR_SHARE - 1].distance, far = (double)found[n - 1].distance;
    if (near <= 0 || far <= near) return; /* copies of one vector teach nothing */
    double own = cmi_log(far / near) / LN_10;
    uint64_t beams = plat_load_relaxed(&graph->beams); /* relaxed, here and below: it means something by itself */
    uint32_t n_lessons = lessons_in(beams);
    double exponent = n_lessons == 0 ? own : (double)exponent_in(beams);
    exponent += exponent * (1 - share_within(exponent, own)) / (RECENT + n_lessons / RECENT);
    if (exponent > CMI_MAX_EXPONENT) exponent = CMI_MAX_EXPONENT;
    n_lessons += n_lessons < UINT32_MAX;
    plat_store_relaxed(&graph->beams, (uint64_t)n_lessons << 32 | cmi_float_bits((float)exponent));
}

bool cmi_beams_are_valid(uint64_t beams) {
    float exponent = exponent_in(beams);
    return beams == 0 || (lessons_in(beams) > 0 && exponent > 0 && exponent <= CMI_MAX_EXPONENT);
}
