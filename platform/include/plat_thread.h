/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plat_thread.h - threads and a reader-writer lock, for core/baseline, tests and benchmarks only; threads, but not the lock, for core/bulk, too. tests/lint refuses it
 * anywhere else: "lock-free" is then a grep. On WebAssembly there is nothing to spawn (the host makes workers) and the lock is absent with the baselines.
 */
#ifndef PLAT_THREAD_H
#define PLAT_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "plat_atomic.h"

typedef struct plat_thread plat_thread_t;
typedef struct plat_rwlock plat_rwlock_t;

/* Starts body(argument) on a new thread. NULL when the machine refuses. */
plat_thread_t *plat_thread_spawn(void (*body)(void *argument), void *argument);

/* Waits for the thread to end and frees the handle. */
void plat_thread_join(plat_thread_t *thread);

/* How many hardware threads this process may use, at least 1. */
unsigned plat_thread_cpus(void);

/* Sleeps while *word is `value`, until plat_thread_wake() of that word; may return early, so ask again. For threads of one job that wait for each other (core/bulk): whoever spins
 * instead takes the processor from the one that is waited for. Orders nothing: the accesses to the word do. */
void plat_thread_sleep(plat_a32_t *word, uint32_t value);

/* Wakes everybody who sleeps at the word. After changing it. */
void plat_thread_wake(plat_a32_t *word);

plat_rwlock_t *plat_rwlock_open(void);
void plat_rwlock_close(plat_rwlock_t *lock);
void plat_rwlock_read(plat_rwlock_t *lock);
void plat_rwlock_write(plat_rwlock_t *lock);
void plat_rwlock_unlock(plat_rwlock_t *lock);

#endif
