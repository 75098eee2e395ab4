/* SPDX-License-Identifier: Apache-2.0 */
/* The copy and its states. While one is being made all that is written goes to it too, so
 * a piece once copied stays as the database is; what is written ahead of the pieces is
 * copied over by them. */
#include "db/mirror.h"

#include "base/clock.h"
#include "base/log.h"
#include "db/limits.h"
#include "db/lock.h"
#include "db/mirror_dir.h"
#include "db/mirror_vfs.h"
#include "db/sqlerr.h"
#include "db/txn.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* One of the copy's two files. */
struct copy_file {
    sqlite3_file *handle; /* NULL: closed */
    sqlite3_file *own;    /* the database's own; NULL: not open */
};

struct mirror {
    struct mirror_vfs vfs;
    struct mirror_observer observer;
    char path[CATALOG_PATH_MAX], dir[CATALOG_PATH_MAX];
    unsigned retry_ms;
    int lock_fd;         /* -1: not locked yet */
    const char *db_name; /* the copy's, as SQLite wants names of files */
    unsigned slot;
    struct copy_file files[MIRROR_FILES];
    /* COPYING: where the next piece begins; the log comes first. */
    enum mirror_file piece_file;
    sqlite3_int64 piece_at;
    void *piece;
    bool owes;
    int64_t failed_ms;
    pthread_mutex_t lock; /* of all that follows */
    void (*changed)(void *arg);
    void *changed_arg;
    struct catalog_mirror_info info;
};

/* ---- States ------------------------------------------------------------------------ */

static enum catalog_mirror_state state_of(const struct mirror *m)
{
    return m->info.state; /* its only writer asks */
}

static void state_set(struct mirror *m, enum catalog_mirror_state state, const char *why)
{
    bool is_news = state != m->info.state || strcmp(why, m->info.reason) != 0;
    pthread_mutex_lock(&m->lock);
    m->info.state = state;
    snprintf(m->info.reason, sizeof(m->info.reason), "%s", why);
    pthread_mutex_unlock(&m->lock);
    if (!is_news) /* a retry came to the same */
        return;
    char dir[CATALOG_PATH_MAX], reason[ERR_TEXT_MAX];
    if (state == CATALOG_MIRROR_FAILED)
        log_error("the catalog's mirror has failed", "dir=%s reason=%s",
                  log_quote(dir, sizeof(dir), m->dir),
                  log_quote(reason, sizeof(reason), why));
    else
        log_info(state == CATALOG_MIRROR_CURRENT ? "the catalog is mirrored"
                                                 : "the catalog's mirror is being made",
                 "dir=%s", log_quote(dir, sizeof(dir), m->dir));
    pthread_mutex_lock(&m->lock);
    if (m->changed != NULL)
        m->changed(m->changed_arg);
    pthread_mutex_unlock(&m->lock);
}

static void copy_close(struct mirror *m)
{
    for (int i = 0; i < MIRROR_FILES; i++) {
        sqlite3_file *file = m->files[i].handle;
        if (file != NULL && file->pMethods != NULL)
            file->pMethods->xClose(file);
        free(file);
        m->files[i].handle = NULL;
    }
    sqlite3_free_filename((char *)(uintptr_t)TAKE(m->db_name)); /* const since 3.39 */
    free(TAKE(m->piece));
}

/* Leaves the copy behind. */
static void mirror_fail(struct mirror *m, const char *why)
{
    m->owes |= state_of(m) == CATALOG_MIRROR_CURRENT;
    copy_close(m);
    mirror_dir_unmark(m->dir);
    m->failed_ms = clock_ms();
    state_set(m, CATALOG_MIRROR_FAILED, why);
}

/* result: of what was done to the copy, none of them a statement's. */
static void mirror_check(struct mirror *m, int result, const char *what)
{
    char why[ERR_TEXT_MAX];
    if (result == SQLITE_OK)
        return;
    snprintf(why, sizeof(why), "cannot %s the copy: %s", what, sqlite3_errstr(result));
    mirror_fail(m, why);
}

/* ---- What is done to the database is done to the copy ------------------------------ */

static const sqlite3_io_methods *copy_methods(const struct mirror *m,
                                              enum mirror_file which)
{
    const sqlite3_file *file = m->files[which].handle;
    return file == NULL ? NULL : file->pMethods;
}

static void on_opened(void *arg, enum mirror_file which, sqlite3_file *file)
{
    struct mirror *m = arg;
    m->files[which].own = file;
}

static void on_closing(void *arg, enum mirror_file which)
{
    struct mirror *m = arg;
    m->files[which].own = NULL;
}

static void on_written(void *arg, enum mirror_file which, const void *data, int bytes,
                       sqlite3_int64 at)
{
    struct mirror *m = arg;
    const sqlite3_io_methods *io = copy_methods(m, which);
    if (io != NULL)
        mirror_check(m, io->xWrite(m->files[which].handle, data, bytes, at), "write");
}

static void on_truncated(void *arg, enum mirror_file which, sqlite3_int64 bytes)
{
    struct mirror *m = arg;
    const sqlite3_io_methods *io = copy_methods(m, which);
    if (io != NULL)
        mirror_check(m, io->xTruncate(m->files[which].handle, bytes), "truncate");
}

static void on_synced(void *arg, enum mirror_file which, int flags)
{
    struct mirror *m = arg;
    const sqlite3_io_methods *io = copy_methods(m, which);
    if (io != NULL)
        mirror_check(m, io->xSync(m->files[which].handle, flags), "sync");
}

/* ---- Opening a copy ---------------------------------------------------------------- */

static int copy_open_file(struct mirror *m, enum mirror_file which, const char *name,
                          int kind, struct err *e)
{
    sqlite3_vfs *real = m->vfs.real;
    sqlite3_file *file = calloc(1, (size_t)real->szOsFile);
    if (file == NULL)
        return err_oom(e);
    m->files[which].handle = file;
    int result = real->xOpen(real, name, file,
                             kind | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    return result == SQLITE_OK ? 0
                               : err_set(e, -EIO, "catalog_mirror", "cannot open %s: %s",
                                         name, sqlite3_errstr(result));
}

/* The slot's two files. */
static int copy_open(struct mirror *m, unsigned slot, struct err *e)
{
    char path[CATALOG_PATH_MAX], log_path[CATALOG_PATH_MAX + 8];
    int rc = mirror_dir_database(m->dir, slot, path, e);
    if (rc != 0)
        return rc;
    snprintf(log_path, sizeof(log_path), "%s-wal", path);
    m->slot = slot;
    m->db_name = sqlite3_create_filename(path, "", log_path, 0, NULL);
    m->piece = malloc(MIRROR_PIECE_BYTES);
    if (m->db_name == NULL || m->piece == NULL)
        return err_oom(e);
    rc = copy_open_file(m, MIRROR_DATABASE, m->db_name, SQLITE_OPEN_MAIN_DB, e);
    if (rc == 0)
        rc = copy_open_file(m, MIRROR_LOG, sqlite3_filename_wal(m->db_name),
                            SQLITE_OPEN_WAL, e);
    return rc;
}

static int file_bytes(sqlite3_file *file, sqlite3_int64 *bytes)
{
    *bytes = 0;
    return file == NULL ? SQLITE_OK : file->pMethods->xFileSize(file, bytes);
}

/* Whether the two have the same bytes from `at` on. */
static bool piece_is_same(struct mirror *m, const struct copy_file *f, sqlite3_int64 at,
                          int bytes)
{
    int half = MIRROR_PIECE_BYTES / 2;
    char *theirs = (char *)m->piece + half;
    assert(bytes <= half);
    return f->own->pMethods->xRead(f->own, m->piece, bytes, at) == SQLITE_OK &&
           f->handle->pMethods->xRead(f->handle, theirs, bytes, at) == SQLITE_OK &&
           memcmp(m->piece, theirs, (size_t)bytes) == 0;
}

/* After an orderly stop both are whole, without anything in their logs. */
static bool copy_is_same(struct mirror *m)
{
    const struct copy_file *database = &m->files[MIRROR_DATABASE];
    const struct copy_file *log = &m->files[MIRROR_LOG];
    sqlite3_int64 own = 0, copied = 0, logs[2] = {0, 0};
    if (file_bytes(log->own, &logs[0]) != SQLITE_OK ||
        file_bytes(log->handle, &logs[1]) != SQLITE_OK ||
        file_bytes(database->own, &own) != SQLITE_OK ||
        file_bytes(database->handle, &copied) != SQLITE_OK)
        return false;
    bool same = logs[0] == 0 && logs[1] == 0 && own == copied;
    for (sqlite3_int64 at = 0; same && at < own; at += MIRROR_PIECE_BYTES / 2) {
        sqlite3_int64 left = own - at;
        same = piece_is_same(m, database, at,
                             left < MIRROR_PIECE_BYTES / 2 ? (int)left
                                                           : MIRROR_PIECE_BYTES / 2);
    }
    return same;
}

/* ---- Beginning --------------------------------------------------------------------- */

static int copy_read_box(const char *path, struct box_row *box)
{
    struct catalog_txn txn;
    int rc = txn_open_reader(&txn, path, NULL);
    if (rc != 0)
        return rc;
    rc = box_get(&txn, box, NULL);
    txn_close(&txn);
    return rc;
}

/* Whether the copy that is there may be written over. */
static int refuse_newer(struct mirror *m, unsigned slot, const struct box_row *box,
                        struct err *e)
{
    char path[CATALOG_PATH_MAX];
    struct box_row copied;
    int rc = mirror_dir_database(m->dir, slot, path, e);
    if (rc != 0)
        return rc;
    if (copy_read_box(path, &copied) != 0)
        return 0; /* nothing that anybody could start from */
    if (strcmp(copied.id, box->id) != 0 && copied.id[0] != '\0')
        return err_set(e, -EUCLEAN, "catalog_mirror",
                       "%s mirrors the catalog of box %s, not %s of box %s", path,
                       copied.id, m->path, box->id[0] == '\0' ? "(new)" : box->id);
    if (copied.generation > box->generation)
        return err_set(e, -ESTALE, "catalog_mirror",
                       "the catalog %s (start %llu) is older than its mirror %s (%llu)",
                       m->path, (unsigned long long)box->generation, path,
                       (unsigned long long)copied.generation);
    return 0;
}

static int mirror_lock(struct mirror *m, struct err *e)
{
    int rc = m->lock_fd >= 0 ? 0 : lock_take(m->dir, e);
    if (rc > 0)
        m->lock_fd = rc;
    return rc < 0 ? rc : 0;
}

/* The other slot gets the new copy. */
static int copy_start(struct mirror *m, unsigned slot, struct err *e)
{
    copy_close(m);
    int rc = mirror_dir_empty(m->dir, slot, e);
    if (rc == 0)
        rc = copy_open(m, slot, e);
    m->piece_file = MIRROR_LOG;
    m->piece_at = 0;
    return rc;
}

static int copy_take_or_start(struct mirror *m, const struct box_row *box, bool *is_same,
                              struct err *e)
{
    unsigned slot = 0;
    int rc = mirror_lock(m, e);
    if (rc != 0)
        return rc;
    *is_same = false;
    rc = mirror_dir_current(m->dir, &slot, e);
    if (rc == -ENOENT || rc == -EUCLEAN)
        return copy_start(m, 0, e);
    if (rc == 0)
        rc = refuse_newer(m, slot, box, e);
    if (rc == 0)
        rc = copy_open(m, slot, e);
    if (rc != 0)
        return rc;
    *is_same = copy_is_same(m);
    return *is_same ? 0 : copy_start(m, (slot + 1) % MIRROR_SLOTS, e);
}

int mirror_begin(struct mirror *m, const struct box_row *box, struct err *e)
{
    struct err why = {.code = 0};
    bool is_same;
    if (m == NULL ||
        (state_of(m) != CATALOG_MIRROR_OFF && state_of(m) != CATALOG_MIRROR_FAILED))
        return 0;
    int rc = copy_take_or_start(m, box, &is_same, &why);
    if (rc == 0) {
        state_set(m, is_same ? CATALOG_MIRROR_CURRENT : CATALOG_MIRROR_COPYING, "");
        return 0;
    }
    copy_close(m);
    m->failed_ms = clock_ms();
    state_set(m, CATALOG_MIRROR_FAILED, why.text);
    if (rc != -ESTALE && rc != -EUCLEAN && rc != -EBUSY) {
        mirror_dir_unmark(m->dir); /* commits go on without it */
        return 0;
    }
    if (e != NULL)
        *e = why;
    return rc;
}

/* ---- Copying ----------------------------------------------------------------------- */

static int piece_copy(const struct mirror *m, const struct copy_file *f, int bytes)
{
    int result = f->own->pMethods->xRead(f->own, m->piece, bytes, m->piece_at);
    if (result == SQLITE_OK)
        result = f->handle->pMethods->xWrite(f->handle, m->piece, bytes, m->piece_at);
    return result;
}

static void copy_finish(struct mirror *m)
{
    struct err e = {.code = 0};
    for (int i = 0; i < MIRROR_FILES; i++) {
        sqlite3_file *file = m->files[i].handle;
        mirror_check(m, file->pMethods->xSync(file, SQLITE_SYNC_NORMAL), "sync");
        if (state_of(m) != CATALOG_MIRROR_COPYING)
            return;
    }
    if (mirror_dir_mark(m->dir, m->slot, &e) != 0)
        mirror_fail(m, e.text);
    else
        state_set(m, CATALOG_MIRROR_CURRENT, "");
}

static void copy_piece(struct mirror *m)
{
    const struct copy_file *f = &m->files[m->piece_file];
    sqlite3_int64 bytes = 0;
    int result = file_bytes(f->own, &bytes);
    sqlite3_int64 left = bytes - m->piece_at;
    if (result == SQLITE_OK && left > 0) {
        int piece = left < MIRROR_PIECE_BYTES ? (int)left : MIRROR_PIECE_BYTES;
        result = piece_copy(m, f, piece);
        m->piece_at += piece;
    } else if (result == SQLITE_OK && m->piece_file == MIRROR_LOG) {
        m->piece_file = MIRROR_DATABASE;
        m->piece_at = 0;
    } else if (result == SQLITE_OK) {
        copy_finish(m);
        return;
    }
    mirror_check(m, result, "fill");
}

void mirror_step(struct mirror *m)
{
    for (int i = 0; i < MIRROR_STEP_PIECES && mirror_is_copying(m); i++)
        copy_piece(m);
}

bool mirror_is_copying(const struct mirror *m)
{
    return m != NULL && state_of(m) == CATALOG_MIRROR_COPYING;
}

int mirror_wait_ms(const struct mirror *m)
{
    if (mirror_is_copying(m))
        return 0;
    if (m == NULL || state_of(m) != CATALOG_MIRROR_FAILED)
        return -1;
    int64_t left = m->failed_ms + m->retry_ms - clock_ms();
    return left < 0 ? 0 : (int)left;
}

bool mirror_owes(const struct mirror *m)
{
    return m != NULL && m->owes;
}

void mirror_forgive(struct mirror *m)
{
    if (m != NULL)
        m->owes = false;
}

void mirror_owe(struct mirror *m)
{
    m->owes = true;
}

/* ---- Life -------------------------------------------------------------------------- */

static int refuse_own_directory(const struct mirror *m, struct err *e)
{
    char own[CATALOG_PATH_MAX];
    struct stat a, b;
    snprintf(own, sizeof(own), "%s", m->path);
    *strrchr(own, '/') = '\0';
    if (stat(own, &a) != 0 || stat(m->dir, &b) != 0 || a.st_dev != b.st_dev)
        return 0;
    if (a.st_ino == b.st_ino)
        return err_set(e, -EINVAL, "catalog_mirror",
                       "%s is where the catalog itself is: a directory on another disk "
                       "is wanted",
                       m->dir);
    char dir[CATALOG_PATH_MAX];
    log_warning("the catalog's mirror is on the catalog's own file system", "dir=%s",
                log_quote(dir, sizeof(dir), m->dir));
    return 0;
}

int mirror_create(const char *path, const char *dir, unsigned retry_ms,
                  struct mirror **out, struct err *e)
{
    struct mirror *m = calloc(1, sizeof(*m));
    if (m == NULL)
        return err_oom(e);
    pthread_mutex_init(&m->lock, NULL);
    m->lock_fd = -1;
    m->retry_ms = retry_ms;
    snprintf(m->path, sizeof(m->path), "%s", path);
    snprintf(m->dir, sizeof(m->dir), "%s", dir);
    m->observer = (struct mirror_observer){.arg = m,
                                           .opened = on_opened,
                                           .closing = on_closing,
                                           .written = on_written,
                                           .truncated = on_truncated,
                                           .synced = on_synced};
    int result = mirror_vfs_register(&m->vfs, &m->observer);
    assert(result == SQLITE_OK);
    int rc = refuse_own_directory(m, e);
    if (rc == 0 && mirror_lock(m, e) == -EBUSY)
        rc = -EBUSY;
    if (rc != 0)
        mirror_destroy(m);
    else
        *out = m;
    return rc;
}

void mirror_destroy(struct mirror *m)
{
    if (m == NULL)
        return;
    copy_close(m);
    auto_close(&m->lock_fd);
    mirror_vfs_unregister(&m->vfs);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

const char *mirror_vfs(const struct mirror *m)
{
    return m == NULL ? NULL : m->vfs.name;
}

void mirror_watch(struct mirror *m, void (*changed)(void *arg), void *arg)
{
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    m->changed = changed;
    m->changed_arg = arg;
    pthread_mutex_unlock(&m->lock);
}

int mirror_refuse_lost(struct mirror *m, struct err *e)
{
    unsigned slot;
    struct stat st;
    if (m == NULL || (stat(m->path, &st) == 0 && st.st_size > 0) ||
        mirror_dir_current(m->dir, &slot, NULL) != 0)
        return 0;
    return err_set(e, -ENOENT, NULL,
                   "%s is not there, but its mirror in %s is: put the catalog back, or "
                   "start once with --restore-catalog %s",
                   m->path, m->dir, m->dir);
}

void mirror_describe(struct mirror *m, struct catalog_mirror_info *out)
{
    *out = (struct catalog_mirror_info){.state = CATALOG_MIRROR_OFF};
    if (m == NULL)
        return;
    pthread_mutex_lock(&m->lock);
    *out = m->info;
    pthread_mutex_unlock(&m->lock);
}
