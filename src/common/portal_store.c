
/*
 * Copyright (C) the nginx client portal authors
 *
 * The store (see portal_store.h): an upload's life, its files' way into the
 * store and, where they were refused, out of it again.
 *
 * Whoever puts a file in place or takes one away holds the lock of its
 * folder meanwhile.  Only the upload that has put a file where there was
 * none may take it away again, and only as long as that same file is there:
 * any other upload of this content has put its own file over it.
 */


#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "portal_store_read.h"
#include "portal_text.h"


static char *portal_upload_dup(const portal_str_t *s);
static char *portal_upload_path(portal_upload_t *up,
    portal_upload_file_t *file, char **slash);
static int portal_upload_keep_file(portal_upload_t *up,
    portal_upload_file_t *file);
static int portal_upload_place(portal_upload_t *up,
    portal_upload_file_t *file, const char *folder, const char *path);
static int portal_upload_is_new(portal_upload_t *up, const char *path);
static void portal_upload_withdraw_file(portal_upload_t *up,
    portal_upload_file_t *file);
static int portal_upload_lock(int fd);
static int portal_upload_sync_dir(portal_upload_t *up, const char *path);


int
portal_upload_fail(portal_upload_t *up, const char *call)
{
    up->err = errno;
    up->call = call;
    up->rc = (errno == ENOSPC || errno == EDQUOT) ? PORTAL_UPLOAD_SPACE
                                                  : PORTAL_UPLOAD_IO;

    return up->rc;
}


static char *
portal_upload_dup(const portal_str_t *s)
{
    char  *p;

    p = malloc(s->len + 1);

    if (p) {
        memcpy(p, s->data, s->len);
        p[s->len] = '\0';
    }

    return p;
}


portal_upload_t *
portal_upload_create(const portal_str_t *storage, const portal_str_t *body,
    const portal_str_t *boundary, const portal_str_t *name)
{
    portal_upload_t       *up;
    portal_upload_file_t  *file;

    up = calloc(1, sizeof(portal_upload_t));
    if (up == NULL) {
        return NULL;
    }

    up->storage = portal_upload_dup(storage);
    up->body = portal_upload_dup(body);

    if (up->storage == NULL || up->body == NULL) {
        goto failed;
    }

    if (boundary) {
        if (boundary->len >= sizeof(up->boundary)) {
            goto failed;
        }

        memcpy(up->boundary, boundary->data, boundary->len);
        return up;
    }

    if (name->len >= PORTAL_UPLOAD_NAME) {
        goto failed;
    }

    file = portal_upload_file(up);
    file->temp = portal_upload_dup(body);

    if (file->temp == NULL) {
        goto failed;
    }

    memcpy(file->name, name->data, name->len);
    memcpy(file->field, "file", sizeof("file"));

    return up;

failed:

    portal_upload_destroy(up);

    return NULL;
}


void
portal_upload_destroy(portal_upload_t *up)
{
    unsigned  i;

    if (up->writer) {
        portal_writer_free(up->writer);
        free(up->writer);
    }

    for (i = 0; i < up->n; i++) {
        if (up->files[i].temp) {
            if (up->files[i].temp[0]) {
                (void) unlink(up->files[i].temp);
            }

            free(up->files[i].temp);
        }

        if (up->files[i].kept != -1) {
            (void) close(up->files[i].kept);
        }
    }

    free(up->storage);
    free(up->body);
    free(up);
}


portal_upload_file_t *
portal_upload_file(portal_upload_t *up)
{
    portal_upload_file_t  *file;

    if (up->n == PORTAL_UPLOAD_FILES) {
        return NULL;
    }

    file = &up->files[up->n++];
    file->kept = -1;

    return file;
}


int
portal_upload_keep(portal_upload_t *up)
{
    unsigned  i;

    for (i = 0; i < up->n; i++) {
        up->rc = portal_upload_keep_file(up, &up->files[i]);

        if (up->rc != PORTAL_OK) {
            return up->rc;
        }
    }

    return up->rc = PORTAL_OK;
}


/* STORAGE/ab/cdef…; *slash: the one before the name. */

static char *
portal_upload_path(portal_upload_t *up, portal_upload_file_t *file,
    char **slash)
{
    int     n;
    char   *path;
    size_t  size;

    size = strlen(up->storage) + sizeof("/ab/") + 64;
    path = malloc(size);

    if (path == NULL) {
        return NULL;
    }

    n = snprintf(path, size, "%s/%.2s", up->storage, file->hash);
    *slash = path + n;
    snprintf(*slash, size - (size_t) n, "/%s", file->hash + 2);

    return path;
}


static int
portal_upload_keep_file(portal_upload_t *up, portal_upload_file_t *file)
{
    char  *path, *folder, *slash;

    path = portal_upload_path(up, file, &slash);
    folder = path ? strndup(path, (size_t) (slash - path)) : NULL;

    if (folder == NULL) {
        errno = ENOMEM;
        (void) portal_upload_fail(up, "malloc");
        goto done;
    }

    if (mkdir(folder, 0700) == -1 && errno != EEXIST) {
        (void) portal_upload_fail(up, "mkdir");
        goto done;
    }

    /*
     * the folder too may be new, made a moment ago by somebody who has not
     * yet come to sync it
     */

    if (portal_upload_place(up, file, folder, path) != PORTAL_OK
        || portal_upload_sync_dir(up, up->storage) != PORTAL_OK)
    {
        goto done;
    }

    up->rc = PORTAL_OK;

done:

    free(folder);
    free(path);

    return up->rc;
}


static int
portal_upload_place(portal_upload_t *up, portal_upload_file_t *file,
    const char *folder, const char *path)
{
    int  fd, rc;

    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd == -1) {
        return portal_upload_fail(up, "open");
    }

    if (portal_upload_lock(fd) == PORTAL_OK
        && portal_upload_is_new(up, path))
    {
        /* held, so that its number is nobody else's meanwhile */

        file->kept = open(file->temp, O_PATH | O_NOFOLLOW | O_CLOEXEC);

        if (file->kept == -1) {
            rc = portal_upload_fail(up, "open");
            goto done;
        }
    }

    if (rename(file->temp, path) == -1) {
        rc = portal_upload_fail(up, "rename");
        goto done;
    }

    file->temp[0] = '\0';

    (void) flock(fd, LOCK_UN);

    rc = fsync(fd) == -1 ? portal_upload_fail(up, "fsync") : PORTAL_OK;

done:

    (void) close(fd);

    return rc;
}


/* Is there no such file, or only one that this upload has put there? */

static int
portal_upload_is_new(portal_upload_t *up, const char *path)
{
    unsigned     i;
    struct stat  there, own;

    if (lstat(path, &there) == -1) {
        return errno == ENOENT;
    }

    for (i = 0; i < up->n; i++) {
        if (up->files[i].kept != -1
            && fstat(up->files[i].kept, &own) == 0
            && own.st_dev == there.st_dev && own.st_ino == there.st_ino)
        {
            return 1;
        }
    }

    return 0;
}


static int
portal_upload_lock(int fd)
{
    while (flock(fd, LOCK_EX) == -1) {
        if (errno != EINTR) {
            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}


int
portal_upload_kept(const portal_upload_t *up)
{
    unsigned  i;

    for (i = 0; i < up->n; i++) {
        if (up->files[i].kept != -1) {
            return 1;
        }
    }

    return 0;
}


void
portal_upload_withdraw(portal_upload_t *up)
{
    unsigned  i;

    for (i = 0; i < up->n; i++) {
        if (up->files[i].kept != -1) {
            portal_upload_withdraw_file(up, &up->files[i]);

            (void) close(up->files[i].kept);
            up->files[i].kept = -1;
        }
    }
}


/* Where anything is in doubt the file stays, which harms nobody. */

static void
portal_upload_withdraw_file(portal_upload_t *up, portal_upload_file_t *file)
{
    int          fd;
    char        *path, *slash;
    struct stat  there, own;

    path = portal_upload_path(up, file, &slash);
    if (path == NULL) {
        return;
    }

    *slash = '\0';
    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    *slash = '/';

    if (fd != -1) {
        if (portal_upload_lock(fd) == PORTAL_OK
            && fstat(file->kept, &own) == 0 && lstat(path, &there) == 0
            && own.st_dev == there.st_dev && own.st_ino == there.st_ino)
        {
            (void) unlink(path);
        }

        (void) close(fd);
    }

    free(path);
}


static int
portal_upload_sync_dir(portal_upload_t *up, const char *path)
{
    int  fd, rc;

    fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd == -1) {
        return portal_upload_fail(up, "open");
    }

    rc = fsync(fd) == -1 ? portal_upload_fail(up, "fsync") : PORTAL_OK;

    (void) close(fd);

    return rc;
}


int
portal_upload_json(const portal_upload_t *up, portal_buf_t *b)
{
    unsigned                     i;
    portal_str_t                 s;
    const portal_upload_file_t  *file;

    portal_buf_puts(b, "[");

    for (i = 0; i < up->n; i++) {
        file = &up->files[i];

        portal_buf_puts(b, i ? ",{\"field\":" : "{\"field\":");
        s.data = (unsigned char *) file->field;
        s.len = strlen(file->field);
        portal_buf_json(b, &s);

        portal_buf_puts(b, ",\"name\":");
        s.data = (unsigned char *) file->name;
        s.len = strlen(file->name);
        portal_buf_json(b, &s);

        portal_buf_puts(b, ",\"type\":\"");
        portal_buf_puts(b, file->type->mime);
        portal_buf_puts(b, "\",\"kind\":\"");
        portal_buf_puts(b, file->type->kind);
        portal_buf_puts(b, file->type->inline_ok ? "\",\"inline\":true"
                                                 : "\",\"inline\":false");
        portal_buf_puts(b, ",\"size\":");
        portal_buf_int(b, (int64_t) file->size);
        portal_buf_puts(b, ",\"sha256\":\"");
        portal_buf_puts(b, file->hash);
        portal_buf_puts(b, "\"}");
    }

    return portal_buf_puts(b, "]");
}


int
portal_store_sweep(const char *folder, time_t age, unsigned max)
{
    int             n;
    DIR            *dir;
    time_t          before;
    struct stat     st;
    struct dirent  *entry;

    dir = opendir(folder);
    if (dir == NULL) {
        return PORTAL_ERROR;
    }

    n = 0;
    before = time(NULL) - age;

    while ((unsigned) n < max && (entry = readdir(dir)) != NULL) {

        if (fstatat(dirfd(dir), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0
            && S_ISREG(st.st_mode) && st.st_mtime < before
            && unlinkat(dirfd(dir), entry->d_name, 0) == 0)
        {
            n++;
        }
    }

    (void) closedir(dir);

    return n;
}
