/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* spill.c - plat_spill.h where no file can be mapped. */
#include "plat_spill.h"

const char *plat_spill_open(plat_spill_t *spill, const char *folder, size_t n_bytes) {
    (void)folder, (void)n_bytes;
    *spill = (plat_spill_t){0};
    return "WebAssembly cannot map files";
}

bool plat_spill_ensure(plat_spill_t *spill, uint64_t n_bytes) {
    (void)spill, (void)n_bytes;
    return false;
}

void plat_spill_close(plat_spill_t *spill) {
    (void)spill;
}
