/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* input.c - see input.h. */
#define _POSIX_C_SOURCE 200809L /* sigaction, fstat */
#include "input.h"

#include "buffer.h"
#include "report.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER_BYTES = 64 << 10 };

static volatile sig_atomic_t interrupted;

static void on_signal(int signal_number) {
    (void)signal_number;
    interrupted = 1;
}

/* A signal that was ignored when we began (nohup) stays ignored. */
static void catch_signal(int signal_number) {
    const struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND}; /* no SA_RESTART: read() must wake up */
    struct sigaction old;
    if (sigaction(signal_number, NULL, &old) == 0 && old.sa_handler != SIG_IGN) sigaction(signal_number, &action, NULL);
}

void interrupt_catch(void) {
    catch_signal(SIGINT);
    catch_signal(SIGTERM);
    catch_signal(SIGHUP);
}

bool interrupt_seen(void) {
    return interrupted != 0;
}

int interrupt_report(void) {
    return report(STATUS_INTERRUPTED, "nothing was written", "interrupted");
}

static int report_read(const input_t *input, int error) {
    return report(STATUS_FAILED, "check the path and its permissions", "cannot read %s: %s", input->name, strerror(error));
}

int input_open(input_t *input, const char *path) {
    bool standard = strcmp(path, "-") == 0;
    *input = (input_t){.name = standard ? "standard input" : path, .fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)};
    if (input->fd < 0) return report_read(input, errno);
    struct stat info;
    if (fstat(input->fd, &info) == 0 && S_ISREG(info.st_mode)) input->n_bytes_total = (uint64_t)info.st_size;
    input->buffer = allocate(BUFFER_BYTES);
    return STATUS_OK;
}

void input_close(input_t *input) {
    if (input->fd > STDIN_FILENO) close(input->fd);
    free(input->buffer);
}

static int fill(input_t *input) {
    if (input->at < input->end) return STATUS_OK;
    for (;;) {
        if (interrupt_seen()) return interrupt_report();
        ssize_t n = read(input->fd, input->buffer, BUFFER_BYTES);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return report_read(input, errno);
        input->at = 0;
        input->end = (size_t)n;
        input->n_bytes_read += (uint64_t)n;
        return STATUS_OK;
    }
}

int input_next(input_t *input, const char **bytes, size_t *n_bytes) {
    int status = fill(input);
    if (status) return status;
    *bytes = input->buffer + input->at;
    *n_bytes = input->end - input->at;
    input->at = input->end;
    return STATUS_OK;
}

int input_take(input_t *input, void *bytes, size_t n_bytes, size_t *n_taken) {
    for (*n_taken = 0; *n_taken < n_bytes;) {
        int status = fill(input);
        if (status) return status;
        size_t n = input->end - input->at;
        if (n == 0) return STATUS_OK;
        if (n > n_bytes - *n_taken) n = n_bytes - *n_taken;
        memcpy((char *)bytes + *n_taken, input->buffer + input->at, n);
        input->at += n;
        *n_taken += n;
    }
    return STATUS_OK;
}
