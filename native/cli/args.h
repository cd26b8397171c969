/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* args.h - options by table: what a command takes, and what was given (docs/CLI.md, section 1). */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "chronomind.h"
#include "json_writer.h"
#include "moment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum option_kind {
    OPTION_FLAG,
    OPTION_TEXT,
    OPTION_WHOLE,
    OPTION_NUMBER,   /* 0 to 1 */
    OPTION_FRACTION, /* above 0 and below 1 */
    OPTION_RATE,     /* finite, from 0 */
    OPTION_CHOICE,
    OPTION_TIME,
    OPTION_VECTOR,
    OPTION_JSON
} option_kind_t;

typedef struct option {
    char short_name;  /* 0: none */
    const char *name; /* with its dashes */
    option_kind_t kind;
    bool required;
    bool may_be_empty;          /* OPTION_TEXT */
    bool repeated;              /* OPTION_TEXT: all that were given count, not the last one */
    uint64_t min, max;          /* OPTION_WHOLE */
    const char *const *choices; /* OPTION_CHOICE: ends with NULL */
    const char *choices_text;   /* "a, b or c" */
} option_t;

typedef struct option_value {
    bool given;
    const char *text; /* as given */
    uint64_t whole;
    double number;
    size_t choice;
    int64_t time_ms;    /* of --now also where it was not given: the clock, read once */
    moment_t moment;    /* what time_ms was made of */
    buffer_t texts;     /* const char * each: of a repeated option */
    json_writer_t json; /* compacted */
    float *vector;      /* for free() */
    uint32_t n_vector;
} option_value_t;

/* The text of an option; "" when it was not given. */
cm_str_t option_string(const option_value_t *value);

typedef struct command {
    const char *name;
    const char *help;
    const option_t *options;
    size_t n_options;
    int (*run)(const option_value_t *values); /* one per option, in the order of the table */
} command_t;

/* Handles the arguments and runs what they ask for. Returns the exit status. */
int args_run(const command_t *commands, size_t n_commands, const char *help, int argc, char **argv);

#endif
