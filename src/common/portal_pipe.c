
/*
 * Copyright (C) the nginx client portal authors
 *
 * Pipes of templates and words: values as PostgreSQL wrote them become what
 * the reader's language writes.  A result stands in the value's own buffer,
 * piece by piece: what does not fit is left out, never cut.
 */


#include "portal_template_code.h"


static void portal_pipe_plural(const portal_pipe_t *pipe,
    const portal_locale_t *locale, portal_value_t *v);
static void portal_pipe_word(const portal_pipe_t *pipe,
    const portal_locale_t *locale, portal_value_t *v);
static void portal_pipe_initials(portal_value_t *v);
static size_t portal_pipe_plain(const portal_value_t *v, unsigned char *buf,
    size_t size);


void
portal_pipe_run(const portal_pipe_t *pipe, const portal_view_t *view,
    portal_value_t *v)
{
    const portal_format_t  *f;
    const portal_locale_t  *locale;

    locale = view->locale;
    f = (locale && locale->formatted) ? &locale->format : NULL;

    for ( /* void */ ; pipe; pipe = pipe->next) {

        switch (pipe->type) {

        case portal_to_plural:
            portal_pipe_plural(pipe, locale, v);
            break;

        case portal_to_t:
            portal_pipe_word(pipe, locale, v);
            break;

        case portal_to_url:
            v->encode = PORTAL_ENCODE_URL;
            break;

        case portal_to_json:
            v->encode = PORTAL_ENCODE_JSON;
            break;

        case portal_to_initials:
            portal_pipe_initials(v);
            break;

        case portal_to_asset:
            break;

        default:

            if (f == NULL || v->escaped) {
                break;
            }

            switch (pipe->type) {

            case portal_to_size:
                portal_pipe_size(f, v);
                break;

            case portal_to_money:
                portal_pipe_money(f, &pipe->arg, v);
                break;

            case portal_to_number:
                portal_pipe_number(f, v);
                break;

            default:
                portal_pipe_when(pipe->type, f, &view->today, v);
            }
        }
    }
}


static void
portal_pipe_plural(const portal_pipe_t *pipe, const portal_locale_t *locale,
    portal_value_t *v)
{
    unsigned              many;
    portal_str_t         *whole;
    portal_decimal_t      d;
    const portal_word_t  *word;

    word = locale ? portal_locale_get(locale, &pipe->arg) : NULL;

    if (word == NULL) {
        return;
    }

    many = 1;
    whole = &d.whole;

    if (portal_pipe_decimal(&v->text, &d) == PORTAL_OK && whole->len == 1) {
        many = locale->format.plural2
               ? whole->data[0] >= '2'
               : whole->data[0] != '1' || d.fraction.len;
    }

    v->word = word;
    v->many = many && word->other;
    v->counted = v->doc != NULL;
}


/* A value without a word of its own shows as it is. */

static void
portal_pipe_word(const portal_pipe_t *pipe, const portal_locale_t *locale,
    portal_value_t *v)
{
    portal_str_t   key;
    unsigned char  buf[256];

    if (locale == NULL || v->escaped || v->text.len == 0
        || pipe->arg.len + v->text.len > sizeof(buf))
    {
        return;
    }

    if (pipe->arg.len) {
        memcpy(buf, pipe->arg.data, pipe->arg.len);
    }

    memcpy(buf + pipe->arg.len, v->text.data, v->text.len);

    key.data = buf;
    key.len = pipe->arg.len + v->text.len;

    v->word = portal_locale_get(locale, &key);
    v->many = 0;
}


/* The first letters of the first and of the last word. */

static void
portal_pipe_initials(portal_value_t *v)
{
    size_t                n, first, second;
    unsigned              start;
    unsigned char         text[256], a[4], b[4];
    const unsigned char  *p, *last;

    last = text + portal_pipe_plain(v, text, sizeof(text));

    first = 0;
    second = 0;
    start = 1;

    for (p = text; p < last; p += n) {
        n = portal_utf8_sequence(p, last);

        if (n == 0 || *p == ' ') {
            start = 1;
            n = 1;
            continue;
        }

        if (start && first == 0) {
            first = portal_pipe_upper(p, last, a);

        } else if (start) {
            second = portal_pipe_upper(p, last, b);
        }

        start = 0;
    }

    memcpy(v->buf, a, first);
    memcpy(v->buf + first, b, second);

    v->text.data = v->buf;
    v->text.len = first + second;
    v->escaped = 0;
    v->made = 1;
}


/* The value's text without JSON's escapes, as far as it fits. */

static size_t
portal_pipe_plain(const portal_value_t *v, unsigned char *buf, size_t size)
{
    size_t                n, len;
    unsigned char         c[4];
    const unsigned char  *p, *last;

    p = v->text.data;

    if (!v->escaped) {
        n = v->text.len < size ? v->text.len : size;
        memcpy(buf, p, n);
        return n;
    }

    last = p + v->text.len;
    n = 0;

    while (p < last) {
        len = portal_json_next(&p, last, c);

        if (len > size - n) {
            break;
        }

        memcpy(buf + n, c, len);
        n += len;
    }

    return n;
}


/* Letters of French: ASCII, Latin-1 and the ligature oe. */

size_t
portal_pipe_upper(const unsigned char *p, const unsigned char *last,
    unsigned char out[4])
{
    size_t  n;

    n = portal_utf8_sequence(p, last);

    memcpy(out, p, n);

    if (n == 1 && *p >= 'a' && *p <= 'z') {
        out[0] -= 'a' - 'A';

    } else if (n == 2 && p[0] == 0xc3 && p[1] >= 0xa0 && p[1] <= 0xbe
               && p[1] != 0xb7)
    {
        out[1] -= 0x20;

    } else if (n == 2 && p[0] == 0xc5 && p[1] == 0x93) {
        out[1] = 0x92;
    }

    return n;
}


/* A locale's pattern with its {fields} filled in. */

void
portal_line_pattern(portal_line_t *l, const portal_str_t *pattern,
    const portal_field_t *fields, size_t n)
{
    size_t          i;
    portal_str_t    s;
    unsigned char  *p, *last, *close;

    p = pattern->data;
    last = p + pattern->len;

    while (p < last) {
        close = *p == '{' ? memchr(p, '}', (size_t) (last - p)) : NULL;

        if (close) {
            s.data = p + 1;
            s.len = (size_t) (close - s.data);

            for (i = 0; i < n; i++) {
                if (strlen(fields[i].name) == s.len
                    && memcmp(fields[i].name, s.data, s.len) == 0)
                {
                    portal_line_str(l, &fields[i].text);
                }
            }

            p = close + 1;
            continue;
        }

        s.data = p++;

        while (p < last && *p != '{') {
            p++;
        }

        s.len = (size_t) (p - s.data);
        portal_line_str(l, &s);
    }
}


void
portal_line_start(portal_line_t *l, unsigned char *buf, size_t size)
{
    l->pos = buf;
    l->last = buf + size;
}


void
portal_line_str(portal_line_t *l, const portal_str_t *s)
{
    if (s->len && s->len <= (size_t) (l->last - l->pos)) {
        memcpy(l->pos, s->data, s->len);
        l->pos += s->len;
    }
}


void
portal_line_done(portal_line_t *l, portal_value_t *v)
{
    v->text.data = v->buf;
    v->text.len = (size_t) (l->pos - v->buf);
    v->made = 1;
}
