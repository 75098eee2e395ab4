/* SPDX-License-Identifier: Apache-2.0 */
/* One initiator session of the test programs, on libiscsi: log in, send commands, hear
 * their end. A lost connection is what a test wants to see, unless it says reconnect.
 * One thread a peer; its callbacks run inside peer_turn() (or peer_service()) of that
 * thread. */
#ifndef TESTS_PROTOCOL_PEER_H
#define TESTS_PROTOCOL_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct peer_options {
    const char *url; /* iscsi://HOST:PORT/TARGET/LUN; the LUN is used for the login */
    const char *initiator; /* its IQN */
    uint32_t isid;         /* 24 bits, different for each session of one initiator */
    bool header_digest;    /* CRC32C over the headers */
    bool data_digest;      /* CRC32C over the data; not on libiscsi */
    int timeout_s;         /* of one command; 0: none */
    bool reconnect;        /* by itself; what was under way is sent again */
    bool residuals_ok;     /* tgt counts an UNMAP's own parameters as left over */
};

/* How a command ended. */
enum outcome {
    OUTCOME_GOOD,
    OUTCOME_AGAIN,      /* busy, task set full or a unit attention: send it again */
    OUTCOME_SENSE,      /* a check condition: peer_error() has the sense */
    OUTCOME_MISCOMPARE, /* that one */
    OUTCOME_LOST,       /* no answer: the connection ended or the command timed out */
};

struct peer;
typedef void (*peer_done)(void *arg, enum outcome outcome);

/* A command on the way. The caller owns it and data until done is called. */
struct peer_cmd {
    unsigned lun;
    uint8_t cdb[16];
    int cdb_bytes;
    bool writes; /* data goes to the target */
    uint8_t *data;
    size_t data_bytes;
    peer_done done;
    void *arg;
    /* The peer's own, while it runs. */
    struct peer *peer;
    struct scsi_task *task;
    struct peer_cmd *next, **link;
};

struct extent_range {
    uint64_t lba;
    uint32_t blocks;
};

/* Logs in and waits until the unit is ready. NULL: *text says why. */
struct peer *peer_open(const struct peer_options *o, char *text, size_t text_bytes);
/* Logs out if it still can. */
void peer_close(struct peer *p);
/* Drops the connection as a crash would. Commands that run are still there, as in
 * peer_close; they may end meanwhile, or be forgotten. */
void peer_abandon(struct peer *p);

/* Waits until LUN `lun` takes commands, then reads its size. 0 or -1 (peer_error). */
int peer_capacity(struct peer *p, unsigned lun, uint64_t *blocks, uint32_t *block_bytes);

/* Encoders: `cdb_kind` is 6, 10, 12 or 16 and must be able to hold the address. */
void cmd_read(struct peer_cmd *c, int cdb_kind, uint64_t lba, uint32_t blocks);
void cmd_write(struct peer_cmd *c, int cdb_kind, uint64_t lba, uint32_t blocks, bool fua);
/* COMPARE AND WRITE: c->data has both halves. */
void cmd_compare_write(struct peer_cmd *c, uint64_t lba, uint8_t blocks, bool fua);
void cmd_flush(struct peer_cmd *c, int cdb_kind);
/* One block of zeros in c->data; c->data_bytes is the block size. */
void cmd_write_zeros(struct peer_cmd *c, uint64_t lba, uint32_t blocks, bool unmap);
/* The parameter list is built in c->data, which has room for it (24 + 16 * n bytes). */
void cmd_unmap(struct peer_cmd *c, const struct extent_range *ranges, size_t n);

/* 0: done will be called, not before peer_turn(). -1: nothing was sent. */
int peer_submit(struct peer *p, struct peer_cmd *c);

/* For a caller with its own poll loop. */
int peer_fd(const struct peer *p);
short peer_events(const struct peer *p);
/* -1: the connection is lost, every open command has been called back. */
int peer_service(struct peer *p, short revents);

/* The poll loop of a caller with this one peer: waits at most wait_ms, serves once. */
int peer_turn(struct peer *p, int wait_ms);

/* The LUN of the URL. */
int peer_lun(const struct peer *p);
bool peer_lost(const struct peer *p);
/* The last error in words, of the session or of a command. */
const char *peer_error(const struct peer *p);

#endif
