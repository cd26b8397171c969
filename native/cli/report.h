/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* report.h - exit statuses, and the two lines of an error. */
#ifndef CLI_REPORT_H
#define CLI_REPORT_H

/* What main() returns. Functions of the CLI that can fail return one of these, after the error was reported: 0 means go on. */
enum { STATUS_OK = 0, STATUS_FAILED = 1, STATUS_USAGE = 2, STATUS_INTERRUPTED = 130 };

/* Prints "Error: ..." (safe text) and "Hint: ..." on standard error and returns `status`:
 * `return report(STATUS_FAILED, "check the path and its permissions", "cannot read %s: %s", path, reason);` */
int report(int status, const char *hint, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
