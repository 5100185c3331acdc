/* SPDX-License-Identifier: Apache-2.0 */
/* Genuine images pass the walk. Needs the corpus: $OTTER_CORPUS. */
#include <stdlib.h>

#include "core/image/image.h"
#include "tests/support/test.h"

#define MAX_FILE_BYTES (4u << 20)

/* A file of the corpus; the program exits as skipped without it. */
static uint8_t *load(const char *name, size_t *len)
{
    const char *dir = getenv("OTTER_CORPUS");
    char path[1024];
    snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : OTTER_SOURCE_DIR "/../shared/corpus", name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        fprintf(stderr, "SKIPPED: %s is not there; set OTTER_CORPUS to the folder with genuine images\n", path);
        exit(TEST_SKIPPED);
    }
    uint8_t *bytes = malloc(MAX_FILE_BYTES);
    assert_non_null(bytes);
    *len = fread(bytes, 1, MAX_FILE_BYTES, file);
    assert_true(*len < MAX_FILE_BYTES);
    fclose(file);
    return bytes;
}

static void walk_file(image_walk_t *walk, const image_expect_t *expect, const char *name)
{
    size_t len;
    uint8_t *bytes = load(name, &len);
    assert_err(image_begin(walk, expect, NULL), ESP_OK);
    image_status_t status = image_feed(walk, bytes, len, NULL);
    image_finish(walk);
    image_free(walk);
    if (status != IMAGE_STATUS_DONE) {
        fail_msg("%s: %s at %u", name, image_fault_text(walk->fault), walk->fault_off);
    }
    assert_int_equal(walk->image_len, len);
    free(bytes);
}

static void genuine_apps_are_accepted(void **state)
{
    (void)state;
    static const struct {
        const char *file;
        uint16_t chip_id;
        const char *project;
    } apps[] = {
        {"hello-world-c3-app.bin", ESP_CHIP_ID_ESP32C3, "hello_world"},
        {"wled-c3-0.14.0.bin", ESP_CHIP_ID_ESP32C3, "arduino-lib-builder"},
        {"wled-c3-0.15.0-b7.bin", ESP_CHIP_ID_ESP32C3, "arduino-lib-builder"},
        {"wled-esp32-0.14.1.bin", ESP_CHIP_ID_ESP32, "esp32-arduino-lib-builder"},
        {"awtrix-esp32-1110264.bin", ESP_CHIP_ID_ESP32, "arduino-lib-builder"},
        {"wled-s3-0.14.0.bin", ESP_CHIP_ID_ESP32S3, "arduino-lib-builder"},
    };
    for (size_t i = 0; i < sizeof(apps) / sizeof(apps[0]); i++) {
        image_expect_t expect = {.kind = IMAGE_KIND_APP,
                                 .max_len = image_max_len(apps[i].chip_id),
                                 .chip_id = apps[i].chip_id,
                                 .chip_revision = 3};
        image_walk_t walk;
        walk_file(&walk, &expect, apps[i].file);
        assert_string_equal(walk.desc.project_name, apps[i].project);
    }
}

static void genuine_bootloaders_are_accepted_as_such(void **state)
{
    (void)state;
    static const char *const files[] = {"hello-world-c3-bootloader.bin", "wled-c3-bootloader.bin"};
    for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
        image_expect_t expect = {
            .kind = IMAGE_KIND_BOOTLOADER, .max_len = 0x8000, .chip_id = ESP_CHIP_ID_ESP32C3, .chip_revision = 3};
        image_walk_t walk;
        walk_file(&walk, &expect, files[i]);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(genuine_apps_are_accepted),
    cmocka_unit_test(genuine_bootloaders_are_accepted_as_such),
};

TEST_MAIN(tests)
