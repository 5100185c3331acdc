/* SPDX-License-Identifier: Apache-2.0 */
/* otter image sign */
#include "cli/image_file.h"
#include "cli/key_file.h"
#include "cli/sign_command.h"
#include "cli/signed_image.h"

/* Who signs. */
typedef struct signer {
    const char *path;    /* File with the key; NULL: there is no such signer. */
    const char *command; /* What makes the signature; NULL: the key itself does. */
    otter_signing_key_t *key;
    signature_key_t pub;
} signer_t;

/* Options, and whom they name. */
typedef struct plan {
    signer_t signer[SIGNATURE_BLOCKS];
    uint32_t count;
} plan_t;

/* ---- The command line ---- */

static int name_signer(const cli_args_t *args, plan_t *plan, const char *path, const char *command)
{
    if (plan->count == SIGNATURE_BLOCKS) {
        return cli_misuse(args, "an image has %d signatures at most", SIGNATURE_BLOCKS);
    }
    plan->signer[plan->count++] = (signer_t){.path = path, .command = command};
    return CLI_OK;
}

static int name_signers(const cli_args_t *args, plan_t *plan)
{
    size_t cursor = 0;
    int status = CLI_OK;
    const char *path;
    while (status == CLI_OK && (path = cli_next_value(args, "key", &cursor)) != NULL) {
        status = name_signer(args, plan, path, NULL);
    }
    if (status == CLI_OK && cli_has(args, "public-key")) {
        status = name_signer(args, plan, cli_value(args, "public-key"), cli_value(args, "sign-command"));
    }
    return status;
}

static int check_usage(const cli_args_t *args, plan_t *plan)
{
    if (cli_value(args, "output") == NULL) {
        return cli_misuse(args, "where to? give -o FILE");
    }
    if (cli_has(args, "public-key") != cli_has(args, "sign-command")) {
        return cli_misuse(args, "--public-key and --sign-command belong together");
    }
    int status = name_signers(args, plan);
    return status == CLI_OK && plan->count == 0
               ? cli_misuse(args, "who signs? give --key FILE, or --public-key FILE and --sign-command COMMAND")
               : status;
}

/* ---- Keys ---- */

static int load_signer(signer_t *signer)
{
    int status = cli_load_key(signer->path, &signer->key);
    if (status == CLI_OK && signer->command == NULL && !otter_signing_is_private(signer->key)) {
        return cli_fail("%s holds only the public half: it cannot sign without --sign-command", signer->path);
    }
    return status == CLI_OK ? cli_public_key(signer->path, signer->key, &signer->pub) : status;
}

static int load_signers(plan_t *plan)
{
    int status = CLI_OK;
    for (uint32_t i = 0; i < plan->count && status == CLI_OK; i++) {
        status = load_signer(&plan->signer[i]);
    }
    return status;
}

static void free_plan(plan_t *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        otter_signing_free(plan->signer[i].key);
    }
}

/* ---- Signing ---- */

static int sign_elsewhere(const signer_t *signer, const uint8_t *digest, uint8_t *signature)
{
    uint8_t raw[OTTER_SIGNATURE_INPUT_BYTES];
    size_t len;
    otter_signing_kind_t kind = otter_signing_kind(signer->key);
    int status =
        cli_run_sign_command(signer->command, signer->pub.scheme, digest, otter_signing_digest_bytes(kind), raw, &len);
    if (status == CLI_OK && otter_signing_decode(kind, raw, len, signature) != ESP_OK) {
        status = cli_fail("the signing command wrote %zu bytes that are no %s signature", len,
                          trust_scheme_name(signer->pub.scheme));
    }
    return status;
}

static int sign_here(const signer_t *signer, const uint8_t *digest, uint8_t *signature)
{
    return otter_signing_sign(signer->key, digest, signature) == ESP_OK ? CLI_OK
                                                                        : cli_fail("%s: cannot sign", signer->path);
}

static int sign(cli_signed_t *image, const signer_t *signer)
{
    uint8_t signature[OTTER_SIGNATURE_MAX_BYTES];
    bool sha384 = signer->pub.scheme == TRUST_SCHEME_P384;
    const uint8_t *digest = sha384 ? image->digests.sha384 : image->digests.sha256;
    int status = cli_signed_check_new(image, signer->path, &signer->pub);
    if (status == CLI_OK) {
        status =
            signer->command != NULL ? sign_elsewhere(signer, digest, signature) : sign_here(signer, digest, signature);
    }
    return status == CLI_OK ? cli_signed_add(image, signer->path, &signer->pub, signature) : status;
}

static int check_room(const cli_args_t *args, const plan_t *plan, const cli_signed_t *image)
{
    if (image->count > 0 && !cli_has(args, "append")) {
        return cli_fail("%s is signed already; --append adds a signature", image->path);
    }
    if (image->count + plan->count > SIGNATURE_BLOCKS) {
        return cli_fail("%s has %u signatures; %u more are too many: %d at most", image->path, image->count,
                        plan->count, SIGNATURE_BLOCKS);
    }
    return CLI_OK;
}

static int sign_image(const cli_args_t *args, const plan_t *plan)
{
    cli_signed_t image;
    int status = cli_signed_load(args->positional[0], cli_has(args, "bootloader"), &image);
    if (status == CLI_OK) {
        status = check_room(args, plan, &image);
    }
    for (uint32_t i = 0; i < plan->count && status == CLI_OK; i++) {
        status = sign(&image, &plan->signer[i]);
    }
    if (status == CLI_OK) {
        status = cli_signed_write(&image, cli_value(args, "output"));
    }
    cli_signed_free(&image);
    return status;
}

static int run(const cli_args_t *args)
{
    plan_t plan = {0};
    int status = check_usage(args, &plan);
    if (status == CLI_OK) {
        status = load_signers(&plan);
    }
    if (status == CLI_OK) {
        status = sign_image(args, &plan);
    }
    free_plan(&plan);
    return status;
}

static const cli_option_t options[] = {
    CLI_OPTION_OUTPUT("signed image to write (required)"),
    {.name = "key", .value = "FILE", .help = "private key to sign with; up to 3 times", .repeated = true},
    {.name = "append", .help = "keep the signatures that there are, and add to them"},
    {.name = "public-key", .value = "FILE", .help = "public half of a key that is held elsewhere"},
    {.name = "sign-command", .value = "COMMAND", .help = "what signs with that key"},
    CLI_OPTION_BOOTLOADER,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_image_sign = {
    .group = "image",
    .name = "sign",
    .summary = "sign an image for Secure Boot v2",
    .arguments = "IMAGE",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "The image is padded with FF to a multiple of 4096 bytes, and a sector with up to\n"
               "three signatures put behind it, as espsecure does. It must verify, and so must\n"
               "signatures that it has. - reads standard input.\n"
               "\n"
               "With --sign-command the private key never comes here: sh runs COMMAND, which finds\n"
               "the digest to sign (raw: SHA-256; SHA-384 for P-384) in the file $OTTER_DIGEST and\n"
               "the scheme in $OTTER_SCHEME, and writes the signature to standard output: RSA as\n"
               "384 bytes, big-endian, PSS with a salt of 32 bytes; ECDSA as DER, or r and s,\n"
               "big-endian. It is verified before anything is written. For instance:\n"
               "\n"
               "  openssl pkeyutl -sign -inkey KEY.pem -in \"$OTTER_DIGEST\"\n",
    .run = run,
};
