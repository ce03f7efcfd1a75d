
/*
 * Copyright (C) the nginx client portal authors
 *
 * The templates and words that ship: each compiles, and renders with values
 * that would leave any text or attribute, and with none.
 */


#define _GNU_SOURCE

#include <ctype.h>
#include <dirent.h>
#include <sys/stat.h>
#include "view.h"


#define NAMES_MAX  600

/* in JSON; what must never come out of it, and what must */
#define HOSTILE    "\\\"'><x y=z>&\377\\u0000"
#define LEAKED     "<x y"
#define ESCAPED    "&quot;&#39;&gt;&lt;x y=z&gt;&amp;\357\277\275\357\277\275"


typedef struct {
    char            name[64];
    int             parent;              /* or -1 */
    int             inner;               /* has children */
} name_t;


typedef struct {
    portal_out_t    out;
    unsigned char   data[1024 * 1024];
} page_t;


static int file_read(portal_arena_t *arena, const char *path,
    portal_str_t *text);
static void find_views(const char *folder, const char *prefix);
static int load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file);
static int asset(void *ctx, const portal_str_t *name, portal_str_t *url);
static int page_more(portal_out_t *out);
static portal_locale_t *words(const char *code);
static void name_add(const char *p, size_t len);
static void names_of_text(const portal_str_t *text);
static void names_of_words(const portal_locale_t *locale);
static void names_json(portal_buf_t *b, int parent, const char *value);
static int render(portal_template_t *t, const portal_locale_t *locale,
    const portal_json_t *doc);
static int bare_attribute(const portal_str_t *text);
static void test_same_keys(void);
static void test_view(portal_template_set_t *set, const char *name);


static portal_arena_t   *arena;
static portal_locale_t  *locales[2];
static char              views[100][64];
static size_t            nviews;
static name_t            names[NAMES_MAX];
static int               nnames;
static page_t            page;
static portal_json_t     hostile, numbers, nothing;


static int
file_read(portal_arena_t *a, const char *path, portal_str_t *text)
{
    FILE         *f;
    struct stat   st;

    f = fopen(path, "r");
    if (f == NULL) {
        return PORTAL_DECLINED;
    }

    if (fstat(fileno(f), &st) == -1) {
        abort();
    }

    text->data = portal_alloc(a, (size_t) st.st_size);
    text->len = fread(text->data, 1, (size_t) st.st_size, f);

    fclose(f);

    return PORTAL_OK;
}


static void
find_views(const char *folder, const char *prefix)
{
    DIR            *dir;
    char            path[600], name[600], *dot;
    struct stat     st;
    struct dirent  *entry;

    dir = opendir(folder);
    if (dir == NULL) {
        return;
    }

    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.') {
            continue;
        }

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        snprintf(name, sizeof(name), "%s%s%s", prefix, prefix[0] ? "/" : "",
                 entry->d_name);

        if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
            find_views(path, name);
            continue;
        }

        dot = strstr(name, ".mustache");

        if (dot && dot[9] == '\0' && nviews < 100 && dot - name < 64) {
            *dot = '\0';
            strcpy(views[nviews++], name);
        }
    }

    closedir(dir);
}


static int
load(void *ctx, const portal_str_t *name, portal_str_t *text,
    portal_str_t *file)
{
    char          path[512];
    portal_str_t  p;

    (void) ctx;

    snprintf(path, sizeof(path), "conf/templates/%.*s.mustache",
             (int) name->len, name->data);

    p = str(path);
    (void) portal_str_dup(arena, file, &p);

    return file_read(arena, path, text);
}


static int
asset(void *ctx, const portal_str_t *name, portal_str_t *url)
{
    char         path[512];
    struct stat  st;

    (void) ctx;

    snprintf(path, sizeof(path), "conf/assets/%.*s", (int) name->len,
             name->data);

    *url = *name;

    return stat(path, &st) == 0 ? PORTAL_OK : PORTAL_DECLINED;
}


static int
page_more(portal_out_t *out)
{
    (void) out;

    return PORTAL_ERROR;
}


static portal_locale_t *
words(const char *code)
{
    char              path[64];
    portal_str_t      c, text, file;
    portal_error_t    err;
    portal_locale_t  *locale;

    c = str(code);
    memset(&err, 0, sizeof(portal_error_t));

    snprintf(path, sizeof(path), "conf/locales/%s.json", code);
    file = str(path);

    locale = portal_locale_create(arena, &c);

    if (file_read(arena, path, &text) != PORTAL_OK
        || portal_locale_add(locale, &text, &file, &err) != PORTAL_OK)
    {
        printf("# %s: %s\n", path, err.text);
        return NULL;
    }

    return locale;
}


/* A dotted name, into the tree of all names. */

static void
name_add(const char *p, size_t len)
{
    int          i, parent;
    size_t       n;
    const char  *last, *dot;

    last = p + len;
    parent = -1;

    for ( /* void */ ; p < last; p = dot + 1) {
        dot = memchr(p, '.', (size_t) (last - p));
        dot = dot ? dot : last;
        n = (size_t) (dot - p);

        for (i = 0; i < nnames; i++) {
            if (names[i].parent == parent && strlen(names[i].name) == n
                && memcmp(names[i].name, p, n) == 0)
            {
                break;
            }
        }

        if (i == nnames) {
            if (nnames == NAMES_MAX || n >= sizeof(names[0].name)) {
                abort();
            }

            memcpy(names[i].name, p, n);
            names[i].name[n] = '\0';
            names[i].parent = parent;
            nnames++;
        }

        if (parent != -1) {
            names[parent].inner = 1;
        }

        parent = i;
    }
}


static void
names_of_text(const portal_str_t *text)
{
    char   *copy, *p, *end;
    size_t  n;

    copy = portal_alloc(arena, text->len + 1);
    memcpy(copy, text->data, text->len);
    copy[text->len] = '\0';

    for (p = copy; (p = strstr(p, "{{")); p = end) {
        p += 2;
        end = strstr(p, "}}");

        if (end == NULL) {
            break;
        }

        if (memchr("/!>=<$@\"", *p, 8)) {
            continue;
        }

        if (memchr("#^&{", *p, 4)) {
            p++;
        }

        n = strcspn(p, "|}");
        name_add(p, n);
    }
}


static void
names_of_words(const portal_locale_t *locale)
{
    int                    i, other;
    char                   text[256], *p;
    unsigned               n;
    const portal_piece_t  *piece;
    const portal_word_t   *w;

    for (i = 0; i < PORTAL_LOCALE_BUCKETS; i++) {
        for (w = locale->buckets[i]; w; w = w->next) {
            for (other = 0; other < 2; other++) {

                piece = other ? w->other : w->pieces;

                for ( /* void */ ; piece; piece = piece->next) {
                    if (piece->expr == NULL) {
                        continue;
                    }

                    p = text;

                    for (n = 0; n < piece->expr->nparts; n++) {
                        p += sprintf(p, "%s%.*s", n ? "." : "",
                                     (int) piece->expr->parts[n].len,
                                     piece->expr->parts[n].data);
                    }

                    name_add(text, (size_t) (p - text));
                }
            }
        }
    }
}


static void
names_json(portal_buf_t *b, int parent, const char *value)
{
    int          i;
    const char  *comma;

    comma = "{\"";

    for (i = 0; i < nnames; i++) {
        if (names[i].parent != parent) {
            continue;
        }

        portal_buf_puts(b, comma);
        portal_buf_puts(b, names[i].name);
        portal_buf_puts(b, "\":");
        comma = ",\"";

        if (names[i].inner) {
            names_json(b, i, value);

        } else {
            portal_buf_puts(b, value);
        }
    }

    portal_buf_puts(b, "}");
}


static int
render(portal_template_t *t, const portal_locale_t *locale,
    const portal_json_t *doc)
{
    int            rc;
    portal_view_t  view;

    memset(&view, 0, sizeof(portal_view_t));

    view.locale = locale;
    view.roots[0] = doc;
    view.nroots = 1;
    view.today = str("2026-03-05");

    page.out.pos = page.data;
    page.out.end = page.data + sizeof(page.data) - 1;
    page.out.more = page_more;

    rc = portal_template_render(t, &view, &page.out);
    *page.out.pos = '\0';

    return rc;
}


/* 1: a value stands behind name= without quotes, where a space ends it. */

static int
bare_attribute(const portal_str_t *text)
{
    const unsigned char  *p, *q, *last;

    p = text->data;
    last = p + text->len;

    while ((p = memmem(p, (size_t) (last - p), "={{", 3))) {

        for (q = p; q > text->data && (isalnum(q[-1]) || q[-1] == '-'); q--)
        {
            /* void */
        }

        if (q > text->data && isspace(q[-1])) {
            return 1;
        }

        p++;
    }

    return 0;
}


static void
test_view(portal_template_set_t *set, const char *name)
{
    int                 i;
    portal_str_t        n, text, file;
    portal_error_t      err;
    portal_template_t  *t;

    n = str(name);
    memset(&err, 0, sizeof(portal_error_t));

    t = portal_template_get(set, &n, &err);

    if (!ok(t != NULL, "%s compiles", name)) {
        printf("# %.*s:%u: %s\n", (int) err.file.len,
               err.file.data ? (char *) err.file.data : "", err.line,
               err.text);
        return;
    }

    (void) load(NULL, &n, &text, &file);

    ok(!bare_attribute(&text), "%s has no attribute without quotes", name);
    ok(memmem(text.data, text.len, "{{{", 3) == NULL
       && memmem(text.data, text.len, "{{&", 3) == NULL,
       "%s has no raw value", name);

    for (i = 0; i < 2; i++) {

        ok(render(t, locales[i], &hostile) == PORTAL_OK
           && strstr((char *) page.data, LEAKED) == NULL
           && strchr((char *) page.data, 0377) == NULL
           && strstr((char *) page.data, "\"'>") == NULL
           && strlen((char *) page.data)
              == (size_t) (page.out.pos - page.data),
           "%s with hostile values", name);

        ok(render(t, locales[i], &numbers) == PORTAL_OK
           && strstr((char *) page.data, "{{") == NULL,
           "%s with numbers", name);

        is_int(render(t, locales[i], &nothing), PORTAL_OK, "with no value");
    }
}


static void
test_same_keys(void)
{
    int                   i, k, bad;
    const portal_word_t  *w, *o;

    for (k = 0; k < 2; k++) {
        for (bad = 0, i = 0; i < PORTAL_LOCALE_BUCKETS; i++) {
            for (w = locales[k]->buckets[i]; w; w = w->next) {
                o = portal_locale_get(locales[!k], &w->key);

                if (o == NULL || (o->other == NULL) != (w->other == NULL)) {
                    printf("# %.*s\n", (int) w->key.len, w->key.data);
                    bad++;
                }
            }
        }

        is_int(bad, 0, k ? "words of en that fr has not"
                         : "words of fr that en has not");
    }
}


int
main(void)
{
    size_t                  i;
    portal_buf_t            b;
    portal_str_t            text, name, file;
    portal_template_set_t  *set;

    static const char  number[] = "1234567";

    find_views("conf/templates", "");

    if (nviews == 0) {
        return tap_skip_all("no conf/templates below the current folder");
    }

    arena = portal_arena_create();
    locales[0] = words("fr");
    locales[1] = words("en");

    if (!ok(locales[0] && locales[1], "the words of both languages")) {
        return tap_done();
    }

    test_same_keys();

    for (i = 0; i < nviews; i++) {
        name = str(views[i]);

        if (load(NULL, &name, &text, &file) == PORTAL_OK) {
            names_of_text(&text);
        }
    }

    names_of_words(locales[0]);
    names_of_words(locales[1]);

    portal_buf_init(&b, arena, 1024 * 1024);
    names_json(&b, -1, "\"" HOSTILE "\"");
    text.data = b.data;
    text.len = b.len;
    is_int(portal_json_parse(&hostile, &text, arena), PORTAL_OK,
           "values of all names");

    portal_buf_init(&b, arena, 1024 * 1024);
    names_json(&b, -1, number);
    text.data = b.data;
    text.len = b.len;
    is_int(portal_json_parse(&numbers, &text, arena), PORTAL_OK,
           "numbers of all names");

    text = str("{}");
    (void) portal_json_parse(&nothing, &text, arena);

    set = portal_template_set_create(arena, load, asset, NULL, locales, 2);

    for (i = 0; i < nviews; i++) {
        test_view(set, views[i]);
    }

    name = str("documents/index");

    ok(render(portal_template_get(set, &name, NULL), locales[0], &hostile)
       == PORTAL_OK && strstr((char *) page.data, ESCAPED) != NULL,
       "hostile values are shown, escaped");

    portal_arena_destroy(arena);

    return tap_done();
}
