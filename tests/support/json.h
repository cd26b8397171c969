/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/*
 * json.h - reads a JSON text that is known to be right (golden data of the tests) into a tree. What is wrong ends the program. No \u escapes.
 *
 *     json_t *root = json_parse(text);
 *     json_at(root, "config")->items[3].number
 */
#ifndef TEST_JSON_H
#define TEST_JSON_H

#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct json {
    char *name;         /* in an object, else NULL */
    char *text;         /* a string, else NULL */
    double number;      /* a number; 1 for true */
    struct json *items; /* of an array or object, in their order */
    uint32_t n, room;
} json_t;

static inline void json_wrong(const char *at) {
    fprintf(stderr, "json: cannot read \"%.20s\"\n", at);
    exit(1);
}

static inline const char *json_skip(const char *p) {
    while (isspace((unsigned char)*p) || *p == ',' || *p == ':') p++;
    return p;
}

static inline char *json_string(const char **p) {
    const char *end = strchr(++*p, '"');
    if (!end || memchr(*p, '\\', (size_t)(end - *p))) json_wrong(*p);
    char *text = (char *)calloc((size_t)(end - *p) + 1, 1);
    memcpy(text, *p, (size_t)(end - *p));
    *p = end + 1;
    return text;
}

static inline json_t *json_append(json_t *to) {
    if (to->n == to->room) {
        to->room = to->room ? 2 * to->room : 8;
        to->items = (json_t *)realloc(to->items, to->room * sizeof *to->items);
        if (!to->items) json_wrong("too much");
    }
    to->items[to->n] = (json_t){0};
    return &to->items[to->n++];
}

static inline void json_value(const char **p, json_t *out) {
    *p = json_skip(*p);
    if (**p == '[' || **p == '{') {
        char end = **p == '[' ? ']' : '}';
        for (*p = json_skip(*p + 1); **p != end; *p = json_skip(*p)) {
            json_t *item = json_append(out);
            if (end == '}') item->name = json_string(p);
            json_value(p, item);
        }
        ++*p;
    } else if (**p == '"') {
        out->text = json_string(p);
    } else if (isalpha((unsigned char)**p)) { /* true, false, null */
        out->number = **p == 't';
        while (isalpha((unsigned char)**p)) ++*p;
    } else {
        char *end;
        out->number = strtod(*p, &end);
        if (end == *p) json_wrong(*p);
        *p = end;
    }
}

static inline json_t *json_parse(const char *text) {
    json_t *root = (json_t *)calloc(1, sizeof *root);
    json_value(&text, root);
    return root;
}

/* The member of an object; there must be one. */
static inline const json_t *json_at(const json_t *object, const char *name) {
    for (uint32_t i = 0; i < object->n; i++)
        if (object->items[i].name && strcmp(object->items[i].name, name) == 0) return &object->items[i];
    json_wrong(name);
    return NULL;
}

static inline void json_clear(json_t *value) {
    for (uint32_t i = 0; i < value->n; i++) json_clear(&value->items[i]);
    free(value->items);
    free(value->name);
    free(value->text);
}

static inline void json_free(json_t *root) {
    json_clear(root);
    free(root);
}

#endif
