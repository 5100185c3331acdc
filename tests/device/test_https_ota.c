/* SPDX-License-Identifier: Apache-2.0 */
/* The normal course of an update, its states, events and getters. */
#include <stdatomic.h>
#include <stdlib.h>

#include "device/https_ota/https_ota.h"
#include "otter/otter_device.h"
#include "otter/otter_os.h"
#include "tests/device/https_ota_fake.h"

static void one_call_updates_and_switches(void **state)
{
    bench_t *bench = *state;
    fake_assert_update_works(bench);
    assert_string_equal(http_fake_seen()->request[0].method, "GET");
    assert_string_equal(http_fake_seen()->request[0].url, FAKE_URL);
    assert_true(http_fake_seen()->use_system_ca);
    assert_false(http_fake_seen()->insecure);
}

static void stepwise_update_switches(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_OK);
    assert_true(esp_https_ota_is_complete_data_received(handle));
    bench_assert_nothing_switched(bench);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
    esp_ota_img_states_t recorded;
    assert_err(esp_ota_get_state_partition(esp_ota_get_boot_partition(), &recorded), ESP_OK);
    assert_int_equal(recorded, ESP_OTA_IMG_NEW);
}

static void begin_touches_no_flash(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
}

static void bulk_erase_erases_before_the_first_write(void **state)
{
    bench_t *bench = *state;
    memset(bench->bytes + BENCH_OTA_1, 0, BENCH_SLOT_BYTES);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .bulk_flash_erase = true};
    esp_https_ota_handle_t handle = NULL;
    assert_err(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    uint32_t erases = bench->slot_erases;
    assert_true(erases > 0);
    size_t rounded = (bench->image_len + 4095) / 4096 * 4096;
    assert_int_equal(bench->bytes[BENCH_OTA_1 + rounded - 1], 0xff);
    assert_int_equal(bench->bytes[BENCH_OTA_1 + rounded], 0);
    assert_err(fake_download(handle), ESP_OK);
    assert_int_equal(bench->slot_erases, erases);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void bulk_erase_of_unknown_length_erases_the_slot(void **state)
{
    bench_t *bench = *state;
    memset(bench->bytes + BENCH_OTA_1, 0, BENCH_SLOT_BYTES);
    http_fake_exchange_t chunked = fake_good(bench);
    chunked.chunked = true;
    fake_answer(&chunked);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .bulk_flash_erase = true};
    assert_err(esp_https_ota(&config), ESP_OK);
    assert_int_equal(bench->bytes[BENCH_OTA_1 + BENCH_SLOT_BYTES - 1], 0xff);
    bench_assert_switched(bench);
}

static void sequential_erase_keeps_one_sector_ahead(void **state)
{
    bench_t *bench = *state;
    memset(bench->bytes + BENCH_OTA_1, 0, BENCH_SLOT_BYTES);
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(bench->slot_erases, 1);
    assert_int_equal(bench->bytes[BENCH_OTA_1 + 4095], 0xff);
    assert_int_equal(bench->bytes[BENCH_OTA_1 + 4096], 0);
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void image_of_unknown_length_updates(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t until_close = fake_good(bench);
    until_close.no_length = true;
    fake_answer(&until_close);
    esp_https_ota_handle_t handle = fake_begun();
    assert_int_equal(esp_https_ota_get_image_size(handle), -1);
    assert_err(fake_download(handle), ESP_OK);
    assert_true(esp_https_ota_is_complete_data_received(handle));
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void trailing_bytes_behind_the_image_are_accepted(void **state)
{
    bench_t *bench = *state;
    size_t len = bench->image_len + 517;
    uint8_t *padded = malloc(len);
    memset(padded, 0x5a, len);
    memcpy(padded, bench->image, bench->image_len);
    http_fake_exchange_t exchange = {.body = padded, .body_len = len, .no_length = true};
    fake_answer(&exchange);
    assert_err(fake_update(), ESP_OK);
    bench_assert_switched(bench);
    free(padded);
}

static void body_in_small_pieces_updates(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t pieces = fake_good(bench);
    pieces.piece_len = 7;
    fake_answer(&pieces);
    assert_err(fake_update(), ESP_OK);
    bench_assert_switched(bench);
}

static void staging_slot_of_the_callers_choice_is_written(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    const esp_partition_t *ota_1 =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .partition.staging = ota_1};
    assert_err(esp_https_ota(&config), ESP_OK);
    bench_assert_switched(bench);
}

static void final_equal_to_staging_is_staging(void **state)
{
    bench_t *bench = *state;
    const esp_partition_t *ota_1 =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    http_fake_exchange_t good = fake_good(bench);
    esp_http_client_config_t client = fake_client();
    const esp_https_ota_config_t configs[] = {
        {.http_config = &client, .partition = {.staging = ota_1, .final = ota_1, .finalize_with_copy = true}},
        {.http_config = &client, .partition = {.final = ota_1}},
    };
    for (size_t i = 0; i < 2; i++) {
        fake_answer(&good);
        assert_err(esp_https_ota(&configs[i]), ESP_OK);
        bench_assert_switched(bench);
    }
}

static void running_slot_as_staging_is_refused_unwritten(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = fake_client();
    esp_https_ota_config_t config = {.http_config = &client, .partition.staging = esp_ota_get_running_partition()};
    assert_err(esp_https_ota(&config), ESP_ERR_OTA_PARTITION_CONFLICT);
    bench_assert_nothing_switched(bench);
}

/* --- descriptors --- */

static void descriptor_can_be_read_any_number_of_times(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    for (int i = 0; i < 3; i++) {
        esp_app_desc_t desc = {0};
        assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
        assert_string_equal(desc.version, "2.0.0");
        assert_string_equal(desc.project_name, "bench");
    }
    assert_int_equal(http_fake_seen()->request[0].sent_bytes, 1024);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_int_equal(http_fake_seen()->request[0].sent_bytes, 1024);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), 1024);
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void descriptor_can_be_read_during_and_after_the_download(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    esp_app_desc_t desc = {0};
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_string_equal(desc.version, "2.0.0");
    assert_err(fake_download(handle), ESP_OK);
    memset(&desc, 0, sizeof(desc));
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_string_equal(desc.version, "2.0.0");
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void app_is_no_bootloader_and_the_update_goes_on(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    esp_bootloader_desc_t desc;
    assert_err(esp_https_ota_get_bootloader_img_desc(handle, &desc), ESP_FAIL);
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void bootloader_descriptor_is_read(void **state)
{
    (void)state;
    uint8_t image[1024] = {ESP_IMAGE_HEADER_MAGIC};
    esp_bootloader_desc_t sent = {.magic_byte = ESP_BOOTLOADER_DESC_MAGIC_BYTE, .version = 7, .idf_ver = "v6"};
    memcpy(image + 32, &sent, sizeof(sent));
    http_fake_exchange_t exchange = {.body = image, .body_len = sizeof(image)};
    fake_answer(&exchange);
    esp_https_ota_handle_t handle = fake_begun();
    esp_bootloader_desc_t got = {0};
    assert_err(esp_https_ota_get_bootloader_img_desc(handle, &got), ESP_OK);
    assert_memory_equal(&got, &sent, sizeof(sent));
    esp_app_desc_t app;
    assert_err(esp_https_ota_get_img_desc(handle, &app), ESP_FAIL);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
}

/* --- states --- */

static void fresh_handle_knows_size_and_status_but_no_progress(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_int_equal(esp_https_ota_get_image_size(handle), bench->image_len);
    assert_int_equal(esp_https_ota_get_status_code(handle), 200);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), -1);
    assert_false(esp_https_ota_is_complete_data_received(handle));
    assert_err(esp_https_ota_abort(handle), ESP_OK);
}

static void progress_counts_the_bytes_written(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    int expected = 0;
    while (esp_https_ota_perform(handle) == ESP_ERR_HTTPS_OTA_IN_PROGRESS) {
        expected = expected + 1024 < (int)bench->image_len ? expected + 1024 : (int)bench->image_len;
        assert_int_equal(esp_https_ota_get_image_len_read(handle), expected);
        assert_int_equal(esp_https_ota_get_image_size(handle), bench->image_len);
    }
    assert_int_equal(expected, bench->image_len);
    assert_int_equal(esp_https_ota_get_image_len_read(handle), expected);
    assert_int_equal(esp_https_ota_get_status_code(handle), 200);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
}

static void perform_after_success_is_refused_and_finish_still_switches(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_perform(handle), ESP_FAIL);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_switched(bench);
}

static void finish_without_data_touches_nothing(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    assert_int_equal(bench->slot_erases + bench->slot_programs + bench->otadata_changes, 0);
    bench_assert_nothing_switched(bench);
}

static void finish_in_the_middle_verifies_and_does_not_switch(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    assert_err(esp_https_ota_finish(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    bench_assert_nothing_switched(bench);
    fake_assert_update_works(bench);
}

static void finish_before_the_end_of_the_body_does_not_switch_a_whole_image(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    while (esp_https_ota_get_image_len_read(handle) < (int)bench->image_len) {
        assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    }
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    bench_assert_nothing_switched(bench);
}

static void abort_in_each_state_frees_everything(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    const int steps[] = {0, 1, 2, 1000};
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
        fake_answer(&good);
        esp_https_ota_handle_t handle = fake_begun();
        esp_err_t err = ESP_ERR_HTTPS_OTA_IN_PROGRESS;
        for (int step = 0; step < steps[i] && err == ESP_ERR_HTTPS_OTA_IN_PROGRESS; step++) {
            err = esp_https_ota_perform(handle);
        }
        assert_err(esp_https_ota_abort(handle), ESP_OK);
        assert_int_equal(http_fake_seen()->clients, 0);
        bench_assert_nothing_switched(bench);
    }
    fake_assert_update_works(bench);
}

static void handle_that_was_not_begun_is_refused(void **state)
{
    (void)state;
    https_ota_t ota = {.state = HTTPS_OTA_INIT};
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(&ota, &desc), ESP_ERR_INVALID_STATE);
    assert_err(esp_https_ota_perform(&ota), ESP_FAIL);
    assert_err(esp_https_ota_finish(&ota), ESP_FAIL);
    assert_err(esp_https_ota_abort(&ota), ESP_FAIL);
    assert_int_equal(esp_https_ota_get_image_len_read(&ota), -1);
    assert_int_equal(esp_https_ota_get_image_size(&ota), -1);
}

static void null_handle_is_answered_not_followed(void **state)
{
    (void)state;
    esp_app_desc_t desc;
    esp_bootloader_desc_t bootloader_desc;
    assert_err(esp_https_ota_get_img_desc(NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_get_bootloader_img_desc(NULL, &bootloader_desc), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_perform(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_finish(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_false(esp_https_ota_is_complete_data_received(NULL));
    assert_int_equal(esp_https_ota_get_image_len_read(NULL), -1);
    assert_int_equal(esp_https_ota_get_image_size(NULL), -1);
    assert_int_equal(esp_https_ota_get_status_code(NULL), -1);
    assert_err(esp_https_ota(NULL), ESP_ERR_INVALID_ARG);
}

static void null_descriptor_is_refused(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_get_img_desc(handle, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
}

/* --- buffer --- */

static void first_two_writes(const bench_t *bench, int buffer_size, int *first, int *second)
{
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_http_client_config_t client = fake_client();
    client.buffer_size = buffer_size;
    esp_https_ota_config_t config = {.http_config = &client};
    esp_https_ota_handle_t handle = NULL;
    assert_err(esp_https_ota_begin(&config, &handle), ESP_OK);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    *first = esp_https_ota_get_image_len_read(handle);
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    *second = esp_https_ota_get_image_len_read(handle) - *first;
    assert_err(esp_https_ota_abort(handle), ESP_OK);
}

static void buffer_size_sets_the_size_of_writes(void **state)
{
    const struct {
        int asked;
        int got;
    } sizes[] = {{0, 4096}, {1, 1024}, {1024, 1024}, {3000, 3000}, {8192, 8192}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        int first;
        int second;
        first_two_writes(*state, sizes[i].asked, &first, &second);
        assert_int_equal(first, 1024);
        assert_int_equal(second, sizes[i].got);
    }
}

/* --- events --- */

static void assert_event(size_t index, esp_https_ota_event_t id, size_t len, uint32_t number)
{
    bench_event_t event = bench_event(index);
    assert_int_equal(event.id, id);
    assert_int_equal(event.len, len);
    assert_int_equal(event.number, number);
}

static void events_come_in_order_with_their_data(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    esp_app_desc_t desc;
    assert_err(esp_https_ota_get_img_desc(handle, &desc), ESP_OK);
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    size_t count = bench_await(ESP_HTTPS_OTA_FINISH);

    size_t at = 0;
    assert_event(at++, ESP_HTTPS_OTA_START, 0, 0);
    assert_event(at++, ESP_HTTPS_OTA_CONNECTED, 0, 0);
    assert_event(at++, ESP_HTTPS_OTA_GET_IMG_DESC, 0, 0);
    assert_event(at++, ESP_HTTPS_OTA_VERIFY_CHIP_ID, 2, OTTER_CHIP_ID_LINUX_X86_64);
    assert_event(at++, ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, 2, 0);
    for (uint32_t written = 1024; written < bench->image_len; written += 1024) {
        assert_event(at++, ESP_HTTPS_OTA_WRITE_FLASH, 4, written);
    }
    assert_event(at++, ESP_HTTPS_OTA_WRITE_FLASH, 4, (uint32_t)bench->image_len);
    assert_event(at++, ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, 4, ESP_PARTITION_SUBTYPE_APP_OTA_1);
    assert_event(at++, ESP_HTTPS_OTA_FINISH, 0, 0);
    assert_int_equal(count, at);
}

static void event_numbers_are_those_of_esp_idf(void **state)
{
    (void)state;
    assert_int_equal(ESP_HTTPS_OTA_START, 0);
    assert_int_equal(ESP_HTTPS_OTA_CONNECTED, 1);
    assert_int_equal(ESP_HTTPS_OTA_GET_IMG_DESC, 2);
    assert_int_equal(ESP_HTTPS_OTA_VERIFY_CHIP_ID, 3);
    assert_int_equal(ESP_HTTPS_OTA_VERIFY_CHIP_REVISION, 4);
    assert_int_equal(ESP_HTTPS_OTA_DECRYPT_CB, 5);
    assert_int_equal(ESP_HTTPS_OTA_WRITE_FLASH, 6);
    assert_int_equal(ESP_HTTPS_OTA_UPDATE_BOOT_PARTITION, 7);
    assert_int_equal(ESP_HTTPS_OTA_FINISH, 8);
    assert_int_equal(ESP_HTTPS_OTA_ABORT, 9);
    assert_int_equal(ESP_ERR_HTTPS_OTA_IN_PROGRESS, 0x9001);
}

static void refused_calls_post_their_first_event_all_the_same(void **state)
{
    (void)state;
    esp_app_desc_t desc;
    assert_err(esp_https_ota_begin(NULL, NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_get_img_desc(NULL, &desc), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_finish(NULL), ESP_ERR_INVALID_ARG);
    assert_err(esp_https_ota_abort(NULL), ESP_ERR_INVALID_ARG);
    assert_int_equal(bench_await(ESP_HTTPS_OTA_ABORT), 3);
    assert_event(0, ESP_HTTPS_OTA_START, 0, 0);
    assert_event(1, ESP_HTTPS_OTA_GET_IMG_DESC, 0, 0);
    assert_event(2, ESP_HTTPS_OTA_ABORT, 0, 0);
}

static void failed_write_posts_the_old_count(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(esp_https_ota_perform(handle), ESP_ERR_HTTPS_OTA_IN_PROGRESS);
    bench->fail_programs = 1;
    assert_err(esp_https_ota_perform(handle), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->failed, 1);
    assert_err(esp_https_ota_abort(handle), ESP_OK);
    assert_int_equal(bench_await(ESP_HTTPS_OTA_ABORT), 7);
    assert_event(4, ESP_HTTPS_OTA_WRITE_FLASH, 4, 1024);
    assert_event(5, ESP_HTTPS_OTA_WRITE_FLASH, 4, 1024);
}

static void failed_finish_posts_finish_and_no_switch(void **state)
{
    bench_t *bench = *state;
    bench->image[bench->image_len - 1] ^= 1;
    http_fake_exchange_t corrupt = fake_good(bench);
    fake_answer(&corrupt);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_OK);
    assert_err(esp_https_ota_finish(handle), ESP_ERR_OTA_VALIDATE_FAILED);
    size_t count = bench_await(ESP_HTTPS_OTA_FINISH);
    assert_event(count - 1, ESP_HTTPS_OTA_FINISH, 0, 0);
    assert_int_equal(bench_event(count - 2).id, ESP_HTTPS_OTA_WRITE_FLASH);
    bench_assert_nothing_switched(bench);
}

static void finish_reads_the_image_once(void **state)
{
    bench_t *bench = *state;
    http_fake_exchange_t good = fake_good(bench);
    fake_answer(&good);
    esp_https_ota_handle_t handle = fake_begun();
    assert_err(fake_download(handle), ESP_OK);
    bench->middle_reads = 0;
    assert_err(esp_https_ota_finish(handle), ESP_OK);
    assert_int_equal(bench->middle_reads, 1);
    bench_assert_switched(bench);
}

static atomic_bool handler_may_go;

static void block(void *arg, esp_event_base_t base, int32_t id, void *data)
{
    (void)arg;
    (void)base;
    (void)id;
    (void)data;
    while (!handler_may_go) {
        otter_sleep_until(otter_now_us() + 1000);
    }
}

static void blocked_event_handler_does_not_stop_the_update(void **state)
{
    bench_t *bench = *state;
    otter_config_t config = bench_config();
    config.event_post_timeout_ms = 1;
    bench_configure(bench, &config);
    handler_may_go = false;
    assert_err(esp_event_handler_register(ESP_HTTPS_OTA_EVENT, ESP_HTTPS_OTA_START, block, NULL), ESP_OK);
    http_fake_exchange_t script[] = {fake_good(bench), fake_good(bench)};
    http_fake_script(script, 2);
    assert_err(fake_update(), ESP_OK);
    assert_err(fake_update(), ESP_OK);
    handler_may_go = true;
    bench_assert_switched(bench);
    size_t posted = 2 * (bench->image_len / 1024 + 7);
    assert_true(bench_await(ESP_HTTPS_OTA_WRITE_FLASH) < posted);
}

static void update_needs_no_event_loop(void **state)
{
    bench_t *bench = *state;
    assert_err(esp_event_loop_delete_default(), ESP_OK);
    fake_assert_update_works(bench);
    assert_err(esp_event_loop_create_default(), ESP_OK);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(one_call_updates_and_switches, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(stepwise_update_switches, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(begin_touches_no_flash, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(bulk_erase_erases_before_the_first_write, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(bulk_erase_of_unknown_length_erases_the_slot, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(sequential_erase_keeps_one_sector_ahead, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(image_of_unknown_length_updates, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(trailing_bytes_behind_the_image_are_accepted, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(body_in_small_pieces_updates, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(staging_slot_of_the_callers_choice_is_written, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(final_equal_to_staging_is_staging, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(running_slot_as_staging_is_refused_unwritten, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(descriptor_can_be_read_any_number_of_times, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(descriptor_can_be_read_during_and_after_the_download, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(app_is_no_bootloader_and_the_update_goes_on, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(bootloader_descriptor_is_read, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(fresh_handle_knows_size_and_status_but_no_progress, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(progress_counts_the_bytes_written, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(perform_after_success_is_refused_and_finish_still_switches, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(finish_without_data_touches_nothing, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(finish_in_the_middle_verifies_and_does_not_switch, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(finish_before_the_end_of_the_body_does_not_switch_a_whole_image, bench_setup,
                                    fake_teardown),
    cmocka_unit_test_setup_teardown(abort_in_each_state_frees_everything, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(handle_that_was_not_begun_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(null_handle_is_answered_not_followed, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(null_descriptor_is_refused, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(buffer_size_sets_the_size_of_writes, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(events_come_in_order_with_their_data, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(event_numbers_are_those_of_esp_idf, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(refused_calls_post_their_first_event_all_the_same, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(failed_write_posts_the_old_count, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(failed_finish_posts_finish_and_no_switch, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(finish_reads_the_image_once, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(blocked_event_handler_does_not_stop_the_update, bench_setup, fake_teardown),
    cmocka_unit_test_setup_teardown(update_needs_no_event_loop, bench_setup, fake_teardown),
};

TEST_MAIN(tests)
