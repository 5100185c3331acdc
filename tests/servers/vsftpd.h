/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file vsftpd.h
 * @brief vsftpd of a test's own, serving a site's www/ to anybody.
 */
#pragma once

#include "tests/servers/site.h"

/**
 * Starts vsftpd; skips the test if it does not run here. Its vsftpd.log has every command and reply.
 *
 * @param lines  of its configuration
 */
site_server_t *vsftpd_start(site_t *site, const char *lines);
