/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/core/bootsel_device.h"

#include "core/util/bytes.h"
#include "tests/support/test.h"

void device_make(bootsel_device_t *device, uint32_t slots, bool factory)
{
    memset(device, 0, sizeof(*device));
    device->input.has_otadata = true;
    device->input.slot_count = slots;
    device->input.present = ((1u << slots) - 1) | (factory ? BOOTSEL_SET_FACTORY : 0);
    device->input.rollback = true;
    memset(device->input.area, 0xFF, sizeof(device->input.area));
}

void device_set(bootsel_device_t *device, uint32_t sector, device_record_t record)
{
    uint8_t *bytes = device->input.area[sector];
    if (record.seq == 0 && !record.bad_crc) {
        memset(bytes, 0xFF, OTADATA_RECORD_BYTES);
        return;
    }
    otadata_encode(bytes, record.seq, record.state);
    bytes[28] ^= record.bad_crc ? 0x55 : 0;
}

static void trace(char *text, size_t size, const char *separator, const char *what)
{
    size_t used = strlen(text);
    int len = snprintf(text + used, size - used, "%s%s", used > 0 ? separator : "", what);
    assert_true(len >= 0 && (size_t)len < size - used);
}

/* NOR: a program clears bits and cannot set one. */
static void check_nor(const bootsel_device_t *device, const bootsel_op_t *op)
{
    const uint8_t *now = device->input.area[op->sector] + op->off;
    assert_true((size_t)op->off + op->len <= BOOTSEL_AREA_BYTES);
    for (uint32_t i = 0; i < op->len; i++) {
        uint8_t wanted = op->kind == BOOTSEL_OP_ZERO ? 0 : op->bytes[i];
        assert_int_equal(now[i] & wanted, wanted);
    }
}

static void trace_record(bootsel_device_t *device, const bootsel_op_t *op)
{
    otadata_record_t record = otadata_decode(op->bytes);
    char what[64];
    assert_true(record.good);
    (void)snprintf(what, sizeof(what), "W%u seq%u %s", (unsigned)op->sector, (unsigned)record.seq,
                   otadata_state_name(record.state));
    trace(device->writes, sizeof(device->writes), ", ", what);
}

/* An erase that a program of the record follows is part of that write. */
static void trace_erase(bootsel_device_t *device, const bootsel_op_t *op, const bootsel_op_t *next)
{
    bool rewritten = next->kind == BOOTSEL_OP_PROGRAM && next->sector == op->sector && next->off == 0;
    if (!rewritten) {
        char what[8];
        (void)snprintf(what, sizeof(what), "E%u", (unsigned)op->sector);
        trace(device->writes, sizeof(device->writes), ", ", what);
    }
}

static void execute_op(bootsel_device_t *device, const bootsel_op_t *op, const bootsel_op_t *next)
{
    assert_in_range(op->sector, 0, OTADATA_SECTORS - 1);
    if (op->kind == BOOTSEL_OP_ERASE) {
        trace_erase(device, op, next);
    } else if (op->kind != BOOTSEL_OP_SYNC) {
        check_nor(device, op);
        if (op->kind == BOOTSEL_OP_PROGRAM && op->off == 0) {
            trace_record(device, op);
        }
    }
    bootsel_plan_t one = {.count = 1, .op = {*op}};
    bootsel_apply(&device->input, &one);
}

void device_execute(bootsel_device_t *device, const bootsel_plan_t *plan)
{
    assert_true(plan->count < BOOTSEL_PLAN_MAX);
    assert_true(plan->count == 0 || plan->op[plan->count - 1].kind == BOOTSEL_OP_SYNC);
    for (uint32_t i = 0; i < plan->count; i++) {
        execute_op(device, &plan->op[i], &plan->op[i + 1 < plan->count ? i + 1 : i]);
    }
}

int device_boot(bootsel_device_t *device, bootsel_reason_t *reason)
{
    bootsel_set_t failed = 0;
    bootsel_decision_t decision;
    device->tried[0] = '\0';
    for (int round = 0; round < 64; round++) {
        bootsel_boot(&device->input, failed, &decision);
        if (decision.first) {
            assert_true(decision.plan.count > 0);
            device_execute(device, &decision.plan);
            continue;
        }
        if (reason != NULL) {
            *reason = decision.reason;
        }
        if (decision.slot == BOOTSEL_SLOT_NONE) {
            return BOOTSEL_SLOT_NONE;
        }
        trace(device->tried, sizeof(device->tried), " ", device_slot_name(decision.slot));
        if ((device->corrupt & bootsel_set_of(decision.slot)) == 0) {
            device_execute(device, &decision.plan);
            return decision.slot;
        }
        failed |= bootsel_set_of(decision.slot);
    }
    fail_msg("the boot decision does not end");
    return BOOTSEL_SLOT_NONE;
}

const char *device_slot_name(int slot)
{
    static const char *const names[] = {"nothing", "test",   "factory", "ota_0",  "ota_1", "ota_2", "ota_3",
                                        "ota_4",   "ota_5",  "ota_6",   "ota_7",  "ota_8", "ota_9", "ota_10",
                                        "ota_11",  "ota_12", "ota_13",  "ota_14", "ota_15"};
    return names[slot + 3];
}

void device_clear_trace(bootsel_device_t *device)
{
    device->writes[0] = '\0';
    device->tried[0] = '\0';
}
