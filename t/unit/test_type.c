
/*
 * Copyright (C) the nginx client portal authors
 *
 * Types of files by their content and name.
 */


#include <pthread.h>
#include "portal_type.h"
#include "tap.h"


static void type_is(const void *data, size_t len, const char *name,
    const char *want);
static size_t zip_add(unsigned char *p, const char *name, const char *data);
static void test_images(void);
static void test_texts(void);
static void test_documents(void);
static void test_zip(void);
static void test_contradictions(void);
static void test_never(void);
static void test_table(void);
static void test_extensions(void);
static void test_threads(void);
static void *in_thread(void *arg);
static void test_real(void);


#define PNG   "\211PNG\r\n\032\n\0\0\0\rIHDR\0\0\0\001\0\0\0\001\010\0\0\0\0" \
              "\072\176\233\125\0\0\0\0IEND\256B\140\202"
#define JPEG  "\377\330\377\340\0\020JFIF\0\001\001\0\0\001\0\001\0\0\377\331"
#define WEBP  "RIFF\032\0\0\0WEBPVP8L\r\0\0\0\057\0\0\0\020\007\020\021\021"
#define GIF   "GIF89a\001\0\001\0\0\0\0;"
#define PDF   "%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
#define XML   "<?xml version=\"1.0\"?>\n<Invoice xmlns=\"urn:x\"/>\n"
#define SVG   "<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>"
#define HTML  "<!doctype html><html><head><title>x</title></head></html>"
#define OLE   "\320\317\021\340\241\261\032\341\0\0\0\0\0\0\0\0\0\0\0\0"          \
              "\0\0\0\0\076\0\003\0\376\377\011\0"


/* want: the type, "-" where the file is not taken. */

static void
type_is(const void *data, size_t len, const char *name, const char *want)
{
    int                   rc;
    const char           *got;
    portal_str_t          n, exact;
    const portal_type_t  *type;

    n = str_exact(name, strlen(name));
    exact = str_exact(data, len);
    type = NULL;

    rc = portal_type_of(exact.data, len, &n, &type);

    got = rc == PORTAL_OK ? type->mime : rc == PORTAL_DECLINED ? "-" : "?";

    is_text(got, want, name);

    free(exact.data);
    free(n.data);
}


#define type(data, name, want)  type_is(data, sizeof(data) - 1, name, want)

static void
test_images(void)
{
    type(PNG, "a.png", "image/png");
    type(JPEG, "a.jpg", "image/jpeg");
    type(JPEG, "a.jpeg", "image/jpeg");
    type(JPEG, "A.JPG", "image/jpeg");
    type(WEBP, "a.webp", "image/webp");
    type(GIF, "a.gif", "image/gif");
    type(SVG, "a.svg", "image/svg+xml");
}


static void
test_texts(void)
{
    type("a;b;c\n1;2;3\n", "a.csv", "text/csv");
    type("a,b,c\n1,2,3\n4,5,6\n", "a.csv", "text/csv");
    type("JournalCode|JournalLib\nVE|Ventes\n", "a.txt", "text/plain");
    type("caf\351\n", "a.txt", "text/plain");
    type("x", "a.txt", "text/plain");
    type("\n", "a.csv", "text/csv");
    type("x", "a.pdf", "-");
    type("\001", "a.txt", "-");
    type("\351", "a.txt", "-");
    type("# title\n", "a.md", "text/plain");
    type(XML, "a.xml", "text/xml");
    type("<Invoice/>\n", "a.xml", "text/xml");
    type(HTML, "a.html", "text/html");
    type(HTML, "a.htm", "text/html");
    type("{\"a\":1}", "a.txt", "text/plain");
    type("{\\rtf1\\ansi x}", "a.rtf", "application/rtf");
    type("From: a@b.c\nTo: d@e.f\nSubject: x\nDate: Thu, 5 Mar 2026 10:00:00"
         " +0100\nMessage-ID: <x@y>\n\nhello\n", "a.eml", "message/rfc822");
}


static void
test_documents(void)
{
    unsigned char  ole[512];

    type(PDF, "a.pdf", "application/pdf");
    type(PDF, "a.b.c.PDF", "application/pdf");
    type(PDF, ".pdf", "application/pdf");

    memset(ole, 0, sizeof(ole));
    memcpy(ole, OLE, sizeof(OLE));

    type_is(ole, sizeof(ole), "a.xls", "application/vnd.ms-excel");
    type_is(ole, sizeof(ole), "a.doc", "application/msword");
    type_is(ole, sizeof(ole), "a.msg", "application/vnd.ms-outlook");
    type_is(ole, sizeof(ole), "a.pdf", "-");
    type_is(ole, sizeof(ole), "a.xlsx", "-");
}


/* A local entry of a zip, stored: libmagic reads no more. */

static size_t
zip_add(unsigned char *p, const char *name, const char *data)
{
    size_t  n, d;

    n = strlen(name);
    d = strlen(data);

    memset(p, 0, 30);
    memcpy(p, "PK\003\004\024", 5);
    p[18] = (unsigned char) d;
    p[22] = (unsigned char) d;
    p[26] = (unsigned char) n;
    memcpy(p + 30, name, n);
    memcpy(p + 30 + n, data, d);

    return 30 + n + d;
}


static void
test_zip(void)
{
    size_t         n;
    unsigned char  zip[1024];

    n = zip_add(zip, "a.txt", "x");
    n += zip_add(zip + n, "b.txt", "x");

    type_is(zip, n, "a.zip", "application/zip");
    type_is(zip, n, "a.jar", "-");
    type_is(zip, n, "a.pdf", "-");
    type_is(zip, n, "a.ods", "application/vnd.oasis.opendocument.spreadsheet");

    n = zip_add(zip, "[Content_Types].xml", "<Types/>");
    n += zip_add(zip + n, "_rels/.rels", "<r/>");
    n += zip_add(zip + n, "xl/workbook.xml", "<w/>");

    type_is(zip, n, "a.xlsx",
            "application/vnd.openxmlformats-officedocument.spreadsheetml"
            ".sheet");
    type_is(zip, n, "a.docx", "-");
    type_is(zip, n, "a.png", "-");

    n = zip_add(zip, "mimetype", "application/vnd.oasis.opendocument.text");
    n += zip_add(zip + n, "content.xml", "<x/>");

    type_is(zip, n, "a.odt", "application/vnd.oasis.opendocument.text");
    type_is(zip, n, "a.ods", "-");
}


/* What the name says and the content does not. */

static void
test_contradictions(void)
{
    unsigned char  odd[41];

    type(PNG, "a.jpg", "-");
    type(PNG, "a.pdf", "-");
    type(PNG, "a.txt", "-");
    type(PDF, "a.txt", "-");
    type(PDF, "a.png", "-");
    type(HTML, "a.pdf", "-");
    type(HTML, "a.png", "-");
    type(HTML, "a.zip", "-");
    type(HTML, "a.xlsx", "-");
    type(SVG, "a.png", "-");
    type(GIF "/*" PDF, "a.pdf", "-");
    type(OLE, "a.pdf", "-");
    type("MZ\0\0", "a.pdf", "-");
    type("MZ\0\0", "a.xls", "-");
    type("\0\0\0\0", "a.bin", "-");
    type("\0\001\002\003", "a.txt", "-");
    type(PDF, "a", "-");
    type(PDF, "", "-");
    type(PDF, "a.", "-");
    type(PDF, "pdf", "-");
    type(PDF, "a.pd", "-");
    type(PDF, "a.pdfx", "-");
    type("", "a.pdf", "-");
    type("", "a.txt", "-");

    /* libmagic has no type for this, and no error */

    memset(odd, 0xff, sizeof(odd));
    memcpy(odd, "\0\0\376", 3);
    memcpy(odd + sizeof(odd) - 5, "e\344\344\344Z", 5);
    type_is(odd, sizeof(odd), "a.txt", "-");

    /* a page that calls itself a text is a text: it is never shown inline */

    type(HTML, "a.txt", "text/plain");
    type(HTML, "a.csv", "text/csv");
    type(XML, "a.svg", "image/svg+xml");
}


static void
test_never(void)
{
    size_t  i;

    static const char  *names[] = {
        "a.js", "a.mjs", "a.exe", "a.EXE", "a.bat", "a.cmd", "a.ps1",
        "a.vbs", "a.jar", "a.sh", "a.php", "a.hta", "a.lnk", "a.msi",
        "a.scr", "a.xhtml", "a.mhtml", "a.swf", "a.svgz", "a.pdf.exe", NULL
    };

    for (i = 0; names[i]; i++) {
        type("alert(1)\n", names[i], "-");
    }

    type(PDF, "a.exe", "-");
    type(PDF, "a.js.pdf", "application/pdf");
}


static void
test_table(void)
{
    unsigned              i, n, bad;
    portal_str_t          mime;
    const portal_type_t  *t;

    mime = str("application/pdf");
    t = portal_type_at(portal_type_index(&mime));
    is_text(t->mime, "application/pdf", "from a name to a place and back");
    is_int(t->inline_ok, 1, "a browser may show it");

    mime = str("application/x-unknown");
    is_int(portal_type_index(&mime), 0, "the unknown");
    mime = str("application/pd");
    is_int(portal_type_index(&mime), 0, "the beginning of a name");
    is_text(portal_type_at(0)->mime, "application/octet-stream", "are bytes");
    is_int(portal_type_at(0)->inline_ok, 0, "never shown");
    ok(portal_type_at(1000) == portal_type_at(0)
       && portal_type_at(UINT32_MAX) == portal_type_at(0),
       "a place beyond the table");

    bad = 0;
    n = 0;

    for (i = 1; portal_type_at(i) != portal_type_at(0); i++) {
        t = portal_type_at(i);
        mime = str(t->mime);

        bad += portal_type_index(&mime) != i;
        bad += t->inline_ok && (strstr(t->mime, "xml")
                                || strstr(t->mime, "html")
                                || strncmp(t->mime, "text/", 5) == 0);
        n += t->inline_ok;
    }

    mime = str("application/vnd.ms-outlook");
    is_text(portal_type_at(portal_type_index(&mime))->mime,
            "application/vnd.ms-outlook", "the last type");

    is_int(bad, 0, "each type has one place, and what could run is not shown");
    is_int(n, 4, "four types are shown");
    ok(portal_type_at(i - 1)->mime && i > 20, "the last of %u types", i);
}


static void
test_extensions(void)
{
    int              bad;
    char            *list, *p, *q;
    size_t           n;
    portal_buf_t     b;
    portal_arena_t  *arena;

    arena = portal_arena_create();
    portal_buf_init(&b, arena, 4096);

    is_int(portal_type_extensions(&b), PORTAL_OK, "the list for accept=");
    portal_buf_add(&b, "", 1);

    list = (char *) b.data;
    ok(strncmp(list, ".pdf,.png,.jpg,", 15) == 0, "begins with the usual");

    bad = 0;

    for (p = list; p; p = strchr(p + 1, '.')) {
        n = strcspn(p, ",");
        bad += n < 2 || (p > list && p[-1] != ',');

        for (q = p + n; *q; q += strcspn(q, ",")) {
            q++;
            bad += strcspn(q, ",") == n && memcmp(p, q, n) == 0;
        }
    }

    is_int(bad, 0, "extensions, each once");

    portal_buf_init(&b, arena, 10);
    is_int(portal_type_extensions(&b), PORTAL_ERROR, "a limit");

    portal_arena_destroy(arena);
}


static void *
in_thread(void *arg)
{
    int                   i, *bad = arg;
    portal_str_t          name;
    const portal_type_t  *t;

    name = str("a.pdf");

    for (i = 0; i < 20; i++) {
        *bad += portal_type_of((unsigned char *) PDF, sizeof(PDF) - 1, &name,
                               &t) != PORTAL_OK
                || strcmp(t->mime, "application/pdf") != 0;
        *bad += portal_type_of((unsigned char *) PNG, sizeof(PNG) - 1, &name,
                               &t) != PORTAL_DECLINED;
    }

    return NULL;
}


/* Each thread has a handle of its own, which goes with it. */

static void
test_threads(void)
{
    int        i, bad[3];
    pthread_t  threads[3];

    for (i = 0; i < 3; i++) {
        bad[i] = 0;

        if (pthread_create(&threads[i], NULL, in_thread, &bad[i]) != 0) {
            abort();
        }
    }

    for (i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }

    is_int(bad[0] + bad[1] + bad[2], 0, "three threads at once");
}


/* Invoices as companies send them, where they are at hand. */

static void
test_real(void)
{
    FILE           *f;
    size_t          i, n;
    char            path[256];
    unsigned char  *head;

    static const char  *files[] = {
        "Avoir_FR_type381_BASIC.pdf", "Facture_DOM_BASICWL.pdf",
        "Facture_DOM_MINIMUM.pdf", "Facture_FR_BASICWL.pdf",
        "Facture_FR_MINIMUM.pdf", NULL
    };

    head = malloc(65536);

    for (i = 0; files[i]; i++) {
        snprintf(path, sizeof(path), "../shared/data/documents/%s", files[i]);

        f = fopen(path, "r");

        if (f == NULL) {
            tap_skip("no file, %s", path);
            continue;
        }

        n = fread(head, 1, 65536, f);
        fclose(f);

        type_is(head, n, files[i], "application/pdf");
    }

    free(head);
}


int
main(void)
{
    test_images();
    test_texts();
    test_documents();
    test_zip();
    test_contradictions();
    test_never();
    test_table();
    test_extensions();
    test_threads();
    test_real();

    return tap_done();
}
