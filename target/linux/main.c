/* SPDX-License-Identifier: Apache-2.0 */
/* A firmware on Linux: takes the handover, wires the device, calls app_main(). */
#define _XOPEN_SOURCE 700
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "otter/otter_device.h"
#include "otter/otter_flash_file.h"
#include "otter/otter_flash_nor.h"
#include "otter/otter_handover.h"
#include "otter/otter_key_store_file.h"
#include "otter/otter_os.h"
#include "otter/otter_process.h"

#define EXIT_NO_HANDOVER      2
#define MAIN_TASK_STACK_BYTES 65536

void app_main(void);

/* The wiring lives as long as the device does. */
static otter_flash_file_t flash_file;
static otter_flash_nor_t flash_nor;
static otter_key_store_file_t key_store;

static void refuse(const char *why)
{
    (void)fprintf(stderr, "%s\nThis is an Otter firmware; the bootloader starts it: otter boot FLASH\n", why);
    exit(EXIT_NO_HANDOVER);
}

static otter_handover_t read_handover(void)
{
    otter_handover_t handover = {.magic = 0};
    const char *variable = getenv(OTTER_HANDOVER_VARIABLE);
    if (variable == NULL) {
        refuse("No bootloader has started this program.");
    }
    int fd = (int)strtol(variable, NULL, 10);
    ssize_t got = pread(fd, &handover, sizeof(handover), 0);
    if (got < 0 || !otter_handover_ok(&handover, (size_t)got)) {
        refuse("The bootloader that started this program is of another version.");
    }
    (void)close(fd);
    (void)unsetenv(OTTER_HANDOVER_VARIABLE);
    return handover;
}

static void wire_device(const otter_handover_t *handover)
{
    if (otter_flash_file_adopt(&flash_file, handover->flash_handle, handover->sector_bytes) != ESP_OK) {
        refuse("The bootloader has handed over no usable flash.");
    }
    bool has_key_store = handover->key_store_handle >= 0;
    if (has_key_store && otter_key_store_file_adopt(&key_store, handover->key_store_handle) != ESP_OK) {
        refuse("The bootloader has handed over no usable key store.");
    }
    otter_device_t device = {
        .flash = otter_flash_nor_init(&flash_nor, &flash_file.base),
        .key_store = has_key_store ? &key_store.base : NULL,
        .config = handover->config,
        .running_address = handover->running_address,
        .reset_reason = handover->reset_reason,
    };
    _Static_assert(sizeof(device.app_desc) == sizeof(handover->app_desc), "the handover holds a whole descriptor");
    memcpy(&device.app_desc, handover->app_desc, sizeof(device.app_desc));
    if (otter_device_init(&device) != ESP_OK) {
        refuse("The device cannot be wired.");
    }
}

static void run_app_main(void *arg)
{
    (void)arg;
    app_main();
}

int main(void)
{
    otter_handover_t handover = read_handover();
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    wire_device(&handover);
    if (otter_task_start(run_app_main, NULL, "main", MAIN_TASK_STACK_BYTES, NULL) != ESP_OK) {
        return EXIT_FAILURE;
    }
    /* app_main() returning ends one task, not the device. */
    for (;;) {
        (void)pause();
    }
}
