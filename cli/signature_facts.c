/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/signature_facts.h"

#include <stdio.h>

#include "cli/cli.h"

static const char *const verdicts[] = {
    [SIGNATURE_ABSENT] = "absent",   [SIGNATURE_MALFORMED] = "malformed", [SIGNATURE_UNTRUSTED] = "untrusted",
    [SIGNATURE_REVOKED] = "revoked", [SIGNATURE_OTHER] = "other",         [SIGNATURE_BAD] = "bad",
    [SIGNATURE_GOOD] = "good",
};

static bool key_known(const signature_t *signature)
{
    return signature->verdict > SIGNATURE_MALFORMED;
}

static json_t *signature_json(uint32_t block, const signature_t *signature)
{
    bool known = key_known(signature);
    return json_pack("{s:i, s:o, s:o, s:s}", "block", (int)block, "scheme",
                     known ? json_string(trust_scheme_name(signature->scheme)) : json_null(), "key_digest",
                     known ? cli_json_hex(signature->key_digest, sizeof(signature->key_digest)) : json_null(),
                     "verdict", verdicts[signature->verdict]);
}

json_t *cli_signatures_json(const image_walk_t *walk)
{
    json_t *all = json_array();
    for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
        if (walk->signature[i].verdict != SIGNATURE_ABSENT) {
            json_array_append_new(all, signature_json(i, &walk->signature[i]));
        }
    }
    return all;
}

void cli_print_signatures(const json_t *signatures)
{
    static const cli_column_t columns[] = {
        {"block", "Signature", CLI_STYLE_TEXT},
        {"scheme", "Scheme", CLI_STYLE_TEXT},
        {"key_digest", "Key digest", CLI_STYLE_TEXT},
        {"verdict", "Verdict", CLI_STYLE_TEXT},
        {NULL, NULL, CLI_STYLE_TEXT},
    };
    if (json_array_size(signatures) != 0) {
        cli_print_table(signatures, columns);
    }
}

static void format_hex(char *dst, const uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        snprintf(dst + 2 * i, 3, "%02x", bytes[i]);
    }
}

void cli_note_signatures(const image_walk_t *walk)
{
    for (uint32_t i = 0; i < SIGNATURE_BLOCKS; i++) {
        const signature_t *signature = &walk->signature[i];
        char digest[2 * OTTER_SHA256_BYTES + 1] = "";
        if (key_known(signature)) {
            format_hex(digest, signature->key_digest, sizeof(signature->key_digest));
            cli_note("signature block %u, %s key %s: %s", i, trust_scheme_name(signature->scheme), digest,
                     signature_verdict_text(signature->verdict));
        } else if (signature->verdict != SIGNATURE_ABSENT) {
            cli_note("signature block %u: %s", i, signature_verdict_text(signature->verdict));
        }
    }
}
