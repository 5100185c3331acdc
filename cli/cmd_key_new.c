/* SPDX-License-Identifier: Apache-2.0 */
/* otter key new */
#include <string.h>
#include <sys/stat.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/key_file.h"

#define MODE_SECRET 0600
#define MODE_PUBLIC 0666

static const struct {
    const char *name;
    otter_signing_kind_t kind;
} kinds[] = {
    {"rsa3072", OTTER_SIGNING_RSA3072},
    {"p256", OTTER_SIGNING_P256},
    {"p384", OTTER_SIGNING_P384},
};

static int take_kind(const cli_args_t *args, otter_signing_kind_t *kind)
{
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(args->positional[0], kinds[i].name) == 0) {
            *kind = kinds[i].kind;
            return CLI_OK;
        }
    }
    return cli_misuse(args, "%s is no kind of key: it is rsa3072, p256 or p384", args->positional[0]);
}

/* A key that is overwritten is lost for good, and with it every device that trusts it. */
static int check_free(const cli_args_t *args, const char *path)
{
    struct stat old;
    if (path == NULL || cli_has(args, "force") || lstat(path, &old) != 0 || S_ISCHR(old.st_mode)) {
        return CLI_OK;
    }
    return cli_fail("%s exists; to replace it for good, give --force", path);
}

static int check_files(const cli_args_t *args, const char *path, const char *public_path)
{
    if (path == NULL) {
        return cli_misuse(args, "where to? give -o FILE");
    }
    if (public_path != NULL && strcmp(path, public_path) == 0) {
        return cli_misuse(args, "-o and --public name the same file");
    }
    int status = check_free(args, path);
    return status == CLI_OK ? check_free(args, public_path) : status;
}

static int write_private(const char *path, const otter_signing_key_t *key)
{
    char pem[OTTER_PEM_BYTES];
    if (otter_signing_private_pem(key, pem) != ESP_OK) {
        return cli_fail("%s: the key cannot be encoded", path);
    }
    int status = cli_write_file(path, MODE_SECRET, pem, strlen(pem));
    otter_wipe(pem, sizeof(pem));
    return status;
}

static int write_public(const char *path, const char *private_path, const otter_signing_key_t *key)
{
    char pem[OTTER_PEM_BYTES];
    if (cli_is_same_file(path, private_path)) {
        return cli_fail("%s is the file with the private key, which was left as it is", path);
    }
    if (otter_signing_public_pem(key, pem) != ESP_OK) {
        return cli_fail("%s: the key cannot be encoded", path);
    }
    return cli_write_file(path, MODE_PUBLIC, pem, strlen(pem));
}

static int run(const cli_args_t *args)
{
    const char *path = cli_value(args, "output");
    const char *public_path = cli_value(args, "public");
    otter_signing_kind_t kind = OTTER_SIGNING_RSA3072;
    otter_signing_key_t *key = NULL;
    int status = take_kind(args, &kind);
    if (status == CLI_OK) {
        status = check_files(args, path, public_path);
    }
    if (status == CLI_OK && otter_signing_generate(kind, &key) != ESP_OK) {
        status = cli_fail("no key could be made");
    }
    if (status == CLI_OK) {
        status = write_private(path, key);
    }
    if (status == CLI_OK && public_path != NULL) {
        status = write_public(public_path, path, key);
    }
    otter_signing_free(key);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_OUTPUT("file for the private key, for its owner's eyes only (required)"),
    {.name = "public", .value = "FILE", .help = "file for the public key"},
    CLI_OPTION_FORCE("replace existing files: the keys in them are lost"),
    CLI_OPTIONS_END,
};

const cli_command_t cmd_key_new = {
    .group = "key",
    .name = "new",
    .summary = "make a key to sign images with",
    .arguments = "rsa3072|p256|p384",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "The keys are PEM files, PKCS #8 without password: espsecure and openssl read them,\n"
               "and their keys can be used here. Keep the private key safe and twice: whoever has\n"
               "it can sign for your devices, and without it you cannot.\n",
    .run = run,
};
