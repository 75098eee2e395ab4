/* SPDX-License-Identifier: Apache-2.0 */
/* TLS in front of the API: the certificate that is made, the files that are refused, what
 * is served inside, and every way in which a connection may end or hang. */
#include "web/tls.h"

#include "cm.h"
#include "tests/lib/log_keep.h"
#include "tls_client.h"
#include "web/certificate.h"
#include "web/limits.h"

#include <errno.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static struct tls_client tls, tls2;
static struct client plain;
static char dir[64], pair[96], other[96];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof(dir), "%s", "/tmp/ashlar-tls-XXXXXX");
    if (mkdtemp(dir) == NULL)
        return -1;
    snprintf(pair, sizeof(pair), "%s/tls", dir);
    snprintf(other, sizeof(other), "%s/other", dir);
    log_keep_begin();
    return 0;
}

static int remove_dir(void **state)
{
    char command[96];
    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

/* ---- The certificate that is made -------------------------------------------------- */

static X509 *read_certificate(const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    X509 *x = PEM_read_X509(file, NULL, NULL, NULL);
    fclose(file);
    assert_non_null(x);
    return x;
}

static void ensure(const char *where, struct certificate_files *files, bool want_made)
{
    struct err e = {0};
    bool made;
    if (certificate_ensure(where, "192.0.2.1", files, &made, &e) != 0)
        fail_msg("%s", e.text);
    assert_int_equal(made, want_made);
}

static void a_pair_is_made_once_and_kept(void **state)
{
    struct certificate_files files;
    struct stat first, second;
    (void)state;
    ensure(pair, &files, true);
    assert_int_equal(stat(pair, &first), 0);
    assert_int_equal(first.st_mode & 0777, 0700);
    assert_int_equal(stat(files.key, &first), 0);
    assert_int_equal(first.st_mode & 0777, 0600);
    ensure(pair, &files, false);
    assert_int_equal(stat(files.key, &second), 0);
    assert_int_equal(first.st_ino, second.st_ino);
}

static void a_certificate_names_what_it_is_for(void **state)
{
    struct certificate_files files;
    (void)state;
    ensure(pair, &files, true);
    X509 *x = read_certificate(files.certificate);
    assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x, "192.0.2.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(x, "192.0.2.2", 0), 0);
    assert_int_equal(X509_check_ca(x), 0);
    assert_int_equal(X509_verify(x, X509_get0_pubkey(x)), 1);
    X509_free(x);
}

static void half_a_pair_is_named(void **state)
{
    struct certificate_files files;
    struct err e = {0};
    bool made;
    (void)state;
    ensure(pair, &files, true);
    assert_int_equal(unlink(files.key), 0);
    assert_int_equal(certificate_ensure(pair, NULL, &files, &made, &e), -EINVAL);
    assert_non_null(strstr(e.text, files.key));
    assert_non_null(strstr(e.text, "remove"));
}

/* Between the two files, between the second and the rename, before any: the directory
 * beside is what is there, and the pair is made as if it were not. */
static void what_a_crash_left_is_written_over(void **state)
{
    struct certificate_files files;
    char beside[128], path[160];
    (void)state;
    snprintf(beside, sizeof(beside), "%s.new", pair);
    assert_int_equal(mkdir(beside, 0700), 0);
    snprintf(path, sizeof(path), "%s/key.pem", beside);
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs("half a k", file);
    fclose(file);
    ensure(pair, &files, true);
    struct err e = {0};
    struct tls *t = NULL;
    assert_int_equal(tls_create(files.certificate, files.key, &t, &e), 0);
    tls_destroy(t);
    assert_int_equal(access(beside, F_OK), -1);
}

static void an_empty_directory_is_filled(void **state)
{
    struct certificate_files files;
    (void)state;
    assert_int_equal(mkdir(pair, 0755), 0);
    ensure(pair, &files, true);
}

static void a_place_that_takes_no_files_is_named(void **state)
{
    struct certificate_files files;
    struct err e = {0};
    bool made;
    (void)state;
    assert_int_equal(certificate_ensure("/proc/no/tls", NULL, &files, &made, &e),
                     -ENOENT);
    assert_non_null(strstr(e.text, "/proc/no/tls"));
}

/* ---- Files that are given ---------------------------------------------------------- */

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_refused(const char *certificate, const char *key, const char *file,
                           const char *says)
{
    struct err e = {0};
    struct tls *t = NULL;
    assert_true(tls_create(certificate, key, &t, &e) < 0);
    assert_null(t);
    assert_null(strchr(e.text, '\n'));
    if (strstr(e.text, file) == NULL || strstr(e.text, says) == NULL)
        fail_msg("%s", e.text);
}

static void bad_files_are_named(void **state)
{
    struct certificate_files a, b;
    char bad[96];
    (void)state;
    ensure(pair, &a, true);
    ensure(other, &b, true);
    snprintf(bad, sizeof(bad), "%s/bad.pem", dir);
    expect_refused("/no/such", a.key, "certificate /no/such", "No such file");
    expect_refused(a.certificate, "/no/such", "key /no/such", "No such file");
    expect_refused(a.key, a.key, a.key, "no certificate in PEM");
    expect_refused(a.certificate, a.certificate, a.certificate, "no key in PEM");
    expect_refused(a.certificate, b.key, b.key, "is not that of the certificate");
    write_text(bad, "");
    expect_refused(bad, a.key, bad, "no certificate in PEM");
    expect_refused(a.certificate, bad, bad, "no key in PEM");
    write_text(bad, "-----BEGIN CERTIFICATE-----\nrubbish\n-----END CERTIFICATE-----\n");
    expect_refused(bad, a.key, bad, ": ");
    expect_refused(dir, a.key, dir, ": ");
}

static void a_key_with_a_passphrase_is_refused_and_nobody_is_asked(void **state)
{
    struct certificate_files a;
    char locked[96];
    (void)state;
    ensure(pair, &a, true);
    snprintf(locked, sizeof(locked), "%s/locked.pem", dir);
    EVP_PKEY *key = EVP_EC_gen("P-256");
    FILE *file = fopen(locked, "we");
    assert_non_null(file);
    assert_int_equal(PEM_write_PrivateKey(file, key, EVP_aes_256_cbc(),
                                          (const unsigned char *)"word", 4, NULL, NULL),
                     1);
    fclose(file);
    EVP_PKEY_free(key);
    expect_refused(a.certificate, locked, locked, "without a passphrase");
}

/* The pair's certificate, with its days over. */
static void write_expired(const struct certificate_files *files)
{
    X509 *x = read_certificate(files->certificate);
    FILE *file = fopen(files->key, "re");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);
    fclose(file);
    X509_gmtime_adj(X509_getm_notAfter(x), -3600);
    assert_true(X509_sign(x, key, EVP_sha256()) > 0);
    file = fopen(files->certificate, "we");
    assert_int_equal(PEM_write_X509(file, x), 1);
    fclose(file);
    X509_free(x);
    EVP_PKEY_free(key);
}

static void an_expired_certificate_is_warned_of(void **state)
{
    struct certificate_files files;
    struct err e = {0};
    struct tls *t = NULL;
    (void)state;
    ensure(pair, &files, true);
    assert_int_equal(tls_create(files.certificate, files.key, &t, &e), 0);
    assert_non_null(strstr(log_kept(), "sha256="));
    assert_null(strstr(log_kept(), "level=warning"));
    tls_destroy(t);
    write_expired(&files);
    assert_int_equal(tls_create(files.certificate, files.key, &t, &e), 0);
    assert_non_null(strstr(log_kept(), "level=warning"));
    assert_non_null(strstr(log_kept(), "has expired"));
    tls_destroy(t);
}

/* ---- What is served ---------------------------------------------------------------- */

static void requests_are_answered_as_without_tls(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
        assert_true(tls_client_open(&tls, r, versions[i]));
        assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
        assert_int_equal(tls_client_get(&tls, "/v1"), 401);
        assert_int_equal(tls_client_get(&tls, "/v1/openapi.json"), 200);
        assert_true(r->answer.body_bytes > 50000);
        tls_client_close(&tls);
    }
}

static void old_versions_and_weak_ciphers_are_refused(void **state)
{
    struct rig *r = *state;
    assert_false(tls_client_open(&tls, r, TLS1_VERSION));
    tls_client_close(&tls);
    assert_false(tls_client_open(&tls, r, TLS1_1_VERSION));
    tls_client_close(&tls);
    assert_true(tls_client_open(&tls, r, TLS1_2_VERSION));
    assert_int_equal(SSL_CIPHER_get_kx_nid(SSL_get_current_cipher(tls.ssl)),
                     NID_kx_ecdhe);
    assert_int_equal(SSL_CIPHER_is_aead(SSL_get_current_cipher(tls.ssl)), 1);
    tls_client_close(&tls);
}

static void a_body_of_the_largest_size_comes_through(void **state)
{
    struct rig *r = *state;
    char *bytes = calloc(1, WEB_BODY_BYTES_MAX + 512);
    assert_non_null(bytes);
    int head = snprintf(bytes, 512,
                        "POST /v1/tokens HTTP/1.1\r\nHost: x\r\n"
                        "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n",
                        WEB_BODY_BYTES_MAX);
    memset(bytes + head, ' ', WEB_BODY_BYTES_MAX);
    assert_true(tls_client_open(&tls, r, 0));
    assert_true(tls_client_send(&tls, bytes, (size_t)head + WEB_BODY_BYTES_MAX));
    assert_int_equal(tls_client_receive(&tls), 401);
    assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
    tls_client_close(&tls);
    free(bytes);
}

/* More answers than any buffer holds: the requests wait until somebody reads. */
static void who_does_not_read_is_waited_for(void **state)
{
    static const char get[] = "GET /v1/openapi.json HTTP/1.1\r\nHost: x\r\n\r\n";
    struct rig *r = *state;
    assert_true(tls_client_open(&tls, r, 0));
    for (int i = 0; i < 100; i++)
        assert_true(tls_client_send(&tls, get, strlen(get)));
    for (int i = 0; i < 200; i++)
        rig_pump(r);
    for (int i = 0; i < 100; i++)
        assert_int_equal(tls_client_receive(&tls), 200);
    tls_client_close(&tls);
}

static void keys_are_updated_and_nothing_renegotiated(void **state)
{
    struct rig *r = *state;
    assert_true(tls_client_open(&tls, r, TLS1_3_VERSION));
    for (int i = 0; i < 5; i++) {
        assert_int_equal(SSL_key_update(tls.ssl, SSL_KEY_UPDATE_REQUESTED), 1);
        assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
    }
    tls_client_close(&tls);
    assert_true(tls_client_open(&tls, r, TLS1_2_VERSION));
    assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
    assert_int_equal(SSL_renegotiate(tls.ssl), 1);
    assert_int_equal(tls_client_get(&tls, "/healthz"), 0);
    tls_client_close(&tls);
}

/* ---- Ends -------------------------------------------------------------------------- */

static void expect_served(struct rig *r)
{
    assert_true(tls_client_open(&tls2, r, 0));
    assert_int_equal(tls_client_get(&tls2, "/healthz"), 200);
    tls_client_close(&tls2);
}

static void the_server_says_that_it_ends(void **state)
{
    static const char last[] = "GET /healthz HTTP/1.1\r\nHost: x\r\n"
                               "Connection: close\r\n\r\n";
    struct rig *r = *state;
    assert_true(tls_client_open(&tls, r, 0));
    assert_true(tls_client_send(&tls, last, strlen(last)));
    assert_int_equal(tls_client_receive(&tls), 200);
    assert_true(tls_client_sees_end(&tls));
    tls_client_close(&tls);
}

static void what_is_no_tls_is_closed(void **state)
{
    static const char *const cases[] = {
        "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n",
        "\r\n\r\n\r\n\r\n",
        "\x16\x03\x01\xff\xff rubbish of every kind, and more of it than a head has",
        "\x15\x03\x01\x00\x02\x02\x28",
    };
    struct rig *r = *state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(client_open_tcp(&plain, web_tcp_address(r->web), rig_pump, r),
                         0);
        client_send(&plain, cases[i], strlen(cases[i]));
        assert_true(client_sees_end(&plain));
        client_close(&plain);
        expect_served(r);
    }
}

static void clients_may_end_at_any_time(void **state)
{
    static const char half[] = "POST /v1/tokens HTTP/1.1\r\nHost: x\r\nContent-Le";
    struct rig *r = *state;
    assert_int_equal(client_open_tcp(&plain, web_tcp_address(r->web), rig_pump, r), 0);
    rig_pump(r);
    client_close(&plain);
    assert_true(tls_client_open(&tls, r, 0));
    tls_client_close(&tls); /* abruptly, after the handshake */
    assert_true(tls_client_open(&tls, r, 0));
    assert_true(tls_client_send(&tls, half, strlen(half)));
    tls_client_close(&tls); /* in the middle of a request */
    assert_true(tls_client_open(&tls, r, 0));
    assert_true(tls_client_send(&tls, half, strlen(half)));
    SSL_shutdown(tls.ssl); /* as TLS has it */
    assert_true(tls_client_sees_end(&tls));
    tls_client_close(&tls);
    expect_served(r);
}

static void a_web_that_stops_ends_all(void **state)
{
    struct rig *r = *state;
    assert_int_equal(client_open_tcp(&plain, web_tcp_address(r->web), rig_pump, r), 0);
    rig_pump(r); /* in its handshake */
    assert_true(tls_client_open(&tls, r, 0));
    assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
    web_stop(TAKE(r->web));
    loop_run_once(r->loop, false);
    char byte;
    plain.pump = NULL;
    assert_true(read(plain.fd, &byte, 1) <= 0);
    assert_true(read(tls.fd, &byte, 1) <= 0);
    client_close(&plain);
    tls_client_close(&tls);
}

/* A handshake that is begun, or not even that, has its time. */
static void a_handshake_that_does_not_end_is_closed(void **state)
{
    struct rig *r = *state;
    assert_int_equal(client_open_tcp(&plain, web_tcp_address(r->web), rig_pump, r), 0);
    assert_true(client_sees_end(&plain));
    client_close(&plain);
    assert_int_equal(client_open_tcp(&plain, web_tcp_address(r->web), rig_pump, r), 0);
    while (client_send(&plain, "\x16", 1) &&
           client_send(&plain, "\x03\x01\x02\x00\x01", 5))
        continue;
    client_close(&plain);
    expect_served(r);
}

static void who_is_silent_inside_is_closed(void **state)
{
    struct rig *r = *state;
    assert_true(tls_client_open(&tls, r, 0));
    assert_true(tls_client_sees_end(&tls));
    tls_client_close(&tls);
    expect_served(r);
}

/* ---- Another certificate ----------------------------------------------------------- */

static void expect_certificate(struct tls_client *c, const char *path, bool same)
{
    X509 *x = read_certificate(path), *seen = SSL_get1_peer_certificate(c->ssl);
    assert_non_null(seen);
    assert_int_equal(X509_cmp(x, seen) == 0, same);
    X509_free(seen);
    X509_free(x);
}

static void a_new_certificate_is_for_new_connections(void **state)
{
    struct rig *r = *state;
    struct certificate_files own, next;
    struct err e = {0};
    assert_int_equal(make_dir(NULL), 0);
    ensure(r->tls_dir, &own, false);
    ensure(other, &next, true);
    assert_true(tls_client_open(&tls, r, 0));
    expect_certificate(&tls, own.certificate, true);
    assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
    assert_int_equal(web_reload_certificate(r->web, next.certificate, next.key, &e), 0);
    assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
    assert_true(tls_client_open(&tls2, r, 0));
    expect_certificate(&tls2, next.certificate, true);
    tls_client_close(&tls2);
    assert_true(web_reload_certificate(r->web, next.certificate, own.key, &e) < 0);
    assert_non_null(strstr(e.text, own.key));
    assert_true(tls_client_open(&tls2, r, 0));
    expect_certificate(&tls2, next.certificate, true);
    tls_client_close(&tls2);
    assert_int_equal(web_reload_certificate(r->web, NULL, NULL, &e), 0);
    assert_true(tls_client_open(&tls2, r, 0));
    expect_certificate(&tls2, own.certificate, true);
    tls_client_close(&tls2);
    assert_int_equal(tls_client_get(&tls, "/healthz"), 200);
    tls_client_close(&tls);
    assert_int_equal(remove_dir(NULL), 0);
}

int main(void)
{
#define WITH_DIR(test) cmocka_unit_test_setup_teardown(test, make_dir, remove_dir)
#define WITH_TLS(test) cmocka_unit_test_setup_teardown(test, rig_setup_tls, rig_teardown)
#define WITH_HASTE(test)                                                                 \
    cmocka_unit_test_setup_teardown(test, rig_setup_hasty_tls, rig_teardown)
    const struct CMUnitTest tests[] = {
        WITH_DIR(a_pair_is_made_once_and_kept),
        WITH_DIR(a_certificate_names_what_it_is_for),
        WITH_DIR(half_a_pair_is_named),
        WITH_DIR(what_a_crash_left_is_written_over),
        WITH_DIR(an_empty_directory_is_filled),
        WITH_DIR(a_place_that_takes_no_files_is_named),
        WITH_DIR(bad_files_are_named),
        WITH_DIR(a_key_with_a_passphrase_is_refused_and_nobody_is_asked),
        WITH_DIR(an_expired_certificate_is_warned_of),
        WITH_TLS(requests_are_answered_as_without_tls),
        WITH_TLS(old_versions_and_weak_ciphers_are_refused),
        WITH_TLS(a_body_of_the_largest_size_comes_through),
        WITH_TLS(who_does_not_read_is_waited_for),
        WITH_TLS(keys_are_updated_and_nothing_renegotiated),
        WITH_TLS(the_server_says_that_it_ends),
        WITH_TLS(what_is_no_tls_is_closed),
        WITH_TLS(clients_may_end_at_any_time),
        WITH_TLS(a_web_that_stops_ends_all),
        WITH_TLS(a_new_certificate_is_for_new_connections),
        WITH_HASTE(a_handshake_that_does_not_end_is_closed),
        WITH_HASTE(who_is_silent_inside_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
