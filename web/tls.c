/* SPDX-License-Identifier: Apache-2.0 */
/* An SSL_CTX for each certificate loaded. OpenSSL counts the connections that use one, so
 * the old one goes with the last of them. */
#include "web/tls.h"

#include "base/log.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define FINGERPRINT_BYTES    32
#define FINGERPRINT_TEXT_MAX (3 * FINGERPRINT_BYTES)
#define EXPIRY_TEXT_MAX      64

struct tls {
    SSL_CTX *context;
};

/* ---- The rules --------------------------------------------------------------------- */

/* RFC 7301: no protocol in common is the end of the handshake, so that nothing said in
 * another protocol is taken for HTTP. Who offers none is taken at his word. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_bytes,
                           const unsigned char *in, unsigned in_bytes, void *arg)
{
    static const unsigned char http[] = "\x8http/1.1";
    (void)ssl;
    (void)arg;
    unsigned char *chosen;
    if (SSL_select_next_proto(&chosen, out_bytes, http, sizeof(http) - 1, in, in_bytes) !=
        OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *out = chosen;
    return SSL_TLSEXT_ERR_OK;
}

/* Nobody is asked for a passphrase: the daemon has no terminal. */
static int no_passphrase(char *out, int bytes, int writes, void *arg)
{
    (void)out;
    (void)bytes;
    (void)writes;
    (void)arg;
    return -1;
}

static bool set_rules(SSL_CTX *context)
{
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                     SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_alpn_select_cb(context, choose_protocol, NULL);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) &&
           SSL_CTX_set_num_tickets(context, 0) &&
           SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
}

/* ---- The files --------------------------------------------------------------------- */

/* The reason that OpenSSL gave first. */
static int refuse(struct err *e, const char *what, const char *path)
{
    unsigned long code = ERR_peek_error();
    const char *reason = code == 0 ? NULL : ERR_reason_error_string(code);
    int rc = err_set(e, -EINVAL, NULL, "%s %s: %s", what, path,
                     reason == NULL ? "cannot be used" : reason);
    ERR_clear_error();
    return rc;
}

static int check_readable(const char *what, const char *path, struct err *e)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return err_set(e, -errno, NULL, "%s %s: %s", what, path, strerror(errno));
    fclose(file);
    return 0;
}

static int load_certificate(SSL_CTX *context, const char *path, struct err *e)
{
    static const char what[] = "API certificate";
    int rc = check_readable(what, path, e);
    if (rc != 0)
        return rc;
    if (SSL_CTX_use_certificate_chain_file(context, path) == 1)
        return 0;
    if (ERR_GET_REASON(ERR_peek_error()) != PEM_R_NO_START_LINE)
        return refuse(e, what, path);
    ERR_clear_error();
    return err_set(e, -EINVAL, NULL, "%s %s: holds no certificate in PEM", what, path);
}

/* NULL: there is none, or it has a passphrase. */
static EVP_PKEY *read_key(const char *path)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, no_passphrase, NULL);
    fclose(file);
    ERR_clear_error();
    return key;
}

static int load_key(SSL_CTX *context, const char *certificate, const char *path,
                    struct err *e)
{
    static const char what[] = "API key";
    int rc = check_readable(what, path, e);
    if (rc != 0)
        return rc;
    EVP_PKEY *key = read_key(path);
    if (key == NULL)
        rc = err_set(e, -EINVAL, NULL,
                     "%s %s: holds no key in PEM that is without a passphrase", what,
                     path);
    else if (X509_check_private_key(SSL_CTX_get0_certificate(context), key) != 1)
        rc = err_set(e, -EINVAL, NULL, "%s %s: is not that of the certificate in %s",
                     what, path, certificate);
    else if (SSL_CTX_use_PrivateKey(context, key) != 1)
        rc = refuse(e, what, path);
    EVP_PKEY_free(key);
    ERR_clear_error();
    return rc;
}

/* ---- What was loaded --------------------------------------------------------------- */

static void fingerprint(const X509 *x, char out[FINGERPRINT_TEXT_MAX])
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned bytes = 0;
    out[0] = '\0';
    if (X509_digest(x, EVP_sha256(), hash, &bytes) != 1 || bytes != FINGERPRINT_BYTES)
        return;
    for (unsigned i = 0; i < bytes; i++)
        snprintf(out + 3 * i, FINGERPRINT_TEXT_MAX - 3 * i, "%02X%s", hash[i],
                 i + 1 < bytes ? ":" : "");
}

/* RFC 3339, to the second. */
static void expiry(const X509 *x, char out[EXPIRY_TEXT_MAX])
{
    struct tm tm;
    out[0] = '\0';
    if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) == 1)
        strftime(out, EXPIRY_TEXT_MAX, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void log_loaded(const SSL_CTX *context, const char *path)
{
    const X509 *x = SSL_CTX_get0_certificate(context);
    char file[512], sha256[FINGERPRINT_TEXT_MAX], expires[EXPIRY_TEXT_MAX];
    fingerprint(x, sha256);
    expiry(x, expires);
    log_quote(file, sizeof(file), path);
    log_info("API certificate", "file=%s sha256=%s expires=%s", file, sha256, expires);
    if (X509_cmp_current_time(X509_get0_notAfter(x)) < 0)
        log_warning("the API certificate has expired", "file=%s expires=%s", file,
                    expires);
    else if (X509_cmp_current_time(X509_get0_notBefore(x)) > 0)
        log_warning("the API certificate is not valid yet", "file=%s", file);
}

/* ---- From outside ------------------------------------------------------------------ */

int tls_load(struct tls *tls, const char *certificate, const char *key, struct err *e)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    if (context == NULL)
        return err_oom(e);
    int rc = set_rules(context) ? 0 : refuse(e, "TLS", "rules");
    if (rc == 0)
        rc = load_certificate(context, certificate, e);
    if (rc == 0)
        rc = load_key(context, certificate, key, e);
    if (rc != 0) {
        SSL_CTX_free(context);
        return rc;
    }
    SSL_CTX_free(tls->context);
    tls->context = context;
    log_loaded(context, certificate);
    return 0;
}

int tls_create(const char *certificate, const char *key, struct tls **out, struct err *e)
{
    struct tls *tls = calloc(1, sizeof(*tls));
    if (tls == NULL)
        return err_oom(e);
    int rc = tls_load(tls, certificate, key, e);
    if (rc != 0)
        tls_destroy(tls);
    else
        *out = tls;
    return rc;
}

void tls_destroy(struct tls *tls)
{
    if (tls == NULL)
        return;
    SSL_CTX_free(tls->context);
    free(tls);
}

struct ssl_st *tls_accept(struct tls *tls)
{
    SSL *ssl = SSL_new(tls->context);
    if (ssl != NULL)
        SSL_set_accept_state(ssl);
    return ssl;
}
