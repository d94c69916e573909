/* SPDX-License-Identifier: Apache-2.0 */
/* library — what the server may know of an open library: the database inside. */
#ifndef STATOR_LIBRARY_H
#define STATOR_LIBRARY_H

#include "stator.h"
#include "store/database.h"

struct database *library_database(struct stator *db);

#endif
