/* SPDX-License-Identifier: Apache-2.0 */
/* Records: handed to the next operation, written with it. */
#include "lunmgr/record.h"

#include "base/log.h"
#include "lunmgr/op.h"
#include "lunmgr/record_priv.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static_assert(sizeof(((struct record *)0)->principal) == CATALOG_PRINCIPAL_MAX &&
                  sizeof(((struct record *)0)->key) == CATALOG_KEY_MAX &&
                  sizeof(((struct record *)0)->operation) == CATALOG_OPERATION_MAX &&
                  sizeof(((struct record *)0)->subject_id) == CATALOG_ID_MAX &&
                  sizeof(((struct record *)0)->fingerprint) == DIGEST_BYTES,
              "what can be recorded can be stored");

/* ---- Handed over ----------------------------------------------------------------- */

/* In one piece: its texts are behind it. */
static struct record *record_copy(const struct record *record)
{
    const char *request = record->request == NULL ? "" : record->request;
    size_t request_bytes = strlen(request) + 1;
    size_t answer_bytes = record->answer == NULL ? 0 : strlen(record->answer) + 1;
    struct record *copy = malloc(sizeof(*copy) + request_bytes + answer_bytes);
    if (copy == NULL)
        log_fatal("out of memory"); /* as for an op */
    *copy = *record;
    char *texts = (char *)(copy + 1);
    copy->request = memcpy(texts, request, request_bytes);
    if (record->answer != NULL)
        copy->answer = memcpy(texts + request_bytes, record->answer, answer_bytes);
    return copy;
}

void lunmgr_record_next(struct lunmgr *m, const struct record *record)
{
    assert(m->next_record == NULL); /* else one went with no operation */
    m->next_record = record_copy(record);
}

void lunmgr_record_drop(struct lunmgr *m)
{
    record_free(record_take(m));
}

struct record *record_take(struct lunmgr *m)
{
    return TAKE(m->next_record);
}

void record_free(struct record *record)
{
    free(record);
}

/* ---- Written: on the catalog's writer -------------------------------------------- */

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int audit_store(struct catalog_txn *txn, const struct record *r, struct err *e)
{
    struct audit_row row = {.fields = {
                                .time_ms = now_ms(),
                                .who = r->who,
                                .from = r->from,
                                .operation = r->operation,
                                .subject = r->subject,
                                .subject_id = r->subject_id,
                                .request = r->request,
                            }};
    return audit_row_add(txn, &row, e);
}

int64_t replay_expired_s(const struct lunmgr *m)
{
    return now_s() - (int64_t)m->options.replay_retention_s;
}

static int replay_store(struct catalog_txn *txn, const struct lunmgr *m,
                        const struct record *r, struct err *e)
{
    const struct replay_bounds bounds = {.expired_s = replay_expired_s(m),
                                         .count_max = REPLAY_COUNT_MAX};
    struct replay_row row = {.created_s = now_s()};
    memcpy(row.principal, r->principal, sizeof(row.principal));
    memcpy(row.key, r->key, sizeof(row.key));
    memcpy(row.fingerprint, r->fingerprint, sizeof(row.fingerprint));
    memcpy(row.operation, r->operation, sizeof(row.operation));
    memcpy(row.subject_id, r->subject_id, sizeof(row.subject_id));
    int rc = replay_row_add(txn, &row, &bounds, e);
    if (rc == 0 && r->status != 0)
        rc = replay_row_answer(txn, r->principal, r->key, r->status, r->answer, e);
    return rc;
}

int record_check(struct catalog_txn *txn, const struct lunmgr *m,
                 const struct record *record, struct err *e)
{
    if (record == NULL || record->key[0] == '\0')
        return 0;
    return replay_row_check(txn, record->principal, record->key, replay_expired_s(m), e);
}

int record_store(struct catalog_txn *txn, const struct lunmgr *m,
                 const struct record *record, struct err *e)
{
    int rc = 0;
    if (record != NULL && record->key[0] != '\0')
        rc = replay_store(txn, m, record, e);
    if (rc == 0 && record != NULL && record->audited)
        rc = audit_store(txn, record, e);
    return rc;
}

/* ---- Alone ----------------------------------------------------------------------- */

struct record_op {
    struct op op;
    done_fn done;
    void *arg;
};

static void record_written(struct op *op)
{
    struct record_op *ro = container_of(op, struct record_op, op);
    ro->done(ro->arg, op_outcome(op));
    op_free(op);
}

void record_write(struct lunmgr *m, const struct record *record, done_fn done, void *arg)
{
    lunmgr_record_next(m, record);
    struct record_op *ro = op_new(m, sizeof(*ro), record_written);
    ro->done = done;
    ro->arg = arg;
    op_write_record(&ro->op, record_written);
}
