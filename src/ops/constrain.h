/* SPDX-License-Identifier: Apache-2.0 */
/* constrain — a request's members against the constraints of the service model. */
#ifndef STATOR_OPS_CONSTRAIN_H
#define STATOR_OPS_CONSTRAIN_H

#include "ops/op.h"

/* Fails with VALIDATION, up to ten messages joined. The types have been checked. */
enum error_code constrain_request(struct request *request) WARN_UNUSED;

#endif
