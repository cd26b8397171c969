/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* progress.c - see progress.h. */
#define _POSIX_C_SOURCE 200809L /* clock_gettime, isatty */
#include "progress.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_AFTER_MS = 1000, REDRAW_AFTER_MS = 100, BAR_CELLS = 30, LINE_CELLS = 72 };

static struct {
    bool started, visible;
    int64_t due_ms;
} progress;

static int64_t monotonic_ms(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void draw_bar(double share) {
    char bar[BAR_CELLS + 1];
    memset(bar, ' ', BAR_CELLS);
    memset(bar, '#', (size_t)(share * (double)BAR_CELLS));
    bar[BAR_CELLS] = '\0';
    fprintf(stderr, "[%s] %3d%%  ", bar, (int)(share * 100));
}

/* True when a line is due; it has begun then. */
static bool begin_line(void) {
    int64_t now_ms = monotonic_ms();
    if (!progress.started) {
        progress.started = true;
        progress.due_ms = isatty(STDERR_FILENO) ? now_ms + FIRST_AFTER_MS : INT64_MAX;
    }
    if (now_ms < progress.due_ms) return false;
    progress.due_ms = now_ms + REDRAW_AFTER_MS;
    progress.visible = true;
    fputc('\r', stderr);
    return true;
}

void progress_show(uint64_t n_memories, uint64_t n_bytes, uint64_t n_bytes_total) {
    if (!begin_line()) return;
    if (n_bytes_total > 0) draw_bar(n_bytes < n_bytes_total ? (double)n_bytes / (double)n_bytes_total : 1.0);
    fprintf(stderr, "%llu memories", (unsigned long long)n_memories);
    fflush(stderr);
}

void progress_show_share(double done, const char *doing) {
    if (!begin_line()) return;
    draw_bar(done);
    fputs(doing, stderr);
    fflush(stderr);
}

void progress_clear(void) {
    if (progress.visible) fprintf(stderr, "\r%*s\r", LINE_CELLS, "");
    progress.visible = false;
}
