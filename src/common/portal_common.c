
/*
 * Copyright (C) the nginx client portal authors
 *
 * Arenas and growable bounded buffers (see portal_common.h).  Buffers grow
 * instead of being measured first: a length computed by one pass and copied
 * by another is how nginx's script engine overflowed more than once.
 */


#include <stdlib.h>
#include <stdio.h>
#include "portal_common.h"


typedef struct portal_block_s  portal_block_t;

struct portal_block_s {
    portal_block_t  *next;
    long double      data[];
};


static void *portal_malloc_alloc(void *ctx, size_t size);


portal_arena_t *
portal_arena_create(void)
{
    portal_arena_t   *arena;
    portal_block_t  **head;

    arena = malloc(sizeof(portal_arena_t));
    if (arena == NULL) {
        return NULL;
    }

    head = malloc(sizeof(portal_block_t *));
    if (head == NULL) {
        free(arena);
        return NULL;
    }

    *head = NULL;
    arena->alloc = portal_malloc_alloc;
    arena->ctx = head;

    return arena;
}


void
portal_arena_destroy(portal_arena_t *arena)
{
    portal_block_t  *block, *next, **head;

    head = arena->ctx;

    for (block = *head; block; block = next) {
        next = block->next;
        free(block);
    }

    free(head);
    free(arena);
}


static void *
portal_malloc_alloc(void *ctx, size_t size)
{
    portal_block_t  *block, **head = ctx;

    if (size > SIZE_MAX - sizeof(portal_block_t)) {
        return NULL;
    }

    block = malloc(sizeof(portal_block_t) + size);
    if (block == NULL) {
        return NULL;
    }

    block->next = *head;
    *head = block;

    return block->data;
}


void *
portal_alloc(portal_arena_t *arena, size_t size)
{
    return arena->alloc(arena->ctx, size ? size : 1);
}


void *
portal_calloc(portal_arena_t *arena, size_t n, size_t size)
{
    void  *p;

    if (size && n > SIZE_MAX / size) {
        return NULL;
    }

    p = portal_alloc(arena, n * size);
    if (p) {
        memset(p, 0, n * size);
    }

    return p;
}


int
portal_str_dup(portal_arena_t *arena, portal_str_t *dst,
    const portal_str_t *src)
{
    unsigned char  *p;

    p = portal_alloc(arena, src->len + 1);
    if (p == NULL) {
        return PORTAL_ERROR;
    }

    if (src->len) {
        memcpy(p, src->data, src->len);
    }

    p[src->len] = '\0';

    dst->data = p;
    dst->len = src->len;

    return PORTAL_OK;
}


void
portal_buf_init(portal_buf_t *b, portal_arena_t *arena, size_t max)
{
    memset(b, 0, sizeof(portal_buf_t));

    b->arena = arena;
    b->max = max;
}


int
portal_buf_add(portal_buf_t *b, const void *data, size_t len)
{
    size_t          size;
    unsigned char  *p;

    if (b->failed || len > b->max - b->len) {
        b->failed = 1;
        return PORTAL_ERROR;
    }

    if (len > b->size - b->len) {
        size = b->size ? b->size : 256;

        while (size - b->len < len) {
            size = (size > b->max / 2) ? b->max : size * 2;
        }

        p = portal_alloc(b->arena, size);
        if (p == NULL) {
            b->failed = 1;
            return PORTAL_ERROR;
        }

        if (b->len) {
            memcpy(p, b->data, b->len);
        }

        b->data = p;
        b->size = size;
    }

    if (len) {
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }

    return PORTAL_OK;
}


int
portal_buf_str(portal_buf_t *b, const portal_str_t *s)
{
    return portal_buf_add(b, s->data, s->len);
}


int
portal_buf_puts(portal_buf_t *b, const char *s)
{
    return portal_buf_add(b, s, strlen(s));
}


int
portal_buf_int(portal_buf_t *b, int64_t n)
{
    int   len;
    char  text[24];

    len = snprintf(text, sizeof(text), "%lld", (long long) n);

    return portal_buf_add(b, text, (size_t) len);
}


int
portal_buf_json(portal_buf_t *b, const portal_str_t *s)
{
    char            esc[8];
    size_t          i, start;
    unsigned char   c, *p;

    portal_buf_add(b, "\"", 1);

    p = s->data;
    start = 0;

    for (i = 0; i < s->len; i++) {
        c = p[i];

        if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>'
            && c != '&' && c != 0x7f && c != 0xe2)
        {
            continue;
        }

        if (c == 0xe2) {
            if (s->len - i < 3 || p[i + 1] != 0x80
                || (p[i + 2] != 0xa8 && p[i + 2] != 0xa9))
            {
                continue;
            }

            portal_buf_add(b, p + start, i - start);
            portal_buf_puts(b, p[i + 2] == 0xa8 ? "\\u2028" : "\\u2029");

            i += 2;
            start = i + 1;
            continue;
        }

        portal_buf_add(b, p + start, i - start);
        start = i + 1;

        if (c == '"' || c == '\\') {
            esc[0] = '\\';
            esc[1] = (char) c;
            portal_buf_add(b, esc, 2);

        } else {
            snprintf(esc, sizeof(esc), "\\u%04x", c);
            portal_buf_add(b, esc, 6);
        }
    }

    portal_buf_add(b, p + start, s->len - start);

    return portal_buf_add(b, "\"", 1);
}


int
portal_out_add(portal_out_t *out, const void *data, size_t len)
{
    size_t                n;
    const unsigned char  *p = data;

    while (len) {
        if (out->pos == out->end && out->more(out) != PORTAL_OK) {
            return PORTAL_ERROR;
        }

        n = (size_t) (out->end - out->pos);
        if (n > len) {
            n = len;
        }

        memcpy(out->pos, p, n);

        out->pos += n;
        p += n;
        len -= n;
    }

    return PORTAL_OK;
}
