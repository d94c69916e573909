/* SPDX-License-Identifier: Apache-2.0 */
/* kv_directory — making a store's directory, so that it is still there after a power cut. */
#include "kv/kv_directory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool sync_parent(const char *path);

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
