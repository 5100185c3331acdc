/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cli/app_image.h"
#include "cli/key_store.h"
#include "cli/output.h"

#define SUFFIX ".efuse"

static bool is_link(const char *path)
{
    struct stat info;
    return lstat(path, &info) == 0 && S_ISLNK(info.st_mode);
}

static char *default_path(const char *flash)
{
    char *real = is_link(flash) ? realpath(flash, NULL) : NULL;
    const char *name = real != NULL ? real : flash;
    size_t size = strlen(name) + sizeof(SUFFIX);
    char *path = malloc(size);
    if (path != NULL) {
        snprintf(path, size, "%s" SUFFIX, name);
    }
    free(real);
    return path;
}

static int explain(const char *path, esp_err_t err)
{
    switch (err) {
    case ESP_ERR_NOT_FOUND:
        return cli_fail("there is no key store %s; make it with: otter flash create --key", path);
    case ESP_ERR_INVALID_SIZE:
        return cli_fail("%s is damaged, or no key store: it is no file of %d bytes; without it nothing can be trusted",
                        path, OTTER_KEY_STORE_BYTES);
    default:
        return cli_fail("cannot open key store %s: %s", path, strerror(errno));
    }
}

static int open_store(cli_key_store_t *keys, const cli_args_t *args, const char *flash, bool write, bool must_exist)
{
    const char *given = cli_value(args, "key-store");
    *keys = (cli_key_store_t){.file = {.fd = -1}};
    keys->path = given != NULL ? strdup(given) : default_path(flash);
    if (keys->path == NULL) {
        return cli_fail("out of memory");
    }
    esp_err_t err = otter_key_store_file_open(&keys->file, keys->path, write);
    if (err == ESP_ERR_NOT_FOUND && !must_exist) {
        return CLI_OK;
    }
    if (err != ESP_OK) {
        return explain(keys->path, err);
    }
    keys->store = &keys->file.base;
    return CLI_OK;
}

int cli_key_store_open(cli_key_store_t *keys, const cli_args_t *args, const char *flash, bool write)
{
    return open_store(keys, args, flash, write, cli_has(args, "key-store"));
}

int cli_key_store_look(cli_key_store_t *keys, const cli_args_t *args, const char *flash)
{
    return open_store(keys, args, flash, false, false);
}

void cli_key_store_close(cli_key_store_t *keys)
{
    if (keys->path != NULL) { /* All zero: descriptor 0 is not ours. */
        otter_key_store_file_close(&keys->file);
        free(keys->path);
    }
    *keys = (cli_key_store_t){.file = {.fd = -1}};
}

static json_t *keys_json(const trust_state_t *trust)
{
    json_t *list = json_array();
    for (int i = 0; i < TRUST_KEYS; i++) {
        const trust_key_t *key = &trust->key[i];
        if (key->provisioned) {
            json_array_append_new(list, json_pack("{s:i, s:s, s:o, s:b}",                                       //
                                                  "index", i,                                                   //
                                                  "scheme", trust_scheme_name(key->scheme),                     //
                                                  "key_digest", cli_json_hex(key->digest, sizeof(key->digest)), //
                                                  "revoked", (int)key->revoked));
        }
    }
    return list;
}

static json_t *chip_json(const trust_state_t *trust)
{
    char chip[24];
    if (!trust->chip_fixed) {
        return json_null();
    }
    return json_string(cli_format_chip(chip, sizeof(chip), trust->chip_id));
}

json_t *cli_key_store_json(const cli_key_store_t *keys, const trust_state_t *trust)
{
    if (keys->store == NULL) {
        return json_null();
    }
    return json_pack("{s:o, s:b, s:I, s:o, s:o}",                         //
                     "file", cli_json_text(keys->path, SIZE_MAX),         //
                     "secure_boot", (int)trust->secure_boot,              //
                     "secure_version", (json_int_t)trust->secure_version, //
                     "keys", keys_json(trust),                            //
                     "chip", chip_json(trust));
}

void cli_print_key_store(const json_t *facts)
{
    static const cli_column_t columns[] = {
        {"index", "KEY", CLI_STYLE_TEXT},       {"scheme", "SCHEME", CLI_STYLE_TEXT},
        {"revoked", "REVOKED", CLI_STYLE_TEXT}, {"key_digest", "DIGEST", CLI_STYLE_TEXT},
        {NULL, NULL, CLI_STYLE_TEXT},
    };
    if (json_is_null(facts)) {
        puts("Secure boot: off (no key store)");
        return;
    }
    printf("Secure boot: %s, anti-rollback floor %d (%s)\n",
           json_is_true(json_object_get(facts, "secure_boot")) ? "on" : "off",
           (int)json_integer_value(json_object_get(facts, "secure_version")),
           json_string_value(json_object_get(facts, "file")));
    if (json_array_size(json_object_get(facts, "keys")) > 0) {
        cli_print_table(json_object_get(facts, "keys"), columns);
    }
}
