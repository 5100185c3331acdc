/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "device/https_ota/https_ota.h"

/* What is sent by mistake, by its first bytes. */
static const struct kind {
    const char *start;
    size_t len;
    const char *text;
} kinds[] = {
    {"\xe9", 1, "an image of another kind"},
    {"<", 1, "an HTML or XML page"},
    {"{", 1, "JSON"},
    {"[", 1, "JSON"},
    {"\x1f\x8b", 2, "gzip data: serve the image uncompressed"},
    {"\x28\xb5\x2f\xfd", 4, "zstd data: serve the image uncompressed"},
    {"\xfd\x37\x7a\x58\x5a", 5, "xz data: serve the image uncompressed"},
    {"PK", 2, "a ZIP archive"},
    {"\x7f"
     "ELF",
     4, "an ELF file: serve the app image made from it"},
    {":10", 3, "an Intel HEX file"},
    {"UF2\n", 4, "a UF2 file"},
    {"\xcf\xb6\x88\x07", 4, "an encrypted image (esp_encrypted_img)"},
    {"\xff\xff\xff\xff", 4, "erased flash: a whole flash image, not an app"},
};

/* Fewest bytes at the start that must be printable for it to be text. */
#define TEXT_BYTES 8

static bool is_text(const uint8_t *bytes)
{
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        bool printable = bytes[i] >= 0x20 && bytes[i] < 0x7f;
        bool space = bytes[i] == '\n' || bytes[i] == '\r' || bytes[i] == '\t';
        if (!printable && !space) {
            return false;
        }
    }
    return true;
}

const char *https_ota_sniff(const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (len >= kinds[i].len && memcmp(bytes, kinds[i].start, kinds[i].len) == 0) {
            return kinds[i].text;
        }
    }
    return len >= TEXT_BYTES && is_text(bytes) ? "text" : "unknown data";
}
