/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_wal — looks at RocksDB's write-ahead logs before RocksDB replays them, and tells what a crash
 * leaves behind from damage.
 *
 * A power cut can leave any part of what was not yet synced: pages of the last group missing,
 * zero or stale, in any order. Nobody was told that it was written, so it is dropped. But a log
 * that is damaged before the last sync has lost acknowledged writes, and must not be opened. The
 * bytes of the damage cannot tell the two apart. What comes after it can: each group begins with a
 * mark that says up to which sequence number everything was durable when the group was written.
 *
 *   - The logs are read in order up to the first break: bytes that are no record, or a record that
 *     does not follow the one before it (its mark says which that was).
 *   - If any later beginning of a record says that more was durable than what lies before the
 *     break, the break is damage. It is reported, and nothing is changed.
 *   - Otherwise all that follows was never synced: the log is cut there, and later ones emptied.
 *
 * RocksDB removes logs that it needs no more, the newest of them first. Killed meanwhile, it leaves
 * the oldest, and a gap before those it needs. That is no break; but only RocksDB knows which logs
 * it needs, so the check then ends with the question, and is made again with the answer.
 *
 * What remains has no breaks, so RocksDB is told to forgive none. Everything is synced before
 * anybody reads it: a process that was killed may have left a group written but not durable. And
 * it is read from the disk: one whose sync failed may have left what only the system's memory has.
 *
 * One case cannot be told: damage to the very last group when nothing was written after it. It is
 * taken for a crash's. A store that is closed properly therefore ends with an empty group.
 */
#ifndef STATOR_KV_KV_WAL_H
#define STATOR_KV_KV_WAL_H

#include "kv/kv.h"

struct kv_wal_report {
    uint64_t last;         /* sequence number of the last record; 0: there is none */
    uint64_t damaged;      /* number of the first damaged log; 0: none is */
    uint64_t gap;          /* number of a log that does not follow the one before it; 0: all do */
    struct slice problem;  /* what to say about it */
    int64_t bytes_dropped; /* of groups that were never acknowledged */
};

/*
 * Checks, cuts and syncs the logs in a directory that nobody else uses, but for those numbered
 * below oldest, which are not needed; oldest is 0 as long as nobody knows. KV_OPEN_OK also when one
 * is damaged, because RocksDB may have no more need of it, and when oldest is 0 and there is a gap:
 * then nothing is changed and nothing else is told. KV_OPEN_FAILED, with the reason in problem,
 * when they cannot be read, cut or synced.
 */
enum kv_open_status kv_wal_check(const char *directory, uint64_t oldest, struct arena *arena,
                                 struct kv_wal_report *report) WARN_UNUSED;

#endif
