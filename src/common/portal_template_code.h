
/*
 * Copyright (C) the nginx client portal authors
 *
 * What the compiler and the renderer of templates share; private to both.
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
    unsigned                 empty:1;    /* missing, in a lenient set */
};


struct portal_template_set_s {
    portal_arena_t          *arena;
    portal_template_load_pt  load;
    portal_template_asset_pt asset;
    void                    *ctx;
    portal_locale_t         *locales[PORTAL_TEMPLATE_LOCALES];
    size_t                   nlocales;
    portal_template_t       *first;
    unsigned                 lenient:1;
};


/* How a value is written; bits of portal_render_class[]. */
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
    unsigned                 many:1;     /* the word's other pieces */
    unsigned                 encode;     /* by pipe url or json, or 0 */
    unsigned char            buf[256];
} portal_value_t;


/*
 * Passes value through the pipes, for the reader of the view.  What a pipe
 * cannot read, a date that is none, stays as it was.
 */
void portal_pipe_run(const portal_pipe_t *pipe, const portal_view_t *view,
    portal_value_t *value);

/* Bytes of the well-formed UTF-8 sequence at p, without NUL, or 0. */
size_t portal_utf8_sequence(const unsigned char *p,
    const unsigned char *last);


#endif /* _PORTAL_TEMPLATE_CODE_H_INCLUDED_ */
