/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* plat_clock.h - the time of day. The core asks it only where the caller passed CM_NOW and no clock of its own. */
#ifndef PLAT_CLOCK_H
#define PLAT_CLOCK_H

#include <stdint.h>

/* Milliseconds since the Unix epoch (UTC, leap seconds ignored). Thread-safe. */
int64_t plat_clock_now_ms(void);

/* Nanoseconds from an arbitrary start, never running backwards. For measuring. Thread-safe. */
uint64_t plat_clock_monotonic_ns(void);

#endif
