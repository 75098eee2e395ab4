/* SPDX-License-Identifier: Apache-2.0 */
/* A nexus, a unit and the transport's part of a command, for the tests of exec_*.c. */
#ifndef TESTS_EXEC_RIG_H
#define TESTS_EXEC_RIG_H

#include "target/exec.h"
#include "target/lu.h"
#include "target/task.h"
#include "target/unit.h"
#include "tests/unit/target/fake_vio.h"

struct rig {
    struct volume *volume;
    struct unit *unit;
    struct lu lus[3];
    uint32_t luns[3];
    struct view view;
    struct nexus *nexus; /* through the group 1 */
    struct alua alua;    /* groups 1 and 7 */
    struct task task;    /* the last command, as it ended */
    uint8_t out[64 << 10];
    uint32_t out_bytes; /* data-out of the next command, and what it expects to send */
    uint32_t expected_in_bytes;
    unsigned saves; /* of mode parameters that were asked for */
    int save_rc;    /* what they come to */
};

/* One unit at LUN 0: a volume of 16 MiB. block_bytes: 512 or 4096. Its power-on attention
 * has been taken. */
struct rig *rig_create(uint32_t block_bytes);
void rig_destroy(struct rig *r);
/* The same for cmocka; *state is the rig. */
int rig_setup_512(void **state);
int rig_setup_4096(void **state);
int rig_teardown(void **state);
#define ON_512(name)  cmocka_unit_test_setup_teardown(name, rig_setup_512, rig_teardown)
#define ON_4096(name) cmocka_unit_test_setup_teardown(name, rig_setup_4096, rig_teardown)

/* Runs a command to its end, a save of mode parameters or a change of a reservation too,
 * as the transport and the control thread would.
 * Data-in stays until the next one. */
void rig_run(struct rig *r, uint32_t lun, const uint8_t *cdb, size_t cdb_bytes);
#define RIG_RUN(r, ...)                                                                  \
    rig_run((r), 0, (const uint8_t[]){__VA_ARGS__},                                      \
            sizeof((const uint8_t[]){__VA_ARGS__}))
#define RIG_RUN_ON(r, lun, ...)                                                          \
    rig_run((r), (lun), (const uint8_t[]){__VA_ARGS__},                                  \
            sizeof((const uint8_t[]){__VA_ARGS__}))

/* Fill the data-out of the next command. */
void rig_send(struct rig *r, const void *data, uint32_t bytes);
void rig_send_pattern(struct rig *r, uint8_t value, uint32_t bytes);

/* Every reactor has this state of the unit's. */
void rig_reserve_all(struct unit *unit, const struct reservation *after);

void rig_expect_good(const struct rig *r);
void rig_expect_sense(const struct rig *r, enum sense_code code);
/* The field that the sense names, in the CDB. */
void rig_expect_cdb_field(const struct rig *r, unsigned byte);

#endif
