
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the two files of the store share.  Private to src/common.
 */


#ifndef _PORTAL_STORE_READ_H_INCLUDED_
#define _PORTAL_STORE_READ_H_INCLUDED_


#include <openssl/evp.h>
#include "portal_store.h"


/* A file of the store in the making. */
typedef struct {
    int             fd;                /* written to, or -1 */
    EVP_MD_CTX     *md;
    unsigned char  *head;              /* the first bytes, for the type */
    size_t          nhead;
    unsigned char  *gather;            /* of a part: not yet written */
    size_t          ngather;
} portal_writer_t;


/* Notes errno and the call that failed; returns up->rc. */
int portal_upload_fail(portal_upload_t *up, const char *call);

/* One more file of the upload; NULL: it has as many as it may. */
portal_upload_file_t *portal_upload_file(portal_upload_t *up);

void portal_writer_free(portal_writer_t *w);


#endif /* _PORTAL_STORE_READ_H_INCLUDED_ */
