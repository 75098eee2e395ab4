/* SPDX-License-Identifier: Apache-2.0 */
/* The log is there before its database: what a crash leaves is a log alone, which is
 * refused by whoever opens it and replaced by who restores again. */
#include "db/catalog.h"
#include "db/lock.h"
#include "db/mirror_dir.h"
#include "db/txn.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define COPY_BYTES 65536

struct restore {
    int own_lock, mirror_lock; /* -1: not taken */
    char from[CATALOG_PATH_MAX], to[CATALOG_PATH_MAX];
};

static int errno_set(struct err *e, const char *what, const char *path)
{
    return err_set(e, -errno, NULL, "cannot %s %s: %s", what, path,
                   strerrordesc_np(errno));
}

/* ---- Copying ----------------------------------------------------------------------- */

static int bytes_copy(int in, int out)
{
    char data[COPY_BYTES];
    ssize_t got;
    while ((got = read(in, data, sizeof(data))) > 0)
        for (ssize_t put = 0, n; put < got; put += n)
            if ((n = write(out, data + put, (size_t)(got - put))) <= 0)
                return -1;
    return got < 0 || fsync(out) != 0 ? -1 : 0;
}

/* Under another name first: it is whole or not there. */
static int file_copy(const char *from, const char *to, struct err *e)
{
    char part[CATALOG_PATH_MAX + 16];
    snprintf(part, sizeof(part), "%s.part", to);
    AUTO_CLOSE int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return errno_set(e, "open", from);
    AUTO_CLOSE int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0 || bytes_copy(in, out) != 0) {
        int rc = errno_set(e, "copy it to", part);
        unlink(part);
        return rc;
    }
    return rename(part, to) != 0 ? errno_set(e, "rename", part) : 0;
}

static int dir_sync(const char *dir, struct err *e)
{
    AUTO_CLOSE int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) != 0 ? errno_set(e, "sync", dir) : 0;
}

static int log_copy(const struct restore *r, const char *dir, struct err *e)
{
    char from[CATALOG_PATH_MAX + 8], to[CATALOG_PATH_MAX + 8];
    snprintf(from, sizeof(from), "%s-wal", r->from);
    snprintf(to, sizeof(to), "%s-wal", r->to);
    if (unlink(to) != 0 && errno != ENOENT)
        return errno_set(e, "remove", to);
    if (access(from, F_OK) != 0)
        return errno == ENOENT ? 0 : errno_set(e, "open", from);
    int rc = file_copy(from, to, e);
    return rc != 0 ? rc : dir_sync(dir, e);
}

/* ---- Where from, where to ---------------------------------------------------------- */

/* A mirror's directory, or a backup's file. */
static int restore_find(struct restore *r, const char *from, struct err *e)
{
    struct stat st;
    unsigned slot;
    if (stat(from, &st) != 0)
        return errno_set(e, "open", from);
    if (!S_ISDIR(st.st_mode)) {
        int length = snprintf(r->from, sizeof(r->from), "%s", from);
        return length < (int)sizeof(r->from)
                   ? 0
                   : err_set(e, -ENAMETOOLONG, NULL, "%s is too long", from);
    }
    int rc = r->mirror_lock = lock_take(from, e);
    if (rc >= 0)
        rc = mirror_dir_current(from, &slot, e);
    return rc != 0 ? rc : mirror_dir_database(from, slot, r->from, e);
}

static int restore_refuse_existing(struct restore *r, const char *dir, struct err *e)
{
    int length = snprintf(r->to, sizeof(r->to), "%s/catalog.db", dir);
    if (length >= (int)sizeof(r->to))
        return err_set(e, -ENAMETOOLONG, NULL, "%s is too long", dir);
    if (access(r->to, F_OK) != 0)
        return errno == ENOENT ? 0 : errno_set(e, "look for", r->to);
    return err_set(e, -EEXIST, NULL,
                   "%s is there: a catalog is restored only where there is none; move it "
                   "and its -wal out of the way",
                   r->to);
}

/* It is a catalog, of a schema that this program knows. */
static int restore_try(const char *dir, struct err *e)
{
    struct catalog_options options = {.dir = dir, .reader_count = 1};
    struct catalog *c;
    int rc = catalog_open(&options, &c, e);
    if (rc == 0)
        catalog_close(c);
    return rc;
}

static int restore_run(struct restore *r, const char *dir, const char *from,
                       struct err *e)
{
    int rc = r->own_lock = lock_take(dir, e);
    if (rc >= 0)
        rc = restore_refuse_existing(r, dir, e);
    if (rc == 0)
        rc = restore_find(r, from, e);
    if (rc == 0)
        rc = log_copy(r, dir, e);
    if (rc == 0)
        rc = file_copy(r->from, r->to, e);
    return rc != 0 ? rc : dir_sync(dir, e);
}

int catalog_restore(const char *dir, const char *from, struct err *e)
{
    struct restore r = {.own_lock = -1, .mirror_lock = -1};
    int rc = restore_run(&r, dir, from, e);
    auto_close(&r.own_lock);
    auto_close(&r.mirror_lock);
    return rc != 0 ? rc : restore_try(dir, e);
}
