/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file apps.h
 * @brief The apps that tortured devices run, and the keys that sign some of them.
 */
#pragma once

#include "core/image/image.h"
#include "core/trust/signature.h"
#include "tests/torture/world.h"

#define APPS_KEYS           2  /**< Keys. */
#define APPS_HMAC_KEY_BYTES 32 /**< Length of @ref apps_hmac_key. */

/** The catalogue. */
enum {
    APP_FACTORY, /**< Secure version 1. */
    APP_A,       /**< What a device runs to begin with. 1. */
    APP_B,       /**< Its update. 3; signed by key 1 only. */
    APP_C,       /**< The update of that. 3. */
    APP_OLD,     /**< Older than any floor: 0. */
    APP_BAD,     /**< Damaged. */
    APPS,
};

/** An app. */
typedef struct app {
    const char *version;
    uint32_t secure_version;
    uint32_t signers; /**< Keys (bit n) that sign it where a scenario has signed apps. */
    uint8_t *bytes;   /**< The image. */
    size_t len;
    uint8_t *file; /**< What a server has of it: encrypted; NULL: the image as it is. */
    size_t file_len;
    uint8_t hash[OTTER_SHA256_BYTES];
} app_t;

/** The apps of a scenario. */
typedef struct catalogue {
    app_t app[APPS];
    bool is_signed;
    uint8_t key_digest[APPS_KEYS][OTTER_SHA256_BYTES];
} catalogue_t;

/** The device's key, from which the one comes that files are encrypted for. */
extern const uint8_t apps_hmac_key[APPS_HMAC_KEY_BYTES];

/** Makes the apps, each about @p image_bytes long; ends the program if it cannot. */
catalogue_t *catalogue_new(uint32_t image_bytes, bool is_signed);

/** Makes the app's file, encrypted; ends the program if it cannot. */
void app_encrypt(app_t *app);

/** Frees them. */
void catalogue_free(catalogue_t *catalogue);

/** Damages an image so that its checksum is still right: only the hash says so. */
void catalogue_damage(uint8_t *bytes);

/** The app whose hash this is, or WORLD_NO_APP. */
int catalogue_find(const catalogue_t *catalogue, const uint8_t hash[OTTER_SHA256_BYTES]);

/** The app that lies whole and stable at an offset of the flash, or WORLD_NO_APP. */
int catalogue_find_on_flash(const catalogue_t *catalogue, const world_t *world, uint32_t off);

/** Puts an app onto the flash, as a programmer in the factory would. */
void catalogue_put(const catalogue_t *catalogue, world_t *world, uint32_t off, int app);
