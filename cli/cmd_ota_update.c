/* SPDX-License-Identifier: Apache-2.0 */
/* otter ota update */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "cli/device.h"
#include "cli/files.h"
#include "cli/progress.h"
#include "esp_crt_bundle.h"
#include "esp_https_ota.h"

#define CA_BYTES_MAX (1u << 20)
#define TIMEOUT_S    30 /* Default of --timeout. */

static int download(const cli_device_t *device, esp_https_ota_handle_t ota)
{
    cli_progress_t progress;
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    int total = esp_https_ota_get_image_size(ota);
    cli_progress_begin(&progress, "download", total > 0 ? (uint64_t)total : 0);
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        err = esp_https_ota_perform(ota);
        int len = esp_https_ota_get_image_len_read(ota);
        cli_progress_update(&progress, len > 0 ? (uint64_t)len : 0);
    }
    cli_progress_end(&progress);
    if (err != ESP_OK) {
        return cli_device_fail(device, "download", err);
    }
    if (!esp_https_ota_is_complete_data_received(ota)) {
        return cli_fail("%s: download: the server sent less than it announced", device->flash.path);
    }
    return CLI_OK;
}

static void say_done(const cli_device_t *device, const esp_app_desc_t *desc)
{
    const esp_partition_t *boot = esp_ota_get_boot_partition();
    cli_note("%s: %s holds %.32s %.32s and boots next", device->flash.path, boot != NULL ? boot->label : "?",
             desc->project_name, desc->version);
}

static int update(const cli_device_t *device, const esp_http_client_config_t *http)
{
    const esp_https_ota_config_t config = {.http_config = http};
    esp_https_ota_handle_t ota = NULL;
    esp_app_desc_t desc = {0};
    esp_err_t err = esp_https_ota_begin(&config, &ota);
    if (err != ESP_OK) {
        return cli_device_fail(device, http->url, err);
    }
    err = esp_https_ota_get_img_desc(ota, &desc);
    int status = err == ESP_OK ? download(device, ota) : cli_device_fail(device, http->url, err);
    if (status != CLI_OK) {
        (void)esp_https_ota_abort(ota);
        return status;
    }
    err = esp_https_ota_finish(ota);
    if (err != ESP_OK) {
        return cli_device_fail(device, "update", err);
    }
    say_done(device, &desc);
    return CLI_OK;
}

/** Reads --ca as text with a terminator; NULL if it was not given. */
static int take_ca(const cli_args_t *args, char **pem)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    const char *path = cli_value(args, "ca");
    *pem = NULL;
    if (path == NULL) {
        return CLI_OK;
    }
    int status = cli_read_file(path, CA_BYTES_MAX, &bytes, &len);
    if (status != CLI_OK) {
        return status;
    }
    *pem = realloc(bytes, len + 1);
    if (*pem == NULL) {
        free(bytes);
        return cli_fail("out of memory");
    }
    (*pem)[len] = '\0';
    return CLI_OK;
}

static int take_timeout(const cli_args_t *args, int *timeout_ms)
{
    uint64_t seconds = TIMEOUT_S;
    const char *text = cli_value(args, "timeout");
    if (text != NULL && (!cli_parse_size(text, 3600, &seconds) || seconds == 0)) {
        return cli_misuse(args, "--timeout takes seconds from 1 to 3600, not %s", text);
    }
    *timeout_ms = (int)seconds * 1000;
    return CLI_OK;
}

/** Says what is wrong with a URL before anything is opened; the device would refuse it, too. */
static int check_url(const cli_args_t *args)
{
    const char *url = args->positional[1];
    if (strncasecmp(url, "https://", 8) == 0) {
        return CLI_OK;
    }
    if (strncasecmp(url, "http://", 7) != 0) {
        return cli_misuse(args, "%s is no https:// URL", url);
    }
    if (!cli_has(args, "allow-http")) {
        return cli_fail("%s: plain HTTP lets anybody change the firmware on its way; use https, or give --allow-http",
                        url);
    }
    return CLI_OK;
}

/** The app that boots would wait to be confirmed first: until then its way back, the slot to be written, must stay. */
static int check_confirmed(const cli_device_t *device)
{
    const boot_result_t *boot = &device->look.boot;
    uint32_t state = 0;
    bool known = bootsel_state(&boot->input, boot->slot, &state);
    if (known && device->look.config.rollback && state == ESP_OTA_IMG_PENDING_VERIFY) {
        return cli_device_fail(device, boot->partition.label, ESP_ERR_OTA_ROLLBACK_INVALID_STATE);
    }
    return CLI_OK;
}

static int run(const cli_args_t *args)
{
    cli_device_t device;
    char *ca = NULL;
    esp_http_client_config_t http = {.url = args->positional[1], .keep_alive_enable = true};
    int status = take_timeout(args, &http.timeout_ms);
    if (status == CLI_OK) {
        status = check_url(args);
    }
    if (status == CLI_OK) {
        status = take_ca(args, &ca);
    }
    if (status != CLI_OK) {
        return status;
    }
    http.cert_pem = ca;
    http.crt_bundle_attach = ca == NULL ? esp_crt_bundle_attach : NULL;
    const cli_device_options_t behaviour = {
        .allow_http = cli_has(args, "allow-http"),
        .verbose = cli_has(args, "verbose"),
        .stall_limit_ms = (uint32_t)http.timeout_ms,
    };
    /* A server that hangs up is an error to report, not a reason to die. */
    signal(SIGPIPE, SIG_IGN);
    status = cli_device_start(&device, args, &behaviour);
    if (status == CLI_OK) {
        status = check_confirmed(&device);
    }
    if (status == CLI_OK) {
        status = update(&device, &http);
    }
    cli_device_stop(&device);
    free(ca);
    return status;
}

static const cli_option_t options[] = {
    {.name = "ca", .value = "FILE", .help = "trust the CA certificates in this PEM file (default: the system's)"},
    {.name = "allow-http", .help = "accept http:// URLs, which protect against nothing"},
    {.name = "timeout", .value = "SECONDS", .help = "give up on a server that is silent for so long (default: 30)"},
    {.name = "verbose", .letter = 'v', .help = "show the device's log"},
    CLI_OPTIONS_DEVICE,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_ota_update = {
    .group = "ota",
    .name = "update",
    .summary = "update a flash file from a URL, as the device would",
    .arguments = "FLASH URL",
    .min_args = 2,
    .max_args = 2,
    .options = options,
    .details = "Runs the device's update code on the flash file, without any firmware: the app\n"
               "that would boot counts as running, the next slot is written and verified, then made\n"
               "to boot next. Whatever fails, what booted before still boots.\n",
    .run = run,
};
