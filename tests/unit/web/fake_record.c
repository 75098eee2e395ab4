/* SPDX-License-Identifier: Apache-2.0 */
/* Records, idempotency keys and the audit of the fake manager. */
#include "fake_priv.h"

#include "lunmgr/backup.h"

void lunmgr_record_next(struct lunmgr *m, const struct record *record)
{
    assert(!m->has_record);
    m->has_record = true;
    m->record = *record;
}

void lunmgr_record_drop(struct lunmgr *m)
{
    m->has_record = false;
}

void record_take(struct call *call)
{
    struct lunmgr *m = call->m;
    call->has_record = m->has_record;
    call->dry = m->has_record && m->record.dry_run;
    if (m->has_record)
        call->record = m->record;
    call->record.request =
        m->has_record && m->record.request != NULL ? strdup(m->record.request) : NULL;
    m->has_record = false;
}

static struct fake_replay *replay_of(struct lunmgr *m, const char *principal,
                                     const char *key)
{
    for (size_t i = 0; i < m->replay_count; i++) {
        struct fake_replay *r = &m->replays[i];
        if (strcmp(r->principal, principal) == 0 && strcmp(r->key, key) == 0)
            return r;
    }
    return NULL;
}

void record_keep(struct call *call, const char *subject_id)
{
    struct lunmgr *m = call->m;
    const struct record *record = &call->record;
    if (!call->has_record || call->dry || !record->audited)
        return;
    m->audits = realloc(m->audits, (m->audit_count + 1) * sizeof(*m->audits));
    m->replays = realloc(m->replays, (m->replay_count + 1) * sizeof(*m->replays));
    assert(m->audits != NULL && m->replays != NULL);
    struct fake_audit *a = &m->audits[m->audit_count++];
    a->record = *record;
    a->record.request = NULL;
    copy(a->request, sizeof(a->request), record->request == NULL ? "" : record->request);
    copy(a->record.subject_id, sizeof(a->record.subject_id), subject_id);
    if (record->key[0] == '\0')
        return;
    struct fake_replay *r = &m->replays[m->replay_count++];
    *r = (struct fake_replay){.was = {.status = 0}};
    copy(r->principal, sizeof(r->principal), record->principal);
    copy(r->key, sizeof(r->key), record->key);
    memcpy(r->was.fingerprint, record->fingerprint, sizeof(r->was.fingerprint));
    copy(r->was.operation, sizeof(r->was.operation), record->operation);
    copy(r->was.subject_id, sizeof(r->was.subject_id), subject_id);
    if (strcmp(m->late.key, r->key) == 0 &&
        strcmp(m->late.principal, r->principal) == 0) {
        r->was.status = m->late.was.status;
        memcpy(r->body, m->late.body, sizeof(r->body));
    }
    m->late.key[0] = '\0';
}

static void fields_of(const struct fake_audit *a, uint64_t seq, struct audit_fields *out)
{
    *out = (struct audit_fields){
        .seq = seq,
        .time_ms = INT64_C(1000) * CREATED_S + (int64_t)seq,
        .who = a->record.who,
        .from = a->record.from,
        .operation = a->record.operation,
        .subject = a->record.subject,
        .subject_id = a->record.subject_id,
        .request = a->request,
    };
}

static void do_backup(struct call *call, struct err *e)
{
    if (e->code == 0 && call->path[0] != '/')
        (void)err_set(e, -EINVAL, "path", "an absolute path is wanted");
    if (e->code == 0 && strcmp(call->path, call->m->backup_path) == 0)
        (void)err_set(e, -EEXIST, "path", "%s is there already", call->path);
    if (e->code == 0 && !call->dry)
        copy(call->m->backup_path, sizeof(call->m->backup_path), call->path);
    call->fn.done(call->arg, err_or_null(e));
}

void lunmgr_backup(struct lunmgr *m, const char *path, done_fn done, void *arg)
{
    struct call *call = call_new(m, do_backup, arg);
    copy(call->path, sizeof(call->path), path);
    call->fn.done = done;
    call_post(call);
}

static void do_audit_list(struct call *call, struct err *e)
{
    struct lunmgr *m = call->m;
    AUTO_FREE struct audit_entry *entries = calloc(m->audit_count + 1, sizeof(*entries));
    uint8_t hash[DIGEST_BYTES] = {0};
    size_t count = 0;
    for (size_t i = 0; i < m->audit_count; i++) {
        struct audit_entry entry;
        fields_of(&m->audits[i], i + 1, &entry.fields);
        audit_hash(hash, &entry.fields, hash);
        memcpy(entry.hash, hash, sizeof(hash));
        if (i + 1 > call->number && count < call->number2)
            entries[count++] = entry;
    }
    call->fn.audit(call->arg, e->code == 0 ? entries : NULL, e->code == 0 ? count : 0,
                   err_or_null(e));
}

void audit_list(struct lunmgr *m, uint64_t after_seq, unsigned limit, audit_done_fn done,
                void *arg)
{
    struct call *call = call_new(m, do_audit_list, arg);
    call->number = after_seq;
    call->number2 = limit;
    call->fn.audit = done;
    call_post(call);
}

/* ---- What is asked of it ----------------------------------------------------------- */

static void do_record_write(struct call *call, struct err *e)
{
    call->fn.done(call->arg, err_or_null(e));
}

void record_write(struct lunmgr *m, const struct record *record, done_fn done, void *arg)
{
    lunmgr_record_next(m, record);
    struct call *call = call_new(m, do_record_write, arg);
    call->fn.done = done;
    call_post(call);
}

static void do_replay_find(struct call *call, struct err *e)
{
    struct fake_replay *r = replay_of(call->m, call->name, call->record.key);
    if (r != NULL)
        r->was.body = r->body;
    call->fn.replay(call->arg, r == NULL || e->code != 0 ? NULL : &r->was,
                    err_or_null(e));
}

void replay_find(struct lunmgr *m, const char *principal, const char *key,
                 replay_done_fn done, void *arg)
{
    struct call *call = call_new(m, do_replay_find, arg);
    copy(call->name, sizeof(call->name), principal);
    copy(call->record.key, sizeof(call->record.key), key);
    call->fn.replay = done;
    call_post(call);
}

void replay_answer(struct lunmgr *m, const char *principal, const char *key, int status,
                   const char *body)
{
    if (body == NULL || m->forgets_answers)
        return;
    m->late.was.status = status;
    copy(m->late.principal, sizeof(m->late.principal), principal);
    copy(m->late.key, sizeof(m->late.key), key);
    copy(m->late.body, sizeof(m->late.body), body);
}
