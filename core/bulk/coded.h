/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * coded.h - coded rows that a batch makes for itself where the store has none (f32, bf16), so that its rounds read a quarter of the bytes; gone when it ends.
 *
 * They are written in phases of their own (team.h) and read in all others, so no phase sees a row change. A row that is not written is zero: a node that another thread has published since the
 * last such phase is the zero vector to the batch, until the next. That decides how good its first links to the batch are, and nothing else: no invariant of the graph depends on distances.
 */
#ifndef CMI_CODED_H
#define CMI_CODED_H

#include "bulk/team.h"
#include "index/hnsw.h"

typedef struct cmi_coded_rows {
    const cmi_hnsw_t *graph;
    cmi_rows_t rows;
    uint32_t n_done; /* slots below were published, and coded, when somebody looked */
} cmi_coded_rows_t;

/* Whether a batch of n gains by it: not where the store is coded already, and not where it is so much larger than the batch that coding it takes longer. */
bool cmi_coded_pays(const cmi_hnsw_t *graph, size_t n);

/* False when the machine gives no memory. */
bool cmi_coded_open(cmi_coded_rows_t *coded, const cmi_hnsw_t *graph);

/* Also right for what was not opened. */
void cmi_coded_close(cmi_coded_rows_t *coded);

/* Of a slot whose full row is complete and seen by this thread; `form` has room for a vector. */
void cmi_coded_write(cmi_coded_rows_t *coded, uint32_t slot, float *form);

/* The slots that others may have published since the last call: [n_done, *end). Returns up to where all are published already: n_done, once they are coded. */
uint32_t cmi_coded_look(const cmi_coded_rows_t *coded, uint32_t *end);

/* Writes the row of a slot of these, if it is published and has none. */
void cmi_coded_catch_up(cmi_coded_rows_t *coded, uint32_t slot, float *form);

#endif
