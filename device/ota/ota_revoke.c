/* SPDX-License-Identifier: Apache-2.0 */
/* Revoking a key: only if the running app does not need it. */
#include <string.h>

#include "device/ota/ota_internal.h"
#include "device/system/efuse.h"
#include "esp_efuse.h"
#include "esp_log.h"
#include "otter/otter_device.h"

#define TAG "ota"

static esp_err_t refuse(const char *why)
{
    ESP_LOGE(TAG, "no key is revoked: %s", why);
    return ESP_FAIL;
}

/* ESP-IDF's rule: an app that could still be rolled back takes no irrevocable step. */
static bool running_is_confirmed(void)
{
    esp_ota_img_states_t state;
    return !otter_device_get()->config.rollback ||
           (esp_ota_get_state_partition(esp_ota_get_running_partition(), &state) == ESP_OK &&
            state == ESP_OTA_IMG_VALID);
}

/* True if the running app would still boot without this key. */
static bool running_does_without(const trust_state_t *trust, uint32_t index)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    trust_state_t after = *trust;
    image_walk_t walk;
    for (uint32_t i = 0; i < TRUST_KEYS; i++) {
        bool same = memcmp(after.key[i].digest, trust->key[index].digest, OTTER_SHA256_BYTES) == 0;
        after.key[i].revoked = after.key[i].revoked || same;
    }
    return running != NULL && ota_walk(running, &after, &walk) == ESP_OK;
}

esp_err_t esp_ota_revoke_secure_boot_public_key(esp_ota_secure_boot_public_key_index_t index)
{
    trust_state_t trust;
    if (trust_read(otter_device_get()->key_store, &trust) != ESP_OK) {
        return refuse("the key store cannot be read");
    }
    if (!trust.secure_boot) {
        return refuse("secure boot is off");
    }
    if ((uint32_t)index >= TRUST_KEYS) {
        return ESP_ERR_INVALID_ARG;
    }
    if (!running_is_confirmed()) {
        return refuse("the running app is not confirmed");
    }
    if (trust.key[index].revoked) {
        return ESP_OK;
    }
    if (!running_does_without(&trust, (uint32_t)index)) {
        return refuse("the running app has no good signature of another key");
    }
    return esp_efuse_set_digest_revoke((unsigned)index) == ESP_OK ? ESP_OK : refuse("it could not be burned");
}
