
/*
 * Copyright (C) the nginx client portal authors
 *
 * The store: files named by the SHA-256 of their content, immutable, in
 * STORAGE/ab/cdef…; and the making of them from an upload.  Plain C over
 * system calls: it runs in a thread, and blocks.
 */


#ifndef _PORTAL_STORE_H_INCLUDED_
#define _PORTAL_STORE_H_INCLUDED_


#include <time.h>
#include "portal_common.h"
#include "portal_type.h"


#define PORTAL_UPLOAD_FILES    20
#define PORTAL_UPLOAD_NAME     256
#define PORTAL_UPLOAD_VALUE    512

/* reasons, beside PORTAL_OK */
#define PORTAL_UPLOAD_BAD     -30      /* malformed: 400 */
#define PORTAL_UPLOAD_MANY    -31      /* more than PORTAL_UPLOAD_FILES */
#define PORTAL_UPLOAD_TYPE    -32      /* a file of a kind not accepted */
#define PORTAL_UPLOAD_EMPTY   -33      /* no file, or an empty one */
#define PORTAL_UPLOAD_SPACE   -34      /* ENOSPC, EDQUOT */
#define PORTAL_UPLOAD_IO      -35      /* any other system call */


typedef struct {
    char                  name[PORTAL_UPLOAD_NAME];   /* as it was sent */
    char                  field[64];
    char                 *temp;        /* path in tmp/; "" once it is kept */
    char                  hash[65];    /* hex digits and NUL */
    uint64_t              size;
    const portal_type_t  *type;
    int                   kept;        /* it, if new in the store; or -1 */
} portal_upload_file_t;


typedef struct {
    char                  csrf[PORTAL_UPLOAD_VALUE];
    char                  client[PORTAL_UPLOAD_VALUE];
    portal_upload_file_t  files[PORTAL_UPLOAD_FILES];
    unsigned              n;

    int                   rc;          /* of the last step */
    int                   err;         /* errno of PORTAL_UPLOAD_IO, … */
    const char           *call;        /* what failed, for the log */

    /* private */
    char                 *storage;
    char                 *body;
    char                  boundary[72];
    portal_upload_file_t *current;
    void                 *writer;
    char                 *value;
} portal_upload_t;


/*
 * An upload whose body stands in the file body (in STORAGE/tmp/).  NULL: no
 * memory.  boundary NULL: the body is one file named name; otherwise it is
 * multipart/form-data.  portal_upload_destroy() removes what was not kept.
 */
portal_upload_t *portal_upload_create(const portal_str_t *storage,
    const portal_str_t *body, const portal_str_t *boundary,
    const portal_str_t *name);
void portal_upload_destroy(portal_upload_t *up);

/*
 * Reads, hashes, tells the type of, and fsyncs every file of the body.
 * Nothing is in the store yet.  Sets and returns up->rc.
 */
int portal_upload_read(portal_upload_t *up);

/*
 * Renames every file into the store, over one of the same content (so that
 * its time is fresh for the collector), and fsyncs the folders: after this
 * a row may name them.  Sets and returns up->rc.
 */
int portal_upload_keep(portal_upload_t *up);

/* Is there a file that portal_upload_withdraw() would take away? */
int portal_upload_kept(const portal_upload_t *up);

/*
 * No row names the files and none will: takes those away that this upload
 * has brought, unless another one has brought the same content since.
 */
void portal_upload_withdraw(portal_upload_t *up);

/*
 * Removes what a killed worker has left in STORAGE/tmp/ (folder): files that
 * nobody has written to for age seconds, max of them at most.  Returns how
 * many, or PORTAL_ERROR with errno.
 */
int portal_store_sweep(const char *folder, time_t age, unsigned max);

/* The files as a JSON array for the page function. */
int portal_upload_json(const portal_upload_t *up, portal_buf_t *b);


#endif /* _PORTAL_STORE_H_INCLUDED_ */
