/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* record_reader.h - JSON input as records. */
#ifndef CLI_RECORD_READER_H
#define CLI_RECORD_READER_H

#include "input.h"
#include "record.h"

/* Reads all of `input` and hands every record to `handler`. Returns a status; errors are reported. */
int read_json_records(input_t *input, record_handler_t handler, void *context);

#endif
