/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/device/ota_cut_bench.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bootsel/otadata.h"
#include "esp_log.h"
#include "otter/otter_device.h"
#include "tests/support/image_fixture.h"
#include "tests/support/test.h"

#define SECTOR_BYTES 0x1000u
#define SECTORS      (OTA_CUT_BYTES / SECTOR_BYTES)
#define MAX_STARTS   12 /* In one life. */
#define EXIT_CUT     43
#define EXIT_BROKEN  44
#define MAX_OPS      2000
#define SECOND_CUTS  8 /* How far into a recovery it is cut again. */

/* All that outlives a life. */
typedef struct shared {
    otter_power_t power;
    char why[200];
    uint32_t starts;    /* Of this life. */
    bool first_changed; /* What the first start of this life found. */
    uint32_t changes[SECTORS + 2];
    uint32_t erases[SECTORS];
    uint8_t scars[SECTORS];
    uint8_t bytes[OTA_CUT_BYTES];
    uint8_t unstable[OTA_CUT_BYTES]; /* Cells. */
    uint8_t synced[OTA_CUT_BYTES];   /* Pages. */
    uint8_t version[OTA_CUT_BYTES];
} shared_t;

static shared_t *shared_of(ota_cut_bench_t *bench)
{
    return bench->shared;
}

/* ---- Layout ---- */

typedef struct place {
    const char *label;
    uint8_t type;
    uint8_t subtype;
    uint32_t off;
    uint32_t size;
} place_t;

static const place_t places[] = {
    {"otadata", PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, 0x3000, 0x2000},
    {"stage", PART_TYPE_DATA, 0x81, 0x5000, 0x4000},
    {"data", PART_TYPE_DATA, 0x82, 0x9000, 0x2000},
    {"table2", PART_TYPE_PARTITION_TABLE, PART_SUBTYPE_PARTITION_TABLE_OTA, 0xB000, 0x1000},
    {"boot2", PART_TYPE_BOOTLOADER, PART_SUBTYPE_BOOTLOADER_RECOVERY, 0xC000, 0x2000},
    {"ota_0", PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG, 0x10000, 0x4000},
    {"ota_1", PART_TYPE_APP, PART_SUBTYPE_OTA_FLAG + 1, 0x20000, 0x4000},
};

static void make_table(ota_cut_bench_t *bench)
{
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        ptable_partition_t *partition = &bench->table.partition[bench->table.count++];
        *partition = (ptable_partition_t){
            .type = places[i].type, .subtype = places[i].subtype, .offset = places[i].off, .size = places[i].size};
        (void)snprintf(partition->label, sizeof(partition->label), "%s", places[i].label);
    }
    assert_int_equal(ptable_build(&bench->table, true, bench->bytes + OTA_CUT_TABLE_OFF), PTABLE_OK);
}

const ptable_partition_t *ota_cut_partition(const ota_cut_bench_t *bench, const char *label)
{
    const ptable_partition_t *partition = ptable_find_label(&bench->table, label);
    assert_non_null(partition);
    return partition;
}

void ota_cut_put(ota_cut_bench_t *bench, const char *label, const void *bytes, size_t len)
{
    const ptable_partition_t *partition = ota_cut_partition(bench, label);
    assert_true(len <= partition->size);
    memset(bench->bytes + partition->offset, 0xFF, partition->size);
    memcpy(bench->bytes + partition->offset, bytes, len);
}

static void put_app(ota_cut_bench_t *bench, const char *label, const char *version)
{
    fixture_image_t spec = FIXTURE_IMAGE("fixture", version);
    size_t len = 0;
    uint8_t *image = fixture_image(&spec, &len);
    ota_cut_put(bench, label, image, len);
    free(image);
}

ota_cut_bench_t *ota_cut_open(bool pages)
{
    ota_cut_bench_t *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    bench->pages = pages;
    bench->shared = mmap(NULL, sizeof(shared_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(bench->shared, MAP_FAILED);
    bench->bytes = shared_of(bench)->bytes;
    bench->why = shared_of(bench)->why;
    memset(bench->bytes, 0xFF, OTA_CUT_BYTES);
    make_table(bench);
    put_app(bench, "ota_0", "1.0");
    put_app(bench, "ota_1", "0.9");
    uint8_t *otadata = bench->bytes + ota_cut_partition(bench, "otadata")->offset;
    otadata_encode(otadata, 3, ESP_OTA_IMG_VALID);                /* ota_0 */
    otadata_encode(otadata + SECTOR_BYTES, 2, ESP_OTA_IMG_VALID); /* ota_1 */
    bench->start = malloc(OTA_CUT_BYTES);
    assert_non_null(bench->start);
    return bench;
}

void ota_cut_close(ota_cut_bench_t *bench)
{
    assert_int_equal(munmap(bench->shared, sizeof(shared_t)), 0);
    free(bench->start);
    free(bench);
}

/* ---- The child ---- */

void ota_cut_expect(ota_cut_bench_t *bench, bool ok, const char *what)
{
    if (!ok) {
        (void)snprintf(shared_of(bench)->why, sizeof(shared_of(bench)->why), "%s", what);
        _exit(EXIT_BROKEN);
    }
}

const esp_partition_t *ota_cut_find(ota_cut_bench_t *bench, const char *label)
{
    const esp_partition_t *found = esp_partition_find_first(ESP_PARTITION_TYPE_ANY, ESP_PARTITION_SUBTYPE_ANY, label);
    ota_cut_expect(bench, found != NULL, label);
    return found;
}

static void power_off(void *arg)
{
    (void)arg;
    _exit(EXIT_CUT);
}

static otter_flash_cells_t cells;
static otter_flash_pages_t pages;

static void power_on(ota_cut_bench_t *bench)
{
    shared_t *shared = shared_of(bench);
    otter_flash_t geometry = {.size_bytes = OTA_CUT_BYTES, .sector_bytes = SECTOR_BYTES, .program_bytes = 1};
    shared->power.off = power_off;
    if (bench->pages) {
        otter_flash_pages_memory_t memory = {shared->bytes, shared->synced, shared->version, shared->changes,
                                             shared->erases};
        bench->flash = otter_flash_pages_init(&pages, &memory, &geometry, &shared->power);
    } else {
        otter_flash_cells_memory_t memory = {shared->bytes, shared->unstable, shared->scars, shared->erases};
        bench->flash = otter_flash_cells_init(&cells, &memory, &geometry, &shared->power);
    }
}

/* No record may name what does not verify. */
static void check_records(ota_cut_bench_t *bench)
{
    for (int i = 0; i < OTADATA_SECTORS; i++) {
        otadata_record_t record = bootsel_record(&bench->boot.input, i);
        if (!record.good) {
            continue;
        }
        int slot = bootsel_record_slot(&bench->boot.input, &record);
        esp_image_metadata_t data;
        const esp_partition_t *named = ota_cut_find(bench, slot == 0 ? "ota_0" : "ota_1");
        esp_partition_pos_t pos = {.offset = named->address, .size = named->size};
        ota_cut_expect(bench, esp_image_verify(ESP_IMAGE_VERIFY_SILENT, &pos, &data) == ESP_OK,
                       "a record names an app that does not verify");
    }
}

static void boot(ota_cut_bench_t *bench)
{
    otter_config_t config;
    otter_config_default(&config);
    config.partition_table_offset = OTA_CUT_TABLE_OFF;
    config.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    config.log_level = ESP_LOG_NONE;
    boot_env_t env = {.flash = bench->flash, .config = &config};
    ota_cut_expect(bench, boot_choose(&env, &bench->boot) == ESP_OK, "nothing boots");
    ota_cut_expect(bench, bench->boot.failure_count == 0, "an app that should have booted did not verify");
    otter_device_t device = {.flash = bench->flash,
                             .config = config,
                             .running_address = bench->boot.partition.offset,
                             .app_desc = bench->boot.desc};
    ota_cut_expect(bench, otter_device_init(&device) == ESP_OK, "the device library does not start");
    check_records(bench);
}

static void live(ota_cut_bench_t *bench, ota_cut_app_t app)
{
    shared_t *shared = shared_of(bench);
    ota_cut_next_t next = OTA_CUT_RESTART;
    power_on(bench);
    while (next == OTA_CUT_RESTART) {
        bool changed = false;
        ota_cut_expect(bench, shared->starts < MAX_STARTS, "the device does not come to an end");
        boot(bench);
        shared->starts++;
        next = app(bench, &changed);
        shared->first_changed = shared->starts == 1 ? changed : shared->first_changed;
    }
    ota_cut_expect(bench, cells.violations == 0, "a rule of NOR flash was broken");
    _exit(EXIT_SUCCESS);
}

/* ---- The parent ---- */

/* True if the power went. */
static bool run(ota_cut_bench_t *bench, ota_cut_app_t app, uint32_t cut_at, otter_cut_t cut, uint32_t seed)
{
    shared_t *shared = shared_of(bench);
    int status = 0;
    shared->power = (otter_power_t){.cut_at = cut_at, .cut = cut, .random = seed * 2654435761u | 1};
    shared->starts = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(20);
        live(bench, app);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    bench->last_ops = shared->power.ops;
    if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_CUT) {
        assert_true(shared->power.is_off);
        return true;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS) {
        fail_msg("cut %s at operation %u, seed %u: %s (wait status 0x%x)", otter_cut_text(cut), (unsigned)cut_at,
                 (unsigned)seed, shared->why, (unsigned)status);
    }
    return false;
}

static void begin_anew(ota_cut_bench_t *bench)
{
    shared_t *shared = shared_of(bench);
    memcpy(shared->bytes, bench->start, OTA_CUT_BYTES);
    memset(shared->unstable, 0, OTA_CUT_BYTES);
    memset(shared->scars, 0, sizeof(shared->scars));
    memset(shared->erases, 0, sizeof(shared->erases));
    memset(shared->changes, 0, sizeof(shared->changes));
}

static void count_start(ota_cut_bench_t *bench, ota_cut_tally_t *tally)
{
    bool changed = shared_of(bench)->first_changed;
    tally->before += changed ? 0 : 1;
    tally->after += changed ? 1 : 0;
}

/* A cut, perhaps a second one in what follows, and then the end. */
static void cut_at(ota_cut_bench_t *bench, ota_cut_app_t app, uint32_t op, otter_cut_t cut, uint32_t second,
                   ota_cut_tally_t *tally)
{
    uint32_t seed = op * 31 + (uint32_t)cut * 7 + second;
    begin_anew(bench);
    assert_true(run(bench, app, op, cut, seed));
    tally->cuts++;
    otter_cut_t again = bench->pages ? OTTER_CUT_ANY : (otter_cut_t)(seed % (OTTER_CUT_AFTER + 1));
    if (second > 0 && run(bench, app, second, again, seed + 1)) {
        tally->cuts++;
    }
    assert_false(run(bench, app, 0, OTTER_CUT_BEFORE, seed + 2));
    count_start(bench, tally);
}

static bool is_of(bool pages_kind, otter_cut_t cut)
{
    bool either = cut == OTTER_CUT_AFTER;
    return either || (cut > OTTER_CUT_AFTER) == pages_kind;
}

ota_cut_tally_t ota_cut_everywhere(ota_cut_bench_t *bench, ota_cut_app_t app)
{
    ota_cut_tally_t tally = {0};
    memcpy(bench->start, bench->bytes, OTA_CUT_BYTES);
    begin_anew(bench);
    assert_false(run(bench, app, 0, OTTER_CUT_BEFORE, 1));
    uint32_t ops = bench->last_ops;
    assert_in_range(ops, 4, MAX_OPS);
    for (uint32_t op = 1; op <= ops; op++) {
        for (otter_cut_t cut = OTTER_CUT_BEFORE; cut < OTTER_CUT_KINDS; cut++) {
            for (uint32_t second = 0; is_of(bench->pages, cut) && second <= SECOND_CUTS; second++) {
                /* Cells that waver are what a recovery must not rest on: there every operation of it is hit. */
                if (cut == OTTER_CUT_WEAK || second == 0 || second == 1 + (op * 13 + (uint32_t)cut * 5) % SECOND_CUTS) {
                    cut_at(bench, app, op, cut, second, &tally);
                }
            }
        }
    }
    return tally;
}
