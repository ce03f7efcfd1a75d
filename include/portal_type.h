
/*
 * Copyright (C) the nginx client portal authors
 *
 * Types of files: told by the content, confirmed by the name.
 */


#ifndef _PORTAL_TYPE_H_INCLUDED_
#define _PORTAL_TYPE_H_INCLUDED_


#include "portal_common.h"


typedef struct {
    const char  *mime;
    const char  *kind;          /* pdf img xls csv doc zip xml any */
    const char  *extensions;    /* ".pdf", several separated by a space */
    unsigned     inline_ok:1;   /* a browser may show it, in a sandbox */
    unsigned     upload_ok:1;   /* may be deposited */
} portal_type_t;


/* Place in the table; that of application/octet-stream for the unknown. */
unsigned portal_type_index(const portal_str_t *mime);
const portal_type_t *portal_type_at(unsigned index);

/*
 * The type of a file that begins with head, by libmagic, and by its name
 * where the content does not tell (text, zip containers).  Keeps one handle
 * of libmagic a thread.  PORTAL_DECLINED: of a kind that is not accepted,
 * or the name contradicts the content; PORTAL_ERROR: libmagic failed.
 */
int portal_type_of(const unsigned char *head, size_t len,
    const portal_str_t *name, const portal_type_t **type);

/* Appends the extensions that may be deposited: ".pdf,.png,.jpg". */
int portal_type_extensions(portal_buf_t *b);


#endif /* _PORTAL_TYPE_H_INCLUDED_ */
