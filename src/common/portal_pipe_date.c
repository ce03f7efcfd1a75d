
/*
 * Copyright (C) the nginx client portal authors
 *
 * Dates of PostgreSQL, which are in the reader's time zone already, in the
 * words of the reader's language.
 */


#include "portal_template_code.h"


typedef struct {
    int                       year;
    int                       month;
    int                       day;        /* 0: a month only */
    const unsigned char      *time;       /* HH:MM, or NULL */
} portal_when_t;


static int portal_pipe_parse_when(const portal_str_t *s, portal_when_t *w);
static int portal_pipe_int(const unsigned char *p, size_t n, int *value);
static long portal_pipe_day(const portal_when_t *w);
static void portal_pipe_date(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *today);
static void portal_pipe_datetime(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *today);
static void portal_pipe_calendar(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *pattern);
static void portal_pipe_capital(const portal_str_t *month,
    unsigned char *buf, size_t size, portal_str_t *dst);
static void portal_pipe_time(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w);


void
portal_pipe_when(portal_pipe_e type, const portal_format_t *f,
    const portal_str_t *today, portal_value_t *v)
{
    unsigned char  text[sizeof("YYYY-MM-DDTHH:MM")];
    portal_line_t  l;
    portal_str_t   s;
    portal_when_t  w;

    /* the text may stand in the buffer that the result goes to */

    s.data = text;
    s.len = v->text.len < sizeof(text) ? v->text.len : sizeof(text);
    memcpy(text, v->text.data, s.len);

    if (portal_pipe_parse_when(&s, &w) != PORTAL_OK
        || (w.day == 0 && type != portal_to_month)
        || (w.time == NULL && type == portal_to_time))
    {
        return;
    }

    portal_line_start(&l, v->buf, sizeof(v->buf));

    switch (type) {

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
        portal_pipe_time(&l, f, &w);
        break;

    default: /* portal_to_datetime */
        portal_pipe_datetime(&l, f, &w, today);
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
portal_pipe_datetime(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *today)
{
    unsigned char   date[128], time[64];
    portal_line_t   line;
    portal_field_t  fields[2];

    if (w->time == NULL) {
        portal_pipe_date(l, f, w, today);
        return;
    }

    portal_line_start(&line, date, sizeof(date));
    portal_pipe_date(&line, f, w, today);

    fields[0].name = "date";
    fields[0].text.data = date;
    fields[0].text.len = (size_t) (line.pos - date);

    portal_line_start(&line, time, sizeof(time));
    portal_pipe_time(&line, f, w);

    fields[1].name = "time";
    fields[1].text.data = time;
    fields[1].text.len = (size_t) (line.pos - time);

    portal_line_pattern(l, &f->datetime, fields, 2);
}


static void
portal_pipe_calendar(portal_line_t *l, const portal_format_t *f,
    const portal_when_t *w, const portal_str_t *pattern)
{
    size_t          skip;
    unsigned char   day[2], year[4], name[64];
    portal_field_t  fields[5];

    day[0] = (unsigned char) ('0' + w->day / 10);
    day[1] = (unsigned char) ('0' + w->day % 10);

    skip = w->day < 10;

    fields[0].name = "d";
    fields[0].text.data = day + skip;
    fields[0].text.len = 2 - skip;

    if (w->day == 1) {
        fields[0].text = f->first;
    }

    fields[1].name = "mon";
    fields[1].text = f->short_months[w->month - 1];

    fields[2].name = "month";
    fields[2].text = f->months[w->month - 1];

    fields[3].name = "Month";
    portal_pipe_capital(&fields[2].text, name, sizeof(name),
                        &fields[3].text);

    year[0] = (unsigned char) ('0' + w->year / 1000);
    year[1] = (unsigned char) ('0' + w->year / 100 % 10);
    year[2] = (unsigned char) ('0' + w->year / 10 % 10);
    year[3] = (unsigned char) ('0' + w->year % 10);

    fields[4].name = "y";
    fields[4].text.data = year;
    fields[4].text.len = 4;

    portal_line_pattern(l, pattern, fields, 5);
}


static void
portal_pipe_capital(const portal_str_t *month, unsigned char *buf,
    size_t size, portal_str_t *dst)
{
    size_t                n;
    const unsigned char  *last;

    *dst = *month;
    last = month->data + month->len;

    if (month->len == 0 || month->len > size) {
        return;
    }

    n = portal_pipe_upper(month->data, last, buf);

    memcpy(buf + n, month->data + n, month->len - n);
    dst->data = buf;
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

    portal_line_pattern(l, &f->time, fields, 2);
}
