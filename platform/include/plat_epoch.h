/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * plat_epoch.h - deferred reclamation: "free this when nobody can still be looking at it".
 *
 * Two implementations, chosen when building (-DCM_EPOCH=urcu|own):
 *   epoch_urcu.c  liburcu (memb flavour); callbacks run on liburcu's own helper thread. Native default.
 *   epoch_own.c   three epochs, one padded record per thread; callbacks run on the thread that collects. The epoch of
 *                 WebAssembly, and selectable natively for tests, sanitizers and A/B runs.
 *
 * Ordering guarantees (both implementations)
 *   [A.1] An object unlinked before plat_epoch_retire(object) is handed to its callback only after every read section
 *         that might have found it has ended: each plat_epoch_pin() that happened before the unlink has been unpinned.
 *   [A.2] Everything done inside such a read section happens before the callback.
 *   [A.3] What a thread wrote before plat_epoch_retire() happens before the callback.
 * Progress guarantees
 *   [P.1] pin and unpin are wait-free: a constant number of steps.
 *   [P.2] retire never blocks and never allocates: the node is intrusive.
 *   [P.3] A pinned thread delays callbacks, and nothing else. plat_epoch_pending() shows how many wait.
 * May lock or allocate: open, close, attach, detach. Nothing else.
 *
 * A thread record is named by a small number, `slot` < max_threads, that the caller hands out (core/store does).
 */
#ifndef PLAT_EPOCH_H
#define PLAT_EPOCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct plat_epoch plat_epoch_t;

/* Intrusive, embedded at the start of whatever is retired; its fields belong to the implementation until the callback runs. */
typedef struct plat_epoch_node {
    void *opaque[2];
    void (*callback)(struct plat_epoch_node *node);
} plat_epoch_node_t;

/* A point in time that plat_epoch_passed() can be asked about later. */
typedef struct plat_epoch_ticket {
    uint64_t value;
} plat_epoch_ticket_t;

/* Creates an epoch for thread slots 0 .. max_threads-1. NULL when memory is exhausted. */
plat_epoch_t *plat_epoch_open(uint32_t max_threads);

/* Runs every callback still waiting, then frees the epoch. No thread may be pinned; every thread must be detached. */
void plat_epoch_close(plat_epoch_t *epoch);

/* The calling thread takes (gives back) record `slot`. One thread may hold records in several epochs. attach returns false when
 * memory is exhausted. detach must be called by the thread that attached, unpinned. */
bool plat_epoch_attach(plat_epoch_t *epoch, uint32_t slot);
void plat_epoch_detach(plat_epoch_t *epoch, uint32_t slot);

/* Gives back the record of a thread that no longer exists (a terminated Worker), pinned or not. The caller knows that the
 * thread will never run again. epoch_urcu cannot do this and returns false: native threads end by detaching. */
bool plat_epoch_abandon(plat_epoch_t *epoch, uint32_t slot);

/* Read section. Sections of one slot may nest. */
void plat_epoch_pin(plat_epoch_t *epoch, uint32_t slot);
void plat_epoch_unpin(plat_epoch_t *epoch, uint32_t slot);

/* Calls node->callback = callback once [A.1] allows it, on any thread. The object must already be unreachable for new readers. */
void plat_epoch_retire(plat_epoch_t *epoch, uint32_t slot, plat_epoch_node_t *node, void (*callback)(plat_epoch_node_t *node));

/* Gives waiting callbacks a chance to run: bounded work, never blocks. epoch_urcu: a no-op (its helper thread does it). */
void plat_epoch_collect(plat_epoch_t *epoch, uint32_t slot);

/* Retired nodes whose callback has not run yet. */
uint64_t plat_epoch_pending(plat_epoch_t *epoch);

/* A grace period that can be polled, so that nobody has to wait: every read section that was open when the ticket was taken has
 * ended once passed() says true. */
plat_epoch_ticket_t plat_epoch_ticket(plat_epoch_t *epoch, uint32_t slot);
bool plat_epoch_passed(plat_epoch_t *epoch, uint32_t slot, plat_epoch_ticket_t ticket);

/* "urcu" or "own". */
const char *plat_epoch_name(void);

#endif
