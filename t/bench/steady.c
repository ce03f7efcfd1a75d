
/*
 * Copyright (C) the nginx client portal authors
 *
 * steady RATE SECONDS CONNECTIONS PORT PATH COOKIE: so many GET requests a
 * second to 127.0.0.1, evenly spaced, whatever the answers take.  Times
 * count from when a request was due, so that waiting for a free connection
 * is part of them.  Prints the number of answers, and milliseconds: median,
 * 99 of 100, 999 of 1000, the longest.
 */


#define _GNU_SOURCE          /* ppoll() */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>


#define STEADY_HEAD  8192


typedef struct {
    int        fd;
    int        busy;
    double     due;
    size_t     len;              /* of head, while it is read */
    long long  left;             /* of the body; -1: still in the head */
    char       head[STEADY_HEAD + 1];
} steady_conn_t;


static char    steady_request[4096];
static size_t  steady_request_len;


static double steady_now(void);
static void steady_die(const char *what);
static int steady_connect(int port);
static int steady_read(steady_conn_t *c);
static int steady_compare(const void *a, const void *b);


static double
steady_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void
steady_die(const char *what)
{
    fprintf(stderr, "steady: %s\n", what);
    exit(1);
}


static int
steady_connect(int port)
{
    int                 fd, on;
    struct sockaddr_in  sin;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_port = htons((unsigned short) port);
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    on = 1;

    fd = socket(AF_INET, SOCK_STREAM, 0);

    if (fd == -1 || connect(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1)
    {
        steady_die("cannot connect");
    }

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    return fd;
}


/* 1: the answer is complete. */

static int
steady_read(steady_conn_t *c)
{
    char        buf[65536], *end, *p;
    size_t      rest;
    ssize_t     n;

    for ( ;; ) {

        n = c->left < 0
            ? recv(c->fd, c->head + c->len, STEADY_HEAD - c->len,
                   MSG_DONTWAIT)
            : recv(c->fd, buf, sizeof(buf), MSG_DONTWAIT);

        if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
            return 0;
        }

        if (n <= 0) {
            steady_die("connection closed");
        }

        if (c->left >= 0) {
            c->left -= n;

        } else {
            c->len += (size_t) n;
            c->head[c->len] = '\0';
            end = strstr(c->head, "\r\n\r\n");

            if (end == NULL) {
                if (c->len == STEADY_HEAD) {
                    steady_die("header too long");
                }

                continue;
            }

            p = strstr(c->head, "Content-Length: ");

            if (strncmp(c->head, "HTTP/1.1 200", 12) != 0 || p == NULL
                || p > end)
            {
                steady_die("not a 200 with its length");
            }

            rest = c->len - (size_t) (end + 4 - c->head);
            c->left = atoll(p + 16) - (long long) rest;
        }

        if (c->left == 0) {
            return 1;
        }
    }
}


static int
steady_compare(const void *a, const void *b)
{
    double  x, y;

    x = *(const double *) a;
    y = *(const double *) b;

    return x < y ? -1 : x > y;
}


int
main(int argc, char **argv)
{
    int              i, free_one, port, n;
    size_t           count, sent, total;
    double           rate, start, now, due, *times;
    struct pollfd   *fds;
    steady_conn_t   *c;
    struct timespec  wait;

    if (argc != 7) {
        fprintf(stderr, "usage: steady RATE SECONDS CONNECTIONS PORT PATH "
                "COOKIE\n");
        return 2;
    }

    rate = atof(argv[1]);
    total = (size_t) (rate * atof(argv[2]));
    n = atoi(argv[3]);
    port = atoi(argv[4]);

    steady_request_len = (size_t) snprintf(steady_request,
        sizeof(steady_request), "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n"
        "Cookie: %s\r\n\r\n", argv[5], port, argv[6]);

    c = calloc((size_t) n, sizeof(steady_conn_t));
    fds = calloc((size_t) n, sizeof(struct pollfd));
    times = calloc(total + 1, sizeof(double));

    if (c == NULL || fds == NULL || times == NULL || total == 0
        || steady_request_len >= sizeof(steady_request))
    {
        steady_die("bad arguments");
    }

    for (i = 0; i < n; i++) {
        c[i].fd = steady_connect(port);
        fds[i].fd = c[i].fd;
        fds[i].events = POLLIN;
    }

    count = 0;
    sent = 0;
    free_one = 0;
    start = steady_now();

    while (count < total) {

        now = steady_now();
        due = start + (double) sent / rate;

        while (sent < total && due <= now) {

            for (i = 0; i < n && c[free_one].busy; i++) {
                free_one = (free_one + 1) % n;
            }

            if (c[free_one].busy) {
                break;
            }

            c[free_one].busy = 1;
            c[free_one].due = due;
            c[free_one].len = 0;
            c[free_one].left = -1;

            if (send(c[free_one].fd, steady_request, steady_request_len, 0)
                != (ssize_t) steady_request_len)
            {
                steady_die("cannot send");
            }

            free_one = (free_one + 1) % n;
            due = start + (double) ++sent / rate;
        }

        if (now - start > 2 * atof(argv[2]) + 10) {
            steady_die("the answers do not come");
        }

        wait.tv_sec = 0;
        wait.tv_nsec = sent == total || due <= now || due - now > 0.1
                       ? 1000000 : (long) ((due - now) * 1e9);

        if (ppoll(fds, (nfds_t) n, &wait, NULL) <= 0) {
            continue;
        }

        for (i = 0; i < n; i++) {
            if (fds[i].revents && c[i].busy && steady_read(&c[i])) {
                c[i].busy = 0;
                times[count++] = (steady_now() - c[i].due) * 1000;
            }
        }
    }

    qsort(times, count, sizeof(double), steady_compare);

    printf("%zu %.2f %.2f %.2f %.2f\n", count, times[count / 2],
           times[count * 99 / 100], times[count * 999 / 1000],
           times[count - 1]);

    return 0;
}
