/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * model.h - writing a shape: a few threads that run real functions of the core over shared data, explored in all executions that the memory model allows.
 *
 *     static void setup(void) { open what is shared }
 *     static void writer(void) { real functions }
 *     static void reader(void) { real functions; MODEL_CHECK(what they promise) }
 *     static void finish(void) { MODEL_CHECK(what holds afterwards) }
 *     SHAPE(items, give_and_take, setup, finish, writer, reader)
 *
 * setup runs once, alone; what it leaves in memory is where every execution begins. Memory for shared data comes from plat_pages_alloc() or is static. The
 * threads must be deterministic but for the values that atomic reads return. finish runs alone after all threads ended.
 * What is found besides failed checks: data races of plain accesses (the shapes and the core are compiled with the race instrumentation of the
 * compiler and linked with our own run time), plain reads of freed items and blocks, freeing twice.
 */
#ifndef MODEL_H
#define MODEL_H

#include "model/model_atomic.h"

#include <stddef.h>

#define MODEL_THREADS 4u

typedef struct model_shape {
    const char *group, *name;
    void (*setup)(void);
    void (*finish)(void);
    void (*thread[MODEL_THREADS])(void); /* NULL behind the last */
    uint64_t n_executions;               /* that the exploration must find; 0: not pinned */
    uint64_t n_outcomes;                 /* likewise */
    bool must_fail;                      /* a violation must be found */
    uint64_t few;                        /* no more are explored, but with --long; 0: all */
} model_shape_t;

#define MODEL_SHAPE(group_, name_, ...)                                                                    \
    static const model_shape_t shape_##group_##_##name_ = {.group = #group_, .name = #name_, __VA_ARGS__}; \
    static const model_shape_t *const entry_##group_##_##name_                                             \
        __attribute__((section("model_shapes"), used, retain)) = &shape_##group_##_##name_;

#define SHAPE(group_, name_, setup_, finish_, ...) MODEL_SHAPE(group_, name_, .setup = setup_, .finish = finish_, .thread = {__VA_ARGS__})

/* A shape with more executions than a run of all shapes has time for: `few_` of them, and with --long all. */
#define LONG_SHAPE(group_, name_, few_, setup_, finish_, ...) \
    MODEL_SHAPE(group_, name_, .setup = setup_, .finish = finish_, .thread = {__VA_ARGS__}, .few = few_)

/* A shape with a bug in it, to see the checker find it. */
#define BROKEN(group_, name_, setup_, finish_, ...) \
    MODEL_SHAPE(group_, name_, .setup = setup_, .finish = finish_, .thread = {__VA_ARGS__}, .must_fail = true)

/* How many executions (0: not pinned) and outcomes the exploration must find. */
#define LITMUS(name_, setup_, finish_, n_executions_, n_outcomes_, ...)                                                    \
    MODEL_SHAPE(litmus, name_, .setup = setup_, .finish = finish_, .thread = {__VA_ARGS__}, .n_executions = n_executions_, \
                .n_outcomes = n_outcomes_)

#define MODEL_CHECK(cond)                                                \
    do {                                                                 \
        if (!(cond)) model_fail(__FILE__, __LINE__, "not true: " #cond); \
    } while (0)

/* Ends the execution and the exploration of the shape. Does not return. */
_Noreturn void model_fail(const char *file, uint32_t line, const char *what);

/* The execution is of no interest (a bound was reached); it is not counted as complete. Does not return. In threads only. */
_Noreturn void model_abandon(void);

/* The bytes are given back: a plain access from here on is a use after free, freeing again is a double free; until model_reuse(). */
void model_free(const void *address, size_t n_bytes);
void model_reuse(const void *address, size_t n_bytes);

/* In setup: arenas that are opened from here on are flat where they are small, as on machines that can reserve addresses: far fewer events. Until the shape's end. */
void model_flat_arenas(void);

/* Notes how the execution ended: different outcomes are counted. In finish only. */
void model_outcome(uint64_t outcome);

#endif
