/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* moment.h - times in arguments, and ages for people (docs/CLI.md, section 1). */
#ifndef CLI_MOMENT_H
#define CLI_MOMENT_H

#include "buffer.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct moment {
    bool relative; /* to now, which is known when all arguments are */
    int64_t ms;
} moment_t;

/* Milliseconds, ISO 8601, "now", "-24h". */
bool moment_parse(const char *text, moment_t *out);
int64_t moment_resolve(moment_t moment, int64_t now_ms);

/* From one time to another: "3d 4h", "12m", "0s". */
void moment_append_age(buffer_t *out, int64_t from_ms, int64_t to_ms);

#endif
