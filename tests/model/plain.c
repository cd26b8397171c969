/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* plain.c - see plain.h. The names that begin with two underscores are those that the compiler's instrumentation calls. */
#include "model/plain.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#define POOL_BYTES (64u << 20)
#define SHARE_BYTES \
    (8u << 20) /* of the pool for each thread, behind setup's: where a page lies must not depend on what other threads did before */
#define SETUP_BYTES (POOL_BYTES - MODEL_THREADS * SHARE_BYTES)
#define PAGE_BYTES 4096u
#define N_CELLS (1u << 17)
#define MOST_UNDO (1u << 16)
#define CELL_BYTES 4u

/* Four bytes of memory in this execution. An access is noted as the number of events its thread had behind it, plus one: it happens before whoever knows that many. */
typedef struct cell {
    uintptr_t address;
    uint32_t generation; /* of another execution: the cell is unused */
    uint8_t plain_write[MODEL_THREADS], plain_read[MODEL_THREADS], atomic_write[MODEL_THREADS], atomic_read[MODEL_THREADS];
    bool freed, saved, has_initial;
    uint64_t initial;
} cell_t;

/* Pages taken in this execution: written, with zeroes, by whoever took them. */
typedef struct fresh {
    uintptr_t start, end;
    uint8_t written[MODEL_THREADS];
    bool freed;
} fresh_t;

#define MOST_FRESH 64u
static fresh_t fresh[MOST_FRESH];
static uint32_t n_fresh;
static uint8_t *pool;
static size_t setup_used, share_used[MODEL_THREADS];
static cell_t cells[N_CELLS];
static uint32_t generation = 1;
static struct {
    uint32_t *at, old;
} undo[MOST_UNDO];
static uint32_t n_undo;
static bool frozen;
static uint32_t current;
static const known_t *known; /* NULL: setup or finish */

extern uint8_t __data_start[], _end[]; /* the program's statics */

static bool is_shared(uintptr_t address) {
    return address - (uintptr_t)pool < POOL_BYTES || address - (uintptr_t)__data_start < (uintptr_t)(_end - __data_start);
}

/* ---- memory ----------------------------------------------------------------------------------------------------------------- */

static void note_fresh(uintptr_t start, size_t n_bytes) {
    if (n_fresh == MOST_FRESH) model_fail(__FILE__, __LINE__, "an execution takes more pages than the checker can watch");
    fresh[n_fresh] = (fresh_t){.start = start, .end = start + n_bytes};
    fresh[n_fresh++].written[current] = (uint8_t)(known->n[current] + 1);
}

void *plain_pages(size_t n_bytes) {
    if (!pool) pool = mmap(NULL, POOL_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    size_t *used = known ? &share_used[current] : &setup_used, room = known ? SHARE_BYTES : SETUP_BYTES;
    n_bytes = (n_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES;
    if (n_bytes > room - *used) return NULL;
    uint8_t *pages = pool + (known ? SETUP_BYTES + current * SHARE_BYTES : 0) + *used;
    *used += n_bytes;
    if (known) note_fresh((uintptr_t)pages, n_bytes);
    return pages;
}

static fresh_t *fresh_of(uintptr_t address) {
    for (uint32_t i = 0; i < n_fresh; i++)
        if (address >= fresh[i].start && address < fresh[i].end) return &fresh[i];
    return NULL;
}

void plain_pages_free(void *pages) {
    fresh_t *range = fresh_of((uintptr_t)pages);
    if (range) range->freed = true; /* what setup took is freed as a whole */
}

static cell_t *cell_at(uintptr_t address) {
    address -= address % CELL_BYTES;
    for (uint32_t i = (uint32_t)(address * UINT64_C(0x9E3779B97F4A7C15) >> 40);; i++) {
        cell_t *cell = &cells[i % N_CELLS];
        if (cell->generation == generation && cell->address == address) return cell;
        if (cell->generation == generation) continue;
        memset(cell, 0, sizeof *cell);
        cell->generation = generation;
        cell->address = address;
        return cell;
    }
}

static void save(cell_t *cell) {
    if (!frozen || cell->saved) return;
    cell->saved = true;
    if (n_undo == MOST_UNDO) model_fail(__FILE__, __LINE__, "an execution writes to more memory than the checker can undo");
    undo[n_undo].at = (uint32_t *)cell->address;
    undo[n_undo++].old = *(uint32_t *)cell->address;
}

void plain_freeze(void) {
    frozen = true;
    plain_rewind();
}

void plain_rewind(void) {
    while (n_undo > 0) n_undo--, *undo[n_undo].at = undo[n_undo].old;
    memset(share_used, 0, sizeof share_used);
    n_fresh = 0;
    generation++;
    known = NULL;
}

void plain_reset(void) {
    if (pool) madvise(pool, POOL_BYTES, MADV_DONTNEED); /* zeroed again */
    setup_used = 0;
    frozen = false;
    plain_rewind();
}

/* ---- races --------------------------------------------------------------------------------------------------------------------- */

void plain_enter(uint32_t thread, const known_t *hb) {
    current = thread;
    known = hb;
}

/* True when another thread's noted access does not happen before what `hb` knows. */
static bool races(const uint8_t noted[MODEL_THREADS], const known_t *hb, uint32_t thread) {
    for (uint32_t t = 0; t < MODEL_THREADS; t++)
        if (t != thread && noted[t] > hb->n[t]) return true;
    return false;
}

static void race(const char *what, const cell_t *cell) {
    static char text[120];
    snprintf(text, sizeof text, "data race: %s at %p", what, (void *)cell->address);
    model_fail("race", 0, text);
}

/* Pages that another thread took reach this one by happens-before, and are not used after they were given back. */
static void check_pages(uintptr_t address, const cell_t *cell, const known_t *hb, uint32_t thread) {
    const fresh_t *range = n_fresh > 0 ? fresh_of(address) : NULL;
    if (!range) return;
    if (range->freed) race("pages used after they were given back", cell);
    if (races(range->written, hb, thread)) race("pages used that another thread may not have zeroed yet", cell);
}

static void plain_access(uintptr_t address, bool writes) {
    cell_t *cell = cell_at(address);
    if (writes) save(cell);
    if (!known) return;
    check_pages(address, cell, known, current);
    if (cell->freed) race(writes ? "a write after free" : "a read after free", cell);
    if (races(cell->plain_write, known, current)) race("a plain access against a plain write", cell);
    if (races(cell->atomic_write, known, current)) race("a plain access against an atomic write", cell);
    if (writes && races(cell->plain_read, known, current)) race("a plain write against a plain read", cell);
    if (writes && races(cell->atomic_read, known, current)) race("a plain write against an atomic read", cell);
    if (writes && cell->has_initial) race("plain write to a place used atomically in this execution: not modelled", cell);
    uint8_t *noted = writes ? cell->plain_write : cell->plain_read;
    noted[current] = (uint8_t)(known->n[current] + 1);
}

static void touch(const volatile void *start, size_t n_bytes, bool writes) {
    uintptr_t address = (uintptr_t)start;
    if (n_bytes == 0 || !is_shared(address)) return;
    for (uintptr_t at = address - address % CELL_BYTES; at < address + n_bytes; at += CELL_BYTES) plain_access(at, writes);
}

void plain_atomic(uint32_t thread, const event_t *event) {
    for (uint32_t i = 0; i < event->n_bytes; i += CELL_BYTES) {
        cell_t *cell = cell_at(event->address + i);
        bool writes = event->kind == WRITE;
        check_pages(event->address, cell, &event->hb, thread);
        if (races(cell->plain_write, &event->hb, thread)) race("an atomic access against a plain write", cell);
        if (writes && races(cell->plain_read, &event->hb, thread)) race("an atomic write against a plain read", cell);
        (writes ? cell->atomic_write : cell->atomic_read)[thread] = event->hb.n[thread];
    }
}

uint64_t plain_initial(uintptr_t address, uint32_t n_bytes) {
    cell_t *cell = cell_at(address);
    if (!cell->has_initial) {
        cell->initial = plain_peek(address, n_bytes);
        for (uint32_t i = 0; i < n_bytes; i += CELL_BYTES) cell_at(address + i)->has_initial = true;
    }
    return cell->initial;
}

uint64_t plain_peek(uintptr_t address, uint32_t n_bytes) {
    uint64_t value = 0;
    memcpy(&value, (const void *)address, n_bytes);
    return value;
}

void plain_poke(uintptr_t address, uint32_t n_bytes, uint64_t value) {
    if (is_shared(address))
        for (uint32_t i = 0; i < n_bytes; i += CELL_BYTES) save(cell_at(address + i));
    memcpy((void *)address, &value, n_bytes);
}

/* ---- freed memory ------------------------------------------------------------------------------------------------------------ */

void model_free(const void *address, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i += CELL_BYTES) {
        cell_t *cell = cell_at((uintptr_t)address + i);
        if (cell->freed) race("freed twice", cell);
        if (known && races(cell->plain_read, known, current)) race("freed while it is read", cell);
        if (known && races(cell->plain_write, known, current)) race("freed while it is written", cell);
        cell->freed = true;
    }
}

void model_reuse(const void *address, size_t n_bytes) {
    for (size_t i = 0; i < n_bytes; i += CELL_BYTES) cell_at((uintptr_t)address + i)->freed = false;
}

/* ---- what the instrumentation calls ------------------------------------------------------------------------------------------- */

#define ACCESS(name, n_bytes, writes)    \
    void name(void *address);            \
    void name(void *address) {           \
        touch(address, n_bytes, writes); \
    }
ACCESS(__tsan_read1, 1, false)
ACCESS(__tsan_read2, 2, false)
ACCESS(__tsan_read4, 4, false)
ACCESS(__tsan_read8, 8, false)
ACCESS(__tsan_read16, 16, false)
ACCESS(__tsan_write1, 1, true)
ACCESS(__tsan_write2, 2, true)
ACCESS(__tsan_write4, 4, true)
ACCESS(__tsan_write8, 8, true)
ACCESS(__tsan_write16, 16, true)
ACCESS(__tsan_unaligned_read2, 2, false)
ACCESS(__tsan_unaligned_read4, 4, false)
ACCESS(__tsan_unaligned_read8, 8, false)
ACCESS(__tsan_unaligned_read16, 16, false)
ACCESS(__tsan_unaligned_write2, 2, true)
ACCESS(__tsan_unaligned_write4, 4, true)
ACCESS(__tsan_unaligned_write8, 8, true)
ACCESS(__tsan_unaligned_write16, 16, true)

void __tsan_init(void);
void __tsan_init(void) {}

void *__tsan_memcpy(void *to, const void *from, size_t n);
void *__tsan_memcpy(void *to, const void *from, size_t n) {
    touch(from, n, false);
    touch(to, n, true);
    return memcpy(to, from, n);
}

void *__tsan_memmove(void *to, const void *from, size_t n);
void *__tsan_memmove(void *to, const void *from, size_t n) {
    touch(from, n, false);
    touch(to, n, true);
    return memmove(to, from, n);
}

void *__tsan_memset(void *to, int byte, size_t n);
void *__tsan_memset(void *to, int byte, size_t n) {
    touch(to, n, true);
    return memset(to, byte, n);
}

/* The instrumented files call this one for memcmp (a link option). */
int __wrap_memcmp(const void *a, const void *b, size_t n);
int __wrap_memcmp(const void *a, const void *b, size_t n) {
    touch(a, n, false);
    touch(b, n, false);
    for (size_t i = 0; i < n; i++)
        if (((const uint8_t *)a)[i] != ((const uint8_t *)b)[i]) return ((const uint8_t *)a)[i] < ((const uint8_t *)b)[i] ? -1 : 1;
    return 0;
}
