
/*
 * Copyright (C) the nginx client portal authors
 *
 * The body of an upload, read (see portal_store.h): every file of it hashed,
 * its type found, on the disk.  A failed fsync is never tried again: after
 * it nobody knows what the disk has.
 */


#define _GNU_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "portal_multipart.h"
#include "portal_store_read.h"


#define PORTAL_STORE_BUFFER  (256 * 1024)
#define PORTAL_STORE_MAGIC   (16 * 1024)
#define PORTAL_STORE_GATHER  (64 * 1024)


static int portal_writer_start(portal_upload_t *up, portal_writer_t *w);
static int portal_writer_add(portal_writer_t *w, portal_upload_file_t *file,
    const unsigned char *data, size_t len);
static int portal_writer_end(portal_upload_t *up, portal_writer_t *w,
    portal_upload_file_t *file);
static int portal_upload_read_raw(portal_upload_t *up);
static int portal_upload_read_parts(portal_upload_t *up);
static int portal_upload_part_begin(void *ctx, const portal_str_t *name,
    const portal_str_t *filename, const portal_str_t *type);
static int portal_upload_part_data(void *ctx, const unsigned char *data,
    size_t len);
static int portal_upload_part_flush(portal_upload_t *up,
    portal_writer_t *w);
static int portal_upload_part_end(void *ctx);
static int portal_upload_write(int fd, const unsigned char *data,
    size_t len);


static int
portal_writer_start(portal_upload_t *up, portal_writer_t *w)
{
    memset(w, 0, sizeof(portal_writer_t));

    w->fd = -1;
    w->md = EVP_MD_CTX_new();
    w->head = malloc(PORTAL_STORE_MAGIC);

    if (w->md == NULL || w->head == NULL
        || EVP_DigestInit_ex(w->md, EVP_sha256(), NULL) != 1)
    {
        errno = ENOMEM;
        return portal_upload_fail(up, "hash");
    }

    return PORTAL_OK;
}


static int
portal_writer_add(portal_writer_t *w, portal_upload_file_t *file,
    const unsigned char *data, size_t len)
{
    size_t  n;

    if (w->nhead < PORTAL_STORE_MAGIC) {
        n = PORTAL_STORE_MAGIC - w->nhead;
        n = n < len ? n : len;

        memcpy(w->head + w->nhead, data, n);
        w->nhead += n;
    }

    file->size += len;

    return EVP_DigestUpdate(w->md, data, len) == 1 ? PORTAL_OK
                                                   : PORTAL_ERROR;
}


/* The content is whole: its name, its type, and on the disk. */

static int
portal_writer_end(portal_upload_t *up, portal_writer_t *w,
    portal_upload_file_t *file)
{
    int             rc;
    unsigned        i, n;
    portal_str_t    name;
    unsigned char   hash[EVP_MAX_MD_SIZE];

    if (file->size == 0) {
        return up->rc = PORTAL_UPLOAD_EMPTY;
    }

    if (EVP_DigestFinal_ex(w->md, hash, &n) != 1 || n != 32) {
        errno = EINVAL;
        return portal_upload_fail(up, "hash");
    }

    for (i = 0; i < n; i++) {
        snprintf(file->hash + 2 * i, 3, "%02x", hash[i]);
    }

    name.data = (unsigned char *) file->name;
    name.len = strlen(file->name);

    rc = portal_type_of(w->head, w->nhead, &name, &file->type);

    if (rc == PORTAL_ERROR) {
        errno = ENOMEM;
        return portal_upload_fail(up, "magic");
    }

    if (rc != PORTAL_OK) {
        return up->rc = PORTAL_UPLOAD_TYPE;
    }

    if (fsync(w->fd) == -1) {
        return portal_upload_fail(up, "fsync");
    }

    return PORTAL_OK;
}


void
portal_writer_free(portal_writer_t *w)
{
    free(w->gather);
    EVP_MD_CTX_free(w->md);
    free(w->head);

    if (w->fd != -1) {
        (void) close(w->fd);
    }

    w->md = NULL;
    w->head = NULL;
    w->gather = NULL;
    w->fd = -1;
}


int
portal_upload_read(portal_upload_t *up)
{
    up->rc = up->boundary[0] ? portal_upload_read_parts(up)
                             : portal_upload_read_raw(up);

    return up->rc;
}


static int
portal_upload_read_raw(portal_upload_t *up)
{
    int                    rc;
    ssize_t                n;
    unsigned char         *buf;
    portal_writer_t        w;
    portal_upload_file_t  *file;

    file = &up->files[0];
    buf = malloc(PORTAL_STORE_BUFFER);
    rc = portal_writer_start(up, &w);

    if (buf == NULL || rc != PORTAL_OK) {
        errno = ENOMEM;
        rc = portal_upload_fail(up, "malloc");
        goto done;
    }

    w.fd = open(up->body, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (w.fd == -1) {
        rc = portal_upload_fail(up, "open");
        goto done;
    }

    for ( ;; ) {
        n = read(w.fd, buf, PORTAL_STORE_BUFFER);

        if (n == 0) {
            break;
        }

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            rc = portal_upload_fail(up, "read");
            goto done;
        }

        if (portal_writer_add(&w, file, buf, (size_t) n) != PORTAL_OK) {
            errno = EINVAL;
            rc = portal_upload_fail(up, "hash");
            goto done;
        }
    }

    rc = portal_writer_end(up, &w, file);

done:

    portal_writer_free(&w);
    free(buf);

    return rc;
}


static int
portal_upload_read_parts(portal_upload_t *up)
{
    int                  fd, rc;
    ssize_t              n;
    portal_str_t         boundary;
    unsigned char       *buf;
    portal_multipart_t  *mp;

    static const portal_multipart_handlers_t  handlers = {
        portal_upload_part_begin,
        portal_upload_part_data,
        portal_upload_part_end
    };

    fd = -1;
    rc = PORTAL_ERROR;

    boundary.data = (unsigned char *) up->boundary;
    boundary.len = strlen(up->boundary);

    buf = malloc(PORTAL_STORE_BUFFER);
    mp = malloc(sizeof(portal_multipart_t));

    if (buf == NULL || mp == NULL) {
        errno = ENOMEM;
        (void) portal_upload_fail(up, "malloc");
        goto done;
    }

    fd = open(up->body, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

    if (fd == -1) {
        (void) portal_upload_fail(up, "open");
        goto done;
    }

    portal_multipart_init(mp, &boundary, PORTAL_UPLOAD_FILES + 16, &handlers,
                          up);

    for ( ;; ) {
        n = read(fd, buf, PORTAL_STORE_BUFFER);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            (void) portal_upload_fail(up, "read");
            goto done;
        }

        if (n == 0) {
            break;
        }

        if (portal_multipart_feed(mp, buf, (size_t) n) != PORTAL_OK) {
            goto done;
        }
    }

    if (portal_multipart_finish(mp) == PORTAL_OK) {
        rc = PORTAL_OK;
    }

done:

    if (fd != -1) {
        (void) close(fd);
    }

    free(mp);
    free(buf);

    if (rc == PORTAL_OK) {
        return up->n ? PORTAL_OK : PORTAL_UPLOAD_EMPTY;
    }

    /* what a handler refused for, or else the form itself */

    return up->rc != PORTAL_OK ? up->rc : PORTAL_UPLOAD_BAD;
}


static int
portal_upload_part_begin(void *ctx, const portal_str_t *name,
    const portal_str_t *filename, const portal_str_t *type)
{
    portal_upload_t  *up = ctx;

    size_t                 size;
    portal_writer_t       *w;
    portal_upload_file_t  *file;

    (void) type;

    up->current = NULL;
    up->value = NULL;

    if (filename == NULL) {
        if (name->len == 4 && memcmp(name->data, "csrf", 4) == 0) {
            up->value = up->csrf;

        } else if (name->len == 6 && memcmp(name->data, "client", 6) == 0) {
            up->value = up->client;
        }

        if (up->value && up->value[0]) {
            up->rc = PORTAL_UPLOAD_BAD;
            return PORTAL_ERROR;
        }

        return PORTAL_OK;
    }

    /* a file input that was left empty */

    if (filename->len == 0) {
        return PORTAL_OK;
    }

    if (filename->len >= PORTAL_UPLOAD_NAME
        || name->len >= sizeof(file->field))
    {
        up->rc = PORTAL_UPLOAD_BAD;
        return PORTAL_ERROR;
    }

    file = portal_upload_file(up);

    if (file == NULL) {
        up->rc = PORTAL_UPLOAD_MANY;
        return PORTAL_ERROR;
    }

    memcpy(file->name, filename->data, filename->len);
    memcpy(file->field, name->data, name->len);

    size = strlen(up->storage) + sizeof("/tmp/part.XXXXXX");
    file->temp = malloc(size);
    w = malloc(sizeof(portal_writer_t));

    if (file->temp) {
        file->temp[0] = '\0';
    }

    if (file->temp == NULL || w == NULL) {
        free(w);
        errno = ENOMEM;
        return portal_upload_fail(up, "malloc");
    }

    up->writer = w;

    if (portal_writer_start(up, w) != PORTAL_OK) {
        return PORTAL_ERROR;
    }

    snprintf(file->temp, size, "%s/tmp/part.XXXXXX", up->storage);

    w->fd = mkostemp(file->temp, O_CLOEXEC);

    if (w->fd == -1) {
        file->temp[0] = '\0';
        return portal_upload_fail(up, "mkostemp");
    }

    up->current = file;

    return PORTAL_OK;
}


static int
portal_upload_part_data(void *ctx, const unsigned char *data, size_t len)
{
    portal_upload_t  *up = ctx;

    size_t            n, used;
    portal_writer_t  *w;

    if (up->value) {
        used = strlen(up->value);

        if (used + len >= PORTAL_UPLOAD_VALUE || memchr(data, 0, len)) {
            up->rc = PORTAL_UPLOAD_BAD;
            return PORTAL_ERROR;
        }

        memcpy(up->value + used, data, len);

        return PORTAL_OK;
    }

    if (up->current == NULL) {
        return PORTAL_OK;
    }

    w = up->writer;

    if (w->gather == NULL) {
        w->gather = malloc(PORTAL_STORE_GATHER);

        if (w->gather == NULL) {
            errno = ENOMEM;
            return portal_upload_fail(up, "malloc");
        }
    }

    /* pieces may be of one byte, if somebody wants them so */

    while (len) {
        n = PORTAL_STORE_GATHER - w->ngather;
        n = n < len ? n : len;

        memcpy(w->gather + w->ngather, data, n);
        w->ngather += n;
        data += n;
        len -= n;

        if (w->ngather == PORTAL_STORE_GATHER
            && portal_upload_part_flush(up, w) != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}


static int
portal_upload_part_flush(portal_upload_t *up, portal_writer_t *w)
{
    if (w->ngather == 0) {
        return PORTAL_OK;
    }

    if (portal_writer_add(w, up->current, w->gather, w->ngather)
        != PORTAL_OK)
    {
        errno = EINVAL;
        return portal_upload_fail(up, "hash");
    }

    if (portal_upload_write(w->fd, w->gather, w->ngather) != PORTAL_OK) {
        return portal_upload_fail(up, "write");
    }

    w->ngather = 0;

    return PORTAL_OK;
}


static int
portal_upload_part_end(void *ctx)
{
    portal_upload_t  *up = ctx;

    int               rc;
    portal_writer_t  *w;

    up->value = NULL;

    if (up->current == NULL) {
        return PORTAL_OK;
    }

    w = up->writer;

    rc = portal_upload_part_flush(up, w);

    if (rc == PORTAL_OK) {
        rc = portal_writer_end(up, w, up->current);
    }

    portal_writer_free(w);
    free(w);

    up->writer = NULL;
    up->current = NULL;

    return rc;
}


static int
portal_upload_write(int fd, const unsigned char *data, size_t len)
{
    ssize_t  n;

    while (len) {
        n = write(fd, data, len);

        if (n == -1) {
            if (errno == EINTR) {
                continue;
            }

            return PORTAL_ERROR;
        }

        data += n;
        len -= (size_t) n;
    }

    return PORTAL_OK;
}
