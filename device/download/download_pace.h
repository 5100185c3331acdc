/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file download_pace.h
 * @brief How fast a download is: at most, at least, and for people. Pure: the caller reads the clock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The pace of a download. All zero, but for shown_since_us: it has not begun. */
typedef struct download_pace {
    int64_t free_us;        /**< Time from which the next byte may be read. */
    int64_t watched_us;     /**< Waiting since the speed was judged last. */
    int64_t watched_bytes;  /**< Bytes since then. */
    int64_t shown_since_us; /**< Time at which the rate for people was worked out last. */
    int64_t shown_bytes;    /**< Bytes since then. */
    uint32_t shown_rate;    /**< That rate, bytes a second. */
} download_pace_t;

/**
 * How much may be read now.
 *
 * @param len               bytes wanted, at least 1
 * @param most_bytes_per_s  limit; 0: none
 * @return bytes, at most @p len; 0: not before pace.free_us
 */
size_t download_pace_room(const download_pace_t *pace, size_t len, uint32_t most_bytes_per_s, int64_t now_us);

/** Counts bytes that were read against the limit, and for people. @p began_us is when the read began. */
void download_pace_count(download_pace_t *pace, size_t bytes, uint32_t most_bytes_per_s, int64_t began_us,
                         int64_t now_us);

/**
 * Watches for a connection that is too slow. Only time spent waiting in reads counts: neither pauses of the application nor
 * those for the limit are the server's.
 *
 * @param bytes     that a read brought
 * @param spent_us  how long it waited
 * @param least_bytes_per_s  speed wanted; 0: any
 * @param over_ms   time over which it is measured
 * @return true if it was too slow over that time; the measurement starts anew each time
 */
bool download_pace_is_slow(download_pace_t *pace, size_t bytes, int64_t spent_us, uint32_t least_bytes_per_s,
                           uint32_t over_ms);

/** Forgets what was measured of a connection that is gone. */
void download_pace_renew(download_pace_t *pace);

/** Bytes a second of late. */
uint32_t download_pace_rate(const download_pace_t *pace, int64_t now_us);
