
/*
 * Copyright (C) the nginx client portal authors
 *
 * multipart/form-data (RFC 7578, RFC 2046), fed piece by piece.
 */


#ifndef _PORTAL_MULTIPART_H_INCLUDED_
#define _PORTAL_MULTIPART_H_INCLUDED_


#include "portal_common.h"


#define PORTAL_MULTIPART_BOUNDARY  70
#define PORTAL_MULTIPART_HEADER    8192


/* Each returns PORTAL_OK to go on; anything else ends the parsing. */
typedef struct {
    /* filename NULL: a field; otherwise cleaned, "" where none was chosen */
    int  (*begin)(void *ctx, const portal_str_t *name,
                  const portal_str_t *filename, const portal_str_t *type);
    int  (*data)(void *ctx, const unsigned char *data, size_t len);
    int  (*end)(void *ctx);
} portal_multipart_handlers_t;


typedef enum {
    portal_multipart_preamble = 0,
    portal_multipart_after,              /* behind a boundary */
    portal_multipart_headers,
    portal_multipart_body,
    portal_multipart_done,
    portal_multipart_failed
} portal_multipart_e;


typedef struct {
    portal_multipart_e                  state;
    const portal_multipart_handlers_t  *handlers;
    void                               *ctx;
    unsigned                            parts;
    unsigned                            max;

    /* CRLF, two dashes, the boundary; how many bytes of it have matched */
    unsigned char                       mark[PORTAL_MULTIPART_BOUNDARY + 4];
    size_t                              nmark;
    size_t                              matched;

    unsigned char                       tail[2];
    size_t                              ntail;

    unsigned char                       header[PORTAL_MULTIPART_HEADER];
    size_t                              nheader;
} portal_multipart_t;


/*
 * The boundary of a multipart/form-data Content-Type; PORTAL_DECLINED: it
 * is another type; PORTAL_ERROR: the boundary is missing or invalid.
 */
int portal_multipart_boundary(const portal_str_t *type,
    portal_str_t *boundary);

/* boundary: 1 to 70 bytes; max: parts. */
void portal_multipart_init(portal_multipart_t *mp,
    const portal_str_t *boundary, unsigned max,
    const portal_multipart_handlers_t *handlers, void *ctx);

/* PORTAL_OK, or PORTAL_ERROR: malformed, or a handler refused. */
int portal_multipart_feed(portal_multipart_t *mp, const unsigned char *data,
    size_t len);

/* PORTAL_OK: the last boundary was seen. */
int portal_multipart_finish(portal_multipart_t *mp);


#endif /* _PORTAL_MULTIPART_H_INCLUDED_ */
