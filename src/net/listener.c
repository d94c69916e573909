/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener — makes the sockets so that "port taken" is told apart, without a race.
 *
 * SO_REUSEPORT lets every process of a user share a port, so a second server on the same port would
 * start and steal half the connections. Therefore the first socket binds and listens without it,
 * which fails if anybody listens there, with or without the option; then it gets the option, and
 * the other sockets, which have it from the start, may join it.
 */
#include "net/listener.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    BACKLOG = 1024,
    PORT_TEXT = 6, /* "65535" and its NUL */
};

static enum server_status resolve(const char *host, uint16_t port, struct addrinfo **address);
static int listen_on(const struct addrinfo *address, bool shared);
static enum server_status status_of_errno(void);
static uint16_t port_of(int socket);
static void set_port(struct addrinfo *address, uint16_t port);

enum server_status listener_open(const char *host, uint16_t *port, int *sockets, unsigned count)
{
    CHECK(count > 0);
    struct addrinfo *address = NULL;
    enum server_status status = resolve(host, *port, &address);
    if (status != SERVER_OK) return status;
    unsigned opened = 0;
    for (; opened < count; opened++) {
        sockets[opened] = listen_on(address, opened > 0);
        if (sockets[opened] < 0) {
            status = status_of_errno();
            break;
        }
        if (opened == 0) {
            *port = port_of(sockets[0]);
            set_port(address, *port);
        }
    }
    freeaddrinfo(address);
    if (status == SERVER_OK) return status;
    while (opened > 0)
        (void)close(sockets[--opened]);
    return status;
}

static enum server_status resolve(const char *host, uint16_t port, struct addrinfo **address)
{
    char service[PORT_TEXT];
    (void)snprintf(service, sizeof service, "%u", (unsigned)port);
    const struct addrinfo hints = {
        .ai_family = AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    const int result = getaddrinfo(host, service, &hints, address);
    if (result == EAI_MEMORY || result == EAI_SYSTEM) return SERVER_FAILED;
    return result == 0 ? SERVER_OK : SERVER_BAD_ADDRESS;
}

/* Returns the socket, or -1 with errno. */
static int listen_on(const struct addrinfo *address, bool shared)
{
    const int on = 1;
    const int type = address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const int fd = socket(address->ai_family, type, address->ai_protocol);
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) goto failed;
    if (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) goto failed;
    if (bind(fd, address->ai_addr, address->ai_addrlen) != 0) goto failed;
    if (listen(fd, BACKLOG) != 0) goto failed;
    if (!shared && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) goto failed;
    return fd;
failed:;
    const int error = errno;
    (void)close(fd);
    errno = error;
    return -1;
}

static enum server_status status_of_errno(void)
{
    switch (errno) {
    case EADDRINUSE:
        return SERVER_PORT_TAKEN;
    case EACCES:
    case EPERM:
        return SERVER_NO_PERMISSION;
    case EADDRNOTAVAIL:
    case EAFNOSUPPORT:
        return SERVER_BAD_ADDRESS;
    default:
        return SERVER_FAILED;
    }
}

static uint16_t port_of(int socket)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;
    CHECK(getsockname(socket, (struct sockaddr *)&address, &length) == 0);
    if (address.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&address)->sin_port);
}

static void set_port(struct addrinfo *address, uint16_t port)
{
    if (address->ai_family == AF_INET6)
        ((struct sockaddr_in6 *)(void *)address->ai_addr)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)(void *)address->ai_addr)->sin_port = htons(port);
}
