/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* round_impl.h - what the files of a round share. Newcomers are numbered 0 .. n-1 within a round; a "choice" is a newcomer and one of the neighbours that it chose, as one number. */
#ifndef CMI_ROUND_IMPL_H
#define CMI_ROUND_IMPL_H

#include "bulk/coded.h"
#include "bulk/round.h"
#include "index/scratch.h"

/* Newcomers, or owners, that a thread takes at a time; part of what the graph depends on, so not to be made of the number of threads. */
enum { CMI_PIECE = 64 };

typedef struct cmi_located {
    uint64_t key;
    uint32_t newcomer;
} cmi_located_t;

struct cmi_round {
    cmi_hnsw_t *graph;
    cmi_hands_t hands;
    cmi_coded_rows_t coded;   /* of the batch's own, or not opened */
    const cmi_rows_t *walked; /* these, or the graph's */
    uint32_t most;            /* newcomers that there is room for */
    uint32_t most_at_once;    /* that a part may have */
    uint32_t row;             /* choices that a newcomer may have */
    uint64_t entry;           /* of the graph when the round began */
    uint32_t ef;              /* of the searches */
    uint32_t n_neighbors;     /* that a newcomer chooses in the end */
    uint32_t n;
    uint32_t n_owners;
    uint32_t coded_end;    /* of the slots that a phase codes */
    bool at_tree, at_late; /* what backlinks are about */
    uint32_t *slots;       /* by newcomer; in `given` or in `tall` */
    uint32_t *given, *tall;
    cmi_located_t *order, *spare; /* newcomers in the order of their places */
    cmi_found_t *nearest;         /* by newcomer: where its search begins, then the nearest that it found */
    uint32_t n_kept;              /* candidates that a newcomer may have */
    cmi_found_t *found;           /* by candidate: what the newcomer's search found, nearest first */
    cmi_found_t *chosen;          /* by choice: the nearest of these, then the neighbours for good */
    uint32_t *n_found, *n_chosen; /* by newcomer */
    uint32_t *parent;             /* by newcomer: which of its choices is asked to be its tree parent */
    uint8_t *hung;                /* by newcomer: it has a tree parent */
    uint32_t *owner_at, *place;   /* by choice: number of the chosen node among the owners; where the choice stands in `choices` */
    uint32_t *mark;               /* by slot of the graph: owner number + 1, 0 between groupings */
    uint32_t *owners, *first;     /* by owner: its slot; where its choices begin */
    uint8_t *late;                /* by owner: not LINKED when the round began */
    uint32_t *choices;            /* by owner */
    uint64_t bytes, mark_bytes;
};

static inline cmi_scratch_t *cmi_round_begin(const cmi_round_t *round, void *hand) {
    cmi_scratch_t *scratch = round->hands.begin(hand);
    scratch->walked = round->walked;
    return scratch;
}

static inline void cmi_round_end(const cmi_round_t *round, void *hand) {
    round->hands.end(hand)->walked = round->graph->walked;
}

static inline uint32_t cmi_round_pieces(uint32_t n) {
    return (n + CMI_PIECE - 1) / CMI_PIECE;
}

/* settle.c: a piece of newcomers meets the others, chooses, and is published. */
cmi_piece_t cmi_round_settle;

/* backlinks.c: groups the choices by the node that was chosen; and everything that makes newcomers reachable. */
void cmi_round_group(cmi_round_t *round);
void cmi_round_link_back(cmi_round_t *round, cmi_team_t *team, void *hand);

#endif
