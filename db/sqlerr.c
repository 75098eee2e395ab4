/* SPDX-License-Identifier: Apache-2.0 */
/* SQLite's result codes to ours. A broken UNIQUE is reported as
 * "UNIQUE constraint failed: table.column, table.column", a broken CHECK by the name that
 * the schema gave it; both texts are held by the unit tests. */
#include "db/sqlerr.h"

#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Where the last column's name would not tell an admin what is taken. */
static const struct unique_text {
    const char *columns;
    const char *field;
    const char *text;
} unique_texts[] = {
    {"mapping.host_id, mapping.lun", "lun", "this LUN is taken on this host"},
    {"mapping.host_id, mapping.volume_id", "volume", "is mapped to this host already"},
    {"initiator.name", "initiators", "an initiator belongs to a host already"},
};

/* The part of SQLite's message behind the last ": ". */
static const char *message_subject(const char *message)
{
    const char *colon = strrchr(message, ':');
    return colon == NULL || colon[1] == '\0' ? "" : colon + 2;
}

static int set_unique(const char *message, struct err *e)
{
    const char *columns = message_subject(message);
    for (size_t i = 0; i < ARRAY_LEN(unique_texts); i++) {
        const struct unique_text *u = &unique_texts[i];
        if (strcmp(columns, u->columns) == 0)
            return err_set(e, -EEXIST, u->field, "%s", u->text);
    }
    const char *dot = strrchr(columns, '.');
    const char *field = dot == NULL ? columns : dot + 1;
    return err_set(e, -EEXIST, field, "this %s is taken", field);
}

static int set_constraint(sqlite3 *db, struct err *e)
{
    const char *message = sqlite3_errmsg(db);
    switch (sqlite3_extended_errcode(db)) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
        return set_unique(message, e);
    case SQLITE_CONSTRAINT_FOREIGNKEY:
        return err_set(e, -ENOENT, NULL, "refers to what is not there");
    case SQLITE_CONSTRAINT_CHECK:
        return err_set(e, -EINVAL, message_subject(message), "out of range");
    default:
        return err_set(e, -EINVAL, NULL, "catalog: %s", message);
    }
}

static int errno_of(int result)
{
    static const struct {
        int result;
        int code;
    } codes[] = {
        {SQLITE_FULL, -ENOSPC},     {SQLITE_IOERR, -EIO},      {SQLITE_CANTOPEN, -EIO},
        {SQLITE_CORRUPT, -EUCLEAN}, {SQLITE_NOTADB, -EUCLEAN}, {SQLITE_BUSY, -EBUSY},
        {SQLITE_LOCKED, -EBUSY},    {SQLITE_NOMEM, -ENOMEM},   {SQLITE_READONLY, -EROFS},
        {SQLITE_PERM, -EACCES},     {SQLITE_TOOBIG, -E2BIG},
    };
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i].result == result)
            return codes[i].code;
    }
    return -EIO;
}

int sqlerr_set(sqlite3 *db, struct err *e)
{
    int extended = sqlite3_extended_errcode(db);
    int result = extended & 0xff;
    if (extended == SQLITE_IOERR_NOMEM)
        result = SQLITE_NOMEM;
    if (result == SQLITE_CONSTRAINT)
        return set_constraint(db, e);
    int code = errno_of(result);
    if (code == -ENOSPC)
        return err_set(e, code, NULL, "catalog: no space left where it lies");
    const char *system = strerrordesc_np(sqlite3_system_errno(db));
    if (code != -EIO || sqlite3_system_errno(db) == 0 || system == NULL)
        return err_set(e, code, NULL, "catalog: %s", sqlite3_errmsg(db));
    return err_set(e, code, NULL, "catalog: %s (%s)", sqlite3_errmsg(db), system);
}

void log_failure(const char *what, const struct err *e)
{
    char text[ERR_TEXT_MAX];
    log_error(what, "errno=%d text=%s", -e->code, log_quote(text, sizeof(text), e->text));
}
