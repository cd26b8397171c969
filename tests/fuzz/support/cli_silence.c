/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* cli_silence.c - see cli_silence.h. Linked in front of native/cli with --wrap. */
#include "fuzz/support/cli_silence.h"

#include "cli/output.h"
#include "cli/report.h"
#include "cli/text.h"

#include <stdarg.h>
#include <unistd.h>

int __wrap_report(int status, const char *hint, const char *format, ...);
int __wrap_output_print(const char *bytes, size_t n_bytes);
ssize_t __real_read(int fd, void *bytes, size_t n_bytes);
ssize_t __wrap_read(int fd, void *bytes, size_t n_bytes);

enum { FED_FD = 1 << 20 }; /* no file of this process */

static buffer_t last_report;
static struct {
    const uint8_t *at;
    size_t n_left, piece;
} fed[2];

input_t cli_input(int which, const uint8_t *bytes, size_t n_bytes, size_t piece) {
    fed[which].at = bytes;
    fed[which].n_left = n_bytes;
    fed[which].piece = piece;
    return (input_t){.name = which ? "ids" : "input", .fd = FED_FD + which, .n_bytes_total = n_bytes, .buffer = allocate(64 << 10)};
}

void cli_input_free(input_t *input) {
    free(input->buffer);
}

ssize_t __wrap_read(int fd, void *bytes, size_t n_bytes) {
    if (fd != FED_FD && fd != FED_FD + 1) return __real_read(fd, bytes, n_bytes);
    int which = fd - FED_FD;
    if (n_bytes > fed[which].piece) n_bytes = fed[which].piece;
    if (n_bytes > fed[which].n_left) n_bytes = fed[which].n_left;
    if (n_bytes > 0) memcpy(bytes, fed[which].at, n_bytes);
    fed[which].at += n_bytes;
    fed[which].n_left -= n_bytes;
    return (ssize_t)n_bytes;
}

/* Makes the two lines as the original does, and prints them nowhere. */
int __wrap_report(int status, const char *hint, const char *format, ...) {
    buffer_t message = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_append_arguments(&message, format, arguments);
    va_end(arguments);
    buffer_clear(&last_report);
    text_append_safe(&last_report, buffer_text(&message), SIZE_OF_TEXT);
    buffer_append_text(&last_report, "\n");
    text_append_safe(&last_report, hint, SIZE_OF_TEXT);
    buffer_free(&message);
    FUZZ_CHECK(status != STATUS_OK && *hint, "an error without status or hint: %s", buffer_text(&last_report));
    return status;
}

const char *cli_last_report(void) {
    return buffer_text(&last_report);
}

void cli_forget(void) {
    buffer_free(&last_report);
}

int __wrap_output_print(const char *bytes, size_t n_bytes) {
    FUZZ_CHECK(n_bytes > 0 && bytes[n_bytes - 1] == '\n', "output does not end its line");
    return STATUS_OK;
}
