/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* heap_pages.c - see heap_pages.h. The linker puts these functions in the place of platform/linux/pages.c (--wrap). */
#include "fuzz/support/heap_pages.h"

#include "plat_pages.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

const plat_pages_caps_t *__wrap_plat_pages_caps(void);
void *__wrap_plat_pages_alloc(size_t bytes);
void *__wrap_plat_pages_reserve(size_t bytes);
void __wrap_plat_pages_free(void *address, size_t bytes);
void __wrap_plat_pages_wish_huge(void *address, size_t bytes);

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#define ASAN_UNPOISON_MEMORY_REGION(at, bytes) ((void)(at), (void)(bytes))
#endif

/* Pages that were given back, poisoned, for the next request of the same size: most of a run would else be system calls of malloc() and free(). */
enum { KEPT_MOST = 256 };
typedef struct kept {
    void *pages;
    size_t bytes;
} kept_t;

static kept_t kept[KEPT_MOST];
static size_t n_kept;
static atomic_flag kept_is_taken = ATOMIC_FLAG_INIT; /* liburcu's helper thread may free, too */
static _Atomic size_t in_use;
static uint32_t refuse_in;

static void take_kept(void) {
    while (atomic_flag_test_and_set(&kept_is_taken)) {}
}

static void give_kept(void) {
    atomic_flag_clear(&kept_is_taken);
}

static void *reuse(size_t bytes) {
    void *pages = NULL;
    take_kept();
    for (size_t i = n_kept; i-- > 0 && !pages;) {
        if (kept[i].bytes != bytes) continue;
        pages = kept[i].pages;
        kept[i] = kept[--n_kept];
    }
    give_kept();
    if (pages) ASAN_UNPOISON_MEMORY_REGION(pages, bytes);
    return pages;
}

static bool keep(void *pages, size_t bytes) {
    take_kept();
    bool has_room = n_kept < KEPT_MOST;
    if (has_room) {
        ASAN_POISON_MEMORY_REGION(pages, bytes);
        kept[n_kept++] = (kept_t){pages, bytes};
    }
    give_kept();
    return has_room;
}

void heap_pages_refuse(uint32_t n) {
    refuse_in = n;
}

size_t heap_pages_in_use(void) {
    return in_use;
}

const plat_pages_caps_t *__wrap_plat_pages_caps(void) {
    static const plat_pages_caps_t caps = {.page_bytes = 4096, .can_reserve = false, .can_release = true};
    return &caps;
}

void *__wrap_plat_pages_alloc(size_t bytes) {
    if (refuse_in > 0 && --refuse_in == 0) return NULL;
    if (bytes > HEAP_PAGES_MOST_BYTES || in_use > HEAP_PAGES_MOST_BYTES - bytes) return NULL;
    void *pages = reuse(bytes);
    if (!pages && posix_memalign(&pages, 64, bytes) != 0) return NULL; /* of just this size, so that one byte more is seen */
    in_use += bytes;
    return memset(pages, 0, bytes);
}

void *__wrap_plat_pages_reserve(size_t bytes) {
    (void)bytes;
    return NULL;
}

void __wrap_plat_pages_free(void *address, size_t bytes) {
    if (!address) return;
    in_use -= bytes; /* a wrong size shows at the end: not 0 */
    if (!keep(address, bytes)) free(address);
}

void __wrap_plat_pages_wish_huge(void *address, size_t bytes) {
    (void)address, (void)bytes;
}
