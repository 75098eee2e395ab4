/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of the audit log. Nothing changes or removes one. On a db thread, inside
 * work(). */
#include "db/catalog.h"
#include "db/stmt.h"

#include <string.h>

int audit_row_head(struct catalog_txn *txn, uint64_t *seq, uint8_t hash[DIGEST_BYTES],
                   struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn, "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1", e);
    *seq = 0;
    memset(hash, 0, DIGEST_BYTES);
    int rc = stmt_next(&s);
    if (rc <= 0)
        return rc;
    *seq = column_u64(&s, INT64_MAX - 1);
    column_bytes(&s, hash, DIGEST_BYTES);
    return s.rc;
}

static void bind_any_text(struct stmt *s, const char *field, const char *text)
{
    bind_text_or_empty(s, field, text, strlen(text) + 1);
}

int audit_row_add(struct catalog_txn *txn, struct audit_row *row, struct err *e)
{
    struct audit_fields *f = &row->fields;
    uint8_t prev[DIGEST_BYTES];
    int rc = audit_row_head(txn, &f->seq, prev, e);
    if (rc != 0)
        return rc;
    f->seq++;
    audit_hash(prev, f, row->hash);
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "INSERT INTO audit (seq, time_ms, who, from_address, operation,"
                  " subject, subject_id, request, hash)"
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                  e);
    bind_u64(&s, "seq", f->seq);
    bind_int(&s, f->time_ms);
    bind_any_text(&s, "who", f->who);
    bind_any_text(&s, "from", f->from);
    bind_any_text(&s, "operation", f->operation);
    bind_any_text(&s, "subject", f->subject);
    bind_any_text(&s, "subject_id", f->subject_id);
    bind_any_text(&s, "request", f->request);
    bind_blob(&s, row->hash, sizeof(row->hash));
    return stmt_run(&s);
}

static void audit_read(struct stmt *s, void *out)
{
    struct audit_row *row = out;
    row->fields.seq = column_u64(s, INT64_MAX);
    row->fields.time_ms = column_int(s);
    row->fields.who = column_borrowed(s);
    row->fields.from = column_borrowed(s);
    row->fields.operation = column_borrowed(s);
    row->fields.subject = column_borrowed(s);
    row->fields.subject_id = column_borrowed(s);
    row->fields.request = column_borrowed(s);
    column_bytes(s, row->hash, sizeof(row->hash));
}

int audit_row_each(struct catalog_txn *txn, uint64_t after_seq, unsigned limit,
                   int (*each)(const struct audit_row *row, void *arg), void *arg,
                   struct err *e)
{
    AUTO_STMT struct stmt s =
        stmt_open(txn,
                  "SELECT seq, time_ms, who, from_address, operation, subject,"
                  " subject_id, request, hash FROM audit WHERE seq > ?1"
                  " ORDER BY seq LIMIT ?2",
                  e);
    bind_int(&s, after_seq > INT64_MAX ? INT64_MAX : (int64_t)after_seq);
    bind_int(&s, limit);
    struct audit_row row;
    int rc = 0;
    while (rc == 0 && (rc = stmt_next_row(&s, audit_read, &row)) > 0)
        rc = each(&row, arg);
    return rc;
}
