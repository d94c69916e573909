/* SPDX-License-Identifier: Apache-2.0 */
/* client — blocking sockets with a deadline, so that a silent server fails a test and hangs none.
 */
#include "unit/net/client.h"

#include "unit/unit.h"
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    REPLY_MS = 5000,
    READ_BYTES = 64 * 1024,
};

void client_open(struct client *client, uint16_t port)
{
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int on = 1;
    client->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->fd >= 0);
    (void)setsockopt(client->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    assert_int_equal(connect(client->fd, (const struct sockaddr *)&address, sizeof address), 0);
    arena_open(&client->arena, 0);
    client->received = buffer_open(&client->arena, READ_BYTES);
}

void client_close(struct client *client)
{
    (void)close(client->fd);
    arena_close(&client->arena);
}

/* A server may hang up while we are still talking: that is for the reply to tell. */
void client_send(struct client *client, struct slice bytes)
{
    while (bytes.length > 0) {
        const ssize_t sent = send(client->fd, bytes.data, bytes.length, MSG_NOSIGNAL);
        if (sent <= 0) return;
        bytes = slice_of(bytes.data + sent, bytes.length - (size_t)sent);
    }
}

void client_send_text(struct client *client, const char *text)
{
    client_send(client, slice_of_string(text));
}

void client_post(struct client *client, const char *target, const char *extra, struct slice body)
{
    struct buffer out = buffer_open(&client->arena, 0);
    buffer_append_format(&out, "POST %s HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n%s\r\n",
                         target, body.length, extra);
    buffer_append(&out, body);
    client_send(client, buffer_slice(&out));
}

/* False at the end of the connection or of our patience. */
static bool read_more(struct client *client, int milliseconds)
{
    struct pollfd readable = {.fd = client->fd, .events = POLLIN};
    if (poll(&readable, 1, milliseconds) != 1) return false;
    uint8_t *room = buffer_reserve(&client->received, READ_BYTES);
    const ssize_t count = recv(client->fd, room, READ_BYTES, 0);
    if (count <= 0) return false;
    client->received.length += (size_t)count;
    return true;
}

static size_t number(struct slice text)
{
    size_t value = 0;
    for (size_t i = 0; i < text.length; i++)
        value = value * 10 + (size_t)(text.data[i] - '0');
    return value;
}

struct reply client_read(struct client *client)
{
    struct buffer *received = &client->received;
    const uint8_t *end = NULL;
    while ((end = memmem(received->data, received->length, "\r\n\r\n", 4)) == NULL) {
        if (!read_more(client, REPLY_MS)) return (struct reply){0};
    }
    const size_t head = (size_t)(end - received->data) + 4;
    struct reply reply = {.head = arena_copy(&client->arena, slice_of(received->data, head))};
    reply.status = (int)number(slice_of(reply.head.data + strlen("HTTP/1.1 "), 3));
    const size_t length = number(reply_header(reply, "Content-Length"));
    while (received->length < head + length) {
        if (!read_more(client, REPLY_MS)) return (struct reply){0};
    }
    reply.body = arena_copy(&client->arena, slice_of(received->data + head, length));
    received->length -= head + length;
    memmove(received->data, received->data + head + length, received->length);
    return reply;
}

struct reply client_ask(struct client *client, const char *target, const char *extra,
                        struct slice body)
{
    client_post(client, target, extra, body);
    return client_read(client);
}

bool client_sees_end(struct client *client, int milliseconds)
{
    if (client->received.length > 0) return false;
    struct pollfd readable = {.fd = client->fd, .events = POLLIN};
    if (poll(&readable, 1, milliseconds) != 1) return false;
    uint8_t byte = 0;
    return recv(client->fd, &byte, 1, 0) <= 0;
}

struct slice reply_header(struct reply reply, const char *name)
{
    const size_t length = strlen(name);
    const uint8_t *line = reply.head.data;
    const uint8_t *const end = line + reply.head.length;
    while (line < end) {
        const uint8_t *stop = memchr(line, '\r', (size_t)(end - line));
        if (stop == NULL) break;
        if ((size_t)(stop - line) > length + 1 && line[length] == ':' &&
            strncasecmp((const char *)line, name, length) == 0)
            return slice_of(line + length + 2, (size_t)(stop - line) - length - 2);
        line = stop + 2;
    }
    return (struct slice){0};
}
