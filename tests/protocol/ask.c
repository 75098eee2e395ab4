/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-ask: a session on libiscsi that sends the commands it reads, one at a time, and
 * says how each ended. It takes nothing for granted: unit attentions are told as they
 * come. Usage: ashlar-ask INITIATOR URL. One thread.
 *
 * Lines in:  none CDB            a command without data
 *            in BYTES CDB        it reads
 *            out DATA CDB        it writes
 *            fill LBA BLOCKS     WRITE(16) of so many blocks of 512, none of them zeros
 * Lines out: ready               logged in
 *            good [DATA]
 *            sense BYTES         CHECK CONDITION, with its sense data as it came
 *            status HEX          another status
 *            lost
 * CDB, DATA and BYTES out are in hex. */
#include <inttypes.h>
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DATA_MAX    512U
#define CDB_MAX     16U
#define BLOCK_BYTES 512U
#define FILL_BLOCKS 512U /* of one WRITE */

static struct iscsi_context *session;
static int lun;

static size_t hex_read(const char *text, uint8_t *out, size_t max)
{
    size_t bytes = 0;
    unsigned value;
    while (bytes < max && sscanf(text + 2 * bytes, "%2x", &value) == 1)
        out[bytes++] = (uint8_t)value;
    return bytes;
}

static void hex_put(const uint8_t *data, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        printf("%02x", data[i]);
}

/* A SCSI Response's data segment: SenseLength, then the sense (RFC 7143, 11.4.7). */
static void put_sense(const struct scsi_task *task)
{
    size_t bytes = task->datain.size > 2 ? (size_t)task->datain.size - 2 : 0;
    printf("sense ");
    hex_put(task->datain.data + 2, bytes);
    printf("\n");
}

/* True: it ended GOOD. */
static int say(const struct scsi_task *task, const uint8_t *data, size_t bytes)
{
    if (task->status == SCSI_STATUS_GOOD) {
        printf("good ");
        hex_put(data, bytes);
        printf("\n");
        return 1;
    }
    if (task->status == SCSI_STATUS_CHECK_CONDITION)
        put_sense(task);
    else if (task->status < SCSI_STATUS_CANCELLED)
        printf("status %02x\n", (unsigned)task->status);
    else
        printf("lost\n");
    return 0;
}

static struct scsi_task *run(uint8_t *cdb, size_t cdb_bytes, int direction, uint8_t *data,
                             size_t bytes)
{
    struct iscsi_data out = {bytes, data};
    struct scsi_task *task = scsi_create_task((int)cdb_bytes, cdb, direction, (int)bytes);
    if (task == NULL)
        return NULL;
    if (direction == SCSI_XFER_READ)
        scsi_task_add_data_in_buffer(task, (int)bytes, data);
    if (iscsi_scsi_command_sync(session, lun, task,
                                direction == SCSI_XFER_WRITE ? &out : NULL) == NULL) {
        scsi_free_scsi_task(task);
        return NULL;
    }
    return task;
}

static void command(int direction, uint8_t *data, size_t bytes, const char *hex)
{
    uint8_t cdb[CDB_MAX];
    size_t cdb_bytes = hex_read(hex, cdb, sizeof(cdb));
    struct scsi_task *task = run(cdb, cdb_bytes, direction, data, bytes);
    if (task == NULL) {
        printf("lost\n");
        return;
    }
    size_t came = direction == SCSI_XFER_READ ? bytes : 0;
    if (task->residual_status == SCSI_RESIDUAL_UNDERFLOW && task->residual <= came)
        came -= task->residual;
    (void)say(task, data, came);
    scsi_free_scsi_task(task);
}

static void fill(uint64_t lba, uint64_t blocks)
{
    static uint8_t data[FILL_BLOCKS * BLOCK_BYTES];
    memset(data, 0xa5, sizeof(data));
    for (uint64_t at = 0; at < blocks; at += FILL_BLOCKS) {
        uint64_t n = blocks - at < FILL_BLOCKS ? blocks - at : FILL_BLOCKS;
        uint8_t cdb[CDB_MAX] = {0x8a};
        for (unsigned i = 0; i < 8; i++)
            cdb[2 + i] = (uint8_t)((lba + at) >> (56 - 8 * i));
        cdb[12] = (uint8_t)(n >> 8);
        cdb[13] = (uint8_t)n;
        struct scsi_task *task =
            run(cdb, sizeof(cdb), SCSI_XFER_WRITE, data, (size_t)n * BLOCK_BYTES);
        if (task == NULL) {
            printf("lost\n");
            return;
        }
        int is_last = at + n == blocks, is_good = task->status == SCSI_STATUS_GOOD;
        if (is_last || !is_good)
            (void)say(task, NULL, 0);
        scsi_free_scsi_task(task);
        if (!is_good)
            return;
    }
}

static void obey(const char *line)
{
    uint8_t data[DATA_MAX] = {0};
    char first[2 * DATA_MAX + 1], hex[2 * CDB_MAX + 1];
    unsigned bytes;
    uint64_t lba, blocks;
    if (sscanf(line, "none %32s", hex) == 1)
        command(SCSI_XFER_NONE, data, 0, hex);
    else if (sscanf(line, "in %u %32s", &bytes, hex) == 2 && bytes <= DATA_MAX)
        command(SCSI_XFER_READ, data, bytes, hex);
    else if (sscanf(line, "out %1024s %32s", first, hex) == 2)
        command(SCSI_XFER_WRITE, data, hex_read(first, data, sizeof(data)), hex);
    else if (sscanf(line, "fill %" SCNu64 " %" SCNu64, &lba, &blocks) == 2)
        fill(lba, blocks);
    else
        printf("what?\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    char line[4 * DATA_MAX];
    if (argc != 3) {
        fprintf(stderr, "ashlar-ask INITIATOR URL\n");
        return 64;
    }
    signal(SIGPIPE, SIG_IGN);
    session = iscsi_create_context(argv[1]);
    struct iscsi_url *url =
        session == NULL ? NULL : iscsi_parse_full_url(session, argv[2]);
    if (url == NULL)
        return 64;
    lun = url->lun;
    iscsi_set_noautoreconnect(session, 1);
    iscsi_set_session_type(session, ISCSI_SESSION_NORMAL);
    iscsi_set_timeout(session, 30);
    if (iscsi_set_targetname(session, url->target) != 0 ||
        iscsi_connect_sync(session, url->portal) != 0 || iscsi_login_sync(session) != 0) {
        fprintf(stderr, "ashlar-ask: %s\n", iscsi_get_error(session));
        return 1;
    }
    printf("ready\n");
    fflush(stdout);
    while (fgets(line, sizeof(line), stdin) != NULL)
        obey(line);
    iscsi_destroy_url(url);
    iscsi_destroy_context(session);
    return 0;
}
