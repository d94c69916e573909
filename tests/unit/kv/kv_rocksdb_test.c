/* SPDX-License-Identifier: Apache-2.0 */
/* RocksDB keeps the contract, on disk and in memory. */
#include "unit/kv/contract.h"

int main(void)
{
    static struct fixture_setup setups[] = {
        {.name = "rocksdb on disk"},
        {.name = "rocksdb on disk, not synced", .durability = KV_ASYNC},
        {.name = "rocksdb in memory", .in_memory = true},
    };
    int failures = 0;
    for (size_t i = 0; i < sizeof setups / sizeof setups[0]; i++)
        failures += contract_run(&setups[i]) + contract_threads_run(&setups[i]) +
                    contract_corks_run(&setups[i]);
    return failures;
}
