/* SPDX-License-Identifier: Apache-2.0 */
/* validate — is every member of a request's body of the JSON type its shape asks for. */
#ifndef STATOR_OPS_VALIDATE_H
#define STATOR_OPS_VALIDATE_H

#include "ops/op.h"

/* Types: fails with SERIALIZATION. request->root is set; fills request->input. */
enum error_code validate_types(struct request *request) WARN_UNUSED;

#endif
