/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* pages.c - plat_pages.h over mmap. */
#define _GNU_SOURCE
#include "plat_pages.h"

#include <sys/mman.h>

/* Kernels with larger pages (arm64 with 64 KiB) round up by themselves; this is the unit worth asking for. */
static const plat_pages_caps_t caps = {.page_bytes = 4096, .can_reserve = true, .can_release = true};

const plat_pages_caps_t *plat_pages_caps(void) {
    return &caps;
}

static void *map(size_t bytes, int flags) {
    if (bytes == 0) bytes = caps.page_bytes;
    void *address = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1, 0);
    return address == MAP_FAILED ? NULL : address;
}

void *plat_pages_alloc(size_t bytes) {
    return map(bytes, 0);
}

/* Not counted against the commit limit, so that a large empty store opens on a small machine. RLIMIT_AS and vm.overcommit_memory=2 still say no. */
void *plat_pages_reserve(size_t bytes) {
    return map(bytes, MAP_NORESERVE);
}

void plat_pages_free(void *address, size_t bytes) {
    if (!address) return;
    if (bytes == 0) bytes = caps.page_bytes;
    (void)munmap(address, bytes); /* fails only for a range that was never mapped */
}

void plat_pages_wish_huge(void *address, size_t bytes) {
    (void)madvise(address, bytes, MADV_HUGEPAGE); /* a wish: kernels without transparent huge pages refuse */
}
