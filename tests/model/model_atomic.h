/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * model_atomic.h - the names of plat_atomic.h as events of the model checker.
 *
 * Every use of a name is a site: file, line, name and the order it asks for. `model mutate` weakens one site at a time without compiling
 * anything again. An order that plat_atomic.h does not name, a sequentially consistent access above all, does not exist here either: it does not compile.
 */
#ifndef MODEL_ATOMIC_H
#define MODEL_ATOMIC_H

#include <stdbool.h>
#include <stdint.h>

typedef uint16_t plat_a16_t;
typedef uint32_t plat_a32_t;
typedef uint64_t plat_a64_t;
typedef void *plat_aptr_t;

#define MODEL_ACQUIRE 1u
#define MODEL_RELEASE 2u
#define MODEL_FENCE 4u /* sequentially consistent */

typedef struct model_site {
    const char *file, *name;
    uint32_t line;
    uint32_t orders;  /* MODEL_ flags in force: a mutant has fewer than it was written with */
    uint32_t written; /* as written */
    uint32_t n_seen;  /* by the shape that is being explored */
} model_site_t;

typedef enum model_op { MODEL_ADD, MODEL_SUB, MODEL_OR, MODEL_EXCHANGE } model_op_t;

uint64_t model_load(const void *address, uint32_t n_bytes, model_site_t *site);
void model_store(void *address, uint32_t n_bytes, uint64_t value, model_site_t *site);
bool model_cas(void *address, uint32_t n_bytes, uint64_t *expected, uint64_t desired, model_site_t *site);
uint64_t model_rmw(void *address, uint32_t n_bytes, model_op_t op, uint64_t operand, model_site_t *site);
void model_fence(model_site_t *site);

/* A pointer to this use's site, found by the runner between the section's ends. */
#define MODEL_SITE(name_, orders_)                                                                                  \
    ({                                                                                                              \
        static model_site_t model_site = {__FILE__, name_, __LINE__, orders_, orders_, 0};                          \
        static model_site_t *const model_entry __attribute__((section("model_sites"), used, retain)) = &model_site; \
        (void)model_entry;                                                                                          \
        &model_site;                                                                                                \
    })

#define MODEL_VALUE(p, bits) ((__typeof__(*(p)))(uintptr_t)(bits))
#define MODEL_BITS(v) ((uint64_t)(uintptr_t)(v))
#define MODEL_LOAD(p, name, orders) MODEL_VALUE(p, model_load((p), sizeof *(p), MODEL_SITE(name, orders)))
#define MODEL_STORE(p, v, name, orders) model_store((p), sizeof *(p), MODEL_BITS((__typeof__(*(p)))(v)), MODEL_SITE(name, orders))
#define MODEL_RMW(p, op, v, name, orders) MODEL_VALUE(p, model_rmw((p), sizeof *(p), op, MODEL_BITS(v), MODEL_SITE(name, orders)))
#define MODEL_CAS(p, expected, desired, name, orders)                                                                                  \
    ({                                                                                                                                 \
        uint64_t model_seen = MODEL_BITS(*(expected));                                                                                 \
        bool model_done = model_cas((p), sizeof *(p), &model_seen, MODEL_BITS((__typeof__(*(p)))(desired)), MODEL_SITE(name, orders)); \
        *(expected) = MODEL_VALUE(p, model_seen);                                                                                      \
        model_done;                                                                                                                    \
    })

#define plat_load_relaxed(p) MODEL_LOAD(p, "load_relaxed", 0)
#define plat_load_acquire(p) MODEL_LOAD(p, "load_acquire", MODEL_ACQUIRE)
#define plat_store_relaxed(p, v) MODEL_STORE(p, v, "store_relaxed", 0)
#define plat_store_release(p, v) MODEL_STORE(p, v, "store_release", MODEL_RELEASE)
#define plat_cas_relaxed(p, e, d) MODEL_CAS(p, e, d, "cas_relaxed", 0)
#define plat_cas_release(p, e, d) MODEL_CAS(p, e, d, "cas_release", MODEL_RELEASE)
#define plat_cas_acquire(p, e, d) MODEL_CAS(p, e, d, "cas_acquire", MODEL_ACQUIRE)
#define plat_cas_acq_rel(p, e, d) MODEL_CAS(p, e, d, "cas_acq_rel", MODEL_ACQUIRE | MODEL_RELEASE)
#define plat_fetch_add_relaxed(p, v) MODEL_RMW(p, MODEL_ADD, v, "fetch_add_relaxed", 0)
#define plat_fetch_sub_relaxed(p, v) MODEL_RMW(p, MODEL_SUB, v, "fetch_sub_relaxed", 0)
#define plat_fetch_add_acquire(p, v) MODEL_RMW(p, MODEL_ADD, v, "fetch_add_acquire", MODEL_ACQUIRE)
#define plat_fetch_add_release(p, v) MODEL_RMW(p, MODEL_ADD, v, "fetch_add_release", MODEL_RELEASE)
#define plat_fetch_add_acq_rel(p, v) MODEL_RMW(p, MODEL_ADD, v, "fetch_add_acq_rel", MODEL_ACQUIRE | MODEL_RELEASE)
#define plat_fetch_sub_acq_rel(p, v) MODEL_RMW(p, MODEL_SUB, v, "fetch_sub_acq_rel", MODEL_ACQUIRE | MODEL_RELEASE)
#define plat_fetch_or_acq_rel(p, v) MODEL_RMW(p, MODEL_OR, v, "fetch_or_acq_rel", MODEL_ACQUIRE | MODEL_RELEASE)
#define plat_fetch_or_release(p, v) MODEL_RMW(p, MODEL_OR, v, "fetch_or_release", MODEL_RELEASE)
#define plat_exchange_acquire(p, v) MODEL_RMW(p, MODEL_EXCHANGE, v, "exchange_acquire", MODEL_ACQUIRE)
#define plat_exchange_acq_rel(p, v) MODEL_RMW(p, MODEL_EXCHANGE, v, "exchange_acq_rel", MODEL_ACQUIRE | MODEL_RELEASE)
#define plat_fence_seq_cst() model_fence(MODEL_SITE("fence_seq_cst", MODEL_FENCE))

#endif
