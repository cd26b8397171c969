/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* fibers.h - the threads of a shape, on stacks of their own: each runs until its next atomic access, which it leaves as a request. */
#ifndef MODEL_FIBERS_H
#define MODEL_FIBERS_H

#include "model/graph.h"

typedef enum access { ACCESS_LOAD, ACCESS_STORE, ACCESS_CAS, ACCESS_RMW, ACCESS_FENCE } access_t;

typedef struct request {
    access_t access;
    model_op_t op;
    uintptr_t address;
    uint32_t n_bytes;
    uint64_t value; /* stored, desired or operand */
    uint64_t expected;
    model_site_t *site;
} request_t;

/* What a read-modify-write that read `old` writes. */
uint64_t request_result(model_op_t op, uint32_t n_bytes, uint64_t old, uint64_t operand);

typedef enum fiber_state { FIBER_WAITS, FIBER_ENDED, FIBER_FAILED, FIBER_ABANDONED } fiber_state_t;

/* A new life: nothing of it has run yet. */
void fiber_start(uint32_t thread, void (*body)(void));

/* Runs it on, handing it the result of its request (ignored the first time). */
fiber_state_t fiber_run(uint32_t thread, uint64_t result);

const request_t *fiber_request(uint32_t thread);

/* For the engine's own finish(): where a failed check comes back to. Returns false when it failed. */
bool fiber_guarded(void (*body)(void));

/* What the last failure said. */
const char *fiber_failure(void);

#endif
