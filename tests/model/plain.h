/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plain.h - what is not atomic: plain reads and writes of shared memory, watched.
 *
 * Shapes and core are compiled with -fsanitize=thread and linked with plain.c in place of that sanitizer's run time, so every plain access calls in here. Each is
 * checked against the happens-before of the execution graph: two accesses of which one writes and none happens before the other are a data race. What was written is undone
 * before the next execution. Events are replayed in an order that extends happens-before, so without a race every plain read sees what it must.
 */
#ifndef MODEL_PLAIN_H
#define MODEL_PLAIN_H

#include "model/graph.h"

/* Memory for plat_pages_alloc(), and its end. NULL when the pool is used up. */
void *plain_pages(size_t n_bytes);
void plain_pages_free(void *pages);

/* Setup is over: what memory holds now is where every execution begins. */
void plain_freeze(void);

/* Everything back to where executions begin. */
void plain_rewind(void);

/* Before the next shape: the pool is empty. */
void plain_reset(void);

/* Accesses from here on are those of a thread that knows `hb` and has executed hb->n[thread] events; or, with NULL, of setup or finish: unchecked. */
void plain_enter(uint32_t thread, const known_t *hb);

/* An atomic event touches the place. */
void plain_atomic(uint32_t thread, const event_t *event);

/* What the place held before its first atomic event. */
uint64_t plain_initial(uintptr_t address, uint32_t n_bytes);

/* Reads and writes memory itself: for setup and finish, which run alone. */
uint64_t plain_peek(uintptr_t address, uint32_t n_bytes);
void plain_poke(uintptr_t address, uint32_t n_bytes, uint64_t value);

#endif
