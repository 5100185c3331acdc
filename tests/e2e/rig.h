/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file rig.h
 * @brief A whole device and its server for end-to-end tests: real programs, real TLS, real files.
 *
 * Everything fails the test by itself when it cannot do what it says.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include <jansson.h>

#include "tests/support/certs.h"

/** A rig: a temporary folder, a CA, perhaps a server, perhaps a device under power. */
typedef struct rig {
    char folder[64];
    char flash[96];
    certs_ca_t *ca;
    pid_t server;
    int port;
    pid_t boot;
    int log_fd;       /**< What the device says. */
    char *log;        /**< All of it so far, terminated. */
    size_t log_len;   /**< Bytes of it. */
    size_t log_taken; /**< Bytes that rig_await() has passed. */
} rig_t;

/** Makes a rig. */
void rig_setup(rig_t *rig);

/** Ends its processes and removes its folder; fails if a process of it is left. */
void rig_teardown(rig_t *rig);

/** A firmware of tests/e2e/CMakeLists.txt: "v1", "v2", "crash", ..., or a path. Value: path of its image. */
const char *rig_firmware(const char *name);

/** Makes the flash: 4 MiB, two slots, this firmware in the first. */
void rig_flash(rig_t *rig, const char *firmware);

/** Starts otterd on a free port with a certificate of the rig's CA, and lets it serve this firmware. */
void rig_serve(rig_t *rig, const char *firmware);

/** Another firmware takes the place of the one served, as by rename. */
void rig_publish(rig_t *rig, const char *firmware);

/** Stops the server. */
void rig_stop_serving(rig_t *rig);

/** Powers the device on: otter boot with these options ("" or "--once --watchdog 1"), and the update URL if a server runs. */
void rig_power_on(rig_t *rig, const char *options);

/** Waits until the device says this, after what was awaited before. */
void rig_await(rig_t *rig, const char *text);

/** Number behind the text that was awaited last: "pid 4711". */
long rig_number(const rig_t *rig);

/** SIGTERM, and the exit status of otter boot. */
int rig_power_off(rig_t *rig);

/** Waits until otter boot ends by itself; its exit status. */
int rig_await_end(rig_t *rig);

/** True if the device has said this since power on. */
bool rig_said(const rig_t *rig, const char *text);

/** Runs otter with these arguments; what it prints (both streams) goes to @p output. @return its exit status */
int rig_otter(char *output, size_t size, const char *const arguments[]);

/** What `otter flash info --json` says; to be released with json_decref(). */
json_t *rig_facts(const rig_t *rig);

/** Fails unless this slot boots next, with this version in it. */
void rig_assert_boots(const rig_t *rig, const char *label, const char *version);

/** Fails unless an otadata record has this state. */
void rig_assert_record(const rig_t *rig, const char *state);
