/* SPDX-License-Identifier: Apache-2.0 */
/* stream_iterator — stamps to decimal and back, iterators to text and back. */
#include "ops/stream_iterator.h"

#include <openssl/evp.h>

#include "base/base64.h"
#include "model/limits.h"

enum {
    FORMAT = 1,
    LIMB_BYTES = 4,
    LIMBS = KV_STAMP_BYTES / LIMB_BYTES,
    /* A leading 1 and then the stamp's number, which is less than 10 to the power of 29. */
    STAMP_DIGITS = 29,
    SEQUENCE_DIGITS = 1 + STAMP_DIGITS,
    DECIMAL = 10,
    DIGEST_BYTES = 8,
    SHARD_AT = 1,
    STAMP_AT = SHARD_AT + 4,
    TIME_AT = STAMP_AT + KV_STAMP_BYTES,
    DIGEST_AT = TIME_AT + 8,
    BODY_BYTES = DIGEST_AT + DIGEST_BYTES,
};

_Static_assert(KV_STAMP_BYTES % LIMB_BYTES == 0, "a stamp is whole limbs");
_Static_assert((int)SEQUENCE_DIGITS >= (int)LIMIT_SEQUENCE_LENGTH_MIN &&
                   (int)SEQUENCE_DIGITS <= (int)LIMIT_SEQUENCE_LENGTH,
               "sequence numbers are as long as the service's");

static const struct slice separator = {(const uint8_t *)"|1|", 3};

/* ---- sequence numbers ------------------------------------------------------------------------ */

static uint32_t read_u32(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

static void write_u32(uint8_t *to, uint32_t number)
{
    for (int i = 0; i < LIMB_BYTES; i++)
        to[i] = (uint8_t)(number >> (24 - 8 * i));
}

struct slice stream_sequence_text(struct arena *arena, struct slice stamp)
{
    CHECK(stamp.length == KV_STAMP_BYTES);
    uint32_t limbs[LIMBS];
    for (int i = 0; i < LIMBS; i++)
        limbs[i] = read_u32(stamp.data + LIMB_BYTES * i);
    uint8_t *digits = arena_alloc_raw(arena, SEQUENCE_DIGITS);
    for (int at = SEQUENCE_DIGITS - 1; at > 0; at--) {
        uint64_t rest = 0;
        for (int i = 0; i < LIMBS; i++) {
            const uint64_t part = rest << 32 | limbs[i];
            limbs[i] = (uint32_t)(part / DECIMAL);
            rest = part % DECIMAL;
        }
        digits[at] = (uint8_t)('0' + rest);
    }
    digits[0] = '1';
    return slice_of(digits, SEQUENCE_DIGITS);
}

/* Multiplies by ten and adds; false when it does not fit. */
static bool add_digit(uint32_t limbs[LIMBS], uint32_t digit)
{
    uint64_t carry = digit;
    for (int i = LIMBS - 1; i >= 0; i--) {
        const uint64_t part = (uint64_t)limbs[i] * DECIMAL + carry;
        limbs[i] = (uint32_t)part;
        carry = part >> 32;
    }
    return carry == 0;
}

bool stream_sequence_read(struct slice text, uint8_t stamp[KV_STAMP_BYTES])
{
    for (size_t i = 0; i < text.length; i++) {
        if (text.data[i] < '0' || text.data[i] > '9') return false;
    }
    while (text.length > 0 && text.data[0] == '0')
        text = slice_of(text.data + 1, text.length - 1);
    memset(stamp, 0, KV_STAMP_BYTES);
    if (text.length < SEQUENCE_DIGITS) return true;

    uint32_t limbs[LIMBS] = {0};
    bool fits = text.length == SEQUENCE_DIGITS && text.data[0] == '1';
    for (size_t i = 1; fits && i < text.length; i++)
        fits = add_digit(limbs, (uint32_t)(text.data[i] - '0'));
    for (int i = 0; i < LIMBS; i++)
        write_u32(stamp + LIMB_BYTES * i, fits ? limbs[i] : UINT32_MAX);
    return true;
}

/* ---- iterators ------------------------------------------------------------------------------- */

bool stream_iterator_is_at_horizon(const struct stream_iterator *iterator)
{
    static const uint8_t none[KV_STAMP_BYTES];
    return memcmp(iterator->after, none, sizeof none) == 0;
}

static void add_digest(struct slice arn, uint8_t body[BODY_BYTES])
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    CHECK(context != NULL);
    CHECK(EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1);
    CHECK(EVP_DigestUpdate(context, arn.data, arn.length) == 1);
    CHECK(EVP_DigestUpdate(context, body, DIGEST_AT) == 1);
    CHECK(EVP_DigestFinal_ex(context, digest, &length) == 1);
    EVP_MD_CTX_free(context);
    CHECK(length >= DIGEST_BYTES);
    memcpy(body + DIGEST_AT, digest, DIGEST_BYTES);
}

struct slice stream_iterator_text(struct arena *arena, const struct stream_iterator *iterator)
{
    uint8_t body[BODY_BYTES] = {FORMAT};
    write_u32(body + SHARD_AT, iterator->shard_id);
    memcpy(body + STAMP_AT, iterator->after, KV_STAMP_BYTES);
    write_u32(body + TIME_AT, (uint32_t)((uint64_t)iterator->created_ms >> 32));
    write_u32(body + TIME_AT + LIMB_BYTES, (uint32_t)iterator->created_ms);
    add_digest(iterator->name.arn, body);
    struct buffer text = buffer_open(arena, iterator->name.arn.length + 2 * BODY_BYTES);
    buffer_append(&text, iterator->name.arn);
    buffer_append(&text, separator);
    base64_append(&text, slice_of(body, sizeof body));
    return buffer_slice(&text);
}

/* False when the text is not one that stream_iterator_text has made. */
static bool parse(struct request *request, struct slice text, struct stream_iterator *iterator)
{
    struct slice body;
    size_t at = 0;
    while (at < text.length && text.data[at] != separator.data[0])
        at++;
    const struct slice arn = slice_of(text.data, at);
    const struct slice rest = slice_of(text.data + at, text.length - at);
    if (!slice_has_prefix(rest, separator)) return false;
    if (base64_decode(slice_of(rest.data + separator.length, rest.length - separator.length),
                      request->call.arena, &body) != BASE64_OK)
        return false;
    if (body.length != BODY_BYTES || body.data[0] != FORMAT) return false;
    uint8_t expected[BODY_BYTES];
    memcpy(expected, body.data, sizeof expected);
    add_digest(arn, expected);
    if (memcmp(expected, body.data, sizeof expected) != 0) return false;

    iterator->shard_id = read_u32(expected + SHARD_AT);
    memcpy(iterator->after, expected + STAMP_AT, KV_STAMP_BYTES);
    iterator->created_ms = (int64_t)((uint64_t)read_u32(expected + TIME_AT) << 32 |
                                     read_u32(expected + TIME_AT + LIMB_BYTES));
    return stream_name_of_arn(request->database, arn, &iterator->name);
}

enum error_code stream_iterator_read(struct request *request, struct slice text,
                                     struct stream_iterator *iterator)
{
    struct call *call = &request->call;
    if (!parse(request, text, iterator))
        return fail(call, ERROR_VALIDATION, "Invalid ShardIterator");
    if (iterator->created_ms > call->now_ms - LIMIT_ITERATOR_LIFE_MS) return OK;
    return fail(call, ERROR_EXPIRED_ITERATOR,
                "The provided iterator exceeds the maximum age allowed.");
}

/* ---- what is past its day -------------------------------------------------------------------- */

enum error_code stream_iterator_trimmed(struct request *request)
{
    return fail(&request->call, ERROR_TRIMMED_DATA,
                "The data you are trying to access has been trimmed.");
}

enum error_code stream_iterator_check(struct request *request, struct kv_txn *txn,
                                      const struct shard_state *shard,
                                      const struct stream_iterator *iterator)
{
    if (stream_iterator_is_at_horizon(iterator)) return OK;
    struct call *call = &request->call;
    const struct slice after = slice_of(iterator->after, KV_STAMP_BYTES);
    if (slice_compare(shard->trimmed, after) > 0) return stream_iterator_trimmed(request);
    const struct change_place from = {shard->table_id, shard->id, after};
    struct change_walk walk;
    struct change change;
    enum kv_status status = change_walk_open(txn, call->arena, &from, &walk);
    TRY(database_status(call, status));
    status = change_walk_next(&walk, &change);
    change_walk_close(&walk);
    if (status == KV_NOT_FOUND) return OK;
    TRY(database_status(call, status));
    return stream_is_over(change.time_ms, call->now_ms) ? stream_iterator_trimmed(request) : OK;
}
