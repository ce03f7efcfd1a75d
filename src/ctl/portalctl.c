
/*
 * Copyright (C) the nginx client portal authors
 *
 * portalctl: finds the subcommand and runs it.
 */


#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include "portalctl.h"


static int portalctl_usage(FILE *f);


static const portalctl_command_t  portalctl_commands[] = {
    { "hash-password", "[--ops N] [--memory KIB]",
      "hash a password read from standard input", portalctl_hash_password },
    { NULL, NULL, NULL, NULL }
};


static int
portalctl_usage(FILE *f)
{
    const portalctl_command_t  *cmd;

    fprintf(f, "usage: portalctl COMMAND [OPTION ...]\n\n");

    for (cmd = portalctl_commands; cmd->name; cmd++) {
        fprintf(f, "  %s %s\n      %s\n", cmd->name, cmd->usage,
                cmd->summary);
    }

    return PORTALCTL_USAGE;
}


int
main(int argc, char **argv)
{
    const portalctl_command_t  *cmd;

    if (argc < 2) {
        return portalctl_usage(stderr);
    }

    if (strcmp(argv[1], "--help") == 0) {
        (void) portalctl_usage(stdout);
        return PORTALCTL_OK;
    }

    if (sodium_init() < 0) {
        fprintf(stderr, "portalctl: libsodium does not start\n");
        return PORTALCTL_FAILED;
    }

    for (cmd = portalctl_commands; cmd->name; cmd++) {
        if (strcmp(cmd->name, argv[1]) == 0) {
            return cmd->run(argc - 1, argv + 1);
        }
    }

    fprintf(stderr, "portalctl: unknown command \"%s\"\n", argv[1]);

    return portalctl_usage(stderr);
}
