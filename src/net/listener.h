/* SPDX-License-Identifier: Apache-2.0 */
/* listener — listening sockets: several on one port, all of this process. */
#ifndef STATOR_NET_LISTENER_H
#define STATOR_NET_LISTENER_H

#include "net/server.h"

/*
 * Fills sockets with count listening, non-blocking sockets on host and *port; *port 0 becomes the
 * port the system chose. Fails with SERVER_PORT_TAKEN when anybody else listens there, another
 * process of the same user included. On failure nothing stays open.
 */
enum server_status listener_open(const char *host, uint16_t *port, int *sockets,
                                 unsigned count) WARN_UNUSED;

#endif
