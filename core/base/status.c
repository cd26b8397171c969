/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* status.c - the sentences of the status codes and the version, both straight from the public header. */
#include "chronomind.h"

const char *cm_strerror(cm_status_t status) {
    switch (status) {
#define STATUS_SENTENCE(name, value, text) \
    case name: return text;
        CM_STATUS_LIST(STATUS_SENTENCE)
#undef STATUS_SENTENCE
    }
    return "unknown status";
}

const char *cm_version(void) {
    return CM_VERSION_STRING;
}
