
/*
 * Copyright (C) the nginx client portal authors
 *
 * multipart/form-data: boundaries, headers, and bodies cut anywhere.
 */


#define _GNU_SOURCE

#include "portal_multipart.h"
#include "tap.h"


typedef struct {
    char      text[8192];
    size_t    len;
    int       open;
    int       wrong;                     /* calls out of order */
    int       refuse;                    /* the n-th call */
    int       calls;
} log_t;


static void log_add(log_t *log, const void *data, size_t len);
static int on_begin(void *ctx, const portal_str_t *name,
    const portal_str_t *filename, const portal_str_t *type);
static int on_data(void *ctx, const unsigned char *data, size_t len);
static int on_end(void *ctx);
static int feed(log_t *log, const char *body, size_t len, size_t step,
    unsigned max);
static void parts_are(const char *body, const char *want, const char *what);
static void refused(const char *body, const char *what);
static void boundary_is(const char *type, int rc, const char *want);
static void test_boundary(void);
static void test_parts(void);
static void test_data(void);
static void test_headers(void);
static void test_names(void);
static void test_refused(void);
static void test_limits(void);
static void test_every_cut(void);
static void test_every_byte(void);
static void test_refusing(void);
static void test_long(void);


#define CD   "Content-Disposition: form-data; "
#define N    "\r\n"
#define B    "--XbX"


static const portal_multipart_handlers_t  handlers = {
    on_begin, on_data, on_end
};


static void
log_add(log_t *log, const void *data, size_t len)
{
    if (log->len + len < sizeof(log->text)) {
        memcpy(log->text + log->len, data, len);
        log->len += len;
        log->text[log->len] = '\0';
    }
}


static int
on_begin(void *ctx, const portal_str_t *name, const portal_str_t *filename,
    const portal_str_t *type)
{
    log_t  *log = ctx;

    if (++log->calls == log->refuse) {
        return PORTAL_ERROR;
    }

    log->wrong += log->open;
    log->open = 1;

    log_add(log, "[", 1);
    log_add(log, name->data, name->len);

    if (filename) {
        log_add(log, "/", 1);
        log_add(log, filename->data, filename->len);
    }

    if (type->len) {
        log_add(log, ";", 1);
        log_add(log, type->data, type->len);
    }

    log_add(log, "=", 1);

    return PORTAL_OK;
}


static int
on_data(void *ctx, const unsigned char *data, size_t len)
{
    log_t  *log = ctx;

    if (++log->calls == log->refuse) {
        return PORTAL_ERROR;
    }

    log->wrong += !log->open + (len == 0);
    log_add(log, data, len);

    return PORTAL_OK;
}


static int
on_end(void *ctx)
{
    log_t  *log = ctx;

    if (++log->calls == log->refuse) {
        return PORTAL_ERROR;
    }

    log->wrong += !log->open;
    log->open = 0;
    log_add(log, "]", 1);

    return PORTAL_OK;
}


/* In pieces of step bytes, each in memory of its own. */

static int
feed(log_t *log, const char *body, size_t len, size_t step, unsigned max)
{
    int                  rc;
    size_t               n;
    portal_str_t         boundary, piece;
    portal_multipart_t  *mp;

    mp = malloc(sizeof(portal_multipart_t));
    memset(mp, 0xa5, sizeof(portal_multipart_t));

    boundary = str("XbX");
    portal_multipart_init(mp, &boundary, max, &handlers, log);

    rc = PORTAL_OK;

    for ( /* void */ ; len && rc == PORTAL_OK; body += n, len -= n) {
        n = step < len ? step : len;
        piece = str_exact(body, n);
        rc = portal_multipart_feed(mp, piece.data, n);
        free(piece.data);
    }

    if (rc == PORTAL_OK) {
        rc = portal_multipart_finish(mp);

    } else if (portal_multipart_feed(mp, (unsigned char *) "x", 1)
               == PORTAL_OK
               || portal_multipart_finish(mp) == PORTAL_OK)
    {
        log->wrong++;
    }

    free(mp);

    return rc;
}


static void
parts_are(const char *body, const char *want, const char *what)
{
    int     rc, bad;
    log_t   log;
    size_t  step;

    bad = 0;

    for (step = 1; step < strlen(body) + 2; step++) {
        memset(&log, 0, sizeof(log_t));
        rc = feed(&log, body, strlen(body), step, 10);

        bad += (rc != PORTAL_OK || log.wrong || strcmp(log.text, want) != 0);
    }

    if (!ok(bad == 0, "%s", what)) {
        printf("# %d of %zu steps; the last: rc %d, wrong %d, %s\n", bad,
               step - 1, rc, log.wrong, log.text);
    }
}


static void
refused(const char *body, const char *what)
{
    int     good, wrong;
    log_t   log;
    size_t  step;

    good = 0;
    wrong = 0;

    for (step = 1; step < strlen(body) + 2; step++) {
        memset(&log, 0, sizeof(log_t));
        good += feed(&log, body, strlen(body), step, 10) == PORTAL_OK;
        wrong += log.wrong;
    }

    ok(good == 0 && wrong == 0, "refused: %s", what);
}


static void
boundary_is(const char *type, int rc, const char *want)
{
    int           got;
    portal_str_t  s, boundary;

    s = str_exact(type, strlen(type));
    memset(&boundary, 0, sizeof(portal_str_t));

    got = portal_multipart_boundary(&s, &boundary);

    is_int(got, rc, type);

    if (rc == PORTAL_OK && got == PORTAL_OK) {
        is_str(boundary, want, "the boundary");
    }

    free(s.data);
}


static void
test_boundary(void)
{
    char  type[256];

    boundary_is("multipart/form-data; boundary=abc", PORTAL_OK, "abc");
    boundary_is("Multipart/Form-Data;BOUNDARY=abc", PORTAL_OK, "abc");
    boundary_is("multipart/form-data; boundary=\"a:b\"", PORTAL_OK, "a:b");
    boundary_is("multipart/form-data; charset=x; boundary=abc; x=y",
                PORTAL_OK, "abc");
    boundary_is("multipart/form-data; boundary=----WebKitFormBoundaryA1",
                PORTAL_OK, "----WebKitFormBoundaryA1");
    boundary_is("multipart/form-data", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data;", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary=", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary=\"\"", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary=\"abc", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary=\"a b\"", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary=a\001", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary=a\377", PORTAL_ERROR, NULL);
    boundary_is("multipart/form-data; boundary=\"a\r\"", PORTAL_ERROR, NULL);
    boundary_is("multipart/mixed; boundary=abc", PORTAL_DECLINED, NULL);
    boundary_is("application/json", PORTAL_DECLINED, NULL);
    boundary_is("multipart/form-dat", PORTAL_DECLINED, NULL);
    boundary_is("", PORTAL_DECLINED, NULL);

    strcpy(type, "multipart/form-data; boundary=");
    memset(type + 30, 'a', 71);
    type[100] = '\0';
    boundary_is(type, PORTAL_OK, type + 30);
    type[100] = 'a';
    type[101] = '\0';
    boundary_is(type, PORTAL_ERROR, NULL);
}


static void
test_parts(void)
{
    parts_are(B N CD "name=\"a\"" N N "1" N B "--", "[a=1]", "a field");

    parts_are(B N CD "name=\"a\"" N N "1" N B N CD "name=b" N N "2" N B "--"
              N, "[a=1][b=2]", "two fields");

    parts_are(B N CD "name=\"f\"; filename=\"x.pdf\"" N
              "Content-Type: application/pdf" N N "%PDF" N B "--" N,
              "[f/x.pdf; application/pdf=%PDF]", "a file");

    parts_are(B N CD "name=f; filename=\"\"" N N N B "--" N, "[f/=]",
              "an empty file input");

    parts_are("preamble" N "more" N B N CD "name=a" N N "1" N B "--" N
              "epilogue" N B N "x", "[a=1]", "a preamble and an epilogue");

    parts_are(N B N CD "name=a" N N "1" N B "--", "[a=1]",
              "an empty preamble");

    parts_are(B " \t" N CD "name=a" N N "1" N B "  --", "[a=1]",
              "white space behind a boundary");

    parts_are(B "--", "", "no part at all");
}


static void
test_data(void)
{
    parts_are(B N CD "name=a" N N N B "--", "[a=]", "no data");
    parts_are(B N CD "name=a" N N N N B "--", "[a=\r\n]", "an empty line");
    parts_are(B N CD "name=a" N N "\r" N B "--", "[a=\r]", "CR alone");
    parts_are(B N CD "name=a" N N "\r\r\r\n\n" N B "--",
              "[a=\r\r\r\n\n]", "CR and LF in any order");
    parts_are(B N CD "name=a" N N "\r\n--Xb" N B "--", "[a=\r\n--Xb]",
              "the beginning of a boundary");
    parts_are(B N CD "name=a" N N "\r\n--Xb\r\n--XbX--", "[a=\r\n--Xb]",
              "and then the boundary itself");
    parts_are(B N CD "name=a" N N "\r\n-\r\n--\r\n--X\r\r\n--XbX--",
              "[a=\r\n-\r\n--\r\n--X\r]", "many beginnings");
    parts_are(B N CD "name=a" N N "--XbX" N B "--", "[a=--XbX]",
              "a boundary that begins no line");
    parts_are(B N CD "name=a" N N "x--XbX--" N B "--", "[a=x--XbX--]",
              "nor here");
    parts_are(B N CD "name=a" N N "\n--XbX--" N B "--", "[a=\n--XbX--]",
              "nor behind LF alone");
    parts_are(B N CD "name=a" N N "\377\001\200" N B "--",
              "[a=\377\001\200]", "any bytes");
}


static void
test_headers(void)
{
    parts_are(B N "X-A: b" N CD "name=a" N "Content-Length: 9" N N "1" N B
              "--", "[a=1]", "other headers");
    parts_are(B N "CONTENT-DISPOSITION:FORM-DATA;NAME=a" N N "1" N B "--",
              "[a=1]", "in capitals, without spaces");
    parts_are(B N "content-type:text/plain" N CD "name=a" N N "1" N B "--",
              "[a;text/plain=1]", "the type first");
    parts_are(B N CD "x=y; name=\"a\" ; z=\"w\"" N N "1" N B "--", "[a=1]",
              "other parameters");
    parts_are(B N CD "name=a; filename*=UTF-8''evil" N N "1" N B "--",
              "[a=1]", "filename* is not asked for (RFC 7578, 4.2)");
}


static void
test_names(void)
{
    parts_are(B N CD "name=\"a b;c=d\"" N N "1" N B "--", "[a b;c=d=1]",
              "a name in quotes");
    parts_are(B N CD "name=\"a\\\"b\\\\\"" N N "1" N B "--", "[a\"b\\=1]",
              "quotes with a backslash");
    parts_are(B N CD "name=\"%22a%22\"" N N "1" N B "--", "[\"a\"=1]",
              "quotes at both ends");
    parts_are(B N CD "name=\"a%2\"" N N "1" N B "--", "[a%2=1]",
              "and a cut one");
    parts_are(B N CD "name=\"a%22b%0D%0A\"" N N "1" N B "--",
              "[a\"b%0D%0A=1]", "quotes as browsers write them");
    parts_are(B N CD "name=f; filename=\"C:\\\\dir\\\\x.pdf\"" N N "1" N B
              "--", "[f/x.pdf=1]", "a path");
    parts_are(B N CD "name=f; filename=\"../../x.pdf\"" N N "1" N B "--",
              "[f/x.pdf=1]", "a path upwards");
    parts_are(B N CD "name=f; filename=\"..\"" N N "1" N B "--", "[f/=1]",
              "a name of which nothing is left");
    parts_are(B N CD "name=f; filename=\"\303\251.pdf\"" N N "1" N B "--",
              "[f/\303\251.pdf=1]", "UTF-8");
    parts_are(B N CD "name=f; filename=\"a\342\200\256fdp.exe\"" N N "1" N B
              "--", "[f/afdp.exe=1]", "a character that turns");
}


static void
test_refused(void)
{
    refused("", "nothing");
    refused("XbX--", "no boundary");
    refused("--XbY" N, "another boundary");
    refused(B, "no end");
    refused(B "-", "half an end");
    refused(B "-\n", "an end of another kind");
    refused(B "\n", "LF alone behind a boundary");
    refused(B "x" N CD "name=a" N N "1" N B "--", "a longer boundary");
    refused(B N N CD "name=a" N N "1" N B "--", "a part without headers");
    refused(B N N "1" N B "--", "a part of nothing but data");
    refused(B N "X: y" N N "1" N B "--", "no disposition");
    refused(B N CD "x=y" N N "1" N B "--", "no name");
    refused(B N CD "name=\"\"" N N "1" N B "--", "an empty name");
    refused(B N CD "name=a; name=b" N N "1" N B "--", "two names");
    refused(B N CD "name=a; filename=b; filename=c" N N "1" N B "--",
            "two names of files");
    refused(B N CD "name=a" N CD "name=b" N N "1" N B "--",
            "two dispositions");
    refused(B N "Content-Disposition: attachment; name=a" N N "1" N B "--",
            "another disposition");
    refused(B N CD "name=\"a" N N "1" N B "--", "a quote that never closes");
    refused(B N CD "name=\"a\tb\"" N N "1" N B "--", "a control in a name");
    refused(B N CD "name=\"a\377\"" N N "1" N B "--",
            "a name that is not UTF-8");
    refused(B N CD "name=a; filename=\"\300\257\"" N N "1" N B "--",
            "nor a name of a file");
    refused(B N CD "name=a; filename=\"a\001b\"" N N "1" N B "--",
            "a control in a name of a file");
    refused(B N CD "name=a" N N "1" N B, "no end behind the data");
    refused(B N CD "name=a" N N "1", "data to the end");
    refused(B N CD "name=a" N, "headers to the end");
    refused(B N CD N " name=a" N N "1" N B "--", "a folded header");
    refused(B N CD "name=a\n\n1" N B "--", "lines that end with LF alone");
}


static void
test_limits(void)
{
    char   *body, *p;
    int     i;
    log_t   log;
    size_t  n;

    body = malloc(20000);

    for (p = body, i = 0; i < 11; i++) {
        p += sprintf(p, B N CD "name=a" N N "1" N);
    }

    strcpy(p, B "--");

    memset(&log, 0, sizeof(log_t));
    is_int(feed(&log, body, strlen(body), 100, 11), PORTAL_OK, "11 parts");
    memset(&log, 0, sizeof(log_t));
    is_int(feed(&log, body, strlen(body), 100, 10), PORTAL_ERROR,
           "are more than 10");

    /* headers of just 8192 bytes, and of one more */

    for (n = 0; n < 2; n++) {
        p = body + sprintf(body, B N CD "name=a" N "X: ");
        i = (int) (8192 - (p - body - (int) strlen(B N)) - 4 + (int) n);
        memset(p, 'x', (size_t) i);
        p += i;
        p += sprintf(p, N N "1" N B "--");

        memset(&log, 0, sizeof(log_t));
        is_int(feed(&log, body, (size_t) (p - body), 1000, 10),
               n ? PORTAL_ERROR : PORTAL_OK,
               n ? "headers of 8193 bytes" : "headers of 8192 bytes");
    }

    /* a name of a file that fills the headers */

    p = body + sprintf(body, B N CD "name=a; filename=\"");
    memset(p, 'x', 8000);
    p += 8000;
    p += sprintf(p, ".pdf\"" N N "1" N B "--");

    memset(&log, 0, sizeof(log_t));
    is_int(feed(&log, body, (size_t) (p - body), 1000, 10), PORTAL_OK,
           "a name of 8000 bytes");
    ok(strlen(log.text) < 220 && strstr(log.text, ".pdf=1]"),
       "is shortened, with its extension");

    {
        static const char  zero[] = B N CD "name=\"a\0b\"" N N "1" N B "--";

        memset(&log, 0, sizeof(log_t));
        is_int(feed(&log, zero, sizeof(zero) - 1, 3, 10), PORTAL_ERROR,
               "NUL in a header");
    }

    free(body);
}


static const char  whole[] =
    "pre" N B N CD "name=\"a\"" N N "\r\n--Xb" N B N
    CD "name=f; filename=\"x.pdf\"" N "Content-Type: application/pdf" N N
    "\r%PDF\r\n" N B "--";


/* Only the whole body is one, wherever else it ends. */

static void
test_every_cut(void)
{
    int     good, wrong;
    log_t   log;
    size_t  n;

    good = 0;
    wrong = 0;

    for (n = 0; n <= sizeof(whole) - 1; n++) {
        memset(&log, 0, sizeof(log_t));
        good += feed(&log, whole, n, 7, 10) == PORTAL_OK;
        wrong += log.wrong;
    }

    is_int(good, 1, "a body that is cut is no body");
    is_int(wrong, 0, "and its handlers are called in order");
}


/* Whatever one byte becomes, handlers are called in order. */

static void
test_every_byte(void)
{
    char    body[sizeof(whole)];
    int     c, wrong, same;
    log_t   log;
    size_t  n;

    wrong = 0;
    same = 0;

    for (n = 0; n < sizeof(whole) - 1; n++) {
        for (c = 0; c < 256; c += 5) {
            memcpy(body, whole, sizeof(whole));
            body[n] = (char) c;

            memset(&log, 0, sizeof(log_t));
            (void) feed(&log, body, sizeof(whole) - 1, 5, 10);
            wrong += log.wrong;
            same += strcmp(log.text, "[a=\r\n--Xb][f/x.pdf; application/pdf="
                           "\r%PDF\r\n]") == 0;
        }
    }

    is_int(wrong, 0, "no byte makes the calls go wrong");
    ok(same > 0 && same < 8000, "most change what is read");
}


static void
test_refusing(void)
{
    int    n;
    log_t  log;

    memset(&log, 0, sizeof(log_t));
    feed(&log, whole, sizeof(whole) - 1, 1000, 10);

    for (n = 1; n <= log.calls; n++) {
        log_t  l;

        memset(&l, 0, sizeof(log_t));
        l.refuse = n;

        if (feed(&l, whole, sizeof(whole) - 1, 1000, 10) != PORTAL_ERROR
            || l.calls != n)
        {
            break;
        }
    }

    ok(n > 8 && n == log.calls + 1,
       "whichever of %d calls refuses is the last", log.calls);
}


/* A boundary of 70 bytes, data of one that nearly is. */

static void
test_long(void)
{
    char                *body, *p;
    log_t                log;
    portal_str_t         boundary;
    portal_multipart_t   mp;
    unsigned char        b[70];

    memset(b, '-', sizeof(b));
    boundary.data = b;
    boundary.len = sizeof(b);

    body = malloc(4096);
    p = body + sprintf(body, "--%.70s" N CD "name=a" N N "x" N "--%.69s+" N
                       "--%.70s--", b, b, b);

    memset(&log, 0, sizeof(log_t));
    portal_multipart_init(&mp, &boundary, 1, &handlers, &log);

    is_int(portal_multipart_feed(&mp, (unsigned char *) body,
                                 (size_t) (p - body)),
           PORTAL_OK, "a boundary of 70 dashes");
    is_int(portal_multipart_finish(&mp), PORTAL_OK, "its end");
    is_int(log.len, 3 + 1 + 2 + 2 + 70 + 1, "and the data between");

    free(body);
}


int
main(void)
{
    test_boundary();
    test_parts();
    test_data();
    test_headers();
    test_names();
    test_refused();
    test_limits();
    test_every_cut();
    test_every_byte();
    test_refusing();
    test_long();

    return tap_done();
}
