/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* input.h - a file or standard input, read once from front to back through one buffer. Errors are reported here. */
#ifndef CLI_INPUT_H
#define CLI_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct input {
    const char *name; /* for messages */
    int fd;
    uint64_t n_bytes_total; /* 0: unknown */
    uint64_t n_bytes_read;
    char *buffer;
    size_t at, end; /* unread part of the buffer */
} input_t;

/* "-" is standard input. Returns a status (report.h). */
int input_open(input_t *input, const char *path);
void input_close(input_t *input);

/* The next bytes, as many as are at hand; *n_bytes is 0 at the end of the input. Returns a status. */
int input_next(input_t *input, const char **bytes, size_t *n_bytes);

/* n_bytes bytes, fewer only at the end of the input. Returns a status. */
int input_take(input_t *input, void *bytes, size_t n_bytes, size_t *n_taken);

/* Ctrl-C and its like: the first asks the program to stop, which it does between two steps; the second kills it. */
void interrupt_catch(void);
bool interrupt_seen(void);
int interrupt_report(void);

#endif
