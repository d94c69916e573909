/* SPDX-License-Identifier: Apache-2.0 */
/* signature — AWS Signature Version 4: is a request signed, and is the signature well formed. */
#ifndef STATOR_OPS_SIGNATURE_H
#define STATOR_OPS_SIGNATURE_H

#include "ops/endpoint.h"

/*
 * Fails with the authentication errors of facts/errors.md section 1. Only presence and form are
 * checked: any key and secret are let in.
 */
enum error_code signature_check(struct call *call,
                                const struct endpoint_request *request) WARN_UNUSED;

#endif
