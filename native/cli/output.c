/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* output.c - see output.h. */
#include "output.h"

#include "chronomind.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

const char *const metric_names[] = {[CM_METRIC_COSINE] = "cosine", [CM_METRIC_DOT] = "dot", [CM_METRIC_L2SQ] = "l2", NULL};
const char *const vector_kind_names[] = {[CM_VECTORS_F32] = "f32", [CM_VECTORS_BF16] = "bf16", [CM_VECTORS_I8] = "i8", NULL};

int output_print(const char *bytes, size_t n_bytes) {
    errno = 0;
    if (fwrite(bytes, 1, n_bytes, stdout) == n_bytes && fflush(stdout) == 0) return STATUS_OK;
    if (errno == EPIPE) return STATUS_OK;
    return report(STATUS_FAILED, "check where standard output goes", "cannot write standard output: %s", strerror(errno));
}
