/* SPDX-License-Identifier: Apache-2.0 */
/* Reads server-sent events, line by line, and prints each as a line of its own (see
 * watch.h). */
#include "web/cli/watch.h"

#include "web/cli/args.h"
#include "web/cli/client.h"
#include "web/cli/refusal.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define ID_MAX         64
#define LINE_BYTES_MAX (64 * 1024)
#define SILENCE_S      45   /* three signs of life that did not come */
#define RETRY_MS       1000 /* between two tries to come back */

struct watch {
    const struct cmd *cmd;
    unsigned long left; /* events; 0: for ever */
    bool unread;        /* nobody reads what is printed */
    char last_id[ID_MAX];
    /* Of the block that is being read. */
    char id[ID_MAX];
    char *data;
    char line[LINE_BYTES_MAX];
    size_t length;
};

/* ---- Printing ---------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text == NULL ? "" : text;
}

static void put_word(const char *text)
{
    putchar(' ');
    say_plain(stdout, text);
}

static void print_event(const json_t *event)
{
    const json_t *subject = json_object_get(event, "subject");
    const json_t *data = json_object_get(event, "data");
    const char *name = text_of(subject, "name");
    AUTO_FREE char *more = json_is_object(data) ? json_dumps(data, JSON_COMPACT) : NULL;
    say_plain(stdout, text_of(event, "time"));
    put_word(text_of(event, "type"));
    put_word(name[0] != '\0' ? name : text_of(subject, "id"));
    put_word("by");
    put_word(text_of(event, "who"));
    if (more != NULL)
        put_word(more);
    putchar('\n');
}

static void print_gap(const json_t *gap)
{
    fputs("gap: what came after", stdout);
    put_word(text_of(gap, "after"));
    put_word("and before");
    put_word(text_of(gap, "before"));
    puts(" is lost");
}

/* True: it was an event. */
static bool print(const struct watch *w)
{
    json_t *data = json_loads(w->data, 0, NULL);
    bool is_event = json_object_get(data, "type") != NULL;
    bool is_gap = json_object_get(data, "before") != NULL;
    bool raw = args_has(w->cmd->args, "json");
    if (is_event && raw)
        puts(w->data);
    else if (is_event)
        print_event(data);
    else if (is_gap && raw)
        printf("{\"gap\":%s}\n", w->data);
    else if (is_gap)
        print_gap(data);
    json_decref(data);
    return is_event;
}

/* ---- Reading ----------------------------------------------------------------------- */

/* A block ends, and with it the event in it, if there is one. False: it is enough. */
static bool end_block(struct watch *w)
{
    if (w->id[0] != '\0')
        memcpy(w->last_id, w->id, sizeof(w->last_id));
    w->id[0] = '\0';
    if (w->data == NULL)
        return true;
    bool is_event = print(w);
    free(TAKE(w->data));
    if (fflush(stdout) != 0) {
        w->unread = errno == EPIPE;
        return false;
    }
    return !is_event || w->left == 0 || --w->left > 0;
}

static bool end_line(struct watch *w)
{
    static const char id[] = "id: ", data[] = "data: ";
    w->line[w->length] = '\0';
    w->length = 0;
    if (w->line[0] == '\0')
        return end_block(w);
    if (strncmp(w->line, id, sizeof(id) - 1) == 0) {
        snprintf(w->id, sizeof(w->id), "%.*s", ID_MAX - 1, w->line + sizeof(id) - 1);
    } else if (strncmp(w->line, data, sizeof(data) - 1) == 0) {
        free(w->data);
        w->data = must(strdup(w->line + sizeof(data) - 1));
    }
    return true;
}

/* What of a line is too long for ours is left out. */
static bool watch_take(void *arg, const char *bytes, size_t length)
{
    struct watch *w = arg;
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            if (!end_line(w))
                return false;
        } else if (bytes[i] != '\r' && w->length < sizeof(w->line) - 1) {
            w->line[w->length++] = bytes[i];
        }
    }
    return true;
}

/* What was cut off in the middle comes again. */
static void watch_reset(struct watch *w)
{
    free(TAKE(w->data));
    w->id[0] = '\0';
    w->length = 0;
}

/* Whoever read what is printed may have left while there was nothing to print. */
static bool watch_has_reader(void *arg)
{
    struct watch *w = arg;
    struct pollfd out = {.fd = STDOUT_FILENO};
    if (poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP)) != 0)
        w->unread = true;
    return !w->unread;
}

/* ---- Coming back ------------------------------------------------------------------- */

static enum stream_end watch_once(struct watch *w, const char *path, int stop_fd,
                                  struct reply *reply)
{
    char header[ID_MAX + 32];
    const struct client_stream stream = {.accept = "text/event-stream",
                                         .arg = w,
                                         .take = watch_take,
                                         .goes_on = watch_has_reader,
                                         .stop_fd = stop_fd,
                                         .silence_s = SILENCE_S};
    snprintf(header, sizeof(header), "Last-Event-ID: %s", w->last_id);
    watch_reset(w);
    return client_watch(w->cmd->client, path, w->last_id[0] == '\0' ? NULL : header,
                        &stream, reply);
}

/* Whether it is worth while to come back: a daemon that stops says 503. */
static bool may_return(enum stream_end end, const struct reply *reply)
{
    return end == STREAM_LOST || end == STREAM_UNREACHED ||
           (end == STREAM_REFUSED && reply->status == 503);
}

static enum outcome outcome_of(const struct watch *w, enum stream_end end,
                               const struct reply *reply)
{
    switch (end) {
    case STREAM_ENOUGH:
    case STREAM_LOST:
        break;
    case STREAM_REFUSED:
        return refusal_say(w->cmd->args, NULL, reply);
    case STREAM_UNREACHED:
        return client_say_unreached(w->cmd->client);
    case STREAM_NONE:
        return OUTCOME_UNREACHED;
    }
    return OUTCOME_DONE;
}

/* False: a signal came, or the reader has left. */
static bool pause_before_retry(struct watch *w, int stop_fd)
{
    struct pollfd stop = {.fd = stop_fd, .events = POLLIN};
    return poll(&stop, 1, RETRY_MS) == 0 && watch_has_reader(w);
}

static enum outcome watch_on(struct watch *w, const char *path, int stop_fd)
{
    bool was_there = false;
    enum outcome outcome = OUTCOME_DONE;
    for (bool again = true; again;) {
        struct reply reply;
        enum stream_end end = watch_once(w, path, stop_fd, &reply);
        if (end == STREAM_LOST)
            say_warning("the connection is lost; coming back after event %s",
                        w->last_id[0] == '\0' ? "(none)" : w->last_id);
        was_there = was_there || end == STREAM_LOST;
        again = was_there && may_return(end, &reply);
        if (!again)
            outcome = outcome_of(w, end, &reply);
        reply_fini(&reply);
        again = again && pause_before_retry(w, stop_fd);
    }
    return outcome;
}

/* Readable once SIGINT or SIGTERM came. */
static int watch_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    signal(SIGPIPE, SIG_IGN);
    if (sigprocmask(SIG_BLOCK, &set, NULL) != 0)
        return -1;
    return signalfd(-1, &set, SFD_CLOEXEC);
}

enum outcome watch_run(const struct cmd *cmd, const struct watch_options *options)
{
    AUTO_CLOSE int stop_fd = watch_signals();
    if (stop_fd < 0)
        return say(OUTCOME_REFUSED, "event watch: no signals: %s", strerror(errno));
    struct watch *w = must(calloc(1, sizeof(*w)));
    w->cmd = cmd;
    w->left = options->count;
    if (options->after != NULL)
        snprintf(w->last_id, sizeof(w->last_id), "%s", options->after);
    enum outcome outcome = watch_on(w, options->path, stop_fd);
    if (w->unread && freopen("/dev/null", "w", stdout) == NULL)
        outcome = OUTCOME_REFUSED;
    watch_reset(w);
    free(w);
    return outcome;
}
