/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/device.h"
#include "esp_http_client.h"
#include "esp_log.h"
#include "otter/otter_device.h"

/** An error code in the words of who typed the command. */
typedef struct meaning {
    esp_err_t err;
    const char *text;
} meaning_t;

static const meaning_t meanings[] = {
    {ESP_ERR_NOT_FOUND, "there is no otadata partition, so nothing can be switched or confirmed"},
    {ESP_ERR_NO_MEM, "out of memory"},
    {ESP_ERR_TIMEOUT, "the server was silent for too long"},
    {ESP_ERR_INVALID_SIZE, "the image does not fit its partition"},
    {ESP_ERR_INVALID_VERSION, "the image is made for another chip or chip revision"},
    {ESP_ERR_NOT_ALLOWED, "the partition is marked readonly"},
    {ESP_ERR_FLASH_OP_FAIL, "the flash file could not be written"},
    {ESP_ERR_OTA_PARTITION_CONFLICT, "the app that would boot cannot be overwritten"},
    {ESP_ERR_OTA_VALIDATE_FAILED, "the image is not valid, or not signed as this device demands"},
    {ESP_ERR_OTA_SMALL_SEC_VER, "the image's secure version is below the device's floor"},
    {ESP_ERR_OTA_ROLLBACK_FAILED, "there is no other valid app to go back to"},
    {ESP_ERR_OTA_ROLLBACK_INVALID_STATE, "the app that would boot is not confirmed yet; see: otter ota confirm"},
    {ESP_ERR_HTTP_CONNECT, "no connection to the server, or its certificate was refused"},
    {ESP_ERR_HTTP_FETCH_HEADER, "the server gave no usable answer"},
    {ESP_ERR_HTTP_INVALID_TRANSPORT, "the URL must begin with https:// (or http:// with --allow-http)"},
};

static const char *find_meaning(esp_err_t err)
{
    for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
        if (meanings[i].err == err) {
            return meanings[i].text;
        }
    }
    return NULL;
}

int cli_device_fail(const cli_device_t *device, const char *what, esp_err_t err)
{
    const char *text = find_meaning(err);
    if (text == NULL) {
        return cli_fail("%s: %s: %s", device->flash.path, what, esp_err_to_name(err));
    }
    return cli_fail("%s: %s: %s (%s)", device->flash.path, what, text, esp_err_to_name(err));
}

/** Sends the device's log, which the library writes to standard output, to standard error. */
static void divert_log(cli_device_t *device)
{
    fflush(stdout);
    device->stdout_fd = dup(STDOUT_FILENO);
    if (device->stdout_fd >= 0) {
        dup2(STDERR_FILENO, STDOUT_FILENO);
    }
}

static void restore_stdout(cli_device_t *device)
{
    if (device->stdout_fd >= 0) {
        fflush(stdout);
        dup2(device->stdout_fd, STDOUT_FILENO);
        close(device->stdout_fd);
        device->stdout_fd = -1;
    }
}

static int start(cli_device_t *device, const cli_device_options_t *options)
{
    const boot_result_t *boot = &device->look.boot;
    otter_device_t wiring = {
        .flash = device->flash.flash,
        .key_store = device->flash.key_store.store,
        .config = device->look.config,
        .running_address = OTTER_NOT_RUNNING,
    };
    wiring.config.allow_http = options->allow_http;
    wiring.config.allow_file = options->allow_file;
    if (!options->verbose) {
        wiring.config.log_level = ESP_LOG_ERROR;
    }
    if (boot->slot != BOOTSEL_SLOT_NONE) {
        wiring.running_address = boot->partition.offset;
        wiring.app_desc = boot->desc;
    }
    divert_log(device);
    esp_err_t err = otter_device_init(&wiring);
    return err == ESP_OK ? CLI_OK : cli_device_fail(device, "cannot start", err);
}

int cli_device_start(cli_device_t *device, const cli_args_t *args, const cli_device_options_t *options)
{
    static const cli_device_options_t defaults = {0};
    device->stdout_fd = -1;
    int status = cli_flash_open(&device->flash, args, CLI_FLASH_WRITE);
    if (status == CLI_OK) {
        status = cli_look_at(&device->look, &device->flash, args);
    }
    return status == CLI_OK ? start(device, options != NULL ? options : &defaults) : status;
}

void cli_device_stop(cli_device_t *device)
{
    restore_stdout(device);
    cli_flash_close(&device->flash);
}

int cli_device_app(const cli_device_t *device, const char *label, const esp_partition_t **partition)
{
    *partition = esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, label);
    if (*partition == NULL) {
        return cli_fail("%s has no app partition %s; see: otter flash info %s", device->flash.path, label,
                        device->flash.path);
    }
    return CLI_OK;
}
