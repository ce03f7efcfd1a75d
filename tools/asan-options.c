
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the sanitizers of build/asan/nginx know of nginx, linked into it:
 * ngx_module_names is in the binary and in each module, pcre2 keeps its
 * tables, and nginx -t exits without freeing.  The search for leaks takes
 * the thread-local data of modules from where glibc does not keep it, and
 * now and then crashes there: it leaves them out.
 */


#include <stdint.h>


/* weak: configure links this into programs that are not nginx */
extern uintptr_t  ngx_test_config __attribute__((weak));

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_options(void);
const char *__lsan_default_suppressions(void);
int __lsan_is_turned_off(void);


const char *
__asan_default_options(void)
{
    return "detect_odr_violation=0:intercept_tls_get_addr=0";
}


const char *
__ubsan_default_options(void)
{
    return "print_stacktrace=1";
}


const char *
__lsan_default_options(void)
{
    return "print_suppressions=0";
}


const char *
__lsan_default_suppressions(void)
{
    return "leak:ngx_regex_malloc\n";
}


int
__lsan_is_turned_off(void)
{
    return &ngx_test_config && ngx_test_config;
}
