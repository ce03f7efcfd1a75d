
/*
 * Copyright (C) the nginx client portal authors
 *
 * argon2 THREADS SECONDS OPS MEM_KIB: how many passwords these threads hash
 * in a second when they do nothing else; prints the number.
 */


#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#include "portal_password.h"


static unsigned  ops;
static unsigned  mem_kib;
static double    until;


static double
now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void *
hash(void *data)
{
    long           *n = data;
    portal_str_t    password = portal_string("correct horse battery staple");
    unsigned char   salt[16] = { 0 }, out[32];

    (void) setpriority(PRIO_PROCESS, (id_t) syscall(SYS_gettid), 10);

    while (now() < until) {
        if (portal_password_hash(out, &password, salt, ops, mem_kib)
            != PORTAL_OK)
        {
            exit(1);
        }

        (*n)++;
    }

    return NULL;
}


int
main(int argc, char **argv)
{
    int         i, n;
    long        done[64] = { 0 }, sum;
    double      seconds;
    pthread_t   threads[64];

    if (argc != 5 || sodium_init() < 0) {
        fprintf(stderr, "usage: argon2 THREADS SECONDS OPS MEM_KIB\n");
        return 2;
    }

    n = atoi(argv[1]);
    n = n < 1 ? 1 : n > 64 ? 64 : n;
    seconds = atof(argv[2]);
    ops = (unsigned) atoi(argv[3]);
    mem_kib = (unsigned) atoi(argv[4]);
    until = now() + seconds;

    for (i = 0; i < n; i++) {
        if (pthread_create(&threads[i], NULL, hash, &done[i]) != 0) {
            return 1;
        }
    }

    for (i = 0, sum = 0; i < n; i++) {
        pthread_join(threads[i], NULL);
        sum += done[i];
    }

    printf("%.2f\n", (double) sum / seconds);

    return 0;
}
