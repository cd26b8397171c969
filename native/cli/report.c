/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* report.c - see report.h. */
#include "report.h"

#include "buffer.h"
#include "progress.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

static void print_line(const char *label, const char *text) {
    buffer_t line = {0};
    text_append_safe(&line, text, SIZE_OF_TEXT);
    fprintf(stderr, "%s: %s\n", label, buffer_text(&line));
    buffer_free(&line);
}

int report(int status, const char *hint, const char *format, ...) {
    progress_clear();
    buffer_t message = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_append_arguments(&message, format, arguments);
    va_end(arguments);
    print_line("Error", buffer_text(&message));
    print_line("Hint", hint);
    buffer_free(&message);
    return status;
}
