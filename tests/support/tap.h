/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * tap.h - the whole test framework of the C tests: TAP lines on standard output and a closing "N passed, M failed".
 *
 *     TEST(adds) { CHECK_EQ_U64(1 + 1, 2); }
 *     int main(void) { RUN(adds); return tap_done(); }
 *
 * A failing check prints file and line and lets the test go on, so that one run shows everything that is wrong.
 * TAP_ONLY=name in the environment runs a single test, TAP_SKIP="name name" all but these.
 */
#ifndef TAP_H
#define TAP_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int tap_n_passed, tap_n_failed, tap_checks_failed;

#define TEST(name) static void test_##name(void)

#define RUN(name) tap_run(#name, test_##name)

#define CHECK(cond) CHECK_MSG(cond, "%s", #cond)

#define CHECK_MSG(cond, ...)                                       \
    do {                                                           \
        if (!(cond)) {                                             \
            tap_checks_failed++;                                   \
            printf("# %s:%d: check failed: ", __FILE__, __LINE__); \
            printf(__VA_ARGS__);                                   \
            printf("\n");                                          \
        }                                                          \
    } while (0)

#define CHECK_EQ_U64(actual, expected)                                                            \
    do {                                                                                          \
        uint64_t tap_a = (uint64_t)(actual), tap_e = (uint64_t)(expected);                        \
        CHECK_MSG(tap_a == tap_e, "%s is %" PRIu64 ", expected %" PRIu64, #actual, tap_a, tap_e); \
    } while (0)

/* Both sides evaluated once; prints the numbers, so that chronomind.h's list can be looked up. */
#define CHECK_STATUS(call, expected)                                                                 \
    do {                                                                                             \
        int tap_s = (int)(call);                                                                     \
        CHECK_MSG(tap_s == (int)(expected), "%s returned %d, expected %s", #call, tap_s, #expected); \
    } while (0)

/* Whether one of the words of TAP_SKIP is this name. */
static inline int tap_skips(const char *name) {
    const char *word = getenv("TAP_SKIP");
    size_t length = strlen(name);
    while (word && (word += strspn(word, " "), *word)) {
        size_t n = strcspn(word, " ");
        if (n == length && memcmp(word, name, n) == 0) return 1;
        word += n;
    }
    return 0;
}

static inline void tap_run(const char *name, void (*body)(void)) {
    const char *only = getenv("TAP_ONLY");
    if (only && strcmp(only, name) != 0) return;
    if (tap_skips(name)) {
        printf("# skipped %s\n", name);
        return;
    }
    tap_checks_failed = 0;
    body();
    if (tap_checks_failed == 0) {
        tap_n_passed++;
        printf("ok %d - %s\n", tap_n_passed + tap_n_failed, name);
    } else {
        tap_n_failed++;
        printf("not ok %d - %s\n", tap_n_passed + tap_n_failed, name);
    }
    fflush(stdout);
}

/* The exit status for main: 0 when everything passed and something ran. */
static inline int tap_done(void) {
    printf("1..%d\n%d passed, %d failed\n", tap_n_passed + tap_n_failed, tap_n_passed, tap_n_failed);
    return tap_n_failed == 0 && tap_n_passed > 0 ? 0 : 1;
}

#endif
