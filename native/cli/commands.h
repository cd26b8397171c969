/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* commands.h - one file per command: save.c, query.c, stats.c; what they print for --help: help.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "args.h"

extern const command_t save_command, query_command, stats_command;

extern const char main_help[], save_help[], query_help[], stats_help[];

#endif
