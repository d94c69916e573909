/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contract — what kv.h promises, as tests that every engine passes. Each engine's test file runs
 * all its parts with its own setup.
 */
#ifndef STATOR_UNIT_KV_CONTRACT_H
#define STATOR_UNIT_KV_CONTRACT_H

#include "unit/kv/fixture.h"

/* One transaction after another, and groups of them. Returns the number of failed tests. */
int contract_run(struct fixture_setup *setup);

/* Transactions of several threads (contract_threads.c). */
int contract_threads_run(struct fixture_setup *setup);

/* Updates while somebody has corked (contract_corks.c). */
int contract_corks_run(struct fixture_setup *setup);

/* Runs tests (made by cmocka_unit_test_setup_teardown) with setup as their initial state. */
int contract_run_tests(struct CMUnitTest *tests, size_t count, struct fixture_setup *setup);

#define CONTRACT_TEST(function) \
    cmocka_unit_test_setup_teardown(function, fixture_open, fixture_close)

#endif
