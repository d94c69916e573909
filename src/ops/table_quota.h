/* SPDX-License-Identifier: Apache-2.0 */
/* table_quota — what one account may have and how often it may change it: LimitExceededException.
 */
#ifndef STATOR_OPS_TABLE_QUOTA_H
#define STATOR_OPS_TABLE_QUOTA_H

#include "ops/op.h"

/* One more table. */
enum error_code table_quota_tables(struct request *request, struct kv_txn *txn) WARN_UNUSED;

/* The units of a description, of its indexes too, against what one table and the account may have.
 */
enum error_code table_quota_units(struct request *request, const struct table *table) WARN_UNUSED;

/* May this throughput be lowered now? */
enum error_code table_quota_decrease(struct request *request,
                                     const struct throughput *throughput) WARN_UNUSED;

/* Decreases in the current UTC day. */
int64_t table_quota_decreases_today(const struct throughput *throughput, int64_t now_ms);

/* May the table's class be changed now? */
enum error_code table_quota_class(struct request *request, const struct table *table) WARN_UNUSED;

/* Fails when the encryption key has been changed too often; else counts one change more. */
enum error_code table_quota_encryption(struct request *request, bool enabled,
                                       struct table *table) WARN_UNUSED;

/* Fails when the table was switched to on-demand too often; else counts one switch more. */
enum error_code table_quota_on_demand(struct request *request, struct table *table) WARN_UNUSED;

/* Fails when deletion protection was changed a moment ago. */
enum error_code table_quota_protection(struct request *request,
                                       const struct table *table) WARN_UNUSED;

#endif
