/* SPDX-License-Identifier: Apache-2.0 */
/* otter image decrypt */
#include <stdlib.h>
#include <string.h>

#include "cli/encrypted_file.h"
#include "cli/files.h"
#include "cli/output.h"
#include "device/encrypted_img/decrypter.h"
#include "otter/otter_encrypted.h"

#define KEY_FILE_MAX_BYTES 32768

/* The decrypted image, as far as it came out. */
typedef struct output {
    uint8_t *bytes;
    size_t len;
    size_t room;
} output_t;

static esp_err_t append(void *arg, const uint8_t *bytes, size_t len)
{
    output_t *output = arg;
    if (len > output->room - output->len) {
        return ESP_ERR_INVALID_SIZE;
    }
    memcpy(output->bytes + output->len, bytes, len);
    output->len += len;
    return ESP_OK;
}

/* ---- The key ---- */

static int open_hmac(decrypter_t *d, const char *path, const uint8_t *key, size_t len, char *reason)
{
    if (len != OTTER_HMAC_KEY_BYTES) {
        return cli_fail("%s has %zu bytes; an HMAC key has %d", path, len, OTTER_HMAC_KEY_BYTES);
    }
    return decrypter_open_derived(d, key, reason) == ESP_OK ? CLI_OK : cli_fail("%s: %s", path, reason);
}

static int open_pem(decrypter_t *d, const char *path, const uint8_t *pem, size_t len, char *reason)
{
    return decrypter_open(d, pem, len, reason) == ESP_OK ? CLI_OK : cli_fail("%s: %s", path, reason);
}

static int open_key(const cli_args_t *args, decrypter_t *d)
{
    char reason[OTTER_DECRYPT_REASON_BYTES];
    const char *pem_path = cli_value(args, "key");
    const char *path = pem_path != NULL ? pem_path : cli_value(args, "hmac-key");
    uint8_t *bytes;
    size_t len;
    int status = cli_read_file(path, KEY_FILE_MAX_BYTES, &bytes, &len);
    if (status != CLI_OK) {
        return status;
    }
    status = pem_path != NULL ? open_pem(d, path, bytes, len, reason) : open_hmac(d, path, bytes, len, reason);
    otter_wipe(bytes, len);
    free(bytes);
    return status;
}

/* ---- The image ---- */

static int decrypt(decrypter_t *d, const char *path, const uint8_t *file, size_t len, output_t *output)
{
    output->bytes = malloc(len + 1);
    output->room = len;
    if (output->bytes == NULL) {
        return cli_fail("out of memory");
    }
    esp_err_t err = decrypter_feed(d, file, len, append, output);
    if (err == ESP_OK) {
        err = decrypter_finish(d);
    }
    return err == ESP_OK ? CLI_OK : cli_fail("%s: %s", path, decrypter_why(d));
}

static int write_output(const cli_args_t *args, const decrypter_t *d, const output_t *output, size_t file_len)
{
    int status = cli_write_file(cli_value(args, "output"), 0666, output->bytes, output->len);
    return status == CLI_OK && cli_has(args, "json") ? cli_print_json(cli_encrypted_json(&d->header, file_len))
                                                     : status;
}

static int run(const cli_args_t *args)
{
    static const char *const keys[] = {"key", "hmac-key", NULL};
    const char *path = args->positional[0];
    decrypter_t d = {0};
    output_t output = {0};
    uint8_t *file = NULL;
    size_t len = 0;
    int status = cli_check_encrypted_usage(args, keys);
    if (status == CLI_OK) {
        status = open_key(args, &d);
    }
    if (status == CLI_OK) {
        status = cli_read_file(path, CLI_ENCRYPTED_IMAGE_MAX + ENCRYPTED_HEADER_BYTES, &file, &len);
    }
    if (status == CLI_OK) {
        status = decrypt(&d, path, file, len, &output);
    }
    if (status == CLI_OK) {
        status = write_output(args, &d, &output, len);
    }
    decrypter_close(&d);
    free(output.bytes);
    free(file);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_OUTPUT("image to write (required)"),
    {.name = "key", .value = "FILE", .help = "private key of the device: rsa3072 or p256"},
    {.name = "hmac-key", .value = "FILE", .help = "32 bytes that the device's P-256 key is derived from"},
    CLI_OPTION_JSON,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_image_decrypt = {
    .group = "image",
    .name = "decrypt",
    .summary = "decrypt an encrypted image",
    .arguments = "FILE",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "The format is that of ESP-IDF's esp_encrypted_img, as otter image encrypt\n"
               "makes it. Nothing is written unless the file is whole and its authentication\n"
               "tag right. That says it was encrypted for this key and has not changed since,\n"
               "not by whom: see otter image verify. With --hmac-key the private key is\n"
               "derived as chips do that have an HMAC key in eFuse. - reads standard input.\n",
    .run = run,
};
