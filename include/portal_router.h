
/*
 * Copyright (C) the nginx client portal authors
 *
 * From a method and a path to a route.
 */


#ifndef _PORTAL_ROUTER_H_INCLUDED_
#define _PORTAL_ROUTER_H_INCLUDED_


#include "portal_common.h"


#define PORTAL_METHOD_GET      0x01      /* HEAD is asked as GET */
#define PORTAL_METHOD_POST     0x02
#define PORTAL_METHOD_PUT      0x04
#define PORTAL_METHOD_DELETE   0x08
#define PORTAL_METHOD_PATCH    0x10

#define PORTAL_ROUTE_FOUND     1
#define PORTAL_ROUTE_NONE      2         /* 404 */
#define PORTAL_ROUTE_METHOD    3         /* 405, or 204 to OPTIONS */

#define PORTAL_ROUTE_PARAMS    4


typedef struct {
    portal_str_t             name;
    portal_str_t             value;
} portal_route_param_t;


typedef struct {
    void                    *value;
    unsigned                 allow;      /* methods of the path */
    portal_route_param_t     params[PORTAL_ROUTE_PARAMS];
    size_t                   nparams;
} portal_match_t;


typedef struct portal_router_s  portal_router_t;


portal_router_t *portal_router_create(portal_arena_t *arena);

/*
 * pattern: "/" or segments, each literal (a-z, 0-9, "-", "_", ".") or typed:
 * ":id" a UUID, ":slug", ":n" a decimal of up to 9 digits.  A literal wins
 * over a type.  PORTAL_ERROR with err->text: invalid, or already there.
 */
int portal_router_add(portal_router_t *router, unsigned method,
    const portal_str_t *pattern, void *value, portal_error_t *err);

/*
 * Strict: no empty segment, no slash at the end, case counts.  Parameter
 * values point into path.  Returns PORTAL_ROUTE_*.
 */
int portal_router_match(const portal_router_t *router, unsigned method,
    const portal_str_t *path, portal_match_t *match);

/*
 * "/c/SLUG/rest" becomes client SLUG and path "/rest", "/c/SLUG" and
 * "/c/SLUG/" become "/".  PORTAL_OK, PORTAL_DECLINED for another path
 * (client empty), PORTAL_ERROR where SLUG is none.
 */
int portal_router_client(portal_str_t *path, portal_str_t *client);


#endif /* _PORTAL_ROUTER_H_INCLUDED_ */
