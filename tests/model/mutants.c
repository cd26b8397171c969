/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * mutants.c - can the shapes fail? Every order that the core and the own epoch ask for is taken away, one at a time (an access that acquires and releases has two
 * such mutants, a fence one), and every shape that runs the place is explored again. Somebody must find a violation.
 *
 * The places are changed in memory, so nothing is compiled anew. Each mutant runs in a child process: a wild pointer may end it, which counts as found.
 */
#include "model/mutants.h"

#include "model/explore.h"
#include "model/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST_PLACES 400u
#define MOST_SHAPES 200u

/* All copies of one use: an inline function has one in each file that includes it. */
typedef struct place {
    const model_site_t *first;
    bool run_by[MOST_SHAPES];
    bool is_run;
} place_t;

typedef struct mutant {
    const place_t *place;
    uint32_t without; /* MODEL_ flag */
} mutant_t;

static place_t places[MOST_PLACES];
static uint32_t n_places;
static const model_shape_t *shapes[MOST_SHAPES];
static uint64_t n_executions[MOST_SHAPES];
static uint32_t n_shapes;

/* ---- places -------------------------------------------------------------------------------------------------------------- */

static bool same_site(const model_site_t *a, const model_site_t *b) {
    return a->line == b->line && strcmp(a->file, b->file) == 0 && strcmp(a->name, b->name) == 0;
}

static bool named(const model_site_t *site, int n, char **names) {
    char text[200];
    snprintf(text, sizeof text, "%s:%u", site->file, site->line);
    for (int i = 0; i < n; i++)
        if (strncmp(text, names[i], strlen(names[i])) == 0) return true;
    return n == 0;
}

static bool is_ours(const model_site_t *site) {
    return strncmp(site->file, "core/", 5) == 0 || strncmp(site->file, "platform/", 9) == 0;
}

static place_t *place_of(const model_site_t *site) {
    for (uint32_t i = 0; i < n_places; i++)
        if (same_site(places[i].first, site)) return &places[i];
    return NULL;
}

static int by_place(const void *a, const void *b) {
    const model_site_t *x = ((const place_t *)a)->first, *y = ((const place_t *)b)->first;
    int order = strcmp(x->file, y->file);
    return order ? order : (int)x->line - (int)y->line;
}

static void find_places(int n_names, char **names) {
    FOR_SITES(site) {
        if ((*site)->written == 0 || !is_ours(*site) || !named(*site, n_names, names) || place_of(*site)) continue;
        if (n_places < MOST_PLACES) places[n_places++].first = *site;
    }
    qsort(places, n_places, sizeof *places, by_place);
}

/* ---- the unchanged program --------------------------------------------------------------------------------------------------- */

/* Explores every shape as it is, and notes which places it runs. A mutant means something only where the original passes. */
static bool run_originals(uint64_t limit) {
    FOR_SHAPES(shape) {
        if ((*shape)->must_fail || strcmp((*shape)->group, "litmus") == 0) continue;
        FOR_SITES(site)(*site)->n_seen = 0;
        explored_t e = explore(*shape, shape_limit(*shape, limit), true);
        if (e.failed) {
            printf("%s/%s fails without any mutation\n", (*shape)->group, (*shape)->name);
            return false;
        }
        FOR_SITES(site) {
            place_t *place = (*site)->n_seen ? place_of(*site) : NULL;
            if (place) place->is_run = place->run_by[n_shapes] = true;
        }
        n_executions[n_shapes] = e.n_complete;
        shapes[n_shapes++] = *shape;
    }
    return true;
}

static void print_places(void) {
    for (uint32_t i = 0; i < n_places; i++) {
        printf("%s:%u %s:", places[i].first->file, places[i].first->line, places[i].first->name);
        for (uint32_t s = 0; s < n_shapes; s++)
            if (places[i].run_by[s]) printf(" %s/%s", shapes[s]->group, shapes[s]->name);
        printf(places[i].is_run ? "\n" : " no shape\n");
    }
}

/* ---- one mutant --------------------------------------------------------------------------------------------------------------- */

static const char *loss(uint32_t without) {
    return without == MODEL_FENCE ? "without the fence" : without == MODEL_ACQUIRE ? "acquires nothing" : "releases nothing";
}

static void weaken(const mutant_t *mutant) {
    FOR_SITES(site)
    if (same_site(*site, mutant->place->first)) (*site)->orders &= ~mutant->without;
}

/* The shape with fewest executions that runs the place and is not done yet. */
static uint32_t cheapest(const place_t *place, const bool done[MOST_SHAPES]) {
    uint32_t best = n_shapes;
    for (uint32_t s = 0; s < n_shapes; s++)
        if (place->run_by[s] && !done[s] && (best == n_shapes || n_executions[s] < n_executions[best])) best = s;
    return best;
}

/* True when a shape found it. One line of output, written at once, for children share it. */
static bool survive(const mutant_t *mutant, uint64_t limit) {
    const model_site_t *site = mutant->place->first;
    bool done[MOST_SHAPES] = {0};
    char line[600];
    int n = snprintf(line, sizeof line, "%s:%u %s %s: ", site->file, site->line, site->name, loss(mutant->without));
    weaken(mutant);
    explored_t e = {0};
    for (uint32_t s; !e.failed && (s = cheapest(mutant->place, done)) < n_shapes; done[s] = true) {
        e = explore(shapes[s], shape_limit(shapes[s], limit), false);
        if (e.failed)
            n += snprintf(line + n, sizeof line - (size_t)n, "caught by %s/%s: %s\n", shapes[s]->group, shapes[s]->name, explore_failure());
    }
    if (!e.failed) n += snprintf(line + n, sizeof line - (size_t)n, "SURVIVED\n");
    if (n >= (int)sizeof line) n = sizeof line - 1, line[n - 1] = '\n';
    if (write(STDOUT_FILENO, line, (size_t)n) < 0) _exit(2);
    return !e.failed;
}

/* ---- all of them ---------------------------------------------------------------------------------------------------------------- */

#define MOST_RUNNING 64u
static struct {
    pid_t pid;
    mutant_t mutant;
} running[MOST_RUNNING];
static uint32_t n_caught, n_survived, n_running;

static void wait_for_one(void) {
    int status;
    pid_t pid = wait(&status);
    uint32_t i = 0;
    while (i < n_running && running[i].pid != pid) i++;
    if (i == n_running) return;
    const model_site_t *site = running[i].mutant.place->first;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 1) n_survived++;
    else n_caught++;
    if (!WIFEXITED(status))
        printf("%s:%u %s %s: caught by a crash, signal %d\n", site->file, site->line, site->name, loss(running[i].mutant.without),
               WTERMSIG(status));
    running[i] = running[--n_running];
}

static void start(mutant_t mutant, uint64_t limit) {
    fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) _exit(survive(&mutant, limit) ? 1 : 0);
    running[n_running].pid = pid;
    running[n_running++].mutant = mutant;
}

static void run_mutants(uint64_t limit) {
    uint32_t most = (uint32_t)sysconf(_SC_NPROCESSORS_ONLN);
    if (most > MOST_RUNNING) most = MOST_RUNNING;
    for (uint32_t i = 0; i < n_places; i++) {
        for (uint32_t flag = MODEL_ACQUIRE; flag <= MODEL_FENCE; flag <<= 1) {
            if (!places[i].is_run || !(places[i].first->written & flag)) continue;
            while (n_running >= most) wait_for_one();
            start((mutant_t){&places[i], flag}, limit);
        }
    }
    while (n_running > 0) wait_for_one();
}

static uint32_t print_unrun(void) {
    uint32_t n = 0;
    for (uint32_t i = 0; i < n_places; i++) {
        if (places[i].is_run) continue;
        printf("%s:%u %s: no shape runs it\n", places[i].first->file, places[i].first->line, places[i].first->name);
        n++;
    }
    return n;
}

int mutate(uint64_t limit, bool run, int n_names, char **names) {
    find_places(n_names, names);
    if (!run_originals(limit)) return 1;
    if (!run) {
        print_places();
        return 0;
    }
    run_mutants(limit);
    uint32_t n_unrun = print_unrun(), n = n_caught + n_survived;
    printf("%u places, %u of them run by no shape; %u mutants: %u caught, %u survived", n_places, n_unrun, n, n_caught, n_survived);
    if (n > 0) printf(" (%.1f %% caught)", 100.0 * n_caught / n);
    printf("\n");
    return 0;
}
