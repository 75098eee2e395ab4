/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-figures: one session that does a known number of everything that a target counts
 * of it, says what, and stays until its standard input ends. Usage: ashlar-figures HOST
 * PORT TARGET INITIATOR LUN READS WRITES. One thread. */
#include "tests/protocol/rawpdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWER_MS     10000
#define IMMEDIATE_BIT 0x40
#define READ_BIT      0x40
#define WRITE_BIT     0x20
#define SIMPLE        1
#define TAG_NONE      0xffffffffu
#define BYTES         4096 /* of a read or write here */
#define PINGS         4
#define LATE          5 /* writes that wait for their data at a time */
#define QUERIES       2

#define ABORT_TASK_SET 2
#define CLEAR_ACA      3
#define QUERY_TASK_SET 10

static struct raw_pdu pdu, answer;
static uint8_t lun;

static uint32_t send_cdb(struct raw *r, uint8_t direction, const uint8_t *cdb,
                         size_t cdb_bytes, uint32_t expected)
{
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= (uint8_t)(direction | SIMPLE);
    raw_cdb(&pdu, cdb, cdb_bytes, lun, expected);
    return raw_send(r, &pdu) ? raw_itt(&pdu) : TAG_NONE;
}

/* Status; -1: none came. */
static int status(struct raw *r, uint32_t itt)
{
    int opcode = raw_recv(r, &answer, ANSWER_MS);

    return (opcode == RAW_SCSI_RSP || opcode == RAW_DATA_IN) && raw_itt(&answer) == itt
               ? answer.bhs[3]
               : -1;
}

static int is_ready(struct raw *r)
{
    static const uint8_t tur[6];

    return status(r, send_cdb(r, 0, tur, sizeof(tur), 0));
}

static bool does_reads(struct raw *r, unsigned count)
{
    /* of 6, 10, 12 and 16 bytes */
    static const uint8_t cdbs[][16] = {{0x08, [4] = BYTES / 512},
                                       {0x28, [8] = BYTES / 512},
                                       {0xa8, [9] = BYTES / 512},
                                       {0x88, [13] = BYTES / 512}};

    for (unsigned i = 0; i < count; i++) {
        if (status(r, send_cdb(r, READ_BIT, cdbs[i % 4], 16, BYTES)) != 0)
            return false;
    }
    return true;
}

/* itt of a write that has its R2T, which is in answer. */
static uint32_t begin_write(struct raw *r, unsigned kind)
{
    static const uint8_t cdbs[][16] = {{0x0a, [4] = BYTES / 512},
                                       {0x2a, [8] = BYTES / 512},
                                       {0xaa, [9] = BYTES / 512},
                                       {0x8a, [13] = BYTES / 512}};
    uint32_t itt = send_cdb(r, WRITE_BIT, cdbs[kind % 4], 16, BYTES);

    return raw_recv(r, &answer, ANSWER_MS) == RAW_R2T && raw_itt(&answer) == itt
               ? itt
               : TAG_NONE;
}

static bool does_writes(struct raw *r, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        uint32_t itt = begin_write(r, i);
        if (itt == TAG_NONE)
            return false;
        raw_begin(r, &pdu, RAW_DATA_OUT);
        pdu.bhs[9] = lun;
        memcpy(pdu.bhs + 16, answer.bhs + 16, 8); /* ITT and TTT */
        memset(pdu.data, 0x5a, BYTES);
        pdu.data_bytes = BYTES;
        if (!raw_send(r, &pdu) || status(r, itt) != 0)
            return false;
    }
    return true;
}

static bool manages(struct raw *r, uint8_t function, uint8_t response)
{
    raw_begin(r, &pdu, RAW_TMF);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] |= function;
    pdu.bhs[9] = lun;
    raw_put(pdu.bhs + 20, 4, TAG_NONE);
    raw_send(r, &pdu);
    return raw_recv(r, &answer, ANSWER_MS) == RAW_TMF_RSP && answer.bhs[2] == response;
}

/* Writes whose data does not come, ended together. */
static bool has_late_writes(struct raw *r)
{
    for (unsigned i = 0; i < LATE; i++) {
        if (begin_write(r, i) == TAG_NONE)
            return false;
    }
    return manages(r, ABORT_TASK_SET, 0);
}

static bool pings(struct raw *r)
{
    for (int i = 0; i < PINGS; i++) {
        raw_begin(r, &pdu, RAW_NOP_OUT);
        if (!raw_send(r, &pdu) || raw_recv(r, &answer, ANSWER_MS) != RAW_NOP_IN)
            return false;
    }
    return true;
}

/* An opcode that there is not, and a SNACK, which is rejected. */
static bool errs(struct raw *r)
{
    static const uint8_t unknown[6] = {0xff};

    if (status(r, send_cdb(r, 0, unknown, sizeof(unknown), 0)) != 2)
        return false;
    raw_begin(r, &pdu, RAW_SNACK);
    raw_send(r, &pdu);
    return raw_recv(r, &answer, ANSWER_MS) == RAW_REJECT;
}

int main(int argc, char **argv)
{
    char end;

    if (argc < 8) {
        fprintf(stderr, "ashlar-figures HOST PORT TARGET INITIATOR LUN READS WRITES\n");
        return 64;
    }
    struct raw r = {.host = argv[1],
                    .port = argv[2],
                    .target = argv[3],
                    .initiator = argv[4],
                    .key = "iSCSIProtocolLevel=2",
                    .fd = -1};
    lun = (uint8_t)strtoul(argv[5], NULL, 10);
    unsigned read_count = (unsigned)strtoul(argv[6], NULL, 10);
    unsigned write_count = (unsigned)strtoul(argv[7], NULL, 10);
    if (raw_connect(&r) != 0 || raw_login(&r, false) != 0 || is_ready(&r) != 2 ||
        is_ready(&r) != 0 || !does_reads(&r, read_count) || !does_writes(&r, write_count))
        return 1;
    if (!has_late_writes(&r) || !manages(&r, CLEAR_ACA, 5) || !pings(&r) || !errs(&r))
        return 1;
    for (int i = 0; i < QUERIES; i++) {
        if (!manages(&r, QUERY_TASK_SET, 0))
            return 1;
    }
    /* TEST UNIT READY twice and the unknown opcode beside them; the first of these was
     * told the unit attention. */
    printf("reads=%u writes=%u others=3 late=%u pings=%d queries=%d bytes=%d\n",
           read_count, write_count, LATE, PINGS, QUERIES, BYTES);
    fflush(stdout);
    (void)read(STDIN_FILENO, &end, 1);
    raw_close(&r);
    return 0;
}
