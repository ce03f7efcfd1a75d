
/*
 * Copyright (C) the nginx client portal authors
 *
 * token KEY-FILE N [PURPOSE]: N new tokens, of sessions or of the cookie
 * with that suffix ("-pre"), a line each: the text as a cookie has it, its
 * hash as portal.session has it (hex), and a form's token for it; tabs
 * between.
 */


#include <stdio.h>
#include <stdlib.h>
#include <sodium.h>
#include "portal_token.h"


int
main(int argc, char **argv)
{
    int               i, n;
    FILE             *f;
    char              key[4096], hex[65];
    unsigned char     raw[PORTAL_TOKEN_RAW], text[PORTAL_TOKEN_TEXT];
    unsigned char     hash[32], csrf[PORTAL_CSRF_TEXT];
    portal_str_t      str;
    portal_error_t    err;
    portal_keyring_t  kr;

    if (argc < 3 || argc > 4 || sodium_init() < 0) {
        fprintf(stderr, "usage: token KEY-FILE N [PURPOSE]\n");
        return 2;
    }

    f = fopen(argv[1], "r");
    if (f == NULL) {
        perror(argv[1]);
        return 1;
    }

    str.data = (unsigned char *) key;
    str.len = fread(key, 1, sizeof(key), f);
    fclose(f);

    if (portal_keyring_parse(&kr, &str, &err) != PORTAL_OK) {
        fprintf(stderr, "token: %s\n", err.text);
        return 1;
    }

    n = atoi(argv[2]);

    for (i = 0; i < n; i++) {
        portal_token_new(&kr, argc > 3 ? argv[3] : "", raw, text);
        portal_token_hash(hash, raw);
        portal_csrf_new(&kr, hash, csrf);
        sodium_bin2hex(hex, sizeof(hex), hash, sizeof(hash));
        printf("%.*s\t%s\t%.*s\n", PORTAL_TOKEN_TEXT, text, hex,
               PORTAL_CSRF_TEXT, csrf);
    }

    return fflush(stdout) ? 1 : 0;
}
