/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file resume_server.h
 * @brief The misbehaving server in a process of its own: who forks has no threads.
 */
#pragma once

#include "tests/support/bad_server.h"

#define RESUME_PATH "/fw.bin"

/** What a server did. */
typedef struct resume_served {
    unsigned faults;   /**< Faults that happened. */
    unsigned requests; /**< Requests. */
    size_t sent;       /**< Bytes of body handed to the network. */
} resume_served_t;

/** A server that runs. */
typedef struct resume_server {
    int child;
    int control; /**< Closing it ends the server. */
    int facts;   /**< Says the port, and in the end what it did. */
    char url[64];
} resume_server_t;

/** Starts a server. Ends the program with a message if it cannot. */
void resume_server_start(resume_server_t *server, const bad_server_config_t *config);

/** Ends it. @param served  filled */
void resume_server_stop(resume_server_t *server, resume_served_t *served);
