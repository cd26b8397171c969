/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* carve.h - consecutive pieces of one allocation, each aligned to 64 bytes. One pass with base NULL counts, a second one hands out. */
#ifndef CMI_CARVE_H
#define CMI_CARVE_H

#include "base/base.h"

typedef struct cmi_carver {
    uint8_t *base;
    uint64_t used;
} cmi_carver_t;

static inline void *cmi_carve(cmi_carver_t *carver, uint64_t bytes) {
    uint64_t at = carver->used;
    carver->used = (at + bytes + 63u) & ~(uint64_t)63u;
    return carver->base ? carver->base + at : NULL;
}

#endif
