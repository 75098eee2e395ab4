/* SPDX-License-Identifier: Apache-2.0 */
/* Every bound of the target in one place: what a peer can make us keep, and how long it
 * can make us wait. Those marked so are presets of limits that the configuration sets:
 * limit.c. */
#ifndef TARGET_LIMITS_H
#define TARGET_LIMITS_H

/* Connections and logins, of the whole target. */
#define CONNECTION_MAX         1024 /* preset: logged in */
#define CONNECTION_ADDRESS_MAX 512  /* preset: of them, from one address */
#define LOGIN_HALF_OPEN_MAX    512  /* preset: that have not finished their login */
#define LOGIN_ADDRESS_MAX      256  /* preset: of them, from one address */
#define LOGIN_TIMEOUT_S        15   /* preset */
#define LOGIN_REQUEST_MAX      64   /* requests of one login */
#define LOGIN_ANSWER_MAX       8192 /* what an initiator takes before it declared more */
#define TEXT_BYTES_MAX         (32U << 10) /* preset: a login step or text request, joined */
#define TEXT_REPLY_MAX         16384       /* the answers to its keys */
#define TEXT_ANSWER_MAX        (8U << 20) /* with all targets: some 50,000 */

/* Time. Ticks are coarse: everything below ends up to one tick later. */
#define REACTOR_TICK_MS      500
#define OUTPUT_TAKEN_MS      30000 /* it takes none of its answers for so long: it is gone */
#define END_MS               15000 /* it ends, its tasks and answers with it */
#define DROP_TASKS_MS        2000 /* we end it: so long its tasks may still be answered */
#define DROP_TOLD_MS         2000 /* and so long it may take to be told */
#define LINGER_MS            3000 /* our side is closed, the initiator has not followed */
#define ACCEPT_PAUSE_MS      1000 /* after accept ran out of descriptors */
#define STOP_LOGOUT_S        2    /* the target stops: so long initiators may log out */
#define STOP_PARTS           2    /* of target_stop's time, one for an orderly end */
#define TCP_PROBE_INTERVAL_S 10   /* TCP's own keepalive, once it asks */
#define TCP_PROBE_COUNT      3

/* Drains. */
#define DRAIN_MAX 64

/* One session. */
#define SESSION_WINDOW           128 /* preset: commands that it may have at a time */
#define SESSION_IMMEDIATE_MAX    32  /* and immediate ones besides */
#define SESSION_BUFFER_BYTES_MAX (64U << 20) /* preset */
#define SESSION_HELD_BYTES_MAX   (1U << 20) /* preset: PDUs that came before their turn */
#define SESSION_R2T_MAX          8          /* outstanding R2Ts of one task */
#define SESSION_ABANDONED_MAX    64 /* writes dropped of late, whose data may still come */
#define SESSION_TMF_MAX          64 /* task management functions under way */

/* One reactor. */
#define REACTOR_BUFFER_BYTES_MAX (320U << 20) /* preset */
#define REACTOR_BUFFER_SHARE     4 /* a session has at most that part of what it leaves */
#define REACTOR_TASKS_KEPT_MAX   512
#define REACTOR_PDUS_KEPT_MAX    1024
#define SOCK_STAGE_BYTES         (144U << 10) /* of 32 writes of 4 KiB the headers and data */
#define SOCK_TURN_READS          256 /* of connections, before what they brought goes on */
#define SOCK_TURN_BYTES          (512U << 10) /* so much of buffers their commands have then */

/* One connection. */
#define CONN_RECV_BYTES_MAX                                                              \
    (256U << 10)              /* preset: MaxRecvDataSegmentLength that we declare */
#define CONN_STAGE_NEXT   256 /* of the stage, when a large data segment is read */
#define CONN_DIRECT_MIN   (16U << 10) /* less of a data segment comes by the stage */
#define CONN_TX_IOV_MAX   384
#define CONN_TX_BYTES_MAX (8U << 20) /* preset: unsent: stop reading from it */
#define CONN_TX_LOW_PART  4          /* at that part of it go on */
#define CONN_TX_PDUS_HIGH 4096

#endif
