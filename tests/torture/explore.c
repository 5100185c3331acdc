/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/torture/explore.h"

#include <stdlib.h>
#include <string.h>

#include "core/encrypted/encrypted.h"
#include "otter/otter_key_store_cells.h"

/* A device is left alone with so many erases of otadata: an update forgets, switches, starts and confirms. */
#define ERASES_PER_UPDATE 4
#define ERASES_PER_CUT    3 /* A transition that is done over, the room for it, and what the app repeats. */
#define ERASES_FIRST_BOOT 1

#define BROKEN_BITS 1000 /* Places that a bit breaks in, at random. */
#define WORN_MAX    8    /* Most erases that a worn sector still does. */

#define RECOVERY_OPS 40 /* Random cuts often hit this early: while the device recovers. */

/* Worlds seen, to explore what is alike only once. */
typedef struct seen {
    uint64_t *hash;
    size_t size; /* A power of two. */
    size_t count;
} seen_t;

typedef struct explorer {
    life_t *life;
    const effort_t *effort;
    tally_t *tally;
    explore_report_t report;
    void *arg;
    seen_t seen;
    snapshot_t *before[PATH_CUTS + 1]; /* The world after so many cuts. */
    path_t path;
} explorer_t;

/* How often each kind is tried on one operation: with other chances each time. */
static const uint32_t cell_tries[OTTER_CUT_KINDS] = {
    [OTTER_CUT_BEFORE] = 1, [OTTER_CUT_PREFIX] = 2, [OTTER_CUT_BITS] = 3,
    [OTTER_CUT_WORD] = 2,   [OTTER_CUT_WEAK] = 2,   [OTTER_CUT_AFTER] = 1,
};
static const uint32_t page_tries[OTTER_CUT_KINDS] = {
    [OTTER_CUT_AFTER] = 1, [OTTER_CUT_LOST] = 1, [OTTER_CUT_NEWEST] = 1, [OTTER_CUT_OLDER] = 1, [OTTER_CUT_ANY] = 4};

static uint32_t tries_of(const explorer_t *explorer, otter_cut_t kind, uint32_t depth)
{
    uint32_t tries = explorer->life->geometry->pages ? page_tries[kind] : cell_tries[kind];
    return depth == 0 || tries == 0 ? tries : (tries + 1) / 2;
}

/* ---- Worlds seen ---- */

static void grow(seen_t *seen)
{
    seen_t larger = {.size = seen->size == 0 ? 4096 : seen->size * 2};
    larger.hash = calloc(larger.size, sizeof(larger.hash[0]));
    must(larger.hash != NULL, "calloc");
    for (size_t i = 0; i < seen->size; i++) {
        if (seen->hash[i] != 0) {
            size_t at = seen->hash[i] & (larger.size - 1);
            while (larger.hash[at] != 0) {
                at = (at + 1) & (larger.size - 1);
            }
            larger.hash[at] = seen->hash[i];
        }
    }
    larger.count = seen->count;
    free(seen->hash);
    *seen = larger;
}

/* True if it was there. */
static bool enter(seen_t *seen, uint64_t hash)
{
    if (seen->count * 2 >= seen->size) {
        grow(seen);
    }
    hash |= 1; /* 0 is free. */
    size_t at = hash & (seen->size - 1);
    while (seen->hash[at] != 0) {
        if (seen->hash[at] == hash) {
            return true;
        }
        at = (at + 1) & (seen->size - 1);
    }
    seen->hash[at] = hash;
    seen->count++;
    return false;
}

/* ---- One life ---- */

static void fail(explorer_t *explorer)
{
    explorer->tally->verdicts[explorer->life->world->facts.verdict]++;
    explorer->report(explorer->arg, explorer->life, &explorer->path);
}

static bool is_good(explorer_t *explorer)
{
    if (explorer->life->world->facts.verdict == VERDICT_GOOD) {
        return true;
    }
    fail(explorer);
    return false;
}

/* What the cells read as in a life depends on the cuts before it, so that a path repeats itself. */
static uint32_t noise_seed(const path_t *path, uint32_t cuts)
{
    uint32_t seed = 1;
    for (uint32_t i = 0; i < cuts; i++) {
        seed = seed * 31 + path->cut[i].seed * 7 + path->cut[i].op;
    }
    return seed;
}

static life_end_t run(explorer_t *explorer, uint32_t cuts, const path_cut_t *cut)
{
    world_t *world = explorer->life->world;
    snapshot_restore(explorer->before[cuts], world, noise_seed(&explorer->path, cuts));
    world->fault = explorer->path.fault;
    if (cut != NULL) {
        world->power.cut_at = cut->op;
        world->power.cut = cut->kind;
        world->power.cut_random = (cut->seed * 747796405u + cut->op * 277803737u) | 1;
    }
    return life_run(explorer->life);
}

/* ---- What must hold in the end ---- */

static uint32_t erases_between(const life_t *life, uint32_t off, uint32_t bytes, uint32_t *most)
{
    uint32_t sum = 0;
    for (uint32_t at = off; at < off + bytes; at += life->layout.sector_bytes) {
        uint32_t erases = life->world->cells.erases[at / life->layout.sector_bytes];
        *most = erases > *most ? erases : *most;
        sum += erases;
    }
    return sum;
}

/* Erases of the slots' last sectors, which hold records of downloads, and of all others. */
static void count_slot_erases(const life_t *life, uint32_t *last, uint32_t *others)
{
    uint32_t most = 0;
    uint32_t sector = life->layout.sector_bytes;
    *last = 0;
    *others = 0;
    for (uint32_t i = 0; i < life->layout.slots; i++) {
        const ptable_partition_t *slot =
            ptable_find(&life->layout.table, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG | i));
        uint32_t size = slot->size / sector * sector;
        *last += erases_between(life, slot->offset + size - sector, sector, &most);
        *others += erases_between(life, slot->offset, size - sector, &most);
    }
}

static void note_cost(tally_t *tally, const facts_t *facts)
{
    tally->needed += facts->needed_bytes;
    tally->fetched += facts->fetched_bytes;
    uint32_t permille = (uint32_t)((uint64_t)facts->fetched_bytes * 1000 / facts->needed_bytes);
    tally->most_permille = permille > tally->most_permille ? permille : tally->most_permille;
    tally->most_twice = facts->most_twice > tally->most_twice ? facts->most_twice : tally->most_twice;
}

/* A cut costs a sector and a buffer, and of an encrypted file the header, which is asked for each time. */
static void check_fetched(const life_t *life, facts_t *facts)
{
    uint32_t head = life->scenario->encrypted ? ENCRYPTED_HEADER_BYTES : 0;
    uint32_t limit = life->layout.sector_bytes + LIFE_BUFFER_BYTES;
    if (facts->most_twice > limit) {
        facts_fail(facts, VERDICT_OTHER, "%u bytes were downloaded again after one cut", (unsigned)facts->most_twice);
    }
    if (facts->fetched_bytes > facts->needed_bytes + facts->cuts * (limit + head)) {
        facts_fail(facts, VERDICT_OTHER, "%u bytes were downloaded for images of %u, with %u cuts",
                   (unsigned)facts->fetched_bytes, (unsigned)facts->needed_bytes, (unsigned)facts->cuts);
    }
}

/* A cut costs the erase of the sector that it came in. Behind the header of a file, pieces reach into the next one, too. */
static void check_sectors(const life_t *life, facts_t *facts)
{
    uint32_t sectors = life->scenario->encrypted ? 2 : 1;
    uint32_t last;
    uint32_t others;
    count_slot_erases(life, &last, &others);
    if (last > facts->downloads + facts->cuts || others > facts->needed_sectors + facts->cuts * sectors) {
        facts_fail(facts, VERDICT_OTHER, "%u and %u sectors were erased for %u downloads of %u, with %u cuts",
                   (unsigned)last, (unsigned)others, (unsigned)facts->downloads, (unsigned)facts->needed_sectors,
                   (unsigned)facts->cuts);
    }
}

/* What cuts cost where downloads are resumed. Behind a page cache it may be all that was not synced; while a record is
 * dropped, the whole download. */
static void check_cost(explorer_t *explorer)
{
    const life_t *life = explorer->life;
    facts_t *facts = &life->world->facts;
    note_cost(explorer->tally, facts);
    if (!life->geometry->pages && !life->scenario->same_tag) {
        check_fetched(life, facts);
        check_sectors(life, facts);
    }
}

static void check_erases(explorer_t *explorer)
{
    const life_t *life = explorer->life;
    facts_t *facts = &life->world->facts;
    uint32_t most = 0;
    uint32_t attempts = 0;
    for (uint32_t slot = 0; slot < life->layout.slots; slot++) {
        most = 0;
        attempts += facts->attempts[slot];
        (void)erases_between(life, life->layout.slot_off[slot], life->layout.slot_bytes, &most);
        if (most > facts->attempts[slot]) {
            facts_fail(facts, VERDICT_OTHER, "a sector of ota_%u was erased %u times in %u updates", (unsigned)slot,
                       (unsigned)most, (unsigned)facts->attempts[slot]);
        }
    }
    uint32_t limit =
        attempts * ERASES_PER_UPDATE + facts->extra_changes + facts->cuts * ERASES_PER_CUT + ERASES_FIRST_BOOT;
    uint32_t otadata = erases_between(life, life->layout.otadata_off, 2 * life->layout.sector_bytes, &most);
    tally_t *tally = explorer->tally;
    tally->most_erases = otadata > tally->most_erases ? otadata : tally->most_erases;
    if (otadata > limit) {
        facts_fail(facts, VERDICT_OTHER, "otadata was erased %u times, not at most %u", (unsigned)otadata,
                   (unsigned)limit);
    }
}

/* Who boots, asked of the bootloader without letting it write; -1: factory; -2: nothing. */
static int ask_bootloader(life_t *life)
{
    otter_flash_cells_t cells;
    otter_key_store_cells_t fuses;
    otter_flash_t geometry = {
        .size_bytes = life->layout.flash_bytes, .sector_bytes = life->layout.sector_bytes, .program_bytes = 1};
    otter_config_t config;
    otter_config_default(&config);
    config.partition_table_offset = life->layout.table_off;
    config.chip_id = OTTER_CHIP_ID_LINUX_X86_64;
    config.rollback = !life->scenario->no_rollback;
    boot_env_t env = {.flash = otter_flash_cells_init(&cells, &life->world->cells, &geometry, &life->world->power),
                      .key_store = life->scenario->has_fuses
                                       ? otter_key_store_cells_init(&fuses, life->world->fuses, &life->world->power)
                                       : NULL,
                      .config = &config,
                      .dry_run = true};
    return boot_choose(&env, &life->boot) == ESP_OK ? life->boot.slot : -2;
}

/* A transition is under way: only Otter's bootloader knows how it goes on. */
static bool is_interrupted(const life_t *life, const bootsel_input_t *input)
{
    for (uint32_t i = 0; i < OTADATA_SECTORS; i++) {
        if (life->world->cells.scars[life->layout.otadata_off / life->layout.sector_bytes + i] != 0) {
            return true;
        }
        otadata_record_t raw = otadata_decode(input->area[i]);
        otadata_record_t record = bootsel_record(input, (int)i);
        if (raw.good != record.good || (raw.good && (raw.seq != record.seq || raw.state != record.state))) {
            return true;
        }
    }
    return false;
}

static bool agrees_with_idf(explorer_t *explorer)
{
    life_t *life = explorer->life;
    return life->world->facts.damaged != 0 ||
           ask_bootloader(life) ==
               idf_choose(life->world, &life->layout, life->catalogue, !life->scenario->no_rollback);
}

static void compare_after_cut(explorer_t *explorer)
{
    life_t *life = explorer->life;
    bootsel_input_t input;
    must(records_read(life->world, &life->layout, !life->scenario->no_rollback, &input), "otadata cannot be read");
    if (agrees_with_idf(explorer)) {
        explorer->tally->idf_same++;
    } else if (is_interrupted(life, &input)) {
        explorer->tally->idf_interrupted++;
    } else {
        facts_fail(&life->world->facts, VERDICT_OTHER,
                   "ESP-IDF would boot another slot, although nothing is under way");
    }
}

/* A fault that shows is logged. One that passes does not stop an update, one that stays does not stop the device. */
static void check_faulty_end(explorer_t *explorer)
{
    world_t *world = explorer->life->world;
    const fault_t *fault = &world->fault;
    bool shows = world->course.faults > 0;
    explorer->tally->faults[fault->kind] += shows;
    explorer->tally->hidden += !shows;
    bool passes = fault->kind == FAULT_FLIP || (fault->kind == FAULT_ERROR && fault->count < FAULT_FOR_EVER);
    if (passes && world->course.last_app != APP_B) {
        facts_fail(&world->facts, VERDICT_OTHER, "the update is not made after the fault has passed");
    }
    bool reported = fault->kind == FAULT_ERROR || fault->kind == FAULT_WORN;
    if (shows && reported && world->course.log_bytes == 0) {
        facts_fail(&world->facts, VERDICT_OTHER, "the device says nothing about a flash that fails");
    }
}

static void check_end(explorer_t *explorer)
{
    life_t *life = explorer->life;
    world_t *world = life->world;
    tally_t *tally = explorer->tally;
    tally->most_boots = world->course.boots > tally->most_boots ? world->course.boots : tally->most_boots;
    tally->dropped += world->course.dropped;
    if (world->course.violations > 0) {
        facts_fail(&world->facts, VERDICT_OTHER, "%u programs broke the rules of NOR",
                   (unsigned)world->course.violations);
    }
    if (life_is_faulty(life)) {
        check_faulty_end(explorer);
        return;
    }
    check_erases(explorer);
    if (life->scenario->resumes) {
        check_cost(explorer);
    }
    if (!life->scenario->idf_differs && !agrees_with_idf(explorer)) {
        facts_fail(&world->facts, VERDICT_OTHER, "in the end ESP-IDF would boot another slot");
    }
}

/* ---- Cuts ---- */

/* Lets the device recover undisturbed. True if it is good; then the course says how long it took. */
static bool recover(explorer_t *explorer)
{
    life_t *life = explorer->life;
    life_end_t end = run(explorer, explorer->path.count, NULL);
    explorer->tally->recoveries++;
    if (end == LIFE_DONE) {
        check_end(explorer);
    }
    if (!is_good(explorer)) {
        return false;
    }
    bool kept = life->world->course.first_app == APP_A || life->world->course.first_app == APP_FACTORY;
    explorer->tally->kept += kept;
    explorer->tally->moved += !kept;
    return true;
}

/* Makes the last cut of the path. True if the device is worth going on with: it hit, nothing is broken, and it is new. */
static bool make_cut(explorer_t *explorer)
{
    life_t *life = explorer->life;
    uint32_t index = explorer->path.count - 1;
    const path_cut_t *cut = &explorer->path.cut[index];
    life_end_t end = run(explorer, index, cut);
    if (end == LIFE_DONE) {
        explorer->tally->missed++;
        if (index == 0) {
            facts_fail(&life->world->facts, VERDICT_OTHER, "the cut did not hit");
            fail(explorer);
        }
        return false;
    }
    if (end == LIFE_CUT) {
        explorer->tally->cuts[cut->kind]++;
        explorer->tally->depth[index]++;
        records_inspect(life->world, &life->layout, life->catalogue, !life->scenario->no_rollback);
        compare_after_cut(explorer);
    }
    if (!is_good(explorer)) {
        return false;
    }
    snapshot_take(explorer->before[index + 1], life->world);
    return true;
}

static void cut_everywhere(explorer_t *explorer, uint32_t first_op, uint32_t last_op);

static void cut_and_recover(explorer_t *explorer, uint32_t op, otter_cut_t kind, uint32_t seed)
{
    path_t *path = &explorer->path;
    path->cut[path->count++] = (path_cut_t){op, kind, seed};
    if (make_cut(explorer)) {
        uint64_t hash = world_hash(explorer->life->world) + path->count;
        if (enter(&explorer->seen, hash)) {
            explorer->tally->known++;
        } else if (recover(explorer) && path->count < explorer->effort->depth) {
            cut_everywhere(explorer, 1, explorer->life->world->course.ops_to_start);
        }
    }
    path->count--;
}

static bool is_over(const explorer_t *explorer)
{
    const uint32_t *stop = explorer->effort->stop;
    return stop != NULL && __atomic_load_n(stop, __ATOMIC_RELAXED) != 0;
}

/* Whose turn is it? The first cut decides; all that follows from it belongs to the same worker. */
static bool is_mine(const explorer_t *explorer, uint32_t number)
{
    const effort_t *effort = explorer->effort;
    return explorer->path.count > 0 || (number % effort->slice == effort->seed % effort->slice &&
                                        number / effort->slice % effort->workers == effort->worker);
}

static void cut_everywhere(explorer_t *explorer, uint32_t first_op, uint32_t last_op)
{
    uint32_t number = 0;
    uint32_t depth = explorer->path.count;
    for (uint32_t op = first_op; op <= last_op && !is_over(explorer); op++) {
        for (otter_cut_t kind = 0; kind < OTTER_CUT_KINDS; kind++) {
            /* Before an operation is after the one before it. */
            uint32_t tries = kind == OTTER_CUT_BEFORE && depth > 0 && op > 1 ? 0 : tries_of(explorer, kind, depth);
            for (uint32_t seed = 1; seed <= tries; seed++) {
                if (is_mine(explorer, number++)) {
                    cut_and_recover(explorer, op, kind, seed);
                }
            }
        }
    }
}

/* ---- Many cuts at random ---- */

static uint32_t draw(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(*state >> 33);
}

static otter_cut_t draw_kind(const explorer_t *explorer, uint64_t *state)
{
    otter_cut_t kind;
    do {
        kind = (otter_cut_t)(draw(state) % OTTER_CUT_KINDS);
    } while (tries_of(explorer, kind, 0) == 0);
    return kind;
}

static void cut_at_random(explorer_t *explorer, uint32_t number)
{
    path_t *path = &explorer->path;
    uint64_t state = (uint64_t)explorer->effort->seed * 1000003u + number;
    uint32_t cuts = 3 + draw(&state) % (PATH_CUTS - 3);
    uint32_t ops = explorer->tally->ops;
    bool goes_on = true;
    while (goes_on && path->count < cuts) {
        uint32_t limit = (draw(&state) & 1) != 0 && ops > RECOVERY_OPS ? RECOVERY_OPS : ops;
        path->cut[path->count++] =
            (path_cut_t){1 + draw(&state) % limit, draw_kind(explorer, &state), 1 + draw(&state) % 1000};
        goes_on = make_cut(explorer);
    }
    if (goes_on) {
        (void)recover(explorer);
    }
    path->count = 0;
}

/* ---- Faults without cuts ---- */

static void run_with(explorer_t *explorer, uint32_t *number, fault_t fault)
{
    if (is_mine(explorer, (*number)++) && !is_over(explorer)) {
        explorer->path.fault = fault;
        (void)recover(explorer);
        explorer->path.fault = (fault_t){.kind = FAULT_NONE};
    }
}

static void fail_operations(explorer_t *explorer, uint32_t *number)
{
    static const uint32_t counts[] = {1, 2, 3, FAULT_FOR_EVER};
    for (uint32_t op = 1; op <= explorer->tally->ops; op++) {
        for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
            run_with(explorer, number, (fault_t){.kind = FAULT_ERROR, .at = op, .count = counts[i]});
        }
    }
}

/* A byte of otadata's first KiB, of the factory app or of a slot. */
static uint32_t draw_place(const layout_t *layout, uint64_t *state)
{
    uint32_t area = draw(state) % (layout->slots + 3);
    if (area < 2) {
        return layout->otadata_off + area * layout->sector_bytes + draw(state) % BOOTSEL_AREA_BYTES;
    }
    uint32_t start = area == 2 ? layout->factory_off : layout->slot_off[area - 3];
    return start + draw(state) % layout->slot_bytes;
}

static void break_bits(explorer_t *explorer, uint32_t *number)
{
    const layout_t *layout = &explorer->life->layout;
    uint64_t state = explorer->effort->seed;
    for (uint32_t i = 0; i < BROKEN_BITS; i++) {
        fault_t fault = {.kind = FAULT_STUCK, .at = draw_place(layout, &state), .bit = draw(&state) % 8};
        if (!explorer->life->geometry->pages) {
            run_with(explorer, number, fault);
        }
        fault.kind = FAULT_FLIP;
        fault.count = draw(&state) % 3;
        run_with(explorer, number, fault);
    }
}

static void break_flash(explorer_t *explorer)
{
    uint32_t number = 0;
    fail_operations(explorer, &number);
    for (uint32_t erases = 1; erases <= WORN_MAX && !explorer->life->geometry->pages; erases++) {
        run_with(explorer, &number, (fault_t){.kind = FAULT_WORN, .count = erases});
    }
    break_bits(explorer, &number);
}

static bool run_without_cut(explorer_t *explorer)
{
    life_end_t end = run(explorer, 0, NULL);
    explorer->tally->ops = explorer->life->world->course.ops;
    if (end == LIFE_DONE) {
        check_end(explorer);
    }
    return is_good(explorer);
}

static explorer_t begin(life_t *life, const effort_t *effort, tally_t *tally, explore_report_t report, void *arg)
{
    explorer_t explorer = {.life = life, .effort = effort, .tally = tally, .report = report, .arg = arg};
    for (uint32_t i = 0; i <= PATH_CUTS; i++) {
        explorer.before[i] = snapshot_new(life->world);
    }
    snapshot_take(explorer.before[0], life->world);
    return explorer;
}

static void end(explorer_t *explorer)
{
    for (uint32_t i = 0; i <= PATH_CUTS; i++) {
        snapshot_free(explorer->before[i]);
    }
    free(explorer->seen.hash);
}

bool explore(life_t *life, const effort_t *effort, tally_t *tally, explore_report_t report, void *arg)
{
    explorer_t explorer = begin(life, effort, tally, report, arg);
    bool ok = run_without_cut(&explorer);
    if (ok && life->scenario->has_faults) {
        break_flash(&explorer);
    } else if (ok) {
        cut_everywhere(&explorer, 1, tally->ops);
        for (uint32_t i = effort->worker; i < effort->random && !is_over(&explorer); i += effort->workers) {
            cut_at_random(&explorer, i);
        }
    }
    end(&explorer);
    return ok;
}

bool explore_replay(life_t *life, const path_t *path, tally_t *tally, explore_report_t report, void *arg)
{
    effort_t effort = {.depth = 0, .slice = 1, .workers = 1};
    explorer_t explorer = begin(life, &effort, tally, report, arg);
    explorer.path.fault = path->fault;
    bool goes_on = true;
    while (goes_on && explorer.path.count < path->count) {
        explorer.path.cut[explorer.path.count] = path->cut[explorer.path.count];
        explorer.path.count++;
        goes_on = make_cut(&explorer);
    }
    if (goes_on) {
        goes_on = recover(&explorer);
    }
    end(&explorer);
    return goes_on;
}
