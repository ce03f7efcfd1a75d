
/*
 * Copyright (C) the nginx client portal authors
 *
 * Pipes of templates and words: values as PostgreSQL wrote them become what
 * the reader's language writes.  A result stands in the value's own buffer,
 * piece by piece: what does not fit is left out, never cut.
 */


#include <stdio.h>
#include "portal_template_code.h"


#define PORTAL_PIPE_DIGITS  40


typedef struct {
    int                       year;
    int                       month;
    int                       day;        /* 0: a month only */
    const unsigned char      *time;       /* HH:MM, or NULL */
} portal_when_t;


typedef struct {
    unsigned char            *pos;
    unsigned char            *last;
} portal_line_t;


typedef struct {
    const char               *name;
    portal_str_t              text;
} portal_field_t;


typedef struct {
    unsigned                  negative:1;
    portal_str_t              whole;
    portal_str_t              fraction;
} portal_decimal_t;


typedef struct {
    const char               *code;
    const char               *sign;
    unsigned                  digits;
} portal_currency_t;


static void portal_pipe_when(const portal_pipe_t *pipe,
    const portal_format_t *f, const portal_str_t *today, portal_value_t *v);
static int portal_pipe_parse_when(const portal_str_t *s, portal_when_t *w);
static int portal_pipe_int(const unsigned char *p, size_t n, int *value);
static long portal_pipe_day(const portal_when_t *w);
static void portal_pipe_date(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *today);
static void portal_pipe_calendar(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *pattern);
static void portal_pipe_time(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w);
static void portal_pipe_size(const portal_format_t *f, portal_value_t *v);
static void portal_pipe_money(const portal_format_t *f,
    const portal_str_t *code, portal_value_t *v);
static const portal_currency_t *portal_pipe_currency(
    const portal_str_t *code);
static void portal_pipe_number(const portal_format_t *f, portal_value_t *v);
static int portal_pipe_decimal(const portal_str_t *s, portal_decimal_t *d);
static void portal_pipe_grouped(portal_line_t *l, const portal_format_t *f,
    const portal_decimal_t *d);
static void portal_pipe_plural(const portal_pipe_t *pipe,
    const portal_locale_t *locale, portal_value_t *v);
static void portal_pipe_word(const portal_pipe_t *pipe,
    const portal_locale_t *locale, portal_value_t *v);
static void portal_pipe_initials(portal_value_t *v);
static size_t portal_pipe_upper(const unsigned char *p,
    const unsigned char *last, unsigned char out[4]);
static void portal_pipe_pattern(portal_line_t *l,
    const portal_str_t *pattern, const portal_field_t *fields, size_t n);
static void portal_line_start(portal_line_t *l, unsigned char *buf,
    size_t size);
static void portal_line_str(portal_line_t *l, const portal_str_t *s);
static void portal_line_done(portal_line_t *l, portal_value_t *v);


/* Those without two decimals, and those with a sign of their own. */

static const portal_currency_t  portal_currencies[] = {
    { "EUR", "\xe2\x82\xac", 2 },
    { "USD", "$", 2 },
    { "GBP", "\xc2\xa3", 2 },
    { "JPY", "\xc2\xa5", 0 },
    { "XPF", "F\xc2\xa0" "CFP", 0 },
    { "XAF", "XAF", 0 },
    { "XOF", "XOF", 0 },
    { "KRW", "KRW", 0 },
    { "VND", "VND", 0 },
    { "CLP", "CLP", 0 },
    { "ISK", "ISK", 0 },
    { "TND", "TND", 3 },
    { "BHD", "BHD", 3 },
    { "JOD", "JOD", 3 },
    { "KWD", "KWD", 3 },
    { "OMR", "OMR", 3 },
    { NULL, NULL, 0 }
};


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
                portal_pipe_when(pipe, f, &view->today, v);
            }
        }
    }
}


static void
portal_pipe_when(const portal_pipe_t *pipe, const portal_format_t *f,
    const portal_str_t *today, portal_value_t *v)
{
    unsigned char   date[128], time[64];
    portal_line_t   l, d, t;
    portal_when_t   w;
    portal_field_t  fields[2];

    if (portal_pipe_parse_when(&v->text, &w) != PORTAL_OK
        || (w.day == 0 && pipe->type != portal_to_month)
        || (w.time == NULL && pipe->type == portal_to_time))
    {
        return;
    }

    portal_line_start(&d, date, sizeof(date));
    portal_line_start(&t, time, sizeof(time));

    if (w.time) {
        portal_pipe_time(&t, f, &w);
    }

    portal_line_start(&l, v->buf, sizeof(v->buf));

    switch (pipe->type) {

    case portal_to_date:
        portal_pipe_date(&l, f, &w, today);
        break;

    case portal_to_fulldate:
        portal_pipe_calendar(&l, f, &w, &f->full);
        break;

    case portal_to_month:
        portal_pipe_calendar(&l, f, &w, &f->month);
        break;

    case portal_to_time:
        fields[0].text.data = time;
        fields[0].text.len = (size_t) (t.pos - time);
        portal_line_str(&l, &fields[0].text);
        break;

    default: /* portal_to_datetime */

        if (w.time == NULL) {
            portal_pipe_date(&l, f, &w, today);
            break;
        }

        portal_pipe_date(&d, f, &w, today);

        fields[0].name = "date";
        fields[0].text.data = date;
        fields[0].text.len = (size_t) (d.pos - date);
        fields[1].name = "time";
        fields[1].text.data = time;
        fields[1].text.len = (size_t) (t.pos - time);

        portal_pipe_pattern(&l, &f->datetime, fields, 2);
    }

    portal_line_done(&l, v);
}


/* YYYY-MM, YYYY-MM-DD, or with THH:MM or " HH:MM" and whatever behind. */

static int
portal_pipe_parse_when(const portal_str_t *s, portal_when_t *w)
{
    int                   hour, minute;
    const unsigned char  *p;

    p = s->data;

    w->day = 0;
    w->time = NULL;

    if (s->len < 7 || portal_pipe_int(p, 4, &w->year) != PORTAL_OK
        || p[4] != '-' || portal_pipe_int(p + 5, 2, &w->month) != PORTAL_OK
        || w->month < 1 || w->month > 12)
    {
        return PORTAL_ERROR;
    }

    if (s->len == 7) {
        return PORTAL_OK;
    }

    if (s->len < 10 || p[7] != '-'
        || portal_pipe_int(p + 8, 2, &w->day) != PORTAL_OK || w->day < 1
        || w->day > 31)
    {
        return PORTAL_ERROR;
    }

    if (s->len == 10) {
        return PORTAL_OK;
    }

    if (s->len < 16 || (p[10] != 'T' && p[10] != ' ') || p[13] != ':'
        || portal_pipe_int(p + 11, 2, &hour) != PORTAL_OK || hour > 23
        || portal_pipe_int(p + 14, 2, &minute) != PORTAL_OK || minute > 59)
    {
        return PORTAL_ERROR;
    }

    w->time = p + 11;

    return PORTAL_OK;
}


static int
portal_pipe_int(const unsigned char *p, size_t n, int *value)
{
    *value = 0;

    for ( /* void */ ; n; n--, p++) {
        if (*p < '0' || *p > '9') {
            return PORTAL_ERROR;
        }

        *value = *value * 10 + (*p - '0');
    }

    return PORTAL_OK;
}


/* Days since a fixed one, as ngx_timegm() counts: March is the first month. */

static long
portal_pipe_day(const portal_when_t *w)
{
    long  year, month;

    year = w->year;
    month = w->month - 2;

    if (month <= 0) {
        month += 12;
        year -= 1;
    }

    return 365 * year + year / 4 - year / 100 + year / 400
           + 367 * month / 12 + w->day;
}


static void
portal_pipe_date(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *today)
{
    long           days;
    portal_when_t  now;

    if (portal_pipe_parse_when(today, &now) != PORTAL_OK || now.day == 0) {
        portal_pipe_calendar(l, f, w, &f->day_year);
        return;
    }

    days = portal_pipe_day(w) - portal_pipe_day(&now);

    if (days >= -1 && days <= 1) {
        portal_line_str(l, days == 0 ? &f->today
                           : days < 0 ? &f->yesterday : &f->tomorrow);
        return;
    }

    portal_pipe_calendar(l, f, w, w->year == now.year ? &f->day
                                                      : &f->day_year);
}


static void
portal_pipe_calendar(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *pattern)
{
    size_t               n, skip;
    unsigned char        day[2], year[4], name[64];
    portal_field_t       fields[5];
    const portal_str_t  *month;

    month = &f->months[w->month - 1];

    day[0] = (unsigned char) ('0' + w->day / 10);
    day[1] = (unsigned char) ('0' + w->day % 10);

    fields[0].name = "d";
    skip = w->day < 10;
    fields[0].text.data = day + skip;
    fields[0].text.len = 2 - skip;

    if (w->day == 1) {
        fields[0].text = f->first;
    }

    fields[1].name = "mon";
    fields[1].text = f->short_months[w->month - 1];

    fields[2].name = "month";
    fields[2].text = *month;

    fields[3].name = "Month";
    fields[3].text = *month;

    n = month->len ? portal_utf8_sequence(month->data,
                                          month->data + month->len)
                   : 0;

    if (n && month->len <= sizeof(name) - 4) {
        skip = portal_pipe_upper(month->data, month->data + month->len,
                                 name);
        memcpy(name + skip, month->data + n, month->len - n);
        fields[3].text.data = name;
        fields[3].text.len = skip + month->len - n;
    }

    year[0] = (unsigned char) ('0' + w->year / 1000);
    year[1] = (unsigned char) ('0' + w->year / 100 % 10);
    year[2] = (unsigned char) ('0' + w->year / 10 % 10);
    year[3] = (unsigned char) ('0' + w->year % 10);

    fields[4].name = "y";
    fields[4].text.data = year;
    fields[4].text.len = 4;

    portal_pipe_pattern(l, pattern, fields, 5);
}


static void
portal_pipe_time(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w)
{
    portal_field_t  fields[2];

    fields[0].name = "h";
    fields[0].text.data = (unsigned char *) w->time;
    fields[0].text.len = 2;

    fields[1].name = "m";
    fields[1].text.data = (unsigned char *) w->time + 3;
    fields[1].text.len = 2;

    portal_pipe_pattern(l, &f->time, fields, 2);
}


/* Units of 1000, one decimal below 10 and none that is zero. */

static void
portal_pipe_size(const portal_format_t *f, portal_value_t *v)
{
    char              whole[24], tenth;
    uint64_t          size, unit, tenths;
    unsigned          u;
    unsigned char     number[64];
    portal_line_t     l;
    portal_field_t    fields[2];
    portal_decimal_t  d;

    if (portal_pipe_decimal(&v->text, &d) != PORTAL_OK || d.negative
        || d.fraction.len || d.whole.len > 18)
    {
        return;
    }

    for (size = 0; d.whole.len; d.whole.len--, d.whole.data++) {
        size = size * 10 + (uint64_t) (*d.whole.data - '0');
    }

    for (u = 0, unit = 1; u < 3 && size >= unit * 1000; u++) {
        unit *= 1000;
    }

    tenths = u ? (size + unit / 20) / (unit / 10) : size * 10;

    if (u && tenths >= 100) {
        tenths = (size + unit / 2) / unit * 10;
    }

    /* rounded up to 1000 of a unit is one of the next */

    if (tenths == 10000 && u < 3) {
        tenths = 10;
        u++;
    }

    d.whole.data = (unsigned char *) whole;
    d.whole.len = (size_t) snprintf(whole, sizeof(whole), "%llu",
                                    (unsigned long long) (tenths / 10));
    tenth = (char) ('0' + tenths % 10);
    d.fraction.data = (unsigned char *) &tenth;
    d.fraction.len = tenths % 10 != 0;

    portal_line_start(&l, number, sizeof(number));
    portal_pipe_grouped(&l, f, &d);

    fields[0].name = "n";
    fields[0].text.data = number;
    fields[0].text.len = (size_t) (l.pos - number);
    fields[1].name = "unit";
    fields[1].text = f->units[u];

    portal_line_start(&l, v->buf, sizeof(v->buf));
    portal_pipe_pattern(&l, &f->unit, fields, 2);
    portal_line_done(&l, v);
}


/* The value counts the smallest unit of its currency: cents. */

static void
portal_pipe_money(const portal_format_t *f, const portal_str_t *code,
    portal_value_t *v)
{
    size_t                    n;
    unsigned char             digits[PORTAL_PIPE_DIGITS + 4], number[128];
    portal_line_t             l;
    portal_field_t            fields[2];
    portal_decimal_t          d;
    const portal_currency_t  *c;

    if (portal_pipe_decimal(&v->text, &d) != PORTAL_OK || d.fraction.len) {
        return;
    }

    c = portal_pipe_currency(code);

    /* zeros before it, so that 5 cents are 0 and 05 */

    n = d.whole.len > c->digits ? 0 : c->digits + 1 - d.whole.len;

    memset(digits, '0', n);
    memcpy(digits + n, d.whole.data, d.whole.len);

    n += d.whole.len;

    d.whole.data = digits;
    d.whole.len = n - c->digits;
    d.fraction.data = digits + d.whole.len;
    d.fraction.len = c->digits;

    portal_line_start(&l, number, sizeof(number));
    portal_pipe_grouped(&l, f, &d);

    fields[0].name = "n";
    fields[0].text.data = number;
    fields[0].text.len = (size_t) (l.pos - number);
    fields[1].name = "currency";
    fields[1].text = *code;

    if (c->sign) {
        fields[1].text.data = (unsigned char *) c->sign;
        fields[1].text.len = strlen(c->sign);
    }

    portal_line_start(&l, v->buf, sizeof(v->buf));
    portal_pipe_pattern(&l, &f->money, fields, 2);
    portal_line_done(&l, v);
}


static const portal_currency_t *
portal_pipe_currency(const portal_str_t *code)
{
    const portal_currency_t  *c;

    static const portal_currency_t  other = { NULL, NULL, 2 };

    if (code->len == 0) {
        return &portal_currencies[0];
    }

    for (c = portal_currencies; c->code; c++) {
        if (code->len == 3 && memcmp(c->code, code->data, 3) == 0) {
            return c;
        }
    }

    return &other;
}


static void
portal_pipe_number(const portal_format_t *f, portal_value_t *v)
{
    unsigned char     digits[PORTAL_PIPE_DIGITS];
    portal_line_t     l;
    portal_decimal_t  d;

    if (portal_pipe_decimal(&v->text, &d) != PORTAL_OK) {
        return;
    }

    /* the digits may stand in the buffer that the number goes to */

    memcpy(digits, d.whole.data, d.whole.len);
    memcpy(digits + d.whole.len, d.fraction.data, d.fraction.len);

    d.whole.data = digits;
    d.fraction.data = digits + d.whole.len;

    portal_line_start(&l, v->buf, sizeof(v->buf));
    portal_pipe_grouped(&l, f, &d);
    portal_line_done(&l, v);
}


/* Digits with a sign before and a point within, none of JSON's exponents. */

static int
portal_pipe_decimal(const portal_str_t *s, portal_decimal_t *d)
{
    const unsigned char  *p, *last;

    p = s->data;
    last = p + s->len;

    d->negative = (p < last && *p == '-');
    p += d->negative;

    d->whole.data = (unsigned char *) p;

    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    d->whole.len = (size_t) (p - d->whole.data);
    d->fraction.data = (unsigned char *) p;
    d->fraction.len = 0;

    if (p < last && *p == '.') {
        d->fraction.data = (unsigned char *) ++p;

        while (p < last && *p >= '0' && *p <= '9') {
            p++;
        }

        d->fraction.len = (size_t) (p - d->fraction.data);

        if (d->fraction.len == 0) {
            return PORTAL_ERROR;
        }
    }

    if (p != last || d->whole.len == 0
        || d->whole.len + d->fraction.len > PORTAL_PIPE_DIGITS)
    {
        return PORTAL_ERROR;
    }

    return PORTAL_OK;
}


static void
portal_pipe_grouped(portal_line_t *l, const portal_format_t *f,
    const portal_decimal_t *d)
{
    size_t        left;
    portal_str_t  s;

    static const portal_str_t  minus = portal_string("-");

    if (d->negative) {
        portal_line_str(l, &minus);
    }

    s.data = d->whole.data;

    for (left = d->whole.len; left; left -= s.len) {
        s.len = left % 3 ? left % 3 : 3;
        portal_line_str(l, &s);
        s.data += s.len;

        if (left > s.len) {
            portal_line_str(l, &f->group);
        }
    }

    if (d->fraction.len) {
        portal_line_str(l, &f->decimal);
        portal_line_str(l, &d->fraction);
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
    unsigned char         text[256], a[4], b[4], c[4];
    const unsigned char  *p, *last;

    p = v->text.data;
    last = p + v->text.len;
    first = 0;

    for (n = 0; p < last && n <= sizeof(text) - 4; /* void */ ) {
        if (v->escaped) {
            first = portal_json_next(&p, last, c);
            memcpy(text + n, c, first);
            n += first;

        } else {
            text[n++] = *p++;
        }
    }

    last = text + n;
    first = 0;
    second = 0;
    start = 1;

    for (p = text; p < last; p += n) {
        n = portal_utf8_sequence(p, last);

        if (n == 0 || *p == ' ') {
            start = 1;
            n = n ? n : 1;
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


/* Letters of French: ASCII, Latin-1 and the ligature oe. */

static size_t
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

static void
portal_pipe_pattern(portal_line_t *l, const portal_str_t *pattern,
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


static void
portal_line_start(portal_line_t *l, unsigned char *buf, size_t size)
{
    l->pos = buf;
    l->last = buf + size;
}


static void
portal_line_str(portal_line_t *l, const portal_str_t *s)
{
    if (s->len && s->len <= (size_t) (l->last - l->pos)) {
        memcpy(l->pos, s->data, s->len);
        l->pos += s->len;
    }
}


static void
portal_line_done(portal_line_t *l, portal_value_t *v)
{
    v->text.data = v->buf;
    v->text.len = (size_t) (l->pos - v->buf);
    v->made = 1;
}
