/* SPDX-License-Identifier: Apache-2.0 */
/* decrypt_cb: the image as an application's callback makes it out of the file. */
#include <stdlib.h>

#include "otter/otter_download.h"
#include "tests/device/https_ota_fake.h"

#define KEY       0x5a
#define HEAD_LEN  512
#define FILE_ETAG "\"e\""

/* What the callback does, and what it was asked. */
typedef struct cipher {
    size_t skip;    /* Bytes of header still to be swallowed. */
    size_t swallow; /* Calls that give nothing yet. */
    size_t fail_at; /* Call that fails; 0: none. */
    size_t calls;
    size_t bytes;  /* Given in all. */
    uint8_t *kept; /* What was swallowed. */
    size_t kept_len;
} cipher_t;

static esp_err_t undo(decrypt_cb_arg_t *args, void *user_ctx)
{
    cipher_t *cipher = user_ctx;
    cipher->calls++;
    cipher->bytes += args->data_in_len;
    if (cipher->calls == cipher->fail_at) {
        return ESP_ERR_INVALID_CRC;
    }
    size_t skip = cipher->skip < args->data_in_len ? cipher->skip : args->data_in_len;
    cipher->skip -= skip;
    size_t len = args->data_in_len - skip;
    uint8_t *all = realloc(cipher->kept, cipher->kept_len + len + 1);
    for (size_t i = 0; i < len; i++) {
        all[cipher->kept_len + i] = (uint8_t)args->data_in[skip + i] ^ KEY;
    }
    cipher->kept = all;
    cipher->kept_len += len;
    if (cipher->swallow > 0) {
        cipher->swallow--;
        return ESP_OK;
    }
    args->data_out = (char *)all;
    args->data_out_len = cipher->kept_len;
    cipher->kept = NULL;
    cipher->kept_len = 0;
    return ESP_OK;
}

/* The bench's image, disguised, behind a header. */
static uint8_t *disguise(const bench_t *bench, size_t *len)
{
    *len = HEAD_LEN + bench->image_len;
    uint8_t *file = malloc(*len);
    memset(file, 0xee, HEAD_LEN);
    for (size_t i = 0; i < bench->image_len; i++) {
        file[HEAD_LEN + i] = bench->image[i] ^ KEY;
    }
    return file;
}

static esp_err_t begin(cipher_t *cipher, esp_https_ota_handle_t *handle)
{
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {
        .http_config = &client, .decrypt_cb = undo, .decrypt_user_ctx = cipher, .enc_img_header_size = HEAD_LEN};
    return esp_https_ota_begin(&config, handle);
}

static esp_err_t update(cipher_t *cipher)
{
    esp_https_ota_handle_t handle = NULL;
    esp_err_t err = begin(cipher, &handle);
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

static void script(const uint8_t *file, size_t len, http_fake_exchange_t *answer)
{
    *answer = (http_fake_exchange_t){.body = file, .body_len = len, .ranges = true, .etag = FILE_ETAG};
    fake_answer(answer);
}

static void image_is_written_as_the_callback_gives_it(void **state)
{
    bench_t *bench = *state;
    size_t len;
    uint8_t *file = disguise(bench, &len);
    http_fake_exchange_t answer;
    script(file, len, &answer);
    cipher_t cipher = {.skip = HEAD_LEN};
    esp_https_ota_handle_t handle = NULL;
    assert_err(begin(&cipher, &handle), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_size(handle), bench->image_len);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), 1024 - HEAD_LEN);
    assert_err(fake_download(handle), ESP_OK);
    assert_int_equal(cipher.bytes, len);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
    size_t count = bench_await(ESP_HTTPS_OTA_FINISH);
    size_t told = 0;
    for (size_t i = 0; i < count; i++) {
        told += bench_event(i).id == ESP_HTTPS_OTA_DECRYPT_CB;
    }
    assert_int_equal(told, cipher.calls);
    free(file);
}

static void callback_may_give_nothing_for_a_while(void **state)
{
    bench_t *bench = *state;
    size_t len;
    uint8_t *file = disguise(bench, &len);
    for (size_t swallow = 1; swallow < 8; swallow++) {
        http_fake_exchange_t answer;
        script(file, len, &answer);
        cipher_t cipher = {.skip = HEAD_LEN, .swallow = swallow};
        assert_err(update(&cipher), ESP_OK);
        bench_assert_switched(bench);
    }
    free(file);
}

static void callback_that_never_gives_anything_switches_nothing(void **state)
{
    bench_t *bench = *state;
    size_t len;
    uint8_t *file = disguise(bench, &len);
    http_fake_exchange_t answer;
    script(file, len, &answer);
    cipher_t cipher = {.skip = HEAD_LEN, .swallow = SIZE_MAX};
    assert_err(update(&cipher), ESP_FAIL);
    assert_int_equal(cipher.bytes, len);
    free(cipher.kept);
    bench_assert_nothing_switched(bench);
    free(file);
}

static void error_of_the_callback_ends_the_update(void **state)
{
    bench_t *bench = *state;
    size_t len;
    uint8_t *file = disguise(bench, &len);
    const size_t calls[] = {1, 2, 10};
    for (size_t i = 0; i < 3; i++) {
        http_fake_exchange_t answer;
        script(file, len, &answer);
        cipher_t cipher = {.skip = HEAD_LEN, .fail_at = calls[i]};
        assert_err(update(&cipher), ESP_ERR_INVALID_CRC);
        assert_int_equal(cipher.calls, calls[i]);
        bench_assert_nothing_switched(bench);
    }
    free(file);
}

static void descriptor_is_that_of_the_decrypted_image(void **state)
{
    bench_t *bench = *state;
    size_t len;
    uint8_t *file = disguise(bench, &len);
    http_fake_exchange_t answer;
    script(file, len, &answer);
    cipher_t cipher = {.skip = HEAD_LEN};
    esp_https_ota_handle_t handle = NULL;
    esp_app_desc_t desc;
    assert_err(begin(&cipher, &handle), ESP_OK);
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_string_equal(desc.version, "2.0.0");
    assert_int_equal(cipher.calls, 1);
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
    free(file);
}

static void dropped_connection_does_not_disturb_the_callback(void **state)
{
    bench_t *bench = *state;
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = 1;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    size_t len;
    uint8_t *file = disguise(bench, &len);
    http_fake_exchange_t answer = {.body = file, .body_len = len, .ranges = true, .etag = FILE_ETAG, .again = true};
    answer.break_at = 3333;
    answer.break_error = ESP_FAIL;
    fake_answer(&answer);
    cipher_t cipher = {.skip = HEAD_LEN};
    assert_err(update(&cipher), ESP_OK);
    assert_true(http_fake_seen()->breaks > 5);
    assert_int_equal(cipher.bytes, len);
    bench_assert_switched(bench);
    free(file);
}

static void file_that_would_have_to_start_over_ends_the_update(void **state)
{
    bench_t *bench = *state;
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = 1;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    size_t len;
    uint8_t *file = disguise(bench, &len);
    http_fake_exchange_t answers[2];
    answers[0] = (http_fake_exchange_t){.body = file, .body_len = len, .break_at = 9000, .break_error = ESP_FAIL};
    answers[1] = (http_fake_exchange_t){.body = file, .body_len = len};
    http_fake_script(answers, 2);
    cipher_t cipher = {.skip = HEAD_LEN};
    assert_err(update(&cipher), ESP_ERR_NOT_SUPPORTED);
    assert_int_equal(cipher.bytes, 9000);
    bench_assert_nothing_switched(bench);
    free(file);
}

static void file_may_start_over_while_the_callback_knows_nothing_of_it(void **state)
{
    bench_t *bench = *state;
    otter_download_limits_t limits;
    otter_download_get_limits(&limits);
    limits.retries = 1;
    assert_err(otter_download_set_limits(&limits), ESP_OK);
    size_t len;
    uint8_t *file = disguise(bench, &len);
    http_fake_exchange_t answers[2];
    answers[0] = (http_fake_exchange_t){.body = file, .body_len = len, .break_error = ESP_FAIL};
    answers[1] = (http_fake_exchange_t){.body = file, .body_len = len};
    http_fake_script(answers, 2);
    cipher_t cipher = {.skip = HEAD_LEN};
    assert_err(update(&cipher), ESP_OK);
    assert_true(http_fake_seen()->breaks > 0);
    bench_assert_switched(bench);
    free(file);
}

static void file_shorter_than_its_header_is_refused(void **state)
{
    bench_t *bench = *state;
    uint8_t file[HEAD_LEN - 1] = {0};
    http_fake_exchange_t answer;
    script(file, sizeof(file), &answer);
    cipher_t cipher = {.skip = HEAD_LEN};
    assert_err(update(&cipher), ESP_ERR_INVALID_SIZE);
    assert_int_equal(cipher.calls, 0);
    bench_assert_nothing_switched(bench);
}

static void image_after_another_key_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t answer;
    script(bench->image, bench->image_len, &answer);
    cipher_t cipher = {0};
    assert_err(update(&cipher), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(image_is_written_as_the_callback_gives_it, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(callback_may_give_nothing_for_a_while, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(callback_that_never_gives_anything_switches_nothing, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(error_of_the_callback_ends_the_update, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(descriptor_is_that_of_the_decrypted_image, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(dropped_connection_does_not_disturb_the_callback, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(file_that_would_have_to_start_over_ends_the_update, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(file_may_start_over_while_the_callback_knows_nothing_of_it, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(file_shorter_than_its_header_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_after_another_key_is_refused_unwritten, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
