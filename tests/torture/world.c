/* SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#include "tests/torture/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

void must(bool ok, const char *what)
{
    if (!ok) {
        perror(what);
        exit(2);
    }
}

/* ---- Layout ---- */

static void add(layout_t *layout, uint8_t type, uint8_t subtype, uint32_t size, const char *label)
{
    ptable_partition_t *partition = &layout->table.partition[layout->table.count++];
    *partition = (ptable_partition_t){.type = type, .subtype = subtype, .offset = layout->flash_bytes, .size = size};
    (void)snprintf(partition->label, sizeof(partition->label), "%s", label);
    layout->flash_bytes += size;
}

/* Slots that an app just fits into, with a sector to spare for what must not be touched. */
static void make_table(layout_t *layout, const geometry_t *geometry, uint32_t slots, bool factory)
{
    uint32_t sector = geometry->sector_bytes;
    uint32_t slot = (geometry->image_bytes + sector - 1) / sector * sector + sector;
    layout->flash_bytes = 2 * sector;
    layout->table_off = sector;
    add(layout, PART_TYPE_DATA, PART_SUBTYPE_DATA_WIFI, sector, "nvs");
    add(layout, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA, 2 * sector, "otadata");
    if (factory) {
        add(layout, PART_TYPE_APP, PART_SUBTYPE_FACTORY, slot, "factory");
    }
    for (uint32_t i = 0; i < slots; i++) {
        char label[PTABLE_LABEL_BYTES];
        (void)snprintf(label, sizeof(label), "ota_%u", (unsigned)i);
        add(layout, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG | i), slot, label);
    }
}

static void take_table(layout_t *layout, const geometry_t *geometry)
{
    layout->table = *geometry->table;
    layout->table_off = geometry->table_off;
    layout->flash_bytes = geometry->table_off + geometry->sector_bytes;
    for (uint32_t i = 0; i < layout->table.count; i++) {
        uint32_t end = layout->table.partition[i].offset + layout->table.partition[i].size;
        layout->flash_bytes = end > layout->flash_bytes ? end : layout->flash_bytes;
    }
    uint32_t sector = geometry->sector_bytes;
    layout->flash_bytes = (layout->flash_bytes + sector - 1) / sector * sector;
}

bool layout_make(layout_t *layout, const geometry_t *geometry, uint32_t slots, bool factory)
{
    memset(layout, 0, sizeof(*layout));
    layout->sector_bytes = geometry->sector_bytes;
    if (geometry->table != NULL) {
        take_table(layout, geometry);
    } else {
        make_table(layout, geometry, slots, factory);
    }
    const ptable_partition_t *otadata = ptable_find(&layout->table, PART_TYPE_DATA, PART_SUBTYPE_DATA_OTA);
    const ptable_partition_t *fallback = ptable_find(&layout->table, PART_TYPE_APP, PART_SUBTYPE_FACTORY);
    if (otadata == NULL || (fallback != NULL) != factory || ptable_slot_count(&layout->table) != slots) {
        return false;
    }
    layout->otadata_off = otadata->offset;
    layout->factory_off = fallback != NULL ? fallback->offset : 0;
    layout->slots = slots;
    layout->slot_bytes = UINT32_MAX;
    for (uint32_t i = 0; i < slots; i++) {
        const ptable_partition_t *slot =
            ptable_find(&layout->table, PART_TYPE_APP, (uint8_t)(PART_SUBTYPE_OTA_FLAG | i));
        if (slot == NULL) {
            return false;
        }
        layout->slot_off[i] = slot->offset;
        layout->slot_bytes = slot->size < layout->slot_bytes ? slot->size : layout->slot_bytes;
    }
    return layout->slot_bytes >= geometry->image_bytes;
}

/* ---- The world ---- */

static size_t mapping_bytes(const layout_t *layout)
{
    size_t sectors = layout->flash_bytes / layout->sector_bytes;
    size_t pages = layout->flash_bytes / OTTER_FLASH_PAGE_BYTES;
    return sizeof(world_t) + 4 * (size_t)layout->flash_bytes + sectors * (sizeof(uint32_t) + 1) +
           (pages + 2) * sizeof(uint32_t);
}

world_t *world_new(const layout_t *layout)
{
    world_t *world = mmap(NULL, mapping_bytes(layout), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    must(world != MAP_FAILED, "mmap");
    size_t size = layout->flash_bytes;
    uint8_t *at = (uint8_t *)world->arrays;
    world->flash_bytes = size;
    world->sectors = layout->flash_bytes / layout->sector_bytes;
    world->cells.bytes = at;
    world->cells.unstable = at + size;
    world->cells.erases = (uint32_t *)(void *)(at + 2 * size);
    world->cells.scars = at + 2 * size + world->sectors * sizeof(uint32_t);
    world->state_bytes = 2 * size + world->sectors * (sizeof(uint32_t) + 1);
    size_t rest = (world->state_bytes + 7) / 8 * 8;
    world->pages.bytes = world->cells.bytes;
    world->pages.erases = world->cells.erases;
    world->pages.synced = at + rest;
    world->pages.version = at + rest + size;
    world->pages.changes = (uint32_t *)(void *)(at + rest + 2 * size);
    memset(world->cells.bytes, 0xFF, size);
    world->facts.confirmed_slot = -1;
    world->facts.writable = -1;
    world->facts.downloading = WORLD_NO_APP;
    world->facts.downloaded = WORLD_NO_APP;
    return world;
}

void world_free(world_t *world, const layout_t *layout)
{
    (void)munmap(world, mapping_bytes(layout));
}

snapshot_t *snapshot_new(const world_t *world)
{
    snapshot_t *snapshot = calloc(1, sizeof(*snapshot));
    must(snapshot != NULL, "calloc");
    snapshot->state = malloc(world->state_bytes);
    must(snapshot->state != NULL, "malloc");
    return snapshot;
}

void snapshot_free(snapshot_t *snapshot)
{
    if (snapshot != NULL) {
        free(snapshot->state);
        free(snapshot);
    }
}

void snapshot_take(snapshot_t *snapshot, const world_t *world)
{
    snapshot->facts = world->facts;
    memcpy(snapshot->fuses, world->fuses, sizeof(snapshot->fuses));
    memcpy(snapshot->state, world->arrays, world->state_bytes);
}

void snapshot_restore(const snapshot_t *snapshot, world_t *world, uint32_t seed)
{
    world->facts = snapshot->facts;
    memcpy(world->fuses, snapshot->fuses, sizeof(snapshot->fuses));
    memcpy(world->arrays, snapshot->state, world->state_bytes);
    world->power = (otter_power_t){.random = seed * 2654435761u | 1};
    memset(&world->course, 0, sizeof(world->course));
    world->course.first_app = WORLD_NO_APP;
}

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    for (; len >= sizeof(uint64_t); len -= sizeof(uint64_t), at += sizeof(uint64_t)) {
        uint64_t word;
        memcpy(&word, at, sizeof(word));
        hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    for (; len > 0; len--, at++) {
        hash = (hash ^ *at) * 0x9E3779B97F4A7C15u;
        hash ^= hash >> 29;
    }
    return hash;
}

uint64_t world_hash(const world_t *world)
{
    uint64_t hash = mix(1, &world->facts, offsetof(facts_t, verdict));
    hash = mix(hash, world->fuses, sizeof(world->fuses));
    return mix(hash, world->arrays, world->state_bytes);
}
