/* SPDX-License-Identifier: Apache-2.0 */
/* The exchange's steps (see login_chap.h). Nothing that needs a secret of ours is told
 * before the initiator has proven its own. */
#include "target/login_chap.h"

#include <assert.h>
#include <errno.h>

void login_chap_begin(struct login_chap *x, const struct auth *auth)
{
    assert(x->state == LOGIN_CHAP_UNUSED);
    x->auth = *auth;
    x->state = LOGIN_CHAP_ALGORITHM;
}

void login_chap_fini(struct login_chap *x)
{
    explicit_bzero(x, sizeof(*x));
}

static bool asks_for_proof(const struct chap_said *said)
{
    return said->i[0] != '\0' || said->c[0] != '\0';
}

/* A key of the exchange's second step. */
static bool responds(const struct chap_said *said)
{
    return said->n[0] != '\0' || said->r[0] != '\0' || asks_for_proof(said);
}

static enum login_status take_algorithm(struct login_chap *x,
                                        const struct chap_said *said, struct wire *answer,
                                        const char **why)
{
    *why = "a CHAP key before its turn";
    if (responds(said))
        return LOGIN_INITIATOR_ERROR;
    *why = "no CHAP_A";
    if (said->a[0] == '\0')
        return LOGIN_AUTH_FAILED;
    x->algorithm = chap_choose(said->a, !x->auth.forbid_md5);
    *why = x->auth.forbid_md5 ? "no CHAP algorithm in common (MD5 is forbidden)"
                              : "no CHAP algorithm in common";
    if (x->algorithm == CHAP_NONE)
        return LOGIN_AUTH_FAILED;
    size_t bytes = chap_digest_bytes(x->algorithm);
    *why = "no random bytes for a challenge";
    if (chap_random(&x->id, sizeof(x->id)) != 0 || chap_random(x->challenge, bytes) != 0)
        return LOGIN_TARGET_ERROR;
    key_put_number(answer, "CHAP_A", x->algorithm);
    key_put_number(answer, "CHAP_I", x->id);
    key_put_hex(answer, "CHAP_C", x->challenge, bytes);
    x->state = LOGIN_CHAP_RESPONSE;
    return LOGIN_SUCCESS;
}

/* One reason for a wrong name and a wrong response, and the same work. */
static enum login_status check_response(const struct login_chap *x,
                                        const struct chap_said *said, const char **why)
{
    size_t bytes = chap_digest_bytes(x->algorithm), got = 0;
    uint8_t want[CHAP_DIGEST_MAX], response[CHAP_DIGEST_MAX];
    *why = "no CHAP_N or no CHAP_R";
    if (said->n[0] == '\0' || said->r[0] == '\0')
        return LOGIN_AUTH_FAILED;
    *why = "CHAP_R is no value of the digest's length";
    if (chap_value(said->r, response, bytes, &got) != 0 || got != bytes)
        return LOGIN_AUTH_FAILED;
    *why = "the digest failed";
    if (chap_respond(x->algorithm, x->id, &x->auth.secret, x->challenge, bytes, want) !=
        0)
        return LOGIN_TARGET_ERROR;
    bool good = chap_equal(want, response, bytes);
    good = strcmp(said->n, x->auth.user) == 0 && good;
    *why = "wrong CHAP name or response";
    return good ? LOGIN_SUCCESS : LOGIN_AUTH_FAILED;
}

/* The initiator's challenge, for us to answer. */
static enum login_status prove(struct login_chap *x, const struct chap_said *said,
                               struct wire *answer, const char **why)
{
    uint8_t id, challenge[KEY_BINARY_MAX], response[CHAP_DIGEST_MAX];
    size_t bytes = chap_digest_bytes(x->algorithm), got = 0;
    *why = "CHAP_I without CHAP_C, or CHAP_C without CHAP_I";
    if (said->i[0] == '\0' || said->c[0] == '\0')
        return LOGIN_INITIATOR_ERROR;
    *why = "CHAP_I or CHAP_C is no such value";
    if (chap_identifier(said->i, &id) != 0 ||
        chap_value(said->c, challenge, sizeof(challenge), &got) != 0)
        return LOGIN_AUTH_FAILED;
    *why = "the initiator sent our own challenge back";
    if (got == bytes && chap_equal(challenge, x->challenge, bytes))
        return LOGIN_AUTH_FAILED;
    *why = "the initiator wants us to prove a secret, and there is none for it";
    if (x->auth.mutual_user[0] == '\0')
        return LOGIN_AUTH_FAILED;
    *why = "the digest failed";
    if (chap_respond(x->algorithm, id, &x->auth.mutual_secret, challenge, got,
                     response) != 0)
        return LOGIN_TARGET_ERROR;
    key_put(answer, "CHAP_N", x->auth.mutual_user);
    key_put_hex(answer, "CHAP_R", response, bytes);
    x->mutual = true;
    return LOGIN_SUCCESS;
}

static enum login_status take_response(struct login_chap *x, const struct chap_said *said,
                                       struct wire *answer, const char **why)
{
    enum login_status status = check_response(x, said, why);
    if (status == LOGIN_SUCCESS && asks_for_proof(said))
        status = prove(x, said, answer, why);
    if (status == LOGIN_SUCCESS)
        x->state = LOGIN_CHAP_PROVEN;
    return status;
}

enum login_status login_chap_take(struct login_chap *x, const struct chap_said *said,
                                  struct wire *answer, const char **why)
{
    switch (x->state) {
    case LOGIN_CHAP_ALGORITHM:
        return take_algorithm(x, said, answer, why);
    case LOGIN_CHAP_RESPONSE:
        return take_response(x, said, answer, why);
    case LOGIN_CHAP_PROVEN: /* what was said stays: a challenge that came since */
        *why = "a CHAP key after the exchange";
        return x->mutual == asks_for_proof(said) ? LOGIN_SUCCESS : LOGIN_INITIATOR_ERROR;
    case LOGIN_CHAP_UNUSED:
        break;
    }
    *why = "a CHAP key without AuthMethod=CHAP";
    return said->a[0] == '\0' && !responds(said) ? LOGIN_SUCCESS : LOGIN_INITIATOR_ERROR;
}

bool login_chap_proves(const struct login_chap *x, const struct auth *auth)
{
    return x->state == LOGIN_CHAP_PROVEN && strcmp(x->auth.user, auth->user) == 0 &&
           x->auth.secret.bytes == auth->secret.bytes &&
           memcmp(x->auth.secret.value, auth->secret.value, auth->secret.bytes) == 0;
}
