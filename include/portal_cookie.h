
/*
 * Copyright (C) the nginx client portal authors
 *
 * Taking cookies out of a Cookie header (RFC 6265, section 5.4).
 */


#ifndef _PORTAL_COOKIE_H_INCLUDED_
#define _PORTAL_COOKIE_H_INCLUDED_


#include "portal_common.h"


/*
 * PORTAL_OK: the cookie is taken out; PORTAL_DECLINED: it stays; anything
 * else ends portal_cookie_take() with it.
 */
typedef int (*portal_cookie_pt)(void *ctx, const portal_str_t *name,
    const portal_str_t *value);


/*
 * Calls handler for each cookie (texts point into the old value), and puts
 * what remains, byte for byte and in order, into *header, in new memory of
 * the arena; nothing left: length 0.  Where no cookie is taken, *header is
 * not touched.
 */
int portal_cookie_take(portal_str_t *header, portal_cookie_pt handler,
    void *ctx, portal_arena_t *arena);


#endif /* _PORTAL_COOKIE_H_INCLUDED_ */
