/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* main.c - chronomind, the command line (docs/CLI.md is the contract; js/src/cli.ts is its twin over WebAssembly). */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include "commands.h"

#include <signal.h>

int main(int argc, char **argv) {
    const command_t commands[] = {save_command, query_command, stats_command};
    signal(SIGPIPE, SIG_IGN); /* writing to a closed pipe is EPIPE, */
    signal(SIGXFSZ, SIG_IGN); /* writing beyond ulimit -f is EFBIG: both are reported, and temporary files go */
    return args_run(commands, sizeof commands / sizeof *commands, main_help, argc, argv);
}
