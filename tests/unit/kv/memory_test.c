/* SPDX-License-Identifier: Apache-2.0 */
/* RocksDB in memory keeps the contract. */
#include "unit/kv/contract.h"

int main(void)
{
    static struct fixture_setup setup = {.name = "rocksdb in memory", .in_memory = true};
    return contract_run(&setup) + contract_threads_run(&setup);
}
