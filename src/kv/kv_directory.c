/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv_directory — making a store's directory, so that it is still there after a power cut, and
 * having it alone.
 *
 * RocksDB locks its file LOCK, but only once it has begun to open; what looks at the files before
 * it needs a lock of its own. That is on the directory itself, so it leaves no file behind.
 */
#include "kv/kv_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool sync_parent(const char *path);
static bool is_locked_by_rocksdb(int directory);

enum kv_open_status kv_directory_make(const char *path)
{
    if (mkdir(path, S_IRWXU) == 0) return sync_parent(path) ? KV_OPEN_OK : KV_OPEN_UNWRITABLE;
    if (errno != EEXIST) return KV_OPEN_UNWRITABLE;

    struct stat found;
    if (stat(path, &found) != 0) return KV_OPEN_UNWRITABLE;
    if (!S_ISDIR(found.st_mode)) {
        errno = ENOTDIR;
        return KV_OPEN_UNWRITABLE;
    }
    return access(path, R_OK | W_OK | X_OK) == 0 ? KV_OPEN_OK : KV_OPEN_UNWRITABLE;
}

/* The entry of a new directory is in its parent. */
static bool sync_parent(const char *path)
{
    const int directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (directory < 0) return false;
    const int parent = openat(directory, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(directory);
    if (parent < 0) return false;
    const bool is_synced = fsync(parent) == 0;
    close(parent);
    return is_synced;
}

enum kv_open_status kv_directory_lock(const char *path, int *lock)
{
    *lock = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*lock < 0) return KV_OPEN_UNWRITABLE;
    /* Where a file system knows no such lock, RocksDB's is what there is. */
    const bool is_taken = flock(*lock, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
    if (!is_taken && !is_locked_by_rocksdb(*lock)) return KV_OPEN_OK;
    close(*lock);
    *lock = -1;
    errno = EWOULDBLOCK;
    return KV_OPEN_LOCKED;
}

/*
 * By a program that does not know our lock. Asking closes the file and with it drops a lock that
 * this process has on it; but then ours would have been taken.
 */
static bool is_locked_by_rocksdb(int directory)
{
    const int file = openat(directory, "LOCK", O_RDWR | O_CLOEXEC);
    if (file < 0) return false;
    struct flock wanted = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    const bool is_locked = fcntl(file, F_GETLK, &wanted) == 0 && wanted.l_type != F_UNLCK;
    close(file);
    return is_locked;
}

static bool has_suffix(const char *name, const char *suffix)
{
    const size_t length = strlen(name);
    return length > strlen(suffix) && strcmp(name + length - strlen(suffix), suffix) == 0;
}

bool kv_directory_is_complete(const char *path)
{
    DIR *listing = opendir(path);
    if (listing == NULL) return false;
    bool has_current = false;
    bool has_data = false;
    for (const struct dirent *entry; (entry = readdir(listing)) != NULL;) {
        if (strcmp(entry->d_name, "CURRENT") == 0) has_current = true;
        if (has_suffix(entry->d_name, ".sst") || has_suffix(entry->d_name, ".log")) has_data = true;
    }
    closedir(listing);
    return has_current || !has_data;
}
