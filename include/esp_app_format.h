/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file esp_app_format.h
 * @brief Header and segment header of an application image, as they lie on flash (little-endian).
 *
 * Source of the format: ESP-IDF's app image format; docs/FORMATS.md gives it to the byte.
 */
#pragma once

#include <stdint.h>

#include "esp_app_desc.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Chip that an image is made for. Espressif's numbers, and those of Otter's own targets. */
typedef enum {
    ESP_CHIP_ID_ESP32 = 0x0000,
    ESP_CHIP_ID_ESP32S2 = 0x0002,
    ESP_CHIP_ID_ESP32C3 = 0x0005,
    ESP_CHIP_ID_ESP32S3 = 0x0009,
    ESP_CHIP_ID_ESP32C2 = 0x000C,
    ESP_CHIP_ID_ESP32C6 = 0x000D,
    ESP_CHIP_ID_ESP32H2 = 0x0010,
    ESP_CHIP_ID_ESP32P4 = 0x0012,
    ESP_CHIP_ID_ESP32C61 = 0x0014,
    ESP_CHIP_ID_ESP32C5 = 0x0017,
    ESP_CHIP_ID_ESP32H21 = 0x0019,
    ESP_CHIP_ID_ESP32H4 = 0x001C,
    ESP_CHIP_ID_ESP32S31 = 0x0020,
    OTTER_CHIP_ID_LINUX_X86_64 = 0x0AE0,  /**< Linux process, x86-64. */
    OTTER_CHIP_ID_LINUX_ARM64 = 0x0AE1,   /**< Linux process, arm64. */
    OTTER_CHIP_ID_LINUX_RISCV64 = 0x0AE2, /**< Linux process, riscv64. */
    OTTER_CHIP_ID_LINUX_ARM = 0x0AE3,     /**< Linux process, 32-bit arm. */
    OTTER_CHIP_ID_QEMU_RISCV32 = 0x0AF0,  /**< Bare-metal rv32imac on QEMU's virt board. */
    ESP_CHIP_ID_INVALID = 0xFFFF
} __attribute__((packed)) esp_chip_id_t;

#ifdef __cplusplus
static_assert(sizeof(esp_chip_id_t) == 2, "esp_chip_id_t is a 16-bit field of the image header");
#else
_Static_assert(sizeof(esp_chip_id_t) == 2, "esp_chip_id_t is a 16-bit field of the image header");
#endif

/** Flash read mode in the image header (how an Espressif ROM talks to its SPI flash). */
typedef enum {
    ESP_IMAGE_SPI_MODE_QIO,
    ESP_IMAGE_SPI_MODE_QOUT,
    ESP_IMAGE_SPI_MODE_DIO,
    ESP_IMAGE_SPI_MODE_DOUT,
    ESP_IMAGE_SPI_MODE_FAST_READ,
    ESP_IMAGE_SPI_MODE_SLOW_READ
} esp_image_spi_mode_t;

/** Flash clock divider in the image header. */
typedef enum {
    ESP_IMAGE_SPI_SPEED_DIV_2,
    ESP_IMAGE_SPI_SPEED_DIV_3,
    ESP_IMAGE_SPI_SPEED_DIV_4,
    ESP_IMAGE_SPI_SPEED_DIV_1 = 0xF
} esp_image_spi_freq_t;

/** Flash size in the image header. */
typedef enum {
    ESP_IMAGE_FLASH_SIZE_1MB = 0,
    ESP_IMAGE_FLASH_SIZE_2MB,
    ESP_IMAGE_FLASH_SIZE_4MB,
    ESP_IMAGE_FLASH_SIZE_8MB,
    ESP_IMAGE_FLASH_SIZE_16MB,
    ESP_IMAGE_FLASH_SIZE_32MB,
    ESP_IMAGE_FLASH_SIZE_64MB,
    ESP_IMAGE_FLASH_SIZE_128MB,
    ESP_IMAGE_FLASH_SIZE_MAX
} esp_image_flash_size_t;

#define ESP_IMAGE_HEADER_MAGIC 0xE9 /**< First byte of an image. */
#define ESP_IMAGE_MAX_SEGMENTS 16   /**< More segments than this make an image invalid. */

/** Image header, 24 bytes. */
typedef struct {
    uint8_t magic;              /**< ESP_IMAGE_HEADER_MAGIC. */
    uint8_t segment_count;      /**< 1 to ESP_IMAGE_MAX_SEGMENTS. */
    uint8_t spi_mode;           /**< esp_image_spi_mode_t. */
    uint8_t spi_speed : 4;      /**< esp_image_spi_freq_t. */
    uint8_t spi_size : 4;       /**< esp_image_flash_size_t. */
    uint32_t entry_addr;        /**< Address where execution starts. */
    uint8_t wp_pin;             /**< Flash WP pin; 0xEE: disabled. */
    uint8_t spi_pin_drv[3];     /**< Flash pin drive settings. */
    esp_chip_id_t chip_id;      /**< Chip that the image is made for. */
    uint8_t min_chip_rev;       /**< Lowest chip revision, legacy encoding; not checked. */
    uint16_t min_chip_rev_full; /**< Lowest chip revision, major * 100 + minor. */
    uint16_t max_chip_rev_full; /**< Highest chip revision; 0 and 65535: no limit. */
    uint8_t reserved[4];        /**< 0. */
    uint8_t hash_appended;      /**< 1: a SHA-256 follows the checksum. */
} __attribute__((packed)) esp_image_header_t;

/** Segment header, 8 bytes, before each segment's data. */
typedef struct {
    uint32_t load_addr; /**< Where the data belongs; below 0x10000000: not loaded. */
    uint32_t data_len;  /**< Bytes of data, a multiple of 4. */
} esp_image_segment_header_t;

#ifdef __cplusplus
static_assert(sizeof(esp_image_header_t) == 24, "image header is 24 bytes on flash");
}
#else
_Static_assert(sizeof(esp_image_header_t) == 24, "image header is 24 bytes on flash");
#endif
