/* SPDX-License-Identifier: Apache-2.0 */
/* Decryption as a stage of an update: resumed anywhere, started over, wiped. */
#include "device/encrypted_img/encrypted_stage.h"

#include <stdlib.h>

#include "device/encrypted_img/decrypter.h"
#include "esp_ota_ops.h"
#include "tests/device/device_fixture.h"
#include "tests/support/encrypted_fixture.h"
#include "tests/support/image_fixture.h"
#include "tests/support/signed_fixture.h"
#include "tests/support/test.h"

#define HEADER    FIXTURE_ENCRYPTED_HEADER
#define IMAGE_LEN 9001u

static char reason[OTTER_DECRYPT_REASON_BYTES];

/** The image, the file, and what came out. */
typedef struct bench {
    char *pem;
    uint8_t image[IMAGE_LEN];
    uint8_t *file;
    size_t file_len;
    uint8_t out[IMAGE_LEN];
    size_t out_len;
    uint32_t takes;     /**< Calls of the sink. */
    uint32_t fail_take; /**< This one fails; 0: none. */
    uint32_t reads;     /**< Calls of the reader. */
    uint32_t fail_read; /**< This one fails; 0: none. */
} bench_t;

static int set_up(void **state)
{
    bench_t *bench = calloc(1, sizeof(*bench));
    uint32_t random = 5;
    for (size_t i = 0; i < IMAGE_LEN; i++) {
        bench->image[i] = (uint8_t)fixture_random(&random);
    }
    bench->pem = fixture_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    bench->file = fixture_encrypt(bench->pem, bench->image, IMAGE_LEN, &bench->file_len);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_t *bench = *state;
    free(bench->pem);
    free(bench->file);
    free(bench);
    return 0;
}

static esp_err_t take(void *arg, const uint8_t *bytes, size_t len)
{
    bench_t *bench = arg;
    if (++bench->takes == bench->fail_take) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    assert_true(len > 0 && len <= DECRYPTER_PIECE_BYTES && len <= IMAGE_LEN - bench->out_len);
    memcpy(bench->out + bench->out_len, bytes, len);
    bench->out_len += len;
    return ESP_OK;
}

static esp_err_t read_image(void *arg, uint32_t off, uint8_t *dst, size_t len)
{
    bench_t *bench = arg;
    if (++bench->reads == bench->fail_read) {
        return ESP_ERR_FLASH_OP_FAIL;
    }
    assert_true(off <= IMAGE_LEN && len <= IMAGE_LEN - off);
    memcpy(dst, bench->image + off, len);
    return ESP_OK;
}

static void open_decrypter(const bench_t *bench, decrypter_t *d)
{
    assert_err(decrypter_open(d, bench->pem, strlen(bench->pem), reason), ESP_OK);
}

static esp_err_t feed(bench_t *bench, decrypter_t *d, size_t from, size_t to, size_t step)
{
    esp_err_t err = ESP_OK;
    for (size_t at = from; at < to && err == ESP_OK; at += step) {
        err = decrypter_feed(d, bench->file + at, to - at < step ? to - at : step, take, bench);
    }
    return err;
}

/** The rest of the image, and nothing else, came out from @p image_off on. */
static void assert_came_out(const bench_t *bench, size_t image_off)
{
    assert_int_equal(bench->out_len, IMAGE_LEN - image_off);
    assert_memory_equal(bench->out, bench->image + image_off, bench->out_len);
}

/* ---- Resuming ---- */

static void resume_and_finish(bench_t *bench, uint32_t image_off, size_t step)
{
    decrypter_t d;
    open_decrypter(bench, &d);
    bench->out_len = 0;
    assert_err(decrypter_resume(&d, bench->file, image_off, read_image, bench), ESP_OK);
    assert_int_equal(bench->out_len, 0);
    assert_err(feed(bench, &d, HEADER + image_off, bench->file_len, step), ESP_OK);
    assert_came_out(bench, image_off);
    assert_err(decrypter_finish(&d), ESP_OK);
    decrypter_close(&d);
}

static void an_image_goes_on_at_any_byte(void **state)
{
    bench_t *bench = *state;
    for (uint32_t off = 0; off <= IMAGE_LEN; off += off < 70 || off > IMAGE_LEN - 40 ? 1 : 61) {
        resume_and_finish(bench, off, 1000);
    }
    resume_and_finish(bench, IMAGE_LEN, 1000);
}

static void an_image_goes_on_in_pieces_of_any_size(void **state)
{
    static const size_t steps[] = {1, 15, 16, 17, 511, 512, 513, 20000};
    static const uint32_t offs[] = {0, 1, 15, 16, 17, 1023, 1024, 1025, 4096, 8999};
    for (size_t s = 0; s < sizeof(steps) / sizeof(steps[0]); s++) {
        for (size_t o = 0; o < sizeof(offs) / sizeof(offs[0]); o++) {
            resume_and_finish(*state, offs[o], steps[s]);
        }
    }
}

static void an_image_goes_on_after_a_part_that_was_fed(void **state)
{
    bench_t *bench = *state;
    decrypter_t d;
    open_decrypter(bench, &d);
    assert_err(feed(bench, &d, 0, HEADER + 5000, 700), ESP_OK);
    uint32_t have = 3000; /* Fewer than came out: not all of it was stored. */
    assert_true(bench->out_len > have);
    bench->out_len = 0;
    assert_err(decrypter_resume(&d, bench->file, have, read_image, bench), ESP_OK);
    assert_err(feed(bench, &d, HEADER + have, bench->file_len, 700), ESP_OK);
    assert_came_out(bench, have);
    assert_err(decrypter_finish(&d), ESP_OK);
    decrypter_close(&d);
}

/** The tag covers what was stored before: any changed bit of it is noticed. */
static void a_changed_byte_of_what_was_stored_is_noticed(void **state)
{
    bench_t *bench = *state;
    for (uint32_t byte = 0; byte < 3000; byte += 97) {
        decrypter_t d;
        open_decrypter(bench, &d);
        bench->out_len = 0;
        bench->image[byte] ^= 0x10;
        assert_err(decrypter_resume(&d, bench->file, 3000, read_image, bench), ESP_OK);
        bench->image[byte] ^= 0x10;
        assert_err(feed(bench, &d, HEADER + 3000, bench->file_len, 1000), ESP_OK);
        assert_err(decrypter_finish(&d), ESP_ERR_OTA_VALIDATE_FAILED);
        decrypter_close(&d);
    }
}

static void going_on_with_the_header_of_another_file_is_noticed(void **state)
{
    bench_t *bench = *state;
    size_t len;
    uint8_t *other = fixture_encrypt(bench->pem, bench->image, IMAGE_LEN, &len);
    decrypter_t d;
    open_decrypter(bench, &d);
    assert_err(decrypter_resume(&d, other, 3000, read_image, bench), ESP_OK);
    assert_err(feed(bench, &d, HEADER + 3000, bench->file_len, 1000), ESP_OK);
    assert_err(decrypter_finish(&d), ESP_ERR_OTA_VALIDATE_FAILED);
    decrypter_close(&d);
    free(other);
}

static void more_stored_than_the_image_has_is_refused(void **state)
{
    bench_t *bench = *state;
    decrypter_t d;
    open_decrypter(bench, &d);
    assert_err(decrypter_resume(&d, bench->file, IMAGE_LEN + 1, read_image, bench), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench->reads, 0);
    assert_err(decrypter_finish(&d), ESP_ERR_OTA_VALIDATE_FAILED);
    decrypter_close(&d);
}

static void what_cannot_be_read_ends_the_resumption(void **state)
{
    bench_t *bench = *state;
    decrypter_t d;
    open_decrypter(bench, &d);
    bench->fail_read = 3;
    assert_err(decrypter_resume(&d, bench->file, 8000, read_image, bench), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->reads, 3);
    assert_err(feed(bench, &d, HEADER + 8000, bench->file_len, 1000), ESP_ERR_FLASH_OP_FAIL);
    decrypter_restart(&d);
    assert_err(feed(bench, &d, 0, bench->file_len, 1000), ESP_OK);
    assert_err(decrypter_finish(&d), ESP_OK);
    decrypter_close(&d);
}

static void a_bad_header_is_refused_when_resuming(void **state)
{
    bench_t *bench = *state;
    decrypter_t d;
    open_decrypter(bench, &d);
    bench->file[0] ^= 1;
    assert_err(decrypter_resume(&d, bench->file, 100, read_image, bench), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_int_equal(bench->reads, 0);
    decrypter_close(&d);
}

/* ---- Starting over ---- */

static void a_restart_at_any_point_begins_from_nothing(void **state)
{
    bench_t *bench = *state;
    static const size_t cuts[] = {0, 1, 511, 512, 513, 527, 528, 5000, HEADER + IMAGE_LEN};
    decrypter_t d;
    open_decrypter(bench, &d);
    for (size_t i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        assert_err(feed(bench, &d, 0, cuts[i], 333), ESP_OK);
        decrypter_restart(&d);
        bench->out_len = 0;
        assert_err(feed(bench, &d, 0, bench->file_len, 333), ESP_OK);
        assert_came_out(bench, 0);
        assert_err(decrypter_finish(&d), ESP_OK);
        decrypter_restart(&d);
        bench->out_len = 0;
    }
    decrypter_close(&d);
}

static void a_failure_is_forgotten_by_a_restart(void **state)
{
    bench_t *bench = *state;
    decrypter_t d;
    open_decrypter(bench, &d);
    assert_err(decrypter_feed(&d, bench->image, HEADER, take, bench), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_non_null(strstr(decrypter_why(&d), "not an encrypted image"));
    decrypter_restart(&d);
    assert_string_equal(decrypter_why(&d), "nothing is wrong");
    assert_err(feed(bench, &d, 0, bench->file_len, 4096), ESP_OK);
    assert_err(decrypter_finish(&d), ESP_OK);
    decrypter_close(&d);
}

static void a_sink_that_fails_ends_it_with_its_code(void **state)
{
    bench_t *bench = *state;
    decrypter_t d;
    open_decrypter(bench, &d);
    bench->fail_take = 2;
    assert_err(feed(bench, &d, 0, bench->file_len, 2000), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->takes, 2);
    assert_err(feed(bench, &d, 0, 100, 100), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->takes, 2);
    assert_err(decrypter_finish(&d), ESP_ERR_FLASH_OP_FAIL);
    decrypter_close(&d);
}

/* ---- Nothing left behind ---- */

static void assert_wiped(const void *memory, size_t from, size_t len)
{
    const uint8_t *bytes = memory;
    for (size_t i = from; i < len; i++) {
        if (bytes[i] != 0) {
            fail_msg("byte %zu of %zu is %02x", i, len, bytes[i]);
        }
    }
}

static void nothing_is_left_in_memory_afterwards(void **state)
{
    bench_t *bench = *state;
    decrypter_t d;
    open_decrypter(bench, &d);
    assert_err(feed(bench, &d, 0, HEADER + 5001, 5000), ESP_OK);
    assert_memory_equal(d.piece, bench->image + 4496, 16); /* So there is something to wipe. */
    assert_true(d.pending_len > 0);
    decrypter_restart(&d);
    assert_wiped(&d, offsetof(decrypter_t, head_len), sizeof(d));
    bench->out_len = 0;
    assert_err(feed(bench, &d, 0, bench->file_len, 5000), ESP_OK);
    assert_err(decrypter_finish(&d), ESP_OK);
    decrypter_close(&d);
    assert_wiped(&d, 0, sizeof(d));
    decrypter_close(&d);
}

static void nothing_is_left_in_memory_of_a_refused_key(void **state)
{
    const bench_t *bench = *state;
    decrypter_t d;
    char *half = fixture_public_key_pem(fixture_key(TRUST_SCHEME_P256, 0));
    memset(&d, 0xA5, sizeof(d));
    assert_err(decrypter_open(&d, half, strlen(half), reason), ESP_ERR_INVALID_ARG);
    assert_non_null(strstr(reason, "only the public half"));
    assert_wiped(&d, 0, sizeof(d));
    memset(&d, 0xA5, sizeof(d));
    assert_err(decrypter_open(&d, bench->pem, 40, reason), ESP_ERR_INVALID_ARG);
    assert_wiped(&d, 0, sizeof(d));
    free(half);
}

/* ---- The stage ---- */

static https_ota_stage_t open_stage(const bench_t *bench)
{
    otter_decrypt_config_t config = {.key_pem = bench->pem, .key_pem_len = strlen(bench->pem)};
    https_ota_stage_t stage;
    assert_err(encrypted_stage_open(&config, &stage), ESP_OK);
    assert_int_equal(stage.ops->head_bytes, HEADER);
    return stage;
}

static void a_stage_ends_well_only_with_the_right_tag(void **state)
{
    bench_t *bench = *state;
    https_ota_stage_t stage = open_stage(bench);
    assert_err(stage.ops->feed(stage.self, bench->file, bench->file_len, take, bench), ESP_OK);
    assert_came_out(bench, 0);
    assert_err(stage.ops->finish(stage.self), ESP_OK);
    assert_err(stage.ops->restart(stage.self), ESP_OK);
    bench->out_len = 0;
    bench->file[FIXTURE_ENCRYPTED_TAG] ^= 1;
    assert_err(stage.ops->feed(stage.self, bench->file, bench->file_len, take, bench), ESP_OK);
    assert_came_out(bench, 0);
    assert_err(stage.ops->finish(stage.self), ESP_ERR_OTA_VALIDATE_FAILED);
    assert_err(stage.ops->restart(stage.self), ESP_OK);
    bench->out_len = 0;
    bench->file[FIXTURE_ENCRYPTED_TAG] ^= 1;
    assert_err(stage.ops->feed(stage.self, bench->file, bench->file_len - 1, take, bench), ESP_OK);
    assert_err(stage.ops->finish(stage.self), ESP_ERR_OTA_VALIDATE_FAILED);
    stage.ops->close(stage.self);
}

static void a_stage_goes_on_from_what_lies_in_a_partition(void **state)
{
    bench_t *bench = *state;
    device_spec_t spec = {0};
    device_t *device = device_open(&spec);
    const esp_partition_t *slot = device_partition("ota_1");
    assert_err(esp_partition_write(slot, 0, bench->image, 5008), ESP_OK);
    https_ota_stage_t stage = open_stage(bench);
    uint32_t file_off = 0;
    assert_err(stage.ops->resume(stage.self, bench->file, slot, 5003, &file_off), ESP_OK);
    assert_int_equal(file_off, HEADER + 5003);
    assert_err(stage.ops->feed(stage.self, bench->file + file_off, bench->file_len - file_off, take, bench), ESP_OK);
    assert_came_out(bench, 5003);
    assert_err(stage.ops->finish(stage.self), ESP_OK);
    stage.ops->close(stage.self);
    device_close(device);
}

static void a_stage_needs_exactly_one_key_that_decrypts(void **state)
{
    const bench_t *bench = *state;
    static const uint8_t hmac_key[OTTER_HMAC_KEY_BYTES] = {1};
    https_ota_stage_t stage;
    otter_decrypt_config_t config = {0};
    memset(&stage, 0xA5, sizeof(stage));
    assert_err(encrypted_stage_open(NULL, &stage), ESP_ERR_INVALID_ARG);
    assert_null(stage.ops);
    assert_err(encrypted_stage_open(&config, &stage), ESP_ERR_INVALID_ARG);
    config = (otter_decrypt_config_t){.key_pem = bench->pem, .key_pem_len = 100};
    assert_err(encrypted_stage_open(&config, &stage), ESP_ERR_INVALID_ARG);
    assert_null(stage.ops);
    config = (otter_decrypt_config_t){.key_pem = bench->pem, .key_pem_len = strlen(bench->pem), .hmac_key = hmac_key};
    assert_err(encrypted_stage_open(&config, &stage), ESP_ERR_INVALID_ARG);
    config = (otter_decrypt_config_t){.hmac_key = hmac_key};
    assert_err(encrypted_stage_open(&config, &stage), ESP_OK);
    stage.ops->close(stage.self);
}

static void the_callback_that_asks_for_it_is_not_to_be_called(void **state)
{
    (void)state;
    decrypt_cb_arg_t args = {.data_in = "x", .data_in_len = 1};
    assert_err(otter_decrypt_image(&args, NULL), ESP_ERR_NOT_SUPPORTED);
    assert_null(args.data_out);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(an_image_goes_on_at_any_byte, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_image_goes_on_in_pieces_of_any_size, set_up, tear_down),
    cmocka_unit_test_setup_teardown(an_image_goes_on_after_a_part_that_was_fed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_changed_byte_of_what_was_stored_is_noticed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(going_on_with_the_header_of_another_file_is_noticed, set_up, tear_down),
    cmocka_unit_test_setup_teardown(more_stored_than_the_image_has_is_refused, set_up, tear_down),
    cmocka_unit_test_setup_teardown(what_cannot_be_read_ends_the_resumption, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_bad_header_is_refused_when_resuming, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_restart_at_any_point_begins_from_nothing, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_failure_is_forgotten_by_a_restart, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_sink_that_fails_ends_it_with_its_code, set_up, tear_down),
    cmocka_unit_test_setup_teardown(nothing_is_left_in_memory_afterwards, set_up, tear_down),
    cmocka_unit_test_setup_teardown(nothing_is_left_in_memory_of_a_refused_key, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stage_ends_well_only_with_the_right_tag, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stage_goes_on_from_what_lies_in_a_partition, set_up, tear_down),
    cmocka_unit_test_setup_teardown(a_stage_needs_exactly_one_key_that_decrypts, set_up, tear_down),
    cmocka_unit_test_setup_teardown(the_callback_that_asks_for_it_is_not_to_be_called, set_up, tear_down),
};

TEST_MAIN(tests)
