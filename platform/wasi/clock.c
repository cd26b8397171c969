/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* clock.c - the time of day and a stopwatch, both asked from a WASI host. */
#include "plat_clock.h"

enum { REALTIME = 0, MONOTONIC = 1 };

/* Nanoseconds. 0 = success. */
__attribute__((import_module("wasi_snapshot_preview1"), import_name("clock_time_get"))) int32_t cmi_wasi_clock_time_get(int32_t clock,
                                                                                                                        uint64_t precision,
                                                                                                                        uint64_t *out);

/* A host without that clock: the epoch. */
static uint64_t nanoseconds(int32_t clock) {
    uint64_t now = 0;
    return cmi_wasi_clock_time_get(clock, 1, &now) == 0 ? now : 0;
}

int64_t plat_clock_now_ms(void) {
    return (int64_t)(nanoseconds(REALTIME) / 1000000);
}

uint64_t plat_clock_monotonic_ns(void) {
    return nanoseconds(MONOTONIC);
}
