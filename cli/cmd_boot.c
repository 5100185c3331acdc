/* SPDX-License-Identifier: Apache-2.0 */
/* otter boot */
#include <stdio.h>

#include "cli/cli.h"
#include "cli/flash_open.h"
#include "cli/power.h"
#include "core/bootsel/slots.h"

/* With --once the exit status says why the device was reset. */
#define EXIT_CRASHED  3
#define EXIT_WATCHDOG 4

static const int exit_statuses[] = {
    [POWER_OFF] = CLI_OK,       [POWER_NO_APP] = CLI_FAILED,    [POWER_ERROR] = CLI_FAILED,
    [POWER_RESTARTED] = CLI_OK, [POWER_CRASHED] = EXIT_CRASHED, [POWER_WATCHDOG] = EXIT_WATCHDOG,
};

static int take_config(const cli_args_t *args, otter_config_t *config)
{
    uint32_t watchdog_s = 0;
    otter_config_default(config);
    watchdog_s = config->watchdog_ms / 1000;
    int status = cli_size_option(args, "watchdog", &watchdog_s);
    if (status == CLI_OK) {
        status = cli_size_option(args, "table-offset", &config->partition_table_offset);
    }
    if (status == CLI_OK) {
        status = cli_size_option(args, "log-level", &config->log_level);
    }
    if (status == CLI_OK && watchdog_s > UINT32_MAX / 1000) {
        status = cli_misuse(args, "--watchdog %u is too long", (unsigned)watchdog_s);
    }
    config->watchdog_ms = watchdog_s * 1000;
    config->rollback = !cli_has(args, "no-rollback");
    config->allow_http = cli_has(args, "allow-http");
    config->allow_file = cli_has(args, "allow-file");
    return status;
}

static void explain_failures(const char *path, const boot_result_t *boot)
{
    if (boot->key_store_failed) {
        (void)cli_fail("%s: nothing boots: the key store cannot be read", path);
        return;
    }
    (void)cli_fail("%s: nothing boots%s%s", path, boot->table_fault != PTABLE_OK ? ": partition table: " : "",
                   boot->table_fault != PTABLE_OK ? ptable_fault_text(boot->table_fault) : "");
    for (uint32_t i = 0; i < boot->failure_count; i++) {
        const boot_failure_t *failure = &boot->failure[i];
        const ptable_partition_t *partition = bootsel_slot_partition(&boot->table, failure->slot);
        cli_note("  %s: %s", partition != NULL ? partition->label : "?",
                 failure->fault != IMAGE_OK ? image_fault_text(failure->fault) : "flash cannot be read or written");
    }
}

static int power_on(power_t *power, const char *path)
{
    power_stop_t stop = power_run(power);
    if (stop == POWER_NO_APP) {
        explain_failures(path, &power->boot);
    }
    return exit_statuses[stop];
}

static int run(const cli_args_t *args)
{
    static power_t power; /* Too large for a stack: it holds a partition table. */
    cli_flash_t flash = {.file = {.fd = -1}};
    int status = take_config(args, &power.config);
    if (status == CLI_OK) {
        status = cli_flash_open(&flash, args, CLI_FLASH_WAIT);
    }
    if (status == CLI_OK) {
        status = cli_flash_keys(&flash, args);
    }
    power.flash = &flash;
    power.once = cli_has(args, "once");
    if (status == CLI_OK) {
        status = power_on(&power, args->positional[0]);
    }
    power.flash = NULL;
    cli_flash_close(&flash);
    return status;
}

static const cli_option_t options[] = {
    {.name = "once", .help = "stop at the first reset; the exit status says why"},
    {.name = "watchdog", .value = "SECONDS", .help = "time a new app has to confirm itself, 0: no limit (default: 30)"},
    {.name = "no-rollback", .help = "apps need not confirm themselves"},
    {.name = "allow-http", .help = "let the firmware update over plain HTTP and FTP"},
    {.name = "allow-file", .help = "let the firmware update from file:// URLs: a stick, say"},
    {.name = "log-level", .value = "N", .help = "0 none, 1 error, 2 warning, 3 info, 4 debug, 5 verbose (default: 3)"},
    CLI_OPTION_KEY_STORE,
    CLI_OPTIONS_FLASH,
    CLI_OPTIONS_END,
};

const cli_command_t cmd_boot = {
    .group = "boot",
    .name = NULL,
    .summary = "run a device on a flash file: bootloader and power supply",
    .arguments = "FLASH",
    .min_args = 1,
    .max_args = 1,
    .options = options,
    .details = "The bootloader chooses and verifies an app, and its firmware runs as a process that cannot\n"
               "outlive this one. Its restart, crash, end or hang is a reset: the bootloader chooses again.\n"
               "Ctrl-C and SIGTERM switch the power off. While it runs, it holds the lock of FLASH; a second\n"
               "boot waits for it.\n"
               "\n"
               "With --once the exit status is 0 after a restart that the firmware asked for (or power off),\n"
               "1 if nothing boots, 3 after a crash, 4 after the watchdog.\n",
    .run = run,
};
