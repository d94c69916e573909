/* SPDX-License-Identifier: Apache-2.0 */
/* serve — an open database behind an HTTP server. */
#ifndef STATOR_SERVE_H
#define STATOR_SERVE_H

#include "net/server.h"
#include "stator.h"

/* Serves the database until server_close, which comes before stator_close. */
enum server_status serve_open(const struct server_options *options, struct stator *db,
                              struct server **server) WARN_UNUSED;

#endif
