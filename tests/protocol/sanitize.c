/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-sanitize: sends SANITIZE to a LUN by libiscsi, or asks how it is. Usage:
 *   ashlar-sanitize INITIATOR URL erase|overwrite|start-erase|start-overwrite|state
 * overwrite: one pass of 'S'. start-: with IMMED. Prints "good", "ready",
 * "sanitizing PROGRESS", or the sense as "key asc+ascq" in hex. One thread. */
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OPCODE_SANITIZE  0x48
#define ACTION_OVERWRITE 0x01
#define ACTION_ERASE     0x02
#define BIT_IMMED        0x80
#define ASCQ_IN_PROGRESS 0x041b
#define SENSE_SKS_OFFSET 15 /* fixed format; the progress is its last two bytes */
#define ATTENTIONS_MAX   8

static struct iscsi_context *login(const char *initiator, const char *text, int *lun)
{
    struct iscsi_context *iscsi = iscsi_create_context(initiator);
    struct iscsi_url *url = iscsi == NULL ? NULL : iscsi_parse_full_url(iscsi, text);
    if (url == NULL)
        return NULL;
    *lun = url->lun;
    iscsi_set_targetname(iscsi, url->target);
    iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_noautoreconnect(iscsi, 1);
    bool good =
        iscsi_connect_sync(iscsi, url->portal) == 0 && iscsi_login_sync(iscsi) == 0;
    iscsi_destroy_url(url);
    return good ? iscsi : NULL;
}

/* Until it is told something that is no unit attention. NULL: no answer. */
static struct scsi_task *ready(struct iscsi_context *iscsi, int lun)
{
    struct scsi_task *task = NULL;
    for (int i = 0; i < ATTENTIONS_MAX; i++) {
        task = iscsi_testunitready_sync(iscsi, lun);
        if (task == NULL || task->status != SCSI_STATUS_CHECK_CONDITION ||
            task->sense.key != SCSI_SENSE_UNIT_ATTENTION)
            return task;
        scsi_free_scsi_task(task);
    }
    return NULL;
}

static struct scsi_task *sanitize(struct iscsi_context *iscsi, int lun, bool overwrites,
                                  bool immed)
{
    unsigned char list[5] = {1, 0, 0, 1, 'S'};
    struct iscsi_data data = {.size = overwrites ? sizeof(list) : 0, .data = list};
    struct scsi_task *task = calloc(1, sizeof(*task));
    if (task == NULL)
        return NULL;
    task->cdb[0] = OPCODE_SANITIZE;
    task->cdb[1] = (unsigned char)((overwrites ? ACTION_OVERWRITE : ACTION_ERASE) |
                                   (immed ? BIT_IMMED : 0));
    task->cdb[8] = (unsigned char)data.size;
    task->cdb_size = 10;
    task->xfer_dir = overwrites ? SCSI_XFER_WRITE : SCSI_XFER_NONE;
    task->expxferlen = (int)data.size;
    return iscsi_scsi_command_sync(iscsi, lun, task, overwrites ? &data : NULL);
}

/* libiscsi leaves the sense behind its two bytes of length in the data segment. */
static void print_sense(const struct scsi_task *task)
{
    const unsigned char *sense = task->datain.data + 2;
    if (task->sense.ascq == ASCQ_IN_PROGRESS &&
        task->datain.size >= 2 + SENSE_SKS_OFFSET + 3)
        printf("sanitizing %u\n",
               (unsigned)sense[SENSE_SKS_OFFSET + 1] << 8 | sense[SENSE_SKS_OFFSET + 2]);
    else
        printf("%x %04x\n", (unsigned)task->sense.key, (unsigned)task->sense.ascq);
}

int main(int argc, char **argv)
{
    int lun = 0;
    if (argc != 4) {
        fprintf(stderr, "usage: ashlar-sanitize INITIATOR URL "
                        "erase|overwrite|start-erase|start-overwrite|state\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* who reads a pipe does not wait for our end */
    struct iscsi_context *iscsi = login(argv[1], argv[2], &lun);
    struct scsi_task *task = iscsi == NULL ? NULL : ready(iscsi, lun);
    bool asks = strcmp(argv[3], "state") == 0;
    if (task != NULL && !asks) {
        scsi_free_scsi_task(task);
        task = sanitize(iscsi, lun, strstr(argv[3], "overwrite") != NULL,
                        strncmp(argv[3], "start-", 6) == 0);
    }
    if (task == NULL) {
        fprintf(stderr, "ashlar-sanitize: no answer\n");
        return 1;
    }
    if (task->status == SCSI_STATUS_GOOD)
        puts(asks ? "ready" : "good");
    else if (task->status == SCSI_STATUS_CHECK_CONDITION)
        print_sense(task);
    else
        printf("status %x\n", (unsigned)task->status);
    scsi_free_scsi_task(task);
    iscsi_destroy_context(iscsi);
    return 0;
}
