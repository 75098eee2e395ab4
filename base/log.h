/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines of key=value pairs, by level, to a sink that main sets. Any thread.
 *   log_info("login accepted", "initiator=%s address=%s", name, addr);
 * writes: level=info msg="login accepted" initiator=... address=...
 * Secrets have a type (struct secret) that no format prints. */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/auto.h"

#include <stddef.h>

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };

/* The sink gets one whole line without its newline. */
typedef void (*log_sink_fn)(enum log_level level, const char *line, void *arg);

/* Before any thread starts. With no sink lines go to stderr. */
void log_set_sink(log_sink_fn sink, void *arg);
/* Any thread, any time (SIGHUP). */
void log_set_level(enum log_level level);
/* "error", "warning", "info", "debug"; 0, or -EINVAL and *out untouched. */
int log_level_parse(const char *name, enum log_level *out) MUST_CHECK;
const char *log_level_name(enum log_level level);

/* fmt: key=value pairs, or NULL. Values that may hold spaces are the caller's to quote
 * (log_quote). */
void log_write(enum log_level level, const char *msg, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Logs it and ends the process at once: only for what leaves nothing sane to do, such as
 * no memory for a few bytes. What is durable stays so. */
_Noreturn void log_fatal(const char *msg);

#define log_error(msg, ...)   log_write(LOG_LEVEL_ERROR, msg, __VA_ARGS__)
#define log_warning(msg, ...) log_write(LOG_LEVEL_WARNING, msg, __VA_ARGS__)
#define log_info(msg, ...)    log_write(LOG_LEVEL_INFO, msg, __VA_ARGS__)
#define log_debug(msg, ...)   log_write(LOG_LEVEL_DEBUG, msg, __VA_ARGS__)

/* Text from outside as one safe token: in double quotes, with quotes, backslashes and
 * control characters escaped, cut to fit. Returns out. */
const char *log_quote(char *out, size_t out_bytes, const char *text);

#define SECRET_MAX 256
/* A value that is never printed. Compare with CRYPTO_memcmp; wipe with OPENSSL_cleanse.
 */
struct secret {
    size_t bytes;
    unsigned char value[SECRET_MAX];
};

#endif
