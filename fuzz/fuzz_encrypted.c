/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Encrypted images: what was made for the device comes out as it went in, in whatever pieces, also resumed; with any bit changed
 * it does not end well; and of any other bytes no more comes out than the header announces.
 *
 * Input: flags (see below), step, where it is resumed, which bit to change, header (512 bytes), image.
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "device/encrypted_img/decrypter.h"
#include "esp_ota_ops.h"
#include "otter/otter_encrypt.h"

enum { MAKE = 1, CHANGE = 2, FIX_MAGIC = 4, FIX_LEN = 8, FIX_SPARE = 16, FIX_POINT = 32 };

#define SPARE_OFF 424

/* The device, and a sender's key: the same for every input. Never freed. */
static struct {
    bool ready;
    decrypter_t decrypter;
    uint8_t point[ENCRYPTED_POINT_BYTES];
    uint8_t key[ENCRYPTED_KEY_BYTES]; /* What both agree on, with the salt zero. */
} fixed;

static void agree(const otter_decrypt_key_t *own)
{
    uint8_t point[ENCRYPTED_POINT_BYTES];
    uint8_t secret[OTTER_P256_SECRET_BYTES];
    static const uint8_t salt[ENCRYPTED_SALT_BYTES];
    FUZZ_CHECK(otter_encrypt_public_point(own, fixed.point) == ESP_OK);
    FUZZ_CHECK(otter_encrypt_public_point(&fixed.decrypter.key, point) == ESP_OK);
    FUZZ_CHECK(otter_decrypt_ecdh(own, point, secret) == ESP_OK);
    FUZZ_CHECK(otter_hkdf_sha256((otter_bytes_t){salt, sizeof(salt)}, (otter_bytes_t){secret, sizeof(secret)},
                                 (otter_bytes_t){ENCRYPTED_HKDF_INFO, 16}, fixed.key, sizeof(fixed.key)) == ESP_OK);
}

static void make_fixed(void)
{
    static const uint8_t hmac_key[32] = {1};
    static const uint8_t number[OTTER_P256_SECRET_BYTES] = {2};
    char reason[OTTER_DECRYPT_REASON_BYTES];
    otter_decrypt_key_t own;
    if (fixed.ready) {
        return;
    }
    FUZZ_CHECK(decrypter_open_derived(&fixed.decrypter, hmac_key, reason) == ESP_OK);
    FUZZ_CHECK(otter_decrypt_make_key(&own, number) == ESP_OK);
    agree(&own);
    otter_decrypt_free_key(&own);
    fixed.ready = true;
}

/* ---- A file ---- */

typedef struct file {
    uint8_t flags;
    size_t step;
    uint32_t resume_off;
    uint16_t where;
    const uint8_t *image;
    size_t image_len;
    uint8_t *bytes;
    size_t len;
} file_t;

static void seal(file_t *file, const uint8_t iv[ENCRYPTED_IV_BYTES])
{
    encrypted_header_t header = {.scheme = ENCRYPTED_P256, .image_len = (uint32_t)file->image_len};
    otter_gcm_t gcm = {{0}};
    memcpy(header.point, fixed.point, sizeof(header.point));
    memcpy(header.iv, iv, sizeof(header.iv));
    FUZZ_CHECK(otter_gcm_begin(&gcm, OTTER_GCM_ENCRYPT, fixed.key, (otter_bytes_t){iv, ENCRYPTED_IV_BYTES}) == ESP_OK);
    FUZZ_CHECK(otter_gcm_update(&gcm, file->image, file->image_len, file->bytes + ENCRYPTED_HEADER_BYTES) == ESP_OK);
    FUZZ_CHECK(otter_gcm_seal(&gcm, header.tag) == ESP_OK);
    otter_gcm_free(&gcm);
    encrypted_build(&header, file->bytes);
}

static void mend(file_t *file)
{
    const uint8_t magic[] = {0xCF, 0xB6, 0x88, 0x07};
    const uint8_t len[] = {(uint8_t)file->image_len, (uint8_t)(file->image_len >> 8), 0, 0};
    if ((file->flags & FIX_MAGIC) != 0) {
        memcpy(file->bytes, magic, sizeof(magic));
    }
    if ((file->flags & FIX_LEN) != 0 && file->image_len < 1u << 16) {
        memcpy(file->bytes + 404, len, sizeof(len));
    }
    if ((file->flags & FIX_SPARE) != 0) {
        memset(file->bytes + SPARE_OFF, 0, ENCRYPTED_HEADER_BYTES - SPARE_OFF);
    }
    if ((file->flags & FIX_POINT) != 0) {
        memset(file->bytes + 4, 0, ENCRYPTED_WRAPPED_BYTES);
        memcpy(file->bytes + 4, fixed.point, sizeof(fixed.point));
    }
}

static void make_file(file_t *file, const uint8_t header[ENCRYPTED_HEADER_BYTES])
{
    file->len = ENCRYPTED_HEADER_BYTES + file->image_len;
    file->bytes = malloc(file->len);
    FUZZ_CHECK(file->bytes != NULL);
    memcpy(file->bytes, header, ENCRYPTED_HEADER_BYTES);
    memcpy(file->bytes + ENCRYPTED_HEADER_BYTES, file->image, file->image_len);
    if ((file->flags & MAKE) != 0) {
        seal(file, header);
    } else {
        mend(file);
    }
    if ((file->flags & CHANGE) != 0) {
        file->bytes[(file->where >> 3) % file->len] ^= (uint8_t)(1u << (file->where & 7));
    }
}

/* ---- Decrypting it ---- */

typedef struct output {
    uint8_t *bytes;
    size_t len;
    size_t room;
} output_t;

static esp_err_t append(void *arg, const uint8_t *bytes, size_t len)
{
    output_t *output = arg;
    FUZZ_CHECK(len > 0 && len <= DECRYPTER_PIECE_BYTES && len <= output->room - output->len);
    memcpy(output->bytes + output->len, bytes, len);
    output->len += len;
    return ESP_OK;
}

static esp_err_t read_back(void *arg, uint32_t off, uint8_t *dst, size_t len)
{
    const output_t *output = arg;
    FUZZ_CHECK(off <= output->len && len <= output->len - off);
    memcpy(dst, output->bytes + off, len);
    return ESP_OK;
}

/* Feeds the file from an offset on, in memory of exactly each piece's size. */
static esp_err_t feed(const file_t *file, size_t from, output_t *output)
{
    esp_err_t err = ESP_OK;
    for (size_t at = from; at < file->len && err == ESP_OK; at += file->step) {
        size_t len = file->len - at < file->step ? file->len - at : file->step;
        uint8_t *piece = fuzz_copy(file->bytes + at, len);
        err = decrypter_feed(&fixed.decrypter, piece, len, append, output);
        free(piece);
    }
    esp_err_t end = decrypter_finish(&fixed.decrypter);
    FUZZ_CHECK(err == ESP_OK || end == err);
    return end;
}

static void check_header(const file_t *file, esp_err_t err)
{
    encrypted_header_t header;
    uint8_t again[ENCRYPTED_HEADER_BYTES];
    if (encrypted_parse(file->bytes, &header) != ENCRYPTED_OK) {
        FUZZ_CHECK(err == ESP_ERR_OTA_VALIDATE_FAILED);
        return;
    }
    encrypted_build(&header, again);
    FUZZ_CHECK(memcmp(again, file->bytes, sizeof(again)) == 0);
    FUZZ_CHECK(err != ESP_OK || header.image_len == file->image_len);
}

/* Goes on somewhere in the middle, with what came out before as what was stored. */
static void check_resumed(const file_t *file, output_t *whole, esp_err_t wanted)
{
    output_t rest = {.bytes = malloc(file->len), .room = file->len};
    uint32_t off = (uint32_t)(file->resume_off % (whole->len + 1));
    FUZZ_CHECK(rest.bytes != NULL);
    FUZZ_CHECK(decrypter_resume(&fixed.decrypter, file->bytes, off, read_back, whole) == ESP_OK);
    esp_err_t err = feed(file, ENCRYPTED_HEADER_BYTES + off, &rest);
    FUZZ_CHECK(err == wanted && rest.len == whole->len - off);
    FUZZ_CHECK(memcmp(rest.bytes, whole->bytes + off, rest.len) == 0);
    free(rest.bytes);
}

static void check(const file_t *file)
{
    output_t output = {.bytes = malloc(file->len), .room = file->image_len};
    FUZZ_CHECK(output.bytes != NULL);
    decrypter_restart(&fixed.decrypter);
    esp_err_t err = feed(file, 0, &output);
    check_header(file, err);
    bool good = (file->flags & (MAKE | CHANGE)) == MAKE && file->image_len > 0;
    FUZZ_CHECK(good ? err == ESP_OK : err == ESP_ERR_OTA_VALIDATE_FAILED);
    if (good) {
        FUZZ_CHECK(output.len == file->image_len && memcmp(output.bytes, file->image, output.len) == 0);
    }
    if (output.len == file->image_len && output.len > 0) {
        check_resumed(file, &output, err);
    }
    free(output.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    uint8_t header[ENCRYPTED_HEADER_BYTES] = {0};
    file_t file = {.flags = fuzz_take_u8(&input)};
    make_fixed();
    file.step = 1 + fuzz_take_u16(&input) % 6000;
    file.resume_off = fuzz_take_u16(&input);
    file.where = fuzz_take_u16(&input);
    fuzz_take_bytes(&input, header, sizeof(header));
    uint8_t *image = fuzz_take_rest(&input, &file.image_len);
    file.image = image;
    make_file(&file, header);
    check(&file);
    free(file.bytes);
    free(image);
    return 0;
}
