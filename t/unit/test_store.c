
/*
 * Copyright (C) the nginx client portal authors
 *
 * The store: what stands on the disk after an upload, and what does not
 * when a system call fails.
 */


#define _GNU_SOURCE

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <sys/stat.h>
#include <unistd.h>
#include "portal_store.h"
#include "tap.h"


/* what the wrapped calls do: fail at the n-th, 0: never */

typedef struct {
    unsigned    at;
    unsigned    calls;
    int         error;
} fault_t;


ssize_t __real_read(int fd, void *buf, size_t n);
ssize_t __wrap_read(int fd, void *buf, size_t n);
ssize_t __real_write(int fd, const void *buf, size_t n);
int __real_fsync(int fd);
int __real_rename(const char *from, const char *to);
ssize_t __wrap_write(int fd, const void *buf, size_t n);
int __wrap_fsync(int fd);
int __wrap_rename(const char *from, const char *to);

static int fault(fault_t *f);
static void quiet(void);
static void storage_make(void);
static unsigned storage_count(const char *folder);
static void storage_remove(const char *folder);
static portal_str_t body_write(const void *data, size_t len);
static portal_upload_t *upload(const char *boundary, const char *name,
    const void *data, size_t len);
static char *part(char *p, const char *field, const char *file,
    const char *data);
static portal_upload_t *upload_twice(void);
static int exists(const char *fmt, ...)
    __attribute__((format(printf, 1, 2)));
static void test_raw(void);
static void test_again(void);
static void test_withdraw(void);
static void test_sweep(void);
static void test_refused(void);
static void test_parts(void);
static void test_twice(void);
static void test_fields(void);
static void test_many(void);
static void test_malformed(void);
static void test_faults(void);
static void test_abandoned(void);
static void test_large(void);
static void test_names(void);
static void test_folders(void);


/* of PDF, by sha256sum */
static const char  raw_hash[] =
    "5a838678058f6de375e8635b5f2fea47a4e5f07cb1a882a44b10f39abc6f34ff";

static fault_t  on_read, on_write, on_fsync, on_rename;
static char     storage[64];


#define PDF  "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"


static int
fault(fault_t *f)
{
    if (++f->calls == f->at) {
        errno = f->error;
        return -1;
    }

    return 0;
}


ssize_t
__wrap_read(int fd, void *buf, size_t n)
{
    return fault(&on_read) == -1 ? -1 : __real_read(fd, buf, n);
}


ssize_t
__wrap_write(int fd, const void *buf, size_t n)
{
    /* short writes are what a disk may do as well */

    if (fd <= 2) {
        return __real_write(fd, buf, n);
    }

    return fault(&on_write) == -1 ? -1
           : __real_write(fd, buf, n > 1000 ? n / 2 : n);
}


int
__wrap_fsync(int fd)
{
    return fault(&on_fsync) == -1 ? -1 : __real_fsync(fd);
}


int
__wrap_rename(const char *from, const char *to)
{
    return fault(&on_rename) == -1 ? -1 : __real_rename(from, to);
}


static void
quiet(void)
{
    memset(&on_read, 0, sizeof(fault_t));
    memset(&on_write, 0, sizeof(fault_t));
    memset(&on_fsync, 0, sizeof(fault_t));
    memset(&on_rename, 0, sizeof(fault_t));
}


static void
storage_make(void)
{
    char  path[128];

    strcpy(storage, "/tmp/portal-store.XXXXXX");

    if (mkdtemp(storage) == NULL) {
        abort();
    }

    snprintf(path, sizeof(path), "%s/tmp", storage);

    if (mkdir(path, 0700) == -1) {
        abort();
    }

    quiet();
}


/* Files below a folder of the storage, or of all of them. */

static unsigned
storage_count(const char *folder)
{
    DIR            *dir;
    char            path[512];
    unsigned        n;
    struct dirent  *entry;

    snprintf(path, sizeof(path), "%s/%s", storage, folder);

    dir = opendir(path);
    if (dir == NULL) {
        return 0;
    }

    n = 0;

    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.') {
            continue;
        }

        if (entry->d_type == DT_DIR) {
            snprintf(path, sizeof(path), "%s%s%s", folder,
                     folder[0] ? "/" : "", entry->d_name);
            n += storage_count(path);

        } else {
            n++;
        }
    }

    closedir(dir);

    return n;
}


static void
storage_remove(const char *folder)
{
    DIR            *dir;
    char            path[512];
    struct dirent  *entry;

    dir = opendir(folder);
    if (dir == NULL) {
        return;
    }

    while ((entry = readdir(dir))) {
        if (strcmp(entry->d_name, ".") == 0
            || strcmp(entry->d_name, "..") == 0)
        {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);

        if (entry->d_type == DT_DIR) {
            storage_remove(path);

        } else {
            unlink(path);
        }
    }

    closedir(dir);
    rmdir(folder);
}


/* The body as nginx leaves it, in the storage's own tmp/. */

static portal_str_t
body_write(const void *data, size_t len)
{
    int           fd;
    static char   path[128];
    const char   *p = data;
    ssize_t       n;

    snprintf(path, sizeof(path), "%s/tmp/0000000001", storage);

    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (fd == -1) {
        abort();
    }

    for ( /* void */ ; len; p += n, len -= (size_t) n) {
        n = __real_write(fd, p, len);

        if (n <= 0) {
            abort();
        }
    }

    close(fd);

    return str(path);
}


static portal_upload_t *
upload(const char *boundary, const char *name, const void *data, size_t len)
{
    portal_str_t  s, body, b, n;

    s = str(storage);
    body = body_write(data, len);
    b = str(boundary ? boundary : "");
    n = str(name ? name : "");

    return portal_upload_create(&s, &body, boundary ? &b : NULL,
                                name ? &n : NULL);
}


static char *
part(char *p, const char *field, const char *file, const char *data)
{
    p += sprintf(p, "--B\r\nContent-Disposition: form-data; name=\"%s\"",
                 field);

    if (file) {
        p += sprintf(p, "; filename=\"%s\"", file);
    }

    return p + sprintf(p, "\r\n\r\n%s\r\n", data);
}


/* One content under two names. */

static portal_upload_t *
upload_twice(void)
{
    char  *p, body[4096];

    p = part(body, "files", "a.pdf", PDF);
    p = part(p, "files", "b.pdf", PDF);
    p += sprintf(p, "--B--\r\n");

    return upload("B", NULL, body, (size_t) (p - body));
}


static int
exists(const char *fmt, ...)
{
    char         path[512], name[256];
    va_list      args;
    struct stat  st;

    va_start(args, fmt);
    vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);

    snprintf(path, sizeof(path), "%s/%s", storage, name);

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}


static void
test_raw(void)
{
    json_t           *root, *json;
    portal_buf_t      b;
    portal_upload_t  *up;
    portal_arena_t   *arena;

    storage_make();

    up = upload(NULL, "Bilan \"2025\".pdf", PDF, sizeof(PDF) - 1);

    is_int(portal_upload_read(up), PORTAL_OK, "a raw body");
    is_int(up->n, 1, "is one file");
    is_int(up->files[0].size, sizeof(PDF) - 1, "its size");
    is_text(up->files[0].type->mime, "application/pdf", "its type");
    is_text(up->files[0].hash, raw_hash, "its hash is that of sha256sum");
    is_int(on_fsync.calls, 1, "it is on the disk");
    is_int(storage_count(""), 1, "and not in the store yet");

    is_int(portal_upload_keep(up), PORTAL_OK, "keep");
    ok(exists("%.2s/%s", raw_hash, raw_hash + 2), "now it is in the store");
    is_int(storage_count("tmp"), 0, "and no more in tmp/");
    is_int(on_fsync.calls, 3, "its folder and the new folder's are synced");

    arena = portal_arena_create();
    portal_buf_init(&b, arena, 4096);
    is_int(portal_upload_json(up, &b), PORTAL_OK, "JSON for the page");
    root = json_loadb((char *) b.data, b.len, 0, NULL);
    json = json_array_get(root, 0);
    is_text(json_string_value(json_object_get(json, "name")),
            "Bilan \"2025\".pdf", "the name");
    is_text(json_string_value(json_object_get(json, "field")), "file",
            "the field");
    is_text(json_string_value(json_object_get(json, "type")),
            "application/pdf", "the type");
    is_text(json_string_value(json_object_get(json, "kind")), "pdf",
            "the kind");
    is_text(json_string_value(json_object_get(json, "sha256")), raw_hash,
            "the hash");
    is_int(json_integer_value(json_object_get(json, "size")),
           sizeof(PDF) - 1, "the size");
    ok(json_is_true(json_object_get(json, "inline")), "it may be shown");
    json_decref(root);
    portal_arena_destroy(arena);

    portal_upload_destroy(up);
    ok(exists("%.2s/%s", raw_hash, raw_hash + 2), "it stays");

    {
        char         path[256];
        struct stat  st;

        snprintf(path, sizeof(path), "%s/%.2s", storage, raw_hash);
        stat(path, &st);
        is_int(st.st_mode & 0777, 0700, "others may not look into it");
    }

    storage_remove(storage);
}


/* The same content again is the same file, with a fresh time. */

static void
test_again(void)
{
    char              path[256];
    ino_t             ino;
    struct stat       st;
    portal_upload_t  *up;
    struct timespec   old[2];

    storage_make();
    snprintf(path, sizeof(path), "%s/%.2s/%s", storage, raw_hash,
             raw_hash + 2);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    portal_upload_read(up);
    portal_upload_keep(up);
    portal_upload_destroy(up);

    memset(old, 0, sizeof(old));
    old[0].tv_sec = 1000;
    old[1].tv_sec = 1000;
    utimensat(AT_FDCWD, path, old, 0);
    stat(path, &st);
    ino = st.st_ino;

    up = upload(NULL, "b.pdf", PDF, sizeof(PDF) - 1);
    quiet();
    portal_upload_read(up);
    is_int(portal_upload_keep(up), PORTAL_OK, "the same content again");
    portal_upload_destroy(up);

    is_int(on_fsync.calls, 3, "the file and both folders are synced: who "
           "made them may not have come to it");
    is_int(storage_count(""), 1, "is one file");

    stat(path, &st);
    ok(st.st_mtime > 1000 && st.st_ino != ino,
       "the new one, renamed over the old");

    storage_remove(storage);
}


/* Refused: a file goes if it came with this upload, and is still its own. */

static void
test_withdraw(void)
{
    portal_upload_t  *up, *other;

    storage_make();

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    portal_upload_read(up);
    ok(!portal_upload_kept(up), "nothing to withdraw before it is kept");
    portal_upload_keep(up);
    ok(portal_upload_kept(up), "a new file");
    portal_upload_withdraw(up);
    is_int(storage_count(""), 0, "is withdrawn");
    ok(!portal_upload_kept(up), "once");
    portal_upload_destroy(up);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    portal_upload_read(up);
    portal_upload_keep(up);
    other = upload(NULL, "b.pdf", PDF, sizeof(PDF) - 1);
    portal_upload_read(other);
    portal_upload_keep(other);
    ok(!portal_upload_kept(other), "one that was there is not the second's");
    portal_upload_withdraw(other);
    is_int(storage_count(""), 1, "who withdraws nothing");
    portal_upload_withdraw(up);
    is_int(storage_count(""), 1, "nor does the first, since the second came");
    portal_upload_destroy(up);
    portal_upload_destroy(other);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    portal_upload_read(up);
    portal_upload_keep(up);
    portal_upload_destroy(up);
    is_int(storage_count(""), 1, "destroyed without: it stays");

    storage_remove(storage);
    storage_make();

    up = upload_twice();
    is_int(portal_upload_read(up), PORTAL_OK, "a content twice");
    portal_upload_keep(up);
    is_int(storage_count(""), 2, "is one file, beside the body");
    portal_upload_withdraw(up);
    is_int(storage_count(""), 1, "and is withdrawn");
    portal_upload_destroy(up);

    storage_remove(storage);
}


static void
test_sweep(void)
{
    char             path[300], folder[256];
    struct timespec  old[2];

    storage_make();
    snprintf(folder, sizeof(folder), "%s/tmp", storage);

    body_write("old", 3);
    memset(old, 0, sizeof(old));
    old[0].tv_sec = old[1].tv_sec = time(NULL) - 90000;
    snprintf(path, sizeof(path), "%s/folder", folder);
    mkdir(path, 0700);
    utimensat(AT_FDCWD, path, old, 0);
    snprintf(path, sizeof(path), "%s/link", folder);
    (void) !symlink("nowhere", path);
    utimensat(AT_FDCWD, path, old, AT_SYMLINK_NOFOLLOW);
    is_int(portal_store_sweep(folder, 86400, 10), 0, "a young file stays");

    snprintf(path, sizeof(path), "%s/left1", folder);
    close(open(path, O_WRONLY | O_CREAT, 0600));
    utimensat(AT_FDCWD, path, old, 0);
    snprintf(path, sizeof(path), "%s/left2", folder);
    close(open(path, O_WRONLY | O_CREAT, 0600));
    utimensat(AT_FDCWD, path, old, 0);

    is_int(portal_store_sweep(folder, 86400, 1), 1, "one at a time");
    is_int(portal_store_sweep(folder, 86400, 10), 1, "and the other one");
    ok(exists("tmp/0000000001") && !exists("tmp/left1")
       && !exists("tmp/left2"), "the young one stays, and a link");
    is_int(portal_store_sweep("/nowhere", 86400, 10), PORTAL_ERROR,
           "no such folder");

    storage_remove(storage);
}


static void
test_refused(void)
{
    portal_upload_t  *up;

    storage_make();

    up = upload(NULL, "a.pdf", "", 0);
    is_int(portal_upload_read(up), PORTAL_UPLOAD_EMPTY, "an empty body");
    portal_upload_destroy(up);
    is_int(storage_count(""), 0, "and removed");

    up = upload(NULL, "a.pdf", "MZ", 2);
    is_int(portal_upload_read(up), PORTAL_UPLOAD_TYPE, "no PDF");
    is_int(on_fsync.calls, 0, "and not synced");
    portal_upload_destroy(up);
    is_int(storage_count(""), 0, "and removed");

    up = upload(NULL, "a.exe", PDF, sizeof(PDF) - 1);
    is_int(portal_upload_read(up), PORTAL_UPLOAD_TYPE, "a name never taken");
    portal_upload_destroy(up);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    unlink(up->body);
    is_int(portal_upload_read(up), PORTAL_UPLOAD_IO, "a body that is gone");
    is_text(up->call, "open", "the call");
    is_int(up->err, ENOENT, "its error");
    portal_upload_destroy(up);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    unlink(up->body);

    if (symlink("/etc/passwd", up->body) == -1) {
        abort();
    }

    is_int(portal_upload_read(up), PORTAL_UPLOAD_IO, "a body that is a link");
    portal_upload_destroy(up);

    is_int(storage_count(""), 0, "nothing is left");
    storage_remove(storage);
}


static void
test_parts(void)
{
    char             *p, body[4096];
    portal_upload_t  *up;

    storage_make();

    p = part(body, "csrf", NULL, "token");
    p = part(p, "client", NULL, "martin");
    p = part(p, "other", NULL, "ignored");
    p = part(p, "files", "C:\\\\x\\\\a.pdf", PDF);
    p = part(p, "files", "b.txt", "hello\n");
    p = part(p, "files", "", "");
    p += sprintf(p, "--B--\r\n");

    up = upload("B", NULL, body, (size_t) (p - body));

    is_int(portal_upload_read(up), PORTAL_OK, "a form");
    is_int(up->n, 2, "of two files, and an empty input");
    is_text(up->csrf, "token", "its token");
    is_text(up->client, "martin", "its client");
    is_text(up->files[0].name, "a.pdf", "a name without its path");
    is_text(up->files[0].field, "files", "its field");
    is_text(up->files[0].hash, raw_hash, "its hash");
    is_text(up->files[1].name, "b.txt", "another");
    is_text(up->files[1].type->mime, "text/plain", "its type");
    is_int(up->files[1].size, 6, "its size");
    is_int(storage_count("tmp"), 3, "the body and two files, in tmp/");
    is_int(on_fsync.calls, 2, "synced");

    is_int(portal_upload_keep(up), PORTAL_OK, "keep");
    is_int(storage_count(""), 3, "two in the store");
    is_int(storage_count("tmp"), 1, "the body is nginx's");

    portal_upload_destroy(up);
    is_int(storage_count(""), 3, "they stay");

    storage_remove(storage);
}


/* One content under two names is one file. */

static void
test_twice(void)
{
    portal_upload_t  *up;

    storage_make();

    up = upload_twice();

    is_int(portal_upload_read(up), PORTAL_OK, "a content twice");
    is_int(portal_upload_keep(up), PORTAL_OK, "is kept");
    is_int(up->n, 2, "as two files");
    is_text(up->files[1].hash, up->files[0].hash, "of one hash");
    is_int(storage_count("") - storage_count("tmp"), 1, "in one place");

    portal_upload_destroy(up);
    storage_remove(storage);
}


static void
test_fields(void)
{
    char             *p, body[8192], value[600];
    portal_upload_t  *up;

    storage_make();

    memset(value, 'v', sizeof(value));

    value[PORTAL_UPLOAD_VALUE - 1] = '\0';
    p = part(body, "csrf", NULL, value);
    p = part(p, "files", "a.pdf", PDF);
    p += sprintf(p, "--B--\r\n");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_OK, "a token of 511 bytes");
    is_int(strlen(up->csrf), 511, "whole");
    portal_upload_destroy(up);

    value[PORTAL_UPLOAD_VALUE - 1] = 'v';
    value[PORTAL_UPLOAD_VALUE] = '\0';
    p = part(body, "csrf", NULL, value);
    p = part(p, "files", "a.pdf", PDF);
    p += sprintf(p, "--B--\r\n");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_BAD, "of 512 bytes");
    portal_upload_destroy(up);

    p = part(body, "csrf", NULL, "a");
    p = part(p, "csrf", NULL, "b");
    p = part(p, "files", "a.pdf", PDF);
    p += sprintf(p, "--B--\r\n");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_BAD, "two tokens");
    portal_upload_destroy(up);

    p = part(body, "csrf", NULL, "a_b");
    *(strchr(body, '_')) = '\0';
    p = part(p, "files", "a.pdf", PDF);
    p += sprintf(p, "--B--\r\n");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_BAD, "NUL in a token");
    portal_upload_destroy(up);

    p = part(body, "csrf", "a.pdf", PDF);
    p += sprintf(p, "--B--\r\n");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_OK, "a file of that name");
    is_text(up->csrf, "", "is no token");
    portal_upload_destroy(up);

    is_int(storage_count(""), 1, "nothing is left but the body");
    storage_remove(storage);
}


static void
test_many(void)
{
    int               i;
    char             *p, *body, name[32];
    portal_upload_t  *up;

    storage_make();
    body = malloc(65536);

    for (p = body, i = 0; i < PORTAL_UPLOAD_FILES; i++) {
        snprintf(name, sizeof(name), "%d.txt", i);
        p = part(p, "files", name, name);
    }

    strcpy(p, "--B--\r\n");
    up = upload("B", NULL, body, strlen(body));
    is_int(portal_upload_read(up), PORTAL_OK, "20 files");
    is_int(portal_upload_keep(up), PORTAL_OK, "are kept");
    portal_upload_destroy(up);
    is_int(storage_count("") - storage_count("tmp"), 20, "all of them");

    p = part(p, "files", "21.txt", "x");
    strcpy(p, "--B--\r\n");
    up = upload("B", NULL, body, strlen(body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_MANY, "21 files");
    portal_upload_destroy(up);
    is_int(storage_count("tmp"), 1, "none is left but the body");

    for (p = body, i = 0; i < 37; i++) {
        snprintf(name, sizeof(name), "f%d", i);
        p = part(p, name, NULL, "x");
    }

    strcpy(p, "--B--\r\n");
    up = upload("B", NULL, body, strlen(body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_BAD, "37 fields");
    portal_upload_destroy(up);

    free(body);
    storage_remove(storage);
}


static void
test_malformed(void)
{
    char             *p, body[4096];
    size_t            n, whole;
    int               bad, good;
    portal_upload_t  *up;

    storage_make();

    p = part(body, "csrf", NULL, "token");
    p = part(p, "files", "a.pdf", PDF);
    p += sprintf(p, "--B--");
    whole = (size_t) (p - body);

    bad = 0;
    good = 0;

    for (n = 0; n <= whole; n++) {
        up = upload("B", NULL, body, n);
        good += portal_upload_read(up) == PORTAL_OK;
        bad += up->rc == PORTAL_UPLOAD_BAD;
        portal_upload_destroy(up);

        if (storage_count("") != 1) {
            break;
        }
    }

    is_int(good, 1, "only the whole form is one");
    is_int(bad, (long long) whole, "the cut ones are malformed");
    is_int(n, (long long) whole + 1, "and leave nothing behind");

    p = part(body, "csrf", NULL, "token");
    p += sprintf(p, "--B--");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_EMPTY, "no file at all");
    portal_upload_destroy(up);

    p = part(body, "files", "a.pdf", "");
    p += sprintf(p, "--B--");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_EMPTY, "an empty file");
    portal_upload_destroy(up);

    p = part(body, "files", "a.pdf", PDF);
    p = part(p, "files", "b.pdf", "MZ");
    p += sprintf(p, "--B--");
    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_UPLOAD_TYPE, "one of two");
    portal_upload_destroy(up);
    is_int(storage_count(""), 1, "and neither is left");

    storage_remove(storage);
}


/* Each call that may fail, fails once: what is told, and what is left. */

static void
test_faults(void)
{
    char             *p, body[4096];
    size_t            len;
    unsigned          i, step;
    portal_upload_t  *up;

    static const struct {
        fault_t     *fault;
        int          error;
        unsigned     at;
        unsigned     step;             /* 1: read, 2: keep */
        int          rc;
        const char  *call;
    } cases[] = {
        { &on_read, EIO, 1, 1, PORTAL_UPLOAD_IO, "read" },
        { &on_read, EIO, 2, 1, PORTAL_UPLOAD_IO, "read" },
        { &on_write, ENOSPC, 1, 1, PORTAL_UPLOAD_SPACE, "write" },
        { &on_write, EDQUOT, 2, 1, PORTAL_UPLOAD_SPACE, "write" },
        { &on_write, EIO, 1, 1, PORTAL_UPLOAD_IO, "write" },
        { &on_fsync, EIO, 1, 1, PORTAL_UPLOAD_IO, "fsync" },
        { &on_fsync, ENOSPC, 2, 1, PORTAL_UPLOAD_SPACE, "fsync" },
        { &on_rename, ENOSPC, 1, 2, PORTAL_UPLOAD_SPACE, "rename" },
        { &on_rename, EIO, 2, 2, PORTAL_UPLOAD_IO, "rename" },
        { &on_fsync, EIO, 3, 2, PORTAL_UPLOAD_IO, "fsync" },
        { &on_fsync, EIO, 4, 2, PORTAL_UPLOAD_IO, "fsync" },
        { NULL, 0, 0, 0, 0, NULL }
    };

    p = part(body, "files", "a.pdf", PDF);
    p = part(p, "files", "b.txt", "hello\n");
    p += sprintf(p, "--B--");
    len = (size_t) (p - body);

    for (i = 0; cases[i].fault; i++) {
        storage_make();

        up = upload("B", NULL, body, len);

        cases[i].fault->at = cases[i].at;
        cases[i].fault->error = cases[i].error;

        step = 1;

        if (portal_upload_read(up) == PORTAL_OK) {
            step = 2;
            (void) portal_upload_keep(up);
        }

        ok(step == cases[i].step && up->rc == cases[i].rc
           && up->err == cases[i].error && up->call
           && strcmp(up->call, cases[i].call) == 0,
           "%s %u fails with %s", cases[i].call, cases[i].at,
           strerror(cases[i].error));

        portal_upload_destroy(up);

        is_int(storage_count("tmp"), 1, "nothing is left in tmp/ but the "
               "body");

        storage_remove(storage);
    }

    /* a call that a signal ends is made again */

    storage_make();
    up = upload("B", NULL, body, len);
    on_write.at = 1;
    on_write.error = EINTR;
    on_read.at = 1;
    on_read.error = EINTR;
    is_int(portal_upload_read(up), PORTAL_OK, "EINTR is no failure");
    portal_upload_destroy(up);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    quiet();
    on_read.at = 1;
    on_read.error = EINTR;
    is_int(portal_upload_read(up), PORTAL_OK, "nor of a raw body");
    portal_upload_destroy(up);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    quiet();
    on_read.at = 2;
    on_read.error = EIO;
    is_int(portal_upload_read(up), PORTAL_UPLOAD_IO, "but EIO is");
    is_text(up->call, "read", "of its call");
    portal_upload_destroy(up);

    storage_remove(storage);
}


/* An upload that is read and never kept. */

static void
test_abandoned(void)
{
    char             *p, body[4096];
    portal_upload_t  *up;

    storage_make();

    p = part(body, "files", "a.pdf", PDF);
    p += sprintf(p, "--B--");

    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_OK, "a form");
    portal_upload_destroy(up);
    is_int(storage_count(""), 1, "leaves nothing but its body");

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    portal_upload_destroy(up);
    is_int(storage_count(""), 0, "a raw body is removed, read or not");

    storage_remove(storage);
}


/* More than the buffers hold, written in halves. */

static void
test_large(void)
{
    char             *body, *p;
    size_t            i, len;
    portal_upload_t  *up;

    storage_make();
    len = 3 * 1024 * 1024;
    body = malloc(len + 4096);

    p = body + sprintf(body, "--B\r\nContent-Disposition: form-data; "
                       "name=f; filename=a.txt\r\n\r\n");

    for (i = 0; i < len; i++) {
        p[i] = (char) ("abcdefghijklmnopqrstuvwxyz\r\n--B"[i * 7 % 31]);
    }

    p += len;
    p += sprintf(p, "\r\n--B--");

    up = upload("B", NULL, body, (size_t) (p - body));
    is_int(portal_upload_read(up), PORTAL_OK, "3 MiB");
    is_int(up->files[0].size, (long long) len, "its size");
    ok(on_write.calls > 12, "written in %u pieces", on_write.calls);
    is_int(portal_upload_keep(up), PORTAL_OK, "kept");

    {
        FILE    *f;
        char     path[256], *copy;

        snprintf(path, sizeof(path), "%s/%.2s/%s", storage,
                 up->files[0].hash, up->files[0].hash + 2);
        copy = malloc(len + 1);
        f = fopen(path, "r");
        i = f ? fread(copy, 1, len + 1, f) : 0;

        ok(i == len && memcmp(copy, p - 7 - len, len) == 0,
           "byte for byte");

        if (f) {
            fclose(f);
        }

        free(copy);
    }

    portal_upload_destroy(up);
    free(body);
    storage_remove(storage);
}


static void
test_names(void)
{
    char              name[300];
    portal_str_t      s, body, b;
    portal_upload_t  *up;

    storage_make();
    memset(name, 'a', sizeof(name));

    name[255] = '\0';
    up = upload(NULL, name, "x", 1);
    ok(up != NULL, "a name of 255 bytes");
    portal_upload_destroy(up);

    name[255] = 'a';
    name[256] = '\0';
    ok(upload(NULL, name, "x", 1) == NULL, "of 256 bytes");

    name[72] = '\0';
    s = str(storage);
    body = body_write("x", 1);
    b = str(name);
    ok(portal_upload_create(&s, &body, &b, NULL) == NULL,
       "a boundary of 72 bytes");

    storage_remove(storage);
}


/* A file where a folder should be. */

static void
test_folders(void)
{
    int               fd;
    char              path[256];
    portal_upload_t  *up;

    storage_make();

    snprintf(path, sizeof(path), "%s/%.2s", storage, raw_hash);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    close(fd);

    up = upload(NULL, "a.pdf", PDF, sizeof(PDF) - 1);
    is_int(portal_upload_read(up), PORTAL_OK, "a body");
    is_int(portal_upload_keep(up), PORTAL_UPLOAD_IO,
           "that cannot be kept");
    is_text(up->call, "open", "the call");
    is_int(up->err, ENOTDIR, "its error");
    portal_upload_destroy(up);
    is_int(storage_count("tmp"), 0, "is removed");

    storage_remove(storage);

    storage_make();

    {
        char          body[512], *p;
        portal_str_t  s, b, bound;

        p = part(body, "f", "a.txt", "x");
        p += sprintf(p, "--B--");
        b = body_write(body, (size_t) (p - body));
        s = str("/nonexistent");
        bound = str("B");
        up = portal_upload_create(&s, &b, &bound, NULL);
    }

    is_int(portal_upload_read(up), PORTAL_UPLOAD_IO, "a storage without "
           "tmp/");
    is_text(up->call, "mkostemp", "the call");
    portal_upload_destroy(up);
    storage_remove(storage);
}


int
main(void)
{
    test_raw();
    test_again();
    test_withdraw();
    test_sweep();
    test_refused();
    test_parts();
    test_twice();
    test_fields();
    test_many();
    test_malformed();
    test_faults();
    test_abandoned();
    test_large();
    test_names();
    test_folders();

    return tap_done();
}
