
/*
 * Copyright (C) the nginx client portal authors
 *
 * Types of files (see portal_type.h).  What a browser could run (HTML, SVG,
 * XML) may be deposited, since accountants send it, but is never shown
 * inline; scripts and programs are not taken at all.
 */


#include <magic.h>
#include <pthread.h>
#include <stdlib.h>
#include <strings.h>
#include "portal_type.h"


static const portal_type_t  portal_types[] = {
    { "application/octet-stream", "any", "", 0, 0 },
    { "application/pdf", "pdf", ".pdf", 1, 1 },
    { "image/png", "img", ".png", 1, 1 },
    { "image/jpeg", "img", ".jpg .jpeg", 1, 1 },
    { "image/webp", "img", ".webp", 1, 1 },
    { "image/gif", "img", ".gif", 0, 1 },
    { "image/tiff", "img", ".tif .tiff", 0, 1 },
    { "image/heic", "img", ".heic .heif", 0, 1 },
    { "image/heif", "img", ".heif .heic", 0, 1 },
    { "text/csv", "csv", ".csv", 0, 1 },
    { "text/plain", "any", ".txt .log .md .fec .asc", 0, 1 },
    { "text/xml", "xml", ".xml", 0, 1 },
    { "application/xml", "xml", ".xml", 0, 1 },
    { "text/html", "any", ".html .htm", 0, 1 },
    { "image/svg+xml", "img", ".svg", 0, 1 },
    { "application/zip", "zip", ".zip", 0, 1 },
    { "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
      "xls", ".xlsx", 0, 1 },
    { "application/vnd.openxmlformats-officedocument.wordprocessingml"
      ".document", "doc", ".docx", 0, 1 },
    { "application/vnd.openxmlformats-officedocument.presentationml"
      ".presentation", "doc", ".pptx", 0, 1 },
    { "application/vnd.oasis.opendocument.spreadsheet", "xls", ".ods", 0, 1 },
    { "application/vnd.oasis.opendocument.text", "doc", ".odt", 0, 1 },
    { "application/vnd.ms-excel", "xls", ".xls", 0, 1 },
    { "application/msword", "doc", ".doc", 0, 1 },
    { "application/rtf", "doc", ".rtf", 0, 1 },
    { "message/rfc822", "doc", ".eml", 0, 1 },
    { "application/vnd.ms-outlook", "doc", ".msg", 0, 1 },
    { NULL, NULL, NULL, 0, 0 }
};


/* never taken, whatever they contain */

static const char  portal_type_never[] =
    ".js .mjs .svgz .xhtml .xht .mht .mhtml .swf .exe .msi .dll .bat .cmd "
    ".com .scr .ps1 .vbs .jar .apk .sh .php .hta .lnk .wsf";


static pthread_key_t   portal_magic_key;
static pthread_once_t  portal_magic_once = PTHREAD_ONCE_INIT;


static void portal_magic_init(void);
static void portal_magic_free(void *data);
static magic_t portal_magic(void);
static const portal_type_t *portal_type_find(const char *mime, size_t len);
static int portal_type_has(const char *list, const portal_str_t *ext);
static const portal_type_t *portal_type_named(const portal_str_t *ext);
static int portal_type_is_letter(const unsigned char *head, size_t len);


static void
portal_magic_init(void)
{
    (void) pthread_key_create(&portal_magic_key, portal_magic_free);
}


static void
portal_magic_free(void *data)
{
    magic_close(data);
}


static magic_t
portal_magic(void)
{
    size_t   regex_max = 1024;
    magic_t  magic;

    (void) pthread_once(&portal_magic_once, portal_magic_init);

    magic = pthread_getspecific(portal_magic_key);

    if (magic) {
        return magic;
    }

    magic = magic_open(MAGIC_MIME_TYPE | MAGIC_NO_CHECK_COMPRESS
                       | MAGIC_NO_CHECK_ELF | MAGIC_NO_CHECK_TAR);

    if (magic == NULL) {
        return NULL;
    }

    /* what somebody sends must not cost more than a few milliseconds */

    (void) magic_setparam(magic, MAGIC_PARAM_REGEX_MAX, &regex_max);

    if (magic_load(magic, NULL) != 0
        || pthread_setspecific(portal_magic_key, magic) != 0)
    {
        magic_close(magic);
        return NULL;
    }

    return magic;
}


static const portal_type_t *
portal_type_find(const char *mime, size_t len)
{
    const portal_type_t  *type;

    for (type = portal_types; type->mime; type++) {
        if (strlen(type->mime) == len && memcmp(type->mime, mime, len) == 0) {
            return type;
        }
    }

    return NULL;
}


unsigned
portal_type_index(const portal_str_t *mime)
{
    const portal_type_t  *type;

    type = portal_type_find((const char *) mime->data, mime->len);

    return type ? (unsigned) (type - portal_types) : 0;
}


const portal_type_t *
portal_type_at(unsigned index)
{
    return index < sizeof(portal_types) / sizeof(portal_types[0]) - 1
           ? &portal_types[index] : &portal_types[0];
}


static int
portal_type_has(const char *list, const portal_str_t *ext)
{
    size_t       len;
    const char  *p;

    if (ext->len < 2) {
        return 0;
    }

    for (p = list; *p; p += len + (p[len] == ' ')) {
        len = strcspn(p, " ");

        if (len == ext->len
            && strncasecmp(p, (const char *) ext->data, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static const portal_type_t *
portal_type_named(const portal_str_t *ext)
{
    const portal_type_t  *type;

    for (type = portal_types; type->mime; type++) {
        if (portal_type_has(type->extensions, ext)) {
            return type;
        }
    }

    return NULL;
}


/* A text of one byte: libmagic looks at nothing shorter than two. */

static int
portal_type_is_letter(const unsigned char *head, size_t len)
{
    return len == 1 && ((head[0] >= 0x20 && head[0] < 0x7f)
                        || head[0] == '\n' || head[0] == '\r'
                        || head[0] == '\t');
}


int
portal_type_of(const unsigned char *head, size_t len,
    const portal_str_t *name, const portal_type_t **type)
{
    size_t                i;
    magic_t               magic;
    const char           *mime;
    portal_str_t          ext;
    const portal_type_t  *content, *named;

    for (i = name->len; i > 0 && name->data[i - 1] != '.'; i--) {
        /* void */
    }

    ext.data = name->data + (i ? i - 1 : 0);
    ext.len = i ? name->len - i + 1 : 0;

    if (portal_type_has(portal_type_never, &ext)) {
        return PORTAL_DECLINED;
    }

    magic = portal_magic();
    if (magic == NULL) {
        return PORTAL_ERROR;
    }

    mime = portal_type_is_letter(head, len)
           ? "text/plain" : magic_buffer(magic, head, len);

    if (mime == NULL) {

        /* with some contents libmagic ends without a type nor an error */

        return magic_errno(magic) ? PORTAL_ERROR : PORTAL_DECLINED;
    }

    content = portal_type_find(mime, strlen(mime));
    named = portal_type_named(&ext);

    if (content && content->extensions[0]
        && portal_type_has(content->extensions, &ext))
    {
        *type = content;
        return PORTAL_OK;
    }

    if (named == NULL) {
        return PORTAL_DECLINED;
    }

    /* containers and texts: the content allows it, the name decides */

    if (strncmp(mime, "text/", 5) == 0 || strcmp(mime, "application/csv") == 0
        || strcmp(mime, "application/json") == 0)
    {
        if (strncmp(named->mime, "text/", 5) == 0
            || strcmp(named->mime, "application/xml") == 0
            || strcmp(named->mime, "application/rtf") == 0
            || strcmp(named->mime, "message/rfc822") == 0
            || strcmp(named->mime, "image/svg+xml") == 0)
        {
            *type = named;
            return PORTAL_OK;
        }
    }

    if (strcmp(mime, "application/zip") == 0
        && (strncmp(named->mime, "application/vnd.o", 17) == 0))
    {
        *type = named;
        return PORTAL_OK;
    }

    /* the families that libmagic names in more than one way */

    if (strncmp(mime, "application/vnd.ms-", 19) == 0
        || strcmp(mime, "application/CDFV2") == 0
        || strcmp(mime, "application/x-ole-storage") == 0)
    {
        if (strcmp(named->mime, "application/msword") == 0
            || strncmp(named->mime, "application/vnd.ms-", 19) == 0)
        {
            *type = named;
            return PORTAL_OK;
        }
    }

    return PORTAL_DECLINED;
}


int
portal_type_extensions(portal_buf_t *b)
{
    size_t                i;
    const char           *p;
    portal_str_t          ext;
    const portal_type_t  *type;

    for (type = portal_types; type->mime; type++) {

        if (!type->upload_ok) {
            continue;
        }

        for (p = type->extensions; *p; p += ext.len + (p[ext.len] == ' ')) {
            ext.data = (unsigned char *) p;
            ext.len = strcspn(p, " ");

            /* an extension of two types is told once */

            for (i = 0; portal_types + i < type
                        && !portal_type_has(portal_types[i].extensions,
                                            &ext);
                 i++)
            {
                /* void */
            }

            if (portal_types + i == type) {
                portal_buf_puts(b, b->len ? "," : "");
                portal_buf_str(b, &ext);
            }
        }
    }

    return b->failed ? PORTAL_ERROR : PORTAL_OK;
}
