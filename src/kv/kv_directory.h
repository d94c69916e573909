/* SPDX-License-Identifier: Apache-2.0 */
/* kv_directory — the directory a store lives in. */
#ifndef STATOR_KV_KV_DIRECTORY_H
#define STATOR_KV_KV_DIRECTORY_H

#include "kv/kv.h"

/*
 * Makes path a directory that can be written, durably; its last component may be missing.
 * KV_OPEN_OK or KV_OPEN_UNWRITABLE, with the reason in errno.
 */
enum kv_open_status kv_directory_make(const char *path) WARN_UNUSED;

#endif
