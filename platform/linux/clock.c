/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* clock.c - plat_clock.h over clock_gettime, which is a read of shared memory on Linux and no system call. */
#define _GNU_SOURCE
#include "plat_clock.h"

#include <time.h>

int64_t plat_clock_now_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

uint64_t plat_clock_monotonic_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
