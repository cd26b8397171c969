/* SPDX-License-Identifier: MIT OR Apache-2.0 */
#ifndef CMI_ROUND_H
#define CMI_ROUND_H

#include "bulk/team.h"
#include "index/hnsw.h"

typedef struct cmi_round cmi_round_t;

typedef struct cmi_hands {
    cmi_scratch_t *(*begin)(void *hand);
    void (*end)(void *hand);
} cmi_hands_t;

#define CMI_ROUND_LEAST 64u
uint32_t cmi_round_limit(const cmi_hnsw_t *graph);

cmi_round_t *cmi_round_open(cmi_hnsw_t *graph, const cmi_hands_t *hands, uint32_t most);
void cmi_round_close(cmi_round_t *round);
uint32_t *cmi_round_slots(cmi_round_t *round);
void cmi_round_link(cmi_round_t *round, cmi_team_t *team, void *hand, uint32_t n);

#endif
