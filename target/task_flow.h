/* SPDX-License-Identifier: Apache-2.0 */
/* The transport's side of a task: task.c moves it from state to state, data.c keeps book
 * of its data-out. Its reactor's thread. */
#ifndef TARGET_TASK_FLOW_H
#define TARGET_TASK_FLOW_H

#include "proto/negotiate.h"
#include "target/task.h"

#include <stdbool.h>

struct access_swap;
struct alua_wait;
struct reactor;

/* ---- task.c ---- */

/* Ends a task without an answer. If exec has it, it is marked and ends when it comes
 * back. */
void task_abort(struct task *t);
/* The last of its PDUs was sent, or dropped. */
void task_on_sent(struct task *t);
/* Its buffer may be had now: true if it got it and went on. */
bool task_retry(struct task *t) MUST_CHECK;
/* Data-out came, or there is none: goes on as far as it can. */
void task_advance(struct task *t);
/* It may run: exec gets it, at once or when its limits let it, or it is answered if exec
 * had done all before. */
void task_start(struct task *t);
/* Exec gets it. */
void task_execute(struct task *t);
/* Its answer is this, whatever came of it; data-out on its way is taken first. */
void task_refuse(struct task *t, enum sense_code code);
/* The LU is gone from its initiator's view. */
void task_lose_lu(struct task *t, struct access_swap *swap);
/* The LU is not accessible any more by way of its session's port group. */
void task_lose_access(struct task *t, struct alua_wait *wait);
void task_free_kept(struct reactor *r);

/* ---- data.c: no sockets here, only counts ---- */

/* Before any data-out. immediate_bytes come with the command; final: nothing unsolicited
 * follows them. SENSE_NONE, or what iSCSI's rules say about such data. */
enum sense_code data_check_command(const struct task *t, const struct params *params,
                                   uint32_t immediate_bytes, bool final) MUST_CHECK;
void data_init(struct task *t, uint32_t immediate_bytes, bool final);
/* So many came with the command. */
void data_take_immediate(struct task *t, uint32_t bytes);
/* bytes came in order; final: the F bit. */
void data_take(struct task *t, uint32_t bytes, bool final);
/* Whether a Data-Out's bytes are the next ones that were to come; and its DataSN. */
bool data_is_next(const struct task *t, const struct params *params,
                  const struct data_out *m) MUST_CHECK;
bool data_sn_is_next(const struct task *t, const struct data_out *m) MUST_CHECK;
/* True and *out: another R2T may be sent (ttt: of it). */
bool data_next_r2t(struct task *t, const struct params *params, uint32_t ttt,
                   struct r2t *out) MUST_CHECK;
/* No more comes: neither unasked nor asked for; and all that is wanted came. */
bool data_is_quiet(const struct task *t);
bool data_is_whole(const struct task *t);
/* Where the next `bytes` go and how many of them are kept. */
uint8_t *data_place(const struct task *t, uint32_t bytes, uint32_t *keep_bytes);

#endif
