/* SPDX-License-Identifier: Apache-2.0 */
/* The key store under ESP-IDF's names. What bits mean and may become is core/trust's; what cannot be read, trusts nothing. */
#include "device/system/efuse.h"

#include <string.h>

#include "core/trust/policy.h"
#include "esp_efuse.h"
#include "esp_secure_boot.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"

_Static_assert(SECURE_BOOT_NUM_BLOCKS == TRUST_KEYS, "as many signatures as keys");

/* Held from reading the bits until what was decided on them is burned. */
static otter_mutex_t burn_lock;

esp_err_t efuse_read(uint8_t bits[OTTER_KEY_STORE_BYTES])
{
    otter_key_store_t *store = otter_device_get()->key_store;
    memset(bits, 0, OTTER_KEY_STORE_BYTES);
    return store == NULL || otter_key_store_read(store, bits) == ESP_OK ? ESP_OK : ESP_FAIL;
}

esp_err_t efuse_apply(efuse_decide_t make_plan, uint32_t number)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    trust_plan_t plan;
    otter_key_store_t *store = otter_device_get()->key_store;
    if (store == NULL) {
        return ESP_ERR_NOT_SUPPORTED;
    }
    otter_mutex_lock(&burn_lock);
    esp_err_t err = efuse_read(bits);
    if (err == ESP_OK) {
        err = make_plan(bits, number, &plan);
    }
    if (err == ESP_OK) {
        err = trust_execute(store, &plan);
    }
    otter_mutex_unlock(&burn_lock);
    return err;
}

static esp_err_t plan_confirmed(const uint8_t bits[OTTER_KEY_STORE_BYTES], uint32_t secure_version, trust_plan_t *plan)
{
    trust_plan_confirmed(bits, secure_version, plan);
    return ESP_OK;
}

esp_err_t efuse_burn_confirmed(uint32_t secure_version)
{
    return otter_device_get()->key_store != NULL ? efuse_apply(plan_confirmed, secure_version) : ESP_OK;
}

/* What the key store says. False if it says nothing: the state is then stricter than any app. */
static bool look(trust_state_t *state)
{
    return trust_read(otter_device_get()->key_store, state) == ESP_OK;
}

bool esp_secure_boot_enabled(void)
{
    trust_state_t state;
    (void)look(&state);
    return state.secure_boot;
}

uint32_t esp_efuse_read_secure_version(void)
{
    trust_state_t state;
    (void)look(&state);
    return state.secure_version;
}

bool esp_efuse_check_secure_version(uint32_t secure_version)
{
    trust_state_t state;
    return look(&state) && secure_version >= state.secure_version;
}

esp_err_t esp_efuse_update_secure_version(uint32_t secure_version)
{
    return efuse_apply(trust_plan_secure_version, secure_version);
}

bool esp_efuse_get_digest_revoke(unsigned num_digest)
{
    trust_state_t state;
    return num_digest >= TRUST_KEYS || !look(&state) || state.key[num_digest].revoked;
}

esp_err_t esp_efuse_set_digest_revoke(unsigned num_digest)
{
    return efuse_apply(trust_plan_revoke, num_digest);
}
