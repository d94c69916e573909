/* SPDX-License-Identifier: Apache-2.0 */
/* kv_wal_file — pieces, records, and what can still be recognised behind damage. */
#include "kv/kv_wal_file.h"

#include <endian.h>
#include <errno.h>
#include <unistd.h>

enum piece_type { FULL = 1, FIRST = 2, MIDDLE = 3, LAST = 4 };

enum {
    PIECE_HEAD_BYTES = 7,
    LENGTH_AT = 4,
    TYPE_AT = 6,
    RECORD_HEAD_BYTES = 12,
    COUNT_AT = 8,
    LOG_DATA = 3,                    /* RocksDB's kTypeLogData */
    MARK_AT = RECORD_HEAD_BYTES + 2, /* behind the operation's type and length */
    MARK_NAME_BYTES = 4,
    MASK_SHIFT = 15,
    WORD_BITS = 32,
};

static const uint32_t MASK_DELTA = 0xA282EAD8u;
static const uint8_t mark_name[MARK_NAME_BYTES] = {'s', 't', 'w', '1'};

/* A sequence number farther away than this comes from damaged bytes. */
static const uint64_t SEQUENCES_AHEAD_MAX = (uint64_t)1 << 40;

_Static_assert(KV_WAL_MARK_BYTES == MARK_NAME_BYTES + 2 * sizeof(uint64_t), "a mark's parts");
_Static_assert(KV_WAL_HEAD_BYTES >= MARK_AT + KV_WAL_MARK_BYTES, "a head holds its mark");

struct piece {
    enum piece_type type;
    struct slice bytes;
};

/* What the records behind damage say. */
struct testimony {
    uint64_t synced;   /* the most that one of them names as durable */
    bool is_unsynced;  /* one was written when not all before it was durable, … */
    uint64_t unsynced; /* … but so much: the first such */
};

/* The beginning of a record that two blocks share. */
struct split_head {
    bool is_open;
    size_t length;
    uint8_t bytes[KV_WAL_HEAD_BYTES];
};

static enum kv_wal_step load(struct kv_wal_file *file, int64_t start);
static bool read_piece(const struct kv_wal_file *file, size_t at, struct piece *piece);
static bool is_whole(const struct kv_wal_file *file, size_t at, const struct piece *piece);
static bool read_record(struct slice head, struct kv_wal_record *record);
static uint64_t read_64(const uint8_t *bytes);
static uint32_t read_32(const uint8_t *bytes);
static void write_64(uint64_t number, uint8_t *bytes);

enum kv_wal_step kv_wal_file_open(struct kv_wal_file *file, const struct crc32c *crc,
                                  int descriptor)
{
    file->crc = crc;
    file->descriptor = descriptor;
    return load(file, 0);
}

int64_t kv_wal_file_position(const struct kv_wal_file *file)
{
    return file->start + (int64_t)file->at;
}

void kv_wal_mark(uint64_t synced, uint64_t follows, uint8_t bytes[KV_WAL_MARK_BYTES])
{
    memcpy(bytes, mark_name, MARK_NAME_BYTES);
    write_64(synced, bytes + MARK_NAME_BYTES);
    write_64(follows, bytes + MARK_NAME_BYTES + sizeof synced);
}

/* ---- one after the other --------------------------------------------------------------------- */

/* Goes on in the next block when nothing more fits this one: KV_WAL_RECORD when there is more. */
static enum kv_wal_step reach_piece(struct kv_wal_file *file, bool is_within)
{
    const size_t rest = file->length - file->at;
    if (rest >= PIECE_HEAD_BYTES) return KV_WAL_RECORD;
    if (file->length == KV_WAL_BLOCK_BYTES) {
        const size_t at = file->at;
        const int64_t start = file->start;
        if (load(file, start + KV_WAL_BLOCK_BYTES) == KV_WAL_UNREADABLE) return KV_WAL_UNREADABLE;
        if (file->length >= PIECE_HEAD_BYTES) return KV_WAL_RECORD;
        if (file->length > 0) return KV_WAL_BROKEN;
        file->start = start; /* the position stays behind the last record */
        file->at = at;
    }
    return rest == 0 && !is_within ? KV_WAL_END : KV_WAL_BROKEN;
}

static void append_head(uint8_t *head, size_t *length, struct slice bytes)
{
    const size_t room = KV_WAL_HEAD_BYTES - *length;
    const size_t taken = bytes.length < room ? bytes.length : room;
    if (taken > 0) memcpy(head + *length, bytes.data, taken);
    *length += taken;
}

enum kv_wal_step kv_wal_file_next(struct kv_wal_file *file, struct kv_wal_record *record)
{
    uint8_t head[KV_WAL_HEAD_BYTES];
    size_t length = 0;
    bool is_within = false;
    for (;;) {
        const enum kv_wal_step step = reach_piece(file, is_within);
        if (step != KV_WAL_RECORD) return step;
        struct piece piece;
        if (!read_piece(file, file->at, &piece) || !is_whole(file, file->at, &piece))
            return KV_WAL_BROKEN;
        if (is_within != (piece.type == MIDDLE || piece.type == LAST)) return KV_WAL_BROKEN;
        append_head(head, &length, piece.bytes);
        file->at += PIECE_HEAD_BYTES + piece.bytes.length;
        is_within = piece.type == FIRST || piece.type == MIDDLE;
        if (!is_within)
            return read_record(slice_of(head, length), record) ? KV_WAL_RECORD : KV_WAL_BROKEN;
    }
}

/* ---- behind damage --------------------------------------------------------------------------- */

/*
 * Whether a piece at this place, whole or not, can be what it says. That spares the checksum of
 * nearly all that is no piece.
 */
static bool is_plausible(size_t at, const struct piece *piece, uint64_t after)
{
    const size_t end = at + PIECE_HEAD_BYTES + piece->bytes.length;
    switch (piece->type) {
    case FULL:
        if (piece->bytes.length < RECORD_HEAD_BYTES) return false;
        break;
    case FIRST:
        if (end != KV_WAL_BLOCK_BYTES) return false;
        break;
    case MIDDLE:
        return at == 0 && end == KV_WAL_BLOCK_BYTES;
    case LAST:
        return at == 0;
    }
    if (piece->bytes.length < RECORD_HEAD_BYTES) return true;
    const uint64_t first = read_64(piece->bytes.data);
    return first > after && first - after < SEQUENCES_AHEAD_MAX;
}

bool kv_wal_file_peek(struct kv_wal_file *file, int64_t position, struct kv_wal_record *record)
{
    const int64_t start = position - position % KV_WAL_BLOCK_BYTES;
    const size_t at = (size_t)(position - start);
    if (load(file, start) == KV_WAL_UNREADABLE || file->length < at + PIECE_HEAD_BYTES)
        return false;
    struct piece piece;
    return read_piece(file, at, &piece) && (piece.type == FULL || piece.type == FIRST) &&
           is_whole(file, at, &piece) && read_record(piece.bytes, record);
}

/* A record's beginning says what was durable when it was written. */
static void hear(struct slice head, uint64_t after, struct testimony *testimony)
{
    struct kv_wal_record record;
    if (!read_record(head, &record)) return;
    if (record.first <= after || record.first - after >= SEQUENCES_AHEAD_MAX) return;
    if (record.synced > testimony->synced) testimony->synced = record.synced;
    if (testimony->is_unsynced || record.synced >= record.follows) return;
    testimony->is_unsynced = true;
    testimony->unsynced = record.synced;
}

/*
 * A record may begin so close to its block's end that its mark lies in the next: then split
 * receives what there is of it.
 */
static void search_block(struct kv_wal_file *file, uint64_t after, struct split_head *split,
                         struct testimony *testimony)
{
    while (file->length - file->at >= PIECE_HEAD_BYTES) {
        struct piece piece;
        if (!read_piece(file, file->at, &piece) || !is_plausible(file->at, &piece, after) ||
            !is_whole(file, file->at, &piece)) {
            file->at++;
            continue;
        }
        if (piece.type == FIRST && piece.bytes.length < KV_WAL_HEAD_BYTES) {
            append_head(split->bytes, &split->length, piece.bytes);
            split->is_open = true;
        } else if (piece.type == FULL || piece.type == FIRST) {
            hear(piece.bytes, after, testimony);
        }
        file->at += PIECE_HEAD_BYTES + piece.bytes.length;
    }
}

/*
 * The rest of it, at the beginning of the next block. When that is lost, it says nothing: it may be
 * of a store that is never synced. Of one that is, the other records tell.
 */
static void join_head(const struct kv_wal_file *file, uint64_t after, struct split_head *split,
                      struct testimony *testimony)
{
    struct piece piece;
    if (split->is_open && file->length >= PIECE_HEAD_BYTES && read_piece(file, 0, &piece) &&
        (piece.type == MIDDLE || piece.type == LAST) && is_whole(file, 0, &piece)) {
        append_head(split->bytes, &split->length, piece.bytes);
        hear(slice_of(split->bytes, split->length), after, testimony);
    }
    *split = (struct split_head){0};
}

static enum kv_wal_step search(struct kv_wal_file *file, int64_t position, uint64_t after,
                               struct testimony *testimony)
{
    struct split_head split = {0};
    int64_t start = position - position % KV_WAL_BLOCK_BYTES;
    if (load(file, start) == KV_WAL_UNREADABLE) return KV_WAL_UNREADABLE;
    file->at = (size_t)(position - start);
    if (file->at > file->length) return KV_WAL_END;
    while (file->length > 0) {
        search_block(file, after, &split, testimony);
        start += KV_WAL_BLOCK_BYTES;
        if (load(file, start) == KV_WAL_UNREADABLE) return KV_WAL_UNREADABLE;
        join_head(file, after, &split, testimony);
    }
    return KV_WAL_END;
}

enum kv_wal_step kv_wal_file_search(struct kv_wal_file *file, int64_t position, uint64_t after,
                                    uint64_t *synced)
{
    struct testimony testimony = {.synced = *synced};
    const enum kv_wal_step step = search(file, position, after, &testimony);
    *synced = testimony.synced;
    return step;
}

bool kv_wal_file_is_unsynced(struct kv_wal_file *file, int64_t position, uint64_t *synced)
{
    struct testimony testimony = {0};
    if (search(file, position, 0, &testimony) == KV_WAL_UNREADABLE) return false;
    *synced = testimony.unsynced;
    return testimony.is_unsynced;
}

/* ---- bytes ----------------------------------------------------------------------------------- */

static enum kv_wal_step load(struct kv_wal_file *file, int64_t start)
{
    file->start = start;
    file->length = 0;
    file->at = 0;
    while (file->length < KV_WAL_BLOCK_BYTES) {
        const ssize_t count =
            pread(file->descriptor, file->block + file->length, KV_WAL_BLOCK_BYTES - file->length,
                  (off_t)(start + (int64_t)file->length));
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return KV_WAL_UNREADABLE;
        if (count == 0) break;
        file->length += (size_t)count;
    }
    return KV_WAL_RECORD;
}

/* False when there cannot be one; whether its bytes are right, is_whole tells. */
static bool read_piece(const struct kv_wal_file *file, size_t at, struct piece *piece)
{
    const uint8_t *bytes = file->block + at;
    CHECK(file->length - at >= PIECE_HEAD_BYTES);
    const size_t length = (size_t)bytes[LENGTH_AT] | (size_t)bytes[LENGTH_AT + 1] << 8;
    if (bytes[TYPE_AT] < FULL || bytes[TYPE_AT] > LAST) return false;
    if (length > file->length - at - PIECE_HEAD_BYTES) return false;
    piece->type = (enum piece_type)bytes[TYPE_AT];
    piece->bytes = slice_of(bytes + PIECE_HEAD_BYTES, length);
    return true;
}

/* The checksum covers the type and the bytes; it is stored rotated and displaced. */
static bool is_whole(const struct kv_wal_file *file, size_t at, const struct piece *piece)
{
    const uint8_t *bytes = file->block + at;
    const uint32_t crc =
        crc32c_extend(file->crc, 0, slice_of(bytes + TYPE_AT, 1 + piece->bytes.length));
    const uint32_t rotated = (crc >> MASK_SHIFT) | (crc << (WORD_BITS - MASK_SHIFT));
    return read_32(bytes) == rotated + MASK_DELTA;
}

/* A record without a mark was written when everything before it was durable. */
static bool read_record(struct slice head, struct kv_wal_record *record)
{
    if (head.length < RECORD_HEAD_BYTES) return false;
    record->first = read_64(head.data);
    record->last = record->first + read_32(head.data + COUNT_AT) - 1;
    record->synced = record->first - 1;
    record->follows = record->first - 1;
    if (head.length < MARK_AT + KV_WAL_MARK_BYTES) return true;
    const uint8_t *mark = head.data + MARK_AT;
    if (head.data[RECORD_HEAD_BYTES] != LOG_DATA || mark[-1] != KV_WAL_MARK_BYTES) return true;
    if (memcmp(mark, mark_name, MARK_NAME_BYTES) != 0) return true;
    record->synced = read_64(mark + MARK_NAME_BYTES);
    record->follows = read_64(mark + MARK_NAME_BYTES + sizeof(uint64_t));
    return true;
}

static uint64_t read_64(const uint8_t *bytes)
{
    uint64_t little;
    memcpy(&little, bytes, sizeof little);
    return le64toh(little);
}

static uint32_t read_32(const uint8_t *bytes)
{
    uint32_t little;
    memcpy(&little, bytes, sizeof little);
    return le32toh(little);
}

static void write_64(uint64_t number, uint8_t *bytes)
{
    const uint64_t little = htole64(number);
    memcpy(bytes, &little, sizeof little);
}
