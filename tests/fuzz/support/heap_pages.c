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

static _Atomic size_t in_use; /* liburcu's helper thread may free, too */
static uint32_t refuse_in;

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
    void *pages;
    if (posix_memalign(&pages, 64, bytes) != 0) return NULL; /* of just this size, so that one byte more is seen */
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
    free(address);
}

void __wrap_plat_pages_wish_huge(void *address, size_t bytes) {
    (void)address, (void)bytes;
}
