
/*
 * Copyright (C) the nginx client portal authors
 *
 * Types of files: "NAME NUL CONTENT".  A type that is given has the name's
 * extension, and one that a browser may show has the content's first bytes.
 */


#include "fuzz.h"
#include <strings.h>
#include "portal_type.h"


static int fuzz_has(const char *list, const char *ext);


static int
fuzz_has(const char *list, const char *ext)
{
    size_t  len;

    for ( /* void */ ; *list; list += len + (list[len] == ' ')) {
        len = strcspn(list, " ");

        if (strlen(ext) == len && strncasecmp(list, ext, len) == 0) {
            return 1;
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int                   rc;
    char                 *name, *ext;
    portal_str_t          n, content;
    const portal_type_t  *type;

    n = fuzz_piece(&data, &size);
    content = fuzz_copy(data, size);
    type = NULL;

    rc = portal_type_of(content.data, content.len, &n, &type);

    fuzz_check(rc == PORTAL_OK || rc == PORTAL_DECLINED);

    if (rc == PORTAL_OK) {
        name = malloc(n.len + 1);
        memcpy(name, n.data, n.len);
        name[n.len] = '\0';

        ext = strrchr(name, '.');

        fuzz_check(type && type->upload_ok && ext);
        fuzz_check(fuzz_has(type->extensions, ext));
        fuzz_check(!fuzz_has(".js .exe .sh .bat .php .hta", ext));

        if (strcmp(type->mime, "image/png") == 0) {
            fuzz_check(memcmp(content.data, "\211PNG", 4) == 0);

        } else if (strcmp(type->mime, "image/jpeg") == 0) {
            fuzz_check(memcmp(content.data, "\377\330", 2) == 0);

        } else if (strcmp(type->mime, "image/webp") == 0) {
            fuzz_check(memcmp(content.data, "RIFF", 4) == 0);

        } else if (strcmp(type->mime, "application/pdf") == 0) {
            fuzz_check(memmem(content.data, content.len, "%PDF", 4)
                       || memmem(content.data, content.len, "%!PS", 4)
                       || memmem(content.data, content.len, "%FDF", 4));
        }

        free(name);
    }

    free(content.data);
    free(n.data);

    return 0;
}
