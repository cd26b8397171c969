/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* main.c - chronomind, the command line (docs/CLI.md is the contract; js/src/cli.ts is its twin over WebAssembly). */
#define _XOPEN_SOURCE 700 /* SIGXFSZ */
#include "commands.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

/* Whoever starts us with a closed stream gets /dev/null: else the snapshot could be opened in its place, and be printed into. */
static void open_closed_streams(void) {
    int fd;
    do fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0) close(fd);
}

int main(int argc, char **argv) {
    const command_t commands[] = {save_command,   query_command,  get_command,        related_command, context_command,
                                  stats_command,  update_command, access_command,     relate_command,  unrelate_command,
                                  remove_command, decay_command,  consolidate_command};
    open_closed_streams();
    signal(SIGPIPE, SIG_IGN); /* writing to a closed pipe is EPIPE, */
    signal(SIGXFSZ, SIG_IGN); /* writing beyond ulimit -f is EFBIG: both are reported, and temporary files go */
    return args_run(commands, sizeof commands / sizeof *commands, main_help, argc, argv);
}
