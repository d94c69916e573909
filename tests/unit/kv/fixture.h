/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture — a store of its own for each test, and scripts: bodies written as tables of steps.
 *
 * A body may run on the engine's thread, where a failed assertion cannot be reported. So a script
 * notes what it finds wrong, and the test's thread asserts that there is nothing.
 */
#ifndef STATOR_UNIT_KV_FIXTURE_H
#define STATOR_UNIT_KV_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kv/kv_fault.h"

/* How the stores of a run of the suite are opened. */
struct fixture_setup {
    const char *name;
    bool in_memory;
    bool is_wrapped; /* in kv_fault */
    enum kv_durability durability;
};

struct fixture {
    const struct fixture_setup *setup;
    char directory[64];
    struct kv *kv;
    struct arena arena;
    struct kv_fault_plan plan;
};

#ifdef __clang__
/* A step's row in a table leaves out the members that its kind does not use. */
#pragma clang diagnostic ignored "-Wmissing-field-initializers"
#endif

enum fixture_step_kind {
    STEP_END,
    STEP_PUT,       /* key, text */
    STEP_DELETE,    /* key */
    STEP_RANGE,     /* key, text: delete [key, text) */
    STEP_ADD,       /* key, number */
    STEP_APPEND,    /* key: the prefix; text */
    STEP_TOUCH,     /* the metadata */
    STEP_GET,       /* key; text: the value, NULL: not found */
    STEP_COUNTER,   /* key; number */
    STEP_SCAN,      /* key, end; text: the rows, "a=1 b=2 " */
    STEP_SCAN_BACK, /* the same from the end */
};

struct fixture_step {
    enum fixture_step_kind kind;
    const char *key;
    const char *text;
    int64_t number;
    const char *end;
};

enum { FIXTURE_STEPS_MAX = 12 };

struct fixture_script {
    struct fixture_step steps[FIXTURE_STEPS_MAX];
    enum kv_status status; /* what the body returns: KV_OK accepts */
    char problem[256];     /* what was wrong; empty if nothing */
    enum kv_status outcome;
    int order; /* as the how-many-eth of its group it was done */
};

/* cmocka's, for each test; the initial state is the setup. */
int fixture_open(void **state);
int fixture_close(void **state);

/* Closes the store and opens it again. */
void fixture_reopen(struct fixture *fixture);

/* Makes and removes a directory for a test that opens its stores itself. */
void fixture_make_directory(char directory[64]);
void fixture_remove_directory(const char *directory);

/* Runs a script and asserts that it found nothing wrong and ended as its body said. */
void fixture_update(struct fixture *fixture, struct fixture_script script);
void fixture_view(struct fixture *fixture, struct fixture_script script);

/*
 * Runs scripts one after the other without waiting between them, so that an engine which groups
 * puts them into one group. Asserts like fixture_update, and that they were done in order.
 */
void fixture_group(struct fixture *fixture, struct fixture_script *scripts, size_t count);

/* The body that runs a script. */
enum kv_status fixture_body(struct kv_txn *txn, void *script);

#endif
