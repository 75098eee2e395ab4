/* SPDX-License-Identifier: Apache-2.0 */
/* ashlar-bare-target: an iSCSI target that has no disk and does nothing but answer, for
 * what TCP and the client leave of any target on this machine:
 *
 *     ashlar-bare-target [--port N] [--threads N] [--size BYTES]
 *
 * Each thread has an epoll of its own and its share of the connections. What a recv()
 * brings is answered by one sendmsg() at its end; READs of at most SEGMENT_BYTES have
 * bytes that mean nothing, WRITEs of immediate data alone are thrown away, all else is
 * GOOD. It knows what ashlar-bench-wire says; a PDU beyond that ends the connection. */
#include "tests/protocol/rawpdu.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define SEGMENT_BYTES 32768 /* what the client takes in a PDU */
#define STAGE_BYTES   (256U << 10)
#define BLOCK_BYTES   512
#define WINDOW        256
#define THREADS_MAX   16
#define EVENTS_MAX    256
#define ANSWERS_MAX   512 /* of one sendmsg() */
#define FINAL         0x80
#define HAS_STATUS    0x01
#define TAG_NONE      0xffffffffU

struct conn {
    int fd;
    uint32_t stat_sn;
    size_t kept_bytes; /* of a PDU that is not all there yet */
    uint8_t kept[RAW_BHS_BYTES + SEGMENT_BYTES];
};

struct thread {
    pthread_t thread;
    int epoll_fd;
    uint8_t stage[STAGE_BYTES];
    uint8_t heads[ANSWERS_MAX][RAW_BHS_BYTES];
    struct iovec iov[2 * ANSWERS_MAX];
    size_t head_count, iov_count;
};

static struct {
    unsigned port, threads;
    uint64_t size_bytes;
} options = {3260, 2, 1U << 30};

static struct thread threads[THREADS_MAX];

/* ---- answers ----------------------------------------------------------------------- */

static bool out_send(struct thread *t, struct conn *c)
{
    struct msghdr message = {.msg_iov = t->iov, .msg_iovlen = t->iov_count};
    size_t bytes = 0;
    for (size_t i = 0; i < t->iov_count; i++)
        bytes += t->iov[i].iov_len;
    t->head_count = t->iov_count = 0;
    return bytes == 0 || sendmsg(c->fd, &message, MSG_NOSIGNAL) == (ssize_t)bytes;
}

/* data: unchanged until it is sent. */
static void out_add(struct thread *t, struct conn *c, const uint8_t *asked,
                    const uint8_t *bhs, const void *data, size_t bytes)
{
    uint8_t *head = t->heads[t->head_count++];
    uint32_t cmd_sn = (uint32_t)raw_get(asked + 24, 4);
    uint32_t next = (asked[0] & 0x40) != 0 ? cmd_sn : cmd_sn + 1;
    memcpy(head, bhs, RAW_BHS_BYTES);
    raw_put(head + 5, 3, bytes);
    memcpy(head + 16, asked + 16, 4);
    raw_put(head + 24, 4, c->stat_sn++);
    raw_put(head + 28, 4, next);
    raw_put(head + 32, 4, next + WINDOW - 1);
    t->iov[t->iov_count++] = (struct iovec){.iov_base = head, .iov_len = RAW_BHS_BYTES};
    if (bytes > 0)
        t->iov[t->iov_count++] =
            (struct iovec){.iov_base = (void *)(uintptr_t)data, .iov_len = bytes};
}

static bool answer_login(struct thread *t, struct conn *c, const uint8_t *asked)
{
    static const char keys[] = "TargetPortalGroupTag=1\0HeaderDigest=None\0"
                               "DataDigest=None\0InitialR2T=Yes\0ImmediateData=Yes\0"
                               "FirstBurstLength=32768\0MaxRecvDataSegmentLength=32768\0"
                               "\0\0"; /* 4 bytes of padding at most */
    size_t bytes = (sizeof(keys) - 3 + 3) / 4 * 4;
    uint8_t bhs[RAW_BHS_BYTES] = {RAW_LOGIN_RSP, asked[1]};
    memcpy(bhs + 8, asked + 8, 6); /* ISID */
    raw_put(bhs + 14, 2, 1);       /* TSIH */
    out_add(t, c, asked, bhs, keys, bytes);
    return true;
}

static bool answer_data(struct thread *t, struct conn *c, const uint8_t *asked,
                        const void *data, size_t bytes)
{
    uint8_t bhs[RAW_BHS_BYTES] = {RAW_DATA_IN, FINAL | HAS_STATUS};
    if (bytes > SEGMENT_BYTES)
        return false;
    raw_put(bhs + 20, 4, TAG_NONE);
    out_add(t, c, asked, bhs, data, bytes);
    return true;
}

static bool answer_command(struct thread *t, struct conn *c, const uint8_t *asked)
{
    static const uint8_t data[SEGMENT_BYTES];
    static _Thread_local uint8_t capacity[32];
    uint32_t expected = (uint32_t)raw_get(asked + 20, 4);
    if (asked[32] == 0x9e) { /* READ CAPACITY(16) */
        raw_put(capacity, 8, options.size_bytes / BLOCK_BYTES - 1);
        raw_put(capacity + 8, 4, BLOCK_BYTES);
        return answer_data(t, c, asked, capacity, sizeof(capacity));
    }
    if ((asked[1] & 0x40) != 0 && expected > 0)
        return answer_data(t, c, asked, data, expected);
    if ((asked[1] & 0x20) != 0 && expected > raw_get(asked + 5, 3))
        return false; /* it would want an R2T */
    uint8_t bhs[RAW_BHS_BYTES] = {RAW_SCSI_RSP, FINAL};
    out_add(t, c, asked, bhs, NULL, 0);
    return true;
}

static bool answer(struct thread *t, struct conn *c, const uint8_t *asked)
{
    if (t->head_count == ANSWERS_MAX && !out_send(t, c))
        return false;
    switch (asked[0] & 0x3f) {
    case RAW_LOGIN:
        return answer_login(t, c, asked);
    case RAW_SCSI_CMD:
        return answer_command(t, c, asked);
    default:
        return false;
    }
}

/* ---- connections ------------------------------------------------------------------- */

static bool conn_parse(struct thread *t, struct conn *c, size_t bytes)
{
    size_t at = 0;
    while (bytes - at >= RAW_BHS_BYTES) {
        const uint8_t *pdu = t->stage + at;
        size_t whole = RAW_BHS_BYTES + (raw_get(pdu + 5, 3) + 3) / 4 * 4;
        if (whole > sizeof(c->kept))
            return false;
        if (bytes - at < whole)
            break;
        if (!answer(t, c, pdu))
            return false;
        at += whole;
    }
    c->kept_bytes = bytes - at;
    memcpy(c->kept, t->stage + at, c->kept_bytes);
    return out_send(t, c);
}

/* False: it has ended. */
static bool conn_read(struct thread *t, struct conn *c)
{
    memcpy(t->stage, c->kept, c->kept_bytes);
    ssize_t n =
        recv(c->fd, t->stage + c->kept_bytes, STAGE_BYTES - c->kept_bytes, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return true;
    return n > 0 && conn_parse(t, c, c->kept_bytes + (size_t)n);
}

static void *thread_main(void *arg)
{
    struct thread *t = arg;
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int count = epoll_wait(t->epoll_fd, events, EVENTS_MAX, -1);
        for (int i = 0; i < count; i++) {
            struct conn *c = events[i].data.ptr;
            if (conn_read(t, c))
                continue;
            t->head_count = t->iov_count = 0;
            close(c->fd);
            free(c);
        }
    }
    return NULL;
}

static void threads_start(void)
{
    for (unsigned i = 0; i < options.threads; i++) {
        threads[i].epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (threads[i].epoll_fd < 0 ||
            pthread_create(&threads[i].thread, NULL, thread_main, &threads[i]) != 0) {
            perror("thread");
            exit(1);
        }
    }
}

static void conn_hand(int fd, struct thread *t)
{
    struct conn *c = calloc(1, sizeof(*c));
    int one = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    assert(c != NULL);
    c->fd = fd;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    if (epoll_ctl(t->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        close(fd);
        free(c);
    }
}

static int listen_at(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) != 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(fd, 512) != 0) {
        perror("listen");
        exit(1);
    }
    return fd;
}

static void parse_options(int argc, char **argv)
{
    static const struct option words[] = {{"port", required_argument, NULL, 'p'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"size", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    int word;
    while ((word = getopt_long(argc, argv, "", words, NULL)) != -1) {
        if (word == 'p')
            options.port = (unsigned)strtoul(optarg, NULL, 10);
        else if (word == 't')
            options.threads = (unsigned)strtoul(optarg, NULL, 10);
        else if (word == 's')
            options.size_bytes = strtoull(optarg, NULL, 10);
        else
            exit(2);
    }
    if (optind < argc || options.threads == 0 || options.threads > THREADS_MAX ||
        options.port == 0 || options.port > 65535 || options.size_bytes < BLOCK_BYTES) {
        fprintf(stderr, "--threads 1 to %u, --port 1 to 65535, --size at least %u\n",
                THREADS_MAX, BLOCK_BYTES);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    parse_options(argc, argv);
    int listener = listen_at(options.port);
    threads_start();
    for (unsigned next = 0;; next++) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0) {
            perror("accept");
            return 1;
        }
        conn_hand(fd, &threads[next % options.threads]);
    }
}
