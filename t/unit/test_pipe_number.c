
/*
 * Copyright (C) the nginx client portal authors
 *
 * Numbers, sizes, amounts.
 */


#include "portal_template_code.h"
#include "view.h"


static void number_is(const char *pipe, const char *value, const char *want);
static void test_number(void);
static void test_size(void);
static void test_money(void);
static void test_decimal(void);
static void test_overlong(void);


#define WORDS  "{" VIEW_FORMAT "}"


static void
number_is(const char *pipe, const char *value, const char *want)
{
    char  what[128], json[128], text[64];

    snprintf(text, sizeof(text), "{{n|%s}}", pipe);
    snprintf(json, sizeof(json), "{\"n\":%s}", value);
    snprintf(what, sizeof(what), "%s of %s", pipe, value);

    view_is(text, json, WORDS, want, what);
}


static void
test_number(void)
{
    number_is("number", "0", "0");
    number_is("number", "7", "7");
    number_is("number", "999", "999");
    number_is("number", "1000", "1_000");
    number_is("number", "12345", "12_345");
    number_is("number", "123456", "123_456");
    number_is("number", "9876543", "9_876_543");
    number_is("number", "-1234.5", "-1_234,5");
    number_is("number", "0.1234", "0,1234");
    number_is("number", "9223372036854775807", "9_223_372_036_854_775_807");
    number_is("number", "\"1234\"", "1_234");
    number_is("number", "1e5", "1e5");
    number_is("number", "\"1,5\"", "1,5");
    number_is("number", "\" 1\"", " 1");
    number_is("number", "\"\"", "");
    number_is("number", "\"-\"", "-");
    number_is("number", "\"1.\"", "1.");
    number_is("number", "\".5\"", ".5");
    number_is("number", "\"<5\"", "&lt;5");
    number_is("number", "null", "");
    number_is("number", "true", "true");
    number_is("number", "[1]", "");
    number_is("number", "1234567890123456789012345678901234567890",
              "1_234_567_890_123_456_789_012_345_678_901_234_567_890");
    number_is("number", "12345678901234567890123456789012345678901",
              "12345678901234567890123456789012345678901");
    number_is("number|number", "1000", "1_000");
    number_is("number|number", "100", "100");
}


static void
test_size(void)
{
    number_is("size", "0", "0 octets");
    number_is("size", "1", "1 octets");
    number_is("size", "999", "999 octets");
    number_is("size", "1000", "1 Ko");
    number_is("size", "1049", "1 Ko");
    number_is("size", "1050", "1,1 Ko");
    number_is("size", "9949", "9,9 Ko");
    number_is("size", "9950", "10 Ko");
    number_is("size", "10499", "10 Ko");
    number_is("size", "10500", "11 Ko");
    number_is("size", "214000", "214 Ko");
    number_is("size", "999499", "999 Ko");
    number_is("size", "999500", "1 Mo");
    number_is("size", "2100000", "2,1 Mo");
    number_is("size", "104857600", "105 Mo");
    number_is("size", "999500000", "1 Go");
    number_is("size", "1000000", "1 Mo");
    number_is("size", "1000000000", "1 Go");
    number_is("size", "9999999", "10 Mo");
    number_is("size", "1500000000", "1,5 Go");
    number_is("size", "1234567000000", "1_235 Go");
    number_is("size", "999999999999999999", "1_000_000_000 Go");
    number_is("size", "1000000000000000000", "1000000000000000000");
    number_is("size", "-1", "-1");
    number_is("size", "1.5", "1.5");
    number_is("size", "\"many\"", "many");
    number_is("size", "null", "");
}


#define EUR  "\342\202\254"

static void
test_money(void)
{
    number_is("money", "0", "0,00 " EUR);
    number_is("money", "5", "0,05 " EUR);
    number_is("money", "50", "0,50 " EUR);
    number_is("money", "123", "1,23 " EUR);
    number_is("money", "123456789", "1_234_567,89 " EUR);
    number_is("money", "-5", "-0,05 " EUR);
    number_is("money", "-123456", "-1_234,56 " EUR);
    number_is("money", "9223372036854775807",
              "92_233_720_368_547_758,07 " EUR);
    number_is("money:EUR", "100", "1,00 " EUR);
    number_is("money:GBP", "100", "1,00 \302\243");
    number_is("money:CHF", "100", "1,00 CHF");
    number_is("money:JPY", "1234", "1_234 \302\245");
    number_is("money:XPF", "1234", "1_234 F\302\240CFP");
    number_is("money:TND", "1234", "1,234 TND");
    number_is("money:TND", "4", "0,004 TND");
    number_is("money", "12.5", "12.5");
    number_is("money", "null", "");
    number_is("money", "\"free\"", "free");
    number_is("money", "1234567890123456789012345678901234567890",
              "12_345_678_901_234_567_890_123_456_789_012_345_678,90 " EUR);
}


static void
test_decimal(void)
{
    portal_str_t      s;
    portal_decimal_t  d;

    s = str("-012.340");
    is_int(portal_pipe_decimal(&s, &d), PORTAL_OK, "a decimal");
    is_int(d.negative, 1, "its sign");
    is_str(d.whole, "012", "its digits before");
    is_str(d.fraction, "340", "and behind the point");

    s = str("5");
    is_int(portal_pipe_decimal(&s, &d), PORTAL_OK, "a whole number");
    is_int(d.fraction.len, 0, "has no others");

    s = str("1.2.3");
    is_int(portal_pipe_decimal(&s, &d), PORTAL_ERROR, "two points");

    s = str("--1");
    is_int(portal_pipe_decimal(&s, &d), PORTAL_ERROR, "two signs");

    s.len = 0;
    s.data = (unsigned char *) "";
    is_int(portal_pipe_decimal(&s, &d), PORTAL_ERROR, "nothing");
}


/* A locale's separator may be long: what does not fit is left out whole. */

static void
test_overlong(void)
{
    int           i, letters;
    view_t       *v;
    char          words[4096], sep[64];
    const char   *p, *group;

    static const view_text_t  texts[] = {
        { "t", "{{{n|number}}} {{{n|money}}} {{{n|size}}}" },
        { NULL, NULL }
    };

    for (i = 0; i < 20; i++) {
        memcpy(sep + 2 * i, "\303\251", 2);
    }

    sep[40] = '\0';

    p = "{" VIEW_FORMAT "}";
    group = strstr(p, "\"_\"");

    snprintf(words, sizeof(words), "%.*s\"%s\"%s", (int) (group - p), p, sep,
             group + 3);

    v = view_create(texts);
    view_locale(v, "fr", words);

    is_int(view_render(v, "t", NULL,
                       "{\"n\":1234567890123456789012345678901234567890}"),
           PORTAL_OK, "an overlong number");

    ok(portal_utf8_sequence(v->data, v->out.pos) != 0, "is UTF-8");

    for (letters = 0, p = (char *) v->data; *p; p++) {
        letters += (strncmp(p, "\357\277\275", 3) == 0);
    }

    is_int(letters, 0, "and has no character cut");

    view_destroy(v);
}


int
main(void)
{
    test_number();
    test_size();
    test_money();
    test_decimal();
    test_overlong();

    return tap_done();
}
