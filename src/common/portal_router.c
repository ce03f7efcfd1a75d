
/*
 * Copyright (C) the nginx client portal authors
 *
 * Routes as a tree of segments (see portal_router.h).  Built once at
 * configuration load, read by all requests of a worker.
 */


#include <stdio.h>
#include "portal_router.h"
#include "portal_text.h"


typedef enum {
    portal_segment_literal = 0,
    portal_segment_id,
    portal_segment_slug,
    portal_segment_n
} portal_segment_e;


typedef struct portal_node_s  portal_node_t;

struct portal_node_s {
    portal_segment_e    type;
    portal_str_t        name;
    portal_node_t      *child;
    portal_node_t      *next;
    unsigned            methods;
    void               *values[8];
};


struct portal_router_s {
    portal_arena_t     *arena;
    portal_node_t       root;
};


static int portal_router_type(const portal_str_t *segment,
    portal_segment_e *type);
static int portal_router_segment(const portal_str_t *path, size_t *pos,
    portal_str_t *segment);
static int portal_router_fits(const portal_node_t *node,
    const portal_str_t *segment);
static const portal_node_t *portal_router_walk(const portal_node_t *node,
    const portal_str_t *path, size_t pos, portal_match_t *match);
static unsigned portal_router_bit(unsigned method);


portal_router_t *
portal_router_create(portal_arena_t *arena)
{
    portal_router_t  *router;

    router = portal_calloc(arena, 1, sizeof(portal_router_t));
    if (router) {
        router->arena = arena;
    }

    return router;
}


static unsigned
portal_router_bit(unsigned method)
{
    unsigned  n;

    for (n = 0; n < 8; n++) {
        if (method == 1u << n) {
            return n;
        }
    }

    return 8;
}


/* The segment behind the slash at *pos; PORTAL_ERROR: an empty one. */

static int
portal_router_segment(const portal_str_t *path, size_t *pos,
    portal_str_t *segment)
{
    size_t  i;

    for (i = *pos + 1; i < path->len && path->data[i] != '/'; i++) {
        /* void */
    }

    segment->data = path->data + *pos + 1;
    segment->len = i - *pos - 1;
    *pos = i;

    return segment->len ? PORTAL_OK : PORTAL_ERROR;
}


static int
portal_router_type(const portal_str_t *segment, portal_segment_e *type)
{
    size_t         i;
    unsigned char  c;

    if (segment->data[0] == ':') {
        *type = portal_str_is(segment, ":id") ? portal_segment_id
                : portal_str_is(segment, ":slug") ? portal_segment_slug
                : portal_segment_n;

        return *type != portal_segment_n || portal_str_is(segment, ":n")
               ? PORTAL_OK : PORTAL_ERROR;
    }

    *type = portal_segment_literal;

    for (i = 0; i < segment->len; i++) {
        c = segment->data[i];

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'
              || c == '_' || (c == '.' && i > 0)))
        {
            return PORTAL_ERROR;
        }
    }

    return PORTAL_OK;
}


int
portal_router_add(portal_router_t *router, unsigned method,
    const portal_str_t *pattern, void *value, portal_error_t *err)
{
    size_t             pos, nparams;
    unsigned           bit;
    portal_str_t       segment;
    portal_node_t     *node, *child;
    portal_segment_e   type;

    bit = portal_router_bit(method);

    if (pattern->len == 0 || pattern->data[0] != '/' || bit == 8) {
        goto invalid;
    }

    node = &router->root;
    nparams = 0;

    for (pos = 0; pattern->len > 1 && pos < pattern->len; /* void */ ) {

        if (portal_router_segment(pattern, &pos, &segment) != PORTAL_OK
            || portal_router_type(&segment, &type) != PORTAL_OK
            || (type != portal_segment_literal
                && ++nparams > PORTAL_ROUTE_PARAMS))
        {
            goto invalid;
        }

        for (child = node->child; child; child = child->next) {
            if (child->type == type && child->name.len == segment.len
                && memcmp(child->name.data, segment.data, segment.len) == 0)
            {
                break;
            }
        }

        if (child == NULL) {
            child = portal_calloc(router->arena, 1, sizeof(portal_node_t));

            if (child == NULL
                || portal_str_dup(router->arena, &child->name, &segment)
                   != PORTAL_OK)
            {
                snprintf(err->text, sizeof(err->text), "no memory");
                return PORTAL_ERROR;
            }

            child->type = type;
            child->next = node->child;
            node->child = child;
        }

        node = child;
    }

    if (node->methods & method) {
        snprintf(err->text, sizeof(err->text), "duplicate route");
        return PORTAL_ERROR;
    }

    node->methods |= method;
    node->values[bit] = value;

    return PORTAL_OK;

invalid:

    snprintf(err->text, sizeof(err->text), "invalid path of a page");

    return PORTAL_ERROR;
}


static int
portal_router_fits(const portal_node_t *node, const portal_str_t *segment)
{
    size_t         i;
    unsigned char  uuid[16];

    switch (node->type) {

    case portal_segment_literal:
        return node->name.len == segment->len
               && memcmp(node->name.data, segment->data, segment->len) == 0;

    case portal_segment_id:
        return portal_uuid_parse(uuid, segment) == PORTAL_OK;

    case portal_segment_slug:
        return portal_slug_valid(segment);

    default: /* portal_segment_n */

        for (i = 0; i < segment->len; i++) {
            if (segment->data[i] < '0' || segment->data[i] > '9') {
                return 0;
            }
        }

        return segment->len <= 9;
    }
}


static const portal_node_t *
portal_router_walk(const portal_node_t *node, const portal_str_t *path,
    size_t pos, portal_match_t *match)
{
    size_t                n;
    unsigned              literal;
    portal_str_t          segment;
    const portal_node_t  *child, *found;

    if (pos == path->len) {
        return node->methods ? node : NULL;
    }

    if (portal_router_segment(path, &pos, &segment) != PORTAL_OK) {
        return NULL;
    }

    n = match->nparams;

    for (literal = 1; /* void */ ; literal = 0) {

        for (child = node->child; child; child = child->next) {

            if ((child->type == portal_segment_literal) != literal
                || !portal_router_fits(child, &segment))
            {
                continue;
            }

            if (!literal) {
                match->params[n].name.data = child->name.data + 1;
                match->params[n].name.len = child->name.len - 1;
                match->params[n].value = segment;
                match->nparams = n + 1;
            }

            found = portal_router_walk(child, path, pos, match);

            if (found) {
                return found;
            }

            match->nparams = n;
        }

        if (!literal) {
            return NULL;
        }
    }
}


int
portal_router_match(const portal_router_t *router, unsigned method,
    const portal_str_t *path, portal_match_t *match)
{
    const portal_node_t  *node;

    memset(match, 0, sizeof(portal_match_t));

    if (path->len == 0 || path->data[0] != '/') {
        return PORTAL_ROUTE_NONE;
    }

    node = portal_router_walk(&router->root, path, path->len == 1 ? 1 : 0,
                              match);

    if (node == NULL) {
        return PORTAL_ROUTE_NONE;
    }

    match->allow = node->methods;

    if (!(node->methods & method)) {
        return PORTAL_ROUTE_METHOD;
    }

    match->value = node->values[portal_router_bit(method)];

    return PORTAL_ROUTE_FOUND;
}


int
portal_router_client(portal_str_t *path, portal_str_t *client)
{
    size_t  pos;

    static const portal_str_t  home = portal_string("/");

    client->len = 0;
    client->data = NULL;

    if (path->len < 3 || memcmp(path->data, "/c/", 3) != 0) {
        return PORTAL_DECLINED;
    }

    pos = 2;

    if (portal_router_segment(path, &pos, client) != PORTAL_OK
        || !portal_slug_valid(client))
    {
        client->len = 0;
        return PORTAL_ERROR;
    }

    if (pos == path->len) {
        *path = home;
        return PORTAL_OK;
    }

    path->data += pos;
    path->len -= pos;

    return PORTAL_OK;
}
