/* SPDX-License-Identifier: Apache-2.0 */
/* See pass_vfs.h. */
#include "tests/lib/pass_vfs.h"

#include <assert.h>

sqlite3_file *pass_real(sqlite3_file *file)
{
    return ((struct pass_file *)file)->real;
}

static int pass_close(sqlite3_file *file)
{
    return pass_real(file)->pMethods->xClose(pass_real(file));
}

static int pass_read(sqlite3_file *file, void *out, int bytes, sqlite3_int64 at)
{
    return pass_real(file)->pMethods->xRead(pass_real(file), out, bytes, at);
}

static int pass_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
    return pass_real(file)->pMethods->xWrite(pass_real(file), data, bytes, at);
}

static int pass_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    return pass_real(file)->pMethods->xTruncate(pass_real(file), bytes);
}

static int pass_sync(sqlite3_file *file, int flags)
{
    return pass_real(file)->pMethods->xSync(pass_real(file), flags);
}

static int pass_size(sqlite3_file *file, sqlite3_int64 *bytes)
{
    return pass_real(file)->pMethods->xFileSize(pass_real(file), bytes);
}

static int pass_lock(sqlite3_file *file, int level)
{
    return pass_real(file)->pMethods->xLock(pass_real(file), level);
}

static int pass_unlock(sqlite3_file *file, int level)
{
    return pass_real(file)->pMethods->xUnlock(pass_real(file), level);
}

static int pass_check_lock(sqlite3_file *file, int *out)
{
    return pass_real(file)->pMethods->xCheckReservedLock(pass_real(file), out);
}

static int pass_control(sqlite3_file *file, int op, void *arg)
{
    return pass_real(file)->pMethods->xFileControl(pass_real(file), op, arg);
}

static int pass_sector_size(sqlite3_file *file)
{
    return pass_real(file)->pMethods->xSectorSize(pass_real(file));
}

static int pass_traits(sqlite3_file *file)
{
    return pass_real(file)->pMethods->xDeviceCharacteristics(pass_real(file));
}

static int pass_shm_map(sqlite3_file *file, int page, int bytes, int extend,
                        void volatile **out)
{
    return pass_real(file)->pMethods->xShmMap(pass_real(file), page, bytes, extend, out);
}

static int pass_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return pass_real(file)->pMethods->xShmLock(pass_real(file), offset, count, flags);
}

static void pass_shm_barrier(sqlite3_file *file)
{
    pass_real(file)->pMethods->xShmBarrier(pass_real(file));
}

static int pass_shm_unmap(sqlite3_file *file, int remove)
{
    return pass_real(file)->pMethods->xShmUnmap(pass_real(file), remove);
}

const sqlite3_io_methods pass_methods = {
    .iVersion = 2,
    .xClose = pass_close,
    .xRead = pass_read,
    .xWrite = pass_write,
    .xTruncate = pass_truncate,
    .xSync = pass_sync,
    .xFileSize = pass_size,
    .xLock = pass_lock,
    .xUnlock = pass_unlock,
    .xCheckReservedLock = pass_check_lock,
    .xFileControl = pass_control,
    .xSectorSize = pass_sector_size,
    .xDeviceCharacteristics = pass_traits,
    .xShmMap = pass_shm_map,
    .xShmLock = pass_shm_lock,
    .xShmBarrier = pass_shm_barrier,
    .xShmUnmap = pass_shm_unmap,
};

sqlite3_vfs *pass_install(sqlite3_vfs *vfs)
{
    const sqlite3_vfs layer = *vfs;
    sqlite3_vfs *real = sqlite3_vfs_find(NULL);
    assert(real != NULL && real != vfs);
    *vfs = *real;
    vfs->zName = layer.zName;
    vfs->szOsFile = layer.szOsFile + real->szOsFile;
    vfs->xOpen = layer.xOpen;
    if (layer.xDelete != NULL)
        vfs->xDelete = layer.xDelete;
    int result = sqlite3_vfs_register(vfs, 1);
    assert(result == SQLITE_OK);
    return real;
}

int pass_open(sqlite3_vfs *real, const char *name, sqlite3_file *file, size_t file_bytes,
              const sqlite3_io_methods *methods, int flags, int *flags_out)
{
    struct pass_file *f = (struct pass_file *)file;
    f->real = (sqlite3_file *)((char *)file + file_bytes);
    f->base.pMethods = NULL;
    int result = real->xOpen(real, name, f->real, flags, flags_out);
    if (result == SQLITE_OK)
        f->base.pMethods = methods;
    return result;
}
