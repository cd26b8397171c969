/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* golden.h - tests/golden/original.json: what the original system answered (tests/golden/README.md). */
#ifndef TEST_GOLDEN_H
#define TEST_GOLDEN_H

#include "support/json.h"

/* `source` is the __FILE__ of a test two folders below tests/. Free with json_free(). */
static inline json_t *golden_load(const char *source) {
    char path[4096], *slash;
    snprintf(path, sizeof path, "%s", source);
    for (int up = 0; up < 2; up++)
        if ((slash = strrchr(path, '/'))) *slash = 0;
    strncat(path, "/golden/original.json", sizeof path - strlen(path) - 1);
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0) {
        fprintf(stderr, "golden: cannot read %s\n", path);
        exit(1);
    }
    size_t n = (size_t)ftell(file);
    char *text = (char *)calloc(n + 1, 1);
    rewind(file);
    if (fread(text, 1, n, file) != n) json_wrong(path);
    fclose(file);
    json_t *root = json_parse(text);
    free(text);
    return root;
}

#endif
