/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* team.c - see team.h. */
#include "bulk/team.h"

#include "plat_atomic.h"
#include "plat_pages.h"
#include "plat_thread.h"

/* Looks before going to sleep: phases follow each other quickly, and a sleep costs two system calls. */
#define LOOKS 2000u

struct cmi_team {
    cmi_crew_t crew; /* immutable */
    cmi_piece_t *work;
    void *job;
    uint32_t n_pieces; /* these three and `over`: the caller's, while nobody works */
    bool over;
    uint32_t n_spawned; /* the caller's alone */
    plat_thread_t *spawned[CM_MAX_THREADS];
    _Alignas(64) plat_a32_t phase;  /* number of the phase; the caller counts it up */
    _Alignas(64) plat_a32_t next;   /* next piece; anybody */
    _Alignas(64) plat_a32_t n_busy; /* helpers that are not done with the phase */
    plat_a32_t n_helpers;           /* those that entered */
};

/* Returns what *word is when it is no longer `value`. */
static uint32_t wait_while(plat_a32_t *word, uint32_t value) {
    for (uint32_t n_looks = 0;; n_looks++) {
        uint32_t seen = plat_load_acquire(word); /* [T1] or [T2], whichever word it is */
        if (seen != value) return seen;
        if (n_looks >= LOOKS) plat_thread_sleep(word, value);
    }
}

static void take_pieces(cmi_team_t *team, void *hand) {
    for (;;) {
        uint32_t piece = plat_fetch_add_relaxed(&team->next, 1); /* relaxed: pieces do not depend on each other */
        if (piece >= team->n_pieces) return;
        team->work(team->job, hand, piece);
    }
}

static void arrive(cmi_team_t *team) {
    /* [T2] release: what was done in this phase; acquire: what those did who arrived before, handed on to the caller */
    if (plat_fetch_sub_acq_rel(&team->n_busy, 1) == 1) plat_thread_wake(&team->n_busy);
}

static void help(void *argument) {
    cmi_team_t *team = argument;
    void *hand = team->crew.enter(team->crew.context);
    uint32_t phase = 0;
    if (hand) plat_fetch_add_relaxed(&team->n_helpers, 1); /* relaxed: under [T2] */
    arrive(team);
    while (hand) {
        phase = wait_while(&team->phase, phase); /* [T1] acquire: the phase's work, and all that was done before */
        if (team->over) break;
        take_pieces(team, hand);
        arrive(team);
    }
    if (hand) team->crew.leave(team->crew.context, hand);
}

static void wait_for_helpers(cmi_team_t *team) {
    for (uint32_t n = plat_load_acquire(&team->n_busy); n > 0;) n = wait_while(&team->n_busy, n); /* [T2] acquire: what they did */
}

static void begin_phase(cmi_team_t *team) {
    plat_fetch_add_release(&team->phase, 1); /* [T1] release: its work, and what the caller did before */
    plat_thread_wake(&team->phase);
}

cmi_team_t *cmi_team_open(const cmi_crew_t *crew, uint32_t n_threads) {
    cmi_team_t *team = plat_pages_alloc(sizeof *team);
    if (!team) return NULL;
    team->crew = *crew;
    for (uint32_t i = 1; i < CMI_MIN(n_threads, CM_MAX_THREADS); i++) {
        plat_fetch_add_relaxed(&team->n_busy, 1); /* relaxed, here and below: a new thread sees what was before it */
        plat_thread_t *thread = plat_thread_spawn(help, team);
        if (thread) team->spawned[team->n_spawned++] = thread;
        else plat_fetch_sub_relaxed(&team->n_busy, 1);
        if (!thread) break;
    }
    wait_for_helpers(team);
    return team;
}

void cmi_team_close(cmi_team_t *team) {
    if (!team) return;
    team->over = true;
    begin_phase(team);
    for (uint32_t i = 0; i < team->n_spawned; i++) plat_thread_join(team->spawned[i]);
    plat_pages_free(team, sizeof *team);
}

void cmi_team_run(cmi_team_t *team, void *hand, cmi_piece_t *work, void *job, uint32_t n_pieces) {
    team->work = work, team->job = job, team->n_pieces = n_pieces;
    plat_store_relaxed(&team->next, 0); /* relaxed, both: published by the phase [T1] */
    plat_store_relaxed(&team->n_busy, plat_load_relaxed(&team->n_helpers));
    begin_phase(team);
    take_pieces(team, hand);
    wait_for_helpers(team);
}

uint32_t cmi_team_size(const cmi_team_t *team) {
    return 1 + plat_load_relaxed((plat_a32_t *)&team->n_helpers); /* relaxed: they have arrived */
}
