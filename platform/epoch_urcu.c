/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * epoch_urcu.c - deferred reclamation on liburcu (memb flavour), the native default.
 *
 * READERS     urcu_memb_read_lock/unlock, inlined: two plain stores to thread-local memory where the kernel has membarrier(2). No fence, no
 *             shared line. This is what the own epoch cannot have.
 * RETIRING    the node is pushed on the list of its slot, and a grace period is requested. No mutex, no allocation, no system call but the
 *             wake-up of the helper thread.
 * GRACE       one struct rcu_head per epoch, the engine. While it is in flight ("running") every list taken before is waiting; when liburcu's
 *             helper thread calls back, those callbacks run, the lists that filled up meanwhile are taken, and the engine starts again.
 *             When there is nothing to take it goes idle.
 * TICKETS     count the engine's grace periods, because liburcu 0.13 cannot poll one (start_poll_synchronize_rcu came with 0.14).
 *
 * Why not one call_rcu per node: liburcu has one queue for the whole process, so every writer would fight for its tail and its length, and nobody
 * could say how many nodes of *this* epoch wait.
 *
 * Why this is right: a node is taken (exchange [U1]) before the call_rcu whose callback runs it, and it was unlinked before it was pushed. That
 * grace period ends only after every read section that began before call_rcu, hence all that might have found the node.
 *
 * Mutexes live in attach, detach, open and close only: liburcu takes one to register a thread, to create the helper (open does it, so that no
 * call_rcu has to), and in rcu_barrier (close).
 *
 * fork(): the child has no helper thread, so nothing is ever reclaimed there, and close would wait for ever. A program that forks without exec
 * and goes on using stores in the child calls urcu_memb_call_rcu_before_fork() and its two siblings around fork(), as liburcu's manual says.
 * A thread pinned for ever: retired nodes gather without bound (2 million were 184 MB in a trial); plat_epoch_pending() shows it.
 */
#define _LGPL_SOURCE /* inlines the read side; our licences are LGPL-compatible and its functions are under ten lines */
#include <urcu/urcu-memb.h>

#include "plat_atomic.h"
#include "plat_epoch.h"
#include "plat_pages.h"

/*
 * ThreadSanitizer cannot see into liburcu, which is compiled without it, so it is told the two things that a grace period means: what a section did happens
 * before the callback ([A.2]), and so does what was done before call_rcu. It believes them: a grace period that ends too early shows only when the reader
 * touches the node *after* its callback ran. The address is one that no atomic access uses, so that nobody else profits from these edges.
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#include <sanitizer/tsan_interface.h>
#define BEFORE_GRACE(epoch) __tsan_release(&(epoch)->engine)
#define AFTER_GRACE(epoch) __tsan_acquire(&(epoch)->engine)
#endif
#endif
#if !defined(BEFORE_GRACE)
#define BEFORE_GRACE(epoch) ((void)(epoch))
#define AFTER_GRACE(epoch) ((void)(epoch))
#endif

/* The engine's state: how many of its grace periods have ended, and two bits. */
#define STATE_RUNNING 1u /* the rcu_head is with liburcu, or with the thread that is about to hand it over */
#define STATE_AGAIN 2u   /* something was retired, or a ticket taken, since it started: it must run once more */
#define STATE_SHIFT 2

/* One thread slot, one cache line. */
typedef struct record {
    _Alignas(64) plat_a64_t retired; /* plat_epoch_node_t *: pushed by the holder of the slot, taken whole by the engine */
    plat_a64_t n_retired;            /* written by the holder (statistics) */
    plat_epoch_node_t *waiting;      /* engine only: taken, its grace period is running */
} record_t;

struct plat_epoch {
    _Alignas(64) plat_a64_t state;
    plat_a64_t n_collected;         /* written by the engine (statistics) */
    _Alignas(64) plat_a32_t n_used; /* one more than the highest slot ever attached */
    struct rcu_head engine;         /* belongs to whoever set STATE_RUNNING, then to liburcu until it calls back */
    size_t n_bytes;
    record_t records[];
};

/* How many epochs the calling thread has attached to: liburcu wants to hear of a thread once. */
static _Thread_local uint32_t n_attached;

/* False when the program registered the thread with liburcu itself: then it is also the one to unregister it. */
static _Thread_local bool registered_by_us;

/* ---- the engine --------------------------------------------------------------------------------------------------------- */

static void grace_passed(struct rcu_head *head);

static void start_grace(plat_epoch_t *epoch) {
    BEFORE_GRACE(epoch);
    urcu_memb_call_rcu(&epoch->engine, grace_passed);
}

/* Moves every slot's list to `waiting`; true when there was one. Only for the holder of STATE_RUNNING. */
static bool take_lists(plat_epoch_t *epoch) {
    bool any = false;
    uint32_t n_used = plat_load_relaxed(&epoch->n_used); /* relaxed: a slot is attached before it can retire, and [U3] covers that */
    for (uint32_t i = 0; i < n_used; i++) {
        record_t *record = &epoch->records[i];
        if (plat_load_relaxed(&record->retired) == 0) continue; /* relaxed: [U3] decides who sees whom */
        /* [U1] acquire: the nodes, and all that their retirers wrote before. The release half carries nothing. */
        record->waiting = (plat_epoch_node_t *)(uintptr_t)plat_exchange_acq_rel(&record->retired, 0);
        any = true;
    }
    return any;
}

static void run_waiting(plat_epoch_t *epoch) {
    uint32_t n_used = plat_load_relaxed(&epoch->n_used); /* relaxed: it never falls, and take_lists() saw no more */
    for (uint32_t i = 0; i < n_used; i++) {
        plat_epoch_node_t *node = epoch->records[i].waiting;
        epoch->records[i].waiting = NULL;
        while (node) {
            plat_epoch_node_t *next = node->opaque[0];
            node->callback(node);
            plat_store_relaxed(&epoch->n_collected, plat_load_relaxed(&epoch->n_collected) + 1); /* relaxed: one writer, statistics */
            node = next;
        }
    }
}

/* Makes sure that a grace period beginning after this call will run, and returns its number. Lock-free: a retry means that another request or the
 * engine got ahead. */
static uint64_t request(plat_epoch_t *epoch) {
    /* [U3] fence: the caller's push, or what its ticket stands for | the load of the state; pairs with the fence in grace_passed(): either this
     * load sees the engine's new state, or the engine sees the push. */
    plat_fence_seq_cst();
    uint64_t state = plat_load_relaxed(&epoch->state); /* relaxed: ordered by [U3], re-checked by the CAS */
    for (;;) {
        uint64_t n_passed = state >> STATE_SHIFT;
        if (state & STATE_AGAIN) return n_passed + 2; /* the one in flight may have begun before */
        if (state & STATE_RUNNING) {
            /* [U2] acq_rel: pairs with the CAS in grace_passed() */
            if (plat_cas_acq_rel(&epoch->state, &state, state | STATE_AGAIN)) return n_passed + 2;
        } else if (plat_cas_acq_rel(&epoch->state, &state, state | STATE_RUNNING)) {
            /* [U2] acquire: what the engine did before it went idle */
            take_lists(epoch);
            start_grace(epoch);
            return n_passed + 1;
        }
    }
}

/* On liburcu's helper thread, a grace period after call_rcu. */
static void grace_passed(struct rcu_head *head) {
    plat_epoch_t *epoch = caa_container_of(head, plat_epoch_t, engine);
    AFTER_GRACE(epoch);
    run_waiting(epoch);

    uint64_t state = plat_load_relaxed(&epoch->state), next; /* relaxed: re-checked by the CAS */
    do {
        next = (((state >> STATE_SHIFT) + 1) << STATE_SHIFT) | STATE_RUNNING;
        /* retried only when a request set STATE_AGAIN. [U2] release: the end of the grace period and its callbacks; pairs with the acquire in
         * plat_epoch_passed(), request() and plat_epoch_close(). */
    } while (!plat_cas_acq_rel(&epoch->state, &state, next));

    /* [U3] fence: the state above | the loads of the lists below; pairs with the fence in request(). */
    plat_fence_seq_cst();
    bool more = take_lists(epoch);
    bool wanted = (state & STATE_AGAIN) != 0;
    if (!more && !wanted) {
        /* [U2] release: the last touch of the epoch unless a request came in between; then STATE_AGAIN is set and the CAS fails. */
        if (plat_cas_acq_rel(&epoch->state, &next, next & ~(uint64_t)STATE_RUNNING)) return;
        take_lists(epoch); /* what that request announced */
    }
    start_grace(epoch);
}

/* ---- plat_epoch.h ------------------------------------------------------------------------------------------------------- */

plat_epoch_t *plat_epoch_open(uint32_t max_threads) {
    size_t n_bytes = sizeof(plat_epoch_t) + (size_t)max_threads * sizeof(record_t);
    plat_epoch_t *epoch = plat_pages_alloc(n_bytes);
    if (!epoch) return NULL;
    epoch->n_bytes = n_bytes;                    /* pages come zeroed: engine idle, every list empty */
    (void)urcu_memb_get_default_call_rcu_data(); /* creates the helper thread now, under liburcu's mutex */
    return epoch;
}

void plat_epoch_close(plat_epoch_t *epoch) {
    /* Every retire requested a grace period, so an idle engine has nothing left. Each barrier waits for one run of it at least.
     * [U2] acquire: its last touch of the epoch */
    while (plat_load_acquire(&epoch->state) & STATE_RUNNING) urcu_memb_barrier();
    plat_pages_free(epoch, epoch->n_bytes);
}

bool plat_epoch_attach(plat_epoch_t *epoch, uint32_t slot) {
    if (n_attached++ == 0 && !URCU_TLS(urcu_memb_reader).registered) {
        urcu_memb_register_thread();
        registered_by_us = true;
    }
    uint32_t n_used = plat_load_relaxed(&epoch->n_used); /* relaxed: re-checked by the CAS */
    /* retried only when another thread attached to a fresh slot. relaxed: see take_lists() */
    while (n_used <= slot && !plat_cas_relaxed(&epoch->n_used, &n_used, slot + 1)) {}
    return true;
}

void plat_epoch_detach(plat_epoch_t *epoch, uint32_t slot) {
    (void)epoch, (void)slot; /* what the slot retired is the engine's */
    if (--n_attached == 0 && registered_by_us) {
        urcu_memb_unregister_thread();
        registered_by_us = false;
    }
}

bool plat_epoch_abandon(plat_epoch_t *epoch, uint32_t slot) {
    (void)epoch, (void)slot;
    return false;
}

void plat_epoch_pin(plat_epoch_t *epoch, uint32_t slot) {
    (void)epoch, (void)slot;
    urcu_memb_read_lock();
}

void plat_epoch_unpin(plat_epoch_t *epoch, uint32_t slot) {
    (void)slot;
    BEFORE_GRACE(epoch);
    urcu_memb_read_unlock();
}

void plat_epoch_retire(plat_epoch_t *epoch, uint32_t slot, plat_epoch_node_t *node, void (*callback)(plat_epoch_node_t *node)) {
    record_t *record = &epoch->records[slot];
    node->callback = callback;
    plat_store_relaxed(&record->n_retired, plat_load_relaxed(&record->n_retired) + 1); /* relaxed: one writer, statistics */
    uint64_t top = plat_load_relaxed(&record->retired);                                /* relaxed: re-checked by the CAS */
    do {
        node->opaque[0] = (void *)(uintptr_t)top;
        /* retried only when the engine took the list, once per grace period. [U1] release: the node, and what its retirer wrote before */
    } while (!plat_cas_release(&record->retired, &top, (uint64_t)(uintptr_t)node));
    request(epoch);
}

void plat_epoch_collect(plat_epoch_t *epoch, uint32_t slot) {
    (void)epoch, (void)slot;
}

uint64_t plat_epoch_pending(plat_epoch_t *epoch) {
    uint64_t n_collected = plat_load_relaxed(&epoch->n_collected), n_retired = 0; /* relaxed, all of it: statistics */
    uint32_t n_used = plat_load_relaxed(&epoch->n_used);
    for (uint32_t i = 0; i < n_used; i++) n_retired += plat_load_relaxed(&epoch->records[i].n_retired);
    return n_retired > n_collected ? n_retired - n_collected : 0; /* a sum over moving counters may be off by what moved */
}

plat_epoch_ticket_t plat_epoch_ticket(plat_epoch_t *epoch, uint32_t slot) {
    (void)slot;
    return (plat_epoch_ticket_t){request(epoch)};
}

bool plat_epoch_passed(plat_epoch_t *epoch, uint32_t slot, plat_epoch_ticket_t ticket) {
    (void)slot;
    /* [U2] acquire: the end of the grace period */
    return plat_load_acquire(&epoch->state) >> STATE_SHIFT >= ticket.value;
}

const char *plat_epoch_name(void) {
    return "urcu";
}
