/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of management share: a rig on the fake engine, and calls that note their
 * answer. */
#ifndef TESTS_UNIT_LUNMGR_MANAGE_RIG_H
#define TESTS_UNIT_LUNMGR_MANAGE_RIG_H

#include "lunmgr/host.h"
#include "lunmgr/token.h"
#include "tests/lib/rig_manage.h"

extern struct pool_rig rig;

int manage_setup(void **state);
int manage_teardown(void **state);
void restart(void);

struct answer {
    bool came;
    struct err err;
    void *object;
};

/* Callbacks; arg: the answer. */
void on_volume(void *arg, struct volume *v, const struct err *e);
void on_host(void *arg, struct host *h, const struct err *e);
void on_mapping(void *arg, struct mapping *m, const struct err *e);
void on_token(void *arg, struct token *t, const struct err *e);
void on_pool(void *arg, struct pool *p, const struct err *e);
void on_done(void *arg, const struct err *e);
void on_job(void *arg, struct job *job, const struct err *e);

/* Answered later than the call; the code. */
int wait_for(struct answer *a);
void assert_refused(const struct answer *a, int code, const char *field);

/* Waits for the end of a job; the state. */
const char *end_of_job(struct job *job);

/* Calls, waited for. */
struct answer make_host(const char *name, const char *const *initiators, size_t count);
struct answer make_host_of(const char *name, const char *initiator);
struct answer delete_host(const char *name);
struct answer map(const char *volume, const char *host, uint16_t lun);
struct answer unmap(const char *id_or_pair);
uint16_t lun_of(const struct answer *a);

#define MANAGE_TEST(name)                                                                \
    cmocka_unit_test_setup_teardown(name, manage_setup, manage_teardown)

#endif
