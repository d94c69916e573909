/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin — the administration of a server under test: its clock, its chance, and faults on purpose.
 * docs/testing-your-app.md is its manual. It is off unless the server was started with --admin, and
 * then answers this machine only.
 */
#ifndef STATOR_OPS_ADMIN_H
#define STATOR_OPS_ADMIN_H

#include "base/buffer.h"
#include "store/database.h"

/* What its paths begin with: "/_stator/clock". */
#define ADMIN_PATH SLICE("/_stator/")

/* True when the database was opened for administration. */
bool admin_is_on(const struct database *database);

/*
 * Runs a command: "clock", "random" or "faults", with its JSON body (may be empty). Appends the
 * answer, also of an error, and returns its HTTP status. Any thread.
 */
int admin_run(struct database *database, struct slice command, struct slice body,
              struct buffer *answer);

#endif
