/* SPDX-License-Identifier: Apache-2.0 */
/* listener_test — one port, many sockets, one owner. */
#include "net/listener.h"
#include "unit/unit.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SOCKETS = 4 };

static void close_all(const int *sockets)
{
    for (int i = 0; i < SOCKETS; i++)
        assert_int_equal(close(sockets[i]), 0);
}

static void all_sockets_share_the_port_the_system_chose(void **state)
{
    (void)state;
    int sockets[SOCKETS];
    uint16_t port = 0;
    assert_int_equal(listener_open("127.0.0.1", &port, sockets, SOCKETS), SERVER_OK);
    assert_int_not_equal(port, 0);
    for (int i = 0; i < SOCKETS; i++) {
        struct sockaddr_in address;
        socklen_t length = sizeof address;
        assert_int_equal(getsockname(sockets[i], (struct sockaddr *)&address, &length), 0);
        assert_int_equal(ntohs(address.sin_port), port);
    }
    close_all(sockets);
}

static void connections_reach_every_socket(void **state)
{
    (void)state;
    enum { CONNECTIONS = 200 };
    int sockets[SOCKETS];
    int clients[CONNECTIONS];
    uint16_t port = 0;
    assert_int_equal(listener_open("127.0.0.1", &port, sockets, SOCKETS), SERVER_OK);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    for (int i = 0; i < CONNECTIONS; i++) {
        clients[i] = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(connect(clients[i], (const struct sockaddr *)&address, sizeof address), 0);
    }
    int total = 0;
    for (int i = 0; i < SOCKETS; i++) {
        int accepted = 0;
        int fd = 0;
        while ((fd = accept(sockets[i], NULL, NULL)) >= 0) {
            accepted++;
            (void)close(fd);
        }
        assert_true(accepted > 0);
        total += accepted;
    }
    assert_int_equal(total, CONNECTIONS);
    for (int i = 0; i < CONNECTIONS; i++)
        (void)close(clients[i]);
    close_all(sockets);
}

static void a_second_owner_is_refused(void **state)
{
    (void)state;
    int first[SOCKETS];
    int second[SOCKETS];
    uint16_t port = 0;
    assert_int_equal(listener_open("127.0.0.1", &port, first, SOCKETS), SERVER_OK);
    assert_int_equal(listener_open("127.0.0.1", &port, second, SOCKETS), SERVER_PORT_TAKEN);
    assert_int_equal(listener_open("0.0.0.0", &port, second, SOCKETS), SERVER_PORT_TAKEN);
    close_all(first);
    assert_int_equal(listener_open("127.0.0.1", &port, second, SOCKETS), SERVER_OK);
    close_all(second);
}

static void a_foreign_address_is_refused(void **state)
{
    (void)state;
    int sockets[SOCKETS];
    uint16_t port = 0;
    assert_int_equal(listener_open("192.0.2.1", &port, sockets, SOCKETS), SERVER_BAD_ADDRESS);
    assert_int_equal(listener_open("", &port, sockets, SOCKETS), SERVER_BAD_ADDRESS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sockets_share_the_port_the_system_chose),
        cmocka_unit_test(connections_reach_every_socket),
        cmocka_unit_test(a_second_owner_is_refused),
        cmocka_unit_test(a_foreign_address_is_refused),
    };
    return cmocka_run_group_tests_name("net/listener", tests, NULL, NULL);
}
