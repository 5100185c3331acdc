/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "esp_image_format.h"
#include "tests/device/device_fixture.h"
#include "tests/support/test.h"

static int open_device(void **state)
{
    *state = device_open(&(device_spec_t){.running = "factory"});
    return 0;
}

static int open_sector_64k(void **state)
{
    *state = device_open(&(device_spec_t){.running = "factory", .sector_bytes = 64 << 10});
    return 0;
}

static int close_device(void **state)
{
    device_close(*state);
    return 0;
}

/* ---- Finding ---- */

static void a_search_visits_every_partition_in_the_order_of_the_table(void **state)
{
    const device_t *device = *state;
    uint32_t seen = 0;
    esp_partition_iterator_t it = esp_partition_find(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL);
    for (; it != NULL; it = esp_partition_next(it)) {
        const esp_partition_t *partition = esp_partition_get(it);
        assert_string_equal(partition->label, device->table.partition[seen].label);
        assert_int_equal(partition->address, device->table.partition[seen].offset);
        assert_int_equal(partition->size, device->table.partition[seen].size);
        assert_ptr_equal(partition->flash_chip, esp_flash_default_chip);
        seen++;
    }
    assert_int_equal(seen, device->table.count);
}

static void a_search_by_type_subtype_and_label_finds_only_those(void **state)
{
    (void)state;
    const esp_partition_t *app =
        esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, NULL);
    assert_non_null(app);
    assert_string_equal(app->label, "ota_1");
    assert_ptr_equal(app, device_partition("ota_1"));
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_1, "ota_0"));
}

static void search_errors_are_those_of_esp_idf(void **state)
{
    (void)state;
    esp_partition_iterator_t it = (esp_partition_iterator_t)state;
    assert_err(esp_partition_find_err(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL, NULL),
               ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_find_err(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_DATA_NVS, NULL, &it),
               ESP_ERR_INVALID_ARG);
    assert_null(it);
    assert_err(esp_partition_find_err(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "nowhere", &it),
               ESP_ERR_NOT_FOUND);
    const esp_partition_t *partition = (const esp_partition_t *)state;
    assert_err(esp_partition_find_first_err(ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_ANY, "nowhere", &partition),
               ESP_ERR_NOT_FOUND);
    assert_null(partition);
    assert_err(esp_partition_find_first_err(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL, NULL),
               ESP_ERR_INVALID_ARG);
}

static void null_instead_of_an_iterator_is_answered_with_null(void **state)
{
    (void)state;
    assert_null(esp_partition_get(NULL));
    assert_null(esp_partition_next(NULL));
    esp_partition_iterator_release(NULL);
}

static void a_search_survives_unloading_the_list(void **state)
{
    (void)state;
    esp_partition_iterator_t it = esp_partition_find(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_ANY, NULL);
    assert_string_equal(esp_partition_get(it)->label, "factory");
    esp_partition_unload_all();
    it = esp_partition_next(it);
    assert_non_null(it);
    assert_string_equal(esp_partition_get(it)->label, "ota_0");
    esp_partition_iterator_release(it);
}

static void verify_gives_back_the_lists_own_entry(void **state)
{
    (void)state;
    const esp_partition_t *listed = device_partition("ota_0");
    esp_partition_t copy = *listed;
    copy.readonly = true; /* Not compared. */
    copy.erase_size = 1;
    assert_ptr_equal(esp_partition_verify(&copy), listed);
    copy.label[0] = '\0';
    assert_ptr_equal(esp_partition_verify(&copy), listed);
}

static void verify_refuses_what_is_not_listed(void **state)
{
    (void)state;
    const esp_partition_t *out = (const esp_partition_t *)state;
    esp_partition_t copy = *device_partition("ota_0");
    assert_err(esp_partition_verify_err(NULL, &out), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_verify_err(&copy, NULL), ESP_ERR_INVALID_ARG);
    copy.address += copy.erase_size;
    assert_err(esp_partition_verify_err(&copy, &out), ESP_ERR_NOT_FOUND);
    assert_null(out);
    copy = *device_partition("ota_0");
    copy.size--;
    assert_null(esp_partition_verify(&copy));
    copy = *device_partition("ota_0");
    copy.type = ESP_PARTITION_TYPE_DATA;
    assert_null(esp_partition_verify(&copy));
}

/* ---- The table ---- */

static esp_err_t reload(const device_t *device)
{
    (void)device;
    esp_partition_unload_all();
    const esp_partition_t *partition = NULL;
    return esp_partition_find_first_err(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, NULL, &partition);
}

static void a_table_without_md5_is_refused(void **state)
{
    device_t *device = *state;
    assert_int_equal(ptable_build(&device->table, false, device->bytes + device->table_offset), PTABLE_OK);
    assert_err(reload(device), ESP_ERR_NOT_FOUND);
}

static void a_table_with_a_flipped_bit_is_refused(void **state)
{
    device_t *device = *state;
    device->bytes[device->table_offset + 12] ^= 1; /* In a label. */
    assert_err(reload(device), ESP_ERR_INVALID_STATE);
}

static void an_erased_table_finds_nothing(void **state)
{
    device_t *device = *state;
    memset(device->bytes + device->table_offset, 0xFF, PTABLE_BYTES);
    assert_err(reload(device), ESP_ERR_NOT_FOUND);
    assert_null(esp_ota_get_running_partition());
    assert_int_equal(esp_ota_get_app_partition_count(), 0);
}

static void table_verify_judges_a_table_in_memory(void **state)
{
    device_t *device = *state;
    esp_partition_info_t table[ESP_PARTITION_TABLE_MAX_ENTRIES];
    int count = 0;
    memcpy(table, device->bytes + device->table_offset, sizeof(table));
    assert_err(esp_partition_table_verify(table, false, &count), ESP_OK);
    assert_int_equal(count, device->table.count);
    table[0].pos.size = UINT32_MAX;
    assert_err(esp_partition_table_verify(table, false, &count), ESP_ERR_INVALID_SIZE);
    table[0].magic = 0x1234;
    assert_err(esp_partition_table_verify(table, false, &count), ESP_ERR_INVALID_STATE);
    assert_err(esp_partition_table_verify(NULL, false, &count), ESP_ERR_INVALID_ARG);
}

/* ---- Access ---- */

static void what_is_written_is_read_and_erased_again(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *storage = device_partition("storage");
    uint8_t out[5] = {0};
    assert_err(esp_partition_write(storage, 7, "hello", 5), ESP_OK);
    assert_memory_equal(device->bytes + storage->address + 7, "hello", 5);
    assert_err(esp_partition_read(storage, 7, out, 5), ESP_OK);
    assert_memory_equal(out, "hello", 5);
    assert_err(esp_partition_erase_range(storage, 0, storage->erase_size), ESP_OK);
    assert_err(esp_partition_read_raw(storage, 7, out, 5), ESP_OK);
    assert_memory_equal(out, "\xFF\xFF\xFF\xFF\xFF", 5);
}

static void ranges_outside_a_partition_are_refused_and_touch_nothing(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *p = device_partition("storage");
    uint8_t byte = 0;
    assert_err(esp_partition_read(p, p->size + 1, &byte, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_read(p, p->size, &byte, 0), ESP_OK);
    assert_err(esp_partition_read(p, p->size, &byte, 1), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_read(p, 1, &byte, SIZE_MAX), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_write(p, p->size + 1, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_write(p, p->size, &byte, 1), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_erase_range(p, p->size + 1, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_erase_range(p, p->erase_size, p->size), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_erase_range(p, 1, p->erase_size), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_erase_range(p, 1, 1), ESP_ERR_INVALID_SIZE);
    assert_int_equal(device->recorder.count, 0);
}

static void null_arguments_are_answered_with_an_error(void **state)
{
    (void)state;
    const esp_partition_t *p = device_partition("storage");
    uint8_t byte = 0;
    assert_err(esp_partition_read(NULL, 0, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_read(p, 0, NULL, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_write(NULL, 0, &byte, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_erase_range(NULL, 0, 0), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_get_sha256(NULL, &byte), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_get_sha256(p, NULL), ESP_ERR_INVALID_ARG);
}

static void a_read_only_partition_refuses_before_it_looks_at_the_range(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *locked = device_partition("locked");
    assert_err(esp_partition_write(locked, locked->size + 1, "x", 1), ESP_ERR_NOT_ALLOWED);
    assert_err(esp_partition_write_raw(locked, 0, "x", 1), ESP_ERR_NOT_ALLOWED);
    assert_err(esp_partition_erase_range(locked, locked->size + 1, 1), ESP_ERR_NOT_ALLOWED);
    assert_false(esp_partition_is_flash_region_writable(locked->address + 1, 1));
    assert_true(esp_partition_is_flash_region_writable(locked->address - 1, 1));
    assert_int_equal(device->recorder.count, 0);
}

static void the_unit_of_erase_is_the_flashs_sector(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *storage = device_partition("storage");
    assert_int_equal(storage->erase_size, 64 << 10);
    assert_int_equal(esp_partition_get_main_flash_sector_size(), 64 << 10);
    assert_err(esp_partition_erase_range(storage, 0, 4096), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_erase_range(storage, 4096, 64 << 10), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_erase_range(storage, 64 << 10, 64 << 10), ESP_OK);
    uint32_t at = 0;
    assert_event(device, &at, FLASH_ERASE, storage->address + (64 << 10), 64 << 10);
}

static void any_length_reaches_a_flash_that_programs_words(void **state)
{
    device_t *device = *state;
    device->recorder.base.program_bytes = 4;
    const esp_partition_t *storage = device_partition("storage");
    assert_err(esp_partition_write(storage, 3, "abcdefghij", 10), ESP_OK);
    assert_memory_equal(device->bytes + storage->address,
                        "\xFF\xFF\xFF"
                        "abcdefghij\xFF",
                        14);
    for (uint32_t i = 0; i < device->recorder.count; i++) {
        assert_int_equal(device->recorder.event[i].off % 4, 0);
        assert_int_equal(device->recorder.event[i].len % 4, 0);
    }
    assert_int_equal(device->recorder.count, 3);
}

/* ---- Mapping ---- */

static void a_mapping_shows_the_bytes_at_the_time_of_the_call(void **state)
{
    (void)state;
    const esp_partition_t *storage = device_partition("storage");
    const void *bytes = NULL;
    esp_partition_mmap_handle_t handle = 0;
    assert_err(esp_partition_write(storage, 4, "data", 4), ESP_OK);
    assert_err(esp_partition_mmap(storage, 0, storage->size, ESP_PARTITION_MMAP_BLOCKS_WRITE, &bytes, &handle), ESP_OK);
    assert_int_not_equal(handle, 0);
    assert_memory_equal((const uint8_t *)bytes + 4, "data", 4);
    assert_err(esp_partition_erase_range(storage, 0, storage->erase_size), ESP_OK);
    assert_memory_equal((const uint8_t *)bytes + 4, "data", 4);
    esp_partition_munmap(handle);
    esp_partition_munmap(handle); /* Unknown by now. */
}

static void mapping_errors_are_those_of_esp_idf(void **state)
{
    (void)state;
    const esp_partition_t *p = device_partition("storage");
    const void *bytes = NULL;
    esp_partition_mmap_handle_t handle = 0;
    assert_err(esp_partition_mmap(p, p->size + 1, 1, ESP_PARTITION_MMAP_DATA, &bytes, &handle), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_mmap(p, 1, p->size, ESP_PARTITION_MMAP_DATA, &bytes, &handle), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_mmap(p, 0, 4, ESP_PARTITION_MMAP_INST, &bytes, &handle), ESP_ERR_NOT_SUPPORTED);
    assert_err(esp_partition_mmap(p, 0, 4, ESP_PARTITION_MMAP_DATA, NULL, &handle), ESP_ERR_INVALID_ARG);
    assert_null(bytes);
}

/* ---- Digests ---- */

static void the_digest_of_an_app_is_its_images(void **state)
{
    device_t *device = *state;
    size_t len = device_put_app(device, "ota_0", "1.0");
    const esp_partition_t *ota_0 = device_partition("ota_0");
    uint8_t digest[32];
    /* Examples fill in only these three. */
    esp_partition_t partial = {.address = ota_0->address, .size = ota_0->size, .type = ESP_PARTITION_TYPE_APP};
    assert_err(esp_partition_get_sha256(&partial, digest), ESP_OK);
    assert_memory_equal(digest, device->bytes + ota_0->address + len - 32, 32);
    device->bytes[ota_0->address + 0x150] ^= 1;
    assert_err(esp_partition_get_sha256(ota_0, digest), ESP_ERR_IMAGE_INVALID);
    partial.size = 0;
    assert_err(esp_partition_get_sha256(&partial, digest), ESP_ERR_INVALID_ARG);
}

static void the_digest_of_data_covers_all_bytes(void **state)
{
    (void)state;
    const esp_partition_t *storage = device_partition("storage");
    esp_partition_t abc = {.address = storage->address, .size = 3, .type = ESP_PARTITION_TYPE_DATA};
    const uint8_t expected[32] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    uint8_t digest[32];
    assert_err(esp_partition_write(storage, 0, "abc", 3), ESP_OK);
    assert_err(esp_partition_get_sha256(&abc, digest), ESP_OK);
    assert_memory_equal(digest, expected, 32);
}

static void identity_compares_images_not_what_follows_them(void **state)
{
    device_t *device = *state;
    device_put_app(device, "ota_0", "1.0");
    device_put_app(device, "ota_1", "1.0");
    device_put_app(device, "factory", "0.9");
    const esp_partition_t *ota_1 = device_partition("ota_1");
    device->bytes[ota_1->address + ota_1->size - 1] = 0;
    assert_true(esp_partition_check_identity(device_partition("ota_0"), ota_1));
    assert_false(esp_partition_check_identity(device_partition("ota_0"), device_partition("factory")));
    assert_false(esp_partition_check_identity(device_partition("ota_0"), device_partition("test")));
}

static void a_partition_that_claims_to_leave_the_flash_is_refused(void **state)
{
    const device_t *device = *state;
    esp_partition_t beyond = {.address = device->config.flash->size_bytes - 16, .size = 32};
    uint8_t digest[32];
    beyond.type = ESP_PARTITION_TYPE_DATA;
    assert_err(esp_partition_get_sha256(&beyond, digest), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_read(&beyond, 8, digest, 24), ESP_ERR_INVALID_SIZE);
    beyond.address = UINT32_MAX - 8;
    assert_err(esp_partition_read(&beyond, 16, digest, 4), ESP_ERR_INVALID_SIZE);
}

/* ---- External partitions ---- */

static uint32_t free_room(const device_t *device)
{
    const ptable_partition_t *last = &device->table.partition[device->table.count - 1];
    return last->offset + last->size;
}

static esp_err_t add_external(size_t offset, size_t size, const esp_partition_t **out)
{
    return esp_partition_register_external(NULL, offset, size, "a label that is too long", ESP_PARTITION_TYPE_APP,
                                           ESP_PARTITION_SUBTYPE_APP_OTA_2, out);
}

static void an_external_partition_is_found_until_it_is_removed(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *external = NULL;
    assert_err(add_external(free_room(device), device->sector, &external), ESP_OK);
    assert_string_equal(external->label, "a label that is ");
    assert_false(external->readonly);
    assert_ptr_equal(esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_2, NULL), external);
    assert_err(esp_partition_write(external, 0, "x", 1), ESP_OK);
    assert_err(esp_partition_deregister_external(external), ESP_OK);
    assert_null(esp_partition_find_first(ESP_PARTITION_TYPE_APP, ESP_PARTITION_SUBTYPE_APP_OTA_2, NULL));
    assert_err(esp_partition_deregister_external(external), ESP_ERR_NOT_FOUND);
    assert_err(esp_partition_deregister_external(device_partition("nvs")), ESP_ERR_INVALID_ARG);
}

static void an_external_partition_is_no_boot_slot(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *external = NULL;
    assert_err(add_external(free_room(device), device->sector, &external), ESP_OK);
    assert_int_equal(esp_ota_get_app_partition_count(), 2);
    assert_err(esp_ota_set_boot_partition_skip_validate(external), ESP_ERR_INVALID_ARG);
    assert_string_equal(esp_ota_get_next_update_partition(device_partition("ota_1"))->label, "ota_0");
}

static void an_external_partition_may_not_overlap_or_leave_the_flash(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *external = (const esp_partition_t *)state;
    assert_err(add_external(device_partition("nvs")->address + 1, 1, &external), ESP_ERR_INVALID_ARG);
    assert_null(external);
    assert_err(add_external(free_room(device), SIZE_MAX, &external), ESP_ERR_INVALID_SIZE);
    assert_err(add_external(SIZE_MAX, 1, &external), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_register_external((esp_flash_t *)state, free_room(device), device->sector, "x",
                                               ESP_PARTITION_TYPE_DATA, ESP_PARTITION_SUBTYPE_DATA_UNDEFINED, NULL),
               ESP_ERR_NOT_SUPPORTED);
}

/* ---- Copying ---- */

static void a_copy_of_everything_erases_the_rest_of_the_destination(void **state)
{
    device_t *device = *state;
    device_put_app(device, "ota_0", "1.0");
    const esp_partition_t *from = device_partition("ota_0");
    const esp_partition_t *to = device_partition("ota_1");
    memset(device->bytes + to->address, 0, to->size);
    assert_err(esp_partition_copy(to, 0, from, 0, SIZE_MAX), ESP_OK);
    assert_memory_equal(device->bytes + to->address, device->bytes + from->address, from->size);
    assert_int_equal(device->recorder.event[device->recorder.count - 1].kind, FLASH_SYNC);
}

static void a_copy_of_a_part_erases_only_its_sectors(void **state)
{
    device_t *device = *state;
    device_put_app(device, "ota_0", "1.0");
    const esp_partition_t *from = device_partition("ota_0");
    const esp_partition_t *to = device_partition("ota_1");
    memset(device->bytes + to->address, 0, to->size);
    assert_err(esp_partition_copy(to, device->sector, from, 10, 100), ESP_OK);
    const uint8_t *dest = device->bytes + to->address;
    assert_int_equal(dest[device->sector - 1], 0);
    assert_memory_equal(dest + device->sector, device->bytes + from->address + 10, 100);
    assert_int_equal(dest[device->sector + 100], 0xFF);
    assert_int_equal(dest[2 * device->sector], 0);
}

static void a_copy_that_does_not_fit_touches_nothing(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *a = device_partition("ota_0");
    const esp_partition_t *b = device_partition("storage");
    assert_err(esp_partition_copy(NULL, 0, a, 0, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_copy(a, 0, NULL, 0, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_copy(a, 0, a, 0, 1), ESP_ERR_INVALID_ARG);
    assert_err(esp_partition_copy(b, b->size + 1, a, 0, 1), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_copy(b, 0, a, a->size + 1, 1), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_copy(b, 0, a, 0, SIZE_MAX), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_copy(b, 0, a, 0, SIZE_MAX - 1), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_copy(a, 0, b, 1, b->size), ESP_ERR_INVALID_SIZE);
    assert_err(esp_partition_copy(device_partition("locked"), 0, b, 0, 1), ESP_ERR_NOT_ALLOWED);
    assert_int_equal(device->recorder.count, 0);
}

static void the_table_and_the_running_app_are_not_safe_to_write(void **state)
{
    const device_t *device = *state;
    const esp_partition_t *factory = device_partition("factory");
    assert_false(esp_partition_main_flash_region_safe(device->table_offset + PTABLE_BYTES, 1));
    assert_true(esp_partition_main_flash_region_safe(device->table_offset + PTABLE_BYTES + 1, 1));
    assert_false(esp_partition_main_flash_region_safe(factory->address - 1, 2));
    assert_true(esp_partition_main_flash_region_safe(factory->address + factory->size, 1));
}

static void the_size_of_the_flash_is_known(void **state)
{
    const device_t *device = *state;
    uint32_t size = 0;
    assert_err(esp_flash_get_size(NULL, &size), ESP_OK);
    assert_int_equal(size, device->config.flash->size_bytes);
    assert_err(esp_flash_get_size(esp_flash_default_chip, &size), ESP_OK);
    assert_err(esp_flash_get_size(NULL, NULL), ESP_ERR_INVALID_ARG);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_search_visits_every_partition_in_the_order_of_the_table, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_search_by_type_subtype_and_label_finds_only_those, open_device, close_device),
    cmocka_unit_test_setup_teardown(search_errors_are_those_of_esp_idf, open_device, close_device),
    cmocka_unit_test_setup_teardown(null_instead_of_an_iterator_is_answered_with_null, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_search_survives_unloading_the_list, open_device, close_device),
    cmocka_unit_test_setup_teardown(verify_gives_back_the_lists_own_entry, open_device, close_device),
    cmocka_unit_test_setup_teardown(verify_refuses_what_is_not_listed, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_table_without_md5_is_refused, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_table_with_a_flipped_bit_is_refused, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_erased_table_finds_nothing, open_device, close_device),
    cmocka_unit_test_setup_teardown(table_verify_judges_a_table_in_memory, open_device, close_device),
    cmocka_unit_test_setup_teardown(what_is_written_is_read_and_erased_again, open_device, close_device),
    cmocka_unit_test_setup_teardown(ranges_outside_a_partition_are_refused_and_touch_nothing, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(null_arguments_are_answered_with_an_error, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_read_only_partition_refuses_before_it_looks_at_the_range, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(the_unit_of_erase_is_the_flashs_sector, open_sector_64k, close_device),
    cmocka_unit_test_setup_teardown(any_length_reaches_a_flash_that_programs_words, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_mapping_shows_the_bytes_at_the_time_of_the_call, open_device, close_device),
    cmocka_unit_test_setup_teardown(mapping_errors_are_those_of_esp_idf, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_digest_of_an_app_is_its_images, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_digest_of_data_covers_all_bytes, open_device, close_device),
    cmocka_unit_test_setup_teardown(identity_compares_images_not_what_follows_them, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_partition_that_claims_to_leave_the_flash_is_refused, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_external_partition_is_found_until_it_is_removed, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_external_partition_is_no_boot_slot, open_device, close_device),
    cmocka_unit_test_setup_teardown(an_external_partition_may_not_overlap_or_leave_the_flash, open_device,
                                    close_device),
    cmocka_unit_test_setup_teardown(a_copy_of_everything_erases_the_rest_of_the_destination, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_copy_of_a_part_erases_only_its_sectors, open_device, close_device),
    cmocka_unit_test_setup_teardown(a_copy_that_does_not_fit_touches_nothing, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_table_and_the_running_app_are_not_safe_to_write, open_device, close_device),
    cmocka_unit_test_setup_teardown(the_size_of_the_flash_is_known, open_device, close_device),
};

TEST_MAIN(tests)
