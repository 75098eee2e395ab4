/* SPDX-License-Identifier: Apache-2.0 */
/* One iSCSI connection: its socket, the PDU that is coming in, the PDUs that go out. Its
 * reactor's thread alone. What the PDUs mean is request.c's and login.c's. */
#ifndef TARGET_CONN_H
#define TARGET_CONN_H

#include "base/auto.h"
#include "base/cidr.h"
#include "base/crc32c.h"
#include "proto/pdu.h"
#include "target/limits.h"
#include "target/target.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

struct event;
struct held;
struct login;
struct reactor;
struct session;
struct task;
struct text_exchange;

/* A request on its way through request.c. */
struct request {
    const union bhs *bhs;
    const uint8_t *ahs;
    size_t ahs_bytes;
    uint32_t data_bytes;
    /* Where its data segment goes, as request_begin says: the first keep_bytes to data,
     * the rest nowhere. */
    uint8_t *data;
    uint32_t keep_bytes;
    uint8_t *owned;    /* data, if it is the request's own memory */
    struct task *task; /* whose buffer it is otherwise; NULL once that task has gone */
    struct held *held; /* it came before its turn */
    bool ignored;      /* nothing is done at its end */
};

enum rx_part { RX_HEADER, RX_DATA, RX_TAIL };

struct conn_rx {
    enum rx_part part;
    union {
        union bhs bhs;
        uint8_t bytes[BHS_BYTES + AHS_BYTES_MAX + CRC32C_BYTES];
    } header;
    size_t header_at, header_need;
    struct request req;
    uint32_t data_at;
    uint32_t crc;
    uint8_t tail[3 + CRC32C_BYTES]; /* padding and digest */
    size_t tail_at, tail_need;
    const uint8_t *in; /* read and not taken: in the reactor's stage, or in kept */
    size_t in_bytes;
    uint8_t *kept;   /* what a pause left in the stage */
    bool was_direct; /* a part of the last data segment was read to its place */
    int64_t read_us; /* the last bytes came: clock_us() */
};

/* A PDU in the output queue. */
struct tx_pdu {
    struct tx_pdu *next;
    struct {
        union bhs bhs;
        uint8_t digest[CRC32C_BYTES];
    } head;
    const uint8_t *data; /* in `small`, in owned, or in the task's buffer */
    uint32_t data_bytes;
    uint8_t tail[3 + CRC32C_BYTES];
    uint8_t head_bytes, tail_bytes;
    bool header_digest, data_digest;
    bool stamped;
    void *owned;              /* freed with it */
    struct task *task;        /* ends when its last PDU was sent */
    uint8_t small[BHS_BYTES]; /* a sense segment, a rejected header */
};

struct conn_tx {
    struct tx_pdu *first, *last;
    size_t sent_bytes; /* of first */
    size_t bytes;      /* data and headers not yet sent */
    unsigned count;
    bool blocked; /* the socket is full: wait for the write event */
};

enum conn_state {
    CONN_LOGIN,     /* takes login requests */
    CONN_OPEN,      /* full feature phase */
    CONN_ENDING,    /* reads nothing more; waits for its tasks, then for its output */
    CONN_LINGERING, /* our side is shut; waits for the initiator to close its own */
    CONN_CLOSED,    /* the socket is gone; waits for tasks and for answers of others */
};

/* Why it does not read just now. */
#define CONN_PAUSED_LOGIN  1u /* the registry is asked */
#define CONN_PAUSED_OUTPUT 2u /* the initiator does not take what it asked for */

struct conn {
    struct conn *next, *prev;   /* of its reactor */
    struct conn *dirty_next;    /* of its reactor's that are touched */
    struct conn *readable_next; /* of those that are to be read (sock_turn.h) */
    bool dirty, readable;
    struct reactor *reactor;
    int fd; /* -1 once closed */
    struct event *read_event, *write_event;
    enum conn_state state;
    unsigned paused;
    bool half_open; /* the admission counts it as one that has not logged in */
    bool has_eof;
    int64_t heard_ms;            /* the last time that something came */
    int64_t pinged_ms;           /* a ping is unanswered since then; 0: none */
    int64_t state_ms;            /* since when it is in its state */
    int64_t leave_ms;            /* it was asked to log out by then; 0: it was not */
    bool given_up;               /* it ends and is answered no more */
    enum async_event drop_event; /* we drop it, and tell it so; 0: we do not */
    bool drop_told;
    /* Registry tickets, task management functions and releases of what is reserved, under
     * way. */
    unsigned pins;
    bool header_digest, data_digest; /* in effect */
    uint32_t stat_sn;
    uint16_t cid;
    const char *doom;    /* why it is to be cut, or NULL */
    const char *end_why; /* the first reason of its end, static; NULL: none */
    bool logout_asked;
    uint32_t logout_itt;
    struct conn_rx rx;
    struct conn_tx tx;
    struct login *login; /* until the full feature phase */
    struct session *session;
    struct text_exchange *text; /* under way, or NULL */
    char local[TARGET_ADDRESS_MAX], peer[TARGET_ADDRESS_MAX];
    uint8_t local_ip[IP_BYTES], peer_ip[IP_BYTES];
    uint16_t local_port;
    uint16_t portal_group_tag; /* of the portal that it came to */
};

/* Takes the socket. 0, or -errno and the socket is the caller's still. */
int conn_create(struct reactor *r, int fd, uint16_t portal_group_tag,
                struct conn **out) MUST_CHECK;
/* Orderly: what runs is finished and answered, what still waits for data is dropped. why:
 * a log line's message, static. */
void conn_end(struct conn *c, const char *why);
/* The same, of our own accord: it is told so last of all, if it is in the full feature
 * phase, and a task that does not end in DROP_TASKS_MS is answered no more. */
void conn_drop(struct conn *c, enum async_event event, const char *why);
/* Open: it is asked to log out within so many seconds, and dropped if it does not. One
 * that was asked before has the shorter time. */
void conn_ask_logout(struct conn *c, unsigned within_s);
/* It may stay. */
void conn_let_stay(struct conn *c);
/* At once; tasks that run are answered no more. */
void conn_cut(struct conn *c, const char *why);
/* The login is over, its last answer queued: the full feature phase begins. */
void conn_open(struct conn *c);
/* To be cut at the end of the turn: for where the caller still needs its tasks. */
void conn_doom(struct conn *c, const char *why);
/* At the end of a turn: what was waiting goes on, and may have something to send. True:
 * it did something. */
bool conn_go_on(struct conn *c);
/* After that: sends what is left, and goes on to the next state where it can. The
 * connection may be gone when it returns. True: it did something. */
bool conn_settle(struct conn *c);
/* What the configuration says now. */
uint64_t conn_limit(const struct conn *c, enum target_limit limit);
/* It has passed this limit: counted, and logged at a bounded rate. */
void conn_refuse(struct conn *c, enum target_limit limit);
/* Its time has come, or not yet. */
void conn_tick(struct conn *c, int64_t now_ms);
/* When conn_tick has something to do, if nothing happens: clock_coarse_ms, or NEVER_MS.
 */
int64_t conn_due_ms(const struct conn *c);
void conn_pause(struct conn *c, unsigned reason);
void conn_resume(struct conn *c, unsigned reason);
/* An open or login connection: requests are taken. */
static inline bool conn_is_live(const struct conn *c)
{
    return c->state == CONN_LOGIN || c->state == CONN_OPEN;
}

/* ---- conn_rx.c ---- */

void conn_on_readable(int fd, short what, void *arg);
/* A read of the socket, and what it may fill. */
struct conn_read {
    struct conn *conn;
    struct iovec iov[2]; /* the rest of a large data segment, and a stage */
    size_t iov_count;
    size_t direct_bytes, stage_bytes; /* asked for */
};
bool conn_rx_may_read(const struct conn *c);
/* It reads a data segment straight to its place: take before anything else goes on. */
bool conn_rx_is_direct(const struct conn *c);
/* stage: SOCK_STAGE_BYTES, untouched until what came is taken. */
void conn_rx_ask(struct conn *c, uint8_t *stage, struct conn_read *read);
/* Takes what came: res bytes, 0 at the end of the stream, or -errno. True: there may be
 * more. */
bool conn_rx_take(struct conn_read *read, ssize_t res);
/* Goes on with what was read before. */
void conn_rx_continue(struct conn *c);
/* The task goes: what still comes for it goes nowhere. */
void conn_rx_forget_task(struct conn *c, const struct task *t);
/* The task stays, but what comes for it is thrown away. */
void conn_rx_discard_task(struct conn *c, const struct task *t);
void conn_rx_fini(struct conn *c);

/* ---- conn_tx.c ---- */

/* An empty PDU with the digests in effect, or NULL: no memory, and the connection is
 * doomed. */
struct tx_pdu *conn_tx_new(struct conn *c);
/* Copies up to sizeof(small) bytes of data into the PDU. */
void tx_pdu_put_small(struct tx_pdu *p, const void *data, uint32_t bytes);
/* In this order it is sent, numbered as it is. The queue owns it. */
void conn_tx_queue(struct conn *c, struct tx_pdu *p);
bool conn_tx_may_send(const struct conn *c);
/* What is to be sent by one call; the entries. Valid until it is taken. */
size_t conn_tx_gather(struct conn *c, struct iovec iov[CONN_TX_IOV_MAX]);
/* The socket took res bytes, or -errno. True: something was done. */
bool conn_tx_take(struct conn *c, ssize_t res);
/* Sends what the socket takes. True: something was sent. */
bool conn_tx_flush(struct conn *c);
/* Drops all; tasks that waited for it end. */
void conn_tx_fini(struct conn *c);

#endif
