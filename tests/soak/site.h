/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file site.h
 * @brief What stays the same from kill to kill: a folder, a CA, otterd with version 2, a device with version 1.
 *
 * Ends the soak where it cannot do what it says.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SITE_MAX_SLOTS 4

/** A partition of the flash. */
typedef struct site_region {
    uint64_t off; /**< Bytes from the start of the flash. */
    uint64_t len; /**< Its bytes. */
} site_region_t;

/** A site. */
typedef struct site {
    char folder[64];
    char flash[96]; /**< The device's flash. */
    char fresh[96]; /**< What it is before each kill. */
    pid_t server;   /**< otterd. */
    site_region_t otadata;
    site_region_t slot[SITE_MAX_SLOTS];
    uint32_t slot_count;
} site_t;

/** Makes a site; the firmware of the device will find otterd by its environment. */
void site_setup(site_t *site);

/** Ends otterd and removes the folder. Also when the soak is given up. */
void site_teardown(site_t *site);

/** Gives the device a flash that has version 1 in its first slot and has never been started. */
void site_renew_flash(const site_t *site);

/**
 * Looks at the flash of a device that is off.
 *
 * @return NULL if a valid and confirmed version 2 boots, or else what is wrong
 */
const char *site_judge_flash(const site_t *site);

/** True if no process has the flash open for writing: the lock of a device goes with its last process. */
bool site_flash_is_free(const site_t *site);
