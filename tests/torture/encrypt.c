/* SPDX-License-Identifier: Apache-2.0 */
/* Encrypts apps for the device's P-256 key, which comes of the HMAC key in its chip. */
#include <stdlib.h>
#include <string.h>

#include "core/encrypted/encrypted.h"
#include "otter/otter_encrypt.h"
#include "otter/otter_os.h"
#include "tests/torture/apps.h"

const uint8_t apps_hmac_key[APPS_HMAC_KEY_BYTES] = "burned into this chip";

/* What goes into a file. */
typedef struct sealing {
    uint8_t device[OTTER_P256_POINT_BYTES]; /* Public half of the device's key. */
    encrypted_header_t header;
    uint8_t key[ENCRYPTED_KEY_BYTES];
} sealing_t;

static bool find_device_key(sealing_t *sealing)
{
    uint8_t number[OTTER_P256_SECRET_BYTES];
    otter_decrypt_key_t key;
    bool ok = otter_pbkdf2_sha256((otter_bytes_t){apps_hmac_key, sizeof(apps_hmac_key)},
                                  (otter_bytes_t){encrypted_pbkdf2_salt, sizeof(encrypted_pbkdf2_salt)},
                                  ENCRYPTED_PBKDF2_ROUNDS, number, sizeof(number)) == ESP_OK &&
              otter_decrypt_make_key(&key, number) == ESP_OK;
    if (ok) {
        ok = otter_encrypt_public_point(&key, sealing->device) == ESP_OK;
        otter_decrypt_free_key(&key);
    }
    return ok;
}

/* The file's key is what a new key and the device's agree on. */
static bool agree_on_key(sealing_t *sealing)
{
    uint8_t secret[OTTER_P256_SECRET_BYTES];
    encrypted_header_t *header = &sealing->header;
    otter_decrypt_key_t own;
    must(otter_encrypt_new_key(&own) == ESP_OK, "a key cannot be made");
    bool ok =
        otter_encrypt_public_point(&own, header->point) == ESP_OK &&
        otter_decrypt_ecdh(&own, sealing->device, secret) == ESP_OK &&
        otter_entropy(header->salt, sizeof(header->salt)) == ESP_OK &&
        otter_hkdf_sha256((otter_bytes_t){header->salt, sizeof(header->salt)}, (otter_bytes_t){secret, sizeof(secret)},
                          (otter_bytes_t){ENCRYPTED_HKDF_INFO, sizeof(ENCRYPTED_HKDF_INFO) - 1}, sealing->key,
                          sizeof(sealing->key)) == ESP_OK;
    otter_decrypt_free_key(&own);
    return ok;
}

static bool seal(sealing_t *sealing, const app_t *app, uint8_t *out)
{
    otter_gcm_t gcm = {{0}};
    encrypted_header_t *header = &sealing->header;
    bool ok = otter_entropy(header->iv, sizeof(header->iv)) == ESP_OK &&
              otter_gcm_begin(&gcm, OTTER_GCM_ENCRYPT, sealing->key, (otter_bytes_t){header->iv, sizeof(header->iv)}) ==
                  ESP_OK &&
              otter_gcm_update(&gcm, app->bytes, app->len, out) == ESP_OK &&
              otter_gcm_seal(&gcm, header->tag) == ESP_OK;
    otter_gcm_free(&gcm);
    return ok;
}

void app_encrypt(app_t *app)
{
    sealing_t sealing = {.header = {.scheme = ENCRYPTED_P256, .image_len = (uint32_t)app->len}};
    app->file_len = ENCRYPTED_HEADER_BYTES + app->len;
    app->file = malloc(app->file_len);
    must(app->file != NULL, "malloc");
    bool ok =
        find_device_key(&sealing) && agree_on_key(&sealing) && seal(&sealing, app, app->file + ENCRYPTED_HEADER_BYTES);
    must(ok, "an app cannot be encrypted");
    encrypted_build(&sealing.header, app->file);
}
