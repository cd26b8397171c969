/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * steps.c - what chronomind-steps.wasm has beside chronomind.wasm: a place to stop before every atomic access (PLAT_ATOMIC_STEP), for tests/js/parked.mjs.
 *
 * Each instance counts its own steps. Before the one it was told, it says PARKED at the gate and sleeps there by memory.atomic.wait32, until JavaScript opens the gate:
 * a worker that the system never runs again, at a place that the test chooses. Browsers end a terminated worker late, so it can be told to die there, too. One that takes more steps than it was allowed traps: so waiting for another shows.
 *
 * The index behind a reader-writer lock is the control.
 */
#include "chronomind.h"
#include "support/spinning_lock.h"

enum { RUNNING, PARKED, DEAD }; /* the gate; one instance at a time is told to park */

static _Atomic uint32_t gate;
static _Thread_local uint32_t n_steps, park_before, n_allowed;

static void park(void) {
    gate = PARKED;
    while (gate == PARKED) __builtin_wasm_memory_atomic_wait32((int *)&gate, PARKED, -1);
    if (gate == DEAD) __builtin_trap();
}

void plat_atomic_step(void) {
    n_steps++;
    if (n_steps == park_before) park();
    if (n_allowed > 0 && n_steps > n_allowed) __builtin_trap();
}

CM_API void *steps_gate(void) {
    return &gate;
}

/* Begins to count. 0: never parks; any number is allowed. */
CM_API void steps_begin(uint32_t before, uint32_t allowed) {
    n_steps = 0;
    park_before = before;
    n_allowed = allowed;
}

CM_API uint32_t steps_taken(void) {
    return n_steps;
}

/* ---- the control ------------------------------------------------------------------------------------------------------------------ */

enum { DIMENSIONS = 4, CAPACITY = 50 };

static const float a_vector[DIMENSIONS] = {1, 2, 3, 4};

CM_API cm_index_t *steps_index_open(cm_index_kind_t kind) {
    cm_index_config_t config = CM_INDEX_CONFIG_INIT;
    cm_index_t *index;
    config.kind = kind;
    config.dimensions = DIMENSIONS;
    config.capacity = CAPACITY;
    return cm_index_open(&config, &index, NULL) == CM_OK ? index : NULL;
}

CM_API cm_index_thread_t *steps_index_attach(cm_index_t *index) {
    cm_index_thread_t *thread;
    return cm_index_attach(index, &thread) == CM_OK ? thread : NULL;
}

CM_API cm_status_t steps_index_insert(cm_index_thread_t *thread) {
    uint32_t id;
    return cm_index_insert(thread, a_vector, DIMENSIONS, &id);
}

CM_API cm_status_t steps_index_search(cm_index_thread_t *thread) {
    cm_neighbor_t found[3];
    size_t n;
    return cm_index_search(thread, a_vector, DIMENSIONS, 3, 10, found, &n);
}
