/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot selection on any two otadata records and journals. The boot loop ends, with a candidate unless all failed or were
 * refused; plans are bounded, sound on NOR and end durable; each transition does what it says; a power cut between any two of
 * its operations, or within one, leaves each record as it was or as it becomes, and a device that boots.
 *
 * Input: see take_case().
 */
#include "fuzz/fuzz.h"

#include <string.h>

#include "core/bootsel/bootsel.h"
#include "core/util/bytes.h"

#define ALL_SLOTS  0xFFFFu
#define MAX_ROUNDS 32

typedef struct boot_case {
    bootsel_input_t input;
    bootsel_set_t corrupt; /* Apps that do not verify. */
    int running;
    int target;
    uint8_t cut;                        /* Operations of a plan that are carried out before the power goes. */
    uint8_t torn[OTADATA_RECORD_BYTES]; /* What the one under way leaves. */
} boot_case_t;

/* A record: of any bytes, or with a good CRC, or blank. */
static void take_record(fuzz_input_t *input, uint8_t record[OTADATA_RECORD_BYTES])
{
    memset(record, 0xFF, OTADATA_RECORD_BYTES);
    switch (fuzz_take_u8(input) & 3) {
    case 0:
        fuzz_take_bytes(input, record, OTADATA_RECORD_BYTES);
        break;
    case 1: {
        uint32_t seq = fuzz_take_u32(input);
        otadata_encode(record, seq, fuzz_take_u32(input));
        break;
    }
    case 2: {
        uint32_t seq = fuzz_take_u8(input);
        uint8_t state = fuzz_take_u8(input) % 8;
        otadata_encode(record, seq > 0xF0 ? UINT32_MAX - (0xFF - seq) : seq, state > 5 ? UINT32_MAX : state);
        break;
    }
    default:
        break;
    }
}

static int take_slot(fuzz_input_t *input)
{
    return fuzz_take_u8(input) % 20 - 3;
}

/* A journal: blank, or some of it any bytes. */
static void take_journal(fuzz_input_t *input, uint8_t area[BOOTSEL_AREA_BYTES])
{
    size_t len = (size_t)fuzz_take_u8(input) * 4;
    size_t room = BOOTSEL_AREA_BYTES - OTADATA_RECORD_BYTES;
    fuzz_take_bytes(input, area + OTADATA_RECORD_BYTES, len < room ? len : room);
}

static boot_case_t take_case(fuzz_input_t *in)
{
    boot_case_t c = {.cut = 0};
    uint8_t flags = fuzz_take_u8(in);
    c.input.has_otadata = (flags & 1) == 0;
    c.input.rollback = (flags & 2) == 0;
    c.input.present = fuzz_take_u32(in) & (ALL_SLOTS | BOOTSEL_SET_FACTORY | BOOTSEL_SET_TEST);
    for (uint32_t slots = c.input.present & ALL_SLOTS; slots != 0; slots &= slots - 1) {
        c.input.slot_count++;
    }
    if ((flags & 4) != 0) { /* Slots without gaps, as ptable_check() wants them. */
        c.input.present = (c.input.present & ~ALL_SLOTS) | ((1u << c.input.slot_count) - 1);
    }
    c.corrupt = fuzz_take_u32(in);
    c.running = take_slot(in);
    c.target = take_slot(in);
    c.cut = fuzz_take_u8(in) % (BOOTSEL_PLAN_MAX + 1);
    for (int sector = 0; sector < OTADATA_SECTORS; sector++) {
        memset(c.input.area[sector], 0xFF, BOOTSEL_AREA_BYTES);
        take_record(in, c.input.area[sector]);
        take_journal(in, c.input.area[sector]);
    }
    fuzz_take_bytes(in, c.torn, sizeof(c.torn));
    return c;
}

static bool has(bootsel_set_t set, int slot)
{
    return (set & bootsel_set_of(slot)) != 0;
}

/* ---- Plans ---- */

static uint8_t wanted_byte(const bootsel_op_t *op, uint32_t index)
{
    if (op->kind == BOOTSEL_OP_ERASE) {
        return 0xFF;
    }
    return op->kind == BOOTSEL_OP_ZERO ? 0 : op->bytes[index];
}

static uint32_t touched_len(const bootsel_op_t *op)
{
    if (op->kind == BOOTSEL_OP_SYNC) {
        return 0;
    }
    return op->kind == BOOTSEL_OP_ERASE ? BOOTSEL_AREA_BYTES : op->len;
}

static void carry_out(bootsel_input_t *input, const bootsel_op_t *op)
{
    FUZZ_CHECK(op->sector < OTADATA_SECTORS);
    FUZZ_CHECK((uint32_t)op->off + touched_len(op) <= BOOTSEL_AREA_BYTES);
    FUZZ_CHECK(op->kind != BOOTSEL_OP_PROGRAM || op->len <= sizeof(op->bytes));
    for (uint32_t i = 0; op->kind != BOOTSEL_OP_ERASE && i < touched_len(op); i++) {
        /* NOR: no program sets a bit. */
        FUZZ_CHECK((input->area[op->sector][op->off + i] & wanted_byte(op, i)) == wanted_byte(op, i));
    }
    bootsel_plan_t one = {.count = 1, .op = {*op}};
    bootsel_apply(input, &one);
}

/* A record that was written is blank, or as ESP-IDF writes it. */
static void check_written(const uint8_t record[OTADATA_RECORD_BYTES])
{
    otadata_record_t decoded = otadata_decode(record);
    FUZZ_CHECK(decoded.blank || (decoded.good && bytes_all(record + 4, 20, 0xFF)));
    FUZZ_CHECK(decoded.blank || (decoded.seq != 0 && decoded.seq != UINT32_MAX));
}

static void execute(bootsel_input_t *input, const bootsel_plan_t *plan)
{
    FUZZ_CHECK(plan->count < BOOTSEL_PLAN_MAX);
    FUZZ_CHECK(plan->count == 0 || input->has_otadata);
    FUZZ_CHECK(plan->count == 0 || plan->op[plan->count - 1].kind == BOOTSEL_OP_SYNC);
    bootsel_input_t before = *input;
    for (uint32_t i = 0; i < plan->count; i++) {
        carry_out(input, &plan->op[i]);
    }
    for (int i = 0; i < OTADATA_SECTORS; i++) {
        if (memcmp(before.area[i], input->area[i], OTADATA_RECORD_BYTES) != 0) {
            check_written(input->area[i]);
        }
    }
}

/* The power goes: some operations are done, the one under way leaves anything (torn; kept bits for a program). */
static void execute_cut(bootsel_input_t *input, const bootsel_plan_t *plan, const boot_case_t *c, bool torn)
{
    uint32_t done = c->cut < plan->count ? c->cut : plan->count;
    for (uint32_t i = 0; i < done; i++) {
        carry_out(input, &plan->op[i]);
    }
    if (!torn || done == plan->count || plan->op[done].kind == BOOTSEL_OP_SYNC) {
        return;
    }
    const bootsel_op_t *op = &plan->op[done];
    for (uint32_t i = 0; i < touched_len(op); i++) {
        uint8_t *byte = &input->area[op->sector][op->off + i];
        uint8_t torn_bits = c->torn[i % sizeof(c->torn)];
        *byte = (uint8_t)((*byte & torn_bits) | (wanted_byte(op, i) & ~torn_bits));
    }
}

/* ---- Boot ---- */

static bool is_invalid(const bootsel_input_t *input, int slot)
{
    uint32_t state;
    return input->has_otadata && bootsel_state(input, slot, &state) && state == ESP_OTA_IMG_INVALID;
}

static void check_nothing_left(const bootsel_input_t *input, bootsel_set_t failed)
{
    for (int slot = BOOTSEL_SLOT_TEST; slot < 16; slot++) {
        FUZZ_CHECK(!has(input->present, slot) || has(failed, slot) || is_invalid(input, slot));
    }
}

/* A boot, and where the power goes within it. */
typedef struct boot_run {
    bootsel_input_t *input;
    bootsel_set_t corrupt;
    bootsel_reason_t reason;
    const boot_case_t *cut; /* NULL: it does not. */
    uint32_t left;          /* Operations until then. */
} boot_run_t;

/* False if the power went. */
static bool execute_on(boot_run_t *run, const bootsel_plan_t *plan)
{
    if (run->cut == NULL || plan->count <= run->left) {
        execute(run->input, plan);
        run->left -= run->cut != NULL ? plan->count : 0;
        return true;
    }
    boot_case_t rest = *run->cut;
    rest.cut = (uint8_t)run->left;
    execute_cut(run->input, plan, &rest, true);
    return false;
}

/* Boots as the bootloader does. Who runs, or BOOTSEL_SLOT_NONE; this too if the power went. */
static int run_boot(boot_run_t *run)
{
    bootsel_set_t failed = 0;
    bootsel_decision_t decision;
    for (int round = 0; round < MAX_ROUNDS; round++) {
        bootsel_boot(run->input, failed, &decision);
        if (decision.first) {
            if (!execute_on(run, &decision.plan)) {
                return BOOTSEL_SLOT_NONE;
            }
            continue;
        }
        run->reason = decision.reason;
        if (decision.slot == BOOTSEL_SLOT_NONE) {
            check_nothing_left(run->input, failed);
            return BOOTSEL_SLOT_NONE;
        }
        FUZZ_CHECK(has(run->input->present, decision.slot) && !has(failed, decision.slot));
        FUZZ_CHECK(!is_invalid(run->input, decision.slot));
        if (!has(run->corrupt, decision.slot)) {
            return execute_on(run, &decision.plan) ? decision.slot : BOOTSEL_SLOT_NONE;
        }
        failed |= bootsel_set_of(decision.slot);
    }
    fuzz_fail("the boot loop ends", __FILE__, __LINE__);
}

static int boot(bootsel_input_t *input, bootsel_set_t corrupt, bootsel_reason_t *reason)
{
    boot_run_t run = {.input = input, .corrupt = corrupt};
    int slot = run_boot(&run);
    *reason = run.reason;
    return slot;
}

static int boot_copy(const bootsel_input_t *input, bootsel_set_t corrupt)
{
    bootsel_input_t copy = *input;
    bootsel_reason_t reason;
    return boot(&copy, corrupt, &reason);
}

/* What otadata says of the app that was just chosen. With rollback on, one boot is all that an unconfirmed one gets. */
static void check_recorded(const bootsel_input_t *input, int slot, bootsel_reason_t reason)
{
    uint32_t state;
    if (!input->rollback || !input->has_otadata || !bootsel_state(input, slot, &state)) {
        return;
    }
    bool confirmed = state == ESP_OTA_IMG_VALID || state == ESP_OTA_IMG_UNDEFINED;
    bool again = state == ESP_OTA_IMG_ABORTED;
    FUZZ_CHECK(confirmed || state == ESP_OTA_IMG_PENDING_VERIFY || again);
    FUZZ_CHECK(again == (reason == BOOTSEL_REASON_LAST_RESORT));
}

static void check_boot(const boot_case_t *c)
{
    bootsel_input_t input = c->input;
    bootsel_reason_t reason;
    int first = boot(&input, c->corrupt, &reason);
    FUZZ_CHECK(bootsel_reason_text(reason)[0] != '\0');
    check_recorded(&input, first, reason);
    /* One that nothing was wrong with boots again and again: it may be another one the second time. */
    for (int i = 0; i < 3 && first != BOOTSEL_SLOT_NONE; i++) {
        uint32_t state = 0;
        int last = first;
        bool pending = bootsel_state(&input, last, &state) && state == ESP_OTA_IMG_PENDING_VERIFY;
        first = boot(&input, c->corrupt, &reason);
        FUZZ_CHECK(first != BOOTSEL_SLOT_NONE);
        FUZZ_CHECK(first != last || !pending || !input.rollback || reason == BOOTSEL_REASON_LAST_RESORT);
        check_recorded(&input, first, reason);
    }
}

/* Cut anywhere in a boot: if it would have found somebody, the next one does. */
static void check_boot_cut(const boot_case_t *c)
{
    bootsel_input_t input = c->input;
    boot_run_t run = {.input = &input, .corrupt = c->corrupt, .cut = c, .left = c->cut};
    bool boots = boot_copy(&input, c->corrupt) != BOOTSEL_SLOT_NONE;
    (void)run_boot(&run);
    FUZZ_CHECK((boot_copy(&input, c->corrupt) != BOOTSEL_SLOT_NONE) == boots);
}

/* ---- Transitions ---- */

static bool same_record(const bootsel_input_t *a, const bootsel_input_t *b, int index)
{
    otadata_record_t x = bootsel_record(a, index);
    otadata_record_t y = bootsel_record(b, index);
    return x.good == y.good && (!x.good || (x.seq == y.seq && x.state == y.state));
}

/* Whatever is cut: each record is the one before or after the operation under way, and the device boots. */
static void check_cut(const boot_case_t *c, const bootsel_plan_t *plan, bootsel_set_t corrupt)
{
    boot_case_t one_more = *c;
    bootsel_input_t before = c->input;
    bootsel_input_t after = c->input;
    bootsel_input_t torn = c->input;
    one_more.cut++;
    execute_cut(&before, plan, c, false);
    execute_cut(&after, plan, &one_more, false);
    execute_cut(&torn, plan, c, true);
    for (int i = 0; c->input.has_otadata && i < OTADATA_SECTORS; i++) {
        FUZZ_CHECK(same_record(&torn, &before, i) || same_record(&torn, &after, i));
    }
    (void)boot_copy(&torn, corrupt);
}

/* The app that runs is what boots: a cut switch boots it or the new one, no third. */
static void check_switch_cut(const boot_case_t *c, const bootsel_plan_t *plan)
{
    bootsel_set_t corrupt = c->corrupt & ~bootsel_set_of(c->target);
    uint32_t state;
    bool confirmed = bootsel_state(&c->input, c->running, &state) && state == ESP_OTA_IMG_VALID;
    if (!confirmed || bootsel_active(&c->input) < 0 || boot_copy(&c->input, corrupt) != c->running) {
        return;
    }
    bootsel_input_t input = c->input;
    execute_cut(&input, plan, c, true);
    int now = boot_copy(&input, corrupt);
    FUZZ_CHECK(now == c->running || now == c->target);
}

/* The way back: the record of the app that runs outlives a switch to another slot. */
static void check_way_back(const boot_case_t *c, const bootsel_input_t *after)
{
    uint32_t was = 0;
    uint32_t is = 0;
    if (c->target >= 0 && c->target != c->running && bootsel_state(&c->input, c->running, &was)) {
        FUZZ_CHECK(bootsel_state(after, c->running, &is) && is == was);
    }
}

static bool is_slot(const bootsel_input_t *input, int slot)
{
    return slot >= 0 && (uint32_t)slot < input->slot_count && has(input->present, slot);
}

static void check_switch(const boot_case_t *c)
{
    bootsel_plan_t plan;
    bootsel_input_t input = c->input;
    esp_err_t err = bootsel_switch(&input, c->running, c->target, &plan);
    if (!input.has_otadata) {
        FUZZ_CHECK(err == ESP_ERR_NOT_FOUND && plan.count == 0);
        return;
    }
    bool known = is_slot(&input, c->target) || (c->target == BOOTSEL_SLOT_FACTORY && has(input.present, c->target));
    FUZZ_CHECK(err == (known ? ESP_OK : ESP_ERR_INVALID_ARG));
    if (err != ESP_OK) {
        FUZZ_CHECK(plan.count == 0);
        return;
    }
    execute(&input, &plan);
    if (c->target != c->running) {
        FUZZ_CHECK(boot_copy(&input, c->corrupt & ~bootsel_set_of(c->target)) == c->target);
    }
    check_way_back(c, &input);
    check_cut(c, &plan, c->corrupt & ~bootsel_set_of(c->target));
    check_switch_cut(c, &plan);
}

static esp_err_t judge(const bootsel_input_t *input, int running, bool confirm, bootsel_plan_t *plan)
{
    return confirm ? bootsel_confirm(input, running, plan) : bootsel_invalidate(input, running, plan);
}

static void check_judged(const boot_case_t *c, bool confirm)
{
    bootsel_plan_t plan;
    bootsel_plan_t again;
    bootsel_input_t input = c->input;
    esp_err_t err = judge(&input, c->running, confirm, &plan);
    if (!input.has_otadata) {
        FUZZ_CHECK(err == ESP_ERR_NOT_FOUND && plan.count == 0);
        return;
    }
    FUZZ_CHECK(err == (is_slot(&input, c->running) ? ESP_OK : ESP_FAIL));
    if (err != ESP_OK) {
        FUZZ_CHECK(plan.count == 0);
        return;
    }
    execute(&input, &plan);
    uint32_t state = 0;
    uint32_t wanted = confirm ? ESP_OTA_IMG_VALID : ESP_OTA_IMG_INVALID;
    FUZZ_CHECK(bootsel_state(&input, c->running, &state) && state == wanted);
    FUZZ_CHECK(judge(&input, c->running, confirm, &again) == ESP_OK && again.count == 0);
    int next = boot_copy(&input, c->corrupt & ~bootsel_set_of(c->running));
    FUZZ_CHECK(confirm ? next != BOOTSEL_SLOT_NONE : next != c->running);
    check_cut(c, &plan, c->corrupt);
}

static void check_begin(const boot_case_t *c)
{
    bootsel_plan_t plan;
    bootsel_input_t input = c->input;
    uint32_t state;
    esp_err_t err = bootsel_begin(&input, c->target, &plan);
    FUZZ_CHECK(err == (is_slot(&input, c->target) ? ESP_OK : ESP_ERR_INVALID_ARG));
    execute(&input, &plan);
    FUZZ_CHECK(err != ESP_OK || !bootsel_state(&input, c->target, &state));
    check_cut(c, &plan, c->corrupt);
}

static void check_rollback_target(const boot_case_t *c)
{
    int target = bootsel_rollback_target(&c->input, c->running, c->corrupt);
    if (target == BOOTSEL_SLOT_NONE) {
        return;
    }
    uint32_t state = ESP_OTA_IMG_VALID;
    FUZZ_CHECK(target != c->running && has(c->input.present, target) && !has(c->corrupt, target));
    (void)(c->input.has_otadata && bootsel_state(&c->input, target, &state));
    FUZZ_CHECK(state != ESP_OTA_IMG_INVALID && state != ESP_OTA_IMG_ABORTED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_input_t input = {data, size};
    boot_case_t c = take_case(&input);
    check_boot(&c);
    check_boot_cut(&c);
    check_switch(&c);
    check_judged(&c, true);
    check_judged(&c, false);
    check_begin(&c);
    check_rollback_target(&c);
    return 0;
}
