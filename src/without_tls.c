/* SPDX-License-Identifier: Apache-2.0 */
/*
 * without_tls — stands in for GnuTLS in a server that libmicrohttpd is linked into.
 *
 * The server speaks no TLS, yet the archive of libmicrohttpd refers to GnuTLS, and loading that and
 * the nine libraries behind it takes longer than everything else in a start. Nothing here is called
 * except the first two, when libmicrohttpd prepares itself and at the end; a call of any other
 * function ends the server rather than let something pass that is not encrypted. When libmicrohttpd
 * refers to a function that is not listed, CMake links dynamically (tools/static.cmake).
 */
#include <stdlib.h>

int gnutls_global_init(void);
void gnutls_global_deinit(void);

int gnutls_global_init(void)
{
    return 0;
}

void gnutls_global_deinit(void)
{
}

#define REFUSE(function)           \
    _Noreturn void function(void); \
    _Noreturn void function(void)  \
    {                              \
        abort();                   \
    }

REFUSE(gnutls_alpn_set_protocols)
REFUSE(gnutls_bye)
REFUSE(gnutls_certificate_allocate_credentials)
REFUSE(gnutls_certificate_free_credentials)
REFUSE(gnutls_certificate_server_set_request)
REFUSE(gnutls_certificate_set_dh_params)
REFUSE(gnutls_certificate_set_retrieve_function2)
REFUSE(gnutls_certificate_set_retrieve_function3)
REFUSE(gnutls_certificate_set_x509_key_mem)
REFUSE(gnutls_certificate_set_x509_key_mem2)
REFUSE(gnutls_certificate_set_x509_trust_mem)
REFUSE(gnutls_cipher_get)
REFUSE(gnutls_credentials_set)
REFUSE(gnutls_deinit)
REFUSE(gnutls_dh_params_deinit)
REFUSE(gnutls_dh_params_import_pkcs3)
REFUSE(gnutls_dh_params_init)
REFUSE(gnutls_handshake)
REFUSE(gnutls_init)
REFUSE(gnutls_priority_deinit)
REFUSE(gnutls_priority_init)
REFUSE(gnutls_priority_set)
REFUSE(gnutls_protocol_get_version)
REFUSE(gnutls_psk_allocate_server_credentials)
REFUSE(gnutls_psk_free_server_credentials)
REFUSE(gnutls_psk_set_server_credentials_function)
REFUSE(gnutls_record_check_pending)
REFUSE(gnutls_record_get_direction)
REFUSE(gnutls_record_recv)
REFUSE(gnutls_record_send)
REFUSE(gnutls_session_get_ptr)
REFUSE(gnutls_session_set_ptr)
REFUSE(gnutls_strerror)
REFUSE(gnutls_transport_set_int2)

/* A variable there: a pointer to a function that allocates. */
void *(*const gnutls_malloc)(size_t size) = malloc;
