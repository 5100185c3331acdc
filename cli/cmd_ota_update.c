/* SPDX-License-Identifier: Apache-2.0 */
/* otter ota update */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/device.h"
#include "cli/encrypted_file.h"
#include "cli/files.h"
#include "cli/progress.h"
#include "esp_crt_bundle.h"
#include "esp_https_ota.h"
#include "otter/otter_download.h"
#include "otter/otter_encrypted.h"

#define TEXT_BYTES_MAX (1u << 20)
#define TIMEOUT_S      30    /* Default of --timeout. */
#define RECEIVE_BYTES  65536 /* Several sectors at once: small writes cost a file system twice as much. */
#define STALLS         4     /* Times --timeout without a byte end the update, however many tries are left. */

/** What the options say. */
typedef struct settings {
    esp_http_client_config_t http;
    esp_https_ota_config_t ota;
    otter_download_limits_t limits;
    otter_decrypt_config_t decrypt;
    char *ca;          /**< CA certificates; NULL: the system's. Owned. */
    char *decrypt_key; /**< Private key; NULL: the image is plain. Owned. */
} settings_t;

/** Shows what is here of the file, from its start, also if an earlier update had fetched some of it. */
static void show(cli_progress_t *progress, esp_https_ota_handle_t ota)
{
    otter_download_progress_t now;
    char note[32] = "";
    if (otter_download_get_progress(ota, &now) != ESP_OK) {
        return;
    }
    if (now.tries > 0) {
        snprintf(note, sizeof(note), "connecting, try %u", (unsigned)now.tries);
    }
    progress->total_bytes = now.total > 0 ? (uint64_t)now.total : 0;
    progress->bytes_per_s = now.bytes_per_s;
    progress->note = note;
    cli_progress_update(progress, (uint64_t)now.bytes);
    progress->note = NULL;
}

static int download(const cli_device_t *device, esp_https_ota_handle_t ota)
{
    cli_progress_t progress;
    esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
    cli_progress_begin(&progress, "download", 0);
    while (err == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        err = esp_https_ota_perform(ota);
        show(&progress, ota);
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

static int update(const cli_device_t *device, const settings_t *settings)
{
    const char *url = settings->http.url;
    esp_https_ota_handle_t ota = NULL;
    esp_app_desc_t desc = {0};
    esp_err_t err = otter_download_set_limits(&settings->limits);
    if (err == ESP_OK) {
        err = esp_https_ota_begin(&settings->ota, &ota);
    }
    if (err != ESP_OK) {
        return cli_device_fail(device, url, err);
    }
    err = esp_https_ota_get_img_desc(ota, &desc);
    int status = err == ESP_OK ? download(device, ota) : cli_device_fail(device, url, err);
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

/** Reads the file that an option names, as text with a terminator; NULL if it was not given. */
static int take_text(const cli_args_t *args, const char *option, char **text)
{
    uint8_t *bytes = NULL;
    size_t len = 0;
    const char *path = cli_value(args, option);
    *text = NULL;
    if (path == NULL) {
        return CLI_OK;
    }
    int status = cli_read_file(path, TEXT_BYTES_MAX, &bytes, &len);
    if (status != CLI_OK) {
        return status;
    }
    *text = malloc(len + 1);
    if (*text != NULL) {
        memcpy(*text, bytes, len);
        (*text)[len] = '\0';
    }
    otter_wipe(bytes, len);
    free(bytes);
    return *text != NULL ? CLI_OK : cli_fail("out of memory");
}

static int take_trust(const cli_args_t *args, settings_t *settings)
{
    int status = take_text(args, "ca", &settings->ca);
    settings->http.cert_pem = settings->ca;
    settings->http.crt_bundle_attach = settings->ca == NULL ? esp_crt_bundle_attach : NULL;
    return status;
}

static int take_decrypt_key(const cli_args_t *args, settings_t *settings)
{
    int status = take_text(args, "decrypt-key", &settings->decrypt_key);
    if (settings->decrypt_key == NULL) {
        return status;
    }
    settings->decrypt.key_pem = settings->decrypt_key;
    settings->decrypt.key_pem_len = strlen(settings->decrypt_key);
    settings->ota.decrypt_cb = otter_decrypt_image;
    settings->ota.decrypt_user_ctx = &settings->decrypt;
    return cli_check_decrypt_key(cli_value(args, "decrypt-key"), &settings->decrypt);
}

static void free_settings(settings_t *settings)
{
    if (settings->decrypt_key != NULL) {
        otter_wipe(settings->decrypt_key, strlen(settings->decrypt_key));
    }
    free(settings->decrypt_key);
    free(settings->ca);
}

/** Value of an option in seconds; left as it is if the option was not given. */
static int take_seconds(const cli_args_t *args, const char *option, uint32_t most_s, uint32_t *ms)
{
    uint64_t seconds = 0;
    const char *text = cli_value(args, option);
    if (text == NULL) {
        return CLI_OK;
    }
    if (!cli_parse_size(text, most_s, &seconds) || seconds == 0) {
        return cli_misuse(args, "--%s takes seconds from 1 to %u, not %s", option, (unsigned)most_s, text);
    }
    *ms = (uint32_t)seconds * 1000;
    return CLI_OK;
}

static int take_timeout(const cli_args_t *args, settings_t *settings)
{
    otter_download_limits_t *limits = &settings->limits;
    uint32_t ms = TIMEOUT_S * 1000;
    int status = take_seconds(args, "timeout", 3600, &ms);
    settings->http.timeout_ms = (int)ms;
    limits->idle_ms = ms;
    limits->stall_ms = STALLS * ms;
    return status;
}

static int take_limits(const cli_args_t *args, settings_t *settings)
{
    otter_config_t defaults;
    otter_config_default(&defaults);
    otter_download_limits_t *limits = &settings->limits;
    *limits = defaults.download;
    limits->resume = !cli_has(args, "no-resume");
    int status = take_timeout(args, settings);
    if (status == CLI_OK) {
        status = take_seconds(args, "max-time", 4000000, &limits->total_ms);
    }
    const struct {
        const char *option;
        uint32_t *value;
    } numbers[] = {
        {"retries", &limits->retries},
        {"limit-rate", &limits->max_bytes_per_s},
        {"min-speed", &limits->min_bytes_per_s},
    };
    for (size_t i = 0; status == CLI_OK && i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        status = cli_size_option(args, numbers[i].option, numbers[i].value);
    }
    return status;
}

static int take_partial(const cli_args_t *args, settings_t *settings)
{
    uint32_t bytes = 0;
    int status = cli_size_option(args, "partial", &bytes);
    if (status == CLI_OK && cli_has(args, "partial") && (bytes < 1024 || bytes > INT32_MAX)) {
        return cli_misuse(args, "--partial takes a size from 1K to 2G, not %s", cli_value(args, "partial"));
    }
    settings->ota.partial_http_download = bytes > 0;
    settings->ota.max_http_request_size = (int)bytes;
    return status;
}

/** What URLs may begin with. */
static const struct scheme {
    const char *start;
    bool open; /**< Protects against nothing: only if the user says so. */
} schemes[] = {
    {.start = "https://"}, {.start = "ftps://"}, {.start = "ftpes://"},
    {.start = "file://"},  {"http://", true},    {"ftp://", true},
};

/** Says what is wrong with a URL before anything is opened; the device would refuse it, too. */
static int check_url(const cli_args_t *args)
{
    const char *url = args->positional[1];
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (strncasecmp(url, schemes[i].start, strlen(schemes[i].start)) != 0) {
            continue;
        }
        if (schemes[i].open && !cli_has(args, "allow-http")) {
            return cli_fail("%s: %s lets anybody change the firmware on its way; use https, or give --allow-http", url,
                            schemes[i].start);
        }
        return CLI_OK;
    }
    return cli_misuse(args, "%s is no https:// URL", url);
}

static int take_settings(const cli_args_t *args, settings_t *settings)
{
    *settings =
        (settings_t){.http = {.url = args->positional[1], .keep_alive_enable = true, .buffer_size = RECEIVE_BYTES}};
    int status = take_limits(args, settings);
    if (status == CLI_OK) {
        status = take_partial(args, settings);
    }
    if (status == CLI_OK) {
        status = check_url(args);
    }
    if (status == CLI_OK) {
        status = take_trust(args, settings);
    }
    if (status == CLI_OK) {
        status = take_decrypt_key(args, settings);
    }
    settings->ota.http_config = &settings->http;
    return status;
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
    settings_t settings;
    int status = take_settings(args, &settings);
    if (status != CLI_OK) {
        free_settings(&settings);
        return status;
    }
    const cli_device_options_t behaviour = {
        .allow_http = cli_has(args, "allow-http"),
        .allow_file = true,
        .verbose = cli_has(args, "verbose"),
    };
    /* A server that hangs up is an error to report, not a reason to die. */
    signal(SIGPIPE, SIG_IGN);
    status = cli_device_start(&device, args, &behaviour);
    if (status == CLI_OK) {
        status = check_confirmed(&device);
    }
    if (status == CLI_OK) {
        status = update(&device, &settings);
    }
    cli_device_stop(&device);
    free_settings(&settings);
    return status;
}

static const cli_option_t options[] = {
    {.name = "ca", .value = "FILE", .help = "trust the CA certificates in this PEM file (default: the system's)"},
    {.name = "decrypt-key", .value = "FILE", .help = "the image is encrypted, for this private key: rsa3072 or p256"},
    {.name = "allow-http", .help = "accept http:// and ftp:// URLs, which protect against nothing"},
    {.name = "timeout", .value = "SECONDS", .help = "connect anew after so long a silence (default: 30)"},
    {.name = "retries", .value = "COUNT", .help = "tries in a row that may get no further (default: 10)"},
    {.name = "max-time", .value = "SECONDS", .help = "give up when the download takes longer (default: never)"},
    {.name = "limit-rate", .value = "RATE", .help = "read at most so many bytes a second, e.g. 200K"},
    {.name = "min-speed", .value = "RATE", .help = "connect anew if fewer bytes a second come for 30 seconds"},
    {.name = "partial", .value = "SIZE", .help = "ask for the file in parts of so many bytes"},
    {.name = "no-resume", .help = "do not go on with what an earlier update fetched"},
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
               "to boot next. Whatever fails, what booted before still boots.\n"
               "\n"
               "A connection that drops is made anew, and the download goes on where it was. So does\n"
               "an update that was interrupted, if the server gives ranges and a strong ETag.\n"
               "URLs are https://, ftps://, ftpes:// (TLS before the login) or file://.\n",
    .run = run,
};
