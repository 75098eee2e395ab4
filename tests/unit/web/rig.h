/* SPDX-License-Identifier: Apache-2.0 */
/* The API as a whole over a fake manager and target: one thread, a real loop, real
 * sockets. A test calls and looks at the answer. */
#ifndef TESTS_UNIT_WEB_RIG_H
#define TESTS_UNIT_WEB_RIG_H

#include "client.h"
#include "fake_lunmgr.h"
#include "web/web.h"

#include <jansson.h>

struct rig {
    struct loop *loop;
    struct lunmgr *m;
    struct target *target;
    struct web *web;
    char dir[64], socket[96], tls_dir[96];
    struct client client; /* on the Unix socket */
    struct answer answer; /* the last one */
    json_t *json;         /* its body, if JSON */
    char header[256];     /* that rig_header told last */
};

/* cmocka set-up and tear-down; *state is the rig. */
int rig_setup(void **state);
/* With TLS on TCP, the pair in tls_dir; and with so little patience that a test can
 * wait for its end. */
int rig_setup_tls(void **state);
int rig_setup_hasty(void **state);
int rig_setup_hasty_tls(void **state);
int rig_teardown(void **state);
#define WITH_RIG(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

void rig_pump(void *rig);
/* Turns enough that what can end has ended. */
void rig_settle(struct rig *r);
/* Calls on the Unix socket (opened anew if it was closed); the status. body as in
 * client_call. Fails the test if no answer comes. */
int rig_call(struct rig *r, const char *method, const char *path, const char *body);
/* The same on any client. */
int rig_call_on(struct rig *r, struct client *c, const char *method, const char *path,
                const char *body);
/* The same with more headers, each with its line's end. */
int rig_call_with(struct rig *r, struct client *c, const char *method, const char *path,
                  const char *headers, const char *body);
/* Sends such a request and waits for nothing; then takes its answer. */
void rig_send(struct rig *r, struct client *c, const char *method, const char *path,
              const char *headers, const char *body);
int rig_receive(struct rig *r, struct client *c);
/* One more client, on the Unix socket or, with a token, on TCP; rig_client_close. */
struct client *rig_client_open(struct rig *r, const char *token);
void rig_client_close(struct client *c);
/* Turns the loop until so many calls are held back. Fails the test if they do not come.
 */
void rig_wait_held(struct rig *r, size_t count);
/* A string member of the last answer, by JSON pointer-like path "a/b/0"; "" if none. */
const char *rig_text(struct rig *r, const char *path);
/* A number, or -1. */
long long rig_number(struct rig *r, const char *path);
json_t *rig_get(struct rig *r, const char *path);
/* A header of the last answer; "": there is none. Good until the next call. */
const char *rig_header(struct rig *r, const char *name);
/* A pool p, a volume v on it, a host h with initiator iqn.2024-01.com.example:h. */
void rig_provision(struct rig *r);

#endif
