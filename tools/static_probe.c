/* SPDX-License-Identifier: Apache-2.0 */
/* static_probe — linked with the archives while CMake looks whether they are complete. */
#include <microhttpd.h>
#include <openssl/evp.h>
#include <rocksdb/c.h>

int main(void)
{
    rocksdb_options_t *options = rocksdb_options_create();
    char *error = NULL;
    return MHD_start_daemon(0, 0, NULL, NULL, NULL, NULL, MHD_OPTION_END) != NULL &&
           rocksdb_open(options, "", &error) != NULL && EVP_sha256() != NULL;
}
