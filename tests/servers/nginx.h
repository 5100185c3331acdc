/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file nginx.h
 * @brief nginx of a test's own, serving a site's www/.
 */
#pragma once

#include "tests/servers/site.h"

/**
 * Starts nginx. Its access.log has a line for each request: method, path, protocol, status, range=<>, if_range=<>,
 * tls=, client= (certificate), sent=, from=, connection=. A worker that is told to end has 50 ms to do so.
 *
 * @param listen        what follows "listen", with @PORT@ in it, e.g. "127.0.0.1:@PORT@ ssl http2"
 * @param http_lines    for the http block
 * @param server_lines  for the server block
 */
site_server_t *nginx_start(site_t *site, const char *listen, const char *http_lines, const char *server_lines);
