/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file resume_device.h
 * @brief A device whose power can be cut while it downloads: its flash lies in shared memory, each of its lives is a process.
 *
 * It counts what it fetches where an application would: in the events of its HTTP client. The process that calls these
 * functions must have no other threads. Nothing here fails: what cannot be done ends the program with a message.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "esp_err.h"
#include "otter/otter_power.h"

#define RESUME_IMAGE_BYTES  (256u * 1024u) /**< Bytes of the image that is downloaded. */
#define RESUME_SECTOR_BYTES 4096u
#define RESUME_BUFFER_BYTES 4096u /**< Transfer buffer of the update. */

/** How a life ended. */
typedef enum resume_end {
    RESUME_UPDATED, /**< The update is done; the next life runs the new app. */
    RESUME_RUNS,    /**< The new app runs. */
    RESUME_CUT,     /**< The power went. */
    RESUME_FAILED,  /**< The update failed, or something else than the two apps would run. */
} resume_end_t;

/** What the device and the world share. */
typedef struct resume_facts {
    otter_power_t power;               /**< May be set before a life. */
    esp_err_t error;                   /**< What the last update ended with. */
    size_t fetched;                    /**< Bytes of the file that the HTTP client brought, in all lives. */
    size_t twice;                      /**< Of these, bytes that it had brought before. */
    uint32_t requests;                 /**< Requests sent. */
    uint32_t resumed;                  /**< Lives whose first answer began behind the start of the file. */
    uint8_t times[RESUME_IMAGE_BYTES]; /**< How often each byte came, at most 255. */
} resume_facts_t;

typedef struct resume_device resume_device_t; /**< A device. */

/** Makes a device that runs app 1.0.0 from ota_0. To be given to resume_device_free(). */
resume_device_t *resume_device_new(void);

/** The image of app 2.0.0, RESUME_IMAGE_BYTES bytes; lasts as long as the device. */
const uint8_t *resume_device_image(const resume_device_t *device);

/** Its facts, in shared memory. */
resume_facts_t *resume_device_facts(resume_device_t *device);

/** As new: app 1.0.0, empty flash, no facts. */
void resume_device_renew(resume_device_t *device);

/** One life: boots; unless the new app runs, updates from @p url. Returns when it is over. */
resume_end_t resume_device_live(resume_device_t *device, const char *url, const char *ca_pem);

/** Releases a device. */
void resume_device_free(resume_device_t *device);
