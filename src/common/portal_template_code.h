
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the files of the template engine share, and nobody else includes:
 * portal_template.c has the sets, portal_compile.c and portal_compile_op.c
 * make the code, portal_render.c walks it, portal_scope.c finds values,
 * portal_pipe*.c change them, portal_escape.c writes them.
 */


#ifndef _PORTAL_TEMPLATE_CODE_H_INCLUDED_
#define _PORTAL_TEMPLATE_CODE_H_INCLUDED_


#include "portal_template.h"


typedef enum {
    portal_op_text = 0,
    portal_op_name,          /* {{name}} */
    portal_op_word,          /* {{@key}} */
    portal_op_section,       /* {{#name}} … end */
    portal_op_inverted,      /* {{^name}} … end */
    portal_op_partial,       /* {{>name}} */
    portal_op_dynamic,       /* {{>*name}} */
    portal_op_parent,        /* {{<name}} … end, blocks inside */
    portal_op_block          /* {{$name}} … end */
} portal_op_e;


typedef struct {
    portal_op_e              type;
    unsigned                 raw:1;
    unsigned                 lines:1;    /* a block that ends its line */
    unsigned                 line;
    size_t                   end;        /* behind the last op inside */
    portal_str_t             text;       /* text, key, name of a block */
    portal_str_t             indent;     /* of a standalone tag */
    portal_expr_t           *expr;
    portal_template_t       *template;   /* of a partial or parent */
    const portal_word_t     *words[PORTAL_TEMPLATE_LOCALES];
} portal_op_t;


struct portal_template_s {
    portal_template_set_t   *set;
    portal_template_t       *next;
    portal_str_t             name;
    portal_str_t             file;
    portal_op_t             *ops;
    size_t                   nops;
    size_t                   size;
    unsigned                 broken:1;   /* did not compile */
};


struct portal_template_set_s {
    portal_arena_t          *arena;
    portal_template_load_pt  load;
    portal_template_asset_pt asset;
    void                    *ctx;
    portal_locale_t         *locales[PORTAL_TEMPLATE_LOCALES];
    size_t                   nlocales;
    portal_template_t       *first;
    unsigned                 nested;     /* loads in progress */
    unsigned                 lenient:1;
    unsigned                 checked:1;  /* the words of its locales */
};


#define PORTAL_TEMPLATE_NEST  32


/* A tag that is not closed yet. */
typedef struct {
    size_t                   op;
    portal_str_t             name;
    unsigned                 line;
    portal_str_t             dedent;     /* before it */
    const unsigned char     *begin;      /* of its line */
    unsigned                 alone:1;
} portal_open_t;


typedef struct {
    portal_template_set_t   *set;
    portal_template_t       *t;
    portal_error_t          *err;
    const unsigned char     *p;
    const unsigned char     *last;
    unsigned                 line;
    unsigned                 tag;        /* line of the last tag */

    unsigned char            open[16];   /* delimiters */
    unsigned char            close[16];
    size_t                   nopen;
    size_t                   nclose;

    portal_open_t            stack[PORTAL_TEMPLATE_NEST];
    size_t                   depth;
    portal_str_t             dedent;     /* of the block around */

    const unsigned char     *begin;      /* of the line */
    unsigned                 plain:1;    /* white space only so far */
    unsigned                 frame:1;    /* or tags of inheritance */
} portal_compile_t;


#define PORTAL_RENDER_DEPTH  64
#define PORTAL_SCOPE_KNOWN   64


typedef struct {
    const portal_json_t     *doc;
    uint32_t                 node;
} portal_place_t;


/* A name once found in the roots: they stay, while sections come and go. */
typedef struct {
    const portal_str_t      *name;
    portal_place_t           place;
} portal_known_t;


typedef struct {
    portal_place_t           places[PORTAL_VIEW_ROOTS + PORTAL_RENDER_DEPTH];
    size_t                   nplaces;
    size_t                   nroots;     /* the first places */
    portal_known_t           known[PORTAL_SCOPE_KNOWN];
} portal_scope_t;


/* How a value is written; bits of portal_escape_class[]. */
#define PORTAL_ENCODE_RAW   0x01         /* only made well-formed */
#define PORTAL_ENCODE_HTML  0x02
#define PORTAL_ENCODE_JSON  0x04
#define PORTAL_ENCODE_URL   0x08


/* A value on its way through pipes. */
typedef struct {
    const portal_json_t     *doc;        /* of node; NULL: no value */
    uint32_t                 node;
    portal_str_t             text;
    const portal_word_t     *word;       /* to be written with its pieces */
    unsigned                 escaped:1;  /* text is JSON's, with escapes */
    unsigned                 made:1;     /* text is not the node's own */
    unsigned                 counted:1;  /* the word is of node's number */
    unsigned                 many:1;     /* the word's other pieces */
    unsigned                 encode;     /* by pipe url or json, or 0 */
    unsigned char            buf[256];
} portal_value_t;


/* A line that is put together; a piece that does not fit is left out. */
typedef struct {
    unsigned char           *pos;
    unsigned char           *last;
} portal_line_t;


typedef struct {
    const char              *name;
    portal_str_t             text;
} portal_field_t;


/* A number as it is written: no exponent, no spare white space. */
typedef struct {
    unsigned                 negative:1;
    portal_str_t             whole;
    portal_str_t             fraction;
} portal_decimal_t;


/* Compiles c->p to c->last. */
int portal_compile_text(portal_compile_t *c);

/* Notes the place, and what is wrong unless it stands in err already. */
int portal_compile_fail(portal_compile_t *c, const char *what,
    const portal_str_t *name);

/* A new op behind the others; NULL: no memory, noted. */
portal_op_t *portal_compile_op(portal_compile_t *c, portal_op_e type);

/* A tag whose name, without white space around, is s. */
int portal_compile_open(portal_compile_t *c, unsigned char sigil,
    const portal_str_t *s, const portal_str_t *indent, int alone);
int portal_compile_close(portal_compile_t *c, const portal_str_t *s,
    int alone);
int portal_compile_value(portal_compile_t *c, const portal_str_t *s,
    unsigned raw);
int portal_compile_word(portal_compile_t *c, const portal_str_t *key,
    unsigned raw);
int portal_compile_partial(portal_compile_t *c, const portal_str_t *s,
    const portal_str_t *indent);

/* The words that the pipes of an expression name are there. */
int portal_template_keys(const portal_template_set_t *set,
    const portal_expr_t *expr, portal_error_t *err);

/* PORTAL_ERROR: it includes itself whatever the page says. */
int portal_template_ends(const portal_template_t *t);

/* PORTAL_DECLINED: there is no such value.  expr is no literal. */
int portal_scope_find(portal_scope_t *scope, const portal_expr_t *expr,
    portal_place_t *place);

/* 1: a section on it is rendered. */
int portal_scope_true(const portal_place_t *place);

/*
 * Passes value through the pipes, for the reader of the view.  What a pipe
 * cannot read, a date that is none, stays as it was.
 */
void portal_pipe_run(const portal_pipe_t *pipe, const portal_view_t *view,
    portal_value_t *value);
void portal_pipe_when(portal_pipe_e type, const portal_format_t *f,
    const portal_str_t *today, portal_value_t *value);
void portal_pipe_size(const portal_format_t *f, portal_value_t *value);
void portal_pipe_money(const portal_format_t *f, const portal_str_t *code,
    portal_value_t *value);
void portal_pipe_number(const portal_format_t *f, portal_value_t *value);

/* PORTAL_ERROR: s is no such number, or has more than 40 digits. */
int portal_pipe_decimal(const portal_str_t *s, portal_decimal_t *d);

/* The first letter of s in capitals, 1 to 4 bytes; 0: s is no text. */
size_t portal_pipe_upper(const unsigned char *p, const unsigned char *last,
    unsigned char out[4]);

void portal_line_start(portal_line_t *l, unsigned char *buf, size_t size);
void portal_line_str(portal_line_t *l, const portal_str_t *s);

/* Adds a locale's pattern with its {fields} filled in. */
void portal_line_pattern(portal_line_t *l, const portal_str_t *pattern,
    const portal_field_t *fields, size_t n);

/* The line, begun in the value's buffer, is the value's text now. */
void portal_line_done(portal_line_t *l, portal_value_t *value);

/* Writes data as it is. */
int portal_escape_add(portal_out_t *out, const void *data, size_t len);

/* Writes text that is UTF-8 or not; encode: of PORTAL_ENCODE_*. */
int portal_escape_text(portal_out_t *out, const unsigned char *p,
    const unsigned char *last, unsigned encode);

/* Writes the text of a value; raw: not as HTML. */
int portal_escape_value(portal_out_t *out, const portal_value_t *value,
    unsigned raw);

/* Bytes of the well-formed UTF-8 sequence at p, without NUL, or 0. */
size_t portal_utf8_sequence(const unsigned char *p,
    const unsigned char *last);


#endif /* _PORTAL_TEMPLATE_CODE_H_INCLUDED_ */
