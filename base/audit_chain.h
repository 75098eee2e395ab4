/* SPDX-License-Identifier: Apache-2.0 */
/* The chain of the audit log: each entry's hash covers the entry and the hash of the one
 * before, so that none can be changed, left out or put in between unless all hashes after
 * it are made anew. Whoever noted an entry's hash elsewhere can hold the log to it. Pure.
 *
 * An entry's hash is the SHA-256 of, one after the other:
 *
 *   the hash of the entry before; of the first one 32 bytes of zero
 *   seq         8 bytes, big-endian
 *   time_ms     8 bytes, big-endian, two's complement
 *   who, from, operation, subject, subject_id, request, in this order, each as its length
 *   in bytes (4 bytes, big-endian), then its bytes, without a NUL
 */
#ifndef BASE_AUDIT_CHAIN_H
#define BASE_AUDIT_CHAIN_H

#include "base/digest.h"

struct audit_fields {
    uint64_t seq;           /* from 1, without a gap */
    int64_t time_ms;        /* since 1970 UTC */
    const char *who;        /* who asked, as the API knows it */
    const char *from;       /* its address; "": the Unix socket */
    const char *operation;  /* what was asked */
    const char *subject;    /* what the request names */
    const char *subject_id; /* the id of that; "": it has none */
    const char *request;    /* JSON text, without secrets; "": none */
};

/* prev: the hash of the entry of seq - 1, zeros before the first. */
void audit_hash(const uint8_t prev[DIGEST_BYTES], const struct audit_fields *f,
                uint8_t out[DIGEST_BYTES]);

#endif
