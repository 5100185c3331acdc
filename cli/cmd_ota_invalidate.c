/* SPDX-License-Identifier: Apache-2.0 */
/* otter ota invalidate */
#include "cli/device.h"

static int invalidate(const cli_device_t *device)
{
    const esp_partition_t *running = esp_ota_get_running_partition();
    if (running == NULL) {
        return cli_fail("%s: no app would boot, so there is none to refuse", device->flash.path);
    }
    esp_err_t err = esp_ota_mark_app_invalid_rollback();
    if (err == ESP_FAIL) {
        return cli_fail("%s: %s would boot, which is no OTA slot and cannot be refused", device->flash.path,
                        running->label);
    }
    if (err != ESP_OK) {
        return cli_device_fail(device, running->label, err);
    }
    cli_note("%s: %s will not boot again until it is updated", device->flash.path, running->label);
    return CLI_OK;
}

static int run(const cli_args_t *args)
{
    cli_device_t device;
    int status = cli_device_start(&device, args, NULL);
    if (status == CLI_OK) {
        status = invalidate(&device);
    }
    cli_device_stop(&device);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTIONS_DEVICE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_ota_invalidate = {
    .group = "ota",
    .name = "invalidate",
    .summary = "refuse the app that would boot: roll back to another",
    .arguments = "FLASH",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "Does what esp_ota_mark_app_invalid_rollback() does on the device; refused if no\n"
               "other valid app could boot instead.\n",
    .run = run,
};
