/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust/signature.h"

#include <string.h>

#include "core/util/bytes.h"

#define MAGIC         0xE7
#define VERSION_RSA   2
#define VERSION_ECDSA 3
#define SHA_256       0
#define SHA_384       1
#define CURVE_P256    2
#define CURVE_P384    3

#define OFF_VERSION 1
#define OFF_SHA     2
#define OFF_DIGEST  4
#define OFF_CRC     1196

/* The key field of RSA: modulus, exponent, R, M'. */
#define RSA_OFF_EXPONENT OTTER_RSA3072_BYTES
#define RSA_OFF_R        (RSA_OFF_EXPONENT + 4)
#define RSA_OFF_M_PRIME  (RSA_OFF_R + OTTER_RSA3072_BYTES)
#define RSA_KEY_BYTES    (RSA_OFF_M_PRIME + 4)

/* Where things stand in a block of one scheme. The key field begins after the digest, the signature after the key field. */
typedef struct layout {
    trust_scheme_t scheme;
    uint8_t version;
    uint8_t sha;
    uint8_t curve; /* First byte of an ECDSA key field. */
    uint8_t digest_len;
    uint8_t coordinate_len; /* ECDSA. */
    uint16_t key_len;
    uint16_t signature_len;
} layout_t;

static const layout_t layouts[] = {
    {
        .scheme = TRUST_SCHEME_RSA3072,
        .version = VERSION_RSA,
        .sha = SHA_256,
        .digest_len = OTTER_SHA256_BYTES,
        .key_len = RSA_KEY_BYTES,
        .signature_len = OTTER_RSA3072_BYTES,
    },
    {
        .scheme = TRUST_SCHEME_P256,
        .version = VERSION_ECDSA,
        .sha = SHA_256,
        .curve = CURVE_P256,
        .digest_len = OTTER_SHA256_BYTES,
        .coordinate_len = 32,
        .key_len = 1 + 2 * 32,
        .signature_len = 2 * 32,
    },
    {
        .scheme = TRUST_SCHEME_P384,
        .version = VERSION_ECDSA,
        .sha = SHA_384,
        .curve = CURVE_P384,
        .digest_len = OTTER_SHA384_BYTES,
        .coordinate_len = 48,
        .key_len = 1 + 2 * 48,
        .signature_len = 2 * 48,
    },
};

#define LAYOUTS (sizeof(layouts) / sizeof(layouts[0]))

static uint32_t key_off(const layout_t *layout)
{
    return OFF_DIGEST + layout->digest_len;
}

static uint32_t signature_off(const layout_t *layout)
{
    return key_off(layout) + layout->key_len;
}

static const layout_t *layout_of_scheme(trust_scheme_t scheme)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        if (layouts[i].scheme == scheme) {
            return &layouts[i];
        }
    }
    return NULL;
}

static bool matches(const layout_t *layout, const uint8_t *block)
{
    bool curve_fits = layout->version != VERSION_ECDSA || block[key_off(layout)] == layout->curve;
    return block[OFF_VERSION] == layout->version && block[OFF_SHA] == layout->sha && curve_fits;
}

static const layout_t *layout_of_block(const uint8_t *block)
{
    for (size_t i = 0; i < LAYOUTS; i++) {
        if (matches(&layouts[i], block)) {
            return &layouts[i];
        }
    }
    return NULL;
}

/* Blocks hold numbers little-endian, the crypto port takes them big-endian. */
static void reverse(uint8_t *to, const uint8_t *from, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        to[i] = from[len - 1 - i];
    }
}

/* Two numbers, each turned by itself: x and y, r and s. */
static void reverse_pair(uint8_t *to, const uint8_t *from, size_t len)
{
    reverse(to, from, len);
    reverse(to + len, from + len, len);
}

static esp_err_t digest_of(const uint8_t *bytes, size_t len, uint8_t digest[OTTER_SHA256_BYTES])
{
    otter_hash_t hash = {0};
    esp_err_t err = otter_hash_begin(&hash, OTTER_HASH_SHA256);
    if (err == ESP_OK) {
        err = otter_hash_update(&hash, bytes, len);
    }
    if (err == ESP_OK) {
        err = otter_hash_finish(&hash, digest);
    }
    otter_hash_free(&hash);
    return err;
}

/* ---- Checking ---- */

static bool crc_fits(const uint8_t *block)
{
    return bytes_crc32(0, block, OFF_CRC) == bytes_get_u32(block + OFF_CRC);
}

/* What is said about the key alone; GOOD if nothing is. */
static signature_verdict_t judge_key(const signature_t *found, const trust_state_t *trust)
{
    if (trust == NULL) {
        return SIGNATURE_GOOD;
    }
    int index = trust_find_key(trust, found->key_digest);
    if (index < 0 || trust->key[index].scheme != found->scheme) {
        return SIGNATURE_UNTRUSTED;
    }
    return trust->key[index].revoked ? SIGNATURE_REVOKED : SIGNATURE_GOOD;
}

static const uint8_t *image_digest(const layout_t *layout, const signature_digests_t *digests)
{
    if (layout->sha == SHA_256) {
        return digests->sha256;
    }
    return digests->has_sha384 ? digests->sha384 : NULL;
}

static esp_err_t verify_rsa(const uint8_t *key, const uint8_t *digest, const uint8_t *signature)
{
    uint8_t modulus[OTTER_RSA3072_BYTES];
    uint8_t turned[OTTER_RSA3072_BYTES];
    reverse(modulus, key, sizeof(modulus));
    reverse(turned, signature, sizeof(turned));
    return otter_verify_rsa3072(modulus, bytes_get_u32(key + RSA_OFF_EXPONENT), digest, turned);
}

static esp_err_t verify_ecdsa(const layout_t *layout, const uint8_t *key, const uint8_t *digest,
                              const uint8_t *signature)
{
    uint8_t point[2 * OTTER_SHA384_BYTES];
    uint8_t turned[2 * OTTER_SHA384_BYTES];
    reverse_pair(point, key + 1, layout->coordinate_len);
    reverse_pair(turned, signature, layout->coordinate_len);
    otter_curve_t curve = layout->curve == CURVE_P384 ? OTTER_CURVE_P384 : OTTER_CURVE_P256;
    return otter_verify_ecdsa(curve, point, digest, layout->digest_len, turned);
}

/* The digest is the one that was computed, not the one in the block. */
static bool verifies(const layout_t *layout, const uint8_t *block, const uint8_t *digest)
{
    const uint8_t *key = block + key_off(layout);
    const uint8_t *signature = block + signature_off(layout);
    if (layout->scheme == TRUST_SCHEME_RSA3072) {
        return verify_rsa(key, digest, signature) == ESP_OK;
    }
    return verify_ecdsa(layout, key, digest, signature) == ESP_OK;
}

static signature_verdict_t judge_signature(const layout_t *layout, const uint8_t *block,
                                           const signature_digests_t *digests)
{
    const uint8_t *digest = image_digest(layout, digests);
    if (digest == NULL || !otter_equal_ct(digest, block + OFF_DIGEST, layout->digest_len)) {
        return SIGNATURE_OTHER;
    }
    return verifies(layout, block, digest) ? SIGNATURE_GOOD : SIGNATURE_BAD;
}

signature_t signature_check(const uint8_t block[SIGNATURE_BLOCK_BYTES], const signature_digests_t *digests,
                            const trust_state_t *trust)
{
    signature_t found = {.verdict = SIGNATURE_ABSENT};
    if (block[0] != MAGIC) {
        return found;
    }
    found.verdict = SIGNATURE_MALFORMED;
    const layout_t *layout = crc_fits(block) ? layout_of_block(block) : NULL;
    if (layout == NULL || digest_of(block + key_off(layout), layout->key_len, found.key_digest) != ESP_OK) {
        return found;
    }
    found.scheme = layout->scheme;
    found.verdict = judge_key(&found, trust);
    if (found.verdict == SIGNATURE_GOOD) {
        found.verdict = judge_signature(layout, block, digests);
    }
    return found;
}

static const char *const verdict_texts[] = {
    [SIGNATURE_ABSENT] = "no signature",
    [SIGNATURE_MALFORMED] = "damaged signature block",
    [SIGNATURE_UNTRUSTED] = "signed with a key that is not trusted",
    [SIGNATURE_REVOKED] = "signed with a revoked key",
    [SIGNATURE_OTHER] = "signature of another image",
    [SIGNATURE_BAD] = "signature does not verify",
    [SIGNATURE_GOOD] = "good signature",
};

const char *signature_verdict_text(signature_verdict_t verdict)
{
    bool known = (size_t)verdict < sizeof(verdict_texts) / sizeof(verdict_texts[0]);
    return verdict_texts[known ? verdict : SIGNATURE_MALFORMED];
}

/* ---- Building ---- */

static void put_key(const layout_t *layout, const signature_key_t *key, uint8_t *field)
{
    if (layout->scheme == TRUST_SCHEME_RSA3072) {
        reverse(field, key->modulus, OTTER_RSA3072_BYTES);
        bytes_put_u32(field + RSA_OFF_EXPONENT, key->exponent);
        reverse(field + RSA_OFF_R, key->r, OTTER_RSA3072_BYTES);
        bytes_put_u32(field + RSA_OFF_M_PRIME, key->m_prime);
        return;
    }
    field[0] = layout->curve;
    reverse_pair(field + 1, key->point, layout->coordinate_len);
}

static void put_signature(const layout_t *layout, const uint8_t *signature, uint8_t *field)
{
    if (layout->scheme == TRUST_SCHEME_RSA3072) {
        reverse(field, signature, layout->signature_len);
        return;
    }
    reverse_pair(field, signature, layout->coordinate_len);
}

esp_err_t signature_key_digest(const signature_key_t *key, uint8_t digest[OTTER_SHA256_BYTES])
{
    const layout_t *layout = layout_of_scheme(key->scheme);
    if (layout == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    uint8_t field[RSA_KEY_BYTES];
    put_key(layout, key, field);
    return digest_of(field, layout->key_len, digest) == ESP_OK ? ESP_OK : ESP_FAIL;
}

esp_err_t signature_build(const signature_key_t *key, const signature_digests_t *digests, const uint8_t *signature,
                          uint8_t block[SIGNATURE_BLOCK_BYTES])
{
    const layout_t *layout = layout_of_scheme(key->scheme);
    const uint8_t *digest = layout != NULL ? image_digest(layout, digests) : NULL;
    if (digest == NULL) {
        return ESP_ERR_INVALID_ARG;
    }
    memset(block, 0, SIGNATURE_BLOCK_BYTES);
    block[0] = MAGIC;
    block[OFF_VERSION] = layout->version;
    block[OFF_SHA] = layout->sha;
    memcpy(block + OFF_DIGEST, digest, layout->digest_len);
    put_key(layout, key, block + key_off(layout));
    put_signature(layout, signature, block + signature_off(layout));
    bytes_put_u32(block + OFF_CRC, bytes_crc32(0, block, OFF_CRC));
    return ESP_OK;
}
