/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * insert_batch.c - many memories at once: check all -> rounds of { drafts in order -> link their nodes together (round.h) -> publish in order }.
 *
 * The caller's thread makes and publishes the drafts; helpers, each attached to the store for the time, link nodes. The last few of a batch are inserted one by one. A round ends before an id that it has already, so that the second one finds the first.
 */
#include "bulk/round.h"
#include "store/draft.h"
#include "store/operations.h"

#include "plat_pages.h"
#include "plat_thread.h"

typedef struct batch {
    cm_thread_t *thread;
    cm_store_t *store;
    const cm_memory_t *memories;
    size_t n, n_done;
    const cm_batch_t *options;
    cmi_team_t *team;   /* these are made for the first round */
    cmi_round_t *round; /* NULL: no round so far, or no memory for one */
    bool without;       /* no memory for rounds */
    cmi_draft_t *drafts;
    uint32_t *entries;  /* of the round's ids: a hash set, 0 where free */
    uint32_t most;      /* drafts that there is room for */
    uint32_t n_entries; /* places in the set, a power of two */
    uint64_t bytes;     /* of drafts and set */
} batch_t;

/* ---- helpers ------------------------------------------------------------------------------------------------------------------------ */

static void *enter(void *store) {
    cm_thread_t *thread;
    return cmi_thread_attach(store, &thread) == CM_OK ? thread : NULL;
}

static void leave(void *store, void *thread) {
    (void)store;
    cmi_thread_detach(thread);
}

static cmi_scratch_t *begin_work(void *thread) {
    cmi_thread_pin(thread);
    return cmi_thread_scratch(thread);
}

static cmi_scratch_t *end_work(void *thread) {
    cmi_thread_unpin(thread);
    return cmi_thread_scratch(thread);
}

/* ---- what rounds need -------------------------------------------------------------------------------------------------------------- */

static bool open_drafts(batch_t *b) {
    b->most = (uint32_t)CMI_MIN(b->n, CMI_ROUND_MOST);
    for (b->n_entries = 64; b->n_entries < 2 * b->most;) b->n_entries *= 2;
    uint64_t drafts_bytes = (uint64_t)b->most * sizeof *b->drafts;
    b->bytes = drafts_bytes + (uint64_t)b->n_entries * sizeof *b->entries;
    uint8_t *pages = plat_pages_alloc((size_t)b->bytes);
    if (!pages) return false;
    b->drafts = (cmi_draft_t *)(void *)pages;
    b->entries = (uint32_t *)(void *)(pages + drafts_bytes);
    return true;
}

static void close_rounds(batch_t *b) {
    cmi_team_close(b->team);
    cmi_round_close(b->round);
    if (b->drafts) plat_pages_free(b->drafts, (size_t)b->bytes);
    b->team = NULL, b->round = NULL, b->drafts = NULL;
}

/* False when the machine gives no memory for it: then single inserts have to do. */
static bool open_rounds(batch_t *b) {
    if (b->round || b->without) return b->round;
    cmi_crew_t crew = {b->store, enter, leave};
    cmi_hands_t hands = {begin_work, end_work};
    if (open_drafts(b)) b->round = cmi_round_open(&b->store->graph, &hands, b->most, b->n);
    if (b->round) b->team = cmi_team_open(&crew, b->options->threads ? b->options->threads : plat_thread_cpus());
    if (b->team) return true;
    close_rounds(b);
    b->without = true;
    return false;
}

/* ---- a round -------------------------------------------------------------------------------------------------------------------------- */

/* False when the round has a draft of this entry. */
static bool add_entry(batch_t *b, uint32_t entry) {
    uint32_t at = (uint32_t)cmi_mix(entry) & (b->n_entries - 1);
    while (b->entries[at] != 0 && b->entries[at] != entry + 1) at = (at + 1) & (b->n_entries - 1);
    if (b->entries[at] != 0) return false;
    b->entries[at] = entry + 1;
    return true;
}

/* Where there is no memory to note down what is to be freed, the draft is left as a dead thread would leave it (thread.c). */
static void give_up(batch_t *b, cmi_draft_t *draft) {
    if (cmi_retirer_prepare(&b->thread->retirer)) cmi_draft_give_up(draft);
    else plat_fetch_add_relaxed(&b->store->n_abandoned, 1); /* relaxed: a count */
}

/* Drafts of the next memories, up to `most`; returns how many are ready to be linked. */
static uint32_t make_drafts(batch_t *b, uint32_t most, cm_status_t *status) {
    uint32_t n = 0;
    memset(b->entries, 0, (size_t)b->n_entries * sizeof *b->entries);
    for (; n < most; n++) {
        cmi_draft_t *draft = &b->drafts[n];
        *status = cmi_draft_begin(draft, b->thread, &b->memories[b->n_done + n]);
        if (*status == CM_OK && !add_entry(b, draft->entry)) break;
        if (*status == CM_OK) *status = cmi_draft_prepare(draft);
        if (*status != CM_OK) {
            give_up(b, draft);
            break;
        }
        cmi_round_slots(b->round)[n] = draft->slot;
    }
    return n;
}

/* In order. After one that fails (another thread took its id meanwhile, and then there was no memory, or no room) none of the others may exist. */
static cm_status_t publish(batch_t *b, uint32_t n) {
    cm_status_t status = CM_OK;
    uint32_t i = 0;
    for (; i < n && status == CM_OK; i++) {
        if (!cmi_retirer_prepare(&b->thread->retirer)) status = cmi_no_memory(&b->thread->error, "an insert");
        else status = cmi_draft_publish(&b->drafts[i]);
        if (status == CM_OK) b->n_done++;
        else b->drafts[i].linked = true, give_up(b, &b->drafts[i]);
    }
    for (; i < n; i++) b->drafts[i].linked = true, give_up(b, &b->drafts[i]);
    return status;
}

static cm_status_t insert_round(batch_t *b, uint32_t most) {
    cm_status_t status = CM_OK, published = CM_OK;
    cmi_thread_pin(b->thread);
    uint32_t n = make_drafts(b, most, &status);
    if (n > 0) {
        cm_error_t error = b->thread->error; /* what stopped the drafts comes after what stops these */
        cmi_round_link(b->round, b->team, b->thread, n);
        published = publish(b, n);
        if (published == CM_OK) b->thread->error = error;
    }
    cmi_thread_unpin(b->thread);
    return published != CM_OK ? published : status;
}

/* ---- the whole ------------------------------------------------------------------------------------------------------------------------ */

static cm_status_t named(batch_t *b, cm_status_t status, size_t i) {
    cm_error_t error = b->thread->error;
    return cmi_fail(&b->thread->error, status, "memories[%U]: %s", (uint64_t)i, error.message);
}

static cm_status_t check_all(batch_t *b) {
    for (size_t i = 0; i < b->n; i++) {
        cm_status_t status = CM_OK;
        if (b->memories[i].size != sizeof *b->memories)
            status = cmi_fail(&b->thread->error, CM_E_ARGUMENT, "size is %u: must be %u, begin with CM_MEMORY_INIT", b->memories[i].size,
                              (uint32_t)sizeof *b->memories);
        if (status == CM_OK) status = cmi_draft_check(b->store, &b->memories[i], &b->thread->error);
        if (status != CM_OK) return named(b, status, i);
    }
    return CM_OK;
}

static bool goes_on(batch_t *b) {
    if (!b->options->progress) return true;
    b->thread->in_callback = true;
    bool go_on = b->options->progress(b->options->progress_context, (double)b->n_done / (double)b->n);
    b->thread->in_callback = false;
    return go_on;
}

static cm_status_t insert_some(batch_t *b) {
    size_t n_left = b->n - b->n_done;
    if (n_left >= CMI_ROUND_LEAST && open_rounds(b)) return insert_round(b, (uint32_t)CMI_MIN(n_left, b->most));
    cm_status_t status = cmi_store_insert(b->thread, &b->memories[b->n_done]);
    b->n_done += status == CM_OK;
    return status;
}

static cm_status_t insert_all(batch_t *b) {
    while (b->n_done < b->n) {
        if (!goes_on(b))
            return cmi_fail(&b->thread->error, CM_E_CANCELLED,
                            "the batch was stopped by its progress callback: %U of %U memories are there", (uint64_t)b->n_done,
                            (uint64_t)b->n);
        cm_status_t status = insert_some(b);
        if (status != CM_OK) return named(b, status, b->n_done);
    }
    return CM_OK;
}

cm_status_t cm_insert_batch(cm_thread_t *thread, const cm_memory_t *memories, size_t n, const cm_batch_t *options, size_t *n_done) {
    static const cm_batch_t defaults = CM_BATCH_INIT;
    if (n_done) *n_done = 0;
    if (!thread) return CM_E_ARGUMENT;
    cm_error_t *error = &thread->error;
    if (thread->in_callback) return cmi_fail(error, CM_E_BUSY, "this thread is inside a filter or progress callback: use another thread");
    *error = (cm_error_t){CM_OK, ""};
    if (!memories && n > 0) return cmi_fail(error, CM_E_ARGUMENT, "memories is NULL");
    if (!options) options = &defaults;
    if (options->size != sizeof *options)
        return cmi_fail(error, CM_E_ARGUMENT, "options.size is %u: must be %u, begin with CM_BATCH_INIT", options->size,
                        (uint32_t)sizeof *options);
    batch_t batch = {.thread = thread, .store = thread->store, .memories = memories, .n = n, .options = options};
    cm_status_t status = check_all(&batch);
    if (status == CM_OK) status = insert_all(&batch);
    close_rounds(&batch);
    if (n_done) *n_done = batch.n_done;
    return status;
}
