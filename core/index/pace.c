/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pace.c - see pace.h. */
#include "index/pace.h"

#include "plat_clock.h"

enum {
    SHORT_WALK = 64, /* distances: too few to tell */
    MAJORITY = 15    /* of the pairs, to change. A coin gets there in one trial of six, but then nothing is lost either way */
};

const cmi_way_t cmi_ways[CMI_N_WAYS] = {
    [CMI_EAGER] = {.n_lines = 48, .n_rows = 4, .next = true},
    [CMI_LEAN] = {.n_lines = 8, .n_rows = 8, .next = false},
};

static bool on_trial(const cmi_pace_t *pace) {
    return pace->n_walks < 2 * CMI_PAIRS;
}

void cmi_pace_begin_trial_walk(cmi_pace_t *pace, uint64_t n_distances, uint64_t now_ns) {
    pace->way = pace->n_walks % 2 == 0 ? CMI_EAGER : CMI_LEAN;
    pace->n_distances_before = n_distances;
    pace->begun_ns = now_ns;
}

static void settle(cmi_pace_t *pace) {
    uint32_t n_won = pace->settled == CMI_EAGER ? pace->n_lean : CMI_PAIRS - pace->n_lean; /* by the way that is not in force */
    if (n_won >= MAJORITY) pace->settled = pace->settled == CMI_EAGER ? CMI_LEAN : CMI_EAGER;
    pace->way = pace->settled;
}

void cmi_pace_end_trial_walk(cmi_pace_t *pace, uint64_t n_distances, uint64_t now_ns) {
    uint64_t n = n_distances - pace->n_distances_before;
    if (n < SHORT_WALK) return; /* the next one is in its place */
    double took = (double)(now_ns - pace->begun_ns) / (double)n;
    if (pace->way == CMI_EAGER) pace->first = took;
    else pace->n_lean += took < pace->first;
    pace->n_walks++;
    if (!on_trial(pace)) settle(pace);
}

void cmi_pace_begin_walk(cmi_pace_t *pace, uint64_t n_distances) {
    if (CMI_UNLIKELY(on_trial(pace))) cmi_pace_begin_trial_walk(pace, n_distances, plat_clock_monotonic_ns());
}

void cmi_pace_end_walk(cmi_pace_t *pace, uint64_t n_distances) {
    if (CMI_UNLIKELY(on_trial(pace))) cmi_pace_end_trial_walk(pace, n_distances, plat_clock_monotonic_ns());
    else if (++pace->n_walks == CMI_WALKS_BETWEEN_TRIALS) pace->n_walks = pace->n_lean = 0;
}
