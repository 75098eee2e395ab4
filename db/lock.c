/* SPDX-License-Identifier: Apache-2.0 */
/* The file stays when the daemon ends: to unlink it would let two daemons lock two files
 * of one name. */
#include "db/lock.h"

#include "base/log.h"
#include "db/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

static int busy(int fd, const char *dir, struct err *e)
{
    char text[24] = "";
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);
    char *end = text;
    long pid = n > 0 ? strtol(text, &end, 10) : 0;
    if (pid > 0 && *end == '\n')
        return err_set(e, -EBUSY, "state_dir", "process %ld has the catalog in %s", pid,
                       dir);
    return err_set(e, -EBUSY, "state_dir", "another process has the catalog in %s", dir);
}

static int lock_fd(int fd, const char *dir, const char *path, struct err *e)
{
    if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK)
            return busy(fd, dir, e);
        return err_set(e, -errno, "state_dir", "cannot lock %s: %s", path,
                       strerrordesc_np(errno));
    }
    /* Only for the message of the one who comes second: a failure here loses nothing. */
    char pid[24];
    int length = snprintf(pid, sizeof(pid), "%ld\n", (long)getpid());
    if (ftruncate(fd, 0) != 0 || pwrite(fd, pid, (size_t)length, 0) != length)
        log_warning("lock file without a pid", "errno=%d", errno);
    return fd;
}

int lock_take(const char *dir, struct err *e)
{
    char path[CATALOG_PATH_MAX];
    int length = snprintf(path, sizeof(path), "%s/catalog.lock", dir);
    if (length < 0 || (size_t)length >= sizeof(path))
        return err_set(e, -ENAMETOOLONG, "state_dir", "is longer than %d bytes",
                       CATALOG_PATH_MAX - 16);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_set(e, -errno, "state_dir", "cannot open %s: %s", path,
                       strerrordesc_np(errno));
    int rc = lock_fd(fd, dir, path, e);
    if (rc < 0)
        close(fd);
    return rc;
}
