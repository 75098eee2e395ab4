/* SPDX-License-Identifier: Apache-2.0 */
/* Leads the calls by which superblocks are read and written, and files made longer, to
 * the disks of cut_disk.h, so that a cut takes from them too. For programs that are
 * linked with these names wrapped (-Wl,--wrap=...). */
#include "tests/lib/cut_disk.h"

#include <errno.h>

ssize_t __real_pwrite(int fd, const void *data, size_t bytes, off_t at);
ssize_t __real_pread(int fd, void *data, size_t bytes, off_t at);
int __real_fdatasync(int fd);
int __real_fsync(int fd);
int __real_ftruncate(int fd, off_t bytes);
ssize_t __wrap_pwrite(int fd, const void *data, size_t bytes, off_t at);
ssize_t __wrap_pread(int fd, void *data, size_t bytes, off_t at);
int __wrap_fdatasync(int fd);
int __wrap_fsync(int fd);
int __wrap_ftruncate(int fd, off_t bytes);

ssize_t __wrap_pwrite(int fd, const void *data, size_t bytes, off_t at)
{
    struct cut_disk *disk = cut_disk_find(fd);
    if (disk == NULL)
        return __real_pwrite(fd, data, bytes, at);
    cut_disk_write(disk, data, bytes, (uint64_t)at);
    return (ssize_t)bytes;
}

ssize_t __wrap_pread(int fd, void *data, size_t bytes, off_t at)
{
    struct cut_disk *disk = cut_disk_find(fd);
    return disk == NULL ? __real_pread(fd, data, bytes, at)
                        : cut_disk_read(disk, fd, data, bytes, at);
}

static int disk_sync(struct cut_disk *disk, int fd)
{
    int rc = cut_disk_sync(disk, fd);
    if (rc != 0)
        errno = -rc;
    return rc == 0 ? 0 : -1;
}

int __wrap_fdatasync(int fd)
{
    struct cut_disk *disk = cut_disk_find(fd);
    return disk == NULL ? __real_fdatasync(fd) : disk_sync(disk, fd);
}

int __wrap_fsync(int fd)
{
    struct cut_disk *disk = cut_disk_find(fd);
    return disk == NULL ? __real_fsync(fd) : disk_sync(disk, fd);
}

int __wrap_ftruncate(int fd, off_t bytes)
{
    struct cut_disk *disk = cut_disk_find(fd);
    if (disk != NULL)
        cut_disk_resizes(disk, fd);
    return __real_ftruncate(fd, bytes);
}
