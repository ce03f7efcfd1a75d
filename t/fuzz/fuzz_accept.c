
/*
 * Copyright (C) the nginx client portal authors
 *
 * Accept, Accept-Language, and targets of redirects.
 */


#include "fuzz.h"
#include "portal_accept.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int           i;
    size_t        n;
    portal_str_t  s, codes[2];

    s = fuzz_copy(data, size);

    portal_str_set(&codes[0], "fr");
    portal_str_set(&codes[1], "en");

    if (portal_accepts_json(&s)) {
        fuzz_check(s.len >= sizeof("application/json") - 1);
    }

    i = portal_accept_language(&s, codes, 2);
    fuzz_check(i >= -1 && i < 2);

    fuzz_check(portal_accept_language(&s, codes, 0) == -1);

    if (portal_next_valid(&s)) {
        fuzz_check(s.len && s.len <= 2048 && s.data[0] == '/');
        fuzz_check(s.len == 1 || (s.data[1] != '/' && s.data[1] != '\\'));

        for (n = 0; n < s.len; n++) {
            fuzz_check(s.data[n] > 0x20 && s.data[n] < 0x7f);
        }
    }

    free(s.data);

    return 0;
}
