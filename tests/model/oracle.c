/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * oracle.c - RC11 as it is defined, with relations as bit matrices and nothing clever: every combination of reads-from and coherence is tried against the axioms
 *
 *     porf             program order and reads-from have no cycle (no load buffering)
 *     coherence        hb ; eco? is irreflexive, eco = (rf | co | rb)+
 *     atomicity        no write comes between the two halves of a read-modify-write
 *     sequential consistency of fences: [F] ; (hb | hb ; eco ; hb) ; [F] has no cycle
 *
 * A second implementation for graph.c and explore.c to be compared with; it shares no code with them.
 */
#include "model/programs.h"

#include <string.h>

#define MOST 40u           /* events, one initial write per place included */
#define MOST_TRIES 300000u /* combinations per program */

typedef uint64_t rows_t[MOST]; /* relation: bit b of row a: a before b */

typedef struct item {
    bool reads, writes, fence;
    uint32_t place, orders, thread;
    const operation_t *op;
    uint64_t value;
    int from; /* reads */
    int half; /* a write's read, if it is the second half of a read-modify-write; else -1 */
} item_t;

static item_t item[MOST];
static uint32_t n_items;
static int reads[MOST];
static uint32_t n_reads;
static uint64_t n_tries, n_found;

/* ---- relations ------------------------------------------------------------------------------------------------------------- */

static void close_transitively(rows_t r) {
    for (uint32_t k = 0; k < n_items; k++)
        for (uint32_t a = 0; a < n_items; a++)
            if (r[a] >> k & 1) r[a] |= r[k];
}

static bool irreflexive(const rows_t r) {
    for (uint32_t a = 0; a < n_items; a++)
        if (r[a] >> a & 1) return false;
    return true;
}

static void compose(const rows_t a, const rows_t b, rows_t out) {
    for (uint32_t x = 0; x < n_items; x++) {
        out[x] = 0;
        for (uint32_t y = 0; y < n_items; y++)
            if (a[x] >> y & 1) out[x] |= b[y];
    }
}

static bool before_in_program(uint32_t a, uint32_t b) {
    return item[a].thread == MODEL_THREADS ? item[b].thread != MODEL_THREADS : item[a].thread == item[b].thread && a < b;
}

/* ---- the axioms --------------------------------------------------------------------------------------------------------------- */

/* w, and the read-modify-writes that continue it. */
static uint64_t release_sequence(uint32_t w) {
    uint64_t sequence = UINT64_C(1) << w;
    for (bool grew = true; grew;) {
        grew = false;
        for (uint32_t x = 0; x < n_items; x++)
            if (item[x].writes && item[x].half >= 0 && !(sequence >> x & 1) && sequence >> item[item[x].half].from & 1)
                sequence |= UINT64_C(1) << x, grew = true;
    }
    return sequence;
}

static void synchronize(uint32_t releaser, uint32_t w, rows_t hb) {
    uint64_t sequence = release_sequence(w);
    for (uint32_t r = 0; r < n_items; r++) {
        if (!item[r].reads || !(sequence >> item[r].from & 1)) continue;
        if (item[r].orders & MODEL_ACQUIRE) hb[releaser] |= UINT64_C(1) << r;
        for (uint32_t f = 0; f < n_items; f++)
            if (item[f].fence && before_in_program(r, f)) hb[releaser] |= UINT64_C(1) << f;
    }
}

static void happens_before(rows_t hb) {
    for (uint32_t a = 0; a < n_items; a++) {
        hb[a] = 0;
        for (uint32_t b = 0; b < n_items; b++)
            if (before_in_program(a, b)) hb[a] |= UINT64_C(1) << b;
    }
    for (uint32_t w = 0; w < n_items; w++) {
        if (!item[w].writes) continue;
        if (item[w].orders & MODEL_RELEASE) synchronize(w, w, hb);
        for (uint32_t f = 0; f < n_items; f++)
            if (item[f].fence && before_in_program(f, w)) synchronize(f, w, hb);
    }
    close_transitively(hb);
}

static bool allowed(const rows_t co) {
    rows_t rf = {0}, eco, rb = {0}, hb, both, through, fences = {0};
    for (uint32_t r = 0; r < n_items; r++)
        if (item[r].reads) {
            rf[item[r].from] |= UINT64_C(1) << r;
            rb[r] = co[item[r].from] & ~(UINT64_C(1) << r);
        }
    for (uint32_t w = 0; w < n_items; w++) {
        int half = item[w].writes ? item[w].half : -1;
        for (uint32_t x = 0; half >= 0 && x < n_items; x++)
            if (rb[half] >> x & 1 && co[x] >> w & 1) return false;
        if (half >= 0 && !(co[item[half].from] >> w & 1)) return false;
    }
    for (uint32_t a = 0; a < n_items; a++) eco[a] = rf[a] | co[a] | rb[a];
    close_transitively(eco);
    happens_before(hb);
    compose(hb, eco, both);
    if (!irreflexive(hb) || !irreflexive(both) || !irreflexive(eco)) return false;
    compose(both, hb, through);
    for (uint32_t f = 0; f < n_items; f++)
        for (uint32_t g = 0; g < n_items; g++)
            if (item[f].fence && item[g].fence && f != g && (hb[f] | through[f]) >> g & 1) fences[f] |= UINT64_C(1) << g;
    close_transitively(fences);
    return irreflexive(fences);
}

/* ---- coherence orders ------------------------------------------------------------------------------------------------------------ */

/* All orders of the writes of a place and of those behind it: `chosen` come first, in that order. */
static void order_place(uint32_t place, int chosen[], uint32_t n_chosen, rows_t co) {
    if (place == N_PLACES) {
        n_tries++;
        if (allowed(co)) n_found++;
        return;
    }
    bool more = false;
    for (uint32_t w = 0; w < n_items; w++) {
        if (!item[w].writes || item[w].place != place) continue;
        bool used = false;
        for (uint32_t i = 0; i < n_chosen; i++) used |= chosen[i] == (int)w;
        if (used) continue;
        more = true;
        if (n_chosen == 0 && item[w].thread != MODEL_THREADS) continue; /* the initial write is first */
        for (uint32_t i = 0; i < n_chosen; i++) co[chosen[i]] |= UINT64_C(1) << w;
        chosen[n_chosen] = (int)w;
        order_place(place, chosen, n_chosen + 1, co);
        for (uint32_t i = 0; i < n_chosen; i++) co[chosen[i]] &= ~(UINT64_C(1) << w);
    }
    int none[MOST];
    if (!more) order_place(place + 1, none, 0, co);
}

/* ---- reads-from ------------------------------------------------------------------------------------------------------------------ */

/* Which writes exist and what they hold follows from reads-from, if that has no cycle with program order. False where a CAS that fails would have to write. */
static bool settle_values(void) {
    bool known[MOST] = {0};
    uint32_t n_known = 0;
    for (bool grew = true; grew;) {
        grew = false;
        for (uint32_t a = 0; a < n_items; a++) {
            if (known[a]) continue;
            if (a > 0 && item[a].thread != MODEL_THREADS && before_in_program(a - 1, a) && !known[a - 1]) continue;
            if (item[a].reads && !known[item[a].from]) continue;
            if (item[a].reads) item[a].value = item[item[a].from].value;
            else if (item[a].half >= 0 && item[a].op->kind == OP_ADD) item[a].value = item[item[a].half].value + item[a].op->value;
            else if (item[a].half >= 0) {
                item[a].writes = item[item[a].half].value == item[a].op->expected;
                item[a].value = item[a].op->value;
            }
            known[a] = grew = true;
            n_known++;
        }
    }
    if (n_known < n_items) return false;
    for (uint32_t r = 0; r < n_items; r++)
        if (item[r].reads && !item[item[r].from].writes) return false;
    return true;
}

static void choose_reads(uint32_t i) {
    if (n_tries > MOST_TRIES) return;
    if (i == n_reads) {
        int chosen[MOST];
        rows_t co = {0};
        if (settle_values()) order_place(0, chosen, 0, co);
        return;
    }
    uint32_t r = (uint32_t)reads[i];
    for (uint32_t w = 0; w < n_items; w++) {
        bool may_write = item[w].thread == MODEL_THREADS || item[w].half >= 0 || (item[w].op && item[w].op->kind == OP_STORE);
        if (!may_write || item[w].reads || item[w].fence || item[w].place != item[r].place || item[w].half == (int)r) continue;
        item[r].from = (int)w;
        choose_reads(i + 1);
    }
}

/* ---- from the program -------------------------------------------------------------------------------------------------------------- */

static void add(item_t one) {
    if (one.reads) reads[n_reads++] = (int)n_items;
    item[n_items++] = one;
}

static void add_operation(const operation_t *op, uint32_t thread) {
    item_t one = {.place = op->place, .orders = op->orders, .thread = thread, .op = op, .half = -1};
    if (op->kind == OP_FENCE) one.fence = true, add(one);
    else if (op->kind == OP_STORE) one.writes = true, one.value = op->value, add(one);
    else one.reads = true, add(one);
    if (op->kind != OP_ADD && op->kind != OP_CAS) return;
    one.reads = false;
    one.writes = true;
    one.half = (int)n_items - 1;
    add(one);
}

uint64_t oracle_count(const program_t *program) {
    n_items = n_reads = 0;
    n_tries = n_found = 0;
    for (uint32_t p = 0; p < N_PLACES; p++) add((item_t){.writes = true, .place = p, .thread = MODEL_THREADS, .half = -1});
    for (uint32_t t = 0; t < MODEL_THREADS; t++)
        for (uint32_t i = 0; i < program->n[t]; i++) add_operation(&program->operation[t][i], t);
    choose_reads(0);
    return n_tries > MOST_TRIES ? UINT64_MAX : n_found;
}
