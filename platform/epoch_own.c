/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * epoch_own.c - epoch-based reclamation after Fraser (Practical lock-freedom, 2004): a global epoch counter, one padded record per
 * thread slot. The epoch of WebAssembly, and selectable natively.
 *
 * READERS     pin: announce the epoch in the own record, fence. unpin: withdraw it. Wait-free; nobody else's line is written.
 * RETIRING    the node goes to the end of the own record's limbo list, stamped with the epoch read after a fence. Every few retires the
 *             thread tries once to advance the epoch and runs the callbacks at the head of its list that have become safe, at most
 *             twice as many as were retired: bounded work, and garbage shrinks whenever nobody pins an old epoch.
 * ADVANCING   e -> e + 1 when every announcement found is e. One attempt = one scan + one CAS: nobody waits for anybody.
 * LEAVING     a slot that is given back hands its unsafe rest to a global lock-free stack of orphans; whoever collects next adopts all of it.
 * MEMORY      pages for the records, taken once by open. Nodes are intrusive.
 *
 * Why e + 2 is enough
 *   A node is unlinked, then fence F1 [E4], then its stamp r is read from `global`. Its callback runs once `global` is at least r + 2. Consider the
 *   advance r + 1 -> r + 2: a thread A read r + 1 from `global`, passed fence F3 [E5], and then read the record of a reader R. Let R's pin
 *   store its announcement and pass fence F2 [E3] before R looks for nodes. What did A read?
 *   1. R's announcement for this read section. A would have given up unless it was r + 1, so R had read r + 1 from `global` before F2. The
 *      retirer read the older value r after F1. Hence F1 precedes F2 in the order of fences, and R, behind F2, finds the node unlinked.
 *   2. Something older than the announcement. Then F3 precedes F2. The retirer read r after F1, and A read the newer r + 1 before F3: F1
 *      precedes F3, hence F2. Again R cannot find the node.
 *   3. Something newer: R's unpin, or the announcement of a later section of that record. Both are release stores that A acquires [E1], so
 *      everything R did in the section happens before A's scan, hence before A's CAS [E2], which the collector acquires through `global`.
 *   In 1 and 2 the section cannot hold the node ([A.1] asks nothing of it); in 3 it has ended, visibly ([A.2]). One epoch less is not enough: r may
 *   be old by the time it is read, so the advance r -> r + 1 may have been decided by a scan from before the unlink.
 *
 * Two orders that look superfluous and are not:
 *   - the announcement is a *release* store: case 3 with a record that was pinned again, where A sees only the second announcement;
 *   - F1: without it the stamp may be read early, and a third thread may have moved the epoch twice in between.
 *
 * Only case 3 carries data from thread to thread, and it is made of releases and acquires alone, which is why ThreadSanitizer, blind to
 * fences, has nothing to report here: the fences only decide that a section cannot find the node.
 *
 * A thread that dies without a word (a terminated Worker) leaves its record to plat_epoch_abandon(). The lists are updated in an order that keeps
 * them whole between any two operations; what may be lost is the one node whose callback was running.
 */
#include "plat_atomic.h"
#include "plat_epoch.h"
#include "plat_pages.h"

enum {
    COLLECT_EVERY = 32,   /* retires and unpins between two collections */
    COLLECT_AT_MOST = 64, /* callbacks per list and collection: more than COLLECT_EVERY, so that garbage shrinks */
    GRACE_EPOCHS = 2      /* see the proof above */
};

#define QUIESCENT 0u

/* One thread slot, one cache line. Everything but the atomics belongs to the thread that holds the slot. */
typedef struct record {
    _Alignas(64) plat_a64_t announced; /* QUIESCENT, or (epoch << 1) | 1; written by the holder, read by advancing threads */
    plat_a64_t n_retired;              /* written by the holder (statistics) */
    plat_a64_t n_collected;            /* written by the holder (statistics) */
    plat_epoch_node_t *limbo_first;    /* oldest first: stamps never fall along the list */
    plat_epoch_node_t *limbo_last;     /* meaningless while limbo_first is NULL */
    plat_epoch_node_t *adopted;        /* orphans in no order, none newer than adopted_stamp */
    uintptr_t adopted_stamp;
    uint32_t n_nested; /* pins not yet unpinned */
    uint32_t n_ticks;  /* towards COLLECT_EVERY */
} record_t;

struct plat_epoch {
    _Alignas(64) plat_a64_t global;  /* the epoch; only ever incremented */
    _Alignas(64) plat_a64_t orphans; /* plat_epoch_node_t *: a stack of nodes whose retirer has left */
    _Alignas(64) plat_a32_t n_used;  /* one more than the highest slot ever attached: the end of every scan */
    uint32_t max_threads;
    size_t n_bytes;
    record_t records[];
};

/* ---- intrusive lists: opaque[0] is the next node, opaque[1] the stamp ----------------------------------------------------- */

static plat_epoch_node_t *next_of(const plat_epoch_node_t *node) {
    return node->opaque[0];
}

static void set_next(plat_epoch_node_t *node, plat_epoch_node_t *next) {
    node->opaque[0] = next;
}

static plat_epoch_node_t *last_of(plat_epoch_node_t *first) {
    while (next_of(first)) first = next_of(first);
    return first;
}

/* Stamps are one pointer wide, 32 bits on wasm32. A wrapped difference can only be too small (the epoch is never behind a stamp): it delays a
 * callback by two epochs, once in 2^32. */
static bool is_safe(uintptr_t stamp, uint64_t now) {
    return (uintptr_t)now - stamp >= GRACE_EPOCHS;
}

static void count_up(plat_a64_t *counter) {
    /* relaxed: one writer, statistics */
    plat_store_relaxed(counter, plat_load_relaxed(counter) + 1);
}

/* The node leaves the list before its callback runs, so that an abandoned record never runs one twice. */
static void run_first(record_t *record, plat_epoch_node_t **list) {
    plat_epoch_node_t *node = *list;
    *list = next_of(node);
    node->callback(node);
    count_up(&record->n_collected);
}

/* ---- the epoch ---------------------------------------------------------------------------------------------------------- */

/* One attempt; fails when a record announces another epoch, or when another thread advanced first. */
static void try_advance(plat_epoch_t *epoch) {
    /* relaxed: [E5] orders it, and the CAS below re-checks it */
    uint64_t now = plat_load_relaxed(&epoch->global);
    /* [E5] fence F3: the load of `global` above | the loads of the announcements below; pairs with F2 in pin and F1 in retire. */
    plat_fence_seq_cst();
    /* relaxed: attach raises n_used before the slot can pin, so the argument about announcements covers it */
    uint32_t n_used = plat_load_relaxed(&epoch->n_used);
    for (uint32_t i = 0; i < n_used; i++) {
        /* [E1] acquire: everything done in the read sections that this record has ended */
        uint64_t announced = plat_load_acquire(&epoch->records[i].announced);
        if (announced != QUIESCENT && announced != ((now << 1) | 1u)) return;
    }
    /* [E2] release: hands on what the scan acquired; being an RMW it hands on, too, what earlier advances released. Pairs with the acquire in epoch_now(). */
    plat_cas_release(&epoch->global, &now, now + 1);
}

static uint64_t epoch_now(plat_epoch_t *epoch) {
    /* [E2] acquire: the end of every read section that the advances up to this epoch have seen */
    return plat_load_acquire(&epoch->global);
}

/* ---- orphans ------------------------------------------------------------------------------------------------------------ */

static void orphan(plat_epoch_t *epoch, plat_epoch_node_t *first) {
    if (!first) return;
    plat_epoch_node_t *last = last_of(first);
    uint64_t top = plat_load_relaxed(&epoch->orphans); /* relaxed: re-checked by the CAS */
    do {
        set_next(last, (plat_epoch_node_t *)(uintptr_t)top);
        /* retried only when another thread orphaned or adopted.  [E6] release: the nodes, and that their stamps were read */
    } while (!plat_cas_release(&epoch->orphans, &top, (uint64_t)(uintptr_t)first));
}

/* Takes the whole stack, so there is no ABA. The epoch read afterwards is no older than any of the nodes' stamps, for those were read before the
 * nodes were pushed: it can stand for all of them. */
static void adopt(plat_epoch_t *epoch, record_t *record) {
    if (record->adopted || plat_load_relaxed(&epoch->orphans) == 0) return; /* relaxed: a hint */
    /* [E6] acquire: the nodes */
    record->adopted = (plat_epoch_node_t *)(uintptr_t)plat_exchange_acquire(&epoch->orphans, 0);
    record->adopted_stamp = (uintptr_t)plat_load_relaxed(&epoch->global); /* relaxed: coherence after [E6] is enough */
}

/* ---- collecting --------------------------------------------------------------------------------------------------------- */

/* Advances once if it can and runs at most `budget` callbacks of each list. */
static void collect(plat_epoch_t *epoch, record_t *record, uint64_t budget) {
    try_advance(epoch);
    adopt(epoch, record);
    uint64_t now = epoch_now(epoch);
    for (uint64_t n = 0; n < budget && record->limbo_first && is_safe((uintptr_t)record->limbo_first->opaque[1], now); n++)
        run_first(record, &record->limbo_first);
    for (uint64_t n = 0; n < budget && record->adopted && is_safe(record->adopted_stamp, now); n++) run_first(record, &record->adopted);
}

/* Also for orphans: where only readers are left, one of them must take these. */
static void collect_now_and_then(plat_epoch_t *epoch, record_t *record) {
    if (++record->n_ticks % COLLECT_EVERY != 0) return;
    /* relaxed: a hint */
    if (record->limbo_first || record->adopted || plat_load_relaxed(&epoch->orphans)) collect(epoch, record, COLLECT_AT_MOST);
}

/* ---- plat_epoch.h ------------------------------------------------------------------------------------------------------- */

plat_epoch_t *plat_epoch_open(uint32_t max_threads) {
    size_t n_bytes = sizeof(plat_epoch_t) + (size_t)max_threads * sizeof(record_t);
    plat_epoch_t *epoch = plat_pages_alloc(n_bytes);
    if (!epoch) return NULL;
    epoch->max_threads = max_threads;
    epoch->n_bytes = n_bytes;
    return epoch; /* pages come zeroed: epoch 0, every record quiescent, every list empty */
}

static void run_all(record_t *record, plat_epoch_node_t **list) {
    while (*list) run_first(record, list);
}

void plat_epoch_close(plat_epoch_t *epoch) {
    /* Nobody is pinned and everybody has detached, so all that is left is with the orphans. A callback may not retire. */
    if (epoch->max_threads > 0) {
        adopt(epoch, &epoch->records[0]);
        run_all(&epoch->records[0], &epoch->records[0].adopted);
    }
    plat_pages_free(epoch, epoch->n_bytes);
}

bool plat_epoch_attach(plat_epoch_t *epoch, uint32_t slot) {
    uint32_t n_used = plat_load_relaxed(&epoch->n_used); /* relaxed: re-checked by the CAS */
    /* retried only when another thread attached to a fresh slot. relaxed: see try_advance() */
    while (n_used <= slot && !plat_cas_relaxed(&epoch->n_used, &n_used, slot + 1)) {}
    return true;
}

static void give_back(plat_epoch_t *epoch, record_t *record) {
    orphan(epoch, record->limbo_first);
    record->limbo_first = NULL;
    orphan(epoch, record->adopted);
    record->adopted = NULL;
    record->n_nested = 0;
}

void plat_epoch_detach(plat_epoch_t *epoch, uint32_t slot) {
    record_t *record = &epoch->records[slot];
    /* With nobody else pinned two advances make everything safe, and nothing is left to orphan. Once more, because orphans are adopted after the first. */
    for (int i = 0; i <= GRACE_EPOCHS; i++) collect(epoch, record, UINT64_MAX);
    give_back(epoch, record);
}

bool plat_epoch_abandon(plat_epoch_t *epoch, uint32_t slot) {
    record_t *record = &epoch->records[slot];
    give_back(epoch, record);
    /* [E1] release: the dead thread's section, which happened before the caller learned of its death */
    plat_store_release(&record->announced, QUIESCENT);
    return true;
}

void plat_epoch_pin(plat_epoch_t *epoch, uint32_t slot) {
    record_t *record = &epoch->records[slot];
    if (record->n_nested++ > 0) return;
    /* relaxed: an epoch that is old by now only keeps the next advance waiting */
    uint64_t now = plat_load_relaxed(&epoch->global);
    /* [E1] release: the sections that this record ended before; an advancing thread may see this store and not their unpin. */
    plat_store_release(&record->announced, (now << 1) | 1u);
    /* [E3] fence F2: the announcement above | every load of the read section; pairs with F1 in retire and F3 in try_advance. */
    plat_fence_seq_cst();
}

void plat_epoch_unpin(plat_epoch_t *epoch, uint32_t slot) {
    record_t *record = &epoch->records[slot];
    if (--record->n_nested > 0) return;
    /* [E1] release: everything done in the section */
    plat_store_release(&record->announced, QUIESCENT);
    collect_now_and_then(epoch, record); /* a thread that retires nothing pays a count and a branch */
}

void plat_epoch_retire(plat_epoch_t *epoch, uint32_t slot, plat_epoch_node_t *node, void (*callback)(plat_epoch_node_t *node)) {
    record_t *record = &epoch->records[slot];
    node->callback = callback;
    /* [E4] fence F1: the caller's unlinking | the load of the stamp; pairs with F2 in pin and F3 in try_advance. */
    plat_fence_seq_cst();
    node->opaque[1] = (void *)(uintptr_t)plat_load_relaxed(&epoch->global); /* relaxed: [E4] orders it */
    set_next(node, NULL);
    count_up(&record->n_retired);
    if (record->limbo_first) set_next(record->limbo_last, node);
    else record->limbo_first = node;
    record->limbo_last = node;
    collect_now_and_then(epoch, record);
}

void plat_epoch_collect(plat_epoch_t *epoch, uint32_t slot) {
    collect(epoch, &epoch->records[slot], COLLECT_AT_MOST);
}

uint64_t plat_epoch_pending(plat_epoch_t *epoch) {
    uint64_t n_retired = 0, n_collected = 0;
    uint32_t n_used = plat_load_relaxed(&epoch->n_used); /* relaxed, all of it: statistics */
    for (uint32_t i = 0; i < n_used; i++) {
        n_collected += plat_load_relaxed(&epoch->records[i].n_collected);
        n_retired += plat_load_relaxed(&epoch->records[i].n_retired);
    }
    return n_retired > n_collected ? n_retired - n_collected : 0; /* a sum over moving counters may be off by what moved */
}

plat_epoch_ticket_t plat_epoch_ticket(plat_epoch_t *epoch, uint32_t slot) {
    (void)slot;
    /* [E7] fence, in F1's role: what the caller wants everybody to have seen | the load of the epoch; pairs with F2 and F3. */
    plat_fence_seq_cst();
    return (plat_epoch_ticket_t){plat_load_relaxed(&epoch->global)}; /* relaxed: [E7] orders it */
}

bool plat_epoch_passed(plat_epoch_t *epoch, uint32_t slot, plat_epoch_ticket_t ticket) {
    (void)slot;
    if (epoch_now(epoch) - ticket.value >= GRACE_EPOCHS) return true;
    try_advance(epoch); /* so that polling alone gets there */
    return epoch_now(epoch) - ticket.value >= GRACE_EPOCHS;
}

const char *plat_epoch_name(void) {
    return "own";
}
