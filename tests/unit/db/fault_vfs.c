/* SPDX-License-Identifier: Apache-2.0 */
/* Passes everything to the default file system of SQLite but what it was armed to fail.
 * Connections use it on several threads: its switches are atomic. */
#include "fault_vfs.h"

#include "tests/lib/pass_vfs.h"

#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>

struct fault_file {
    struct pass_file pass;
    const char *name; /* SQLite's while it is open */
};

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;
static atomic_int armed_kinds, let_through, to_fail, fail_result, failed;
static _Atomic(const char *) armed_part; /* NULL: any file */
static atomic_int counts[FAULT_TRUNCATE + 1];

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

static int file_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
    int result = fault_gate(file, FAULT_WRITE);
    if (result != SQLITE_OK)
        return result;
    return pass_methods.xWrite(file, data, bytes, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    int result = fault_gate(file, FAULT_TRUNCATE);
    if (result != SQLITE_OK)
        return result;
    return pass_methods.xTruncate(file, bytes);
}

static int file_sync(sqlite3_file *file, int flags)
{
    int result = fault_gate(file, FAULT_SYNC);
    if (result != SQLITE_OK)
        return result;
    return pass_methods.xSync(file, flags);
}

static int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                      int *flags_out)
{
    (void)vfs;
    ((struct fault_file *)file)->name = name;
    return pass_open(real_vfs, name, file, sizeof(struct fault_file), &methods, flags,
                     flags_out);
}

/* ---- Switches ---------------------------------------------------------------------- */

void fault_vfs_install(void)
{
    static sqlite3_vfs vfs = {
        .zName = "fault", .szOsFile = sizeof(struct fault_file), .xOpen = fault_open};
    methods = pass_methods;
    methods.xWrite = file_write;
    methods.xTruncate = file_truncate;
    methods.xSync = file_sync;
    real_vfs = pass_install(&vfs);
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
