
/*
 * Copyright (C) the nginx client portal authors
 *
 * Base types of src/common: plain C, no nginx header, so that parsers,
 * templates and tokens are unit-tested and fuzzed without a server and
 * shared with the administrator's command.
 */


#ifndef _PORTAL_COMMON_H_INCLUDED_
#define _PORTAL_COMMON_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


#define PORTAL_OK        0
#define PORTAL_ERROR    -1
#define PORTAL_DECLINED -5


/* Same layout as ngx_str_t: never NUL-terminated by contract. */
typedef struct {
    size_t          len;
    unsigned char  *data;
} portal_str_t;


#define portal_string(s)       { sizeof(s) - 1, (unsigned char *) (s) }
#define portal_str_set(p, s)                                                  \
    (p)->len = sizeof(s) - 1; (p)->data = (unsigned char *) (s)
#define portal_str_is(p, s)                                                   \
    ((p)->len == sizeof(s) - 1 && memcmp((p)->data, s, sizeof(s) - 1) == 0)


/*
 * Memory that is only ever allocated and goes away as a whole: an nginx pool,
 * or portal_arena_create().  alloc() gives memory aligned for any type, not
 * cleared, or NULL when there is none left (already logged where it matters).
 */
typedef struct portal_arena_s  portal_arena_t;

struct portal_arena_s {
    void  *(*alloc)(void *ctx, size_t size);
    void  *ctx;
};


/* An arena over malloc() for tests and commands; NULL: out of memory. */
portal_arena_t *portal_arena_create(void);

/* Frees the arena of portal_arena_create() and all that came from it. */
void portal_arena_destroy(portal_arena_t *arena);

/* size bytes from the arena, not cleared; NULL: out of memory. */
void *portal_alloc(portal_arena_t *arena, size_t size);

/* n elements of size bytes, cleared; NULL: out of memory or overflow. */
void *portal_calloc(portal_arena_t *arena, size_t n, size_t size);

/* A NUL-terminated copy in the arena, dst->len without the NUL. */
int portal_str_dup(portal_arena_t *arena, portal_str_t *dst,
    const portal_str_t *src);


/*
 * A contiguous builder that grows in its arena and never beyond max bytes.
 * Once an append failed, the buffer stays failed: check once, at the end.
 */
typedef struct {
    portal_arena_t  *arena;
    unsigned char   *data;
    size_t           len;
    size_t           size;
    size_t           max;
    unsigned         failed:1;
} portal_buf_t;


void portal_buf_init(portal_buf_t *b, portal_arena_t *arena, size_t max);

/* PORTAL_OK, or PORTAL_ERROR when max or the memory is exhausted. */
int portal_buf_add(portal_buf_t *b, const void *data, size_t len);
int portal_buf_str(portal_buf_t *b, const portal_str_t *s);
int portal_buf_puts(portal_buf_t *b, const char *s);
int portal_buf_int(portal_buf_t *b, int64_t n);

/*
 * Appends s as a JSON string with its quotes.  s must be UTF-8; control
 * characters, quote and backslash are escaped (RFC 8259, section 7), and
 * "<", ">", "&", U+2028 and U+2029 as \uXXXX, so that the text is safe in
 * a script element as well.
 */
int portal_buf_json(portal_buf_t *b, const portal_str_t *s);


/*
 * Where rendered output goes: pos..end is free; more() is called when it is
 * full, makes at least one byte free and returns PORTAL_OK, or PORTAL_ERROR.
 */
typedef struct portal_out_s  portal_out_t;

struct portal_out_s {
    unsigned char  *pos;
    unsigned char  *end;
    int           (*more)(portal_out_t *out);
    void           *ctx;
};


int portal_out_add(portal_out_t *out, const void *data, size_t len);


/* Where and what went wrong, for nginx -t: text is NUL-terminated. */
typedef struct {
    portal_str_t  file;
    unsigned      line;
    char          text[256];
} portal_error_t;


#endif /* _PORTAL_COMMON_H_INCLUDED_ */
