/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* plat_random.h - unpredictable bytes, for seeding hash functions. Not for keys. */
#ifndef PLAT_RANDOM_H
#define PLAT_RANDOM_H

#include <stdint.h>

/* 64 unpredictable bits. Never fails: where the machine gives none, the clock and an address are mixed. Thread-safe. */
uint64_t plat_random_u64(void);

#endif
