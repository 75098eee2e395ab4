/* SPDX-License-Identifier: Apache-2.0 */
/* One initiator session on libiscsi: see peer.h. It adds to libiscsi what every test
 * program here needs and nothing else: outcomes told apart, CDBs of all four lengths. One
 * thread a peer. */
#include "tests/protocol/peer.h"

#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define READY_TRIES_MAX 50
#define RECONNECT_MS    50

struct peer {
    struct iscsi_context *session;
    char error[256];
    int lun;
    bool lost;
    bool residuals_ok;
    bool reconnect;
    struct peer_cmd *running;
};

static void note(struct peer *p, const char *what)
{
    snprintf(p->error, sizeof(p->error), "%s: %s", what, iscsi_get_error(p->session));
}

static void note_sense(struct peer *p, const struct scsi_task *task, const uint8_t *cdb)
{
    if (task->status != SCSI_STATUS_CHECK_CONDITION) {
        snprintf(p->error, sizeof(p->error), "opcode 0x%02x: status 0x%x", cdb[0],
                 (unsigned)task->status);
        return;
    }
    snprintf(p->error, sizeof(p->error), "opcode 0x%02x: sense %s(%d) %s(0x%04x)", cdb[0],
             scsi_sense_key_str((int)task->sense.key), (int)task->sense.key,
             scsi_sense_ascq_str(task->sense.ascq), (unsigned)task->sense.ascq);
}

static enum outcome outcome_of(const struct scsi_task *task, int status)
{
    switch (status) {
    case SCSI_STATUS_GOOD:
        return OUTCOME_GOOD;
    case SCSI_STATUS_BUSY:
    case SCSI_STATUS_TASK_SET_FULL:
        return OUTCOME_AGAIN;
    case SCSI_STATUS_CHECK_CONDITION:
        if (task->sense.key == SCSI_SENSE_MISCOMPARE)
            return OUTCOME_MISCOMPARE;
        return task->sense.key == SCSI_SENSE_UNIT_ATTENTION ? OUTCOME_AGAIN
                                                            : OUTCOME_SENSE;
    case SCSI_STATUS_CANCELLED:
    case SCSI_STATUS_TIMEOUT:
    case SCSI_STATUS_ERROR:
        return OUTCOME_LOST;
    default:
        return OUTCOME_SENSE;
    }
}

struct peer *peer_open(const struct peer_options *o, char *text, size_t text_bytes)
{
    struct peer *p = calloc(1, sizeof(*p));
    struct iscsi_url *url = NULL;

    if (p == NULL || (p->session = iscsi_create_context(o->initiator)) == NULL) {
        snprintf(text, text_bytes, "no memory for a session");
        free(p);
        return NULL;
    }
    if (o->data_digest) {
        snprintf(text, text_bytes, "libiscsi has no digest of data");
        peer_abandon(p);
        return NULL;
    }
    p->residuals_ok = o->residuals_ok;
    p->reconnect = o->reconnect;
    iscsi_set_isid_random(p->session, o->isid, 0);
    iscsi_set_noautoreconnect(p->session, !o->reconnect);
    iscsi_set_session_type(p->session, ISCSI_SESSION_NORMAL);
    iscsi_set_timeout(p->session, o->timeout_s);
    iscsi_set_header_digest(p->session, o->header_digest ? ISCSI_HEADER_DIGEST_CRC32C
                                                         : ISCSI_HEADER_DIGEST_NONE);
    url = iscsi_parse_full_url(p->session, o->url);
    if (url == NULL || iscsi_set_targetname(p->session, url->target) != 0 ||
        iscsi_full_connect_sync(p->session, url->portal, url->lun) != 0) {
        snprintf(text, text_bytes, "%s: %s", o->url, iscsi_get_error(p->session));
        if (url != NULL)
            iscsi_destroy_url(url);
        peer_abandon(p);
        return NULL;
    }
    p->lun = url->lun;
    iscsi_destroy_url(url);
    return p;
}

/* libiscsi forgets what was submitted while it logs out or in, task and all. */
void peer_abandon(struct peer *p)
{
    iscsi_destroy_context(p->session);
    for (struct peer_cmd *c = p->running; c != NULL; c = c->next)
        scsi_free_scsi_task(c->task);
    free(p);
}

void peer_close(struct peer *p)
{
    if (!p->lost)
        (void)iscsi_logout_sync(p->session);
    peer_abandon(p);
}

static int wait_ready(struct peer *p, unsigned lun)
{
    for (int i = 0; i < READY_TRIES_MAX; i++) {
        struct scsi_task *task = iscsi_testunitready_sync(p->session, (int)lun);
        if (task == NULL)
            break;
        enum outcome outcome = outcome_of(task, task->status);
        scsi_free_scsi_task(task);
        if (outcome == OUTCOME_GOOD)
            return 0;
        if (outcome != OUTCOME_AGAIN)
            break;
    }
    note(p, "TEST UNIT READY");
    return -1;
}

int peer_capacity(struct peer *p, unsigned lun, uint64_t *blocks, uint32_t *block_bytes)
{
    if (wait_ready(p, lun) != 0)
        return -1;
    struct scsi_task *task = NULL;
    struct scsi_readcapacity16 *cap = NULL;
    for (int i = 0; i < READY_TRIES_MAX; i++) {
        task = iscsi_readcapacity16_sync(p->session, (int)lun);
        if (task == NULL || outcome_of(task, task->status) != OUTCOME_AGAIN)
            break;
        scsi_free_scsi_task(task); /* a unit attention: what it sees has changed again */
        task = NULL;
    }
    if (task != NULL && task->status == SCSI_STATUS_GOOD)
        cap = scsi_datain_unmarshall(task);
    if (cap == NULL)
        note(p, "READ CAPACITY(16)");
    else {
        *blocks = cap->returned_lba + 1;
        *block_bytes = cap->block_length;
    }
    if (task != NULL)
        scsi_free_scsi_task(task);
    return cap == NULL ? -1 : 0;
}

static void cmd_begins(struct peer_cmd *c, struct peer *p, struct scsi_task *task)
{
    c->peer = p;
    c->task = task;
    c->next = p->running;
    c->link = &p->running;
    if (c->next != NULL)
        c->next->link = &c->next;
    p->running = c;
}

static void cmd_ended(struct peer_cmd *c)
{
    *c->link = c->next;
    if (c->next != NULL)
        c->next->link = c->link;
    scsi_free_scsi_task(c->task);
}

static void on_done(struct iscsi_context *session, int status, void *data, void *arg)
{
    struct peer_cmd *c = arg;
    struct scsi_task *task = data;
    enum outcome outcome = OUTCOME_LOST;

    (void)session;
    if (task != NULL) {
        outcome = outcome_of(task, status);
        if (outcome == OUTCOME_SENSE)
            note_sense(c->peer, task, c->cdb);
        if (outcome == OUTCOME_GOOD && !c->peer->residuals_ok &&
            task->residual_status != SCSI_RESIDUAL_NO_RESIDUAL) {
            snprintf(c->peer->error, sizeof(c->peer->error),
                     "opcode 0x%02x: GOOD with a residual of %zu", c->cdb[0],
                     task->residual);
            outcome = OUTCOME_SENSE;
        }
    }
    cmd_ended(c);
    if (outcome == OUTCOME_LOST && !c->peer->lost) {
        note(c->peer, "no answer");
        c->peer->lost = true;
    }
    c->done(c->arg, outcome);
}

int peer_submit(struct peer *p, struct peer_cmd *c)
{
    int direction = SCSI_XFER_NONE;
    struct iscsi_data out = {c->data_bytes, c->data};

    if (c->data_bytes > 0)
        direction = c->writes ? SCSI_XFER_WRITE : SCSI_XFER_READ;
    struct scsi_task *task =
        scsi_create_task(c->cdb_bytes, c->cdb, direction, (int)c->data_bytes);
    if (task == NULL)
        return -1;
    if (direction == SCSI_XFER_READ)
        scsi_task_add_data_in_buffer(task, (int)c->data_bytes, c->data);
    cmd_begins(c, p, task);
    if (p->lost || iscsi_scsi_command_async(p->session, (int)c->lun, task, on_done,
                                            c->writes ? &out : NULL, c) != 0) {
        cmd_ended(c);
        return -1;
    }
    return 0;
}

int peer_fd(const struct peer *p)
{
    return iscsi_get_fd(p->session);
}

short peer_events(const struct peer *p)
{
    return (short)iscsi_which_events(p->session);
}

int peer_service(struct peer *p, short revents)
{
    if (!p->lost && iscsi_service(p->session, revents) == 0)
        return p->lost ? -1 : 0;
    /* libiscsi says this also while it waits before it reconnects, which it does then. */
    if (!p->lost && p->reconnect) {
        poll(NULL, 0, RECONNECT_MS);
        return 0;
    }
    if (!p->lost) {
        note(p, "connection lost");
        p->lost = true;
    }
    iscsi_scsi_cancel_all_tasks(p->session);
    return -1;
}

int peer_turn(struct peer *p, int wait_ms)
{
    struct pollfd fd = {.fd = peer_fd(p), .events = peer_events(p)};

    if (poll(&fd, 1, wait_ms) < 0)
        return -1;
    return peer_service(p, fd.revents);
}

int peer_lun(const struct peer *p)
{
    return p->lun;
}

bool peer_lost(const struct peer *p)
{
    return p->lost;
}

const char *peer_error(const struct peer *p)
{
    return p->error;
}
