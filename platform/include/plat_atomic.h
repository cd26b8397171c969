/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plat_atomic.h - every atomic access of the project goes through these names.
 *
 * The memory order is part of the name, so that a grep lists every order in use
 * and docs/MEMORY_MODEL.md can be checked against it (tests/lint does).
 *
 * Rules of the project:
 *   - order sits on the access: relaxed, acquire, release, acq_rel;
 *   - seq_cst exists only as a fence, and only the epoch uses it;
 *   - every access that is not relaxed carries an edge tag `[XX]` in a comment, at both ends.
 *
 * The types are lock-free on every target: 32 and 64 bits on x86-64 and arm64, i32/i64 atomics on
 * WebAssembly. The single-thread wasm build compiles the same source to plain accesses.
 *
 * Two kinds of test build put something in front of every access, so that the real functions are what is tested:
 *   PLAT_ATOMIC_STEP    plat_atomic_step() is called before each; the test that links the library defines it (tests/progress: park, count, yield);
 *   PLAT_ATOMIC_MODEL   tests/model/model_atomic.h defines the same names as events of the model checker.
 */
#ifndef PLAT_ATOMIC_H
#define PLAT_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

#if defined(PLAT_ATOMIC_MODEL)
#include "model/model_atomic.h"
#else

#include <stdatomic.h>

#if defined(PLAT_ATOMIC_STEP)
void plat_atomic_step(void);
#define PLAT_STEP plat_atomic_step()
#else
#define PLAT_STEP ((void)0)
#endif

typedef _Atomic uint16_t plat_a16_t;
typedef _Atomic uint32_t plat_a32_t;
typedef _Atomic uint64_t plat_a64_t;
typedef _Atomic(void *) plat_aptr_t;

_Static_assert(sizeof(plat_a32_t) == 4, "a link word is four bytes, in memory and in files");
_Static_assert(sizeof(plat_a64_t) == 8, "a meta word is eight bytes, in memory and in files");

#define plat_load_relaxed(p) (PLAT_STEP, atomic_load_explicit((p), memory_order_relaxed))
#define plat_load_acquire(p) (PLAT_STEP, atomic_load_explicit((p), memory_order_acquire))

#define plat_store_relaxed(p, v) (PLAT_STEP, atomic_store_explicit((p), (v), memory_order_relaxed))
#define plat_store_release(p, v) (PLAT_STEP, atomic_store_explicit((p), (v), memory_order_release))

/* Strong compare-and-swap: true when *p was *expected and now is desired; otherwise *expected holds what was seen.
 * The failure order is relaxed for `relaxed` and `release`, acquire for the two that acquire. */
#define plat_cas_relaxed(p, expected, desired) \
    (PLAT_STEP, atomic_compare_exchange_strong_explicit((p), (expected), (desired), memory_order_relaxed, memory_order_relaxed))
#define plat_cas_release(p, expected, desired) \
    (PLAT_STEP, atomic_compare_exchange_strong_explicit((p), (expected), (desired), memory_order_release, memory_order_relaxed))
#define plat_cas_acquire(p, expected, desired) \
    (PLAT_STEP, atomic_compare_exchange_strong_explicit((p), (expected), (desired), memory_order_acquire, memory_order_acquire))
#define plat_cas_acq_rel(p, expected, desired) \
    (PLAT_STEP, atomic_compare_exchange_strong_explicit((p), (expected), (desired), memory_order_acq_rel, memory_order_acquire))

/* Read-modify-write; each returns the value before. */
#define plat_fetch_add_relaxed(p, v) (PLAT_STEP, atomic_fetch_add_explicit((p), (v), memory_order_relaxed))
#define plat_fetch_sub_relaxed(p, v) (PLAT_STEP, atomic_fetch_sub_explicit((p), (v), memory_order_relaxed))
#define plat_fetch_add_acquire(p, v) (PLAT_STEP, atomic_fetch_add_explicit((p), (v), memory_order_acquire))
#define plat_fetch_add_release(p, v) (PLAT_STEP, atomic_fetch_add_explicit((p), (v), memory_order_release))
#define plat_fetch_add_acq_rel(p, v) (PLAT_STEP, atomic_fetch_add_explicit((p), (v), memory_order_acq_rel))
#define plat_fetch_sub_acq_rel(p, v) (PLAT_STEP, atomic_fetch_sub_explicit((p), (v), memory_order_acq_rel))
#define plat_fetch_or_acq_rel(p, v) (PLAT_STEP, atomic_fetch_or_explicit((p), (v), memory_order_acq_rel))
#define plat_fetch_or_release(p, v) (PLAT_STEP, atomic_fetch_or_explicit((p), (v), memory_order_release))
#define plat_exchange_acquire(p, v) (PLAT_STEP, atomic_exchange_explicit((p), (v), memory_order_acquire))
#define plat_exchange_acq_rel(p, v) (PLAT_STEP, atomic_exchange_explicit((p), (v), memory_order_acq_rel))

/* Only platform/epoch_*.c may use this. Name at each use the two accesses it separates and the fence it pairs with. */
#define plat_fence_seq_cst() (PLAT_STEP, atomic_thread_fence(memory_order_seq_cst))

#endif /* PLAT_ATOMIC_MODEL */
#endif
