/* SPDX-License-Identifier: Apache-2.0 */
/* Key=value lines to a sink. The level is atomic; the sink is set before threads start.
 */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 1024

static log_sink_fn sink_fn;
static void *sink_arg;
static atomic_int max_level = LOG_LEVEL_INFO;

static const char *const level_names[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

void log_set_sink(log_sink_fn sink, void *arg)
{
    sink_fn = sink;
    sink_arg = arg;
}

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

int log_level_parse(const char *name, enum log_level *out)
{
    for (size_t i = 0; i < ARRAY_LEN(level_names); i++) {
        if (strcmp(name, level_names[i]) != 0)
            continue;
        *out = (enum log_level)i;
        return 0;
    }
    return -EINVAL;
}

const char *log_level_name(enum log_level level)
{
    return level_names[level];
}

void log_write(enum log_level level, const char *msg, const char *fmt, ...)
{
    if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
        return;
    char line[LINE_MAX_BYTES];
    int used = snprintf(line, sizeof(line), "level=%s msg=\"%s\"%s", level_names[level],
                        msg, fmt == NULL ? "" : " ");
    if (fmt != NULL && used > 0 && (size_t)used < sizeof(line)) {
        va_list args;
        va_start(args, fmt);
        vsnprintf(line + used, sizeof(line) - (size_t)used, fmt, args);
        va_end(args);
    }
    if (sink_fn != NULL)
        sink_fn(level, line, sink_arg);
    else
        fprintf(stderr, "%s\n", line);
}

void log_fatal(const char *msg)
{
    log_error(msg, NULL);
    abort();
}

const char *log_quote(char *out, size_t out_bytes, const char *text)
{
    size_t n = 0;
    if (out_bytes < 3) {
        if (out_bytes > 0)
            out[0] = '\0';
        return out;
    }
    out[n++] = '"';
    for (const char *p = text; *p != '\0' && n + 6 < out_bytes; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\') {
            out[n++] = '\\';
            out[n++] = (char)c;
        } else if (c < 0x20 || c == 0x7f) {
            n += (size_t)snprintf(out + n, out_bytes - n, "\\x%02x", c);
        } else {
            out[n++] = (char)c;
        }
    }
    out[n++] = '"';
    out[n] = '\0';
    return out;
}
