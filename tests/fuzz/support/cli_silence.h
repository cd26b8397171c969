/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * cli_silence.h - the command line program with its mouth shut: errors and output are made and kept instead of printed, and what it reads comes
 * out of memory, in pieces as small as a pipe may give them.
 */
#ifndef CLI_SILENCE_H
#define CLI_SILENCE_H

#include "cli/buffer.h"
#include "cli/input.h"
#include "fuzz/support/fuzz.h"

/* An input over bytes, of which each read() gives at most `piece`. `which`: 0 for the input, 1 for a file of ids beside it. */
input_t cli_input(int which, const uint8_t *bytes, size_t n_bytes, size_t piece);
void cli_input_free(input_t *input);

/* The two lines of the last error, "" when there was none since cli_forget(). */
const char *cli_last_report(void);
void cli_forget(void);

#endif
