/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* output.h - standard output. */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include <stddef.h>

/* Prints everything that a command has to say, and returns a status. A reader that has gone (| head) is no error. */
int output_print(const char *bytes, size_t n_bytes);

/* "cosine", "dot" or "l2" by cm_metric_t; ends with NULL. */
extern const char *const metric_names[];

/* "f32", "bf16" or "i8" by cm_vectors_t; ends with NULL. */
extern const char *const vector_kind_names[];

#endif
