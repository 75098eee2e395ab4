/* SPDX-License-Identifier: Apache-2.0 */
/* Passes everything to the default file system of SQLite but what it was armed to fail.
 * Connections use it on several threads: its switches are atomic. */
#include "fault_vfs.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* lies behind this one */
    const char *name;   /* SQLite's while it is open */
};

static sqlite3_vfs *real_vfs;
static atomic_int armed_kinds, let_through, to_fail, fail_result, failed;
static _Atomic(const char *) armed_part; /* NULL: any file */
static atomic_int counts[FAULT_TRUNCATE + 1];

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct fault_file *)file)->real;
}

/* SQLITE_OK: go on. */
static int fault_gate(sqlite3_file *file, enum fault_kind kind)
{
    const char *name = ((const struct fault_file *)file)->name;
    const char *part = atomic_load(&armed_part);
    atomic_fetch_add(&counts[kind], 1);
    if ((atomic_load(&armed_kinds) & (int)kind) == 0)
        return SQLITE_OK;
    if (part != NULL && (name == NULL || strstr(name, part) == NULL))
        return SQLITE_OK;
    if (atomic_fetch_sub(&let_through, 1) > 0)
        return SQLITE_OK;
    if (atomic_fetch_sub(&to_fail, 1) <= 0)
        return SQLITE_OK;
    atomic_store(&failed, 1);
    return atomic_load(&fail_result);
}

/* ---- Files ------------------------------------------------------------------------- */

static int file_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int file_read(sqlite3_file *file, void *out, int bytes, sqlite3_int64 at)
{
    return real_of(file)->pMethods->xRead(real_of(file), out, bytes, at);
}

static int file_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
    int result = fault_gate(file, FAULT_WRITE);
    if (result != SQLITE_OK)
        return result;
    return real_of(file)->pMethods->xWrite(real_of(file), data, bytes, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    int result = fault_gate(file, FAULT_TRUNCATE);
    if (result != SQLITE_OK)
        return result;
    return real_of(file)->pMethods->xTruncate(real_of(file), bytes);
}

static int file_sync(sqlite3_file *file, int flags)
{
    int result = fault_gate(file, FAULT_SYNC);
    if (result != SQLITE_OK)
        return result;
    return real_of(file)->pMethods->xSync(real_of(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *bytes)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), bytes);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int file_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), op, arg);
}

static int file_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int file_traits(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int file_shm_map(sqlite3_file *file, int page, int bytes, int extend,
                        void volatile **out)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, bytes, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods fault_methods = {
    .iVersion = 2,
    .xClose = file_close,
    .xRead = file_read,
    .xWrite = file_write,
    .xTruncate = file_truncate,
    .xSync = file_sync,
    .xFileSize = file_size,
    .xLock = file_lock,
    .xUnlock = file_unlock,
    .xCheckReservedLock = file_check_lock,
    .xFileControl = file_control,
    .xSectorSize = file_sector_size,
    .xDeviceCharacteristics = file_traits,
    .xShmMap = file_shm_map,
    .xShmLock = file_shm_lock,
    .xShmBarrier = file_shm_barrier,
    .xShmUnmap = file_shm_unmap,
};

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *flags_out)
{
    (void)vfs;
    struct fault_file *f = (struct fault_file *)file;
    f->real = (sqlite3_file *)(f + 1);
    f->name = name;
    f->base.pMethods = NULL;
    int result = real_vfs->xOpen(real_vfs, name, f->real, flags, flags_out);
    if (result == SQLITE_OK)
        f->base.pMethods = &fault_methods;
    return result;
}

/* ---- Switches ---------------------------------------------------------------------- */

void fault_vfs_install(void)
{
    static sqlite3_vfs vfs;
    real_vfs = sqlite3_vfs_find(NULL);
    assert(real_vfs != NULL && real_vfs != &vfs);
    vfs = *real_vfs;
    vfs.zName = "fault";
    vfs.szOsFile = (int)sizeof(struct fault_file) + real_vfs->szOsFile;
    vfs.xOpen = fault_open;
    int result = sqlite3_vfs_register(&vfs, 1);
    assert(result == SQLITE_OK);
}

void fault_vfs_arm(int kinds, int after, int times, int result)
{
    fault_vfs_arm_path(NULL, kinds, after, times, result);
}

void fault_vfs_arm_path(const char *part, int kinds, int after, int times, int result)
{
    atomic_store(&armed_kinds, 0);
    atomic_store(&armed_part, part);
    atomic_store(&failed, 0);
    atomic_store(&let_through, after);
    atomic_store(&to_fail, times);
    atomic_store(&fail_result, result);
    atomic_store(&armed_kinds, kinds);
}

void fault_vfs_disarm(void)
{
    atomic_store(&armed_kinds, 0);
}

int fault_vfs_failed(void)
{
    return atomic_load(&failed);
}

int fault_vfs_count(enum fault_kind kind)
{
    return atomic_load(&counts[kind]);
}
