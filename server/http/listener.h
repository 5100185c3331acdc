/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file listener.h
 * @brief The socket a server listens on.
 */
#pragma once

#include <stdint.h>

/**
 * Listens on a numeric address.
 *
 * @param address    "ADDR:PORT", "[V6ADDR]:PORT" or ":PORT" for every IPv4 address; port 0 takes a free one
 * @param[out] port  the port taken
 * @param[out] why   what is wrong; set on failure, static text or that of errno
 * @return the socket, the caller's to close; -1 on failure
 */
int listener_open(const char *address, uint16_t *port, const char **why);
