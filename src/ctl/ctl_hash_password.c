
/*
 * Copyright (C) the nginx client portal authors
 *
 * portalctl hash-password (see portalctl.h).
 */


#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include "portal_password.h"
#include "portalctl.h"


static int portalctl_number(const char *text, unsigned min, unsigned max,
    unsigned *n);
static int portalctl_read_password(portal_str_t *password);


static int
portalctl_number(const char *text, unsigned min, unsigned max, unsigned *n)
{
    char           *end;
    unsigned long   value;

    value = text ? strtoul(text, &end, 10) : 0;

    if (text == NULL || *end != '\0' || value < min || value > max) {
        return PORTAL_ERROR;
    }

    *n = (unsigned) value;

    return PORTAL_OK;
}


/*
 * The first line of standard input, never an argument: ps shows those.  A
 * terminal is asked, and does not show what is typed.
 */

static int
portalctl_read_password(portal_str_t *password)
{
    char           *got;
    size_t          len;
    struct termios  shown, hidden;

    static unsigned char  line[PORTAL_PASSWORD_MAX + 2];

    if (tcgetattr(STDIN_FILENO, &shown) == 0) {
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t) ECHO;

        fprintf(stderr, "password: ");
        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);

        got = fgets((char *) line, sizeof(line), stdin);

        (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fprintf(stderr, "\n");

    } else {
        got = fgets((char *) line, sizeof(line), stdin);
    }

    if (got == NULL) {
        return PORTAL_ERROR;
    }

    len = strlen((char *) line);

    if (len && line[len - 1] == '\n') {
        len--;
    }

    if (len == 0 || len > PORTAL_PASSWORD_MAX) {
        return PORTAL_ERROR;
    }

    password->data = line;
    password->len = len;

    return PORTAL_OK;
}


int
portalctl_hash_password(int argc, char **argv)
{
    int            i, rc;
    char           hex[2 * 32 + 1];
    unsigned       ops, mem_kib;
    portal_str_t   password;
    unsigned char  salt[16], output[32], verifier[32];

    ops = 2;
    mem_kib = 65536;

    for (i = 1; i < argc; i += 2) {
        rc = strcmp(argv[i], "--ops") == 0
             ? portalctl_number(argv[i + 1], 2, 10, &ops)
             : strcmp(argv[i], "--memory") == 0
             ? portalctl_number(argv[i + 1], 19 * 1024, 256 * 1024, &mem_kib)
             : PORTAL_ERROR;

        if (rc != PORTAL_OK) {
            fprintf(stderr, "usage: portalctl hash-password [--ops 2..10] "
                    "[--memory 19456..262144]\n");
            return PORTALCTL_USAGE;
        }
    }

    if (portalctl_read_password(&password) != PORTAL_OK) {
        fprintf(stderr, "portalctl: standard input must be a password of 1 "
                "to %d bytes\n", PORTAL_PASSWORD_MAX);
        return PORTALCTL_FAILED;
    }

    randombytes_buf(salt, sizeof(salt));

    rc = portal_password_hash(output, &password, salt, ops, mem_kib);
    sodium_memzero(password.data, password.len);

    if (rc != PORTAL_OK) {
        fprintf(stderr, "portalctl: not enough memory\n");
        return PORTALCTL_FAILED;
    }

    SHA256(output, sizeof(output), verifier);
    sodium_memzero(output, sizeof(output));

    printf("%u %u %s", ops, mem_kib,
           sodium_bin2hex(hex, sizeof(hex), salt, sizeof(salt)));
    printf(" %s\n", sodium_bin2hex(hex, sizeof(hex), verifier,
                                   sizeof(verifier)));

    return PORTALCTL_OK;
}
