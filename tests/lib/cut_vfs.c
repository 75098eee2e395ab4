/* SPDX-License-Identifier: Apache-2.0 */
/* Passes everything to the real file system. Beside each file: what is durable, and a log
 * of the writes and truncations since. At the cut the log is played twice: once to count
 * each sector's versions, once to take the chosen one. The mains' lock guards all. */
#include "tests/lib/cut_vfs.h"

#include "base/auto.h"
#include "tests/lib/pass_vfs.h"

#include <assert.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SECTOR     512U
#define PATH_BYTES 512
#define COVERED    (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL | SQLITE_OPEN_MAIN_JOURNAL)

struct bytes {
    uint8_t *data;
    uint64_t count, capacity;
};

struct change { /* in the log */
    uint64_t at;
    uint64_t count; /* bytes written from `at`; 0: the file is truncated to `at` */
    uint64_t data;  /* where they lie in the log's bytes */
};

struct cut_file {
    struct cut_file *next;
    char path[PATH_BYTES];
    bool exists;          /* durably */
    struct bytes durable; /* the file after its last sync */
    struct bytes log;
    struct change *changes;
    uint32_t change_count, change_max;
    bool left_exists;
    struct bytes left; /* by the cut */
};

struct vfs_file {
    struct pass_file pass;
    struct cut_file *state; /* NULL: not covered */
};

static sqlite3_vfs *real_vfs;
static sqlite3_io_methods methods;
static struct power *power;
static struct power_user user;
static struct cut_file *files;

/* ---- Bytes --------------------------------------------------------------------------
 */

static void bytes_resize(struct bytes *b, uint64_t count)
{
    if (count > b->capacity) {
        b->capacity = count < 2 * b->capacity ? 2 * b->capacity : count;
        b->data = realloc(b->data, (size_t)b->capacity);
        assert(b->data != NULL);
    }
    if (count > b->count)
        memset(b->data + b->count, 0, (size_t)(count - b->count));
    b->count = count;
}

static void bytes_write(struct bytes *b, uint64_t at, const void *data, uint64_t count)
{
    if (count == 0)
        return;
    if (at + count > b->count)
        bytes_resize(b, at + count);
    assert(b->data != NULL);
    memcpy(b->data + at, data, (size_t)count);
}

static void bytes_copy(struct bytes *to, const struct bytes *from)
{
    to->count = 0;
    if (from->count > 0)
        bytes_write(to, 0, from->data, from->count);
}

static void bytes_fini(struct bytes *b)
{
    free(b->data);
    *b = (struct bytes){.data = NULL};
}

/* ---- A file's log: under the lock ---------------------------------------------------
 */

static void file_note(struct cut_file *f, uint64_t at, const void *data, uint64_t count)
{
    if (f->change_count == f->change_max) {
        f->change_max = f->change_max == 0 ? 64 : 2 * f->change_max;
        f->changes = realloc(f->changes, f->change_max * sizeof(f->changes[0]));
        assert(f->changes != NULL);
    }
    f->changes[f->change_count++] =
        (struct change){.at = at, .count = count, .data = f->log.count};
    if (count > 0)
        bytes_write(&f->log, f->log.count, data, count);
}

static void change_play(const struct cut_file *f, const struct change *c,
                        struct bytes *to)
{
    if (c->count > 0)
        bytes_write(to, c->at, f->log.data + c->data, c->count);
    else
        bytes_resize(to, c->at);
}

static void file_forget(struct cut_file *f)
{
    f->change_count = 0;
    f->log.count = 0;
}

static void file_synced(struct cut_file *f)
{
    for (uint32_t i = 0; i < f->change_count; i++)
        change_play(f, &f->changes[i], &f->durable);
    f->exists = true;
    file_forget(f);
}

/* ---- What a cut leaves: under the lock ----------------------------------------------
 */

enum keeps { KEEPS_NOTHING, KEEPS_ALL, KEEPS_SOME };

/* The sectors of `now`, before or after, that a change gives a new version. */
static void change_sectors(const struct change *c, uint64_t old_bytes, uint64_t *first,
                           uint64_t *end)
{
    uint64_t last = c->count > 0 ? c->at + c->count : old_bytes;
    *first = (c->count > 0 ? c->at : c->at + SECTOR - 1) / SECTOR;
    *end = (last + SECTOR - 1) / SECTOR;
}

static uint64_t sector_max(const struct cut_file *f)
{
    uint64_t bytes = f->durable.count;
    for (uint32_t i = 0; i < f->change_count; i++)
        if (f->changes[i].at + f->changes[i].count > bytes)
            bytes = f->changes[i].at + f->changes[i].count;
    return (bytes + SECTOR - 1) / SECTOR;
}

/* Plays the log; of each sector takes the version that `chosen` says (0: the durable
 * one), or only counts them there. */
static void file_play(struct cut_file *f, uint32_t *chosen, struct bytes *left)
{
    struct bytes now = {.data = NULL};
    uint32_t *seen = calloc((size_t)sector_max(f) + 1, sizeof(seen[0]));
    assert(seen != NULL);
    bytes_copy(&now, &f->durable);
    for (uint32_t i = 0; i < f->change_count; i++) {
        const struct change *c = &f->changes[i];
        uint64_t first, end, old_bytes = now.count;
        change_sectors(c, old_bytes, &first, &end);
        change_play(f, c, &now);
        for (uint64_t s = first; s < end; s++) {
            seen[s]++;
            if (left == NULL) {
                chosen[s]++;
                continue;
            }
            if (seen[s] != chosen[s])
                continue;
            uint8_t sector[SECTOR] = {0};
            uint64_t at = s * SECTOR;
            if (at < now.count)
                memcpy(sector, now.data + at,
                       (size_t)(now.count - at < SECTOR ? now.count - at : SECTOR));
            bytes_write(left, at, sector, SECTOR);
        }
    }
    bytes_fini(&now);
    free(seen);
}

/* Any length that the file had since its last sync. */
static uint64_t choose_length(const struct cut_file *f, enum keeps keeps)
{
    uint64_t chosen =
        keeps == KEEPS_ALL ? f->change_count : power_draw(power, f->change_count + 1);
    uint64_t length = f->durable.count;
    for (uint32_t i = 0; i < chosen; i++) {
        const struct change *c = &f->changes[i];
        if (c->count == 0)
            length = c->at;
        else if (c->at + c->count > length)
            length = c->at + c->count;
    }
    return length;
}

static void file_cut(struct cut_file *f, enum keeps keeps)
{
    f->left_exists = f->exists || (f->change_count > 0 && keeps != KEEPS_NOTHING);
    bytes_copy(&f->left, &f->durable);
    if (f->change_count == 0 || keeps == KEEPS_NOTHING)
        return;
    uint64_t length = choose_length(f, keeps), sectors = sector_max(f);
    uint32_t *chosen = calloc((size_t)sectors + 1, sizeof(chosen[0]));
    assert(chosen != NULL);
    file_play(f, chosen, NULL);
    for (uint64_t s = 0; keeps == KEEPS_SOME && s < sectors; s++)
        chosen[s] = (uint32_t)power_draw(power, (uint64_t)chosen[s] + 1);
    file_play(f, chosen, &f->left);
    bytes_resize(&f->left, length);
    free(chosen);
}

static void vfs_on_cut(struct power_user *u)
{
    uint64_t chance = power_draw(power, 4);
    enum keeps keeps = chance == 0 ? KEEPS_NOTHING : chance == 1 ? KEEPS_ALL : KEEPS_SOME;
    (void)u;
    for (struct cut_file *f = files; f != NULL; f = f->next)
        file_cut(f, keeps);
}

/* ---- Files --------------------------------------------------------------------------
 */

static struct cut_file *state_of(sqlite3_file *file)
{
    return ((struct vfs_file *)file)->state;
}

static int file_write(sqlite3_file *file, const void *data, int bytes, sqlite3_int64 at)
{
    struct cut_file *f = state_of(file);
    if (f == NULL)
        return pass_methods.xWrite(file, data, bytes, at);
    power_lock(power);
    power_pass(power, POWER_FILE_WRITE);
    int result = pass_methods.xWrite(file, data, bytes, at);
    if (result == SQLITE_OK && !power_has_fallen(power))
        file_note(f, (uint64_t)at, data, (uint64_t)bytes);
    power_unlock(power);
    return result;
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 bytes)
{
    struct cut_file *f = state_of(file);
    if (f == NULL)
        return pass_methods.xTruncate(file, bytes);
    power_lock(power);
    int result = pass_methods.xTruncate(file, bytes);
    if (result == SQLITE_OK && !power_has_fallen(power))
        file_note(f, (uint64_t)bytes, NULL, 0);
    power_unlock(power);
    return result;
}

static int file_sync(sqlite3_file *file, int flags)
{
    struct cut_file *f = state_of(file);
    (void)flags;
    if (f == NULL)
        return pass_methods.xSync(file, flags);
    power_lock(power);
    power_pass(power, POWER_FILE_SYNC);
    if (!power_has_fallen(power)) {
        file_synced(f);
        power_pass(power, POWER_FILE_SYNCED);
    }
    power_unlock(power);
    return SQLITE_OK;
}

/* ---- The file system ----------------------------------------------------------------
 */

static struct cut_file *find_file(const char *path)
{
    struct cut_file *f = files;
    while (f != NULL && strcmp(f->path, path) != 0)
        f = f->next;
    return f;
}

/* What is in the file when it is first seen is durable. */
static struct cut_file *find_or_make(const char *path)
{
    struct cut_file *f = find_file(path);
    if (f != NULL)
        return f;
    f = calloc(1, sizeof(*f));
    assert(f != NULL && strlen(path) < PATH_BYTES);
    memcpy(f->path, path, strlen(path) + 1);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    f->exists = fd >= 0;
    off_t bytes = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
    bytes_resize(&f->durable, (uint64_t)bytes);
    if (bytes > 0 && pread(fd, f->durable.data, (size_t)bytes, 0) != bytes)
        abort();
    f->next = files;
    files = f;
    return f;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags,
                    int *flags_out)
{
    struct vfs_file *f = (struct vfs_file *)file;
    (void)vfs;
    f->state = NULL;
    if (power != NULL && (flags & COVERED) != 0) {
        power_lock(power);
        f->state = find_or_make(name);
        power_unlock(power);
    }
    return pass_open(real_vfs, name, file, sizeof(*f), &methods, flags, flags_out);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    (void)vfs;
    int result = real_vfs->xDelete(real_vfs, name, sync_dir);
    if (power == NULL || result != SQLITE_OK)
        return result;
    power_lock(power);
    struct cut_file *f = find_file(name);
    if (f != NULL && !power_has_fallen(power)) {
        file_forget(f);
        f->exists = false;
        f->durable.count = 0;
    }
    power_unlock(power);
    return result;
}

void cut_vfs_install(void)
{
    static sqlite3_vfs vfs = {.zName = "cut",
                              .szOsFile = sizeof(struct vfs_file),
                              .xOpen = vfs_open,
                              .xDelete = vfs_delete};
    methods = pass_methods;
    methods.xWrite = file_write;
    methods.xTruncate = file_truncate;
    methods.xSync = file_sync;
    real_vfs = pass_install(&vfs);
}

void cut_vfs_attach(struct power *mains)
{
    power = mains;
    user.cut = vfs_on_cut;
    power_attach(power, &user);
}

void cut_vfs_detach(void)
{
    power_detach(power, &user);
    power = NULL;
    for (struct cut_file *next; files != NULL; files = next) {
        next = files->next;
        bytes_fini(&files->durable);
        bytes_fini(&files->log);
        bytes_fini(&files->left);
        free(files->changes);
        free(files);
    }
}

static void file_restore(struct cut_file *f)
{
    unlink(f->path);
    f->exists = f->left_exists;
    bytes_copy(&f->durable, &f->left);
    file_forget(f);
    if (!f->exists)
        return;
    AUTO_CLOSE int fd = open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ssize_t want = (ssize_t)f->left.count;
    if (fd < 0 || (want > 0 && pwrite(fd, f->left.data, f->left.count, 0) != want))
        abort();
}

void cut_vfs_restore(void)
{
    char shm[PATH_BYTES + 8];
    power_lock(power);
    assert(power_has_fallen(power));
    for (struct cut_file *f = files; f != NULL; f = f->next) {
        file_restore(f);
        snprintf(shm, sizeof(shm), "%s-shm", f->path);
        unlink(shm);
    }
    power_unlock(power);
}
