/* SPDX-License-Identifier: Apache-2.0 */
/* One use of a prepared statement: open, bind in order, run or step, read in order, close
 * (by attribute). The first error sticks, is told once through the err given to
 * stmt_open, and makes the rest do nothing, so that the row files need one check. The
 * connection's thread. */
#ifndef DB_STMT_H
#define DB_STMT_H

#include "db/txn.h"

#include <stddef.h>

struct stmt {
    struct catalog_txn *txn;
    struct stmt_slot *slot;
    struct err *e;
    int rc; /* the first error */
    int next_param, next_column;
};

/* sql: a literal; it is prepared once for each connection (once more for each use that is
 * open at the same time). */
struct stmt stmt_open(struct catalog_txn *txn, const char *sql, struct err *e);
void stmt_close(struct stmt *s);
#define AUTO_STMT __attribute__((cleanup(stmt_close)))

/* field: what to name when the value cannot be stored. */
void bind_text(struct stmt *s, const char *field, const char *text, size_t room_bytes);
void bind_text_or_empty(struct stmt *s, const char *field, const char *text,
                        size_t room_bytes);
void bind_int(struct stmt *s, int64_t value);
void bind_u64(struct stmt *s, const char *field, uint64_t value);
void bind_null(struct stmt *s);
/* The bytes are borrowed until stmt_close. */
void bind_blob(struct stmt *s, const void *data, size_t bytes);

/* A statement without rows. */
int stmt_run(struct stmt *s) MUST_CHECK;
/* The same for one that must change a row; -ENOENT: there is no such `noun`. */
int stmt_run_one(struct stmt *s, const char *noun) MUST_CHECK;
/* The same for a deletion; -EBUSY, "the noun `why_busy`", while others refer to it. */
int stmt_remove(struct stmt *s, const char *noun, const char *why_busy) MUST_CHECK;
/* 1: a row; 0: no more. */
int stmt_next(struct stmt *s) MUST_CHECK;
/* The same, and reads the row; what does not fit is -EUCLEAN. */
int stmt_next_row(struct stmt *s, void (*read)(struct stmt *s, void *row),
                  void *row) MUST_CHECK;

/* Fills out, which has room_bytes with the NUL. */
void column_text(struct stmt *s, char *out, size_t room_bytes);
/* The same; NULL reads as "". */
void column_text_or_none(struct stmt *s, char *out, size_t room_bytes);
/* Borrowed until the next step; "" if it is refused. */
const char *column_borrowed(struct stmt *s);
int64_t column_int(struct stmt *s);
uint64_t column_u64(struct stmt *s, uint64_t max);
/* Exactly `bytes` bytes. */
void column_bytes(struct stmt *s, void *out, size_t bytes);
/* Borrowed until the next step. */
const void *column_blob(struct stmt *s, size_t *bytes);

/* Is there a row? sql has one parameter. Used to say which reference failed; an error
 * reads as no. */
bool row_exists_text(struct catalog_txn *txn, const char *sql, const char *key);
bool row_exists_int(struct catalog_txn *txn, const char *sql, int64_t key);

#endif
