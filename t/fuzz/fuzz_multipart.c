
/*
 * Copyright (C) the nginx client portal authors
 *
 * Multipart bodies: "STEP BODY", a byte and the rest, with the boundary
 * "XbX"; or, where STEP is 0, a Content-Type.  A body in pieces is read as
 * it is at once.
 */


#include "fuzz.h"
#include "portal_multipart.h"
#include "portal_text.h"


typedef struct {
    unsigned char  *text;
    size_t          len;
    int             open;
} fuzz_log_t;


static void fuzz_log(fuzz_log_t *log, const void *data, size_t len);
static int fuzz_begin(void *ctx, const portal_str_t *name,
    const portal_str_t *filename, const portal_str_t *type);
static int fuzz_data(void *ctx, const unsigned char *data, size_t len);
static int fuzz_end(void *ctx);
static int fuzz_feed(fuzz_log_t *log, const uint8_t *data, size_t size,
    size_t step);


static const portal_multipart_handlers_t  handlers = {
    fuzz_begin, fuzz_data, fuzz_end
};


static void
fuzz_log(fuzz_log_t *log, const void *data, size_t len)
{
    log->text = realloc(log->text, log->len + len + 1);
    fuzz_check(log->text);

    if (len) {
        memcpy(log->text + log->len, data, len);
    }

    log->len += len;
}


static int
fuzz_begin(void *ctx, const portal_str_t *name, const portal_str_t *filename,
    const portal_str_t *type)
{
    fuzz_log_t  *log = ctx;

    fuzz_check(!log->open);
    log->open = 1;

    fuzz_check(name->len && portal_utf8_valid(name->data, name->len)
               && !portal_has_control(name));

    fuzz_log(log, "[", 1);
    fuzz_log(log, name->data, name->len);
    fuzz_log(log, ";", 1);
    fuzz_log(log, type->data, type->len);

    if (filename) {
        fuzz_check(filename->len <= 200 && !portal_has_control(filename));
        fuzz_check(portal_utf8_valid(filename->data, filename->len));

        if (filename->len) {
            fuzz_check(filename->data[0] != '.'
                       && !memchr(filename->data, '/', filename->len)
                       && !memchr(filename->data, '\\', filename->len));
        }

        fuzz_log(log, "/", 1);
        fuzz_log(log, filename->data, filename->len);
    }

    fuzz_log(log, "=", 1);

    return PORTAL_OK;
}


static int
fuzz_data(void *ctx, const unsigned char *data, size_t len)
{
    fuzz_log_t  *log = ctx;

    fuzz_check(log->open && len);
    fuzz_log(log, data, len);

    return PORTAL_OK;
}


static int
fuzz_end(void *ctx)
{
    fuzz_log_t  *log = ctx;

    fuzz_check(log->open);
    log->open = 0;
    fuzz_log(log, "]", 1);

    return PORTAL_OK;
}


static int
fuzz_feed(fuzz_log_t *log, const uint8_t *data, size_t size, size_t step)
{
    int                  rc;
    size_t               n;
    portal_str_t         boundary, piece;
    portal_multipart_t   mp;

    portal_str_set(&boundary, "XbX");
    portal_multipart_init(&mp, &boundary, 10, &handlers, log);

    for ( /* void */ ; size; data += n, size -= n) {
        n = step < size ? step : size;

        piece = fuzz_copy(data, n);
        rc = portal_multipart_feed(&mp, piece.data, n);
        free(piece.data);

        if (rc != PORTAL_OK) {
            return rc;
        }
    }

    rc = portal_multipart_finish(&mp);
    fuzz_check(rc != PORTAL_OK || !log->open);

    return rc;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         i;
    fuzz_log_t     whole, pieces;
    portal_str_t   type, boundary;

    if (size == 0) {
        return 0;
    }

    if (data[0] == 0) {
        type = fuzz_copy(data + 1, size - 1);

        if (portal_multipart_boundary(&type, &boundary) == PORTAL_OK) {
            fuzz_check(boundary.len && boundary.len <= 70);

            for (i = 0; i < boundary.len; i++) {
                fuzz_check(boundary.data[i] > 0x20
                           && boundary.data[i] < 0x7f);
            }
        }

        free(type.data);

        return 0;
    }

    memset(&whole, 0, sizeof(fuzz_log_t));
    memset(&pieces, 0, sizeof(fuzz_log_t));

    fuzz_check(fuzz_feed(&whole, data + 1, size - 1, size)
               == fuzz_feed(&pieces, data + 1, size - 1, data[0]));

    fuzz_check(whole.len == pieces.len
               && (whole.len == 0
                   || memcmp(whole.text, pieces.text, whole.len) == 0));

    free(whole.text);
    free(pieces.text);

    return 0;
}
