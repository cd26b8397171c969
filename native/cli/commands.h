/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* commands.h - one file per command; what they print for --help: help.c. */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "args.h"

extern const command_t save_command, query_command, get_command, related_command, context_command, stats_command;
extern const command_t update_command, access_command, relate_command, unrelate_command, remove_command, decay_command, consolidate_command;

extern const char main_help[], save_help[], query_help[], get_help[], related_help[], context_help[], stats_help[];
extern const char update_help[], access_help[], relate_help[], unrelate_help[], remove_help[], decay_help[], consolidate_help[];

/* Options that several commands have. */
/* clang-format off */
#define FILE_OPTION {.short_name = 'f', .name = "--file", .kind = OPTION_TEXT, .required = true}
#define ID_OPTION {.name = "--id", .kind = OPTION_TEXT, .required = true}
#define CONTEXT_OPTION {.short_name = 'c', .name = "--context", .kind = OPTION_TEXT}
#define OUTPUT_OPTION {.short_name = 'o', .name = "--output", .kind = OPTION_TEXT}
#define NOW_OPTION {.name = "--now", .kind = OPTION_TIME}
#define DRY_RUN_OPTION {.name = "--dry-run", .kind = OPTION_FLAG}
#define JSON_OPTION {.name = "--json", .kind = OPTION_FLAG}
/* clang-format on */

#endif
