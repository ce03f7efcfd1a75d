
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the fuzz targets share: an oracle that aborts, pieces of the input.
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "portal_common.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#define fuzz_check(good)                                                      \
    do {                                                                      \
        if (!(good)) {                                                        \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #good);        \
            abort();                                                          \
        }                                                                     \
    } while (0)


/* A copy that ends where the memory ends. */

__attribute__((unused))
static portal_str_t
fuzz_copy(const void *data, size_t len)
{
    portal_str_t  s;

    s.data = malloc(len ? len : 1);
    fuzz_check(s.data);

    if (len) {
        memcpy(s.data, data, len);
    }

    s.len = len;

    return s;
}


/* What stands before the next NUL, taken from the input. */

__attribute__((unused))
static portal_str_t
fuzz_piece(const uint8_t **data, size_t *size)
{
    const uint8_t  *p, *end;
    portal_str_t    s;

    p = *data;
    end = *size ? memchr(p, 0, *size) : NULL;

    if (end) {
        s = fuzz_copy(p, (size_t) (end - p));
        *size -= s.len + 1;
        *data = end + 1;
        return s;
    }

    s = fuzz_copy(p, *size);
    *data += *size;
    *size = 0;

    return s;
}


#endif /* _FUZZ_H_INCLUDED_ */
