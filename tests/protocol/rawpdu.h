/* SPDX-License-Identifier: Apache-2.0 */
/* iSCSI PDUs by hand, for what libiscsi would never send. Field offsets are RFC 7143's
 * tables; it shares no code with the target, so that both do not make the same mistake.
 * Blocking sockets with a time limit; a connection is one thread's. */
#ifndef TESTS_PROTOCOL_RAWPDU_H
#define TESTS_PROTOCOL_RAWPDU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RAW_BHS_BYTES  48
#define RAW_DATA_BYTES 65536
#define RAW_AHS_MAX    64

enum raw_opcode {
    RAW_NOP_OUT = 0x00,
    RAW_SCSI_CMD = 0x01,
    RAW_TMF = 0x02,
    RAW_LOGIN = 0x03,
    RAW_TEXT = 0x04,
    RAW_DATA_OUT = 0x05,
    RAW_LOGOUT = 0x06,
    RAW_SNACK = 0x10,
    RAW_NOP_IN = 0x20,
    RAW_SCSI_RSP = 0x21,
    RAW_TMF_RSP = 0x22,
    RAW_LOGIN_RSP = 0x23,
    RAW_TEXT_RSP = 0x24,
    RAW_DATA_IN = 0x25,
    RAW_LOGOUT_RSP = 0x26,
    RAW_R2T = 0x31,
    RAW_ASYNC = 0x32,
    RAW_REJECT = 0x3f,
    RAW_CLOSED = 0x100,  /* raw_recv: the peer ended the connection */
    RAW_SILENT = 0x101,  /* raw_recv: nothing came in time */
    RAW_GARBLED = 0x102, /* raw_recv: a digest is wrong */
};

struct raw_pdu {
    uint8_t bhs[RAW_BHS_BYTES];
    uint8_t ahs[RAW_AHS_MAX];
    size_t ahs_bytes; /* whole words */
    uint8_t data[RAW_DATA_BYTES];
    size_t data_bytes;
};

/* Where a bit of the next PDU is turned over after its digests were made. */
enum raw_flaw {
    RAW_SOUND,
    RAW_FLAW_BHS,
    RAW_FLAW_AHS,
    RAW_FLAW_HEADER_DIGEST,
    RAW_FLAW_DATA,
    RAW_FLAW_PAD,
    RAW_FLAW_DATA_DIGEST,
};

struct raw {
    const char *host, *port, *target, *initiator;
    int fd;
    uint32_t cmd_sn, exp_stat_sn, next_itt;
    uint16_t isid_tail; /* of the sessions made from here */
    uint16_t cid;
    int login_ms;                    /* how long a login may take; 0: 5 s */
    const char *key;                 /* one more "Key=value" of their login, or NULL */
    const char *source;              /* the IPv4 address to come from, or NULL */
    bool header_digest, data_digest; /* offered at the login, then in effect */
    bool open;                       /* in full feature phase */
    enum raw_flaw flaw;              /* of the next PDU */
};

/* Of a program's arguments HOST PORT TARGET INITIATOR. */
struct raw raw_at(char **arguments);
/* A line on a case that has ended. wrong: NULL, or why it failed. 1 if it did. */
unsigned raw_tell(const char *name, const char *wrong);

/* CRC32C, bit by bit from the polynomial: of bytes that follow others with that CRC. */
uint32_t raw_crc32c(uint32_t crc, const void *bytes, size_t n);
void raw_put(uint8_t *at, size_t bytes, uint64_t value);
uint64_t raw_get(const uint8_t *at, size_t bytes);

/* A BHS of that opcode with the final bit, a fresh ITT and this connection's numbers. */
void raw_begin(struct raw *r, struct raw_pdu *p, int opcode);
/* Appends text with its NUL; data_bytes counts it. */
void raw_text(struct raw_pdu *p, const char *key_value);
void raw_cdb(struct raw_pdu *p, const uint8_t *cdb, size_t cdb_bytes, uint8_t lun,
             uint32_t expected_bytes);

int raw_connect(struct raw *r); /* 0, or -1 and a message */
void raw_close(struct raw *r);
bool raw_write(struct raw *r, const void *bytes, size_t n);
/* Fills in the lengths, pads, adds the digests in effect and sends. A non-immediate
 * command takes a CmdSN. */
bool raw_send(struct raw *r, struct raw_pdu *p);
/* As raw_send, but the length fields say what the caller put there. */
bool raw_send_as_is(struct raw *r, struct raw_pdu *p);
/* The opcode that came, or RAW_CLOSED, RAW_SILENT, RAW_GARBLED; ExpStatSN follows. */
int raw_recv(struct raw *r, struct raw_pdu *p, int wait_ms);
/* Reads past everything until the connection ends: RAW_CLOSED, RAW_SILENT or
 * RAW_GARBLED. */
int raw_recv_end(struct raw *r, int wait_ms);

/* Logs in to a normal session (target NULL: discovery), straight into full feature phase.
 * The status class and detail, 0 for success, -1 for no answer. */
int raw_login(struct raw *r, bool discovery);
/* The same; *answer: the login response. */
int raw_login_answer(struct raw *r, bool discovery, struct raw_pdu *answer);
/* The same in two steps, for many at once. False: the connection is closed. */
bool raw_login_ask(struct raw *r, bool discovery, struct raw_pdu *p);
int raw_login_hear(struct raw *r, struct raw_pdu *answer);
uint32_t raw_itt(const struct raw_pdu *p);

#endif
