/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file relay.h
 * @brief A bad link: two network namespaces, a TUN device in each, and a relay that hands packets from one to the other.
 *
 * The relay loses, delays, slows down and holds back packets, and counts what it does. It needs no netem and no iproute2; it
 * needs root and /dev/net/tun. IPv4 only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/** Ends of the link. */
typedef enum relay_side {
    RELAY_SERVER,
    RELAY_DEVICE,
    RELAY_SIDES,
} relay_side_t;

#define RELAY_SERVER_ADDRESS "10.77.0.1" /**< Of the server's end. */
#define RELAY_DEVICE_ADDRESS "10.77.0.2" /**< Of the device's end. */

/** How bad the link is, in each direction. All zero: perfect. */
typedef struct relay_link {
    uint32_t loss_per_mille; /**< Packets lost, of 1000. */
    uint32_t delay_ms;       /**< From one end to the other. */
    uint32_t bytes_per_s;    /**< Rate; 0: no limit. */
    bool down;               /**< Nothing gets through. */
} relay_link_t;

/** What became of the packets, both directions together. */
typedef struct relay_counts {
    uint32_t passed;         /**< Handed on. */
    uint32_t lost;           /**< Lost by chance. */
    uint32_t blocked;        /**< Lost because the link was down. */
    uint32_t delayed;        /**< Handed on after at least the link's delay. */
    uint64_t least_delay_us; /**< Shortest time that one took; UINT64_MAX: none passed. */
    uint64_t device_bytes;   /**< Bytes of IP packets handed to the device. */
} relay_counts_t;

typedef struct relay relay_t;

/**
 * Makes the namespaces and begins to relay. The caller's own namespace does not change.
 *
 * @param why  gets a reason if it cannot be done here
 * @return to be closed; NULL: this machine does not allow it
 */
relay_t *relay_open(const char **why);

/** Ends relaying. Programs that were started must have ended. */
void relay_close(relay_t *relay);

/** Makes the link so from now on. Packets under way arrive as they would have, unless it is down when they are due. */
void relay_set_link(relay_t *relay, const relay_link_t *link);

/** What became of the packets so far. */
relay_counts_t relay_get_counts(relay_t *relay);

/**
 * Starts a program at one end.
 *
 * @param argv      its words, NULL at the end; argv[0] is a path
 * @param log_path  gets its output and errors
 * @return its process id; it is killed when the caller ends
 */
pid_t relay_spawn(relay_t *relay, relay_side_t side, const char *const argv[], const char *log_path);
