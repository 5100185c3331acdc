/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/files.h"
#include "cli/key_file.h"

#define KEY_FILE_MAX_BYTES 32768 /* Read in one piece: no copy is left behind. */

int cli_load_key(const char *path, otter_signing_key_t **key)
{
    char reason[OTTER_SIGNING_REASON_BYTES];
    uint8_t *pem;
    size_t len;
    *key = NULL;
    int status = cli_read_file(path, KEY_FILE_MAX_BYTES, &pem, &len);
    if (status != CLI_OK) {
        return status;
    }
    if (otter_signing_load(pem, len, key, reason) != ESP_OK) {
        status = cli_fail("%s: %s", path, reason);
    }
    otter_wipe(pem, len);
    free(pem);
    return status;
}

static trust_scheme_t scheme_of(otter_signing_kind_t kind)
{
    static const trust_scheme_t schemes[] = {
        [OTTER_SIGNING_RSA3072] = TRUST_SCHEME_RSA3072,
        [OTTER_SIGNING_P256] = TRUST_SCHEME_P256,
        [OTTER_SIGNING_P384] = TRUST_SCHEME_P384,
    };
    return schemes[kind];
}

int cli_public_key(const char *path, const otter_signing_key_t *key, signature_key_t *out)
{
    otter_public_key_t pub;
    if (otter_signing_public(key, &pub) != ESP_OK) {
        return cli_fail("%s: its public half cannot be computed", path);
    }
    *out = (signature_key_t){.scheme = scheme_of(pub.kind), .exponent = pub.exponent, .m_prime = pub.m_prime};
    memcpy(out->modulus, pub.modulus, sizeof(out->modulus));
    memcpy(out->r, pub.r, sizeof(out->r));
    memcpy(out->point, pub.point, sizeof(out->point));
    return CLI_OK;
}

int cli_load_public_key(const char *path, signature_key_t *key)
{
    otter_signing_key_t *loaded;
    int status = cli_load_key(path, &loaded);
    if (status == CLI_OK) {
        status = cli_public_key(path, loaded, key);
    }
    otter_signing_free(loaded);
    return status;
}

int cli_key_digest(const char *path, const signature_key_t *key, uint8_t digest[OTTER_SHA256_BYTES])
{
    return signature_key_digest(key, digest) == ESP_OK ? CLI_OK : cli_fail("%s: cannot compute its digest", path);
}
