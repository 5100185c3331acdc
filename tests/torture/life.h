/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file life.h
 * @brief A device from power on to power off: bootloader and apps run in a child process, which ends where the power goes.
 */
#pragma once

#include "boot/boot.h"
#include "tests/torture/records.h"

typedef struct life life_t;

/** What an app leaves. */
typedef enum next {
    NEXT_RESTART, /**< The device restarts. */
    NEXT_DONE,    /**< The scenario has reached its end. */
} next_t;

/** A story. */
typedef struct scenario {
    const char *name;
    const char *what; /**< One line for people. */
    uint32_t slots;
    bool has_factory;
    bool no_rollback;
    bool is_signed;   /**< Secure boot is on. */
    bool has_fuses;   /**< There is a key store. */
    bool has_faults;  /**< Not the power fails, but the flash. */
    bool resumes;     /**< The server gives ranges and entity tags, and images are of several sectors. */
    bool encrypted;   /**< It gives them encrypted. */
    bool same_tag;    /**< It gives each app the same tag, which it must not. */
    bool idf_differs; /**< The end is a state in which ESP-IDF chooses otherwise; docs/COMPATIBILITY.md says why. */
    /** Makes the device as it is at the beginning. */
    void (*make)(life_t *life);
    /** Before each start: what happens outside of the device. May be NULL. */
    void (*meanwhile)(life_t *life);
    /** The app that runs. */
    next_t (*app)(life_t *life);
} scenario_t;

#define LIFE_BUFFER_BYTES 1024 /**< Transfer buffer of the apps. */

/** A device. */
struct life {
    const scenario_t *scenario;
    const geometry_t *geometry;
    layout_t layout;
    catalogue_t *catalogue;
    world_t *world;
    bool loud; /**< Bootloader and device library log to stdout. */

    /* While it runs: */
    otter_flash_t *flash;
    otter_key_store_t *key_store;
    otter_config_t config;
    boot_result_t boot;
    int app;        /**< Catalogue number of what runs. */
    uint8_t record; /**< What its record said when it started: a RECORD_ bit. */
};

/** How a life ended. */
typedef enum life_end {
    LIFE_DONE,   /**< The scenario reached its end. */
    LIFE_CUT,    /**< The power went. */
    LIFE_FAILED, /**< The facts say what is wrong. */
} life_end_t;

/** Sets up a scenario's device, its world included. False if the user's partition table does not suit it. */
bool life_open(life_t *life, const scenario_t *scenario, const geometry_t *geometry);

/** Frees all. */
void life_close(life_t *life);

/**
 * Switches the power on and waits until the scenario is done or the power goes. What the child did is in the world.
 * The caller arms world->power before.
 */
life_end_t life_run(life_t *life);

/* ---- For apps: what they do, and what an observer expects of it. A failed expectation ends the life. ---- */

/** True if the flash has a fault: what a device then says and forgets is another matter; what it runs is not. */
bool life_is_faulty(const life_t *life);

/** Slot that runs; -1: factory. */
int life_running_slot(const life_t *life);

/** Downloads an app over HTTPS and switches to it. True if it was accepted. */
bool life_update(life_t *life, int app);

/** The same, given up half-way. */
void life_abort_update(life_t *life, int app);

/** Adds what the server has sent since the last time to the facts; at the end of a life, too. */
void life_count_fetched(life_t *life);

/** The running app confirms itself. False: it could not, on a flash with a fault. */
bool life_confirm(life_t *life);

/** The running app refuses itself: what follows is a restart. */
void life_refuse(life_t *life);

/** Chooses a slot that holds an app; -1: factory. */
void life_choose(life_t *life, int slot);

/** Erases the app that ran before, and forgets its record. */
void life_erase_other(life_t *life);

/** Revokes a key. */
void life_revoke(life_t *life, uint32_t key);

/** Damages the app in a slot, as cosmic rays would. Once: @p phase is where the story then stands. */
void life_damage(life_t *life, int slot, uint32_t phase);

/** What otadata says about a slot: a RECORD_ bit. */
uint8_t life_record(life_t *life, int slot);

/** Ends the life: a promise was broken. */
void life_fail(life_t *life, verdict_t verdict, const char *format, ...)
    __attribute__((noreturn, format(printf, 3, 4)));
