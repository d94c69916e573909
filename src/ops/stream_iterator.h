/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream_iterator — places in a shard as clients hold them: sequence numbers and shard iterators.
 *
 * A sequence number is a stamp in decimal, of always the same length, so that numbers compare as
 * texts too. An iterator is the stream's ARN, "|1|", and in base64: format (1), shard (4), stamp
 * (12), time of its making in ms (8), the first bytes of a digest of all that. The digest keeps
 * iterators from being made up by accident; whoever takes the trouble reads nothing that he could
 * not have asked for.
 */
#ifndef STATOR_OPS_STREAM_ITERATOR_H
#define STATOR_OPS_STREAM_ITERATOR_H

#include "ops/stream_input.h"

struct slice stream_sequence_text(struct arena *arena, struct slice stamp);

/*
 * The stamp of a sequence number; of a number that none of ours has, the nearest there is. False
 * when the text is not a number.
 */
bool stream_sequence_read(struct slice text, uint8_t stamp[KV_STAMP_BYTES]);

struct stream_iterator {
    struct stream_name name;
    uint32_t shard_id;
    uint8_t after[KV_STAMP_BYTES]; /* all zero: before whatever is the oldest */
    int64_t created_ms;
};

bool stream_iterator_is_at_horizon(const struct stream_iterator *iterator);

struct slice stream_iterator_text(struct arena *arena, const struct stream_iterator *iterator);

/* Fails when the text is not an iterator, or too old. */
enum error_code stream_iterator_read(struct request *request, struct slice text,
                                     struct stream_iterator *iterator) WARN_UNUSED;

/* Fails when changes behind the iterator's place have been trimmed or are due to be. */
enum error_code stream_iterator_check(struct request *request, struct kv_txn *txn,
                                      const struct shard_state *shard,
                                      const struct stream_iterator *iterator) WARN_UNUSED;

/* Fails: what is asked for is past its day. */
enum error_code stream_iterator_trimmed(struct request *request);

#endif
