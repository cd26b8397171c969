/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* mutants.h - orders weakened one at a time. */
#ifndef MODEL_MUTANTS_H
#define MODEL_MUTANTS_H

#include <stdbool.h>
#include <stdint.h>

/* Lists the sites, and if `run` explores each mutant; `limit` executions per shape at most. Only sites whose "file:line" begins with one of the names, if there are any. The exit status. */
int mutate(uint64_t limit, bool run, int n_names, char **names);

#endif
