
/*
 * Copyright (C) the nginx client portal authors
 *
 * How long the worker takes for a page of 50 documents: reading the JSON of
 * the page and of its shell, and rendering the template that ships.  Prints
 * microseconds of processor time a page, the best of several rounds.
 *
 *     bench_template [conf folder] [rounds]
 */


#include <dirent.h>
#include <time.h>
#include "portal_template.h"
#include "tap.h"


#define BENCH_PAGES  400


typedef struct {
    portal_out_t     out;
    unsigned char    data[256 * 1024];
} bench_out_t;


/* An arena that is emptied by one assignment, as a request's pool is. */
typedef struct {
    portal_arena_t   arena;
    unsigned char   *pos;
    unsigned char   *end;
} bench_arena_t;


static void *bench_alloc(void *ctx, size_t size);
static int bench_read(const char *path, portal_str_t *text);
static int bench_load(void *ctx, const portal_str_t *name,
    portal_str_t *text, portal_str_t *file);
static int bench_asset(void *ctx, const portal_str_t *name,
    portal_str_t *url);
static int bench_more(portal_out_t *out);
static portal_locale_t *bench_locale(portal_arena_t *arena,
    const char *conf);
static void bench_page(portal_buf_t *b);
static double bench_now(void);


static const char  shell[] =
    "{\"root\":\"/espace-client/\",\"base\":\"/espace-client/c/martin/\","
    "\"site\":{\"site_name\":\"Cabinet Martin\",\"phone\":\"01 23 45 67 89\","
    "\"phone_href\":\"tel:+33123456789\",\"site_url\":\"/\",\"legal_url\":"
    "\"/mentions\",\"privacy_url\":\"/vie-privee\"},\"lang\":\"fr\","
    "\"nonce\":\"0123456789abcdef0123\",\"id\":\"0af7651916cd43dd\","
    "\"status\":200,\"max_bytes\":104857600,\"signed_in\":true,"
    "\"path\":\"documents\",\"csrf\":\"0123456789abcdef0123456789abcdef"
    "0123456789abcdef0123456789abcdef\",\"shell\":{\"today\":\"2026-03-05\","
    "\"theme\":\"auto\",\"person\":{\"name\":\"Claire Dubois\",\"email\":"
    "\"claire@dubois.example\",\"initials\":\"CD\",\"avatar\":3,\"kind\":"
    "\"client\"},\"client\":{\"name\":\"Dubois & Fils\",\"slug\":\"dubois\"},"
    "\"several\":true,\"unread\":{\"documents\":4},\"contact\":{\"name\":"
    "\"Paul Martin\",\"title\":\"Expert-comptable\",\"initials\":\"PM\","
    "\"avatar\":2,\"phone\":\"01 23 45 67 90\",\"phone_href\":"
    "\"tel:+33123456790\"}}}";


static void *
bench_alloc(void *ctx, size_t size)
{
    void           *p;
    bench_arena_t  *a = ctx;

    size = (size + 15) & ~(size_t) 15;

    if ((size_t) (a->end - a->pos) < size) {
        return NULL;
    }

    p = a->pos;
    a->pos += size;

    return p;
}


static int
bench_read(const char *path, portal_str_t *text)
{
    FILE    *f;
    size_t   n;
    char    *data;

    f = fopen(path, "r");
    if (f == NULL) {
        return PORTAL_DECLINED;
    }

    data = malloc(1024 * 1024);
    if (data == NULL) {
        fclose(f);
        return PORTAL_ERROR;
    }

    n = fread(data, 1, 1024 * 1024, f);
    fclose(f);

    text->data = (unsigned char *) data;
    text->len = n;

    return PORTAL_OK;
}


static int
bench_load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file)
{
    char  path[512];

    (void) file;

    snprintf(path, sizeof(path), "%s/templates/%.*s.mustache",
             (char *) ctx, (int) name->len, name->data);

    return bench_read(path, text);
}


static int
bench_asset(void *ctx, const portal_str_t *name, portal_str_t *url)
{
    char  *p;

    (void) ctx;

    p = malloc(name->len + sizeof("assets/.0123456789abcdef"));
    if (p == NULL) {
        return PORTAL_ERROR;
    }

    url->data = (unsigned char *) p;
    url->len = (size_t) sprintf(p, "assets/%.*s.0123456789abcdef",
                                (int) name->len, name->data);

    return PORTAL_OK;
}


static int
bench_more(portal_out_t *out)
{
    (void) out;

    return PORTAL_ERROR;
}


static portal_locale_t *
bench_locale(portal_arena_t *arena, const char *conf)
{
    char              path[512];
    portal_str_t      code, file, text;
    portal_error_t    err;
    portal_locale_t  *locale;

    code = str("fr");
    locale = portal_locale_create(arena, &code);

    snprintf(path, sizeof(path), "%s/locales/fr.json", conf);
    file = str(path);
    memset(&err, 0, sizeof(portal_error_t));

    if (locale == NULL || bench_read(path, &text) != PORTAL_OK
        || portal_locale_add(locale, &text, &file, &err) != PORTAL_OK)
    {
        fprintf(stderr, "%s: %s\n", path, err.text);
        return NULL;
    }

    return locale;
}


static void
bench_page(portal_buf_t *b)
{
    int   i;
    char  row[512];

    portal_buf_puts(b, "{\"q\" : \"\", \"category\" : \"\", \"year\" : \"\", "
                       "\"sort\" : \"recent\", \"sorts\" : [");

    portal_buf_puts(b, "{\"sort\" : \"recent\", \"current\" : true}, "
                       "{\"sort\" : \"name\", \"current\" : false}, "
                       "{\"sort\" : \"unread\", \"current\" : false}], "
                       "\"years\" : [{\"year\" : 2026, \"current\" : null}, "
                       "{\"year\" : 2025, \"current\" : null}], "
                       "\"categories\" : [");

    for (i = 0; i < 8; i++) {
        snprintf(row, sizeof(row), "%s{\"slug\" : \"cat-%d\", \"label\" : "
                 "\"Cat\xc3\xa9gorie %d\", \"count\" : %d, \"current\" : "
                 "null}", i ? ", " : "", i, i, i * 7);
        portal_buf_puts(b, row);
    }

    portal_buf_puts(b, "], \"groups\" : [");

    for (i = 0; i < 50; i++) {

        if (i % 10 == 0) {
            snprintf(row, sizeof(row), "%s{\"month\" : \"2026-%02d-01\", "
                     "\"documents\" : [", i ? "]}, " : "", 3 - i / 25);
            portal_buf_puts(b, row);
        }

        snprintf(row, sizeof(row), "%s{\"id\" : \"5f0c6a1e-98b2-4c55-8a44-"
                 "%012d\", \"title\" : \"D\xc3\xa9" "claration de TVA n\xc2"
                 "\xb0 %d \xe2\x80\x94 \\\"Dubois & Fils\\\"\", \"kind\" : "
                 "\"pdf\", \"date\" : \"2026-%02d-%02d\", \"size\" : %d, "
                 "\"category\" : {\"slug\" : \"tva\", \"label\" : \"TVA\"}, "
                 "\"deposited\" : %s, \"new\" : %s}", i % 10 ? ", " : "", i,
                 i, 3 - i / 25, 28 - i % 28, i * 37123 + 800,
                 i % 4 ? "false" : "true", i < 4 ? "true" : "false");
        portal_buf_puts(b, row);
    }

    portal_buf_puts(b, "]}], \"total\" : 1234, \"all\" : 1234, "
                       "\"filtered\" : false, \"empty\" : false, "
                       "\"none\" : false, \"first\" : true, \"next\" : "
                       "\"5f0c6a1e-98b2-4c55-8a44-000000000049\", "
                       "\"paged\" : true, \"deposit\" : {\"allowed\" : "
                       "true, \"max_files\" : 20, \"max_bytes\" : "
                       "104857600, \"accept\" : \".pdf,.png,.jpg\"}}");
}


static double
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);

    return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}


int
main(int argc, char **argv)
{
    int                     round, rounds, i;
    char                   *conf;
    double                  start, mid, read, render, best_read, best_render;
    size_t                  len;
    portal_buf_t            b;
    portal_str_t            name, texts[2];
    portal_json_t           docs[2];
    portal_view_t           view;
    portal_error_t          err;
    portal_arena_t         *arena;
    portal_locale_t        *locale;
    portal_template_t      *t;
    portal_template_set_t  *set;

    static bench_out_t      o;
    static bench_arena_t    pool;
    static unsigned char    memory[4 * 1024 * 1024];

    conf = argc > 1 ? argv[1] : "conf";
    rounds = argc > 2 ? atoi(argv[2]) : 10;

    arena = portal_arena_create();
    memset(&err, 0, sizeof(portal_error_t));

    locale = bench_locale(arena, conf);
    if (locale == NULL) {
        return 1;
    }

    set = portal_template_set_create(arena, bench_load, bench_asset, conf,
                                     &locale, 1);
    name = str("documents/index");
    t = portal_template_get(set, &name, &err);

    if (t == NULL) {
        fprintf(stderr, "%.*s:%u: %s\n", (int) err.file.len, err.file.data,
                err.line, err.text);
        return 1;
    }

    portal_buf_init(&b, arena, 1024 * 1024);
    bench_page(&b);

    texts[0] = str(shell);
    texts[1].data = b.data;
    texts[1].len = b.len;

    memset(&view, 0, sizeof(portal_view_t));
    view.locale = locale;
    view.roots[0] = &docs[0];
    view.roots[1] = &docs[1];
    view.nroots = 2;
    view.today = str("2026-03-05");

    pool.arena.alloc = bench_alloc;
    pool.arena.ctx = &pool;
    pool.end = memory + sizeof(memory);

    best_read = 1e9;
    best_render = 1e9;
    len = 0;

    for (round = 0; round < rounds; round++) {
        read = 0;
        render = 0;

        for (i = 0; i < BENCH_PAGES; i++) {
            pool.pos = memory;
            o.out.pos = o.data;
            o.out.end = o.data + sizeof(o.data);
            o.out.more = bench_more;

            start = bench_now();

            if (portal_json_parse(&docs[0], &texts[0], &pool.arena)
                != PORTAL_OK
                || portal_json_parse(&docs[1], &texts[1], &pool.arena)
                   != PORTAL_OK)
            {
                fprintf(stderr, "not JSON\n");
                return 1;
            }

            mid = bench_now();

            if (portal_template_render(t, &view, &o.out) != PORTAL_OK) {
                fprintf(stderr, "not rendered\n");
                return 1;
            }

            read += mid - start;
            render += bench_now() - mid;
            len = (size_t) (o.out.pos - o.data);
        }

        best_read = read < best_read ? read : best_read;
        best_render = render < best_render ? render : best_render;
    }

    if (argc > 3) {
        fwrite(o.data, 1, len, stdout);
        return 0;
    }

    printf("page of 50 documents: %zu bytes of JSON read in %.1f us, %zu "
           "bytes of HTML rendered in %.1f us, together %.1f us\n",
           texts[0].len + texts[1].len, best_read / BENCH_PAGES, len,
           best_render / BENCH_PAGES,
           (best_read + best_render) / BENCH_PAGES);

    portal_arena_destroy(arena);

    return 0;
}
