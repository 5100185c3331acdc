/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An app decides by what the device itself tells it, since it is started again after each cut. Only what happens outside of
 * the device (what the server offers, which cell breaks) is remembered in facts.phase.
 */
#include "tests/torture/scenarios.h"

#include <string.h>

#include "otter/otter_key_store_cells.h"

#define FAULTY_TRIES 3 /* Restarts after which an app gives up on a flash that fails. */

/* ---- Devices to begin with ---- */

static void put(life_t *life, int slot, int app)
{
    catalogue_put(life->catalogue, life->world, life->layout.slot_off[slot], app);
}

static void provision(life_t *life, uint32_t floor)
{
    trust_plan_t plan;
    otter_key_store_cells_t cells;
    otter_key_store_t *store = otter_key_store_cells_init(&cells, life->world->fuses, &life->world->power);
    for (uint32_t i = 0; life->scenario->is_signed && i < APPS_KEYS; i++) {
        bool ok =
            trust_plan_key(life->world->fuses, i, TRUST_SCHEME_P256, life->catalogue->key_digest[i], &plan) == ESP_OK &&
            trust_execute(store, &plan) == ESP_OK;
        must(ok, "a key cannot be burned");
    }
    if (life->scenario->is_signed) {
        must(trust_plan_secure_boot(life->world->fuses, &plan) == ESP_OK && trust_execute(store, &plan) == ESP_OK,
             "secure boot cannot be burned");
    }
    must(trust_plan_secure_version(life->world->fuses, floor, &plan) == ESP_OK && trust_execute(store, &plan) == ESP_OK,
         "the floor cannot be burned");
    life->world->facts.floor = floor;
}

/* App A in ota_0, confirmed. */
static void make_a(life_t *life)
{
    put(life, 0, APP_A);
    records_put(life->world, &life->layout, 0, 1, ESP_OTA_IMG_VALID);
    life->world->facts.confirmed_slot = 0;
    life->world->facts.confirmed_app = APP_A;
    if (life->scenario->has_fuses) {
        provision(life, 1);
    }
}

static void make_blank(life_t *life)
{
    put(life, 0, APP_A);
}

static void make_factory_and_a(life_t *life)
{
    catalogue_put(life->catalogue, life->world, life->layout.factory_off, APP_FACTORY);
    make_a(life);
}

static void make_factory(life_t *life)
{
    catalogue_put(life->catalogue, life->world, life->layout.factory_off, APP_FACTORY);
}

/* Two confirmed apps. */
static void make_a_and_b(life_t *life)
{
    put(life, 1, APP_B);
    records_put(life->world, &life->layout, 1, 2, ESP_OTA_IMG_VALID);
    make_a(life);
    life->world->facts.confirmed_slot = 1;
    life->world->facts.confirmed_app = APP_B;
}

/* ---- Apps ---- */

static next_t update_to(life_t *life, int app)
{
    if (!life_update(life, app)) {
        life_fail(life, VERDICT_OTHER, "a good update is refused");
    }
    return NEXT_RESTART;
}

static next_t confirm_and_end(life_t *life)
{
    life_confirm(life);
    return NEXT_DONE;
}

static next_t app_update(life_t *life)
{
    return life->app == APP_B ? confirm_and_end(life) : update_to(life, APP_B);
}

static next_t app_update_unasked(life_t *life)
{
    return life->app == APP_B ? NEXT_DONE : update_to(life, APP_B);
}

static next_t app_update_twice(life_t *life)
{
    if (life->app == APP_C) {
        return confirm_and_end(life);
    }
    if (life->app == APP_B) {
        life_confirm(life);
    }
    return update_to(life, life->app == APP_B ? APP_C : APP_B);
}

static next_t app_abort(life_t *life)
{
    if (life->app == APP_B) {
        return confirm_and_end(life);
    }
    life_abort_update(life, APP_C);
    return update_to(life, APP_B);
}

static next_t app_refused_image(life_t *life)
{
    if (life->app == APP_B) {
        return confirm_and_end(life);
    }
    if (life_update(life, APP_BAD)) {
        life_fail(life, VERDICT_UNVERIFIED, "a damaged image is accepted");
    }
    return update_to(life, APP_B);
}

static bool is_refused(life_t *life, int slot)
{
    return (life_record(life, slot) & (RECORD_INVALID | RECORD_ABORTED)) != 0;
}

/* B never confirms. Once it was given up, the server offers C. */
static next_t app_rollback(life_t *life)
{
    facts_t *facts = &life->world->facts;
    if (life->app == APP_C) {
        return confirm_and_end(life);
    }
    if (life->app == APP_B) {
        return NEXT_RESTART;
    }
    for (int slot = 0; slot < (int)life->layout.slots; slot++) {
        facts->phase = is_refused(life, slot) ? 1 : facts->phase;
    }
    return update_to(life, facts->phase == 1 ? APP_C : APP_B);
}

static next_t app_refuses_itself(life_t *life)
{
    if (life->app == APP_B) {
        life_refuse(life);
        return NEXT_RESTART;
    }
    return app_rollback(life);
}

static next_t app_choose_factory(life_t *life)
{
    facts_t *facts = &life->world->facts;
    if (life->app == APP_B) {
        return confirm_and_end(life);
    }
    if (life->app == APP_A) {
        life_choose(life, -1);
        return NEXT_RESTART;
    }
    facts->phase = 1;
    return update_to(life, APP_B);
}

/* The app in ota_0 breaks: the factory app runs and brings B. */
static void break_a(life_t *life)
{
    life_damage(life, 0, 1);
}

static next_t app_choose_again(life_t *life)
{
    if (life->app == APP_B) {
        return confirm_and_end(life);
    }
    (void)update_to(life, APP_B);
    life_choose(life, life_running_slot(life));
    life_choose(life, 1 - life_running_slot(life));
    return NEXT_RESTART;
}

/* B runs for the first time when A breaks. B does not confirm at once: nothing but a last resort can boot then. */
static void break_a_once_b_started(life_t *life)
{
    if (life->world->facts.starts[APP_B] > 0) {
        life_damage(life, 0, 1);
    }
}

static next_t app_last_resort(life_t *life)
{
    if (life->app == APP_A) {
        return update_to(life, APP_B);
    }
    if (life->app == APP_B && life->boot.reason != BOOTSEL_REASON_LAST_RESORT &&
        (life->record & (RECORD_VALID | RECORD_UNDEFINED)) == 0) {
        return NEXT_RESTART;
    }
    life_confirm(life);
    return life->app == APP_B ? update_to(life, APP_C) : NEXT_DONE;
}

static next_t app_revoke(life_t *life)
{
    if (life->app != APP_B) {
        return update_to(life, APP_B);
    }
    life_confirm(life);
    life_revoke(life, 0);
    return NEXT_DONE;
}

/* B raises the floor; from then on nothing older is accepted. */
static next_t app_floor(life_t *life)
{
    if (life->app != APP_B) {
        return update_to(life, APP_B);
    }
    life_confirm(life);
    if (life->boot.trust.secure_version == life->catalogue->app[APP_B].secure_version && life_update(life, APP_OLD)) {
        life_fail(life, VERDICT_UNVERIFIED, "a downgrade is accepted");
    }
    return life->boot.trust.secure_version > 1 ? NEXT_DONE : NEXT_RESTART;
}

static next_t app_erase_other(life_t *life)
{
    if (life->app == APP_C) {
        life_confirm(life);
    }
    life_erase_other(life);
    return life->app == APP_C ? NEXT_DONE : update_to(life, APP_C);
}

/* A flash that fails: what cannot be done is tried again, at once and after a restart, and then left alone. */
static next_t app_faulty(life_t *life)
{
    facts_t *facts = &life->world->facts;
    if (life->app == APP_B) {
        bool done = life_confirm(life) || ++facts->phase > FAULTY_TRIES;
        return done ? NEXT_DONE : NEXT_RESTART;
    }
    if (facts->phase > FAULTY_TRIES) {
        return NEXT_DONE;
    }
    if (!life_update(life, APP_B) && !life_update(life, APP_B)) {
        facts->phase++;
    }
    return NEXT_RESTART;
}

/* The app that was confirmed last will break. An older one, which nobody confirmed, lies in the slot below it. */
static void make_confirmed_and_old(life_t *life)
{
    put(life, 0, APP_OLD);
    put(life, 1, APP_B);
    put(life, 2, APP_A);
    records_put(life->world, &life->layout, 0, 3, ESP_OTA_IMG_VALID);
    records_put(life->world, &life->layout, 1, 5, ESP_OTA_IMG_VALID);
    life->world->facts.confirmed_slot = 1;
    life->world->facts.confirmed_app = APP_B;
}

/* After the first cut the server has something newer. */
static next_t app_update_to_the_latest(life_t *life)
{
    if (life->app == APP_C) {
        return confirm_and_end(life);
    }
    if (life->app == APP_B) {
        life_confirm(life);
    }
    return update_to(life, life->app == APP_B || life->world->facts.cuts > 0 ? APP_C : APP_B);
}

/* Once its damaged image was refused, the server has a good one. */
static next_t app_update_once_repaired(life_t *life)
{
    facts_t *facts = &life->world->facts;
    if (life->app == APP_B) {
        return confirm_and_end(life);
    }
    if (facts->phase == 0 && life_update(life, APP_BAD)) {
        life_fail(life, VERDICT_UNVERIFIED, "a damaged image is accepted");
    }
    facts->phase = 1;
    return update_to(life, APP_B);
}

/* B is taken back, and then wanted again: it is still there. */
static next_t app_update_again(life_t *life)
{
    facts_t *facts = &life->world->facts;
    life_confirm(life);
    if (life->app == APP_A) {
        return update_to(life, APP_B);
    }
    if (facts->phase == 1) {
        return NEXT_DONE;
    }
    facts->phase = 1;
    life_choose(life, 1 - life_running_slot(life));
    return NEXT_RESTART;
}

static void break_b(life_t *life)
{
    life_damage(life, 1, 1);
}

static next_t app_bit_rot(life_t *life)
{
    if (life->app == APP_OLD) {
        life_fail(life, VERDICT_LOST, "an app runs that nobody confirmed, although a confirmed one is left");
    }
    return life->app == APP_C ? confirm_and_end(life) : update_to(life, APP_C);
}

const scenario_t scenarios[] = {
    {.name = "update", .what = "an update", .slots = 2, .make = make_a, .app = app_update},
    {.name = "twice", .what = "an update, and another one", .slots = 2, .make = make_a, .app = app_update_twice},
    {.name = "three-slots", .what = "the same in three slots", .slots = 3, .make = make_a, .app = app_update_twice},
    {.name = "first-boot",
     .what = "a blank otadata, then an update",
     .slots = 2,
     .make = make_blank,
     .app = app_update},
    {.name = "factory",
     .what = "from the factory app to an update",
     .slots = 2,
     .has_factory = true,
     .make = make_factory,
     .app = app_update},
    {.name = "abort",
     .what = "a download that is given up, then an update",
     .slots = 2,
     .make = make_a,
     .app = app_abort},
    {.name = "refused-image",
     .what = "a damaged image, then a good one",
     .slots = 2,
     .make = make_a,
     .app = app_refused_image},
    {.name = "rollback",
     .what = "an app that never confirms, then a better one",
     .slots = 2,
     .make = make_a,
     .app = app_rollback},
    {.name = "refusal",
     .what = "an app that refuses itself, then a better one",
     .slots = 2,
     .make = make_a,
     .app = app_refuses_itself},
    {.name = "two-confirmed",
     .what = "two confirmed apps in three slots, and another one",
     .slots = 3,
     .make = make_a_and_b,
     .app = app_update_twice},
    {.name = "fallback",
     .what = "the app breaks, the factory app brings another",
     .slots = 2,
     .has_factory = true,
     .make = make_factory_and_a,
     .meanwhile = break_a,
     .app = app_update},
    {.name = "to-factory",
     .what = "the factory app is chosen, and brings an update",
     .slots = 2,
     .has_factory = true,
     .make = make_factory_and_a,
     .app = app_choose_factory},
    {.name = "choose-again",
     .what = "an update is taken back, then chosen again",
     .slots = 2,
     .make = make_a,
     .app = app_choose_again},
    {.name = "last-resort",
     .what = "only an app that was given up is left",
     .slots = 2,
     .make = make_a,
     .meanwhile = break_a_once_b_started,
     .app = app_last_resort},
    {.name = "erase-other",
     .what = "the app before is erased",
     .slots = 2,
     .make = make_a_and_b,
     .app = app_erase_other},
    {.name = "no-rollback",
     .what = "an update where apps need not confirm",
     .slots = 2,
     .no_rollback = true,
     .make = make_a,
     .app = app_update_unasked},
    {.name = "floor",
     .what = "an update that raises the floor, then a downgrade",
     .slots = 2,
     .has_fuses = true,
     .make = make_a,
     .app = app_floor},
    {.name = "revoke",
     .what = "secure boot: an update, then its key's predecessor is revoked",
     .slots = 2,
     .is_signed = true,
     .has_fuses = true,
     .make = make_a,
     .app = app_revoke},
    {.name = "bit-rot",
     .what = "the confirmed app breaks, and the other confirmed one runs",
     .slots = 3,
     .make = make_confirmed_and_old,
     .meanwhile = break_b,
     .app = app_bit_rot},
    {.name = "faults",
     .what = "no power cuts: a flash that reports errors, wears out, loses bits",
     .slots = 2,
     .has_factory = true,
     .has_faults = true,
     .make = make_factory_and_a,
     .app = app_faulty},
    {.name = "resume",
     .what = "an update whose download goes on",
     .slots = 2,
     .resumes = true,
     .make = make_a,
     .app = app_update},
    {.name = "resume-newer",
     .what = "the same, and the server has a newer app when it goes on",
     .slots = 2,
     .resumes = true,
     .make = make_a,
     .app = app_update_to_the_latest},
    {.name = "resume-bad",
     .what = "a damaged image, then a good one under the same entity tag",
     .slots = 2,
     .resumes = true,
     .same_tag = true,
     .make = make_a,
     .app = app_update_once_repaired},
    {.name = "resume-again",
     .what = "an update is taken back, and then downloaded again",
     .slots = 2,
     .resumes = true,
     .make = make_a,
     .app = app_update_again},
    {.name = "resume-signed",
     .what = "secure boot: an update, and another one, whose downloads go on",
     .slots = 2,
     .is_signed = true,
     .has_fuses = true,
     .resumes = true,
     .make = make_a,
     .app = app_update_twice},
    {.name = "encrypted",
     .what = "an encrypted update whose download goes on",
     .slots = 2,
     .resumes = true,
     .encrypted = true,
     .make = make_a,
     .app = app_update},
    {.name = "resume-faults",
     .what = "as faults, with downloads that go on",
     .slots = 2,
     .has_factory = true,
     .has_faults = true,
     .resumes = true,
     .make = make_factory_and_a,
     .app = app_faulty},
    {.name = NULL},
};

const scenario_t *scenario_find(const char *name)
{
    for (const scenario_t *scenario = scenarios; scenario->name != NULL; scenario++) {
        if (strcmp(scenario->name, name) == 0) {
            return scenario;
        }
    }
    return NULL;
}
