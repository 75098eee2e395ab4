/* SPDX-License-Identifier: Apache-2.0 */
/* What the cases of the programs on raw PDUs are made of, and what runs them: one after
 * the other, each on a connection of its own, beside a bystander whose session is open
 * all the time and must be served all the time. A case returns NULL, or what was wrong.
 * One thread. */
#ifndef TESTS_PROTOCOL_SCENE_H
#define TESTS_PROTOCOL_SCENE_H

#include "tests/protocol/rawpdu.h"

#define ANSWER_MS     5000
#define QUIET_MS      300
#define IMMEDIATE_BIT 0x40
#define READ_BIT      0x40
#define WRITE_BIT     0x20
#define TAG_NONE      0xffffffffu
#define BLOCK_BYTES   512
#define COUNT_OF(a)   (sizeof(a) / sizeof((a)[0]))

/* The PDU that is made up, the last one that came, the unit that is used. */
extern struct raw_pdu pdu, answer;
extern uint8_t lun;

struct scene {
    const char *name;
    const char *(*run)(struct raw *r);
};

/* Runs them as argv says: HOST PORT TARGET INITIATOR LUN [NAME]. The exit status. */
int scenes_main(int argc, char **argv, const char *program, const struct scene *scenes,
                size_t count);

/* --- a session --- */

const char *open_session(struct raw *r);
/* A discovery session. */
const char *open_discovery(struct raw *r);
/* A NOP-Out with that much data and its echo. */
const char *ping(struct raw *r, size_t bytes);
/* TEST UNIT READY until no unit attention is left. */
const char *unit_ready(struct raw *r);
/* An ordinary session with a unit that is ready. */
const char *open_unit(struct raw *r);

/* With more keys at its login, the last one NULL; all others have their defaults. */
const char *open_unit_with(struct raw *r, const char *const *keys);

/* --- commands --- */

/* READ(10) and WRITE(10) of the blocks from lba on, as a command that is not sent yet. */
void begin_rw(struct raw *r, bool write, uint32_t lba, uint16_t blocks);
/* Sends the command that pdu holds; its R2T is in answer. NULL, or what was wrong. */
const char *wait_for_r2t(struct raw *r);
/* A Data-Out with the F bit, of a pattern that hangs on the offset; not sent yet. */
void begin_data(struct raw *r, uint32_t itt, uint32_t ttt, uint32_t data_sn,
                uint32_t offset, size_t bytes);
/* The whole write by the R2T that is in answer. */
void answer_r2t(struct raw *r);
/* Reads the blocks from lba on: NULL if they hold what begin_data() sends. */
const char *holds_data(struct raw *r, uint32_t lba, uint16_t blocks);

/* --- a login by hand --- */

/* An immediate login request without text: operational stage, then full feature. */
void begin_login_bare(struct raw *r);
/* The same with the names in it; further keys are the caller's. */
void begin_login(struct raw *r);
/* Sends the login that pdu holds; the status it is answered with, -1 for a closed
 * connection or a Reject, -2 for no answer. */
int login_status(struct raw *r);
/* NULL if it is not accepted. */
const char *login_refused(struct raw *r);
/* How many pairs of the answer's text have that key; *value: the last one's. */
unsigned said(const char *key, const char **value);

/* --- what comes --- */

const char *rejected_or_closed(struct raw *r);
/* The next PDU is a Reject with that reason and the header of the PDU that was sent. */
bool is_rejected(struct raw *r, uint8_t reason);
const char *closed(struct raw *r);
/* The next PDU is a SCSI Response of itt with GOOD. */
bool is_good(struct raw *r, uint32_t itt);
/* With CHECK CONDITION, that key, ASC and ASCQ (fixed format). */
bool is_sense(struct raw *r, uint32_t itt, uint8_t key, unsigned code);
/* A ping is answered next: nothing of what was sent before it has an answer yet. */
bool is_silent(struct raw *r);

#endif
