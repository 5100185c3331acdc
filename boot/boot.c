/* SPDX-License-Identifier: Apache-2.0 */
/* The boot: ask core, verify and load what it names in one read of flash, write what it asks for. */
#include "boot/boot.h"

#include <string.h>

#include "boot/text.h"
#include "core/bootsel/slots.h"
#include "core/trust/policy.h"

/* Flash is read in pieces of this size. */
#define READ_BYTES 4096u

/* otadata can be rewritten before a candidate is tried: to end an interrupted transition, and once for each record. */
#define MAX_ROUNDS (BOOT_MAX_FAILURES + 12)

/* So often is a write to otadata tried in one boot. */
#define MAX_OTADATA_ERRORS 2

static void say(const boot_env_t *env, boot_log_level_t level, const boot_text_t *text)
{
    if (env->log != NULL) {
        env->log(env->log_arg, level, text->chars);
    }
}

static void say_tried(const boot_env_t *env, const ptable_partition_t *partition, bootsel_reason_t reason)
{
    boot_text_t text = {.len = 0};
    boot_text_add(&text, "trying ");
    boot_text_add(&text, partition->label);
    boot_text_add(&text, ": ");
    boot_text_add(&text, bootsel_reason_text(reason));
    say(env, reason == BOOTSEL_REASON_LAST_RESORT ? BOOT_LOG_WARNING : BOOT_LOG_INFO, &text);
}

static void say_failed(const boot_env_t *env, const ptable_partition_t *partition, const boot_failure_t *failure)
{
    boot_text_t text = {.len = 0};
    boot_text_add(&text, partition->label);
    boot_text_add(&text, " does not boot: ");
    boot_text_add(&text,
                  failure->fault != IMAGE_OK ? image_fault_text(failure->fault) : "flash cannot be read or written");
    say(env, BOOT_LOG_ERROR, &text);
}

static void add_state(boot_text_t *text, uint32_t state)
{
    const char *name = otadata_state_name(state);
    if (name != NULL) {
        boot_text_add(text, name);
    } else {
        boot_text_add_number(text, state);
    }
}

static void say_records(const boot_env_t *env, const bootsel_plan_t *plan)
{
    for (uint32_t i = 0; i < plan->count; i++) {
        if (plan->op[i].kind == BOOTSEL_OP_PROGRAM && plan->op[i].off == 0) {
            otadata_record_t record = otadata_decode(plan->op[i].bytes);
            boot_text_t text = {.len = 0};
            boot_text_add(&text, "otadata ");
            boot_text_add_number(&text, plan->op[i].sector);
            boot_text_add(&text, ": sequence ");
            boot_text_add_number(&text, record.seq);
            boot_text_add(&text, " becomes ");
            add_state(&text, record.state);
            say(env, BOOT_LOG_INFO, &text);
        }
    }
}

/* Flash takes no more writes: what is decided counts for this boot, and is decided again at the next. */
static bool is_frozen(const boot_env_t *env, const boot_result_t *result)
{
    return env->dry_run || result->otadata_errors >= MAX_OTADATA_ERRORS;
}

/* Feeds a partition to the walk, and through it to the loader: what is verified is what is loaded. */
static esp_err_t feed(const boot_env_t *env, const ptable_partition_t *partition, image_walk_t *walk)
{
    uint8_t piece[READ_BYTES];
    for (uint32_t off = 0; off < partition->size;) {
        uint32_t len = partition->size - off < READ_BYTES ? partition->size - off : READ_BYTES;
        if (otter_flash_read(env->flash, partition->offset + off, piece, len) != ESP_OK) {
            return ESP_ERR_FLASH_OP_FAIL;
        }
        if (image_feed(walk, piece, len, NULL) != IMAGE_STATUS_MORE) {
            return ESP_OK;
        }
        off += len;
    }
    return ESP_OK;
}

static void keep_findings(boot_result_t *result, const ptable_partition_t *partition, const image_walk_t *walk)
{
    result->partition = *partition;
    result->desc = walk->desc;
    result->image_len = walk->image_len;
    result->entry = walk->header.entry_addr;
    memcpy(result->hash, walk->hash, sizeof(result->hash));
}

/* Verifies a candidate and loads it; the failure says why it does not boot. */
static bool prove(const boot_env_t *env, const ptable_partition_t *partition, boot_result_t *result,
                  boot_failure_t *failure)
{
    const boot_loader_t *loader = env->loader;
    image_sink_t sink = {.segment = NULL};
    if (loader != NULL) {
        sink = (image_sink_t){.segment = loader->segment, .data = loader->data, .arg = loader->arg};
    }
    image_walk_t walk = {.fed = 0};
    image_expect_t expect =
        trust_expect(&result->trust, IMAGE_KIND_APP, partition->size, env->config->chip_id, env->config->chip_revision);
    failure->error = loader != NULL && loader->reset != NULL ? loader->reset(loader->arg) : ESP_OK;
    if (failure->error == ESP_OK) {
        failure->error = image_begin(&walk, &expect, &sink);
    }
    if (failure->error == ESP_OK) {
        failure->error = feed(env, partition, &walk);
    }
    if (failure->error == ESP_OK) {
        failure->fault = image_finish(&walk);
        failure->error = image_fault_err(failure->fault);
    }
    if (failure->error == ESP_OK) {
        keep_findings(result, partition, &walk);
    }
    image_free(&walk);
    return failure->error == ESP_OK;
}

static bool try_candidate(const boot_env_t *env, const bootsel_decision_t *decision, boot_result_t *result)
{
    const ptable_partition_t *partition = bootsel_slot_partition(&result->table, decision->slot);
    boot_failure_t failure = {.slot = decision->slot, .reason = decision->reason};
    say_tried(env, partition, decision->reason);
    if (prove(env, partition, result, &failure)) {
        return true;
    }
    say_failed(env, partition, &failure);
    result->failure[result->failure_count++] = failure;
    return false;
}

/*
 * Raises the anti-rollback floor to the app that is about to run, if its record says that it has confirmed itself; most
 * often the app has burned it then. It has just been verified, so whatever part of this a power cut leaves burned, it boots
 * again. A failure stops nothing: the app meets the floor that there is.
 */
static void burn_floor(const boot_env_t *env, const boot_result_t *result)
{
    uint32_t state;
    uint8_t bits[OTTER_KEY_STORE_BYTES];
    trust_plan_t plan;
    bool confirmed = bootsel_state(&result->input, result->slot, &state) && state == ESP_OTA_IMG_VALID;
    if (!confirmed || env->dry_run || env->key_store == NULL) {
        return;
    }
    esp_err_t err = otter_key_store_read(env->key_store, bits);
    if (err == ESP_OK) {
        trust_plan_confirmed(bits, result->desc.secure_version, &plan);
        err = trust_execute(env->key_store, &plan);
    }
    if (err != ESP_OK) {
        boot_text_t text = {.len = 0};
        boot_text_add(&text, "the anti-rollback floor cannot be raised");
        say(env, BOOT_LOG_WARNING, &text);
    }
}

static void say_error(const boot_env_t *env, const char *what, const char *why)
{
    boot_text_t text = {.len = 0};
    boot_text_add(&text, what);
    boot_text_add(&text, why);
    say(env, BOOT_LOG_ERROR, &text);
}

/* A new app that cannot be marked as started could not be rolled back. A first boot needs no record to be repeated. */
static bool may_run(const boot_env_t *env, const bootsel_decision_t *decision, const boot_result_t *result)
{
    bool marked = decision->plan.count == 0 || !is_frozen(env, result) || env->dry_run;
    return marked || decision->reason == BOOTSEL_REASON_INITIAL;
}

static void refuse(const bootsel_decision_t *decision, boot_result_t *result)
{
    result->failure[result->failure_count++] =
        (boot_failure_t){.slot = decision->slot, .reason = decision->reason, .error = ESP_ERR_FLASH_OP_FAIL};
}

/* What an answer of bootsel leads to. */
typedef enum outcome {
    OUTCOME_ASK_AGAIN,
    OUTCOME_FAILED, /* The candidate is no good. */
    OUTCOME_RUN,
    OUTCOME_ERROR, /* Flash cannot be read. */
} outcome_t;

static void note_error(const boot_env_t *env, boot_result_t *result)
{
    result->otadata_errors++;
    say_error(env, "otadata: ", is_frozen(env, result) ? "cannot be written, going on without" : "cannot be written");
}

/* What counts afterwards is what flash says, whatever it reported: a plan may be done but for what tidies up, and a bit may
 * be stuck. */
static outcome_t write_plan(const boot_env_t *env, const bootsel_decision_t *decision, boot_result_t *result,
                            outcome_t next)
{
    bootsel_input_t wanted = result->input;
    bootsel_apply(&wanted, &decision->plan);
    if (decision->plan.count == 0 || is_frozen(env, result)) {
        result->input = wanted;
        return next;
    }
    say_records(env, &decision->plan);
    bool written = boot_execute(env->flash, result->otadata_offset, &decision->plan) == ESP_OK;
    if (boot_read_input(env->flash, &result->table, env->config->rollback, &result->input, &result->otadata_offset) !=
        ESP_OK) {
        return OUTCOME_ERROR;
    }
    bool same = bootsel_same_records(&wanted, &result->input);
    if (!written || !same) {
        note_error(env, result);
    } else {
        result->input = wanted; /* A wiped place with a bit that is stuck would have to be wiped for ever. */
    }
    return same ? next : OUTCOME_ASK_AGAIN;
}

static outcome_t follow(const boot_env_t *env, const bootsel_decision_t *decision, boot_result_t *result)
{
    if (decision->first) {
        return write_plan(env, decision, result, OUTCOME_ASK_AGAIN);
    }
    if (!may_run(env, decision, result)) {
        refuse(decision, result);
        return OUTCOME_FAILED;
    }
    if (!try_candidate(env, decision, result)) {
        return OUTCOME_FAILED;
    }
    return write_plan(env, decision, result, OUTCOME_RUN);
}

static esp_err_t select_app(const boot_env_t *env, boot_result_t *result)
{
    bootsel_set_t failed = 0;
    for (int round = 0; round < MAX_ROUNDS; round++) {
        bootsel_decision_t decision;
        bootsel_boot(&result->input, failed, &decision);
        if (!decision.first && decision.slot == BOOTSEL_SLOT_NONE) {
            break;
        }
        outcome_t outcome = follow(env, &decision, result);
        if (outcome == OUTCOME_RUN) {
            result->slot = decision.slot;
            result->reason = decision.reason;
            burn_floor(env, result);
            return ESP_OK;
        }
        if (outcome == OUTCOME_ERROR) {
            return ESP_ERR_FLASH_OP_FAIL;
        }
        failed |= outcome == OUTCOME_FAILED ? bootsel_set_of(decision.slot) : 0;
    }
    return result->otadata_errors > 0 ? ESP_ERR_FLASH_OP_FAIL : ESP_ERR_NOT_FOUND;
}

/* If it cannot be done, the table is read from where it lies whole. */
static void settle_table(const boot_env_t *env)
{
    bool settled = false;
    if (env->dry_run) {
        return;
    }
    if (boot_settle_table(env->flash, env->config->partition_table_offset, &settled) != ESP_OK) {
        say_error(env, "partition table: ", "its replacement cannot be ended, flash cannot be written");
    }
    if (settled) {
        boot_text_t text = {.len = 0};
        boot_text_add(&text, "partition table: an interrupted replacement was ended");
        say(env, BOOT_LOG_INFO, &text);
    }
}

/* Everything that a decision rests on. */
static esp_err_t gather(const boot_env_t *env, boot_result_t *result)
{
    if (trust_read(env->key_store, &result->trust) != ESP_OK) {
        result->key_store_failed = true;
        say_error(env, "key store: ", "cannot be read, so nothing is trusted");
        return ESP_FAIL;
    }
    settle_table(env);
    result->table_fault = boot_read_table(env->flash, env->config->partition_table_offset, &result->table);
    if (result->table_fault != PTABLE_OK) {
        say_error(env, "partition table: ", ptable_fault_text(result->table_fault));
        return ESP_ERR_INVALID_STATE;
    }
    esp_err_t err =
        boot_read_input(env->flash, &result->table, env->config->rollback, &result->input, &result->otadata_offset);
    if (err != ESP_OK) {
        say_error(env, "otadata: ", err == ESP_ERR_INVALID_STATE ? "smaller than two sectors" : "cannot be read");
    }
    return err;
}

esp_err_t boot_choose(const boot_env_t *env, boot_result_t *result)
{
    memset(result, 0, sizeof(*result));
    result->slot = BOOTSEL_SLOT_NONE;
    esp_err_t err = gather(env, result);
    if (err != ESP_OK) {
        return err;
    }
    err = select_app(env, result);
    if (err != ESP_OK) {
        result->slot = BOOTSEL_SLOT_NONE;
        say_error(env, "nothing boots: ", err == ESP_ERR_NOT_FOUND ? "no app verifies" : "otadata cannot be written");
    }
    return err;
}
