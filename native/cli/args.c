/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* args.c - see args.h. */
#include "args.h"

#include "buffer.h"
#include "chronomind.h"
#include "output.h"
#include "plat_clock.h"
#include "report.h"
#include "text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NEAR_DISTANCE = 2, NEAR_MIN_LENGTH = 3, MAX_NAME = 40 };

static const char MAIN_HINT[] = "try 'chronomind --help'";

cm_str_t option_string(const option_value_t *value) {
    return (cm_str_t){value->text ? value->text : "", value->text ? strlen(value->text) : 0};
}

/* ---- "did you mean" ---------------------------------------------------------------------------------------------------- */

/* Levenshtein distance, one row at a time; long words are far from everything here. */
static size_t distance(const char *a, size_t n_a, const char *b) {
    size_t n_b = strlen(b), row[MAX_NAME + 1];
    if (n_a > MAX_NAME || n_b > MAX_NAME) return MAX_NAME;
    for (size_t j = 0; j <= n_b; j++) row[j] = j;
    for (size_t i = 1; i <= n_a; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n_b; j++) {
            size_t replaced = diagonal + (a[i - 1] != b[j - 1]);
            size_t shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[n_b];
}

typedef struct nearest {
    const char *name;
    size_t distance;
} nearest_t;

static void consider(nearest_t *nearest, const char *typed, size_t n_typed, const char *name) {
    size_t d = distance(typed, n_typed, name);
    if (d < nearest->distance) *nearest = (nearest_t){name, d};
}

/* ---- errors ------------------------------------------------------------------------------------------------------------ */

static int usage_error(const command_t *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int usage_error(const command_t *command, const char *format, ...) {
    buffer_t message = {0}, hint = {0};
    va_list arguments;
    va_start(arguments, format);
    buffer_append_arguments(&message, format, arguments);
    va_end(arguments);
    buffer_append_format(&hint, "try 'chronomind %s --help'", command->name);
    int status = report(STATUS_USAGE, buffer_text(&hint), "%s", buffer_text(&message));
    buffer_free(&message);
    buffer_free(&hint);
    return status;
}

static int report_commands(const command_t *commands, size_t n_commands, const char *message, const char *typed) {
    buffer_t hint = {0};
    buffer_append_text(&hint, "the commands are ");
    for (size_t i = 0; i < n_commands; i++) buffer_append_format(&hint, i ? ", %s" : "%s", commands[i].name);
    buffer_append_format(&hint, " and help; %s", MAIN_HINT);
    int status = typed ? report(STATUS_USAGE, buffer_text(&hint), "%s '%s'", message, typed)
                       : report(STATUS_USAGE, buffer_text(&hint), "%s", message);
    buffer_free(&hint);
    return status;
}

static int unknown_command(const command_t *commands, size_t n_commands, const char *typed) {
    nearest_t nearest = {NULL, NEAR_DISTANCE + 1};
    for (size_t i = 0; i < n_commands; i++) consider(&nearest, typed, strlen(typed), commands[i].name);
    consider(&nearest, typed, strlen(typed), "help");
    if (!nearest.name) return report_commands(commands, n_commands, "unknown command", typed);
    char hint[96];
    snprintf(hint, sizeof hint, "did you mean '%s'? Try 'chronomind --help'", nearest.name);
    return report(STATUS_USAGE, hint, "unknown command '%s'", typed);
}

static int unknown_option(const command_t *command, const char *typed, size_t n_typed) {
    nearest_t nearest = {NULL, NEAR_DISTANCE + 1};
    if (n_typed >= NEAR_MIN_LENGTH) {
        for (size_t i = 0; i < command->n_options; i++) consider(&nearest, typed, n_typed, command->options[i].name);
        consider(&nearest, typed, n_typed, "--help");
        consider(&nearest, typed, n_typed, "--version");
    }
    if (!nearest.name) return usage_error(command, "unknown option '%.*s' for %s", (int)n_typed, typed, command->name);
    char hint[96];
    snprintf(hint, sizeof hint, "did you mean %s? Try 'chronomind %s --help'", nearest.name, command->name);
    return report(STATUS_USAGE, hint, "unknown option '%.*s' for %s", (int)n_typed, typed, command->name);
}

/* ---- values ------------------------------------------------------------------------------------------------------------ */

/* The rule holds for the 32-bit float that the store takes. */
static bool parse_number(option_kind_t kind, const char *text, double *x) {
    if (!text_parse_number(text, strlen(text), x)) return false;
    if (kind == OPTION_NUMBER) return *x >= 0 && *x <= 1;
    float rounded = (float)*x;
    return kind == OPTION_RATE ? rounded >= 0 && isfinite(rounded) : rounded > 0 && rounded < 1;
}

static bool parse_choice(const option_t *option, const char *text, size_t *choice) {
    for (*choice = 0; option->choices[*choice]; (*choice)++) {
        if (strcmp(option->choices[*choice], text) == 0) return true;
    }
    return false;
}

typedef struct span {
    const char *at, *end;
} span_t;

static bool is_blank(char c) {
    return c == ' ' || c == '\t';
}

static span_t trim(span_t span) {
    while (span.at < span.end && is_blank(span.at[0])) span.at++;
    while (span.at < span.end && is_blank(span.end[-1])) span.end--;
    return span;
}

static int parse_vector(const command_t *command, const option_t *option, option_value_t *value) {
    span_t all = trim((span_t){value->text, value->text + strlen(value->text)});
    if (all.end - all.at >= 2 && all.at[0] == '[' && all.end[-1] == ']') all = (span_t){all.at + 1, all.end - 1};
    free(value->vector); /* of an earlier --vector */
    value->vector = allocate(((size_t)(all.end - all.at) / 2 + 1) * sizeof *value->vector);
    value->n_vector = 0;
    for (const char *at = all.at;;) {
        const char *comma = memchr(at, ',', (size_t)(all.end - at));
        span_t one = trim((span_t){at, comma ? comma : all.end});
        double x;
        if (!text_parse_number(one.at, (size_t)(one.end - one.at), &x) || !isfinite((float)x)) {
            return usage_error(command, "%s component %u is '%.*s': must be a finite number", option->name, value->n_vector + 1,
                               (int)(one.end - one.at), one.at);
        }
        value->vector[value->n_vector++] = (float)x;
        if (!comma) return STATUS_OK;
        at = comma + 1;
    }
}

static int parse_json(const command_t *command, const option_t *option, option_value_t *value) {
    json_fault_t fault;
    json_writer_clear(&value->json);
    uint64_t n = json_write_compacted(&value->json, value->text, strlen(value->text), &fault);
    if (fault.kind == JSON_SOUND) {
        if (n == 1) return STATUS_OK;
        return usage_error(command, "%s holds %llu JSON values: must be one", option->name, (unsigned long long)n);
    }
    buffer_t what = {0};
    json_fault_append(&what, &fault);
    int status = usage_error(command, "%s is not JSON: %s", option->name, buffer_text(&what));
    buffer_free(&what);
    return status;
}

/* Text, a vector, JSON. */
static int parse_text(const command_t *command, const option_t *option, option_value_t *value) {
    if (!*value->text && !option->may_be_empty) return usage_error(command, "%s is empty", option->name);
    if (option->repeated) buffer_append(&value->texts, &value->text, sizeof value->text);
    if (option->kind == OPTION_VECTOR) return parse_vector(command, option, value);
    return option->kind == OPTION_JSON ? parse_json(command, option, value) : STATUS_OK;
}

static int parse_value(const command_t *command, const option_t *option, option_value_t *value) {
    const char *text = value->text, *name = option->name;
    switch (option->kind) {
    case OPTION_WHOLE:
        if (text_parse_whole(text, option->min, option->max, &value->whole)) return STATUS_OK;
        return usage_error(command, "%s is '%s': must be a whole number from %llu to %llu", name, text, (unsigned long long)option->min,
                           (unsigned long long)option->max);
    case OPTION_NUMBER:
    case OPTION_FRACTION:
    case OPTION_RATE:
        if (parse_number(option->kind, text, &value->number)) return STATUS_OK;
        return usage_error(command, "%s is '%s': must be a %s", name, text,
                           option->kind == OPTION_NUMBER     ? "number from 0 to 1"
                           : option->kind == OPTION_FRACTION ? "number above 0 and below 1"
                                                             : "finite number from 0");
    case OPTION_CHOICE:
        if (parse_choice(option, text, &value->choice)) return STATUS_OK;
        return usage_error(command, "%s is '%s': must be %s", name, text, option->choices_text);
    case OPTION_TIME:
        if (moment_parse(text, &value->moment)) return STATUS_OK;
        return usage_error(
            command, "%s is '%s': must be milliseconds since 1970, an ISO 8601 date with Z or an offset, now, or relative such as -24h",
            name, text);
    default: return parse_text(command, option, value);
    }
}

/* ---- the arguments of a command ---------------------------------------------------------------------------------------- */

static bool is_option(const char *argument) {
    return argument[0] == '-' && argument[1];
}

static bool is_help(const char *argument) {
    return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

static bool is_version(const char *argument) {
    return strcmp(argument, "--version") == 0;
}

static int print_version(void) {
    char line[64];
    int n = snprintf(line, sizeof line, "chronomind %s\n", cm_version());
    return output_print(line, (size_t)n);
}

static int print_help(const char *help) {
    return output_print(help, strlen(help));
}

static bool matches(const option_t *option, const char *argument, size_t n) {
    if (n == 2 && argument[1] == option->short_name) return true;
    return strlen(option->name) == n && memcmp(option->name, argument, n) == 0;
}

static size_t find_option(const command_t *command, const char *argument, size_t n) {
    size_t i = 0;
    while (i < command->n_options && !matches(&command->options[i], argument, n)) i++;
    return i;
}

/* Handles the option at arguments[0], and its value; *n_used is 1 or 2. */
static int take_option(const command_t *command, char **arguments, int n_arguments, option_value_t *values, int *n_used) {
    const char *argument = arguments[0];
    const char *equals = strncmp(argument, "--", 2) == 0 ? strchr(argument, '=') : NULL;
    size_t n_name = equals ? (size_t)(equals - argument) : strcspn(argument, "=");
    size_t i = find_option(command, argument, equals ? n_name : strlen(argument));
    if (i == command->n_options) return unknown_option(command, argument, n_name);
    const option_t *option = &command->options[i];
    option_value_t *value = &values[i];
    *n_used = 1;
    value->given = true;
    if (option->kind == OPTION_FLAG) return equals ? usage_error(command, "%s takes no value", option->name) : STATUS_OK;
    if (equals) {
        value->text = equals + 1;
    } else {
        if (n_arguments < 2) return usage_error(command, "%s needs a value", option->name);
        value->text = arguments[1];
        *n_used = 2;
    }
    return parse_value(command, option, value);
}

static int check_required(const command_t *command, const option_value_t *values) {
    for (size_t i = 0; i < command->n_options; i++) {
        if (command->options[i].required && !values[i].given)
            return usage_error(command, "%s needs %s", command->name, command->options[i].name);
    }
    return STATUS_OK;
}

/* Times may be relative to --now, which may come after them. */
static void resolve_times(const command_t *command, option_value_t *values) {
    int64_t now_ms = plat_clock_now_ms();
    size_t now = find_option(command, "--now", strlen("--now"));
    if (now < command->n_options) {
        if (values[now].given) now_ms = moment_resolve(values[now].moment, now_ms);
        values[now].time_ms = now_ms;
    }
    for (size_t i = 0; i < command->n_options; i++) {
        if (i != now && command->options[i].kind == OPTION_TIME) values[i].time_ms = moment_resolve(values[i].moment, now_ms);
    }
}

static void free_values(option_value_t *values, size_t n) {
    for (size_t i = 0; i < n; i++) {
        free(values[i].vector);
        buffer_free(&values[i].texts);
        buffer_free(&values[i].json.text);
    }
    free(values);
}

static int take_arguments(const command_t *command, int argc, char **argv, option_value_t *values, bool *answered) {
    for (int i = 0, n_used = 1; i < argc; i += n_used) {
        *answered = is_help(argv[i]) || is_version(argv[i]);
        if (*answered) return is_help(argv[i]) ? print_help(command->help) : print_version();
        if (!is_option(argv[i])) return usage_error(command, "unexpected argument '%s'", argv[i]);
        int status = take_option(command, argv + i, argc - i, values, &n_used);
        if (status) return status;
    }
    return check_required(command, values);
}

static int run_command(const command_t *command, int argc, char **argv) {
    option_value_t *values = allocate(command->n_options * sizeof *values);
    bool answered = false;
    int status = take_arguments(command, argc, argv, values, &answered);
    if (status == STATUS_OK && !answered) {
        resolve_times(command, values);
        status = command->run(values);
    }
    free_values(values, command->n_options);
    return status;
}

static const command_t *find_command(const command_t *commands, size_t n_commands, const char *name) {
    for (size_t i = 0; i < n_commands; i++) {
        if (strcmp(commands[i].name, name) == 0) return &commands[i];
    }
    return NULL;
}

/* What follows "help". */
static int run_help(const command_t *commands, size_t n_commands, const char *help, int argc, char **argv) {
    if (argc == 0 || is_help(argv[0])) return print_help(help);
    if (is_version(argv[0])) return print_version();
    bool itself = strcmp(argv[0], "help") == 0;
    const command_t *command = find_command(commands, n_commands, argv[0]);
    if (!command && !itself) return unknown_command(commands, n_commands, argv[0]);
    if (argc > 1) return report(STATUS_USAGE, MAIN_HINT, "unexpected argument '%s'", argv[1]);
    return print_help(itself ? help : command->help);
}

int args_run(const command_t *commands, size_t n_commands, const char *help, int argc, char **argv) {
    if (argc < 2) return report_commands(commands, n_commands, "no command given", NULL);
    const char *name = argv[1];
    if (is_help(name)) return print_help(help);
    if (is_version(name)) return print_version();
    if (strcmp(name, "help") == 0) return run_help(commands, n_commands, help, argc - 2, argv + 2);
    const command_t *command = find_command(commands, n_commands, name);
    if (command) return run_command(command, argc - 2, argv + 2);
    if (is_option(name)) return report(STATUS_USAGE, MAIN_HINT, "unknown option '%.*s'", (int)strcspn(name, "="), name);
    return unknown_command(commands, n_commands, name);
}
