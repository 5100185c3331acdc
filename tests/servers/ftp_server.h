/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file ftp_server.h
 * @brief An FTP server on 127.0.0.1 that has one file, /dir/fw.bin, and does what good ones do not.
 *
 * It runs in a thread of the test program, one control connection at a time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What it does; all zero: what it should. Replies are given without their line end. */
typedef struct ftp_script {
    const uint8_t *bytes; /**< The file; outlives the server. */
    size_t len;
    const char *greeting;        /**< Instead of 220. */
    const char *pass_reply;      /**< To PASS, instead of 230. */
    const char *size_reply;      /**< To SIZE, instead of 213 and the size. */
    const char *next_size_reply; /**< The same, from the second time on; NULL: as the first time. */
    const char *mdtm_reply;      /**< To MDTM, instead of 213 20200102030405. */
    const char *rest_reply;      /**< To REST, instead of 350. */
    const char *retr_reply;      /**< To RETR, instead of 150 and data. */
    bool dead_passive;           /**< Nobody listens where EPSV says. */
    const char *passive_host;    /**< EPSV is unknown, and PASV answers with this address, "10,0,0,1". */
    size_t cut_at;               /**< The data connection closes after so many bytes; 0: it does not. */
    size_t stall_at;             /**< Data waits after so many bytes, for stall_ms; 0: it does not. */
    unsigned stall_ms;
    const char *end_reply; /**< After the data, instead of 226; "": none ever. */
    bool silent_quit;      /**< QUIT is not answered, nor is the connection closed. */
} ftp_script_t;

typedef struct ftp_server ftp_server_t;

ftp_server_t *ftp_server_start(const ftp_script_t *script);           /**< Starts it. @p script is copied. */
uint16_t ftp_server_port(const ftp_server_t *server);                 /**< Where it listens. */
unsigned ftp_server_connections(ftp_server_t *server);                /**< Control connections so far. */
unsigned ftp_server_count(ftp_server_t *server, const char *command); /**< Commands so far that begin like this. */
void ftp_server_stop(ftp_server_t *server);                           /**< Ends it, and frees it. */
