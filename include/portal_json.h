
/*
 * Copyright (C) the nginx client portal authors
 *
 * Reads PostgreSQL's JSON in place: one pass, a flat array of nodes, no
 * allocation but the array's.  (What strangers send is read by jansson.)
 */


#ifndef _PORTAL_JSON_H_INCLUDED_
#define _PORTAL_JSON_H_INCLUDED_


#include "portal_common.h"


typedef enum {
    portal_json_null = 0,
    portal_json_false,
    portal_json_true,
    portal_json_number,
    portal_json_string,
    portal_json_array,
    portal_json_object
} portal_json_e;


/*
 * Nodes stand in the order of the text: the first child of a container is
 * the node behind it, an object's children are name, value, name, value…
 */
typedef struct {
    uint32_t               start;      /* of the text, without quotes */
    uint32_t               len;        /* bytes; children of a container */
    uint32_t               next;       /* the node behind this one's tree */
    uint8_t                type;
    uint8_t                escaped;    /* a string with backslashes */
} portal_json_node_t;


typedef struct {
    const unsigned char   *text;
    portal_json_node_t    *nodes;
    uint32_t               n;
    uint32_t               size;
} portal_json_t;


#define PORTAL_JSON_NONE  UINT32_MAX


/*
 * text must stay as long as doc is used; node 0 is the root.  PORTAL_ERROR:
 * it is not JSON (RFC 8259), nests deeper than 64, or no memory.
 */
int portal_json_parse(portal_json_t *doc, const portal_str_t *text,
    portal_arena_t *arena);

/* The value of a member of the object node, or PORTAL_JSON_NONE. */
uint32_t portal_json_member(const portal_json_t *doc, uint32_t node,
    const portal_str_t *name);

/*
 * The text of the string at a dotted path, where it has no escapes; else
 * PORTAL_DECLINED.
 */
int portal_json_lookup(const portal_json_t *doc, const char *path,
    portal_str_t *value);

/*
 * The next character of a string's text from *p (before last) as UTF-8 in
 * out, which holds 4 bytes; returns how many.  A lone surrogate gives
 * U+FFFD.
 */
size_t portal_json_next(const unsigned char **p, const unsigned char *last,
    unsigned char out[4]);


#endif /* _PORTAL_JSON_H_INCLUDED_ */
