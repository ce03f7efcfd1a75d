
/*
 * Copyright (C) the nginx client portal authors
 *
 * Names of files: whatever they are, the header stays one header, and what
 * is kept of them is a name.
 */


#include "fuzz.h"
#include "portal_disposition.h"
#include "portal_text.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              rc;
    size_t           i, quotes;
    portal_buf_t     b;
    portal_str_t     s, clean, again;
    portal_arena_t  *arena;

    s = fuzz_copy(data, size);
    arena = portal_arena_create();

    portal_buf_init(&b, arena, 100000);
    fuzz_check(portal_disposition(&b, size & 1, &s) == PORTAL_OK);

    for (quotes = 0, i = 0; i < b.len; i++) {
        fuzz_check(b.data[i] >= 0x20 && b.data[i] < 0x7f
                   && b.data[i] != '\\');
        quotes += b.data[i] == '"';
    }

    fuzz_check(quotes == 2);

    rc = portal_filename_clean(arena, &clean, &s);

    if (rc == PORTAL_OK) {
        fuzz_check(clean.len && clean.len <= 200
                   && clean.data[clean.len] == '\0');
        fuzz_check(!portal_has_control(&clean) && clean.data[0] != '.'
                   && !memchr(clean.data, '/', clean.len)
                   && !memchr(clean.data, '\\', clean.len));

        if (portal_utf8_valid(s.data, s.len)) {
            fuzz_check(portal_utf8_valid(clean.data, clean.len));
        }

        for (i = 0; i + 2 < clean.len; i++) {
            fuzz_check(memcmp(clean.data + i, "\342\200\256", 3) != 0);
        }

        /* a name that is clean stays */

        fuzz_check(portal_filename_clean(arena, &again, &clean) == PORTAL_OK);
        fuzz_check(again.len <= clean.len);
    }

    portal_arena_destroy(arena);
    free(s.data);

    return 0;
}
