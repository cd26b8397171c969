/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* moment.c - see moment.h. */
#include "moment.h"

#include "iso8601.h"
#include "text.h"

#include <stddef.h>
#include <string.h>

enum { MAX_RELATIVE = 999999999 };

typedef struct unit {
    char name;
    int64_t seconds;
} unit_t;

/* Ages are shown in those from days on. */
static const unit_t units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
enum { DAYS = 1, N_UNITS = sizeof units / sizeof *units };

static const unit_t *find_unit(char name) {
    for (size_t i = 0; i < N_UNITS; i++) {
        if (units[i].name == name) return &units[i];
    }
    return NULL;
}

/* A sign, 1 to 9 digits, a unit. */
static bool parse_relative(const char *text, int64_t *ms) {
    char digits[] = "999999999";
    size_t n_digits = strlen(text) - 2; /* huge for a text of one character */
    if ((text[0] != '-' && text[0] != '+') || n_digits >= sizeof digits) return false;
    const unit_t *unit = find_unit(text[1 + n_digits]);
    uint64_t n;
    memcpy(digits, text + 1, n_digits);
    digits[n_digits] = '\0';
    if (!unit || !text_parse_whole(digits, 0, MAX_RELATIVE, &n)) return false;
    *ms = (int64_t)n * unit->seconds * (text[0] == '-' ? -1000 : 1000);
    return true;
}

static bool parse_milliseconds(const char *text, int64_t *ms) {
    uint64_t magnitude;
    bool negative = text[0] == '-';
    if (!text_parse_whole(text + negative, 0, MAX_TIME_MS, &magnitude)) return false;
    *ms = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return true;
}

bool moment_parse(const char *text, moment_t *out) {
    *out = (moment_t){.relative = strcmp(text, "now") == 0};
    if (out->relative) return true;
    if (parse_milliseconds(text, &out->ms) || iso8601_parse(text, strlen(text), &out->ms)) return true;
    out->relative = true;
    return parse_relative(text, &out->ms);
}

int64_t moment_resolve(moment_t moment, int64_t now_ms) {
    int64_t ms = moment.relative ? now_ms + moment.ms : moment.ms;
    return ms > MAX_TIME_MS ? MAX_TIME_MS : ms < -MAX_TIME_MS ? -MAX_TIME_MS : ms;
}

void moment_append_age(buffer_t *out, int64_t from_ms, int64_t to_ms) {
    uint64_t seconds = from_ms < to_ms ? ((uint64_t)to_ms - (uint64_t)from_ms) / 1000 : 0;
    size_t i = DAYS;
    while (i + 1 < N_UNITS && seconds < (uint64_t)units[i].seconds) i++;
    buffer_append_format(out, "%llu%c", (unsigned long long)(seconds / (uint64_t)units[i].seconds), units[i].name);
    if (i + 1 == N_UNITS) return;
    uint64_t rest = seconds % (uint64_t)units[i].seconds / (uint64_t)units[i + 1].seconds;
    if (rest > 0) buffer_append_format(out, " %llu%c", (unsigned long long)rest, units[i + 1].name);
}
