
/*
 * Copyright (C) the nginx client portal authors
 *
 * The Test Anything Protocol for programs of one file each.
 */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "portal_common.h"


static unsigned  tap_tests;
static unsigned  tap_failed;


__attribute__((unused))
static const char *
tap_printable(char *dst, size_t size, const unsigned char *p, size_t len)
{
    char    *out;
    size_t   i;

    out = dst;

    for (i = 0; i < len && (size_t) (out - dst) < size - 5; i++) {
        out += snprintf(out, 5, p[i] >= 0x20 && p[i] < 0x7f ? "%c" : "\\x%02x",
                        p[i]);
    }

    *out = '\0';

    return dst;
}


/* A name never breaks its line, nor looks like a directive. */

__attribute__((unused, format(printf, 2, 3)))
static int
tap_ok(int good, const char *fmt, ...)
{
    char      name[512], *p;
    va_list   args;

    tap_failed += !good;

    va_start(args, fmt);
    vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);

    for (p = name; *p; p++) {
        if ((unsigned char) *p < 0x20 || *p == 0x7f || *p == '#') {
            *p = '.';
        }
    }

    printf("%sok %u - %s\n", good ? "" : "not ", ++tap_tests, name);

    return good;
}


__attribute__((unused))
static int
tap_is(const void *got, size_t glen, const void *want, size_t wlen,
    const char *what)
{
    int   good;
    char  text[1024];

    good = (glen == wlen && (wlen == 0 || memcmp(got, want, wlen) == 0));

    tap_ok(good, "%s", what);

    if (!good) {
        printf("# got  (%zu) %s\n", glen,
               tap_printable(text, sizeof(text), got, glen));
        printf("# want (%zu) %s\n", wlen,
               tap_printable(text, sizeof(text), want, wlen));
    }

    return good;
}


#define ok(good, ...)                                                         \
    tap_ok((good) ? 1 : 0, __VA_ARGS__)

#define is_int(got, want, what)                                               \
    do {                                                                      \
        long long  tap_got = (got), tap_want = (want);                        \
                                                                              \
        if (!tap_ok(tap_got == tap_want, "%s", what)) {                       \
            printf("# got %lld, want %lld, line %d\n", tap_got, tap_want,     \
                   __LINE__);                                                 \
        }                                                                     \
    } while (0)

#define is_str(got, want, what)                                               \
    tap_is((got).data, (got).len, want, strlen(want), what)

#define is_text(got, want, what)                                              \
    tap_is(got, strlen(got), want, strlen(want), what)


__attribute__((unused))
static int
tap_done(void)
{
    printf("1..%u\n", tap_tests);

    if (tap_failed) {
        printf("# %u of %u failed\n", tap_failed, tap_tests);
    }

    return tap_failed != 0;
}


__attribute__((unused, format(printf, 1, 2)))
static void
tap_skip(const char *fmt, ...)
{
    va_list  args;

    printf("ok %u # SKIP ", ++tap_tests);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    putchar('\n');
}


__attribute__((unused))
static int
tap_skip_all(const char *why)
{
    printf("1..0 # SKIP %s\n", why);

    return 0;
}


/* A string of C as a portal_str_t. */

__attribute__((unused))
static portal_str_t
str(const char *s)
{
    portal_str_t  r;

    r.data = (unsigned char *) s;
    r.len = strlen(s);

    return r;
}


/* A copy with nothing readable behind its end: the sanitizer's trap. */

__attribute__((unused))
static portal_str_t
str_exact(const void *data, size_t len)
{
    portal_str_t  r;

    r.data = malloc(len ? len : 1);

    if (r.data == NULL) {
        abort();
    }

    if (len) {
        memcpy(r.data, data, len);
    }

    r.len = len;

    return r;
}


#endif /* _TAP_H_INCLUDED_ */
