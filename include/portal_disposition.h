
/*
 * Copyright (C) the nginx client portal authors
 *
 * Names of files, as they come from strangers and as they leave in
 * Content-Disposition.
 */


#ifndef _PORTAL_DISPOSITION_H_INCLUDED_
#define _PORTAL_DISPOSITION_H_INCLUDED_


#include "portal_common.h"


/*
 * Appends the value of Content-Disposition (RFC 6266, RFC 8187): inline or
 * attachment, filename in ASCII, filename* in UTF-8.  Whatever the name is,
 * the value has no control character, quote or backslash of it.
 */
int portal_disposition(portal_buf_t *b, int is_inline,
    const portal_str_t *name);

/*
 * The last component of a sent path, without control and direction
 * characters, not beginning with a dot, at most 200 bytes with its
 * extension kept.  PORTAL_DECLINED: nothing is left of it.
 */
int portal_filename_clean(portal_arena_t *arena, portal_str_t *dst,
    const portal_str_t *src);


#endif /* _PORTAL_DISPOSITION_H_INCLUDED_ */
