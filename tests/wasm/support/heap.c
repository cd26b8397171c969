/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * heap.c - what the tests need beside the modules' own objects.
 *
 * malloc (the tests' own: the core has none) lives in the memory that the module starts with. Emscripten's sbrk would go on into whatever has been grown,
 * and all of that belongs to platform/wasm/pages.c.
 */
#include "crc32c.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdint.h>
#include <unistd.h>

extern unsigned char __heap_base; /* wasm-ld: the first byte behind stack and static data */

void *sbrk(intptr_t n_bytes) {
    static _Atomic uintptr_t n_used;
    uintptr_t first = ((uintptr_t)&__heap_base + 15u) & ~(uintptr_t)15, wanted = ((uintptr_t)n_bytes + 15u) & ~(uintptr_t)15;
    uintptr_t before = n_used;
    do {
        if (wanted > HEAP_END - first - before) {
            errno = ENOMEM;
            return (void *)-1;
        }
    } while (!atomic_compare_exchange_weak(&n_used, &before, before + wanted));
    return (void *)(first + before);
}

/* js/src/loader.ts does it through cm_wasm_start(), once for each memory. */
__attribute__((constructor)) static void start(void) {
    cmi_crc32c_start();
}
