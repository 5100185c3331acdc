/* SPDX-License-Identifier: Apache-2.0 */
#include "fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "otter/otter_crypto.h"

_Noreturn void fuzz_fail(const char *what, const char *file, int line)
{
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
    abort();
}

uint8_t fuzz_take_u8(fuzz_input_t *input)
{
    uint8_t value = 0;
    fuzz_take_bytes(input, &value, sizeof(value));
    return value;
}

uint16_t fuzz_take_u16(fuzz_input_t *input)
{
    uint16_t low = fuzz_take_u8(input);
    return (uint16_t)(low | fuzz_take_u8(input) << 8);
}

uint32_t fuzz_take_u32(fuzz_input_t *input)
{
    uint32_t low = fuzz_take_u16(input);
    return low | (uint32_t)fuzz_take_u16(input) << 16;
}

void fuzz_take_bytes(fuzz_input_t *input, void *dst, size_t len)
{
    len = len < input->left ? len : input->left;
    if (len > 0) {
        memcpy(dst, input->at, len);
        input->at += len;
        input->left -= len;
    }
}

void *fuzz_copy(const void *bytes, size_t len)
{
    void *copy = malloc(len > 0 ? len : 1);
    FUZZ_CHECK(copy != NULL);
    if (len > 0) {
        memcpy(copy, bytes, len);
    }
    return copy;
}

uint8_t *fuzz_take_rest(fuzz_input_t *input, size_t *len)
{
    *len = input->left;
    uint8_t *rest = fuzz_copy(input->at, input->left);
    input->left = 0;
    return rest;
}

char *fuzz_take_text(fuzz_input_t *input, char end)
{
    const uint8_t *stop = input->left > 0 ? memchr(input->at, end, input->left) : NULL;
    size_t len = stop != NULL ? (size_t)(stop - input->at) : input->left;
    char *text = malloc(len + 1);
    FUZZ_CHECK(text != NULL);
    fuzz_take_bytes(input, text, len);
    text[len] = '\0';
    for (size_t i = 0; i < len; i++) {
        text[i] = (char)(text[i] != '\0' ? text[i] : '?');
    }
    if (stop != NULL) {
        (void)fuzz_take_u8(input);
    }
    return text;
}

void fuzz_sha256(const uint8_t *bytes, size_t len, uint8_t *digest)
{
    otter_hash_t hash = {.opaque = {0}};
    FUZZ_CHECK(otter_hash_begin(&hash, OTTER_HASH_SHA256) == ESP_OK);
    FUZZ_CHECK(otter_hash_update(&hash, bytes, len) == ESP_OK);
    FUZZ_CHECK(otter_hash_finish(&hash, digest) == ESP_OK);
    otter_hash_free(&hash);
}
