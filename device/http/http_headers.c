/* SPDX-License-Identifier: Apache-2.0 */
#include "device/http/http_headers.h"

#include <stdlib.h>
#include <string.h>

#include "device/http/http_url.h"

static bool is_name(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    return name[0] != '\0' && name[strspn(name, token)] == '\0';
}

/* A line break in a value would end the header and start another one, or the body. */
static bool is_value(const char *value)
{
    for (; *value != '\0'; value++) {
        unsigned char c = (unsigned char)*value;
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static char *copy(const char *text)
{
    size_t size = strlen(text) + 1;
    char *fresh = malloc(size);
    return fresh == NULL ? NULL : memcpy(fresh, text, size);
}

static bool same_name(const char *a, const char *b)
{
    return http_span_is((http_span_t){a, strlen(a)}, b);
}

static void drop(otter_http_header_t *item)
{
    free((void *)(uintptr_t)item->name);
    free((void *)(uintptr_t)item->value);
}

static bool reserve(http_headers_t *headers)
{
    if (headers->count < headers->size) {
        return true;
    }
    size_t size = headers->size + 8;
    otter_http_header_t *items = realloc(headers->items, size * sizeof(*items));
    if (items == NULL) {
        return false;
    }
    headers->items = items;
    headers->size = size;
    return true;
}

esp_err_t http_headers_add(http_headers_t *headers, const char *name, const char *value)
{
    if (!is_name(name) || !is_value(value)) {
        return ESP_ERR_INVALID_ARG;
    }
    otter_http_header_t item = {.name = copy(name), .value = copy(value)};
    if (item.name == NULL || item.value == NULL || !reserve(headers)) {
        drop(&item);
        return ESP_ERR_NO_MEM;
    }
    headers->items[headers->count++] = item;
    return ESP_OK;
}

esp_err_t http_headers_set(http_headers_t *headers, const char *name, const char *value)
{
    esp_err_t err = http_headers_add(headers, name, value);
    if (err != ESP_OK) {
        return err;
    }
    otter_http_header_t added = headers->items[--headers->count];
    http_headers_remove(headers, name);
    headers->items[headers->count++] = added;
    return ESP_OK;
}

const char *http_headers_get(const http_headers_t *headers, const char *name)
{
    for (size_t i = 0; i < headers->count; i++) {
        if (same_name(headers->items[i].name, name)) {
            return headers->items[i].value;
        }
    }
    return NULL;
}

void http_headers_remove(http_headers_t *headers, const char *name)
{
    size_t kept = 0;
    for (size_t i = 0; i < headers->count; i++) {
        otter_http_header_t item = headers->items[i];
        if (same_name(item.name, name)) {
            drop(&item);
        } else {
            headers->items[kept++] = item;
        }
    }
    headers->count = kept;
}

void http_headers_clear(http_headers_t *headers)
{
    for (size_t i = 0; i < headers->count; i++) {
        drop(&headers->items[i]);
    }
    free(headers->items);
    *headers = (http_headers_t){0};
}
