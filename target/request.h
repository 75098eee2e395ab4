/* SPDX-License-Identifier: Apache-2.0 */
/* Requests of the full feature phase: which is in its turn, which handler takes it, how a
 * bad one is answered. The connection's thread. */
#ifndef TARGET_REQUEST_H
#define TARGET_REQUEST_H

#include "target/conn.h"

/* The header is whole (bhs, ahs, data_bytes are set): says where the data goes. */
void request_begin(struct conn *c, struct request *req);
/* The data is there and its digest is right. */
void request_end(struct conn *c, struct request *req);
/* Its digest is wrong. */
void request_bad_data(struct conn *c, struct request *req);
/* The connection ends before the request does. */
void request_drop(struct request *req);

/* Answers with a Reject. */
void request_reject(struct conn *c, const struct request *req, enum reject_reason reason);
/* The initiator broke the protocol: Reject, then the connection ends. */
void request_protocol_error(struct conn *c, const struct request *req,
                            enum reject_reason reason, const char *why);
/* Takes the data segment into memory of the request's own. None: the request is ignored,
 * the connection doomed. */
void request_keep_data(struct conn *c, struct request *req);

/* One kind of request. begin: may set where the data goes; NULL: it is thrown away. */
struct request_handler {
    void (*begin)(struct conn *c, struct request *req);
    void (*end)(struct conn *c, struct request *req);
};

/* tmf.c, text.c, data.c, task.c */
void task_on_command_begin(struct conn *c, struct request *req);
void task_on_command_end(struct conn *c, struct request *req);
void data_on_out_begin(struct conn *c, struct request *req);
void data_on_out_end(struct conn *c, struct request *req);
void data_on_out_bad(struct conn *c, struct request *req);
void tmf_on_request(struct conn *c, struct request *req);
/* The task management functions that a session of this iSCSIProtocolLevel may ask:
 * REPORT_TMF_* bits. Any thread. */
uint16_t tmf_reported(uint32_t level);
void text_on_request(struct conn *c, struct request *req);

/* Frees what came before its turn. */
void held_drop_all(struct conn *c);
/* The command with this number and tag did not come, or before its turn, and is aborted:
 * the number counts as received (RFC 7143, 11.6.1). 0; -ENOENT: another request has the
 * number; -ENOMEM. */
int held_plug(struct conn *c, uint32_t cmd_sn, uint32_t itt) MUST_CHECK;
/* The same for the commands that came before their turn and before before_cmd_sn. lun:
 * those to it; NULL: all. */
void held_plug_all(struct conn *c, uint32_t before_cmd_sn, const uint64_t *lun);

/* A ping of ours that wants an answer. */
void request_ping(struct conn *c);
/* The tasks have ended: the answer to the logout. */
void request_answer_logout(struct conn *c);

#endif
