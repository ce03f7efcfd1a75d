
/*
 * Copyright (C) the nginx client portal authors
 *
 * portalctl: the administrator's command.  One file a subcommand.
 */


#ifndef _PORTALCTL_H_INCLUDED_
#define _PORTALCTL_H_INCLUDED_


/* exit codes */
#define PORTALCTL_OK      0
#define PORTALCTL_FAILED  1
#define PORTALCTL_USAGE   2


typedef struct {
    const char  *name;
    const char  *usage;          /* what follows the name */
    const char  *summary;
    int        (*run)(int argc, char **argv);
} portalctl_command_t;


/*
 * hash-password [--ops N] [--memory KIB]: reads a password from standard
 * input (its first line) and prints "ops mem_kib salt verifier", salt and
 * verifier in hex: the columns of portal.credential.
 */
int portalctl_hash_password(int argc, char **argv);


#endif /* _PORTALCTL_H_INCLUDED_ */
