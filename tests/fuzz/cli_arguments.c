/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * cli_arguments.c - fuzzes command lines: each line of the input is an argument.
 *
 * The real tables of all commands are used; in the place of what a command does stands a function that looks at the values. Holds: no
 * crash, a command runs only with all that it requires, and every value lies within the bounds of its option.
 */
#include "cli/commands.h"
#include "cli/report.h"
#include "fuzz/support/cli_silence.h"

#include "cli/iso8601.h"

#include <math.h>

enum { MAX_ARGUMENTS = 64, N_COMMANDS = 13 };

static const command_t *const real_commands[N_COMMANDS] = {
    &save_command,   &query_command,  &get_command,      &related_command, &context_command, &stats_command,      &update_command,
    &access_command, &relate_command, &unrelate_command, &remove_command,  &decay_command,   &consolidate_command};
static const command_t *running;

static bool json_is_one_value(const json_writer_t *json) {
    json_writer_t again = {0};
    json_fault_t fault;
    uint64_t n = json_write_compacted(&again, json->text.data, json->text.len, &fault);
    buffer_free(&again.text);
    return n == 1 && fault.kind == JSON_SOUND;
}

static bool vector_is_finite(const option_value_t *value) {
    for (uint32_t i = 0; i < value->n_vector; i++)
        if (!isfinite(value->vector[i])) return false;
    return value->n_vector > 0;
}

static size_t n_choices(const option_t *option) {
    size_t n = 0;
    while (option->choices[n]) n++;
    return n;
}

static bool is_within_bounds(const option_t *option, const option_value_t *value) {
    float rounded = (float)value->number;
    switch (option->kind) {
    case OPTION_FLAG: return true;
    case OPTION_TEXT: return option->may_be_empty || *value->text;
    case OPTION_WHOLE: return value->whole >= option->min && value->whole <= option->max;
    case OPTION_NUMBER: return value->number >= 0 && value->number <= 1;
    case OPTION_FRACTION: return rounded > 0 && rounded < 1;
    case OPTION_RATE: return rounded >= 0 && isfinite(rounded);
    case OPTION_CHOICE: return value->choice < n_choices(option);
    case OPTION_TIME: return value->time_ms >= -MAX_TIME_MS && value->time_ms <= MAX_TIME_MS;
    case OPTION_VECTOR: return vector_is_finite(value);
    default: return json_is_one_value(&value->json);
    }
}

/* args_run() does not say which command it runs: the tables are told apart by a function each. */
static int look_at(size_t command, const option_value_t *values) {
    running = real_commands[command];
    for (size_t i = 0; i < running->n_options; i++) {
        const option_t *option = &running->options[i];
        FUZZ_CHECK(values[i].given || !option->required, "%s without %s", running->name, option->name);
        if (values[i].given) FUZZ_CHECK(is_within_bounds(option, &values[i]), "%s %s '%s'", running->name, option->name, values[i].text);
    }
    return STATUS_OK;
}

#define LOOK(n)                                         \
    static int look_##n(const option_value_t *values) { \
        return look_at(n, values);                      \
    }
/* clang-format off */
LOOK(0) LOOK(1) LOOK(2) LOOK(3) LOOK(4) LOOK(5) LOOK(6) LOOK(7) LOOK(8) LOOK(9) LOOK(10) LOOK(11) LOOK(12)
    /* clang-format on */

    static int (*const looks[N_COMMANDS])(const option_value_t *) = {look_0, look_1, look_2, look_3,  look_4,  look_5, look_6,
                                                                     look_7, look_8, look_9, look_10, look_11, look_12};

/* Cuts the text at its line ends, in place; a NUL ends an argument early, as in argv. */
static int cut(char *text, size_t n_bytes, char **argv) {
    static char name[] = "chronomind";
    int argc = 1;
    argv[0] = name;
    text[n_bytes] = '\0';
    for (char *line = text; line && line <= text + n_bytes && argc < MAX_ARGUMENTS;) {
        char *end = memchr(line, '\n', (size_t)(text + n_bytes - line));
        if (end) *end = '\0';
        argv[argc++] = line;
        line = end ? end + 1 : NULL;
    }
    argv[argc] = NULL;
    return argc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    command_t commands[N_COMMANDS];
    char *argv[MAX_ARGUMENTS + 1], *text = malloc(size + 1);
    for (size_t i = 0; i < N_COMMANDS; i++) commands[i] = *real_commands[i], commands[i].run = looks[i];
    if (size > 0) memcpy(text, data, size);
    int status = args_run(commands, N_COMMANDS, main_help, size > 0 ? cut(text, size, argv) : 1, argv);
    FUZZ_CHECK(status == STATUS_OK || status == STATUS_USAGE, "status %d", status);
    FUZZ_CHECK((status == STATUS_USAGE) == (*cli_last_report() != '\0'), "status %d, message %s", status, cli_last_report());
    free(text);
    cli_forget();
    return 0;
}
