/* SPDX-License-Identifier: Apache-2.0 */
/* See task_talk.h. One thread. */
#include "tests/protocol/task_talk.h"

#include <string.h>

/* --- what is sent --- */

uint32_t send_cdb(struct raw *r, enum attr attr, uint8_t direction, const uint8_t *cdb,
                  size_t cdb_bytes, uint32_t expected)
{
    raw_begin(r, &pdu, RAW_SCSI_CMD);
    pdu.bhs[1] |= (uint8_t)(direction | attr);
    raw_cdb(&pdu, cdb, cdb_bytes, lun, expected);
    raw_send(r, &pdu);
    return raw_itt(&pdu);
}

uint32_t send_ready(struct raw *r, enum attr attr)
{
    static const uint8_t tur[6];

    return send_cdb(r, attr, 0, tur, sizeof(tur), 0);
}

uint32_t send_read(struct raw *r, enum attr attr)
{
    static const uint8_t read10[10] = {0x28, [8] = BYTES / 512};

    return send_cdb(r, attr, READ_BIT, read10, sizeof(read10), BYTES);
}

uint32_t open_write(struct raw *r, enum attr attr, uint32_t *ttt)
{
    static const uint8_t write10[10] = {0x2a, [8] = BYTES / 512};
    uint32_t itt = send_cdb(r, attr, WRITE_BIT, write10, sizeof(write10), BYTES);

    *ttt = 0;
    if (raw_recv(r, &answer, ANSWER_MS) != RAW_R2T || raw_itt(&answer) != itt)
        return 0;
    *ttt = (uint32_t)raw_get(answer.bhs + 20, 4);
    return itt;
}

void send_data(struct raw *r, uint32_t itt, uint32_t ttt)
{
    raw_begin(r, &pdu, RAW_DATA_OUT);
    pdu.bhs[9] = lun;
    raw_put(pdu.bhs + 16, 4, itt);
    raw_put(pdu.bhs + 20, 4, ttt);
    memset(pdu.data, 0x5a, BYTES);
    pdu.data_bytes = BYTES;
    raw_send(r, &pdu);
}

uint32_t send_function(struct raw *r, enum function f, uint32_t ref_itt, uint32_t ref_sn)
{
    raw_begin(r, &pdu, RAW_TMF);
    pdu.bhs[0] |= IMMEDIATE_BIT;
    pdu.bhs[1] |= (uint8_t)f;
    pdu.bhs[9] = lun;
    raw_put(pdu.bhs + 20, 4, ref_itt);
    raw_put(pdu.bhs + 32, 4, ref_sn);
    raw_send(r, &pdu);
    return raw_itt(&pdu);
}

/* --- what is expected --- */

bool told(struct raw *r, uint32_t itt, enum response response)
{
    return raw_recv(r, &answer, ANSWER_MS) == RAW_TMF_RSP && raw_itt(&answer) == itt &&
           answer.bhs[2] == (uint8_t)response;
}

bool asked(struct raw *r, enum function f, uint32_t ref_itt, enum response response)
{
    return told(r, send_function(r, f, ref_itt, 0), response);
}
