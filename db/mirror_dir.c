/* SPDX-License-Identifier: Apache-2.0 */
/* A new copy grows in the slot that is not current, and the mark, one file that is
 * renamed into its place, passes from a whole copy to a whole copy. */
#include "db/mirror_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define MARK_TEXT "ashlar catalog mirror, current: "

static int path_make(char out[CATALOG_PATH_MAX], const char *dir, const char *name,
                     struct err *e)
{
    int length = snprintf(out, CATALOG_PATH_MAX, "%s/%s", dir, name);
    if (length > 0 && length < CATALOG_PATH_MAX)
        return 0;
    return err_set(e, -ENAMETOOLONG, "catalog_mirror", "is longer than %d bytes",
                   CATALOG_PATH_MAX - 32);
}

static int errno_set(struct err *e, const char *what, const char *path)
{
    return err_set(e, -errno, "catalog_mirror", "cannot %s %s: %s", what, path,
                   strerrordesc_np(errno));
}

static int dir_sync(const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) != 0 ? errno_set(e, "sync", path) : 0;
}

/* ---- Slots ------------------------------------------------------------------------- */

static int slot_path(const char *dir, unsigned slot, char out[CATALOG_PATH_MAX],
                     struct err *e)
{
    char name[8];
    snprintf(name, sizeof(name), "%u", slot);
    return path_make(out, dir, name, e);
}

int mirror_dir_database(const char *dir, unsigned slot, char out[CATALOG_PATH_MAX],
                        struct err *e)
{
    char name[24];
    snprintf(name, sizeof(name), "%u/catalog.db", slot);
    return path_make(out, dir, name, e);
}

/* The log before its database: a log alone is refused by whoever opens it. */
static int slot_clear(const char *dir, unsigned slot, struct err *e)
{
    static const char *const ends[] = {"-wal", "-shm", ""};
    char database[CATALOG_PATH_MAX], path[CATALOG_PATH_MAX + 8];
    sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
    int rc = mirror_dir_database(dir, slot, database, e);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(ends); i++) {
        snprintf(path, sizeof(path), "%s%s", database, ends[i]);
        int result = vfs->xDelete(vfs, path, 0);
        if (result != SQLITE_OK && result != SQLITE_IOERR_DELETE_NOENT)
            rc = err_set(e, -EIO, "catalog_mirror", "cannot remove %s: %s", path,
                         sqlite3_errstr(result));
    }
    return rc;
}

int mirror_dir_empty(const char *dir, unsigned slot, struct err *e)
{
    char path[CATALOG_PATH_MAX];
    int rc = slot_path(dir, slot, path, e);
    if (rc == 0 && mkdir(path, 0700) != 0 && errno != EEXIST)
        rc = errno_set(e, "make", path);
    if (rc == 0)
        rc = slot_clear(dir, slot, e);
    if (rc == 0)
        rc = mirror_dir_database(dir, slot, path, e);
    if (rc != 0)
        return rc;
    /* SQLite would make it readable by others. */
    AUTO_CLOSE int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return fd < 0 ? errno_set(e, "make", path) : 0;
}

/* ---- The mark ---------------------------------------------------------------------- */

int mirror_dir_current(const char *dir, unsigned *slot, struct err *e)
{
    char path[CATALOG_PATH_MAX], text[64];
    int rc = path_make(path, dir, "mirror", e);
    if (rc != 0)
        return rc;
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return errno_set(e, "open", path);
    ssize_t n = read(fd, text, sizeof(text) - 1);
    if (n < 0)
        return errno_set(e, "read", path);
    text[n] = '\0';
    for (unsigned i = 0; i < MIRROR_SLOTS; i++) {
        char wanted[64];
        snprintf(wanted, sizeof(wanted), MARK_TEXT "%u\n", i);
        *slot = i;
        if (strcmp(text, wanted) == 0)
            return 0;
    }
    return err_set(e, -EUCLEAN, "catalog_mirror", "%s does not say which copy is current",
                   path);
}

static int mark_write(const char *path, unsigned slot, struct err *e)
{
    char text[64];
    int length = snprintf(text, sizeof(text), MARK_TEXT "%u\n", slot);
    AUTO_CLOSE int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, text, (size_t)length) != length || fsync(fd) != 0)
        return errno_set(e, "write", path);
    return 0;
}

int mirror_dir_mark(const char *dir, unsigned slot, struct err *e)
{
    char path[CATALOG_PATH_MAX], new_path[CATALOG_PATH_MAX];
    int rc = slot_path(dir, slot, path, e);
    if (rc == 0)
        rc = dir_sync(path, e);
    if (rc == 0)
        rc = dir_sync(dir, e); /* it names the slot */
    if (rc == 0)
        rc = path_make(path, dir, "mirror", e);
    if (rc == 0)
        rc = path_make(new_path, dir, "mirror.new", e);
    if (rc == 0)
        rc = mark_write(new_path, slot, e);
    if (rc == 0 && rename(new_path, path) != 0)
        rc = errno_set(e, "rename", new_path);
    if (rc == 0)
        rc = dir_sync(dir, e);
    return rc == 0 ? slot_clear(dir, (slot + 1) % MIRROR_SLOTS, e) : rc;
}

void mirror_dir_unmark(const char *dir)
{
    char path[CATALOG_PATH_MAX];
    if (path_make(path, dir, "mirror", NULL) == 0 && unlink(path) == 0)
        (void)dir_sync(dir, NULL); /* devices refuse the copy if this is lost */
}
