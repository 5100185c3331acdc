/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Power cuts in otadata: every transition, cut before, in and after every operation, and its recovery cut again.
 *
 * The flash here is worse than most: an operation that is cut does any part of what it should, and leaves cells that read
 * differently each time until they are erased or programmed. After every cut, and however often it is read, each record
 * must be the one before or the one after.
 */
#include <stdlib.h>

#include "core/bootsel/journal.h"
#include "core/util/bytes.h"
#include "tests/core/bootsel_device.h"
#include "tests/support/test.h"

#define NEW     ESP_OTA_IMG_NEW
#define PENDING ESP_OTA_IMG_PENDING_VERIFY
#define VALID   ESP_OTA_IMG_VALID
#define ABORTED ESP_OTA_IMG_ABORTED

#define READS        4 /* Times that a state is read after a cut. */
#define MAX_RECOVERY 64

/* How a cut leaves the operation that it hits. */
typedef enum cut {
    CUT_BEFORE,
    CUT_PREFIX, /* The first bytes are done, the rest is not touched. */
    CUT_RANDOM, /* Any bits are done, the others read differently each time. */
    CUT_WEAK,   /* All bits read as done, or as not done, together. */
    CUT_AFTER,
    CUT_KINDS,
} cut_t;

/* Two sectors, and which of their bits cannot be relied on. */
typedef struct cells {
    bootsel_input_t input; /* Bits as they are if they can be relied on. */
    uint8_t unstable[OTADATA_SECTORS][BOOTSEL_AREA_BYTES];
    bool together[OTADATA_SECTORS]; /* Unstable bits of the sector go up and down together. */
} cells_t;

static uint32_t random_state;

static uint32_t draw(void)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 17;
    random_state ^= random_state << 5;
    return random_state;
}

/* What a boot reads. */
static bootsel_input_t read_cells(const cells_t *cells)
{
    bootsel_input_t seen = cells->input;
    for (int sector = 0; sector < OTADATA_SECTORS; sector++) {
        bool up = (draw() & 1) != 0;
        for (size_t i = 0; i < BOOTSEL_AREA_BYTES; i++) {
            uint8_t noise = cells->together[sector] ? (up ? 0xFF : 0) : (uint8_t)draw();
            uint8_t unstable = cells->unstable[sector][i];
            seen.area[sector][i] = (uint8_t)((seen.area[sector][i] & ~unstable) | (noise & unstable));
        }
    }
    return seen;
}

static uint32_t op_len(const bootsel_op_t *op)
{
    return op->kind == BOOTSEL_OP_ERASE ? BOOTSEL_AREA_BYTES : op->len;
}

static uint8_t op_byte(const bootsel_op_t *op, uint32_t index)
{
    if (op->kind == BOOTSEL_OP_ERASE) {
        return 0xFF;
    }
    return op->kind == BOOTSEL_OP_ZERO ? 0 : op->bytes[index];
}

/* One byte, done completely. Programming makes its 0 bits reliable, erasing all. */
static void do_byte(cells_t *cells, const bootsel_op_t *op, uint32_t index)
{
    uint8_t *byte = &cells->input.area[op->sector][op->off + index];
    uint8_t *unstable = &cells->unstable[op->sector][op->off + index];
    if (op->kind == BOOTSEL_OP_ERASE) {
        *byte = 0xFF;
        *unstable = 0;
    } else {
        *byte &= op_byte(op, index);
        *unstable &= op_byte(op, index);
    }
}

/* One byte, of which @p done bits are done and the rest of those that should change become unreliable. */
static void half_do_byte(cells_t *cells, const bootsel_op_t *op, uint32_t index, uint8_t done)
{
    uint8_t *byte = &cells->input.area[op->sector][op->off + index];
    uint8_t *unstable = &cells->unstable[op->sector][op->off + index];
    uint8_t target = op->kind == BOOTSEL_OP_ERASE ? 0xFF : (uint8_t)(*byte & op_byte(op, index));
    uint8_t changing = (uint8_t)((*byte ^ target) | (*unstable & (op->kind == BOOTSEL_OP_ERASE ? 0xFF : ~target)));
    *byte = (uint8_t)((*byte & ~(changing & done)) | (target & changing & done));
    *unstable = (uint8_t)((*unstable & ~(changing & done)) | (changing & ~done));
}

static void do_op(cells_t *cells, const bootsel_op_t *op)
{
    for (uint32_t i = 0; op->kind != BOOTSEL_OP_SYNC && i < op_len(op); i++) {
        do_byte(cells, op, i);
    }
    if (op->kind == BOOTSEL_OP_ERASE) {
        cells->together[op->sector] = false;
    }
}

static void cut_op(cells_t *cells, const bootsel_op_t *op, cut_t cut)
{
    if (op->kind == BOOTSEL_OP_SYNC || cut == CUT_BEFORE) {
        return;
    }
    if (cut == CUT_AFTER) {
        do_op(cells, op);
        return;
    }
    uint32_t len = op_len(op);
    uint32_t prefix = draw() % (len + 1);
    for (uint32_t i = 0; i < len; i++) {
        if (cut == CUT_PREFIX && i < prefix) {
            do_byte(cells, op, i);
        } else if (cut == CUT_RANDOM) {
            half_do_byte(cells, op, i, (uint8_t)draw());
        } else if (cut == CUT_WEAK) {
            half_do_byte(cells, op, i, 0);
        }
    }
    cells->together[op->sector] = cells->together[op->sector] || cut == CUT_WEAK;
}

/* ---- Properties ---- */

typedef struct records {
    otadata_record_t record[OTADATA_SECTORS];
} records_t;

static records_t records_of(const bootsel_input_t *input)
{
    return (records_t){{bootsel_record(input, 0), bootsel_record(input, 1)}};
}

static bool same_record(const otadata_record_t *a, const otadata_record_t *b)
{
    if (!a->good || !b->good) {
        return a->good == b->good;
    }
    return a->seq == b->seq && a->state == b->state;
}

static bool same_records(const records_t *a, const records_t *b)
{
    return same_record(&a->record[0], &b->record[0]) && same_record(&a->record[1], &b->record[1]);
}

/* A transition under test: what it starts from, its plan, and every state that may be seen on its way. */
typedef struct scene {
    const char *name;
    bootsel_device_t device;
    bootsel_plan_t plan;
    records_t allowed[4];
    size_t allowed_count;
    size_t reached[BOOTSEL_PLAN_MAX + 1]; /* Index in allowed of the state after so many operations. */
    size_t first_allowed;                 /* What may be seen after the cut under test: from here, */
    size_t last_allowed;                  /* to here. */
    unsigned cuts;                        /* Cuts made, */
    unsigned seen_old;                    /* after which the old state was read, */
    unsigned seen_new;                    /* after which the new state was read. */
} scene_t;

/* Bootloader steps that only tidy up, not decisions about apps: those would rightly change the records further. */
static bool tidy_plan(const bootsel_input_t *input, bootsel_plan_t *plan)
{
    bootsel_draft_t draft;
    journal_begin(&draft, input, plan);
    return journal_settle(&draft, 0) || journal_settle(&draft, 1);
}

static void check_seen(scene_t *scene, const bootsel_input_t *seen, uint32_t op, cut_t cut, uint32_t seed)
{
    records_t records = records_of(seen);
    for (size_t i = scene->first_allowed; i <= scene->last_allowed; i++) {
        if (same_records(&records, &scene->allowed[i])) {
            scene->seen_old += i == 0 ? 1 : 0;
            scene->seen_new += i + 1 == scene->allowed_count ? 1 : 0;
            return;
        }
    }
    fail_msg("%s: operation %u, cut %d, seed %u: records %u/%u and %u/%u", scene->name, (unsigned)op, (int)cut,
             (unsigned)seed, (unsigned)records.record[0].seq, (unsigned)records.record[0].state,
             (unsigned)records.record[1].seq, (unsigned)records.record[1].state);
}

/* Boots until nothing is left to tidy up, each time with @p more cuts left to make on the way. */
static void recover(scene_t *scene, cells_t *cells, int more, uint32_t op, cut_t cut, uint32_t seed)
{
    for (int boot = 0; boot < MAX_RECOVERY; boot++) {
        bootsel_plan_t plan;
        bootsel_input_t seen = read_cells(cells);
        check_seen(scene, &seen, op, cut, seed);
        if (!tidy_plan(&seen, &plan)) {
            return;
        }
        assert_true(plan.count < BOOTSEL_PLAN_MAX);
        uint32_t stop = more-- > 0 ? draw() % plan.count : plan.count;
        for (uint32_t i = 0; i < stop; i++) {
            do_op(cells, &plan.op[i]);
        }
        if (stop < plan.count) {
            cut_op(cells, &plan.op[stop], (cut_t)(draw() % CUT_KINDS));
        }
    }
    fail_msg("%s: operation %u, cut %d, seed %u: recovery does not end", scene->name, (unsigned)op, (int)cut,
             (unsigned)seed);
}

static void cut_scene_at(scene_t *scene, uint32_t op, cut_t cut, uint32_t seed, int more)
{
    cells_t cells = {.input = scene->device.input};
    random_state = seed * 2654435761u + op * 97 + (uint32_t)cut + 1;
    for (uint32_t i = 0; i < op; i++) {
        do_op(&cells, &scene->plan.op[i]);
    }
    cut_op(&cells, &scene->plan.op[op], cut);
    scene->cuts++;
    scene->first_allowed = scene->reached[cut == CUT_AFTER ? op + 1 : op];
    scene->last_allowed = scene->reached[cut == CUT_BEFORE ? op : op + 1];
    for (int read = 0; read < READS; read++) {
        bootsel_input_t seen = read_cells(&cells);
        check_seen(scene, &seen, op, cut, seed);
    }
    recover(scene, &cells, more, op, cut, seed);
}

/* Follows the plan without a cut and notes each state of the records on the way. */
static void note_states(scene_t *scene)
{
    bootsel_input_t now = scene->device.input;
    scene->allowed[0] = records_of(&now);
    scene->allowed_count = 1;
    for (uint32_t i = 0; i < scene->plan.count; i++) {
        bootsel_plan_t one = {.count = 1, .op = {scene->plan.op[i]}};
        bootsel_apply(&now, &one);
        records_t records = records_of(&now);
        if (!same_records(&records, &scene->allowed[scene->allowed_count - 1])) {
            assert_true(scene->allowed_count < sizeof(scene->allowed) / sizeof(scene->allowed[0]));
            scene->allowed[scene->allowed_count++] = records;
        }
        scene->reached[i + 1] = scene->allowed_count - 1;
    }
    scene->last_allowed = scene->allowed_count - 1;
}

/* Otadata after the first @p ops[s] operations, as sector s shows them. */
static bootsel_input_t after_ops(const scene_t *scene, const uint32_t ops[OTADATA_SECTORS])
{
    bootsel_input_t mixed = scene->device.input;
    for (uint32_t sector = 0; sector < OTADATA_SECTORS; sector++) {
        bootsel_input_t now = scene->device.input;
        bootsel_plan_t begun = scene->plan;
        begun.count = ops[sector];
        bootsel_apply(&now, &begun);
        memcpy(mixed.area[sector], now.area[sector], BOOTSEL_AREA_BYTES);
    }
    return mixed;
}

/* A flash with a cache loses its power after @p stop operations: what was not synced is durable in any mixture. */
static void lose_cache_at(scene_t *scene, uint32_t stop)
{
    uint32_t synced = stop;
    while (synced > 0 && scene->plan.op[synced - 1].kind != BOOTSEL_OP_SYNC) {
        synced--;
    }
    scene->first_allowed = scene->reached[synced];
    scene->last_allowed = scene->reached[stop];
    for (uint32_t first = synced; first <= stop; first++) {
        for (uint32_t second = synced; second <= stop; second++) {
            cells_t cells = {.input = after_ops(scene, (uint32_t[]){first, second})};
            recover(scene, &cells, 0, stop, CUT_AFTER, first * 1000 + second);
        }
    }
}

static void cut_everywhere(scene_t *scene, size_t states, uint32_t seeds)
{
    note_states(scene);
    assert_int_equal(scene->allowed_count, states);
    for (uint32_t stop = 0; stop <= scene->plan.count; stop++) {
        lose_cache_at(scene, stop);
    }
    for (uint32_t op = 0; op < scene->plan.count; op++) {
        for (int cut = 0; cut < CUT_KINDS; cut++) {
            for (uint32_t seed = 1; seed <= seeds; seed++) {
                cut_scene_at(scene, op, (cut_t)cut, seed, (int)(seed % 4));
            }
        }
    }
    assert_true(scene->cuts >= scene->plan.count * CUT_KINDS);
    assert_true(scene->seen_old > 0);
    assert_true(scene->seen_new > 0);
}

static scene_t scene_of(const char *name, device_record_t first, device_record_t second)
{
    scene_t scene = {.name = name};
    device_make(&scene.device, 3, true);
    device_set(&scene.device, 0, first);
    device_set(&scene.device, 1, second);
    return scene;
}

/* ---- Transitions ---- */

static void confirming_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("confirm", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    assert_err(bootsel_confirm(&scene.device.input, 1, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 2, 50);
}

static void refusing_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("refuse", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    assert_err(bootsel_invalidate(&scene.device.input, 1, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 2, 50);
}

static void aborting_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("abort", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    bootsel_decision_t decision;
    bootsel_boot(&scene.device.input, 0, &decision);
    assert_true(decision.first);
    scene.plan = decision.plan;
    cut_everywhere(&scene, 2, 50);
}

static void the_first_boot_of_a_new_app_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("pending", (device_record_t){1, VALID, false}, (device_record_t){2, NEW, false});
    bootsel_decision_t decision;
    bootsel_boot(&scene.device.input, 0, &decision);
    assert_int_equal(decision.slot, 1);
    scene.plan = decision.plan;
    cut_everywhere(&scene, 2, 50);
}

static void the_first_boot_of_a_device_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("initial", (device_record_t){0}, (device_record_t){0});
    scene.device.input.present &= ~BOOTSEL_SET_FACTORY;
    bootsel_decision_t decision;
    bootsel_boot(&scene.device.input, 0, &decision);
    assert_int_equal(decision.reason, BOOTSEL_REASON_INITIAL);
    scene.plan = decision.plan;
    cut_everywhere(&scene, 2, 50);
}

static void switching_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("switch", (device_record_t){1, VALID, false}, (device_record_t){0});
    assert_err(bootsel_switch(&scene.device.input, 0, 1, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 2, 50);
}

/* The newer choice is active and was never booted: it is replaced, and at no time does the choice fall back further. */
static void choosing_again_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("choose again", (device_record_t){1, VALID, false}, (device_record_t){2, NEW, false});
    assert_err(bootsel_switch(&scene.device.input, 0, 2, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 2, 50);
}

static void forgetting_a_record_is_atomic(void **state)
{
    (void)state;
    scene_t scene = scene_of("begin", (device_record_t){1, VALID, false}, (device_record_t){2, VALID, false});
    assert_err(bootsel_begin(&scene.device.input, 0, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 2, 50);
}

static void switching_to_factory_forgets_the_active_record_last(void **state)
{
    (void)state;
    scene_t scene = scene_of("factory", (device_record_t){1, VALID, false}, (device_record_t){2, VALID, false});
    assert_err(bootsel_switch(&scene.device.input, 1, BOOTSEL_SLOT_FACTORY, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 3, 50);
    assert_int_equal(scene.allowed[1].record[1].seq, 2);
}

static void renumbering_moves_one_record_at_a_time(void **state)
{
    (void)state;
    scene_t scene =
        scene_of("renumber", (device_record_t){0xFFFFFFFE, VALID, false}, (device_record_t){0xFFFFFFFC, VALID, false});
    assert_err(bootsel_switch(&scene.device.input, 1, 2, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 3, 50);
}

/* The journal that the transition needs holds traces of earlier ones, up to the last place and beyond. */
static void a_full_journal_is_emptied_atomically(void **state)
{
    (void)state;
    for (uint32_t used = 0; used <= JOURNAL_PLACES; used++) {
        scene_t scene =
            scene_of("full journal", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
        memset(scene.device.input.area[0] + JOURNAL_MARKS_OFF, 0, used * JOURNAL_MARK_BYTES);
        memset(scene.device.input.area[0] + JOURNAL_OFF, 0, used * JOURNAL_PLACE_BYTES);
        assert_err(bootsel_confirm(&scene.device.input, 1, &scene.plan), ESP_OK);
        cut_everywhere(&scene, 2, 10);
    }
}

/* Cut again and again at the same place, until the journal is full of entries that all announce the same. */
static void a_transition_that_is_cut_fifty_times_still_ends(void **state)
{
    (void)state;
    for (uint32_t cut_after = 1; cut_after < 8; cut_after++) {
        scene_t scene = scene_of("fifty", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
        assert_err(bootsel_confirm(&scene.device.input, 1, &scene.plan), ESP_OK);
        note_states(&scene);
        cells_t cells = {.input = scene.device.input};
        bootsel_plan_t plan = scene.plan;
        unsigned cuts = 0;
        for (; cuts < 50; cuts++) {
            for (uint32_t i = 0; i < cut_after && i < plan.count; i++) {
                do_op(&cells, &plan.op[i]);
            }
            check_seen(&scene, &cells.input, cut_after, CUT_AFTER, cuts);
            if (!tidy_plan(&cells.input, &plan)) {
                (void)bootsel_confirm(&cells.input, 1, &plan);
            }
        }
        recover(&scene, &cells, 0, cut_after, CUT_AFTER, cuts);
        assert_int_equal(cuts, 50);
    }
}

/* What a genuine ESP-IDF bootloader reads afterwards: the record at the start of its sector, nothing else. */
static void a_finished_plan_leaves_the_record_where_esp_idf_reads_it(void **state)
{
    (void)state;
    scene_t scene = scene_of("genuine", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    assert_err(bootsel_confirm(&scene.device.input, 1, &scene.plan), ESP_OK);
    bootsel_apply(&scene.device.input, &scene.plan);
    otadata_record_t record = otadata_decode(scene.device.input.area[1]);
    assert_true(record.good);
    assert_int_equal(record.seq, 2);
    assert_int_equal(record.state, VALID);
    record = otadata_decode(scene.device.input.area[0]);
    assert_true(record.good);
    assert_int_equal(record.seq, 1);
    bootsel_plan_t plan;
    assert_false(tidy_plan(&scene.device.input, &plan));
}

static void any_bytes_in_the_journals_end_in_plans_that_fit(void **state)
{
    (void)state;
    random_state = 99;
    uint32_t longest = 0;
    for (int round = 0; round < 20000; round++) {
        scene_t scene = scene_of("any", (device_record_t){draw() % 6, draw() % 6, (draw() & 7) == 0},
                                 (device_record_t){draw() % 6, draw() % 6, (draw() & 7) == 0});
        for (int sector = 0; sector < OTADATA_SECTORS; sector++) {
            /* Marks; real entries, zeros and noise at random places. */
            memset(scene.device.input.area[sector] + JOURNAL_MARKS_OFF, 0,
                   (draw() % (JOURNAL_PLACES + 1)) * JOURNAL_MARK_BYTES);
            for (uint32_t place = 0; place < JOURNAL_PLACES; place++) {
                uint8_t *at = scene.device.input.area[sector] + JOURNAL_OFF + place * JOURNAL_PLACE_BYTES;
                uint32_t kind = draw() % 4;
                if (kind == 0) {
                    bootsel_plan_t entry;
                    bootsel_input_t blank = scene.device.input;
                    memset(blank.area, 0xFF, sizeof(blank.area));
                    (void)bootsel_switch(&blank, BOOTSEL_SLOT_FACTORY, (int)(draw() % 3), &entry);
                    memcpy(at, entry.op[1].bytes, JOURNAL_PLACE_BYTES);
                } else if (kind == 1) {
                    memset(at, 0, JOURNAL_PLACE_BYTES);
                } else if (kind == 2) {
                    at[draw() % JOURNAL_PLACE_BYTES] = (uint8_t)draw();
                }
            }
        }
        bootsel_plan_t plan;
        int slot = (int)(draw() % 3);
        (void)bootsel_switch(&scene.device.input, slot, (int)(draw() % 4) - 1, &plan);
        longest = plan.count > longest ? plan.count : longest;
        (void)bootsel_begin(&scene.device.input, slot, &plan);
        longest = plan.count > longest ? plan.count : longest;
        device_boot(&scene.device, NULL);
    }
    assert_in_range(longest, 10, BOOTSEL_PLAN_MAX - 1);
}

/* ---- Histories: what an interrupted transition leaves must not come up again under a later one ---- */

/* A record written to one sector, whatever the other says. */
static void plan_any(const bootsel_input_t *seen, bootsel_plan_t *plan)
{
    bootsel_draft_t draft;
    journal_begin(&draft, seen, plan);
    journal_write(&draft, draw() % 2, 1 + draw() % 1000, draw() % 5);
}

/* Number of operations after which the flash says what the whole plan says. */
static uint32_t commit_of(const bootsel_input_t *seen, const bootsel_plan_t *plan)
{
    bootsel_input_t now = *seen;
    bootsel_apply(&now, plan);
    records_t after = records_of(&now);
    now = *seen;
    for (uint32_t i = 0; i < plan->count; i++) {
        records_t records = records_of(&now);
        if (same_records(&records, &after)) {
            return i;
        }
        bootsel_plan_t one = {.count = 1, .op = {plan->op[i]}};
        bootsel_apply(&now, &one);
    }
    return plan->count;
}

static void run_cut(cells_t *cells, const bootsel_plan_t *plan, uint32_t op, cut_t cut)
{
    for (uint32_t i = 0; i < op; i++) {
        do_op(cells, &plan->op[i]);
    }
    if (op < plan->count) {
        cut_op(cells, &plan->op[op], cut);
    }
}

/* From here on the flash must say exactly this, however often it is read, tidied up and cut. */
static void expect_stable(scene_t *scene, cells_t *cells, const records_t *records, uint32_t op, uint32_t seed)
{
    scene->allowed[0] = *records;
    scene->first_allowed = 0;
    scene->last_allowed = 0;
    for (int read = 0; read < READS; read++) {
        bootsel_input_t seen = read_cells(cells);
        check_seen(scene, &seen, op, CUT_AFTER, seed);
    }
    recover(scene, cells, 2, op, CUT_AFTER, seed);
}

/* Some transitions that are cut anywhere, as a device sees that does or does not notice them; tidied up or not. */
static void scar(cells_t *cells)
{
    for (uint32_t scars = 1 + draw() % 3; scars > 0; scars--) {
        bootsel_plan_t plan;
        bootsel_input_t seen = read_cells(cells);
        if (!tidy_plan(&seen, &plan)) {
            plan_any(&seen, &plan);
        }
        /* Mostly around the entry: that is where old and new meet. */
        uint32_t op = (draw() & 1) != 0 ? draw() % 3 : draw() % plan.count;
        run_cut(cells, &plan, op, (cut_t)(draw() % CUT_KINDS));
    }
}

static void settle_what_is_seen(cells_t *cells, bootsel_input_t *seen)
{
    bootsel_plan_t plan;
    *seen = read_cells(cells);
    for (int boot = 0; boot < MAX_RECOVERY && tidy_plan(seen, &plan); boot++) {
        run_cut(cells, &plan, plan.count, CUT_BEFORE);
        *seen = read_cells(cells);
    }
}

static void what_a_plan_has_committed_is_never_taken_back(void **state)
{
    (void)state;
    unsigned cut_plans = 0;
    unsigned whole_plans = 0;
    for (uint32_t seed = 1; seed <= 3000; seed++) {
        scene_t scene = scene_of("history", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
        cells_t cells = {.input = scene.device.input};
        bootsel_input_t seen;
        bootsel_plan_t plan;
        random_state = seed * 2654435761u + 7;
        scar(&cells);
        settle_what_is_seen(&cells, &seen);
        plan_any(&seen, &plan);
        bootsel_input_t after = seen;
        bootsel_apply(&after, &plan);
        records_t records = records_of(&after);
        uint32_t commit = commit_of(&seen, &plan);
        /* Cut cleanly, somewhere behind the commit; or not at all. */
        uint32_t stop = commit + draw() % (plan.count - commit + 1);
        run_cut(&cells, &plan, stop, CUT_BEFORE);
        cut_plans += stop < plan.count ? 1 : 0;
        whole_plans += stop == plan.count ? 1 : 0;
        expect_stable(&scene, &cells, &records, stop, seed);
    }
    assert_true(cut_plans > 1000);
    assert_true(whole_plans > 100);
}

/* Carries out a plan up to and with the entry that commits it. */
static bootsel_input_t interrupt(const bootsel_input_t *input, const bootsel_plan_t *plan)
{
    bootsel_input_t now = *input;
    bootsel_plan_t begun = *plan;
    begun.count = commit_of(input, plan);
    bootsel_apply(&now, &begun);
    return now;
}

/* An operation failed, nothing restarted, and the app goes on to change the other record. */
static void a_transition_ends_the_interrupted_one_of_the_other_record_first(void **state)
{
    (void)state;
    scene_t scene = scene_of("other", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    assert_err(bootsel_confirm(&scene.device.input, 1, &scene.plan), ESP_OK);
    bootsel_input_t now = interrupt(&scene.device.input, &scene.plan);
    assert_int_equal(otadata_decode(now.area[1]).state, PENDING);
    assert_int_equal(bootsel_record(&now, 1).state, VALID);
    bootsel_plan_t plan;
    assert_err(bootsel_begin(&now, 0, &plan), ESP_OK);
    bootsel_apply(&now, &plan);
    assert_int_equal(otadata_decode(now.area[1]).state, VALID);
    assert_true(otadata_decode(now.area[0]).blank);
}

/* An operation failed, nothing restarted, and the app changes the same record again: two entries that differ. A flash with a
 * cache must not lose the older one's wipe and keep the newer one's. */
static void an_older_entry_is_wiped_durably_before_the_newest(void **state)
{
    (void)state;
    scene_t scene = scene_of("older", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    assert_err(bootsel_confirm(&scene.device.input, 1, &scene.plan), ESP_OK);
    bootsel_input_t now = interrupt(&scene.device.input, &scene.plan);
    bootsel_plan_t plan;
    assert_err(bootsel_invalidate(&now, 1, &plan), ESP_OK);
    const bootsel_op_t *last = &plan.op[plan.count - 4];
    assert_int_equal(last[0].kind, BOOTSEL_OP_ZERO);
    assert_int_equal(last[1].kind, BOOTSEL_OP_SYNC);
    assert_int_equal(last[2].kind, BOOTSEL_OP_ZERO);
    assert_int_equal(last[3].kind, BOOTSEL_OP_SYNC);
    assert_true(last[0].off < last[2].off);
    bootsel_apply(&now, &plan);
    assert_int_equal(bootsel_record(&now, 1).state, ESP_OTA_IMG_INVALID);
}

/* The entry was cut, and its cells read as if it had never been begun: a boot that believes so makes it stay so. */
static void what_is_left_of_an_entry_is_wiped_before_anything_boots(void **state)
{
    (void)state;
    scene_t scene = scene_of("left", (device_record_t){1, VALID, false}, (device_record_t){2, VALID, false});
    assert_err(bootsel_begin(&scene.device.input, 0, &scene.plan), ESP_OK);
    cells_t cells = {.input = scene.device.input};
    random_state = 5;
    uint32_t entry = commit_of(&scene.device.input, &scene.plan) - 1;
    run_cut(&cells, &scene.plan, entry, CUT_WEAK);
    bootsel_input_t seen = cells.input;
    assert_int_equal(bootsel_record(&seen, 0).state, VALID);
    bootsel_decision_t decision;
    bootsel_boot(&seen, 0, &decision);
    assert_true(decision.first);
    run_cut(&cells, &decision.plan, decision.plan.count, CUT_BEFORE);
    for (int read = 0; read < 20; read++) {
        seen = read_cells(&cells);
        assert_int_equal(bootsel_record(&seen, 0).state, VALID);
        bootsel_boot(&seen, 0, &decision);
        assert_false(decision.first);
    }
}

/* An entry speaks from the last place in which a change may begin, and the app changes the same record again: the journal is
 * emptied for that, and what the entry says must not be lost on the way. */
static void an_entry_in_a_crowded_journal_is_ended_before_the_journal_is_emptied(void **state)
{
    (void)state;
    const uint32_t place = JOURNAL_PLACES - 8;
    scene_t scene = scene_of("crowded", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    assert_err(bootsel_confirm(&scene.device.input, 1, &scene.plan), ESP_OK);
    const bootsel_op_t *entry = &scene.plan.op[1];
    assert_int_equal(entry->off, JOURNAL_OFF);
    uint8_t *journal = scene.device.input.area[0];
    memset(journal + JOURNAL_MARKS_OFF, 0, (place + 1) * JOURNAL_MARK_BYTES);
    memset(journal + JOURNAL_OFF, 0, place * JOURNAL_PLACE_BYTES);
    memcpy(journal + JOURNAL_OFF + place * JOURNAL_PLACE_BYTES, entry->bytes, JOURNAL_PLACE_BYTES);
    assert_int_equal(bootsel_record(&scene.device.input, 1).state, VALID);
    assert_err(bootsel_invalidate(&scene.device.input, 1, &scene.plan), ESP_OK);
    cut_everywhere(&scene, 2, 20);
    assert_int_equal(scene.allowed[0].record[1].state, VALID);
    assert_int_equal(scene.allowed[1].record[1].state, ESP_OTA_IMG_INVALID);
}

/* The mark of the last attempt may be half programmed: the next one sets it again together with its own. */
static void every_attempt_sets_all_marks_so_far_again(void **state)
{
    (void)state;
    scene_t scene = scene_of("marks", (device_record_t){1, VALID, false}, (device_record_t){2, PENDING, false});
    bootsel_input_t now = scene.device.input;
    for (uint32_t attempt = 0; attempt < 5; attempt++) {
        assert_err(bootsel_invalidate(&now, 1, &scene.plan), ESP_OK);
        const bootsel_op_t *marks = scene.plan.op;
        assert_int_equal(marks->kind, BOOTSEL_OP_ZERO);
        assert_int_equal(marks->sector, 0);
        assert_int_equal(marks->off, JOURNAL_MARKS_OFF);
        assert_int_equal(marks->len, (attempt + 1) * JOURNAL_MARK_BYTES);
        bootsel_plan_t only_marks = {.count = 1, .op = {*marks}};
        bootsel_apply(&now, &only_marks);
    }
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_transition_ends_the_interrupted_one_of_the_other_record_first),
    cmocka_unit_test(an_older_entry_is_wiped_durably_before_the_newest),
    cmocka_unit_test(an_entry_in_a_crowded_journal_is_ended_before_the_journal_is_emptied),
    cmocka_unit_test(every_attempt_sets_all_marks_so_far_again),
    cmocka_unit_test(what_is_left_of_an_entry_is_wiped_before_anything_boots),
    cmocka_unit_test(what_a_plan_has_committed_is_never_taken_back),
    cmocka_unit_test(confirming_is_atomic),
    cmocka_unit_test(refusing_is_atomic),
    cmocka_unit_test(aborting_is_atomic),
    cmocka_unit_test(the_first_boot_of_a_new_app_is_atomic),
    cmocka_unit_test(the_first_boot_of_a_device_is_atomic),
    cmocka_unit_test(switching_is_atomic),
    cmocka_unit_test(choosing_again_is_atomic),
    cmocka_unit_test(forgetting_a_record_is_atomic),
    cmocka_unit_test(switching_to_factory_forgets_the_active_record_last),
    cmocka_unit_test(renumbering_moves_one_record_at_a_time),
    cmocka_unit_test(a_full_journal_is_emptied_atomically),
    cmocka_unit_test(a_transition_that_is_cut_fifty_times_still_ends),
    cmocka_unit_test(a_finished_plan_leaves_the_record_where_esp_idf_reads_it),
    cmocka_unit_test(any_bytes_in_the_journals_end_in_plans_that_fit),
};

TEST_MAIN(tests)
