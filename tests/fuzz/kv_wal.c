/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_wal — logs as a crash may leave them. Any bytes are read to an end without going in circles.
 * Of records that the input describes, written as RocksDB writes them, all come back; and when
 * bytes of them are spoilt, those before the damage do, and none that is not theirs, and the search
 * behind it finds what every record says whose beginning is whole.
 */
#include "kv/kv_wal_file.h"

#include <endian.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length);

enum {
    RECORDS_MAX = 64,
    FILE_BYTES_MAX = 8 * KV_WAL_BLOCK_BYTES,
    HEAD_BYTES = 7,
    TYPE_AT = 6,
    FULL = 1,
    FIRST = 2,
    MIDDLE = 3,
    LAST = 4,
    LOG_DATA = 3,
    COUNT_AT = 8,
    MARKED_AT = 12,
    MASK_SHIFT = 15,
    WORD_BITS = 32,
    BYTE_BITS = 8,
};
static const uint32_t MASK_DELTA = 0xA282EAD8u;

/* Bytes of the input, as long as there are some. */
struct source {
    struct slice rest;
};

struct written {
    struct kv_wal_record record;
    size_t begin;    /* of its first piece */
    size_t head_end; /* behind the pieces that hold what is looked at */
    size_t end;
};

struct log {
    uint8_t bytes[FILE_BYTES_MAX];
    size_t length;
    struct written records[RECORDS_MAX];
    size_t count;
};

static uint64_t take(struct source *source, size_t bytes)
{
    uint64_t number = 0;
    for (; bytes > 0 && source->rest.length > 0; bytes--) {
        number = number << BYTE_BITS | source->rest.data[0];
        source->rest = slice_of(source->rest.data + 1, source->rest.length - 1);
    }
    return number;
}

/* ---- a log ----------------------------------------------------------------------------------- */

static void write_piece(struct log *log, const struct crc32c *crc, uint8_t type, struct slice bytes)
{
    uint8_t *piece = log->bytes + log->length;
    piece[4] = (uint8_t)(bytes.length & UINT8_MAX);
    piece[5] = (uint8_t)(bytes.length >> BYTE_BITS);
    piece[TYPE_AT] = type;
    if (bytes.length > 0) memcpy(piece + HEAD_BYTES, bytes.data, bytes.length);
    const uint32_t sum = crc32c_extend(crc, 0, slice_of(piece + TYPE_AT, 1 + bytes.length));
    const uint32_t masked = (sum >> MASK_SHIFT | sum << (WORD_BITS - MASK_SHIFT)) + MASK_DELTA;
    const uint32_t little = htole32(masked);
    memcpy(piece, &little, sizeof little);
    log->length += HEAD_BYTES + bytes.length;
}

/* In as many pieces as the blocks ask for. */
static void write_record(struct log *log, const struct crc32c *crc, struct slice bytes)
{
    struct written *written = &log->records[log->count++];
    size_t done = 0;
    for (bool is_first = true; is_first || done < bytes.length; is_first = false) {
        size_t room = KV_WAL_BLOCK_BYTES - log->length % KV_WAL_BLOCK_BYTES;
        if (room < HEAD_BYTES) {
            memset(log->bytes + log->length, 0, room);
            log->length += room;
            room = KV_WAL_BLOCK_BYTES;
        }
        if (is_first) written->begin = log->length;
        const size_t rest = bytes.length - done;
        const size_t part = rest < room - HEAD_BYTES ? rest : room - HEAD_BYTES;
        const bool is_last = part == rest;
        const uint8_t type = is_first ? (is_last ? FULL : FIRST) : (is_last ? LAST : MIDDLE);
        const bool is_head = done < KV_WAL_HEAD_BYTES;
        write_piece(log, crc, type, slice_of(bytes.data + done, part));
        if (is_head) written->head_end = log->length;
        done += part;
    }
    written->end = log->length;
}

static void put_64(uint8_t *bytes, uint64_t number)
{
    const uint64_t little = htole64(number);
    memcpy(bytes, &little, sizeof little);
}

/* What the input says of one more record, which follows the one before; false when it is full. */
static bool describe_record(struct log *log, const struct crc32c *crc, struct source *source)
{
    static uint8_t bytes[2 * KV_WAL_BLOCK_BYTES];
    const uint64_t last = log->count == 0 ? 0 : log->records[log->count - 1].record.last;
    const uint64_t form = take(source, 1);
    const uint32_t operations = (uint32_t)take(source, 1) + 1;
    const size_t more = (size_t)take(source, (form & 1) != 0 ? 2 : 1);
    const bool is_marked = (form & 2) != 0;
    const size_t length = MARKED_AT + (is_marked ? 2 + KV_WAL_MARK_BYTES : 0) + more;
    const size_t room = FILE_BYTES_MAX - log->length;
    if (log->count == RECORDS_MAX || length + 4 * (size_t)HEAD_BYTES > room ||
        length > sizeof bytes)
        return false;
    memset(bytes, (int)form, length);
    struct kv_wal_record record = {
        .first = last + 1, .last = last + operations, .synced = last, .follows = last};
    put_64(bytes, record.first);
    const uint32_t little = htole32(operations);
    memcpy(bytes + COUNT_AT, &little, sizeof little);
    if (is_marked) {
        record.synced = last - (last == 0 ? 0 : take(source, 1) % last);
        bytes[MARKED_AT] = LOG_DATA;
        bytes[MARKED_AT + 1] = KV_WAL_MARK_BYTES;
        kv_wal_mark(record.synced, record.follows, bytes + MARKED_AT + 2);
    }
    write_record(log, crc, slice_of(bytes, length));
    log->records[log->count - 1].record = record;
    return true;
}

static int file_of(struct slice bytes)
{
    static int descriptor = -1;
    if (descriptor < 0) descriptor = memfd_create("log", MFD_CLOEXEC);
    CHECK(descriptor >= 0);
    CHECK(ftruncate(descriptor, 0) == 0);
    CHECK(pwrite(descriptor, bytes.data, bytes.length, 0) == (ssize_t)bytes.length);
    return descriptor;
}

/* ---- what is read ---------------------------------------------------------------------------- */

static bool is_same(const struct kv_wal_record *one, const struct kv_wal_record *other)
{
    return one->first == other->first && one->last == other->last && one->synced == other->synced &&
           one->follows == other->follows;
}

/* How many of the records come back, one after the other, before the end or a break. */
static size_t read_records(struct kv_wal_file *file, const struct log *log)
{
    enum kv_wal_step step = KV_WAL_RECORD;
    size_t count = 0;
    for (;; count++) {
        struct kv_wal_record record;
        step = kv_wal_file_next(file, &record);
        if (step != KV_WAL_RECORD) break;
        CHECK(count < log->count);
        CHECK(is_same(&record, &log->records[count].record));
        CHECK(kv_wal_file_position(file) == (int64_t)log->records[count].end);
    }
    CHECK(step == KV_WAL_END || step == KV_WAL_BROKEN);
    return count;
}

/* Spoils the bytes [from, to) and looks for what is left of the log. */
static void check_damage(struct log *log, const struct crc32c *crc, struct source *source)
{
    const size_t from = (size_t)take(source, 3) % log->length;
    const size_t most = (size_t)take(source, 2) % (log->length - from) + 1;
    const uint8_t change = (uint8_t)(take(source, 1) | 1);
    const size_t to = from + most;
    for (size_t i = from; i < to; i++)
        log->bytes[i] ^= change;
    size_t whole = 0;
    while (whole < log->count && log->records[whole].end <= from)
        whole++;
    struct kv_wal_file file;
    CHECK(kv_wal_file_open(&file, crc, file_of(slice_of(log->bytes, log->length))) ==
          KV_WAL_RECORD);
    const size_t count = read_records(&file, log);
    CHECK(count >= whole);
    const int64_t good = count == 0 ? 0 : (int64_t)log->records[count - 1].end;
    const uint64_t last = count == 0 ? 0 : log->records[count - 1].record.last;
    uint64_t told = 0;
    uint64_t most_told = 0;
    for (size_t i = count; i < log->count; i++) {
        const struct written *written = &log->records[i];
        if (written->record.synced > most_told) most_told = written->record.synced;
        const bool is_hurt = written->begin < to && written->head_end > from;
        if (!is_hurt && written->record.synced > told) told = written->record.synced;
    }
    uint64_t synced = 0;
    CHECK(kv_wal_file_search(&file, good, last, &synced) == KV_WAL_END);
    CHECK(synced >= told);
    CHECK(synced <= most_told);
}

static void check_described(struct source *source, const struct crc32c *crc)
{
    static struct log log;
    log.length = 0;
    log.count = 0;
    for (uint64_t wanted = take(source, 1) % RECORDS_MAX; wanted > 0; wanted--)
        if (!describe_record(&log, crc, source)) break;
    if (log.count == 0) return;
    struct kv_wal_file file;
    CHECK(kv_wal_file_open(&file, crc, file_of(slice_of(log.bytes, log.length))) == KV_WAL_RECORD);
    CHECK(read_records(&file, &log) == log.count);
    for (size_t i = 0; i < log.count; i++) {
        struct kv_wal_record record;
        if (kv_wal_file_peek(&file, (int64_t)log.records[i].begin, &record))
            CHECK(record.first == log.records[i].record.first);
    }
    check_damage(&log, crc, source);
}

/* Anything at all, as often as it takes to fill more than a block. */
static void check_any(struct slice bytes, size_t times, const struct crc32c *crc)
{
    static uint8_t file_bytes[2 * KV_WAL_BLOCK_BYTES];
    size_t length = 0;
    for (; times > 0 && length + bytes.length <= sizeof file_bytes; times--) {
        memcpy(file_bytes + length, bytes.data, bytes.length);
        length += bytes.length;
    }
    struct kv_wal_file file;
    struct kv_wal_record record;
    enum kv_wal_step step = kv_wal_file_open(&file, crc, file_of(slice_of(file_bytes, length)));
    int64_t position = 0;
    while (step == KV_WAL_RECORD) {
        step = kv_wal_file_next(&file, &record);
        if (step != KV_WAL_RECORD) break;
        CHECK(kv_wal_file_position(&file) > position);
        position = kv_wal_file_position(&file);
        CHECK(position <= (int64_t)length);
    }
    CHECK(step == KV_WAL_END || step == KV_WAL_BROKEN);
    uint64_t synced = 0;
    CHECK(kv_wal_file_search(&file, position, 0, &synced) == KV_WAL_END);
    (void)kv_wal_file_peek(&file, position, &record);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t length)
{
    static struct crc32c crc;
    static bool is_open;
    if (!is_open) crc32c_open(&crc);
    is_open = true;
    struct source source = {.rest = slice_of(data, length)};
    const uint64_t kind = take(&source, 1);
    if (source.rest.length == 0) return 0;
    if (kind % 4 == 0)
        check_any(source.rest, (size_t)kind + 1, &crc);
    else
        check_described(&source, &crc);
    return 0;
}
