/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/power.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cli/cli.h"
#include "esp_system.h"
#include "otter/otter_os.h"

/* A firmware that ran this long did not come to grief at its start. */
#define SHORT_RUN_US 10000000

/* Resets in a row that are not delayed: an update restarts once or twice for good reason. */
#define FREE_RESETS 2

#define BACKOFF_FIRST_MS 50
#define BACKOFF_MOST_MS  1000

static void print_line(void *arg, boot_log_level_t level, const char *line)
{
    (void)arg;
    static const char letters[] = {'E', 'W', 'I'};
    printf("%c boot: %s\n", letters[level], line);
    (void)fflush(stdout);
}

static esp_err_t loader_reset(void *arg)
{
    power_t *power = arg;
    return otter_process_collect(&power->process);
}

/* Segment 0 is the descriptor. The others carry the ELF file, each at its load address. */
static esp_err_t loader_segment(void *arg, uint32_t index, const esp_image_segment_header_t *header, uint32_t data_off)
{
    power_t *power = arg;
    (void)data_off;
    if (index > 0 && header->load_addr < IMAGE_LOAD_ADDR_MIN) {
        return ESP_ERR_INVALID_ARG;
    }
    power->segment_off = header->load_addr - IMAGE_LOAD_ADDR_MIN;
    return ESP_OK;
}

static esp_err_t loader_data(void *arg, uint32_t index, uint32_t off, const uint8_t *bytes, size_t len)
{
    power_t *power = arg;
    if (index == 0) {
        return ESP_OK;
    }
    return otter_process_write(&power->process, (uint64_t)power->segment_off + off, bytes, len);
}

static esp_err_t choose(power_t *power)
{
    boot_loader_t loader = {.reset = loader_reset, .segment = loader_segment, .data = loader_data, .arg = power};
    boot_env_t env = {.flash = power->flash->flash,
                      .key_store = power->flash->key_store.store,
                      .config = &power->config,
                      .loader = &loader,
                      .log = print_line};
    return boot_choose(&env, &power->boot);
}

static esp_err_t start(power_t *power)
{
    otter_handover_t handover = {
        .magic = OTTER_HANDOVER_MAGIC,
        .version = OTTER_HANDOVER_VERSION,
        .size = sizeof(handover),
        .running_address = power->boot.partition.offset,
        .reset_reason = power->reset_reason,
        .sector_bytes = power->flash->flash->sector_bytes,
        .flash_handle = power->flash->file.fd,
        .key_store_handle = power->flash->key_store.file.fd,
        .config = power->config,
    };
    memcpy(handover.app_desc, &power->boot.desc, sizeof(handover.app_desc));
    return otter_process_start(&power->process, &handover, power->boot.partition.label);
}

/* What otadata says now: the firmware shares the flash, and confirms itself there. */
static bool is_unconfirmed(power_t *power)
{
    bootsel_input_t input;
    uint32_t otadata_offset;
    uint32_t state;
    if (boot_read_input(power->flash->flash, &power->boot.table, power->config.rollback, &input, &otadata_offset) !=
        ESP_OK) {
        return false;
    }
    return bootsel_state(&input, power->boot.slot, &state) && state == ESP_OTA_IMG_PENDING_VERIFY;
}

/* Waits for the end of the firmware, of its time to confirm, or of the power. */
static otter_process_end_t attend(power_t *power, bool *watchdog_bit, int *detail)
{
    bool watched = power->config.rollback && power->config.watchdog_ms > 0 && is_unconfirmed(power);
    int64_t deadline_us = watched ? otter_now_us() + (int64_t)power->config.watchdog_ms * 1000 : OTTER_FOREVER;
    *watchdog_bit = false;
    for (;;) {
        otter_process_end_t end = otter_process_wait(&power->process, deadline_us, power->signal_fd, detail);
        if (end != OTTER_PROCESS_RUNNING || deadline_us == OTTER_FOREVER || otter_now_us() < deadline_us) {
            return end;
        }
        if (is_unconfirmed(power)) {
            *watchdog_bit = true;
            return end;
        }
        deadline_us = OTTER_FOREVER;
    }
}

/* One line for people, the reset reason for the next start, and what --once answers. */
static power_stop_t judge(power_t *power, otter_process_end_t end, bool watchdog_bit, int detail)
{
    if (watchdog_bit) {
        printf("W boot: watchdog: %s did not confirm within %u ms\n", power->boot.partition.label,
               (unsigned)power->config.watchdog_ms);
        power->reset_reason = ESP_RST_WDT;
        return POWER_WATCHDOG;
    }
    switch (end) {
    case OTTER_PROCESS_RESTARTED:
        power->reset_reason = ESP_RST_SW;
        return POWER_RESTARTED;
    case OTTER_PROCESS_EXITED:
        printf("E boot: the firmware exited with status %d\n", detail);
        break;
    case OTTER_PROCESS_KILLED:
        printf("E boot: the firmware was ended by signal %d (%s)\n", detail, strsignal(detail));
        break;
    case OTTER_PROCESS_RUNNING:
        return POWER_OFF;
    }
    power->reset_reason = ESP_RST_PANIC;
    return POWER_CRASHED;
}

static power_stop_t cycle(power_t *power)
{
    if (choose(power) != ESP_OK) {
        return POWER_NO_APP;
    }
    int64_t started_us = otter_now_us();
    if (start(power) != ESP_OK) {
        (void)cli_fail("cannot run the firmware in %s: %s", power->boot.partition.label, strerror(errno));
        return POWER_ERROR;
    }
    bool watchdog_bit;
    int detail = 0;
    otter_process_end_t end = attend(power, &watchdog_bit, &detail);
    otter_process_close(&power->process);
    power->short_runs = otter_now_us() - started_us < SHORT_RUN_US ? power->short_runs + 1 : 0;
    power_stop_t stop = judge(power, end, watchdog_bit, detail);
    (void)fflush(stdout);
    return stop;
}

static int backoff_ms(uint32_t short_runs)
{
    int delay_ms = 0;
    for (uint32_t i = FREE_RESETS; i < short_runs && delay_ms < BACKOFF_MOST_MS; i++) {
        delay_ms = delay_ms == 0 ? BACKOFF_FIRST_MS : delay_ms * 2;
    }
    return delay_ms < BACKOFF_MOST_MS ? delay_ms : BACKOFF_MOST_MS;
}

/* A device in a reset loop must not take a whole core. False if the power goes off meanwhile. */
static bool back_off(const power_t *power)
{
    struct pollfd wake = {.fd = power->signal_fd, .events = POLLIN};
    return poll(&wake, 1, backoff_ms(power->short_runs)) <= 0;
}

static bool is_reset(power_stop_t stop)
{
    return stop == POWER_RESTARTED || stop == POWER_CRASHED || stop == POWER_WATCHDOG;
}

static power_stop_t supply(power_t *power)
{
    for (;;) {
        power_stop_t stop = cycle(power);
        if (!is_reset(stop) || power->once) {
            return stop;
        }
        if (!back_off(power)) {
            return POWER_OFF;
        }
    }
}

/* Takes the signals that switched the power off, or they would end this process once they are let through again. */
static void close_signals(power_t *power)
{
    struct signalfd_siginfo taken;
    while (power->signal_fd >= 0 && read(power->signal_fd, &taken, sizeof(taken)) > 0) {
    }
    if (power->signal_fd >= 0) {
        (void)close(power->signal_fd);
    }
}

power_stop_t power_run(power_t *power)
{
    sigset_t signals;
    sigset_t before;
    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &signals, &before);
    power->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    power->reset_reason = ESP_RST_POWERON;
    power->short_runs = 0;
    otter_process_init(&power->process);

    power_stop_t stop = power->signal_fd >= 0 ? supply(power) : POWER_ERROR;

    otter_process_close(&power->process);
    close_signals(power);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    return stop;
}
