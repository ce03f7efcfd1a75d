
/*
 * Copyright (C) the nginx client portal authors
 *
 * The words of a language, from locales/CODE.json, and its ways to write
 * dates and numbers.
 */


#ifndef _PORTAL_LOCALE_H_INCLUDED_
#define _PORTAL_LOCALE_H_INCLUDED_


#include "portal_common.h"
#include "portal_expr.h"


/*
 * A word is pieces: text, or (expr set) a placeholder {name|pipe} that is
 * read from the page.  other is NULL, or the word for "many".
 */
typedef struct portal_word_s  portal_word_t;

typedef struct portal_piece_s  portal_piece_t;

struct portal_piece_s {
    portal_str_t      text;
    portal_expr_t    *expr;
    portal_piece_t   *next;
};

struct portal_word_s {
    portal_str_t      key;
    portal_piece_t   *pieces;
    portal_piece_t   *other;
    portal_word_t    *next;        /* of the bucket */
};


#define PORTAL_LOCALE_BUCKETS  512


typedef struct {
    portal_str_t      months[12];
    portal_str_t      short_months[12];
    portal_str_t      today;
    portal_str_t      yesterday;
    portal_str_t      tomorrow;
    portal_str_t      day;         /* "{d} {mon}" */
    portal_str_t      day_year;    /* "{d} {mon} {y}" */
    portal_str_t      full;        /* "{d} {month} {y}" */
    portal_str_t      month;       /* "{Month} {y}" */
    portal_str_t      time;        /* "{h}:{m}" */
    portal_str_t      datetime;    /* "{date}, {time}" */
    portal_str_t      first;       /* the day 1: "1er" */
    portal_str_t      decimal;
    portal_str_t      group;
    portal_str_t      units[4];    /* bytes to GB */
    portal_str_t      unit;        /* "{n} {unit}" */
    portal_str_t      money;       /* "{n} {currency}" */
    unsigned          plural2:1;   /* many from 2 on (fr), not from 0 */
} portal_format_t;


typedef struct {
    portal_arena_t   *arena;
    portal_str_t      code;
    portal_format_t   format;
    portal_word_t    *buckets[PORTAL_LOCALE_BUCKETS];
    unsigned          formatted:1;
} portal_locale_t;


/* An empty locale; code of two letters is copied.  NULL: no memory. */
portal_locale_t *portal_locale_create(portal_arena_t *arena,
    const portal_str_t *code);

/*
 * Adds the words of a file (nested objects make dotted keys); those there
 * already stay: add a site's own file before ours.  PORTAL_ERROR: err says
 * what and where.
 */
int portal_locale_add(portal_locale_t *locale, const portal_str_t *json,
    const portal_str_t *file, portal_error_t *err);

/* NULL: there is no such word. */
const portal_word_t *portal_locale_get(const portal_locale_t *locale,
    const portal_str_t *key);

const portal_str_t *portal_locale_code(const portal_locale_t *locale);


#endif /* _PORTAL_LOCALE_H_INCLUDED_ */
