/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a download on flash: what a device finds of it after a power cut. */
#include <stdlib.h>

#include "core/util/bytes.h"
#include "device/https_ota/https_ota_progress.h"
#include "otter/otter_flash_cells.h"
#include "tests/device/device_fixture.h"
#include "tests/support/test.h"

#define URL       "https://updates.example/app.bin"
#define ETAG      "\"v2\""
#define SECTOR    4096u
#define IMAGE_LEN (9 * SECTOR + 500)
#define BLOCKS    9u /* That have a check value. */
#define SECOND_US 1000000

/* A device that downloads into ota_1. */
typedef struct rig {
    device_t *device;
    const esp_partition_t *slot;
    uint8_t *in_slot; /* What the slot's bytes are. */
    uint8_t *record;  /* And those of its last sector. */
    uint32_t record_off;
    https_ota_progress_t progress;
    https_ota_found_t found;
    uint32_t written;
} rig_t;

static const https_ota_identity_t identity = {.url = URL, .etag = ETAG, .file_len = IMAGE_LEN};

static uint8_t image_byte(uint32_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

static rig_t open_rig(void)
{
    rig_t rig = {.device = device_open(&(device_spec_t){.running = "ota_0"})};
    rig.slot = device_partition("ota_1");
    rig.in_slot = rig.device->bytes + rig.slot->address;
    rig.record = rig.in_slot + rig.slot->size - SECTOR;
    rig.record_off = rig.slot->address + rig.slot->size - SECTOR;
    return rig;
}

static void close_rig(rig_t *rig)
{
    device_close(rig->device);
}

/* Writes the image up to an offset as a download does. False: the flash failed. */
static bool write_up_to(rig_t *rig, uint32_t end, uint32_t piece)
{
    uint8_t bytes[2 * SECTOR];
    while (rig->written < end) {
        uint32_t len = end - rig->written < piece ? end - rig->written : piece;
        for (uint32_t i = 0; i < len; i++) {
            bytes[i] = image_byte(rig->written + i);
        }
        for (uint32_t at = rig->written; at < rig->written + len; at++) {
            if (at % SECTOR == 0 && esp_partition_erase_range(rig->slot, at, SECTOR) != ESP_OK) {
                return false;
            }
        }
        if (esp_partition_write(rig->slot, rig->written, bytes, len) != ESP_OK) {
            return false;
        }
        rig->written += len;
        https_ota_progress_note(&rig->progress, bytes, len);
    }
    return true;
}

static void start(rig_t *rig, const https_ota_identity_t *download)
{
    rig->written = 0;
    https_ota_progress_start(&rig->progress, rig->slot, download);
}

/* The power goes and returns. */
static bool find(rig_t *rig)
{
    memset(&rig->found, 0, sizeof(rig->found));
    device_clear_events(rig->device);
    bool found = https_ota_progress_find(&rig->progress, rig->slot, URL, &rig->found);
    assert_int_equal(rig->device->recorder.count, 0);
    rig->written = rig->found.image_len;
    return found;
}

static void assert_found(rig_t *rig, uint32_t image_len)
{
    assert_true(find(rig));
    assert_int_equal(rig->found.image_len, image_len);
    for (uint32_t i = 0; i < image_len; i++) {
        assert_int_equal(rig->in_slot[i], image_byte(i));
    }
}

static uint8_t *place_of(const rig_t *rig, uint32_t block)
{
    return rig->record + PROGRESS_HEADER_BYTES + 8 * block;
}

static uint32_t count_events(const rig_t *rig, flash_event_kind_t kind)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < rig->device->recorder.count; i++) {
        count += rig->device->recorder.event[i].kind == kind;
    }
    return count;
}

/* ---- Finding ---- */

static void nothing_is_found_in_a_blank_slot(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    assert_false(find(&rig));
    close_rig(&rig);
}

static void what_was_written_is_found_up_to_the_last_whole_sector(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 5 * SECTOR + 4095, 1000));
    assert_found(&rig, 5 * SECTOR);
    assert_int_equal(rig.found.file_len, IMAGE_LEN);
    assert_int_equal(rig.found.head_len, 0);
    assert_string_equal(rig.found.etag, ETAG);
    close_rig(&rig);
}

static void less_than_a_sector_is_nothing_to_go_on_from(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, SECTOR - 1, 1000));
    assert_false(find(&rig));
    close_rig(&rig);
}

static void of_a_whole_image_all_but_the_end_is_found(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, IMAGE_LEN, 1460));
    assert_found(&rig, BLOCKS * SECTOR);
    https_ota_identity_t whole_sectors = {.url = URL, .etag = ETAG, .file_len = 9 * SECTOR};
    start(&rig, &whole_sectors);
    assert_true(write_up_to(&rig, 9 * SECTOR, 1460));
    assert_found(&rig, 8 * SECTOR);
    close_rig(&rig);
}

static void the_head_of_an_encrypted_file_is_told_apart(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    https_ota_identity_t encrypted = {.url = URL, .etag = ETAG, .file_len = IMAGE_LEN + 512, .head_len = 512};
    start(&rig, &encrypted);
    assert_true(write_up_to(&rig, 3 * SECTOR, 1460));
    assert_found(&rig, 3 * SECTOR);
    assert_int_equal(rig.found.file_len, IMAGE_LEN + 512);
    assert_int_equal(rig.found.head_len, 512);
    close_rig(&rig);
}

static void another_url_s_record_is_none(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    https_ota_found_t found;
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 3 * SECTOR, 1460));
    assert_false(https_ota_progress_find(&rig.progress, rig.slot, URL "?", &found));
    assert_false(https_ota_progress_find(&rig.progress, device_partition("factory"), URL, &found));
    assert_found(&rig, 3 * SECTOR);
    close_rig(&rig);
}

static void only_what_still_hashes_to_the_record_is_found(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 6 * SECTOR, 1460));
    rig.in_slot[4 * SECTOR] ^= 1;
    assert_found(&rig, 4 * SECTOR);
    rig.in_slot[2 * SECTOR - 1] ^= 0x80;
    assert_found(&rig, SECTOR);
    rig.in_slot[0] ^= 1;
    assert_false(find(&rig));
    close_rig(&rig);
}

static void a_damaged_check_value_ends_what_is_found(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 6 * SECTOR, 1460));
    place_of(&rig, 3)[7] ^= 1;
    assert_found(&rig, 3 * SECTOR);
    place_of(&rig, 3)[7] ^= 1;
    assert_found(&rig, 6 * SECTOR);
    memset(place_of(&rig, 1), 0xFF, 8);
    assert_found(&rig, SECTOR);
    close_rig(&rig);
}

static void a_damaged_header_is_no_record(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 6 * SECTOR, 1460));
    rig.record[60] ^= 1;
    assert_false(find(&rig));
    close_rig(&rig);
}

/* ---- Going on ---- */

static void a_resumed_download_goes_on_in_the_same_record(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    uint32_t reached[] = {3 * SECTOR + 1, 4 * SECTOR, 7 * SECTOR + 100, IMAGE_LEN};
    for (size_t i = 0; i < sizeof(reached) / sizeof(reached[0]); i++) {
        assert_true(write_up_to(&rig, reached[i], 1460));
        assert_found(&rig, reached[i] / SECTOR * SECTOR);
        https_ota_progress_resume(&rig.progress);
        assert_int_equal(count_events(&rig, FLASH_ERASE), 0);
    }
    close_rig(&rig);
}

/* Their programming may have been cut, and they may read right by chance. */
static void the_last_block_and_its_check_value_are_programmed_again(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 3 * SECTOR, 1460));
    assert_found(&rig, 3 * SECTOR);
    https_ota_progress_resume(&rig.progress);
    uint32_t index = 0;
    assert_event(rig.device, &index, FLASH_PROGRAM, rig.slot->address + 2 * SECTOR, SECTOR);
    assert_event(rig.device, &index, FLASH_PROGRAM, rig.record_off + PROGRESS_HEADER_BYTES + 2 * 8, 8);
    assert_int_equal(rig.device->recorder.count, index);
    close_rig(&rig);
}

static void a_check_value_that_was_cut_is_completed(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 4 * SECTOR, 1460));
    uint8_t whole[8];
    memcpy(whole, place_of(&rig, 3), sizeof(whole));
    place_of(&rig, 3)[0] |= 0x55; /* Some bits were not programmed any more. */
    memset(place_of(&rig, 3) + 4, 0xFF, 4);
    assert_found(&rig, 3 * SECTOR);
    https_ota_progress_resume(&rig.progress);
    assert_true(write_up_to(&rig, 5 * SECTOR, 1460));
    assert_memory_equal(place_of(&rig, 3), whole, sizeof(whole));
    assert_found(&rig, 5 * SECTOR);
    close_rig(&rig);
}

static void a_check_value_that_cannot_be_programmed_is_the_last_one(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    memset(place_of(&rig, 4), 0, 8); /* As only a broken flash would. */
    assert_true(write_up_to(&rig, 8 * SECTOR, 1460));
    assert_false(rig.progress.noting);
    assert_true(bytes_all(place_of(&rig, 5), 8, 0xFF));
    assert_int_equal(rig.device->nor.violations, 0);
    assert_found(&rig, 4 * SECTOR);
    close_rig(&rig);
}

static void what_comes_behind_the_image_is_not_noted(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    https_ota_identity_t shorter = {.url = URL, .etag = ETAG, .file_len = 3 * SECTOR};
    start(&rig, &shorter);
    assert_true(write_up_to(&rig, IMAGE_LEN, 1460));
    assert_true(bytes_all(place_of(&rig, 2), SECTOR - PROGRESS_HEADER_BYTES - 2 * 8, 0xFF));
    assert_found(&rig, 2 * SECTOR);
    close_rig(&rig);
}

/* ---- Starting ---- */

static void a_record_takes_one_erase_and_a_program_for_each_sector(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    uint32_t index = 0;
    start(&rig, &identity);
    assert_event(rig.device, &index, FLASH_ERASE, rig.record_off, SECTOR);
    assert_event(rig.device, &index, FLASH_PROGRAM, rig.record_off, PROGRESS_HEADER_BYTES);
    assert_int_equal(rig.device->recorder.count, index);
    assert_true(write_up_to(&rig, IMAGE_LEN, SECTOR));
    for (uint32_t i = 0; i < BLOCKS; i++) {
        assert_event(rig.device, &index, FLASH_ERASE, rig.slot->address + i * SECTOR, SECTOR);
        assert_event(rig.device, &index, FLASH_PROGRAM, rig.slot->address + i * SECTOR, SECTOR);
        assert_event(rig.device, &index, FLASH_PROGRAM, rig.record_off + PROGRESS_HEADER_BYTES + 8 * i, 8);
    }
    assert_event(rig.device, &index, FLASH_ERASE, rig.slot->address + BLOCKS * SECTOR, SECTOR);
    assert_event(rig.device, &index, FLASH_PROGRAM, rig.slot->address + BLOCKS * SECTOR, 500);
    assert_int_equal(rig.device->recorder.count, index);
    close_rig(&rig);
}

static void a_new_download_forgets_the_old_one(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 6 * SECTOR, 1460));
    start(&rig, &identity);
    assert_false(find(&rig));
    https_ota_identity_t other = {.url = URL, .etag = "\"v3\"", .file_len = IMAGE_LEN};
    start(&rig, &other);
    assert_true(write_up_to(&rig, 2 * SECTOR, 1460));
    assert_found(&rig, 2 * SECTOR);
    assert_string_equal(rig.found.etag, "\"v3\"");
    close_rig(&rig);
}

/* Neither is a record begun, nor is anything erased; and the old record is gone. */
static void assert_not_kept(const https_ota_identity_t *download)
{
    rig_t rig = open_rig();
    start(&rig, download);
    assert_int_equal(rig.device->recorder.count, 0);
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 3 * SECTOR, 1460));
    assert_found(&rig, 3 * SECTOR);
    start(&rig, download);
    assert_int_equal(count_events(&rig, FLASH_ERASE), 0);
    assert_true(write_up_to(&rig, 4 * SECTOR, 1460));
    assert_false(find(&rig));
    close_rig(&rig);
}

static void a_download_that_nobody_can_confirm_is_not_recorded(void **state)
{
    (void)state;
    char longer[PROGRESS_ETAG_BYTES + 1];
    memset(longer, 'x', sizeof(longer) - 1);
    longer[0] = '"';
    longer[sizeof(longer) - 2] = '"';
    longer[sizeof(longer) - 1] = '\0';
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = NULL, .file_len = IMAGE_LEN});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = "W/" ETAG, .file_len = IMAGE_LEN});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = "v2", .file_len = IMAGE_LEN});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = longer, .file_len = IMAGE_LEN});
}

static void a_download_of_unfit_length_is_not_recorded(void **state)
{
    (void)state;
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = ETAG, .file_len = -1});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = ETAG, .file_len = 0});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = ETAG, .file_len = INT64_C(1) << 32});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = ETAG, .file_len = 512, .head_len = 512});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = ETAG, .file_len = 15 * SECTOR + 1});
    assert_not_kept(&(https_ota_identity_t){.url = URL, .etag = ETAG, .file_len = 16 * SECTOR});
}

static void an_image_may_reach_up_to_the_last_sector(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    https_ota_identity_t largest = {.url = URL, .etag = ETAG, .file_len = 15 * SECTOR};
    start(&rig, &largest);
    assert_true(write_up_to(&rig, 15 * SECTOR, 1460));
    assert_found(&rig, 14 * SECTOR);
    close_rig(&rig);
}

/* There, the end may be part of what it holds. */
static void only_app_slots_hold_records(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    rig.slot = device_partition("storage");
    https_ota_identity_t small = {.url = URL, .etag = ETAG, .file_len = SECTOR};
    start(&rig, &small);
    assert_int_equal(rig.device->recorder.count, 0);
    assert_false(rig.progress.noting);
    assert_false(find(&rig));
    close_rig(&rig);
}

static void foreign_bytes_in_the_last_sector_are_left_alone(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    https_ota_identity_t unknown = {.url = URL, .etag = ETAG, .file_len = -1};
    memset(rig.record, 0x5A, SECTOR);
    assert_false(find(&rig));
    start(&rig, &unknown);
    https_ota_progress_drop(&rig.progress);
    assert_int_equal(rig.device->recorder.count, 0);
    close_rig(&rig);
}

/* ---- Dropping ---- */

static void a_dropped_record_is_not_found_again(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 6 * SECTOR, 1460));
    device_clear_events(rig.device);
    https_ota_progress_drop(&rig.progress);
    uint32_t index = 0;
    assert_event(rig.device, &index, FLASH_PROGRAM, rig.record_off, PROGRESS_MAGIC_BYTES);
    assert_event(rig.device, &index, FLASH_SYNC, 0, 0);
    assert_int_equal(rig.device->recorder.count, index);
    assert_false(find(&rig));
    close_rig(&rig);
}

static void what_was_found_can_be_dropped(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 6 * SECTOR, 1460));
    assert_found(&rig, 6 * SECTOR);
    https_ota_progress_drop(&rig.progress);
    assert_false(find(&rig));
    https_ota_progress_drop(&rig.progress);
    assert_int_equal(rig.device->recorder.count, 0);
    close_rig(&rig);
}

/* ---- Flashes ---- */

static void what_was_noted_is_made_durable_once_a_second(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 3 * SECTOR, 100));
    assert_int_equal(count_events(&rig, FLASH_SYNC), 0);
    for (uint32_t i = 1; i <= 3; i++) {
        rig.progress.synced_us -= SECOND_US;
        assert_true(write_up_to(&rig, (3 + i) * SECTOR, 100));
        assert_int_equal(count_events(&rig, FLASH_SYNC), i);
    }
    assert_found(&rig, 6 * SECTOR);
    https_ota_progress_resume(&rig.progress);
    assert_true(write_up_to(&rig, 6 * SECTOR + 100, 100));
    assert_int_equal(count_events(&rig, FLASH_SYNC), 0);
    close_rig(&rig);
}

static void check_values_are_whole_program_units(void **state)
{
    (void)state;
    for (uint32_t unit = 1; unit <= 64; unit *= 2) {
        rig_t rig = open_rig();
        rig.device->config.flash->program_bytes = unit;
        start(&rig, &identity);
        assert_true(write_up_to(&rig, 5 * SECTOR + 64, 1024));
        for (uint32_t i = 0; i < rig.device->recorder.count; i++) {
            const flash_event_t *event = &rig.device->recorder.event[i];
            assert_int_equal(event->off % unit, 0);
            assert_int_equal(event->len % unit, 0);
        }
        assert_found(&rig, 5 * SECTOR);
        https_ota_progress_resume(&rig.progress);
        assert_true(write_up_to(&rig, 7 * SECTOR, 1024));
        assert_found(&rig, 7 * SECTOR);
        https_ota_progress_drop(&rig.progress);
        assert_false(find(&rig));
        close_rig(&rig);
    }
}

static void a_flash_that_does_not_take_the_record_gets_none(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    rig.device->recorder.fail_erase = 1;
    start(&rig, &identity);
    assert_int_equal(rig.device->recorder.failures_done, 1);
    assert_false(rig.progress.noting);
    rig.device->recorder.fail_program = 1;
    start(&rig, &identity);
    assert_int_equal(rig.device->recorder.failures_done, 2);
    assert_true(write_up_to(&rig, 3 * SECTOR, 1460));
    assert_false(find(&rig));
    close_rig(&rig);
}

static void a_flash_that_does_not_take_a_check_value_gets_no_more(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 3 * SECTOR - 1, 1460));
    uint8_t last = image_byte(3 * SECTOR - 1);
    rig.device->recorder.fail_program = 1;
    https_ota_progress_note(&rig.progress, &last, 1);
    assert_int_equal(rig.device->recorder.failures_done, 1);
    assert_false(rig.progress.noting);
    https_ota_progress_note(&rig.progress, &last, 1);
    assert_found(&rig, 2 * SECTOR);
    close_rig(&rig);
}

static void a_record_that_cannot_be_dropped_or_made_durable_is_no_error(void **state)
{
    (void)state;
    rig_t rig = open_rig();
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 3 * SECTOR, 1460));
    rig.progress.synced_us -= SECOND_US;
    rig.device->recorder.cut_armed = true;
    https_ota_progress_note(&rig.progress, (const uint8_t *)"x", 1);
    assert_int_equal(rig.device->recorder.failures_done, 1);
    assert_true(rig.progress.noting);
    https_ota_progress_drop(&rig.progress);
    assert_int_equal(rig.device->recorder.failures_done, 2);
    assert_null(rig.progress.staging);
    rig.device->recorder.cut_armed = false;
    assert_found(&rig, 3 * SECTOR);
    close_rig(&rig);
}

/* ---- Cells that waver ---- */

#define CELLS_BYTES (16 * SECTOR)

/* A flash that is one slot. */
typedef struct cells_rig {
    uint8_t bytes[CELLS_BYTES];
    uint8_t unstable[CELLS_BYTES];
    uint8_t scars[16];
    uint32_t erases[16];
    otter_power_t power;
    otter_flash_cells_t cells;
    esp_partition_t slot;
} cells_rig_t;

static rig_t open_cells(cells_rig_t *cells)
{
    memset(cells, 0, sizeof(*cells));
    memset(cells->bytes, 0xFF, sizeof(cells->bytes));
    cells->power.random = 1;
    otter_flash_cells_memory_t memory = {cells->bytes, cells->unstable, cells->scars, cells->erases};
    otter_flash_t geometry = {.size_bytes = CELLS_BYTES, .sector_bytes = SECTOR, .program_bytes = 1};
    otter_device_t device = {.running_address = OTTER_NOT_RUNNING};
    otter_config_default(&device.config);
    device.flash = otter_flash_cells_init(&cells->cells, &memory, &geometry, &cells->power);
    assert_err(otter_device_init(&device), ESP_OK);
    cells->slot =
        (esp_partition_t){.type = ESP_PARTITION_TYPE_APP, .size = CELLS_BYTES, .erase_size = SECTOR, .label = "ota_1"};
    return (rig_t){.slot = &cells->slot, .in_slot = cells->bytes, .record = cells->bytes + CELLS_BYTES - SECTOR};
}

/* The programming of the last byte was cut: what should be 0 there is now this, now that. */
static void make_waver(cells_rig_t *cells, const uint8_t *byte)
{
    size_t at = (size_t)(byte - cells->bytes);
    cells->unstable[at] = (uint8_t) ~*byte;
    cells->scars[at / SECTOR] = 1;
    assert_true(cells->unstable[at] != 0);
}

/* Comes back again and again until all reads right. */
static void find_by_chance(rig_t *rig, uint32_t image_len)
{
    uint32_t misses = 0;
    do {
        rig->found.image_len = 0;
        (void)https_ota_progress_find(&rig->progress, rig->slot, URL, &rig->found);
        assert_true(misses++ < 100000);
    } while (rig->found.image_len != image_len);
    assert_true(misses > 1); /* It did waver. */
}

static void what_read_right_by_chance_is_made_to_last(void **state)
{
    (void)state;
    static cells_rig_t cells;
    rig_t rig = open_cells(&cells);
    start(&rig, &identity);
    assert_true(write_up_to(&rig, 3 * SECTOR, 1460));
    make_waver(&cells, &rig.in_slot[3 * SECTOR - 2]);
    make_waver(&cells, &rig.in_slot[3 * SECTOR - 1]);
    make_waver(&cells, &place_of(&rig, 2)[0]);
    find_by_chance(&rig, 3 * SECTOR);
    https_ota_progress_resume(&rig.progress);
    assert_true(rig.progress.noting);
    assert_true(bytes_all(cells.unstable, CELLS_BYTES, 0));
    assert_int_equal(cells.cells.violations, 0);
    for (int i = 0; i < 20; i++) {
        assert_true(https_ota_progress_find(&rig.progress, rig.slot, URL, &rig.found));
        assert_int_equal(rig.found.image_len, 3 * SECTOR);
    }
}

/* Whatever is the last operation. The buffer is what was written in one piece and could not be noted. */
static void a_cut_at_any_operation_costs_at_most_a_sector_and_a_buffer(void **state)
{
    (void)state;
    uint32_t cuts = 0;
    for (bool cut = true; cut; cuts++) {
        rig_t rig = open_rig();
        rig.device->recorder.cut_armed = true;
        rig.device->recorder.cut_after = cuts;
        start(&rig, &identity);
        bool all = write_up_to(&rig, IMAGE_LEN, 1460);
        uint32_t written = rig.written;
        cut = rig.device->recorder.failures_done > 0;
        assert_true(all || cut);
        rig.device->recorder.cut_armed = false;
        if (find(&rig)) {
            assert_found(&rig, rig.found.image_len);
        }
        assert_true(rig.found.image_len <= written && written - rig.found.image_len <= SECTOR + 1460);
        close_rig(&rig);
    }
    assert_true(cuts > 2 * BLOCKS);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(nothing_is_found_in_a_blank_slot),
    cmocka_unit_test(what_was_written_is_found_up_to_the_last_whole_sector),
    cmocka_unit_test(less_than_a_sector_is_nothing_to_go_on_from),
    cmocka_unit_test(of_a_whole_image_all_but_the_end_is_found),
    cmocka_unit_test(the_head_of_an_encrypted_file_is_told_apart),
    cmocka_unit_test(another_url_s_record_is_none),
    cmocka_unit_test(only_what_still_hashes_to_the_record_is_found),
    cmocka_unit_test(a_damaged_check_value_ends_what_is_found),
    cmocka_unit_test(a_damaged_header_is_no_record),
    cmocka_unit_test(a_resumed_download_goes_on_in_the_same_record),
    cmocka_unit_test(the_last_block_and_its_check_value_are_programmed_again),
    cmocka_unit_test(a_check_value_that_was_cut_is_completed),
    cmocka_unit_test(a_check_value_that_cannot_be_programmed_is_the_last_one),
    cmocka_unit_test(what_comes_behind_the_image_is_not_noted),
    cmocka_unit_test(a_record_takes_one_erase_and_a_program_for_each_sector),
    cmocka_unit_test(a_new_download_forgets_the_old_one),
    cmocka_unit_test(a_download_that_nobody_can_confirm_is_not_recorded),
    cmocka_unit_test(a_download_of_unfit_length_is_not_recorded),
    cmocka_unit_test(an_image_may_reach_up_to_the_last_sector),
    cmocka_unit_test(only_app_slots_hold_records),
    cmocka_unit_test(foreign_bytes_in_the_last_sector_are_left_alone),
    cmocka_unit_test(a_dropped_record_is_not_found_again),
    cmocka_unit_test(what_was_found_can_be_dropped),
    cmocka_unit_test(what_was_noted_is_made_durable_once_a_second),
    cmocka_unit_test(check_values_are_whole_program_units),
    cmocka_unit_test(a_flash_that_does_not_take_the_record_gets_none),
    cmocka_unit_test(a_flash_that_does_not_take_a_check_value_gets_no_more),
    cmocka_unit_test(a_record_that_cannot_be_dropped_or_made_durable_is_no_error),
    cmocka_unit_test(what_read_right_by_chance_is_made_to_last),
    cmocka_unit_test(a_cut_at_any_operation_costs_at_most_a_sector_and_a_buffer),
};

TEST_MAIN(tests)
