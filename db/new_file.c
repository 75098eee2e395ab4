/* SPDX-License-Identifier: Apache-2.0 */
/* The file with its directory. */
#include "db/new_file.h"

#include "db/catalog.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>

int new_file_create(const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd >= 0 ? 0
                   : err_set(e, -errno, "path", "cannot create %s: %s", path,
                             strerrordesc_np(errno));
}

static int path_sync(const char *path, int flags, struct err *e)
{
    AUTO_CLOSE int fd = open(path, flags | O_CLOEXEC);
    if (fd >= 0 && fsync(fd) == 0)
        return 0;
    return err_set(e, -errno, "path", "cannot sync %s: %s", path, strerrordesc_np(errno));
}

int new_file_sync(const char *path, struct err *e)
{
    int rc = path_sync(path, O_RDWR, e);
    if (rc != 0)
        return rc;
    char copy[CATALOG_PATH_MAX];
    snprintf(copy, sizeof(copy), "%s", path);
    return path_sync(dirname(copy), O_RDONLY | O_DIRECTORY, e);
}
