/* SPDX-License-Identifier: Apache-2.0 */
/* Updates from encrypted images: by the library, and by ESP-IDF's component in a callback of the application's. */
#include <stdlib.h>

#include "esp_encrypted_img.h"
#include "otter/otter_download.h"
#include "otter/otter_encrypted.h"
#include "tests/device/https_ota_fake.h"
#include "tests/support/encrypted_fixture.h"
#include "tests/support/signed_fixture.h"

#define HEADER       FIXTURE_ENCRYPTED_HEADER
#define SECTOR_BYTES 4096
#define BUFFER_BYTES 1024

static const trust_scheme_t schemes[] = {TRUST_SCHEME_RSA3072, TRUST_SCHEME_P256};

/** The device's key, and the file that the server has. */
typedef struct site {
    bench_t *bench;
    char *pem;
    otter_decrypt_config_t decrypt;
    uint8_t *file;
    size_t len;
} site_t;

static site_t open_site(void **state, trust_scheme_t scheme)
{
    site_t site = {.bench = *state};
    site.pem = fixture_key_pem(fixture_key(scheme, 0));
    site.decrypt = (otter_decrypt_config_t){.key_pem = site.pem, .key_pem_len = strlen(site.pem)};
    site.file = fixture_encrypt(site.pem, site.bench->image, site.bench->image_len, &site.len);
    return site;
}

static void close_site(site_t *site)
{
    free(site->pem);
    free(site->file);
}

/** A good server: ranges, an entity tag. */
static http_fake_exchange_t ranged(const site_t *site)
{
    return (http_fake_exchange_t){
        .body = site->file, .body_len = site->len, .ranges = true, .etag = "\"enc\"", .again = true};
}

static esp_err_t begin(const site_t *site, esp_https_ota_handle_t *handle)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client,
                                     .decrypt_cb = otter_decrypt_image,
                                     .decrypt_user_ctx = (void *)(uintptr_t)&site->decrypt};
    return esp_https_ota_begin(&config, handle);
}

static esp_https_ota_handle_t begun(const site_t *site)
{
    esp_https_ota_handle_t handle = NULL;
    assert_err(begin(site, &handle), ESP_OK);
    return handle;
}

/** As an application does: the first error. */
static esp_err_t update(const site_t *site)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = begin(site, &handle);
    if (err != ESP_OK) {
        return err;
    }
    err = fake_download(handle);
    if (err == ESP_OK) {
        return esp_https_ota_finish(handle);
    }
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    return err;
}

/** Within one start only: nothing that an earlier one left helps. */
static void limit_retries(uint32_t retries)
{
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = retries;
    limits.resume = false;
    limits.backoff_first_ms = 1;
    limits.backoff_most_ms = 1;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
}

/** Ends well once what is wrong is mended. */
static void assert_update_works(const site_t *site)
{
    http_fake_exchange_t good = ranged(site);
    fake_answer(&good);
    assert_err(update(site), ESP_OK);
    bench_assert_switched(site->bench);
}

/** With another key anything comes out, sometimes what begins like an image for another chip. */
static void assert_is_no_image(esp_err_t err)
{
    if (err != ESP_ERR_INVALID_VERSION) {
        assert_err(err, ESP_ERR_OTA_VALIDATE_FAILED);
    }
}

/* ---- Good ones ---- */

static void an_encrypted_image_is_installed(void **state)
{
    for (size_t s = 0; s < 2; s++) {
        site_t site = open_site(state, schemes[s]);
        http_fake_exchange_t answer = {.body = site.file, .body_len = site.len};
        fake_answer(&answer);
        esp_https_ota_handle_t handle = begun(&site);
        esp_app_desc_t desc;
        assert_int_equal(esp_https_ota_get_image_size(handle), site.bench->image_len);
        assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
        assert_string_equal(desc.version, "2.0.0");
        assert_err(fake_download(handle), ESP_OK);
        assert_int_equal(esp_https_ota_get_image_len_read(handle), site.bench->image_len);
        assert_true(esp_https_ota_is_complete_data_received(handle));
        assert_err(esp_https_ota_finish(handle), ESP_OK);
        bench_assert_switched(site.bench);
        close_site(&site);
    }
}

static void pieces_of_any_size_are_put_together(void **state)
{
    static const size_t pieces[] = {1, 15, 16, 17, 511, 512, 513, 1000};
    site_t site = open_site(state, TRUST_SCHEME_P256);
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        http_fake_exchange_t answer = {.body = site.file, .body_len = site.len, .piece_len = pieces[i]};
        fake_answer(&answer);
        assert_err(update(&site), ESP_OK);
        bench_assert_switched(site.bench);
    }
    close_site(&site);
}

static void an_encrypted_image_comes_in_parts(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    http_fake_exchange_t answer = ranged(&site);
    fake_answer(&answer);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client,
                                     .partial_http_download = true,
                                     .max_http_request_size = 2000,
                                     .decrypt_cb = otter_decrypt_image,
                                     .decrypt_user_ctx = &site.decrypt};
    assert_err(esp_https_ota(&config), ESP_OK);
    assert_true(http_fake_seen()->request_count >= site.len / 2000);
    bench_assert_switched(site.bench);
    close_site(&site);
}

/** The public key that belongs to an HMAC key, as ESP-IDF's component exports it. */
static char *derived_public_pem(const uint8_t hmac_key[OTTER_HMAC_KEY_BYTES])
{
    esp_decrypt_cfg_t cfg = {.hmac_key_id = HMAC_KEY0};
    uint8_t *der = NULL;
    size_t len = 0;
    assert_err(otter_encrypted_set_hmac_key(HMAC_KEY0, hmac_key), ESP_OK);
    esp_decrypt_handle_t handle = esp_encrypted_img_decrypt_start(&cfg);
    assert_err(esp_encrypted_img_export_public_key(handle, &der, &len), ESP_OK);
    assert_err(esp_encrypted_img_decrypt_abort(handle), ESP_OK);
    char *pem = fixture_pem_of_der(der, len);
    free(der);
    return pem;
}

static void a_key_derived_from_an_hmac_key_will_do(void **state)
{
    static const uint8_t hmac_key[OTTER_HMAC_KEY_BYTES] = {9, 8, 7};
    site_t site = open_site(state, TRUST_SCHEME_P256);
    site.decrypt = (otter_decrypt_config_t){.hmac_key = hmac_key};
    http_fake_exchange_t answer = {.body = site.file, .body_len = site.len};
    fake_answer(&answer);
    assert_is_no_image(update(&site)); /* For another device. */
    bench_assert_nothing_switched(site.bench);
    free(site.file);
    char *pem = derived_public_pem(hmac_key);
    site.file = fixture_encrypt(pem, site.bench->image, site.bench->image_len, &site.len);
    assert_update_works(&site);
    free(pem);
    close_site(&site);
}

/* ---- The tag ---- */

/** The whole image is in the slot, and good; but it is not what was sent. */
static void a_wrong_tag_never_switches(void **state)
{
    for (size_t s = 0; s < 2; s++) {
        site_t site = open_site(state, schemes[s]);
        http_fake_exchange_t answer = ranged(&site);
        site.file[FIXTURE_ENCRYPTED_TAG + 15] ^= 1;
        fake_answer(&answer);
        esp_https_ota_handle_t handle = begun(&site);
        assert_err(fake_download(handle), ESP_ERR_OTA_VALIDATE_FAILED);
        assert_int_equal(esp_https_ota_get_image_len_read(handle), site.bench->image_len);
        assert_memory_equal(site.bench->bytes + BENCH_OTA_1, site.bench->image, site.bench->image_len);
        assert_err(esp_https_ota_finish(handle), ESP_ERR_OTA_VALIDATE_FAILED);
        bench_assert_nothing_switched(site.bench);
        site.file[FIXTURE_ENCRYPTED_TAG + 15] ^= 1;
        assert_update_works(&site);
        close_site(&site);
    }
}

static void a_changed_byte_anywhere_never_switches(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    for (size_t off = 4; off < site.len; off += off < HEADER ? 37 : 1501) {
        http_fake_exchange_t answer = ranged(&site);
        site.file[off] ^= 0x40;
        fake_answer(&answer);
        if (update(&site) == ESP_OK) {
            fail_msg("byte %zu", off);
        }
        bench_assert_nothing_switched(site.bench);
        site.file[off] ^= 0x40;
    }
    assert_update_works(&site);
    close_site(&site);
}

static void a_file_that_is_too_short_or_too_long_never_switches(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    site.file = realloc(site.file, site.len + 16);
    memset(site.file + site.len, 0, 16);
    static const ptrdiff_t changes[] = {-1000, -16, -1, 1, 16};
    for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
        http_fake_exchange_t answer = ranged(&site);
        answer.body_len = (size_t)((ptrdiff_t)site.len + changes[i]);
        fake_answer(&answer);
        assert_err(update(&site), ESP_ERR_OTA_VALIDATE_FAILED);
        bench_assert_nothing_switched(site.bench);
    }
    assert_update_works(&site);
    close_site(&site);
}

/* ---- What is refused before anything is written ---- */

static void assert_refused_untouched(const site_t *site, const uint8_t *file, size_t len)
{
    http_fake_exchange_t answer = {.body = file, .body_len = len};
    uint32_t erases = site->bench->slot_erases;
    uint32_t programs = site->bench->slot_programs;
    fake_answer(&answer);
    assert_is_no_image(update(site));
    assert_int_equal(site->bench->slot_erases, erases);
    assert_int_equal(site->bench->slot_programs, programs);
    bench_assert_nothing_switched(site->bench);
}

static void images_for_another_key_are_refused_before_anything_is_written(void **state)
{
    for (size_t s = 0; s < 2; s++) {
        site_t site = open_site(state, schemes[s]);
        for (size_t other = 0; other < 2; other++) {
            size_t len;
            char *pem = fixture_key_pem(fixture_key(schemes[other], 1));
            uint8_t *file = fixture_encrypt(pem, site.bench->image, site.bench->image_len, &len);
            assert_refused_untouched(&site, file, len);
            free(file);
            free(pem);
        }
        close_site(&site);
    }
}

static void plain_images_are_refused_where_encrypted_ones_are_expected(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    assert_refused_untouched(&site, site.bench->image, site.bench->image_len);
    close_site(&site);
}

static void encrypted_images_are_refused_where_plain_ones_are_expected(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    http_fake_exchange_t answer = ranged(&site);
    fake_answer(&answer);
    assert_err(fake_update(), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(site.bench->slot_erases, 0);
    bench_assert_nothing_switched(site.bench);
    close_site(&site);
}

static void without_a_usable_key_nothing_is_asked(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    http_fake_exchange_t answer = ranged(&site);
    esp_https_ota_handle_t handle = NULL;
    fake_answer(&answer);
    site.decrypt.key_pem_len = 50;
    assert_err(begin(&site, &handle), ESP_ERR_INVALID_ARG);
    site.decrypt.key_pem = NULL;
    assert_err(begin(&site, &handle), ESP_ERR_INVALID_ARG);
    assert_null(handle);
    assert_int_equal(http_fake_seen()->request_count, 0);
    close_site(&site);
}

/* ---- Interruptions ---- */

static void a_connection_that_drops_goes_on_where_it_stopped(void **state)
{
    static const size_t cuts[] = {1, 100, 511, 512, 513, 527, 528, 1023, 1024, 1025, 5000, 20000, 28000};
    site_t site = open_site(state, TRUST_SCHEME_P256);
    limit_retries(3);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        http_fake_exchange_t answers[2] = {ranged(&site), ranged(&site)};
        answers[0].break_at = cuts[i];
        answers[0].break_error = ESP_FAIL;
        answers[0].again = false;
        http_fake_script(answers, 2);
        assert_err(update(&site), ESP_OK);
        assert_true(http_fake_seen()->breaks > 0);
        assert_int_equal(http_fake_seen()->request_count, 2);
        assert_int_equal(http_fake_seen()->body_bytes, site.len);
        bench_assert_switched(site.bench);
    }
    close_site(&site);
}

static void a_file_that_is_another_one_now_starts_over(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    site_t newer = open_site(state, TRUST_SCHEME_P256);
    limit_retries(3);
    http_fake_exchange_t answers[2] = {ranged(&site), ranged(&newer)};
    answers[0].break_at = 9000;
    answers[0].break_error = ESP_FAIL;
    answers[0].again = false;
    answers[1].etag = "\"newer\"";
    http_fake_script(answers, 2);
    assert_err(update(&site), ESP_OK);
    assert_int_equal(http_fake_seen()->body_bytes, 9000 + newer.len);
    bench_assert_switched(site.bench);
    close_site(&site);
    close_site(&newer);
}

static void restart_device(bench_t *bench)
{
    otter_config_t config = bench_config();
    bench_configure(bench, &config);
}

/** Downloads until so much of the image is written, then the power goes. @return bytes that came */
static size_t download_until(const site_t *site, const http_fake_exchange_t *answer, size_t len)
{
    fake_answer(answer);
    esp_https_ota_handle_t handle = begun(site);
    while (esp_https_ota_get_image_len_read(handle) < (int)len) {
        assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    }
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    restart_device(site->bench);
    return http_fake_seen()->body_bytes;
}

static void an_update_goes_on_after_a_power_cut_anywhere(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    http_fake_exchange_t answer = ranged(&site);
    size_t resumed = 0;
    size_t worst = 0;
    for (size_t len = 700; len <= site.bench->image_len; len += 1333) {
        memset(site.bench->bytes + BENCH_OTA_1, 0xff, BENCH_SLOT_BYTES);
        restart_device(site.bench);
        size_t first = download_until(&site, &answer, len);
        fake_answer(&answer);
        assert_err(update(&site), ESP_OK);
        bench_assert_switched(site.bench);
        resumed += http_fake_seen()->body_bytes < site.len;
        size_t twice = first + http_fake_seen()->body_bytes - site.len;
        worst = twice > worst ? twice : worst;
    }
    assert_true(resumed > 10);
    assert_true(worst <= SECTOR_BYTES + BUFFER_BYTES + HEADER);
    close_site(&site);
}

/** The tag counts what was written before the cut as well. */
static void a_wrong_tag_never_switches_after_a_power_cut(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    site.file[FIXTURE_ENCRYPTED_TAG] ^= 1;
    http_fake_exchange_t answer = ranged(&site);
    download_until(&site, &answer, 19000);
    fake_answer(&answer);
    assert_err(update(&site), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_true(http_fake_seen()->body_bytes < site.len);
    bench_assert_nothing_switched(site.bench);
    fake_answer(&answer);
    assert_err(update(&site), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(http_fake_seen()->body_bytes, site.len); /* From the start, once it proved to be wrong. */
    site.file[FIXTURE_ENCRYPTED_TAG] ^= 1;
    assert_update_works(&site);
    close_site(&site);
}

static void a_server_without_ranges_starts_over_after_a_power_cut(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    http_fake_exchange_t answer = ranged(&site);
    download_until(&site, &answer, 19000);
    http_fake_exchange_t plain = {.body = site.file, .body_len = site.len, .again = true};
    fake_answer(&plain);
    assert_err(update(&site), ESP_OK);
    bench_assert_switched(site.bench);
    close_site(&site);
}

/* ---- With the component's calls in the application's callback ---- */

/** What ESP-IDF's example does in its callback. */
static esp_err_t decrypt_piece(decrypt_cb_arg_t *args, void *user_ctx)
{
    pre_enc_decrypt_arg_t piece = {.data_in = args->data_in, .data_in_len = args->data_in_len};
    esp_err_t err = esp_encrypted_img_decrypt_data(user_ctx, &piece);
    if (err != ESP_OK && err != ESP_ERR_NOT_FINISHED) {
        free(piece.data_out);
        return err;
    }
    args->data_out = piece.data_out;
    args->data_out_len = piece.data_out_len;
    return ESP_OK;
}

/** And around it. @return the first error */
static esp_err_t update_as_the_example(const site_t *site)
{
    esp_decrypt_cfg_t cfg = {.rsa_priv_key = site->pem, .rsa_priv_key_len = strlen(site->pem)};
    esp_decrypt_handle_t decrypt = esp_encrypted_img_decrypt_start(&cfg);
    assert_non_null(decrypt);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client,
                                     .decrypt_cb = decrypt_piece,
                                     .decrypt_user_ctx = decrypt,
                                     .enc_img_header_size = esp_encrypted_img_get_header_size()};
    esp_https_ota_handle_t handle = NULL;
    assert_err(esp_https_ota_begin(&config, &handle), ESP_OK);
    esp_err_t err = fake_download(handle);
    if (err == ESP_OK) {
        assert_true(esp_encrypted_img_is_complete_data_received(decrypt));
        err = esp_encrypted_img_decrypt_end(decrypt);
    }
    if (err == ESP_OK) {
        return esp_https_ota_finish(handle);
    }
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    esp_encrypted_img_decrypt_abort(decrypt); /* Also what was ended: the example does so. */
    return err;
}

static void the_example_of_esp_idf_updates(void **state)
{
    static const size_t pieces[] = {0, 17, 600};
    for (size_t s = 0; s < 2; s++) {
        site_t site = open_site(state, schemes[s]);
        for (size_t i = 0; i < 3; i++) {
            http_fake_exchange_t answer = {.body = site.file, .body_len = site.len, .piece_len = pieces[i]};
            fake_answer(&answer);
            assert_err(update_as_the_example(&site), ESP_OK);
            bench_assert_switched(site.bench);
        }
        close_site(&site);
    }
}

static void the_example_of_esp_idf_refuses_a_wrong_tag(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_RSA3072);
    http_fake_exchange_t answer = {.body = site.file, .body_len = site.len};
    site.file[FIXTURE_ENCRYPTED_TAG] ^= 1;
    fake_answer(&answer);
    assert_err(update_as_the_example(&site), ESP_FAIL);
    bench_assert_nothing_switched(site.bench);
    close_site(&site);
}

/** The example's way to refuse a version: what it has put into the answer is freed already. */
static esp_err_t refuse_piece(decrypt_cb_arg_t *args, void *user_ctx)
{
    esp_err_t err = decrypt_piece(args, user_ctx);
    assert_err(err, ESP_OK);
    assert_non_null(args->data_out);
    free(args->data_out);
    return ESP_FAIL;
}

static void a_callback_that_refuses_keeps_what_it_allocated(void **state)
{
    site_t site = open_site(state, TRUST_SCHEME_P256);
    esp_decrypt_cfg_t cfg = {.rsa_priv_key = site.pem, .rsa_priv_key_len = strlen(site.pem)};
    esp_decrypt_handle_t decrypt = esp_encrypted_img_decrypt_start(&cfg);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {
        .http_config = &client, .decrypt_cb = refuse_piece, .decrypt_user_ctx = decrypt, .enc_img_header_size = HEADER};
    http_fake_exchange_t answer = {.body = site.file, .body_len = site.len};
    fake_answer(&answer);
    assert_err(esp_https_ota(&config), ESP_FAIL);
    assert_int_equal(site.bench->slot_erases, 0);
    assert_err(esp_encrypted_img_decrypt_abort(decrypt), ESP_OK);
    close_site(&site);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_encrypted_image_is_installed, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(pieces_of_any_size_are_put_together, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(an_encrypted_image_comes_in_parts, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_key_derived_from_an_hmac_key_will_do, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_wrong_tag_never_switches, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_changed_byte_anywhere_never_switches, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_file_that_is_too_short_or_too_long_never_switches, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(images_for_another_key_are_refused_before_anything_is_written, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(plain_images_are_refused_where_encrypted_ones_are_expected, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(encrypted_images_are_refused_where_plain_ones_are_expected, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(without_a_usable_key_nothing_is_asked, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_connection_that_drops_goes_on_where_it_stopped, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_file_that_is_another_one_now_starts_over, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(an_update_goes_on_after_a_power_cut_anywhere, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_wrong_tag_never_switches_after_a_power_cut, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_server_without_ranges_starts_over_after_a_power_cut, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(the_example_of_esp_idf_updates, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(the_example_of_esp_idf_refuses_a_wrong_tag, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(a_callback_that_refuses_keeps_what_it_allocated, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
