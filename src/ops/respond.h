/* SPDX-License-Identifier: Apache-2.0 */
/* respond — members that many responses share. */
#ifndef STATOR_OPS_RESPOND_H
#define STATOR_OPS_RESPOND_H

#include "capacity/units.h"
#include "ops/op.h"
#include "store/item.h"

/* NONE, TOTAL or INDEXES of a ReturnConsumedCapacity member (NULL: NONE). */
enum consumption_detail respond_detail(const struct json_token *token);

/* Begins the response anew (a run may be repeated), and ends it. */
void respond_open(struct request *request);
void respond_close(struct request *request);

/* Begins a member of the top-level object: a comma when it is not the first, the name. */
void respond_member(struct request *request, const char *name);

/* A member that is an item. */
void respond_item(struct request *request, const char *name, struct slice item);

/* "ConsumedCapacity":{…}, when detail is not NONE. */
void respond_consumed(struct request *request, const struct consumption *consumption,
                      enum consumption_detail detail);

/* "ConsumedCapacity":[{…},…], when detail is not NONE. */
void respond_consumed_list(struct request *request, const struct consumption_list *list,
                           enum consumption_detail detail, enum consumption_mirror mirror);

/* {"ItemCollectionKey":…,"SizeEstimateRangeGB":[a,b]}, without a member name. */
void respond_collection_metrics(struct request *request, const struct write *write);

#endif
