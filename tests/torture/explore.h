/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file explore.h
 * @brief Cuts the power everywhere: before, in and after each operation of a scenario, then of what recovers from that.
 */
#pragma once

#include "tests/torture/life.h"

#define PATH_CUTS 8 /**< Most cuts that one device suffers. */

/** A cut. */
typedef struct path_cut {
    uint32_t op; /**< Operation since power on, from 1. */
    otter_cut_t kind;
    uint32_t seed; /**< Of what chance leaves of the operation. */
} path_cut_t;

/** The cuts that a device suffers, one after the other. It repeats what happens exactly. */
typedef struct path {
    fault_t fault; /**< What is wrong with its flash besides. */
    uint32_t count;
    path_cut_t cut[PATH_CUTS];
} path_t;

/** What came of it. All zero to begin with. */
typedef struct tally {
    uint32_t ops;                   /**< Operations of the scenario without a cut. */
    uint64_t cuts[OTTER_CUT_KINDS]; /**< Cuts that hit, by kind. */
    uint64_t depth[PATH_CUTS];      /**< The same by how many the device had suffered before. */
    uint64_t recoveries;            /**< Devices that were left to recover. */
    uint64_t known;                 /**< Cuts that left a flash that had been seen already. */
    uint64_t kept;                  /**< Devices that first started the app they ran before. */
    uint64_t moved;                 /**< Devices that first started another one. */
    uint64_t missed;                /**< Cuts of a recovery that ended before its operation came. */
    uint64_t idf_same;              /**< Cuts after which ESP-IDF would boot the same slot, */
    uint64_t idf_interrupted;       /**< or, since a transition is under way, another. */
    uint32_t most_boots;            /**< Starts until the end, at most. */
    uint32_t most_erases;           /**< Erases of otadata until the end, at most. */
    uint64_t needed;                /**< Bytes of images, of devices that resume downloads, */
    uint64_t fetched;               /**< and bytes that they downloaded. */
    uint32_t most_permille;         /**< The same for one device: thousandths of the image, at most. */
    uint32_t most_twice;            /**< Bytes that one cut made a device download again, at most. */
    uint64_t dropped;               /**< Syncs left out on purpose. */
    uint64_t faults[FAULT_KINDS];   /**< Devices with a fault that showed, by kind. */
    uint64_t hidden;                /**< Devices with a fault that never showed. */
    uint64_t verdicts[VERDICTS];
} tally_t;

/** How far to go. */
typedef struct effort {
    uint32_t depth;       /**< 1, 2: every operation. */
    uint32_t random;      /**< Devices with three and more cuts at random. */
    uint32_t seed;        /**< Of these. */
    uint32_t slice;       /**< Only every so many-th cut. */
    const uint32_t *stop; /**< Becomes nonzero when it is enough; NULL: never. */
    uint32_t worker;      /**< Of so many ... */
    uint32_t workers;     /**< ... workers this one. */
} effort_t;

/** Called for each failure. */
typedef void (*explore_report_t)(void *arg, const life_t *life, const path_t *path);

/**
 * Tortures a scenario.
 *
 * @param life    opened
 * @param tally   added to as it goes
 * @return false if it does not even end without a cut
 */
bool explore(life_t *life, const effort_t *effort, tally_t *tally, explore_report_t report, void *arg);

/** Runs one device along a path; reports as explore() does. @return true if every promise was kept. */
bool explore_replay(life_t *life, const path_t *path, tally_t *tally, explore_report_t report, void *arg);
