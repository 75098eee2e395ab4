/* SPDX-License-Identifier: Apache-2.0 */
/* The pair is written into a directory beside the one that it is for, which then takes
 * its name: rename is what makes both files appear at once. */
#include "web/certificate.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAMES_MAX     512
#define SERIAL_BITS   127
#define SECONDS_A_DAY 86400L

static int refuse(struct err *e, const char *path)
{
    return err_set(e, -errno, NULL, "%s: %s", path, strerror(errno));
}

static int refuse_openssl(struct err *e)
{
    return err_set(e, -EIO, NULL, "OpenSSL cannot make a certificate");
}

/* ---- The certificate --------------------------------------------------------------- */

/* As a DNS name of a certificate may be: nothing that X509V3's text would read. */
static bool is_plain_name(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-.";
    return name[0] != '\0' && name[strspn(name, plain)] == '\0';
}

/* "": the machine has no name that can be certified. */
static void own_name(char out[65])
{
    if (gethostname(out, 65) != 0 || memchr(out, '\0', 65) == NULL || !is_plain_name(out))
        out[0] = '\0';
}

static int add_extension(X509 *x, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx(&context, x, x, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    int good = extension != NULL && X509_add_ext(x, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return good;
}

static int add_extensions(X509 *x, const char *name, const char *ip)
{
    char names[NAMES_MAX];
    snprintf(names, sizeof(names), "%s%s%sDNS:localhost,IP:127.0.0.1,IP:::1%s%s",
             name[0] == '\0' ? "" : "DNS:", name, name[0] == '\0' ? "" : ",",
             ip == NULL ? "" : ",IP:", ip == NULL ? "" : ip);
    return add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(x, NID_key_usage, "critical,digitalSignature") &&
           add_extension(x, NID_ext_key_usage, "serverAuth") &&
           add_extension(x, NID_subject_key_identifier, "hash") &&
           add_extension(x, NID_subject_alt_name, names);
}

static int set_subject(X509 *x, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(x);
    const char *common = name[0] == '\0' ? "localhost" : name;
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC,
                                      (const unsigned char *)"Ashlar", -1, -1, 0) &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
                                      (const unsigned char *)common, -1, -1, 0) &&
           X509_set_issuer_name(x, subject);
}

static int set_serial(X509 *x)
{
    BIGNUM *number = BN_new();
    int good = number != NULL &&
               BN_rand(number, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) &&
               BN_to_ASN1_INTEGER(number, X509_get_serialNumber(x)) != NULL;
    BN_free(number);
    return good;
}

/* NULL: OpenSSL failed. From a day ago, for clocks that are behind. */
static X509 *certificate_of(EVP_PKEY *key, const char *ip)
{
    char name[65];
    own_name(name);
    X509 *x = X509_new();
    if (x != NULL && X509_set_version(x, X509_VERSION_3) && set_serial(x) &&
        X509_gmtime_adj(X509_getm_notBefore(x), -SECONDS_A_DAY) != NULL &&
        X509_gmtime_adj(X509_getm_notAfter(x), CERTIFICATE_DAYS * SECONDS_A_DAY) !=
            NULL &&
        set_subject(x, name) && X509_set_pubkey(x, key) && add_extensions(x, name, ip) &&
        X509_sign(x, key, EVP_sha256()) > 0)
        return x;
    X509_free(x);
    return NULL;
}

/* ---- Its files --------------------------------------------------------------------- */

/* Exactly one of key and x. Durable when it returns. */
static int write_pem(const char *path, mode_t mode, EVP_PKEY *key, X509 *x, struct err *e)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return refuse(e, path);
    FILE *file = fdopen(fd, "w");
    if (file == NULL) {
        close(fd);
        return err_oom(e);
    }
    int good = key != NULL ? PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL)
                           : PEM_write_X509(file, x);
    int rc = 0;
    if (!good || fflush(file) != 0 || fsync(fd) != 0)
        rc = err_set(e, -EIO, NULL, "%s: cannot be written", path);
    if (fclose(file) != 0 && rc == 0)
        rc = refuse(e, path);
    return rc;
}

static int sync_directory(const char *path, struct err *e)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 || fsync(fd) != 0 ? refuse(e, path) : 0;
}

static void name_files(const char *dir, struct certificate_files *out)
{
    snprintf(out->certificate, sizeof(out->certificate), "%.4095s/certificate.pem", dir);
    snprintf(out->key, sizeof(out->key), "%.4095s/key.pem", dir);
}

static int write_pair(const char *dir, const char *ip, struct err *e)
{
    struct certificate_files files = {.key = ""};
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x = key == NULL ? NULL : certificate_of(key, ip);
    name_files(dir, &files);
    int rc = x == NULL ? refuse_openssl(e) : 0;
    if (rc == 0)
        rc = write_pem(files.key, 0600, key, NULL, e);
    if (rc == 0)
        rc = write_pem(files.certificate, 0644, NULL, x, e);
    if (rc == 0)
        rc = sync_directory(dir, e);
    X509_free(x);
    EVP_PKEY_free(key);
    return rc;
}

/* What a crash left in the directory beside is written over. */
static int make_pair(const char *dir, const char *ip, struct err *e)
{
    char beside[PATH_MAX], parent[PATH_MAX];
    int bytes = snprintf(beside, sizeof(beside), "%s.new", dir);
    if (bytes < 0 || (size_t)bytes >= sizeof(beside))
        return err_set(e, -ENAMETOOLONG, NULL, "%s: the path is too long", dir);
    if (mkdir(beside, 0700) != 0 && errno != EEXIST)
        return refuse(e, beside);
    int rc = write_pair(beside, ip, e);
    if (rc != 0)
        return rc;
    if (rename(beside, dir) != 0)
        return refuse(e, dir);
    snprintf(parent, sizeof(parent), "%.*s", (int)(strrchr(dir, '/') - dir), dir);
    return sync_directory(parent[0] == '\0' ? "/" : parent, e);
}

static int exists(const char *path, bool *there, struct err *e)
{
    struct stat st;
    *there = stat(path, &st) == 0;
    return *there || errno == ENOENT ? 0 : refuse(e, path);
}

int certificate_ensure(const char *dir, const char *ip, struct certificate_files *out,
                       bool *made, struct err *e)
{
    bool certificate, key;
    name_files(dir, out);
    int rc = exists(out->certificate, &certificate, e);
    if (rc == 0)
        rc = exists(out->key, &key, e);
    if (rc != 0)
        return rc;
    if (certificate != key)
        return err_set(e, -EINVAL, NULL,
                       "%s: there is none beside the other file of the pair; bring it "
                       "back, or remove %s to have a new pair made",
                       certificate ? out->key : out->certificate, dir);
    *made = !certificate;
    return *made ? make_pair(dir, ip, e) : 0;
}
