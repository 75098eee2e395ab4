/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-reserve: asks for reservations of a LUN by libiscsi, one step after the other in
 * one session, and prints a line for each. Usage:
 *   ashlar-reserve INITIATOR PORT URL STEP...
 * PORT: a number, the same for the same initiator port. Keys are hex. Steps:
 *   register:KEY kept:KEY (with APTPL) reserve:TYPE:KEY release:TYPE:KEY clear:KEY
 *   preempt:TYPE:KEY:OTHER abort:TYPE:KEY:OTHER   PERSISTENT RESERVE OUT
 *   keys reservation                              PERSISTENT RESERVE IN
 *   reserve6 release6 ready read write            the commands of these names
 *   leave (without a logout) kill:PID (-9)
 * A line: "good", "conflict", the sense as "key asc+ascq" in hex, "gone" (no answer), or
 * what was asked: "GENERATION KEY..."; "TYPE KEY", "none". One thread. */
#include <iscsi/iscsi.h>
#include <iscsi/scsi-lowlevel.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BLOCK_BYTES    512
#define REPLY_BYTES    4096
#define ATTENTIONS_MAX 8
#define FIELDS_MAX     4
#define OPCODE_OUT     0x5f
#define LIST_BYTES     24
#define LIST_APTPL     20

static struct iscsi_context *iscsi;
static int lun;

struct step {
    const char *verb;
    uint64_t fields[FIELDS_MAX];
    unsigned count;
};

static bool log_in(const char *initiator, const char *port, const char *text)
{
    iscsi = iscsi_create_context(initiator);
    struct iscsi_url *url = iscsi == NULL ? NULL : iscsi_parse_full_url(iscsi, text);
    if (url == NULL)
        return false;
    lun = url->lun;
    iscsi_set_isid_random(iscsi, (uint32_t)strtoul(port, NULL, 10), 0);
    iscsi_set_targetname(iscsi, url->target);
    iscsi_set_session_type(iscsi, ISCSI_SESSION_NORMAL);
    iscsi_set_noautoreconnect(iscsi, 1);
    bool good =
        iscsi_connect_sync(iscsi, url->portal) == 0 && iscsi_login_sync(iscsi) == 0;
    iscsi_destroy_url(url);
    return good;
}

static uint64_t get_be(const unsigned char *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value = value << 8 | at[i];
    return value;
}

static void put_be64(unsigned char *at, uint64_t value)
{
    for (int i = 7; i >= 0; i--, value >>= 8)
        at[i] = (unsigned char)value;
}

/* --- the steps --- */

static struct scsi_task *run(struct scsi_task *task, struct iscsi_data *data)
{
    return task == NULL ? NULL : iscsi_scsi_command_sync(iscsi, lun, task, data);
}

static struct scsi_task *pr_out(unsigned action, unsigned type, uint64_t key,
                                uint64_t other, bool aptpl)
{
    unsigned char list[LIST_BYTES] = {0};
    struct iscsi_data data = {.size = sizeof(list), .data = list};
    struct scsi_task *task = calloc(1, sizeof(*task));
    if (task == NULL)
        return NULL;
    put_be64(list, key);
    put_be64(list + 8, other);
    list[LIST_APTPL] = aptpl;
    task->cdb[0] = OPCODE_OUT;
    task->cdb[1] = (unsigned char)action;
    task->cdb[2] = (unsigned char)type;
    task->cdb[8] = LIST_BYTES;
    task->cdb_size = 10;
    task->xfer_dir = SCSI_XFER_WRITE;
    task->expxferlen = LIST_BYTES;
    return run(task, &data);
}

static struct scsi_task *pr_in(int action)
{
    return iscsi_persistent_reserve_in_sync(iscsi, lun, action, REPLY_BYTES);
}

static struct scsi_task *write_block(void)
{
    unsigned char block[BLOCK_BYTES] = {0};
    return iscsi_write10_sync(iscsi, lun, 0, block, sizeof(block), BLOCK_BYTES, 0, 0, 0,
                              0, 0);
}

static struct scsi_task *read_block(void)
{
    return iscsi_read10_sync(iscsi, lun, 0, BLOCK_BYTES, BLOCK_BYTES, 0, 0, 0, 0, 0);
}

/* NULL: no answer. */
static struct scsi_task *do_step(const struct step *s)
{
    const uint64_t *f = s->fields;
    if (strcmp(s->verb, "register") == 0 || strcmp(s->verb, "kept") == 0)
        return pr_out(6, 0, 0, f[0], s->verb[0] == 'k');
    if (strcmp(s->verb, "reserve") == 0)
        return pr_out(1, (unsigned)f[0], f[1], 0, false);
    if (strcmp(s->verb, "release") == 0)
        return pr_out(2, (unsigned)f[0], f[1], 0, false);
    if (strcmp(s->verb, "clear") == 0)
        return pr_out(3, 0, f[0], 0, false);
    if (strcmp(s->verb, "preempt") == 0 || strcmp(s->verb, "abort") == 0)
        return pr_out(s->verb[0] == 'p' ? 4 : 5, (unsigned)f[0], f[1], f[2], false);
    if (strcmp(s->verb, "keys") == 0)
        return pr_in(SCSI_PERSISTENT_RESERVE_READ_KEYS);
    if (strcmp(s->verb, "reservation") == 0)
        return pr_in(SCSI_PERSISTENT_RESERVE_READ_RESERVATION);
    if (strcmp(s->verb, "reserve6") == 0)
        return iscsi_reserve6_sync(iscsi, lun);
    if (strcmp(s->verb, "release6") == 0)
        return iscsi_release6_sync(iscsi, lun);
    if (strcmp(s->verb, "write") == 0)
        return write_block();
    if (strcmp(s->verb, "read") == 0)
        return read_block();
    return iscsi_testunitready_sync(iscsi, lun);
}

/* --- what is printed --- */

static void print_keys(const unsigned char *data)
{
    uint64_t end = 8 + get_be(data + 4, 4);
    printf("%u", (unsigned)get_be(data, 4));
    for (uint64_t at = 8; at + 8 <= end; at += 8)
        printf(" %llx", (unsigned long long)get_be(data + at, 8));
    putchar('\n');
}

static void print_reservation(const unsigned char *data)
{
    if (get_be(data + 4, 4) == 0)
        puts("none");
    else
        printf("%u %llx\n", data[21] & 0xfU, (unsigned long long)get_be(data + 8, 8));
}

static void print_reply(const struct step *s, const struct scsi_task *task)
{
    if (strcmp(s->verb, "keys") == 0)
        print_keys(task->datain.data);
    else if (strcmp(s->verb, "reservation") == 0)
        print_reservation(task->datain.data);
    else
        puts("good");
}

static void print_answer(const struct step *s, const struct scsi_task *task)
{
    if (task == NULL)
        puts("gone");
    else if (task->status == SCSI_STATUS_GOOD)
        print_reply(s, task);
    else if (task->status == SCSI_STATUS_RESERVATION_CONFLICT)
        puts("conflict");
    else if (task->status == SCSI_STATUS_CHECK_CONDITION)
        printf("%x %04x\n", (unsigned)task->sense.key, (unsigned)task->sense.ascq);
    else
        printf("status %x\n", (unsigned)task->status);
}

static void read_step(char *text, struct step *s)
{
    char *at = strchr(text, ':');
    s->verb = text;
    s->count = 0;
    memset(s->fields, 0, sizeof(s->fields));
    while (at != NULL && s->count < FIELDS_MAX) {
        *at = '\0';
        s->fields[s->count++] =
            strtoull(at + 1, &at, strcmp(text, "kill") == 0 ? 10 : 16);
        at = *at == ':' ? at : NULL;
    }
}

/* False: the end. */
static bool take_step(char *text)
{
    struct step s;
    read_step(text, &s);
    if (strcmp(s.verb, "leave") == 0)
        _exit(0);
    if (strcmp(s.verb, "kill") == 0)
        return kill((pid_t)s.fields[0], SIGKILL) == 0;
    struct scsi_task *task = do_step(&s);
    print_answer(&s, task);
    if (task == NULL)
        return false;
    scsi_free_scsi_task(task);
    return true;
}

/* What its power on has to tell. */
static void until_ready(void)
{
    for (int i = 0; i < ATTENTIONS_MAX; i++) {
        struct scsi_task *task = iscsi_testunitready_sync(iscsi, lun);
        bool attention = task != NULL && task->status == SCSI_STATUS_CHECK_CONDITION &&
                         task->sense.key == SCSI_SENSE_UNIT_ATTENTION;
        if (task != NULL)
            scsi_free_scsi_task(task);
        if (!attention)
            return;
    }
}

int main(int argc, char **argv)
{
    if (argc < 5) {
        fprintf(stderr, "usage: ashlar-reserve INITIATOR PORT URL STEP...\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0); /* who reads a pipe does not wait for our end */
    if (!log_in(argv[1], argv[2], argv[3])) {
        fprintf(stderr, "ashlar-reserve: no login\n");
        return 1;
    }
    until_ready();
    bool on = true;
    for (int i = 4; i < argc && on; i++)
        on = take_step(argv[i]);
    if (on)
        iscsi_logout_sync(iscsi);
    iscsi_destroy_context(iscsi);
    return 0;
}
