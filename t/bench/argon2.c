
/*
 * Copyright (C) the nginx client portal authors
 *
 * argon2 THREADS SECONDS OPS MEM_KIB: passwords hashed a second by so many
 * threads that do nothing else.
 */


#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <sodium.h>
#include "portal_password.h"


typedef struct {
    pthread_t    thread;
    unsigned     ops;
    unsigned     mem_kib;
    double       end;
    unsigned     count;
    double       last;
} argon2_thread_t;


static double argon2_now(void);
static void *argon2_run(void *data);


static double
argon2_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}


static void *
argon2_run(void *data)
{
    argon2_thread_t  *t = data;

    unsigned char  out[32], salt[16];
    portal_str_t   password = portal_string("correct horse battery staple");

    randombytes_buf(salt, sizeof(salt));

    do {
        if (portal_password_hash(out, &password, salt, t->ops, t->mem_kib)
            != PORTAL_OK)
        {
            fprintf(stderr, "argon2: not hashed\n");
            exit(1);
        }

        t->count++;
        t->last = argon2_now();

    } while (t->last < t->end);

    return NULL;
}


int
main(int argc, char **argv)
{
    int               i, n;
    double            start, rate;
    argon2_thread_t  *t;

    if (argc != 5 || sodium_init() < 0) {
        fprintf(stderr, "usage: argon2 THREADS SECONDS OPS MEM_KIB\n");
        return 2;
    }

    n = atoi(argv[1]);
    t = calloc((size_t) n, sizeof(argon2_thread_t));
    if (t == NULL) {
        return 1;
    }

    start = argon2_now();

    for (i = 0; i < n; i++) {
        t[i].ops = (unsigned) atoi(argv[3]);
        t[i].mem_kib = (unsigned) atoi(argv[4]);
        t[i].end = start + atof(argv[2]);

        if (pthread_create(&t[i].thread, NULL, argon2_run, &t[i]) != 0) {
            return 1;
        }
    }

    rate = 0;

    for (i = 0; i < n; i++) {
        pthread_join(t[i].thread, NULL);
        rate += t[i].count / (t[i].last - start);
    }

    printf("%.1f\n", rate);
    free(t);

    return 0;
}
