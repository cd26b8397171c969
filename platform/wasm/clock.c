/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* clock.c - the time of day and a stopwatch, both asked from the host (js/src/loader.ts provides the imports). */
#include "plat_clock.h"

/* Date.now(): whole milliseconds since the Unix epoch. */
__attribute__((import_module("env"), import_name("now_ms"))) double cmi_host_now_ms(void);

/* performance.now(): milliseconds from an arbitrary start, never backwards. */
__attribute__((import_module("env"), import_name("monotonic_ms"))) double cmi_host_monotonic_ms(void);

int64_t plat_clock_now_ms(void) {
    return (int64_t)cmi_host_now_ms();
}

uint64_t plat_clock_monotonic_ns(void) {
    return (uint64_t)(cmi_host_monotonic_ms() * 1e6);
}
