/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file world.h
 * @brief What outlives a power cut: flash, key store, and what an observer knows. In memory that processes share.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/ptable/ptable.h"
#include "otter/otter_flash.h"
#include "otter/otter_flash_cells.h"
#include "otter/otter_flash_pages.h"
#include "otter/otter_key_store.h"
#include "otter/otter_power.h"

#define WORLD_SLOTS   3 /**< Most OTA slots that a scenario uses. */
#define WORLD_APPS    8 /**< Most apps in the catalogue. */
#define WORLD_NO_APP  (-1)
#define WORLD_MESSAGE 160

/** The flash under torture. */
typedef struct geometry {
    uint32_t sector_bytes;
    uint32_t program_bytes;
    uint32_t image_bytes;  /**< About so long is each app. */
    bool pages;            /**< A flash file behind a page cache; else NOR cells. */
    bool drop_otadata;     /**< Page cache: syncs of otadata do nothing. */
    bool drop_image;       /**< Page cache: syncs of slots do nothing. */
    const ptable_t *table; /**< The user's partition table; NULL: one that fits the scenario. */
    uint32_t table_off;    /**< Where it lies. */
} geometry_t;

/** Where things lie. */
typedef struct layout {
    ptable_t table;
    uint32_t flash_bytes;
    uint32_t sector_bytes;
    uint32_t table_off;
    uint32_t otadata_off;
    uint32_t factory_off; /**< 0: no factory app. */
    uint32_t slots;
    uint32_t slot_off[WORLD_SLOTS];
    uint32_t slot_bytes;
} layout_t;

/** Lays out a flash with these partitions. False if the user's table lacks one of them, or an app does not fit. */
bool layout_make(layout_t *layout, const geometry_t *geometry, uint32_t slots, bool factory);

/** What went wrong. */
typedef enum verdict {
    VERDICT_GOOD,
    VERDICT_BRICK,      /**< Nothing boots, or the device never becomes stable. */
    VERDICT_LOST,       /**< A record says what it must not, or forgot. */
    VERDICT_UNVERIFIED, /**< Something ran that must not, or a record names a slot that is not whole. */
    VERDICT_OTHER,      /**< Another promise was broken. */
    VERDICTS,
} verdict_t;

/** What an observer knows who never loses power. */
typedef struct facts {
    uint32_t cuts;                  /**< Power cuts so far. */
    uint32_t phase;                 /**< The scenario's own: what has happened outside the device. */
    uint32_t damaged;               /**< Slots (bit n) whose image the scenario itself has damaged. */
    uint8_t allowed[WORLD_SLOTS];   /**< States that the record of each slot may have now: RECORD_... bits. */
    int confirmed_slot;             /**< Slot of the app that was confirmed last; -1: none, or factory. */
    int confirmed_app;              /**< Which app that is. */
    int writable;                   /**< Slot that may be written now; -1: none. */
    uint32_t starts[WORLD_APPS];    /**< Unconfirmed starts of each app since it was installed last. */
    uint32_t attempts[WORLD_SLOTS]; /**< Updates of each slot begun. */
    uint32_t extra_changes;         /**< Changes of records beyond an update's: they may erase, too. */
    uint32_t floor;                 /**< Highest secure version that was confirmed or provisioned. */
    int downloading;                /**< Where downloads are resumed: the app that is, or WORLD_NO_APP. */
    int downloaded;                 /**< The app that was last, and accepted; or WORLD_NO_APP. */
    uint32_t downloads;             /**< Begun at the image's start; going on after a cut is no new one. */
    uint32_t needed_bytes;          /**< Bytes of all of them, once each. */
    uint32_t needed_sectors;        /**< The same in sectors. */
    uint32_t fetched_bytes;         /**< Bytes that the server sent. */
    uint32_t reached;               /**< Offset in the image that the last of them were up to. */
    uint32_t most_twice;            /**< Bytes that one cut made the server send again, at most. */
    bool erased_all;                /**< Erased slots as a whole: not one erase a sector. */
    verdict_t verdict;
    char message[WORLD_MESSAGE];
} facts_t;

/** What can be wrong with a flash whose power never goes. */
typedef enum fault_kind {
    FAULT_NONE,
    FAULT_ERROR, /**< Operations report an error: from number @ref fault.at on, @ref fault.count of them. */
    FAULT_WORN,  /**< Sectors cannot be erased more than @ref fault.count times. */
    FAULT_STUCK, /**< A bit of byte @ref fault.at is stuck at 1. */
    FAULT_FLIP,  /**< A bit of byte @ref fault.at flips before boot number @ref fault.count, from 0. */
    FAULT_KINDS,
} fault_kind_t;

/** A fault. */
typedef struct fault {
    fault_kind_t kind;
    uint32_t at;
    uint32_t count;
    uint32_t bit; /**< 0 to 7. */
} fault_t;

#define FAULT_FOR_EVER 1000000u /**< fault.count: the errors do not end. */

/** What a process reports besides. */
typedef struct course {
    uint32_t ops;          /**< Operations since power on. */
    uint32_t ops_to_start; /**< Of these, before the first app started. */
    uint32_t boots;        /**< Apps started. */
    int first_app;         /**< The first one; WORLD_NO_APP: none. */
    uint32_t violations;   /**< Rules of NOR broken. */
    uint32_t faults;       /**< Times that the fault showed. */
    uint32_t log_bytes;    /**< Of errors and warnings that the device logged; counted while there is a fault. */
    int last_app;          /**< The last app that started. */
    uint32_t dropped;      /**< Syncs left out. */
} course_t;

/** The world. Lies in shared memory; the arrays follow it there. */
typedef struct world {
    size_t state_bytes; /**< Of the arrays: what is kept over a cut. */
    size_t flash_bytes;
    uint32_t sectors;
    otter_flash_cells_memory_t cells;
    otter_flash_pages_memory_t pages;
    otter_power_t power;
    fault_t fault; /**< What is wrong with this flash. */
    course_t course;
    facts_t facts;
    uint8_t fuses[OTTER_KEY_STORE_BYTES];
    uint64_t arrays[]; /**< bytes, unstable, erases, scars; then what only counts while the power is on. */
} world_t;

/** A copy of what outlives a cut. */
typedef struct snapshot {
    facts_t facts;
    uint8_t fuses[OTTER_KEY_STORE_BYTES];
    uint8_t *state; /**< The world's arrays. */
} snapshot_t;

/** Makes an erased world in shared memory for this layout; ends the program if it cannot. */
world_t *world_new(const layout_t *layout);

/** Frees it. */
void world_free(world_t *world, const layout_t *layout);

/** Makes a place for a copy. */
snapshot_t *snapshot_new(const world_t *world);

/** Frees it; NULL is left alone. */
void snapshot_free(snapshot_t *snapshot);

/** Copies the world. */
void snapshot_take(snapshot_t *snapshot, const world_t *world);

/** Makes the world what it was; the power is on, nothing is armed, chance begins with @p seed. */
void snapshot_restore(const snapshot_t *snapshot, world_t *world, uint32_t seed);

/** Hash of what the future depends on: two worlds with the same one behave alike. */
uint64_t world_hash(const world_t *world);

/** Ends the program with status 2 and errno, unless @p ok. For the harness's own troubles, not the device's. */
void must(bool ok, const char *what);
