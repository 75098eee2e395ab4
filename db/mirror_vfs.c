/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite calls a file through its table of methods alone. A file here is the real one,
 * opened in its place, with a table that differs in four entries, and behind it what
 * those need. */
#include "db/mirror_vfs.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>

struct watched {
    sqlite3_io_methods methods; /* the real ones but for ours */
    const sqlite3_io_methods *real;
    const struct mirror_observer *observer;
    enum mirror_file which;
};

static int real_bytes(const sqlite3_vfs *real)
{
    int align = (int)_Alignof(struct watched);
    return (real->szOsFile + align - 1) / align * align;
}

static struct watched *watched_of(sqlite3_file *file)
{
    /* Each file has a table of its own: that is how it is found again. */
    return (struct watched *)(uintptr_t)file->pMethods;
}

/* ---- A file ------------------------------------------------------------------------ */

static int watched_close(sqlite3_file *file)
{
    struct watched *w = watched_of(file);
    w->observer->closing(w->observer->arg, w->which);
    file->pMethods = w->real;
    return w->real->xClose(file);
}

static int watched_write(sqlite3_file *file, const void *data, int bytes,
                         sqlite3_int64 at)
{
    const struct watched *w = watched_of(file);
    int result = w->real->xWrite(file, data, bytes, at);
    if (result == SQLITE_OK)
        w->observer->written(w->observer->arg, w->which, data, bytes, at);
    return result;
}

static int watched_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    const struct watched *w = watched_of(file);
    int result = w->real->xTruncate(file, bytes);
    if (result == SQLITE_OK)
        w->observer->truncated(w->observer->arg, w->which, bytes);
    return result;
}

static int watched_sync(sqlite3_file *file, int flags)
{
    const struct watched *w = watched_of(file);
    int result = w->real->xSync(file, flags);
    if (result == SQLITE_OK)
        w->observer->synced(w->observer->arg, w->which, flags);
    return result;
}

/* Memory mapping would go around xWrite. */
static void watch(const struct mirror_vfs *v, sqlite3_file *file, enum mirror_file which)
{
    struct watched *w = (struct watched *)(void *)((char *)file + real_bytes(v->real));
    *w = (struct watched){.methods = *file->pMethods,
                          .real = file->pMethods,
                          .observer = v->observer,
                          .which = which};
    if (w->methods.iVersion > 2)
        w->methods.iVersion = 2;
    w->methods.xClose = watched_close;
    w->methods.xWrite = watched_write;
    w->methods.xTruncate = watched_truncate;
    w->methods.xSync = watched_sync;
    file->pMethods = &w->methods;
    v->observer->opened(v->observer->arg, which, file);
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *flags_out)
{
    const struct mirror_vfs *v = vfs->pAppData;
    int result = v->real->xOpen(v->real, name, file, flags, flags_out);
    if (result == SQLITE_OK && (flags & SQLITE_OPEN_MAIN_DB) != 0)
        watch(v, file, MIRROR_DATABASE);
    else if (result == SQLITE_OK && (flags & SQLITE_OPEN_WAL) != 0)
        watch(v, file, MIRROR_LOG);
    return result;
}

/* ---- The file system --------------------------------------------------------------- */

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    const struct mirror_vfs *v = vfs->pAppData;
    return v->real->xDelete(v->real, name, sync_dir);
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *out)
{
    const struct mirror_vfs *v = vfs->pAppData;
    return v->real->xAccess(v->real, name, flags, out);
}

static int vfs_full_pathname(sqlite3_vfs *vfs, const char *name, int bytes, char *out)
{
    const struct mirror_vfs *v = vfs->pAppData;
    return v->real->xFullPathname(v->real, name, bytes, out);
}

int mirror_vfs_register(struct mirror_vfs *v, const struct mirror_observer *observer)
{
    v->real = sqlite3_vfs_find(NULL);
    assert(v->real != NULL);
    v->observer = observer;
    snprintf(v->name, sizeof(v->name), "mirror-%p", (void *)v);
    v->vfs = *v->real;
    v->vfs.pNext = NULL;
    v->vfs.zName = v->name;
    v->vfs.pAppData = v;
    v->vfs.szOsFile = real_bytes(v->real) + (int)sizeof(struct watched);
    v->vfs.xOpen = vfs_open;
    v->vfs.xDelete = vfs_delete;
    v->vfs.xAccess = vfs_access;
    v->vfs.xFullPathname = vfs_full_pathname;
    return sqlite3_vfs_register(&v->vfs, 0);
}

void mirror_vfs_unregister(struct mirror_vfs *v)
{
    sqlite3_vfs_unregister(&v->vfs);
}
