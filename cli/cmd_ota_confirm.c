/* SPDX-License-Identifier: Apache-2.0 */
/* otter ota confirm */
#include "cli/device.h"
#include "core/bootsel/slots.h"

/* ESP_FAIL says either of two things. */
static int explain_failure(const cli_device_t *device, const esp_partition_t *running)
{
    if (bootsel_slot_of_subtype((uint8_t)running->subtype) < 0) {
        return cli_fail("%s: %s would boot, which is no OTA slot and needs no confirmation", device->flash.path,
                        running->label);
    }
    return cli_fail("%s: %s is confirmed, but %s could not be burned, so the anti-rollback floor is the old one",
                    device->flash.path, running->label, device->flash.key_store.path);
}

static int confirm(const cli_device_t *device)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (running == NULL) {
        return cli_fail("%s: no app would boot, so there is none to confirm", device->flash.path);
    }
    esp_err_t err = esp_ota_mark_app_valid_cancel_rollback();
    if (err == ESP_FAIL) {
        return explain_failure(device, running);
    }
    if (err != ESP_OK) {
        return cli_device_fail(device, running->label, err);
    }
    cli_note("%s: %s is confirmed", device->flash.path, running->label);
    return CLI_OK;
}

static int run(const cli_args_t *args)
{
    cli_device_t device;
    int status = cli_device_start(&device, args, NULL);
    if (status == CLI_OK) {
        status = confirm(&device);
    }
    cli_device_stop(&device);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTIONS_DEVICE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_ota_confirm = {
    .group = "ota",
    .name = "confirm",
    .summary = "confirm the app that would boot: no rollback",
    .arguments = "FLASH",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "Does what esp_ota_mark_app_valid_cancel_rollback() does on the device: if it has a key\n"
               "store, its anti-rollback floor rises to the app's secure version.\n",
    .run = run,
};
