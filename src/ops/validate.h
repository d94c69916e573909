/* SPDX-License-Identifier: Apache-2.0 */
/* validate — a request's body against its operation's shape, with the service's refusals. */
#ifndef STATOR_OPS_VALIDATE_H
#define STATOR_OPS_VALIDATE_H

#include "ops/op.h"

/* Types: fails with SERIALIZATION. request->root is set; fills request->input. */
enum error_code validate_types(struct request *request) WARN_UNUSED;

/* Constraints: fails with VALIDATION, up to ten messages joined. */
enum error_code validate_constraints(struct request *request) WARN_UNUSED;

#endif
