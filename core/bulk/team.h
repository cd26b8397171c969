/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * team.h - threads that do one job together, phase by phase: the caller's, and helpers that are spawned for it.
 *
 * A phase is a number of pieces; whoever is free takes the next. It ends when all pieces are done, and what was written in it is seen by all in the next.
 *
 * PROGRESS not lock-free: at the end of a phase the team waits for its slowest member. It is a job of its own threads: if one of them stops, the job stops. Other threads of
 *          the store notice nothing, because each piece works through the lock-free operations of core/index, and holds nothing that others need.
 */
#ifndef CMI_TEAM_H
#define CMI_TEAM_H

#include "base/base.h"

typedef struct cmi_team cmi_team_t;

/* What a helper needs besides the job (a thread of the store, its scratch), made and given back on its own thread. */
typedef struct cmi_crew {
    void *context;
    void *(*enter)(void *context); /* NULL: it cannot take part, and the team is smaller */
    void (*leave)(void *context, void *hand);
} cmi_crew_t;

/* Does one piece. `hand` is what enter() made; for the caller, what it gave to cmi_team_run(). */
typedef void cmi_piece_t(void *job, void *hand, uint32_t piece);

/* The caller and up to n_threads - 1 helpers, as many as the machine gives. NULL when it gives no memory. */
cmi_team_t *cmi_team_open(const cmi_crew_t *crew, uint32_t n_threads);
void cmi_team_close(cmi_team_t *team);

/* One phase. */
void cmi_team_run(cmi_team_t *team, void *hand, cmi_piece_t *work, void *job, uint32_t n_pieces);

/* How many work in it, the caller included. */
uint32_t cmi_team_size(const cmi_team_t *team);

#endif
