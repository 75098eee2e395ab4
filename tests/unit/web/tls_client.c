/* SPDX-License-Identifier: Apache-2.0 */
/* See tls_client.h. A non-blocking socket and a bounded number of looks. */
#include "tls_client.h"

#include "cm.h"

#include <fcntl.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define LOOKS_MAX 100000

/* True if the call is to be tried again, after the server had a look. */
static bool look(struct tls_client *c, int rc)
{
    static const struct timespec moment = {.tv_nsec = 100000};
    int error = SSL_get_error(c->ssl, rc);
    ERR_clear_error();
    rig_pump(c->rig);
    nanosleep(&moment, NULL);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
}

bool tls_client_open(struct tls_client *c, struct rig *r, int version)
{
    struct client plain;
    assert_int_equal(client_open_tcp(&plain, web_tcp_address(r->web), rig_pump, r), 0);
    c->rig = r;
    c->held = 0;
    c->fd = plain.fd;
    fcntl(c->fd, F_SETFL, O_NONBLOCK);
    c->context = SSL_CTX_new(TLS_client_method());
    assert_non_null(c->context);
    SSL_CTX_set_security_level(c->context, 0);
    SSL_CTX_set_min_proto_version(c->context, version == 0 ? TLS1_VERSION : version);
    SSL_CTX_set_max_proto_version(c->context, version);
    c->ssl = SSL_new(c->context);
    assert_non_null(c->ssl);
    SSL_set_fd(c->ssl, c->fd);
    int rc;
    for (int i = 0; (rc = SSL_connect(c->ssl)) != 1 && i < LOOKS_MAX; i++) {
        if (!look(c, rc))
            return false;
    }
    return rc == 1;
}

void tls_client_close(struct tls_client *c)
{
    SSL_free(c->ssl);
    SSL_CTX_free(c->context);
    close(c->fd);
}

bool tls_client_send(struct tls_client *c, const char *bytes, size_t length)
{
    SSL_set_mode(c->ssl, SSL_MODE_ENABLE_PARTIAL_WRITE);
    for (int i = 0; length > 0 && i < LOOKS_MAX; i++) {
        int rc = SSL_write(c->ssl, bytes, (int)length);
        if (rc > 0) {
            bytes += rc;
            length -= (size_t)rc;
        } else if (!look(c, rc)) {
            return false;
        }
    }
    return length == 0;
}

int tls_client_receive(struct tls_client *c)
{
    struct answer *out = &c->rig->answer;
    for (int i = 0; i < LOOKS_MAX; i++) {
        if (answer_take(out, c->input, &c->held, false))
            return out->status;
        assert_true(c->held < sizeof(c->input));
        int rc = SSL_read(c->ssl, c->input + c->held, (int)(sizeof(c->input) - c->held));
        if (rc > 0)
            c->held += (size_t)rc;
        else if (!look(c, rc))
            return 0;
    }
    return 0;
}

int tls_client_get(struct tls_client *c, const char *path)
{
    char text[256];
    int length =
        snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", path);
    return tls_client_send(c, text, (size_t)length) ? tls_client_receive(c) : 0;
}

bool tls_client_sees_end(struct tls_client *c)
{
    char byte;
    int rc;
    for (int i = 0; i < LOOKS_MAX; i++) {
        rc = SSL_read(c->ssl, &byte, 1);
        if (rc > 0)
            continue;
        bool clean = SSL_get_error(c->ssl, rc) == SSL_ERROR_ZERO_RETURN;
        if (clean || !look(c, rc))
            return clean;
    }
    fail_msg("the connection does not end");
    return false;
}
