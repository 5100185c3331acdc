/* SPDX-License-Identifier: Apache-2.0 */
#include "core/encrypted/encrypted.h"

#include <string.h>

#include "core/util/bytes.h"

/* Where things lie. */
#define OFF_KEY       4
#define OFF_POINT     OFF_KEY
#define OFF_SALT      (OFF_POINT + ENCRYPTED_POINT_BYTES)
#define OFF_KEY_SPARE (OFF_SALT + ENCRYPTED_SALT_BYTES)
#define OFF_IV        (OFF_KEY + ENCRYPTED_WRAPPED_BYTES)
#define OFF_LEN       (OFF_IV + ENCRYPTED_IV_BYTES)
#define OFF_TAG       (OFF_LEN + 4)
#define OFF_SPARE     (OFF_TAG + ENCRYPTED_TAG_BYTES)

const uint8_t encrypted_pbkdf2_salt[32] = {
    0x0e, 0x21, 0x60, 0x64, 0x2d, 0xae, 0x76, 0xd3, 0x34, 0x48, 0xe4, 0x3d, 0x77, 0x20, 0x12, 0x3d,
    0x9f, 0x3b, 0x1e, 0xce, 0xb8, 0x8e, 0x57, 0x3a, 0x4e, 0x8f, 0x7f, 0xb9, 0x4f, 0xf0, 0xc8, 0x69,
};

bool encrypted_is_magic(const uint8_t *bytes, size_t len)
{
    return len >= 4 && bytes_get_u32(bytes) == ENCRYPTED_MAGIC;
}

static encrypted_scheme_t detect_scheme(const uint8_t *bytes)
{
    return bytes_all(bytes + OFF_KEY_SPARE, OFF_IV - OFF_KEY_SPARE, 0) ? ENCRYPTED_P256 : ENCRYPTED_RSA3072;
}

encrypted_fault_t encrypted_parse(const uint8_t bytes[ENCRYPTED_HEADER_BYTES], encrypted_header_t *header)
{
    if (!encrypted_is_magic(bytes, ENCRYPTED_HEADER_BYTES)) {
        return ENCRYPTED_FAULT_MAGIC;
    }
    if (bytes_get_u32(bytes + OFF_LEN) == 0) {
        return ENCRYPTED_FAULT_EMPTY;
    }
    if (!bytes_all(bytes + OFF_SPARE, ENCRYPTED_HEADER_BYTES - OFF_SPARE, 0)) {
        return ENCRYPTED_FAULT_RESERVED;
    }
    *header = (encrypted_header_t){.scheme = detect_scheme(bytes), .image_len = bytes_get_u32(bytes + OFF_LEN)};
    if (header->scheme == ENCRYPTED_RSA3072) {
        memcpy(header->wrapped, bytes + OFF_KEY, sizeof(header->wrapped));
    } else {
        memcpy(header->point, bytes + OFF_POINT, sizeof(header->point));
        memcpy(header->salt, bytes + OFF_SALT, sizeof(header->salt));
    }
    memcpy(header->iv, bytes + OFF_IV, sizeof(header->iv));
    memcpy(header->tag, bytes + OFF_TAG, sizeof(header->tag));
    return ENCRYPTED_OK;
}

void encrypted_build(const encrypted_header_t *header, uint8_t bytes[ENCRYPTED_HEADER_BYTES])
{
    memset(bytes, 0, ENCRYPTED_HEADER_BYTES);
    bytes_put_u32(bytes, ENCRYPTED_MAGIC);
    if (header->scheme == ENCRYPTED_RSA3072) {
        memcpy(bytes + OFF_KEY, header->wrapped, sizeof(header->wrapped));
    } else {
        memcpy(bytes + OFF_POINT, header->point, sizeof(header->point));
        memcpy(bytes + OFF_SALT, header->salt, sizeof(header->salt));
    }
    memcpy(bytes + OFF_IV, header->iv, sizeof(header->iv));
    bytes_put_u32(bytes + OFF_LEN, header->image_len);
    memcpy(bytes + OFF_TAG, header->tag, sizeof(header->tag));
}

const char *encrypted_fault_text(encrypted_fault_t fault)
{
    static const char *const texts[] = {
        [ENCRYPTED_OK] = "nothing is wrong",
        [ENCRYPTED_FAULT_MAGIC] = "not an encrypted image: it does not begin with its magic number",
        [ENCRYPTED_FAULT_EMPTY] = "an encrypted image without an image in it",
        [ENCRYPTED_FAULT_RESERVED] =
            "an encrypted image whose reserved header bytes are not zero: damaged, or made by a later version",
    };
    return texts[fault];
}

const char *encrypted_scheme_name(encrypted_scheme_t scheme)
{
    return scheme == ENCRYPTED_RSA3072 ? "rsa3072" : "p256";
}

/* 0xFF if a byte is zero, otherwise 0; without a branch. */
static uint8_t zero_mask(uint8_t byte)
{
    return (uint8_t)(((uint32_t)byte - 1) >> 8);
}

/* The key's length is known, so each byte of the padding has its place: 00 02, anything but zero, 00, the key. */
void encrypted_unpad_key(const uint8_t padded[ENCRYPTED_WRAPPED_BYTES], const uint8_t instead[ENCRYPTED_KEY_BYTES],
                         uint8_t key[ENCRYPTED_KEY_BYTES])
{
    const size_t key_off = ENCRYPTED_WRAPPED_BYTES - ENCRYPTED_KEY_BYTES;
    uint8_t wrong = (uint8_t)(padded[0] | (padded[1] ^ 2) | padded[key_off - 1]);
    for (size_t i = 2; i < key_off - 1; i++) {
        wrong |= zero_mask(padded[i]);
    }
    uint8_t right = zero_mask(wrong);
    for (size_t i = 0; i < ENCRYPTED_KEY_BYTES; i++) {
        key[i] = (uint8_t)((padded[key_off + i] & right) | (instead[i] & (uint8_t)~right));
    }
}
