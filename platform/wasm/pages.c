/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * pages.c - plat_pages.h over memory.grow, with reuse of what was freed.
 *
 * A WebAssembly memory only grows, and has at most 65,536 pages of 64 KiB. So one bit per page says "grown by us, and free now", and
 * neighbouring free runs are one run without anybody merging them.
 *
 *     page    0   1   2   3   4   5   6   7   8
 *     bit     0   0   0   1   1   0   1   1   1        alloc(3 pages) finds 6, 7, 8 and clears their bits
 *
 * alloc  scans once for a run of set bits and claims it word by word, one CAS each. A word that another thread took from meanwhile ends
 *        the attempt: the bits cleared so far are set again and the scan goes on behind the conflict. Nothing found: memory.grow, whose
 *        result belongs to its caller alone.
 * free   sets the bits, one fetch_or per word.
 *
 * ORDER  [W1] free releases what its caller last did to the pages; the claim in alloc acquires it before it zeroes them.
 * PROGRESS  free is wait-free. alloc is lock-free: one scan; a CAS repeats only because another alloc or free of that word succeeded. The
 *        price: while two threads fight for the same run both may grow instead, and at the very end of memory one may be told that
 *        nothing is left.
 * This file owns memory.grow. No other allocator may live beside it: an sbrk that takes memory above its break for its own hands out
 * these pages a second time.
 */
#include "plat_atomic.h"
#include "plat_pages.h"

#include <string.h>

#define PAGE_BYTES 65536u
#define MAX_PAGES 65536u
#define BITS 64u
#define N_WORDS (MAX_PAGES / BITS)

static plat_a64_t free_pages[N_WORDS];

/* The part of the run [first, end) that lies in `word`, as bits of that word. */
static uint64_t mask_of(uint32_t word, uint32_t first, uint32_t end) {
    uint32_t word_first = word * BITS;
    uint32_t from = first > word_first ? first - word_first : 0;
    uint32_t to = end - word_first < BITS ? end - word_first : BITS;
    uint64_t below_to = to == BITS ? UINT64_MAX : (UINT64_C(1) << to) - 1;
    return below_to & (UINT64_MAX << from);
}

static void give(uint32_t first, uint32_t end) {
    for (uint32_t word = first / BITS; word * BITS < end; word++) {
        /* [W1] release: the last use of the pages before their bit; pairs with the claim in take() */
        (void)plat_fetch_or_release(&free_pages[word], mask_of(word, first, end));
    }
}

/* Clears the bits of `mask`, all or none. */
static bool take_word(plat_a64_t *word, uint64_t mask) {
    uint64_t bits = plat_load_relaxed(word); /* relaxed: re-checked by the exchange */
    while ((bits & mask) == mask) {
        /* [W1] acquire: pairs with the release in give(). Fails only because another thread gave or took pages of this word. */
        if (plat_cas_acquire(word, &bits, bits & ~mask)) return true;
    }
    return false;
}

/* Clears the bits of [first, end). False, and nothing changed, when one of them was clear. */
static bool take(uint32_t first, uint32_t end) {
    for (uint32_t word = first / BITS; word * BITS < end; word++) {
        if (take_word(&free_pages[word], mask_of(word, first, end))) continue;
        if (word * BITS > first) give(first, word * BITS);
        return false;
    }
    return true;
}

static bool is_free(uint32_t page) {
    /* relaxed: only a hint; take() decides */
    return plat_load_relaxed(&free_pages[page / BITS]) >> (page % BITS) & 1u;
}

/* First page of a run of n_pages that now belongs to the caller; 0 when there is none (page 0 holds the stack and is never free). */
static uint32_t reuse(uint32_t n_pages) {
    uint32_t n_pages_grown = (uint32_t)__builtin_wasm_memory_size(0);
    uint32_t run = 0;
    for (uint32_t page = 0; page < n_pages_grown; page++) {
        if (run == 0 && page % BITS == 0 && plat_load_relaxed(&free_pages[page / BITS]) == 0) { /* relaxed: as in is_free() */
            page += BITS - 1;
            continue;
        }
        run = is_free(page) ? run + 1 : 0;
        if (run < n_pages) continue;
        uint32_t first = page + 1 - n_pages;
        if (take(first, page + 1)) return first;
        run = 0;
    }
    return 0;
}

static uint32_t pages_for(size_t bytes) {
    return (uint32_t)(((uint64_t)bytes + PAGE_BYTES - 1) / PAGE_BYTES);
}

const plat_pages_caps_t *plat_pages_caps(void) {
    static const plat_pages_caps_t caps = {.page_bytes = PAGE_BYTES, .can_reserve = false, .can_release = false};
    return &caps;
}

void *plat_pages_alloc(size_t bytes) {
    uint32_t n_pages = pages_for(bytes);
    if (n_pages == 0) return NULL;
    uint32_t first = reuse(n_pages);
    if (first != 0) return memset((void *)(first * (uintptr_t)PAGE_BYTES), 0, n_pages * (size_t)PAGE_BYTES);
    size_t grown_at = __builtin_wasm_memory_grow(0, n_pages);
    if (grown_at == SIZE_MAX) return NULL;
    if (grown_at + n_pages == MAX_PAGES) {
        /* Such a run would end at address 0, and C knows no such object: the last page of 4 GiB is nobody's. */
        give((uint32_t)grown_at, MAX_PAGES - 1);
        return NULL;
    }
    return (void *)(grown_at * PAGE_BYTES); /* fresh pages are zero */
}

void *plat_pages_reserve(size_t bytes) {
    (void)bytes;
    return NULL;
}

void plat_pages_free(void *address, size_t bytes) {
    if (address == NULL) return;
    uint32_t first = (uint32_t)((uintptr_t)address / PAGE_BYTES);
    give(first, first + pages_for(bytes));
}

void plat_pages_wish_huge(void *address, size_t bytes) {
    (void)address;
    (void)bytes;
}
