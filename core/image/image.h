/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file image.h
 * @brief The image walk: checks an app or bootloader image as its bytes arrive. Format: docs/FORMATS.md.
 *
 * One function, fed: download, verification, loading and inspection push bytes into it in pieces of
 * any size. It never needs the whole image, allocates nothing, and trusts nothing it has not checked.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/trust/signature.h"
#include "core/trust/trust.h"
#include "esp_app_format.h"
#include "esp_err.h"
#include "otter/otter_crypto.h"

#define IMAGE_HEADER_BYTES         24
#define IMAGE_SEGMENT_HEADER_BYTES 8
#define IMAGE_DESC_OFFSET          32  /**< Image offset of the app or bootloader descriptor. */
#define IMAGE_APP_DESC_BYTES       256 /**< Length of an app descriptor. */
#define IMAGE_MAX_SEGMENTS         ESP_IMAGE_MAX_SEGMENTS
#define IMAGE_SEGMENT_LIMIT        (16u << 20) /**< A segment is shorter than this, in bytes. */
#define IMAGE_LOAD_ADDR_MIN        0x10000000u /**< Segments below are not loaded. */

/** Largest image for a chip, in bytes: 16 MiB for Espressif's, 256 MiB for Otter's own. */
uint32_t image_max_len(uint16_t chip_id);

/** Name of a chip id ("esp32c3", "linux-x86_64", ...), or NULL. */
const char *image_chip_name(uint16_t chip_id);

/** Chip id of a name, or ESP_CHIP_ID_INVALID. */
uint16_t image_chip_by_name(const char *name);

/** What kind of image is expected. */
typedef enum image_kind {
    IMAGE_KIND_APP,        /**< Needs an app descriptor and an appended SHA-256. */
    IMAGE_KIND_BOOTLOADER, /**< Has no app descriptor; its SHA-256 is checked if it has one. */
} image_kind_t;

/** What is done with the signature sector behind an image. */
typedef enum image_signatures {
    IMAGE_SIGNATURES_IGNORE, /**< Nothing: the walk ends where the image does. */
    /**
     * Its blocks are checked and described, but whatever is there or missing is no fault. The walk says MORE after the image's
     * end until the whole sector was fed; the caller may say with image_finish() that there is no more.
     */
    IMAGE_SIGNATURES_SHOW,
    IMAGE_SIGNATURES_REQUIRE, /**< At least one block must be good. Needs image_expect.trust. */
} image_signatures_t;

/** What an image is checked against. */
typedef struct image_expect {
    image_kind_t kind;
    uint32_t max_len;            /**< Bytes that the image may take: the partition's size. */
    bool any_chip;               /**< Skip the checks of chip id and revisions: inspection. */
    uint16_t chip_id;            /**< This device's chip. */
    uint16_t chip_revision;      /**< Its revision, major * 100 + minor. */
    uint16_t efuse_blk_revision; /**< Its eFuse block revision, major * 100 + minor. */
    uint32_t min_secure_version; /**< Anti-rollback floor: an app below it is refused. */
    /**
     * Do not stop at a fault in the contents (wrong chip, address, descriptor, checksum, digest); note it in
     * image_walk.faults. The walk ends with IMAGE_STATUS_ERROR all the same; image_len is not 0 if the end was reached.
     */
    bool inspect;
    image_signatures_t signatures;
    /**
     * Keys whose signatures count; the caller's, must outlive the walk. No signature of another key is even computed. NULL (not
     * with IMAGE_SIGNATURES_REQUIRE): every key counts.
     */
    const trust_state_t *trust;
} image_expect_t;

/** What can be wrong with an image. */
typedef enum image_fault {
    IMAGE_OK,
    IMAGE_FAULT_TRUNCATED,     /**< The bytes end before the image does. */
    IMAGE_FAULT_MAGIC,         /**< First byte is not E9. */
    IMAGE_FAULT_SEGMENT_COUNT, /**< 0, or more than 16 segments. */
    IMAGE_FAULT_CHIP,          /**< Made for another chip. */
    IMAGE_FAULT_REVISION,      /**< Not for this revision of the chip, or of its eFuse block. */
    IMAGE_FAULT_SEGMENT_LEN,   /**< A segment's length is no multiple of 4 or too large, or the first is too short. */
    IMAGE_FAULT_ADDRESS, /**< A segment's load address wraps, or cannot be mapped from where the segment lies in flash. */
    IMAGE_FAULT_TOO_LARGE,         /**< It does not fit where it shall go. */
    IMAGE_FAULT_DESC,              /**< No app descriptor where it must be. */
    IMAGE_FAULT_SECURE_VERSION,    /**< Below the anti-rollback floor. */
    IMAGE_FAULT_CHECKSUM,          /**< Checksum byte does not match. */
    IMAGE_FAULT_NO_HASH,           /**< No appended SHA-256. */
    IMAGE_FAULT_HASH,              /**< Appended SHA-256 does not match. */
    IMAGE_FAULT_SINK,              /**< The sink refused data. */
    IMAGE_FAULT_CRYPTO,            /**< The crypto library failed. */
    IMAGE_FAULT_UNSIGNED,          /**< No signature block. */
    IMAGE_FAULT_SIGNATURE_FORMAT,  /**< Only signature blocks that make no sense. */
    IMAGE_FAULT_SIGNATURE_KEY,     /**< No signature of a trusted key. */
    IMAGE_FAULT_SIGNATURE_REVOKED, /**< Of no other trusted key than a revoked one. */
    IMAGE_FAULT_SIGNATURE,         /**< A trusted key's signature, but not of this image. */
} image_fault_t;

/** Text for a fault, lower case, no full stop. */
const char *image_fault_text(image_fault_t fault);

/** The esp_err_t that ESP-IDF's verifier answers: ESP_OK, ESP_FAIL for chip and revision, ESP_ERR_IMAGE_INVALID. */
esp_err_t image_fault_err(image_fault_t fault);

/** Receives segments as they are walked; both may be NULL. Nothing received may be used before the walk is done. */
typedef struct image_sink {
    /** A segment begins: its header and where its data lies in the image. */
    esp_err_t (*segment)(void *arg, uint32_t index, const esp_image_segment_header_t *header, uint32_t data_off);
    /** Some of its data, @p off bytes from the segment's start. */
    esp_err_t (*data)(void *arg, uint32_t index, uint32_t off, const uint8_t *bytes, size_t len);
    void *arg; /**< Handed to both. */
} image_sink_t;

/** Answer of image_feed(). */
typedef enum image_status {
    IMAGE_STATUS_MORE,  /**< Feed more. */
    IMAGE_STATUS_DONE,  /**< The image is whole, and as good as expected. */
    IMAGE_STATUS_ERROR, /**< It is not: see image_walk.fault. */
} image_status_t;

/** A segment as it was found. */
typedef struct image_segment {
    uint32_t load_addr;
    uint32_t data_len; /**< Bytes. */
    uint32_t data_off; /**< Image offset of the data. */
} image_segment_t;

/** Where the walk stands. */
typedef enum image_step {
    IMAGE_STEP_HEADER,
    IMAGE_STEP_SEGMENT_HEADER,
    IMAGE_STEP_SEGMENT_DATA,
    IMAGE_STEP_PADDING,
    IMAGE_STEP_HASH,
    IMAGE_STEP_SIGNED_PADDING, /**< Between image and signature sector. */
    IMAGE_STEP_SIGNATURE,      /**< A signature block. */
    IMAGE_STEP_SIGNATURE_REST, /**< Of the signature sector. */
    IMAGE_STEP_DONE,
    IMAGE_STEP_FAILED,
} image_step_t;

/** A walk. Storage belongs to the caller; fields are to be read, once they are known. */
typedef struct image_walk {
    /* Findings. */
    image_fault_t fault; /**< First fault. */
    uint32_t fault_off;  /**< Image offset of the field that is wrong; of the end of the bytes if they are too few. */
    uint32_t faults;     /**< Bit (1 << image_fault_t) for each fault seen. */
    uint32_t fed;        /**< Bytes consumed so far. */
    bool header_known;   /**< header is filled. */
    esp_image_header_t header; /**< Valid if header_known. */
    uint32_t segment_count;    /**< Segments found so far. */
    image_segment_t segment[IMAGE_MAX_SEGMENTS];
    bool desc_known;                         /**< desc is filled and has its magic. */
    esp_app_desc_t desc;                     /**< App descriptor; only for IMAGE_KIND_APP. */
    uint8_t checksum_stored;                 /**< Valid from IMAGE_STEP_HASH on. */
    uint8_t checksum;                        /**< As computed so far. */
    uint8_t hash_stored[OTTER_SHA256_BYTES]; /**< Valid when done, if header.hash_appended. */
    uint8_t hash[OTTER_SHA256_BYTES];        /**< SHA-256 of header through checksum; valid when done. */
    uint32_t image_len;                      /**< Bytes, checksum and hash included; not 0 if its end was reached. */
    signature_digests_t digests;             /**< Of image and padding; valid from IMAGE_STEP_SIGNATURE on. */
    signature_t signature[SIGNATURE_BLOCKS]; /**< What was found in the signature sector, if all of it was fed. */
    uint32_t signature_count;                /**< How many of these are not SIGNATURE_ABSENT. */
    uint32_t signed_len; /**< Bytes, padding and signature sector included; 0 if no block of it makes sense. */

    /* Private to core/image. */
    image_expect_t expect;
    image_sink_t sink;
    image_step_t step;
    uint32_t step_left;                    /**< Bytes that the present step still needs. */
    uint32_t checksum_lanes;               /**< XOR of data words. */
    uint32_t gathered;                     /**< Bytes in gather. */
    uint32_t blocks_checked;               /**< Of the signature sector. */
    uint8_t gather[SIGNATURE_BLOCK_BYTES]; /**< A header, padding, digest or block that arrives in pieces. */
    otter_hash_t sha;
    otter_hash_t sha384; /**< Begun only if a signature may need it. */
} image_walk_t;

/**
 * Begins a walk.
 *
 * @param walk    initialised here; must be freed with image_free() whatever happens
 * @param expect  copied
 * @param sink    copied; NULL: none
 * @return ESP_OK; ESP_ERR_NO_MEM; ESP_ERR_INVALID_ARG if expect->max_len exceeds image_max_len() of expect->chip_id and not
 *         any_chip, or if signatures are required and nothing says which keys count. After an error the walk is a failed one.
 */
esp_err_t image_begin(image_walk_t *walk, const image_expect_t *expect, const image_sink_t *sink);

/**
 * Feeds bytes.
 *
 * @param walk   a begun walk
 * @param bytes  the next bytes of the image
 * @param len    how many, any number
 * @param used   gets how many belonged to the image (and its signature sector, if that is looked at); less than @p len only
 *               when done or on error; may be NULL
 * @return MORE, DONE (again when fed after the end, with 0 used) or ERROR (again ever after)
 */
image_status_t image_feed(image_walk_t *walk, const uint8_t *bytes, size_t len, size_t *used);

/**
 * Says that no more bytes will come. A walk that is not done has the fault IMAGE_FAULT_TRUNCATED, or IMAGE_FAULT_UNSIGNED if
 * the image is whole and not one byte of a signature sector came.
 *
 * @return image_walk.fault
 */
image_fault_t image_finish(image_walk_t *walk);

/** Frees what the walk holds (its digests); findings stay readable. Allowed on an all-zero walk. */
void image_free(image_walk_t *walk);
