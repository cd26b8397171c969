/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* fibers.c - see fibers.h. A fiber is entered once by swapcontext() and from then on by _longjmp(), which makes no system call. */
#define _GNU_SOURCE
#include "model/fibers.h"

#include "model/plain.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <ucontext.h>

#define STACK_BYTES (256u << 10)

typedef struct fiber {
    _Alignas(64) uint8_t *stack;
    ucontext_t context;
    jmp_buf at;
    void (*body)(void);
    bool begun;
    fiber_state_t state;
    request_t request;
    uint64_t result;
} fiber_t;

static fiber_t fibers[MODEL_THREADS];
static fiber_t *running; /* NULL: the engine */
static jmp_buf engine;
static ucontext_t engine_context;
static char failure[400];
static bool guarded;

static _Noreturn void leave(fiber_state_t state) {
    running->state = state;
    _longjmp(engine, 1);
}

static void enter_body(void) {
    running->body();
    leave(FIBER_ENDED);
}

void fiber_start(uint32_t thread, void (*body)(void)) {
    fiber_t *fiber = &fibers[thread];
    if (!fiber->stack && !(fiber->stack = malloc(STACK_BYTES))) abort();
    fiber->body = body;
    fiber->begun = false;
}

fiber_state_t fiber_run(uint32_t thread, uint64_t result) {
    fiber_t *fiber = running = &fibers[thread];
    fiber->result = result;
    if (_setjmp(engine) == 0) {
        if (fiber->begun) _longjmp(fiber->at, 1);
        fiber->begun = true;
        getcontext(&fiber->context);
        fiber->context.uc_stack.ss_sp = fiber->stack;
        fiber->context.uc_stack.ss_size = STACK_BYTES;
        fiber->context.uc_link = NULL;
        makecontext(&fiber->context, enter_body, 0);
        swapcontext(&engine_context, &fiber->context);
    }
    fiber = running;
    running = NULL;
    return fiber->state;
}

const request_t *fiber_request(uint32_t thread) {
    return &fibers[thread].request;
}

bool fiber_guarded(void (*body)(void)) {
    guarded = true;
    bool passed = _setjmp(engine) == 0;
    if (passed && body) body();
    guarded = false;
    return passed;
}

const char *fiber_failure(void) {
    return failure;
}

void model_fail(const char *file, uint32_t line, const char *what) {
    snprintf(failure, sizeof failure, line ? "%s:%u: %s" : "%s%.0u: %s", file, line, what);
    if (running) leave(FIBER_FAILED);
    if (guarded) _longjmp(engine, 1);
    fprintf(stderr, "%s\n", failure);
    abort();
}

void model_abandon(void) {
    leave(FIBER_ABANDONED);
}

/* ---- what model_atomic.h calls ----------------------------------------------------------------------------------------------------- */

static uint64_t ask(request_t request) {
    request.site->n_seen++;
    running->request = request;
    running->state = FIBER_WAITS;
    fiber_t *self = running;
    if (_setjmp(self->at) == 0) _longjmp(engine, 1);
    return self->result;
}

uint64_t request_result(model_op_t op, uint32_t n_bytes, uint64_t old, uint64_t operand) {
    uint64_t mask = n_bytes == 8 ? UINT64_MAX : (UINT64_C(1) << 8 * n_bytes) - 1;
    switch (op) {
    case MODEL_ADD: return (old + operand) & mask;
    case MODEL_SUB: return (old - operand) & mask;
    case MODEL_OR: return (old | operand) & mask;
    default: return operand & mask;
    }
}

/* Setup and finish run alone: memory itself is the state. */
uint64_t model_load(const void *address, uint32_t n_bytes, model_site_t *site) {
    if (!running) return plain_peek((uintptr_t)address, n_bytes);
    return ask((request_t){.access = ACCESS_LOAD, .address = (uintptr_t)address, .n_bytes = n_bytes, .site = site});
}

void model_store(void *address, uint32_t n_bytes, uint64_t value, model_site_t *site) {
    if (!running) plain_poke((uintptr_t)address, n_bytes, value);
    else ask((request_t){.access = ACCESS_STORE, .address = (uintptr_t)address, .n_bytes = n_bytes, .value = value, .site = site});
}

bool model_cas(void *address, uint32_t n_bytes, uint64_t *expected, uint64_t desired, model_site_t *site) {
    uint64_t seen, wanted = *expected;
    if (running) {
        seen = ask((request_t){
            .access = ACCESS_CAS, .address = (uintptr_t)address, .n_bytes = n_bytes, .value = desired, .expected = wanted, .site = site});
    } else {
        seen = plain_peek((uintptr_t)address, n_bytes);
        if (seen == wanted) plain_poke((uintptr_t)address, n_bytes, desired);
    }
    *expected = seen;
    return seen == wanted;
}

uint64_t model_rmw(void *address, uint32_t n_bytes, model_op_t op, uint64_t operand, model_site_t *site) {
    if (running)
        return ask(
            (request_t){.access = ACCESS_RMW, .op = op, .address = (uintptr_t)address, .n_bytes = n_bytes, .value = operand, .site = site});
    uint64_t old = plain_peek((uintptr_t)address, n_bytes);
    plain_poke((uintptr_t)address, n_bytes, request_result(op, n_bytes, old, operand));
    return old;
}

void model_fence(model_site_t *site) {
    if (running && site->orders) ask((request_t){.access = ACCESS_FENCE, .site = site});
    else if (running) site->n_seen++;
}
