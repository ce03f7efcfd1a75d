
/*
 * Copyright (C) the nginx client portal authors
 *
 * Dates and times.
 */


#include "view.h"


static void date_is(const char *pipe, const char *value, const char *today,
    const char *want);
static void test_relative(void);
static void test_calendar(void);
static void test_time(void);
static void test_invalid(void);
static void test_exact(void);


#define WORDS  "{" VIEW_FORMAT "}"


static void
date_is(const char *pipe, const char *value, const char *today,
    const char *want)
{
    char          what[256], json[256], text[64];
    view_t       *v;
    view_text_t   texts[2];

    memset(texts, 0, sizeof(texts));
    texts[0].name = "t";
    texts[0].text = text;

    snprintf(text, sizeof(text), "{{{d|%s}}}", pipe);
    snprintf(json, sizeof(json), "{\"d\":\"%s\"}", value);
    snprintf(what, sizeof(what), "%s of %s on %s", pipe, value, today);

    v = view_create(texts);
    v->today = today;
    view_locale(v, "fr", WORDS);
    view_render(v, "t", NULL, json);

    is_text((char *) v->data, want, what);

    view_destroy(v);
}


static void
test_relative(void)
{
    date_is("date", "2026-03-05", "2026-03-05", "aujourd'hui");
    date_is("date", "2026-03-04", "2026-03-05", "hier");
    date_is("date", "2026-03-06", "2026-03-05", "demain");
    date_is("date", "2026-03-03", "2026-03-05", "3 mars");
    date_is("date", "2026-03-07", "2026-03-05", "7 mars");
    date_is("date", "2025-03-05", "2026-03-05", "5 mars 2025");
    date_is("date", "2027-03-05", "2026-03-05", "5 mars 2027");

    date_is("date", "2025-12-31", "2026-01-01", "hier");
    date_is("date", "2026-01-01", "2025-12-31", "demain");
    date_is("date", "2026-02-28", "2026-03-01", "hier");
    date_is("date", "2024-02-29", "2024-03-01", "hier");
    date_is("date", "2024-02-28", "2024-03-01", "28 f\303\251vr.");
    date_is("date", "2000-02-29", "2000-03-01", "hier");
    date_is("date", "1900-02-28", "1900-03-01", "hier");

    date_is("date", "2026-03-05T23:59:59.999+01:00", "2026-03-05",
            "aujourd'hui");
    date_is("date", "2026-03-05", "", "5 mars 2026");
    date_is("date", "2026-03-05", "nonsense", "5 mars 2026");
    date_is("date", "2026-03-05", "2026-03", "5 mars 2026");
}


static void
test_calendar(void)
{
    date_is("date", "2026-02-01", "2026-03-05", "1er f\303\251vr.");
    date_is("date", "2026-02-10", "2026-03-05", "10 f\303\251vr.");
    date_is("fulldate", "2026-03-05", "2026-03-05", "5 mars 2026");
    date_is("fulldate", "2026-08-01", "2026-03-05", "1er ao\303\273t 2026");
    date_is("fulldate", "2026-12-31T10:00:00", "2026-03-05",
            "31 \303\251cembre 2026");
    date_is("month", "2026-02-01", "2026-03-05", "F\303\251vrier 2026");
    date_is("month", "2026-02", "2026-03-05", "F\303\251vrier 2026");
    date_is("month", "2026-05", "2026-03-05", "Mai 2026");
    date_is("month", "2026-12", "2026-03-05", "\303\211cembre 2026");
    date_is("month", "0001-01", "2026-03-05", "Janvier 0001");
    date_is("month", "9999-12", "2026-03-05", "\303\211cembre 9999");
}


static void
test_time(void)
{
    date_is("time", "2026-03-05T09:05:00", "2026-03-05", "09:05");
    date_is("time", "2026-03-05 23:59", "2026-03-05", "23:59");
    date_is("time", "2026-03-05T00:00:00.123456+02:00", "2026-03-05",
            "00:00");
    date_is("datetime", "2026-03-05T14:05:09", "2026-03-05",
            "aujourd'hui, 14:05");
    date_is("datetime", "2026-03-04T14:05:09", "2026-03-05", "hier, 14:05");
    date_is("datetime", "2025-03-04T14:05:09", "2026-03-05",
            "4 mars 2025, 14:05");
    date_is("datetime", "2026-03-01", "2026-03-05", "1er mars");
}


/* What is no date stays as it was. */

static void
test_invalid(void)
{
    size_t  i;

    static const char  *bad[] = {
        "", "2026", "2026-", "2026-3", "2026-00", "2026-13", "2026-03-",
        "2026-03-5", "2026-03-00", "2026-03-32", "2026/03/05", "26-03-05",
        "x026-03-05", "2026-0x-05", "2026-03-0x", "2026-03-05T",
        "2026-03-05T1", "2026-03-05T10:0", "2026-03-05T24:00",
        "2026-03-05T10:60", "2026-03-05x10:00", "2026-03-05T1x:00",
        "infinity", "2026-03-05T10-00", "-026-03-05", "12026-03-05",
        "<script>alert(1)</script>", NULL
    };

    for (i = 0; bad[i]; i++) {
        date_is("date", bad[i], "2026-03-05", bad[i]);
        date_is("datetime", bad[i], "2026-03-05", bad[i]);
    }

    date_is("date", "2026-03", "2026-03-05", "2026-03");
    date_is("fulldate", "2026-03", "2026-03-05", "2026-03");
    date_is("time", "2026-03-05", "2026-03-05", "2026-03-05");

    view_is("{{d|date}}{{n|date}}{{o|date}}{{x|date}}",
            "{\"d\":20260305,\"n\":null,\"o\":{}}", WORDS, "20260305",
            "values that are no text");
    view_is("{{d|date}}", "{\"d\":\"2026-03-0\\u0035\"}", WORDS,
            "2026-03-05", "a value with escapes");
    view_is("{{\"2026-03-05\"|date}}", "{}", WORDS, "aujourd&#39;hui",
            "a literal; what the locale says is escaped");
    view_is("{{d|date|date}}", "{\"d\":\"2026-01-02\"}", WORDS,
            "2 janv.", "the result of a date is none");
}


/* Days around every end of a month, against the calendar counted by hand. */

static void
test_exact(void)
{
    int          y, m, d, bad, days;
    char         today[40], tomorrow[40], json[64];
    view_t      *v;

    static const int  lengths[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    static const view_text_t  texts[] = {
        { "t", "{{{d|date}}}" },
        { NULL, NULL }
    };

    v = view_create(texts);
    view_locale(v, "fr", WORDS);
    bad = 0;

    for (y = 1999; y <= 2004; y++) {
        for (m = 1; m <= 12; m++) {
            days = lengths[m - 1] + (m == 2 && y % 4 == 0);

            for (d = 1; d <= days; d++) {
                snprintf(today, sizeof(today), "%04d-%02d-%02d", y, m, d);

                if (d < days) {
                    snprintf(tomorrow, sizeof(tomorrow), "%04d-%02d-%02d", y,
                             m, d + 1);

                } else {
                    snprintf(tomorrow, sizeof(tomorrow), "%04d-%02d-01",
                             m == 12 ? y + 1 : y, m == 12 ? 1 : m + 1);
                }

                snprintf(json, sizeof(json), "{\"d\":\"%s\"}", tomorrow);
                v->today = today;
                view_render(v, "t", NULL, json);
                bad += strcmp((char *) v->data, "demain") != 0;

                snprintf(json, sizeof(json), "{\"d\":\"%s\"}", today);
                v->today = tomorrow;
                view_render(v, "t", NULL, json);
                bad += strcmp((char *) v->data, "hier") != 0;
            }
        }
    }

    is_int(bad, 0, "six years of yesterdays and tomorrows");

    view_destroy(v);
}


int
main(void)
{
    test_relative();
    test_calendar();
    test_time();
    test_invalid();
    test_exact();

    return tap_done();
}
