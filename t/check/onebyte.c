
/*
 * Copyright (C) the nginx client portal authors
 *
 * For LD_PRELOAD: sockets that take and give little at a time, mostly one
 * byte, and now and then nothing (EAGAIN).  nginx and libpq wait for the
 * next event as they would with a slow network.  Since nginx's events are
 * edge-triggered, and the kernel has nothing new to tell, a descriptor is
 * registered again after each call that was cut short.
 */


#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>


#define FDS     4096
#define SMALL   1500      /* so many bytes of a socket come one by one */
#define LARGE   1200      /* the others by so many at most */


static struct {
    int                 epfd;
    struct epoll_event  event;
    unsigned            set;
} fds[FDS];

static unsigned  done[FDS][2];
static unsigned  seed = 1;


static void *
real(const char *name)
{
    return dlsym(RTLD_NEXT, name);
}


static unsigned
chance(unsigned n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 16) % n;
}


static int
is_socket(int fd)
{
    int        type;
    socklen_t  len = sizeof(type);

    return fd >= 0 && fd < FDS
           && getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0
           && type == SOCK_STREAM;
}


int
epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    int  rc;

    int  (*f)(int, int, int, struct epoll_event *) = real("epoll_ctl");

    rc = f(epfd, op, fd, event);

    if (rc == 0 && fd >= 0 && fd < FDS) {
        if (op == EPOLL_CTL_ADD) {
            memset(done[fd], 0, sizeof(done[fd]));
        }

        fds[fd].set = (op != EPOLL_CTL_DEL);
        fds[fd].epfd = epfd;

        if (event) {
            fds[fd].event = *event;
        }
    }

    return rc;
}


int
close(int fd)
{
    int  (*f)(int) = real("close");

    if (fd >= 0 && fd < FDS) {
        fds[fd].set = 0;
        memset(done[fd], 0, sizeof(done[fd]));
    }

    return f(fd);
}


/* how much of len now; 0: EAGAIN */

static size_t
portion(int fd, int write, size_t len)
{
    size_t  n;

    if (chance(8) == 0) {
        return 0;
    }

    n = done[fd][write] < SMALL ? 1 : 1 + chance(LARGE);

    return n < len ? n : len;
}


static void
again(int fd)
{
    int  e = errno;

    int  (*f)(int, int, int, struct epoll_event *) = real("epoll_ctl");

    if (fds[fd].set && (fds[fd].event.events & EPOLLET)) {
        (void) f(fds[fd].epfd, EPOLL_CTL_MOD, fd, &fds[fd].event);
    }

    errno = e;
}


#define LITTLE(fd, write, len, call, small)                                  \
    if (!is_socket(fd) || (len) == 0) {                                      \
        return call;                                                         \
    }                                                                        \
                                                                             \
    n = portion(fd, write, len);                                             \
                                                                             \
    if (n == 0) {                                                            \
        errno = EAGAIN;                                                      \
        rc = -1;                                                             \
                                                                             \
    } else {                                                                 \
        rc = small;                                                          \
                                                                             \
        if (rc > 0) {                                                        \
            done[fd][write] += rc;                                           \
        }                                                                    \
    }                                                                        \
                                                                             \
    again(fd);                                                               \
                                                                             \
    return rc


ssize_t
recv(int fd, void *buf, size_t len, int flags)
{
    size_t   n;
    ssize_t  rc, (*f)(int, void *, size_t, int) = real("recv");

    if (flags & MSG_PEEK) {
        return f(fd, buf, len, flags);
    }

    LITTLE(fd, 0, len, f(fd, buf, len, flags), f(fd, buf, n, flags));
}


ssize_t
read(int fd, void *buf, size_t len)
{
    size_t   n;
    ssize_t  rc, (*f)(int, void *, size_t) = real("read");

    LITTLE(fd, 0, len, f(fd, buf, len), f(fd, buf, n));
}


ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
    size_t   n;
    ssize_t  rc, (*f)(int, const void *, size_t, int) = real("send");

    /* "100 Continue": nginx takes for granted that it is sent in one piece */

    if (len == 25 && memcmp(buf, "HTTP/1.1 100 ", 13) == 0) {
        return f(fd, buf, len, flags);
    }

    LITTLE(fd, 1, len, f(fd, buf, len, flags), f(fd, buf, n, flags));
}


ssize_t
write(int fd, const void *buf, size_t len)
{
    size_t   n;
    ssize_t  rc, (*f)(int, const void *, size_t) = real("write");

    LITTLE(fd, 1, len, f(fd, buf, len), f(fd, buf, n));
}


ssize_t
writev(int fd, const struct iovec *iov, int count)
{
    int      i;
    size_t   n;
    ssize_t  rc, (*f)(int, const struct iovec *, int) = real("writev");
    ssize_t  (*w)(int, const void *, size_t) = real("write");

    for (i = 0; i < count - 1 && iov[i].iov_len == 0; i++) { /* void */ }

    LITTLE(fd, 1, count > 0 ? iov[i].iov_len : 0, f(fd, iov, count),
           w(fd, iov[i].iov_base, n));
}


ssize_t
readv(int fd, const struct iovec *iov, int count)
{
    int      i;
    size_t   n;
    ssize_t  rc, (*f)(int, const struct iovec *, int) = real("readv");
    ssize_t  (*r)(int, void *, size_t) = real("read");

    for (i = 0; i < count - 1 && iov[i].iov_len == 0; i++) { /* void */ }

    LITTLE(fd, 0, count > 0 ? iov[i].iov_len : 0, f(fd, iov, count),
           r(fd, iov[i].iov_base, n));
}


ssize_t
sendfile64(int fd, int in, off64_t *offset, size_t len)
{
    size_t   n;
    ssize_t  rc, (*f)(int, int, off64_t *, size_t) = real("sendfile64");

    LITTLE(fd, 1, len, f(fd, in, offset, len), f(fd, in, offset, n));
}


ssize_t
sendfile(int fd, int in, off_t *offset, size_t len)
{
    return sendfile64(fd, in, (off64_t *) offset, len);
}
