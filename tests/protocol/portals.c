/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-portals: each portal is told at each of them as ADDRESS:PORT,TAG; a login says
 * its tag, and so do the names of the target port; a session of one initiator port with
 * each portal group, and one alone. Usage: ashlar-portals TARGET INITIATOR LUN HOST PORT
 * TAG [HOST PORT TAG...]: all on loopback. One thread. */
#include "tests/protocol/rawpdu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ANSWER_MS   5000
#define ISID_SHARED 0x77
#define PORTAL_MAX  8

static struct raw_pdu pdu, answer;
static uint8_t lun;

struct place {
    struct raw raw;
    uint16_t tag;
};

/* --- what is told --- */

static bool answer_has(const char *pair)
{
    for (size_t i = 0; i < answer.data_bytes; i += strlen((char *)answer.data + i) + 1) {
        if (strcmp((char *)answer.data + i, pair) == 0)
            return true;
    }
    return false;
}

static unsigned addresses_told(void)
{
    unsigned count = 0;

    for (size_t i = 0; i < answer.data_bytes; i += strlen((char *)answer.data + i) + 1)
        count += strncmp((char *)answer.data + i, "TargetAddress=", 14) == 0;
    return count;
}

static void address_of(const struct place *p, char *out, size_t out_bytes)
{
    bool v6 = strchr(p->raw.host, ':') != NULL;

    snprintf(out, out_bytes, v6 ? "TargetAddress=[%s]:%s,%u" : "TargetAddress=%s:%s,%u",
             p->raw.host, p->raw.port, p->tag);
}

static const char *tells_all(struct place *asked, const struct place *all, unsigned count)
{
    struct raw r = asked->raw;
    char pair[160];
    const char *wrong = NULL;

    if (raw_connect(&r) != 0 || raw_login(&r, true) != 0)
        return "a discovery login fails";
    raw_begin(&r, &pdu, RAW_TEXT);
    raw_text(&pdu, "SendTargets=All");
    if (!raw_send(&r, &pdu) || raw_recv(&r, &answer, ANSWER_MS) != RAW_TEXT_RSP)
        wrong = "SendTargets is not answered";
    snprintf(pair, sizeof(pair), "TargetName=%s", r.target);
    if (wrong == NULL && !answer_has(pair))
        wrong = "the target is not told";
    for (unsigned i = 0; i < count && wrong == NULL; i++) {
        address_of(&all[i], pair, sizeof(pair));
        if (!answer_has(pair))
            wrong = "a portal is not told, or not with its tag";
    }
    if (wrong == NULL && addresses_told() != count)
        wrong = "other addresses are told too";
    address_of(asked, pair, sizeof(pair));
    if (wrong == NULL &&
        strcmp((char *)answer.data + strlen("TargetName=") + strlen(r.target) + 1,
               pair) != 0)
        wrong = "the first address is not the one that was asked";
    raw_close(&r);
    return wrong;
}

/* --- sessions --- */

static const char *log_in(struct place *p)
{
    char pair[64];

    p->raw.isid_tail = ISID_SHARED;
    if (raw_connect(&p->raw) != 0 || raw_login_answer(&p->raw, false, &answer) != 0)
        return "a login fails";
    snprintf(pair, sizeof(pair), "TargetPortalGroupTag=%u", p->tag);
    return answer_has(pair) ? NULL : "the login is answered with another tag";
}

/* Past the unit attentions. */
static bool command(struct place *p, const uint8_t *cdb, size_t cdb_bytes,
                    uint32_t expected)
{
    for (int i = 0; i < 5; i++) {
        raw_begin(&p->raw, &pdu, RAW_SCSI_CMD);
        pdu.bhs[1] |= expected > 0 ? 0x40 : 0;
        raw_cdb(&pdu, cdb, cdb_bytes, lun, expected);
        if (!raw_send(&p->raw, &pdu))
            return false;
        int rc = raw_recv(&p->raw, &answer, ANSWER_MS);
        if (rc == RAW_DATA_IN || (rc == RAW_SCSI_RSP && answer.bhs[3] == 0))
            return true;
        if (rc != RAW_SCSI_RSP)
            return false;
    }
    return false;
}

static bool works(struct place *p)
{
    static const uint8_t tur[6];

    return command(p, tur, sizeof(tur), 0);
}

/* SPC-5, 7.7.6: the designators of the target port: its relative number (4h) and its name
 * (8h), each with the association 1 and iSCSI's protocol identifier. */
static const char *names_its_port(struct place *p)
{
    static const uint8_t page_83[6] = {0x12, 1, 0x83, 4, 0, 0};
    char name[300];
    bool number = false, named = false;

    snprintf(name, sizeof(name), "%s,t,0x%04x", p->raw.target, p->tag);
    if (!command(p, page_83, sizeof(page_83), 1024))
        return "no page 83h";
    for (size_t i = 4; i + 4 <= answer.data_bytes; i += 4U + answer.data[i + 3]) {
        const uint8_t *d = answer.data + i;
        if ((d[1] & 0xbf) == 0x94)
            number = (d[0] >> 4) == 5 && raw_get(d + 6, 2) == p->tag;
        if ((d[1] & 0xbf) == 0x98)
            named = (d[0] >> 4) == 5 && strcmp((const char *)d + 4, name) == 0;
    }
    return number && named ? NULL : "page 83h names another target port";
}

/* One ISID: each portal group has its session; another login ends the one of its own. */
static const char *one_session_a_group(struct place *all, unsigned count)
{
    const char *wrong = NULL;

    for (unsigned i = 0; i < count && wrong == NULL; i++) {
        wrong = log_in(&all[i]);
        if (wrong == NULL)
            wrong = names_its_port(&all[i]);
        for (unsigned k = 0; k < i && wrong == NULL; k++) {
            bool same = all[k].tag == all[i].tag;
            if (same && all[k].raw.fd >= 0) {
                if (raw_recv_end(&all[k].raw, ANSWER_MS) != RAW_CLOSED)
                    wrong = "two sessions of one port with one portal group";
                raw_close(&all[k].raw);
            } else if (!same && all[k].raw.fd >= 0 && !works(&all[k])) {
                wrong = "a login to another portal group ends a session";
            }
        }
    }
    return wrong;
}

int main(int argc, char **argv)
{
    struct place all[PORTAL_MAX];
    unsigned count = 0;
    const char *wrong = NULL;

    if (argc < 7 || (argc - 4) % 3 != 0 || argc > 4 + 3 * PORTAL_MAX) {
        fprintf(stderr, "ashlar-portals TARGET INITIATOR LUN HOST PORT TAG...\n");
        return 64;
    }
    lun = (uint8_t)strtoul(argv[3], NULL, 10);
    for (int i = 4; i < argc; i += 3)
        all[count++] = (struct place){.raw = {.host = argv[i],
                                              .port = argv[i + 1],
                                              .target = argv[1],
                                              .initiator = argv[2],
                                              .fd = -1},
                                      .tag = (uint16_t)strtoul(argv[i + 2], NULL, 10)};
    for (unsigned i = 0; i < count && wrong == NULL; i++)
        wrong = tells_all(&all[i], all, count);
    if (wrong == NULL)
        wrong = one_session_a_group(all, count);
    for (unsigned i = 0; i < count; i++)
        raw_close(&all[i].raw);
    printf("ashlar-portals: %s\n", wrong == NULL ? "all as it should be" : wrong);
    return wrong == NULL ? 0 : 1;
}
