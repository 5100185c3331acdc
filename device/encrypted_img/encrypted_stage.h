/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file encrypted_stage.h
 * @brief Decryption of esp_encrypted_img files as a stage of an update.
 *
 * finish() answers ESP_OK only if the file was whole and its authentication tag right. resume() needs the file's header, and
 * goes on at any byte of the image: what lies in the partition is read once, so that the tag covers it too.
 */
#pragma once

#include "device/https_ota/https_ota_stage.h"
#include "esp_err.h"
#include "otter/otter_encrypted.h"

/** Bytes at the start of the file that are not of the image: what the file is longer by. */
#define ENCRYPTED_STAGE_HEAD_BYTES 512

/**
 * Opens the stage that esp_https_ota_config_t.decrypt_cb = otter_decrypt_image asks for.
 *
 * @param config  its decrypt_user_ctx; only read here
 * @param stage   gets it, to be closed; all zero on error
 * @return ESP_OK; ESP_ERR_INVALID_ARG: NULL, no key, or a key that cannot decrypt (logged why); ESP_ERR_NO_MEM
 */
esp_err_t encrypted_stage_open(const otter_decrypt_config_t *config, https_ota_stage_t *stage);
