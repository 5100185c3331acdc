/* SPDX-License-Identifier: Apache-2.0 */
/* The bootloader on a flash in RAM under NOR rules: what it loads is what it verified, and what it leaves in otadata. */
#include <stdlib.h>

#include "boot/boot.h"
#include "core/util/bytes.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_flash_ram.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

#define FLASH_BYTES    0x40000u
#define TABLE_OFFSET   0x8000u
#define OTADATA_OFFSET 0xd000u
#define SLOT_BYTES     0x10000u
#define SLOT_0         0x10000u
#define SLOT_1         0x20000u

typedef struct bench {
    uint8_t bytes[FLASH_BYTES];
    otter_flash_ram_t ram;
    otter_flash_nor_t nor;
    otter_flash_t *flash;
    otter_config_t config;
    boot_result_t result;
    uint8_t loaded[SLOT_BYTES]; /* Data of the segments, one after the other. */
    size_t loaded_len;
    int resets;
    uint32_t refuse_segment; /* The loader refuses this one; 0: none. */
    char log[2048];
    bool dry_run;
} bench_t;

static void put_table(bench_t *bench, bool factory)
{
    ptable_t table = {
        .count = 3,
        .partition = {{PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, OTADATA_OFFSET, 0x2000, 0, "otadata"},
                      {PART_TYPE_APP, 0x10, SLOT_0, SLOT_BYTES, 0, "ota_0"},
                      {PART_TYPE_APP, 0x11, SLOT_1, SLOT_BYTES, 0, "ota_1"}},
    };
    if (factory) {
        table.partition[table.count++] =
            (ptable_partition_t){PART_TYPE_APP, PART_SUBTYPE_FACTORY, 0x30000, SLOT_BYTES, 0, "factory"};
    }
    assert_int_equal(ptable_build(&table, true, bench->bytes + TABLE_OFFSET), PTABLE_OK);
}

static void put_app(bench_t *bench, uint32_t offset, const char *version)
{
    fixture_image_t spec = FIXTURE_IMAGE_FOR(bench->config.chip_id, "boot-test", version);
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    memcpy(bench->bytes + offset, image, len);
    free(image);
}

static void put_record(bench_t *bench, uint32_t sector, uint32_t seq, uint32_t state)
{
    otadata_encode(bench->bytes + OTADATA_OFFSET + sector * 0x1000, seq, state);
}

static otadata_record_t record(const bench_t *bench, uint32_t sector)
{
    return otadata_decode(bench->bytes + OTADATA_OFFSET + sector * 0x1000);
}

/* A device with two good apps and no otadata yet. */
static bench_t *make(void)
{
    bench_t *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    memset(bench->bytes, 0xFF, sizeof(bench->bytes));
    bench->flash =
        otter_flash_nor_init(&bench->nor, otter_flash_ram_init(&bench->ram, bench->bytes, FLASH_BYTES, 0x1000));
    otter_config_default(&bench->config);
    put_table(bench, false);
    put_app(bench, SLOT_0, "1.0.0");
    put_app(bench, SLOT_1, "2.0.0");
    return bench;
}

static esp_err_t keep_reset(void *arg)
{
    bench_t *bench = arg;
    bench->loaded_len = 0;
    bench->resets++;
    return ESP_OK;
}

static esp_err_t keep_segment(void *arg, uint32_t index, const esp_image_segment_header_t *header, uint32_t data_off)
{
    const bench_t *bench = arg;
    assert_true(header->data_len > 0 && data_off > 0);
    return bench->refuse_segment != 0 && index == bench->refuse_segment ? ESP_FAIL : ESP_OK;
}

static esp_err_t keep_data(void *arg, uint32_t index, uint32_t off, const uint8_t *bytes, size_t len)
{
    bench_t *bench = arg;
    (void)index;
    (void)off;
    memcpy(bench->loaded + bench->loaded_len, bytes, len);
    bench->loaded_len += len;
    return ESP_OK;
}

static void keep_line(void *arg, boot_log_level_t level, const char *line)
{
    bench_t *bench = arg;
    size_t used = strlen(bench->log);
    (void)snprintf(bench->log + used, sizeof(bench->log) - used, "%d %s\n", (int)level, line);
}

static esp_err_t boot(bench_t *bench)
{
    boot_loader_t loader = {keep_reset, keep_segment, keep_data, bench};
    boot_env_t env = {.flash = bench->flash,
                      .config = &bench->config,
                      .loader = &loader,
                      .dry_run = bench->dry_run,
                      .log = keep_line,
                      .log_arg = bench};
    bench->log[0] = '\0';
    return boot_choose(&env, &bench->result);
}

static void a_first_boot_runs_ota_0_and_records_it(void **state)
{
    (void)state;
    bench_t *bench = make();
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(bench->result.reason, BOOTSEL_REASON_INITIAL);
    assert_int_equal(bench->result.partition.offset, SLOT_0);
    assert_string_equal(bench->result.desc.version, "1.0.0");
    assert_true(record(bench, 0).good);
    assert_int_equal(record(bench, 0).seq, 1);
    assert_int_equal(record(bench, 0).state, ESP_OTA_IMG_VALID);
    free(bench);
}

static void the_loader_gets_exactly_the_bytes_that_were_verified(void **state)
{
    (void)state;
    bench_t *bench = make();
    assert_err(boot(bench), ESP_OK);
    /* The fixture's two segments: 1280 bytes at 32, 512 bytes behind the next header. */
    assert_int_equal(bench->resets, 1);
    assert_int_equal(bench->loaded_len, 1280 + 512);
    assert_memory_equal(bench->loaded, bench->bytes + SLOT_0 + 32, 1280);
    assert_memory_equal(bench->loaded + 1280, bench->bytes + SLOT_0 + 32 + 1280 + 8, 512);
    free(bench);
}

static void a_new_app_is_recorded_as_pending_only_once_it_verified(void **state)
{
    (void)state;
    bench_t *bench = make();
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_NEW);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 1);
    assert_int_equal(record(bench, 1).state, ESP_OTA_IMG_PENDING_VERIFY);
    assert_int_equal(record(bench, 0).state, ESP_OTA_IMG_VALID);

    bench->bytes[SLOT_1 + 100] ^= 1;
    put_record(bench, 1, 2, ESP_OTA_IMG_NEW);
    memset(bench->bytes + OTADATA_OFFSET + 0x1000, 0xFF, 32);
    put_record(bench, 1, 2, ESP_OTA_IMG_NEW);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(record(bench, 1).state, ESP_OTA_IMG_INVALID);
    assert_int_equal(bench->result.failure_count, 1);
    assert_int_equal(bench->result.failure[0].slot, 1);
    assert_int_equal(bench->result.failure[0].fault, IMAGE_FAULT_CHECKSUM);
    assert_non_null(strstr(bench->log, "0 ota_1 does not boot: "));
    free(bench);
}

static void an_app_that_did_not_confirm_is_aborted(void **state)
{
    (void)state;
    bench_t *bench = make();
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_NEW);
    assert_err(boot(bench), ESP_OK);
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_int_equal(record(bench, 1).state, ESP_OTA_IMG_ABORTED);
    free(bench);
}

static void a_dry_run_decides_the_same_and_writes_nothing(void **state)
{
    (void)state;
    bench_t *bench = make();
    put_record(bench, 0, 1, ESP_OTA_IMG_VALID);
    put_record(bench, 1, 2, ESP_OTA_IMG_PENDING_VERIFY);
    uint8_t *before = malloc(FLASH_BYTES);
    assert_non_null(before);
    memcpy(before, bench->bytes, FLASH_BYTES);
    bench->dry_run = true;
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_memory_equal(before, bench->bytes, FLASH_BYTES);
    bench->dry_run = false;
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_memory_not_equal(before, bench->bytes, FLASH_BYTES);
    free(before);
    free(bench);
}

static void an_app_for_another_chip_does_not_boot(void **state)
{
    (void)state;
    bench_t *bench = make();
    bench->config.chip_id = ESP_CHIP_ID_ESP32C3;
    assert_err(boot(bench), ESP_ERR_NOT_FOUND);
    assert_int_equal(bench->result.slot, BOOTSEL_SLOT_NONE);
    assert_int_equal(bench->result.failure_count, 2);
    assert_int_equal(bench->result.failure[0].fault, IMAGE_FAULT_CHIP);
    free(bench);
}

static void an_image_larger_than_its_partition_does_not_boot(void **state)
{
    (void)state;
    bench_t *bench = make();
    fixture_image_t spec = FIXTURE_IMAGE_FOR(bench->config.chip_id, "boot-test", "1.0.0");
    spec.segment_bytes[0] = SLOT_BYTES;
    size_t len;
    uint8_t *image = fixture_image(&spec, &len);
    memcpy(bench->bytes + SLOT_0, image, len);
    free(image);
    bench->bytes[SLOT_1] = 0;
    assert_err(boot(bench), ESP_ERR_NOT_FOUND);
    assert_int_equal(bench->result.failure[0].fault, IMAGE_FAULT_TOO_LARGE);
    free(bench);
}

static void what_the_loader_refuses_does_not_boot(void **state)
{
    (void)state;
    bench_t *bench = make();
    bench->refuse_segment = 1;
    assert_err(boot(bench), ESP_ERR_NOT_FOUND);
    assert_int_equal(bench->result.failure[0].fault, IMAGE_FAULT_SINK);
    free(bench);
}

static void factory_boots_when_nothing_is_recorded(void **state)
{
    (void)state;
    bench_t *bench = make();
    put_table(bench, true);
    put_app(bench, 0x30000, "0.9.0");
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, BOOTSEL_SLOT_FACTORY);
    assert_string_equal(bench->result.desc.version, "0.9.0");
    assert_true(record(bench, 0).blank);
    free(bench);
}

static void a_flash_without_a_partition_table_does_not_boot(void **state)
{
    (void)state;
    bench_t *bench = make();
    bench->bytes[TABLE_OFFSET + 70] ^= 1;
    assert_err(boot(bench), ESP_ERR_INVALID_STATE);
    assert_int_equal(bench->result.table_fault, PTABLE_FAULT_MD5);
    assert_non_null(strstr(bench->log, "partition table: "));
    bench->config.partition_table_offset = FLASH_BYTES;
    assert_err(boot(bench), ESP_ERR_INVALID_STATE);
    free(bench);
}

static void an_otadata_of_one_sector_does_not_boot(void **state)
{
    (void)state;
    bench_t *bench = make();
    bench->nor.base.sector_bytes = 0x2000;
    assert_err(boot(bench), ESP_ERR_INVALID_STATE);
    free(bench);
}

static void otadata_sectors_follow_the_flash_geometry(void **state)
{
    (void)state;
    bench_t *bench = make();
    ptable_t table = {
        .count = 2,
        .partition = {{PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, 0x20000, 0x20000, 0, "otadata"},
                      {PART_TYPE_APP, 0x10, SLOT_0, SLOT_BYTES, 0, "ota_0"}},
    };
    memset(bench->bytes + 0x20000, 0xFF, 0x20000);
    memset(bench->bytes + TABLE_OFFSET, 0xFF, PTABLE_BYTES);
    assert_int_equal(ptable_build(&table, true, bench->bytes + TABLE_OFFSET), PTABLE_OK);
    otadata_encode(bench->bytes + 0x30000, 1, ESP_OTA_IMG_NEW);
    bench->nor.base.sector_bytes = 0x10000;
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(otadata_decode(bench->bytes + 0x30000).state, ESP_OTA_IMG_PENDING_VERIFY);
    free(bench);
}

/* Decorator: some writes fail. */
typedef struct failing {
    otter_flash_t base;
    otter_flash_t *inner;
    int left;  /* Writes that work; */
    int count; /* so many then fail. */
    int failed;
} failing_t;

static esp_err_t failing_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    return otter_flash_read(((failing_t *)(void *)flash)->inner, off, dst, len);
}

static bool fails(failing_t *failing)
{
    bool now = failing->left-- <= 0 && failing->failed < failing->count;
    failing->failed += now ? 1 : 0;
    return now;
}

static esp_err_t failing_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    failing_t *failing = (failing_t *)(void *)flash;
    return fails(failing) ? ESP_ERR_FLASH_OP_FAIL : otter_flash_program(failing->inner, off, src, len);
}

static esp_err_t failing_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    failing_t *failing = (failing_t *)(void *)flash;
    return fails(failing) ? ESP_ERR_FLASH_OP_FAIL : otter_flash_erase(failing->inner, off, len);
}

static esp_err_t failing_sync(otter_flash_t *flash)
{
    return otter_flash_sync(((failing_t *)(void *)flash)->inner);
}

/* Boots a new app in slot 0 on a flash of which so many writes work, and so many then fail. */
static esp_err_t boot_new_app_failing(bench_t *bench, failing_t *failing, int left, int count)
{
    static const otter_flash_ops_t ops = {
        .read = failing_read, .program = failing_program, .erase = failing_erase, .sync = failing_sync};
    *failing = (failing_t){.base = *bench->flash, .inner = bench->flash, .left = left, .count = count};
    failing->base.ops = &ops;
    bench->flash = &failing->base;
    put_record(bench, 0, 1, ESP_OTA_IMG_NEW);
    return boot(bench);
}

static void an_app_whose_record_cannot_be_written_is_not_run(void **state)
{
    (void)state;
    bench_t *bench = make();
    failing_t failing;
    assert_err(boot_new_app_failing(bench, &failing, 1, INT32_MAX), ESP_OK);
    assert_int_equal(failing.failed, 2);
    assert_int_equal(bench->result.otadata_errors, 2);
    assert_int_equal(bench->result.slot, 1);
    assert_int_equal(bench->result.failure_count, 1);
    assert_int_equal(bench->result.failure[0].slot, 0);
    assert_err(bench->result.failure[0].error, ESP_ERR_FLASH_OP_FAIL);
    free(bench);
}

static void nothing_is_run_if_only_an_app_is_left_whose_record_cannot_be_written(void **state)
{
    (void)state;
    bench_t *bench = make();
    failing_t failing;
    bench->bytes[SLOT_1] = 0;
    assert_err(boot_new_app_failing(bench, &failing, 0, INT32_MAX), ESP_ERR_FLASH_OP_FAIL);
    assert_int_equal(bench->result.slot, BOOTSEL_SLOT_NONE);
    assert_int_equal(failing.failed, 2);
    free(bench);
}

static void a_record_that_cannot_be_written_once_is_written_again(void **state)
{
    (void)state;
    for (int left = 0; left < 5; left++) {
        bench_t *bench = make();
        failing_t failing;
        assert_err(boot_new_app_failing(bench, &failing, left, 1), ESP_OK);
        assert_int_equal(failing.failed, 1);
        assert_int_equal(bench->result.slot, 0);
        assert_int_equal(bench->result.otadata_errors, 1);
        assert_int_equal(bootsel_record(&bench->result.input, 0).state, ESP_OTA_IMG_PENDING_VERIFY);
        free(bench);
    }
}

/* The flash reports nothing: what otadata says afterwards is what counts. */
static esp_err_t stuck_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    failing_t *failing = (failing_t *)(void *)flash;
    uint8_t bytes[1024];
    memcpy(bytes, src, len);
    if (len == OTADATA_RECORD_BYTES && off % 0x1000 == 0) {
        bytes[28] ^= 1;
        failing->failed++;
    }
    return otter_flash_program(failing->inner, off, bytes, len);
}

static void an_app_whose_record_is_not_what_it_should_be_is_not_run(void **state)
{
    (void)state;
    static const otter_flash_ops_t ops = {
        .read = failing_read, .program = stuck_program, .erase = failing_erase, .sync = failing_sync};
    bench_t *bench = make();
    failing_t failing = {.base = *bench->flash, .inner = bench->flash, .left = INT32_MAX};
    failing.base.ops = &ops;
    bench->flash = &failing.base;
    put_record(bench, 0, 1, ESP_OTA_IMG_NEW);
    assert_err(boot(bench), ESP_OK);
    assert_true(failing.failed > 0);
    assert_true(bench->result.otadata_errors > 0);
    assert_false(bench->result.slot == 0 && bench->result.reason == BOOTSEL_REASON_ACTIVE);
    free(bench);
}

static void any_bytes_in_flash_end_in_a_decision(void **state)
{
    (void)state;
    bench_t *bench = make();
    uint32_t random = 7;
    int booted = 0;
    for (int round = 0; round < 300; round++) {
        memset(bench->bytes + OTADATA_OFFSET, 0xFF, 0x2000);
        put_record(bench, 0, 1 + fixture_random(&random) % 4, fixture_random(&random) % 6);
        put_record(bench, 1, 1 + fixture_random(&random) % 4, fixture_random(&random) % 6);
        for (int flip = 0; flip < 3; flip++) {
            uint32_t at = TABLE_OFFSET + fixture_random(&random) % (FLASH_BYTES - TABLE_OFFSET);
            bench->bytes[at] = (uint8_t)fixture_random(&random);
        }
        booted += boot(bench) == ESP_OK ? 1 : 0;
        put_table(bench, false);
        put_app(bench, SLOT_0, "1.0.0");
        put_app(bench, SLOT_1, "2.0.0");
    }
    assert_true(booted > 0);
    free(bench);
}

/* The record moves as it is when the journal beside it needs room or an interrupted change is ended; what it says is shown. */
static void a_record_with_an_unknown_state_is_rewritten_and_shown_by_number(void **state)
{
    (void)state;
    bench_t *bench = make();
    bench->config.rollback = false;
    put_record(bench, 0, 1, 77);
    uint8_t *entry = bench->bytes + OTADATA_OFFSET + 0x1000 + 192;
    memset(bench->bytes + OTADATA_OFFSET + 0x1000 + 64, 0, 4);
    memset(entry, 0xFF, 32);
    bytes_put_u32(entry, 0x314A544F);
    bytes_put_u32(entry + 4, 1);
    bytes_put_u32(entry + 8, 77);
    bytes_put_u32(entry + 28, bytes_crc32(0, entry, 28));
    assert_err(boot(bench), ESP_OK);
    assert_int_equal(bench->result.slot, 0);
    assert_non_null(strstr(bench->log, "sequence 1 becomes 77"));
    free(bench);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_record_with_an_unknown_state_is_rewritten_and_shown_by_number),
    cmocka_unit_test(a_first_boot_runs_ota_0_and_records_it),
    cmocka_unit_test(the_loader_gets_exactly_the_bytes_that_were_verified),
    cmocka_unit_test(a_new_app_is_recorded_as_pending_only_once_it_verified),
    cmocka_unit_test(an_app_that_did_not_confirm_is_aborted),
    cmocka_unit_test(a_dry_run_decides_the_same_and_writes_nothing),
    cmocka_unit_test(an_app_for_another_chip_does_not_boot),
    cmocka_unit_test(an_image_larger_than_its_partition_does_not_boot),
    cmocka_unit_test(what_the_loader_refuses_does_not_boot),
    cmocka_unit_test(factory_boots_when_nothing_is_recorded),
    cmocka_unit_test(a_flash_without_a_partition_table_does_not_boot),
    cmocka_unit_test(an_otadata_of_one_sector_does_not_boot),
    cmocka_unit_test(otadata_sectors_follow_the_flash_geometry),
    cmocka_unit_test(an_app_whose_record_cannot_be_written_is_not_run),
    cmocka_unit_test(nothing_is_run_if_only_an_app_is_left_whose_record_cannot_be_written),
    cmocka_unit_test(an_app_whose_record_is_not_what_it_should_be_is_not_run),
    cmocka_unit_test(a_record_that_cannot_be_written_once_is_written_again),
    cmocka_unit_test(any_bytes_in_flash_end_in_a_decision),
};

TEST_MAIN(tests)
