/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/encrypted_file.h"

#include <string.h>

#include "cli/files.h"
#include "cli/output.h"
#include "device/encrypted_img/decrypter.h"

static int check_distinct(const cli_args_t *args, const char *read_path)
{
    const char *output = cli_value(args, "output");
    if (read_path == NULL || !cli_is_same_file(output, read_path)) {
        return CLI_OK;
    }
    return cli_misuse(args, "%s is read: it cannot be the output as well", output);
}

static int check_keys(const cli_args_t *args, const char *const keys[])
{
    unsigned given = 0;
    int status = CLI_OK;
    for (size_t i = 0; keys[i] != NULL && status == CLI_OK; i++) {
        given += cli_has(args, keys[i]);
        status = check_distinct(args, cli_value(args, keys[i]));
    }
    if (status != CLI_OK || given == 1) {
        return status;
    }
    return given == 0 ? cli_misuse(args, "with which key? give --%s FILE", keys[0])
                      : cli_misuse(args, "one key is enough");
}

int cli_check_encrypted_usage(const cli_args_t *args, const char *const keys[])
{
    const char *output = cli_value(args, "output");
    if (output == NULL) {
        return cli_misuse(args, "where to? give -o FILE");
    }
    if (strcmp(output, "-") == 0 && cli_has(args, "json")) {
        return cli_misuse(args, "standard output cannot take both the file and the facts");
    }
    int status = check_distinct(args, args->positional[0]);
    return status == CLI_OK ? check_keys(args, keys) : status;
}

json_t *cli_encrypted_json(const encrypted_header_t *header, uint64_t file_len)
{
    bool complete = file_len == (uint64_t)ENCRYPTED_HEADER_BYTES + header->image_len;
    return json_pack(
        "{s:s, s:s, s:I, s:I, s:b, s:o, s:o}", "kind", "encrypted", "scheme", encrypted_scheme_name(header->scheme),
        "image_len", (json_int_t)header->image_len, "file_len", (json_int_t)file_len, "complete", (int)complete, "iv",
        cli_json_hex(header->iv, sizeof(header->iv)), "tag", cli_json_hex(header->tag, sizeof(header->tag)));
}

int cli_check_decrypt_key(const char *path, const otter_decrypt_config_t *config)
{
    decrypter_t d = {0};
    char reason[OTTER_DECRYPT_REASON_BYTES];
    esp_err_t err = decrypter_open(&d, config->key_pem, config->key_pem_len, reason);
    decrypter_close(&d);
    return err == ESP_OK ? CLI_OK : cli_fail("%s: %s", path, reason);
}
