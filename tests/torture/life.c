/* SPDX-License-Identifier: Apache-2.0 */
/* The child process: power supply, bootloader, and what must hold whenever an app starts. */
#define _GNU_SOURCE
#include "tests/torture/life.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esp_log.h"
#include "otter/otter_device.h"
#include "otter/otter_key_store_cells.h"

#define EXIT_DONE   40
#define EXIT_CUT    41
#define EXIT_FAILED 42

#define MAX_BOOTS       24
#define RESUMED_SECTORS 4
#define LIFE_SECONDS    60 /* A device that hangs is one, too. */

/* ---- The flash of a life, and a guard over it: who writes where ---- */

typedef struct guard {
    otter_flash_t base;
    otter_flash_t *inner;
    life_t *life;
} guard_t;

static bool within(uint32_t off, size_t len, uint32_t start, uint32_t size)
{
    return off >= start && off - start <= size && len <= size - (off - start);
}

static void check_place(guard_t *guard, uint32_t off, size_t len)
{
    life_t *life = guard->life;
    int slot = life->world->facts.writable;
    bool in_otadata = within(off, len, life->layout.otadata_off, 2 * life->layout.sector_bytes);
    bool in_slot = slot >= 0 && within(off, len, life->layout.slot_off[slot], life->layout.slot_bytes);
    if (!in_otadata && !in_slot) {
        life_fail(life, VERDICT_OTHER, "%zu bytes at 0x%x were written, which nobody may touch now", len,
                  (unsigned)off);
    }
}

/* Operations as the power supply counts them: what an id names. */
static void trace(const guard_t *guard, const char *what, uint32_t off, size_t len)
{
    if (guard->life->loud) {
        printf("    %5u %-7s 0x%06x %zu\n", (unsigned)guard->life->world->power.ops + 1, what, (unsigned)off, len);
        (void)fflush(stdout);
    }
}

static guard_t *guard_of(otter_flash_t *flash)
{
    return (guard_t *)(void *)flash;
}

static esp_err_t guard_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    otter_flash_t *inner = guard_of(flash)->inner;
    return inner->ops->read(inner, off, dst, len);
}

static esp_err_t guard_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    otter_flash_t *inner = guard_of(flash)->inner;
    check_place(guard_of(flash), off, len);
    trace(guard_of(flash), "program", off, len);
    return inner->ops->program(inner, off, src, len);
}

static esp_err_t guard_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    otter_flash_t *inner = guard_of(flash)->inner;
    check_place(guard_of(flash), off, len);
    trace(guard_of(flash), "erase", off, len);
    return inner->ops->erase(inner, off, len);
}

static esp_err_t guard_sync(otter_flash_t *flash)
{
    otter_flash_t *inner = guard_of(flash)->inner;
    trace(guard_of(flash), "sync", 0, 0);
    return inner->ops->sync(inner);
}

static const otter_flash_ops_t guard_ops = {
    .read = guard_read, .program = guard_program, .erase = guard_erase, .sync = guard_sync};

/* One device a process. */
static struct {
    otter_flash_cells_t cells;
    otter_flash_pages_t pages;
    otter_key_store_cells_t fuses;
    guard_t guard;
    int log_fd; /* What the device logs, if somebody wants to know; else -1. */
} parts = {.log_fd = -1};

static void note_course(life_t *life)
{
    course_t *course = &life->world->course;
    course->faults += life->world->power.failed + parts.cells.worn + parts.cells.stuck;
    course->log_bytes += parts.log_fd >= 0 ? (uint32_t)lseek(parts.log_fd, 0, SEEK_CUR) : 0;
    life->world->course.ops = life->world->power.ops;
    life->world->course.violations = parts.cells.violations;
    life->world->course.dropped = parts.pages.dropped;
    life_count_fetched(life);
}

static void lose_power(void *arg)
{
    note_course(arg);
    _exit(EXIT_CUT);
}

static void choose_dropped_syncs(const life_t *life)
{
    const layout_t *layout = &life->layout;
    if (life->geometry->drop_otadata) {
        parts.pages.drop =
            (otter_flash_pages_drop_t){layout->otadata_off, layout->otadata_off + 2 * layout->sector_bytes};
    }
    if (life->geometry->drop_image) {
        parts.pages.drop = (otter_flash_pages_drop_t){layout->slot_off[0], layout->flash_bytes};
    }
}

static void install_fault(world_t *world)
{
    const fault_t *fault = &world->fault;
    if (fault->kind == FAULT_ERROR) {
        world->power.fail_at = fault->at;
        world->power.fails = fault->count;
    } else if (fault->kind == FAULT_WORN) {
        parts.cells.wear_limit = fault->count;
    } else if (fault->kind == FAULT_STUCK) {
        parts.cells.stuck_off = fault->at;
        parts.cells.stuck_bit = (uint8_t)(1u << fault->bit);
    }
}

static void flip_bit(world_t *world, uint32_t boots)
{
    if (world->fault.kind == FAULT_FLIP && world->fault.count == boots) {
        world->cells.bytes[world->fault.at] ^= (uint8_t)(1u << world->fault.bit);
        world->course.faults++;
    }
}

/* The device logs to memory. */
static void keep_log(life_t *life)
{
    if (life_is_faulty(life) && !life->loud) {
        parts.log_fd = memfd_create("log", MFD_CLOEXEC);
        must(parts.log_fd >= 0 && dup2(parts.log_fd, STDOUT_FILENO) >= 0, "memfd");
    }
}

static void power_on(life_t *life)
{
    world_t *world = life->world;
    otter_flash_t geometry = {.size_bytes = life->layout.flash_bytes,
                              .sector_bytes = life->layout.sector_bytes,
                              .program_bytes = life->geometry->program_bytes};
    world->power.off = lose_power;
    world->power.arg = life;
    otter_flash_t *inner;
    if (life->geometry->pages) {
        inner = otter_flash_pages_init(&parts.pages, &world->pages, &geometry, &world->power);
        choose_dropped_syncs(life);
    } else {
        inner = otter_flash_cells_init(&parts.cells, &world->cells, &geometry, &world->power);
    }
    install_fault(world);
    parts.guard = (guard_t){.base = *inner, .inner = inner, .life = life};
    parts.guard.base.ops = &guard_ops;
    life->flash = &parts.guard.base;
    life->key_store =
        life->scenario->has_fuses ? otter_key_store_cells_init(&parts.fuses, world->fuses, &world->power) : NULL;
}

void life_fail(life_t *life, verdict_t verdict, const char *format, ...)
{
    char text[WORLD_MESSAGE];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof(text), format, list);
    va_end(list);
    facts_fail(&life->world->facts, verdict, "%s", text);
    note_course(life);
    _exit(EXIT_FAILED);
}

/* ---- Boot ---- */

static void print_line(void *arg, boot_log_level_t level, const char *line)
{
    life_t *life = arg;
    life->world->course.log_bytes += level != BOOT_LOG_INFO ? (uint32_t)strlen(line) : 0;
    if (!life->loud) {
        return;
    }
    printf("    boot %c: %s\n", "EWI"[level], line);
}

/* What the bootloader itself may do to records. */
static void expect_boot(life_t *life)
{
    facts_t *facts = &life->world->facts;
    bool nothing_recorded = true;
    for (uint32_t slot = 0; slot < life->layout.slots; slot++) {
        bool damaged = (facts->damaged & 1u << slot) != 0;
        uint8_t now = facts->allowed[slot];
        facts->allowed[slot] |= (now & RECORD_NEW) != 0 ? RECORD_PENDING : 0;
        facts->allowed[slot] |= (now & RECORD_NEW) != 0 && damaged ? RECORD_INVALID : 0;
        /* After a cut it is not known whether the app had started. */
        facts->allowed[slot] |= (now & RECORD_PENDING) != 0 ? RECORD_ABORTED : 0;
        nothing_recorded = nothing_recorded && (now & RECORD_NONE) != 0;
    }
    if (nothing_recorded && life->layout.factory_off == 0) {
        records_may_all_become(life->world, &life->layout, -1, RECORD_VALID);
    }
}

static void check_failures(life_t *life)
{
    const boot_result_t *boot = &life->boot;
    for (uint32_t i = 0; i < boot->failure_count; i++) {
        const boot_failure_t *failure = &boot->failure[i];
        bool recorded = failure->reason == BOOTSEL_REASON_ACTIVE || failure->reason == BOOTSEL_REASON_OTHER;
        if (recorded && (life->world->facts.damaged & 1u << failure->slot) == 0) {
            life_fail(life, VERDICT_UNVERIFIED, "a record named ota_%d, which does not verify", failure->slot);
        }
    }
}

static void check_trust(life_t *life)
{
    const app_t *app = &life->catalogue->app[life->app];
    const trust_state_t *trust = &life->boot.trust;
    uint32_t revoked = 0;
    for (uint32_t i = 0; i < APPS_KEYS; i++) {
        revoked |= trust->key[i].revoked ? 1u << i : 0;
    }
    if (app->secure_version < trust->secure_version) {
        life_fail(life, VERDICT_UNVERIFIED, "version %s runs, which is older than the floor", app->version);
    }
    if (trust->secure_version > life->world->facts.floor) {
        life_fail(life, VERDICT_OTHER, "the floor is %u, which no confirmed app has", (unsigned)trust->secure_version);
    }
    if (trust->secure_boot && (app->signers & ~revoked) == 0) {
        life_fail(life, VERDICT_UNVERIFIED, "version %s runs, whose keys are revoked", app->version);
    }
}

/* An unconfirmed app starts once, and once more for each cut. */
static void check_starts(life_t *life)
{
    facts_t *facts = &life->world->facts;
    bool unconfirmed = life->record == RECORD_PENDING || life->record == RECORD_NEW;
    if (unconfirmed && ++facts->starts[life->app] > 1 + facts->cuts) {
        life_fail(life, VERDICT_OTHER, "version %s started %u times unconfirmed",
                  life->catalogue->app[life->app].version, (unsigned)facts->starts[life->app]);
    }
}

static void check_record(life_t *life)
{
    int slot = life_running_slot(life);
    life->record = slot >= 0 ? record_bit(&life->boot.input, slot) : RECORD_NONE;
    if (life->scenario->no_rollback || slot < 0) {
        return;
    }
    bool last_resort = life->boot.reason == BOOTSEL_REASON_LAST_RESORT;
    uint8_t may_run = RECORD_PENDING | RECORD_VALID | RECORD_UNDEFINED | (last_resort ? RECORD_ABORTED : 0) |
                      (life->boot.reason == BOOTSEL_REASON_REMAINING ? RECORD_NONE : 0);
    if ((life->record & may_run) == 0) {
        life_fail(life, VERDICT_LOST, "ota_%d runs with a record that says %s", slot, record_text(life->record));
    }
}

/* What was booted, by its hash. */
static void check_app(life_t *life)
{
    life->app = catalogue_find(life->catalogue, life->boot.hash);
    if (life->app == WORLD_NO_APP) {
        life_fail(life, VERDICT_UNVERIFIED, "%s runs, and holds no genuine app", life->boot.partition.label);
    }
}

static void note_start(life_t *life)
{
    world_t *world = life->world;
    if (world->course.boots++ == 0) {
        world->course.ops_to_start = world->power.ops;
        world->course.first_app = life->app;
    }
    world->course.last_app = life->app;
}

/* Whatever such a flash forgets: a new app that is not marked as started could not be rolled back. */
static void check_faulty_start(life_t *life)
{
    int slot = life_running_slot(life);
    if (slot >= 0 && life_record(life, slot) == RECORD_NEW) {
        life_fail(life, VERDICT_UNVERIFIED, "ota_%d runs as a new app", slot);
    }
    note_start(life);
}

static void check_start(life_t *life)
{
    world_t *world = life->world;
    bootsel_input_t seen;
    check_app(life);
    check_trust(life);
    if (life_is_faulty(life)) {
        check_faulty_start(life);
        return;
    }
    check_failures(life);
    if (!records_read(world, &life->layout, life->config.rollback, &seen) ||
        !records_pin(world, &life->layout, &seen)) {
        life_fail(life, VERDICT_LOST, "otadata cannot be read");
    }
    check_record(life);
    check_starts(life);
    note_start(life);
}

static void init_library(life_t *life)
{
    otter_device_t device = {.flash = life->flash,
                             .key_store = life->key_store,
                             .config = life->config,
                             .running_address = life->boot.partition.offset,
                             .app_desc = life->boot.desc};
    if (otter_device_init(&device) != ESP_OK) {
        life_fail(life, VERDICT_OTHER, "the device library does not start");
    }
}

/* False: the boot failed, and is tried again. */
static bool boot(life_t *life)
{
    boot_env_t env = {.flash = life->flash,
                      .key_store = life->key_store,
                      .config = &life->config,
                      .log = print_line,
                      .log_arg = life};
    expect_boot(life);
    life->world->facts.writable = -1;
    uint32_t failed = life->world->power.failed;
    esp_err_t err = boot_choose(&env, &life->boot);
    if (err == ESP_ERR_FLASH_OP_FAIL && life->world->power.failed > failed) {
        return false;
    }
    if (err != ESP_OK) {
        life_fail(life, VERDICT_BRICK, "nothing boots: %s", esp_err_to_name(err));
    }
    if (life->loud) {
        printf("    %s runs\n", life->boot.partition.label);
    }
    check_start(life);
    init_library(life);
    return true;
}

static void live(life_t *life)
{
    otter_config_default(&life->config);
    life->config.partition_table_offset = life->layout.table_off;
    life->config.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    life->config.rollback = !life->scenario->no_rollback;
    life->config.log_level = life->loud ? ESP_LOG_INFO : life_is_faulty(life) ? ESP_LOG_WARN : ESP_LOG_NONE;
    (void)alarm(LIFE_SECONDS);
    keep_log(life);
    power_on(life);
    next_t next = NEXT_RESTART;
    for (uint32_t boots = 0; next == NEXT_RESTART; boots++) {
        if (boots == MAX_BOOTS) {
            life_fail(life, VERDICT_BRICK, "the device does not become stable within %d boots", MAX_BOOTS);
        }
        if (life->scenario->meanwhile != NULL) {
            life->scenario->meanwhile(life);
        }
        flip_bit(life->world, boots);
        if (boot(life)) {
            next = life->scenario->app(life);
        }
    }
    note_course(life);
    _exit(EXIT_DONE);
}

/* ---- The parent's side ---- */

static life_end_t judge(life_t *life, int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_DONE) {
        return LIFE_DONE;
    }
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CUT && life->world->power.is_off) {
        life->world->facts.cuts++;
        return LIFE_CUT;
    }
    facts_fail(&life->world->facts, VERDICT_OTHER, "the device crashed or hung (wait status 0x%x)", (unsigned)status);
    return LIFE_FAILED;
}

life_end_t life_run(life_t *life)
{
    int status = 0;
    (void)fflush(stdout);
    pid_t child = fork();
    must(child >= 0, "fork");
    if (child == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        live(life);
    }
    must(waitpid(child, &status, 0) == child, "waitpid");
    return judge(life, status);
}

/* An image that is worth going on with. */
static uint32_t resumed_image_bytes(const geometry_t *geometry)
{
    uint32_t least = RESUMED_SECTORS * geometry->sector_bytes + geometry->sector_bytes / 3;
    return geometry->image_bytes > least ? geometry->image_bytes : least;
}

bool life_open(life_t *life, const scenario_t *scenario, const geometry_t *geometry)
{
    *life = (life_t){.scenario = scenario, .geometry = geometry, .app = WORLD_NO_APP};
    geometry_t own = *geometry;
    if (scenario->resumes) {
        own.image_bytes = resumed_image_bytes(geometry);
    }
    if (scenario->is_signed) {
        own.image_bytes =
            (own.image_bytes + SIGNATURE_SECTOR_BYTES - 1) / SIGNATURE_SECTOR_BYTES * SIGNATURE_SECTOR_BYTES;
        own.image_bytes += 2 * SIGNATURE_SECTOR_BYTES;
    }
    if (!layout_make(&life->layout, &own, scenario->slots, scenario->has_factory)) {
        return false;
    }
    life->catalogue = catalogue_new(own.image_bytes, scenario->is_signed);
    for (int app = 0; scenario->encrypted && app < APPS; app++) {
        app_encrypt(&life->catalogue->app[app]);
    }
    life->world = world_new(&life->layout);
    must(ptable_build(&life->layout.table, true, life->world->cells.bytes + life->layout.table_off) == PTABLE_OK,
         "the partition table cannot be written");
    scenario->make(life);
    bootsel_input_t input;
    must(records_read(life->world, &life->layout, !scenario->no_rollback, &input), "otadata cannot be read");
    for (int slot = 0; slot < (int)life->layout.slots; slot++) {
        life->world->facts.allowed[slot] = record_bit(&input, slot);
    }
    return true;
}

void life_close(life_t *life)
{
    world_free(life->world, &life->layout);
    catalogue_free(life->catalogue);
}
