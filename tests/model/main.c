/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * main.c - the runner: `model [NAME...]` explores the shapes whose "group/name" begins with a NAME and prints one line for each.
 *
 *     --limit N     at most N executions per shape (default: none)
 *     --long        to the end, or to the limit, also where there are more executions than a run of all shapes has time for
 *     --programs N SEED   N random little programs: as many executions as the definition of the memory model allows (oracle.c)
 *     --sites       every use of an ordered access or fence in the core, and the shapes that run it
 *     --mutate      weakens one order at a time and explores the shapes that run it; a mutant that no shape sees has survived (mutants.c)
 */
#include "model/explore.h"
#include "model/mutants.h"
#include "model/programs.h"
#include "model/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define N_PROGRAMS 2000u /* compared with the definition before anything else */

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool wanted(const model_shape_t *shape, int n, char **names) {
    char name[200];
    snprintf(name, sizeof name, "%s/%s", shape->group, shape->name);
    for (int i = 0; i < n; i++)
        if (strncmp(name, names[i], strlen(names[i])) == 0) return true;
    return n == 0;
}

static bool as_expected(const model_shape_t *shape, const explored_t *e) {
    if (shape->must_fail) return e->failed;
    if (e->failed || e->n_complete == 0) return false;
    return (shape->n_executions == 0 || shape->n_executions == e->n_complete) &&
           (shape->n_outcomes == 0 || shape->n_outcomes == e->n_outcomes);
}

static bool run_shape(const model_shape_t *shape, uint64_t limit, uint64_t *n_executions) {
    double start = seconds();
    explored_t e = explore(shape, limit, !shape->must_fail);
    bool passed = as_expected(shape, &e);
    *n_executions += e.n_complete;
    printf("%s - %s/%s: ", passed ? "ok" : "not ok", shape->group, shape->name);
    if (e.failed) printf("%s: %s\n", shape->must_fail ? "found, as it must be" : "violated", explore_failure());
    printf("%llu executions, %s, at most %u events, %.1f s", (unsigned long long)e.n_complete,
           e.failed    ? "stopped there"
           : e.bounded ? "stopped at the bound"
                       : "all",
           e.most_events, seconds() - start);
    if (e.n_abandoned) printf(", %llu cut short", (unsigned long long)e.n_abandoned);
    if (!passed && !e.failed)
        printf("; must be %llu executions, %llu outcomes, are %llu, %u", (unsigned long long)shape->n_executions,
               (unsigned long long)shape->n_outcomes, (unsigned long long)e.n_complete, e.n_outcomes);
    printf("\n");
    fflush(stdout);
    return passed;
}

int main(int argc, char **argv) {
    uint64_t limit = 0;
    bool mutates = false, lists = false, all = false;
    uint32_t n_programs = 0;
    uint64_t seed = 1;
    int n = 0;
    char **names = argv + 1;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--limit") == 0 && i + 1 < argc) limit = strtoull(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--long") == 0) all = true;
        else if (strcmp(argv[i], "--programs") == 0 && i + 2 < argc) {
            n_programs = (uint32_t)strtoul(argv[++i], NULL, 10);
            seed = strtoull(argv[++i], NULL, 10);
        } else if (strcmp(argv[i], "--mutate") == 0) mutates = true;
        else if (strcmp(argv[i], "--sites") == 0) lists = true;
        else names[n++] = argv[i];
    }
    if (n_programs > 0) return programs_agree(n_programs, seed) ? 0 : 1;
    if (mutates || lists) return mutate(limit, mutates, n, names);
    uint32_t n_passed = 0, n_failed = 0;
    uint64_t n_executions = 0;
    if (n == 0) {
        if (programs_agree(N_PROGRAMS, 1)) n_passed++;
        else n_failed++;
    }
    FOR_SHAPES(shape)
    if (wanted(*shape, n, names)) {
        if (run_shape(*shape, all ? limit : shape_limit(*shape, limit), &n_executions)) n_passed++;
        else n_failed++;
    }
    printf("%llu executions\n%u passed, %u failed\n", (unsigned long long)n_executions, n_passed, n_failed);
    return n_failed == 0 && n_passed > 0 ? 0 : 1;
}
