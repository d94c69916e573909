/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_document — a resource-based policy's JSON in the one form in which the service keeps it:
 * no white space, members in a fixed order, lists of one action or resource as strings, accounts as
 * the ARNs of their roots. Two documents of one form are the same policy.
 *
 * What a policy allows is not looked at here.
 */
#ifndef STATOR_OPS_POLICY_DOCUMENT_H
#define STATOR_OPS_POLICY_DOCUMENT_H

#include "model/error.h"

/* text is not empty. Fails with VALIDATION when it is not a policy. */
enum error_code policy_document_read(struct call *call, struct slice text,
                                     struct slice *policy) WARN_UNUSED;

#endif
