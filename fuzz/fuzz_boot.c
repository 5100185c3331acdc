/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bootloader's whole decision on a flash from a stranger. It ends; writes nothing outside otadata, but for a partition
 * table whose replacement was cut; what it chooses exists and verifies; what it does not choose has a reason; the floor
 * rises only to what runs, confirmed; and a device that booted once boots again.
 *
 * Input: flags (1: no rollback, 2: no log, 4: a key store, which trusts the keys 0 and 1; 8: with secure boot on; 16: and
 * key 1 revoked; the rest: its floor), then changes of the flash (stranger.h).
 */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "boot/boot.h"
#include "core/bootsel/slots.h"
#include "core/ptable/ptable_spare.h"
#include "core/trust/policy.h"
#include "fuzz/sign.h"
#include "fuzz/stranger.h"
#include "otter/otter_key_store_ram.h"

#define CHIP      OTTER_CHIP_ID_LINUX_X86_64
#define FLOOR_OFF 4 /* Of its four bytes in the key store. */

enum { NO_ROLLBACK = 1, QUIET = 2, HAS_STORE = 4, SECURE_BOOT = 8, REVOKED = 16 };

/* The device under test. */
typedef struct rig {
    otter_config_t config;
    bool quiet;
    stranger_t stranger;
    bool has_store;
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    otter_key_store_ram_t store;
} rig_t;

/* Decorator: notes what is written, and where. */
typedef struct watch {
    otter_flash_t base;
    otter_flash_t *inner;
    uint32_t first_off; /* Of what was written. */
    uint32_t end_off;
    uint32_t writes;
} watch_t;

static void note(watch_t *watch, uint32_t off, size_t len)
{
    watch->first_off = off < watch->first_off ? off : watch->first_off;
    watch->end_off = off + len > watch->end_off ? (uint32_t)(off + len) : watch->end_off;
    watch->writes++;
}

static esp_err_t watch_read(otter_flash_t *flash, uint32_t off, void *dst, size_t len)
{
    return otter_flash_read(((watch_t *)flash)->inner, off, dst, len);
}

static esp_err_t watch_program(otter_flash_t *flash, uint32_t off, const void *src, size_t len)
{
    note((watch_t *)flash, off, len);
    return otter_flash_program(((watch_t *)flash)->inner, off, src, len);
}

static esp_err_t watch_erase(otter_flash_t *flash, uint32_t off, size_t len)
{
    note((watch_t *)flash, off, len);
    return otter_flash_erase(((watch_t *)flash)->inner, off, len);
}

static esp_err_t watch_sync(otter_flash_t *flash)
{
    return otter_flash_sync(((watch_t *)flash)->inner);
}

static const otter_flash_ops_t watch_ops = {
    .read = watch_read, .program = watch_program, .erase = watch_erase, .sync = watch_sync};

static void watch_begin(watch_t *watch, otter_flash_t *inner)
{
    *watch = (watch_t){.base = *inner, .inner = inner, .first_off = UINT32_MAX};
    watch->base.ops = &watch_ops;
}

/* ---- The check of what it says ---- */

static void check_line(void *arg, boot_log_level_t level, const char *line)
{
    (void)arg;
    (void)level;
    FUZZ_CHECK(line[0] != '\0');
    for (; *line != '\0'; line++) {
        FUZZ_CHECK((unsigned char)*line >= 0x20 && *line != 0x7F);
    }
}

/* ---- The check of what it does ---- */

static bool verifies(const rig_t *rig, const ptable_partition_t *partition)
{
    trust_state_t trust;
    image_walk_t walk;
    trust_decode(rig->bits, &trust);
    image_expect_t expect = trust_expect(&trust, IMAGE_KIND_APP, partition->size, CHIP, 0);
    FUZZ_CHECK(image_begin(&walk, &expect, NULL) == ESP_OK);
    (void)image_feed(&walk, rig->stranger.bytes + partition->offset, partition->size, NULL);
    bool good = image_finish(&walk) == IMAGE_OK;
    image_free(&walk);
    return good;
}

static bool overlap(uint32_t a_off, uint32_t a_len, uint32_t b_off, uint32_t b_len)
{
    return a_off < b_off + b_len && b_off < a_off + a_len;
}

/* A forged table may lay otadata over other things; then they change with it. */
static bool has_own_otadata(const boot_result_t *result)
{
    uint32_t otadata = result->otadata_offset;
    if (!result->input.has_otadata || overlap(otadata, 2 * STRANGER_SECTOR, STRANGER_TABLE, PTABLE_BYTES)) {
        return !result->input.has_otadata;
    }
    for (uint32_t i = 0; i < result->table.count; i++) {
        const ptable_partition_t *p = &result->table.partition[i];
        if (p->type == PART_TYPE_APP && overlap(otadata, 2 * STRANGER_SECTOR, p->offset, p->size)) {
            return false;
        }
    }
    return true;
}

static void check_written(const watch_t *watch, const ptable_t *table)
{
    const ptable_partition_t *otadata = ptable_find(table, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA);
    if (watch->writes == 0) {
        return;
    }
    FUZZ_CHECK(otadata != NULL && watch->first_off >= otadata->offset);
    FUZZ_CHECK(watch->end_off <= otadata->offset + 2 * STRANGER_SECTOR);
}

static void check_chosen(const rig_t *rig, const boot_result_t *result)
{
    const ptable_partition_t *partition = bootsel_slot_partition(&result->table, result->slot);
    FUZZ_CHECK(partition != NULL && result->slot != BOOTSEL_SLOT_NONE);
    FUZZ_CHECK(partition->offset == result->partition.offset && partition->size == result->partition.size);
    FUZZ_CHECK(strcmp(partition->label, result->partition.label) == 0);
    FUZZ_CHECK(result->image_len > 0 && result->image_len <= partition->size);
    FUZZ_CHECK(result->desc.magic_word == ESP_APP_DESC_MAGIC_WORD);
    if (has_own_otadata(result)) {
        FUZZ_CHECK(verifies(rig, partition));
    }
}

/* Nothing boots: then nothing verifies that was not refused as INVALID. */
static void check_none(const rig_t *rig, const boot_result_t *result)
{
    for (int slot = BOOTSEL_SLOT_TEST; has_own_otadata(result) && slot < PTABLE_MAX_SLOTS; slot++) {
        const ptable_partition_t *partition = bootsel_slot_partition(&result->table, slot);
        uint32_t state = 0;
        bool invalid = bootsel_state(&result->input, slot, &state) && state == ESP_OTA_IMG_INVALID;
        FUZZ_CHECK(partition == NULL || invalid || !verifies(rig, partition));
    }
}

static void check_result(const rig_t *rig, const boot_result_t *result, esp_err_t err)
{
    FUZZ_CHECK(result->failure_count <= BOOT_MAX_FAILURES);
    switch (err) {
    case ESP_OK:
        check_chosen(rig, result);
        return;
    case ESP_ERR_NOT_FOUND:
        check_none(rig, result);
        break;
    case ESP_ERR_FLASH_OP_FAIL:
        FUZZ_CHECK(result->otadata_offset % STRANGER_SECTOR != 0);
        break;
    default:
        FUZZ_CHECK(err == ESP_ERR_INVALID_STATE);
    }
    FUZZ_CHECK(result->slot == BOOTSEL_SLOT_NONE);
}

/* One-way bits; the floor rises to the secure version of a confirmed app that runs, to nothing else. */
static void check_burned(const rig_t *rig, const uint8_t before[OTTER_KEY_STORE_BYTES], const boot_result_t *result)
{
    trust_state_t was;
    trust_state_t is;
    uint32_t state;
    for (size_t i = 0; i < OTTER_KEY_STORE_BYTES; i++) {
        bool floor = i >= FLOOR_OFF && i < FLOOR_OFF + 4;
        FUZZ_CHECK(floor ? (before[i] & ~rig->bits[i]) == 0 : before[i] == rig->bits[i]);
    }
    trust_decode(before, &was);
    trust_decode(rig->bits, &is);
    if (is.secure_version != was.secure_version) {
        FUZZ_CHECK(result->slot != BOOTSEL_SLOT_NONE && is.secure_version > was.secure_version);
        FUZZ_CHECK(bootsel_state(&result->input, result->slot, &state) && state == ESP_OTA_IMG_VALID);
        FUZZ_CHECK(is.secure_version == result->desc.secure_version || is.secure_version == TRUST_SECURE_VERSION_MAX);
    }
}

/* A replacement of the table writes to it and to its second place alone, and then there is nothing left of it. */
static void settle(rig_t *rig)
{
    watch_t watch;
    ptable_t table;
    bool settled = false;
    ptable_fault_t fault = boot_read_table(rig->stranger.flash, STRANGER_TABLE, &table);
    const ptable_partition_t *spare = fault == PTABLE_OK ? ptable_spare(&table, STRANGER_TABLE) : NULL;
    watch_begin(&watch, rig->stranger.flash);
    FUZZ_CHECK(boot_settle_table(&watch.base, STRANGER_TABLE, &settled) == ESP_OK);
    FUZZ_CHECK(watch.writes == 0 || spare != NULL);
    if (watch.writes > 0 && !settled) {
        FUZZ_CHECK(watch.first_off >= spare->offset + PTABLE_MARK_OFF);
        FUZZ_CHECK(watch.end_off <= spare->offset + PTABLE_INTENT_OFF);
    }
    FUZZ_CHECK(!settled ||
               memcmp(rig->stranger.bytes + STRANGER_TABLE, rig->stranger.bytes + spare->offset, PTABLE_BYTES) == 0);
    watch_begin(&watch, rig->stranger.flash);
    FUZZ_CHECK(boot_settle_table(&watch.base, STRANGER_TABLE, &settled) == ESP_OK && !settled && watch.writes == 0);
}

static esp_err_t boot(rig_t *rig, bool dry_run, boot_result_t *result)
{
    watch_t watch;
    ptable_t table;
    uint8_t before[OTTER_KEY_STORE_BYTES];
    memcpy(before, rig->bits, sizeof(before));
    (void)boot_read_table(rig->stranger.flash, STRANGER_TABLE, &table);
    watch_begin(&watch, rig->stranger.flash);
    boot_env_t env = {
        .flash = &watch.base,
        .key_store = rig->has_store ? &rig->store.base : NULL,
        .config = &rig->config,
        .dry_run = dry_run,
        .log = rig->quiet ? NULL : check_line,
    };
    esp_err_t err = boot_choose(&env, result);
    check_written(&watch, &table);
    check_burned(rig, before, result);
    FUZZ_CHECK(!dry_run || (watch.writes == 0 && memcmp(before, rig->bits, sizeof(before)) == 0));
    check_result(rig, result, err);
    return err;
}

static void make_store(rig_t *rig, uint8_t flags)
{
    trust_plan_t plan;
    rig->has_store = (flags & HAS_STORE) != 0;
    (void)otter_key_store_ram_init(&rig->store, rig->bits);
    if (!rig->has_store) {
        return;
    }
    fuzz_burn_key(rig->bits, 0, 0);
    fuzz_burn_key(rig->bits, 1, 1);
    FUZZ_CHECK(trust_plan_secure_version(rig->bits, flags >> 5, &plan) == ESP_OK);
    fuzz_burn(rig->bits, &plan);
    if ((flags & REVOKED) != 0) {
        FUZZ_CHECK(trust_plan_revoke(rig->bits, 1, &plan) == ESP_OK);
        fuzz_burn(rig->bits, &plan);
    }
    if ((flags & SECURE_BOOT) != 0) {
        FUZZ_CHECK(trust_plan_secure_boot(rig->bits, &plan) == ESP_OK);
        fuzz_burn(rig->bits, &plan);
    }
}

static void make_rig(rig_t *rig, fuzz_input_t *input)
{
    uint8_t flags = fuzz_take_u8(input);
    memset(rig, 0, sizeof(*rig));
    otter_config_default(&rig->config);
    rig->config.chip_id = CHIP;
    rig->config.rollback = (flags & NO_ROLLBACK) == 0;
    rig->quiet = (flags & QUIET) != 0;
    make_store(rig, flags);
    stranger_make(&rig->stranger, input, CHIP);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    rig_t rig;
    boot_result_t rehearsed;
    boot_result_t result;
    make_rig(&rig, &input);
    esp_err_t rehearsal = boot(&rig, true, &rehearsed);
    settle(&rig);
    esp_err_t err = boot(&rig, false, &result);
    FUZZ_CHECK(err == rehearsal || err == ESP_ERR_FLASH_OP_FAIL || !has_own_otadata(&result));
    if (err == ESP_OK && has_own_otadata(&result)) {
        FUZZ_CHECK(result.slot == rehearsed.slot && result.reason == rehearsed.reason);
    }
    for (int i = 0; i < 3 && err == ESP_OK && has_own_otadata(&result); i++) {
        err = boot(&rig, false, &result);
        FUZZ_CHECK(err == ESP_OK || err == ESP_ERR_FLASH_OP_FAIL);
    }
    stranger_free(&rig.stranger);
    return 0;
}
