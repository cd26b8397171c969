/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * fibers.h - a second stack for a thread that can be frozen between any two of its atomic accesses.
 *
 * The library is compiled with PLAT_ATOMIC_STEP, so plat_atomic_step() runs before each. A fiber and the test take turns on one thread of the machine: what is frozen
 * cannot run by accident, every round is the same again, and nothing waits for a clock.
 */
#ifndef TEST_FIBERS_H
#define TEST_FIBERS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <ucontext.h>

#define FIBER_STACK_BYTES (1u << 20)

typedef struct fiber {
    ucontext_t self, creator;
    void (*body)(void *);
    void *argument;
    uint8_t *stack;
    uint64_t n_steps;   /* taken so far */
    uint64_t freeze_at; /* before this step, from 1; 0: never */
    bool ended;
} fiber_t;

static fiber_t *running_fiber; /* NULL: the test itself */

static inline void fiber_main(void) {
    running_fiber->body(running_fiber->argument);
    running_fiber->ended = true;
    swapcontext(&running_fiber->self, &running_fiber->creator);
}

static inline void fiber_open(fiber_t *fiber, void (*body)(void *), void *argument) {
    *fiber = (fiber_t){.body = body, .argument = argument, .stack = malloc(FIBER_STACK_BYTES)};
    if (!fiber->stack) abort();
    getcontext(&fiber->self);
    fiber->self.uc_stack.ss_sp = fiber->stack;
    fiber->self.uc_stack.ss_size = FIBER_STACK_BYTES;
    makecontext(&fiber->self, fiber_main, 0);
}

/* Lets it run until it ends (true) or is about to take step `freeze_at`. */
static inline bool fiber_run(fiber_t *fiber, uint64_t freeze_at) {
    fiber->freeze_at = freeze_at;
    running_fiber = fiber;
    swapcontext(&fiber->creator, &fiber->self);
    running_fiber = NULL;
    return fiber->ended;
}

/* By plat_atomic_step(), in a fiber. */
static inline void fiber_step(void) {
    if (++running_fiber->n_steps == running_fiber->freeze_at) swapcontext(&running_fiber->self, &running_fiber->creator);
}

/* It may be frozen still: then it is dead. */
static inline void fiber_close(fiber_t *fiber) {
    free(fiber->stack);
}

#endif
