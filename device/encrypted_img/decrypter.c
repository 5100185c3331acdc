/* SPDX-License-Identifier: Apache-2.0 */
#include "device/encrypted_img/decrypter.h"

#include <stdio.h>
#include <string.h>

#include "esp_ota_ops.h"

#define INSTEAD_INFO      "otter: the padding was wrong"
#define RESUME_STEP_BYTES 1024 /* On the stack. A multiple of OTTER_GCM_BLOCK_BYTES. */

_Static_assert(ENCRYPTED_WRAPPED_BYTES == OTTER_RSA3072_BYTES && ENCRYPTED_KEY_BYTES == OTTER_AES256_KEY_BYTES &&
                   ENCRYPTED_POINT_BYTES == OTTER_P256_POINT_BYTES && ENCRYPTED_TAG_BYTES == OTTER_GCM_TAG_BYTES,
               "header and crypto speak of the same things");

/* Makes the failure stick, and returns it. */
static esp_err_t fail(decrypter_t *d, esp_err_t err, const char *why)
{
    d->failure = err;
    d->why = why;
    return err;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

const char *decrypter_why(const decrypter_t *d)
{
    return d->why != NULL ? d->why : "nothing is wrong";
}

/* ---- Opening and closing ---- */

static esp_err_t hash(const void *bytes, size_t len, uint8_t digest[OTTER_SHA256_BYTES])
{
    otter_hash_t sha = {{0}};
    esp_err_t err = otter_hash_begin(&sha, OTTER_HASH_SHA256);
    if (err == ESP_OK) {
        err = otter_hash_update(&sha, bytes, len);
    }
    if (err == ESP_OK) {
        err = otter_hash_finish(&sha, digest);
    }
    otter_hash_free(&sha);
    return err;
}

static esp_err_t refuse(decrypter_t *d, esp_err_t err, char *reason, const char *text)
{
    if (text != NULL) {
        snprintf(reason, OTTER_DECRYPT_REASON_BYTES, "%s", text);
    }
    decrypter_close(d);
    return err == ESP_ERR_NO_MEM || err == ESP_FAIL ? err : ESP_ERR_INVALID_ARG;
}

esp_err_t decrypter_open(decrypter_t *d, const void *pem, size_t len, char reason[OTTER_DECRYPT_REASON_BYTES])
{
    memset(d, 0, sizeof(*d));
    esp_err_t err = otter_decrypt_load_key(&d->key, pem, len, reason);
    if (err != ESP_OK) {
        return refuse(d, err, reason, NULL);
    }
    if (!otter_decrypt_is_private(&d->key)) {
        return refuse(d, ESP_ERR_INVALID_ARG, reason, "only the public half of a key: it cannot decrypt");
    }
    err = hash(pem, len, d->instead_seed);
    return err == ESP_OK ? ESP_OK : refuse(d, err, reason, "the crypto library fails");
}

esp_err_t decrypter_open_derived(decrypter_t *d, const uint8_t hmac_key[32], char reason[OTTER_DECRYPT_REASON_BYTES])
{
    uint8_t number[OTTER_P256_SECRET_BYTES];
    memset(d, 0, sizeof(*d));
    esp_err_t err = otter_pbkdf2_sha256((otter_bytes_t){hmac_key, 32},
                                        (otter_bytes_t){encrypted_pbkdf2_salt, sizeof(encrypted_pbkdf2_salt)},
                                        ENCRYPTED_PBKDF2_ROUNDS, number, sizeof(number));
    if (err == ESP_OK) {
        err = otter_decrypt_make_key(&d->key, number);
    }
    otter_wipe(number, sizeof(number));
    return err == ESP_OK ? ESP_OK : refuse(d, err, reason, "no key can be derived from it");
}

void decrypter_restart(decrypter_t *d)
{
    const size_t kept = offsetof(decrypter_t, head_len);
    otter_gcm_free(&d->gcm);
    otter_wipe((uint8_t *)d + kept, sizeof(*d) - kept);
}

void decrypter_close(decrypter_t *d)
{
    otter_gcm_free(&d->gcm);
    otter_decrypt_free_key(&d->key);
    otter_wipe(d, sizeof(*d));
}

/* ---- The image's key ---- */

/* A key that is the same for the same header, and as good as any to an outsider. */
static esp_err_t make_instead(const decrypter_t *d, uint8_t instead[ENCRYPTED_KEY_BYTES])
{
    return otter_hkdf_sha256((otter_bytes_t){d->header.wrapped, sizeof(d->header.wrapped)},
                             (otter_bytes_t){d->instead_seed, sizeof(d->instead_seed)},
                             (otter_bytes_t){INSTEAD_INFO, sizeof(INSTEAD_INFO) - 1}, instead, ENCRYPTED_KEY_BYTES);
}

static esp_err_t unwrap_rsa(const decrypter_t *d, uint8_t key[ENCRYPTED_KEY_BYTES])
{
    uint8_t padded[ENCRYPTED_WRAPPED_BYTES];
    uint8_t instead[ENCRYPTED_KEY_BYTES];
    esp_err_t err = make_instead(d, instead);
    if (err == ESP_OK) {
        err = otter_decrypt_rsa3072(&d->key, d->header.wrapped, padded);
    }
    if (err == ESP_OK) {
        encrypted_unpad_key(padded, instead, key);
    }
    otter_wipe(padded, sizeof(padded));
    otter_wipe(instead, sizeof(instead));
    return err;
}

static esp_err_t derive_p256(const decrypter_t *d, uint8_t key[ENCRYPTED_KEY_BYTES])
{
    uint8_t secret[OTTER_P256_SECRET_BYTES];
    esp_err_t err = otter_decrypt_ecdh(&d->key, d->header.point, secret);
    if (err == ESP_OK) {
        err = otter_hkdf_sha256(
            (otter_bytes_t){d->header.salt, sizeof(d->header.salt)}, (otter_bytes_t){secret, sizeof(secret)},
            (otter_bytes_t){ENCRYPTED_HKDF_INFO, sizeof(ENCRYPTED_HKDF_INFO) - 1}, key, ENCRYPTED_KEY_BYTES);
    }
    otter_wipe(secret, sizeof(secret));
    return err;
}

static esp_err_t check_kind(decrypter_t *d)
{
    bool is_rsa = otter_decrypt_kind(&d->key) == OTTER_DECRYPT_RSA3072;
    if (is_rsa == (d->header.scheme == ENCRYPTED_RSA3072)) {
        return ESP_OK;
    }
    return fail(d, ESP_ERR_OTA_VALIDATE_FAILED,
                is_rsa ? "encrypted for a P-256 key, and the key here is RSA-3072"
                       : "encrypted for an RSA-3072 key, and the key here is P-256");
}

static esp_err_t find_key(decrypter_t *d, uint8_t key[ENCRYPTED_KEY_BYTES])
{
    esp_err_t err = check_kind(d);
    if (err != ESP_OK) {
        return err;
    }
    err = d->header.scheme == ENCRYPTED_RSA3072 ? unwrap_rsa(d, key) : derive_p256(d, key);
    return err == ESP_OK
               ? ESP_OK
               : fail(d, ESP_ERR_OTA_VALIDATE_FAILED, "an encrypted image whose header fits no key of this device");
}

/* The header is whole. @param sealer  begun as well, to encrypt the same image; NULL: not wanted */
static esp_err_t begin_image(decrypter_t *d, otter_gcm_t *sealer)
{
    uint8_t key[ENCRYPTED_KEY_BYTES];
    encrypted_fault_t fault = encrypted_parse(d->head, &d->header);
    if (fault != ENCRYPTED_OK) {
        return fail(d, ESP_ERR_OTA_VALIDATE_FAILED, encrypted_fault_text(fault));
    }
    esp_err_t err = find_key(d, key);
    if (err != ESP_OK) {
        return err;
    }
    otter_bytes_t iv = {d->header.iv, sizeof(d->header.iv)};
    err = otter_gcm_begin(&d->gcm, OTTER_GCM_DECRYPT, key, iv);
    if (err == ESP_OK && sealer != NULL) {
        err = otter_gcm_begin(sealer, OTTER_GCM_ENCRYPT, key, iv);
    }
    otter_wipe(key, sizeof(key));
    return err == ESP_OK ? ESP_OK : fail(d, err, "the crypto library fails");
}

/* ---- Feeding ---- */

static esp_err_t emit(decrypter_t *d, const uint8_t *in, size_t len, https_ota_sink_t sink, void *arg)
{
    if (otter_gcm_update(&d->gcm, in, len, d->piece) != ESP_OK) {
        return fail(d, ESP_FAIL, "the crypto library fails");
    }
    size_t skip = least(d->skip, len);
    d->skip -= skip;
    if (skip == len) {
        return ESP_OK;
    }
    esp_err_t err = sink(arg, d->piece + skip, len - skip);
    return err == ESP_OK ? ESP_OK : fail(d, err, "the decrypted image could not be stored");
}

/* Completes the block that was begun. @return bytes used */
static size_t top_up(decrypter_t *d, const uint8_t *bytes, size_t len)
{
    size_t used = least(sizeof(d->pending) - d->pending_len, len);
    memcpy(d->pending + d->pending_len, bytes, used);
    d->pending_len += used;
    d->taken += (uint32_t)used;
    return used;
}

static bool is_last(const decrypter_t *d)
{
    return d->taken == d->header.image_len;
}

/* Decrypts the pending block if it is whole, or all that there will be. */
static esp_err_t flush(decrypter_t *d, https_ota_sink_t sink, void *arg)
{
    size_t len = d->pending_len;
    if (len == 0 || (len < sizeof(d->pending) && !is_last(d))) {
        return ESP_OK;
    }
    d->pending_len = 0;
    return emit(d, d->pending, len, sink, arg);
}

/* Whole blocks, straight from the caller's bytes. @return bytes used; *err is what came of it */
static size_t take_blocks(decrypter_t *d, const uint8_t *bytes, size_t len, https_ota_sink_t sink, void *arg,
                          esp_err_t *err)
{
    size_t used = least(len, DECRYPTER_PIECE_BYTES);
    used -= used % OTTER_GCM_BLOCK_BYTES;
    d->taken += (uint32_t)used;
    *err = used > 0 ? emit(d, bytes, used, sink, arg) : ESP_OK;
    return used;
}

static esp_err_t feed_image(decrypter_t *d, const uint8_t *bytes, size_t len, https_ota_sink_t sink, void *arg)
{
    if (len > d->header.image_len - d->taken) {
        return fail(d, ESP_ERR_OTA_VALIDATE_FAILED, "an encrypted image that is longer than its header says");
    }
    esp_err_t err = ESP_OK;
    while (len > 0 && err == ESP_OK) {
        size_t used = d->pending_len == 0 ? take_blocks(d, bytes, len, sink, arg, &err) : 0;
        if (used == 0) {
            used = top_up(d, bytes, len);
            err = flush(d, sink, arg);
        }
        bytes += used;
        len -= used;
    }
    return err;
}

/* @return bytes used */
static size_t take_head(decrypter_t *d, const uint8_t *bytes, size_t len)
{
    size_t used = least(sizeof(d->head) - d->head_len, len);
    memcpy(d->head + d->head_len, bytes, used);
    d->head_len += used;
    return used;
}

esp_err_t decrypter_feed(decrypter_t *d, const uint8_t *bytes, size_t len, https_ota_sink_t sink, void *arg)
{
    if (d->failure != ESP_OK || len == 0) {
        return d->failure;
    }
    if (d->head_len < sizeof(d->head)) {
        size_t used = take_head(d, bytes, len);
        bytes += used;
        len -= used;
        esp_err_t err = d->head_len == sizeof(d->head) ? begin_image(d, NULL) : ESP_OK;
        if (err != ESP_OK) {
            return err;
        }
    }
    return feed_image(d, bytes, len, sink, arg);
}

bool decrypter_is_complete(const decrypter_t *d)
{
    return d->head_len == sizeof(d->head) && d->header.image_len != 0 && is_last(d);
}

size_t decrypter_most_out(const decrypter_t *d, size_t len)
{
    return d->pending_len + len;
}

esp_err_t decrypter_finish(decrypter_t *d)
{
    if (d->failure != ESP_OK) {
        return d->failure;
    }
    if (!decrypter_is_complete(d)) {
        return fail(d, ESP_ERR_OTA_VALIDATE_FAILED, "an encrypted image that breaks off");
    }
    if (otter_gcm_check(&d->gcm, d->header.tag) != ESP_OK) {
        return fail(d, ESP_ERR_OTA_VALIDATE_FAILED,
                    "the authentication tag does not fit: encrypted for another key, or changed since");
    }
    return ESP_OK;
}

/* ---- Resuming ---- */

static esp_err_t drop(void *arg, const uint8_t *bytes, size_t len)
{
    (void)arg;
    (void)bytes;
    (void)len;
    return ESP_OK;
}

/* Turns image bytes back into what came, and takes that as if it came again. */
static esp_err_t replay(decrypter_t *d, otter_gcm_t *sealer, uint8_t *bytes, size_t len)
{
    if (otter_gcm_update(sealer, bytes, len, bytes) != ESP_OK) {
        return fail(d, ESP_FAIL, "the crypto library fails");
    }
    return feed_image(d, bytes, len, drop, NULL);
}

static esp_err_t replay_all(decrypter_t *d, otter_gcm_t *sealer, uint32_t image_off, decrypter_read_t read, void *arg)
{
    uint8_t bytes[RESUME_STEP_BYTES];
    esp_err_t err = ESP_OK;
    for (uint32_t off = 0; off < image_off && err == ESP_OK;) {
        size_t len = least(sizeof(bytes), image_off - off);
        err = read(arg, off, bytes, len);
        err = err == ESP_OK ? replay(d, sealer, bytes, len) : fail(d, err, "what was stored of it cannot be read");
        off += (uint32_t)len;
    }
    otter_wipe(bytes, sizeof(bytes));
    return err;
}

esp_err_t decrypter_resume(decrypter_t *d, const uint8_t head[ENCRYPTED_HEADER_BYTES], uint32_t image_off,
                           decrypter_read_t read, void *arg)
{
    otter_gcm_t sealer = {{0}};
    decrypter_restart(d);
    take_head(d, head, ENCRYPTED_HEADER_BYTES);
    esp_err_t err = begin_image(d, &sealer);
    if (err == ESP_OK && image_off > d->header.image_len) {
        err = fail(d, ESP_ERR_OTA_VALIDATE_FAILED, "an encrypted image that is shorter than what was stored of it");
    }
    if (err == ESP_OK) {
        err = replay_all(d, &sealer, image_off, read, arg);
    }
    d->skip = d->pending_len;
    otter_gcm_free(&sealer);
    return err;
}
