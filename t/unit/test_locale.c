
/*
 * Copyright (C) the nginx client portal authors
 *
 * Words of a language.
 */


#include "view.h"


static portal_locale_t *locale(const char *json);
static const portal_word_t *word(const portal_locale_t *l, const char *key);
static void fails(const char *json, const char *reason);
static void test_words(void);
static void test_pieces(void);
static void test_many(void);
static void test_order(void);
static void test_format(void);
static void test_errors(void);
static void format_fails(const char *from, const char *to,
    const char *reason);


static portal_arena_t  *arena;
static portal_error_t   err;


static portal_locale_t *
locale(const char *json)
{
    portal_str_t      code, text, file;
    portal_locale_t  *l;

    code = str("fr");
    text = str(json);
    file = str("fr.json");

    memset(&err, 0, sizeof(portal_error_t));
    l = portal_locale_create(arena, &code);

    return portal_locale_add(l, &text, &file, &err) == PORTAL_OK ? l : NULL;
}


static const portal_word_t *
word(const portal_locale_t *l, const char *key)
{
    portal_str_t  s;

    s = str(key);

    return portal_locale_get(l, &s);
}


static void
fails(const char *json, const char *reason)
{
    portal_locale_t  *l;

    l = locale(json);

    if (!ok(l == NULL && strstr(err.text, reason)
            && portal_str_is(&err.file, "fr.json"), "refused: %s", reason))
    {
        printf("# got: %s\n", l ? "a locale" : err.text);
    }
}


static void
test_words(void)
{
    portal_locale_t      *l;
    const portal_word_t  *w;

    l = locale("{\"a\":\"A\",\"b\":{\"c\":\"BC\",\"d\":{\"e\":\"\"}},"
               "\"p\":{\"one\":\"1\",\"other\":\"n\"},"
               "\"q\":{\"one\":\"1\",\"other\":\"2\",\"few\":\"3\"},"
               "\"x.y\":\"dotted\"}");

    is_str(*portal_locale_code(l), "fr", "its code");

    w = word(l, "a");
    ok(w && w->pieces && w->other == NULL, "a word");
    is_str(w->pieces->text, "A", "its text");

    is_str(word(l, "b.c")->pieces->text, "BC", "a word of an object");
    ok(word(l, "b.d.e")->pieces == NULL, "an empty word");
    is_str(word(l, "x.y")->pieces->text, "dotted", "a dotted key");

    w = word(l, "p");
    is_str(w->pieces->text, "1", "one");
    is_str(w->other->text, "n", "other");
    ok(word(l, "p.one") == NULL, "which are no words by themselves");

    ok(word(l, "q") == NULL && word(l, "q.few") && word(l, "q.one"),
       "an object of more members is a folder");

    ok(word(l, "b") == NULL && word(l, "") == NULL && word(l, "A") == NULL
       && word(l, "b.") == NULL && word(l, "b.c.") == NULL,
       "what is no word");
}


static void
test_pieces(void)
{
    portal_piece_t   *p;
    portal_locale_t  *l;

    l = locale("{\"a\":\"x {n} y{m.k|date}\",\"b\":\"{n}\",\"c\":\"a } b\"}");

    p = word(l, "a")->pieces;
    is_str(p->text, "x ", "text");
    is_str(p->next->expr->parts[0], "n", "a placeholder");
    p = p->next->next;
    is_str(p->text, " y", "text");
    p = p->next;
    is_int(p->expr->nparts, 2, "a dotted placeholder");
    ok(p->expr->pipes && p->expr->pipes->type == portal_to_date,
       "and its pipe");
    ok(p->next == NULL, "the end");

    ok(word(l, "b")->pieces->expr && word(l, "b")->pieces->next == NULL,
       "a placeholder alone");
    is_str(word(l, "c")->pieces->text, "a } b", "a closing brace is text");
}


/* More words than buckets. */

static void
test_many(void)
{
    int               i, bad;
    char              key[16], *json, *p;
    portal_locale_t  *l;

    json = malloc(3000 * 32);
    p = json;

    for (i = 0; i < 3000; i++) {
        p += sprintf(p, "%c\"k%d\":\"v%d\"", i ? ',' : '{', i, i);
    }

    strcpy(p, "}");
    l = locale(json);

    for (bad = 0, i = 0; i < 3000; i++) {
        snprintf(key, sizeof(key), "k%d", i);

        bad += (word(l, key) == NULL
                || memcmp(word(l, key)->pieces->text.data + 1, key + 1,
                          strlen(key) - 1)
                   != 0);
    }

    is_int(bad, 0, "3000 words");
    free(json);
}


/* A site's own file is added first, and wins word by word. */

static void
test_order(void)
{
    portal_str_t      ours, file;
    portal_locale_t  *l;

    l = locale("{\"a\":\"site\",\"p\":\"site\"," VIEW_FORMAT "}");

    ours = str("{\"a\":\"ours\",\"b\":\"ours\",\"p\":{\"one\":\"1\","
               "\"other\":\"2\"},\"_format\":{}}");
    file = str("ours.json");

    is_int(portal_locale_add(l, &ours, &file, &err), PORTAL_OK, "a second "
           "file, whose format is not asked for any more");
    is_str(word(l, "a")->pieces->text, "site", "the first file wins");
    is_str(word(l, "b")->pieces->text, "ours", "the second adds");
    ok(word(l, "p")->other == NULL, "for words of any kind");
    is_str(l->format.first, "1er", "the first format stays");
}


static void
test_format(void)
{
    portal_locale_t  *l;

    l = locale("{\"_format\":{}}");
    ok(l == NULL && strstr(err.text, "today"), "an empty format");

    l = locale("{" VIEW_FORMAT "}");
    is_int(l->formatted, 1, "a format");
    is_int(l->format.plural2, 1, "its plural");
    is_str(l->format.months[11], "\303\251cembre", "its months");
    is_str(l->format.short_months[0], "janv.", "in short");
    is_str(l->format.units[3], "Go", "its units");
    ok(word(l, "_format") == NULL && word(l, "_format.today") == NULL,
       "it is no word");

    is_int(locale("{}")->formatted, 0, "no format");
}


/* A format that differs from the good one in one place. */

static void
format_fails(const char *from, const char *to, const char *reason)
{
    char         json[4096];
    const char  *p, *good;

    good = "{" VIEW_FORMAT "}";
    p = strstr(good, from);

    snprintf(json, sizeof(json), "%.*s%s%s", (int) (p - good), good, to,
             p + strlen(from));

    fails(json, reason);
}


static void
test_errors(void)
{
    char  json[1024], key[300];

    fails("", "");
    fails("[]", "not an object");
    fails("\"x\"", "");
    fails("{\"a\":\"x\"", "");
    fails("{\"a\":\"x\",\"a\":\"y\"}", "duplicate");
    fails("{\"a\":1}", "neither text nor object \"a\"");
    fails("{\"a\":{\"b\":[]}}", "neither text nor object \"a.b\"");
    fails("{\"a\":null}", "neither text nor object");
    fails("{\"a\":\"x\\u0000y\"}", "");
    fails("{\"a\":\"\377\"}", "");
    fails("{\"a\":\"{n\"}", "unclosed placeholder in \"a\"");
    fails("{\"a\":{\"b\":\"{}\"}}", "empty name in \"a.b\"");
    fails("{\"a\":\"{n|no}\"}", "unknown pipe \"no\" in \"a\"");
    fails("{\"a\":\"{\\\"x\\\"|asset}\"}", "pipe \"asset\" in \"a\"");
    fails("{\"a\":{\"one\":\"{n|no}\",\"other\":\"x\"}}", "unknown pipe");
    fails("{\"a\":{\"one\":\"x\",\"other\":\"{n|no}\"}}", "unknown pipe");
    fails("{\"_format\":\"x\"}", "not an object \"_format\"");

    locale("{\n\n\"a\":}");
    is_int(err.line, 3, "the line of what is no JSON");

    memset(key, 'k', sizeof(key));
    snprintf(json, sizeof(json), "{\"%.200s\":\"x\"}", key);
    fails(json, "key too long");
    snprintf(json, sizeof(json), "{\"%.199s\":\"x\"}", key);
    ok(locale(json) != NULL, "a key of 199 bytes");

    format_fails("\"today\":\"aujourd'hui\"", "\"today\":1", "today");
    format_fails("{d} {mon}\"", "{d} {moon}\"",
                 "unknown field in \"day\"");
    format_fails("{h}:{m}", "{h}:{m", "unknown field in \"time\"");
    format_fails("{date}, {time}", "{}", "unknown field in \"datetime\"");
    format_fails("{n} {unit}", "{n} {aaaaaaaaaaaaaaaaaaaaaaaaaaaa}",
                 "unknown field in \"unit\"");
    format_fails("{n} {currency}", "{n} {unit}",
                 "unknown field in \"money\"");
    format_fails("1er", "{d}", "unknown field in \"first\"");
    format_fails("\"janvier\",", "", "months");
    format_fails("\"janvier\"", "1", "not a text in \"months\"");
    format_fails("\"octets\",", "", "units");
}


int
main(void)
{
    arena = portal_arena_create();

    test_words();
    test_pieces();
    test_many();
    test_order();
    test_format();
    test_errors();

    portal_arena_destroy(arena);

    return tap_done();
}
