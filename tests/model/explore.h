/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* explore.h - every execution of a shape, each once. */
#ifndef MODEL_EXPLORE_H
#define MODEL_EXPLORE_H

#include "model/model.h"

typedef struct explored {
    uint64_t n_complete;  /* executions in which every thread ended */
    uint64_t n_dead;      /* begun and found to be impossible: the price of the method, not executions */
    uint64_t n_abandoned; /* model_abandon() */
    uint32_t most_events; /* of an execution */
    uint32_t n_outcomes;  /* that model_outcome() was told of */
    bool bounded;         /* stopped at the limit: not exhaustive */
    bool failed;
} explored_t;

/* At most `limit` executions; 0: no limit. Prints the failing execution to standard output if `verbose`. */
explored_t explore(const model_shape_t *shape, uint64_t limit, bool verbose);

/* What failed. */
const char *explore_failure(void);

#endif
