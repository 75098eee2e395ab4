/* SPDX-License-Identifier: Apache-2.0 */
/* What others may know of the iSCSI target: start and stop, sessions, counters. Control
 * thread; answers that need the reactors come later, on the control thread. */
#ifndef TARGET_TARGET_H
#define TARGET_TARGET_H

#include "base/alua.h"
#include "base/err.h"
#include "lunmgr/lunmgr.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TARGET_NAME_MAX      224 /* with NUL: RFC 7143, 4.2.7.1 */
#define TARGET_ALIAS_MAX     256 /* with NUL */
#define TARGET_ADDRESS_MAX   64  /* "[v6]:port" and NUL */
#define TARGET_PORTAL_MAX    16
#define TARGET_ADVERTISE_MAX 16
#define TARGET_REACTOR_MAX   16

struct mapping;
struct target;

/* How it is found out that an initiator is gone. */
struct target_keepalive {
    unsigned nop_interval_s; /* nothing came for so long: it is pinged; 0: never */
    unsigned nop_timeout_s;  /* then nothing came for so long: its connection ends */
    unsigned tcp_idle_s;     /* TCP begins to probe by itself; 0: never */
    unsigned tcp_unacked_s;  /* unacknowledged for so long: it ends; 0: the system's */
};

/* What initiators may make the target keep, and for how long. Each has a key of the
 * configuration. */
enum target_limit {
    LIMIT_CONNECTIONS, /* logged in */
    LIMIT_ADDRESS_CONNECTIONS,
    LIMIT_LOGINS, /* connections that have not logged in */
    LIMIT_ADDRESS_LOGINS,
    LIMIT_LOGIN_TIMEOUT,   /* seconds, from the connection to the end of its login */
    LIMIT_RECV_SEGMENT,    /* bytes: MaxRecvDataSegmentLength that we declare */
    LIMIT_TEXT,            /* bytes: a login step or a text request, joined */
    LIMIT_COMMANDS,        /* of a session at a time: its CmdSN window */
    LIMIT_INPUT,           /* bytes of a connection: requests before their turn */
    LIMIT_OUTPUT,          /* bytes of a connection: unsent, then it is read no more */
    LIMIT_SESSION_BUFFERS, /* bytes: data of a session's commands */
    LIMIT_REACTOR_BUFFERS, /* bytes: the same of all sessions of a reactor */
    LIMIT_COUNT,
};

struct target_limits {
    uint64_t values[LIMIT_COUNT];
};

struct target_limit_rule {
    const char *name; /* its key in the configuration */
    uint64_t low, high, preset;
};

/* Any thread. */
const struct target_limit_rule *target_limit_rule(enum target_limit limit);
void target_limits_preset(struct target_limits *out);

struct target_options {
    struct lunmgr *lunmgr;
    struct loop *control;
    const char *name; /* the box's iSCSI name: the shared target's */
    unsigned reactor_count;
    enum engine_kind engine;
    /* "ADDRESS:PORT", "[v6]:PORT", with or without ",TAG"; port 0: any free one. */
    const char *const *portals;
    size_t portal_count;
    /* Further addresses for SendTargets, at most TARGET_ADVERTISE_MAX. */
    const char *const *advertise;
    size_t advertise_count;
    struct target_keepalive keepalive;
    const struct target_limits *limits; /* each inside its rule */
};

/* Binds the portals, starts the reactors. Field "portal" names a bad or taken address. */
int target_start(const struct target_options *options, struct target **out,
                 struct err *e) MUST_CHECK;
/* Stops accepting and asks the sessions to log out; those that do not are told that they
 * are dropped, in the end cut off. done on the control thread within timeout_ms. Then
 * target_destroy. */
void target_stop(struct target *t, unsigned timeout_ms, void (*done)(void *arg),
                 void *arg);
void target_destroy(struct target *t);

/* Whether target_stop ended everything in its time: else some disk I/O has not come back,
 * and target_destroy may not be called. */
bool target_is_stopped(const struct target *t);

/* Takes the place of the advertised addresses; the strings are copied. Control thread. */
int target_set_advertise(struct target *t, const char *const *advertise, size_t count,
                         struct err *e) MUST_CHECK;

/* From now on; sessions keep what was negotiated with them. */
void target_set_limits(struct target *t, const struct target_limits *limits);

/* Of the target that all hosts share. */
const char *target_name(const struct target *t);
/* Of the one that the mapping's LUN is of. */
void target_name_of(const struct target *t, const struct mapping *mapping,
                    char out[TARGET_NAME_MAX]);
/* Whether names of own targets can be made of it: an iqn. name takes a suffix, an eui. or
 * naa. name does not (RFC 7143, 4.2.7). */
bool target_may_have_own(const struct target *t);
/* The address really bound (its port is known), index below target_portal_count. */
size_t target_portal_count(const struct target *t);
const char *target_portal(const struct target *t, size_t index);

#define FIGURE_FUNCTIONS 13 /* of task management, and none of them */

/* What is counted of a session, and of all sessions together. */
enum target_figure {
    FIGURE_COMMANDS,
    FIGURE_READ_BYTES,
    FIGURE_WRITTEN_BYTES,
    FIGURE_ERRORS,     /* commands answered with another status than GOOD, of these: */
    FIGURE_ATTENTIONS, /* unit attentions told */
    FIGURE_BUSY,
    FIGURE_TASK_SET_FULL,
    FIGURE_R2TS,
    FIGURE_REJECTS,
    FIGURE_HEADER_DIGEST_ERRORS, /* a session ends with one */
    FIGURE_DATA_DIGEST_ERRORS,
    FIGURE_PINGS_RECEIVED, /* NOP-Outs that want an answer */
    FIGURE_PINGS_SENT,     /* NOP-Ins that want one */
    FIGURE_TMF,            /* plus the function's number; 0: one that there is not */
    FIGURE_COUNT = FIGURE_TMF + FIGURE_FUNCTIONS,
};

/* How long commands take, in microseconds, from when they came to when their answer was
 * ready to be sent: base/buckets.h. The last bucket has all beyond it, too. */
enum latency_kind { LATENCY_READ, LATENCY_WRITE, LATENCY_OTHER, LATENCY_KINDS };
#define LATENCY_STEP_BITS 3
#define LATENCY_BUCKETS   208 /* to 2^28 us */

struct target_latency {
    uint64_t buckets[LATENCY_BUCKETS];
    uint64_t max_us;
};

struct target_counters {
    uint64_t figures[FIGURE_COUNT];
    uint64_t latency[LATENCY_KINDS][LATENCY_BUCKETS];
    uint64_t latency_us[LATENCY_KINDS]; /* their sum */
    uint64_t logins, login_failures, keepalive_timeouts;
    uint64_t buffer_bytes; /* that commands have now */
    uint32_t sessions, connections;
    uint64_t refused[LIMIT_COUNT]; /* at that limit */
};
/* Sums what the reactors publish; any thread, never waits. */
void target_counters(const struct target *t, struct target_counters *out);

/* Commands that had to wait for the limits of a volume or a host, and how long together,
 * since these limits are in force; a volume's, since it is mapped. */
struct target_throttled {
    uint64_t commands, us;
};
/* By id, on the control thread. False: it has no limits, or there is no such. */
bool target_volume_throttled(const struct target *t, const char *volume_id,
                             struct target_throttled *out);
bool target_host_throttled(const struct target *t, const char *host_id,
                           struct target_throttled *out);

#define TARGET_REDIRECT_MAX 300 /* a domain name, a port and NUL */

struct target_drain_spec {
    const char *portal;        /* an address where sessions come; NULL: all of them */
    const char *host;          /* name or id; NULL: every host */
    const char *redirect;      /* where logins are sent, as an address to advertise; NULL:
                                  they are told that the target is out of service */
    unsigned logout_timeout_s; /* then a session that has not logged out is dropped */
};

struct target_drain_info {
    uint64_t id; /* of this run of the daemon, never reused in it */
    char portal[TARGET_ADDRESS_MAX], host_name[64], redirect[TARGET_REDIRECT_MAX];
    unsigned logout_timeout_s;
    int64_t since_s;
    uint32_t sessions; /* that are still there */
    uint64_t asked, dropped, turned_away;
};

/* On the control thread, when every session that is concerned has been told. */
typedef void (*target_drain_fn)(void *arg, uint64_t id);
/* Asks the sessions of a portal, a host or both to log out and turns their logins away.
 * In force until target_undrain or the end of the daemon. 0, and done is called later;
 * or -EINVAL, -ENOENT (the host), -EBUSY (too many), -ENOMEM with e's field named as the
 * spec's, and it is not. */
int target_drain(struct target *t, const struct target_drain_spec *spec,
                 target_drain_fn done, void *arg, struct err *e) MUST_CHECK;
/* What target_drain would refuse, and nothing is done. */
int target_drain_check(struct target *t, const struct target_drain_spec *spec,
                       struct err *e) MUST_CHECK;
/* Logins are taken again, sessions that were asked may stay. 0, and done is called later;
 * -ENOENT or -ENOMEM. */
int target_undrain(struct target *t, uint64_t id, target_drain_fn done,
                   void *arg) MUST_CHECK;
/* The first one with a greater id. False: there is none. */
bool target_drain_next(struct target *t, uint64_t after, struct target_drain_info *out);

/* A portal group, which is a target port group of its own: how units are accessed through
 * its portals. SPC-4, 5.15. */
struct target_group_info {
    uint16_t tag;
    struct alua_access access; /* as it is set */
    bool transitioning;        /* to that: its commands are being waited for */
    size_t portal_count, advertised_count;
    /* Borrowed until control returns to the loop. Advertised: those with its tag, and
     * those without one, which are told beside each portal. */
    const char *portals[TARGET_PORTAL_MAX];
    const char *advertised[TARGET_ADVERTISE_MAX];
    uint32_t sessions; /* normal ones */
};
/* The first one with a greater tag. False: there is none. */
bool target_group_next(const struct target *t, uint16_t after,
                       struct target_group_info *out);

struct target_group_change {
    const enum alua_state *state; /* NULL: as it is; and so the next */
    const bool *preferred;
    bool force; /* though an initiator has no other way to its disks */
};
/* On the control thread; e: why it was not done, or NULL. */
typedef void (*target_group_fn)(void *arg, const struct err *e);
/* Answered when it is durable, no command that the state does not take is under way
 * through the group, and every session was told. 0, and done is called later; or -ENOENT,
 * -EBUSY with e's field named as the change's, and it is not. */
int target_group_change(struct target *t, uint16_t tag,
                        const struct target_group_change *change, target_group_fn done,
                        void *arg, struct err *e) MUST_CHECK;

#define SEEN_MAX        256
#define SEEN_REASON_MAX 128

/* An initiator at an address, as its logins ended in this run of the daemon. */
struct target_seen {
    uint64_t id;                      /* never reused in this run */
    char initiator[TARGET_NAME_MAX];  /* "": it told none */
    char address[TARGET_ADDRESS_MAX]; /* without the port */
    int64_t accepted_s;               /* the last time; 0: never */
    int64_t refused_s;                /* the same */
    uint64_t refusals;
    uint16_t status; /* class and detail of the last refusal */
    char reason[SEEN_REASON_MAX];
};

/* In order of id. At most SEEN_MAX; the longest not seen go, strangers first. Borrowed
 * until control returns to the loop. */
const struct target_seen *target_seen_next(const struct target *t,
                                           const struct target_seen *prev);
/* The first with a greater id. */
const struct target_seen *target_seen_after(const struct target *t, uint64_t id);
/* The host that it is now; NULL: none. */
const char *target_seen_host(const struct target *t, const struct target_seen *seen);

struct target_session_info {
    uint64_t id; /* of this run of the daemon, never reused in it */
    char initiator[TARGET_NAME_MAX];
    char alias[TARGET_ALIAS_MAX]; /* of the initiator, "": none */
    char host_name[64];           /* "" for a discovery session */
    char target[TARGET_NAME_MAX]; /* the same */
    uint16_t portal_group;        /* the portal's tag */
    char isid[13];                /* 12 hex digits */
    uint16_t tsih;
    bool discovery;
    bool logout_asked;                /* by us */
    char address[TARGET_ADDRESS_MAX]; /* the initiator's */
    char portal[TARGET_ADDRESS_MAX];  /* the one it came to */
    unsigned reactor;
    int64_t since_s;
    uint32_t outstanding_tasks, outstanding_tasks_most;
    uint64_t figures[FIGURE_COUNT];
    struct target_latency latency[LATENCY_KINDS];
    const char *chap_algorithm; /* NULL: authentication was None */
    bool chap_mutual;
    /* as negotiated */
    bool header_digest, data_digest, initial_r2t, immediate_data;
    uint32_t max_recv_initiator_bytes, max_recv_target_bytes;
    uint32_t first_burst_bytes, max_burst_bytes, max_outstanding_r2t;
    uint32_t max_connections, error_recovery_level, protocol_level;
    uint32_t time2wait_s, time2retain_s;
    bool data_pdu_in_order, data_sequence_in_order;
    const char *task_reporting; /* static */
};

/* A normal session that begins or has ended. Strings are borrowed for the call. */
struct target_session_news {
    uint64_t id;
    const char *initiator, *host, *target, *address;
    const char *reason; /* why it has ended; NULL: it begins */
};
/* A soft threshold of thin provisioning that was reached. Strings are borrowed for the
 * call. */
struct target_threshold_news {
    const char *pool_id, *pool;
    const char *volume_id, *volume; /* what it owns; NULL: what the pool has left */
    uint64_t threshold_bytes; /* the last of them, if several were reached at once */
    uint64_t free_bytes;      /* of the pool */
    uint64_t used_bytes;      /* of the volume, else of the pool */
    uint32_t volume_count;    /* that have such a threshold, and are mapped */
};

/* What the target tells upwards, on the control thread. Each may be NULL. */
struct target_events {
    void *arg;
    void (*session_opened)(void *arg, const struct target_session_news *session);
    void (*session_closed)(void *arg, const struct target_session_news *session);
    /* The reason is of this refusal. */
    void (*login_refused)(void *arg, const struct target_seen *seen);
    /* Once for a crossing: threshold.h. */
    void (*threshold_reached)(void *arg, const struct target_threshold_news *news);
};
/* Control thread; what comes before is not told. NULL: nobody listens any more. */
void target_set_events(struct target *t, const struct target_events *events);

/* sessions: borrowed for the call, in order of id. */
typedef void (*target_sessions_fn)(void *arg, const struct target_session_info *sessions,
                                   size_t count);
void target_list_sessions(struct target *t, target_sessions_fn done, void *arg);
/* found false: no session has that id. Answered when the session is gone. */
void target_kick_session(struct target *t, uint64_t id,
                         void (*done)(void *arg, bool found), void *arg);

#endif
