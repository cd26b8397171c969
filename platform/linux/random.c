/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* random.c - plat_random.h over getrandom(2). */
#define _GNU_SOURCE
#include "plat_random.h"

#include "plat_clock.h"

#include <sys/random.h>

/* For sandboxes that forbid getrandom: two clocks and an address that the loader randomised. */
static uint64_t mixed(void) {
    int here;
    uint64_t word = plat_clock_monotonic_ns() ^ ((uint64_t)plat_clock_now_ms() << 32) ^ (uint64_t)(uintptr_t)&here;
    word *= 0x9E3779B97F4A7C15u;
    return word ^ (word >> 29);
}

uint64_t plat_random_u64(void) {
    uint64_t word;
    ssize_t n = getrandom(&word, sizeof word, GRND_NONBLOCK);
    return n == (ssize_t)sizeof word ? word : mixed();
}
