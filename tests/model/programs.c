/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* programs.c - see programs.h: making programs, running them as shapes. */
#include "model/programs.h"

#include "model/explore.h"

#include <stdio.h>
#include <string.h>

static program_t program;
static uint64_t places[N_PLACES];
static uint64_t state;

static uint32_t chance(uint32_t n) {
    state = state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(state >> 33) % n;
}

/* ---- making one ---------------------------------------------------------------------------------------------------------- */

static operation_t random_operation(uint32_t thread, uint32_t index) {
    static const operation_kind_t kinds[] = {OP_LOAD, OP_LOAD, OP_LOAD, OP_STORE, OP_STORE, OP_STORE, OP_ADD, OP_CAS, OP_FENCE};
    operation_t op = {
        .kind = kinds[chance(9)], .place = chance(N_PLACES), .orders = chance(4), .value = 1 + thread * 10 + index, .expected = chance(3)};
    if (op.kind == OP_LOAD) op.orders &= MODEL_ACQUIRE;
    if (op.kind == OP_STORE) op.orders &= MODEL_RELEASE;
    if (op.kind == OP_FENCE) op.orders = MODEL_FENCE;
    if (op.kind == OP_ADD || op.kind == OP_CAS) op.value = 1 + chance(2);
    return op;
}

static void random_program(void) {
    memset(&program, 0, sizeof program);
    uint32_t n_threads = 2 + chance(2), most = n_threads == 2 ? MOST_OPERATIONS : 3;
    for (uint32_t t = 0; t < n_threads; t++) {
        program.n[t] = 1 + chance(most);
        for (uint32_t i = 0; i < program.n[t]; i++) program.operation[t][i] = random_operation(t, i);
    }
}

/* ---- as a shape --------------------------------------------------------------------------------------------------------------- */

static void perform(const operation_t *op, uint32_t thread, uint32_t index) {
    static model_site_t sites[MODEL_THREADS][MOST_OPERATIONS];
    model_site_t *site = &sites[thread][index];
    *site = (model_site_t){"program", "operation", 10 * thread + index, op->orders, op->orders, 0};
    uint64_t expected = op->expected;
    switch (op->kind) {
    case OP_LOAD: model_load(&places[op->place], 8, site); break;
    case OP_STORE: model_store(&places[op->place], 8, op->value, site); break;
    case OP_ADD: model_rmw(&places[op->place], 8, MODEL_ADD, op->value, site); break;
    case OP_CAS: model_cas(&places[op->place], 8, &expected, op->value, site); break;
    case OP_FENCE: model_fence(site); break;
    }
}

static void run_thread(uint32_t thread) {
    for (uint32_t i = 0; i < program.n[thread]; i++) perform(&program.operation[thread][i], thread, i);
}
static void run_0(void) {
    run_thread(0);
}
static void run_1(void) {
    run_thread(1);
}
static void run_2(void) {
    run_thread(2);
}
static void zero(void) {
    memset(places, 0, sizeof places);
}

/* ---- comparing ------------------------------------------------------------------------------------------------------------------ */

static void print_program(void) {
    static const char *const names[] = {"load", "store", "add", "cas", "fence"};
    for (uint32_t t = 0; t < MODEL_THREADS; t++)
        for (uint32_t i = 0; i < program.n[t]; i++) {
            const operation_t *op = &program.operation[t][i];
            printf("#   %u.%u %s %c value %u expected %u%s%s\n", t, i, names[op->kind], 'x' + (char)op->place, op->value, op->expected,
                   op->orders & MODEL_ACQUIRE ? " acquire" : "", op->orders & MODEL_RELEASE ? " release" : "");
        }
}

bool programs_agree(uint32_t n, uint64_t seed) {
    static const model_shape_t shape = {.group = "programs", .name = "random", .setup = zero, .thread = {run_0, run_1, run_2}};
    state = seed;
    uint64_t n_executions = 0;
    uint32_t n_compared = 0;
    for (uint32_t i = 0; i < n; i++) {
        random_program();
        uint64_t expected = oracle_count(&program);
        if (expected == UINT64_MAX) continue;
        explored_t e = explore(&shape, 0, true);
        n_executions += e.n_complete;
        n_compared++;
        if (e.n_complete == expected && !e.failed) continue;
        printf("# program %u of seed %llu: %llu executions explored, the definition allows %llu\n", i, (unsigned long long)seed,
               (unsigned long long)e.n_complete, (unsigned long long)expected);
        print_program();
        return false;
    }
    printf("ok - programs/random: %u programs of seed %llu, %llu executions, as many as the definition allows\n", n_compared,
           (unsigned long long)seed, (unsigned long long)n_executions);
    return true;
}
