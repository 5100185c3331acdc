/* SPDX-License-Identifier: Apache-2.0 */
/* otter ota switch */
#include "cli/device.h"

static int switch_to(const cli_device_t *device, const char *label)
{
    const esp_partition_t *partition = NULL;
    int status = cli_device_app(device, label, &partition);
    if (status != CLI_OK) {
        return status;
    }
    esp_err_t err = esp_ota_set_boot_partition(partition);
    if (err != ESP_OK) {
        return cli_device_fail(device, label, err);
    }
    cli_note("%s boots %s next", device->flash.path, label);
    return CLI_OK;
}

static int run(const cli_args_t *args)
{
    cli_device_t device;
    int status = cli_device_start(&device, args, NULL);
    if (status == CLI_OK) {
        status = switch_to(&device, args->positional[1]);
    }
    cli_device_stop(&device);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTIONS_DEVICE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_ota_switch = {
    .group = "ota",
    .name = "switch",
    .summary = "make an app boot next, if it verifies",
    .arguments = "FLASH LABEL",
    .min_args = 2,
    .max_args = 2,
    .options = options,
    .details = "Does what esp_ota_set_boot_partition() does on the device: LABEL is an OTA slot,\n"
               "or the factory partition, which clears otadata.\n",
    .run = run,
};
