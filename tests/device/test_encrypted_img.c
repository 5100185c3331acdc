/* SPDX-License-Identifier: Apache-2.0 */
/* esp_encrypted_img: the calls of ESP-IDF's component. */
#include "esp_encrypted_img.h"

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "otter/otter_encrypted.h"
#include "tests/support/encrypted_fixture.h"
#include "tests/support/image_fixture.h"
#include "tests/support/signed_fixture.h"
#include "tests/support/test.h"

#define HEADER FIXTURE_ENCRYPTED_HEADER

static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256};

/** Keys, an image, and the file that it is encrypted to. */
typedef struct site {
    char *pem;
    uint8_t *image;
    size_t image_len;
    uint8_t *file;
    size_t file_len;
} site_t;

static uint8_t *make_bytes(size_t len)
{
    uint32_t state = (uint32_t)len;
    uint8_t *bytes = malloc(len);
    assert_non_null(bytes);
    for (size_t i = 0; i < len; i++) {
        bytes[i] = (uint8_t)fixture_random(&state);
    }
    return bytes;
}

static site_t make_site(trust_scheme_t scheme, size_t image_len)
{
    site_t site = {.image_len = image_len};
    site.pem = fixture_key_pem(fixture_key(scheme, 0));
    site.image = make_bytes(image_len);
    site.file = fixture_encrypt(site.pem, site.image, image_len, &site.file_len);
    return site;
}

static void free_site(site_t *site)
{
    free(site->pem);
    free(site->image);
    free(site->file);
}

static esp_decrypt_handle_t try_start(const char *pem)
{
    esp_decrypt_cfg_t cfg = {.rsa_priv_key = pem, .rsa_priv_key_len = strlen(pem)};
    return esp_encrypted_img_decrypt_start(&cfg);
}

static esp_decrypt_handle_t start(const char *pem)
{
    esp_decrypt_handle_t handle = try_start(pem);
    assert_non_null(handle);
    return handle;
}

/** Feeds all in pieces. @return the last code; bytes that came out are appended to @p out */
static esp_err_t feed(esp_decrypt_handle_t handle, const uint8_t *file, size_t len, size_t step, uint8_t *out,
                      size_t *out_len)
{
    esp_err_t err = ESP_ERR_NOT_FINISHED;
    for (size_t at = 0; at < len && err == ESP_ERR_NOT_FINISHED; at += step) {
        pre_enc_decrypt_arg_t args = {.data_in = (const char *)file + at,
                                      .data_in_len = len - at < step ? len - at : step};
        err = esp_encrypted_img_decrypt_data(handle, &args);
        if (args.data_out_len > 0) {
            memcpy(out + *out_len, args.data_out, args.data_out_len);
            *out_len += args.data_out_len;
        }
        free(args.data_out);
    }
    return err;
}

/** Decrypts a whole file. @return what the end says; the last code of the data must be @p wanted */
static esp_err_t decrypt(const char *pem, const uint8_t *file, size_t len, size_t step, esp_err_t wanted)
{
    size_t out_len = 0;
    uint8_t *out = malloc(len + 1);
    esp_decrypt_handle_t handle = start(pem);
    assert_err(feed(handle, file, len, step, out, &out_len), wanted);
    assert_true(esp_encrypted_img_is_complete_data_received(handle) == (wanted == ESP_OK));
    free(out);
    return esp_encrypted_img_decrypt_end(handle);
}

/* ---- Images that are good ---- */

static void assert_decrypts(const site_t *site, size_t step)
{
    size_t out_len = 0;
    uint8_t *out = malloc(site->image_len);
    esp_decrypt_handle_t handle = start(site->pem);
    assert_err(feed(handle, site->file, site->file_len, step, out, &out_len), ESP_OK);
    assert_int_equal(out_len, site->image_len);
    assert_memory_equal(out, site->image, out_len);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_OK);
    free(out);
}

static void an_image_in_pieces_of_any_size_is_decrypted(void **state)
{
    (void)state;
    static const size_t steps[] = {1, 15, 16, 17, 511, 512, 513, 1024, 4095, 4096, 5000, 1u << 20};
    for (size_t s = 0; s < 2; s++) {
        site_t site = make_site(schemes[s], 9001);
        for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
            assert_decrypts(&site, steps[i]);
        }
        free_site(&site);
    }
}

static void an_image_of_any_length_is_decrypted(void **state)
{
    (void)state;
    static const size_t lens[] = {1, 15, 16, 17, 31, 32, 33, 4095, 4096, 4097, 8192, 70000};
    for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
        site_t site = make_site(TRUST_SCHEME_P256, lens[i]);
        assert_decrypts(&site, 512);
        assert_decrypts(&site, 1u << 20);
        assert_decrypts(&site, 7);
        free_site(&site);
    }
}

static void the_data_is_not_finished_until_its_last_byte(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_RSA3072, 100);
    esp_decrypt_handle_t handle = start(site.pem);
    assert_false(esp_encrypted_img_is_complete_data_received(handle));
    for (size_t i = 0; i < site.file_len; i++) {
        pre_enc_decrypt_arg_t args = {.data_in = (const char *)site.file + i, .data_in_len = 1};
        bool last = i + 1 == site.file_len;
        assert_err(esp_encrypted_img_decrypt_data(handle, &args), last ? ESP_OK : ESP_ERR_NOT_FINISHED);
        assert_true(esp_encrypted_img_is_complete_data_received(handle) == last);
        free(args.data_out);
    }
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_OK);
    free_site(&site);
}

static void nothing_is_allocated_while_nothing_comes_out(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 100);
    esp_decrypt_handle_t handle = start(site.pem);
    pre_enc_decrypt_arg_t args = {.data_in = (const char *)site.file, .data_in_len = HEADER + 15, .data_out_len = 5};
    assert_err(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_NOT_FINISHED);
    assert_null(args.data_out);
    assert_int_equal(args.data_out_len, 0);
    args = (pre_enc_decrypt_arg_t){.data_in = (const char *)site.file, .data_in_len = 0};
    assert_err(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_NOT_FINISHED);
    assert_null(args.data_out);
    assert_err(esp_encrypted_img_decrypt_abort(handle), ESP_OK);
    free_site(&site);
}

/** As ESP-IDF's own tests do: one struct for all calls, freed once. */
static void the_same_output_buffer_serves_every_call(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 5000);
    esp_decrypt_handle_t handle = start(site.pem);
    pre_enc_decrypt_arg_t args = {0};
    size_t at = 0;
    size_t out_len = 0;
    esp_err_t err;
    do {
        size_t len = 1 + at % 700;
        args.data_in = (const char *)site.file + at;
        args.data_in_len = len < site.file_len - at ? len : site.file_len - at;
        at += args.data_in_len;
        err = esp_encrypted_img_decrypt_data(handle, &args);
        assert_memory_equal(args.data_out_len > 0 ? args.data_out : "", site.image + out_len, args.data_out_len);
        out_len += args.data_out_len;
    } while (err == ESP_ERR_NOT_FINISHED);
    assert_err(err, ESP_OK);
    assert_int_equal(out_len, site.image_len);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_OK);
    free(args.data_out);
    free_site(&site);
}

static void two_images_are_decrypted_side_by_side(void **state)
{
    (void)state;
    site_t site[2];
    esp_decrypt_handle_t handle[2];
    for (size_t i = 0; i < 2; i++) {
        site[i] = make_site(schemes[i], 40);
        handle[i] = start(site[i].pem);
    }
    for (size_t at = 0; at < site[0].file_len; at++) {
        for (size_t i = 0; i < 2; i++) {
            pre_enc_decrypt_arg_t args = {.data_in = (const char *)site[i].file + at, .data_in_len = 1};
            esp_encrypted_img_decrypt_data(handle[i], &args);
            free(args.data_out);
        }
    }
    assert_err(esp_encrypted_img_decrypt_end(handle[0]), ESP_OK);
    assert_err(esp_encrypted_img_decrypt_end(handle[1]), ESP_OK);
    free_site(&site[0]);
    free_site(&site[1]);
}

/* ---- Images that are not ---- */

/** Decrypts with one byte changed; must fail, at the latest at the end. */
static void assert_flip_refused(const site_t *site, size_t off, uint8_t mask)
{
    size_t out_len = 0;
    uint8_t *out = malloc(site->file_len);
    esp_decrypt_handle_t handle = start(site->pem);
    site->file[off] ^= mask;
    esp_err_t err = feed(handle, site->file, site->file_len, 600, out, &out_len);
    site->file[off] ^= mask;
    assert_true(err == ESP_OK || err == ESP_FAIL || err == ESP_ERR_NOT_FINISHED);
    if (esp_encrypted_img_decrypt_end(handle) != ESP_FAIL) {
        fail_msg("byte %zu changed by %02x", off, mask);
    }
    free(out);
}

static void any_changed_byte_of_the_header_is_noticed(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        site_t site = make_site(schemes[s], 100);
        for (size_t off = 0; off < HEADER; off++) {
            assert_flip_refused(&site, off, (uint8_t)(1u << off % 8));
        }
        assert_err(decrypt(site.pem, site.file, site.file_len, 600, ESP_OK), ESP_OK);
        free_site(&site);
    }
}

static void any_changed_byte_of_the_image_is_noticed(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 300);
    for (size_t off = HEADER; off < site.file_len; off++) {
        assert_flip_refused(&site, off, 0x80);
    }
    free_site(&site);
}

static void a_file_that_breaks_off_is_not_complete(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 100);
    for (size_t len = 1; len < site.file_len; len++) {
        assert_err(decrypt(site.pem, site.file, len, 64, ESP_ERR_NOT_FINISHED), ESP_FAIL);
    }
    esp_decrypt_handle_t handle = start(site.pem);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_FAIL);
    free_site(&site);
}

static void a_byte_more_than_the_header_says_is_refused(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 100);
    uint8_t *longer = calloc(1, site.file_len + 1);
    memcpy(longer, site.file, site.file_len);
    assert_err(decrypt(site.pem, longer, site.file_len + 1, site.file_len + 1, ESP_FAIL), ESP_FAIL);
    esp_decrypt_handle_t handle = start(site.pem);
    size_t out_len = 0;
    uint8_t out[200];
    assert_err(feed(handle, longer, site.file_len, 50, out, &out_len), ESP_OK);
    assert_err(feed(handle, longer, 1, 1, out, &out_len), ESP_FAIL);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_FAIL);
    free(longer);
    free_site(&site);
}

static void the_tag_of_another_file_does_not_fit(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        site_t site = make_site(schemes[s], 100);
        site_t other = make_site(schemes[s], 100);
        memcpy(site.file + FIXTURE_ENCRYPTED_TAG, other.file + FIXTURE_ENCRYPTED_TAG, 16);
        assert_err(decrypt(site.pem, site.file, site.file_len, 600, ESP_OK), ESP_FAIL);
        free_site(&site);
        free_site(&other);
    }
}

static void another_key_of_the_same_kind_fails_at_the_end(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 100);
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 1));
    assert_err(decrypt(pem, site.file, site.file_len, 600, ESP_OK), ESP_FAIL);
    free(pem);
    free_site(&site);
}

static void a_key_of_the_other_kind_is_refused_at_the_header(void **state)
{
    (void)state;
    for (size_t s = 0; s < 2; s++) {
        site_t site = make_site(schemes[s], 100);
        char *pem = fixture_key_pem(fixture_key(schemes[1 - s], 0));
        assert_err(decrypt(pem, site.file, HEADER, HEADER, ESP_FAIL), ESP_FAIL);
        free(pem);
        free_site(&site);
    }
}

static void a_plain_image_is_refused_at_the_header(void **state)
{
    (void)state;
    fixture_image_t spec = FIXTURE_IMAGE("blink", "1.0.0");
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    assert_err(decrypt(pem, image, len, 100, ESP_FAIL), ESP_FAIL);
    free(image);
    free(pem);
}

static void a_failure_is_answered_again(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 100);
    esp_decrypt_handle_t handle = start(site.pem);
    pre_enc_decrypt_arg_t args = {.data_in = (const char *)site.image, .data_in_len = 100};
    for (int i = 0; i < 5; i++) {
        args.data_out_len = 9;
        assert_err(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_NOT_FINISHED);
    }
    assert_err(esp_encrypted_img_decrypt_data(handle, &args), ESP_FAIL);
    assert_err(esp_encrypted_img_decrypt_data(handle, &args), ESP_FAIL);
    assert_null(args.data_out);
    assert_int_equal(args.data_out_len, 0);
    assert_err(esp_encrypted_img_decrypt_abort(handle), ESP_OK);
    free_site(&site);
}

/* ---- Padding ---- */

/** What comes out of a file of which RSA gives @p padded: the keystream, since what comes in is zero. */
static void decrypt_padded(const site_t *site, const uint8_t padded[384], uint8_t out[100])
{
    static const uint8_t key[32] = {7};
    size_t file_len;
    size_t out_len = 0;
    uint8_t *file = fixture_encrypt_padded(site->pem, padded, key, site->image, 100, &file_len);
    memset(file + FIXTURE_ENCRYPTED_IV, 1, 16);
    memset(file + HEADER, 0, 100);
    esp_decrypt_handle_t handle = start(site->pem);
    assert_err(feed(handle, file, file_len, 600, out, &out_len), ESP_OK);
    assert_int_equal(out_len, 100);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_FAIL);
    free(file);
}

/** Whoever chooses what RSA decrypts to learns nothing: wrong padding looks like another key, the same each time. */
static void wrong_padding_looks_like_a_wrong_key(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_RSA3072, 100);
    uint8_t padded[384];
    uint8_t good[100];
    uint8_t first[100];
    uint8_t second[100];
    memset(padded, 0x5A, sizeof(padded));
    memcpy(padded + 352, "a key of 32 bytes, as chosen by m", 32);
    padded[0] = 0;
    padded[1] = 2;
    padded[351] = 0;
    decrypt_padded(&site, padded, good);
    padded[1] = 1;
    decrypt_padded(&site, padded, first);
    decrypt_padded(&site, padded, second);
    assert_memory_equal(first, second, sizeof(first));
    assert_memory_not_equal(first, good, sizeof(first));
    padded[2] ^= 1;
    decrypt_padded(&site, padded, second);
    assert_memory_not_equal(first, second, sizeof(first));
    free_site(&site);
}

/* ---- Keys ---- */

static void keys_that_cannot_decrypt_are_refused_at_the_start(void **state)
{
    (void)state;
    char *public_half = fixture_public_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    char *p384 = fixture_key_pem(fixture_key(TRUST_SCHEME_P384, 0));
    assert_null(try_start(public_half));
    assert_null(try_start(p384));
    assert_null(try_start("no key"));
    assert_null(try_start(""));
    assert_null(esp_encrypted_img_decrypt_start(NULL));
    free(public_half);
    free(p384);
}

static void the_key_need_not_outlive_the_start(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_RSA3072, 100);
    esp_decrypt_handle_t handle = start(site.pem);
    memset(site.pem, 'x', strlen(site.pem));
    size_t out_len = 0;
    uint8_t out[100];
    assert_err(feed(handle, site.file, site.file_len, 100, out, &out_len), ESP_OK);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_OK);
    free_site(&site);
}

static void the_old_names_of_the_key_are_the_same_fields(void **state)
{
    (void)state;
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    esp_decrypt_cfg_t cfg = {.rsa_pub_key = pem, .rsa_pub_key_len = strlen(pem) + 1};
    assert_ptr_equal(cfg.rsa_priv_key, pem);
    esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&cfg);
    assert_non_null(handle);
    assert_err(esp_encrypted_img_decrypt_abort(handle), ESP_OK);
    free(pem);
}

/** The device has an HMAC key only; the sender has what the device exports. */
static void a_key_derived_from_an_hmac_key_decrypts(void **state)
{
    (void)state;
    static const uint8_t hmac_key[OTTER_HMAC_KEY_BYTES] = {1, 2, 3};
    esp_decrypt_cfg_t cfg = {.hmac_key_id = HMAC_KEY2};
    uint8_t *der = NULL;
    size_t der_len = 0;
    size_t file_len;
    size_t out_len = 0;
    uint8_t out[64];
    assert_null(esp_encrypted_img_decrypt_start(&cfg));
    assert_err(otter_encrypted_set_hmac_key(HMAC_KEY2, hmac_key), ESP_OK);
    esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&cfg);
    assert_non_null(handle);
    assert_err(esp_encrypted_img_export_public_key(handle, &der, &der_len), ESP_OK);
    char *pem = fixture_pem_of_der(der, der_len);
    uint8_t *file = fixture_encrypt(pem, (const uint8_t *)"espressif", 9, &file_len);
    assert_err(feed(handle, file, file_len, 100, out, &out_len), ESP_OK);
    assert_memory_equal(out, "espressif", 9);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_OK);
    assert_err(otter_encrypted_set_hmac_key(HMAC_KEY2, NULL), ESP_OK);
    assert_null(esp_encrypted_img_decrypt_start(&cfg));
    free(file);
    free(pem);
    free(der);
}

static void there_are_six_places_for_hmac_keys(void **state)
{
    (void)state;
    static const uint8_t key[OTTER_HMAC_KEY_BYTES] = {1};
    assert_err(otter_encrypted_set_hmac_key(HMAC_KEY5, key), ESP_OK);
    assert_err(otter_encrypted_set_hmac_key(HMAC_KEY_MAX, key), ESP_ERR_INVALID_ARG);
    assert_err(otter_encrypted_set_hmac_key((hmac_key_id_t)-1, key), ESP_ERR_INVALID_ARG);
    esp_decrypt_cfg_t cfg = {.hmac_key_id = (hmac_key_id_t)99};
    assert_null(esp_encrypted_img_decrypt_start(&cfg));
}

static void the_public_half_of_an_rsa_key_is_exported(void **state)
{
    (void)state;
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_RSA3072, 0));
    esp_decrypt_handle_t handle = start(pem);
    uint8_t *der = NULL;
    size_t len = 0;
    assert_err(esp_encrypted_img_export_public_key(handle, &der, &len), ESP_OK);
    const unsigned char *at = der;
    EVP_PKEY *key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)len);
    assert_non_null(key);
    assert_int_equal(EVP_PKEY_get_bits(key), 3072);
    EVP_PKEY_free(key);
    free(der);
    assert_err(esp_encrypted_img_export_public_key(handle, NULL, &len), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_export_public_key(handle, &der, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_decrypt_abort(handle), ESP_OK);
    assert_err(esp_encrypted_img_export_public_key(handle, &der, &len), ESP_ERR_INVALID_ARG);
    free(pem);
}

/* ---- Handles ---- */

static void null_is_no_handle(void **state)
{
    (void)state;
    pre_enc_decrypt_arg_t args = {.data_in = "x", .data_in_len = 1};
    assert_err(esp_encrypted_img_decrypt_data(NULL, &args), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_decrypt_end(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_decrypt_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_false(esp_encrypted_img_is_complete_data_received(NULL));
    assert_int_equal(esp_encrypted_img_get_header_size(), HEADER);
    char *pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    esp_decrypt_handle_t handle = start(pem);
    assert_err(esp_encrypted_img_decrypt_data(handle, NULL), ESP_ERR_INVALID_ARG);
    args.data_in = NULL;
    assert_err(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_decrypt_abort(handle), ESP_OK);
    free(pem);
}

/** ESP-IDF's example does this when the tag is wrong. */
static void aborting_what_was_ended_is_harmless(void **state)
{
    (void)state;
    site_t site = make_site(TRUST_SCHEME_P256, 100);
    esp_decrypt_handle_t other = start(site.pem);
    esp_decrypt_handle_t handle = start(site.pem);
    pre_enc_decrypt_arg_t args = {.data_in = "x", .data_in_len = 1};
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_FAIL);
    assert_err(esp_encrypted_img_decrypt_abort(handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_decrypt_end(handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_decrypt_data(handle, &args), ESP_ERR_INVALID_ARG);
    assert_err(esp_encrypted_img_decrypt_abort(other), ESP_OK);
    free_site(&site);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(an_image_in_pieces_of_any_size_is_decrypted),
    cmocka_unit_test(an_image_of_any_length_is_decrypted),
    cmocka_unit_test(the_data_is_not_finished_until_its_last_byte),
    cmocka_unit_test(nothing_is_allocated_while_nothing_comes_out),
    cmocka_unit_test(the_same_output_buffer_serves_every_call),
    cmocka_unit_test(two_images_are_decrypted_side_by_side),
    cmocka_unit_test(any_changed_byte_of_the_header_is_noticed),
    cmocka_unit_test(any_changed_byte_of_the_image_is_noticed),
    cmocka_unit_test(a_file_that_breaks_off_is_not_complete),
    cmocka_unit_test(a_byte_more_than_the_header_says_is_refused),
    cmocka_unit_test(the_tag_of_another_file_does_not_fit),
    cmocka_unit_test(another_key_of_the_same_kind_fails_at_the_end),
    cmocka_unit_test(a_key_of_the_other_kind_is_refused_at_the_header),
    cmocka_unit_test(a_plain_image_is_refused_at_the_header),
    cmocka_unit_test(a_failure_is_answered_again),
    cmocka_unit_test(wrong_padding_looks_like_a_wrong_key),
    cmocka_unit_test(keys_that_cannot_decrypt_are_refused_at_the_start),
    cmocka_unit_test(the_key_need_not_outlive_the_start),
    cmocka_unit_test(the_old_names_of_the_key_are_the_same_fields),
    cmocka_unit_test(a_key_derived_from_an_hmac_key_decrypts),
    cmocka_unit_test(there_are_six_places_for_hmac_keys),
    cmocka_unit_test(the_public_half_of_an_rsa_key_is_exported),
    cmocka_unit_test(null_is_no_handle),
    cmocka_unit_test(aborting_what_was_ended_is_harmless),
};

TEST_MAIN(tests)
