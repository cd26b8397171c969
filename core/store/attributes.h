/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* attributes.h - the rules of a memory's attributes, for inserts and for snapshots being loaded. Each message names field, value and rule. */
#ifndef CMI_ATTRIBUTES_H
#define CMI_ATTRIBUTES_H

#include "base/base.h"

/* `field` is "id" or "relationships[3]": CM_E_ID, CM_E_ARGUMENT. */
cm_status_t cmi_check_id(cm_str_t id, const char *field, cm_error_t *error);

/* CM_E_RANGE (empty), CM_E_TOO_LARGE, CM_E_UTF8, CM_E_ARGUMENT. */
cm_status_t cmi_check_context(cm_str_t context, cm_error_t *error);

/* CM_E_TOO_LARGE, CM_E_UTF8, CM_E_ARGUMENT. */
cm_status_t cmi_check_payload(cm_str_t text, cm_str_t metadata, cm_error_t *error);

/* CM_E_RANGE. */
cm_status_t cmi_check_numbers(float importance, float decay_rate, cm_error_t *error);

/* CM_E_ARGUMENT, CM_E_DIMENSION, CM_E_NOT_FINITE. */
cm_status_t cmi_check_vector(const float *vector, uint32_t dimensions, uint32_t expected, cm_error_t *error);

/* Each id, and the length of the list: CM_E_TOO_LARGE, CM_E_ID, CM_E_ARGUMENT. */
cm_status_t cmi_check_relationships(const cm_str_t *relationships, uint32_t n, cm_error_t *error);

#endif
