/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "cli/key_file.h"
#include "cli/provision.h"
#include "otter/otter_key_store_ram.h"

static int take_key(cli_provision_t *provision, const char *path)
{
    signature_key_t key;
    cli_trusted_key_t *trusted = &provision->key[provision->count];
    int status = cli_load_public_key(path, &key);
    if (status == CLI_OK) {
        status = cli_key_digest(path, &key, trusted->digest);
    }
    if (status != CLI_OK) {
        return status;
    }
    trusted->scheme = key.scheme;
    for (uint32_t i = 0; i < provision->count; i++) {
        if (memcmp(provision->key[i].digest, trusted->digest, sizeof(trusted->digest)) == 0) {
            return cli_fail("%s: the same key was given before", path);
        }
    }
    provision->count++;
    return CLI_OK;
}

static int take_keys(cli_provision_t *provision, const cli_args_t *args)
{
    size_t cursor = 0;
    int status = CLI_OK;
    for (const char *path; status == CLI_OK && (path = cli_next_value(args, "key", &cursor)) != NULL;) {
        if (provision->count == TRUST_KEYS) {
            return cli_misuse(args, "a device trusts at most %d keys", TRUST_KEYS);
        }
        status = take_key(provision, path);
    }
    if (status == CLI_OK && provision->count == 0 && cli_has(args, "key-store") && provision->store.store == NULL) {
        return cli_misuse(args, "--key-store %s: it is not there, and there is no --key to make it with",
                          provision->store.path);
    }
    return status;
}

static esp_err_t burn_key(otter_key_store_t *store, uint32_t index, const cli_trusted_key_t *key)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    trust_plan_t plan;
    esp_err_t err = otter_key_store_read(store, bits);
    if (err == ESP_OK) {
        err = trust_plan_key(bits, index, key->scheme, key->digest, &plan);
    }
    return err == ESP_OK ? trust_execute(store, &plan) : err;
}

static esp_err_t burn_secure_boot(otter_key_store_t *store)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    trust_plan_t plan;
    esp_err_t err = otter_key_store_read(store, bits);
    if (err == ESP_OK) {
        err = trust_plan_secure_boot(bits, &plan);
    }
    return err == ESP_OK ? trust_execute(store, &plan) : err;
}

/* Keys first: secure boot without all of them could never be given the others. */
static esp_err_t burn_all(otter_key_store_t *store, const cli_provision_t *provision)
{
    esp_err_t err = ESP_OK;
    for (uint32_t i = 0; i < provision->count && err == ESP_OK; i++) {
        err = burn_key(store, i, &provision->key[i]);
    }
    return err == ESP_OK && provision->count > 0 ? burn_secure_boot(store) : err;
}

/* Burns in memory what is to be burned, and keeps what would come of it. */
static int rehearse(cli_provision_t *provision)
{
    uint8_t bits[OTTER_KEY_STORE_BYTES] = {0};
    otter_key_store_ram_t ram;
    otter_key_store_t *store = otter_key_store_ram_init(&ram, bits);
    if (provision->store.store != NULL && otter_key_store_read(provision->store.store, bits) != ESP_OK) {
        return cli_fail("%s: cannot be read", provision->store.path);
    }
    if (burn_all(store, provision) != ESP_OK) {
        return cli_fail("%s trusts other keys already, and what is burned stays; for a new device, name another file "
                        "or delete this one",
                        provision->store.path);
    }
    trust_decode(bits, &provision->trust);
    return CLI_OK;
}

int cli_provision_plan(cli_provision_t *provision, const cli_args_t *args, const char *flash)
{
    *provision = (cli_provision_t){.count = 0};
    int status = cli_key_store_look(&provision->store, args, flash);
    if (status == CLI_OK) {
        status = take_keys(provision, args);
    }
    if (status == CLI_OK) {
        status = rehearse(provision);
    }
    if (status == CLI_OK && provision->count == 0 && provision->trust.secure_boot) {
        cli_note("%s stays: secure boot is on", provision->store.path);
    }
    return status;
}

int cli_provision_burn(cli_provision_t *provision)
{
    if (provision->count == 0) {
        return CLI_OK;
    }
    const char *path = provision->store.path;
    otter_key_store_file_t file = {.fd = -1};
    esp_err_t err = provision->store.store == NULL ? otter_key_store_file_create(path, false) : ESP_OK;
    if (err == ESP_OK) {
        err = otter_key_store_file_open(&file, path, true);
    }
    if (err == ESP_OK) {
        err = burn_all(&file.base, provision);
    }
    otter_key_store_file_close(&file);
    return err == ESP_OK ? CLI_OK : cli_fail("%s: keys cannot be burned: %s", path, strerror(errno));
}

void cli_provision_close(cli_provision_t *provision)
{
    cli_key_store_close(&provision->store);
}
