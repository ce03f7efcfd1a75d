
/*
 * Copyright (C) the nginx client portal authors
 *
 * The words of a language (see portal_locale.h), read once by jansson.
 */


#include <jansson.h>
#include <stdio.h>
#include "portal_locale.h"


typedef struct {
    portal_locale_t     *locale;
    const portal_str_t  *file;
    portal_error_t      *err;
} portal_locale_load_t;


static int portal_locale_object(portal_locale_load_t *load, json_t *object,
    const char *prefix);
static int portal_locale_word(portal_locale_load_t *load, const char *key,
    const char *one, const char *other);
static int portal_locale_pieces(portal_locale_load_t *load, const char *key,
    const char *text, portal_piece_t **pieces);
static int portal_locale_format(portal_locale_load_t *load, json_t *object);
static int portal_locale_strings(portal_locale_load_t *load, json_t *object,
    const char *name, portal_str_t *dst, size_t n);
static int portal_locale_string(portal_locale_load_t *load, json_t *object,
    const char *name, portal_str_t *dst);
static int portal_locale_pattern(portal_locale_load_t *load,
    const char *name, const portal_str_t *pattern, const char *fields);
static unsigned portal_locale_bucket(const portal_str_t *key);
static int portal_locale_fail(portal_locale_load_t *load, const char *what,
    const char *key);
static int portal_locale_within(portal_locale_load_t *load, const char *key);


portal_locale_t *
portal_locale_create(portal_arena_t *arena, const portal_str_t *code)
{
    portal_locale_t  *locale;

    locale = portal_calloc(arena, 1, sizeof(portal_locale_t));

    if (locale == NULL
        || portal_str_dup(arena, &locale->code, code) != PORTAL_OK)
    {
        return NULL;
    }

    locale->arena = arena;

    return locale;
}


const portal_str_t *
portal_locale_code(const portal_locale_t *locale)
{
    return &locale->code;
}


static unsigned
portal_locale_bucket(const portal_str_t *key)
{
    size_t    i;
    unsigned  hash;

    hash = 5381;

    for (i = 0; i < key->len; i++) {
        hash = hash * 33 + key->data[i];
    }

    return hash % PORTAL_LOCALE_BUCKETS;
}


const portal_word_t *
portal_locale_get(const portal_locale_t *locale, const portal_str_t *key)
{
    const portal_word_t  *word;

    word = locale->buckets[portal_locale_bucket(key)];

    for ( /* void */ ; word; word = word->next) {
        if (word->key.len == key->len
            && memcmp(word->key.data, key->data, key->len) == 0)
        {
            return word;
        }
    }

    return NULL;
}


static int
portal_locale_fail(portal_locale_load_t *load, const char *what,
    const char *key)
{
    snprintf(load->err->text, sizeof(load->err->text), "%s \"%.180s\"",
             what, key);

    return PORTAL_ERROR;
}


/* What was wrong with an expression, and where it stands. */

static int
portal_locale_within(portal_locale_load_t *load, const char *key)
{
    size_t           len;
    portal_error_t  *err;

    err = load->err;
    len = strlen(err->text);

    snprintf(err->text + len, sizeof(err->text) - len, " in \"%.180s\"",
             key);

    return PORTAL_ERROR;
}


int
portal_locale_add(portal_locale_t *locale, const portal_str_t *json,
    const portal_str_t *file, portal_error_t *err)
{
    int                    rc;
    json_t                *root;
    json_error_t           jerr;
    portal_locale_load_t   load;

    err->file = *file;

    root = json_loadb((char *) json->data, json->len, JSON_REJECT_DUPLICATES,
                      &jerr);

    if (!json_is_object(root)) {
        err->line = jerr.line > 0 ? (unsigned) jerr.line : 1;
        snprintf(err->text, sizeof(err->text), "%s",
                 root ? "not an object" : jerr.text);
        json_decref(root);
        return PORTAL_ERROR;
    }

    load.locale = locale;
    load.file = file;
    load.err = err;

    rc = portal_locale_object(&load, root, "");

    json_decref(root);

    return rc;
}


static int
portal_locale_object(portal_locale_load_t *load, json_t *object,
    const char *prefix)
{
    int          rc;
    char         path[200];
    json_t      *value, *one, *other;
    const char  *key;

    json_object_foreach(object, key, value) {

        if (snprintf(path, sizeof(path), "%s%s%s", prefix,
                     prefix[0] ? "." : "", key)
            >= (int) sizeof(path))
        {
            return portal_locale_fail(load, "key too long", key);
        }

        if (strcmp(path, "_format") == 0) {
            rc = json_is_object(value) ? portal_locale_format(load, value)
                 : portal_locale_fail(load, "not an object", path);

        } else if (json_is_string(value)) {
            rc = portal_locale_word(load, path, json_string_value(value),
                                    NULL);

        } else if (json_is_object(value)) {
            one = json_object_get(value, "one");
            other = json_object_get(value, "other");

            rc = (json_is_string(one) && json_is_string(other)
                  && json_object_size(value) == 2)
                 ? portal_locale_word(load, path, json_string_value(one),
                                      json_string_value(other))
                 : portal_locale_object(load, value, path);

        } else {
            rc = portal_locale_fail(load, "neither text nor object", path);
        }

        if (rc != PORTAL_OK) {
            return rc;
        }
    }

    return PORTAL_OK;
}


static int
portal_locale_word(portal_locale_load_t *load, const char *key,
    const char *one, const char *other)
{
    unsigned         bucket;
    portal_str_t     name;
    portal_word_t   *word;
    portal_locale_t *locale;

    locale = load->locale;

    name.data = (unsigned char *) key;
    name.len = strlen(key);

    if (portal_locale_get(locale, &name)) {
        return PORTAL_OK;
    }

    word = portal_calloc(locale->arena, 1, sizeof(portal_word_t));

    if (word == NULL
        || portal_str_dup(locale->arena, &word->key, &name) != PORTAL_OK)
    {
        return portal_locale_fail(load, "no memory for", key);
    }

    if (portal_locale_pieces(load, key, one, &word->pieces) != PORTAL_OK
        || (other
            && portal_locale_pieces(load, key, other, &word->other)
               != PORTAL_OK))
    {
        return PORTAL_ERROR;
    }

    bucket = portal_locale_bucket(&word->key);
    word->next = locale->buckets[bucket];
    locale->buckets[bucket] = word;

    return PORTAL_OK;
}


/* "Bonjour {name}" as pieces. */

static int
portal_locale_pieces(portal_locale_load_t *load, const char *key,
    const char *text, portal_piece_t **link)
{
    portal_str_t      s, copy;
    portal_piece_t   *piece;
    unsigned char    *p, *last, *open, *close;

    s.data = (unsigned char *) text;
    s.len = strlen(text);

    if (portal_str_dup(load->locale->arena, &copy, &s) != PORTAL_OK) {
        return portal_locale_fail(load, "no memory for", key);
    }

    p = copy.data;
    last = p + copy.len;

    while (p < last) {
        piece = portal_calloc(load->locale->arena, 1,
                              sizeof(portal_piece_t));
        if (piece == NULL) {
            return portal_locale_fail(load, "no memory for", key);
        }

        *link = piece;
        link = &piece->next;

        open = memchr(p, '{', (size_t) (last - p));

        if (open != p) {
            open = open ? open : last;
            piece->text.data = p;
            piece->text.len = (size_t) (open - p);
            p = open;
            continue;
        }

        close = memchr(p, '}', (size_t) (last - p));

        if (close == NULL) {
            return portal_locale_fail(load, "unclosed placeholder in", key);
        }

        s.data = p + 1;
        s.len = (size_t) (close - p - 1);

        piece->expr = portal_expr_compile(load->locale->arena, &s,
                                          load->err);
        if (piece->expr == NULL) {
            return portal_locale_within(load, key);
        }

        /* an asset's address is known to templates only */

        if (piece->expr->pipes
            && piece->expr->pipes->type == portal_to_asset)
        {
            return portal_locale_fail(load, "pipe \"asset\" in", key);
        }

        p = close + 1;
    }

    return PORTAL_OK;
}


static int
portal_locale_string(portal_locale_load_t *load, json_t *object,
    const char *name, portal_str_t *dst)
{
    json_t        *value;
    portal_str_t   s;

    value = json_object_get(object, name);

    if (!json_is_string(value)) {
        return portal_locale_fail(load, "\"_format\" has no text", name);
    }

    s.data = (unsigned char *) json_string_value(value);
    s.len = json_string_length(value);

    if (portal_str_dup(load->locale->arena, dst, &s) != PORTAL_OK) {
        return portal_locale_fail(load, "no memory for", name);
    }

    return PORTAL_OK;
}


static int
portal_locale_strings(portal_locale_load_t *load, json_t *object,
    const char *name, portal_str_t *dst, size_t n)
{
    size_t         i;
    json_t        *array, *value;
    portal_str_t   s;

    array = json_object_get(object, name);

    if (!json_is_array(array) || json_array_size(array) != n) {
        return portal_locale_fail(load, "\"_format\" has no list", name);
    }

    for (i = 0; i < n; i++) {
        value = json_array_get(array, i);

        if (!json_is_string(value)) {
            return portal_locale_fail(load, "not a text in", name);
        }

        s.data = (unsigned char *) json_string_value(value);
        s.len = json_string_length(value);

        if (portal_str_dup(load->locale->arena, &dst[i], &s) != PORTAL_OK) {
            return portal_locale_fail(load, "no memory for", name);
        }
    }

    return PORTAL_OK;
}


/* fields: names that may stand in braces, a space before and behind each. */

static int
portal_locale_pattern(portal_locale_load_t *load, const char *name,
    const portal_str_t *pattern, const char *fields)
{
    char         field[16];
    size_t       len;
    const char  *p, *close;

    for (p = (char *) pattern->data; (p = strchr(p, '{')); p = close) {
        close = strchr(p, '}');
        len = close ? (size_t) (close - p - 1) : sizeof(field);

        if (len <= sizeof(field) - 3) {
            snprintf(field, sizeof(field), " %.*s ", (int) len, p + 1);
        }

        if (len > sizeof(field) - 3 || strstr(fields, field) == NULL) {
            return portal_locale_fail(load, "\"_format\" has an unknown "
                                      "field in", name);
        }
    }

    return PORTAL_OK;
}


static int
portal_locale_format(portal_locale_load_t *load, json_t *object)
{
    unsigned          i;
    portal_format_t  *f;

    struct {
        const char    *name;
        portal_str_t  *dst;
        const char    *fields;
    } texts[] = {
        { "today", &load->locale->format.today, "" },
        { "yesterday", &load->locale->format.yesterday, "" },
        { "tomorrow", &load->locale->format.tomorrow, "" },
        { "day", &load->locale->format.day, " d mon month Month y " },
        { "day_year", &load->locale->format.day_year,
          " d mon month Month y " },
        { "full", &load->locale->format.full, " d mon month Month y " },
        { "month", &load->locale->format.month, " mon month Month y " },
        { "time", &load->locale->format.time, " h m " },
        { "datetime", &load->locale->format.datetime, " date time " },
        { "first", &load->locale->format.first, "" },
        { "decimal", &load->locale->format.decimal, "" },
        { "group", &load->locale->format.group, "" },
        { "unit", &load->locale->format.unit, " n unit " },
        { "money", &load->locale->format.money, " n currency " },
        { NULL, NULL, NULL }
    };

    f = &load->locale->format;

    if (load->locale->formatted) {
        return PORTAL_OK;
    }

    f->plural2 = json_is_true(json_object_get(object, "plural_from_two"));

    for (i = 0; texts[i].name; i++) {

        if (portal_locale_string(load, object, texts[i].name, texts[i].dst)
            != PORTAL_OK
            || portal_locale_pattern(load, texts[i].name, texts[i].dst,
                                     texts[i].fields)
               != PORTAL_OK)
        {
            return PORTAL_ERROR;
        }
    }

    if (portal_locale_strings(load, object, "months", f->months, 12)
        != PORTAL_OK
        || portal_locale_strings(load, object, "short_months",
                                 f->short_months, 12)
           != PORTAL_OK
        || portal_locale_strings(load, object, "units", f->units, 4)
           != PORTAL_OK)
    {
        return PORTAL_ERROR;
    }

    load->locale->formatted = 1;

    return PORTAL_OK;
}
