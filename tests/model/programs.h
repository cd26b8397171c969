/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* programs.h - random little programs, to compare the explorer with the definition of the memory model, evaluated naively (oracle.c). */
#ifndef MODEL_PROGRAMS_H
#define MODEL_PROGRAMS_H

#include "model/model.h"

#define MOST_OPERATIONS 4u /* per thread */
#define N_PLACES 2u

typedef enum operation_kind { OP_LOAD, OP_STORE, OP_ADD, OP_CAS, OP_FENCE } operation_kind_t;

typedef struct operation {
    operation_kind_t kind;
    uint32_t place;
    uint32_t orders;          /* MODEL_ flags that its kind allows */
    uint32_t value, expected; /* stored, added, desired; what a CAS wants to see */
} operation_t;

typedef struct program {
    uint32_t n[MODEL_THREADS];
    operation_t operation[MODEL_THREADS][MOST_OPERATIONS];
} program_t;

/* The number of executions that RC11 without load buffering allows, by trying every reads-from and every coherence order. UINT64_MAX: too many to try. */
uint64_t oracle_count(const program_t *program);

/* Explores and counts `n` random programs from a seed on. True when every pair of counts is equal; prints the first that is not. */
bool programs_agree(uint32_t n, uint64_t seed);

#endif
