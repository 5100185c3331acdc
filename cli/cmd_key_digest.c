/* SPDX-License-Identifier: Apache-2.0 */
/* otter key digest */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/key_file.h"
#include "cli/output.h"

static int run(const cli_args_t *args)
{
    const char *path = args->positional[0];
    signature_key_t key;
    uint8_t digest[OTTER_SHA256_BYTES];
    int status = cli_load_public_key(path, &key);
    if (status == CLI_OK) {
        status = cli_key_digest(path, &key, digest);
    }
    if (status != CLI_OK) {
        return status;
    }
    if (cli_has(args, "json")) {
        return cli_print_json(json_pack("{s:s, s:o}", "scheme", trust_scheme_name(key.scheme), "key_digest",
                                        cli_json_hex(digest, sizeof(digest))));
    }
    for (size_t i = 0; i < sizeof(digest); i++) {
        printf("%02x", digest[i]);
    }
    printf("\n");
    return CLI_OK;
}

static const cli_option_t options[] = {
    CLI_OPTION_JSON,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_key_digest = {
    .group = "key",
    .name = "digest",
    .summary = "print the digest by which a device knows a key",
    .arguments = "KEY.pem",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "KEY.pem holds the private or the public half. The digest is the SHA-256 of the\n"
               "public key as it stands in a signature block, which key stores hold: the same as\n"
               "espsecure's digest-sbv2-public-key. - reads standard input.\n",
    .run = run,
};
