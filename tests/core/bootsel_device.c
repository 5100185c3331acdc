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
    memset(device->input.record, 0xFF, sizeof(device->input.record));
}

void device_set(bootsel_device_t *device, uint32_t sector, device_record_t record)
{
    uint8_t *bytes = device->input.record[sector];
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

static void program(bootsel_device_t *device, const bootsel_op_t *op)
{
    uint8_t *bytes = device->input.record[op->sector];
    assert_true(bytes_all(bytes, OTADATA_RECORD_BYTES, 0xFF));
    memcpy(bytes, op->bytes, OTADATA_RECORD_BYTES);
    otadata_record_t record = otadata_decode(bytes);
    assert_true(record.good);
    char what[64];
    const char *state = otadata_state_name(record.state);
    (void)snprintf(what, sizeof(what), "W%u seq%u %s", (unsigned)op->sector, (unsigned)record.seq, state);
    trace(device->writes, sizeof(device->writes), ", ", what);
}

static void erase(bootsel_device_t *device, const bootsel_plan_t *plan, uint32_t index)
{
    const bootsel_op_t *op = &plan->op[index];
    memset(device->input.record[op->sector], 0xFF, OTADATA_RECORD_BYTES);
    /* An erase that a program of the same sector follows is part of that write. */
    bool rewritten = index + 2 < plan->count && plan->op[index + 2].kind == BOOTSEL_OP_PROGRAM &&
                     plan->op[index + 2].sector == op->sector;
    if (!rewritten) {
        char what[8];
        (void)snprintf(what, sizeof(what), "E%u", (unsigned)op->sector);
        trace(device->writes, sizeof(device->writes), ", ", what);
    }
}

void device_execute(bootsel_device_t *device, const bootsel_plan_t *plan)
{
    assert_true(plan->count <= BOOTSEL_PLAN_MAX);
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->op[i].kind == BOOTSEL_OP_ERASE) {
            erase(device, plan, i);
        } else if (plan->op[i].kind == BOOTSEL_OP_PROGRAM) {
            program(device, &plan->op[i]);
        }
    }
    assert_true(plan->count == 0 || plan->op[plan->count - 1].kind == BOOTSEL_OP_SYNC);
}

int device_boot(bootsel_device_t *device, bootsel_reason_t *reason)
{
    bootsel_set_t failed = 0;
    bootsel_decision_t decision;
    device->tried[0] = '\0';
    for (int round = 0; round < 64; round++) {
        bootsel_boot(&device->input, failed, &decision);
        if (decision.before.count > 0) {
            device_execute(device, &decision.before);
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
            device_execute(device, &decision.commit);
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
