/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* iso8601.h - moments as people write them. */
#ifndef CLI_ISO8601_H
#define CLI_ISO8601_H

#include "buffer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_TIME_MS INT64_C(8640000000000000) /* 100 million days, the range of a JavaScript Date */

/* 2024-01-31, 2024-01-31T12:00Z, 2024-01-31 12:00:00.123+02:00 (docs/CLI.md has the whole form) as milliseconds since 1970. */
bool iso8601_parse(const char *bytes, size_t n_bytes, int64_t *ms);

/* 2024-01-31T12:00:00Z, or with .123; outside of the years 0 to 9999 the number of milliseconds. */
void iso8601_append(buffer_t *out, int64_t ms);

#endif
