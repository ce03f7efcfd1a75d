
/*
 * Copyright (C) the nginx client portal authors
 *
 * Numbers, sizes and amounts in the way of the reader's language.
 */


#include <stdio.h>
#include "portal_template_code.h"


#define PORTAL_PIPE_DIGITS  40


typedef struct {
    const char               *code;
    const char               *sign;
    unsigned                  digits;
} portal_currency_t;


static const portal_currency_t *portal_pipe_currency(
    const portal_str_t *code);
static void portal_pipe_grouped(portal_line_t *l, const portal_format_t *f,
    const portal_decimal_t *d);


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


/* Units of 1000, one decimal below 10 and none that is zero. */

void
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
    portal_line_pattern(&l, &f->unit, fields, 2);
    portal_line_done(&l, v);
}


/* The value counts the smallest unit of its currency: cents. */

void
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
    portal_line_pattern(&l, &f->money, fields, 2);
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


void
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

int
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
