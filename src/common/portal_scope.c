
/*
 * Copyright (C) the nginx client portal authors
 *
 * Names of a template in the page's JSON: the nodes that sections entered,
 * the innermost first, then the view's roots.  Only the first part of a
 * dotted name is searched for like that, as the specification says.
 */


#include "portal_template_code.h"


static int portal_scope_name(portal_scope_t *scope, const portal_str_t *name,
    portal_place_t *place);


int
portal_scope_find(portal_scope_t *scope, const portal_expr_t *expr,
    portal_place_t *place)
{
    unsigned  i;

    if (scope->nplaces == 0 || expr->literal.data) {
        return PORTAL_DECLINED;
    }

    if (expr->nparts == 0) {
        *place = scope->places[scope->nplaces - 1];
        return PORTAL_OK;
    }

    if (portal_scope_name(scope, &expr->parts[0], place) != PORTAL_OK) {
        return PORTAL_DECLINED;
    }

    for (i = 1; i < expr->nparts; i++) {
        place->node = portal_json_member(place->doc, place->node,
                                         &expr->parts[i]);

        if (place->node == PORTAL_JSON_NONE) {
            return PORTAL_DECLINED;
        }
    }

    return PORTAL_OK;
}


static int
portal_scope_name(portal_scope_t *scope, const portal_str_t *name,
    portal_place_t *place)
{
    size_t           i;
    portal_known_t  *known;

    /* one place for each name of the templates, by its address */

    known = &scope->known[(uintptr_t) name / sizeof(portal_str_t)
                          % PORTAL_SCOPE_KNOWN];

    for (i = scope->nplaces; i-- > 0; /* void */ ) {

        if (i + 1 == scope->nroots && known->name == name) {
            *place = known->place;
            return place->node == PORTAL_JSON_NONE ? PORTAL_DECLINED
                                                   : PORTAL_OK;
        }

        place->doc = scope->places[i].doc;
        place->node = portal_json_member(place->doc, scope->places[i].node,
                                         name);

        if (place->node != PORTAL_JSON_NONE) {
            break;
        }
    }

    if (i < scope->nroots || i == (size_t) -1) {
        known->name = name;
        known->place = *place;
    }

    return place->node == PORTAL_JSON_NONE ? PORTAL_DECLINED : PORTAL_OK;
}


/*
 * The specification knows null, false and the empty list; the empty text
 * and zero are added, for a count or a text that there is not.
 */

int
portal_scope_true(const portal_place_t *place)
{
    const unsigned char       *p, *last;
    const portal_json_node_t  *node;

    node = &place->doc->nodes[place->node];

    switch (node->type) {

    case portal_json_null:
    case portal_json_false:
        return 0;

    case portal_json_string:
    case portal_json_array:
        return node->len != 0;

    case portal_json_number:
        p = place->doc->text + node->start;
        last = p + node->len;

        while (p < last && (*p == '0' || *p == '.' || *p == '-')) {
            p++;
        }

        return p < last && *p >= '1' && *p <= '9';

    default:
        return 1;
    }
}
