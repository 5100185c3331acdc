/* SPDX-License-Identifier: Apache-2.0 */
#include "core/image/image_chip.h"

#include <stddef.h>
#include <string.h>

#include "core/image/image.h"

#define MIB(n)            ((uint32_t)(n) << 20)
#define MAX_LEN_ESPRESSIF MIB(16)
#define MAX_LEN_OTTER     MIB(256)

#define OTTER_CHIP(chip_id, chip_name)                                                                                 \
    {                                                                                                                  \
        .id = (chip_id), .name = (chip_name), .max_len = MAX_LEN_OTTER                                                 \
    }

/* Address ranges are those of the chips' reference manuals; a chip without any is not checked for alignment. */
static const image_chip_t chips[] = {
    {ESP_CHIP_ID_ESP32, "esp32", MAX_LEN_ESPRESSIF, false, false, {{0x400D0000, 0x40400000}, {0x3F400000, 0x3F800000}}},
    {ESP_CHIP_ID_ESP32S2,
     "esp32s2",
     MAX_LEN_ESPRESSIF,
     true,
     false,
     {{0x40080000, 0x40B80000}, {0x3F000000, 0x3F3F0000}}},
    {ESP_CHIP_ID_ESP32C3,
     "esp32c3",
     MAX_LEN_ESPRESSIF,
     true,
     false,
     {{0x42000000, 0x42800000}, {0x3C000000, 0x3C800000}}},
    {ESP_CHIP_ID_ESP32S3,
     "esp32s3",
     MAX_LEN_ESPRESSIF,
     true,
     false,
     {{0x42000000, 0x44000000}, {0x3C000000, 0x3E000000}}},
    {ESP_CHIP_ID_ESP32C2,
     "esp32c2",
     MAX_LEN_ESPRESSIF,
     true,
     true,
     {{0x42000000, 0x42400000}, {0x3C000000, 0x3C400000}}},
    {ESP_CHIP_ID_ESP32C6, "esp32c6", MAX_LEN_ESPRESSIF, true, true, {{0x42000000, 0x43000000}, {0, 0}}},
    {ESP_CHIP_ID_ESP32H2, "esp32h2", MAX_LEN_ESPRESSIF, true, true, {{0x42000000, 0x43000000}, {0, 0}}},
    {ESP_CHIP_ID_ESP32P4, "esp32p4", MAX_LEN_ESPRESSIF, true, true, {{0x40000000, 0x4C000000}, {0, 0}}},
    {ESP_CHIP_ID_ESP32C61, "esp32c61", MAX_LEN_ESPRESSIF, true, true, {{0x42000000, 0x44000000}, {0, 0}}},
    {ESP_CHIP_ID_ESP32C5, "esp32c5", MAX_LEN_ESPRESSIF, true, true, {{0x42000000, 0x44000000}, {0, 0}}},
    {ESP_CHIP_ID_ESP32H21, "esp32h21", MAX_LEN_ESPRESSIF, true, true, {{0x42000000, 0x43000000}, {0, 0}}},
    {ESP_CHIP_ID_ESP32H4, "esp32h4", MAX_LEN_ESPRESSIF, true, true, {{0x42000000, 0x44000000}, {0, 0}}},
    {ESP_CHIP_ID_ESP32S31, "esp32s31", MAX_LEN_ESPRESSIF, true, true, {{0, 0}, {0, 0}}},
    OTTER_CHIP(OTTER_CHIP_ID_LINUX_X86_64, "linux-x86_64"),
    OTTER_CHIP(OTTER_CHIP_ID_LINUX_ARM64, "linux-arm64"),
    OTTER_CHIP(OTTER_CHIP_ID_LINUX_RISCV64, "linux-riscv64"),
    OTTER_CHIP(OTTER_CHIP_ID_LINUX_ARM, "linux-arm"),
    OTTER_CHIP(OTTER_CHIP_ID_QEMU_RISCV32, "qemu-riscv32"),
};

#define CHIP_COUNT (sizeof(chips) / sizeof(chips[0]))

const image_chip_t *image_find_chip(uint16_t chip_id)
{
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        if (chips[i].id == chip_id) {
            return &chips[i];
        }
    }
    return NULL;
}

bool image_chip_maps(const image_chip_t *chip, uint32_t addr)
{
    if (chip == NULL) {
        return false;
    }
    for (size_t i = 0; i < IMAGE_MAPPED_RANGES; i++) {
        if (addr >= chip->mapped[i].start && addr < chip->mapped[i].end) {
            return true;
        }
    }
    return false;
}

uint32_t image_max_len(uint16_t chip_id)
{
    const image_chip_t *chip = image_find_chip(chip_id);
    return chip != NULL ? chip->max_len : MAX_LEN_ESPRESSIF;
}

const char *image_chip_name(uint16_t chip_id)
{
    const image_chip_t *chip = image_find_chip(chip_id);
    return chip != NULL ? chip->name : NULL;
}

uint16_t image_chip_by_name(const char *name)
{
    for (size_t i = 0; i < CHIP_COUNT; i++) {
        if (strcmp(chips[i].name, name) == 0) {
            return chips[i].id;
        }
    }
    return ESP_CHIP_ID_INVALID;
}
