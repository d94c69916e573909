/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transact_digest — what identifies the content of a TransactWriteItems, so that a repeated
 * ClientRequestToken can be told from a reused one.
 *
 * The digest is over what the actions mean, not over their JSON: white space, the order of members,
 * the spelling of numbers and members that nobody knows make no difference.
 */
#ifndef STATOR_OPS_TRANSACT_DIGEST_H
#define STATOR_OPS_TRANSACT_DIGEST_H

#include "ops/write_input.h"

enum { TRANSACT_DIGEST_BYTES = 32 };

struct transact_digest;

/* In the arena, but to be ended by transact_digest_finish whatever happens in between. */
struct transact_digest *transact_digest_open(struct arena *arena);

/* Adds one action, compiled and bound. */
enum error_code transact_digest_add(struct transact_digest *digest, struct request *request,
                                    const struct write_input *input,
                                    const struct write *write) WARN_UNUSED;

/* Adds bytes that identify an action: a statement, a parameter. */
void transact_digest_add_bytes(struct transact_digest *digest, struct slice bytes);

/* SHA-256 over all actions, in the arena of the digest. */
struct slice transact_digest_finish(struct transact_digest *digest);

#endif
