/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file otter_power.h
 * @brief The power supply of simulated memories: it counts their operations and fails at the one that it is told.
 *
 * Flash and key store of a simulated device share one. An operation is the program of one call, the erase of one sector, a
 * sync, or a burn. Nothing here allocates; a supply in shared memory outlives the process whose power it cut.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What the operation at which the power goes leaves behind. */
typedef enum otter_cut {
    OTTER_CUT_BEFORE, /**< Nothing of it. */
    OTTER_CUT_PREFIX, /**< It is done up to some byte, and not begun behind it. */
    OTTER_CUT_BITS,   /**< Any of its bits are done; the others that should change read differently each time. */
    OTTER_CUT_WORD,   /**< One aligned word of it is done (of an erase: 256 bytes), nothing else. */
    OTTER_CUT_WEAK,   /**< All bits that should change read as before or as after, together, each time anew. */
    OTTER_CUT_AFTER,  /**< All of it. */
    OTTER_CUT_LOST,   /**< Page cache: it and everything since the last sync is lost. */
    OTTER_CUT_NEWEST, /**< Page cache: it is kept, everything else since the last sync is lost. */
    OTTER_CUT_OLDER,  /**< Page cache: the pages that it changed are as at the last sync, all others are kept. */
    OTTER_CUT_ANY,    /**< Page cache: each page is as at the last sync or after any operation since. */
    OTTER_CUT_KINDS,
} otter_cut_t;

/** Text for a kind of cut: one word, lower case. */
const char *otter_cut_text(otter_cut_t cut);

/** A power supply. All zero but @ref random: the power never goes. */
typedef struct otter_power {
    uint32_t ops;    /**< Operations so far, the failing one included. */
    uint32_t cut_at; /**< The power goes at this operation, counted from 1; 0: never. */
    otter_cut_t cut; /**< What is left of that operation. */
    /** What chance leaves of that operation: the sequence goes on from here; 0: as it stands. */
    uint32_t cut_random;
    uint32_t fail_at; /**< From this operation on, counted from 1, operations report an error; 0: none does. */
    uint32_t fails;   /**< So many of them do. */
    uint32_t failed;  /**< Operations that did. */
    uint32_t random;  /**< State of the sequence that chance is drawn from; not 0. */
    bool is_off;      /**< The power went. */
    /** Called when the power goes, after the memory is as the cut left it. Must not return. */
    void (*off)(void *arg);
    void *arg; /**< Handed to it. */
} otter_power_t;

/** What becomes of an operation. */
typedef enum otter_power_verdict {
    OTTER_POWER_DO,   /**< It is done. */
    OTTER_POWER_FAIL, /**< It reports an error and is half done: as for OTTER_CUT_PREFIX. */
    OTTER_POWER_CUT,  /**< The memory does the part that otter_power.cut says, then calls otter_power_off(). */
} otter_power_verdict_t;

/** For memories: counts an operation and says what becomes of it. */
otter_power_verdict_t otter_power_begin(otter_power_t *power);

/** For memories: the power goes. Does not return. */
void otter_power_off(otter_power_t *power) __attribute__((noreturn));

/** The next number of the supply's sequence. */
uint32_t otter_power_draw(otter_power_t *power);

#ifdef __cplusplus
}
#endif
